// SPDX-License-Identifier: GPL-2.0-only
/*
 * PF registers, admin queue, events, quiesce and resets.
 */
#include "bed.h"
#include "tap.h"

static void facts(void)
{
	struct bed *bed = bed_new(NULL);

	CHECK_EQ(bed_reg(bed, LMF_FW_PF, LMF_PF_MAGIC), LMF_PF_MAGIC_VALUE);
	CHECK_EQ(bed_reg(bed, LMF_FW_PF, LMF_PF_VERSION), LMF_VERSION(1, 1));
	CHECK_EQ(bed_reg(bed, LMF_FW_PF, LMF_PF_TOTAL_VFS), BED_VFS);
	CHECK_EQ(bed_reg(bed, LMF_FW_PF, LMF_PF_STATUS), LMF_PF_STATUS_READY);
	CHECK_EQ(bed_reg(bed, LMF_FW_PF, 0x800), 0);
	CHECK_EQ(lmf_fw_read(bed->fw, 99, 0, 4), 0xffffffff);
	bed_free(bed);
}

static bool taken(struct lmf_fw_config config)
{
	struct bed *bed = bed_new(&config);
	bool good = bed->fw;

	bed_free(bed);
	return good;
}

#define TAKEN(field, value_) __extension__ ({				\
	struct lmf_fw_config config = bed_config;			\
									\
	config.field = value_;						\
	taken(config);							\
})

static void configurations(void)
{
	CHECK(TAKEN(vfs, 1));
	CHECK(!TAKEN(vfs, 0));
	CHECK(!TAKEN(vfs, 65));
	CHECK(!TAKEN(queues, 0));
	CHECK(!TAKEN(queues, 17));
	CHECK(!TAKEN(entries, 100));
	CHECK(!TAKEN(entries, 1));
	CHECK(!TAKEN(entries, 2048));
	CHECK(TAKEN(media_bytes, 4096));
	CHECK(!TAKEN(media_bytes, 0));
	CHECK(!TAKEN(media_bytes, 4095));
	CHECK(!TAKEN(log_entries, 1));
	CHECK(!TAKEN(log_entries, 131072));
}

/* No allocation of the making may be lost if a later one fails. */
static void out_of_memory_at_creation(void)
{
	struct bed *bed = bed_new(NULL);
	unsigned int i;

	for (i = 1; i <= 1 + BED_VFS; i++) {
		lmf_fw_destroy(bed->fw);
		CHECK_EQ(bed->allocated, 0);
		bed->fail_alloc = i;
		bed->fw = bed_create(bed);
		CHECK(!bed->fw);
		CHECK_EQ(bed->allocated, 0);
	}
	bed_free(bed);
}

static void bad_rings_are_fatal(void)
{
	struct bed *bed = bed_new(NULL);

	bed_set(bed, LMF_FW_PF, LMF_PF_CTRL, 0);
	CHECK_EQ(bed_reg(bed, LMF_FW_PF, LMF_PF_STATUS), 0);
	bed_set(bed, LMF_FW_PF, LMF_PF_AQ_ENTRIES, 48);
	bed_set(bed, LMF_FW_PF, LMF_PF_CTRL, LMF_PF_CTRL_ENABLE);
	CHECK_EQ(bed_reg(bed, LMF_FW_PF, LMF_PF_STATUS), LMF_PF_STATUS_FATAL);
	bed_set(bed, LMF_FW_PF, LMF_PF_CTRL, 0);
	CHECK_EQ(bed_reg(bed, LMF_FW_PF, LMF_PF_STATUS), 0);
	bed_pf_up(bed);
	CHECK_EQ(bed_reg(bed, LMF_FW_PF, LMF_PF_STATUS), LMF_PF_STATUS_READY);
	bed_free(bed);
}

static void unreachable_rings_are_fatal(void)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_admin_cmd cmd = bed_log_cmd(bed, 0, 16, 1, 12, 0, 1 << 20);
	uint64_t before;

	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_OK);
	bed->host_gone = true;
	/* The event of the reset cannot be written. */
	lmf_fw_reset(bed->fw, 0);
	CHECK_EQ(bed_reg(bed, LMF_FW_PF, LMF_PF_STATUS), LMF_PF_STATUS_FATAL);
	bed->host_gone = false;
	before = bed->host_writes;
	bed_queue_on(bed, 0, 0, 8);
	CHECK_EQ(bed_write(bed, 0, 0, 1, 512), LMF_VF_ST_OK);
	bed_pass(bed, 1000000);
	CHECK_EQ(bed->host_writes, before);
	bed_set(bed, LMF_FW_PF, LMF_PF_CTRL, 0);
	bed_pf_up(bed);
	bed_set(bed, LMF_FW_PF, LMF_PF_ASQ_TAIL, BED_AQ_ENTRIES);
	CHECK_EQ(bed_reg(bed, LMF_FW_PF, LMF_PF_STATUS), LMF_PF_STATUS_FATAL);
	bed_free(bed);
}

static void vf_info(void)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_admin_cmd cmd = bed_cmd_data(LMF_OP_VF_INFO, 1, HOST_DATA,
						200);
	struct lmf_vf_info info;
	struct lmf_admin_cqe cqe;

	cqe = bed_exec(bed, &cmd);
	CHECK_EQ(le16_to_cpu(cqe.status), LMF_ST_OK);
	CHECK_EQ(le32_to_cpu(cqe.bytes), sizeof(info));
	memcpy(&info, bed->host + HOST_DATA, sizeof(info));
	CHECK_EQ(le32_to_cpu(info.version), LMF_VERSION(1, 1));
	CHECK_EQ(le64_to_cpu(info.caps), LMF_INFO_CAP_MIGRATE |
					 LMF_INFO_CAP_LOG);
	CHECK_EQ(le64_to_cpu(info.media_bytes), 4 << 20);
	CHECK_EQ(le32_to_cpu(info.log_formats), 7);
	CHECK_EQ(le64_to_cpu(info.resets), 1);
	lmf_fw_reset(bed->fw, 1);
	/* A host of an older minor version has a shorter structure. */
	memset(bed->host + HOST_DATA, 0xee, sizeof(info));
	cmd = bed_cmd_data(LMF_OP_VF_INFO, 1, HOST_DATA, 60);
	cqe = bed_exec(bed, &cmd);
	CHECK_EQ(le32_to_cpu(cqe.bytes), 60);
	CHECK_EQ(bed->host[HOST_DATA + 56], 2);
	CHECK_EQ(bed->host[HOST_DATA + 60], 0xee);
	bed_free(bed);
}

static void capabilities_are_optional(void)
{
	struct lmf_fw_config config = bed_config;
	struct lmf_admin_cmd cmd;
	struct bed *bed;

	config.migrate = false;
	config.log = false;
	bed = bed_new(&config);
	cmd = bed_cmd(LMF_OP_SAVE_BEGIN, 0);
	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_OPCODE);
	cmd = bed_cmd(LMF_OP_LOG_STOP, 0);
	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_OPCODE);
	cmd = bed_cmd_data(LMF_OP_VF_INFO, 0, HOST_DATA, 128);
	CHECK_EQ(bed_status(bed, &cmd), LMF_ST_OK);
	CHECK_EQ(bed->host[HOST_DATA + 4], 0);
	CHECK_EQ(bed->host[HOST_DATA + 8], 0);
	bed_free(bed);
}

#define CHECK_STATUS(status) CHECK_EQ(bed_status(bed, &cmd), status)

static void command_errors(void)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_admin_cmd cmd = bed_cmd(0x0999, 0);

	CHECK_STATUS(LMF_ST_OPCODE);
	cmd = bed_cmd(LMF_OP_LOG_STOP, BED_VFS);
	CHECK_STATUS(LMF_ST_VF);
	cmd = bed_cmd(LMF_OP_LOG_STOP, 0xffff);
	CHECK_STATUS(LMF_ST_VF);
	lmf_fw_vf_enable(bed->fw, 3, false);
	cmd = bed_cmd(LMF_OP_LOG_STOP, 3);
	CHECK_STATUS(LMF_ST_VF);
	cmd = bed_cmd(LMF_OP_QUIESCE, 0);
	cmd.param = cpu_to_le32(3);
	CHECK_STATUS(LMF_ST_FIELD);
	cmd = bed_cmd(LMF_OP_QUIESCE, 0);
	cmd.session = cpu_to_le64(1);
	CHECK_STATUS(LMF_ST_FIELD);
	cmd = bed_cmd(LMF_OP_QUIESCE, 0);
	cmd.reserved2[3] = 1;
	CHECK_STATUS(LMF_ST_FIELD);
	cmd = bed_cmd_data(LMF_OP_QUIESCE, 0, HOST_DATA, 8);
	CHECK_STATUS(LMF_ST_FIELD);
	cmd = bed_cmd(LMF_OP_VF_INFO, 0);
	CHECK_STATUS(LMF_ST_FIELD);
	cmd = bed_cmd_data(LMF_OP_VF_INFO, 0, HOST_BYTES, 128);
	CHECK_STATUS(LMF_ST_DMA);
	cmd = bed_cmd(LMF_OP_SAVE_END, 0);
	CHECK_STATUS(LMF_ST_SESSION);
	cmd.session = cpu_to_le64(12345);
	CHECK_STATUS(LMF_ST_SESSION);
	cmd = bed_cmd(LMF_OP_LOG_STOP, 0);
	CHECK_STATUS(LMF_ST_OK);
	cmd = bed_cmd(LMF_OP_LOG_FLUSH, 0);
	CHECK_STATUS(LMF_ST_STATE);
	bed_free(bed);
}

static void data_may_be_scattered(void)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_admin_cmd cmd = bed_cmd_data(LMF_OP_VF_INFO, 0, HOST_DATA,
						32);
	struct lmf_sge sge[2] = {
		{
			.addr = cpu_to_le64(HOST_BASE + HOST_DATA + 0x1000),
			.len = cpu_to_le32(5),
		}, {
			.addr = cpu_to_le64(HOST_BASE + HOST_DATA + 0x2000),
			.len = cpu_to_le32(300),
		},
	};
	struct lmf_admin_cqe cqe;

	memcpy(bed->host + HOST_DATA, sge, sizeof(sge));
	cmd.nsge = cpu_to_le16(2);
	cqe = bed_exec(bed, &cmd);
	CHECK_EQ(le32_to_cpu(cqe.bytes), 128);
	CHECK_EQ(bed->host[HOST_DATA + 0x1002], 1);
	CHECK_EQ(bed->host[HOST_DATA + 0x1005], 0);
	CHECK_EQ(bed->host[HOST_DATA + 0x2003], LMF_INFO_CAP_MIGRATE |
						LMF_INFO_CAP_LOG);
	bed_free(bed);
}

static void many_commands_wrap_the_rings(void)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_admin_cmd cmd = bed_cmd(LMF_OP_LOG_STOP, 0);
	struct lmf_admin_cqe cqe;
	unsigned int i, j;

	for (i = 0; i < 10; i++) {
		for (j = 0; j < BED_AQ_ENTRIES - 1; j++) {
			cmd.vf = cpu_to_le16(j % BED_VFS);
			bed_submit(bed, &cmd);
		}
		CHECK(bed_run(bed));
		for (j = 0; j < BED_AQ_ENTRIES - 1; j++)
			CHECK(bed_reap(bed, &cqe));
		CHECK(!bed_reap(bed, &cqe));
	}
	CHECK(bed->irqs[BED_VFS][LMF_PF_VECTOR_ADMIN] >= 10);
	bed_free(bed);
}

/* The last of many commands of VF 0 must not come before one of VF 1. */
static void vfs_share_the_queue_fairly(void)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_admin_cmd cmd;
	struct lmf_admin_cqe cqe;
	uint32_t other, tag = 0;
	unsigned int i;

	bed_queue_on(bed, 0, 0, 8);
	for (i = 0; i < 4; i++)
		CHECK_EQ(bed_write(bed, 0, i << 20, 1 + i, 1 << 20), 0);
	cmd = bed_cmd(LMF_OP_SAVE_BEGIN, 0);
	cqe = bed_exec(bed, &cmd);
	cmd = bed_cmd_data(LMF_OP_SAVE_READ, 0, HOST_DATA, 256 << 10);
	cmd.session = cqe.value[0];
	for (i = 0; i < 12; i++)
		bed_submit(bed, &cmd);
	cmd = bed_cmd(LMF_OP_LOG_STOP, 1);
	other = bed_submit(bed, &cmd);
	lmf_fw_run(bed->fw);
	for (i = 0; bed_reap(bed, &cqe); i++) {
		tag = le32_to_cpu(cqe.tag);
		if (tag == other)
			break;
	}
	CHECK_EQ(tag, other);
	CHECK(i <= 2);
	bed_free(bed);
}

/* The next event, whatever its argument, as type and VF; 0 if there is none. */
static unsigned int next_event(struct bed *bed)
{
	struct lmf_event event;

	if (!bed_event(bed, &event))
		return 0;
	return le16_to_cpu(event.type) << 16 | le16_to_cpu(event.vf);
}

#define EVENT(type, vf)	((type) << 16 | (vf))

/* A guest that resets itself on and on, or enables a queue of nonsense. */
static void flooding_guests_cost_one_event_each(void)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_event event;
	unsigned int i;

	for (i = 0; i < 3 * BED_AEQ_ENTRIES; i++) {
		lmf_fw_reset(bed->fw, 1);
		bed_set(bed, 1, LMF_VF_QUEUE(i % 4) + LMF_VF_Q_CTRL,
			LMF_VF_QCTRL_ENABLE);
	}
	lmf_fw_reset(bed->fw, 2);
	CHECK(bed_event(bed, &event));
	CHECK_EQ(le16_to_cpu(event.type), LMF_EV_VF_RESET);
	CHECK_EQ(le16_to_cpu(event.vf), 1);
	CHECK_EQ(le32_to_cpu(event.arg), 2);
	CHECK_EQ(next_event(bed), EVENT(LMF_EV_VF_ERROR, 1));
	CHECK_EQ(next_event(bed), EVENT(LMF_EV_VF_RESET, 2));
	/* What came while the first ones stood there, as one each. */
	CHECK(bed_event(bed, &event));
	CHECK_EQ(le16_to_cpu(event.type), LMF_EV_VF_RESET);
	CHECK_EQ(le32_to_cpu(event.arg), 1 + 3 * BED_AEQ_ENTRIES);
	CHECK(bed_event(bed, &event));
	CHECK_EQ(le16_to_cpu(event.type), LMF_EV_VF_ERROR);
	CHECK_EQ(le32_to_cpu(event.arg), 3);
	CHECK_EQ(next_event(bed), 0);
	lmf_fw_reset(bed->fw, 1);
	CHECK_EQ(next_event(bed), EVENT(LMF_EV_VF_RESET, 1));
	bed_free(bed);
}

/* A ring of one event: all come, whoever floods. */
static void events_wait_for_room(void)
{
	struct bed *bed = bed_new(NULL);
	unsigned int i, seen = 0;
	struct lmf_event event;

	bed_set(bed, LMF_FW_PF, LMF_PF_CTRL, 0);
	bed_set(bed, LMF_FW_PF, LMF_PF_AEQ_ENTRIES, 2);
	memset(bed->host + HOST_AEQ, 0, 2 * sizeof(event));
	bed_set(bed, LMF_FW_PF, LMF_PF_CTRL, LMF_PF_CTRL_ENABLE);
	for (i = 0; i < BED_VFS; i++)
		lmf_fw_reset(bed->fw, i);
	for (i = 0; i < 8; i++) {
		memcpy(&event, bed->host + HOST_AEQ + i % 2 * sizeof(event),
		       sizeof(event));
		CHECK_EQ(le32_to_cpu(event.phase), !(i / 2 % 2));
		CHECK_EQ(le16_to_cpu(event.type), LMF_EV_VF_RESET);
		seen |= 1u << le16_to_cpu(event.vf);
		lmf_fw_reset(bed->fw, 0);
		bed_set(bed, LMF_FW_PF, LMF_PF_AEQ_HEAD, (i + 1) % 2);
	}
	CHECK_EQ(seen, 0xf);
	bed_free(bed);
}

/* points: 2 */
static void initiator_quiesce_stops_dma_and_records_doorbells(void)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_vf_cmd io = bed_io_cmd(LMF_VF_OP_READ, 0, GUEST_DATA, 4096);
	struct lmf_vf_cqe cqe;

	bed_queue_on(bed, 0, 0, 8);
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_INITIATOR), LMF_ST_OK);
	bed_io_submit(bed, 0, 0, &io);
	bed->guest_writes = 0;
	bed_pass(bed, 1000000);
	CHECK_EQ(bed->guest_writes, 0);
	CHECK_EQ(bed->irqs[0][0], 0);
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_RUN), LMF_ST_OK);
	CHECK(bed_io_reap(bed, 0, 0, &cqe));
	CHECK_EQ(bed->irqs[0][0], 1);
	bed_free(bed);
}

/* points: 2 */
static void full_quiesce_ignores_registers(void)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_vf_cmd io = bed_io_cmd(LMF_VF_OP_READ, 0, GUEST_DATA, 4096);
	struct lmf_vf_cqe cqe;
	uint64_t base = LMF_VF_QUEUE(0);

	bed_queue_on(bed, 0, 0, 8);
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_FULL), LMF_ST_OK);
	bed_io_submit(bed, 0, 0, &io);
	bed_set(bed, 0, base + LMF_VF_Q_CTRL, 0);
	CHECK_EQ(bed_reg(bed, 0, base + LMF_VF_Q_STATUS),
		 LMF_VF_QSTATUS_ENABLED);
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_RUN), LMF_ST_OK);
	CHECK(!bed_io_reap(bed, 0, 0, &cqe));
	bed_set(bed, 0, LMF_VF_SQ_TAIL(0), 1);
	bed_run(bed);
	CHECK(bed_io_reap(bed, 0, 0, &cqe));
	bed_free(bed);
}

static void resume_raises_unconsumed_vectors_once(void)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_vf_cmd nop = { .opcode = LMF_VF_OP_NOP };
	unsigned int q;

	for (q = 0; q < 3; q++) {
		bed_queue_on(bed, 0, q, 8);
		bed_io_submit(bed, 0, q, &nop);
	}
	bed_set(bed, 0, LMF_VF_QUEUE(1) + LMF_VF_Q_CTRL, LMF_VF_QCTRL_ENABLE);
	bed_run(bed);
	bed_set(bed, 0, LMF_VF_CQ_HEAD(2), 1);
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_INITIATOR), LMF_ST_OK);
	memset(bed->irqs, 0, sizeof(bed->irqs));
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_FULL), LMF_ST_OK);
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_INITIATOR), LMF_ST_OK);
	CHECK_EQ(bed->irqs[0][0], 0);
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_RUN), LMF_ST_OK);
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_RUN), LMF_ST_OK);
	CHECK_EQ(bed->irqs[0][0], 1);
	CHECK_EQ(bed->irqs[0][1], 0);
	CHECK_EQ(bed->irqs[0][2], 0);
	bed_free(bed);
}

/* Asking for the level that is must not throw a request back. */
static void present_level_does_nothing(void)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_vf_cmd io = bed_io_cmd(LMF_VF_OP_READ, 0, GUEST_DATA,
					  1 << 20);
	uint32_t progress;

	bed_queue_on(bed, 0, 0, 8);
	bed_io_submit(bed, 0, 0, &io);
	lmf_fw_run(bed->fw);
	progress = bed->fw->vf[0]->queue[0].progress;
	CHECK(progress > 0 && progress < 1 << 20);
	bed->guest_writes = 0;
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_RUN), LMF_ST_OK);
	/* The rest of the data, and a completion in two pieces. */
	CHECK_EQ(bed->guest_writes, ((1 << 20) - progress) / 65536 + 2);
	bed_free(bed);
}

static void vf_reset_leaves_quiesce(void)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_vf_cmd nop = { .opcode = LMF_VF_OP_NOP };

	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_FULL), LMF_ST_OK);
	lmf_fw_reset(bed->fw, 0);
	bed_queue_on(bed, 0, 0, 8);
	CHECK_EQ(bed_io(bed, 0, 0, &nop), LMF_VF_ST_OK);
	bed_free(bed);
}

static void pf_reset_drops_everything(void)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_admin_cmd cmd = bed_log_cmd(bed, 0, 16, 8, 12, 0,
					       GUEST_BYTES);
	struct lmf_vf_cmd nop = { .opcode = LMF_VF_OP_NOP };
	struct lmf_admin_cqe cqe;
	struct lmf_fw_stats stats;
	uint64_t before;

	CHECK_STATUS(LMF_ST_OK);
	cmd = bed_cmd(LMF_OP_SAVE_BEGIN, 1);
	CHECK_STATUS(LMF_ST_OK);
	bed_submit(bed, &cmd);
	bed_set(bed, LMF_FW_PF, LMF_PF_CTRL, 0);
	before = bed->host_writes;
	CHECK_EQ(bed_reg(bed, LMF_FW_PF, LMF_PF_STATUS), 0);
	bed_queue_on(bed, 0, 0, 8);
	CHECK_EQ(bed_io(bed, 0, 0, &nop), LMF_VF_ST_OK);
	bed_pass(bed, 1000000);
	CHECK_EQ(bed->host_writes, before);
	bed_pf_up(bed);
	bed_run(bed);
	CHECK(!bed_reap(bed, &cqe));
	cmd = bed_cmd(LMF_OP_LOG_FLUSH, 0);
	CHECK_STATUS(LMF_ST_STATE);
	cmd = bed_cmd(LMF_OP_SAVE_BEGIN, 1);
	CHECK_STATUS(LMF_ST_OK);
	lmf_fw_stats(bed->fw, 0, &stats);
	CHECK_EQ(stats.resets, 0);
	bed_free(bed);
}

static uint32_t info_state(struct bed *bed, unsigned int vf, uint64_t *session)
{
	struct lmf_admin_cmd cmd = bed_cmd_data(LMF_OP_VF_INFO, vf,
						HOST_DATA + 0x10000, 128);
	struct lmf_vf_info info;

	if (bed_status(bed, &cmd))
		return UINT32_MAX;
	memcpy(&info, bed->host + HOST_DATA + 0x10000, sizeof(info));
	*session = le64_to_cpu(info.session);
	return le32_to_cpu(info.state);
}

/* SPEC.md R101: a VF that was stopped must not run again of itself. */
static void pf_reset_keeps_the_level(void)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_admin_cmd cmd = bed_cmd(LMF_OP_LOAD_BEGIN, 1);
	struct lmf_vf_cmd nop = { .opcode = LMF_VF_OP_NOP };
	struct lmf_vf_cqe cqe;
	uint64_t session;

	bed_queue_on(bed, 0, 0, 8);
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_INITIATOR), LMF_ST_OK);
	CHECK_EQ(bed_quiesce(bed, 1, LMF_QUIESCE_FULL), LMF_ST_OK);
	CHECK_STATUS(LMF_ST_OK);
	bed_io_submit(bed, 0, 0, &nop);
	bed_set(bed, LMF_FW_PF, LMF_PF_CTRL, 0);
	bed_pass(bed, 1000000);
	CHECK(!bed_io_reap(bed, 0, 0, &cqe));
	bed_pf_up(bed);
	CHECK_EQ(info_state(bed, 0, &session), LMF_QUIESCE_INITIATOR);
	CHECK_EQ(info_state(bed, 1, &session), LMF_QUIESCE_FULL |
					       LMF_INFO_STATE_LOST);
	CHECK_EQ(info_state(bed, 2, &session), LMF_QUIESCE_RUN);
	CHECK(!bed_io_reap(bed, 0, 0, &cqe));
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_RUN), LMF_ST_OK);
	bed_run(bed);
	CHECK(bed_io_reap(bed, 0, 0, &cqe));
	/* An FLR of the PF resets the VFs as well. */
	lmf_fw_reset(bed->fw, LMF_FW_PF);
	bed_pf_up(bed);
	CHECK_EQ(info_state(bed, 1, &session), LMF_QUIESCE_RUN |
					       LMF_INFO_STATE_LOST);
	bed_free(bed);
}

static void vf_info_tells_the_state(void)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_admin_cmd cmd = bed_cmd(LMF_OP_SAVE_BEGIN, 0);
	uint64_t begun, session;

	CHECK_EQ(info_state(bed, 0, &session), 0);
	CHECK_EQ(session, 0);
	begun = le64_to_cpu(bed_exec(bed, &cmd).value[0]);
	CHECK_EQ(info_state(bed, 0, &session), LMF_INFO_STATE_SAVE);
	CHECK_EQ(session, begun);
	cmd = bed_cmd(LMF_OP_SAVE_END, 0);
	cmd.session = cpu_to_le64(session);
	CHECK_STATUS(LMF_ST_OK);
	cmd = bed_log_cmd(bed, 0, 16, 8, 12, 0, GUEST_BYTES);
	CHECK_STATUS(LMF_ST_OK);
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_FULL), LMF_ST_OK);
	cmd = bed_cmd(LMF_OP_LOAD_BEGIN, 0);
	begun = le64_to_cpu(bed_exec(bed, &cmd).value[0]);
	CHECK_EQ(info_state(bed, 0, &session),
		 LMF_QUIESCE_FULL | LMF_INFO_STATE_LOAD | LMF_INFO_STATE_LOG |
		 LMF_INFO_STATE_LOST);
	CHECK_EQ(session, begun);
	CHECK_EQ(info_state(bed, 1, &session), 0);
	CHECK_EQ(session, 0);
	bed_free(bed);
}

/*
 * SPEC.md R102: submitted before a VF reset, whether the device had begun it,
 * fetched it or not even seen it.
 */
/* points: 37 */
static void stale_commands_are_aborted(void)
{
	static const uint16_t ops[] = {
		LMF_OP_QUIESCE, LMF_OP_SAVE_BEGIN, LMF_OP_SAVE_READ,
		LMF_OP_SAVE_QUERY, LMF_OP_SAVE_END, LMF_OP_LOAD_BEGIN,
		LMF_OP_LOAD_WRITE, LMF_OP_LOAD_END,
	};
	const unsigned int count = sizeof(ops) / sizeof(ops[0]);
	struct bed *bed = bed_new(NULL);
	struct lmf_admin_cqe cqe;
	struct lmf_admin_cmd cmd;
	uint64_t session;
	unsigned int i;

	for (i = 0; i < count; i++) {
		cmd = bed_cmd(ops[i], 0);
		cmd.param = cpu_to_le32(i ? 0 : LMF_QUIESCE_FULL);
		bed_submit(bed, &cmd);
	}
	/* These are not, nor is one of another VF. */
	cmd = bed_cmd(LMF_OP_SCRUB, 0);
	bed_submit(bed, &cmd);
	cmd = bed_cmd(LMF_OP_LOG_STOP, 0);
	bed_submit(bed, &cmd);
	cmd = bed_cmd(LMF_OP_SAVE_BEGIN, 1);
	bed_submit(bed, &cmd);
	lmf_fw_reset(bed->fw, 0);
	/* This one came after it. */
	cmd = bed_cmd(LMF_OP_SAVE_BEGIN, 0);
	bed_submit(bed, &cmd);
	CHECK(bed_run(bed));
	for (i = 0; i < count + 4; i++) {
		CHECK(bed_reap(bed, &cqe));
		CHECK_EQ(le16_to_cpu(cqe.status),
			 le32_to_cpu(cqe.tag) <= count ? LMF_ST_ABORTED :
							 LMF_ST_OK);
	}
	CHECK_EQ(info_state(bed, 0, &session), LMF_INFO_STATE_SAVE);
	/* A PF reset forgets what was submitted and when the VF was reset. */
	for (i = 0; i < 20; i++)
		bed_submit(bed, &cmd);
	lmf_fw_reset(bed->fw, 0);
	bed_set(bed, LMF_FW_PF, LMF_PF_CTRL, 0);
	bed_pf_up(bed);
	CHECK_EQ(bed_quiesce(bed, 0, LMF_QUIESCE_FULL), LMF_ST_OK);
	bed_free(bed);
}

/* The device has fetched them and works on the first. */
/* points: 37 */
static void begun_commands_are_aborted(void)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_admin_cmd cmd = bed_cmd(LMF_OP_SAVE_BEGIN, 0);
	struct lmf_admin_cqe cqe;
	unsigned int i;

	bed_queue_on(bed, 0, 0, 8);
	CHECK_EQ(bed_write(bed, 0, 0, 1, 1 << 20), 0);
	cqe = bed_exec(bed, &cmd);
	cmd = bed_cmd_data(LMF_OP_SAVE_READ, 0, HOST_DATA, 256 << 10);
	cmd.session = cqe.value[0];
	CHECK_STATUS(LMF_ST_OK);
	bed_submit(bed, &cmd);
	cmd = bed_cmd(LMF_OP_QUIESCE, 0);
	cmd.param = cpu_to_le32(LMF_QUIESCE_FULL);
	bed_submit(bed, &cmd);
	lmf_fw_run(bed->fw);
	CHECK(!bed_reap(bed, &cqe));
	lmf_fw_reset(bed->fw, 0);
	CHECK(bed_run(bed));
	for (i = 0; i < 2; i++) {
		CHECK(bed_reap(bed, &cqe));
		CHECK_EQ(le16_to_cpu(cqe.status), LMF_ST_ABORTED);
	}
	CHECK_EQ(bed->fw->vf[0]->level, LMF_QUIESCE_RUN);
	bed_free(bed);
}

static void pf_flr_resets_the_vfs_too(void)
{
	struct bed *bed = bed_new(NULL);
	struct lmf_fw_stats stats;

	bed_queue_on(bed, 2, 0, 8);
	lmf_fw_reset(bed->fw, LMF_FW_PF);
	CHECK_EQ(bed_reg(bed, 2, LMF_VF_QUEUE(0) + LMF_VF_Q_STATUS), 0);
	CHECK_EQ(bed_reg(bed, LMF_FW_PF, LMF_PF_CTRL), 0);
	CHECK_EQ(bed_reg(bed, LMF_FW_PF, LMF_PF_AQ_ENTRIES), 0);
	lmf_fw_stats(bed->fw, 2, &stats);
	CHECK_EQ(stats.resets, 1);
	bed_free(bed);
}

static void random_host(void)
{
	struct bed *bed = bed_new(NULL);
	uint64_t state = 11;
	unsigned int i, j;

	for (i = 0; i < 20000; i++) {
		struct lmf_admin_cmd cmd = bed_cmd_data(0, 0, HOST_DATA, 8192);
		static const uint16_t op[] = {
			LMF_OP_VF_INFO, LMF_OP_QUIESCE, LMF_OP_SAVE_BEGIN,
			LMF_OP_SAVE_READ, LMF_OP_SAVE_QUERY, LMF_OP_SAVE_END,
			LMF_OP_LOAD_BEGIN, LMF_OP_LOAD_WRITE, LMF_OP_LOAD_END,
			LMF_OP_SCRUB, LMF_OP_LOG_START, LMF_OP_LOG_STOP,
			LMF_OP_LOG_FLUSH,
		};

		cmd.opcode = cpu_to_le16(op[bed_random(&state) % 13]);
		cmd.vf = cpu_to_le16(bed_random(&state) % 5);
		cmd.session = cpu_to_le64(bed_random(&state) % 2 *
					  bed->fw->sessions);
		cmd.param = cpu_to_le32(bed_random(&state) % 4);
		for (j = bed_random(&state) % 3; j > 1; j--)
			((uint8_t *)&cmd)[bed_random(&state) % sizeof(cmd)] =
				bed_random(&state);
		bed_submit(bed, &cmd);
		if (bed_random(&state) % 50 == 0)
			lmf_fw_reset(bed->fw, bed_random(&state) % 5 - 1);
		if (bed_reg(bed, LMF_FW_PF, LMF_PF_STATUS) !=
		    LMF_PF_STATUS_READY) {
			bed_set(bed, LMF_FW_PF, LMF_PF_CTRL, 0);
			bed_pf_up(bed);
		}
		CHECK(bed_run(bed));
		while (bed_reap(bed, &(struct lmf_admin_cqe){ 0 }))
			;
	}
	bed_free(bed);
}

static const struct tap_test tests[] = {
	TEST(facts),
	TEST(configurations),
	TEST(out_of_memory_at_creation),
	TEST(bad_rings_are_fatal),
	TEST(unreachable_rings_are_fatal),
	TEST(vf_info),
	TEST(capabilities_are_optional),
	TEST(command_errors),
	TEST(data_may_be_scattered),
	TEST(many_commands_wrap_the_rings),
	TEST(vfs_share_the_queue_fairly),
	TEST(flooding_guests_cost_one_event_each),
	TEST(events_wait_for_room),
	TEST(initiator_quiesce_stops_dma_and_records_doorbells),
	TEST(full_quiesce_ignores_registers),
	TEST(resume_raises_unconsumed_vectors_once),
	TEST(present_level_does_nothing),
	TEST(vf_reset_leaves_quiesce),
	TEST(pf_reset_drops_everything),
	TEST(pf_reset_keeps_the_level),
	TEST(vf_info_tells_the_state),
	TEST(stale_commands_are_aborted),
	TEST(begun_commands_are_aborted),
	TEST(pf_flr_resets_the_vfs_too),
	TEST(random_host),
};

TAP_MAIN(tests)
