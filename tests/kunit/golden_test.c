// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stream that a release has written loads for ever, and one of another
 * version does as lmf_stream.h and SPEC.md say. What loads leaves the VF in the
 * very state that tests/golden tells of, and the guest's commands go on from
 * there; of what is refused nothing is applied, and the VF can be used again.
 *
 * With record=1 the stream of today is printed, for tests/golden/record.
 */
#include "golden.h"

#include <linux/module.h>

#define GOLDEN_INCLUDE(file)						\
	asm("	.pushsection .rodata, \"a\"\n"				\
	    "golden_begin:	.incbin \"" file "\"\n"		\
	    "golden_end:	.popsection\n")

GOLDEN_INCLUDE(GOLDEN);

static bool record;
module_param(record, bool, 0444);

/* As it was when the first stream was recorded: it is in the identity. */
static const struct lmf_fw_config golden_config = {
	.vfs = SWEEP_VFS,
	.queues = 2,
	.entries = 8,
	.media_bytes = GOLDEN_MEDIA,
	.log_entries = 64,
	.migrate = true,
	.log = true,
	.seed = 11,
};

static size_t golden_bytes(void)
{
	return golden_end - golden_begin;
}

static void golden_up(struct sweep *s)
{
	sweep_up_device(s, &golden_config);
	golden_guest_init(s);
	sweep_up_vfs(s);
}

static void golden_down(struct sweep *s)
{
	sweep_down(s);
	golden_guest_exit();
}

static void golden_expect_loads(struct sweep *s, const u8 *stream, size_t bytes)
{
	struct kunit *test = s->test;

	KUNIT_EXPECT_EQ(test, sweep_load(s, &s->vf[SWEEP_VF], stream, bytes),
			0);
	golden_expect_saved(s);
	KUNIT_EXPECT_EQ(test, sweep_go(s, STATE(RUNNING)), 0);
	golden_guest_go_on(s);
}

static void golden_expect_refused(struct sweep *s,
				  const struct golden_case *how, size_t bytes)
{
	const struct fw_vf *fw = sweep_fw(&s->vf[SWEEP_VF]);
	struct kunit *test = s->test;

	KUNIT_ASSERT_EQ(test, sweep_session(s, STATE(RESUMING)), 0);
	KUNIT_EXPECT_EQ(test, sweep_write_all(s, s->file, s->golden, bytes),
			how->err);
	if (how->unasked)
		KUNIT_EXPECT_FALSE(test, fw->load->identity);
	KUNIT_EXPECT_EQ(test, sweep_write_all(s, s->file, s->golden, 1),
			how->err);
	KUNIT_EXPECT_EQ(test, sweep_go(s, STATE(STOP)), how->err);
	KUNIT_EXPECT_EQ(test, sweep_state(&s->vf[SWEEP_VF]), STATE(RESUMING));
	KUNIT_EXPECT_TRUE(test, fw->media.lost);
	KUNIT_EXPECT_EQ(test, fw->queue[0].ctrl, 0);
	KUNIT_EXPECT_EQ(test, fw->queue[1].ctrl, 0);
	sweep_drop_file(s);
	sweep_reset(&s->vf[SWEEP_VF]);
}

static void golden_test_loads(struct kunit *test)
{
	struct sweep *s = test->priv;

	golden_up(s);
	golden_expect_loads(s, golden_begin, golden_bytes());
	golden_down(s);
}

/* The course that was recorded. */
static void golden_save(struct sweep *s)
{
	struct kunit *test = s->test;

	golden_guest_start(s);
	KUNIT_ASSERT_EQ(test, sweep_session(s, STATE(PRE_COPY)), 0);
	KUNIT_ASSERT_EQ(test, sweep_read_all(s), 0);
	golden_guest_leave_open(s);
	KUNIT_ASSERT_EQ(test, sweep_go(s, STATE(PRE_COPY_P2P)), 0);
	golden_guest_late(s);
	KUNIT_ASSERT_EQ(test, sweep_read_all(s), 0);
	KUNIT_ASSERT_EQ(test, sweep_go(s, STATE(STOP_COPY)), 0);
	KUNIT_ASSERT_EQ(test, sweep_read_all(s), 0);
	golden_expect_saved(s);
	memcpy(s->golden, s->stream, s->bytes);
	s->golden_bytes = s->bytes;
}

static void golden_print(struct sweep *s)
{
	size_t at;

	for (at = 0; at < s->golden_bytes; at += 32)
		kunit_info(s->test, "# recorded %*phN\n",
			   (int)min_t(size_t, s->golden_bytes - at, 32),
			   s->golden + at);
}

/* What is written today is the same state, whatever its bytes. */
static void golden_test_today(struct kunit *test)
{
	struct sweep *s = test->priv;

	golden_up(s);
	golden_save(s);
	golden_down(s);
	if (record)
		golden_print(s);
	golden_up(s);
	golden_expect_loads(s, s->golden, s->golden_bytes);
	golden_down(s);
}

static void golden_test_version(struct kunit *test)
{
	const struct golden_case *how = test->param_value;
	struct sweep *s = test->priv;
	size_t bytes;

	memcpy(s->golden, golden_begin, golden_bytes());
	bytes = golden_edit(how, s->golden, golden_bytes());
	golden_up(s);
	if (how->err) {
		golden_expect_refused(s, how, bytes);
		golden_expect_loads(s, golden_begin, golden_bytes());
	} else {
		golden_expect_loads(s, s->golden, bytes);
	}
	golden_down(s);
}

/* For the next minor version this is an older one. */
static void golden_test_next_reader(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, golden_read_next(golden_begin, golden_bytes()),
			0);
	KUNIT_EXPECT_LT(test, golden_read_next(golden_begin,
					       golden_bytes() - 1), 0);
}

static const void *golden_gen_params(const void *prev, char *desc)
{
	const struct golden_case *next = prev;

	next = prev ? next + 1 : golden_cases;
	if (next == golden_cases + golden_ncases)
		return NULL;
	strscpy(desc, next->name, KUNIT_PARAM_DESC_SIZE);
	return next;
}

static struct kunit_case golden_test_cases[] = {
	KUNIT_CASE(golden_test_loads),
	KUNIT_CASE(golden_test_today),
	KUNIT_CASE_PARAM(golden_test_version, golden_gen_params),
	KUNIT_CASE(golden_test_next_reader),
	{}
};

static struct kunit_suite golden_test_suite = {
	.name = "lmf-golden",
	.init = sweep_init,
	.test_cases = golden_test_cases,
};

kunit_test_suite(golden_test_suite);
