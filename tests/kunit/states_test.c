// SPDX-License-Identifier: GPL-2.0-only
/*
 * The migration state machine of the VF driver: all arcs, each of them with the
 * device failing on the way. Whatever happens, in the end both VFs run, and no
 * buffer, operation or session is left.
 */
#include <linux/completion.h>
#include <linux/kthread.h>

#include "migration_bed.h"

static bool has_session(u32 state)
{
	return state == STATE(PRE_COPY) || state == STATE(PRE_COPY_P2P) ||
	       state == STATE(STOP_COPY) || state == STATE(RESUMING);
}

/* RESUMING is not left before a state has come. */
static bool may_go(u32 from, u32 to)
{
	if (to == STATE(ERROR) || to >= VFIO_DEVICE_STATE_NR)
		return false;
	if (from == STATE(STOP_COPY))
		return to != STATE(PRE_COPY) && to != STATE(PRE_COPY_P2P);
	return from != STATE(RESUMING) || to == from;
}

static enum lmf_quiesce level_of(u32 state)
{
	if (state == STATE(RUNNING) || state == STATE(PRE_COPY))
		return LMF_RUN;
	if (state == STATE(RUNNING_P2P) || state == STATE(PRE_COPY_P2P))
		return LMF_STOP_INITIATOR;
	return LMF_STOP_FULL;
}

static void try_arc(struct pair *p, u32 from, u32 to)
{
	struct file *f = set_state(p->src, from), *next;

	KUNIT_ASSERT_FALSE(p->test, IS_ERR(f));
	KUNIT_EXPECT_EQ(p->test, !!f, has_session(from));
	KUNIT_EXPECT_EQ(p->test, get_state(p->src), from);
	KUNIT_EXPECT_EQ(p->test, p->src->vf.level, level_of(from));
	next = set_state(p->src, to);
	KUNIT_EXPECT_EQ_MSG(p->test, PTR_ERR_OR_ZERO(next),
			    may_go(from, to) ? 0 : -EINVAL, "%u to %u", from,
			    to);
	KUNIT_EXPECT_EQ_MSG(p->test, get_state(p->src),
			    may_go(from, to) ? to : from, "%u to %u", from, to);
	if (!IS_ERR_OR_NULL(next))
		fput(next);
	reset(p->src);
	KUNIT_EXPECT_EQ(p->test, get_state(p->src), STATE(RUNNING));
	if (!f)
		return;
	KUNIT_EXPECT_EQ(p->test, from == STATE(RESUMING) ?
				 write_some(p, f, 0, 1) : read_some(p, f, 1),
			-ENODEV);
	fput(f);
}

/* points: 1, 2, 3, 36 */
static void states_test_arcs(struct kunit *test)
{
	struct pair *p = test->priv;
	u32 from, to;

	for (from = STATE(STOP); from < VFIO_DEVICE_STATE_NR; from++)
		for (to = 0; to <= VFIO_DEVICE_STATE_NR; to++)
			try_arc(p, from, to);
}

/* The call fails once on the way; the same SET_STATE again gets there. */
static void try_fault(struct pair *p, u32 to, enum mock_call call,
		      unsigned int in)
{
	struct lmf_vf *vf = &p->src->vf;
	struct file *f;

	vf->fault[call] = (struct mock_fault) { .in = in, .err = -EIO };
	f = set_state(p->src, to);
	vf->fault[call].in = 0;
	if (IS_ERR(f)) {
		KUNIT_EXPECT_EQ(p->test, PTR_ERR(f), -EIO);
		KUNIT_EXPECT_NE(p->test, get_state(p->src), to);
		KUNIT_EXPECT_EQ_MSG(p->test, vf->level,
				    level_of(get_state(p->src)),
				    "call %u, the %u. on the way to %u", call,
				    in, to);
		f = set_state(p->src, to);
	}
	KUNIT_EXPECT_EQ(p->test, PTR_ERR_OR_ZERO(f), 0);
	KUNIT_EXPECT_EQ(p->test, get_state(p->src), to);
	if (!IS_ERR_OR_NULL(f))
		fput(f);
	if (to == STATE(RESUMING))
		reset(p->src);
	else
		KUNIT_EXPECT_EQ(p->test, go(p->src, STATE(RUNNING)), 0);
}

/* points: 6 */
static void states_test_faults(struct kunit *test)
{
	static const u32 targets[] = {
		STATE(RUNNING_P2P), STATE(STOP), STATE(STOP_COPY),
		STATE(PRE_COPY), STATE(PRE_COPY_P2P), STATE(RESUMING),
	};
	enum mock_call call;
	unsigned int i, in;

	for (i = 0; i < ARRAY_SIZE(targets); i++)
		for (call = 0; call < MOCK_CALLS; call++)
			for (in = 1; in < 5; in++)
				try_fault(test->priv, targets[i], call, in);
}

/* A device that neither stops nor goes on: only a reset helps. */
/* points: 1, 4 */
static void states_test_error(struct kunit *test)
{
	struct pair *p = test->priv;
	struct file *f = set_state(p->src, STATE(PRE_COPY));
	u32 to;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	p->src->vf.fault[MOCK_QUIESCE] = (struct mock_fault) {
		.in = 1, .more = 1, .err = -EIO,
	};
	KUNIT_EXPECT_EQ(test, go(p->src, STATE(STOP_COPY)), -EIO);
	for (to = 0; to < VFIO_DEVICE_STATE_NR; to++) {
		KUNIT_EXPECT_EQ(test, get_state(p->src), STATE(ERROR));
		KUNIT_EXPECT_EQ(test, go(p->src, to), -EIO);
	}
	KUNIT_EXPECT_EQ(test, get_state(p->src), STATE(ERROR));
	KUNIT_EXPECT_EQ(test, read_some(p, f, 1), -ENODEV);
	fput(f);
	reset(p->src);
	KUNIT_EXPECT_EQ(test, go(p->src, STATE(STOP)), 0);
}

/* What is no word of the device leaves the state, and is made good later. */
static void try_transient(struct pair *p, struct file *f, int err)
{
	struct lmf_vf *vf = &p->src->vf;

	/* There and back, and what is to settle it; not back to a lost PF. */
	vf->fault[MOCK_QUIESCE] = (struct mock_fault) {
		.in = 1, .more = err == -ENOTCONN ? 1 : 2, .err = err,
	};
	KUNIT_EXPECT_EQ(p->test, go(p->src, STATE(STOP_COPY)), err);
	KUNIT_EXPECT_EQ(p->test, get_state(p->src), STATE(PRE_COPY));
	flush_delayed_work(&p->src->dev.settle_work);
	KUNIT_EXPECT_EQ(p->test, vf->fault[MOCK_QUIESCE].in, 0);
	vf->level = LMF_STOP_INITIATOR;
	lmf_migration_lost(&p->src->dev);
	flush_delayed_work(&p->src->dev.settle_work);
	KUNIT_EXPECT_EQ(p->test, get_state(p->src), STATE(PRE_COPY));
	KUNIT_EXPECT_EQ(p->test, vf->level, LMF_RUN);
	KUNIT_EXPECT_GT(p->test, read_some(p, f, 100), 0);
}

/* points: 4, 6 */
static void states_test_transient(struct kunit *test)
{
	struct pair *p = test->priv;
	struct file *f = set_state(p->src, STATE(PRE_COPY));

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	try_transient(p, f, -ENOTCONN);
	try_transient(p, f, -ENOMEM);
	try_transient(p, f, -EINTR);
	KUNIT_EXPECT_EQ(test, go(p->src, STATE(STOP_COPY)), 0);
	KUNIT_EXPECT_EQ(test, read_all(p, f, SZ_16K), 0);
	fput(f);
	resume(p, SZ_16K);
}

/* Nobody comes after a transient error: the VF runs again all the same. */
/* points: 6 */
static void states_test_restored(struct kunit *test)
{
	struct pair *p = test->priv;
	struct lmf_vf *vf = &p->src->vf;

	vf->fault[MOCK_QUIESCE] = (struct mock_fault) {
		.in = 1, .more = 1, .err = -EINTR,
	};
	KUNIT_EXPECT_EQ(test, go(p->src, STATE(RUNNING_P2P)), -EINTR);
	KUNIT_EXPECT_EQ(test, get_state(p->src), STATE(RUNNING));
	flush_delayed_work(&p->src->dev.settle_work);
	KUNIT_EXPECT_EQ(test, vf->level, LMF_RUN);
}

/* Who is killed closes the device all the same; its reset has failed. */
/* points: 12 */
static void states_test_killed(struct kunit *test)
{
	struct pair *p = test->priv;

	KUNIT_EXPECT_EQ(test, go(p->src, STATE(STOP)), 0);
	allow_signal(SIGKILL);
	send_sig(SIGKILL, current, 1);
	lmf_migration_close(&p->src->dev);
	KUNIT_EXPECT_EQ(test, p->src->vf.level, LMF_STOP_FULL);
	lmf_migration_closed(&p->src->dev);
	flush_signals(current);
	disallow_signal(SIGKILL);
	KUNIT_EXPECT_EQ(test, p->src->vf.level, LMF_RUN);
}

static DECLARE_COMPLETION(slow_inside);
static DECLARE_COMPLETION(slow_ends);
static bool slow_left;	/* without having been told to */

static void slow_device(struct lmf_vf *vf)
{
	vf->quiesced = NULL;
	complete(&slow_inside);
	slow_left = !wait_for_completion_timeout(&slow_ends, 2 * HZ);
}

static int slow_thread(void *data)
{
	struct pair *p = data;
	int ret = go(p->src, STATE(STOP));

	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return ret;
}

/*
 * Nor does he wait who is behind another in front of a slow device, and who
 * only asks for the state never does.
 */
/* points: 12 */
static void states_test_killed_behind(struct kunit *test)
{
	struct pair *p = test->priv;
	struct task_struct *task;

	reinit_completion(&slow_inside);
	reinit_completion(&slow_ends);
	p->src->vf.quiesced = slow_device;
	task = kthread_run(slow_thread, p, "lmf-slow");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	wait_for_completion(&slow_inside);
	KUNIT_EXPECT_EQ(test, get_state(p->src), STATE(RUNNING));
	allow_signal(SIGKILL);
	send_sig(SIGKILL, current, 1);
	KUNIT_EXPECT_EQ(test, go(p->src, STATE(RUNNING)), -EINTR);
	flush_signals(current);
	disallow_signal(SIGKILL);
	complete(&slow_ends);
	KUNIT_EXPECT_EQ(test, kthread_stop(task), 0);
	KUNIT_EXPECT_FALSE(test, slow_left);
	KUNIT_EXPECT_EQ(test, get_state(p->src), STATE(STOP));
}

/* What is told meanwhile does not have it run on before it is reset. */
static void states_test_closing(struct kunit *test)
{
	struct pair *p = test->priv;

	KUNIT_EXPECT_EQ(test, go(p->src, STATE(STOP)), 0);
	lmf_migration_close(&p->src->dev);
	lmf_migration_lost(&p->src->dev);
	flush_delayed_work(&p->src->dev.settle_work);
	KUNIT_EXPECT_EQ(test, p->src->vf.level, LMF_STOP_FULL);
	lmf_migration_closed(&p->src->dev);
	KUNIT_EXPECT_EQ(test, p->src->vf.level, LMF_RUN);
}

/* The VF stands, and does not run again when it is told to. */
static void unsettle(struct pair *p, int err, unsigned int more)
{
	struct lmf_vf *vf = &p->src->vf;

	vf->level = LMF_STOP_FULL;
	vf->fault[MOCK_QUIESCE] = (struct mock_fault) {
		.in = 1, .more = more, .err = err,
	};
	vf->quiesces = 1;	/* it is not done */
	lmf_migration_lost(&p->src->dev);
	/* The first run, and the one that it asked for. */
	flush_delayed_work(&p->src->dev.settle_work);
	flush_delayed_work(&p->src->dev.settle_work);
	KUNIT_EXPECT_EQ(p->test, vf->fault[MOCK_QUIESCE].in, 0);
}

/* Nobody asks any more, and the VF stands: it is tried again, or told. */
/* points: 4, 6 */
static void states_test_unsettled(struct kunit *test)
{
	struct pair *p = test->priv;
	struct lmf_vf *vf = &p->src->vf;

	unsettle(p, -ENOMEM, 0);
	KUNIT_EXPECT_EQ(test, vf->level, LMF_RUN);
	KUNIT_EXPECT_EQ(test, get_state(p->src), STATE(RUNNING));

	/* It may only be late. */
	unsettle(p, -ETIMEDOUT, 0);
	KUNIT_EXPECT_EQ(test, vf->level, LMF_RUN);
	KUNIT_EXPECT_EQ(test, get_state(p->src), STATE(RUNNING));
	unsettle(p, -ETIMEDOUT, 1);
	KUNIT_EXPECT_EQ(test, get_state(p->src), STATE(ERROR));
	KUNIT_EXPECT_EQ(test, lmf_stat(&p->src->dev.stats, LMF_STAT_LAST_ERROR),
			-ETIMEDOUT);
	reset(p->src);

	/* A reset is under way that is not told yet, however long it takes. */
	unsettle(p, -ECANCELED, 1);
	KUNIT_EXPECT_EQ(test, get_state(p->src), STATE(RUNNING));
	flush_delayed_work(&p->src->dev.settle_work);
	KUNIT_EXPECT_EQ(test, vf->level, LMF_RUN);
}

static void lose_session(struct lmf_vf *vf)
{
	struct bed *b = container_of(vf, struct bed, vf);

	vf->begun = NULL;
	lmf_migration_sessions_lost(&b->dev);
}

/* Of a session that is not the device's yet the loss of the PF is told, too. */
/* points: 38 */
static void states_test_lost_in_begin(struct kunit *test)
{
	struct pair *p = test->priv;
	struct file *f;

	p->src->vf.begun = lose_session;
	f = set_state(p->src, STATE(PRE_COPY));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	KUNIT_EXPECT_EQ(test, read_some(p, f, 1), -ENOTCONN);
	fput(f);
	KUNIT_EXPECT_EQ(test, go(p->src, STATE(RUNNING)), 0);
}

/* A migration that did not come to be leaves nothing behind. */
/* points: 6 */
static void states_test_spare(struct kunit *test)
{
	struct pair *p = test->priv;
	struct lmf_vf *vf = &p->src->vf;

	vf->fault[MOCK_QUIESCE] = (struct mock_fault) {
		.in = 1, .err = -EBUSY,
	};
	KUNIT_EXPECT_EQ(test, go(p->src, STATE(STOP_COPY)), -EBUSY);
	KUNIT_EXPECT_EQ(test, get_state(p->src), STATE(RUNNING));
	KUNIT_EXPECT_EQ(test, atomic_read(&vf->bufs), 0);
}

/* A reset of the PF's function takes what was loaded with it, told or not. */
/* points: 38 */
static void states_test_load_lost(struct kunit *test)
{
	struct pair *p = test->priv;
	struct file *f;
	int told;

	save_stopped(p);
	for (told = 0; told < 2; told++) {
		f = load(p, SZ_16K);
		mock_vf_reset(&p->dst->vf);
		if (told)
			lmf_migration_lost(&p->dst->dev);
		flush_delayed_work(&p->dst->dev.settle_work);
		KUNIT_EXPECT_EQ(test, p->dst->vf.level,
				told ? LMF_STOP_FULL : LMF_RUN);
		KUNIT_EXPECT_EQ(test, go(p->dst, STATE(STOP)), -EIO);
		KUNIT_EXPECT_EQ(test, get_state(p->dst), STATE(RESUMING));
		KUNIT_EXPECT_EQ(test, go(p->dst, STATE(RUNNING)), -EIO);
		fput(f);
		reset(p->dst);
	}
	resume(p, SZ_16K);
}

static void try_lost(struct pair *p, u32 state, bool gone)
{
	struct file *f = set_state(p->src, state);
	bool fails = gone && level_of(state) != LMF_RUN;

	KUNIT_ASSERT_FALSE(p->test, IS_ERR(f));
	if (gone)
		mock_vf_reset(&p->src->vf);
	lmf_migration_lost(&p->src->dev);
	flush_delayed_work(&p->src->dev.settle_work);
	KUNIT_EXPECT_EQ_MSG(p->test, get_state(p->src),
			    fails ? STATE(ERROR) : state, "in %u", state);
	if (fails)
		KUNIT_EXPECT_EQ(p->test, go(p->src, STATE(STOP_COPY)), -EIO);
	else
		KUNIT_EXPECT_EQ(p->test, p->src->vf.level, level_of(state));
	if (fails && f)
		KUNIT_EXPECT_EQ(p->test, read_some(p, f, 1), -ENODEV);
	if (f)
		fput(f);
	reset(p->src);
	KUNIT_EXPECT_EQ(p->test, get_state(p->src), STATE(RUNNING));
}

/* And what a stopped VF held: an empty one is no state to be saved. */
/* points: 4, 38 */
static void states_test_lost(struct kunit *test)
{
	static const u32 states[] = {
		STATE(RUNNING), STATE(RUNNING_P2P), STATE(STOP),
		STATE(PRE_COPY), STATE(PRE_COPY_P2P), STATE(STOP_COPY),
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		try_lost(test->priv, states[i], false);
		try_lost(test->priv, states[i], true);
	}
}

static void lose_pf(struct lmf_vf *vf)
{
	struct bed *b = container_of(vf, struct bed, vf);

	vf->quiesced = NULL;
	mock_vf_reset(vf);
	lmf_migration_sessions_lost(&b->dev);
}

/* It was there when that was looked at, and gone when it was stopped. */
/* points: 38 */
static void states_test_lost_between(struct kunit *test)
{
	struct pair *p = test->priv;
	struct lmf_vf *vf = &p->src->vf;

	KUNIT_EXPECT_EQ(test, go(p->src, STATE(RUNNING_P2P)), 0);
	vf->quiesced = lose_pf;
	KUNIT_EXPECT_EQ(test, go(p->src, STATE(STOP)), -EIO);
	KUNIT_EXPECT_EQ(test, get_state(p->src), STATE(ERROR));
	reset(p->src);

	/* Nobody asked the device to stop: it is not brought back, either. */
	KUNIT_EXPECT_EQ(test, go(p->src, STATE(RUNNING_P2P)), 0);
	vf->quiesced = lose_pf;
	vf->fault[MOCK_QUIESCE] = (struct mock_fault) {
		.in = 1, .err = -ENOTCONN,
	};
	vf->quiesces = 1;	/* it is not done */
	KUNIT_EXPECT_EQ(test, go(p->src, STATE(STOP)), -ENOTCONN);
	flush_delayed_work(&p->src->dev.settle_work);
	KUNIT_EXPECT_EQ(test, get_state(p->src), STATE(ERROR));
	reset(p->src);

	/* One that ran all the time has lost nothing that we know of. */
	vf->quiesced = lose_pf;
	KUNIT_EXPECT_EQ(test, go(p->src, STATE(RUNNING_P2P)), 0);
	reset(p->src);
}

/* One of its queue alone does not; meanwhile nobody can tell. */
static void states_test_load_kept(struct kunit *test)
{
	struct pair *p = test->priv;
	struct file *f;

	save_stopped(p);
	f = load(p, SZ_16K);
	p->dst->vf.fault[MOCK_LEVEL] = (struct mock_fault) {
		.in = 1, .err = -ENOTCONN,
	};
	KUNIT_EXPECT_EQ(test, go(p->dst, STATE(STOP)), -ENOTCONN);
	KUNIT_EXPECT_EQ(test, get_state(p->dst), STATE(RESUMING));
	lmf_migration_lost(&p->dst->dev);
	flush_delayed_work(&p->dst->dev.settle_work);
	KUNIT_EXPECT_EQ(test, go(p->dst, STATE(RUNNING)), 0);
	fput(f);
	expect_same(p);
}

/*
 * A VMM that gets no size, or one beyond all measure, gives up. It asks again
 * and again, in any state: that begins nothing on the device.
 */
static void states_test_size(struct kunit *test)
{
	struct pair *p = test->priv;
	unsigned long size = data_size(p->src);
	struct file *f;

	p->src->vf.fault[MOCK_SAVE_QUERY] = (struct mock_fault) {
		.in = 1, .err = -EIO,
	};
	KUNIT_EXPECT_GE(test, data_size(p->src), size);
	p->src->vf.fault[MOCK_SAVE_QUERY].in = 1;
	KUNIT_EXPECT_LT(test, data_size(p->src), STREAM_BYTES);
	KUNIT_EXPECT_EQ(test, p->src->vf.sessions, 0);
	f = set_state(p->src, STATE(RESUMING));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	size = data_size(p->src);
	KUNIT_EXPECT_GT(test, size, 0);
	KUNIT_EXPECT_LT(test, size, STREAM_BYTES);
	KUNIT_EXPECT_EQ(test, p->src->vf.sessions, 1);
	fput(f);
}

static struct kunit_case states_test_cases[] = {
	KUNIT_CASE(states_test_arcs),
	KUNIT_CASE(states_test_faults),
	KUNIT_CASE(states_test_error),
	KUNIT_CASE(states_test_transient),
	KUNIT_CASE(states_test_restored),
	KUNIT_CASE(states_test_killed),
	KUNIT_CASE(states_test_killed_behind),
	KUNIT_CASE(states_test_closing),
	KUNIT_CASE(states_test_unsettled),
	KUNIT_CASE(states_test_lost_in_begin),
	KUNIT_CASE(states_test_spare),
	KUNIT_CASE(states_test_load_lost),
	KUNIT_CASE(states_test_lost),
	KUNIT_CASE(states_test_lost_between),
	KUNIT_CASE(states_test_load_kept),
	KUNIT_CASE(states_test_size),
	{}
};

static struct kunit_suite states_test_suite = {
	.name = "lmf-states",
	.init = migration_test_init,
	.exit = migration_test_exit,
	.test_cases = states_test_cases,
};

kunit_test_suite(states_test_suite);
