// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty log: what holds for every format, and the rules that RANGES and
 * BITMAP have beside that. Those of RING are in test_log.c.
 */
#include "hostlog.h"
#include "tap.h"

#define FORMATS	3
#define LATE	1000000000

static struct bed *format_bed(unsigned int format, uint64_t delay,
			      uint32_t threshold)
{
	struct bed *bed = log_bed_new(delay);
	struct lmf_admin_cmd cmd;

	cmd = bed_log_cmd_of(bed, format, threshold, 12, 0, GUEST_BYTES);
	if (bed_status(bed, &cmd) != LMF_ST_OK)
		tap_failed = true;
	return bed;
}

static struct host_log *format_host(unsigned int format)
{
	struct host_log *log = host_log_new(64, 12);

	log->format = format;
	return log;
}

static void each_format(void (*test)(struct bed *bed, struct host_log *log),
			uint64_t delay)
{
	struct host_log *log;
	unsigned int format;
	struct bed *bed;

	for (format = 0; format < FORMATS; format++) {
		bed = format_bed(format, delay, 0);
		log = format_host(format);
		CHECK_GOOD();
		test(bed, log);
		if (tap_failed)
			printf("# format %u\n", format);
		host_log_free(log);
		bed_free(bed);
	}
}

/* Exactly what was written: data and completion, once. */
static void exact(struct bed *bed, struct host_log *log)
{
	CHECK_EQ(vf_read(bed, GUEST_DATA + 4095, 512), LMF_VF_ST_OK);
	CHECK_EQ(vf_read(bed, GUEST_DATA + 0x1fe000, 0x5000), LMF_VF_ST_OK);
	CHECK(host_gather(bed, log));
	CHECK(log->reported[GUEST_DATA >> 12]);
	CHECK(log->reported[(GUEST_DATA >> 12) + 1]);
	CHECK(log->reported[(GUEST_DATA >> 12) + 0x1fe]);
	CHECK(log->reported[(GUEST_DATA >> 12) + 0x202]);
	CHECK(log->reported[0x8000 >> 12]);
	CHECK_EQ(log->granules, 8);
	CHECK(host_gather(bed, log));
	CHECK_EQ(log->granules, 8);
	/* SPEC.md R74: written again is reported again. */
	CHECK_EQ(vf_read(bed, GUEST_DATA, 512), LMF_VF_ST_OK);
	CHECK(host_gather(bed, log));
	CHECK_EQ(log->granules, 10);
}

static void what_was_written_is_told_once(void)
{
	each_format(exact, LATE);
}

static void reset_loses_nothing(struct bed *bed, struct host_log *log)
{
	CHECK_EQ(vf_read(bed, GUEST_DATA, 4096), LMF_VF_ST_OK);
	lmf_fw_reset(bed->fw, 0);
	bed_queue_on(bed, 0, 0, 8);
	CHECK_EQ(vf_read(bed, GUEST_DATA + 65536, 4096), LMF_VF_ST_OK);
	CHECK(host_gather(bed, log));
	CHECK(log->reported[GUEST_DATA >> 12]);
	CHECK(log->reported[(GUEST_DATA + 65536) >> 12]);
	CHECK_EQ(log->granules, 4 - (log->format != LMF_LOG_RING));
}

static void reset_publishes_and_keeps_logging(void)
{
	each_format(reset_loses_nothing, LATE);
}

static void last_word(struct bed *bed, struct host_log *log)
{
	struct lmf_vf_cmd io = bed_io_cmd(LMF_VF_OP_READ, 0, GUEST_DATA,
					  1 << 20);
	uint64_t before;

	bed_io_submit(bed, 0, 0, &io);
	lmf_fw_run(bed->fw);
	CHECK(bed->guest_writes > 0);
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_INITIATOR), LMF_ST_OK);
	CHECK(host_gather(bed, log));
	before = log->granules;
	CHECK(before > 0 && before < 256);
	if (log->format == LMF_LOG_RANGES)
		CHECK_EQ(log->flags, LMF_LOG_LIST_SUSPENDED);
	bed_pass(bed, 10000000);
	CHECK(host_gather(bed, log));
	CHECK_EQ(log->granules, before);
}

static void quiesce_then_flush_is_complete(void)
{
	each_format(last_word, 1000000);
}

static void overflows(struct bed *bed, struct host_log *log)
{
	struct lmf_fw_stats stats;
	unsigned int i;

	bed_fault(bed, log->format == LMF_LOG_BITMAP ? "none" :
						       "log-entries=3");
	bed->fail_alloc = log->format == LMF_LOG_BITMAP;
	for (i = 0; i < 1500; i++)
		CHECK_EQ(vf_read(bed, GUEST_DATA + i * 8192, 512),
			 LMF_VF_ST_OK);
	CHECK(host_gather(bed, log));
	for (i = 0; i < 1500; i++)
		CHECK(log->reported[(GUEST_DATA >> 12) + i * 2]);
	lmf_fw_stats(bed->fw, 0, &stats);
	CHECK(stats.log_overflows > 0);
	/* It is over when the host has read it all. */
	bed_fault(bed, "none");
	bed->fail_alloc = 0;
	log->granules = 0;
	CHECK_EQ(vf_read(bed, GUEST_DATA, 512), LMF_VF_ST_OK);
	CHECK(host_gather(bed, log));
	CHECK_EQ(log->granules, 2);
}

static void overflow_loses_nothing_and_ends(void)
{
	each_format(overflows, 0);
	each_format(overflows, LATE);
}

static void lies(struct bed *bed, struct host_log *log)
{
	struct lmf_fw_stats stats;

	bed_fault(bed, "lose-dirty=0:1:1");
	CHECK_EQ(vf_read(bed, GUEST_DATA, 65536), LMF_VF_ST_OK);
	CHECK(host_gather(bed, log));
	CHECK_EQ(log->granules, 0);
	lmf_fw_stats(bed->fw, 0, &stats);
	CHECK(stats.log_lost >= 17);
}

static void the_hook_loses_pages(void)
{
	each_format(lies, 0);
}

static void stops(struct bed *bed, struct host_log *log)
{
	struct lmf_admin_cmd stop = bed_cmd(LMF_OP_LOG_STOP, 0);
	struct lmf_admin_cmd start;

	CHECK_EQ(vf_read(bed, GUEST_DATA, 4096), LMF_VF_ST_OK);
	CHECK_EQ(bed_status(bed, &stop), LMF_ST_OK);
	CHECK_EQ(log_flush(bed).status, LMF_ST_STATE);
	CHECK_EQ(log_read(bed, 0).status, LMF_ST_STATE);
	start = bed_log_cmd_of(bed, log->format, 0, 12, 0, GUEST_BYTES);
	CHECK_EQ(bed_status(bed, &start), LMF_ST_OK);
	CHECK(host_gather(bed, log));
	CHECK_EQ(log->granules, 0);
}

static void a_new_log_knows_nothing_of_the_old(void)
{
	each_format(stops, LATE);
}

static void unreachable_buffer_costs_nothing(void)
{
	struct lmf_admin_cmd cmd = bed_cmd_data(LMF_OP_LOG_READ, 0, HOST_BYTES,
						HOST_LIST_BYTES);
	struct host_log *log;
	unsigned int format;
	struct bed *bed;

	for (format = LMF_LOG_RANGES; format < FORMATS; format++) {
		bed = format_bed(format, 0, 0);
		log = format_host(format);
		CHECK_EQ(vf_read(bed, GUEST_DATA, 4096), LMF_VF_ST_OK);
		CHECK_EQ(log_flush(bed).status, LMF_ST_OK);
		CHECK_EQ(bed_status(bed, &cmd), LMF_ST_DMA);
		CHECK(host_read(bed, log));
		CHECK_EQ(log->granules, 2);
		host_log_free(log);
		bed_free(bed);
	}
}

static void only_what_is_offered_starts(void)
{
	struct lmf_fw_config config = bed_config;
	struct lmf_admin_cmd stop = bed_cmd(LMF_OP_LOG_STOP, 0);
	struct lmf_admin_cmd cmd;
	unsigned int format, mask;
	struct bed *bed;

	for (mask = 1; mask < 1 << FORMATS; mask++) {
		config.log_formats = mask;
		bed = bed_new(&config);
		for (format = 0; format < FORMATS; format++) {
			cmd = bed_log_cmd_of(bed, format, 0, 12, 0, 4096);
			CHECK_EQ(bed_status(bed, &cmd), mask >> format & 1 ?
				 LMF_ST_OK : LMF_ST_FIELD);
			bed_status(bed, &stop);
		}
		bed_free(bed);
	}
}

static uint16_t try_start(unsigned int format, size_t at, uint32_t value,
			  size_t bytes)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_admin_cmd cmd = bed_log_cmd_of(bed, format, 0, 12, 0,
						  GUEST_BYTES);
	uint16_t status;

	memcpy(bed->host + HOST_DATA + at, &value, bytes);
	status = bed_status(bed, &cmd);
	bed_free(bed);
	return status;
}

static void start_is_checked(void)
{
	unsigned int format;

	for (format = LMF_LOG_RANGES; format < FORMATS; format++) {
		CHECK_EQ(try_start(format, 4, 1, 4), LMF_ST_OK);
		CHECK_EQ(try_start(format, 2, 1, 2), LMF_ST_FIELD);
		CHECK_EQ(try_start(format, 8, 2, 4), LMF_ST_FIELD);
		CHECK_EQ(try_start(format, 12, 1, 4),
			 format == LMF_LOG_RANGES ? LMF_ST_OK : LMF_ST_FIELD);
		CHECK_EQ(try_start(format, 12, FW_LIST_EXTENTS + 1, 4),
			 LMF_ST_FIELD);
		/* The length in leaves: 2^47 bytes are 2^20 of them. */
		CHECK_EQ(try_start(format, 44, 0x7fff, 4),
			 format == LMF_LOG_RANGES ? LMF_ST_OK : LMF_ST_FIELD);
	}
}

static void memory_lacks_at_start(void)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_admin_cmd stop = bed_cmd(LMF_OP_LOG_STOP, 0);
	struct lmf_admin_cmd cmd;
	unsigned int format;
	long n, held = bed->allocated;
	uint16_t status;

	for (format = 0; format < FORMATS; format++) {
		for (n = 1; n < 20; n++) {
			cmd = bed_log_cmd_of(bed, format, 0, 12, 0,
					     GUEST_BYTES);
			bed->fail_alloc = n;
			status = bed_status(bed, &cmd);
			bed->fail_alloc = 0;
			if (status == LMF_ST_OK)
				break;
			CHECK_EQ(status, LMF_ST_RESOURCES);
			CHECK_EQ(bed->allocated, held);
		}
		CHECK(n > 2 && n < 20);
		bed_status(bed, &stop);
		CHECK_EQ(bed->allocated, held);
	}
	bed_free(bed);
}

static void params_that_mean_nothing_are_refused(void)
{
	struct lmf_admin_cmd flush = bed_cmd(LMF_OP_LOG_FLUSH, 0);
	struct bed *bed = format_bed(LMF_LOG_RING, 0, 0);

	flush.param = cpu_to_le32(1);
	CHECK_EQ(bed_status(bed, &flush), LMF_ST_FIELD);
	CHECK_EQ(log_read(bed, 0).status, LMF_ST_STATE);
	bed_free(bed);
	bed = format_bed(LMF_LOG_RANGES, 0, 0);
	CHECK_EQ(bed_status(bed, &flush), LMF_ST_FIELD);
	CHECK_EQ(log_read(bed, 1).status, LMF_ST_FIELD);
	bed_free(bed);
	bed = format_bed(LMF_LOG_BITMAP, 0, 0);
	CHECK_EQ(log_read(bed, UINT32_MAX).bytes, 0);
	CHECK_EQ(log_read(bed, UINT32_MAX).status, LMF_ST_OK);
	bed_free(bed);
}

/* The example of lmf_log.h, byte by byte. */
static void example_of_a_list(void)
{
	static const uint8_t expect[48] = {
		0x0c, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0x00, 0xf0, 0x07, 0, 0, 0, 0, 0, 0x03, 0, 0, 0, 0, 0, 0, 0,
		0x00, 0x00, 0x09, 0, 0, 0, 0, 0, 0x01, 0, 0, 0, 0, 0, 0, 0,
	};
	struct bed *bed = format_bed(LMF_LOG_RANGES, 0, 0);

	fw_log_write(bed->fw, bed->fw->vf[0], 0x7ff00, 0x2100);
	fw_log_write(bed->fw, bed->fw->vf[0], 0x90000, 1);
	CHECK_EQ(le32_to_cpu(log_read(bed, 0).bytes), sizeof(expect));
	CHECK(!memcmp(bed->host + HOST_LIST, expect, sizeof(expect)));
	bed_free(bed);
}

static void example_of_a_bank(void)
{
	static const uint8_t expect[144] = {
		[3] = 0x08, [8] = 0x06, [79] = 0x80, [80] = 0x03,
	};
	struct bed *bed = bed_new(NULL);
	struct lmf_admin_cmd cmd = bed_log_cmd_of(bed, LMF_LOG_BITMAP, 0, 12,
						  0, 1 << 30);

	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_OK);
	fw_log_write(bed->fw, bed->fw->vf[0], 0x083fff00, 0x2100);
	CHECK_EQ(le64_to_cpu(log_flush(bed).value[0]), 1);
	CHECK_EQ(le32_to_cpu(log_read(bed, 0).bytes), sizeof(expect));
	CHECK(!memcmp(bed->host + HOST_LIST, expect, sizeof(expect)));
	bed_free(bed);
}

static void list_says_more(void)
{
	struct bed *bed = format_bed(LMF_LOG_RANGES, 0, 0);
	struct host_log *log = format_host(LMF_LOG_RANGES);
	unsigned int i;

	for (i = 0; i < 1500; i++)
		CHECK_EQ(vf_read(bed, GUEST_DATA + i * 8192, 512),
			 LMF_VF_ST_OK);
	CHECK_EQ(le64_to_cpu(log_flush(bed).value[0]), 1501);
	CHECK(host_read(bed, log));
	CHECK_EQ(log->reads, 2);
	CHECK_EQ(log->granules, 1501);
	CHECK_EQ(log->coarse, 0);
	CHECK_EQ(log->flags, 0);
	host_log_free(log);
	bed_free(bed);
}

/* What is not due is no more to report. */
static void list_holds_late_extents_back(void)
{
	struct bed *bed = format_bed(LMF_LOG_RANGES, 50000, 0);
	struct host_log *log = format_host(LMF_LOG_RANGES);

	CHECK_EQ(vf_read(bed, GUEST_DATA, 4096), LMF_VF_ST_OK);
	CHECK(host_read(bed, log));
	CHECK_EQ(log->granules, 0);
	CHECK_EQ(log->flags, 0);
	bed_pass(bed, 50000);
	CHECK(host_read(bed, log));
	CHECK_EQ(log->granules, 2);
	host_log_free(log);
	bed_free(bed);
}

static void list_tells_of_its_threshold(void)
{
	struct bed *bed = format_bed(LMF_LOG_RANGES, 1000, 3);
	struct host_log *log = format_host(LMF_LOG_RANGES);
	struct lmf_event event;
	unsigned int i;

	for (i = 0; i < 6; i++) {
		CHECK_EQ(vf_read(bed, GUEST_DATA + i * 8192, 512),
			 LMF_VF_ST_OK);
		CHECK(!bed_event(bed, &event) || i > 1);
	}
	bed_pass(bed, 1000);
	CHECK(bed_event(bed, &event));
	CHECK_EQ(le16_to_cpu(event.type), LMF_EV_LOG_THRESHOLD);
	CHECK(!bed_event(bed, &event));
	bed_pass(bed, 10000);
	CHECK(!bed_event(bed, &event));
	CHECK_EQ(bed->wake, LMF_FW_NEVER);
	CHECK(host_read(bed, log));
	CHECK(!bed_event(bed, &event));
	for (i = 0; i < 6; i++)
		CHECK_EQ(vf_read(bed, GUEST_DATA + i * 8192, 512),
			 LMF_VF_ST_OK);
	bed_pass(bed, 1000);
	CHECK(bed_event(bed, &event));
	host_log_free(log);
	bed_free(bed);
}

/* A unit may get as wide as there is: one extent still holds all. */
static void list_of_one_extent(void)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_admin_cmd cmd = bed_log_cmd_of(bed, LMF_LOG_RANGES, 0, 12,
						  0, 1ull << 63);
	struct lmf_log_range *range = (void *)(bed->host + HOST_DATA + 32);
	struct lmf_log_list *list = (void *)(bed->host + HOST_LIST);
	struct lmf_log_extent *extent = (void *)(list + 1);

	range->last = cpu_to_le64(UINT64_MAX);
	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_OK);
	bed_fault(bed, "log-entries=1");
	fw_log_write(bed->fw, bed->fw->vf[0], 0, 1);
	fw_log_write(bed->fw, bed->fw->vf[0], UINT64_MAX, 1);
	CHECK_EQ(log_read(bed, 0).status, LMF_ST_OK);
	CHECK_EQ(le32_to_cpu(list->count), 1);
	CHECK_EQ(list->shift, 63);
	CHECK_EQ(le64_to_cpu(extent->iova), 0);
	CHECK_EQ(le32_to_cpu(extent->units), 2);
	fw_log_write(bed->fw, bed->fw->vf[0], 0x5000, 1);
	CHECK_EQ(log_read(bed, 0).status, LMF_ST_OK);
	CHECK_EQ(list->shift, 12);
	bed_free(bed);
}

/* SPEC.md R112: what was not acknowledged comes again, with what came. */
static void bank_is_kept_until_acknowledged(void)
{
	struct bed *bed = format_bed(LMF_LOG_BITMAP, 0, 0);
	struct lmf_admin_cmd flush = bed_cmd(LMF_OP_LOG_FLUSH, 0);
	struct host_log *log = format_host(LMF_LOG_BITMAP);

	fw_log_write(bed->fw, bed->fw->vf[0], 0x5000, 1);
	CHECK_EQ(le64_to_cpu(log_flush(bed).value[0]), 1);
	CHECK(host_read(bed, log));
	CHECK(host_read(bed, log));
	CHECK_EQ(log->granules, 2);
	fw_log_write(bed->fw, bed->fw->vf[0], 0x6000, 1);
	CHECK(host_read(bed, log));
	CHECK_EQ(log->granules, 3);
	/* To acknowledge something else is to acknowledge nothing. */
	flush.param = cpu_to_le32(7);
	CHECK_EQ(le64_to_cpu(bed_exec(bed, &flush).value[0]), 2);
	CHECK(host_read(bed, log));
	CHECK_EQ(log->granules, 5);
	fw_log_write(bed->fw, bed->fw->vf[0], 0x7000, 1);
	flush.param = cpu_to_le32(2);
	CHECK_EQ(le64_to_cpu(bed_exec(bed, &flush).value[0]), 3);
	CHECK(host_read(bed, log));
	CHECK_EQ(log->granules, 6);
	/* One that comes late, and twice, takes nothing away. */
	CHECK_EQ(le64_to_cpu(bed_exec(bed, &flush).value[0]), 4);
	CHECK(host_read(bed, log));
	CHECK_EQ(log->granules, 7);
	host_log_free(log);
	bed_free(bed);
}

/* Many leaves: several reads, and a merge that takes many steps. */
static void bank_of_many_leaves(void)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_admin_cmd cmd = bed_log_cmd_of(bed, LMF_LOG_BITMAP, 0, 12,
						  0, 1ull << 42);
	struct lmf_fw_stats stats;
	struct lmf_admin_cqe cqe = { 0 };
	uint64_t leaf = 1ull << 27;
	unsigned int i, bytes = 0;

	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_OK);
	for (i = 0; i < 32768; i += 8)
		fw_log_write(bed->fw, bed->fw->vf[0], i * leaf, 1);
	log_flush(bed);
	for (i = 4; i < 32768; i += 4)
		fw_log_write(bed->fw, bed->fw->vf[0], i * leaf + 4096, 1);
	CHECK_EQ(log_flush(bed).status, LMF_ST_OK);
	CHECK(bed->run_bytes <= FW_RUN_BYTES + FW_BOUNCE_BYTES);
	do {
		cqe = log_read(bed, le64_to_cpu(cqe.value[0]));
		CHECK_EQ(cqe.status, LMF_ST_OK);
		CHECK(cqe.bytes > 0);
		bytes += le32_to_cpu(cqe.bytes);
	} while (!tap_failed && le16_to_cpu(cqe.flags) & LMF_LOG_MORE);
	CHECK_EQ(bytes, 8192 * 80);
	lmf_fw_stats(bed->fw, 0, &stats);
	CHECK_EQ(stats.log_overflows, 0);
	bed_free(bed);
}

/* Dirty in whole for want of memory, and kept beside bits that were not. */
static void full_leaf_joins_a_kept_one(void)
{
	struct bed *bed = format_bed(LMF_LOG_BITMAP, 0, 0);
	struct host_log *log = format_host(LMF_LOG_BITMAP);

	fw_log_write(bed->fw, bed->fw->vf[0], 0x5000, 1);
	log_flush(bed);
	bed->fail_alloc = 1;
	fw_log_write(bed->fw, bed->fw->vf[0], 0x9000, 1);
	CHECK_EQ(le64_to_cpu(log_flush(bed).value[1]), 1);
	CHECK(host_read(bed, log));
	CHECK(log->reported[5] && log->reported[9]);
	CHECK_EQ(log->granules, 32768);
	host_log_free(log);
	bed_free(bed);
}

struct law {
	struct bed *bed;
	struct host_log *log;
	uint8_t *written;	/* and not gathered yet */
	uint64_t state;
	uint64_t writes;
};

static void law_write(struct law *law)
{
	uint64_t first, addr, len = 1 + bed_random(&law->state) %
				    (1u << bed_random(&law->state) % 16);

	addr = bed_random(&law->state) % (GUEST_BYTES - len);
	fw_log_write(law->bed->fw, law->bed->fw->vf[0], addr, len);
	law->writes++;
	for (first = addr >> 12; first <= (addr + len - 1) >> 12; first++)
		law->written[first] = 1;
}

/* A read that the host gives up, or does not acknowledge, costs nothing. */
static void law_disturb(struct law *law)
{
	static const char *const faults[] = {
		"log-entries=2", "log-entries=40", "log-entries=0",
		"short-chunks=1", "log-delay-us=50", "none", "reset-vf=0",
	};
	unsigned int what = bed_random(&law->state) % 12;

	if (what < 7)
		bed_fault(law->bed, faults[what]);
	else if (what == 7)
		law->bed->fail_alloc = 1 + bed_random(&law->state) % 3;
	else if (what == 8 && law->log->format == LMF_LOG_BITMAP)
		log_read(law->bed, 0);
	else if (what == 9 && law->log->format == LMF_LOG_BITMAP)
		log_flush(law->bed);
	else
		bed_pass(law->bed, bed_random(&law->state) % 100000);
}

static void law_check(struct law *law)
{
	unsigned int i;

	law->bed->fail_alloc = 0;
	CHECK(host_gather(law->bed, law->log));
	for (i = 0; i < GUEST_BYTES >> 12; i++)
		CHECK(law->log->reported[i] || !law->written[i]);
	memset(law->log->reported, 0, GUEST_BYTES >> 12);
	memset(law->written, 0, GUEST_BYTES >> 12);
}

static void law_run(unsigned int format, uint64_t seed, uint64_t writes)
{
	struct law law = {
		.bed = format_bed(format, seed % 2 * 30000, 0),
		.log = format_host(format),
		.written = calloc(1, GUEST_BYTES >> 12),
		.state = seed,
	};
	unsigned int burst;

	while (law.writes < writes && !tap_failed) {
		burst = bed_random(&law.state) % 600;
		while (burst--)
			law_write(&law);
		law_disturb(&law);
		if (bed_random(&law.state) % 4)
			CHECK(host_read(law.bed, law.log));
		if (!(bed_random(&law.state) % 3))
			law_check(&law);
	}
	law_check(&law);
	if (tap_failed)
		printf("# format %u, seed %u\n", format, (unsigned int)seed);
	free(law.written);
	host_log_free(law.log);
	bed_free(law.bed);
}

/* Millions of writes with random overflow, reset, late posting and reads. */
static void nothing_written_is_ever_missing(void)
{
	unsigned int format;
	uint64_t seed;

	for (format = 0; format < FORMATS; format++)
		for (seed = 1; seed <= 4 && !tap_failed; seed++)
			law_run(format, seed, 250000);
}

static const struct tap_test tests[] = {
	TEST(what_was_written_is_told_once),
	TEST(reset_publishes_and_keeps_logging),
	TEST(quiesce_then_flush_is_complete),
	TEST(overflow_loses_nothing_and_ends),
	TEST(the_hook_loses_pages),
	TEST(a_new_log_knows_nothing_of_the_old),
	TEST(unreachable_buffer_costs_nothing),
	TEST(only_what_is_offered_starts),
	TEST(start_is_checked),
	TEST(memory_lacks_at_start),
	TEST(params_that_mean_nothing_are_refused),
	TEST(example_of_a_list),
	TEST(example_of_a_bank),
	TEST(list_says_more),
	TEST(list_holds_late_extents_back),
	TEST(list_tells_of_its_threshold),
	TEST(list_of_one_extent),
	TEST(bank_is_kept_until_acknowledged),
	TEST(bank_of_many_leaves),
	TEST(full_leaf_joins_a_kept_one),
	TEST(nothing_written_is_ever_missing),
};

TAP_MAIN(tests)
