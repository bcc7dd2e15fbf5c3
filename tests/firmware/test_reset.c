// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VF reset at any moment, with nobody's help: when it is done the VF writes
 * nothing any more. What writes host memory for it stays with what it was
 * given: the log with its ring, until LOG_STOP completes, and a save with its
 * buffer, until its command does. And the log misses no write from before.
 */
#include "hostlog.h"
#include "stream.h"
#include "tap.h"

#define MOMENTS		60
#define SECOND		1000000000
#define CHUNK		65536u
#define READS		8
#define READ_BYTES	(1u << 20)

/**
 * struct watch - who wrote what, and when
 * @tag: of the save's command
 * @reset: the VF was reset
 * @aborted: the save's command completed
 * @stopped: LOG_STOP completed
 * @late: writes that must not be
 * @written: granules that the VF wrote
 * @count: of those writes
 */
struct watch {
	uint32_t tag;
	bool reset;
	bool aborted;
	bool stopped;
	unsigned int late;
	uint8_t written[GUEST_BYTES >> 12];
	unsigned int count;
};

static void watch_wrote(struct bed *bed, int fn, uint64_t addr, size_t len)
{
	struct watch *w = bed->wrote_ctx;
	uint64_t at = addr - HOST_BASE, page;

	if (fn != LMF_FW_PF) {
		w->late += w->reset;
		w->count++;
		for (page = addr >> 12; page <= (addr + len - 1) >> 12; page++)
			w->written[page] = 1;
	} else if (at >= HOST_DATA) {
		w->late += w->aborted;
	} else if (at >= HOST_RING) {
		w->late += w->stopped;
	}
}

static void watch_reap(struct bed *bed, struct watch *w)
{
	struct lmf_admin_cqe cqe;

	while (bed_reap(bed, &cqe))
		w->aborted |= le32_to_cpu(cqe.tag) == w->tag;
}

static void make_busy(struct bed *bed, struct watch *w)
{
	struct lmf_admin_cmd cmd = bed_log_cmd(bed, 0, 64, 0, 12, 0,
					       GUEST_BYTES);
	struct lmf_vf_cmd io = bed_io_cmd(LMF_VF_OP_READ, 0, 0, READ_BYTES);
	uint64_t session;
	unsigned int i;

	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_OK);
	CHECK_EQ(bed_write(bed, 0, 0, 1, 1 << 20), 0);
	session = save_begin(bed, 0);
	/* The identity comes alone. */
	save_read(bed, 0, session, 0, CHUNK, NULL);
	for (i = 0; i < READS; i++) {
		io.sge.addr = cpu_to_le64(GUEST_DATA + i * READ_BYTES);
		bed_io_submit(bed, 0, i % 2, &io);
	}
	cmd = bed_cmd_data(LMF_OP_SAVE_READ, 0, HOST_DATA, CHUNK);
	cmd.session = cpu_to_le64(session);
	w->tag = bed_submit(bed, &cmd);
}

/* All that was written before is in the log; then that is stopped. */
static void take_log(struct bed *bed, struct watch *w)
{
	struct lmf_admin_cmd stop = bed_cmd(LMF_OP_LOG_STOP, 0);
	struct host_log *log = host_log_new(64, 12);
	struct lmf_admin_cqe cqe;
	unsigned int page;

	do {
		cqe = log_flush(bed);
		CHECK_EQ(le16_to_cpu(cqe.status), LMF_ST_OK);
		CHECK(host_consume(bed, log, 64));
	} while (le16_to_cpu(cqe.flags) & LMF_LOG_MORE);
	for (page = 0; page < sizeof(w->written); page++)
		CHECK(log->reported[page] || !w->written[page]);
	CHECK_EQ(bed_status(bed, &stop), LMF_ST_OK);
	w->stopped = true;
	bed_pass(bed, SECOND);
	host_log_free(log);
}

/* Returns how often the VF had written when it was reset. */
static unsigned int reset_after(unsigned int runs)
{
	struct lmf_fw_config config = bed_config;
	static struct watch w;
	struct bed *bed;

	memset(&w, 0, sizeof(w));
	config.log_post_delay_ns = 20000;
	bed = bed_new(&config);
	bed_queue_on(bed, 0, 0, 16);
	bed_queue_on(bed, 0, 1, 16);
	bed->wrote = watch_wrote;
	bed->wrote_ctx = &w;
	make_busy(bed, &w);
	while (runs-- && !tap_failed) {
		lmf_fw_run(bed->fw);
		bed->now += 1000;
		watch_reap(bed, &w);
	}
	lmf_fw_reset(bed->fw, 0);
	w.reset = true;
	bed_run(bed);
	watch_reap(bed, &w);
	if (!w.aborted)
		tap_failed = true;
	bed_pass(bed, SECOND);
	if (!tap_failed)
		take_log(bed, &w);
	if (w.late)
		printf("# %u late writes\n", w.late);
	tap_failed |= w.late;
	bed_free(bed);
	return w.count;
}

/* points: 33, 37 */
static void nothing_is_written_after_a_reset(void)
{
	unsigned int runs, count, last = 0, cut = 0;

	for (runs = 0; runs < MOMENTS; runs++) {
		count = reset_after(runs);
		CHECK_GOOD();
		cut += count > last;
		last = count;
	}
	/* Most of the moments were in the midst of it. */
	CHECK(cut > READS);
}

static const struct tap_test tests[] = {
	TEST(nothing_is_written_after_a_reset),
};

TAP_MAIN(tests)
