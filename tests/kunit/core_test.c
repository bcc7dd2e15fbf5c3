// SPDX-License-Identifier: GPL-2.0-only
/*
 * src/core against the reference firmware when all goes well: what each call of
 * include/linux/lmf.h does, and what it refuses.
 */
#include "core_bed.h"

static void core_test_caps(struct kunit *test)
{
	struct core_bed *b = test->priv;
	const struct lmf_vf_caps *caps = lmf_vf_caps(b->vf[0].handle);

	KUNIT_EXPECT_TRUE(test, caps->migrate && caps->log);
	KUNIT_EXPECT_EQ(test, caps->log_formats, BIT(LMF_LOG_RING) |
			BIT(LMF_LOG_RANGES) | BIT(LMF_LOG_BITMAP));
	KUNIT_EXPECT_EQ(test, caps->state_max, fw_state_max(b->pf.fw));
	KUNIT_EXPECT_EQ(test, caps->trailer_max, fw_trailer_max(b->pf.fw));
	KUNIT_EXPECT_EQ(test, caps->chunk_min, FW_CHUNK_MIN);
	KUNIT_EXPECT_EQ(test, caps->chunk_max, FW_CHUNK_MAX);
	KUNIT_EXPECT_EQ(test, caps->log_ring_max, CORE_LOG);
	KUNIT_EXPECT_EQ(test, caps->log_ranges_max, FW_LOG_RANGES);
	KUNIT_EXPECT_EQ(test, caps->log_shift_min, FW_LOG_SHIFT_MIN);
	KUNIT_EXPECT_EQ(test, caps->log_shift_max, FW_LOG_SHIFT_MAX);
}

/* points: 39 */
static void core_test_open(struct kunit *test)
{
	struct core_bed *b = test->priv;

	KUNIT_EXPECT_EQ(test, PTR_ERR(lmf_vf_open(b->core, 0, NULL, NULL)),
			-EBUSY);
	KUNIT_EXPECT_EQ(test, PTR_ERR(lmf_vf_open(b->core, CORE_VFS, NULL,
						  NULL)), -EOPNOTSUPP);
	core_bed_close(b, 0);
	mock_pf_enable_vf(&b->pf, 0, false);
	KUNIT_EXPECT_EQ(test, PTR_ERR(lmf_vf_open(b->core, 0, NULL, NULL)),
			-ENODEV);
	mock_pf_enable_vf(&b->pf, 0, true);
	mock_dma_fail(true);
	KUNIT_EXPECT_EQ(test, PTR_ERR(lmf_vf_open(b->core, 0, NULL, NULL)),
			-ENOMEM);
	mock_dma_fail(false);
	core_bed_open(b, 0);
}

/* A device of another major version is not driven. */
static void core_test_version(struct kunit *test)
{
	struct lmf_fw_config config = core_bed_config;
	struct core_bed *b = test->priv;
	struct mock_pf *pf = kunit_kzalloc(test, sizeof(*pf), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, pf);
	config.version = LMF_VERSION(LMF_VERSION_MAJOR + 1, 0);
	KUNIT_ASSERT_EQ(test, mock_pf_init(pf, &config), 0);
	KUNIT_EXPECT_EQ(test, PTR_ERR(lmf_core_create(b->dev, &mock_pf_io_ops,
						      pf)), -ENODEV);
	mock_pf_exit(pf);
}

static void expect_level(struct core_bed *b, unsigned int n,
			 enum lmf_quiesce want)
{
	enum lmf_quiesce level;

	KUNIT_EXPECT_EQ(b->test, lmf_vf_level(b->vf[n].handle, &level), 0);
	KUNIT_EXPECT_EQ(b->test, level, want);
}

/* points: 2 */
static void core_test_quiesce(struct kunit *test)
{
	static const enum lmf_quiesce levels[] = {
		LMF_STOP_INITIATOR, LMF_STOP_FULL, LMF_STOP_FULL,
		LMF_STOP_INITIATOR, LMF_RUN, LMF_STOP_FULL, LMF_RUN,
	};
	struct core_bed *b = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		KUNIT_EXPECT_EQ(test, lmf_vf_quiesce(b->vf[1].handle,
						     levels[i]), 0);
		KUNIT_EXPECT_EQ(test, b->pf.fw->vf[1]->level, levels[i]);
		KUNIT_EXPECT_EQ(test, b->pf.fw->vf[0]->level, LMF_RUN);
		expect_level(b, 1, levels[i]);
		expect_level(b, 0, LMF_RUN);
	}
}

/* A reset of the queue keeps the level, one of the PF's function ends it. */
static void core_test_level(struct kunit *test)
{
	struct core_bed *b = test->priv;
	struct lmf_vf *vf = b->vf[0].handle;
	enum lmf_quiesce level;

	KUNIT_EXPECT_EQ(test, lmf_vf_quiesce(vf, LMF_STOP_FULL), 0);
	core_reset_prepare(b);
	KUNIT_EXPECT_EQ(test, lmf_vf_level(vf, &level), -ENOTCONN);
	core_reset_done(b);
	flush_work(&b->core->recover_work);
	expect_level(b, 0, LMF_STOP_FULL);
	core_reset_prepare(b);
	mock_pf_flr(&b->pf, LMF_FW_PF);
	core_reset_done(b);
	flush_work(&b->core->recover_work);
	expect_level(b, 0, LMF_RUN);
}

static void core_test_buffers(struct kunit *test)
{
	struct core_bed *b = test->priv;
	unsigned int live = core_bed_live(b);
	struct lmf_vf *vf = b->vf[0].handle;
	struct lmf_buf *buf;

	KUNIT_EXPECT_NULL(test, lmf_buf_alloc(vf, 0, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, lmf_buf_alloc(vf, FW_CHUNK_MAX + 1,
					      GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, lmf_buf_alloc_log(vf, 0, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, lmf_buf_alloc_log(vf, LMF_LOG_READ_MAX + 1,
						  GFP_KERNEL));
	mock_dma_fail(true);
	KUNIT_EXPECT_NULL(test, lmf_buf_alloc(vf, 1, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, lmf_buf_alloc_log(vf, 1, GFP_KERNEL));
	mock_dma_fail(false);
	buf = core_buf(b, 0);
	KUNIT_EXPECT_EQ(test, buf->size, CORE_CHUNK);
	KUNIT_EXPECT_NULL(test, memchr_inv(buf->vaddr, 0, buf->size));
	KUNIT_EXPECT_EQ(test, core_bed_live(b), live + 1);
	lmf_buf_put(buf);
	lmf_buf_put(NULL);
	KUNIT_EXPECT_EQ(test, core_bed_live(b), live);
}

static void fill_media(struct core_bed *b, unsigned int n)
{
	u64 page;
	u8 *data = kunit_kzalloc(b->test, PAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(b->test, data);
	for (page = 0; page < CORE_MEDIA / PAGE_SIZE; page += 3) {
		memset(data, page + 1, PAGE_SIZE);
		KUNIT_ASSERT_EQ(b->test,
				mock_pf_set_media(&b->pf, n, page * PAGE_SIZE,
						  data, PAGE_SIZE), 0);
	}
}

static void expect_same_media(struct core_bed *b)
{
	u8 *data = kunit_kzalloc(b->test, 2 * CORE_MEDIA, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(b->test, data);
	mock_pf_get_media(&b->pf, 0, 0, data, CORE_MEDIA);
	mock_pf_get_media(&b->pf, 1, 0, data + CORE_MEDIA, CORE_MEDIA);
	KUNIT_EXPECT_EQ(b->test, memcmp(data, data + CORE_MEDIA, CORE_MEDIA),
			0);
}

static int load_chunk(struct core_bed *b, u64 session, struct lmf_buf *buf,
		      u32 bytes)
{
	struct lmf_op *op = lmf_vf_load_write(b->vf[1].handle, session, buf,
					      bytes, NULL);
	int err;

	if (IS_ERR(op))
		return PTR_ERR(op);
	err = lmf_op_wait(op);
	if (!err)
		err = lmf_op_result(op, NULL);
	lmf_op_put(op);
	return err;
}

/* All that VF 0 has becomes VF 1's. */
static void transfer(struct core_bed *b, u64 save, u64 load)
{
	struct lmf_buf *buf = core_buf(b, 0);
	struct lmf_chunk chunk = { };

	while (!chunk.ended) {
		KUNIT_ASSERT_EQ(b->test, core_save_read(b, 0, save, buf, true,
							&chunk), 0);
		KUNIT_ASSERT_EQ(b->test, load_chunk(b, load, buf, chunk.bytes),
				0);
	}
	KUNIT_EXPECT_EQ(b->test, chunk.left.initial + chunk.left.dirty +
				 chunk.left.trailer, 0);
	lmf_buf_put(buf);
}

/* points: 25 */
static void core_test_migrate(struct kunit *test)
{
	struct core_bed *b = test->priv;
	u64 save, load;

	fill_media(b, 0);
	KUNIT_EXPECT_EQ(test, lmf_vf_load_begin(b->vf[1].handle, &load),
			-EBUSY);
	lmf_vf_quiesce(b->vf[0].handle, LMF_STOP_FULL);
	lmf_vf_quiesce(b->vf[1].handle, LMF_STOP_FULL);
	save = core_save_begin(b, 0);
	KUNIT_ASSERT_EQ(test, lmf_vf_load_begin(b->vf[1].handle, &load), 0);
	transfer(b, save, load);
	KUNIT_EXPECT_EQ(test, lmf_vf_load_commit(b->vf[1].handle, load), 0);
	lmf_vf_save_end(b->vf[0].handle, save);
	expect_same_media(b);
}

/* Together they are 0, if nobody looks at the carry. */
static void edit_carry(struct mock_pf *pf, struct lmf_admin_cqe *cqe)
{
	cqe->value[0] = cpu_to_le64(BIT_ULL(63));
	cqe->value[1] = cpu_to_le64(BIT_ULL(63));
	cqe->value[2] = 0;
}

static void core_test_left_carry(struct kunit *test)
{
	struct core_bed *b = test->priv;
	struct lmf_save_left left;

	mock_pf_edit(&b->pf, edit_carry, NULL);
	KUNIT_EXPECT_EQ(test, lmf_vf_save_query(b->vf[0].handle, 0, &left),
			-EIO);
}

static void core_test_left(struct kunit *test)
{
	struct core_bed *b = test->priv;
	struct lmf_vf *vf = b->vf[0].handle;
	struct lmf_save_left before, left;
	struct lmf_buf *buf = core_buf(b, 0);
	struct lmf_chunk chunk = { };
	u64 session, start;

	fill_media(b, 0);
	KUNIT_EXPECT_EQ(test, lmf_vf_save_query(vf, 0, &before), 0);
	session = core_save_begin(b, 0);
	KUNIT_EXPECT_EQ(test, lmf_vf_save_query(vf, session, &left), 0);
	KUNIT_EXPECT_EQ(test, left.initial, before.initial);
	while (!chunk.empty) {
		start = ktime_get_ns();
		KUNIT_ASSERT_EQ(test, core_save_read(b, 0, session, buf, false,
						     &chunk), 0);
		KUNIT_EXPECT_GE(test, chunk.asked_ns, start);
		KUNIT_EXPECT_GT(test, chunk.given_ns, chunk.asked_ns);
		KUNIT_EXPECT_LE(test, chunk.given_ns, ktime_get_ns());
		KUNIT_EXPECT_LE(test, chunk.left.initial, before.initial);
		before.initial = chunk.left.initial;
	}
	KUNIT_EXPECT_EQ(test, chunk.left.initial, 0);
	KUNIT_EXPECT_GT(test, chunk.left.trailer, 0);
	mock_pf_set_media(&b->pf, 0, 0, "x", 1);
	KUNIT_EXPECT_EQ(test, lmf_vf_save_query(vf, session, &left), 0);
	KUNIT_EXPECT_EQ(test, left.dirty,
			sizeof(struct lmf_seg) + LMF_MEDIA_GRANULE);
	lmf_vf_save_end(vf, session);
	lmf_vf_save_end(vf, session);
	KUNIT_EXPECT_EQ(test, lmf_vf_save_query(vf, session, &left),
			-ECANCELED);
	lmf_buf_put(buf);
}

static void core_test_save_refuses(struct kunit *test)
{
	struct core_bed *b = test->priv;
	struct lmf_vf *vf = b->vf[0].handle;
	u64 session = core_save_begin(b, 0), second;
	struct lmf_buf *buf = core_buf(b, 0), *small;
	struct lmf_chunk chunk;

	small = lmf_buf_alloc(vf, FW_CHUNK_MIN - 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, small);
	KUNIT_EXPECT_EQ(test, core_save_read(b, 0, session, small, false,
					     &chunk), -EINVAL);
	KUNIT_EXPECT_EQ(test, core_save_read(b, 0, session, buf, true, &chunk),
			-EBUSY);
	KUNIT_EXPECT_EQ(test, lmf_vf_save_begin(vf, &second), -EBUSY);
	KUNIT_EXPECT_EQ(test, core_save_read(b, 0, session + 1, buf, false,
					     &chunk), -ECANCELED);
	KUNIT_EXPECT_EQ(test, core_save_read(b, 0, session, buf, false,
					     &chunk), 0);
	lmf_buf_put(small);
	lmf_buf_put(buf);
}

static u64 load_begin(struct core_bed *b)
{
	u64 session = 0;

	KUNIT_EXPECT_EQ(b->test, lmf_vf_quiesce(b->vf[1].handle,
						LMF_STOP_FULL), 0);
	KUNIT_ASSERT_EQ(b->test, lmf_vf_load_begin(b->vf[1].handle, &session),
			0);
	return session;
}

/* points: 18 */
static void core_test_load_refuses(struct kunit *test)
{
	struct core_bed *b = test->priv;
	struct lmf_buf *buf = core_buf(b, 1);
	struct lmf_vf *vf = b->vf[1].handle;
	struct lmf_seg_identity *id;
	struct lmf_chunk chunk;
	u64 load;

	load = load_begin(b);
	KUNIT_EXPECT_EQ(test, load_chunk(b, load, buf, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, load_chunk(b, load, buf, CORE_CHUNK + 1),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, load_chunk(b, load, buf, 64), -EBADMSG);
	KUNIT_EXPECT_EQ(test, lmf_vf_quiesce(vf, LMF_RUN), -EBUSY);
	lmf_vf_load_abort(vf, load);
	load = load_begin(b);
	KUNIT_EXPECT_EQ(test, lmf_vf_load_commit(vf, load), -ENODATA);
	load = load_begin(b);
	KUNIT_EXPECT_EQ(test, core_save_read(b, 0, core_save_begin(b, 0), buf,
					     false, &chunk), 0);
	id = buf->vaddr + sizeof(struct lmf_seg);
	id->media_bytes = cpu_to_le64(2 * CORE_MEDIA);
	KUNIT_EXPECT_EQ(test, load_chunk(b, load, buf, chunk.bytes),
			-EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, lmf_vf_load_commit(vf, load), -EOPNOTSUPP);
	lmf_buf_put(buf);
}

/* The caller is woken, too, and a buffer is used by one command at a time. */
static void core_test_async(struct kunit *test)
{
	struct core_bed *b = test->priv;
	u64 session = core_save_begin(b, 0);
	struct lmf_buf *buf = core_buf(b, 0);
	DECLARE_WAIT_QUEUE_HEAD_ONSTACK(wq);
	struct lmf_chunk chunk;
	struct lmf_op *op;

	mock_pf_pause(&b->pf, true);
	op = lmf_vf_save_read(b->vf[0].handle, session, buf, false, &wq);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, op);
	KUNIT_EXPECT_FALSE(test, lmf_op_done(op));
	KUNIT_EXPECT_EQ(test, lmf_op_result(op, &chunk), -EINPROGRESS);
	KUNIT_EXPECT_EQ(test, core_save_read(b, 0, session, buf, false,
					     &chunk), -EBUSY);
	mock_pf_pause(&b->pf, false);
	wait_event(wq, lmf_op_done(op));
	KUNIT_EXPECT_EQ(test, lmf_op_wait(op), 0);
	KUNIT_EXPECT_EQ(test, lmf_op_result(op, &chunk), 0);
	KUNIT_EXPECT_EQ(test, chunk.bytes, sizeof(struct lmf_seg) +
					   sizeof(struct lmf_seg_identity));
	lmf_op_put(op);
	lmf_op_put(NULL);
	lmf_buf_put(buf);
}

static void expect_flushed(struct core_bed *b, u64 produced, bool more)
{
	struct lmf_log_flushed flushed = { };

	KUNIT_EXPECT_EQ(b->test, lmf_vf_log_flush(b->vf[0].handle, 0, &flushed),
			0);
	KUNIT_EXPECT_EQ(b->test, flushed.produced, produced);
	KUNIT_EXPECT_EQ(b->test, flushed.more, more);
}

static void guest_writes(struct core_bed *b, size_t page)
{
	KUNIT_ASSERT_EQ(b->test, mock_guest_read(&b->pf, 0, page), 0);
}

static struct lmf_buf *log_on(struct core_bed *b)
{
	struct lmf_buf *ring = core_ring(b, 0);

	KUNIT_ASSERT_EQ(b->test, mock_guest_init(&b->pf, 0), 0);
	KUNIT_ASSERT_EQ(b->test, core_log_start(b, 0, ring), 0);
	return ring;
}

static void core_test_log(struct kunit *test)
{
	struct core_bed *b = test->priv;
	struct lmf_log_flushed flushed;
	struct lmf_log_entry *slots;
	struct lmf_buf *ring;

	KUNIT_EXPECT_EQ(test, lmf_vf_log_flush(b->vf[0].handle, 0, &flushed),
			-EBUSY);
	ring = log_on(b);
	slots = ring->vaddr;
	expect_flushed(b, 0, false);
	guest_writes(b, 3);
	guest_writes(b, 7);
	expect_flushed(b, 2, false);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(slots[0].iova),
			mock_guest_page(0, 3));
	KUNIT_EXPECT_EQ(test, le32_to_cpu(slots[0].granules), 1);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(slots[1].iova),
			mock_guest_page(0, 7));
	lmf_vf_log_consumed(b->vf[0].handle, 2);
	KUNIT_EXPECT_EQ(test, lmf_vf_log_stop(b->vf[0].handle), 0);
	KUNIT_EXPECT_EQ(test, lmf_vf_log_stop(b->vf[0].handle), 0);
	KUNIT_EXPECT_EQ(test, lmf_vf_log_flush(b->vf[0].handle, 0, &flushed),
			-EBUSY);
	lmf_buf_put(ring);
}

/* What the ring has no room for comes when there is some. */
static void core_test_log_full(struct kunit *test)
{
	struct core_bed *b = test->priv;
	struct lmf_buf *ring;
	size_t page;

	core_bed_fault(b, "log-entries=4");
	ring = log_on(b);
	for (page = 0; page < 6; page += 2)
		guest_writes(b, page);
	expect_flushed(b, 3, false);
	for (; page < 12; page += 2)
		guest_writes(b, page);
	expect_flushed(b, 4, true);
	lmf_vf_log_consumed(b->vf[0].handle, 4);
	expect_flushed(b, 6, false);
	lmf_buf_put(ring);
}

static void core_test_log_refuses(struct kunit *test)
{
	struct core_bed *b = test->priv;
	struct lmf_buf *ring = log_on(b), *other = core_ring(b, 0);
	struct lmf_buf *chunk = core_buf(b, 0);

	KUNIT_EXPECT_EQ(test, core_log_start(b, 0, other), -EBUSY);
	KUNIT_EXPECT_EQ(test, core_log_start(b, 0, ring), -EBUSY);
	guest_writes(b, 1);
	expect_flushed(b, 1, false);
	KUNIT_EXPECT_EQ(test, lmf_vf_log_stop(b->vf[0].handle), 0);
	KUNIT_EXPECT_EQ(test, core_log_start(b, 0, chunk), -EINVAL);
	mock_dma_fail(true);
	KUNIT_EXPECT_EQ(test, core_log_start(b, 0, other), -ENOMEM);
	mock_dma_fail(false);
	KUNIT_EXPECT_EQ(test, core_log_start(b, 0, other), 0);
	lmf_buf_put(chunk);
	lmf_buf_put(other);
	lmf_buf_put(ring);
}

/* With the VF its log has gone, and nothing writes the ring any more. */
/* points: 37 */
static void core_test_log_vf_gone(struct kunit *test)
{
	struct core_bed *b = test->priv;
	unsigned int live = core_bed_live(b);

	lmf_buf_put(log_on(b));
	KUNIT_EXPECT_EQ(test, core_bed_live(b), live + 1);
	mock_pf_enable_vf(&b->pf, 0, false);
	KUNIT_EXPECT_EQ(test, lmf_vf_log_stop(b->vf[0].handle), 0);
	KUNIT_EXPECT_EQ(test, core_bed_live(b), live);
}

/* points: 30 */
static void core_test_threshold(struct kunit *test)
{
	struct core_bed *b = test->priv;
	struct core_vf *vf = &b->vf[0];
	struct lmf_buf *ring;
	unsigned int round, i;

	core_bed_fault(b, "log-delay-us=0");
	ring = log_on(b);
	for (round = 1; round < 3; round++) {
		for (i = 0; i < 2 * CORE_THRESHOLD; i++)
			guest_writes(b, 2 * i);
		KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&vf->told,
								  10 * HZ), 0);
		KUNIT_EXPECT_EQ(test, atomic_read(&vf->thresholds), round);
		expect_flushed(b, round * 2 * CORE_THRESHOLD, false);
		lmf_vf_log_consumed(vf->handle, round * 2 * CORE_THRESHOLD);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&b->vf[1].thresholds), 0);
	lmf_buf_put(ring);
}

/* Events were lost: all VFs are told, once and of nothing else. */
static void core_test_events_lost(struct kunit *test)
{
	struct core_bed *b = test->priv;
	unsigned int n;

	core_bed_fault(b, "event-lost");
	for (n = 0; n < CORE_VFS; n++) {
		KUNIT_EXPECT_NE(test,
				wait_for_completion_timeout(&b->vf[n].told,
							    10 * HZ), 0);
		KUNIT_EXPECT_EQ(test, atomic_read(&b->vf[n].losts), 1);
		KUNIT_EXPECT_EQ(test, atomic_read(&b->vf[n].sessions_lost), 0);
		KUNIT_EXPECT_EQ(test, atomic_read(&b->vf[n].thresholds), 0);
	}
	lmf_aeq_poll(b->core);
	KUNIT_EXPECT_EQ(test, atomic_read(&b->vf[0].losts), 1);
}

/* The ring of events goes round, and none is told twice. */
static void core_test_events_wrap(struct kunit *test)
{
	struct core_bed *b = test->priv;
	unsigned int n, rounds = b->core->aeq.entries + 1;

	for (n = 1; n <= rounds; n++) {
		core_bed_fault(b, "event-lost");
		KUNIT_ASSERT_NE(test,
				wait_for_completion_timeout(&b->vf[0].told,
							    10 * HZ), 0);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&b->vf[0].losts), rounds);
}

/* Who goes without ending what he began leaves nothing to the next one. */
static void core_test_put_open(struct kunit *test)
{
	struct core_bed *b = test->priv;
	unsigned int live = core_bed_live(b);
	struct lmf_buf *ring = log_on(b);

	core_save_begin(b, 0);
	lmf_buf_put(ring);
	core_bed_close(b, 0);
	KUNIT_EXPECT_EQ(test, core_bed_live(b), live);
	KUNIT_EXPECT_NULL(test, b->pf.fw->vf[0]->log);
	KUNIT_EXPECT_EQ(test, b->pf.fw->vf[0]->save.session, 0);
	core_bed_open(b, 0);
	core_save_begin(b, 0);
}

static struct kunit_case core_test_cases[] = {
	KUNIT_CASE(core_test_caps),
	KUNIT_CASE(core_test_open),
	KUNIT_CASE(core_test_version),
	KUNIT_CASE(core_test_quiesce),
	KUNIT_CASE(core_test_level),
	KUNIT_CASE(core_test_buffers),
	KUNIT_CASE(core_test_migrate),
	KUNIT_CASE(core_test_left),
	KUNIT_CASE(core_test_left_carry),
	KUNIT_CASE(core_test_save_refuses),
	KUNIT_CASE(core_test_load_refuses),
	KUNIT_CASE(core_test_async),
	KUNIT_CASE(core_test_log),
	KUNIT_CASE(core_test_log_full),
	KUNIT_CASE(core_test_log_refuses),
	KUNIT_CASE(core_test_log_vf_gone),
	KUNIT_CASE(core_test_threshold),
	KUNIT_CASE(core_test_events_lost),
	KUNIT_CASE(core_test_events_wrap),
	KUNIT_CASE(core_test_put_open),
	{}
};

static struct kunit_suite core_test_suite = {
	.name = "lmf-core",
	.init = core_bed_init,
	.exit = core_bed_exit,
	.test_cases = core_test_cases,
};

kunit_test_suite(core_test_suite);
