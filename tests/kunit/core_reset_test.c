// SPDX-License-Identifier: GPL-2.0-only
/*
 * src/core against the reference firmware when it is gone, or reset from
 * outside, at whatever moment. At the end of each test it works as before.
 */
#include <linux/preempt.h>

#include "core_bed.h"

/* The device is gone, and comes back with a reset from outside. */
/* points: 38 */
static void core_reset_test_gone(struct kunit *test)
{
	struct core_bed *b = test->priv;
	u64 session = core_save_begin(b, 0);
	unsigned int live = core_bed_live(b);
	struct lmf_buf *buf = core_buf(b, 0);
	struct lmf_op *op;

	mock_pf_pause(&b->pf, true);
	op = core_submit_read(b, 0, session, buf);
	b->pf.gone = true;
	KUNIT_EXPECT_EQ(test, lmf_op_wait(op), -ENOTCONN);
	KUNIT_EXPECT_EQ(test, lmf_op_result(op, NULL), -ENOTCONN);
	lmf_op_put(op);
	lmf_buf_put(buf);
	KUNIT_EXPECT_EQ(test, lmf_vf_quiesce(b->vf[1].handle, LMF_RUN),
			-ENOTCONN);
	KUNIT_EXPECT_EQ(test, core_bed_live(b), live + 1);
	KUNIT_EXPECT_GE(test, atomic_read(&b->vf[1].losts), 1);
	b->pf.gone = false;
	mock_pf_pause(&b->pf, false);
	core_reset_prepare(b);
	mock_pf_flr(&b->pf, LMF_FW_PF);
	core_reset_done(b);
	KUNIT_EXPECT_EQ(test, core_bed_live(b), live);
	core_expect_works(b, 0);
	core_expect_works(b, 1);
}

/* Between the two halves of a reset from outside nothing is sent. */
/* points: 38 */
static void core_reset_test_session(struct kunit *test)
{
	struct core_bed *b = test->priv;
	u64 session = core_save_begin(b, 0);
	struct lmf_buf *buf = core_buf(b, 0);
	struct lmf_chunk chunk;
	struct lmf_op *op;

	mock_pf_pause(&b->pf, true);
	op = core_submit_read(b, 0, session, buf);
	core_reset_prepare(b);
	KUNIT_EXPECT_EQ(test, lmf_op_wait(op), -ENOTCONN);
	KUNIT_EXPECT_EQ(test, core_save_read(b, 0, session, buf, false,
					     &chunk), -ENOTCONN);
	mock_pf_pause(&b->pf, false);
	KUNIT_EXPECT_EQ(test, atomic_read(&b->vf[0].sessions_lost), 0);
	core_reset_done(b);
	flush_work(&b->core->recover_work);
	KUNIT_EXPECT_EQ(test, atomic_read(&b->vf[0].sessions_lost), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&b->vf[1].sessions_lost), 1);
	KUNIT_EXPECT_EQ(test, core_save_read(b, 0, session, buf, false,
					     &chunk), -ECANCELED);
	lmf_op_put(op);
	lmf_buf_put(buf);
	core_expect_works(b, 0);
}

/* Who wants a VF soon after a reset waits until the queue runs again. */
/* points: 38 */
static void core_reset_test_open(struct kunit *test)
{
	struct core_bed *b = test->priv;

	core_bed_close(b, 1);
	core_reset_prepare(b);
	KUNIT_EXPECT_EQ(test, PTR_ERR(lmf_vf_open(b->core, 1, NULL, NULL)),
			-ENOTCONN);
	mock_pf_flr(&b->pf, LMF_FW_PF);
	mock_pf_late(&b->pf, 100);
	core_reset_done(b);
	core_bed_open(b, 1);
	core_expect_works(b, 0);
	core_bed_close(b, 1);
	core_reset_prepare(b);
	mock_pf_flr(&b->pf, LMF_FW_PF);
	mock_pf_late(&b->pf, 100);
	core_reset_done(b);
	KUNIT_EXPECT_EQ(test, lmf_func_scrub(b->core, 1), 0);
}

/* The recovery is at work, and waits for READY to change for ever. */
static void expect_recovering(struct core_bed *b)
{
	unsigned int before = READ_ONCE(b->pf.accesses);

	KUNIT_EXPECT_TRUE(b->test,
			  wait_until(READ_ONCE(b->pf.accesses) - before > 20,
				     20));
}

/* A reset from outside has the registers, also if we were at them. */
/* points: 38 */
static void core_reset_test_recovery(struct kunit *test)
{
	struct core_bed *b = test->priv;
	unsigned int before;

	mock_pf_late(&b->pf, UINT_MAX);
	spin_lock_irq(&b->core->lock);
	lmf_core_lost_locked(b->core);
	spin_unlock_irq(&b->core->lock);
	expect_recovering(b);
	core_reset_prepare(b);
	before = READ_ONCE(b->pf.accesses);
	flush_work(&b->core->recover_work);
	KUNIT_EXPECT_EQ(test, b->pf.accesses, before);
	mock_pf_flr(&b->pf, LMF_FW_PF);
	mock_pf_late(&b->pf, 0);
	core_reset_done(b);
	flush_work(&b->core->recover_work);
	core_expect_works(b, 0);
	core_expect_works(b, 1);
}

/* A recovery that a whole reset overtook does not go on where it was. */
/* points: 36, 38 */
static void core_reset_test_overtakes(struct kunit *test)
{
	struct core_bed *b = test->priv;
	unsigned int before;

	core_reset_prepare(b);
	mock_pf_flr(&b->pf, LMF_FW_PF);
	mock_pf_late(&b->pf, UINT_MAX);
	core_reset_done(b);
	expect_recovering(b);
	preempt_disable();
	lmf_core_reset_prepare(b->core);
	mock_pf_flr(&b->pf, LMF_FW_PF);
	mock_pf_late(&b->pf, 0);
	before = b->pf.accesses;
	lmf_core_reset_done(b->core);
	preempt_enable();
	flush_work(&b->core->recover_work);
	KUNIT_EXPECT_LT(test, b->pf.accesses - before, 50);
	core_expect_works(b, 0);
	core_expect_works(b, 1);
}

static struct kunit_case core_reset_test_cases[] = {
	KUNIT_CASE(core_reset_test_gone),
	KUNIT_CASE(core_reset_test_session),
	KUNIT_CASE(core_reset_test_open),
	KUNIT_CASE(core_reset_test_recovery),
	KUNIT_CASE(core_reset_test_overtakes),
	{}
};

static struct kunit_suite core_reset_test_suite = {
	.name = "lmf-core-reset",
	.init = core_bed_init,
	.exit = core_bed_exit,
	.test_cases = core_reset_test_cases,
};

kunit_test_suite(core_reset_test_suite);
