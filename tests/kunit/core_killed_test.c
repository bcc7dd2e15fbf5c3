// SPDX-License-Identifier: GPL-2.0-only
/*
 * src/core when a task is killed that waits for room in the queue, or for the
 * answer to a command that was posted.
 */
#include <linux/kthread.h>
#include <linux/sched/signal.h>

#include "core_bed.h"

static int killed_thread(void *data)
{
	struct core_bed *b = data;
	int err;

	allow_signal(SIGKILL);
	allow_signal(SIGUSR1);
	send_sig(SIGUSR1, current, 1);
	err = lmf_vf_quiesce(b->vf[0].handle, LMF_STOP_FULL);
	while (!kthread_should_stop())
		usleep_range(500, 1000);
	return err;
}

static struct task_struct *killed_start(struct core_bed *b)
{
	struct task_struct *task = kthread_run(killed_thread, b, "lmf-killed");

	KUNIT_ASSERT_NOT_ERR_OR_NULL(b->test, task);
	return task;
}

static void killed_end(struct core_bed *b, struct task_struct *task)
{
	send_sig(SIGKILL, task, 1);
	KUNIT_EXPECT_EQ(b->test, kthread_stop(task), -EINTR);
}

/* What it asked for is not carried out, and those before it are. */
static void core_killed_test_room(struct kunit *test)
{
	struct core_bed *b = test->priv;
	struct lmf_buf *bufs[LMF_VF_INFLIGHT];
	struct lmf_op *ops[LMF_VF_INFLIGHT];
	u64 session = core_save_begin(b, 0);
	struct task_struct *task;
	unsigned int i;

	mock_pf_pause(&b->pf, true);
	for (i = 0; i < LMF_VF_INFLIGHT; i++) {
		bufs[i] = core_buf(b, 0);
		ops[i] = core_submit_read(b, 0, session, bufs[i]);
	}
	task = killed_start(b);
	KUNIT_EXPECT_TRUE(test,
			  wait_until(wq_has_sleeper(&b->core->aq.slot_wq), 20));
	killed_end(b, task);
	mock_pf_pause(&b->pf, false);
	for (i = 0; i < LMF_VF_INFLIGHT; i++) {
		KUNIT_EXPECT_EQ(test, lmf_op_wait(ops[i]), 0);
		lmf_op_put(ops[i]);
		lmf_buf_put(bufs[i]);
	}
	KUNIT_EXPECT_EQ(test, b->pf.fw->vf[0]->level, LMF_QUIESCE_RUN);
}

/* Who is killed waits no longer; his command is carried out. */
/* points: 12 */
static void core_killed_test_answer(struct kunit *test)
{
	struct core_bed *b = test->priv;
	struct task_struct *task;

	mock_pf_pause(&b->pf, true);
	task = killed_start(b);
	KUNIT_EXPECT_TRUE(test, wait_until(READ_ONCE(b->core->aq.nused), 20));
	killed_end(b, task);
	KUNIT_EXPECT_EQ(test, b->core->aq.nused, 1);
	mock_pf_pause(&b->pf, false);
	KUNIT_EXPECT_TRUE(test, wait_until(!READ_ONCE(b->core->aq.nused), 20));
	KUNIT_EXPECT_EQ(test, b->pf.fw->vf[0]->level, LMF_QUIESCE_FULL);
}

/* A signal that does not kill is nobody's concern. */
static void core_killed_test_other(struct kunit *test)
{
	struct core_bed *b = test->priv;
	struct task_struct *task;

	mock_pf_pause(&b->pf, true);
	task = killed_start(b);
	KUNIT_EXPECT_TRUE(test, wait_until(READ_ONCE(b->core->aq.nused), 20));
	mock_pf_pause(&b->pf, false);
	KUNIT_EXPECT_EQ(test, kthread_stop(task), 0);
}

static struct kunit_case core_killed_test_cases[] = {
	KUNIT_CASE(core_killed_test_room),
	KUNIT_CASE(core_killed_test_answer),
	KUNIT_CASE(core_killed_test_other),
	{}
};

static struct kunit_suite core_killed_test_suite = {
	.name = "lmf-core-killed",
	.init = core_bed_init,
	.exit = core_bed_exit,
	.test_cases = core_killed_test_cases,
};

kunit_test_suite(core_killed_test_suite);
