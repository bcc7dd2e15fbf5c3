// SPDX-License-Identifier: GPL-2.0-only
/*
 * VF registers and queues: every operation, every error, and that a guest
 * cannot make the device do more than it says.
 */
#include "bed.h"
#include "tap.h"

static struct bed *vf_bed(void)
{
	struct bed *bed = bed_new(NULL);

	bed_queue_on(bed, 0, 0, BED_QUEUE_ENTRIES);
	return bed;
}

static void facts(void)
{
	struct bed *bed = bed_new(NULL);

	CHECK_EQ(bed_reg(bed, 0, LMF_VF_MAGIC), LMF_VF_MAGIC_VALUE);
	CHECK_EQ(bed_reg(bed, 0, LMF_VF_VERSION), LMF_VERSION(1, 1));
	CHECK_EQ(lmf_fw_read(bed->fw, 0, LMF_VF_MEDIA_BYTES, 8), 4 << 20);
	CHECK_EQ(lmf_fw_read(bed->fw, 0, LMF_VF_CAPS, 8),
		 LMF_VF_CAP_WRITE_ZEROES | LMF_VF_CAP_COPY);
	CHECK_EQ(bed_reg(bed, 0, LMF_VF_MAX_QUEUES), 4);
	CHECK_EQ(bed_reg(bed, 0, LMF_VF_MAX_ENTRIES), 256);
	CHECK_EQ(bed_reg(bed, 0, LMF_VF_STATUS), LMF_VF_STATUS_READY);
	CHECK_EQ(bed_reg(bed, 0, 0x80), 0);
	CHECK_EQ(bed_reg(bed, 0, LMF_VF_QUEUE(4)), 0);
	CHECK_EQ(bed_reg(bed, 0, LMF_VF_SQ_TAIL(0)), 0);
	CHECK_EQ(lmf_fw_read(bed->fw, 0, 2, 4), 0);
	lmf_fw_vf_enable(bed->fw, 0, false);
	CHECK_EQ(bed_reg(bed, 0, LMF_VF_MAGIC), 0xffffffff);
	bed_free(bed);
}

static void write_read_back(void)
{
	struct bed *bed = vf_bed();
	struct lmf_vf_cmd cmd;
	unsigned int i;

	for (i = 0; i < 300000; i++)
		bed->guest[0][GUEST_DATA + i] = i * 7 + i / 256;
	/* Unaligned in guest memory, and more than a bounce buffer. */
	cmd = bed_io_cmd(LMF_VF_OP_WRITE, 512, GUEST_DATA + 3, 512 * 500);
	CHECK_EQ(bed_io(bed, 0, 0, &cmd), LMF_VF_ST_OK);
	cmd = bed_io_cmd(LMF_VF_OP_READ, 512, GUEST_DATA + (2 << 20) + 77,
			 512 * 500);
	CHECK_EQ(bed_io(bed, 0, 0, &cmd), LMF_VF_ST_OK);
	CHECK(!memcmp(bed->guest[0] + GUEST_DATA + 3,
		      bed->guest[0] + GUEST_DATA + (2 << 20) + 77, 512 * 500));
	CHECK_EQ(bed->irqs[0][0], 2);
	bed_free(bed);
}

static void unwritten_media_is_zero_and_free(void)
{
	struct bed *bed = vf_bed();
	struct lmf_vf_cmd cmd = bed_io_cmd(LMF_VF_OP_READ, 0, GUEST_DATA,
					   1 << 20);
	struct lmf_fw_stats stats;

	memset(bed->guest[0] + GUEST_DATA, 0xff, 1 << 20);
	CHECK_EQ(bed_io(bed, 0, 0, &cmd), LMF_VF_ST_OK);
	CHECK_EQ(bed->guest[0][GUEST_DATA], 0);
	CHECK(!memcmp(bed->guest[0] + GUEST_DATA,
		      bed->guest[0] + GUEST_DATA + 1, (1 << 20) - 1));
	lmf_fw_stats(bed->fw, 0, &stats);
	CHECK_EQ(stats.media_allocated, 0);
	bed_free(bed);
}

static void write_zeroes_frees(void)
{
	struct bed *bed = vf_bed();
	struct lmf_fw_stats stats;
	struct lmf_vf_cmd cmd;

	CHECK_EQ(bed_write(bed, 0, 0, 0xaa, 65536), LMF_VF_ST_OK);
	cmd = bed_io_cmd(LMF_VF_OP_WRITE_ZEROES, 512, 0, 65536 - 512);
	CHECK_EQ(bed_io(bed, 0, 0, &cmd), LMF_VF_ST_OK);
	lmf_fw_stats(bed->fw, 0, &stats);
	CHECK_EQ(stats.media_allocated, 4096);
	cmd = bed_io_cmd(LMF_VF_OP_READ, 0, GUEST_DATA, 65536);
	CHECK_EQ(bed_io(bed, 0, 0, &cmd), LMF_VF_ST_OK);
	CHECK_EQ(bed->guest[0][GUEST_DATA + 511], 0xaa);
	CHECK_EQ(bed->guest[0][GUEST_DATA + 512], 0);
	CHECK_EQ(bed->guest[0][GUEST_DATA + 65535], 0);
	bed_free(bed);
}

static void copy_moves(void)
{
	struct bed *bed = vf_bed();
	struct lmf_vf_cmd cmd = bed_io_cmd(LMF_VF_OP_COPY, 0, GUEST_DATA + 1,
					   100001);

	memset(bed->guest[0] + GUEST_DATA, 0x5a, 200000);
	cmd.dst = cpu_to_le64(GUEST_DATA + 300007);
	CHECK_EQ(bed_io(bed, 0, 0, &cmd), LMF_VF_ST_OK);
	CHECK_EQ(bed->guest[0][GUEST_DATA + 300006], 0);
	CHECK(!memcmp(bed->guest[0] + GUEST_DATA + 1,
		      bed->guest[0] + GUEST_DATA + 300007, 100001));
	CHECK_EQ(bed->guest[0][GUEST_DATA + 300007 + 100001], 0);
	bed_free(bed);
}

static void scatter_list(void)
{
	struct bed *bed = vf_bed();
	struct lmf_vf_cmd cmd = bed_io_cmd(LMF_VF_OP_WRITE, 4096, 0x80000,
					   1024);
	struct lmf_sge sge[3] = {
		{ .addr = cpu_to_le64(GUEST_DATA + 5), .len = cpu_to_le32(1) },
		{ .addr = cpu_to_le64(GUEST_DATA), .len = cpu_to_le32(1000) },
		{ .addr = cpu_to_le64(GUEST_DATA + 9), .len = cpu_to_le32(23) },
	};
	unsigned int i;

	for (i = 0; i < 1000; i++)
		bed->guest[0][GUEST_DATA + i] = i;
	memcpy(bed->guest[0] + 0x80000, sge, sizeof(sge));
	cmd.nsge = cpu_to_le16(3);
	cmd.sge.len = cpu_to_le32(sizeof(sge));
	CHECK_EQ(bed_io(bed, 0, 0, &cmd), LMF_VF_ST_OK);
	cmd = bed_io_cmd(LMF_VF_OP_READ, 4096, GUEST_DATA + 4096, 1024);
	CHECK_EQ(bed_io(bed, 0, 0, &cmd), LMF_VF_ST_OK);
	CHECK_EQ(bed->guest[0][GUEST_DATA + 4096], 5);
	CHECK(!memcmp(bed->guest[0] + GUEST_DATA + 4097,
		      bed->guest[0] + GUEST_DATA, 1000));
	CHECK_EQ(bed->guest[0][GUEST_DATA + 4096 + 1001], 9);
	bed_free(bed);
}

/* @list: the SGEs stand in a list of @nsge. */
static uint16_t bad_sgl(struct bed *bed, unsigned int nsge, uint64_t list,
			uint32_t bytes, const struct lmf_sge *sge)
{
	struct lmf_vf_cmd cmd = bed_io_cmd(LMF_VF_OP_READ, 0, list, 1024);

	memcpy(bed->guest[0] + 0x80000, sge, 2 * sizeof(*sge));
	cmd.nsge = cpu_to_le16(nsge);
	cmd.sge.len = cpu_to_le32(bytes);
	return bed_io(bed, 0, 0, &cmd);
}

static void scatter_list_errors(void)
{
	struct bed *bed = vf_bed();
	struct lmf_sge sge[2] = {
		{ .addr = cpu_to_le64(GUEST_DATA), .len = cpu_to_le32(512) },
		{ .addr = cpu_to_le64(GUEST_DATA), .len = cpu_to_le32(512) },
	};

	CHECK_EQ(bad_sgl(bed, 2, 0x80000, 32, sge), LMF_VF_ST_OK);
	CHECK_EQ(bad_sgl(bed, 2, 0x80008, 32, sge), LMF_VF_ST_FIELD);
	CHECK_EQ(bad_sgl(bed, 2, 0x80000, 31, sge), LMF_VF_ST_FIELD);
	CHECK_EQ(bad_sgl(bed, 2, 0x80000, 48, sge), LMF_VF_ST_FIELD);
	CHECK_EQ(bad_sgl(bed, 257, 0x80000, 257 * 16, sge), LMF_VF_ST_FIELD);
	CHECK_EQ(bad_sgl(bed, 2, GUEST_BYTES, 32, sge), LMF_VF_ST_DMA);
	sge[1].len = cpu_to_le32(513);
	CHECK_EQ(bad_sgl(bed, 2, 0x80000, 32, sge), LMF_VF_ST_FIELD);
	sge[0].len = cpu_to_le32(1024);
	sge[1].len = 0;
	CHECK_EQ(bad_sgl(bed, 2, 0x80000, 32, sge), LMF_VF_ST_FIELD);
	sge[0].len = cpu_to_le32(512);
	sge[1].len = cpu_to_le32(512);
	sge[1].addr = cpu_to_le64(UINT64_MAX - 100);
	CHECK_EQ(bad_sgl(bed, 2, 0x80000, 32, sge), LMF_VF_ST_FIELD);
	sge[1].addr = cpu_to_le64(GUEST_DATA);
	sge[1].reserved = cpu_to_le32(1);
	CHECK_EQ(bad_sgl(bed, 2, 0x80000, 32, sge), LMF_VF_ST_FIELD);
	bed_free(bed);
}

#define CHECK_IO(status) CHECK_EQ(bed_io(bed, 0, 0, &cmd), status)
#define READ_OK() bed_io_cmd(LMF_VF_OP_READ, 0, GUEST_DATA, 1024)

static void command_errors(void)
{
	struct bed *bed = vf_bed();
	struct lmf_vf_cmd cmd = bed_io_cmd(6, 0, GUEST_DATA, 512);
	uint64_t media = bed->config.media_bytes;

	CHECK_IO(LMF_VF_ST_OPCODE);
	cmd = bed_io_cmd(LMF_VF_OP_READ, 1, GUEST_DATA, 512);
	CHECK_IO(LMF_VF_ST_FIELD);
	cmd = bed_io_cmd(LMF_VF_OP_WRITE, 0, GUEST_DATA, 513);
	CHECK_IO(LMF_VF_ST_FIELD);
	cmd = bed_io_cmd(LMF_VF_OP_WRITE, 0, GUEST_DATA, 0);
	CHECK_IO(LMF_VF_ST_FIELD);
	cmd = bed_io_cmd(LMF_VF_OP_WRITE, 0, GUEST_DATA, (1 << 20) + 512);
	CHECK_IO(LMF_VF_ST_FIELD);
	cmd = bed_io_cmd(LMF_VF_OP_READ, media, GUEST_DATA, 512);
	CHECK_IO(LMF_VF_ST_RANGE);
	cmd = bed_io_cmd(LMF_VF_OP_WRITE, media - 512, GUEST_DATA, 1024);
	CHECK_IO(LMF_VF_ST_RANGE);
	cmd = bed_io_cmd(LMF_VF_OP_WRITE_ZEROES, -512ull, 0, 1024);
	CHECK_IO(LMF_VF_ST_RANGE);
	cmd = bed_io_cmd(LMF_VF_OP_READ, 0, GUEST_BYTES - 512, 1024);
	CHECK_IO(LMF_VF_ST_DMA);
	cmd = bed_io_cmd(LMF_VF_OP_READ, 0, UINT64_MAX - 511, 1024);
	CHECK_IO(LMF_VF_ST_FIELD);
	cmd = READ_OK();
	cmd.flags = 1;
	CHECK_IO(LMF_VF_ST_FIELD);
	cmd = READ_OK();
	cmd.reserved2[15] = 1;
	CHECK_IO(LMF_VF_ST_FIELD);
	cmd = READ_OK();
	cmd.sge.len = cpu_to_le32(512);
	CHECK_IO(LMF_VF_ST_FIELD);
	cmd = bed_io_cmd(LMF_VF_OP_COPY, 0, GUEST_DATA, 4096);
	cmd.dst = cpu_to_le64(GUEST_DATA + 4095);
	CHECK_IO(LMF_VF_ST_FIELD);
	cmd.dst = cpu_to_le64(UINT64_MAX - 5);
	CHECK_IO(LMF_VF_ST_FIELD);
	cmd.dst = cpu_to_le64(GUEST_DATA + 4096);
	CHECK_IO(LMF_VF_ST_OK);
	bed_free(bed);
}

static void nop_and_flush_complete(void)
{
	struct bed *bed = vf_bed();
	struct lmf_vf_cmd cmd = { .opcode = LMF_VF_OP_NOP };

	CHECK_IO(LMF_VF_ST_OK);
	cmd.opcode = LMF_VF_OP_FLUSH;
	CHECK_IO(LMF_VF_ST_OK);
	CHECK_EQ(bed->irqs[0][0], 2);
	bed_free(bed);
}

static void out_of_memory_is_a_media_error(void)
{
	struct bed *bed = vf_bed();
	unsigned int i;

	/* The table of leaves, a leaf, a granule. */
	for (i = 0; i < 3; i++) {
		bed->fail_alloc = i ? 2 : 1;
		CHECK_EQ(bed_write(bed, 0, 0, 1, 4096), LMF_VF_ST_MEDIA);
	}
	CHECK_EQ(bed_write(bed, 0, 0, 1, 4096), LMF_VF_ST_OK);
	bed_free(bed);
}

static void try_setup(struct bed *bed, uint64_t sq, uint64_t cq,
		      uint32_t entries, uint32_t vector, bool good)
{
	uint64_t base = LMF_VF_QUEUE(1);

	lmf_fw_write(bed->fw, 0, base + LMF_VF_Q_SQ_BASE, sq, 8);
	bed_set(bed, 0, base + LMF_VF_Q_CQ_BASE, cq);
	bed_set(bed, 0, base + LMF_VF_Q_CQ_BASE + 4, cq >> 32);
	bed_set(bed, 0, base + LMF_VF_Q_ENTRIES, entries);
	bed_set(bed, 0, base + LMF_VF_Q_VECTOR, vector);
	bed_set(bed, 0, base + LMF_VF_Q_CTRL, LMF_VF_QCTRL_ENABLE);
	CHECK_EQ(bed_reg(bed, 0, base + LMF_VF_Q_STATUS),
		 good ? LMF_VF_QSTATUS_ENABLED : LMF_VF_QSTATUS_ERROR);
	CHECK_EQ(lmf_fw_read(bed->fw, 0, base + LMF_VF_Q_CQ_BASE, 8), cq);
	bed_set(bed, 0, base + LMF_VF_Q_CTRL, 0);
}

static void queue_setup(void)
{
	struct bed *bed = bed_new(NULL);

	try_setup(bed, 0x10000, 0x20000, 64, 1, true);
	try_setup(bed, 0x10800, 0x20000, 64, 1, false);
	try_setup(bed, 0x10000, 0x20010, 64, 1, false);
	try_setup(bed, 0x10000, 0x20000, 63, 1, false);
	try_setup(bed, 0x10000, 0x20000, 1, 1, false);
	try_setup(bed, 0x10000, 0x20000, 0, 1, false);
	try_setup(bed, 0x10000, 0x20000, 512, 1, false);
	try_setup(bed, 0x10000, 0x20000, 64, 4, false);
	try_setup(bed, -4096ull, 0x20000, 128, 1, false);
	try_setup(bed, -4096ull, -4096ull, 64, 1, true);
	bed->fail_alloc = 1;
	try_setup(bed, 0x10000, 0x20000, 64, 1, false);
	bed_free(bed);
}

static void setup_is_ignored_while_enabled(void)
{
	struct bed *bed = vf_bed();
	uint64_t base = LMF_VF_QUEUE(0);

	bed_set(bed, 0, base + LMF_VF_Q_SQ_BASE, 0x123000);
	bed_set(bed, 0, base + LMF_VF_Q_ENTRIES, 2);
	CHECK_EQ(bed_reg(bed, 0, base + LMF_VF_Q_SQ_BASE), 0);
	CHECK_EQ(bed_reg(bed, 0, base + LMF_VF_Q_ENTRIES), BED_QUEUE_ENTRIES);
	bed_free(bed);
}

static void disable_drops_what_is_outstanding(void)
{
	struct bed *bed = vf_bed();
	struct lmf_vf_cmd cmd = READ_OK();
	uint64_t before;
	unsigned int i;

	for (i = 0; i < 40; i++)
		bed_io_submit(bed, 0, 0, &cmd);
	bed_fault(bed, "io-delay=0:50");
	bed_run(bed);
	bed_set(bed, 0, LMF_VF_QUEUE(0) + LMF_VF_Q_CTRL, 0);
	CHECK_EQ(bed_reg(bed, 0, LMF_VF_QUEUE(0) + LMF_VF_Q_STATUS), 0);
	before = bed->guest_writes;
	bed_pass(bed, 1000000);
	CHECK_EQ(bed->guest_writes, before);
	bed_fault(bed, "none");
	bed_queue_on(bed, 0, 0, 8);
	CHECK_IO(LMF_VF_ST_OK);
	bed_free(bed);
}

static void rings_wrap(void)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_vf_cmd cmd = READ_OK();
	unsigned int i;

	bed_queue_on(bed, 0, 0, 2);
	for (i = 0; i < 50; i++)
		CHECK_IO(LMF_VF_ST_OK);
	bed_free(bed);
}

static void full_completion_ring_waits(void)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_vf_cmd cmd = { .opcode = LMF_VF_OP_NOP };
	struct bed_queue *queue = &bed->queue[0][0];
	struct lmf_vf_cqe cqe;
	unsigned int i;

	bed_queue_on(bed, 0, 0, 4);
	for (i = 0; i < 3; i++)
		bed_io_submit(bed, 0, 0, &cmd);
	CHECK(bed_run(bed));
	for (i = 0; i < 2; i++)
		bed_io_submit(bed, 0, 0, &cmd);
	/* Asks for no run: only the guest can make room. */
	CHECK(bed_run(bed));
	CHECK_EQ(bed->wake, LMF_FW_NEVER);
	CHECK_EQ(bed->guest[0][0x8000 + 3 * 16 + 12], 0);
	for (i = 0; i < 5; i++) {
		CHECK(bed_io_reap(bed, 0, 0, &cqe));
		CHECK_EQ(le16_to_cpu(cqe.cid), i % 4);
		bed_run(bed);
	}
	CHECK(!bed_io_reap(bed, 0, 0, &cqe));
	CHECK_EQ(queue->head, 1);
	bed_free(bed);
}

static void expect_queue_error(struct bed *bed)
{
	struct lmf_event event;

	bed_run(bed);
	CHECK_EQ(bed_reg(bed, 0, LMF_VF_QUEUE(0) + LMF_VF_Q_STATUS),
		 LMF_VF_QSTATUS_ERROR);
	CHECK(bed_event(bed, &event));
	CHECK_EQ(le16_to_cpu(event.type), LMF_EV_VF_ERROR);
	CHECK_EQ(le16_to_cpu(event.vf), 0);
	CHECK_EQ(le32_to_cpu(event.arg), 0);
}

static void bad_doorbells_stop_the_queue(void)
{
	struct bed *bed = vf_bed();

	bed_set(bed, 0, LMF_VF_SQ_TAIL(0), BED_QUEUE_ENTRIES);
	expect_queue_error(bed);
	CHECK_GOOD();
	bed_queue_on(bed, 0, 0, 8);
	bed_set(bed, 0, LMF_VF_CQ_HEAD(0), 8);
	expect_queue_error(bed);
	CHECK_GOOD();
	/* Consumes what was never completed. */
	bed_queue_on(bed, 0, 0, 8);
	bed_set(bed, 0, LMF_VF_CQ_HEAD(0), 1);
	expect_queue_error(bed);
	CHECK_GOOD();
	bed_set(bed, 0, LMF_VF_SQ_TAIL(3), 1);
	CHECK_EQ(bed_reg(bed, 0, LMF_VF_QUEUE(3) + LMF_VF_Q_STATUS), 0);
	bed_free(bed);
}

static void unreachable_ring_stops_the_queue(void)
{
	struct bed *bed = vf_bed();
	struct lmf_vf_cmd cmd = READ_OK();

	bed_io_submit(bed, 0, 0, &cmd);
	bed->guest_gone = true;
	expect_queue_error(bed);
	CHECK_GOOD();
	bed->guest_gone = false;
	bed_queue_on(bed, 0, 0, 8);
	CHECK_IO(LMF_VF_ST_OK);
	bed_free(bed);
}

static void runs_are_bounded(void)
{
	struct bed *bed = vf_bed();
	struct lmf_vf_cmd cmd = bed_io_cmd(LMF_VF_OP_COPY, 0, GUEST_DATA,
					   1 << 20);
	struct lmf_vf_cqe cqe;
	unsigned int i, q;

	cmd.dst = cpu_to_le64(GUEST_DATA + (2 << 20));
	for (q = 1; q < 4; q++)
		bed_queue_on(bed, 0, q, BED_QUEUE_ENTRIES);
	for (i = 0; i < 8; i++)
		for (q = 0; q < 4; q++)
			bed_io_submit(bed, 0, q, &cmd);
	bed->run_bytes = 0;
	CHECK(bed_run(bed));
	/* A copy reads and writes; and a step may overshoot by a piece. */
	CHECK(bed->run_bytes <= 2 * (FW_RUN_BYTES + FW_BOUNCE_BYTES) + 65536);
	for (i = 0; i < 8; i++)
		for (q = 0; q < 4; q++)
			CHECK(bed_io_reap(bed, 0, q, &cqe));
	bed_free(bed);
}

static void vfs_take_turns(void)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_vf_cmd big = bed_io_cmd(LMF_VF_OP_READ, 0, GUEST_DATA,
					   1 << 20);
	struct lmf_vf_cmd nop = { .opcode = LMF_VF_OP_NOP };
	struct lmf_vf_cqe cqe;
	unsigned int i;

	bed_queue_on(bed, 0, 0, BED_QUEUE_ENTRIES);
	bed_queue_on(bed, 1, 0, BED_QUEUE_ENTRIES);
	for (i = 0; i < 32; i++)
		bed_io_submit(bed, 0, 0, &big);
	bed_io_submit(bed, 1, 0, &nop);
	lmf_fw_run(bed->fw);
	CHECK(bed_io_reap(bed, 1, 0, &cqe));
	CHECK(!bed_io_reap(bed, 0, 0, &cqe));
	bed_free(bed);
}

/* points: 37 */
static void reset_clears_and_keeps_media(void)
{
	struct bed *bed = vf_bed();
	struct lmf_vf_cmd cmd = READ_OK();
	struct lmf_event event;
	uint64_t before;

	CHECK_EQ(bed_write(bed, 0, 0, 0x77, 4096), LMF_VF_ST_OK);
	bed_io_submit(bed, 0, 0, &cmd);
	before = bed->guest_writes;
	lmf_fw_reset(bed->fw, 0);
	CHECK_EQ(bed_reg(bed, 0, LMF_VF_QUEUE(0) + LMF_VF_Q_STATUS), 0);
	CHECK_EQ(bed_reg(bed, 0, LMF_VF_QUEUE(0) + LMF_VF_Q_ENTRIES), 0);
	bed_run(bed);
	CHECK_EQ(bed->guest_writes, before);
	CHECK(bed_event(bed, &event));
	CHECK_EQ(le16_to_cpu(event.type), LMF_EV_VF_RESET);
	CHECK_EQ(le32_to_cpu(event.arg), 2);
	bed_queue_on(bed, 0, 0, 8);
	CHECK_IO(LMF_VF_ST_OK);
	CHECK_EQ(bed->guest[0][GUEST_DATA], 0x77);
	bed_free(bed);
}

/* Whatever a guest writes to its registers and rings, nothing breaks. */
static void random_guest(void)
{
	struct bed *bed = bed_new(NULL);
	uint64_t state = 7;
	unsigned int i, q;

	for (q = 0; q < 4; q++)
		bed_queue_on(bed, 0, q, 64);
	for (i = 0; i < 3 * 0x10000 / 4; i++)
		((uint32_t *)bed->guest[0])[i] = bed_random(&state);
	for (i = 0; i < 30000; i++) {
		uint32_t value = bed_random(&state);
		uint64_t offset = bed_random(&state) % LMF_VF_BAR_BYTES & ~7u;

		if (bed_random(&state) % 4 == 0)
			offset = LMF_VF_SQ_TAIL(value % 4);
		if (bed_random(&state) % 2)
			value %= 70;
		if (bed_random(&state) % 64 == 0)
			bed_queue_on(bed, 0, value % 4, 64);
		lmf_fw_write(bed->fw, 0, offset, value, 8);
		if (i % 8 == 0)
			CHECK(bed_run(bed));
	}
	bed_free(bed);
}

static const struct tap_test tests[] = {
	TEST(facts),
	TEST(write_read_back),
	TEST(unwritten_media_is_zero_and_free),
	TEST(write_zeroes_frees),
	TEST(copy_moves),
	TEST(scatter_list),
	TEST(scatter_list_errors),
	TEST(command_errors),
	TEST(nop_and_flush_complete),
	TEST(out_of_memory_is_a_media_error),
	TEST(queue_setup),
	TEST(setup_is_ignored_while_enabled),
	TEST(disable_drops_what_is_outstanding),
	TEST(rings_wrap),
	TEST(full_completion_ring_waits),
	TEST(bad_doorbells_stop_the_queue),
	TEST(unreachable_ring_stops_the_queue),
	TEST(runs_are_bounded),
	TEST(vfs_take_turns),
	TEST(reset_clears_and_keeps_media),
	TEST(random_guest),
};

TAP_MAIN(tests)
