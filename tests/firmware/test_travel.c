// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VF saved here, also under load, goes on elsewhere as if nothing had
 * happened.
 */
#include "stream.h"
#include "tap.h"

static struct bed *save_bed(void)
{
	struct bed *bed = bed_new(NULL);
	unsigned int vf;

	for (vf = 0; vf < BED_VFS; vf++)
		bed_queue_on(bed, vf, 0, BED_QUEUE_ENTRIES);
	return bed;
}

/* The guest's memory and rings go along, as the hypervisor sends them. */
static void move_guest(struct bed *bed, unsigned int from, unsigned int to)
{
	memcpy(bed->guest[to], bed->guest[from], GUEST_BYTES);
	memcpy(bed->queue[to], bed->queue[from], sizeof(bed->queue[to]));
}

static void requests_complete_once_elsewhere(void)
{
	struct bed *bed = save_bed();
	struct stream stream = { 0 };
	struct lmf_vf_cqe cqe;
	unsigned int i;

	park_requests(bed, 0);
	CHECK_EQ(save_all(bed, 0, &stream), LMF_ST_OK);
	move_guest(bed, 0, 1);
	CHECK_EQ(load_all(bed, 1, &stream), LMF_ST_OK);
	bed->irqs[1][0] = 0;
	CHECK_EQ(bed_quiesce(bed, 1, LMF_QUIESCE_RUN), LMF_ST_OK);
	bed_run(bed);
	for (i = 0; i < 41; i++) {
		CHECK(bed_io_reap(bed, 1, 0, &cqe));
		CHECK_EQ(le16_to_cpu(cqe.cid), i);
		CHECK_EQ(le16_to_cpu(cqe.status), 0);
		CHECK(le32_to_cpu(cqe.result) > 0);
		bed_run(bed);
	}
	CHECK(!bed_io_reap(bed, 1, 0, &cqe));
	CHECK(bed->irqs[1][0] > 0);
	stream_free(&stream);
	bed_free(bed);
}

/* What is done is not done again: its outcome travels. */
static void outcomes_travel(void)
{
	struct bed *bed = save_bed();
	struct stream stream = { 0 };
	struct lmf_vf_cmd io = bed_io_cmd(LMF_VF_OP_READ, 0, GUEST_DATA, 4096);
	struct lmf_vf_cqe cqe;

	bed_fault(bed, "io-fail=0:2:4");
	bed_fault(bed, "io-delay=0:1000");
	bed_io_submit(bed, 0, 0, &io);
	bed_io_submit(bed, 0, 0, &io);
	bed_run(bed);
	CHECK_EQ(save_all(bed, 0, &stream), LMF_ST_OK);
	move_guest(bed, 0, 1);
	CHECK_EQ(load_all(bed, 1, &stream), LMF_ST_OK);
	CHECK_EQ(bed_quiesce(bed, 1, LMF_QUIESCE_RUN), LMF_ST_OK);
	CHECK(bed_io_reap(bed, 1, 0, &cqe));
	CHECK_EQ(le16_to_cpu(cqe.status), LMF_VF_ST_OK);
	CHECK_EQ(le32_to_cpu(cqe.result), 4096);
	CHECK(bed_io_reap(bed, 1, 0, &cqe));
	CHECK_EQ(le16_to_cpu(cqe.status), LMF_VF_ST_DMA);
	stream_free(&stream);
	bed_free(bed);
}

static void registers_travel(void)
{
	struct bed *bed = save_bed();
	struct stream stream = { 0 };
	struct lmf_vf_cmd nop = { .opcode = LMF_VF_OP_NOP };
	uint64_t reg;
	unsigned int i;

	/* A wrapped ring, an enabled idle queue, one in error, one half set. */
	for (i = 0; i < 77; i++)
		CHECK_EQ(bed_io(bed, 0, 0, &nop), 0);
	bed_queue_on(bed, 0, 1, 16);
	bed_queue_on(bed, 0, 2, 16);
	bed_set(bed, 0, LMF_VF_SQ_TAIL(2), 99);
	bed_set(bed, 0, LMF_VF_QUEUE(3) + LMF_VF_Q_ENTRIES, 0x12345);
	CHECK_EQ(save_all(bed, 0, &stream), LMF_ST_OK);
	move_guest(bed, 0, 1);
	CHECK_EQ(load_all(bed, 1, &stream), LMF_ST_OK);
	for (reg = LMF_VF_QUEUE(0); reg < LMF_VF_QUEUE(4); reg += 4)
		CHECK_EQ(bed_reg(bed, 0, reg), bed_reg(bed, 1, reg));
	CHECK_EQ(bed_quiesce(bed, 1, LMF_QUIESCE_RUN), LMF_ST_OK);
	for (i = 0; i < 77; i++)
		CHECK_EQ(bed_io(bed, 1, 0, &nop), 0);
	CHECK_EQ(bed_io(bed, 1, 1, &nop), 0);
	stream_free(&stream);
	bed_free(bed);
}

static void unconsumed_completions_raise_their_vector_elsewhere(void)
{
	struct bed *bed = save_bed();
	struct stream stream = { 0 };
	struct lmf_vf_cmd nop = { .opcode = LMF_VF_OP_NOP };
	struct lmf_vf_cqe cqe;

	bed_io_submit(bed, 0, 0, &nop);
	bed_run(bed);
	CHECK_EQ(save_all(bed, 0, &stream), LMF_ST_OK);
	move_guest(bed, 0, 1);
	CHECK_EQ(load_all(bed, 1, &stream), LMF_ST_OK);
	CHECK_EQ(bed->irqs[1][0], 0);
	CHECK_EQ(bed_quiesce(bed, 1, LMF_QUIESCE_INITIATOR), LMF_ST_OK);
	CHECK_EQ(bed->irqs[1][0], 0);
	CHECK_EQ(bed_quiesce(bed, 1, LMF_QUIESCE_RUN), LMF_ST_OK);
	CHECK_EQ(bed->irqs[1][0], 1);
	CHECK(bed_io_reap(bed, 1, 0, &cqe));
	stream_free(&stream);
	bed_free(bed);
}

static void random_writes(struct bed *bed, unsigned int vf, uint64_t *state)
{
	struct lmf_vf_cmd io;
	struct lmf_vf_cqe cqe;
	unsigned int i, q;
	uint32_t len;

	for (i = 0; i < 1 + bed_random(state) % 6; i++) {
		q = bed_random(state) % 2;
		while (bed_io_reap(bed, vf, q, &cqe))
			;
		len = 512 * (1 + bed_random(state) % 100);
		io = bed_io_cmd(bed_random(state) % 4 ? LMF_VF_OP_WRITE :
							LMF_VF_OP_WRITE_ZEROES,
				bed_random(state) % 8000 * 512,
				GUEST_DATA + bed_random(state) % (8 << 20),
				len);
		bed_io_submit(bed, vf, q, &io);
	}
	if (bed_random(state) % 2)
		lmf_fw_run(bed->fw);
}

/* Pre-copy under load, then the rest: the same media and queues elsewhere. */
static void round_trip_under_load(uint64_t state)
{
	struct lmf_fw_config config = bed_config;
	static uint8_t media[2][4 << 20];
	struct stream stream = { 0 };
	struct stream_values values;
	struct bed *bed;
	uint64_t session, i;

	config.seed = state;
	bed = bed_new(&config);
	for (i = 0; i < 2; i++)
		bed_queue_on(bed, 0, i, 64);
	for (i = 0; i < GUEST_BYTES - GUEST_DATA; i += 4)
		*(uint32_t *)(bed->guest[0] + GUEST_DATA + i) =
			bed_random(&state);
	if (state % 2)
		bed_fault(bed, "short-chunks=1");
	for (i = 0; i < 20; i++)
		random_writes(bed, 0, &state);
	session = save_begin(bed, 0);
	for (i = 0; i < 30; i++) {
		random_writes(bed, 0, &state);
		values = save_read(bed, 0, session, 0,
				   8192 + bed_random(&state) % 100000, &stream);
		CHECK_EQ(values.status, LMF_ST_OK);
		CHECK_EQ(values.sent, stream.len);
	}
	random_writes(bed, 0, &state);
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_INITIATOR), LMF_ST_OK);
	random_writes(bed, 0, &state);
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_FULL), LMF_ST_OK);
	values = save_query(bed, 0, session);
	i = values.sent + values.initial + values.dirty + values.trailer;
	values = save_rest(bed, 0, session, LMF_SAVE_FINAL,
			   8192 + bed_random(&state) % 100000, &stream);
	CHECK_EQ(values.status, LMF_ST_OK);
	CHECK_EQ(stream.len, i);

	move_guest(bed, 0, 1);
	CHECK_EQ(bed_quiesce(bed, 1, LMF_QUIESCE_FULL), LMF_ST_OK);
	session = load_begin(bed, 1);
	CHECK_EQ(load_stream(bed, 1, session, &stream,
			     5000 + bed_random(&state) % 250000), LMF_ST_OK);
	CHECK_EQ(load_end(bed, 1, session, LMF_LOAD_COMMIT), LMF_ST_OK);
	media_copy(bed, 0, media[0]);
	media_copy(bed, 1, media[1]);
	CHECK(!memcmp(media[0], media[1], sizeof(media[0])));
	/* Both finish what was parked, and still agree. */
	bed_quiesce(bed, 0, LMF_QUIESCE_RUN);
	bed_quiesce(bed, 1, LMF_QUIESCE_RUN);
	bed_run(bed);
	media_copy(bed, 0, media[0]);
	media_copy(bed, 1, media[1]);
	CHECK(!memcmp(media[0], media[1], sizeof(media[0])));
	CHECK(!memcmp(bed->guest[0], bed->guest[1], GUEST_BYTES));
	stream_free(&stream);
	bed_free(bed);
}

static void round_trips_under_load(void)
{
	uint64_t seed;

	for (seed = 1; seed <= 16 && !tap_failed; seed++)
		round_trip_under_load(seed);
}

static const struct tap_test tests[] = {
	TEST(requests_complete_once_elsewhere),
	TEST(outcomes_travel),
	TEST(registers_travel),
	TEST(unconsumed_completions_raise_their_vector_elsewhere),
	TEST(round_trips_under_load),
};

TAP_MAIN(tests)
