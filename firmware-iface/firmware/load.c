// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Loading a saved VF. The bytes are hostile: whoever may open the VF's VFIO
 * device on the host may choose them.
 *
 * Each chunk is read a bounce buffer at a time, and only from there it is
 * parsed; a segment that does not lie wholly in the buffer is read again in
 * the next step. Media goes to its place, which nobody can read before the
 * load is complete. Queues and requests are collected aside, in memory of
 * fixed size, and take effect only with COMMIT.
 */
#include "fw.h"

#define FW_HEAD		sizeof(struct lmf_seg)

/* What a handler gets: a header that was checked, and its payload. */
struct fw_segment {
	uint16_t type;
	uint16_t flags;
	uint32_t length;
	uint64_t offset;
	uint64_t padded;	/* header, payload and padding */
	const uint8_t *payload;
};

static bool fw_zero(const uint8_t *bytes, size_t len)
{
	while (len && !*bytes) {
		bytes++;
		len--;
	}
	return !len;
}

/* What a VF of this kind can take; the magic was looked at before. */
static bool fw_identity_matches(const struct lmf_fw *fw,
				const struct lmf_seg_identity *identity)
{
	return LMF_VERSION_TO_MAJOR(le32_to_cpu(identity->version)) ==
	       LMF_VERSION_TO_MAJOR(fw->version) &&
	       le64_to_cpu(identity->caps) == FW_VF_CAPS &&
	       le64_to_cpu(identity->media_bytes) == fw->config.media_bytes &&
	       le32_to_cpu(identity->max_queues) == fw->config.queues &&
	       le32_to_cpu(identity->max_entries) == fw->config.entries &&
	       le32_to_cpu(identity->max_bytes) == FW_VF_MAX_BYTES &&
	       le32_to_cpu(identity->vectors) == fw->config.queues &&
	       le32_to_cpu(identity->max_sges) == FW_MAX_SGES &&
	       le32_to_cpu(identity->chunk_max) <= FW_CHUNK_MAX &&
	       le32_to_cpu(identity->max_parked) <= FW_INFLIGHT;
}

static uint16_t fw_load_identity(struct lmf_fw *fw, struct fw_vf *vf,
				 const struct fw_segment *segment)
{
	struct lmf_seg_identity identity;

	memcpy(&identity, segment->payload, sizeof(identity));
	if (vf->load->identity || segment->offset || identity.reserved ||
	    le32_to_cpu(identity.magic) != LMF_VF_MAGIC_VALUE)
		return LMF_ST_CORRUPT;
	if (!fw_identity_matches(fw, &identity))
		return LMF_ST_MISMATCH;
	vf->load->identity = true;
	return LMF_ST_OK;
}

static uint16_t fw_load_media(struct lmf_fw *fw, struct fw_vf *vf,
			      const struct fw_segment *segment)
{
	if (segment->offset % LMF_MEDIA_GRANULE ||
	    segment->offset >= fw->config.media_bytes)
		return LMF_ST_CORRUPT;
	vf->load->media++;
	if (fw_zero(segment->payload, LMF_MEDIA_GRANULE))
		fw_media_zero(fw, vf, segment->offset, LMF_MEDIA_GRANULE);
	else if (!fw_media_write(fw, vf, segment->offset, segment->payload,
				 LMF_MEDIA_GRANULE))
		return LMF_ST_RESOURCES;
	return LMF_ST_OK;
}

static uint16_t fw_load_get_mem(struct lmf_fw *fw, struct fw_queue *queue)
{
	if (!queue->mem)
		queue->mem = fw_alloc(fw, sizeof(*queue->mem));
	return queue->mem ? LMF_ST_OK : LMF_ST_RESOURCES;
}

static bool fw_load_queue_good(const struct lmf_fw *fw,
			       const struct fw_queue *queue)
{
	const uint32_t ctrl = LMF_VF_QCTRL_ENABLE | LMF_VF_QCTRL_IRQ;
	const uint32_t status = LMF_VF_QSTATUS_ENABLED | LMF_VF_QSTATUS_ERROR;
	bool on = queue->ctrl & LMF_VF_QCTRL_ENABLE;

	if (queue->ctrl & ~ctrl || queue->status & ~status ||
	    queue->phase > 1 ||
	    on != !!(queue->status & LMF_VF_QSTATUS_ENABLED))
		return false;
	if (!on)
		return !queue->sq_tail && !queue->sq_head &&
		       !queue->cq_tail && !queue->cq_head;
	return fw_queue_good(fw, queue) && queue->sq_tail < queue->entries &&
	       queue->sq_head < queue->entries &&
	       queue->cq_tail < queue->entries &&
	       queue->cq_head < queue->entries;
}

static void fw_load_take_queue(struct fw_queue *queue,
			       const struct lmf_seg_queue *seg)
{
	queue->sq_base = le64_to_cpu(seg->sq_base);
	queue->cq_base = le64_to_cpu(seg->cq_base);
	queue->entries = le32_to_cpu(seg->entries);
	queue->vector = le32_to_cpu(seg->vector);
	queue->ctrl = le32_to_cpu(seg->ctrl);
	queue->status = le32_to_cpu(seg->status);
	queue->sq_tail = le32_to_cpu(seg->sq_tail);
	queue->sq_head = le32_to_cpu(seg->sq_head);
	queue->cq_tail = le32_to_cpu(seg->cq_tail);
	queue->cq_head = le32_to_cpu(seg->cq_head);
	queue->phase = le32_to_cpu(seg->phase);
}

static uint16_t fw_load_queue(struct lmf_fw *fw, struct fw_vf *vf,
			      const struct fw_segment *segment)
{
	struct fw_load *load = vf->load;
	struct lmf_seg_queue seg;
	struct fw_queue *queue;

	if (segment->offset >= fw->config.queues ||
	    load->queues_seen & 1u << segment->offset)
		return LMF_ST_CORRUPT;
	memcpy(&seg, segment->payload, sizeof(seg));
	queue = &load->queue[segment->offset];
	fw_load_take_queue(queue, &seg);
	if (seg.reserved || !fw_load_queue_good(fw, queue))
		return LMF_ST_CORRUPT;
	load->queues_seen |= 1u << segment->offset;
	load->queues++;
	return queue->ctrl & LMF_VF_QCTRL_ENABLE ? fw_load_get_mem(fw, queue) :
						   LMF_ST_OK;
}

/* The command itself is checked when it is executed, as any guest's is. */
static bool fw_load_request_good(const struct lmf_seg_request *seg)
{
	if (seg->reserved)
		return false;
	if (!seg->done)
		return !seg->status && !seg->result;
	return le16_to_cpu(seg->done) == 1 &&
	       le16_to_cpu(seg->status) <= LMF_VF_ST_MEDIA &&
	       le32_to_cpu(seg->result) <= FW_VF_MAX_BYTES;
}

/* Its queue may come later: END checks that it is enabled. */
static uint16_t fw_load_request(struct lmf_fw *fw, struct fw_vf *vf,
				const struct fw_segment *segment)
{
	struct fw_request *request;
	struct lmf_seg_request seg;
	struct fw_queue *queue;
	uint16_t status;

	memcpy(&seg, segment->payload, sizeof(seg));
	if (segment->offset || !fw_load_request_good(&seg) ||
	    le32_to_cpu(seg.queue) >= fw->config.queues)
		return LMF_ST_CORRUPT;
	queue = &vf->load->queue[le32_to_cpu(seg.queue)];
	if (queue->requests == FW_INFLIGHT)
		return LMF_ST_CORRUPT;
	status = fw_load_get_mem(fw, queue);
	if (status)
		return status;
	request = &queue->mem->request[queue->requests++];
	request->cmd = seg.cmd;
	request->done = seg.done;
	request->status = le16_to_cpu(seg.status);
	request->result = le32_to_cpu(seg.result);
	vf->load->requests++;
	return LMF_ST_OK;
}

static uint16_t fw_load_final(struct lmf_fw *fw, struct fw_vf *vf,
			      const struct fw_segment *segment)
{
	const struct fw_load *load = vf->load;
	struct lmf_seg_end end;
	unsigned int i;

	memcpy(&end, segment->payload, sizeof(end));
	if (segment->offset || le32_to_cpu(end.queues) != load->queues ||
	    le32_to_cpu(end.requests) != load->requests ||
	    le64_to_cpu(end.media) != load->media)
		return LMF_ST_CORRUPT;
	if (load->queues != fw->config.queues)
		return LMF_ST_INCOMPLETE;
	for (i = 0; i < fw->config.queues; i++)
		if (load->queue[i].requests &&
		    !(load->queue[i].ctrl & LMF_VF_QCTRL_ENABLE))
			return LMF_ST_CORRUPT;
	vf->load->ended = true;
	return LMF_ST_OK;
}

static const struct {
	uint32_t length;
	uint16_t (*take)(struct lmf_fw *fw, struct fw_vf *vf,
			 const struct fw_segment *segment);
} fw_segments[] = {
	[LMF_SEG_IDENTITY] = {
		sizeof(struct lmf_seg_identity), fw_load_identity
	},
	[LMF_SEG_MEDIA] = { LMF_MEDIA_GRANULE, fw_load_media },
	[LMF_SEG_QUEUE] = { sizeof(struct lmf_seg_queue), fw_load_queue },
	[LMF_SEG_REQUEST] = {
		sizeof(struct lmf_seg_request), fw_load_request
	},
	[LMF_SEG_END] = { sizeof(struct lmf_seg_end), fw_load_final },
};

static bool fw_segment_known(const struct fw_segment *segment)
{
	return segment->type &&
	       segment->type < sizeof(fw_segments) / sizeof(fw_segments[0]);
}

/* Reads the header at @from; @left bytes of the chunk begin there. */
static uint16_t fw_segment_parse(const struct fw_load *load,
				 struct fw_segment *segment,
				 const uint8_t *from, uint64_t left)
{
	struct lmf_seg seg;

	if (left < FW_HEAD)
		return LMF_ST_CORRUPT;
	memcpy(&seg, from, sizeof(seg));
	segment->type = le16_to_cpu(seg.type);
	segment->flags = le16_to_cpu(seg.flags);
	segment->length = le32_to_cpu(seg.length);
	segment->offset = le64_to_cpu(seg.offset);
	segment->padded = FW_HEAD + (((uint64_t)segment->length + 7) & ~7ull);
	segment->payload = from + FW_HEAD;
	if (segment->padded > left || load->ended ||
	    (segment->type != LMF_SEG_IDENTITY && !load->identity))
		return LMF_ST_CORRUPT;
	if (!fw_segment_known(segment))
		return segment->flags & LMF_SEG_OPTIONAL ? LMF_ST_OK :
							   LMF_ST_CORRUPT;
	if (segment->flags & ~LMF_SEG_OPTIONAL ||
	    segment->length != fw_segments[segment->type].length)
		return LMF_ST_CORRUPT;
	return LMF_ST_OK;
}

/* An unknown segment may be longer than the bounce buffer: skips it unread. */
static uint16_t fw_load_skip(struct lmf_fw *fw, struct fw_vf *vf,
			     const struct fw_segment *segment, uint64_t at)
{
	uint32_t padding = segment->padded - FW_HEAD - segment->length;
	uint8_t bytes[8];

	fw_sgl_seek(&vf->sgl, at + FW_HEAD + segment->length);
	if (!fw_sgl_get(fw, &vf->sgl, bytes, padding))
		return LMF_ST_DMA;
	return fw_zero(bytes, padding) ? LMF_ST_OK : LMF_ST_CORRUPT;
}

/*
 * Takes the segment at @used of the @n bytes in the bounce buffer. Answers how
 * long it was, and 0 if it goes on beyond them.
 */
static uint16_t fw_load_segment(struct lmf_fw *fw, struct fw_vf *vf,
				uint32_t used, uint32_t n, uint64_t *bytes)
{
	struct fw_load *load = vf->load;
	uint64_t at = load->offset + used;
	struct fw_segment segment;
	uint16_t status;

	*bytes = 0;
	if (n - used < FW_HEAD && vf->sgl.total - at > n - used)
		return LMF_ST_OK;
	status = fw_segment_parse(load, &segment, fw->bounce + used,
				  vf->sgl.total - at);
	if (status)
		return status;
	if (!fw_segment_known(&segment)) {
		*bytes = segment.padded;
		return fw_load_skip(fw, vf, &segment, at);
	}
	if (segment.padded > n - used)
		return LMF_ST_OK;
	*bytes = segment.padded;
	return fw_segments[segment.type].take(fw, vf, &segment);
}

static uint16_t fw_load_step(struct lmf_fw *fw, struct fw_vf *vf, uint32_t n)
{
	uint64_t bytes, used = 0;
	uint16_t status;

	do {
		status = fw_load_segment(fw, vf, used, n, &bytes);
		if (status)
			return status;
		used += bytes;
	} while (bytes && used < n);
	vf->load->offset += used;
	return FW_AGAIN;
}

uint16_t fw_load_write(struct lmf_fw *fw, struct fw_vf *vf,
		       struct fw_slot *slot)
{
	struct fw_load *load = vf->load;
	uint64_t n = fw_min(vf->sgl.total - load->offset, FW_BOUNCE_BYTES);

	if (load->status)
		return LMF_ST_STATE;
	if (!n) {
		load->offset = 0;
		return LMF_ST_OK;
	}
	fw->budget -= n;
	fw_sgl_seek(&vf->sgl, load->offset);
	if (!fw_sgl_get(fw, &vf->sgl, fw->bounce, n))
		return LMF_ST_DMA;
	return fw_load_step(fw, vf, n);
}

/* The memory is taken first: a load that cannot begin must not cost media. */
uint16_t fw_load_begin(struct lmf_fw *fw, struct fw_vf *vf,
		       struct fw_slot *slot)
{
	if (vf->level != LMF_QUIESCE_FULL || vf->load || vf->save.session)
		return LMF_ST_STATE;
	if (vf->media.doomed)
		return FW_AGAIN;
	vf->load = fw_alloc(fw, sizeof(*vf->load));
	if (!vf->load)
		return LMF_ST_RESOURCES;
	fw_queues_clear(fw, vf);
	fw_media_scrub(vf);
	vf->media.lost = true;
	vf->load->session = ++fw->sessions;
	slot->cqe.value[0] = cpu_to_le64(vf->load->session);
	return LMF_ST_OK;
}

static void fw_load_apply(struct lmf_fw *fw, struct fw_vf *vf)
{
	unsigned int i;

	for (i = 0; i < fw->config.queues; i++) {
		vf->queue[i] = vf->load->queue[i];
		vf->load->queue[i].mem = NULL;
	}
	vf->media.lost = false;
}

uint16_t fw_load_end(struct lmf_fw *fw, struct fw_vf *vf, struct fw_slot *slot)
{
	uint16_t status = LMF_ST_OK;

	if (le32_to_cpu(slot->cmd.param) & LMF_LOAD_COMMIT) {
		status = vf->load->status;
		if (!status && !vf->load->ended)
			status = LMF_ST_INCOMPLETE;
		if (!status)
			fw_load_apply(fw, vf);
	}
	fw_load_abort(fw, vf);
	return status;
}

/* Nothing but LOAD_END can follow. */
void fw_load_failed(struct fw_vf *vf, uint16_t status)
{
	if (!vf->load->status)
		vf->load->status = status;
}

/* Ends a session; media stays lost if it was not applied. */
void fw_load_abort(struct lmf_fw *fw, struct fw_vf *vf)
{
	unsigned int i;

	if (!vf->load)
		return;
	for (i = 0; i < fw->config.queues; i++)
		fw_free(fw, vf->load->queue[i].mem,
			sizeof(struct fw_queue_mem));
	fw_free(fw, vf->load, sizeof(*vf->load));
	vf->load = NULL;
}
