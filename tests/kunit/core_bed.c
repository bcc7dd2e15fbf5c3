// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tests of src/core stand on. At the end of each test the device must
 * never have reached for memory that was not its own, and none may be left.
 */
#include <kunit/device.h>
#include <linux/preempt.h>

#include "core_bed.h"

const struct lmf_fw_config core_bed_config = {
	.vfs = CORE_VFS,
	.queues = 2,
	.entries = 64,
	.media_bytes = CORE_MEDIA,
	.log_entries = CORE_LOG,
	/* Longer than any test: what is posted was flushed. */
	.log_post_delay_ns = 3600ull * NSEC_PER_SEC,
	.migrate = true,
	.log = true,
	.seed = 11,
};

static void core_told_threshold(void *priv)
{
	struct core_vf *vf = priv;

	atomic_inc(&vf->thresholds);
	complete(&vf->told);
}

static void core_told_sessions_lost(void *priv)
{
	struct core_vf *vf = priv;

	/* So early that nothing can have been sent to the device again. */
	if (vf->handle && !lmf_core_is_up(vf->handle->func->core))
		atomic_inc(&vf->sessions_lost);
}

static void core_told_lost(void *priv)
{
	struct core_vf *vf = priv;

	atomic_inc(&vf->losts);
	complete(&vf->told);
}

static const struct lmf_vf_notify core_notify = {
	.log_threshold = core_told_threshold,
	.sessions_lost = core_told_sessions_lost,
	.lost = core_told_lost,
};

void core_bed_open(struct core_bed *b, unsigned int n)
{
	struct lmf_vf *handle = lmf_vf_open(b->core, n, &core_notify,
					    &b->vf[n]);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(b->test, handle);
	b->vf[n].handle = handle;
}

void core_bed_close(struct core_bed *b, unsigned int n)
{
	if (b->vf[n].handle)
		lmf_vf_put(b->vf[n].handle);
	b->vf[n].handle = NULL;
}

int core_bed_init(struct kunit *test)
{
	struct core_bed *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	unsigned int n;

	KUNIT_ASSERT_NOT_NULL(test, b);
	b->test = test;
	b->dev = kunit_device_register(test, "lmf-mock");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, b->dev);
	KUNIT_ASSERT_EQ(test, dma_coerce_mask_and_coherent(b->dev,
							   DMA_BIT_MASK(64)),
			0);
	mock_dma_forget_faults();
	mock_set_timeout(CORE_PATIENT_MS);
	KUNIT_ASSERT_EQ(test, mock_pf_init(&b->pf, &core_bed_config), 0);
	b->core = lmf_core_create(b->dev, &mock_pf_io_ops, &b->pf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, b->core);
	test->priv = b;
	mock_pf_connect(&b->pf, b->core);
	KUNIT_ASSERT_EQ(test, lmf_core_start(b->core), 0);
	for (n = 0; n < CORE_VFS; n++) {
		init_completion(&b->vf[n].told);
		core_bed_open(b, n);
	}
	return 0;
}

void core_bed_exit(struct kunit *test)
{
	struct core_bed *b = test->priv;
	unsigned int n;
	bool stopped;

	if (!b)
		return;
	mock_dma_fail(false);
	mock_pf_edit(&b->pf, NULL, NULL);
	mock_pf_pause(&b->pf, false);
	mock_pf_late(&b->pf, 0);
	mock_set_timeout(CORE_PATIENT_MS);
	for (n = 0; n < CORE_VFS; n++)
		core_bed_close(b, n);
	stopped = lmf_core_stop(b->core);
	KUNIT_EXPECT_TRUE(test, stopped);
	mock_pf_connect(&b->pf, NULL);
	lmf_core_destroy(b->core, stopped);
	for (n = 0; n < CORE_VFS; n++)
		mock_guest_exit(n);
	mock_pf_exit(&b->pf);
	KUNIT_EXPECT_EQ(test, mock_dma_live(MOCK_DMA_PF), 0);
	KUNIT_EXPECT_EQ(test, mock_dma_faults(), 0);
}

void core_bed_fault(struct core_bed *b, const char *spec)
{
	const char *wrong = mock_pf_fault(&b->pf, spec);

	KUNIT_ASSERT_NULL_MSG(b->test, (void *)wrong, "%s: %s", spec, wrong);
}

/* Pieces of memory that the device may reach; what is being freed is freed. */
unsigned int core_bed_live(struct core_bed *b)
{
	flush_workqueue(b->core->wq);
	return mock_dma_live(MOCK_DMA_PF);
}

struct lmf_buf *core_buf(struct core_bed *b, unsigned int n)
{
	struct lmf_buf *buf = lmf_buf_alloc(b->vf[n].handle, CORE_CHUNK,
					    GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(b->test, buf);
	return buf;
}

u64 core_save_begin(struct core_bed *b, unsigned int n)
{
	u64 session = 0;

	KUNIT_ASSERT_EQ(b->test, lmf_vf_save_begin(b->vf[n].handle, &session),
			0);
	return session;
}

int core_save_read(struct core_bed *b, unsigned int n, u64 session,
		   struct lmf_buf *buf, bool final, struct lmf_chunk *chunk)
{
	struct lmf_op *op = lmf_vf_save_read(b->vf[n].handle, session, buf,
					     final, NULL);
	int err;

	if (IS_ERR(op))
		return PTR_ERR(op);
	err = lmf_op_wait(op);
	if (!err)
		err = lmf_op_result(op, chunk);
	lmf_op_put(op);
	return err;
}

struct lmf_op *core_submit_read(struct core_bed *b, unsigned int n,
				u64 session, struct lmf_buf *buf)
{
	struct lmf_op *op = lmf_vf_save_read(b->vf[n].handle, session, buf,
					     false, NULL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(b->test, op);
	return op;
}

/* The VF can be saved. */
void core_expect_works(struct core_bed *b, unsigned int n)
{
	struct lmf_buf *buf = core_buf(b, n);
	u64 session = core_save_begin(b, n);
	struct lmf_chunk chunk;

	KUNIT_EXPECT_EQ(b->test, core_save_read(b, n, session, buf, false,
						&chunk), 0);
	lmf_vf_save_end(b->vf[n].handle, session);
	lmf_buf_put(buf);
}

/* Both halves of a reset from outside are told where nobody may sleep. */
void core_reset_prepare(struct core_bed *b)
{
	preempt_disable();
	lmf_core_reset_prepare(b->core);
	preempt_enable();
}

void core_reset_done(struct core_bed *b)
{
	preempt_disable();
	lmf_core_reset_done(b->core);
	preempt_enable();
}

struct lmf_buf *core_ring(struct core_bed *b, unsigned int n)
{
	size_t size = CORE_LOG * sizeof(struct lmf_log_entry);
	struct lmf_buf *ring = lmf_buf_alloc_log(b->vf[n].handle, size,
						  GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(b->test, ring);
	return ring;
}

/* Logs all that the guest of the VF has; it must be there. */
int core_log_start(struct core_bed *b, unsigned int n, struct lmf_buf *ring)
{
	const struct lmf_log_span span = {
		.iova = mock_guest_page(n, 0),
		.last = mock_guest_page(n, 32) - 1,
	};
	const struct lmf_log_params params = {
		.format = LMF_LOG_RING,
		.shift = 12,
		.entries = CORE_LOG,
		.threshold = CORE_THRESHOLD,
		.ranges = &span,
		.nranges = 1,
	};

	return lmf_vf_log_start(b->vf[n].handle, &params, ring);
}
