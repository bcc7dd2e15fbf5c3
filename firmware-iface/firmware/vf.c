// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Registers of a VF, what a guest drives.
 *
 * Under QUIESCE INITIATOR they work as ever, only nothing follows from them:
 * the engine stands still. Under FULL they answer and change nothing.
 */
#include "fw.h"

#define FW_VF_QUEUES	LMF_VF_QUEUE(0)
#define FW_VF_DOORBELLS	LMF_VF_SQ_TAIL(0)
#define FW_QUEUE_STRIDE	(LMF_VF_QUEUE(1) - LMF_VF_QUEUE(0))
#define FW_BELL_STRIDE	(LMF_VF_SQ_TAIL(1) - LMF_VF_SQ_TAIL(0))

static uint32_t fw_vf_status(const struct fw_vf *vf)
{
	return LMF_VF_STATUS_READY |
	       (vf->media.lost ? LMF_VF_STATUS_MEDIA_LOST : 0);
}

static uint32_t fw_queue_read(const struct fw_queue *queue, uint64_t offset)
{
	switch (offset) {
	case LMF_VF_Q_SQ_BASE:
		return queue->sq_base;
	case LMF_VF_Q_SQ_BASE + 4:
		return queue->sq_base >> 32;
	case LMF_VF_Q_CQ_BASE:
		return queue->cq_base;
	case LMF_VF_Q_CQ_BASE + 4:
		return queue->cq_base >> 32;
	case LMF_VF_Q_ENTRIES:
		return queue->entries;
	case LMF_VF_Q_VECTOR:
		return queue->vector;
	case LMF_VF_Q_CTRL:
		return queue->ctrl;
	default:
		return queue->status;
	}
}

uint32_t fw_vf_read(struct lmf_fw *fw, struct fw_vf *vf, uint64_t offset)
{
	uint64_t index = (offset - FW_VF_QUEUES) / FW_QUEUE_STRIDE;

	if (offset >= FW_VF_QUEUES)
		return index >= fw->config.queues ? 0 :
			fw_queue_read(&vf->queue[index],
				      offset % FW_QUEUE_STRIDE);
	switch (offset) {
	case LMF_VF_MAGIC:
		return LMF_VF_MAGIC_VALUE;
	case LMF_VF_VERSION:
		return fw->version;
	case LMF_VF_CAPS:
		return FW_VF_CAPS;
	case LMF_VF_MEDIA_BYTES:
		return fw->config.media_bytes;
	case LMF_VF_MEDIA_BYTES + 4:
		return fw->config.media_bytes >> 32;
	case LMF_VF_MAX_QUEUES:
	case LMF_VF_VECTORS:
		return fw->config.queues;
	case LMF_VF_MAX_ENTRIES:
		return fw->config.entries;
	case LMF_VF_MAX_BYTES:
		return FW_VF_MAX_BYTES;
	case LMF_VF_STATUS:
		return fw_vf_status(vf);
	case LMF_VF_MAX_SGES:
		return FW_MAX_SGES;
	default:
		return 0;
	}
}

/* Can a queue with these registers be on? Loading asks it too. */
bool fw_queue_good(const struct lmf_fw *fw, const struct fw_queue *queue)
{
	return fw_ring_good(queue->sq_base, queue->entries,
			    sizeof(struct lmf_vf_cmd), fw->config.entries) &&
	       fw_ring_good(queue->cq_base, queue->entries,
			    sizeof(struct lmf_vf_cqe), fw->config.entries) &&
	       queue->vector < fw->config.queues;
}

static void fw_queue_on(struct lmf_fw *fw, struct fw_vf *vf,
			unsigned int index)
{
	struct fw_queue *queue = &vf->queue[index];

	queue->mem = fw_queue_good(fw, queue) ?
		fw_alloc(fw, sizeof(*queue->mem)) : NULL;
	if (!queue->mem) {
		fw_queue_error(fw, vf, index);
		return;
	}
	queue->phase = 1;
	queue->ctrl |= LMF_VF_QCTRL_ENABLE;
	queue->status |= LMF_VF_QSTATUS_ENABLED;
}

static void fw_queue_ctrl(struct lmf_fw *fw, struct fw_vf *vf,
			  unsigned int index, uint32_t value)
{
	struct fw_queue *queue = &vf->queue[index];
	bool on = value & LMF_VF_QCTRL_ENABLE;

	queue->ctrl &= ~LMF_VF_QCTRL_IRQ;
	queue->ctrl |= value & LMF_VF_QCTRL_IRQ;
	if (on == !!queue->mem)
		return;
	queue->status = 0;
	if (on)
		fw_queue_on(fw, vf, index);
	else
		fw_queue_off(fw, queue);
}

static void fw_queue_setup(struct fw_queue *queue, uint64_t offset,
			   uint32_t value)
{
	switch (offset) {
	case LMF_VF_Q_SQ_BASE:
		fw_set_low(&queue->sq_base, value);
		break;
	case LMF_VF_Q_SQ_BASE + 4:
		fw_set_high(&queue->sq_base, value);
		break;
	case LMF_VF_Q_CQ_BASE:
		fw_set_low(&queue->cq_base, value);
		break;
	case LMF_VF_Q_CQ_BASE + 4:
		fw_set_high(&queue->cq_base, value);
		break;
	case LMF_VF_Q_ENTRIES:
		queue->entries = value;
		break;
	case LMF_VF_Q_VECTOR:
		queue->vector = value;
		break;
	}
}

/* How far @to is ahead of @from in the queue's rings. */
static uint32_t fw_ring_ahead(const struct fw_queue *queue, uint32_t from,
			      uint32_t to)
{
	return (to - from) & (queue->entries - 1);
}

static void fw_doorbell(struct lmf_fw *fw, struct fw_vf *vf,
			uint64_t offset, uint32_t value)
{
	unsigned int index = (offset - FW_VF_DOORBELLS) / FW_BELL_STRIDE;
	bool consumed = offset % FW_BELL_STRIDE;
	struct fw_queue *queue = &vf->queue[index];

	if (!queue->mem)
		return;
	if (value >= queue->entries ||
	    (consumed && fw_ring_ahead(queue, queue->cq_head, value) >
	     fw_ring_ahead(queue, queue->cq_head, queue->cq_tail)))
		fw_queue_error(fw, vf, index);
	else if (consumed)
		queue->cq_head = value;
	else
		queue->sq_tail = value;
	fw_kick(fw);
}

void fw_vf_write(struct lmf_fw *fw, struct fw_vf *vf, uint64_t offset,
		 uint32_t value)
{
	uint64_t index = (offset - FW_VF_QUEUES) / FW_QUEUE_STRIDE;

	if (vf->level == LMF_QUIESCE_FULL)
		return;
	if (offset >= FW_VF_DOORBELLS) {
		if (offset < LMF_VF_SQ_TAIL(fw->config.queues))
			fw_doorbell(fw, vf, offset, value);
		return;
	}
	if (offset < FW_VF_QUEUES || index >= fw->config.queues)
		return;
	if (offset % FW_QUEUE_STRIDE == LMF_VF_Q_CTRL)
		fw_queue_ctrl(fw, vf, index, value);
	else if (!vf->queue[index].mem)
		fw_queue_setup(&vf->queue[index], offset % FW_QUEUE_STRIDE,
			       value);
}
