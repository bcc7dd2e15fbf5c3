// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty log: each of its rules by itself.
 */
#include "hostlog.h"
#include "tap.h"

static struct bed *log_bed(uint64_t delay, uint32_t entries,
			   uint32_t threshold)
{
	struct bed *bed = log_bed_new(delay);
	struct lmf_admin_cmd cmd;

	cmd = bed_log_cmd(bed, 0, entries, threshold, 12, 0, GUEST_BYTES);
	if (bed_status(bed, &cmd) != LMF_ST_OK)
		tap_failed = true;
	return bed;
}

/* The example of lmf_log.h, byte by byte: entry 64 of a ring of 64. */
static void example_of_the_contract(void)
{
	static const uint8_t expect[16] = {
		0x00, 0xf0, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	};
	struct bed *bed = bed_new(NULL);
	struct host_log *log = host_log_new(64, 12);
	struct lmf_admin_cmd cmd = bed_log_cmd(bed, 0, 64, 0, 12, 0x60000,
					       0x80000);
	struct lmf_vf_cmd io = bed_io_cmd(LMF_VF_OP_COPY, 0, GUEST_DATA,
					  0x2100);
	unsigned int i;

	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_OK);
	bed_queue_on(bed, 0, 0, 8);
	io.dst = cpu_to_le64(0x7ff00);
	for (i = 0; i < 64; i++) {
		CHECK_EQ(bed_io(bed, 0, 0, &io), LMF_VF_ST_OK);
		CHECK_EQ(bed->host[HOST_RING + i * 16 + 14], 1);
		CHECK(host_consume(bed, log, 64));
	}
	CHECK_EQ(log->consumed, 64);
	CHECK_EQ(bed_io(bed, 0, 0, &io), LMF_VF_ST_OK);
	CHECK(!memcmp(bed->host + HOST_RING, expect, sizeof(expect)));
	host_log_free(log);
	bed_free(bed);
}

static void data_and_completions_are_logged(void)
{
	struct bed *bed = log_bed(0, 64, 0);
	struct host_log *log = host_log_new(64, 12);

	CHECK_GOOD();
	CHECK_EQ(vf_read(bed, GUEST_DATA + 4095, 512), LMF_VF_ST_OK);
	CHECK(host_consume(bed, log, 64));
	CHECK(log->reported[GUEST_DATA >> 12]);
	CHECK(log->reported[(GUEST_DATA >> 12) + 1]);
	CHECK(!log->reported[(GUEST_DATA >> 12) + 2]);
	CHECK(log->reported[0x8000 >> 12]);
	CHECK_EQ(log->granules, 3);
	host_log_free(log);
	bed_free(bed);
}

static void reading_guest_memory_is_not_logged(void)
{
	struct bed *bed = log_bed(0, 64, 0);
	struct host_log *log = host_log_new(64, 12);

	CHECK_GOOD();
	CHECK_EQ(bed_write(bed, 0, 0, 1, 65536), LMF_VF_ST_OK);
	CHECK(host_consume(bed, log, 64));
	CHECK_EQ(log->granules, 1);
	host_log_free(log);
	bed_free(bed);
}

static void entries_come_late(void)
{
	struct bed *bed = log_bed(50000, 64, 0);
	struct host_log *log = host_log_new(64, 12);

	CHECK_GOOD();
	CHECK_EQ(vf_read(bed, GUEST_DATA, 8192), LMF_VF_ST_OK);
	CHECK_EQ(bed->guest[0][GUEST_DATA], 0);
	bed_pass(bed, 49999);
	CHECK(host_consume(bed, log, 64));
	CHECK_EQ(log->consumed, 0);
	bed_run(bed);
	CHECK_EQ(bed->wake, bed->now + 1);
	bed_pass(bed, 1);
	CHECK(host_consume(bed, log, 64));
	CHECK_EQ(log->granules, 3);
	host_log_free(log);
	bed_free(bed);
}

/* Written again and grown meanwhile: the first write sets the time. */
static void delay_is_that_of_the_first_write(void)
{
	struct bed *bed = log_bed(50000, 64, 0);
	struct host_log *log = host_log_new(64, 12);

	CHECK_GOOD();
	CHECK_EQ(vf_read(bed, GUEST_DATA, 4096), LMF_VF_ST_OK);
	bed_pass(bed, 30000);
	CHECK_EQ(vf_read(bed, GUEST_DATA, 8192), LMF_VF_ST_OK);
	bed_pass(bed, 20000);
	CHECK(host_consume(bed, log, 64));
	CHECK(log->reported[GUEST_DATA >> 12]);
	host_log_free(log);
	bed_free(bed);
}

static void flush_posts_at_once(void)
{
	struct bed *bed = log_bed(1000000000, 64, 0);
	struct host_log *log = host_log_new(64, 12);
	struct lmf_admin_cqe cqe;

	CHECK_GOOD();
	CHECK_EQ(vf_read(bed, GUEST_DATA, 65536), LMF_VF_ST_OK);
	cqe = log_flush(bed);
	CHECK_EQ(le16_to_cpu(cqe.status), LMF_ST_OK);
	CHECK_EQ(le16_to_cpu(cqe.flags), 0);
	/* Adjacent granules come as one extent. */
	CHECK_EQ(le64_to_cpu(cqe.value[0]), 2);
	CHECK(host_consume(bed, log, 64));
	CHECK_EQ(log->granules, 17);
	host_log_free(log);
	bed_free(bed);
}

/* Late entries that do not fit into what is left of a ring of 4. */
static void flush_of_a_full_ring_says_more(void)
{
	struct bed *bed = log_bed(1000000000, 4, 0);
	struct host_log *log = host_log_new(4, 12);
	struct lmf_admin_cqe cqe;
	unsigned int i;

	CHECK_GOOD();
	CHECK_EQ(vf_read(bed, GUEST_DATA, 512), LMF_VF_ST_OK);
	cqe = log_flush(bed);
	CHECK_EQ(le64_to_cpu(cqe.value[0]), 2);
	for (i = 1; i < 40; i++)
		CHECK_EQ(vf_read(bed, GUEST_DATA + i * 8192, 512),
			 LMF_VF_ST_OK);
	cqe = log_flush(bed);
	CHECK_EQ(le16_to_cpu(cqe.flags), LMF_LOG_MORE);
	CHECK_EQ(le64_to_cpu(cqe.value[0]), 4);
	CHECK_EQ(le64_to_cpu(cqe.value[1]), 0);
	CHECK(host_consume(bed, log, 3));
	cqe = log_flush(bed);
	CHECK_EQ(le16_to_cpu(cqe.flags), LMF_LOG_MORE);
	CHECK_EQ(le64_to_cpu(cqe.value[0]), 7);
	CHECK_EQ(log->coarse, 0);
	host_log_free(log);
	bed_free(bed);
}

/* SPEC.md R103: with the whole ring free a flush is complete, if coarse. */
static void flush_into_a_free_ring_is_complete(void)
{
	struct bed *bed = log_bed(1000000000, 4, 0);
	struct host_log *log = host_log_new(4, 12);
	struct lmf_admin_cqe cqe;
	unsigned int i;

	CHECK_GOOD();
	for (i = 0; i < 40; i++)
		CHECK_EQ(vf_read(bed, GUEST_DATA + i * 8192, 512),
			 LMF_VF_ST_OK);
	cqe = log_flush(bed);
	CHECK_EQ(le16_to_cpu(cqe.flags), 0);
	CHECK_EQ(le64_to_cpu(cqe.value[0]), 4);
	CHECK_EQ(le64_to_cpu(cqe.value[1]), 1);
	CHECK(host_consume(bed, log, 4));
	for (i = 0; i < 40; i++)
		CHECK(log->reported[(GUEST_DATA >> 12) + i * 2]);
	CHECK(log->reported[0x8000 >> 12]);
	CHECK(log->coarse > 0);
	CHECK(!log_flush(bed).flags);
	CHECK_EQ(log_flush(bed).value[0], 4);
	host_log_free(log);
	bed_free(bed);
}

/*
 * As few entries as ranges, and extents that span ranges which touch: there is
 * always a pair to be merged, and nothing outside is reported.
 */
static void flush_needs_one_entry_a_range(void)
{
	struct bed *bed = log_bed(1000000000, 2, 0);
	struct fw_log *device = bed->fw->vf[0]->log;
	struct host_log *log = host_log_new(2, 12);
	struct lmf_admin_cqe cqe;
	unsigned int i;

	CHECK_GOOD();
	device->ranges = 2;
	device->range[0].first = 0x100;
	device->range[0].last = 0x10f;
	device->range[1].first = 0x110;
	device->range[1].last = 0x1ff;
	CHECK_EQ(vf_read(bed, 0x101000, 512), LMF_VF_ST_OK);
	CHECK_EQ(vf_read(bed, 0x10e000, 8 << 12), LMF_VF_ST_OK);
	for (i = 0; i < 8; i++)
		CHECK_EQ(vf_read(bed, 0x180000 + i * 8192, 512),
			 LMF_VF_ST_OK);
	cqe = log_flush(bed);
	CHECK_EQ(le16_to_cpu(cqe.flags), 0);
	CHECK(host_consume(bed, log, 2));
	for (i = 0; i < GUEST_BYTES >> 12; i++)
		CHECK(!log->reported[i] || (i >= 0x100 && i < 0x200));
	CHECK(log->reported[0x101] && log->reported[0x10e]);
	for (i = 0; i < 8; i++)
		CHECK(log->reported[0x10e + i] && log->reported[0x180 + 2 * i]);
	host_log_free(log);
	bed_free(bed);
}

static void overflow_degrades_and_loses_nothing(void)
{
	struct bed *bed = log_bed(0, 2, 0);
	struct host_log *log = host_log_new(2, 12);
	struct lmf_fw_stats stats;
	struct lmf_admin_cqe cqe;
	unsigned int i;

	CHECK_GOOD();
	for (i = 0; i < 1500; i++)
		CHECK_EQ(vf_read(bed, GUEST_DATA + i * 8192, 512),
			 LMF_VF_ST_OK);
	do {
		cqe = log_flush(bed);
		CHECK(host_consume(bed, log, 2));
	} while (le16_to_cpu(cqe.flags) & LMF_LOG_MORE);
	for (i = 0; i < 1500; i++)
		CHECK(log->reported[(GUEST_DATA >> 12) + i * 2]);
	CHECK(log->coarse > 0);
	CHECK_EQ(le64_to_cpu(cqe.value[1]), 1);
	lmf_fw_stats(bed->fw, 0, &stats);
	CHECK_EQ(stats.log_overflows, 1);
	CHECK(stats.log_entries < 300);
	host_log_free(log);
	bed_free(bed);
}

static void threshold_event_once_until_consumed(void)
{
	struct bed *bed = log_bed(0, 64, 3);
	struct host_log *log = host_log_new(64, 12);
	struct lmf_event event;
	unsigned int i;

	CHECK_GOOD();
	for (i = 0; i < 6; i++) {
		CHECK_EQ(vf_read(bed, GUEST_DATA + i * 8192, 512),
			 LMF_VF_ST_OK);
		if (i == 0)
			CHECK(!bed_event(bed, &event));
	}
	CHECK(bed_event(bed, &event));
	CHECK_EQ(le16_to_cpu(event.type), LMF_EV_LOG_THRESHOLD);
	CHECK_EQ(le16_to_cpu(event.vf), 0);
	CHECK(!bed_event(bed, &event));
	/* That nothing was consumed is no news. */
	bed_set(bed, LMF_FW_PF, LMF_PF_LOG_HEAD(0), 0);
	CHECK(!bed_event(bed, &event));
	/* Still at the threshold after a part was consumed. */
	CHECK(host_consume(bed, log, 1));
	CHECK(bed_event(bed, &event));
	CHECK(host_consume(bed, log, 64));
	CHECK(!bed_event(bed, &event));
	host_log_free(log);
	bed_free(bed);
}

/* points: 33 */
static void reset_publishes_and_keeps_logging(void)
{
	struct bed *bed = log_bed(1000000000, 64, 0);
	struct host_log *log = host_log_new(64, 12);

	CHECK_GOOD();
	CHECK_EQ(vf_read(bed, GUEST_DATA, 4096), LMF_VF_ST_OK);
	lmf_fw_reset(bed->fw, 0);
	CHECK(host_consume(bed, log, 64));
	CHECK_EQ(log->granules, 2);
	bed_queue_on(bed, 0, 0, 8);
	CHECK_EQ(vf_read(bed, GUEST_DATA, 4096), LMF_VF_ST_OK);
	log_flush(bed);
	CHECK(host_consume(bed, log, 64));
	CHECK_EQ(log->granules, 4);
	host_log_free(log);
	bed_free(bed);
}

/* points: 33 */
static void reset_into_a_full_ring_keeps_the_rest(void)
{
	struct bed *bed = log_bed(1000000000, 2, 0);
	struct host_log *log = host_log_new(2, 12);
	unsigned int i;

	CHECK_GOOD();
	for (i = 0; i < 8; i++)
		CHECK_EQ(vf_read(bed, GUEST_DATA + i * 8192, 512),
			 LMF_VF_ST_OK);
	lmf_fw_reset(bed->fw, 0);
	for (i = 0; i < 8; i++) {
		CHECK(host_consume(bed, log, 2));
		log_flush(bed);
	}
	for (i = 0; i < 8; i++)
		CHECK(log->reported[(GUEST_DATA >> 12) + i * 2]);
	host_log_free(log);
	bed_free(bed);
}

static void quiesce_then_flush_is_complete(void)
{
	struct bed *bed = log_bed(1000000, 64, 0);
	struct host_log *log = host_log_new(64, 12);
	struct lmf_vf_cmd io = bed_io_cmd(LMF_VF_OP_READ, 0, GUEST_DATA,
					  1 << 20);
	uint64_t before;

	CHECK_GOOD();
	bed_io_submit(bed, 0, 0, &io);
	lmf_fw_run(bed->fw);
	CHECK(bed->guest_writes > 0);
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_INITIATOR), LMF_ST_OK);
	log_flush(bed);
	before = bed->host_writes;
	CHECK(host_consume(bed, log, 64));
	CHECK(log->granules > 0 && log->granules < 256);
	bed_pass(bed, 10000000);
	CHECK_EQ(bed->host_writes, before);
	host_log_free(log);
	bed_free(bed);
}

/* points: 37 */
static void stop_gives_the_ring_back(void)
{
	struct bed *bed = log_bed(1000, 64, 0);
	struct lmf_admin_cmd cmd = bed_cmd(LMF_OP_LOG_STOP, 0);
	uint8_t ring[64 * 16];

	CHECK_GOOD();
	CHECK_EQ(vf_read(bed, GUEST_DATA, 4096), LMF_VF_ST_OK);
	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_OK);
	memcpy(ring, bed->host + HOST_RING, sizeof(ring));
	bed_pass(bed, 1000000);
	CHECK(!memcmp(ring, bed->host + HOST_RING, sizeof(ring)));
	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_OK);
	bed_free(bed);
}

/* points: 37 */
static void disabled_vf_ends_its_log(void)
{
	struct bed *bed = log_bed(1000000, 64, 0);
	struct host_log *log = host_log_new(64, 12);
	struct lmf_admin_cmd cmd = bed_cmd(LMF_OP_LOG_FLUSH, 0);

	CHECK_GOOD();
	CHECK_EQ(vf_read(bed, GUEST_DATA, 4096), LMF_VF_ST_OK);
	lmf_fw_vf_enable(bed->fw, 0, false);
	CHECK(host_consume(bed, log, 64));
	CHECK_EQ(log->granules, 2);
	lmf_fw_vf_enable(bed->fw, 0, true);
	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_STATE);
	host_log_free(log);
	bed_free(bed);
}

static void only_ranges_are_logged(void)
{
	struct bed *bed = bed_new(NULL);
	struct host_log *log = host_log_new(64, 16);
	struct lmf_admin_cmd cmd = bed_log_cmd(bed, 0, 64, 0, 16,
					       GUEST_DATA + 0x20000, 0x20000);

	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_OK);
	bed_queue_on(bed, 0, 0, 8);
	CHECK_EQ(vf_read(bed, GUEST_DATA, 1 << 20), LMF_VF_ST_OK);
	log_flush(bed);
	CHECK(host_consume(bed, log, 64));
	CHECK_EQ(log->granules, 2);
	CHECK(log->reported[(GUEST_DATA + 0x20000) >> 16]);
	CHECK(log->reported[(GUEST_DATA + 0x30000) >> 16]);
	host_log_free(log);
	bed_free(bed);
}

static void unreachable_ring_is_told(void)
{
	struct bed *bed = log_bed(1000000, 64, 0);
	struct host_log *log = host_log_new(64, 12);
	struct fw_log *device = bed->fw->vf[0]->log;
	struct lmf_admin_cqe cqe;
	uint64_t addr;

	CHECK_GOOD();
	addr = device->ring.sge[0].addr;
	device->ring.sge[0].addr = HOST_BASE + HOST_BYTES;
	CHECK_EQ(vf_read(bed, GUEST_DATA, 4096), LMF_VF_ST_OK);
	cqe = log_flush(bed);
	CHECK_EQ(le16_to_cpu(cqe.status), LMF_ST_DMA);
	bed_pass(bed, 10000000);
	CHECK_EQ(bed->wake, LMF_FW_NEVER);
	device->ring.sge[0].addr = addr;
	cqe = log_flush(bed);
	CHECK_EQ(le16_to_cpu(cqe.status), LMF_ST_OK);
	CHECK(host_consume(bed, log, 64));
	CHECK_EQ(log->granules, 2);
	host_log_free(log);
	bed_free(bed);
}

static void bad_heads_are_ignored(void)
{
	struct bed *bed = log_bed(0, 4, 0);
	struct host_log *log = host_log_new(4, 12);
	unsigned int i;

	CHECK_GOOD();
	for (i = 0; i < 6; i++)
		CHECK_EQ(vf_read(bed, GUEST_DATA + i * 8192, 512),
			 LMF_VF_ST_OK);
	bed_set(bed, LMF_FW_PF, LMF_PF_LOG_HEAD(0), 5);
	bed_set(bed, LMF_FW_PF, LMF_PF_LOG_HEAD(0), -1);
	bed_set(bed, LMF_FW_PF, LMF_PF_LOG_HEAD(BED_VFS), 1);
	bed_run(bed);
	for (i = 0; i < 3; i++) {
		CHECK(host_consume(bed, log, 4));
		log_flush(bed);
	}
	for (i = 0; i < 6; i++)
		CHECK(log->reported[(GUEST_DATA >> 12) + i * 2]);
	host_log_free(log);
	bed_free(bed);
}

static uint16_t try_start(struct bed *bed, size_t at, uint64_t value,
			  size_t bytes)
{
	struct lmf_admin_cmd cmd = bed_log_cmd(bed, 1, 64, 8, 16, 0x10000,
					       0x100000);
	struct lmf_admin_cmd stop = bed_cmd(LMF_OP_LOG_STOP, 1);
	uint16_t status;

	memcpy(bed->host + HOST_DATA + at, &value, bytes);
	status = bed_status(bed, &cmd);
	bed_status(bed, &stop);
	return status;
}

static void start_is_checked(void)
{
	struct bed *bed = log_bed(0, 64, 0);
	struct lmf_admin_cmd cmd;

	CHECK_GOOD();
	CHECK_EQ(try_start(bed, 0, LMF_LOG_RING, 1), LMF_ST_OK);
	CHECK_EQ(try_start(bed, 0, 3, 1), LMF_ST_FIELD);
	CHECK_EQ(try_start(bed, 1, 11, 1), LMF_ST_FIELD);
	CHECK_EQ(try_start(bed, 1, 64, 1), LMF_ST_FIELD);
	CHECK_EQ(try_start(bed, 2, 2, 2), LMF_ST_FIELD);
	CHECK_EQ(try_start(bed, 2, 0xffff, 2), LMF_ST_FIELD);
	CHECK_EQ(try_start(bed, 4, 0, 4), LMF_ST_FIELD);
	CHECK_EQ(try_start(bed, 4, 0xffffffff, 4), LMF_ST_FIELD);
	CHECK_EQ(try_start(bed, 8, 63, 4), LMF_ST_FIELD);
	CHECK_EQ(try_start(bed, 8, 128, 4), LMF_ST_FIELD);
	CHECK_EQ(try_start(bed, 8, 1 << 20, 4), LMF_ST_FIELD);
	CHECK_EQ(try_start(bed, 12, 65, 4), LMF_ST_FIELD);
	CHECK_EQ(try_start(bed, 31, 1, 1), LMF_ST_FIELD);
	CHECK_EQ(try_start(bed, 32, 0x11000, 8), LMF_ST_FIELD);
	CHECK_EQ(try_start(bed, 40, 0x10fff, 8), LMF_ST_FIELD);
	CHECK_EQ(try_start(bed, 40, 0xffff, 8), LMF_ST_FIELD);
	CHECK_EQ(try_start(bed, 40, UINT64_MAX, 8), LMF_ST_OK);
	CHECK_EQ(try_start(bed, 48, HOST_BASE + 8, 8), LMF_ST_FIELD);
	CHECK_EQ(try_start(bed, 48, -512ull, 8), LMF_ST_FIELD);
	CHECK_EQ(try_start(bed, 56, 1008, 4), LMF_ST_FIELD);
	CHECK_EQ(try_start(bed, 60, 1, 4), LMF_ST_FIELD);
	bed->fail_alloc = 1;
	CHECK_EQ(try_start(bed, 0, 0, 0), LMF_ST_RESOURCES);
	cmd = bed_log_cmd(bed, 0, 64, 8, 12, 0, 4096);
	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_STATE);
	bed_free(bed);
}

static uint16_t start_ranges(struct bed *bed, uint64_t first, uint64_t second)
{
	struct lmf_admin_cmd stop = bed_cmd(LMF_OP_LOG_STOP, 0);
	struct lmf_admin_cmd cmd;
	struct {
		struct lmf_log_start start;
		struct lmf_log_range range[2];
		struct lmf_sge sge;
	} data = {
		.start = {
			.shift = 12,
			.nsges = cpu_to_le16(1),
			.nranges = cpu_to_le32(2),
			.entries = cpu_to_le32(4),
		},
		.range = {
			{ cpu_to_le64(first), cpu_to_le64(first + 0x1fff) },
			{ cpu_to_le64(second), cpu_to_le64(second + 0x1fff) },
		},
		.sge = {
			.addr = cpu_to_le64(HOST_BASE + HOST_RING),
			.len = cpu_to_le32(64),
		},
	};

	memcpy(bed->host + HOST_DATA, &data, sizeof(data));
	bed_status(bed, &stop);
	cmd = bed_cmd_data(LMF_OP_LOG_START, 0, HOST_DATA, sizeof(data));
	return bed_status(bed, &cmd);
}

static void ranges_must_not_overlap(void)
{
	struct bed *bed = bed_new(NULL);

	CHECK_EQ(start_ranges(bed, 0x4000, 0x6000), LMF_ST_OK);
	CHECK_EQ(start_ranges(bed, 0x6000, 0x4000), LMF_ST_OK);
	CHECK_EQ(start_ranges(bed, 0x4000, 0x5000), LMF_ST_FIELD);
	CHECK_EQ(start_ranges(bed, 0x5000, 0x4000), LMF_ST_FIELD);
	CHECK_EQ(start_ranges(bed, 0x4000, 0x4000), LMF_ST_FIELD);
	bed_free(bed);
}

/* Ring memory in pieces of uneven length: each slot has one place. */
static void ring_may_be_scattered(void)
{
	static const uint32_t piece[] = { 3, 1, 7, 5 };
	struct bed *bed = bed_new(NULL);
	struct {
		struct lmf_log_start start;
		struct lmf_log_range range;
		struct lmf_sge sge[4];
	} data = {
		.start = {
			.shift = 12,
			.nsges = cpu_to_le16(4),
			.nranges = cpu_to_le32(1),
			.entries = cpu_to_le32(16),
		},
		.range = { .last = cpu_to_le64(GUEST_BYTES - 1) },
	};
	struct lmf_log_entry *entry;
	struct lmf_admin_cmd cmd;
	unsigned int i, j, n;

	for (i = 0; i < 4; i++) {
		data.sge[i].addr = cpu_to_le64(HOST_BASE + HOST_RING +
					       0x1000 * (3 - i));
		data.sge[i].len = cpu_to_le32(piece[i] * 16);
	}
	memcpy(bed->host + HOST_DATA, &data, sizeof(data));
	cmd = bed_cmd_data(LMF_OP_LOG_START, 0, HOST_DATA, sizeof(data));
	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_OK);
	bed_queue_on(bed, 0, 0, 8);
	for (n = 0; n < 40; n++) {
		bed_set(bed, LMF_FW_PF, LMF_PF_LOG_HEAD(0),
			bed->fw->vf[0]->log->posted);
		vf_read(bed, GUEST_DATA + n * 8192, 512);
		CHECK_EQ(bed->fw->vf[0]->log->posted, 2 * (n + 1));
	}
	/* The last round of 16 slots holds entries 64 to 79. */
	for (i = 0, n = 64; i < 4; i++) {
		entry = (void *)(bed->host + HOST_RING + 0x1000 * (3 - i));
		for (j = 0; j < piece[i]; j++, n++, entry++)
			CHECK(le64_to_cpu(entry->iova) == 0x8000 ||
			      le64_to_cpu(entry->iova) ==
			      GUEST_DATA + n / 2 * 8192);
		CHECK_EQ(le64_to_cpu(entry->iova), 0);
	}
	bed_free(bed);
}

/* Merging must not cover memory between two tracked ranges. */
static void overflow_stays_within_the_ranges(void)
{
	struct bed *bed = bed_new(NULL);
	struct host_log *log = host_log_new(2, 12);
	struct {
		struct lmf_log_start start;
		struct lmf_log_range range[2];
		struct lmf_sge sge;
	} data = {
		.start = {
			.shift = 12,
			.nsges = cpu_to_le16(1),
			.nranges = cpu_to_le32(2),
			.entries = cpu_to_le32(2),
		},
		.range = {
			{ cpu_to_le64(1282 << 12),
			  cpu_to_le64((2306 << 12) - 1) },
			{ cpu_to_le64(256 << 12),
			  cpu_to_le64((1280 << 12) - 1) },
		},
		.sge = {
			.addr = cpu_to_le64(HOST_BASE + HOST_RING),
			.len = cpu_to_le32(32),
		},
	};
	struct lmf_admin_cmd cmd;
	struct lmf_admin_cqe cqe;
	unsigned int i;

	memcpy(bed->host + HOST_DATA, &data, sizeof(data));
	cmd = bed_cmd_data(LMF_OP_LOG_START, 0, HOST_DATA, sizeof(data));
	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_OK);
	bed_queue_on(bed, 0, 0, 8);
	/* The ring is full at once. Closest then are the sides of the gap. */
	for (i = 256; i < 2306; i += 4) {
		vf_read(bed, i << 12, 512);
		if (i == 512) {
			vf_read(bed, 1279 << 12, 512);
			vf_read(bed, 1282 << 12, 512);
		}
	}
	do {
		cqe = log_flush(bed);
		CHECK(host_consume(bed, log, 2));
	} while (le16_to_cpu(cqe.flags) & LMF_LOG_MORE);
	CHECK(log->coarse > 0);
	for (i = 0; i < GUEST_BYTES >> 12; i++) {
		bool tracked = (i >= 256 && i < 1280) ||
			       (i >= 1282 && i < 2306);

		CHECK(log->reported[i] || !tracked || i % 4);
		CHECK(!log->reported[i] || tracked);
	}
	host_log_free(log);
	bed_free(bed);
}

static const struct tap_test tests[] = {
	TEST(example_of_the_contract),
	TEST(data_and_completions_are_logged),
	TEST(reading_guest_memory_is_not_logged),
	TEST(entries_come_late),
	TEST(delay_is_that_of_the_first_write),
	TEST(flush_posts_at_once),
	TEST(flush_of_a_full_ring_says_more),
	TEST(flush_into_a_free_ring_is_complete),
	TEST(flush_needs_one_entry_a_range),
	TEST(overflow_degrades_and_loses_nothing),
	TEST(threshold_event_once_until_consumed),
	TEST(reset_publishes_and_keeps_logging),
	TEST(reset_into_a_full_ring_keeps_the_rest),
	TEST(quiesce_then_flush_is_complete),
	TEST(stop_gives_the_ring_back),
	TEST(disabled_vf_ends_its_log),
	TEST(only_ranges_are_logged),
	TEST(unreachable_ring_is_told),
	TEST(bad_heads_are_ignored),
	TEST(start_is_checked),
	TEST(ranges_must_not_overlap),
	TEST(ring_may_be_scattered),
	TEST(overflow_stays_within_the_ranges),
};

TAP_MAIN(tests)
