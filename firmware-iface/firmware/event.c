// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Asynchronous events, into the host's event ring.
 *
 * Of each VF and type one event stands in the ring at most. What happens before
 * the host consumed it, or while the ring is full, is kept as one bit and told
 * once there is room. So a guest that resets itself on and on, or enables bad
 * queues, fills no ring, and no event of any VF is lost.
 */
#include "fw.h"

static bool fw_event_full(const struct fw_pf *pf)
{
	return ((pf->aeq_tail + 1) & (pf->aeq_entries - 1)) == pf->aeq_head;
}

/* As of now: of several that became one, the last one counts. */
static uint32_t fw_event_arg(const struct fw_vf *vf, enum lmf_event_type type)
{
	switch (type) {
	case LMF_EV_VF_RESET:
		return vf->resets;
	case LMF_EV_VF_ERROR:
		return vf->error_queue;
	default:
		return 0;
	}
}

static void fw_event_post(struct lmf_fw *fw, struct fw_vf *vf,
			  enum lmf_event_type type)
{
	struct lmf_event event = {
		.type = cpu_to_le16(type),
		.vf = cpu_to_le16(vf->index),
		.arg = cpu_to_le32(fw_event_arg(vf, type)),
		.phase = cpu_to_le32(fw->pf.aeq_phase),
	};
	const uint8_t *bytes = (const uint8_t *)&event;
	struct fw_pf *pf = &fw->pf;
	uint64_t addr = pf->aeq_base + pf->aeq_tail * sizeof(event);

	if (fw->ops.dma_write(fw->ctx, LMF_FW_PF, addr, bytes, 8) ||
	    fw->ops.dma_write(fw->ctx, LMF_FW_PF, addr + 8, bytes + 8, 8)) {
		fw_pf_fatal(fw, "event ring is not accessible");
		return;
	}
	pf->event[pf->aeq_tail].vf = vf->index;
	pf->event[pf->aeq_tail].type = type;
	vf->events &= ~(1u << type);
	vf->events_posted |= 1u << type;
	pf->aeq_tail = (pf->aeq_tail + 1) & (pf->aeq_entries - 1);
	if (!pf->aeq_tail)
		pf->aeq_phase ^= 1;
	fw->ops.irq(fw->ctx, LMF_FW_PF, LMF_PF_VECTOR_EVENT);
}

/* Posts what may be posted of @vf's; false if it finds nothing or no room. */
static bool fw_event_post_one(struct lmf_fw *fw, struct fw_vf *vf)
{
	uint32_t events = vf->events & ~vf->events_posted;

	if (!events || fw->pf.dying || fw_event_full(&fw->pf))
		return false;
	fw_event_post(fw, vf, __builtin_ctz(events));
	return true;
}

void fw_event(struct lmf_fw *fw, struct fw_vf *vf, enum lmf_event_type type)
{
	if (!(fw->pf.status & LMF_PF_STATUS_READY))
		return;
	vf->events |= 1u << type;
	fw_event_post_one(fw, vf);
}

/* The host moved the head on from @from. The VFs get the room in turn. */
void fw_event_consumed(struct lmf_fw *fw, uint32_t from)
{
	struct fw_pf *pf = &fw->pf;
	unsigned int idle = 0;

	for (; from != pf->aeq_head; from = (from + 1) & (pf->aeq_entries - 1))
		fw->vf[pf->event[from].vf]->events_posted &=
			~(1u << pf->event[from].type);
	while (idle < fw->config.vfs) {
		if (fw_event_post_one(fw, fw->vf[fw->event_rotor++ %
						 fw->config.vfs]))
			idle = 0;
		else
			idle++;
	}
}

/* With the ring go all events. */
void fw_event_drop(struct lmf_fw *fw)
{
	unsigned int i;

	for (i = 0; i < fw->config.vfs; i++) {
		fw->vf[i]->events = 0;
		fw->vf[i]->events_posted = 0;
	}
}
