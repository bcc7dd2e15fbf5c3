// SPDX-License-Identifier: GPL-2.0-only
/*
 * The logs that the device keeps and that are read by LOG_READ: what the PF
 * driver's calls bring, and to whom log and buffer belong when one is given up.
 */
#include <kunit/test.h>

#include "core_bed.h"

static int read_start(struct core_bed *b, u32 format)
{
	const struct lmf_log_span span = {
		.iova = mock_guest_page(0, 0),
		.last = mock_guest_page(0, 32) - 1,
	};
	const struct lmf_log_params params = {
		.format = format,
		.shift = 12,
		.ranges = &span,
		.nranges = 1,
	};

	return lmf_vf_log_start(b->vf[0].handle, &params, NULL);
}

static struct lmf_buf *read_buf(struct core_bed *b)
{
	struct lmf_buf *buf = lmf_buf_alloc_log(b->vf[0].handle,
						LMF_LOG_READ_MIN, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(b->test, buf);
	return buf;
}

/* The log is on, and the guest's pages 3 and 9 were written. */
static struct lmf_buf *read_on(struct core_bed *b, u32 format)
{
	KUNIT_ASSERT_EQ(b->test, mock_guest_init(&b->pf, 0), 0);
	KUNIT_ASSERT_EQ(b->test, read_start(b, format), 0);
	KUNIT_ASSERT_EQ(b->test, mock_guest_read(&b->pf, 0, 3), 0);
	KUNIT_ASSERT_EQ(b->test, mock_guest_read(&b->pf, 0, 9), 0);
	return read_buf(b);
}

static struct lmf_log_flushed read_flush(struct core_bed *b, u32 acknowledge)
{
	struct lmf_log_flushed flushed = { };

	KUNIT_EXPECT_EQ(b->test, lmf_vf_log_flush(b->vf[0].handle, acknowledge,
						  &flushed), 0);
	KUNIT_EXPECT_FALSE(b->test, flushed.more);
	return flushed;
}

static struct lmf_log_part read_part(struct core_bed *b, struct lmf_buf *buf)
{
	struct lmf_log_part part = { };

	KUNIT_EXPECT_EQ(b->test, lmf_vf_log_read(b->vf[0].handle, buf, 0,
						 &part), 0);
	KUNIT_EXPECT_FALSE(b->test, part.more);
	return part;
}

/* A list is told once. */
static void core_read_test_ranges(struct kunit *test)
{
	struct core_bed *b = test->priv;
	struct lmf_buf *buf = read_on(b, LMF_LOG_RANGES);
	const struct lmf_log_list *list = buf->vaddr;
	const struct lmf_log_extent *extent = (const void *)(list + 1);

	read_flush(b, 0);
	KUNIT_EXPECT_EQ(test, read_part(b, buf).bytes, 48);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(list->count), 2);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(extent[0].iova),
			mock_guest_page(0, 3));
	KUNIT_EXPECT_EQ(test, le64_to_cpu(extent[1].iova),
			mock_guest_page(0, 9));
	KUNIT_EXPECT_EQ(test, read_part(b, buf).bytes, 16);
	lmf_buf_put(buf);
}

/* A bank is told until it is acknowledged. */
static void core_read_test_bitmap(struct kunit *test)
{
	struct core_bed *b = test->priv;
	struct lmf_buf *buf = read_on(b, LMF_LOG_BITMAP);
	u32 sequence = read_flush(b, 0).sequence;
	u32 bytes;

	KUNIT_EXPECT_EQ(test, sequence, 1);
	bytes = read_part(b, buf).bytes;
	KUNIT_EXPECT_GE(test, bytes, 80);
	KUNIT_EXPECT_EQ(test, read_part(b, buf).sequence, sequence);
	sequence = read_flush(b, 0).sequence;
	KUNIT_EXPECT_EQ(test, read_part(b, buf).bytes, bytes);
	KUNIT_EXPECT_EQ(test, read_part(b, buf).sequence, 2);
	read_flush(b, sequence);
	KUNIT_EXPECT_EQ(test, read_part(b, buf).bytes, 0);
	lmf_buf_put(buf);
}

static void core_read_test_refuses(struct kunit *test)
{
	struct core_bed *b = test->priv;
	struct lmf_buf *ring = core_ring(b, 0), *buf = read_buf(b);
	struct lmf_vf *vf = b->vf[0].handle;
	struct lmf_log_part part;

	KUNIT_ASSERT_EQ(test, mock_guest_init(&b->pf, 0), 0);
	KUNIT_EXPECT_EQ(test, lmf_vf_log_read(vf, buf, 0, &part), -EBUSY);
	KUNIT_EXPECT_EQ(test, lmf_vf_log_read(vf, ring, 0, &part), -EINVAL);
	KUNIT_EXPECT_EQ(test, read_start(b, LMF_LOG_RING), -EINVAL);
	KUNIT_EXPECT_EQ(test, read_start(b, 31), -EINVAL);
	KUNIT_EXPECT_EQ(test, read_start(b, U32_MAX), -EINVAL);
	KUNIT_EXPECT_EQ(test, core_log_start(b, 0, ring), 0);
	KUNIT_EXPECT_EQ(test, lmf_vf_log_read(vf, buf, 0, &part), -EBUSY);
	KUNIT_EXPECT_EQ(test, lmf_vf_log_stop(vf), 0);
	KUNIT_EXPECT_EQ(test, read_start(b, LMF_LOG_RANGES), 0);
	KUNIT_EXPECT_EQ(test, read_start(b, LMF_LOG_BITMAP), -EBUSY);
	KUNIT_EXPECT_EQ(test, core_log_start(b, 0, ring), -EBUSY);
	lmf_buf_put(buf);
	lmf_buf_put(ring);
}

/* A read that was given up keeps its buffer until it is answered. */
/* points: 33 */
static void core_read_test_late(struct kunit *test)
{
	struct core_bed *b = test->priv;
	struct lmf_buf *buf = read_on(b, LMF_LOG_BITMAP);
	struct lmf_vf *vf = b->vf[0].handle;
	unsigned int live = core_bed_live(b);
	struct lmf_log_part part;

	core_bed_fault(b, "admin-drop=0x0203:1");
	mock_set_timeout(CORE_SHORT_MS);
	KUNIT_EXPECT_EQ(test, lmf_vf_log_read(vf, buf, 0, &part), -ETIMEDOUT);
	mock_set_timeout(CORE_PATIENT_MS);
	KUNIT_EXPECT_EQ(test, lmf_vf_log_read(vf, buf, 0, &part), -EBUSY);
	lmf_buf_put(buf);
	KUNIT_EXPECT_EQ(test, core_bed_live(b), live);
	core_bed_fault(b, "admin-release");
	KUNIT_EXPECT_TRUE(test, wait_until(core_bed_live(b) == live - 1, 20));
}

/* A log without a ring, whose start was given up, ends before the next one. */
static void core_read_test_start(struct kunit *test)
{
	struct core_bed *b = test->priv;

	KUNIT_ASSERT_EQ(test, mock_guest_init(&b->pf, 0), 0);
	core_bed_fault(b, "admin-drop=0x0200:1");
	mock_set_timeout(CORE_SHORT_MS);
	KUNIT_EXPECT_EQ(test, read_start(b, LMF_LOG_RANGES), -ETIMEDOUT);
	mock_set_timeout(CORE_PATIENT_MS);
	KUNIT_EXPECT_EQ(test, read_start(b, LMF_LOG_BITMAP), 0);
	KUNIT_EXPECT_NOT_NULL(test, b->pf.fw->vf[0]->log);
	core_bed_fault(b, "admin-release");
	KUNIT_EXPECT_TRUE(test, wait_until(!READ_ONCE(b->core->aq.nused), 20));
	KUNIT_EXPECT_EQ(test, lmf_vf_log_stop(b->vf[0].handle), 0);
	KUNIT_EXPECT_NULL(test, b->pf.fw->vf[0]->log);
}

/* Who closes the VF need not have stopped its log. */
static void core_read_test_close(struct kunit *test)
{
	struct core_bed *b = test->priv;

	lmf_buf_put(read_on(b, LMF_LOG_RANGES));
	core_bed_close(b, 0);
	KUNIT_EXPECT_NULL(test, b->pf.fw->vf[0]->log);
}

static struct kunit_case core_read_test_cases[] = {
	KUNIT_CASE(core_read_test_ranges),
	KUNIT_CASE(core_read_test_bitmap),
	KUNIT_CASE(core_read_test_refuses),
	KUNIT_CASE(core_read_test_late),
	KUNIT_CASE(core_read_test_start),
	KUNIT_CASE(core_read_test_close),
	{}
};

static struct kunit_suite core_read_test_suite = {
	.name = "lmf-core-read",
	.init = core_bed_init,
	.exit = core_bed_exit,
	.test_cases = core_read_test_cases,
};

kunit_test_suite(core_read_test_suite);
