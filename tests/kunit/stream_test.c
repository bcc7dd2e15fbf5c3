// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stream format: what the writer makes, the reader takes, however it is
 * cut; anything else is refused, stays refused, and reaches no sink that was
 * not given.
 *
 * Streams are made by a builder of the test's own, with a CRC of its own, so
 * that writer and reader cannot agree on the same mistake.
 */
#include <kunit/test.h>
#include <linux/prandom.h>

#include "crc.h"
#include "stream.h"

#define SEED		4
#define LIMIT		4096
#define MOST		(64 << 10)
#define HEADER		sizeof(struct lmf_record)
#define HEAD_BYTES	sizeof(struct lmf_stream_head)

/*
 * A stream of version 1.0 as it must be for ever: HEAD with chunk_max 16, a
 * chunk "identity", a chunk of the bytes 0 to 15, END. Made by hand.
 */
static const u8 golden[] = {
	0x01, 0x00, 0x00, 0x00, 0x18, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x5d, 0x1f, 0xc4, 0x09,
	0x4c, 0x4d, 0x46, 0x53, 0x54, 0x52, 0x4d, 0x00,
	0x01, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x02, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00,
	0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x8e, 0xfd, 0xa4, 0xbd,
	0x69, 0x64, 0x65, 0x6e, 0x74, 0x69, 0x74, 0x79,
	0x02, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00,
	0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x91, 0x34, 0x98, 0x93,
	0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
	0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f,
	0x03, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00,
	0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x7b, 0xf6, 0x41, 0xbe,
	0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x18, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

/**
 * struct bench - a stream under construction, and what a reader made of it
 * @bytes: stream
 * @len: of it
 * @seq: of the next record
 * @states: STATE records built
 * @state_bytes: of their payload
 * @reader: reader
 * @sink: for it; the guard behind it must stay
 * @chunks: STATE events
 * @digest: of all chunks that the reader gave
 * @ended: END came
 * @err: why it was refused
 */
struct bench {
	u8 bytes[MOST];
	size_t len;
	u64 seq;
	u64 states;
	u64 state_bytes;
	struct lmf_stream_reader reader;
	u8 sink[LIMIT];
	u8 guard[64];
	u32 chunks;
	u32 digest;
	bool ended;
	int err;
};

/* A record stands where the one before it ends, aligned or not. */
struct image {
	struct lmf_record rec;
	u8 payload[];
} __packed;

static struct image *image_at(struct bench *b, size_t at)
{
	return (struct image *)(b->bytes + at);
}

/* Set the CRC of the record at @at, as if it had @length bytes of payload. */
static void seal_as(struct bench *b, size_t at, u32 length)
{
	struct image *image = image_at(b, at);
	u32 c = crc(~0U, image, offsetof(struct lmf_record, crc));

	image->rec.crc = cpu_to_le32(~crc(c, image->payload, length));
}

static void seal(struct bench *b, size_t at)
{
	seal_as(b, at, le32_to_cpu(image_at(b, at)->rec.length));
}

static size_t put(struct bench *b, u16 type, u16 flags, const void *payload,
		  u32 length)
{
	struct lmf_record rec = {
		.type = cpu_to_le16(type),
		.flags = cpu_to_le16(flags),
		.length = cpu_to_le32(length),
		.seq = cpu_to_le64(b->seq++),
	};
	size_t at = b->len;

	memcpy(b->bytes + at, &rec, HEADER);
	memcpy(b->bytes + at + HEADER, payload, length);
	b->len += HEADER + length;
	seal(b, at);
	return at;
}

static size_t put_head(struct bench *b, u16 minor, u32 chunk_max)
{
	struct lmf_stream_head head = {
		.magic = cpu_to_le64(LMF_STREAM_MAGIC),
		.major = cpu_to_le16(LMF_STREAM_MAJOR),
		.minor = cpu_to_le16(minor),
		.chunk_max = cpu_to_le32(chunk_max),
	};

	return put(b, LMF_RECORD_HEAD, 0, &head, sizeof(head));
}

static size_t put_state(struct bench *b, u8 fill, u32 length)
{
	static u8 payload[LIMIT];

	memset(payload, fill, length);
	b->states++;
	b->state_bytes += length;
	return put(b, LMF_RECORD_STATE, 0, payload, length);
}

static size_t put_end(struct bench *b)
{
	struct lmf_stream_end end = {
		.states = cpu_to_le64(b->states),
		.bytes = cpu_to_le64(b->state_bytes),
	};

	return put(b, LMF_RECORD_END, 0, &end, sizeof(end));
}

static void rewind_bench(struct bench *b)
{
	memset(b->guard, 0xa5, sizeof(b->guard));
	b->chunks = 0;
	b->digest = ~0U;
	b->ended = false;
	b->err = 0;
	lmf_stream_reader_init(&b->reader, LIMIT);
}

static void clear(struct bench *b)
{
	b->len = 0;
	b->seq = 0;
	b->states = 0;
	b->state_bytes = 0;
	rewind_bench(b);
}

/* A place that the reader names must be its own or the sink. */
static void check_place(struct kunit *test, const struct bench *b,
			const u8 *to, size_t n)
{
	const u8 *own = (const u8 *)&b->reader;
	bool in_own = to >= own && to + n <= own + sizeof(b->reader);
	bool in_sink = to >= b->sink && to + n <= b->sink + LIMIT;

	KUNIT_ASSERT_TRUE(test, in_own || in_sink);
}

static void take_event(struct bench *b, int event)
{
	if (event == LMF_STREAM_SINK) {
		lmf_stream_sink(&b->reader, b->sink);
	} else if (event == LMF_STREAM_STATE) {
		b->chunks++;
		b->digest = crc(b->digest, b->sink, b->reader.length);
	} else if (event == LMF_STREAM_END) {
		b->ended = true;
	} else if (event < 0) {
		b->err = event;
	}
}

/* Give the reader @n bytes, @cut at a time. Bytes past END make -E2BIG. */
static void feed(struct kunit *test, const u8 *from, size_t n, size_t cut)
{
	struct bench *b = test->priv;
	size_t want;
	void *to;

	while (n && !b->err) {
		want = lmf_stream_want(&b->reader, &to);
		if (!want) {
			b->err = -E2BIG;
			return;
		}
		want = min3(want, n, cut);
		check_place(test, b, to, want);
		memcpy(to, from, want);
		from += want;
		n -= want;
		take_event(b, lmf_stream_got(&b->reader, want));
	}
}

static void feed_all(struct kunit *test)
{
	struct bench *b = test->priv;

	rewind_bench(b);
	feed(test, b->bytes, b->len, b->len);
}

static void expect_refused(struct kunit *test, int err, const char *what)
{
	struct bench *b = test->priv;
	void *to;

	feed_all(test);
	KUNIT_EXPECT_EQ_MSG(test, b->err, err, "%s", what);
	KUNIT_EXPECT_FALSE_MSG(test, b->ended, "%s", what);
	if (err == -E2BIG)
		return;
	KUNIT_EXPECT_EQ_MSG(test, lmf_stream_got(&b->reader, 1), err, "%s",
			    what);
	KUNIT_EXPECT_EQ(test, lmf_stream_want(&b->reader, &to), (size_t)0);
}

static void expect_taken(struct kunit *test, u32 chunks)
{
	struct bench *b = test->priv;

	feed_all(test);
	KUNIT_EXPECT_EQ(test, b->err, 0);
	KUNIT_EXPECT_TRUE(test, b->ended);
	KUNIT_EXPECT_EQ(test, b->chunks, chunks);
}

/* HEAD and a chunk, without END. */
static size_t put_start(struct bench *b)
{
	clear(b);
	put_head(b, LMF_STREAM_MINOR, 256);
	return put_state(b, 1, 48);
}

static void put_usual(struct bench *b)
{
	put_start(b);
	put_state(b, 2, 256);
	put_state(b, 3, 1);
	put_end(b);
}

static int stream_test_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct bench), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, test->priv);
	clear(test->priv);
	return 0;
}

/* points: 17 */
static void stream_test_golden_in(struct kunit *test)
{
	struct bench *b = test->priv;

	memcpy(b->bytes, golden, sizeof(golden));
	b->len = sizeof(golden);
	expect_taken(test, 2);
	KUNIT_EXPECT_EQ(test, b->reader.chunk_max, 16U);
	KUNIT_EXPECT_EQ(test, b->sink[15], 15);
}

/* points: 17 */
static void stream_test_golden_out(struct kunit *test)
{
	static const u8 second[] = {
		0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	};
	struct lmf_stream_writer w = {};
	struct {
		struct lmf_head_record head;
		struct lmf_record first;
		u8 identity[8];
		struct lmf_record second;
		u8 numbers[16];
		struct lmf_end_record end;
	} __packed *out = kunit_kzalloc(test, sizeof(*out), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, out);
	memcpy(out->identity, "identity", 8);
	memcpy(out->numbers, second, 16);
	lmf_stream_put_head(&w, &out->head, 16);
	lmf_stream_put_state(&w, &out->first, out->identity, 8);
	lmf_stream_put_state(&w, &out->second, out->numbers, 16);
	lmf_stream_put_end(&w, &out->end);
	KUNIT_ASSERT_EQ(test, sizeof(*out), sizeof(golden));
	KUNIT_EXPECT_MEMEQ(test, out, golden, sizeof(golden));
}

/* However a stream is cut, the reader makes the same of it. */
/* points: 21 */
static void stream_test_cuts(struct kunit *test)
{
	static const size_t cuts[] = { 1, 2, 3, 7, 23, 24, 25, 255, 256, 4096 };
	struct bench *b = test->priv;
	u32 digest;
	int i;

	put_usual(b);
	expect_taken(test, 3);
	digest = b->digest;
	for (i = 0; i < ARRAY_SIZE(cuts); i++) {
		rewind_bench(b);
		feed(test, b->bytes, b->len, cuts[i]);
		KUNIT_EXPECT_TRUE(test, b->ended);
		KUNIT_EXPECT_EQ(test, b->chunks, 3U);
		KUNIT_EXPECT_EQ(test, b->digest, digest);
	}
}

/* No single bit may change unnoticed. */
/* points: 20 */
static void stream_test_bit_flips(struct kunit *test)
{
	struct bench *b = test->priv;
	size_t bit, wrong = 0;

	put_usual(b);
	for (bit = 0; bit < b->len * 8; bit++) {
		b->bytes[bit / 8] ^= 1 << bit % 8;
		feed_all(test);
		wrong += b->ended;
		b->bytes[bit / 8] ^= 1 << bit % 8;
	}
	KUNIT_EXPECT_EQ(test, wrong, (size_t)0);
}

/* A chunk whose CRC is wrong is never called complete. */
/* points: 20 */
static void stream_test_bad_chunk_is_kept_back(struct kunit *test)
{
	struct bench *b = test->priv;
	size_t at;

	at = put_start(b);
	b->bytes[at + HEADER + 20] ^= 0x10;
	expect_refused(test, -EBADMSG, "payload");
	KUNIT_EXPECT_EQ(test, b->chunks, 0U);
}

/* points: 19 */
static void stream_test_truncated(struct kunit *test)
{
	struct bench *b = test->priv;
	size_t n, len;

	put_usual(b);
	len = b->len;
	for (n = 0; n < len; n++) {
		b->len = n;
		feed_all(test);
		KUNIT_EXPECT_FALSE(test, b->ended);
		KUNIT_EXPECT_EQ(test, b->err, 0);
	}
}

/* points: 19 */
static void stream_test_after_end(struct kunit *test)
{
	struct bench *b = test->priv;

	put_usual(b);
	b->bytes[b->len++] = 0;
	feed_all(test);
	KUNIT_EXPECT_TRUE(test, b->ended);
	KUNIT_EXPECT_EQ(test, b->err, -E2BIG);
	KUNIT_EXPECT_EQ(test, lmf_stream_got(&b->reader, 1), -EINVAL);
}

/* points: 19, 20 */
static void stream_test_order(struct kunit *test)
{
	struct bench *b = test->priv;
	size_t at;

	clear(b);
	put_state(b, 1, 8);
	expect_refused(test, -EBADMSG, "no HEAD");

	put_start(b);
	put_head(b, 0, 256);
	expect_refused(test, -EBADMSG, "second HEAD");

	at = put_start(b);
	image_at(b, at)->rec.seq = cpu_to_le64(2);
	seal(b, at);
	expect_refused(test, -EBADMSG, "sequence number skipped");

	put_start(b);
	b->seq--;
	put_state(b, 1, 48);
	expect_refused(test, -EBADMSG, "record twice");

	put_usual(b);
	memmove(b->bytes + 48, b->bytes + 48 + HEADER + 48,
		b->len - 48 - HEADER - 48);
	b->len -= HEADER + 48;
	expect_refused(test, -EBADMSG, "record missing");
}

/* points: 17 */
static void stream_test_header_fields(struct kunit *test)
{
	struct bench *b = test->priv;
	size_t at;

	at = put_start(b);
	image_at(b, at)->rec.reserved = cpu_to_le32(1);
	seal(b, at);
	expect_refused(test, -EBADMSG, "reserved");

	at = put_start(b);
	image_at(b, at)->rec.flags = cpu_to_le16(2);
	seal(b, at);
	expect_refused(test, -EOPNOTSUPP, "unknown flag");

	at = put_start(b);
	image_at(b, at)->rec.flags = cpu_to_le16(LMF_RECORD_OPTIONAL);
	seal(b, at);
	expect_refused(test, -EBADMSG, "optional STATE");

	put_start(b);
	put(b, 9, 0, "", 0);
	expect_refused(test, -EOPNOTSUPP, "unknown mandatory type");

	put_start(b);
	put(b, 0, 0, "", 0);
	expect_refused(test, -EOPNOTSUPP, "type 0");
}

/* Lengths are judged before anything is stored: no payload follows here. */
/* points: 22 */
static void stream_test_lengths(struct kunit *test)
{
	struct bench *b = test->priv;
	size_t at;

	at = put_start(b);
	image_at(b, at)->rec.length = 0;
	expect_refused(test, -EBADMSG, "empty chunk");

	at = put_start(b);
	image_at(b, at)->rec.length = cpu_to_le32(257);
	expect_refused(test, -EBADMSG, "longer than announced");

	at = put_start(b);
	image_at(b, at)->rec.length = cpu_to_le32(~0U);
	expect_refused(test, -EBADMSG, "4 GiB");

	put_start(b);
	at = put(b, 9, LMF_RECORD_OPTIONAL, "", 0);
	image_at(b, at)->rec.length = cpu_to_le32(LMF_RECORD_MAX + 1);
	expect_refused(test, -EBADMSG, "optional, above LMF_RECORD_MAX");

	at = put_start(b);
	image_at(b, 0)->rec.length = cpu_to_le32(HEAD_BYTES - 1);
	expect_refused(test, -EBADMSG, "short HEAD");

	/* Sealed as if the rest of END were looked at. */
	put_start(b);
	at = put_end(b);
	image_at(b, at)->rec.length = cpu_to_le32(8);
	seal_as(b, at, sizeof(struct lmf_stream_end));
	expect_refused(test, -EBADMSG, "short END");
}

static struct lmf_stream_head *head_of(struct bench *b)
{
	return (struct lmf_stream_head *)(b->bytes + HEADER);
}

/* points: 17, 22 */
static void stream_test_head(struct kunit *test)
{
	struct bench *b = test->priv;

	put_usual(b);
	head_of(b)->magic = 0;
	seal(b, 0);
	expect_refused(test, -EBADMSG, "magic");

	put_usual(b);
	head_of(b)->major = cpu_to_le16(LMF_STREAM_MAJOR + 1);
	seal(b, 0);
	expect_refused(test, -EOPNOTSUPP, "major version");

	put_usual(b);
	head_of(b)->reserved = cpu_to_le64(1);
	seal(b, 0);
	expect_refused(test, -EBADMSG, "reserved");

	put_usual(b);
	head_of(b)->chunk_max = 0;
	seal(b, 0);
	expect_refused(test, -EBADMSG, "chunk_max 0");

	put_usual(b);
	head_of(b)->chunk_max = cpu_to_le32(LIMIT + 1);
	seal(b, 0);
	expect_refused(test, -EOPNOTSUPP, "chunks beyond what we take");

	put_usual(b);
	head_of(b)->chunk_max = cpu_to_le32(LIMIT);
	seal(b, 0);
	expect_taken(test, 3);
}

/* points: 19 */
static void stream_test_end_counts(struct kunit *test)
{
	struct bench *b = test->priv;

	put_start(b);
	b->states++;
	put_end(b);
	expect_refused(test, -EBADMSG, "count of records");

	put_start(b);
	b->state_bytes--;
	put_end(b);
	expect_refused(test, -EBADMSG, "count of bytes");
}

/* A newer minor version: longer HEAD and END, records that we do not know. */
/* points: 17 */
static void stream_test_newer(struct kunit *test)
{
	static const u8 tail[1024] = { 1, 2, 3 };
	struct bench *b = test->priv;
	u8 longer[128] = {};
	size_t at;
	u16 minor;

	for (minor = 0; minor < 2; minor++) {
		clear(b);
		put_head(b, LMF_STREAM_MINOR + minor, 256);
		memcpy(longer, head_of(b), sizeof(struct lmf_stream_head));
		clear(b);
		put(b, LMF_RECORD_HEAD, 0, longer, sizeof(longer));
		put_state(b, 1, 256);
		at = b->len;
		put_end(b);
		memcpy(longer, b->bytes + at + HEADER,
		       sizeof(struct lmf_stream_end));
		b->len = at;
		b->seq--;
		put(b, 77, LMF_RECORD_OPTIONAL, tail, sizeof(tail));
		put(b, 78, LMF_RECORD_OPTIONAL, tail, 0);
		put(b, LMF_RECORD_END, 0, longer, sizeof(longer));
		if (minor)
			expect_taken(test, 1);
		else
			expect_refused(test, -EBADMSG, "longer, but not newer");
	}
}

/* Skipped records go nowhere, but their CRC counts. */
/* points: 17, 22 */
static void stream_test_optional(struct kunit *test)
{
	static const u8 payload[LMF_STREAM_SCRATCH * 5 + 3];
	struct bench *b = test->priv;
	size_t at;

	put_start(b);
	memset(b->sink, 0xee, sizeof(b->sink));
	at = put(b, 9, LMF_RECORD_OPTIONAL, payload, sizeof(payload));
	put_state(b, 4, 100);
	put_end(b);
	expect_taken(test, 2);
	KUNIT_EXPECT_EQ(test, b->sink[100], 0xee);

	b->bytes[at + HEADER + sizeof(payload) - 1] ^= 1;
	expect_refused(test, -EBADMSG, "CRC of a skipped record");
}

static void stream_test_bad_calls(struct kunit *test)
{
	struct bench *b = test->priv;
	void *to;

	rewind_bench(b);
	KUNIT_EXPECT_EQ(test, lmf_stream_got(&b->reader, 0), -EINVAL);
	rewind_bench(b);
	KUNIT_EXPECT_EQ(test, lmf_stream_got(&b->reader, HEADER + 1), -EINVAL);

	put_start(b);
	rewind_bench(b);
	feed(test, b->bytes, 48 + HEADER, b->len);
	lmf_stream_sink(&b->reader, NULL);
	KUNIT_EXPECT_TRUE(test, lmf_stream_needs_sink(&b->reader));
	KUNIT_EXPECT_EQ(test, lmf_stream_want(&b->reader, &to), (size_t)0);
}

static void try_seal(struct bench *b, size_t at)
{
	if (le32_to_cpu(image_at(b, at)->rec.length) <= b->len - at - HEADER)
		seal(b, at);
}

/* Sound streams with wild changes, CRCs made right again or not. */
/* points: 23 */
static void stream_test_fuzz(struct kunit *test)
{
	struct bench *b = test->priv;
	struct rnd_state rnd;
	u32 round, i, ended = 0;

	prandom_seed_state(&rnd, SEED);
	for (round = 0; round < 4000; round++) {
		put_usual(b);
		for (i = prandom_u32_state(&rnd) % 3; i; i--)
			b->bytes[prandom_u32_state(&rnd) % b->len] =
				prandom_u32_state(&rnd);
		if (prandom_u32_state(&rnd) & 1)
			try_seal(b, 48);
		rewind_bench(b);
		feed(test, b->bytes, b->len,
		     1 + prandom_u32_state(&rnd) % 300);
		ended += b->ended;
		KUNIT_ASSERT_FALSE(test, b->ended && b->err);
	}
	/* Some rounds change nothing. */
	KUNIT_EXPECT_GT(test, ended, 500U);
	KUNIT_EXPECT_LT(test, ended, 4000U);
	KUNIT_EXPECT_EQ(test, b->guard[0], 0xa5);
}

static struct kunit_case stream_test_cases[] = {
	KUNIT_CASE(stream_test_golden_in),
	KUNIT_CASE(stream_test_golden_out),
	KUNIT_CASE(stream_test_cuts),
	KUNIT_CASE(stream_test_bit_flips),
	KUNIT_CASE(stream_test_bad_chunk_is_kept_back),
	KUNIT_CASE(stream_test_truncated),
	KUNIT_CASE(stream_test_after_end),
	KUNIT_CASE(stream_test_order),
	KUNIT_CASE(stream_test_header_fields),
	KUNIT_CASE(stream_test_lengths),
	KUNIT_CASE(stream_test_head),
	KUNIT_CASE(stream_test_end_counts),
	KUNIT_CASE(stream_test_newer),
	KUNIT_CASE(stream_test_optional),
	KUNIT_CASE(stream_test_bad_calls),
	KUNIT_CASE(stream_test_fuzz),
	{}
};

static struct kunit_suite stream_test_suite = {
	.name = "lmf-stream",
	.init = stream_test_init,
	.test_cases = stream_test_cases,
};

kunit_test_suite(stream_test_suite);
