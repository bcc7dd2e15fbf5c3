// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Saving a VF: identity, media as often as it gets dirty, and, once the VF
 * stands still, the trailer with queues, parked requests and END.
 *
 * Segments are laid out in the bounce buffer, as many as fit, and then written
 * to the host. The counts that the host is told are exact at the end of the
 * command: the host builds its estimates on them.
 */
#include "fw.h"

#define FW_HEAD			sizeof(struct lmf_seg)
#define FW_IDENTITY_BYTES	(FW_HEAD + sizeof(struct lmf_seg_identity))
#define FW_MEDIA_BYTES		(FW_HEAD + LMF_MEDIA_GRANULE)
#define FW_QUEUE_BYTES		(FW_HEAD + sizeof(struct lmf_seg_queue))
#define FW_REQUEST_BYTES	(FW_HEAD + sizeof(struct lmf_seg_request))
#define FW_END_BYTES		(FW_HEAD + sizeof(struct lmf_seg_end))

static void fw_seg_head(uint8_t *to, enum lmf_seg_type type, size_t bytes,
			uint64_t offset)
{
	struct lmf_seg seg = {
		.type = cpu_to_le16(type),
		.length = cpu_to_le32(bytes - FW_HEAD),
		.offset = cpu_to_le64(offset),
	};

	memcpy(to, &seg, sizeof(seg));
}

static void fw_put_identity(const struct lmf_fw *fw, uint8_t *to)
{
	uint32_t version = fw->fault.identity_version;
	struct lmf_seg_identity identity = {
		.magic = cpu_to_le32(LMF_VF_MAGIC_VALUE),
		.version = cpu_to_le32(version ? version : fw->version),
		.caps = cpu_to_le64(FW_VF_CAPS),
		.media_bytes = cpu_to_le64(fw->config.media_bytes),
		.max_queues = cpu_to_le32(fw->config.queues),
		.max_entries = cpu_to_le32(fw->config.entries),
		.max_bytes = cpu_to_le32(FW_VF_MAX_BYTES),
		.vectors = cpu_to_le32(fw->config.queues),
		.max_sges = cpu_to_le32(FW_MAX_SGES),
		.chunk_max = cpu_to_le32(FW_CHUNK_MAX),
		.max_parked = cpu_to_le32(FW_INFLIGHT),
	};

	fw_seg_head(to, LMF_SEG_IDENTITY, FW_IDENTITY_BYTES, 0);
	memcpy(to + FW_HEAD, &identity, sizeof(identity));
}

static void fw_put_queue(const struct fw_queue *queue, unsigned int index,
			 uint8_t *to)
{
	struct lmf_seg_queue seg = {
		.sq_base = cpu_to_le64(queue->sq_base),
		.cq_base = cpu_to_le64(queue->cq_base),
		.entries = cpu_to_le32(queue->entries),
		.vector = cpu_to_le32(queue->vector),
		.ctrl = cpu_to_le32(queue->ctrl),
		.status = cpu_to_le32(queue->status),
		.sq_tail = cpu_to_le32(queue->sq_tail),
		.sq_head = cpu_to_le32(queue->sq_head),
		.cq_tail = cpu_to_le32(queue->cq_tail),
		.cq_head = cpu_to_le32(queue->cq_head),
		.phase = cpu_to_le32(queue->phase),
	};

	fw_seg_head(to, LMF_SEG_QUEUE, FW_QUEUE_BYTES, index);
	memcpy(to + FW_HEAD, &seg, sizeof(seg));
}

static void fw_put_request(const struct fw_vf *vf, unsigned int number,
			   uint8_t *to)
{
	const struct fw_request *request;
	struct lmf_seg_request seg = { 0 };
	unsigned int queue = 0;

	while (number >= vf->queue[queue].requests)
		number -= vf->queue[queue++].requests;
	request = &vf->queue[queue].mem->request[number];
	seg.queue = cpu_to_le32(queue);
	seg.cmd = request->cmd;
	if (request->done) {
		seg.done = cpu_to_le16(1);
		seg.status = cpu_to_le16(request->status);
		seg.result = cpu_to_le32(request->result);
	}
	fw_seg_head(to, LMF_SEG_REQUEST, FW_REQUEST_BYTES, 0);
	memcpy(to + FW_HEAD, &seg, sizeof(seg));
}

static void fw_put_end(const struct lmf_fw *fw, const struct fw_vf *vf,
		       uint8_t *to)
{
	struct lmf_seg_end end = {
		.queues = cpu_to_le32(fw->config.queues),
		.requests = cpu_to_le32(fw_engine_parked(fw, vf)),
		.media = cpu_to_le64(vf->save.media),
	};

	fw_seg_head(to, LMF_SEG_END, FW_END_BYTES, 0);
	memcpy(to + FW_HEAD, &end, sizeof(end));
}

static uint64_t fw_trailer_bytes(const struct lmf_fw *fw,
				 const struct fw_vf *vf)
{
	return fw->config.queues * FW_QUEUE_BYTES +
	       fw_engine_parked(fw, vf) * FW_REQUEST_BYTES + FW_END_BYTES;
}

/* The next part of the trailer; 0 if it needs more than @room. */
static uint32_t fw_put_trailer(struct lmf_fw *fw, struct fw_vf *vf,
			       uint8_t *to, uint64_t room)
{
	struct fw_save *save = &vf->save;
	unsigned int queues = fw->config.queues;
	unsigned int next = save->trailer_next;

	/* A REQUEST is the largest of them. */
	if (room < FW_REQUEST_BYTES)
		return 0;
	save->trailer_next++;
	if (next < queues) {
		fw_put_queue(&vf->queue[next], next, to);
		return FW_QUEUE_BYTES;
	}
	if (next < queues + fw_engine_parked(fw, vf)) {
		fw_put_request(vf, next - queues, to);
		return FW_REQUEST_BYTES;
	}
	fw_put_end(fw, vf, to);
	save->ended = true;
	return FW_END_BYTES;
}

/* The next segment, if there is one and it fits; answers its bytes. */
static uint32_t fw_put_segment(struct lmf_fw *fw, struct fw_vf *vf, bool final,
			       uint8_t *to, uint64_t room)
{
	struct fw_save *save = &vf->save;
	uint64_t offset;
	uint32_t bytes;

	if (!save->segments)
		return 0;
	if (vf->media.first || vf->media.dirty) {
		if (room < FW_MEDIA_BYTES)
			return 0;
		fw_media_take(vf, &offset, to + FW_HEAD);
		fw_seg_head(to, LMF_SEG_MEDIA, FW_MEDIA_BYTES, offset);
		save->media++;
		bytes = FW_MEDIA_BYTES;
	} else {
		if (!final || save->ended)
			return 0;
		bytes = fw_put_trailer(fw, vf, to, room);
		save->trailer_sent += bytes;
	}
	save->segments--;
	return bytes;
}

static uint32_t fw_put_segments(struct lmf_fw *fw, struct fw_vf *vf,
				bool final, uint64_t room)
{
	uint32_t bytes, used = 0;

	if (!vf->save.identity) {
		vf->save.identity = true;
		vf->save.segments = 0;
		fw_put_identity(fw, fw->bounce);
		return FW_IDENTITY_BYTES;
	}
	room = fw_min(room, sizeof(fw->bounce));
	do {
		bytes = fw_put_segment(fw, vf, final, fw->bounce + used,
				       room - used);
		used += bytes;
	} while (bytes);
	return used;
}

static void fw_save_values(const struct lmf_fw *fw, const struct fw_vf *vf,
			   struct lmf_admin_cqe *cqe)
{
	const struct fw_save *save = &vf->save;
	uint64_t first = vf->media.first * FW_MEDIA_BYTES;

	if (!save->identity)
		first += FW_IDENTITY_BYTES;
	cqe->value[0] = cpu_to_le64(first);
	cqe->value[1] = cpu_to_le64(vf->media.dirty * FW_MEDIA_BYTES);
	cqe->value[2] = cpu_to_le64(save->ended ? 0 :
				    fw_trailer_bytes(fw, vf) -
				    save->trailer_sent);
	cqe->value[3] = cpu_to_le64(save->sent);
}

static uint16_t fw_save_flags(const struct fw_vf *vf)
{
	bool empty = !vf->media.first && !vf->media.dirty;

	return (empty ? LMF_SAVE_EMPTY : 0) |
	       (vf->save.ended ? LMF_SAVE_ENDED : 0);
}

uint16_t fw_save_begin(struct lmf_fw *fw, struct fw_vf *vf,
		       struct fw_slot *slot)
{
	if (vf->save.session || vf->load || vf->media.lost)
		return LMF_ST_STATE;
	memset(&vf->save, 0, sizeof(vf->save));
	vf->save.session = ++fw->sessions;
	fw_media_track(vf, true);
	slot->cqe.value[0] = cpu_to_le64(vf->save.session);
	return LMF_ST_OK;
}

/* The hook makes chunks end early, but never empty. */
static void fw_save_limit(struct lmf_fw *fw, struct fw_save *save)
{
	save->segments = fw->fault.short_chunks ? 1 + fw_random(fw) % 8 :
						  UINT32_MAX;
}

uint16_t fw_save_read(struct lmf_fw *fw, struct fw_vf *vf,
		      struct fw_slot *slot)
{
	bool final = le32_to_cpu(slot->cmd.param) & LMF_SAVE_FINAL;
	uint32_t bytes, done = le32_to_cpu(slot->cqe.bytes);
	struct fw_save *save = &vf->save;

	if (save->failed || (final && vf->level != LMF_QUIESCE_FULL))
		return LMF_ST_STATE;
	if (!done)
		fw_save_limit(fw, save);
	bytes = fw_put_segments(fw, vf, final, vf->sgl.total - done);
	fw->budget -= bytes;
	if (!fw_sgl_put(fw, &vf->sgl, fw->bounce, bytes)) {
		slot->cqe.bytes = 0;
		return LMF_ST_DMA;
	}
	save->sent += bytes;
	slot->cqe.bytes = cpu_to_le32(done + bytes);
	if (bytes)
		return FW_AGAIN;
	slot->cqe.flags = cpu_to_le16(fw_save_flags(vf));
	fw_save_values(fw, vf, &slot->cqe);
	return LMF_ST_OK;
}

/* With session 0 it is asked what a session would find that begins now. */
uint16_t fw_save_query(struct lmf_fw *fw, struct fw_vf *vf,
		       struct fw_slot *slot)
{
	struct lmf_admin_cqe *cqe = &slot->cqe;

	if (slot->cmd.session) {
		fw_save_values(fw, vf, cqe);
		return LMF_ST_OK;
	}
	cqe->value[0] = cpu_to_le64(FW_IDENTITY_BYTES +
				    vf->media.allocated * FW_MEDIA_BYTES);
	cqe->value[2] = cpu_to_le64(fw_trailer_bytes(fw, vf));
	return LMF_ST_OK;
}

uint16_t fw_save_end(struct lmf_fw *fw, struct fw_vf *vf, struct fw_slot *slot)
{
	fw_save_abort(vf);
	return LMF_ST_OK;
}

void fw_save_abort(struct fw_vf *vf)
{
	if (!vf->save.session)
		return;
	memset(&vf->save, 0, sizeof(vf->save));
	fw_media_track(vf, false);
}

/* A chunk got lost, and what was in there is marked as sent. */
void fw_save_failed(struct fw_vf *vf)
{
	vf->save.failed = true;
}

/* The VF runs on: a trailer that was begun describes nothing any more. */
void fw_save_resumed(struct fw_vf *vf)
{
	if (vf->save.trailer_next)
		vf->save.failed = true;
}
