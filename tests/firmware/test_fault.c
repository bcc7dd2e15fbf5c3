// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fault hooks: each has the effect that fault.c promises, and none outlives
 * "none".
 */
#include <string.h>

#include "stream.h"
#include "tap.h"

static struct bed *fault_bed(void)
{
	struct bed *bed = bed_new(NULL);

	bed_queue_on(bed, 0, 0, BED_QUEUE_ENTRIES);
	bed_queue_on(bed, 1, 0, BED_QUEUE_ENTRIES);
	return bed;
}

static void specs_are_checked(void)
{
	static const char * const bad[] = {
		"", "nonsense", "none=1", "lose-dirty", "lose-dirty=",
		"lose-dirty=0", "lose-dirty=0:1", "lose-dirty=0:1:0",
		"lose-dirty=0:2:1", "lose-dirty=4:1:1", "lose-dirty=0:*:1",
		"lose-dirty=0:1:1:1", "lose-dirty=0:1:1x", "lose-dirty:0:1:1",
		"lose-dirtyy=0:1:1", "lose=0:1:1", "admin-drop=0x10000:1",
		"admin-drop=0x101:0", "admin-drop=:1", "admin-drop=0x:1",
		"admin-fail=*:1:0", "admin-fail=*:1:0xffff", "io-drop=0:0",
		"io-fail=0:1:6", "io-fail=0:1:0", "log-entries=-1",
		"log-entries=99999999999999999999", "reset-vf=7", "reset-vf= 1",
		"admin-delay=*:*", "identity-version=0x100000000",
	};
	struct bed *bed = fault_bed();
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (!lmf_fw_fault(bed->fw, bad[i]))
			printf("# taken: \"%s\"\n", bad[i]);
		CHECK(lmf_fw_fault(bed->fw, bad[i]));
	}
	for (i = 0; i < FW_FAULT_RULES; i++)
		CHECK(!lmf_fw_fault(bed->fw, "admin-drop=0x0101:5"));
	CHECK(lmf_fw_fault(bed->fw, "admin-drop=0x0101:5"));
	bed_fault(bed, "none");
	CHECK(!lmf_fw_fault(bed->fw, "admin-drop=0x0101:5"));
	bed_free(bed);
}

/* Reads 512 granules, one a request; answers what the log knows of them. */
static uint64_t logged_of_512(struct bed *bed)
{
	struct lmf_admin_cmd cmd = bed_log_cmd(bed, 0, 1024, 0, 12, GUEST_DATA,
					       8 << 20);
	struct lmf_admin_cmd flush = bed_cmd(LMF_OP_LOG_FLUSH, 0);
	struct lmf_admin_cmd stop = bed_cmd(LMF_OP_LOG_STOP, 0);
	struct lmf_log_entry entry;
	uint64_t i, posted, granules = 0;

	bed_status(bed, &cmd);
	for (i = 0; i < 512; i++) {
		struct lmf_vf_cmd io = bed_io_cmd(LMF_VF_OP_READ, 0,
						  GUEST_DATA + i * 8192, 512);

		bed_io(bed, 0, 0, &io);
	}
	posted = le64_to_cpu(bed_exec(bed, &flush).value[0]);
	for (i = 0; i < posted; i++) {
		memcpy(&entry, bed->host + HOST_RING + i * sizeof(entry),
		       sizeof(entry));
		granules += le32_to_cpu(entry.granules);
	}
	bed_status(bed, &stop);
	return granules;
}

static void lose_dirty(void)
{
	struct bed *bed = fault_bed();
	struct lmf_fw_stats stats;
	uint64_t logged;

	CHECK_EQ(logged_of_512(bed), 512);
	bed_fault(bed, "lose-dirty=1:1:1");
	CHECK_EQ(logged_of_512(bed), 512);
	bed_fault(bed, "lose-dirty=*:1:4");
	logged = logged_of_512(bed);
	CHECK(logged > 512 * 3 / 4 - 60 && logged < 512 * 3 / 4 + 60);
	lmf_fw_stats(bed->fw, 0, &stats);
	CHECK_EQ(stats.log_lost, 512 - logged);
	CHECK_EQ(stats.log_granules, 3 * 512);
	bed_fault(bed, "lose-dirty=0:1:1");
	CHECK_EQ(logged_of_512(bed), 0);
	bed_fault(bed, "lose-dirty=0:0:1");
	CHECK_EQ(logged_of_512(bed), 512);
	bed_fault(bed, "lose-dirty=*:1:1");
	bed_fault(bed, "none");
	CHECK_EQ(logged_of_512(bed), 512);
	bed_free(bed);
}

static uint64_t lost_with_seed(uint64_t seed)
{
	struct lmf_fw_config config = bed_config;
	struct lmf_fw_stats stats;
	struct bed *bed;

	config.seed = seed;
	bed = bed_new(&config);
	bed_queue_on(bed, 0, 0, BED_QUEUE_ENTRIES);
	bed_fault(bed, "lose-dirty=*:1:2");
	logged_of_512(bed);
	lmf_fw_stats(bed->fw, 0, &stats);
	bed_free(bed);
	return stats.log_lost;
}

static void randomness_is_seeded(void)
{
	CHECK_EQ(lost_with_seed(5), lost_with_seed(5));
	CHECK(lost_with_seed(5) != lost_with_seed(6) ||
	      lost_with_seed(5) != lost_with_seed(7));
}

static void log_entries_shrinks_the_ring(void)
{
	struct bed *bed = fault_bed();
	struct lmf_admin_cmd cmd = bed_log_cmd(bed, 0, 1024, 512, 12, 0,
					       GUEST_BYTES);
	struct lmf_admin_cmd flush = bed_cmd(LMF_OP_LOG_FLUSH, 0);
	struct lmf_admin_cqe cqe;
	struct lmf_event event;
	unsigned int i;

	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_OK);
	bed_fault(bed, "log-entries=4");
	for (i = 0; i < 300; i++) {
		struct lmf_vf_cmd io = bed_io_cmd(LMF_VF_OP_READ, 0,
						  GUEST_DATA + i * 8192, 512);

		CHECK_EQ(bed_io(bed, 0, 0, &io), 0);
	}
	cqe = bed_exec(bed, &flush);
	CHECK(le16_to_cpu(cqe.flags) & LMF_LOG_MORE);
	CHECK_EQ(le64_to_cpu(cqe.value[0]), 4);
	CHECK_EQ(le64_to_cpu(cqe.value[1]), 1);
	/* The threshold shrinks along, or nobody would ever drain. */
	CHECK(bed_event(bed, &event));
	CHECK_EQ(le16_to_cpu(event.type), LMF_EV_LOG_THRESHOLD);
	bed_fault(bed, "log-entries=0");
	cqe = bed_exec(bed, &flush);
	CHECK_EQ(le16_to_cpu(cqe.flags), 0);
	bed_free(bed);
}

static void log_delay(void)
{
	struct bed *bed = fault_bed();
	struct lmf_admin_cmd cmd = bed_log_cmd(bed, 0, 64, 0, 12, 0,
					       GUEST_BYTES);
	struct lmf_vf_cmd io = bed_io_cmd(LMF_VF_OP_READ, 0, GUEST_DATA, 512);
	struct lmf_fw_stats stats;

	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_OK);
	bed_fault(bed, "log-delay-us=30");
	CHECK_EQ(bed_io(bed, 0, 0, &io), 0);
	bed_pass(bed, 29999);
	lmf_fw_stats(bed->fw, 0, &stats);
	CHECK_EQ(stats.log_entries, 0);
	bed_pass(bed, 1);
	lmf_fw_stats(bed->fw, 0, &stats);
	CHECK_EQ(stats.log_entries, 2);
	bed_free(bed);
}

static bool reap_tag(struct bed *bed, uint32_t *tag)
{
	struct lmf_admin_cqe cqe;

	bed_run(bed);
	if (!bed_reap(bed, &cqe))
		return false;
	*tag = le32_to_cpu(cqe.tag);
	return true;
}

static void admin_delay(void)
{
	struct bed *bed = fault_bed();
	struct lmf_admin_cmd stop = bed_cmd(LMF_OP_LOG_STOP, 0);
	struct lmf_admin_cmd scrub = bed_cmd(LMF_OP_SCRUB, 0);
	uint32_t late, soon, tag;

	bed_fault(bed, "admin-delay=0x0201:500");
	late = bed_submit(bed, &stop);
	soon = bed_submit(bed, &scrub);
	CHECK(reap_tag(bed, &tag));
	CHECK_EQ(tag, soon);
	bed_pass(bed, 499999);
	CHECK(!reap_tag(bed, &tag));
	bed_pass(bed, 1);
	CHECK(reap_tag(bed, &tag));
	CHECK_EQ(tag, late);
	bed_fault(bed, "admin-delay=*:100");
	bed_submit(bed, &scrub);
	CHECK(!reap_tag(bed, &tag));
	bed_pass(bed, 100000);
	CHECK(reap_tag(bed, &tag));
	bed_fault(bed, "admin-delay=*:0");
	bed_submit(bed, &scrub);
	CHECK(reap_tag(bed, &tag));
	/* The first rule was not touched. */
	bed_submit(bed, &stop);
	CHECK(!reap_tag(bed, &tag));
	bed_free(bed);
}

static void admin_drop_and_release(void)
{
	struct bed *bed = fault_bed();
	struct lmf_admin_cmd quiesce = bed_cmd(LMF_OP_QUIESCE, 0);
	uint32_t first, second, tag;

	bed_fault(bed, "admin-drop=0x0110:2");
	first = bed_submit(bed, &quiesce);
	quiesce.param = cpu_to_le32(LMF_QUIESCE_FULL);
	second = bed_submit(bed, &quiesce);
	CHECK(reap_tag(bed, &tag));
	CHECK_EQ(tag, first);
	bed_pass(bed, 1000000000);
	CHECK(!reap_tag(bed, &tag));
	/* It was executed all the same. */
	CHECK_EQ(bed->fw->vf[0]->level, LMF_QUIESCE_FULL);
	bed_fault(bed, "admin-release");
	CHECK(reap_tag(bed, &tag));
	CHECK_EQ(tag, second);
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_RUN), LMF_ST_OK);
	/* A PF reset forgets what was dropped. */
	bed_fault(bed, "admin-drop=*:1");
	bed_submit(bed, &quiesce);
	CHECK(!reap_tag(bed, &tag));
	bed_set(bed, LMF_FW_PF, LMF_PF_CTRL, 0);
	bed_pf_up(bed);
	bed_fault(bed, "none");
	CHECK(!reap_tag(bed, &tag));
	bed_free(bed);
}

static void admin_fail(void)
{
	struct bed *bed = fault_bed();

	bed_fault(bed, "admin-fail=0x110:2:12");
	bed_fault(bed, "admin-fail=0x110:3:6");
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_RUN), LMF_ST_OK);
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_FULL), LMF_ST_INTERNAL);
	CHECK_EQ(bed->fw->vf[0]->level, LMF_QUIESCE_RUN);
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_FULL), LMF_ST_RESOURCES);
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_FULL), LMF_ST_OK);
	bed_free(bed);
}

/* A LOAD_WRITE that failed lacks: the load must not be taken for whole. */
static void admin_fail_of_a_load_write(void)
{
	struct bed *bed = fault_bed();
	struct stream stream = { 0 };
	uint64_t session;

	CHECK_EQ(save_all(bed, 0, &stream), LMF_ST_OK);
	CHECK_EQ(bed_quiesce(bed, 1, LMF_QUIESCE_FULL), LMF_ST_OK);
	session = load_begin(bed, 1);
	bed_fault(bed, "admin-fail=0x131:1:7");
	CHECK_EQ(load_write(bed, 1, session, stream.bytes, stream.len),
		 LMF_ST_DMA);
	CHECK_EQ(load_write(bed, 1, session, stream.bytes, stream.len),
		 LMF_ST_STATE);
	CHECK_EQ(load_end(bed, 1, session, LMF_LOAD_COMMIT), LMF_ST_DMA);
	stream_free(&stream);
	bed_free(bed);
}

/* A SAVE_READ that failed may have taken media with it. */
static void admin_fail_of_a_save_read(void)
{
	struct bed *bed = fault_bed();
	uint64_t session = save_begin(bed, 0);

	bed_fault(bed, "admin-fail=0x121:1:6");
	CHECK_EQ(save_read(bed, 0, session, 0, 8192, NULL).status,
		 LMF_ST_RESOURCES);
	CHECK_EQ(save_read(bed, 0, session, 0, 8192, NULL).status, LMF_ST_OK);
	bed_fault(bed, "admin-fail=0x121:1:12");
	CHECK_EQ(save_read(bed, 0, session, 0, 8192, NULL).status,
		 LMF_ST_INTERNAL);
	CHECK_EQ(save_read(bed, 0, session, 0, 8192, NULL).status,
		 LMF_ST_STATE);
	bed_free(bed);
}

/* LOAD_END ends the session whatever it answers. */
static void admin_fail_of_a_load_end(void)
{
	struct bed *bed = fault_bed();
	uint64_t session;

	CHECK_EQ(bed_quiesce(bed, 1, LMF_QUIESCE_FULL), LMF_ST_OK);
	session = load_begin(bed, 1);
	bed_fault(bed, "admin-fail=0x132:1:12");
	CHECK_EQ(load_end(bed, 1, session, 0), LMF_ST_INTERNAL);
	CHECK_EQ(load_end(bed, 1, session, 0), LMF_ST_SESSION);
	CHECK(load_begin(bed, 1) > session);
	bed_free(bed);
}

static void admin_corrupt(void)
{
	struct bed *bed = fault_bed();
	struct lmf_admin_cmd stop = bed_cmd(LMF_OP_LOG_STOP, 0);
	struct lmf_admin_cqe cqe;
	uint32_t tag;

	bed_fault(bed, "admin-corrupt=0x0201:1");
	tag = bed_submit(bed, &stop);
	bed_run(bed);
	CHECK(bed_reap(bed, &cqe));
	CHECK_EQ(le32_to_cpu(cqe.tag), tag);
	CHECK(cqe.status && cqe.value[0] && cqe.value[3] && cqe.reserved);
	bed_fault(bed, "admin-corrupt=*:1:1");
	tag = bed_submit(bed, &stop);
	bed_run(bed);
	CHECK(bed_reap(bed, &cqe));
	CHECK(le32_to_cpu(cqe.tag) != tag);
	CHECK_EQ(bed_status(bed, &stop), LMF_ST_OK);
	bed_free(bed);
}

static void admin_reorder(void)
{
	struct bed *bed = fault_bed();
	struct lmf_admin_cmd stop = bed_cmd(LMF_OP_LOG_STOP, 0);
	uint32_t tag, last = 0, swapped = 0, count = 0;
	unsigned int i;

	bed_fault(bed, "admin-reorder=1");
	for (i = 0; i < 40; i++)
		bed_submit(bed, &stop);
	CHECK(!reap_tag(bed, &tag));
	bed_pass(bed, 1000000);
	while (reap_tag(bed, &tag)) {
		swapped += tag < last;
		last = tag;
		count++;
	}
	CHECK_EQ(count, 40);
	CHECK(swapped > 5);
	bed_free(bed);
}

static void short_chunks(void)
{
	struct bed *bed = fault_bed();
	struct stream stream = { 0 };
	struct stream_values values;
	unsigned int lengths = 0, i;
	uint64_t session;

	CHECK_EQ(bed_write(bed, 0, 0, 1, 200 * 4096), 0);
	bed_fault(bed, "short-chunks=1");
	session = save_begin(bed, 0);
	save_read(bed, 0, session, 0, 256 << 10, &stream);
	for (i = 0; i < 20; i++) {
		values = save_read(bed, 0, session, 0, 256 << 10, &stream);
		CHECK(values.bytes >= STREAM_MEDIA);
		CHECK(values.bytes <= 8 * STREAM_MEDIA);
		lengths |= 1u << values.bytes / STREAM_MEDIA;
	}
	CHECK(lengths & (lengths - 1));
	CHECK_EQ(save_rest(bed, 0, session, 0, 256 << 10, &stream).status, 0);
	CHECK_EQ(stream_count(&stream, LMF_SEG_MEDIA), 200);
	stream_free(&stream);
	bed_free(bed);
}

static uint32_t saved_version(struct bed *bed)
{
	struct lmf_seg_identity identity;
	struct stream stream = { 0 };

	if (save_all(bed, 0, &stream))
		tap_failed = true;
	memcpy(&identity, stream.bytes + sizeof(struct lmf_seg),
	       sizeof(identity));
	stream_free(&stream);
	return le32_to_cpu(identity.version);
}

static void event_lost(void)
{
	struct bed *bed = fault_bed();
	struct lmf_event event;

	bed_fault(bed, "event-lost");
	CHECK(bed_event(bed, &event));
	CHECK_EQ(le16_to_cpu(event.type), LMF_EV_LOST);
	CHECK_EQ(le16_to_cpu(event.vf), 0);
	CHECK_EQ(le32_to_cpu(event.arg), 0);
	CHECK(!bed_event(bed, &event));
	bed_free(bed);
}

/* The state of a device of another major version is refused at its head. */
static void identity_version(void)
{
	struct bed *bed = fault_bed();
	struct stream stream = { 0 };

	bed_fault(bed, "identity-version=0x20003");
	CHECK_EQ(saved_version(bed), LMF_VERSION(2, 3));
	CHECK_EQ(bed_reg(bed, 0, LMF_VF_VERSION), LMF_VERSION(1, 1));
	CHECK_EQ(save_all(bed, 0, &stream), LMF_ST_OK);
	CHECK_EQ(load_all(bed, 1, &stream), LMF_ST_MISMATCH);
	bed_fault(bed, "identity-version=0");
	CHECK_EQ(saved_version(bed), LMF_VERSION(1, 1));
	stream_free(&stream);
	bed_free(bed);
}

static void io_delay(void)
{
	struct bed *bed = fault_bed();
	struct lmf_vf_cmd nop = { .opcode = LMF_VF_OP_NOP };
	struct lmf_vf_cqe cqe;

	bed_fault(bed, "io-delay=0:70");
	CHECK_EQ(bed_io(bed, 0, 0, &nop), 0xffff);
	CHECK_EQ(bed_io(bed, 1, 0, &nop), 0);
	bed_pass(bed, 69999);
	CHECK(!bed_io_reap(bed, 0, 0, &cqe));
	bed_pass(bed, 1);
	CHECK(bed_io_reap(bed, 0, 0, &cqe));
	bed_free(bed);
}

static void io_drop(void)
{
	struct bed *bed = fault_bed();
	struct lmf_vf_cmd nop = { .opcode = LMF_VF_OP_NOP };
	struct lmf_vf_cqe cqe;

	bed_fault(bed, "io-drop=0:2");
	CHECK_EQ(bed_io(bed, 0, 0, &nop), 0);
	CHECK_EQ(bed_io(bed, 0, 0, &nop), 0xffff);
	CHECK_EQ(bed_io(bed, 0, 0, &nop), 0);
	bed_pass(bed, 1000000000);
	CHECK(!bed_io_reap(bed, 0, 0, &cqe));
	bed_fault(bed, "none");
	bed_run(bed);
	CHECK(bed_io_reap(bed, 0, 0, &cqe));
	CHECK_EQ(le16_to_cpu(cqe.cid), 1);
	bed_free(bed);
}

static void io_fail(void)
{
	struct bed *bed = fault_bed();
	struct lmf_vf_cmd nop = { .opcode = LMF_VF_OP_NOP };

	bed_fault(bed, "io-fail=*:2:4");
	CHECK_EQ(bed_io(bed, 0, 0, &nop), 0);
	CHECK_EQ(bed_io(bed, 0, 0, &nop), LMF_VF_ST_DMA);
	CHECK_EQ(bed_io(bed, 0, 0, &nop), 0);
	CHECK_EQ(bed_io(bed, 1, 0, &nop), 0);
	CHECK_EQ(bed_io(bed, 1, 0, &nop), LMF_VF_ST_DMA);
	bed_free(bed);
}

static void reset_vf(void)
{
	struct bed *bed = fault_bed();
	struct lmf_event event;

	bed_fault(bed, "reset-vf=1");
	CHECK(bed_event(bed, &event));
	CHECK_EQ(le16_to_cpu(event.type), LMF_EV_VF_RESET);
	CHECK_EQ(le16_to_cpu(event.vf), 1);
	CHECK(!bed_event(bed, &event));
	CHECK_EQ(bed_reg(bed, 1, LMF_VF_QUEUE(0) + LMF_VF_Q_STATUS), 0);
	CHECK_EQ(bed_reg(bed, 0, LMF_VF_QUEUE(0) + LMF_VF_Q_STATUS),
		 LMF_VF_QSTATUS_ENABLED);
	bed_free(bed);
}

static const struct tap_test tests[] = {
	TEST(specs_are_checked),
	TEST(lose_dirty),
	TEST(randomness_is_seeded),
	TEST(log_entries_shrinks_the_ring),
	TEST(log_delay),
	TEST(admin_delay),
	TEST(admin_drop_and_release),
	TEST(admin_fail),
	TEST(admin_fail_of_a_load_write),
	TEST(admin_fail_of_a_save_read),
	TEST(admin_fail_of_a_load_end),
	TEST(admin_corrupt),
	TEST(admin_reorder),
	TEST(short_chunks),
	TEST(event_lost),
	TEST(identity_version),
	TEST(io_delay),
	TEST(io_drop),
	TEST(io_fail),
	TEST(reset_vf),
};

TAP_MAIN(tests)
