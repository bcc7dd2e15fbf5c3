// SPDX-License-Identifier: GPL-2.0-only
/*
 * The law of the dirty log, checked by reference: what the device wrote to
 * guest memory and what it posted about it, granule by granule, under random
 * writes, delays, overflows, flushes and resets. Nothing written is ever
 * missing, and an entry that is not coarse names only what was written.
 */
#include "hostlog.h"
#include "tap.h"

/*
 * Everything that the device wrote, in the order in which it did: when each
 * granule was last written to, and when it was last posted.
 */
struct reference {
	struct host_log *log;
	uint64_t clock;
	uint64_t posted;
	bool broken;
	uint64_t *written_at;
	uint64_t *posted_at;
};

/* Exact entries name only what was written since it was last posted. */
static void reference_post(struct reference *ref,
			   const struct lmf_log_entry *entry)
{
	uint64_t granule = le64_to_cpu(entry->iova) >> ref->log->shift;
	uint64_t end = granule + le32_to_cpu(entry->granules);
	bool exact = !(le16_to_cpu(entry->flags) & LMF_LOG_COARSE);

	ref->posted++;
	if (ref->posted - ref->log->consumed > ref->log->entries)
		ref->broken = true;
	for (; granule < end; granule++) {
		if (exact && ref->written_at[granule] <=
			     ref->posted_at[granule])
			ref->broken = true;
		ref->posted_at[granule] = ref->clock;
	}
}

static void reference_wrote(struct bed *bed, int fn, uint64_t addr, size_t len)
{
	struct reference *ref = bed->wrote_ctx;
	uint64_t ring = HOST_BASE + HOST_RING;
	uint64_t granule;

	ref->clock++;
	if (fn == LMF_FW_PF) {
		if (addr >= ring && addr < ring + 0x10000 && addr % 16 == 8)
			reference_post(ref, (void *)(bed->host + addr - 8 -
						     HOST_BASE));
		return;
	}
	for (granule = addr >> ref->log->shift;
	     granule <= (addr + len - 1) >> ref->log->shift; granule++)
		ref->written_at[granule] = ref->clock;
}

/* Flushes and consumes until all is in: that is what was written before. */
static void reference_check(struct bed *bed, struct reference *ref)
{
	uint64_t granule, begin = ref->clock;
	struct lmf_admin_cqe cqe;

	do {
		cqe = log_flush(bed);
		CHECK_EQ(le16_to_cpu(cqe.status), LMF_ST_OK);
		CHECK(host_consume(bed, ref->log, ref->log->entries));
	} while (le16_to_cpu(cqe.flags) & LMF_LOG_MORE);
	CHECK_EQ(ref->posted, ref->log->consumed);
	CHECK(!ref->broken);
	for (granule = 0; granule < GUEST_BYTES >> ref->log->shift; granule++)
		CHECK(ref->written_at[granule] > begin ||
		      ref->posted_at[granule] >= ref->written_at[granule]);
}

static void random_io(struct bed *bed, uint64_t *state, unsigned int sizes)
{
	struct lmf_vf_cmd io = bed_io_cmd(LMF_VF_OP_READ, 0, 0, 512);
	uint32_t len = 512 << bed_random(state) % sizes;
	struct lmf_vf_cqe cqe;
	unsigned int q = bed_random(state) % 2;

	io.length = cpu_to_le32(len);
	io.sge.len = cpu_to_le32(len);
	io.sge.addr = cpu_to_le64(GUEST_DATA + bed_random(state) %
				  (GUEST_BYTES - GUEST_DATA - len));
	while (bed_io_reap(bed, 0, q, &cqe))
		;
	bed_io_submit(bed, 0, q, &io);
	if (bed_random(state) % 4)
		lmf_fw_run(bed->fw);
}

static void random_reset(struct bed *bed)
{
	unsigned int q;

	lmf_fw_reset(bed->fw, 0);
	for (q = 0; q < 2; q++)
		bed_queue_on(bed, 0, q, 64);
}

static void random_step(struct bed *bed, struct reference *ref, uint64_t *state)
{
	unsigned int what = bed_random(state) % 1000;
	bool small = ref->log->entries <= 16;

	/* Scattered writes and a host that seldom looks make it overflow. */
	if (what < 600 || (what < 998 && small && bed_random(state) % 32))
		random_io(bed, state, small ? 3 : 8);
	else if (what < 800)
		bed_pass(bed, bed_random(state) % 100000);
	else if (what < 900)
		CHECK(host_consume(bed, ref->log, bed_random(state) % 8));
	else if (what < 960)
		lmf_fw_run(bed->fw);
	else if (what < 990)
		log_flush(bed);
	else if (what < 996)
		random_reset(bed);
	else
		reference_check(bed, ref);
}

static void random_log(uint64_t seed, uint32_t entries, unsigned int shift,
		       uint64_t delay, unsigned int steps)
{
	struct lmf_fw_config config = bed_config;
	struct reference ref = {
		.log = host_log_new(entries, shift),
		.written_at = calloc(GUEST_BYTES >> shift, sizeof(uint64_t)),
		.posted_at = calloc(GUEST_BYTES >> shift, sizeof(uint64_t)),
	};
	struct lmf_fw_stats stats;
	struct lmf_admin_cmd cmd;
	struct bed *bed;

	config.log_post_delay_ns = delay;
	bed = bed_new(&config);
	bed->wrote = reference_wrote;
	bed->wrote_ctx = &ref;
	cmd = bed_log_cmd(bed, 0, entries, entries / 2, shift, 0, GUEST_BYTES);
	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_OK);
	random_reset(bed);
	while (steps-- && !tap_failed)
		random_step(bed, &ref, &seed);
	CHECK_GOOD();
	bed_fault(bed, "reset-vf=0");
	reference_check(bed, &ref);
	CHECK_GOOD();
	lmf_fw_stats(bed->fw, 0, &stats);
	CHECK_EQ(!stats.log_overflows, entries > 16);
	free(ref.posted_at);
	free(ref.written_at);
	host_log_free(ref.log);
	bed_free(bed);
}

/* points: 33 */
static void union_of_entries_is_what_was_written(void)
{
	uint64_t seed;

	for (seed = 1; seed <= 12 && !tap_failed; seed++) {
		random_log(seed, 1024, 12, seed % 2 * 30000, 3000);
		random_log(seed + 100, 4, 12, seed % 3 * 40000, 6000);
		random_log(seed + 200, 16, 12, seed % 2 * 20000, 6000);
		random_log(seed + 300, 1024, 14, seed % 2 * 20000, 3000);
	}
}

/* The set itself, against one flag a granule. */
static void extents_are_a_set(void)
{
	static struct fw_extent extent[FW_LOG_EXTENTS];
	struct fw_extents set = { .max = FW_LOG_EXTENTS, .extent = extent };
	static uint8_t has[600];
	struct fw_extent new = { 0 };
	uint64_t state = 3;
	unsigned int i, j, k, n;

	for (i = 0; i < 20000; i++) {
		new.first = bed_random(&state) % 590;
		new.last = new.first + bed_random(&state) % 3;
		if (!fw_extents_merge(&set, &new) &&
		    !fw_extents_insert(&set, &new))
			continue;
		memset(has + new.first, 1, new.last - new.first + 1);
		if (i % 64 == 0) {
			set.count = 0;
			memset(has, 0, sizeof(has));
		}
		for (j = 0, n = 0; j < set.count; j++) {
			CHECK(!j || set.extent[j].first >
				    set.extent[j - 1].last + 1);
			for (k = set.extent[j].first;
			     k <= set.extent[j].last; k++, n++)
				CHECK(has[k]);
		}
		for (j = 0; j < sizeof(has); j++)
			n -= has[j];
		CHECK_EQ(n, 0);
	}
}

static const struct tap_test tests[] = {
	TEST(union_of_entries_is_what_was_written),
	TEST(extents_are_a_set),
};

TAP_MAIN(tests)
