// SPDX-License-Identifier: GPL-2.0-only
/*
 * The translators of `ranges` and `bitmap`: what comes out is what a buffer of
 * LOG_READ tells, and nonsense is refused.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/prandom.h>
#include <linux/sizes.h>

#include "lmf_log.h"
#include "log_bitmap.h"
#include "log_ranges.h"

#define SHIFT		12
#define LEAF		(BIT_ULL(SHIFT) * LMF_LOG_BLOCK_GRANULES * \
			 LMF_LOG_LEAF_BLOCKS)
#define BUFFER		LMF_LOG_READ_MIN
#define SEED		21

struct out {
	u32 n;
	struct {
		u64 iova;
		u64 length;
	} run[2];
	bool wrong;		/* what emit() is never called with */
	unsigned long *pages;	/* of the first leaf, or NULL */
};

static void out_emit(void *priv, u64 iova, u64 length)
{
	struct out *out = priv;

	if (out->n < ARRAY_SIZE(out->run)) {
		out->run[out->n].iova = iova;
		out->run[out->n].length = length;
	}
	out->n++;
	if (!length || iova + length - 1 < iova)
		out->wrong = true;
	if (out->pages)
		bitmap_set(out->pages, iova >> SHIFT, length >> SHIFT);
}

static void expect_run(struct kunit *test, const struct out *out, u32 i,
		       u64 iova, u64 length)
{
	KUNIT_EXPECT_EQ(test, out->run[i].iova, iova);
	KUNIT_EXPECT_EQ(test, out->run[i].length, length);
}

static int formats_test_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, BUFFER, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, test->priv);
	return 0;
}

/* The bytes of the example in lmf_log.h. */
static void ranges_test_example(struct kunit *test)
{
	static const u8 bytes[48] = {
		0x0c, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0x00, 0xf0, 0x07, 0, 0, 0, 0, 0, 0x03, 0, 0, 0, 0, 0, 0, 0,
		0x00, 0x00, 0x09, 0, 0, 0, 0, 0, 0x01, 0, 0, 0, 0, 0, 0, 0,
	};
	struct out out = { };

	KUNIT_ASSERT_EQ(test, lmf_ranges_translate(bytes, sizeof(bytes), SHIFT,
						   out_emit, &out), 2);
	KUNIT_EXPECT_EQ(test, out.n, 2);
	expect_run(test, &out, 0, 0x7f000, 0x3000);
	expect_run(test, &out, 1, 0x90000, 0x1000);
}

struct list {
	struct lmf_log_list head;
	struct lmf_log_extent extent[2];
};

static struct list list_of_two(void)
{
	return (struct list) {
		.head = { .shift = SHIFT, .count = cpu_to_le32(2) },
		.extent = {
			{ cpu_to_le64(0x1000), cpu_to_le32(1) },
			{ cpu_to_le64(0x5000), cpu_to_le32(2) },
		},
	};
}

/* Coarser units, at the top of the address space too. */
static void ranges_test_units(struct kunit *test)
{
	struct list list = list_of_two();
	struct out out = { };

	list.head.shift = 40;
	list.head.flags = LMF_LOG_LIST_MORE | LMF_LOG_LIST_SUSPENDED;
	list.extent[0].iova = 0;
	list.extent[0].units = cpu_to_le32(BIT(24) - 1);
	list.extent[1].iova = cpu_to_le64(U64_MAX << 40);
	list.extent[1].units = cpu_to_le32(1);
	KUNIT_ASSERT_EQ(test, lmf_ranges_translate(&list, sizeof(list), SHIFT,
						   out_emit, &out), 2);
	expect_run(test, &out, 0, 0, U64_MAX << 40);
	expect_run(test, &out, 1, U64_MAX << 40, BIT_ULL(40));
}

static void ranges_test_empty(struct kunit *test)
{
	struct lmf_log_list head = { .shift = SHIFT };
	struct out out = { };

	KUNIT_EXPECT_EQ(test, lmf_ranges_translate(&head, sizeof(head), SHIFT,
						   out_emit, &out), 0);
	KUNIT_EXPECT_EQ(test, out.n, 0);
}

/* What stands before the extent that is wrong is told. */
static void ranges_test_malformed(struct kunit *test)
{
	static const struct {
		u64 iova;
		u32 units;
		u8 shift;
		u8 flags;
		u32 count;
		u32 bytes;
		u32 told;
	} bad[] = {
		{ 0x5000, 0, SHIFT, 0, 2, 48, 1 },
		{ 0x5800, 1, SHIFT, 0, 2, 48, 1 },
		{ U64_MAX << 12, 2, SHIFT, 0, 2, 48, 1 },
		{ 0, 2, 63, 0, 2, 48, 0 },
		{ 0x5000, 1, SHIFT - 1, 0, 2, 48, 0 },
		{ 0x5000, 1, 64, 0, 2, 48, 0 },
		{ 0x5000, 1, SHIFT, 4, 2, 48, 0 },
		{ 0x5000, 1, SHIFT, 0, 1, 48, 0 },
		{ 0x5000, 1, SHIFT, 0, 3, 48, 0 },
		{ 0x5000, 1, SHIFT, 0, 0x10000002, 48, 0 },
		{ 0x5000, 1, SHIFT, 0, 1, 40, 0 },
		{ 0x5000, 1, SHIFT, 0, 0, 15, 0 },
		{ 0x5000, 1, SHIFT, 0, 0, 0, 0 },
	};
	struct list list;
	struct out out;
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		out = (struct out) { };
		list = list_of_two();
		list.extent[1].iova = cpu_to_le64(bad[i].iova);
		list.extent[1].units = cpu_to_le32(bad[i].units);
		list.head.shift = bad[i].shift;
		list.head.flags = bad[i].flags;
		list.head.count = cpu_to_le32(bad[i].count);
		KUNIT_EXPECT_EQ_MSG(test,
				    lmf_ranges_translate(&list, bad[i].bytes,
							 SHIFT, out_emit, &out),
				    -EBADMSG, "case %d", i);
		KUNIT_EXPECT_EQ_MSG(test, out.n, bad[i].told, "case %d", i);
	}
}

/* The bytes of the example in lmf_log.h. */
static void bitmap_test_example(struct kunit *test)
{
	u8 *bytes = test->priv;
	struct out out = { };

	bytes[3] = 0x08;
	bytes[8] = 0x06;
	bytes[16 + 63] = 0x80;
	bytes[16 + 64] = 0x03;
	KUNIT_ASSERT_EQ(test, lmf_bitmap_translate(bytes, 144, SHIFT, out_emit,
						   &out), 1);
	KUNIT_EXPECT_EQ(test, out.n, 1);
	expect_run(test, &out, 0, 0x083ff000, 0x3000);
}

/* All of a leaf is one extent, and two leaves are two. */
static void bitmap_test_whole(struct kunit *test)
{
	struct lmf_log_leaf *leaf = test->priv;
	struct out out = { };

	leaf->summary = cpu_to_le64(U64_MAX);
	memset(leaf + 1, 0xff, 4096);
	leaf = (void *)(leaf + 1) + 4096;
	leaf->iova = cpu_to_le64(LEAF);
	leaf->summary = cpu_to_le64(BIT_ULL(63));
	memset(leaf + 1, 0xff, 64);
	KUNIT_ASSERT_EQ(test, lmf_bitmap_translate(test->priv, 4112 + 80, SHIFT,
						   out_emit, &out), 2);
	KUNIT_EXPECT_EQ(test, out.n, 2);
	expect_run(test, &out, 0, 0, LEAF);
	expect_run(test, &out, 1, 2 * LEAF - SZ_2M, SZ_2M);
}

/* A bank in which nothing is dirty, and a block that says so of itself. */
static void bitmap_test_empty(struct kunit *test)
{
	struct lmf_log_leaf *leaf = test->priv;
	struct out out = { };

	KUNIT_EXPECT_EQ(test, lmf_bitmap_translate(leaf, 0, SHIFT, out_emit,
						   &out), 0);
	leaf->summary = cpu_to_le64(1);
	KUNIT_EXPECT_EQ(test, lmf_bitmap_translate(leaf, 80, SHIFT, out_emit,
						   &out), 1);
	KUNIT_EXPECT_EQ(test, out.n, 0);
}

static void bitmap_test_malformed(struct kunit *test)
{
	static const struct {
		u64 iova;
		u64 summary;
		u8 shift;
		u32 bytes;
	} bad[] = {
		{ LEAF, 0, SHIFT, 80 },
		{ LEAF, 3, SHIFT, 80 },
		{ LEAF, 1, SHIFT, 79 },
		{ LEAF, 1, SHIFT, 16 },
		{ LEAF, 1, SHIFT, 15 },
		{ LEAF, 1, SHIFT, 1 },
		{ LEAF / 2, 1, SHIFT, 80 },
		{ LEAF, 1, SHIFT + 1, 80 },
		{ 1, 1, 31, 80 },
	};
	struct lmf_log_leaf *leaf = test->priv;
	struct out out = { };
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		leaf->iova = cpu_to_le64(bad[i].iova);
		leaf->summary = cpu_to_le64(bad[i].summary);
		memset(leaf + 1, 0xff, 64);
		KUNIT_EXPECT_EQ_MSG(test,
				    lmf_bitmap_translate(leaf, bad[i].bytes,
							 bad[i].shift, out_emit,
							 &out),
				    -EBADMSG, "case %d", i);
		KUNIT_EXPECT_EQ(test, out.n, 0);
	}
}

/* What is not there is not read: KASAN would see it. */
static void bitmap_test_cut(struct kunit *test)
{
	const size_t bytes = sizeof(__le64);
	void *cut = kunit_kzalloc(test, bytes, GFP_KERNEL);
	struct out out = { };

	KUNIT_ASSERT_NOT_NULL(test, cut);
	KUNIT_EXPECT_EQ(test, lmf_bitmap_translate(cut, bytes, SHIFT, out_emit,
						   &out), -EBADMSG);
}

/* Leaves of random bits: exactly those come out. */
static void bitmap_test_random(struct kunit *test)
{
	unsigned long *want = bitmap_zalloc(LEAF >> SHIFT, GFP_KERNEL);
	unsigned long *got = bitmap_zalloc(LEAF >> SHIFT, GFP_KERNEL);
	struct lmf_log_leaf *leaf = test->priv;
	struct lmf_log_block *block;
	struct out out = { .pages = got };
	struct rnd_state rnd;
	int round, i, n;
	u64 summary, word;

	KUNIT_ASSERT_NOT_NULL(test, want);
	KUNIT_ASSERT_NOT_NULL(test, got);
	prandom_seed_state(&rnd, SEED);
	for (round = 0; round < 1000; round++) {
		prandom_bytes_state(&rnd, &summary, sizeof(summary));
		summary |= 1;
		leaf->summary = cpu_to_le64(summary);
		block = (void *)(leaf + 1);
		bitmap_zero(want, LEAF >> SHIFT);
		bitmap_zero(got, LEAF >> SHIFT);
		for (n = 0; n < 64; n++) {
			if (!(summary & BIT_ULL(n)))
				continue;
			for (i = 0; i < 8; i++) {
				prandom_bytes_state(&rnd, &word, sizeof(word));
				word &= word >> 3;
				if (round & BIT(i % 3))
					word = U64_MAX;
				block->bits[i] = cpu_to_le64(word);
				bitmap_write(want, word, n * 512 + i * 64, 32);
				bitmap_write(want, word >> 32,
					     n * 512 + i * 64 + 32, 32);
			}
			block++;
		}
		KUNIT_ASSERT_EQ(test,
				lmf_bitmap_translate(leaf, (void *)block -
							   (void *)leaf, SHIFT,
						     out_emit, &out), 1);
		KUNIT_ASSERT_TRUE(test, bitmap_equal(want, got, LEAF >> SHIFT));
	}
	KUNIT_EXPECT_FALSE(test, out.wrong);
	bitmap_free(want);
	bitmap_free(got);
}

static void bitmap_test_leaves(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, lmf_bitmap_leaves(0, LEAF - 1, SHIFT), 1);
	KUNIT_EXPECT_EQ(test, lmf_bitmap_leaves(0, LEAF, SHIFT), 2);
	KUNIT_EXPECT_EQ(test, lmf_bitmap_leaves(LEAF - 1, LEAF, SHIFT), 2);
	KUNIT_EXPECT_EQ(test, lmf_bitmap_leaves(0, BIT_ULL(40) - 1, SHIFT),
			8192);
	KUNIT_EXPECT_EQ(test, lmf_bitmap_leaves(0, U64_MAX, 31), BIT(18));
}

/* Good beginnings, so that the rest is looked at. */
static u32 almost_list(u8 *bytes, u32 n)
{
	u32 at;

	n -= n % 16;
	memset(bytes, 0, 16);
	bytes[0] = SHIFT;
	bytes[4] = (n - 16) / 16;
	for (at = 16; at < n; at += 16) {
		bytes[at] = 0;
		bytes[at + 1] &= 0xf0;
	}
	return n;
}

static void almost_leaf(u8 *bytes, u32 block)
{
	memset(bytes, 0, 16);
	bytes[6] = block;
	bytes[8 + block / 8 % 8] = 1 << block % 8;
}

/* Whatever the bytes are, nothing comes out that emit() must not get. */
static void formats_test_garbage(struct kunit *test)
{
	struct out lists = { }, leaves = { };
	u8 *bytes = test->priv;
	struct rnd_state rnd;
	u32 round, n;

	prandom_seed_state(&rnd, SEED);
	for (round = 0; round < 20000; round++) {
		n = prandom_u32_state(&rnd) % 512;
		prandom_bytes_state(&rnd, bytes, n);
		if (round & 1 && n >= 16)
			n = almost_list(bytes, n);
		lmf_ranges_translate(bytes, n, SHIFT, out_emit, &lists);
		if (round & 2 && n >= 16)
			almost_leaf(bytes, prandom_u32_state(&rnd) % 64);
		lmf_bitmap_translate(bytes, n, SHIFT + round % 19, out_emit,
				     &leaves);
	}
	KUNIT_EXPECT_GT(test, lists.n, 1000);
	KUNIT_EXPECT_GT(test, leaves.n, 1000);
	KUNIT_EXPECT_FALSE(test, lists.wrong);
	KUNIT_EXPECT_FALSE(test, leaves.wrong);
}

static struct kunit_case formats_test_cases[] = {
	KUNIT_CASE(ranges_test_example),
	KUNIT_CASE(ranges_test_units),
	KUNIT_CASE(ranges_test_empty),
	KUNIT_CASE(ranges_test_malformed),
	KUNIT_CASE(bitmap_test_example),
	KUNIT_CASE(bitmap_test_whole),
	KUNIT_CASE(bitmap_test_empty),
	KUNIT_CASE(bitmap_test_malformed),
	KUNIT_CASE(bitmap_test_cut),
	KUNIT_CASE(bitmap_test_random),
	KUNIT_CASE(bitmap_test_leaves),
	KUNIT_CASE(formats_test_garbage),
	{}
};

static struct kunit_suite formats_test_suite = {
	.name = "lmf-log-formats",
	.init = formats_test_init,
	.test_cases = formats_test_cases,
};

kunit_test_suite(formats_test_suite);
