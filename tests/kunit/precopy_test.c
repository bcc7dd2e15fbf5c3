// SPDX-License-Identifier: GPL-2.0-only
/*
 * The estimates, against a device and a reader that are played here.
 */
#include <kunit/test.h>
#include <linux/prandom.h>

#include "precopy.h"
#include "stream.h"

#define SEED		11
#define CHUNK		4096U
#define CHUNK_MIN	512U
#define IDENTITY	56U
#define HEADER		sizeof(struct lmf_record)

static const struct lmf_vf_caps caps = {
	.state_max = 1 << 20,
	.trailer_max = 8192,
	.chunk_min = CHUNK_MIN,
	.chunk_max = 1 << 16,
};

/**
 * struct play - a device and what the reader has not read
 * @p: under test
 * @left: the device's truth
 * @unread: in the window
 */
struct play {
	struct lmf_precopy p;
	struct lmf_save_left left;
	struct lmf_unread unread;
};

static void play_begin(struct play *d, u64 initial, u64 dirty, u64 trailer)
{
	*d = (struct play) {
		.left = {
			.initial = initial,
			.dirty = dirty,
			.trailer = trailer,
		},
	};
	lmf_precopy_init(&d->p, &caps, CHUNK);
	lmf_precopy_left(&d->p, &d->left);
}

/* The device gives a chunk of at most @most bytes. Returns its bytes. */
static u32 play_chunk(struct play *d, u32 most, bool final)
{
	struct lmf_chunk chunk = {};
	u32 initial, n;

	n = min_t(u64, d->left.initial, most);
	d->left.initial -= n;
	chunk.bytes = n;
	n = min_t(u64, d->left.dirty, most - chunk.bytes);
	d->left.dirty -= n;
	chunk.bytes += n;
	n = final ? min_t(u64, d->left.trailer, most - chunk.bytes) : 0;
	d->left.trailer -= n;
	chunk.bytes += n;
	chunk.left = d->left;
	initial = lmf_precopy_chunk(&d->p, &chunk);
	if (chunk.bytes)
		lmf_precopy_unread(&d->unread, chunk.bytes + HEADER, initial,
				   0);
	return chunk.bytes;
}

static void play_read_all(struct play *d)
{
	d->unread = (struct lmf_unread) {};
}

static void play_info(struct play *d, u64 *initial, u64 *dirty)
{
	lmf_precopy_info(&d->p, &d->unread, initial, dirty);
}

/* initial_bytes is not 0 at first, never rises, and is 0 at the right time. */
/* points: 13 */
static void precopy_test_initial(struct kunit *test)
{
	u64 initial, dirty, last = U64_MAX;
	struct play d;

	play_begin(&d, 100000, 0, 500);
	do {
		play_info(&d, &initial, &dirty);
		KUNIT_EXPECT_LE(test, initial, last);
		KUNIT_EXPECT_GT(test, initial, 0ULL);
		KUNIT_EXPECT_EQ(test, dirty, 0ULL);
		last = initial;
		play_read_all(&d);
	} while (play_chunk(&d, CHUNK, false) && d.left.initial);
	play_info(&d, &initial, &dirty);
	KUNIT_EXPECT_GT(test, initial, 0ULL);
	play_read_all(&d);
	play_info(&d, &initial, &dirty);
	KUNIT_EXPECT_EQ(test, initial, 0ULL);
	KUNIT_EXPECT_EQ(test, dirty, 0ULL);
}

/* Segments are whole, so a chunk need not be quite full; IDENTITY is alone. */
static void play_segments(struct kunit *test, u32 seg, u32 n)
{
	u64 initial, dirty, left = IDENTITY + HEADER + n * seg +
				   DIV_ROUND_UP(n, CHUNK / seg) * HEADER;
	struct play d;

	play_begin(&d, IDENTITY + n * seg, 0, 500);
	KUNIT_EXPECT_FALSE(test, lmf_precopy_settled(&d.p));
	play_info(&d, &initial, &dirty);
	KUNIT_EXPECT_GE(test, initial, left);
	play_chunk(&d, IDENTITY, false);
	play_info(&d, &initial, &dirty);
	KUNIT_EXPECT_GE(test, initial, left);
	KUNIT_EXPECT_EQ(test, lmf_precopy_settled(&d.p), !n);
	do {
		play_chunk(&d, CHUNK / seg * seg, false);
		play_info(&d, &initial, &dirty);
		KUNIT_EXPECT_TRUE(test, lmf_precopy_settled(&d.p));
		KUNIT_EXPECT_EQ_MSG(test, initial, left, "%u of %u", n, seg);
		left -= d.unread.initial;
		play_read_all(&d);
	} while (d.left.initial);
	play_info(&d, &initial, &dirty);
	KUNIT_EXPECT_EQ(test, initial, 0ULL);
	KUNIT_EXPECT_EQ(test, left, 0ULL);
}

/* It is exactly what can be read once a chunk was seen, and before no less. */
/* points: 13 */
static void precopy_test_exact(struct kunit *test)
{
	u32 n;

	for (n = 0; n < 80; n++) {
		play_segments(test, CHUNK / 8, n);
		play_segments(test, 600, n);
	}
}

/* Of unequal chunks the smallest counts, but never less than chunk_min. */
static void precopy_test_unequal(struct kunit *test)
{
	u64 initial, dirty;
	struct play d;

	play_begin(&d, 100000, 5000, 500);
	play_chunk(&d, IDENTITY, false);
	play_chunk(&d, 1000, false);
	play_chunk(&d, 3000, false);
	play_info(&d, &initial, &dirty);
	KUNIT_EXPECT_EQ(test, dirty, 5000 + 5 * HEADER);
	play_chunk(&d, 100, false);
	play_info(&d, &initial, &dirty);
	/* All that is left is told, though the first may not rise. */
	KUNIT_EXPECT_EQ(test, initial + dirty, d.unread.initial +
			d.left.initial + 5000 +
			(DIV_ROUND_UP(d.left.initial, CHUNK_MIN) +
			 DIV_ROUND_UP(5000, CHUNK_MIN)) * HEADER);
}

/* Short chunks mean more headers; it still does not rise, and ends at 0. */
/* points: 13 */
static void precopy_test_short_chunks(struct kunit *test)
{
	u64 initial, dirty, last = U64_MAX;
	struct rnd_state rnd;
	struct play d;

	prandom_seed_state(&rnd, SEED);
	play_begin(&d, 200000, 0, 500);
	while (d.left.initial) {
		play_chunk(&d, 64 + prandom_u32_state(&rnd) % 400, false);
		play_info(&d, &initial, &dirty);
		KUNIT_EXPECT_LE(test, initial, last);
		KUNIT_EXPECT_GT(test, initial, 0ULL);
		last = initial;
		if (prandom_u32_state(&rnd) & 1)
			play_read_all(&d);
	}
	play_read_all(&d);
	play_info(&d, &initial, &dirty);
	KUNIT_EXPECT_EQ(test, initial, 0ULL);
	KUNIT_EXPECT_EQ(test, dirty, 0ULL);
}

/* A device that finds more to do does not make initial_bytes rise. */
/* points: 13 */
static void precopy_test_never_rises(struct kunit *test)
{
	struct lmf_save_left more = { .initial = 900000 };
	u64 before, after, dirty;
	struct play d;

	play_begin(&d, 100000, 0, 0);
	play_info(&d, &before, &dirty);
	lmf_precopy_left(&d.p, &more);
	play_info(&d, &after, &dirty);
	KUNIT_EXPECT_EQ(test, after, before);
	/* But it is told: nobody may take this for the end. */
	KUNIT_EXPECT_GT(test, after + dirty, more.initial);
}

/* points: 13, 15 */
static void precopy_test_dirty(struct kunit *test)
{
	u64 initial, dirty, was;
	struct play d;

	play_begin(&d, 2 * CHUNK, 0, 500);
	while (play_chunk(&d, CHUNK, false))
		;
	play_read_all(&d);
	d.left.dirty = 3 * CHUNK;
	lmf_precopy_left(&d.p, &d.left);
	play_info(&d, &initial, &was);
	KUNIT_EXPECT_EQ(test, was, 3 * (CHUNK + HEADER));
	KUNIT_EXPECT_EQ(test, initial, 0ULL);

	/* What is on its way to the reader is still there. */
	play_chunk(&d, CHUNK, false);
	play_info(&d, &initial, &dirty);
	KUNIT_EXPECT_EQ(test, dirty, was);
	play_read_all(&d);
	play_info(&d, &initial, &dirty);
	KUNIT_EXPECT_EQ(test, dirty, 2 * (CHUNK + HEADER));
	KUNIT_EXPECT_EQ(test, initial, 0ULL);
}

/* Of a mixed chunk the initial part is read first. */
static void precopy_test_mixed(struct kunit *test)
{
	struct lmf_unread sum = {};
	struct lmf_chunk chunk = { .bytes = 300 };
	struct play d;
	u32 initial;

	play_begin(&d, 1000, 0, 0);
	play_chunk(&d, 900, false);
	initial = lmf_precopy_chunk(&d.p, &chunk);
	KUNIT_EXPECT_EQ(test, initial, 100 + (u32)HEADER);
	lmf_precopy_unread(&sum, 300 + HEADER, initial, 50);
	KUNIT_EXPECT_EQ(test, sum.initial, 50 + HEADER);
	KUNIT_EXPECT_EQ(test, sum.dirty, 200ULL);
	sum = (struct lmf_unread) {};
	lmf_precopy_unread(&sum, 300 + HEADER, initial, 200);
	KUNIT_EXPECT_EQ(test, sum.initial, 0ULL);
	KUNIT_EXPECT_EQ(test, sum.dirty, 100 + HEADER);
}

/* The identity belongs to the first pass, whatever the device counts. */
static void precopy_test_identity(struct kunit *test)
{
	struct lmf_chunk chunk = {
		.bytes = IDENTITY,
		.left = { .initial = 1000 },
	};
	struct play d;

	play_begin(&d, 1000, 0, 0);
	KUNIT_EXPECT_EQ(test, lmf_precopy_chunk(&d.p, &chunk),
			IDENTITY + (u32)HEADER);
}

/* The trailer is in neither estimate, but in the size. */
/* points: 16 */
static void precopy_test_trailer(struct kunit *test)
{
	u64 initial, dirty;
	struct play d;

	play_begin(&d, 0, 0, 700);
	play_chunk(&d, IDENTITY, false);
	play_info(&d, &initial, &dirty);
	KUNIT_EXPECT_EQ(test, initial, 0ULL);
	KUNIT_EXPECT_EQ(test, dirty, 0ULL);
	KUNIT_EXPECT_EQ(test, lmf_precopy_trailer(&d.p), 700 + HEADER);
	KUNIT_EXPECT_GE(test, lmf_precopy_data_size(&d.p, &d.unread, 0),
			700 + HEADER);
}

/* A device's nonsense stays within what its capabilities allow. */
static void precopy_test_nonsense(struct kunit *test)
{
	static const struct lmf_save_left all = { ~0ULL, ~0ULL, ~0ULL };
	u64 initial, dirty, size;
	struct play d;

	play_begin(&d, 0, 0, 0);
	lmf_precopy_left(&d.p, &all);
	play_info(&d, &initial, &dirty);
	size = lmf_precopy_data_size(&d.p, &d.unread, 0);
	KUNIT_EXPECT_LE(test, initial, 2 * caps.state_max);
	KUNIT_EXPECT_LE(test, dirty, 2 * caps.state_max);
	KUNIT_EXPECT_LE(test, size, 4 * caps.state_max);
}

/*
 * Save to the end in chunks of random size. Returns the bytes sent; @total, if
 * not 0, is what that will be.
 */
static u64 play_save(struct kunit *test, u64 total)
{
	u64 size, last = U64_MAX, sent = 0;
	struct rnd_state rnd;
	struct play d;
	u32 n, most;

	prandom_seed_state(&rnd, SEED);
	play_begin(&d, 117 * CHUNK_MIN + IDENTITY, 0, 5 * CHUNK_MIN);
	do {
		size = lmf_precopy_data_size(&d.p, &d.unread,
					     sizeof(struct lmf_end_record));
		KUNIT_EXPECT_LE(test, size, last);
		if (total)
			KUNIT_EXPECT_GE(test, size, total - sent);
		last = size;
		most = CHUNK_MIN + prandom_u32_state(&rnd) % CHUNK;
		n = play_chunk(&d, sent ? most : IDENTITY, !d.left.initial);
		play_read_all(&d);
		sent += n ? n + HEADER : 0;
	} while (n);
	KUNIT_EXPECT_EQ(test, lmf_precopy_data_size(&d.p, &d.unread, 0), 1ULL);
	return sent + sizeof(struct lmf_end_record);
}

/* MIG_DATA_SIZE: never too low for chunks that fill, shrinking, never 0. */
/* points: 16 */
static void precopy_test_size(struct kunit *test)
{
	play_save(test, play_save(test, 0));
}

/* points: 16 */
static void precopy_test_bound(struct kunit *test)
{
	struct play d;

	play_begin(&d, caps.state_max, 0, 0);
	KUNIT_EXPECT_GE(test, lmf_precopy_bound(&caps, 88),
			lmf_precopy_data_size(&d.p, &d.unread, 88));
}

/* Several GiB, which 32 bits do not count. */
static void precopy_test_large(struct kunit *test)
{
	static const struct lmf_vf_caps large = {
		.state_max = 1ULL << 34,
		.chunk_min = CHUNK_MIN,
	};
	const struct lmf_save_left left = {
		.initial = 5ULL << 30, .dirty = 3ULL << 30,
	};
	struct lmf_unread unread = {};
	u64 initial, dirty;
	struct lmf_precopy p;

	lmf_precopy_init(&p, &large, CHUNK);
	lmf_precopy_left(&p, &left);
	lmf_precopy_info(&p, &unread, &initial, &dirty);
	KUNIT_EXPECT_GT(test, initial, left.initial);
	KUNIT_EXPECT_GT(test, dirty, left.dirty);
	KUNIT_EXPECT_GE(test, lmf_precopy_data_size(&p, &unread, 0),
			initial + dirty);
}

/* initial_bytes may rise for who is told of it, once, and for nobody else. */
/* points: 14 */
static void precopy_test_reinit(struct kunit *test)
{
	u64 first, initial, dirty;
	struct play d;

	play_begin(&d, 8 * CHUNK, 0, 0);
	KUNIT_EXPECT_FALSE(test, lmf_precopy_reinit(&d.p));
	lmf_precopy_info(&d.p, &d.unread, &first, &dirty);
	play_chunk(&d, 4 * CHUNK, false);
	play_chunk(&d, 4 * CHUNK, false);
	d.unread = (struct lmf_unread) {};
	lmf_precopy_info(&d.p, &d.unread, &initial, &dirty);
	KUNIT_EXPECT_EQ(test, initial, 0);
	KUNIT_EXPECT_FALSE(test, lmf_precopy_reinit(&d.p));

	d.left.initial = 8 * CHUNK;
	lmf_precopy_left(&d.p, &d.left);
	lmf_precopy_info(&d.p, &d.unread, &initial, &dirty);
	KUNIT_EXPECT_EQ(test, initial, 0);
	KUNIT_EXPECT_TRUE(test, lmf_precopy_reinit(&d.p));
	lmf_precopy_info(&d.p, &d.unread, &initial, &dirty);
	/* The identity does not come again. */
	KUNIT_EXPECT_EQ(test, initial, first - HEADER);
	KUNIT_EXPECT_FALSE(test, lmf_precopy_reinit(&d.p));
}

static struct kunit_case precopy_test_cases[] = {
	KUNIT_CASE(precopy_test_initial),
	KUNIT_CASE(precopy_test_exact),
	KUNIT_CASE(precopy_test_unequal),
	KUNIT_CASE(precopy_test_short_chunks),
	KUNIT_CASE(precopy_test_never_rises),
	KUNIT_CASE(precopy_test_reinit),
	KUNIT_CASE(precopy_test_dirty),
	KUNIT_CASE(precopy_test_mixed),
	KUNIT_CASE(precopy_test_identity),
	KUNIT_CASE(precopy_test_trailer),
	KUNIT_CASE(precopy_test_nonsense),
	KUNIT_CASE(precopy_test_size),
	KUNIT_CASE(precopy_test_bound),
	KUNIT_CASE(precopy_test_large),
	{}
};

static struct kunit_suite precopy_test_suite = {
	.name = "lmf-precopy",
	.test_cases = precopy_test_cases,
};

kunit_test_suite(precopy_test_suite);
