// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Registers of the PF.
 */
#include "fw.h"

uint32_t fw_pf_read(struct lmf_fw *fw, uint64_t offset)
{
	switch (offset) {
	case LMF_PF_MAGIC:
		return LMF_PF_MAGIC_VALUE;
	case LMF_PF_VERSION:
		return fw->version;
	case LMF_PF_TOTAL_VFS:
		return fw->config.vfs;
	case LMF_PF_MAX_ENTRIES:
		return FW_PF_MAX_ENTRIES;
	case LMF_PF_STATUS:
		return fw->pf.status;
	case LMF_PF_CTRL:
		return fw->pf.ctrl;
	case LMF_PF_ASQ_BASE:
		return fw->pf.asq_base;
	case LMF_PF_ASQ_BASE + 4:
		return fw->pf.asq_base >> 32;
	case LMF_PF_ACQ_BASE:
		return fw->pf.acq_base;
	case LMF_PF_ACQ_BASE + 4:
		return fw->pf.acq_base >> 32;
	case LMF_PF_AEQ_BASE:
		return fw->pf.aeq_base;
	case LMF_PF_AEQ_BASE + 4:
		return fw->pf.aeq_base >> 32;
	case LMF_PF_AQ_ENTRIES:
		return fw->pf.aq_entries;
	case LMF_PF_AEQ_ENTRIES:
		return fw->pf.aeq_entries;
	default:
		return 0;
	}
}

/*
 * What the host did leaves nothing to go on from. Callers may be using a log or
 * a session, so those end only when the call from outside does.
 */
void fw_pf_fatal(struct lmf_fw *fw, const char *why)
{
	fw_note(fw, LMF_FW_PF, why);
	fw->pf.dying = true;
}

static void fw_pf_enable(struct lmf_fw *fw)
{
	struct fw_pf *pf = &fw->pf;
	unsigned int i;

	if (!fw_ring_good(pf->asq_base, pf->aq_entries,
			  sizeof(struct lmf_admin_cmd), FW_PF_MAX_ENTRIES) ||
	    !fw_ring_good(pf->acq_base, pf->aq_entries,
			  sizeof(struct lmf_admin_cqe), FW_PF_MAX_ENTRIES) ||
	    !fw_ring_good(pf->aeq_base, pf->aeq_entries,
			  sizeof(struct lmf_event), FW_PF_MAX_ENTRIES)) {
		fw_pf_fatal(fw, "bad rings");
		return;
	}
	for (i = 0; i < fw->config.vfs; i++)
		fw->vf[i]->resets = 0;
	pf->acq_phase = 1;
	pf->aeq_phase = 1;
	pf->status = LMF_PF_STATUS_READY;
}

static void fw_pf_ctrl(struct lmf_fw *fw, uint32_t value)
{
	uint32_t old = fw->pf.ctrl;

	fw->pf.ctrl = value & LMF_PF_CTRL_ENABLE;
	if (fw->pf.ctrl == old)
		return;
	if (fw->pf.ctrl)
		fw_pf_enable(fw);
	else
		fw_pf_reset(fw);
}

static void fw_pf_setup(struct fw_pf *pf, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case LMF_PF_ASQ_BASE:
		fw_set_low(&pf->asq_base, value);
		break;
	case LMF_PF_ASQ_BASE + 4:
		fw_set_high(&pf->asq_base, value);
		break;
	case LMF_PF_ACQ_BASE:
		fw_set_low(&pf->acq_base, value);
		break;
	case LMF_PF_ACQ_BASE + 4:
		fw_set_high(&pf->acq_base, value);
		break;
	case LMF_PF_AEQ_BASE:
		fw_set_low(&pf->aeq_base, value);
		break;
	case LMF_PF_AEQ_BASE + 4:
		fw_set_high(&pf->aeq_base, value);
		break;
	case LMF_PF_AQ_ENTRIES:
		pf->aq_entries = value;
		break;
	case LMF_PF_AEQ_ENTRIES:
		pf->aeq_entries = value;
		break;
	}
}

static void fw_pf_doorbell(struct lmf_fw *fw, uint32_t *index,
			   uint32_t entries, uint32_t value)
{
	if (value < entries)
		*index = value;
	else
		fw_pf_fatal(fw, "doorbell out of range");
}

static void fw_pf_bells(struct lmf_fw *fw, uint64_t offset, uint32_t value)
{
	struct fw_pf *pf = &fw->pf;
	uint64_t vf = (offset - LMF_PF_LOG_HEAD(0)) /
		      (LMF_PF_LOG_HEAD(1) - LMF_PF_LOG_HEAD(0));
	uint32_t consumed;

	if (offset == LMF_PF_ASQ_TAIL) {
		fw_pf_doorbell(fw, &pf->asq_tail, pf->aq_entries, value);
	} else if (offset == LMF_PF_ACQ_HEAD) {
		fw_pf_doorbell(fw, &pf->acq_head, pf->aq_entries, value);
	} else if (offset == LMF_PF_AEQ_HEAD) {
		consumed = pf->aeq_head;
		fw_pf_doorbell(fw, &pf->aeq_head, pf->aeq_entries, value);
		fw_event_consumed(fw, consumed);
	} else if (offset >= LMF_PF_LOG_HEAD(0) && vf < fw->config.vfs) {
		fw_log_head(fw, fw->vf[vf], value);
	}
}

void fw_pf_write(struct lmf_fw *fw, uint64_t offset, uint32_t value)
{
	if (offset == LMF_PF_CTRL)
		fw_pf_ctrl(fw, value);
	else if (!fw->pf.ctrl)
		fw_pf_setup(&fw->pf, offset, value);
	else if (fw->pf.status & LMF_PF_STATUS_READY)
		fw_pf_bells(fw, offset, value);
	fw_kick(fw);
}
