// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Admin commands: what each may carry, and those that are done in one step.
 */
#include "fw.h"

enum fw_session_kind {
	FW_SESSION_NONE,	/* the field is 0 */
	FW_SESSION_SAVE,
	FW_SESSION_MAYBE_SAVE,	/* or 0 */
	FW_SESSION_LOAD,
};

struct fw_command {
	uint16_t opcode;
	uint64_t cap;		/* LMF_INFO_CAP_* that offers it */
	enum fw_session_kind session;
	uint32_t param_max;
	uint32_t data_min;
	uint32_t data_max;
	uint16_t (*run)(struct lmf_fw *fw, struct fw_vf *vf,
			struct fw_slot *slot);
};

static uint64_t fw_info_caps(const struct lmf_fw *fw)
{
	return (fw->config.migrate ? LMF_INFO_CAP_MIGRATE : 0) |
	       (fw->config.log ? LMF_INFO_CAP_LOG : 0);
}

static uint64_t fw_session(const struct fw_vf *vf)
{
	return vf->load ? vf->load->session : vf->save.session;
}

static uint32_t fw_info_state(const struct fw_vf *vf)
{
	return vf->level | (vf->save.session ? LMF_INFO_STATE_SAVE : 0) |
	       (vf->load ? LMF_INFO_STATE_LOAD : 0) |
	       (vf->log ? LMF_INFO_STATE_LOG : 0) |
	       (vf->media.lost ? LMF_INFO_STATE_LOST : 0);
}

static uint16_t fw_vf_info(struct lmf_fw *fw, struct fw_vf *vf,
			   struct fw_slot *slot)
{
	uint32_t formats = fw_log_offers(fw);
	struct lmf_vf_info info = {
		.version = cpu_to_le32(fw->version),
		.log_formats = cpu_to_le32(formats),
		.caps = cpu_to_le64(fw_info_caps(fw)),
		.media_bytes = cpu_to_le64(fw->config.media_bytes),
		.state_max = cpu_to_le64(fw_state_max(fw)),
		.trailer_max = cpu_to_le32(fw_trailer_max(fw)),
		.chunk_min = cpu_to_le32(FW_CHUNK_MIN),
		.chunk_max = cpu_to_le32(FW_CHUNK_MAX),
		.log_ring_max = cpu_to_le32(fw->config.log_entries),
		.log_ranges_max = cpu_to_le32(FW_LOG_RANGES),
		.log_shift_min = FW_LOG_SHIFT_MIN,
		.log_shift_max = FW_LOG_SHIFT_MAX,
		.resets = cpu_to_le64(vf->resets),
		.session = cpu_to_le64(fw_session(vf)),
		.state = cpu_to_le32(fw_info_state(vf)),
		.log_list_max = cpu_to_le32(formats & 1u << LMF_LOG_RANGES ?
					    FW_LIST_EXTENTS : 0),
		.log_leaves_max = cpu_to_le32(formats & 1u << LMF_LOG_BITMAP ?
					      FW_LOG_LEAVES : 0),
	};
	uint32_t bytes = fw_min(vf->sgl.total, sizeof(info));

	if (!fw_sgl_put(fw, &vf->sgl, &info, bytes))
		return LMF_ST_DMA;
	slot->cqe.bytes = cpu_to_le32(bytes);
	return LMF_ST_OK;
}

/* A load session has nothing to run before it ended. */
static uint16_t fw_quiesce(struct lmf_fw *fw, struct fw_vf *vf,
			   struct fw_slot *slot)
{
	uint32_t level = le32_to_cpu(slot->cmd.param);

	if (vf->load && level != LMF_QUIESCE_FULL)
		return LMF_ST_STATE;
	fw_engine_quiesce(fw, vf, level);
	return LMF_ST_OK;
}

static uint16_t fw_scrub(struct lmf_fw *fw, struct fw_vf *vf,
			 struct fw_slot *slot)
{
	if (vf->load || vf->save.session)
		return LMF_ST_STATE;
	if (!fw_media_scrub(vf))
		return FW_AGAIN;
	vf->media.lost = false;
	return LMF_ST_OK;
}

static uint16_t fw_start_log(struct lmf_fw *fw, struct fw_vf *vf,
			     struct fw_slot *slot)
{
	if (!fw_sgl_get(fw, &vf->sgl, fw->bounce, vf->sgl.total))
		return LMF_ST_DMA;
	return fw_log_start(fw, vf, fw->bounce, vf->sgl.total);
}

static uint16_t fw_stop_log(struct lmf_fw *fw, struct fw_vf *vf,
			    struct fw_slot *slot)
{
	fw_log_stop(fw, vf);
	return LMF_ST_OK;
}

static const struct fw_command fw_commands[] = {
	{
		.opcode = LMF_OP_VF_INFO,
		.data_min = 1,
		.data_max = FW_CHUNK_MAX,
		.run = fw_vf_info,
	}, {
		.opcode = LMF_OP_QUIESCE,
		.cap = LMF_INFO_CAP_MIGRATE,
		.param_max = LMF_QUIESCE_FULL,
		.run = fw_quiesce,
	}, {
		.opcode = LMF_OP_SAVE_BEGIN,
		.cap = LMF_INFO_CAP_MIGRATE,
		.run = fw_save_begin,
	}, {
		.opcode = LMF_OP_SAVE_READ,
		.cap = LMF_INFO_CAP_MIGRATE,
		.session = FW_SESSION_SAVE,
		.param_max = LMF_SAVE_FINAL,
		.data_min = FW_CHUNK_MIN,
		.data_max = FW_CHUNK_MAX,
		.run = fw_save_read,
	}, {
		.opcode = LMF_OP_SAVE_QUERY,
		.cap = LMF_INFO_CAP_MIGRATE,
		.session = FW_SESSION_MAYBE_SAVE,
		.run = fw_save_query,
	}, {
		.opcode = LMF_OP_SAVE_END,
		.cap = LMF_INFO_CAP_MIGRATE,
		.session = FW_SESSION_SAVE,
		.run = fw_save_end,
	}, {
		.opcode = LMF_OP_LOAD_BEGIN,
		.cap = LMF_INFO_CAP_MIGRATE,
		.run = fw_load_begin,
	}, {
		.opcode = LMF_OP_LOAD_WRITE,
		.cap = LMF_INFO_CAP_MIGRATE,
		.session = FW_SESSION_LOAD,
		.data_min = sizeof(struct lmf_seg),
		.data_max = FW_CHUNK_MAX,
		.run = fw_load_write,
	}, {
		.opcode = LMF_OP_LOAD_END,
		.cap = LMF_INFO_CAP_MIGRATE,
		.session = FW_SESSION_LOAD,
		.param_max = LMF_LOAD_COMMIT,
		.run = fw_load_end,
	}, {
		.opcode = LMF_OP_SCRUB,
		.run = fw_scrub,
	}, {
		.opcode = LMF_OP_LOG_START,
		.cap = LMF_INFO_CAP_LOG,
		.data_min = sizeof(struct lmf_log_start),
		.data_max = sizeof(struct lmf_log_start) +
			    FW_LOG_RANGES * sizeof(struct lmf_log_range) +
			    FW_MAX_SGES * sizeof(struct lmf_sge),
		.run = fw_start_log,
	}, {
		.opcode = LMF_OP_LOG_STOP,
		.cap = LMF_INFO_CAP_LOG,
		.run = fw_stop_log,
	}, {
		.opcode = LMF_OP_LOG_FLUSH,
		.cap = LMF_INFO_CAP_LOG,
		.param_max = UINT32_MAX,
		.run = fw_log_flush,
	}, {
		.opcode = LMF_OP_LOG_READ,
		.cap = LMF_INFO_CAP_LOG,
		.param_max = UINT32_MAX,
		.data_min = LMF_LOG_READ_MIN,
		.data_max = LMF_LOG_READ_MAX,
		.run = fw_log_read,
	},
};

static const struct fw_command *fw_command_find(const struct lmf_fw *fw,
						const struct fw_slot *slot)
{
	const unsigned int count = sizeof(fw_commands) / sizeof(fw_commands[0]);
	const struct fw_command *command;
	uint64_t caps = fw_info_caps(fw);

	for (command = fw_commands; command < fw_commands + count; command++)
		if (command->opcode == le16_to_cpu(slot->cmd.opcode))
			return (command->cap & ~caps) ? NULL : command;
	return NULL;
}

/* Those of migration, and no others, end with a VF reset. */
bool fw_command_aborts(const struct lmf_fw *fw, const struct fw_slot *slot)
{
	const struct fw_command *command = fw_command_find(fw, slot);

	return command && command->cap == LMF_INFO_CAP_MIGRATE;
}

static bool fw_session_good(const struct fw_vf *vf,
			    enum fw_session_kind kind, uint64_t session)
{
	uint64_t load = vf->load ? vf->load->session : 0;

	if (!session)
		return kind == FW_SESSION_MAYBE_SAVE;
	return session == (kind == FW_SESSION_LOAD ? load : vf->save.session);
}

static bool fw_reserved_good(const struct lmf_admin_cmd *cmd)
{
	static const uint8_t zero[sizeof(cmd->reserved2)];

	return !cmd->reserved0 && !cmd->reserved1 &&
	       !memcmp(cmd->reserved2, zero, sizeof(zero));
}

/* Everything about a command that does not depend on what it does. */
uint16_t fw_command_check(struct lmf_fw *fw, struct fw_vf *vf,
			  struct fw_slot *slot)
{
	const struct fw_command *command = fw_command_find(fw, slot);
	const struct lmf_admin_cmd *cmd = &slot->cmd;
	uint16_t status;

	if (!command)
		return LMF_ST_OPCODE;
	if (!vf->present)
		return LMF_ST_VF;
	if (!fw_reserved_good(cmd) ||
	    le32_to_cpu(cmd->param) > command->param_max ||
	    (command->session == FW_SESSION_NONE && cmd->session))
		return LMF_ST_FIELD;
	if (command->session != FW_SESSION_NONE &&
	    !fw_session_good(vf, command->session, le64_to_cpu(cmd->session)))
		return LMF_ST_SESSION;
	status = fw_sgl_load(fw, LMF_FW_PF, &vf->sgl, &cmd->sge,
			     le16_to_cpu(cmd->nsge));
	if (!status && (vf->sgl.total < command->data_min ||
			vf->sgl.total > command->data_max))
		status = LMF_ST_FIELD;
	return status;
}

/* A step of a command that passed the check; FW_AGAIN if more are needed. */
uint16_t fw_command_run(struct lmf_fw *fw, struct fw_vf *vf,
			struct fw_slot *slot)
{
	return fw_command_find(fw, slot)->run(fw, vf, slot);
}
