// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Queue engine of the VFs: fetches commands, has them executed a piece at a
 * time, and posts completions.
 *
 * Everything that a VF writes to guest memory passes fw_vf_dma_write(), which
 * is where the dirty log learns of it.
 *
 * Requests are executed one after the other within a queue, but stay in its
 * table until their completion is posted. That is also where quiesce parks
 * them: a request that was in the middle begins anew, which is harmless as no
 * request reads what it wrote.
 */
#include "fw.h"

int fw_vf_dma_write(struct lmf_fw *fw, struct fw_vf *vf, uint64_t addr,
		    const void *buf, size_t len)
{
	int ret = fw->ops.dma_write(fw->ctx, vf->index, addr, buf, len);

	/* What failed may still have written a part. */
	fw_log_write(fw, vf, addr, len);
	if (!ret)
		vf->stats.dma_write_bytes += len;
	return ret;
}

static void fw_vf_irq(struct lmf_fw *fw, struct fw_vf *vf,
		      const struct fw_queue *queue)
{
	vf->stats.irqs++;
	fw->ops.irq(fw->ctx, vf->index, queue->vector);
}

/* Drops the queue's requests and leaves its set-up registers. */
void fw_queue_off(struct lmf_fw *fw, struct fw_queue *queue)
{
	fw_free(fw, queue->mem, sizeof(*queue->mem));
	queue->mem = NULL;
	queue->ctrl &= ~LMF_VF_QCTRL_ENABLE;
	queue->status &= ~LMF_VF_QSTATUS_ENABLED;
	queue->sq_tail = 0;
	queue->sq_head = 0;
	queue->cq_tail = 0;
	queue->cq_head = 0;
	queue->phase = 1;
	queue->requests = 0;
	queue->started = false;
	queue->progress = 0;
	queue->irq = false;
}

/* All queues off, and their registers as after a reset. */
void fw_queues_clear(struct lmf_fw *fw, struct fw_vf *vf)
{
	unsigned int i;

	for (i = 0; i < fw->config.queues; i++) {
		fw_queue_off(fw, &vf->queue[i]);
		memset(&vf->queue[i], 0, sizeof(vf->queue[i]));
		vf->queue[i].phase = 1;
	}
}

void fw_queue_error(struct lmf_fw *fw, struct fw_vf *vf, unsigned int index)
{
	fw_queue_off(fw, &vf->queue[index]);
	vf->queue[index].status |= LMF_VF_QSTATUS_ERROR;
	fw_note(fw, vf->index, "queue stopped by an error");
	vf->error_queue = index;
	fw_event(fw, vf, LMF_EV_VF_ERROR);
}

static uint32_t fw_ring_next(const struct fw_queue *queue, uint32_t index)
{
	return (index + 1) & (queue->entries - 1);
}

static bool fw_queue_can_fetch(const struct fw_queue *queue)
{
	return queue->sq_head != queue->sq_tail &&
	       queue->requests < FW_INFLIGHT;
}

static struct fw_request *fw_queue_undone(const struct fw_queue *queue)
{
	unsigned int i;

	for (i = 0; i < queue->requests; i++)
		if (!queue->mem->request[i].done)
			return &queue->mem->request[i];
	return NULL;
}

/* The oldest request whose completion may be posted at @when. */
static struct fw_request *fw_queue_done(const struct fw_queue *queue,
					uint64_t when)
{
	struct fw_request *request = queue->mem->request;
	unsigned int i;

	if (fw_ring_next(queue, queue->cq_tail) == queue->cq_head)
		return NULL;
	for (i = 0; i < queue->requests; i++, request++)
		if (request->done && !request->held && request->due <= when)
			return request;
	return NULL;
}

static bool fw_queue_fetch(struct lmf_fw *fw, struct fw_vf *vf,
			   struct fw_queue *queue)
{
	struct fw_request *request = &queue->mem->request[queue->requests];
	uint64_t addr = queue->sq_base + queue->sq_head * sizeof(request->cmd);

	memset(request, 0, sizeof(*request));
	if (fw->ops.dma_read(fw->ctx, vf->index, addr, &request->cmd,
			     sizeof(request->cmd)))
		return false;
	queue->sq_head = fw_ring_next(queue, queue->sq_head);
	queue->requests++;
	return true;
}

/* A request was done just now: the fault hooks may delay or change that. */
static void fw_request_done(struct lmf_fw *fw, struct fw_vf *vf,
			    struct fw_queue *queue, struct fw_request *request)
{
	queue->started = false;
	queue->progress = 0;
	request->due = fw->now + vf->fault.delay_ns;
	request->held = fw_fault_counts(&vf->fault.drop);
	if (fw_fault_counts(&vf->fault.fail)) {
		request->status = vf->fault.fail_status;
		request->result = 0;
	}
}

static bool fw_queue_complete(struct lmf_fw *fw, struct fw_vf *vf,
			      unsigned int index, struct fw_request *request)
{
	struct fw_queue *queue = &vf->queue[index];
	uint64_t addr = queue->cq_base +
			queue->cq_tail * sizeof(struct lmf_vf_cqe);
	struct lmf_vf_cqe cqe = {
		.result = cpu_to_le32(request->result),
		.cid = request->cmd.cid,
		.sq_head = cpu_to_le16(queue->sq_head),
		.status = cpu_to_le16(request->status),
		.queue = cpu_to_le16(index),
		.phase = cpu_to_le32(queue->phase),
	};
	const uint8_t *bytes = (const uint8_t *)&cqe;

	if (fw_vf_dma_write(fw, vf, addr, bytes, 8) ||
	    fw_vf_dma_write(fw, vf, addr + 8, bytes + 8, 8))
		return false;
	queue->cq_tail = fw_ring_next(queue, queue->cq_tail);
	if (!queue->cq_tail)
		queue->phase ^= 1;
	queue->irq = true;
	queue->requests--;
	memmove(request, request + 1,
		(char *)&queue->mem->request[queue->requests] -
		(char *)request);
	return true;
}

/* False if a ring could not be accessed. */
static bool fw_queue_step(struct lmf_fw *fw, struct fw_vf *vf,
			  unsigned int index)
{
	struct fw_queue *queue = &vf->queue[index];
	struct fw_request *request;
	unsigned int i;

	fw->budget -= FW_STEP_BYTES;
	for (i = 0; i < FW_FETCH_BATCH && fw_queue_can_fetch(queue); i++)
		if (!fw_queue_fetch(fw, vf, queue))
			return false;
	request = fw_queue_undone(queue);
	if (request) {
		fw_execute_piece(fw, vf, queue, request);
		if (request->done)
			fw_request_done(fw, vf, queue, request);
	}
	request = fw_queue_done(queue, fw->now);
	return !request || fw_queue_complete(fw, vf, index, request);
}

/* When the queue has something to do: 0 now. */
static uint64_t fw_queue_next(const struct fw_queue *queue)
{
	uint64_t next = LMF_FW_NEVER;
	unsigned int i;

	if (!queue->mem)
		return LMF_FW_NEVER;
	if (fw_queue_can_fetch(queue) || fw_queue_undone(queue))
		return 0;
	if (!fw_queue_done(queue, UINT64_MAX))
		return LMF_FW_NEVER;
	for (i = 0; i < queue->requests; i++)
		if (!queue->mem->request[i].held)
			next = fw_min(next, queue->mem->request[i].due);
	return next;
}

static bool fw_vf_runs(const struct fw_vf *vf)
{
	return vf->present && vf->level == LMF_QUIESCE_RUN;
}

/* One step of one queue; false if none has anything to do. */
static bool fw_engine_step(struct lmf_fw *fw, struct fw_vf *vf)
{
	unsigned int i, index;

	if (!fw_vf_runs(vf))
		return false;
	for (i = 0; i < fw->config.queues; i++) {
		index = vf->rotor++ % fw->config.queues;
		if (fw_queue_next(&vf->queue[index]) > fw->now)
			continue;
		if (!fw_queue_step(fw, vf, index))
			fw_queue_error(fw, vf, index);
		return true;
	}
	return false;
}

static void fw_engine_irqs(struct lmf_fw *fw)
{
	struct fw_queue *queue;
	unsigned int i, j;

	for (i = 0; i < fw->config.vfs; i++) {
		for (j = 0; j < fw->config.queues; j++) {
			queue = &fw->vf[i]->queue[j];
			if (queue->irq && queue->ctrl & LMF_VF_QCTRL_IRQ)
				fw_vf_irq(fw, fw->vf[i], queue);
			queue->irq = false;
		}
	}
}

void fw_engine_run(struct lmf_fw *fw)
{
	unsigned int idle = 0;

	while (fw->budget > 0 && idle < fw->config.vfs) {
		if (fw_engine_step(fw, fw->vf[fw->engine_rotor++ %
					      fw->config.vfs]))
			idle = 0;
		else
			idle++;
	}
	fw_engine_irqs(fw);
}

uint64_t fw_engine_next(const struct lmf_fw *fw)
{
	uint64_t next = LMF_FW_NEVER;
	unsigned int i, j;

	for (i = 0; i < fw->config.vfs; i++)
		for (j = 0; fw_vf_runs(fw->vf[i]) && j < fw->config.queues; j++)
			next = fw_min(next,
				      fw_queue_next(&fw->vf[i]->queue[j]));
	return next;
}

/* Back to RUN: a vector raised while nobody listened is raised again. */
static void fw_engine_resume(struct lmf_fw *fw, struct fw_vf *vf)
{
	struct fw_queue *queue;
	unsigned int i;

	for (i = 0; i < fw->config.queues; i++) {
		queue = &vf->queue[i];
		if (queue->mem && queue->ctrl & LMF_VF_QCTRL_IRQ &&
		    queue->cq_head != queue->cq_tail)
			fw_vf_irq(fw, vf, queue);
	}
}

/* Nothing is ever under way between two steps, so this takes effect at once. */
void fw_engine_quiesce(struct lmf_fw *fw, struct fw_vf *vf, unsigned int level)
{
	unsigned int i;

	if (level == vf->level)
		return;
	vf->level = level;
	for (i = 0; i < fw->config.queues; i++) {
		vf->queue[i].started = false;
		vf->queue[i].progress = 0;
	}
	if (level < LMF_QUIESCE_FULL)
		fw_save_resumed(vf);
	if (level == LMF_QUIESCE_RUN)
		fw_engine_resume(fw, vf);
}

/* Requests that a saved state would hold now. */
unsigned int fw_engine_parked(const struct lmf_fw *fw, const struct fw_vf *vf)
{
	unsigned int i, parked = 0;

	for (i = 0; i < fw->config.queues; i++)
		parked += vf->queue[i].requests;
	return parked;
}
