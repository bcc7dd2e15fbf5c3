// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tracepoints: each tells of what it is for, on the whole stack.
 */
#include "sweep.h"

#include "trace.h"

/**
 * struct told - how often each tracepoint told of something
 * @arcs: arcs of the state machine
 * @failed: those that failed
 * @saved: bytes of chunks that came from the device
 * @loaded: bytes of chunks that went to it
 * @broken: sessions
 * @refused: streams
 * @reports: reports of the log
 * @pages: that were in them
 * @drains: of the log, in the background
 * @overflows: as the last one said
 * @resets: resets
 */
struct told {
	unsigned int arcs;
	unsigned int failed;
	u64 saved;
	u64 loaded;
	unsigned int broken;
	unsigned int refused;
	unsigned int reports;
	u64 pages;
	unsigned int drains;
	u64 overflows;
	unsigned int resets;
};

static void told_arc(void *priv, const char *name, const char *from,
		     const char *to, int err)
{
	struct told *told = priv;

	told->arcs++;
	told->failed += !!err;
}

static void told_save_chunk(void *priv, const char *name, u64 record,
			    const struct lmf_chunk *chunk)
{
	((struct told *)priv)->saved += chunk->bytes;
}

static void told_load_chunk(void *priv, const char *name, u64 chunk, u32 bytes)
{
	((struct told *)priv)->loaded += bytes;
}

static void told_failed(void *priv, const char *name, int err)
{
	((struct told *)priv)->broken++;
}

static void told_refused(void *priv, const char *name, u64 record, int err)
{
	((struct told *)priv)->refused++;
}

static void told_report(void *priv, const char *name, u64 iova, u64 length,
			u64 pages, int err)
{
	struct told *told = priv;

	told->reports++;
	told->pages += pages;
}

static void told_drain(void *priv, const char *name, u64 entries, int err)
{
	((struct told *)priv)->drains++;
}

static void told_overflow(void *priv, const char *name, u64 overflows)
{
	((struct told *)priv)->overflows = overflows;
}

static void told_reset(void *priv, const char *name, const char *state)
{
	((struct told *)priv)->resets++;
}

#define TELL(call, name)	call##_trace_lmf_vfio_##name(told_##name, told)
#define TELL_ALL(call)							\
	(TELL(call, arc) ?: TELL(call, save_chunk) ?:			\
	 TELL(call, load_chunk) ?: TELL(call, failed) ?:		\
	 TELL(call, refused) ?:						\
	 TELL(call, report) ?: TELL(call, drain) ?:			\
	 TELL(call, overflow) ?: TELL(call, reset))

static struct told *trace_begin(struct kunit *test)
{
	struct told *told = kunit_kzalloc(test, sizeof(*told), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, told);
	if (!IS_ENABLED(CONFIG_TRACEPOINTS))
		kunit_skip(test, "a kernel without tracepoints");
	KUNIT_ASSERT_EQ(test, TELL_ALL(register), 0);
	sweep_up(test->priv);
	/* With no fault. */
	sweep_arm(test->priv);
	*told = (struct told) { };
	return told;
}

static void trace_end(struct kunit *test, struct told *told)
{
	KUNIT_EXPECT_EQ(test, TELL_ALL(unregister), 0);
	tracepoint_synchronize_unregister();
	sweep_disarm(test->priv);
	sweep_down(test->priv);
}

/* points: 40 */
static void trace_test_migration(struct kunit *test)
{
	struct sweep *s = test->priv;
	struct told *told = trace_begin(test);

	KUNIT_ASSERT_EQ(test, s->scenario->run(s), 0);
	/* By way of PRE_COPY and PRE_COPY_P2P to STOP_COPY, and to STOP. */
	KUNIT_EXPECT_EQ(test, told->arcs, 4);
	KUNIT_EXPECT_GT(test, told->saved, SWEEP_MEDIA / 3);
	KUNIT_EXPECT_LT(test, told->saved, s->bytes);
	KUNIT_EXPECT_EQ(test, told->reports, 3);
	KUNIT_EXPECT_GE(test, told->pages, 5);
	/* One as the log is started, if no threshold asks for more. */
	KUNIT_EXPECT_GE(test, told->drains, 1);
	KUNIT_EXPECT_EQ(test, told->loaded, 0);
	s->scenario->verify(s);
	KUNIT_EXPECT_EQ(test, told->loaded, told->saved);
	KUNIT_EXPECT_EQ(test, told->failed, 0);
	KUNIT_EXPECT_EQ(test, told->refused, 0);
	KUNIT_EXPECT_EQ(test, told->overflows, 0);
	trace_end(test, told);
}

/* points: 40 */
static void trace_test_trouble(struct kunit *test)
{
	struct sweep *s = test->priv;
	struct told *told = trace_begin(test);

	KUNIT_ASSERT_EQ(test, sweep_session(s, STATE(RESUMING)), 0);
	memset(s->golden, 0xff, 1000);
	KUNIT_EXPECT_LT(test, sweep_write_all(s, s->file, s->golden, 1000), 0);
	KUNIT_EXPECT_EQ(test, told->refused, 1);
	KUNIT_EXPECT_EQ(test, told->broken, 1);
	KUNIT_EXPECT_LT(test, sweep_go(s, STATE(STOP)), 0);
	KUNIT_EXPECT_EQ(test, told->failed, 1);
	told->resets = 0;
	sweep_reset(&s->vf[SWEEP_VF]);
	KUNIT_EXPECT_EQ(test, told->resets, 1);
	trace_end(test, told);
}

/* points: 40 */
static void trace_test_broken(struct kunit *test)
{
	struct sweep *s = test->priv;
	struct told *told = trace_begin(test);

	KUNIT_ASSERT_NULL(test, (void *)mock_pf_fault(&s->pf,
						      "admin-fail=0x0121:1:12"));
	KUNIT_ASSERT_EQ(test, sweep_session(s, STATE(PRE_COPY)), 0);
	KUNIT_EXPECT_LT(test, sweep_read_all(s), 0);
	KUNIT_EXPECT_EQ(test, told->broken, 1);
	KUNIT_EXPECT_EQ(test, told->failed, 0);
	KUNIT_EXPECT_EQ(test, told->refused, 0);
	trace_end(test, told);
}

/* A log that fails is no error of the report; what was done of it is told. */
/* points: 29, 40 */
static void trace_test_overflow(struct kunit *test)
{
	struct sweep *s = test->priv;
	struct told *told = trace_begin(test);
	struct lmf_tracker_stats stats;

	KUNIT_ASSERT_EQ(test, sweep_log_start(s), 0);
	KUNIT_ASSERT_EQ(test, sweep_guest_write(s, 3), 0);
	KUNIT_ASSERT_NULL(test, (void *)mock_pf_fault(&s->pf,
						      "admin-fail=0x0202:1:12"));
	KUNIT_EXPECT_EQ(test, sweep_report(s), 0);
	KUNIT_EXPECT_EQ(test, told->overflows, 1);
	KUNIT_EXPECT_EQ(test, told->pages, SWEEP_PAGES);
	lmf_tracker_stats(&s->vf[SWEEP_VF].dev.tracker, &stats);
	KUNIT_EXPECT_EQ(test, stats.overflows, 1);
	KUNIT_EXPECT_EQ(test, stats.rearms, 1);
	KUNIT_EXPECT_EQ(test, sweep_guest_write(s, 4), 0);
	KUNIT_EXPECT_EQ(test, sweep_report(s), 0);
	/* Its completion was written, too. */
	KUNIT_EXPECT_LE(test, told->pages, SWEEP_PAGES + 2);
	KUNIT_EXPECT_EQ(test, sweep_log_stop(s), 0);
	trace_end(test, told);
}

static struct kunit_case trace_test_cases[] = {
	KUNIT_CASE(trace_test_migration),
	KUNIT_CASE(trace_test_trouble),
	KUNIT_CASE(trace_test_broken),
	KUNIT_CASE(trace_test_overflow),
	{}
};

static struct kunit_suite trace_test_suite = {
	.name = "lmf-trace",
	.init = sweep_init,
	.test_cases = trace_test_cases,
};

kunit_test_suite(trace_test_suite);
