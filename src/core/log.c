// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty log of a VF.
 *
 * LOG_START takes its parameters from memory: the header, the ranges, and the
 * SGEs of a ring, which is one piece here.
 */
#include <linux/log2.h>
#include <linux/overflow.h>

#include "compat.h"
#include "lmf_core.h"

static bool lmf_log_params_ok(const struct lmf_vf *vf,
			      const struct lmf_log_params *params,
			      const struct lmf_dmabuf *ring)
{
	const struct lmf_vf_caps *caps = &vf->caps;

	if (params->format >= BITS_PER_TYPE(caps->log_formats) ||
	    !(caps->log_formats & BIT(params->format)) ||
	    !params->nranges || params->nranges > caps->log_ranges_max)
		return false;
	if (params->format != LMF_LOG_RING)
		return !ring && !params->entries;
	return ring && !ring->sgt &&
	       params->entries >= 2 && is_power_of_2(params->entries) &&
	       params->entries <= caps->log_ring_max &&
	       ring->pub.size >=
		       params->entries * sizeof(struct lmf_log_entry);
}

static void lmf_log_fill(const struct lmf_log_params *params,
			 const struct lmf_dmabuf *ring, void *mem)
{
	struct lmf_log_start *start = mem;
	struct lmf_log_range *ranges = mem + sizeof(*start);
	struct lmf_sge *sge = (void *)&ranges[params->nranges];
	u32 n;

	start->format = params->format;
	start->shift = params->shift;
	start->nranges = cpu_to_le32(params->nranges);
	start->entries = cpu_to_le32(params->entries);
	start->threshold = cpu_to_le32(params->threshold);
	for (n = 0; n < params->nranges; n++) {
		ranges[n].iova = cpu_to_le64(params->ranges[n].iova);
		ranges[n].last = cpu_to_le64(params->ranges[n].last);
	}
	if (!ring)
		return;
	start->nsges = cpu_to_le16(1);
	sge->addr = cpu_to_le64(ring->dma);
	sge->len = cpu_to_le32(params->entries * sizeof(struct lmf_log_entry));
}

int lmf_vf_log_start(struct lmf_vf *vf, const struct lmf_log_params *params,
		     struct lmf_buf *ring)
{
	struct lmf_request req = {
		.opcode = LMF_OP_LOG_START,
		.ring = ring ? to_lmf_dmabuf(ring) : NULL,
	};
	int err;

	if (!lmf_log_params_ok(vf, params, req.ring))
		return -EINVAL;
	req.bytes = sizeof(struct lmf_log_start) +
		    params->nranges * sizeof(struct lmf_log_range) +
		    (ring ? sizeof(struct lmf_sge) : 0);
	/* Who cannot log can say so, and need not be killed for it. */
	req.buf = lmf_dmabuf_alloc_coherent(vf->func->core, req.bytes,
					    GFP_KERNEL_ACCOUNT | __GFP_NORETRY);
	if (!req.buf)
		return -ENOMEM;
	lmf_log_fill(params, req.ring, req.buf->pub.vaddr);
	err = lmf_track_start_log(vf->func, &req);
	lmf_dmabuf_put(req.buf);
	return err;
}
EXPORT_SYMBOL_LMF(lmf_vf_log_start);

int lmf_vf_log_flush(struct lmf_vf *vf, u32 acknowledge,
		     struct lmf_log_flushed *flushed)
{
	struct lmf_request req = {
		.opcode = LMF_OP_LOG_FLUSH,
		.param = acknowledge,
	};
	struct lmf_admin_cqe cqe;
	int err = lmf_op_exec(vf->func, &req, &cqe);

	if (err)
		return err;
	flushed->produced = le64_to_cpu(cqe.value[0]);
	flushed->sequence = flushed->produced;
	flushed->overflows = le64_to_cpu(cqe.value[1]);
	flushed->more = le16_to_cpu(cqe.flags) & LMF_LOG_MORE;
	return 0;
}
EXPORT_SYMBOL_LMF(lmf_vf_log_flush);

int lmf_vf_log_read(struct lmf_vf *vf, struct lmf_buf *buf, u32 position,
		    struct lmf_log_part *part)
{
	struct lmf_request req = {
		.opcode = LMF_OP_LOG_READ,
		.param = position,
		.buf = to_lmf_dmabuf(buf),
		.bytes = buf->size,
	};
	struct lmf_admin_cqe cqe;
	int err;

	if (buf->size < LMF_LOG_READ_MIN || buf->size > LMF_LOG_READ_MAX)
		return -EINVAL;
	err = lmf_op_exec(vf->func, &req, &cqe);
	if (err)
		return err;
	part->bytes = le32_to_cpu(cqe.bytes);
	part->more = le16_to_cpu(cqe.flags) & LMF_LOG_MORE;
	part->position = le64_to_cpu(cqe.value[0]);
	part->sequence = le64_to_cpu(cqe.value[1]);
	return 0;
}
EXPORT_SYMBOL_LMF(lmf_vf_log_read);

void lmf_vf_log_consumed(struct lmf_vf *vf, u32 count)
{
	struct lmf_core *core = vf->func->core;
	unsigned long flags;

	/* The device may overwrite what was read from now. */
	mb();
	spin_lock_irqsave(&core->lock, flags);
	/* A count of this log could be a good one of the next. */
	if (core->state == LMF_CORE_UP && vf->func->log_claimed)
		lmf_write(core, LMF_PF_LOG_HEAD(vf->func->id), count);
	spin_unlock_irqrestore(&core->lock, flags);
}
EXPORT_SYMBOL_LMF(lmf_vf_log_consumed);

int lmf_vf_log_stop(struct lmf_vf *vf)
{
	return lmf_track_stop_log(vf->func);
}
EXPORT_SYMBOL_LMF(lmf_vf_log_stop);
