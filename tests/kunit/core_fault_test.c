// SPDX-License-Identifier: GPL-2.0-only
/*
 * src/core against the reference firmware when it is late, silent or wrong.
 * What the device may still write stays allocated, whoever has given up on it;
 * core_bed_exit() sees to it that it never reached for anything else.
 */
#include "core_bed.h"
#include "sweep_alloc.h"

#include <linux/kthread.h>

/* A read that will not be answered in time; its caller has left. */
static void abandon_read(struct core_bed *b, u64 session)
{
	struct lmf_buf *buf = core_buf(b, 0);
	struct lmf_op *op;

	mock_set_timeout(CORE_SHORT_MS);
	op = core_submit_read(b, 0, session, buf);
	KUNIT_EXPECT_EQ(b->test, lmf_op_wait(op), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(b->test, lmf_op_result(op, NULL), -ETIMEDOUT);
	mock_set_timeout(CORE_PATIENT_MS);
	lmf_op_put(op);
	lmf_buf_put(buf);
}

/* The device fills the buffer long after the command was given up. */
static void core_fault_test_late(struct kunit *test)
{
	struct core_bed *b = test->priv;
	u64 session = core_save_begin(b, 0);
	unsigned int live = core_bed_live(b);

	mock_pf_pause(&b->pf, true);
	abandon_read(b, session);
	KUNIT_EXPECT_EQ(test, core_bed_live(b), live + 1);
	KUNIT_EXPECT_EQ(test, b->core->aq.nstuck, 1);
	mock_pf_pause(&b->pf, false);
	KUNIT_EXPECT_TRUE(test, wait_until(core_bed_live(b) == live, 20));
	KUNIT_EXPECT_EQ(test, b->core->aq.nused, 0);
	KUNIT_EXPECT_EQ(test, b->core->aq.nstuck, 0);
	KUNIT_EXPECT_EQ(test, b->core->aq.stray, 0);
	lmf_vf_save_end(b->vf[0].handle, session);
	core_expect_works(b, 0);
}

/* The completion never comes: only a reset that is over frees the buffer. */
static void core_fault_test_dropped(struct kunit *test)
{
	struct core_bed *b = test->priv;
	u64 session = core_save_begin(b, 0);
	unsigned int live = core_bed_live(b);

	core_bed_fault(b, "admin-drop=0x0121:1");
	abandon_read(b, session);
	core_expect_works(b, 1);
	KUNIT_EXPECT_EQ(test, core_bed_live(b), live + 1);
	core_reset_prepare(b);
	KUNIT_EXPECT_EQ(test, core_bed_live(b), live + 1);
	mock_pf_flr(&b->pf, LMF_FW_PF);
	core_reset_done(b);
	KUNIT_EXPECT_EQ(test, core_bed_live(b), live);
	core_expect_works(b, 0);
}

/* A late completion is that of its own command, whatever came after it. */
static void core_fault_test_late_order(struct kunit *test)
{
	struct core_bed *b = test->priv;
	u64 session = core_save_begin(b, 0);
	unsigned int live = core_bed_live(b);
	struct lmf_buf *buf = core_buf(b, 0);
	struct lmf_chunk chunk;
	struct lmf_op *op;

	core_bed_fault(b, "admin-drop=0x0121:1");
	abandon_read(b, session);
	core_bed_fault(b, "admin-drop=0x0121:1");
	op = core_submit_read(b, 0, session, buf);
	KUNIT_EXPECT_EQ(test, lmf_vf_quiesce(b->vf[0].handle, LMF_RUN), 0);
	KUNIT_EXPECT_FALSE(test, lmf_op_done(op));
	core_bed_fault(b, "admin-release");
	KUNIT_EXPECT_EQ(test, lmf_op_wait(op), 0);
	KUNIT_EXPECT_EQ(test, lmf_op_result(op, &chunk), 0);
	/* The identity was in the first one. */
	KUNIT_EXPECT_EQ(test, chunk.bytes, 0);
	KUNIT_EXPECT_TRUE(test, chunk.empty);
	lmf_op_put(op);
	lmf_buf_put(buf);
	KUNIT_EXPECT_EQ(test, core_bed_live(b), live);
	KUNIT_EXPECT_EQ(test, b->core->aq.stray, 0);
}

static void edit_tag(struct mock_pf *pf, struct lmf_admin_cqe *cqe)
{
	cqe->tag = cpu_to_le32(*(u32 *)pf->edit_ctx);
}

/* The tag of a command that completed before, in the same slot, is no match. */
static void core_fault_test_stale_tag(struct kunit *test)
{
	struct core_bed *b = test->priv;
	struct lmf_vf *vf = b->vf[0].handle;
	u32 stale;

	KUNIT_EXPECT_EQ(test, lmf_vf_quiesce(vf, LMF_RUN), 0);
	KUNIT_ASSERT_LE(test, b->pf.ntags, MOCK_PF_TAGS);
	stale = b->pf.tags[b->pf.ntags - 1];
	mock_pf_edit(&b->pf, edit_tag, &stale);
	mock_set_timeout(CORE_SHORT_MS);
	KUNIT_EXPECT_EQ(test, lmf_vf_quiesce(vf, LMF_RUN), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, b->core->aq.stray, 1);
	stale = U32_MAX;
	KUNIT_EXPECT_EQ(test, lmf_vf_quiesce(vf, LMF_RUN), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, b->core->aq.stray, 2);
	mock_pf_edit(&b->pf, NULL, NULL);
	mock_set_timeout(CORE_PATIENT_MS);
	KUNIT_EXPECT_EQ(test, lmf_vf_quiesce(vf, LMF_RUN), 0);
}

static void edit_status(struct mock_pf *pf, struct lmf_admin_cqe *cqe)
{
	cqe->status = cpu_to_le16(0x7777);
}

static void edit_bytes(struct mock_pf *pf, struct lmf_admin_cqe *cqe)
{
	cqe->bytes = cpu_to_le32(CORE_CHUNK + 1);
}

static void edit_initial(struct mock_pf *pf, struct lmf_admin_cqe *cqe)
{
	cqe->value[0] = cpu_to_le64(U64_MAX);
}

static void edit_dirty(struct mock_pf *pf, struct lmf_admin_cqe *cqe)
{
	cqe->value[1] = cpu_to_le64(fw_state_max(pf->fw) + 1);
}

static void edit_trailer(struct mock_pf *pf, struct lmf_admin_cqe *cqe)
{
	cqe->value[2] = cpu_to_le64(BIT_ULL(63));
}

/* What cannot be is no answer. */
/* points: 6 */
static void core_fault_test_nonsense(struct kunit *test)
{
	static void (* const edits[])(struct mock_pf *pf,
				      struct lmf_admin_cqe *cqe) = {
		edit_status, edit_bytes, edit_initial, edit_dirty, edit_trailer,
	};
	struct core_bed *b = test->priv;
	u64 session = core_save_begin(b, 0);
	struct lmf_buf *buf = core_buf(b, 0);
	struct lmf_chunk chunk;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(edits); i++) {
		mock_pf_edit(&b->pf, edits[i], NULL);
		KUNIT_EXPECT_EQ_MSG(test, core_save_read(b, 0, session, buf,
							 false, &chunk), -EIO,
				    "edit %u", i);
	}
	mock_pf_edit(&b->pf, NULL, NULL);
	KUNIT_EXPECT_EQ(test, core_save_read(b, 0, session, buf, false,
					     &chunk), 0);
	lmf_buf_put(buf);
}

static void core_fault_test_nonsense_query(struct kunit *test)
{
	struct core_bed *b = test->priv;
	struct lmf_save_left left;

	mock_pf_edit(&b->pf, edit_initial, NULL);
	KUNIT_EXPECT_EQ(test, lmf_vf_save_query(b->vf[0].handle, 0, &left),
			-EIO);
	mock_pf_edit(&b->pf, edit_status, NULL);
	KUNIT_EXPECT_EQ(test, lmf_vf_quiesce(b->vf[0].handle, LMF_RUN), -EIO);
}

static void edit_zero(struct mock_pf *pf, struct lmf_admin_cqe *cqe)
{
	memset(cqe->value, 0, sizeof(cqe->value));
	cqe->bytes = 0;
}

static void core_fault_test_nonsense_begin(struct kunit *test)
{
	struct core_bed *b = test->priv;
	u64 session;

	mock_pf_edit(&b->pf, edit_zero, NULL);
	KUNIT_EXPECT_EQ(test, lmf_vf_save_begin(b->vf[0].handle, &session),
			-EIO);
	core_bed_close(b, 1);
	KUNIT_EXPECT_EQ(test, PTR_ERR(lmf_vf_open(b->core, 1, NULL, NULL)),
			-EIO);
	mock_pf_edit(&b->pf, NULL, NULL);
	core_bed_open(b, 1);
	core_expect_works(b, 1);
	core_expect_works(b, 0);
}

/* The device has a session that nobody was told the name of. */
static void core_fault_test_orphan(struct kunit *test)
{
	struct core_bed *b = test->priv;
	struct lmf_vf *vf = b->vf[0].handle;
	u64 session, second;

	mock_pf_edit(&b->pf, edit_zero, NULL);
	KUNIT_EXPECT_EQ(test, lmf_vf_save_begin(vf, &session), -EIO);
	mock_pf_edit(&b->pf, NULL, NULL);
	KUNIT_EXPECT_EQ(test, lmf_vf_save_begin(vf, &session), 0);
	KUNIT_EXPECT_EQ(test, b->pf.fw->vf[0]->save.session, session);
	/* One that is in use stays. */
	KUNIT_EXPECT_EQ(test, lmf_vf_save_begin(vf, &second), -EBUSY);
	KUNIT_EXPECT_EQ(test, b->pf.fw->vf[0]->save.session, session);
	lmf_vf_save_end(vf, session);
	KUNIT_EXPECT_EQ(test, lmf_vf_quiesce(vf, LMF_STOP_FULL), 0);
	mock_pf_edit(&b->pf, edit_zero, NULL);
	KUNIT_EXPECT_EQ(test, lmf_vf_load_begin(vf, &session), -EIO);
	mock_pf_edit(&b->pf, NULL, NULL);
	KUNIT_EXPECT_EQ(test, lmf_vf_load_begin(vf, &session), 0);
	KUNIT_EXPECT_EQ(test, b->pf.fw->vf[0]->load->session, session);
}

/* All but the tag is random: an error, and nothing worse. */
static void core_fault_test_garbage(struct kunit *test)
{
	struct core_bed *b = test->priv;
	u64 session = core_save_begin(b, 0);
	struct lmf_buf *buf = core_buf(b, 0);
	struct lmf_chunk chunk;
	unsigned int i;

	for (i = 0; i < 100; i++) {
		core_bed_fault(b, "admin-corrupt=0x0121:1");
		KUNIT_EXPECT_EQ(test, core_save_read(b, 0, session, buf, false,
						     &chunk), -EIO);
	}
	lmf_buf_put(buf);
}

/* Every status that a command may fail with has its errno. */
static void core_fault_test_errnos(struct kunit *test)
{
	static const int errnos[] = {
		[LMF_ST_OPCODE] = -EOPNOTSUPP, [LMF_ST_FIELD] = -EINVAL,
		[LMF_ST_VF] = -ENODEV, [LMF_ST_STATE] = -EBUSY,
		[LMF_ST_SESSION] = -ECANCELED, [LMF_ST_RESOURCES] = -ENOMEM,
		[LMF_ST_DMA] = -EIO, [LMF_ST_MISMATCH] = -EOPNOTSUPP,
		[LMF_ST_CORRUPT] = -EBADMSG, [LMF_ST_INCOMPLETE] = -ENODATA,
		[LMF_ST_ABORTED] = -ECANCELED, [LMF_ST_INTERNAL] = -EIO,
	};
	struct core_bed *b = test->priv;
	unsigned int status;
	char spec[32];

	for (status = 1; status < ARRAY_SIZE(errnos); status++) {
		snprintf(spec, sizeof(spec), "admin-fail=0x0110:1:%u", status);
		core_bed_fault(b, spec);
		KUNIT_EXPECT_EQ(test, lmf_vf_quiesce(b->vf[0].handle, LMF_RUN),
				errnos[status]);
	}
}

/* A VF reset ends the session, also for a chunk that was asked for before. */
/* points: 37 */
static void core_fault_test_vf_reset(struct kunit *test)
{
	struct core_bed *b = test->priv;
	u64 session = core_save_begin(b, 0);
	struct lmf_buf *buf = core_buf(b, 0);
	struct lmf_chunk chunk;
	struct lmf_op *op;

	mock_pf_pause(&b->pf, true);
	op = core_submit_read(b, 0, session, buf);
	mock_pf_flr(&b->pf, 0);
	mock_pf_pause(&b->pf, false);
	KUNIT_EXPECT_EQ(test, lmf_op_wait(op), 0);
	KUNIT_EXPECT_EQ(test, lmf_op_result(op, &chunk), -ECANCELED);
	KUNIT_EXPECT_EQ(test, core_save_read(b, 0, session, buf, false,
					     &chunk), -ECANCELED);
	lmf_op_put(op);
	lmf_buf_put(buf);
	core_expect_works(b, 0);
}

static struct lmf_op *flood(struct core_bed *b, struct lmf_op **ops,
			    struct lmf_buf **bufs, u64 session)
{
	unsigned int i;

	for (i = 0; i < LMF_VF_INFLIGHT; i++) {
		bufs[i] = core_buf(b, 0);
		ops[i] = core_submit_read(b, 0, session, bufs[i]);
	}
	return ops[i - 1];
}

static void unflood(struct lmf_op **ops, struct lmf_buf **bufs)
{
	unsigned int i;

	for (i = 0; i < LMF_VF_INFLIGHT; i++) {
		lmf_op_put(ops[i]);
		lmf_buf_put(bufs[i]);
	}
}

/* A VF that cannot be spoken to any more costs a restart of the queue. */
static void core_fault_test_stuck(struct kunit *test)
{
	struct core_bed *b = test->priv;
	struct lmf_buf *bufs[LMF_VF_INFLIGHT];
	struct lmf_op *ops[LMF_VF_INFLIGHT], *last;
	u64 session = core_save_begin(b, 0);
	unsigned int live = core_bed_live(b);

	mock_pf_pause(&b->pf, true);
	mock_set_timeout(CORE_SHORT_MS);
	last = flood(b, ops, bufs, session);
	KUNIT_EXPECT_EQ(test, lmf_op_wait(last), -ETIMEDOUT);
	unflood(ops, bufs);
	KUNIT_EXPECT_TRUE(test, wait_until(atomic_read(&b->vf[1].losts) == 1,
					   20));
	KUNIT_EXPECT_EQ(test, atomic_read(&b->vf[0].losts), 1);
	mock_set_timeout(CORE_PATIENT_MS);
	mock_pf_pause(&b->pf, false);
	KUNIT_EXPECT_EQ(test, core_bed_live(b), live);
	KUNIT_EXPECT_TRUE(test, lmf_core_is_up(b->core));
	core_expect_works(b, 0);
	core_expect_works(b, 1);
}

static unsigned int order_of(struct core_bed *b, unsigned int from,
			     const struct lmf_op *op)
{
	unsigned int i;

	for (i = from; i < min(b->pf.ntags, MOCK_PF_TAGS); i++)
		if (b->pf.tags[i] == le32_to_cpu(op->cmd.tag))
			return i - from;
	return UINT_MAX;
}

/* A VF that asks for all that it may neither shuts out nor delays another. */
/* points: 39 */
static void core_fault_test_fair(struct kunit *test)
{
	struct core_bed *b = test->priv;
	struct lmf_buf *bufs[LMF_VF_INFLIGHT], *buf = core_buf(b, 1);
	struct lmf_op *ops[LMF_VF_INFLIGHT], *last, *other;
	u64 session = core_save_begin(b, 0), second = core_save_begin(b, 1);
	unsigned int from = b->pf.ntags;

	mock_pf_pause(&b->pf, true);
	last = flood(b, ops, bufs, session);
	mock_set_timeout(CORE_SHORT_MS);
	KUNIT_EXPECT_EQ(test, lmf_vf_quiesce(b->vf[0].handle, LMF_RUN),
			-ETIMEDOUT);
	mock_set_timeout(CORE_PATIENT_MS);
	/* It was never sent. */
	KUNIT_EXPECT_EQ(test, b->core->funcs[0].inflight, b->core->aq.quota);
	other = core_submit_read(b, 1, second, buf);
	mock_pf_pause(&b->pf, false);
	KUNIT_EXPECT_EQ(test, lmf_op_wait(other), 0);
	KUNIT_EXPECT_EQ(test, lmf_op_wait(last), 0);
	KUNIT_EXPECT_LE(test, order_of(b, from, other), 2);
	KUNIT_EXPECT_EQ(test, order_of(b, from, last), LMF_VF_INFLIGHT);
	unflood(ops, bufs);
	lmf_op_put(other);
	lmf_buf_put(buf);
}

static int flush_second(void *data)
{
	struct core_bed *b = data;
	struct lmf_log_flushed flushed;
	int ret = lmf_vf_log_flush(b->vf[1].handle, 0, &flushed);

	while (!kthread_should_stop())
		usleep_range(500, 1000);
	return ret;
}

/* The first command that is none of @ops. */
static unsigned int order_of_else(struct core_bed *b, unsigned int from,
				  struct lmf_op **ops)
{
	unsigned int i, n;

	for (i = from; i < min(b->pf.ntags, MOCK_PF_TAGS); i++) {
		for (n = 0; n < LMF_VF_INFLIGHT; n++)
			if (b->pf.tags[i] == le32_to_cpu(ops[n]->cmd.tag))
				break;
		if (n == LMF_VF_INFLIGHT)
			return i - from;
	}
	return UINT_MAX;
}

/* Nor is its report late, which must flush its log. */
/* points: 39 */
static void core_fault_test_fair_report(struct kunit *test)
{
	struct core_bed *b = test->priv;
	struct lmf_buf *bufs[LMF_VF_INFLIGHT], *ring = core_ring(b, 1);
	struct lmf_op *ops[LMF_VF_INFLIGHT], *last;
	u64 session = core_save_begin(b, 0);
	struct task_struct *task;
	unsigned int from;

	KUNIT_ASSERT_EQ(test, mock_guest_init(&b->pf, 1), 0);
	KUNIT_ASSERT_EQ(test, core_log_start(b, 1, ring), 0);
	from = b->pf.ntags;
	mock_pf_pause(&b->pf, true);
	last = flood(b, ops, bufs, session);
	task = kthread_run(flush_second, b, "lmf-flush");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	KUNIT_EXPECT_TRUE(test, wait_until(b->core->funcs[1].inflight, 20));
	mock_pf_pause(&b->pf, false);
	KUNIT_EXPECT_EQ(test, kthread_stop(task), 0);
	KUNIT_EXPECT_EQ(test, lmf_op_wait(last), 0);
	KUNIT_EXPECT_LE(test, order_of_else(b, from, ops), 2);
	unflood(ops, bufs);
	KUNIT_EXPECT_EQ(test, lmf_vf_log_stop(b->vf[1].handle), 0);
	lmf_buf_put(ring);
}

/* An interrupt that got lost costs time, not the command. */
static void core_fault_test_lost_irq(struct kunit *test)
{
	struct core_bed *b = test->priv;

	b->pf.no_admin_irq = true;
	KUNIT_EXPECT_EQ(test, lmf_vf_quiesce(b->vf[0].handle,
					     LMF_STOP_INITIATOR), 0);
	b->pf.no_admin_irq = false;
	KUNIT_EXPECT_EQ(test, b->pf.fw->vf[0]->level, LMF_QUIESCE_INITIATOR);
}

/* Late and in any order. */
static void core_fault_test_reorder(struct kunit *test)
{
	struct core_bed *b = test->priv;
	struct lmf_buf *bufs[LMF_VF_INFLIGHT];
	struct lmf_op *ops[LMF_VF_INFLIGHT];
	unsigned int i, round;
	u64 session;

	core_bed_fault(b, "admin-reorder=1");
	session = core_save_begin(b, 0);
	for (round = 0; round < 10; round++) {
		flood(b, ops, bufs, session);
		for (i = 0; i < LMF_VF_INFLIGHT; i++) {
			KUNIT_EXPECT_EQ(test, lmf_op_wait(ops[i]), 0);
			KUNIT_EXPECT_EQ(test, lmf_op_result(ops[i], NULL), 0);
		}
		unflood(ops, bufs);
	}
	KUNIT_EXPECT_EQ(test, b->core->aq.stray, 0);
}

/* A log that could not be stopped keeps its ring, for it is written. */
/* points: 37 */
static void core_fault_test_log_stop(struct kunit *test)
{
	struct core_bed *b = test->priv;
	unsigned int live = core_bed_live(b);
	struct lmf_buf *ring = core_ring(b, 0);

	KUNIT_ASSERT_EQ(test, mock_guest_init(&b->pf, 0), 0);
	core_bed_fault(b, "log-delay-us=0");
	KUNIT_ASSERT_EQ(test, core_log_start(b, 0, ring), 0);
	core_bed_fault(b, "admin-fail=0x0201:1:12");
	KUNIT_EXPECT_EQ(test, lmf_vf_log_stop(b->vf[0].handle), -EIO);
	lmf_buf_put(ring);
	KUNIT_EXPECT_EQ(test, core_bed_live(b), live + 1);
	KUNIT_EXPECT_EQ(test, mock_guest_read(&b->pf, 0, 1), 0);
	KUNIT_EXPECT_TRUE(test, wait_until(b->pf.fw->vf[0]->log->posted == 1,
					   20));
	KUNIT_EXPECT_EQ(test, lmf_vf_log_stop(b->vf[0].handle), 0);
	KUNIT_EXPECT_EQ(test, core_bed_live(b), live);
}

/* A log whose start was given up may run all the same. */
static void core_fault_test_log_start(struct kunit *test)
{
	struct core_bed *b = test->priv;
	unsigned int live = core_bed_live(b);
	struct lmf_buf *ring = core_ring(b, 0), *other = core_ring(b, 0);

	KUNIT_ASSERT_EQ(test, mock_guest_init(&b->pf, 0), 0);
	core_bed_fault(b, "log-delay-us=0");
	core_bed_fault(b, "admin-drop=0x0200:1");
	mock_set_timeout(CORE_SHORT_MS);
	KUNIT_EXPECT_EQ(test, core_log_start(b, 0, ring), -ETIMEDOUT);
	mock_set_timeout(CORE_PATIENT_MS);
	lmf_buf_put(ring);
	KUNIT_EXPECT_EQ(test, mock_guest_read(&b->pf, 0, 1), 0);
	KUNIT_EXPECT_TRUE(test, wait_until(b->pf.fw->vf[0]->log->posted == 1,
					   20));
	KUNIT_EXPECT_EQ(test, core_log_start(b, 0, other), 0);
	core_bed_fault(b, "admin-release");
	KUNIT_EXPECT_TRUE(test, wait_until(core_bed_live(b) == live + 1, 20));
	KUNIT_EXPECT_EQ(test, lmf_vf_log_stop(b->vf[0].handle), 0);
	lmf_buf_put(other);
	KUNIT_EXPECT_EQ(test, core_bed_live(b), live);
}

/* A session whose begin was given up is ended before the next one. */
static void core_fault_test_begin(struct kunit *test)
{
	struct core_bed *b = test->priv;
	u64 session;

	core_bed_fault(b, "admin-drop=0x0120:1");
	mock_set_timeout(CORE_SHORT_MS);
	KUNIT_EXPECT_EQ(test, lmf_vf_save_begin(b->vf[0].handle, &session),
			-ETIMEDOUT);
	mock_set_timeout(CORE_PATIENT_MS);
	core_bed_fault(b, "admin-release");
	KUNIT_EXPECT_TRUE(test, wait_until(!READ_ONCE(b->core->aq.nused), 20));
	core_expect_works(b, 0);
}

/* What stops a VF, gives its state and reports its log takes no memory. */
static void core_fault_test_no_memory(struct kunit *test)
{
	struct core_bed *b = test->priv;
	struct lmf_buf *bufs[LMF_VF_INFLIGHT], *buf = core_buf(b, 0);
	struct lmf_op *ops[LMF_VF_INFLIGHT], *last;
	struct lmf_buf *ring = core_ring(b, 0);
	struct lmf_vf *vf = b->vf[0].handle;
	struct lmf_log_flushed flushed;
	struct lmf_save_left left;
	struct lmf_chunk chunk = { };
	u64 session = core_save_begin(b, 0);
	int err;

	KUNIT_ASSERT_EQ(test, mock_guest_init(&b->pf, 0), 0);
	KUNIT_ASSERT_EQ(test, core_log_start(b, 0, ring), 0);
	last = flood(b, ops, bufs, session);
	KUNIT_EXPECT_EQ(test, lmf_op_wait(last), 0);
	sweep_alloc_arm(1);
	KUNIT_EXPECT_EQ(test, lmf_vf_quiesce(vf, LMF_STOP_FULL), 0);
	do {
		err = core_save_read(b, 0, session, buf, true, &chunk);
	} while (!err && !chunk.ended);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, lmf_vf_save_query(vf, session, &left), 0);
	KUNIT_EXPECT_EQ(test, lmf_vf_log_flush(vf, 0, &flushed), 0);
	KUNIT_EXPECT_EQ(test, lmf_vf_log_stop(vf), 0);
	lmf_vf_save_end(vf, session);
	KUNIT_EXPECT_EQ(test, b->pf.fw->vf[0]->save.session, 0);
	KUNIT_EXPECT_FALSE(test, sweep_alloc_struck());
	sweep_alloc_arm(0);
	unflood(ops, bufs);
	lmf_buf_put(ring);
	lmf_buf_put(buf);
}

/* There is room for so many operations, held or on the device, of each VF. */
static void core_fault_test_no_room(struct kunit *test)
{
	struct core_bed *b = test->priv;
	struct lmf_buf *buf = core_buf(b, 0);
	struct lmf_op *ops[LMF_VF_OPS];
	u64 session = core_save_begin(b, 0);
	unsigned int i;

	for (i = 0; i < LMF_VF_OPS; i++) {
		ops[i] = core_submit_read(b, 0, session, buf);
		KUNIT_EXPECT_EQ(test, lmf_op_wait(ops[i]), 0);
	}
	KUNIT_EXPECT_EQ(test, lmf_vf_quiesce(b->vf[0].handle, LMF_RUN),
			-ENOMEM);
	KUNIT_EXPECT_EQ(test, lmf_vf_quiesce(b->vf[1].handle, LMF_RUN), 0);
	lmf_op_put(ops[--i]);
	KUNIT_EXPECT_EQ(test, lmf_vf_quiesce(b->vf[0].handle, LMF_RUN), 0);
	while (i--)
		lmf_op_put(ops[i]);
	lmf_buf_put(buf);
}

static struct kunit_case core_fault_test_cases[] = {
	KUNIT_CASE(core_fault_test_late),
	KUNIT_CASE(core_fault_test_dropped),
	KUNIT_CASE(core_fault_test_late_order),
	KUNIT_CASE(core_fault_test_stale_tag),
	KUNIT_CASE(core_fault_test_nonsense),
	KUNIT_CASE(core_fault_test_nonsense_query),
	KUNIT_CASE(core_fault_test_nonsense_begin),
	KUNIT_CASE(core_fault_test_orphan),
	KUNIT_CASE(core_fault_test_garbage),
	KUNIT_CASE(core_fault_test_errnos),
	KUNIT_CASE(core_fault_test_vf_reset),
	KUNIT_CASE(core_fault_test_stuck),
	KUNIT_CASE(core_fault_test_fair),
	KUNIT_CASE(core_fault_test_fair_report),
	KUNIT_CASE(core_fault_test_lost_irq),
	KUNIT_CASE(core_fault_test_reorder),
	KUNIT_CASE(core_fault_test_log_stop),
	KUNIT_CASE(core_fault_test_log_start),
	KUNIT_CASE(core_fault_test_begin),
	KUNIT_CASE(core_fault_test_no_memory),
	KUNIT_CASE(core_fault_test_no_room),
	{}
};

static struct kunit_suite core_fault_test_suite = {
	.name = "lmf-core-fault",
	.init = core_bed_init,
	.exit = core_bed_exit,
	.test_cases = core_fault_test_cases,
};

kunit_test_suite(core_fault_test_suite);
