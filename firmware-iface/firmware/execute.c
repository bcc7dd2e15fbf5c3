// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Execution of one VF request, at most FW_BOUNCE_BYTES at a time.
 *
 * The first step checks the command, which is a copy that the guest cannot
 * change any more, and fetches its scatter list. Each further one moves a
 * piece, always the one at queue->progress.
 */
#include "fw.h"

static uint64_t fw_cmd_offset(const struct lmf_vf_cmd *cmd)
{
	return le64_to_cpu(cmd->offset);
}

static bool fw_overlaps(uint64_t a, uint64_t b, uint64_t len_a, uint64_t len_b)
{
	return a <= b + len_b - 1 && b <= a + len_a - 1;
}

static uint16_t fw_check_copy(const struct lmf_vf_cmd *cmd,
			      const struct fw_sgl *sgl)
{
	uint64_t dst = le64_to_cpu(cmd->dst);
	unsigned int i;

	if (fw_wraps(dst, sgl->total))
		return LMF_VF_ST_FIELD;
	for (i = 0; i < sgl->count; i++)
		if (fw_overlaps(dst, sgl->sge[i].addr, sgl->total,
				sgl->sge[i].len))
			return LMF_VF_ST_FIELD;
	return LMF_VF_ST_OK;
}

static uint16_t fw_check_media(const struct lmf_fw *fw, const struct fw_vf *vf,
			       const struct lmf_vf_cmd *cmd, uint32_t length)
{
	uint64_t offset = fw_cmd_offset(cmd);

	if (offset % LMF_VF_SECTOR || length % LMF_VF_SECTOR)
		return LMF_VF_ST_FIELD;
	if (offset > fw->config.media_bytes ||
	    length > fw->config.media_bytes - offset)
		return LMF_VF_ST_RANGE;
	return vf->media.lost ? LMF_VF_ST_MEDIA : LMF_VF_ST_OK;
}

static uint16_t fw_check_reserved(const struct lmf_vf_cmd *cmd)
{
	static const uint8_t zero[sizeof(cmd->reserved2)];

	if (cmd->flags || cmd->reserved0 || cmd->reserved1 ||
	    cmd->sge.reserved || memcmp(cmd->reserved2, zero, sizeof(zero)))
		return LMF_VF_ST_FIELD;
	return LMF_VF_ST_OK;
}

/* Fetches the scatter list and checks it against the command's length. */
static uint16_t fw_check_sgl(struct lmf_fw *fw, struct fw_vf *vf,
			     struct fw_sgl *sgl, const struct lmf_vf_cmd *cmd,
			     uint32_t length)
{
	uint16_t status = fw_sgl_load(fw, vf->index, sgl, &cmd->sge,
				      le16_to_cpu(cmd->nsge));

	if (status == LMF_ST_DMA)
		return LMF_VF_ST_DMA;
	return status || sgl->total != length ? LMF_VF_ST_FIELD :
						LMF_VF_ST_OK;
}

static uint16_t fw_check(struct lmf_fw *fw, struct fw_vf *vf,
			 struct fw_sgl *sgl, const struct lmf_vf_cmd *cmd)
{
	uint32_t length = le32_to_cpu(cmd->length);
	uint16_t status;

	if (cmd->opcode > LMF_VF_OP_COPY)
		return LMF_VF_ST_OPCODE;
	status = fw_check_reserved(cmd);
	if (status || cmd->opcode == LMF_VF_OP_NOP ||
	    cmd->opcode == LMF_VF_OP_FLUSH)
		return status;
	if (!length || length > FW_VF_MAX_BYTES)
		return LMF_VF_ST_FIELD;
	if (cmd->opcode != LMF_VF_OP_COPY) {
		status = fw_check_media(fw, vf, cmd, length);
		if (status)
			return status;
	}
	if (cmd->opcode == LMF_VF_OP_WRITE_ZEROES)
		return cmd->nsge ? LMF_VF_ST_FIELD : LMF_VF_ST_OK;
	status = fw_check_sgl(fw, vf, sgl, cmd, length);
	if (status || cmd->opcode != LMF_VF_OP_COPY)
		return status;
	return fw_check_copy(cmd, sgl);
}

/* Moves @len bytes between guest memory at @addr and what the command says. */
static uint16_t fw_move(struct lmf_fw *fw, struct fw_vf *vf,
			const struct lmf_vf_cmd *cmd, uint32_t progress,
			uint64_t addr, uint32_t len)
{
	uint64_t offset = fw_cmd_offset(cmd) + progress;
	uint64_t dst = addr;

	if (cmd->opcode == LMF_VF_OP_READ)
		fw_media_read(vf, offset, fw->bounce, len);
	else if (fw->ops.dma_read(fw->ctx, vf->index, addr, fw->bounce, len))
		return LMF_VF_ST_DMA;

	if (cmd->opcode == LMF_VF_OP_WRITE)
		return fw_media_write(fw, vf, offset, fw->bounce, len) ?
			LMF_VF_ST_OK : LMF_VF_ST_MEDIA;

	if (cmd->opcode == LMF_VF_OP_COPY)
		dst = le64_to_cpu(cmd->dst) + progress;
	return fw_vf_dma_write(fw, vf, dst, fw->bounce, len) ?
		LMF_VF_ST_DMA : LMF_VF_ST_OK;
}

/* Answers how much was moved; 0 at the end or on failure, see @status. */
static uint32_t fw_piece(struct lmf_fw *fw, struct fw_vf *vf,
			 struct fw_queue *queue, const struct lmf_vf_cmd *cmd,
			 uint16_t *status)
{
	struct fw_sgl *sgl = &queue->mem->sgl;
	uint32_t left = le32_to_cpu(cmd->length) - queue->progress;
	uint64_t addr;
	uint32_t len;

	if (cmd->opcode == LMF_VF_OP_WRITE_ZEROES) {
		len = fw_min(left, FW_BOUNCE_BYTES);
		fw_media_zero(fw, vf, fw_cmd_offset(cmd) + queue->progress,
			      len);
		return len;
	}
	len = fw_sgl_piece(sgl, FW_BOUNCE_BYTES, &addr);
	if (!len)
		return 0;
	*status = fw_move(fw, vf, cmd, queue->progress, addr, len);
	if (*status)
		return 0;
	fw_sgl_advance(sgl, len);
	return len;
}

static bool fw_has_data(const struct lmf_vf_cmd *cmd)
{
	return cmd->opcode != LMF_VF_OP_NOP && cmd->opcode != LMF_VF_OP_FLUSH;
}

/* Does a step of @request; sets its @done, @status and @result at the end. */
void fw_execute_piece(struct lmf_fw *fw, struct fw_vf *vf,
		      struct fw_queue *queue, struct fw_request *request)
{
	const struct lmf_vf_cmd *cmd = &request->cmd;
	uint16_t status = LMF_VF_ST_OK;
	uint32_t moved = 0;

	if (!queue->started) {
		queue->started = true;
		queue->progress = 0;
		status = fw_check(fw, vf, &queue->mem->sgl, cmd);
	}
	if (!status && fw_has_data(cmd)) {
		moved = fw_piece(fw, vf, queue, cmd, &status);
		queue->progress += moved;
		fw->budget -= moved;
	}
	if (!status && fw_has_data(cmd) &&
	    queue->progress < le32_to_cpu(cmd->length))
		return;
	request->done = true;
	request->status = status;
	request->result = queue->progress;
}
