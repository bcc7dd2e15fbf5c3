// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of a session: a window, whatever the size of the state.
 */
#include "migration_bed.h"

/* Half of it is more than enough for all that is no chunk buffer. */
#define MEMORY_MAX	SZ_16M

/* As a VMM that goes to and fro: the more passes, the longer the stream. */
static size_t save_passes(struct pair *p, unsigned int passes)
{
	struct file *f = set_state(p->src, STATE(PRE_COPY));
	unsigned int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(p->test, f);
	p->bytes = 0;
	for (; passes; passes--) {
		for (i = 0; i < MOCK_GRANULES; i++)
			mock_vf_write(&p->src->vf, i, passes);
		KUNIT_EXPECT_EQ(p->test, read_all(p, f, SZ_64K), -ENOMSG);
	}
	KUNIT_EXPECT_EQ(p->test, go(p->src, STATE(STOP_COPY)), 0);
	KUNIT_EXPECT_EQ(p->test, read_all(p, f, SZ_64K), 0);
	KUNIT_EXPECT_EQ(p->test, go(p->src, STATE(RUNNING)), 0);
	fput(f);
	return p->bytes;
}

/*
 * What both sides allocate is a window, whatever the size of the state and
 * however large the chunks that the device takes.
 */
/* points: 24 */
static void window_test_memory(struct kunit *test)
{
	static const u32 chunks[] = { SZ_4K, SZ_256K, SZ_1M, SZ_4M };
	struct pair *p = test->priv;
	struct lmf_vf *src = &p->src->vf, *dst = &p->dst->vf;
	int i, peak;

	for (i = 0; i < ARRAY_SIZE(chunks); i++) {
		src->caps.chunk_max = chunks[i];
		dst->caps.chunk_max = chunks[i];
		save_passes(p, 1);
		peak = src->buf_peak;
		KUNIT_EXPECT_GT(test, save_passes(p, 20), 10 * SZ_32K);
		KUNIT_EXPECT_EQ(test, src->buf_peak, peak);
		resume(p, SZ_64K);
	}
	KUNIT_EXPECT_LE(test, src->buf_peak, MEMORY_MAX / 2);
	KUNIT_EXPECT_LE(test, dst->buf_peak, MEMORY_MAX / 2);
}

/* Chunks of 4 MiB, four on their way: refused before they are allocated. */
static void window_test_large_chunks(struct kunit *test)
{
	struct lmf_stream_writer w = {};
	struct lmf_head_record head;
	struct pair *p = test->priv;
	struct file *f;

	p->dst->vf.caps.chunk_max = SZ_4M;
	f = set_state(p->dst, STATE(RESUMING));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	lmf_stream_put_head(&w, &head, SZ_4M);
	memcpy(p->stream, &head, sizeof(head));
	KUNIT_EXPECT_EQ(test, write_some(p, f, 0, sizeof(head)), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, p->dst->vf.buf_peak, 0);
	fput(f);
	reset(p->dst);
}

static struct kunit_case window_test_cases[] = {
	KUNIT_CASE(window_test_memory),
	KUNIT_CASE(window_test_large_chunks),
	{}
};

static struct kunit_suite window_test_suite = {
	.name = "lmf-window",
	.init = migration_test_init,
	.exit = migration_test_exit,
	.test_cases = window_test_cases,
};

kunit_test_suite(window_test_suite);
