// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ring translator against a device that is played here: what comes out is
 * what was posted, once and in order, and nonsense is refused.
 */
#include <kunit/test.h>
#include <linux/prandom.h>

#include "log_ring.h"

#define ENTRIES	8
#define SHIFT	12
#define SEED	20

struct out {
	u32 n;
	struct {
		u64 iova;
		u64 length;
	} run[64];
};

static void out_emit(void *priv, u64 iova, u64 length)
{
	struct out *out = priv;

	if (out->n < ARRAY_SIZE(out->run)) {
		out->run[out->n].iova = iova;
		out->run[out->n].length = length;
	}
	out->n++;
}

struct bench {
	struct lmf_log_entry slots[ENTRIES];
	struct lmf_ring ring;
	struct out out;
};

static void post(struct bench *b, u64 n, u64 iova, u32 granules, u16 flags)
{
	b->slots[n % ENTRIES] = (struct lmf_log_entry) {
		.iova = cpu_to_le64(iova),
		.granules = cpu_to_le32(granules),
		.flags = cpu_to_le16(flags),
		.phase = cpu_to_le16(!((n / ENTRIES) & 1)),
	};
}

static int drain(struct bench *b, u32 budget)
{
	b->out.n = 0;
	return lmf_ring_drain(&b->ring, budget, out_emit, &b->out);
}

static void expect_run(struct kunit *test, u32 i, u64 iova, u64 length)
{
	struct bench *b = test->priv;

	KUNIT_EXPECT_EQ(test, b->out.run[i].iova, iova);
	KUNIT_EXPECT_EQ(test, b->out.run[i].length, length);
}

static int ring_test_init(struct kunit *test)
{
	struct bench *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, b);
	b->ring = (struct lmf_ring) {
		.slots = b->slots,
		.entries = ENTRIES,
		.shift = SHIFT,
	};
	test->priv = b;
	return 0;
}

/* The bytes of the example in lmf_log.h. */
static void ring_test_example(struct kunit *test)
{
	static const u8 bytes[16] = {
		0x00, 0xf0, 0x07, 0, 0, 0, 0, 0, 0x03, 0, 0, 0, 0, 0, 0, 0,
	};
	struct bench *b = test->priv;
	struct lmf_log_entry *slots;

	slots = kunit_kcalloc(test, 64, sizeof(*slots), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, slots);
	slots[1].phase = cpu_to_le16(1);
	memcpy(slots, bytes, sizeof(bytes));
	b->ring.slots = slots;
	b->ring.entries = 64;
	b->ring.consumed = 64;
	KUNIT_ASSERT_EQ(test, drain(b, 64), 1);
	expect_run(test, 0, 0x7f000, 0x3000);
	KUNIT_EXPECT_EQ(test, b->ring.consumed, 65);
}

static void ring_test_empty(struct kunit *test)
{
	struct bench *b = test->priv;

	KUNIT_EXPECT_EQ(test, drain(b, ENTRIES), 0);
	KUNIT_EXPECT_EQ(test, b->ring.consumed, 0);
}

static void ring_test_budget(struct kunit *test)
{
	struct bench *b = test->priv;
	u64 n;

	for (n = 0; n < 5; n++)
		post(b, n, n << SHIFT, 1, 0);
	KUNIT_EXPECT_EQ(test, drain(b, 0), 0);
	KUNIT_EXPECT_EQ(test, drain(b, 3), 3);
	KUNIT_EXPECT_EQ(test, drain(b, 8), 2);
	expect_run(test, 0, 3 << SHIFT, 1 << SHIFT);
	KUNIT_EXPECT_EQ(test, drain(b, 8), 0);
}

/* A full ring, whatever the pass: never more than was posted. */
static void ring_test_wrap(struct kunit *test)
{
	struct bench *b = test->priv;
	u64 n = 0;
	int pass, i;

	for (pass = 0; pass < 5; pass++) {
		for (i = 0; i < ENTRIES; i++, n++)
			post(b, n, n << SHIFT, 2, 0);
		KUNIT_ASSERT_EQ(test, drain(b, 100), ENTRIES);
		for (i = 0; i < ENTRIES; i++)
			expect_run(test, i, (n - ENTRIES + i) << SHIFT,
				   2 << SHIFT);
		KUNIT_EXPECT_EQ(test, b->ring.consumed, n);
	}
}

/* Counts are longer than 32 bits. */
static void ring_test_long(struct kunit *test)
{
	struct bench *b = test->priv;
	u64 start = (1ull << 32) - 3, n;

	for (n = start - ENTRIES; n < start; n++)
		post(b, n, 0, 1, 0);
	b->ring.consumed = start;
	for (n = start; n < start + 6; n++)
		post(b, n, n << SHIFT, 1, 0);
	KUNIT_ASSERT_EQ(test, drain(b, 100), 6);
	KUNIT_EXPECT_EQ(test, b->ring.consumed, (1ull << 32) + 3);
	expect_run(test, 5, (start + 5) << SHIFT, 1 << SHIFT);
}

static void ring_test_coarse(struct kunit *test)
{
	struct bench *b = test->priv;

	post(b, 0, 0, 1, 0);
	post(b, 1, 0, U32_MAX, LMF_LOG_COARSE);
	post(b, 2, 1 << SHIFT, 1, LMF_LOG_COARSE);
	KUNIT_EXPECT_EQ(test, drain(b, 8), 3);
	KUNIT_EXPECT_EQ(test, b->ring.coarse, 2);
	expect_run(test, 1, 0, (u64)U32_MAX << SHIFT);
}

/* Reserved bits beside the phase say nothing, flags might. */
static void ring_test_reserved(struct kunit *test)
{
	struct bench *b = test->priv;

	post(b, 0, 0, 1, 0);
	b->slots[0].phase |= cpu_to_le16(0xfffe);
	KUNIT_EXPECT_EQ(test, drain(b, 8), 1);
	b->slots[1].phase = cpu_to_le16(0xfffe);
	KUNIT_EXPECT_EQ(test, drain(b, 8), 0);
}

static void ring_test_malformed(struct kunit *test)
{
	static const struct {
		u64 iova;
		u32 granules;
		u16 flags;
		u8 shift;
	} bad[] = {
		{ 0x1000, 0, 0, SHIFT },
		{ 0x1001, 1, 0, SHIFT },
		{ 0x1800, 1, 0, SHIFT },
		{ 0x11000, 1, 0, 16 },
		{ 0x1000, 1, 2, SHIFT },
		{ 0x1000, 1, 0x8000, SHIFT },
		{ 0xfffffffffffff000, 2, 0, SHIFT },
		{ 0x8000000100000000, U32_MAX, 0, 31 },
	};
	struct bench *b;
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ring_test_init(test);
		b = test->priv;
		b->ring.shift = bad[i].shift;
		post(b, 0, 0, 1, 0);
		post(b, 1, bad[i].iova, bad[i].granules, bad[i].flags);
		post(b, 2, 0, 1, 0);
		KUNIT_EXPECT_EQ_MSG(test, drain(b, 8), -EBADMSG, "case %d", i);
		KUNIT_EXPECT_EQ(test, b->out.n, 1);
		KUNIT_EXPECT_EQ(test, b->ring.consumed, 1);
		KUNIT_EXPECT_EQ(test, drain(b, 8), -EBADMSG);
		KUNIT_EXPECT_EQ(test, b->out.n, 0);
	}
}

/* What just fits below the end of the address space. */
static void ring_test_top(struct kunit *test)
{
	struct bench *b = test->priv;

	post(b, 0, 0xfffffffffffff000, 1, 0);
	KUNIT_EXPECT_EQ(test, drain(b, 8), 1);
	expect_run(test, 0, 0xfffffffffffff000, 0x1000);
	b->ring.shift = 31;
	post(b, 1, 0x8000000080000000, U32_MAX, 0);
	KUNIT_EXPECT_EQ(test, drain(b, 8), 1);
	expect_run(test, 0, 0x8000000080000000, (u64)U32_MAX << 31);
}

/* A producer and a consumer that take turns at random. */
static void ring_test_random(struct kunit *test)
{
	struct bench *b = test->priv;
	u64 produced = 0, checked = 0;
	struct rnd_state rnd;
	int turn, ret, i;

	prandom_seed_state(&rnd, SEED);
	for (turn = 0; turn < 100000; turn++) {
		i = prandom_u32_state(&rnd) % (ENTRIES + 1);
		while (i-- && produced < b->ring.consumed + ENTRIES) {
			post(b, produced, produced << SHIFT, 1, 0);
			produced++;
		}
		ret = drain(b, prandom_u32_state(&rnd) % (ENTRIES + 1));
		KUNIT_ASSERT_EQ(test, ret, b->out.n);
		for (i = 0; i < ret; i++, checked++)
			KUNIT_ASSERT_EQ(test, b->out.run[i].iova,
					checked << SHIFT);
		KUNIT_ASSERT_LE(test, checked, produced);
	}
	drain(b, ENTRIES);
	KUNIT_EXPECT_EQ(test, b->ring.consumed, produced);
}

static struct kunit_case ring_test_cases[] = {
	KUNIT_CASE(ring_test_example),
	KUNIT_CASE(ring_test_empty),
	KUNIT_CASE(ring_test_budget),
	KUNIT_CASE(ring_test_wrap),
	KUNIT_CASE(ring_test_long),
	KUNIT_CASE(ring_test_coarse),
	KUNIT_CASE(ring_test_reserved),
	KUNIT_CASE(ring_test_malformed),
	KUNIT_CASE(ring_test_top),
	KUNIT_CASE(ring_test_random),
	{}
};

static struct kunit_suite ring_test_suite = {
	.name = "lmf-log-ring",
	.init = ring_test_init,
	.test_cases = ring_test_cases,
};

kunit_test_suite(ring_test_suite);
