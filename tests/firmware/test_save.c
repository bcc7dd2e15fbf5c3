// SPDX-License-Identifier: GPL-2.0-only
/*
 * Saving: exact counts, what is sent when, parked requests; and sessions: how
 * they exclude each other and what a reset leaves of them.
 */
#include "stream.h"
#include "tap.h"

#define IDENTITY	STREAM_SEG(struct lmf_seg_identity)
#define QUEUE		STREAM_SEG(struct lmf_seg_queue)
#define REQUEST		STREAM_SEG(struct lmf_seg_request)
#define END		STREAM_SEG(struct lmf_seg_end)
#define CHUNK		(256u << 10)

static struct bed *save_bed(void)
{
	struct bed *bed = bed_new(NULL);
	unsigned int vf;

	for (vf = 0; vf < BED_VFS; vf++)
		bed_queue_on(bed, vf, 0, BED_QUEUE_ENTRIES);
	return bed;
}

static void identity_comes_alone_and_first(void)
{
	struct bed *bed = save_bed();
	struct stream stream = { 0 };
	struct stream_values values;
	struct lmf_seg_identity identity;
	uint64_t session;

	CHECK_EQ(bed_write(bed, 0, 0, 1, 8192), 0);
	session = save_begin(bed, 0);
	CHECK(session);
	values = save_read(bed, 0, session, 0, CHUNK, &stream);
	CHECK_EQ(values.status, LMF_ST_OK);
	CHECK_EQ(values.bytes, IDENTITY);
	CHECK_EQ(values.flags, 0);
	CHECK_EQ(le16_to_cpu(stream_seg(&stream, 0)->type), LMF_SEG_IDENTITY);
	memcpy(&identity, stream_seg(&stream, 0) + 1, sizeof(identity));
	CHECK_EQ(le32_to_cpu(identity.vectors),
		 bed_reg(bed, 0, LMF_VF_VECTORS));
	CHECK_EQ(le32_to_cpu(identity.max_sges),
		 bed_reg(bed, 0, LMF_VF_MAX_SGES));
	CHECK_EQ(le32_to_cpu(identity.chunk_max), CHUNK);
	CHECK_EQ(le32_to_cpu(identity.max_parked), FW_INFLIGHT);
	CHECK_EQ(values.initial, 2 * STREAM_MEDIA);
	CHECK_EQ(values.sent, IDENTITY);
	CHECK_EQ(save_end(bed, 0, session), LMF_ST_OK);
	CHECK_EQ(save_end(bed, 0, session), LMF_ST_SESSION);
	stream_free(&stream);
	bed_free(bed);
}

static void counts_are_exact(void)
{
	struct bed *bed = save_bed();
	struct stream stream = { 0 };
	struct stream_values values;
	uint64_t session, left;

	CHECK_EQ(bed_write(bed, 0, 0, 1, 100 * 4096), 0);
	values = save_query(bed, 0, 0);
	CHECK_EQ(values.initial, IDENTITY + 100 * STREAM_MEDIA);
	CHECK_EQ(values.dirty, 0);
	CHECK_EQ(values.trailer, 4 * QUEUE + END);
	session = save_begin(bed, 0);
	values = save_query(bed, 0, session);
	CHECK_EQ(values.initial, IDENTITY + 100 * STREAM_MEDIA);
	left = values.initial;
	do {
		values = save_read(bed, 0, session, 0, 20000, &stream);
		CHECK_EQ(values.status, LMF_ST_OK);
		CHECK(values.bytes > 0 && values.bytes <= 20000);
		left -= values.bytes;
		CHECK_EQ(values.initial, left);
		CHECK_EQ(values.sent, stream.len);
		CHECK_EQ(!(values.flags & LMF_SAVE_EMPTY), left > 0);
	} while (left);
	values = save_read(bed, 0, session, 0, 20000, &stream);
	CHECK_EQ(values.bytes, 0);
	CHECK_EQ(values.flags, LMF_SAVE_EMPTY);
	CHECK_EQ(stream.len, IDENTITY + 100 * STREAM_MEDIA);
	save_end(bed, 0, session);
	stream_free(&stream);
	bed_free(bed);
}

/* Each way in which a granule can get into one of the two sets. */
static void first_pass_and_dirty(void)
{
	struct bed *bed = save_bed();
	struct lmf_vf_cmd zeroes = bed_io_cmd(LMF_VF_OP_WRITE_ZEROES, 0, 0,
					      4096);
	struct stream stream = { 0 };
	struct stream_values values;
	uint64_t session;

	CHECK_EQ(bed_write(bed, 0, 0, 1, 10 * 4096), 0);
	session = save_begin(bed, 0);
	save_read(bed, 0, session, 0, CHUNK, &stream);
	/* Not sent yet: it stays in the first pass. */
	CHECK_EQ(bed_write(bed, 0, 4096, 2, 4096), 0);
	/* Freed before it was sent: sent as zeroes. */
	zeroes.offset = cpu_to_le64(5 * 4096);
	CHECK_EQ(bed_io(bed, 0, 0, &zeroes), 0);
	/* Never written and zeroed: nothing to send. */
	zeroes.offset = cpu_to_le64(50 * 4096);
	CHECK_EQ(bed_io(bed, 0, 0, &zeroes), 0);
	/* First written since. */
	CHECK_EQ(bed_write(bed, 0, 20 * 4096, 3, 512), 0);
	values = save_query(bed, 0, session);
	CHECK_EQ(values.initial, 10 * STREAM_MEDIA);
	CHECK_EQ(values.dirty, STREAM_MEDIA);
	values = save_rest(bed, 0, session, 0, CHUNK, &stream);
	CHECK_EQ(values.initial, 0);
	CHECK_EQ(values.dirty, 0);
	CHECK_EQ(stream_count(&stream, LMF_SEG_MEDIA), 11);
	/* Sent, and written twice again; sent, and freed. */
	CHECK_EQ(bed_write(bed, 0, 0, 4, 1024), 0);
	CHECK_EQ(bed_write(bed, 0, 2048, 4, 1024), 0);
	zeroes.offset = cpu_to_le64(3 * 4096);
	CHECK_EQ(bed_io(bed, 0, 0, &zeroes), 0);
	values = save_query(bed, 0, session);
	CHECK_EQ(values.initial, 0);
	CHECK_EQ(values.dirty, 2 * STREAM_MEDIA);
	save_rest(bed, 0, session, 0, CHUNK, &stream);
	CHECK_EQ(stream_count(&stream, LMF_SEG_MEDIA), 13);
	save_end(bed, 0, session);
	/* With the session the tracking ends. */
	CHECK_EQ(bed_write(bed, 0, 0, 4, 1024), 0);
	CHECK_EQ(save_query(bed, 0, 0).dirty, 0);
	stream_free(&stream);
	bed_free(bed);
}

static void final_needs_full_quiesce(void)
{
	struct bed *bed = save_bed();
	struct stream_values values;
	uint64_t session = save_begin(bed, 0);

	values = save_read(bed, 0, session, LMF_SAVE_FINAL, CHUNK, NULL);
	CHECK_EQ(values.status, LMF_ST_STATE);
	bed_quiesce(bed, 0, LMF_QUIESCE_INITIATOR);
	values = save_read(bed, 0, session, LMF_SAVE_FINAL, CHUNK, NULL);
	CHECK_EQ(values.status, LMF_ST_STATE);
	bed_quiesce(bed, 0, LMF_QUIESCE_FULL);
	values = save_read(bed, 0, session, LMF_SAVE_FINAL, CHUNK, NULL);
	CHECK_EQ(values.status, LMF_ST_OK);
	CHECK_EQ(values.bytes, IDENTITY);
	values = save_read(bed, 0, session, LMF_SAVE_FINAL, CHUNK, NULL);
	CHECK_EQ(values.bytes, 4 * QUEUE + END);
	CHECK(values.flags & LMF_SAVE_ENDED);
	CHECK_EQ(values.trailer, 0);
	values = save_read(bed, 0, session, LMF_SAVE_FINAL, CHUNK, NULL);
	CHECK_EQ(values.status, LMF_ST_OK);
	CHECK_EQ(values.bytes, 0);
	CHECK(values.flags & LMF_SAVE_ENDED);
	/* What was said about the queues holds no longer. */
	bed_quiesce(bed, 0, LMF_QUIESCE_RUN);
	bed_quiesce(bed, 0, LMF_QUIESCE_FULL);
	values = save_read(bed, 0, session, LMF_SAVE_FINAL, CHUNK, NULL);
	CHECK_EQ(values.status, LMF_ST_STATE);
	bed_free(bed);
}

static void sessions_exclude_each_other(void)
{
	struct bed *bed = save_bed();
	struct lmf_admin_cmd cmd = bed_cmd(LMF_OP_SAVE_BEGIN, 0);
	uint64_t session = save_begin(bed, 0);

	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_STATE);
	cmd = bed_cmd(LMF_OP_LOAD_BEGIN, 0);
	bed_quiesce(bed, 0, LMF_QUIESCE_FULL);
	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_STATE);
	cmd = bed_cmd(LMF_OP_SCRUB, 0);
	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_STATE);
	CHECK_EQ(load_write(bed, 0, session, bed, 64), LMF_ST_SESSION);
	CHECK_EQ(save_end(bed, 0, session), LMF_ST_OK);
	session = load_begin(bed, 0);
	CHECK(session);
	cmd = bed_cmd(LMF_OP_SAVE_BEGIN, 0);
	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_STATE);
	cmd = bed_cmd(LMF_OP_SCRUB, 0);
	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_STATE);
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_RUN), LMF_ST_STATE);
	CHECK_EQ(save_end(bed, 0, session), LMF_ST_SESSION);
	CHECK_EQ(load_end(bed, 0, session, 0), LMF_ST_OK);
	cmd = bed_cmd(LMF_OP_SAVE_BEGIN, 0);
	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_STATE);
	bed_free(bed);
}

static void chunk_sizes_are_checked(void)
{
	struct bed *bed = save_bed();
	uint64_t session = save_begin(bed, 0);

	CHECK_EQ(save_read(bed, 0, session, 0, 8191, NULL).status,
		 LMF_ST_FIELD);
	CHECK_EQ(save_read(bed, 0, session, 0, CHUNK + 1, NULL).status,
		 LMF_ST_FIELD);
	CHECK_EQ(save_read(bed, 0, session, 2, CHUNK, NULL).status,
		 LMF_ST_FIELD);
	CHECK_EQ(save_read(bed, 0, session, 0, 8192, NULL).status, LMF_ST_OK);
	bed_free(bed);
}

static void unreachable_buffer_ends_the_session(void)
{
	struct bed *bed = save_bed();
	uint64_t session = save_begin(bed, 0);
	struct lmf_admin_cmd cmd = bed_cmd_data(LMF_OP_SAVE_READ, 0,
						HOST_BYTES - 10, 8192);

	cmd.session = cpu_to_le64(session);
	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_DMA);
	CHECK_EQ(save_read(bed, 0, session, 0, 8192, NULL).status,
		 LMF_ST_STATE);
	CHECK_EQ(save_end(bed, 0, session), LMF_ST_OK);
	bed_free(bed);
}

static void requests_park_and_go_on(void)
{
	struct bed *bed = save_bed();
	struct stream stream = { 0 };
	struct stream_values values;
	uint64_t session, writes;
	struct lmf_vf_cqe cqe;
	uint64_t seen = 0;
	unsigned int parked, i;

	park_requests(bed, 0);
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_INITIATOR), LMF_ST_OK);
	writes = bed->guest_writes;
	session = save_begin(bed, 0);
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_FULL), LMF_ST_OK);
	parked = fw_engine_parked(bed->fw, bed->fw->vf[0]);
	CHECK_EQ(parked, FW_INFLIGHT);
	values = save_query(bed, 0, session);
	CHECK_EQ(values.trailer, 4 * QUEUE + parked * REQUEST + END);
	values = save_rest(bed, 0, session, LMF_SAVE_FINAL, 8192, &stream);
	CHECK_EQ(values.status, LMF_ST_OK);
	CHECK_EQ(stream_count(&stream, LMF_SEG_QUEUE), 4);
	CHECK_EQ(stream_count(&stream, LMF_SEG_REQUEST), parked);
	CHECK_EQ(stream_count(&stream, LMF_SEG_END), 1);
	CHECK_EQ(bed->guest_writes, writes);
	/* A migration that was given up: all goes on here. */
	CHECK_EQ(save_end(bed, 0, session), LMF_ST_OK);
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_RUN), LMF_ST_OK);
	bed_pass(bed, 10000000);
	for (i = 0; i < 41; i++) {
		CHECK(bed_io_reap(bed, 0, 0, &cqe));
		CHECK_EQ(le16_to_cpu(cqe.status), 0);
		seen |= 1ull << le16_to_cpu(cqe.cid);
	}
	CHECK_EQ(seen, (1ull << 41) - 1);
	CHECK(!bed_io_reap(bed, 0, 0, &cqe));
	stream_free(&stream);
	bed_free(bed);
}

static void silent_while_loading(void)
{
	struct bed *bed = save_bed();
	struct lmf_vf_cmd nop = { .opcode = LMF_VF_OP_NOP };
	uint64_t session, writes;

	CHECK_EQ(bed_quiesce(bed, 1, LMF_QUIESCE_FULL), LMF_ST_OK);
	session = load_begin(bed, 1);
	writes = bed->guest_writes;
	bed_io_submit(bed, 1, 0, &nop);
	bed_set(bed, 1, LMF_VF_QUEUE(0) + LMF_VF_Q_CTRL, 0);
	bed_queue_on(bed, 1, 1, 8);
	bed_pass(bed, 1000000);
	CHECK_EQ(bed->guest_writes, writes);
	CHECK_EQ(bed->irqs[1][0], 0);
	CHECK_EQ(bed_reg(bed, 1, LMF_VF_QUEUE(1) + LMF_VF_Q_STATUS), 0);
	CHECK_EQ(load_end(bed, 1, session, 0), LMF_ST_OK);
	bed_free(bed);
}

static void aborted_load_leaves_media_lost(void)
{
	struct bed *bed = save_bed();
	struct lmf_vf_cmd io = bed_io_cmd(LMF_VF_OP_READ, 0, GUEST_DATA, 512);
	struct lmf_admin_cmd scrub = bed_cmd(LMF_OP_SCRUB, 1);
	struct stream stream = { 0 };
	uint64_t session;

	CHECK_EQ(bed_write(bed, 1, 0, 0x55, 4096), 0);
	CHECK_EQ(bed_quiesce(bed, 1, LMF_QUIESCE_FULL), LMF_ST_OK);
	session = load_begin(bed, 1);
	CHECK_EQ(load_end(bed, 1, session, LMF_LOAD_COMMIT),
		 LMF_ST_INCOMPLETE);
	CHECK_EQ(bed_quiesce(bed, 1, LMF_QUIESCE_RUN), LMF_ST_OK);
	bed_queue_on(bed, 1, 0, BED_QUEUE_ENTRIES);
	CHECK(bed_reg(bed, 1, LMF_VF_STATUS) & LMF_VF_STATUS_MEDIA_LOST);
	bed_queue_on(bed, 1, 0, BED_QUEUE_ENTRIES);
	CHECK_EQ(bed_io(bed, 1, 0, &io), LMF_VF_ST_MEDIA);
	CHECK_EQ(bed_write(bed, 1, 0, 1, 512), LMF_VF_ST_MEDIA);
	CHECK_EQ(bed_status(bed, &scrub), LMF_ST_OK);
	CHECK_EQ(bed_reg(bed, 1, LMF_VF_STATUS), LMF_VF_STATUS_READY);
	CHECK_EQ(bed_io(bed, 1, 0, &io), LMF_VF_ST_OK);
	CHECK_EQ(bed->guest[1][GUEST_DATA], 0);
	/* A complete load mends it as well. */
	bed_quiesce(bed, 1, LMF_QUIESCE_FULL);
	session = load_begin(bed, 1);
	CHECK_EQ(load_end(bed, 1, session, 0), LMF_ST_OK);
	CHECK_EQ(save_all(bed, 0, &stream), LMF_ST_OK);
	CHECK_EQ(load_all(bed, 1, &stream), LMF_ST_OK);
	CHECK_EQ(bed_reg(bed, 1, LMF_VF_STATUS), LMF_VF_STATUS_READY);
	stream_free(&stream);
	bed_free(bed);
}

static void scrub_gives_memory_back(void)
{
	struct bed *bed = save_bed();
	struct lmf_admin_cmd scrub = bed_cmd(LMF_OP_SCRUB, 0);
	long before = bed->allocated;
	unsigned int i;

	for (i = 0; i < 4; i++)
		CHECK_EQ(bed_write(bed, 0, i << 20, 1, 1 << 20), 0);
	CHECK(bed->allocated > before + (4 << 20));
	bed_submit(bed, &scrub);
	CHECK_EQ(bed_status(bed, &scrub), LMF_ST_OK);
	CHECK_EQ(bed->allocated, before);
	bed_free(bed);
}

static uint16_t completed(struct bed *bed, uint32_t tag)
{
	struct lmf_admin_cqe cqe;

	bed_run(bed);
	while (bed_reap(bed, &cqe))
		if (le32_to_cpu(cqe.tag) == tag)
			return le16_to_cpu(cqe.status);
	return 0xffff;
}

/* points: 37 */
static void vf_reset_aborts_a_save(void)
{
	struct bed *bed = save_bed();
	struct lmf_admin_cmd cmd = bed_cmd_data(LMF_OP_SAVE_READ, 0, HOST_DATA,
						CHUNK);
	uint64_t session;
	uint32_t first, second;
	struct lmf_admin_cqe cqe;

	CHECK_EQ(bed_write(bed, 0, 0, 1, 1 << 20), 0);
	session = save_begin(bed, 0);
	save_read(bed, 0, session, 0, CHUNK, NULL);
	cmd.session = cpu_to_le64(session);
	first = bed_submit(bed, &cmd);
	second = bed_submit(bed, &cmd);
	lmf_fw_run(bed->fw);
	CHECK(!bed_reap(bed, &cqe));
	lmf_fw_reset(bed->fw, 0);
	bed_run(bed);
	CHECK(bed_reap(bed, &cqe));
	CHECK_EQ(le32_to_cpu(cqe.tag), first);
	CHECK_EQ(le16_to_cpu(cqe.status), LMF_ST_ABORTED);
	CHECK_EQ(completed(bed, second), LMF_ST_ABORTED);
	CHECK_EQ(save_end(bed, 0, session), LMF_ST_SESSION);
	/* The media is as it was, and can be saved again. */
	CHECK_EQ(save_query(bed, 0, 0).initial, IDENTITY + 256 * STREAM_MEDIA);
	CHECK(save_begin(bed, 0) > session);
	bed_free(bed);
}

/* points: 37 */
static void vf_reset_aborts_a_load(void)
{
	struct bed *bed = save_bed();
	struct stream stream = { 0 };
	struct lmf_vf_cmd io = bed_io_cmd(LMF_VF_OP_READ, 0, GUEST_DATA, 512);
	uint64_t session;

	CHECK_EQ(bed_write(bed, 0, 0, 1, 1 << 20), 0);
	CHECK_EQ(save_all(bed, 0, &stream), LMF_ST_OK);
	bed_quiesce(bed, 1, LMF_QUIESCE_FULL);
	session = load_begin(bed, 1);
	CHECK_EQ(load_write(bed, 1, session, stream.bytes, IDENTITY),
		 LMF_ST_OK);
	lmf_fw_reset(bed->fw, 1);
	CHECK_EQ(load_write(bed, 1, session, stream.bytes, IDENTITY),
		 LMF_ST_SESSION);
	CHECK_EQ(load_end(bed, 1, session, LMF_LOAD_COMMIT), LMF_ST_SESSION);
	bed_queue_on(bed, 1, 0, 8);
	CHECK_EQ(bed_io(bed, 1, 0, &io), LMF_VF_ST_MEDIA);
	CHECK_EQ(load_all(bed, 1, &stream), LMF_ST_OK);
	stream_free(&stream);
	bed_free(bed);
}

static void limits_are_upper_bounds(void)
{
	struct bed *bed = save_bed();
	struct lmf_admin_cmd cmd = bed_cmd_data(LMF_OP_VF_INFO, 0, HOST_DATA,
						128);
	struct lmf_vf_cmd nop = { .opcode = LMF_VF_OP_NOP };
	struct lmf_vf_info info;
	struct stream stream = { 0 };
	unsigned int i, q;

	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_OK);
	memcpy(&info, bed->host + HOST_DATA, sizeof(info));
	for (i = 0; i < 4; i++)
		CHECK_EQ(bed_write(bed, 0, i << 20, 1, 1 << 20), 0);
	bed_fault(bed, "io-delay=0:1000");
	for (q = 0; q < 4; q++) {
		bed_queue_on(bed, 0, q, 256);
		for (i = 0; i < 200; i++)
			bed_io_submit(bed, 0, q, &nop);
	}
	bed_run(bed);
	CHECK_EQ(save_all(bed, 0, &stream), LMF_ST_OK);
	CHECK_EQ(stream.len, le64_to_cpu(info.state_max));
	CHECK_EQ(stream.len - IDENTITY - 1024 * STREAM_MEDIA,
		 le32_to_cpu(info.trailer_max));
	stream_free(&stream);
	bed_free(bed);
}

static const struct tap_test tests[] = {
	TEST(identity_comes_alone_and_first),
	TEST(counts_are_exact),
	TEST(first_pass_and_dirty),
	TEST(final_needs_full_quiesce),
	TEST(sessions_exclude_each_other),
	TEST(chunk_sizes_are_checked),
	TEST(unreachable_buffer_ends_the_session),
	TEST(requests_park_and_go_on),
	TEST(silent_while_loading),
	TEST(aborted_load_leaves_media_lost),
	TEST(scrub_gives_memory_back),
	TEST(vf_reset_aborts_a_save),
	TEST(vf_reset_aborts_a_load),
	TEST(limits_are_upper_bounds),
};

TAP_MAIN(tests)
