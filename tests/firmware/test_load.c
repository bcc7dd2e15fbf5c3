// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading hostile bytes: each rule of the state segments broken once, and then
 * random damage for two seconds. Whatever comes, the device answers, nothing
 * but a complete state takes effect, and a reset brings the VF back.
 */
#include <time.h>

#include "stream.h"
#include "tap.h"

#define FUZZ_SECONDS	2

/* A valid state with a bit of everything. */
static struct bed *load_bed(struct stream *stream)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_vf_cmd nop = { .opcode = LMF_VF_OP_NOP };
	unsigned int i;

	bed_queue_on(bed, 0, 0, 16);
	bed_queue_on(bed, 0, 1, 16);
	if (bed_write(bed, 0, 4096, 0x42, 3 * 4096))
		tap_failed = true;
	bed_fault(bed, "io-delay=0:1000");
	for (i = 0; i < 3; i++)
		bed_io_submit(bed, 0, i % 2, &nop);
	bed_run(bed);
	bed_io_submit(bed, 0, 0, &nop);
	if (save_all(bed, 0, stream))
		tap_failed = true;
	bed_fault(bed, "none");
	return bed;
}

static struct lmf_seg *find(const struct stream *stream, uint16_t type)
{
	struct lmf_seg *seg;
	unsigned int i;

	for (i = 0; (seg = stream_seg(stream, i)); i++)
		if (le16_to_cpu(seg->type) == type)
			return seg;
	return NULL;
}

/* Loads, and answers the first error, that of COMMIT included. */
static uint16_t try_load(struct bed *bed, const struct stream *stream)
{
	uint64_t session;
	uint16_t status, end;

	bed_quiesce(bed, 1, LMF_QUIESCE_FULL);
	session = load_begin(bed, 1);
	if (!session)
		return LMF_ST_INTERNAL;
	status = load_write(bed, 1, session, stream->bytes, stream->len);
	/* Nothing but LOAD_END may follow an error. */
	if (status && load_write(bed, 1, session, stream->bytes, 64) !=
		      LMF_ST_STATE)
		return LMF_ST_INTERNAL;
	end = load_end(bed, 1, session, LMF_LOAD_COMMIT);
	if (status && end != status)
		return LMF_ST_INTERNAL;
	if (!end == !!(bed_reg(bed, 1, LMF_VF_STATUS) &
		       LMF_VF_STATUS_MEDIA_LOST))
		return LMF_ST_INTERNAL;
	return end;
}

/* Writes @value into the first segment of @type, at @at, and tries to load. */
static uint16_t break_at(uint16_t type, size_t at, uint64_t value,
			 size_t bytes)
{
	struct stream stream = { 0 };
	struct bed *bed = load_bed(&stream);
	uint16_t status;

	memcpy((uint8_t *)find(&stream, type) + at, &value, bytes);
	status = try_load(bed, &stream);
	stream_free(&stream);
	bed_free(bed);
	return status;
}

#define IN(type, field)	(sizeof(struct lmf_seg) + offsetof(struct type, field))
#define BREAK(type, struct_, field, value)				\
	break_at(type, IN(struct_, field), value,			\
		 sizeof(((struct struct_ *)0)->field))
#define BREAK_HEAD(type, field, value)					\
	break_at(type, offsetof(struct lmf_seg, field), value,		\
		 sizeof(((struct lmf_seg *)0)->field))

static void a_valid_state_loads(void)
{
	struct stream stream = { 0 };
	struct bed *bed = load_bed(&stream);

	CHECK_GOOD();
	CHECK_EQ(stream_count(&stream, LMF_SEG_MEDIA), 3);
	CHECK_EQ(stream_count(&stream, LMF_SEG_REQUEST), 3);
	CHECK_EQ(try_load(bed, &stream), LMF_ST_OK);
	stream_free(&stream);
	bed_free(bed);
}

#define BREAK_ID(field, value)						\
	BREAK(LMF_SEG_IDENTITY, lmf_seg_identity, field, value)

/* points: 18 */
static void identity_is_compared(void)
{
	CHECK_EQ(BREAK_ID(magic, 0), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_ID(version, LMF_VERSION(2, 0)), LMF_ST_MISMATCH);
	CHECK_EQ(BREAK_ID(version, LMF_VERSION(1, 9)), LMF_ST_OK);
	CHECK_EQ(BREAK_ID(caps, 1), LMF_ST_MISMATCH);
	CHECK_EQ(BREAK_ID(caps, 7), LMF_ST_MISMATCH);
	CHECK_EQ(BREAK_ID(media_bytes, 8 << 20), LMF_ST_MISMATCH);
	CHECK_EQ(BREAK_ID(max_queues, 5), LMF_ST_MISMATCH);
	CHECK_EQ(BREAK_ID(max_entries, 128), LMF_ST_MISMATCH);
	CHECK_EQ(BREAK_ID(max_bytes, 4096), LMF_ST_MISMATCH);
	CHECK_EQ(BREAK_ID(vectors, 3), LMF_ST_MISMATCH);
	CHECK_EQ(BREAK_ID(max_sges, 8), LMF_ST_MISMATCH);
	/* A device that gives more at a time; less can be taken. */
	CHECK_EQ(BREAK_ID(chunk_max, FW_CHUNK_MAX + 1), LMF_ST_MISMATCH);
	CHECK_EQ(BREAK_ID(chunk_max, 4112), LMF_ST_OK);
	CHECK_EQ(BREAK_ID(max_parked, FW_INFLIGHT + 1), LMF_ST_MISMATCH);
	CHECK_EQ(BREAK_ID(max_parked, 4), LMF_ST_OK);
	CHECK_EQ(BREAK_ID(reserved, 1), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_HEAD(LMF_SEG_IDENTITY, offset, 8), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_HEAD(LMF_SEG_IDENTITY, length, 40), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_HEAD(LMF_SEG_IDENTITY, length, 64), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_HEAD(LMF_SEG_IDENTITY, type, 2), LMF_ST_CORRUPT);
}

static void headers_are_checked(void)
{
	CHECK_EQ(BREAK_HEAD(LMF_SEG_MEDIA, length, 0), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_HEAD(LMF_SEG_MEDIA, length, 4095), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_HEAD(LMF_SEG_MEDIA, length, 0xffffffff),
		 LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_HEAD(LMF_SEG_QUEUE, length, 57), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_HEAD(LMF_SEG_QUEUE, flags, 2), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_HEAD(LMF_SEG_QUEUE, flags, LMF_SEG_OPTIONAL),
		 LMF_ST_OK);
	CHECK_EQ(BREAK_HEAD(LMF_SEG_QUEUE, type, 0), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_HEAD(LMF_SEG_QUEUE, type, 6), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_HEAD(LMF_SEG_QUEUE, type, 0xffff), LMF_ST_CORRUPT);
	/* Long enough to leave less than a header. */
	CHECK_EQ(BREAK_HEAD(LMF_SEG_END, length, 8), LMF_ST_CORRUPT);
}

static void media_is_checked(void)
{
	CHECK_EQ(BREAK_HEAD(LMF_SEG_MEDIA, offset, 512), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_HEAD(LMF_SEG_MEDIA, offset, 4 << 20), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_HEAD(LMF_SEG_MEDIA, offset, -4096ull), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_HEAD(LMF_SEG_MEDIA, offset, (4 << 20) - 4096),
		 LMF_ST_OK);
}

#define BREAK_QUEUE(field, value)					\
	BREAK(LMF_SEG_QUEUE, lmf_seg_queue, field, value)

static void queues_are_checked(void)
{
	CHECK_EQ(BREAK_HEAD(LMF_SEG_QUEUE, offset, 4), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_HEAD(LMF_SEG_QUEUE, offset, 1ull << 32),
		 LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_HEAD(LMF_SEG_QUEUE, offset, 1), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_QUEUE(sq_base, 1), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_QUEUE(cq_base, -4096ull), LMF_ST_OK);
	CHECK_EQ(BREAK_QUEUE(entries, 0), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_QUEUE(entries, 17), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_QUEUE(entries, 512), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_QUEUE(entries, 2), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_QUEUE(vector, 4), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_QUEUE(ctrl, 7), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_QUEUE(ctrl, 0), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_QUEUE(status, 0), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_QUEUE(status, 4), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_QUEUE(sq_tail, 16), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_QUEUE(sq_head, 16), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_QUEUE(cq_tail, 16), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_QUEUE(cq_head, 0x80000000), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_QUEUE(phase, 2), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_QUEUE(reserved, 1), LMF_ST_CORRUPT);
}

#define BREAK_REQUEST(field, value)					\
	BREAK(LMF_SEG_REQUEST, lmf_seg_request, field, value)

static void requests_are_checked(void)
{
	CHECK_EQ(BREAK_HEAD(LMF_SEG_REQUEST, offset, 1), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_REQUEST(queue, 4), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_REQUEST(queue, 0xffffffff), LMF_ST_CORRUPT);
	/* Queue 3 is not enabled. */
	CHECK_EQ(BREAK_REQUEST(queue, 3), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_REQUEST(done, 2), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_REQUEST(done, 0), LMF_ST_OK);
	CHECK_EQ(BREAK_REQUEST(status, 6), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_REQUEST(result, (1 << 20) + 1), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK_REQUEST(reserved, 1), LMF_ST_CORRUPT);
}

static void end_is_checked(void)
{
	CHECK_EQ(BREAK_HEAD(LMF_SEG_END, offset, 1), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK(LMF_SEG_END, lmf_seg_end, queues, 3), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK(LMF_SEG_END, lmf_seg_end, requests, 0), LMF_ST_CORRUPT);
	CHECK_EQ(BREAK(LMF_SEG_END, lmf_seg_end, media, 4), LMF_ST_CORRUPT);
}

static void add_seg(struct stream *stream, uint16_t type, uint16_t flags,
		    uint32_t length, uint8_t padding)
{
	struct lmf_seg seg = {
		.type = cpu_to_le16(type),
		.flags = cpu_to_le16(flags),
		.length = cpu_to_le32(length),
	};
	uint8_t byte = 0x11;
	uint32_t i;

	stream_append(stream, &seg, sizeof(seg));
	for (i = 0; i < length; i++)
		stream_append(stream, &byte, 1);
	for (; i % 8; i++)
		stream_append(stream, &padding, 1);
}

/* @stream with a segment of its own behind its first @before segments. */
static uint16_t try_with(const struct stream *stream, unsigned int before,
			 const struct stream *extra)
{
	struct lmf_seg *at = stream_seg(stream, before);
	size_t head = at ? (size_t)((uint8_t *)at - stream->bytes) :
			   stream->len;
	struct stream with = { 0 }, unused = { 0 };
	struct bed *bed = load_bed(&unused);
	uint16_t status;

	stream_append(&with, stream->bytes, head);
	stream_append(&with, extra->bytes, extra->len);
	stream_append(&with, stream->bytes + head, stream->len - head);
	status = try_load(bed, &with);
	stream_free(&with);
	stream_free(&unused);
	bed_free(bed);
	return status;
}

static void unknown_segments(void)
{
	static const uint32_t lengths[] = { 0, 1, 7, 8, 100, 65520, 65529,
					    100001, 200000 };
	struct stream stream = { 0 }, extra = { 0 };
	struct bed *bed = load_bed(&stream);
	unsigned int i;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		extra.len = 0;
		add_seg(&extra, 99, LMF_SEG_OPTIONAL, lengths[i], 0);
		CHECK_EQ(try_with(&stream, 1, &extra), LMF_ST_OK);
		CHECK_EQ(try_with(&stream, 3, &extra), LMF_ST_OK);
		CHECK_EQ(try_with(&stream, 0, &extra), LMF_ST_CORRUPT);
		CHECK_EQ(try_with(&stream, 100, &extra), LMF_ST_CORRUPT);
		extra.len = 0;
		add_seg(&extra, 99, LMF_SEG_OPTIONAL, lengths[i], 1);
		CHECK_EQ(try_with(&stream, 1, &extra),
			 lengths[i] % 8 ? LMF_ST_CORRUPT : LMF_ST_OK);
		extra.len = 0;
		add_seg(&extra, 99, 0, lengths[i], 0);
		CHECK_EQ(try_with(&stream, 1, &extra), LMF_ST_CORRUPT);
	}
	stream_free(&extra);
	stream_free(&stream);
	bed_free(bed);
}

static void repeated_segments(void)
{
	struct stream stream = { 0 }, extra = { 0 };
	struct bed *bed = load_bed(&stream);
	static const uint16_t once[] = { LMF_SEG_IDENTITY, LMF_SEG_QUEUE };
	struct lmf_seg *seg;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		seg = find(&stream, once[i]);
		extra.len = 0;
		stream_append(&extra, seg, stream_seg_bytes(seg));
		CHECK_EQ(try_with(&stream, 8, &extra), LMF_ST_CORRUPT);
	}
	/* END twice. */
	seg = find(&stream, LMF_SEG_END);
	extra.len = 0;
	stream_append(&extra, seg, stream_seg_bytes(seg));
	CHECK_EQ(try_with(&stream, 100, &extra), LMF_ST_CORRUPT);
	stream_free(&extra);
	stream_free(&stream);
	bed_free(bed);
}

/* The state of load_bed() has two requests of queue 0, and one of queue 1. */
static uint16_t try_requests(unsigned int more)
{
	struct stream stream = { 0 }, extra = { 0 };
	struct bed *bed = load_bed(&stream);
	struct lmf_seg *seg = find(&stream, LMF_SEG_REQUEST);
	struct lmf_seg_end *end = (void *)(find(&stream, LMF_SEG_END) + 1);
	uint16_t status;

	end->requests = cpu_to_le32(le32_to_cpu(end->requests) + more);
	while (more--)
		stream_append(&extra, seg, stream_seg_bytes(seg));
	status = try_with(&stream, 2, &extra);
	stream_free(&extra);
	stream_free(&stream);
	bed_free(bed);
	return status;
}

static void as_many_requests_as_can_be_parked(void)
{
	CHECK_EQ(try_requests(FW_INFLIGHT - 2), LMF_ST_OK);
	CHECK_EQ(try_requests(FW_INFLIGHT - 1), LMF_ST_CORRUPT);
}

static void a_later_media_segment_replaces(void)
{
	struct stream stream = { 0 };
	struct bed *bed = load_bed(&stream);
	static uint8_t media[4 << 20];
	struct lmf_seg *seg = find(&stream, LMF_SEG_MEDIA);
	struct lmf_seg *next = (void *)((uint8_t *)seg + STREAM_MEDIA);

	next->offset = seg->offset;
	memset(next + 1, 0, LMF_MEDIA_GRANULE);
	CHECK_EQ(try_load(bed, &stream), LMF_ST_OK);
	media_copy(bed, 1, media);
	CHECK_EQ(media[4096], 0);
	CHECK_EQ(media[8192], 0);
	CHECK_EQ(media[12288], 0x42);
	stream_free(&stream);
	bed_free(bed);
}

/* Every prefix is refused, at the latest by COMMIT. */
static void truncated_states(void)
{
	struct stream stream = { 0 };
	struct bed *bed = load_bed(&stream);
	size_t whole = stream.len;
	uint64_t session;

	for (stream.len = 16; stream.len < whole; stream.len += 8) {
		uint16_t status = try_load(bed, &stream);

		CHECK(status == LMF_ST_CORRUPT || status == LMF_ST_INCOMPLETE);
	}
	bed_quiesce(bed, 1, LMF_QUIESCE_FULL);
	session = load_begin(bed, 1);
	CHECK_EQ(load_write(bed, 1, session, stream.bytes, 8), LMF_ST_FIELD);
	CHECK_EQ(load_end(bed, 1, session, LMF_LOAD_COMMIT), LMF_ST_FIELD);
	stream_free(&stream);
	bed_free(bed);
}

/* points: 18 */
static void nothing_applies_before_commit(void)
{
	struct stream stream = { 0 };
	struct bed *bed = load_bed(&stream);
	uint64_t session;

	bed_quiesce(bed, 1, LMF_QUIESCE_FULL);
	session = load_begin(bed, 1);
	/* Of what the VF was before, nothing is left. */
	CHECK_EQ(bed_reg(bed, 1, LMF_VF_QUEUE(3) + LMF_VF_Q_STATUS), 0);
	CHECK_EQ(bed_reg(bed, 1, LMF_VF_QUEUE(3) + LMF_VF_Q_ENTRIES), 0);
	CHECK_EQ(load_write(bed, 1, session, stream.bytes, stream.len),
		 LMF_ST_OK);
	CHECK_EQ(bed_reg(bed, 1, LMF_VF_QUEUE(0) + LMF_VF_Q_STATUS), 0);
	CHECK_EQ(load_end(bed, 1, session, LMF_LOAD_COMMIT), LMF_ST_OK);
	CHECK_EQ(bed_reg(bed, 1, LMF_VF_QUEUE(0) + LMF_VF_Q_STATUS),
		 LMF_VF_QSTATUS_ENABLED);
	stream_free(&stream);
	bed_free(bed);
}

/* SPEC.md R104: what the VF held before a load never comes back. */
static void begin_clears_the_queues(void)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_vf_cmd io = bed_io_cmd(LMF_VF_OP_READ, 0, GUEST_DATA, 4096);
	uint64_t reg, session, writes;

	bed_queue_on(bed, 1, 0, 16);
	bed_queue_on(bed, 1, 1, 16);
	bed_fault(bed, "io-delay=1:1000");
	bed_io_submit(bed, 1, 0, &io);
	bed_run(bed);
	bed_io_submit(bed, 1, 1, &io);
	CHECK_EQ(bed_quiesce(bed, 1, LMF_QUIESCE_FULL), LMF_ST_OK);
	/* One that cannot begin costs nothing. */
	bed->fail_alloc = 1;
	CHECK_EQ(load_begin(bed, 1), 0);
	CHECK(bed_reg(bed, 1, LMF_VF_QUEUE(0) + LMF_VF_Q_STATUS));
	session = load_begin(bed, 1);
	CHECK(session);
	for (reg = LMF_VF_QUEUE(0); reg < LMF_VF_QUEUE(4); reg += 4)
		CHECK_EQ(bed_reg(bed, 1, reg), 0);
	CHECK_EQ(load_end(bed, 1, session, 0), LMF_ST_OK);
	writes = bed->guest_writes;
	CHECK_EQ(bed_quiesce(bed, 1, LMF_QUIESCE_RUN), LMF_ST_OK);
	bed_pass(bed, 10000000);
	CHECK_EQ(bed->guest_writes, writes);
	CHECK_EQ(bed->irqs[1][0] + bed->irqs[1][1], 0);
	bed_free(bed);
}

static void begin_needs_full_quiesce(void)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_admin_cmd cmd = bed_cmd(LMF_OP_LOAD_BEGIN, 0);

	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_STATE);
	bed_quiesce(bed, 0, LMF_QUIESCE_INITIATOR);
	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_STATE);
	bed_quiesce(bed, 0, LMF_QUIESCE_FULL);
	bed->fail_alloc = 1;
	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_RESOURCES);
	CHECK_EQ(bed_reg(bed, 0, LMF_VF_STATUS), LMF_VF_STATUS_READY);
	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_OK);
	bed_free(bed);
}

/* Each allocation of a load fails once. */
static void out_of_memory_is_told(void)
{
	struct stream stream = { 0 };
	struct bed *bed = load_bed(&stream);
	struct lmf_admin_cmd scrub = bed_cmd(LMF_OP_SCRUB, 1);
	unsigned int i, failed = 0;

	for (i = 2; i < 20; i++) {
		CHECK_EQ(bed_status(bed, &scrub), LMF_ST_OK);
		bed->fail_alloc = i;
		if (try_load(bed, &stream) == LMF_ST_RESOURCES)
			failed++;
		bed->fail_alloc = 0;
	}
	/* Table, leaf, three granules, two queues. */
	CHECK_EQ(failed, 7);
	CHECK_EQ(try_load(bed, &stream), LMF_ST_OK);
	stream_free(&stream);
	bed_free(bed);
}

static void damage(struct stream *stream, uint64_t *state)
{
	unsigned int i, count = 1 + bed_random(state) % 4;
	size_t at, len;

	for (i = 0; i < count; i++) {
		at = bed_random(state) % stream->len;
		/* Most of it is media, where damage is no damage. */
		if (at > 3 * STREAM_MEDIA || bed_random(state) % 4)
			at = at % 2 ? at % 80 :
			     stream->len - 1 - at % (stream->len > 700 ? 700 :
						     stream->len);
		if (at >= stream->len)
			at = stream->len - 1;
		switch (bed_random(state) % 5) {
		case 0:
			stream->bytes[at] ^= 1 << bed_random(state) % 8;
			break;
		case 1:
			stream->bytes[at] = bed_random(state);
			break;
		case 2:
			stream->bytes[at & ~7u] = bed_random(state) % 8;
			break;
		case 3:
			len = bed_random(state) % (stream->len - at);
			memmove(stream->bytes + at, stream->bytes + at + len,
				stream->len - at - len);
			stream->len -= len & ~7u;
			break;
		case 4:
			memset(stream->bytes + at, bed_random(state) % 2 * 255,
			       stream->len - at < 8 ? stream->len - at : 8);
			break;
		}
		if (stream->len < 16)
			return;
	}
}

/* A state that was taken for good must also run without harm. */
static void run_loaded(struct bed *bed)
{
	unsigned int q;

	bed_quiesce(bed, 1, LMF_QUIESCE_RUN);
	CHECK(bed_run(bed));
	for (q = 0; q < 4; q++)
		bed_set(bed, 1, LMF_VF_SQ_TAIL(q), 3);
	CHECK(bed_run(bed));
	lmf_fw_reset(bed->fw, 1);
	bed_queue_on(bed, 1, 0, 8);
}

static void random_damage(void)
{
	struct stream whole = { 0 }, stream = { 0 };
	struct bed *bed = load_bed(&whole);
	struct lmf_vf_cmd nop = { .opcode = LMF_VF_OP_NOP };
	clock_t end = clock() + FUZZ_SECONDS * CLOCKS_PER_SEC;
	unsigned int rounds, taken = 0, refused = 0;
	uint64_t state = 99;
	uint16_t status;

	for (rounds = 0; clock() < end; rounds++) {
		stream.len = 0;
		stream_append(&stream, whole.bytes, whole.len);
		damage(&stream, &state);
		if (stream.len < 16)
			continue;
		status = try_load(bed, &stream);
		CHECK(status != LMF_ST_INTERNAL && status != LMF_ST_SESSION);
		if (status)
			refused++;
		else
			taken++;
		run_loaded(bed);
		CHECK_GOOD();
		CHECK_EQ(bed_io(bed, 1, 0, &nop), LMF_VF_ST_OK);
	}
	printf("# %u damaged states, %u taken, %u refused\n", rounds, taken,
	       refused);
	CHECK(rounds > 100 && taken && refused);
	stream_free(&stream);
	stream_free(&whole);
	bed_free(bed);
}

static const struct tap_test tests[] = {
	TEST(a_valid_state_loads),
	TEST(identity_is_compared),
	TEST(headers_are_checked),
	TEST(media_is_checked),
	TEST(queues_are_checked),
	TEST(requests_are_checked),
	TEST(end_is_checked),
	TEST(unknown_segments),
	TEST(repeated_segments),
	TEST(as_many_requests_as_can_be_parked),
	TEST(a_later_media_segment_replaces),
	TEST(truncated_states),
	TEST(nothing_applies_before_commit),
	TEST(begin_clears_the_queues),
	TEST(begin_needs_full_quiesce),
	TEST(out_of_memory_is_told),
	TEST(random_damage),
};

TAP_MAIN(tests)
