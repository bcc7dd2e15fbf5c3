// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sweep. Each course is taken once without a fault, to count its commands
 * and allocations, then once for each fault and each of them. However it went,
 * after that
 *  - the state is one that the VMM can expect, and the VF is at its level;
 *  - a VF that was to be saved runs on, and its log has lost nothing;
 *  - the same course without a fault, after a reset where that is the way, goes
 *    through and has its effect;
 *  - nothing is left, and the device reached for nothing that was freed.
 *
 * All of it takes minutes, so that by default every @stride-th command is
 * taken, beginning with another one for each fault. 1 takes all.
 */
#include "sweep.h"

#include <linux/module.h>

#define SWEEP_TIMING	4	/* commands that more or less are sent */
#define SWEEP_ALLOCATIONS 10	/* so many has any course, and no command one */
#define SWEEP_SMALL	512	/* bytes that nobody need be charged for */

static unsigned int stride = 4;
module_param(stride, uint, 0444);

static unsigned int sweep_level(u32 state)
{
	switch (state) {
	case STATE(RUNNING):
	case STATE(PRE_COPY):
		return LMF_QUIESCE_RUN;
	case STATE(RUNNING_P2P):
	case STATE(PRE_COPY_P2P):
		return LMF_QUIESCE_INITIATOR;
	default:
		return LMF_QUIESCE_FULL;
	}
}

/* The state is legal, and what it says of the VF is so. */
static void sweep_check_state(struct sweep *s)
{
	struct sweep_vf *v = &s->vf[SWEEP_VF];
	unsigned long legal = s->legal;
	u32 state = sweep_state(v);
	int err;

	if (s->fault->traits & SWEEP_RESET)
		legal |= BIT(STATE(RUNNING));
	if (s->fault->traits & SWEEP_MAY_ERROR)
		legal |= BIT(STATE(ERROR));
	if (!SWEEP_EXPECT(s, legal & BIT(state)))
		kunit_info(s->test, "# state %u, legal %#lx\n", state, legal);
	if (state == STATE(ERROR))
		return;
	err = sweep_go(s, state);
	/* Only now it was seen what became of the VF. */
	if (legal & BIT(STATE(ERROR)) && sweep_state(v) == STATE(ERROR))
		return;
	SWEEP_EXPECT(s, !err);
	SWEEP_EXPECT(s, sweep_fw(v)->level == sweep_level(state));
}

/* Nothing comes out of a data_fd whose session is over, nor goes in. */
static void sweep_check_dead_file(struct sweep *s)
{
	const struct file_operations *fops;

	if (!s->file)
		return;
	fops = s->file->f_op;
	if (fops->read)
		SWEEP_EXPECT(s, fops->read(s->file, s->user, 1, NULL) ==
				-ENODEV);
	else
		SWEEP_EXPECT(s, fops->write(s->file, s->user, 1, NULL) ==
				-ENODEV);
	sweep_drop_file(s);
}

/* The VMM gives up, and goes on with what it has. */
static void sweep_recover(struct sweep *s)
{
	struct sweep_vf *v = &s->vf[SWEEP_VF];

	sweep_check_state(s);
	if (s->scenario->loads || sweep_state(v) == STATE(ERROR))
		sweep_reset(v);
	SWEEP_EXPECT(s, !sweep_go(s, STATE(RUNNING)));
	sweep_check_dead_file(s);
	if (s->scenario->loads)
		return;
	SWEEP_EXPECT(s, !sweep_guest_write(s, 10));
	if (s->tracking)
		SWEEP_EXPECT(s, !sweep_report(s));
	SWEEP_EXPECT(s, !sweep_log_stop(s));
}

/* The VMM ends, and another one begins. */
static void sweep_restart(struct sweep *s)
{
	struct sweep_vf *v = &s->vf[SWEEP_VF];

	sweep_check_dead_file(s);
	if (!v->bound)
		SWEEP_EXPECT(s, !sweep_bind(v));
	if (v->bound && !v->open)
		SWEEP_EXPECT(s, !sweep_open(v));
	SWEEP_EXPECT(s, sweep_state(v) == STATE(RUNNING));
	SWEEP_EXPECT(s, sweep_fw(v)->level == LMF_QUIESCE_RUN);
}

/* The fault has struck, and the course ended with @err. */
static void sweep_after(struct sweep *s, int err)
{
	struct sweep_vf *v = &s->vf[SWEEP_VF];

	if (s->fault->traits & SWEEP_CLOSE) {
		sweep_close(v);
		sweep_unbind(v);
		s->tracking = false;
	}
	if (s->fault->mend)
		s->fault->mend(s);
	/* The peer shall not meet what is meant for the VF. */
	mock_pf_drain(&s->pf);
	if (!err)
		s->scenario->verify(s);
	if (v->open)
		sweep_recover(s);
	else
		sweep_restart(s);
	if (SWEEP_EXPECT(s, !s->scenario->run(s)))
		s->scenario->verify(s);
	if (s->fault->release)
		s->fault->release(s);
	mock_pf_drain(&s->pf);
}

/* Returns false if the course ended before the fault could strike. */
static bool sweep_case(struct sweep *s, const struct sweep_fault *fault,
		       unsigned int k)
{
	bool struck;
	int err;

	s->fault = fault;
	s->k = k;
	sweep_up(s);
	sweep_arm(s);
	err = s->scenario->run(s);
	struck = s->struck;
	if (fault->traits & SWEEP_ALLOC)
		struck = sweep_alloc_struck();
	sweep_disarm(s);
	if (struck) {
		sweep_after(s, err);
	} else {
		/* Nor shall it now. */
		mock_pf_fault(&s->pf, "none");
		SWEEP_EXPECT(s, !err);
	}
	sweep_down(s);
	s->cases += struck;
	return struck;
}

/* Without a fault. Returns the number of commands. */
static unsigned int sweep_clean(struct sweep *s)
{
	s->fault = NULL;
	s->k = 0;
	sweep_up(s);
	sweep_arm(s);
	KUNIT_ASSERT_EQ(s->test, s->scenario->run(s), 0);
	sweep_disarm(s);
	s->scenario->verify(s);
	sweep_down(s);
	return s->rung;
}

/* What a destination is to load, and what must come of it. */
static void sweep_record(struct sweep *s)
{
	const struct sweep_scenario *scenario = s->scenario;

	s->scenario = &sweep_scenarios[0];
	sweep_clean(s);
	memcpy(s->golden, s->stream, s->bytes);
	s->golden_bytes = s->bytes;
	s->scenario = scenario;
}

/* One fault, at every command of which @commands were counted. */
static void sweep_commands(struct sweep *s, const struct sweep_fault *fault,
			   unsigned int commands)
{
	unsigned int first = 1 + (fault - sweep_faults) % stride;
	unsigned int k = first;

	while (sweep_case(s, fault, k))
		k += stride;
	KUNIT_EXPECT_GE_MSG(s->test, k + SWEEP_TIMING, commands, "# %s\n",
			    fault->name);
}

/* points: 6, 12, 33, 37, 38 */
static void sweep_test_commands(struct kunit *test)
{
	struct sweep *s = test->priv;
	unsigned int commands, i;

	s->scenario = test->param_value;
	sweep_record(s);
	commands = sweep_clean(s);
	KUNIT_EXPECT_GE(test, commands, s->scenario->commands);
	for (i = 0; i < sweep_nfaults; i++)
		sweep_commands(s, &sweep_faults[i], commands);
	KUNIT_EXPECT_GE(test, s->cases, sweep_nfaults *
			((s->scenario->commands - SWEEP_TIMING) / stride));
	kunit_info(test, "# %s: %u commands, %u faults, %u cases\n",
		   s->scenario->name, commands, sweep_nfaults, s->cases);
}

static const struct sweep_fault sweep_alloc_fault = {
	.name = "allocation", .traits = SWEEP_ALLOC, .arm = sweep_arm_alloc,
};

/* points: 6 */
static void sweep_test_allocations(struct kunit *test)
{
	struct sweep *s = test->priv;
	unsigned int k = 1;

	s->scenario = test->param_value;
	sweep_record(s);
	sweep_clean(s);
	while (sweep_case(s, &sweep_alloc_fault, k))
		k++;
	KUNIT_EXPECT_GE(test, s->cases, SWEEP_ALLOCATIONS);
	kunit_info(test, "# %s: %u allocations\n", s->scenario->name,
		   s->cases);
}

/* What a course allocates is charged, or small and of a size that is known. */
/* points: 24 */
static void sweep_test_charged(struct kunit *test)
{
	struct sweep *s = test->priv;

	s->scenario = test->param_value;
	sweep_record(s);
	s->fault = NULL;
	sweep_up(s);
	KUNIT_EXPECT_GT(test, sweep_alloc_uncharged(), SWEEP_SMALL);
	KUNIT_EXPECT_EQ(test, s->scenario->run(s), 0);
	KUNIT_EXPECT_LE(test, sweep_alloc_uncharged(), SWEEP_SMALL);
	sweep_down(s);
}

static const void *sweep_gen_params(const void *prev, char *desc)
{
	const struct sweep_scenario *next = prev;

	next = prev ? next + 1 : sweep_scenarios;
	if (next == sweep_scenarios + sweep_nscenarios)
		return NULL;
	strscpy(desc, next->name, KUNIT_PARAM_DESC_SIZE);
	return next;
}

static const struct kunit_attributes sweep_slow = { .speed = KUNIT_SPEED_SLOW };

static struct kunit_case sweep_test_cases[] = {
	KUNIT_CASE_PARAM_ATTR(sweep_test_commands, sweep_gen_params,
			      sweep_slow),
	KUNIT_CASE_PARAM_ATTR(sweep_test_allocations, sweep_gen_params,
			      sweep_slow),
	KUNIT_CASE_PARAM_ATTR(sweep_test_charged, sweep_gen_params,
			      sweep_slow),
	{}
};

static struct kunit_suite sweep_test_suite = {
	.name = "lmf-sweep",
	.init = sweep_init,
	.test_cases = sweep_test_cases,
};

kunit_test_suite(sweep_test_suite);
