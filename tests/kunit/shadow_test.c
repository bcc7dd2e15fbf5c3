// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shadow against a reference set, a plain bitmap over all that is tracked:
 * random marks of every granule, random windows. With memory the answers are
 * exact; without, they hold too much and never too little.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/lmf.h>
#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

#include "shadow.h"

#define SEED		7
#define PAGE		BIT_ULL(LMF_SHADOW_SHIFT)
#define LEAF		SZ_128M
#define PLENTY		1000000
#define BLOCK		(LMF_SHADOW_BLOCK / LMF_SHADOW_UNIT)

/* Holes between them, odd edges, one far away, two in the same leaf. */
static const struct lmf_log_span spans[] = {
	{ 0, 0x9ffff },
	{ 0xc0000, 0x27ffffff },
	{ 0x28100000, 0x300fffff },
	{ 0x100000000, 0x11fffffff },
	{ 0x3ffff8000000, 0x40000fffffff },
};

#define NSPANS	ARRAY_SIZE(spans)

struct model {
	struct lmf_shadow_pool pool;
	struct lmf_shadow shadow;
	struct rnd_state rnd;
	u64 pages;		/* in all spans */
	unsigned long *ref;	/* dirty pages, numbered through the spans */
	unsigned long *got;	/* of the last walk */
	unsigned long *want;
	struct kunit *test;
	u64 win_iova;
	u64 win_last;
	u64 last_end;
	u32 runs;
	u32 fail_at;		/* this run fails, from 1 */
};

/* Number of the page, and of those left in its span. */
static u64 model_index(u64 iova, u64 *left)
{
	u64 index = 0;
	int i;

	for (i = 0; i < NSPANS; i++) {
		if (iova >= spans[i].iova && iova <= spans[i].last) {
			*left = (spans[i].last + 1 - iova) / PAGE;
			return index + (iova - spans[i].iova) / PAGE;
		}
		index += (spans[i].last + 1 - spans[i].iova) / PAGE;
	}
	*left = 0;
	return index;
}

/* Sets what is tracked of [iova, last] in a bitmap. */
static void model_set(unsigned long *map, u64 iova, u64 last)
{
	u64 index = 0, lo, hi;
	int i;

	for (i = 0; i < NSPANS; i++) {
		lo = max(iova, spans[i].iova);
		hi = min(last, spans[i].last);
		if (lo <= hi)
			bitmap_set(map, index + (lo - spans[i].iova) / PAGE,
				   hi / PAGE - lo / PAGE + 1);
		index += (spans[i].last + 1 - spans[i].iova) / PAGE;
	}
}

static int model_emit(void *priv, u64 iova, u64 length)
{
	struct model *m = priv;
	u64 left, index = model_index(iova & ~(PAGE - 1), &left);
	u64 pages = (iova + length - 1) / PAGE - iova / PAGE + 1;

	if (++m->runs == m->fail_at)
		return -EFAULT;
	KUNIT_EXPECT_GE(m->test, iova, m->win_iova);
	KUNIT_EXPECT_LE(m->test, iova + length - 1, m->win_last);
	KUNIT_EXPECT_LE(m->test, pages, left);
	/* Ascending, and a gap between any two: no run could be longer. */
	if (m->runs > 1 && model_index(m->last_end, &left) == index && left)
		KUNIT_EXPECT_GT(m->test, iova, m->last_end);
	KUNIT_EXPECT_GE(m->test, iova, m->last_end);
	m->last_end = iova + length;
	if (index + pages <= m->pages)
		bitmap_set(m->got, index, pages);
	return 0;
}

static int model_walk(struct model *m, struct lmf_shadow *from, u64 iova,
		      u64 last)
{
	bitmap_zero(m->got, m->pages);
	m->win_iova = iova;
	m->win_last = last;
	m->last_end = 0;
	m->runs = 0;
	return lmf_shadow_walk(from, iova, last, model_emit, m);
}

static void model_mark(struct model *m, u64 iova, u64 length)
{
	lmf_shadow_mark(&m->shadow, iova, length);
	model_set(m->ref, iova, iova + length - 1);
}

static u64 model_rnd(struct model *m, u64 below)
{
	u64 r = (u64)prandom_u32_state(&m->rnd) << 32;

	return (r | prandom_u32_state(&m->rnd)) % below;
}

/* An address near what is tracked, more often than not at some edge. */
static u64 model_rnd_iova(struct model *m)
{
	const struct lmf_log_span *span = &spans[model_rnd(m, NSPANS)];
	u64 iova = span->iova + model_rnd(m, span->last - span->iova);

	switch (model_rnd(m, 4)) {
	case 0:
		return round_down(iova, LEAF);
	case 1:
		return model_rnd(m, 2) ? span->iova : span->last + 1;
	default:
		return iova;
	}
}

static u64 model_rnd_length(struct model *m)
{
	return 1 + model_rnd(m, 1ull << (12 + model_rnd(m, 20)));
}

static void model_rnd_mark(struct model *m)
{
	static const u8 shifts[] = { 12, 16, 21 };
	u64 granule = 1ull << shifts[model_rnd(m, ARRAY_SIZE(shifts))];
	u64 iova = round_down(model_rnd_iova(m), granule);

	model_mark(m, iova, round_up(model_rnd_length(m), granule));
}

/* Windows of all alignments, and now and then all there is. */
static void model_rnd_window(struct model *m, u64 *iova, u64 *last)
{
	static const u8 shifts[] = { 0, 3, 12, 16, 21 };
	u64 align = 1ull << shifts[model_rnd(m, ARRAY_SIZE(shifts))];

	*iova = round_down(model_rnd_iova(m), align);
	*last = *iova + round_up(model_rnd_length(m), align) - 1;
	if (!model_rnd(m, 50)) {
		*iova = 0;
		*last = U64_MAX;
	}
}

/* What is wholly in the window is not dirty any more. */
static void model_clear(struct model *m, u64 iova, u64 last)
{
	u64 lo = DIV_ROUND_UP_ULL(iova, PAGE);
	u64 hi = last == U64_MAX ? 1ull << 52 : (last + 1) / PAGE;

	bitmap_zero(m->want, m->pages);
	if (lo < hi)
		model_set(m->want, lo * PAGE, hi * PAGE - 1);
	bitmap_andnot(m->ref, m->ref, m->want, m->pages);
}

/* Takes a window and checks it; sometimes the report fails half-way. */
static void model_report(struct model *m, u64 iova, u64 last, bool exact)
{
	struct lmf_shadow taken;
	int ret;

	lmf_shadow_take(&m->shadow, iova, last, &taken);
	m->fail_at = model_rnd(m, 4) ? 0 : 1 + model_rnd(m, 3);
	ret = model_walk(m, &taken, iova, last);
	if (ret) {
		lmf_shadow_give_back(&m->shadow, iova, last, &taken);
	} else {
		bitmap_zero(m->want, m->pages);
		model_set(m->want, iova, last);
		bitmap_and(m->want, m->want, m->ref, m->pages);
		if (exact)
			KUNIT_EXPECT_TRUE(m->test, bitmap_equal(m->want, m->got,
								m->pages));
		else
			KUNIT_EXPECT_TRUE(m->test,
					  bitmap_subset(m->want, m->got,
							m->pages));
		model_clear(m, iova, last);
	}
	lmf_shadow_destroy(&taken);
}

static int shadow_test_init(struct kunit *test)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	u64 left;

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->test = test;
	m->pages = model_index(U64_MAX, &left);
	m->ref = vzalloc(BITS_TO_LONGS(m->pages) * sizeof(long));
	m->got = vzalloc(BITS_TO_LONGS(m->pages) * sizeof(long));
	m->want = vzalloc(BITS_TO_LONGS(m->pages) * sizeof(long));
	test->priv = m;
	KUNIT_ASSERT_TRUE(test, m->ref && m->got && m->want);
	m->pool.limit = PLENTY;
	prandom_seed_state(&m->rnd, SEED);
	lmf_shadow_init(&m->shadow, &m->pool, spans, NSPANS);
	return 0;
}

static void shadow_test_exit(struct kunit *test)
{
	struct model *m = test->priv;

	if (!m)
		return;
	lmf_shadow_destroy(&m->shadow);
	KUNIT_EXPECT_EQ(test, atomic_read(&m->pool.used), 0);
	vfree(m->ref);
	vfree(m->got);
	vfree(m->want);
}

/* points: 28, 31 */
static void shadow_test_exact(struct kunit *test)
{
	struct model *m = test->priv;
	u64 iova, last;
	int i;

	for (i = 0; i < 3000 && test->status == KUNIT_SUCCESS; i++) {
		model_rnd_mark(m);
		if (!model_rnd(m, 200)) {
			lmf_shadow_mark_all(&m->shadow);
			bitmap_fill(m->ref, m->pages);
		}
		if (!model_rnd(m, 3)) {
			model_rnd_window(m, &iova, &last);
			model_report(m, iova, last, true);
		}
	}
	KUNIT_EXPECT_EQ(test, i, 3000);
}

/* Memory comes and goes: nothing is ever lost, and all can be cleared. */
/* points: 28, 32 */
static void shadow_test_starved(struct kunit *test)
{
	struct model *m = test->priv;
	u64 iova, last;
	int i;

	for (i = 0; i < 3000 && test->status == KUNIT_SUCCESS; i++) {
		m->pool.limit = model_rnd(m, 24 * BLOCK);
		model_rnd_mark(m);
		if (!model_rnd(m, 3)) {
			model_rnd_window(m, &iova, &last);
			model_report(m, iova, last, false);
		}
		KUNIT_ASSERT_LE(test, atomic_read(&m->pool.used), 24 * BLOCK);
	}
	while (!bitmap_empty(m->ref, m->pages))
		model_report(m, 0, U64_MAX, false);
	KUNIT_EXPECT_PTR_EQ(test, m->shadow.root, NULL);
}

/* One page set at, before and after each edge; windows that end there. */
/* points: 28 */
static void shadow_test_edges(struct kunit *test)
{
	static const u64 edges[] = {
		0xc0000, 0x100000, LEAF, LEAF + 64 * PAGE, 2 * LEAF,
		0x28000000, 0x100000000, 0x120000000, 0x400000000000,
	};
	struct model *m = test->priv;
	u64 edge, span;
	int i, at, len;

	for (i = 0; i < ARRAY_SIZE(edges); i++) {
		edge = edges[i];
		for (at = -2; at <= 1; at++) {
			for (len = 1; len <= 3; len++) {
				model_mark(m, edge + at * (s64)PAGE,
					   len * PAGE);
				span = model_rnd(m, 4) * PAGE;
				model_report(m, edge, edge + span + PAGE - 1,
					     true);
				model_report(m, edge - span - PAGE, edge - 1,
					     true);
			}
		}
	}
}

/*
 * One leaf, from few pages to so many that it becomes a bitmap; with and
 * without pieces that are dirty as a whole, and windows that cut both.
 */
static void shadow_test_leaf(struct kunit *test)
{
	struct model *m = test->priv;
	u64 iova, last;
	u32 n, i;

	for (n = 0; n < 600 && test->status == KUNIT_SUCCESS; n += 1 + n / 9) {
		for (i = 0; i < n; i++)
			model_mark(m, LEAF + model_rnd(m, LEAF / PAGE) * PAGE,
				   PAGE);
		for (i = model_rnd(m, 5); i; i--)
			model_mark(m, LEAF + model_rnd(m, LEAF / SZ_2M) * SZ_2M,
				   SZ_2M);
		for (i = model_rnd(m, 3); i; i--) {
			iova = LEAF + model_rnd(m, LEAF);
			last = iova + model_rnd(m, LEAF);
			model_report(m, iova, last, true);
		}
		model_report(m, 0, U64_MAX, true);
	}
}

/* All of a leaf, piece by piece in any order, takes no memory any more. */
static void shadow_test_pieces(struct kunit *test)
{
	struct model *m = test->priv;
	u64 i, n = LEAF / SZ_2M;

	for (i = 0; i < n; i++)
		model_mark(m, LEAF + i * 37 % n * SZ_2M, SZ_2M);
	KUNIT_EXPECT_LE(test, atomic_read(&m->pool.used), 6 * BLOCK);
	KUNIT_EXPECT_EQ(test, atomic_read(&m->pool.used) % BLOCK, 0);
	KUNIT_EXPECT_EQ(test, model_walk(m, &m->shadow, 0, U64_MAX), 0);
	KUNIT_EXPECT_EQ(test, m->runs, 1);
	model_report(m, LEAF + PAGE, 2 * LEAF - PAGE - 1, true);
	model_report(m, 0, U64_MAX, true);
}

/* A window that cuts a page gets it and leaves it. */
/* points: 28 */
static void shadow_test_part_of_page(struct kunit *test)
{
	struct model *m = test->priv;
	struct lmf_shadow taken;

	model_mark(m, 0x1000, 0x3000);
	lmf_shadow_take(&m->shadow, 0x1800, 0x37ff, &taken);
	KUNIT_EXPECT_EQ(test, model_walk(m, &taken, 0x1800, 0x37ff), 0);
	KUNIT_EXPECT_EQ(test, m->runs, 1);
	KUNIT_EXPECT_EQ(test, m->last_end, 0x3800);
	lmf_shadow_destroy(&taken);
	KUNIT_EXPECT_EQ(test, model_walk(m, &m->shadow, 0, U64_MAX), 0);
	KUNIT_EXPECT_EQ(test, m->runs, 2);
	KUNIT_EXPECT_EQ(test, bitmap_weight(m->got, m->pages), 2);
	KUNIT_EXPECT_TRUE(test, test_bit(1, m->got) && test_bit(3, m->got));
}

/* What a device says of untracked memory is no reason to remember it. */
/* points: 32 */
static void shadow_test_untracked(struct kunit *test)
{
	struct model *m = test->priv;

	lmf_shadow_mark(&m->shadow, 0xa0000, 0x20000);
	lmf_shadow_mark(&m->shadow, 0x120000000, 0x1000);
	lmf_shadow_mark(&m->shadow, 1ull << 63, 1ull << 62);
	KUNIT_EXPECT_EQ(test, atomic_read(&m->pool.used), 0);
	KUNIT_EXPECT_EQ(test, model_walk(m, &m->shadow, 0, U64_MAX), 0);
	KUNIT_EXPECT_EQ(test, m->runs, 0);
	model_mark(m, 0x9f000, 0x22000);
	model_report(m, 0, U64_MAX, true);
}

/* No memory at all: all dirty, still clipped to what was asked. */
/* points: 24, 32 */
static void shadow_test_no_memory(struct kunit *test)
{
	struct model *m = test->priv;

	m->pool.limit = 0;
	model_mark(m, 0x100000, PAGE);
	KUNIT_EXPECT_EQ(test, model_walk(m, &m->shadow, 0x200000, 0x3fffff), 0);
	KUNIT_EXPECT_EQ(test, m->runs, 1);
	KUNIT_EXPECT_EQ(test, bitmap_weight(m->got, m->pages), 512);
	KUNIT_EXPECT_EQ(test, model_walk(m, &m->shadow, 0, U64_MAX), 0);
	KUNIT_EXPECT_EQ(test, m->runs, NSPANS);
	KUNIT_EXPECT_TRUE(test, bitmap_full(m->got, m->pages));
}

/* Two of them are too much for a stack. */
static struct lmf_shadow *two_shadows(struct kunit *test)
{
	struct lmf_shadow *two = kunit_kcalloc(test, 2, sizeof(*two),
					       GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, two);
	return two;
}

/* 4 KiB for each 128 MiB with a dirty page, and little more. */
static void memory_of(struct kunit *test, u32 pages, u32 bytes)
{
	static const struct lmf_log_span tib = { 0, SZ_1T - 1 };
	struct lmf_shadow *shadow = two_shadows(test), *taken = shadow + 1;
	struct lmf_shadow_pool pool = { .limit = PLENTY };
	u64 i, leaves = SZ_1T / LEAF, page;

	lmf_shadow_init(shadow, &pool, &tib, 1);
	for (i = 0; i < leaves; i++)
		for (page = 0; page < pages; page++)
			lmf_shadow_mark(shadow, i * LEAF + page * 3 * PAGE,
					PAGE);
	KUNIT_EXPECT_LE(test, atomic_read(&pool.used) * LMF_SHADOW_UNIT,
			leaves * bytes + SZ_256K);
	lmf_shadow_take(shadow, 0, SZ_1T - 1, taken);
	lmf_shadow_destroy(taken);
	KUNIT_EXPECT_EQ(test, atomic_read(&pool.used), 0);
}

/* points: 24, 32 */
static void shadow_test_memory(struct kunit *test)
{
	static const struct lmf_log_span tib = { 0, SZ_1T - 1 };
	struct lmf_shadow *shadow = two_shadows(test), *taken = shadow + 1;
	struct lmf_shadow_pool pool = { .limit = PLENTY };

	memory_of(test, 1, 512);
	memory_of(test, 200, 512);
	memory_of(test, 300, 4096);

	lmf_shadow_init(shadow, &pool, &tib, 1);
	lmf_shadow_mark_all(shadow);
	KUNIT_EXPECT_LE(test, atomic_read(&pool.used), BLOCK);
	lmf_shadow_take(shadow, 5 * PAGE, 700 * PAGE - 1, taken);
	KUNIT_EXPECT_LE(test, atomic_read(&pool.used), 5 * BLOCK);
	lmf_shadow_destroy(taken);
	lmf_shadow_destroy(shadow);
	KUNIT_EXPECT_EQ(test, atomic_read(&pool.used), 0);
}

static int count_emit(void *priv, u64 iova, u64 length)
{
	u64 *sum = priv;

	*sum += length;
	return 0;
}

/* A window of what is all dirty, with whole nodes in it: not a page more. */
static void shadow_test_window_of_full(struct kunit *test)
{
	static const struct lmf_log_span all = { 0, 64 * SZ_1T - 1 };
	struct lmf_shadow *shadow = two_shadows(test), *taken = shadow + 1;
	struct lmf_shadow_pool pool = { .limit = PLENTY };
	u64 first = 5 * PAGE, last = 700ull * LEAF + 9 * PAGE - 1, sum = 0;

	lmf_shadow_init(shadow, &pool, &all, 1);
	lmf_shadow_mark_all(shadow);
	lmf_shadow_take(shadow, first, last, taken);
	lmf_shadow_walk(taken, first, last, count_emit, &sum);
	KUNIT_EXPECT_EQ(test, sum, last - first + 1);
	lmf_shadow_walk(shadow, 0, U64_MAX, count_emit, &sum);
	KUNIT_EXPECT_EQ(test, sum, 64 * SZ_1T);
	lmf_shadow_destroy(taken);
	lmf_shadow_destroy(shadow);
	KUNIT_EXPECT_EQ(test, atomic_read(&pool.used), 0);
}

/* The whole address space, as far as a length can say. */
static void shadow_test_whole_space(struct kunit *test)
{
	static const struct lmf_log_span all = { 0, U64_MAX };
	struct lmf_shadow_pool pool = { .limit = PLENTY };
	struct lmf_shadow shadow;
	u64 sum = 0;

	lmf_shadow_init(&shadow, &pool, &all, 1);
	lmf_shadow_mark(&shadow, U64_MAX - PAGE + 1, PAGE);
	lmf_shadow_mark(&shadow, 0, PAGE);
	lmf_shadow_walk(&shadow, 0, U64_MAX, count_emit, &sum);
	KUNIT_EXPECT_EQ(test, sum, 2 * PAGE);
	KUNIT_EXPECT_LE(test, atomic_read(&pool.used), 12 * BLOCK);
	lmf_shadow_mark_all(&shadow);
	sum = 0;
	lmf_shadow_walk(&shadow, PAGE, U64_MAX, count_emit, &sum);
	KUNIT_EXPECT_EQ(test, sum, -PAGE);
	lmf_shadow_destroy(&shadow);
	KUNIT_EXPECT_EQ(test, atomic_read(&pool.used), 0);
}

static struct kunit_case shadow_test_cases[] = {
	KUNIT_CASE_SLOW(shadow_test_exact),
	KUNIT_CASE_SLOW(shadow_test_starved),
	KUNIT_CASE(shadow_test_edges),
	KUNIT_CASE(shadow_test_leaf),
	KUNIT_CASE(shadow_test_pieces),
	KUNIT_CASE(shadow_test_part_of_page),
	KUNIT_CASE(shadow_test_untracked),
	KUNIT_CASE(shadow_test_no_memory),
	KUNIT_CASE(shadow_test_memory),
	KUNIT_CASE(shadow_test_window_of_full),
	KUNIT_CASE(shadow_test_whole_space),
	{}
};

static struct kunit_suite shadow_test_suite = {
	.name = "lmf-shadow",
	.init = shadow_test_init,
	.exit = shadow_test_exit,
	.test_cases = shadow_test_cases,
};

kunit_test_suite(shadow_test_suite);
