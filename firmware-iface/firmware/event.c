// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Asynchronous events, into the host's event ring.
 *
 * Nothing is queued for a full ring: the host learns that it missed some and
 * then looks at everything.
 */
#include "fw.h"

static bool fw_event_full(const struct fw_pf *pf)
{
	return ((pf->aeq_tail + 1) & (pf->aeq_entries - 1)) == pf->aeq_head;
}

static void fw_event_post(struct lmf_fw *fw, const struct lmf_event *event)
{
	const uint8_t *bytes = (const uint8_t *)event;
	struct fw_pf *pf = &fw->pf;
	uint64_t addr = pf->aeq_base + pf->aeq_tail * sizeof(*event);

	if (fw->ops.dma_write(fw->ctx, LMF_FW_PF, addr, bytes, 8) ||
	    fw->ops.dma_write(fw->ctx, LMF_FW_PF, addr + 8, bytes + 8, 8)) {
		fw_pf_fatal(fw, "event ring is not accessible");
		return;
	}
	pf->aeq_tail = (pf->aeq_tail + 1) & (pf->aeq_entries - 1);
	if (!pf->aeq_tail)
		pf->aeq_phase ^= 1;
	fw->ops.irq(fw->ctx, LMF_FW_PF, LMF_PF_VECTOR_EVENT);
}

void fw_event(struct lmf_fw *fw, enum lmf_event_type type, unsigned int vf,
	      uint32_t arg)
{
	struct lmf_event event = {
		.type = cpu_to_le16(type),
		.vf = cpu_to_le16(vf),
		.arg = cpu_to_le32(arg),
		.phase = cpu_to_le32(fw->pf.aeq_phase),
	};

	if (!(fw->pf.status & LMF_PF_STATUS_READY) || fw->pf.dying)
		return;
	if (fw->pf.events_lost || fw_event_full(&fw->pf))
		fw->pf.events_lost = true;
	else
		fw_event_post(fw, &event);
}

/* The host consumed events. */
void fw_event_room(struct lmf_fw *fw)
{
	if (!fw->pf.events_lost || fw_event_full(&fw->pf))
		return;
	fw->pf.events_lost = false;
	fw_event(fw, LMF_EV_LOST, 0, 0);
}
