// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Admin queue: fetch, order, completion.
 *
 * A fetched command waits in the FIFO of its VF. One command of a VF is
 * executed at a time, in steps of bounded work, and the VFs take turns step by
 * step. Done ones are completed in the order in which they got done, unless a
 * fault hook delays them.
 */
#include "fw.h"

static bool fw_admin_runs(const struct lmf_fw *fw)
{
	return fw->pf.status & LMF_PF_STATUS_READY && !fw->pf.dying;
}

static bool fw_admin_can_fetch(const struct lmf_fw *fw)
{
	return fw_admin_runs(fw) && fw->pf.asq_head != fw->pf.asq_tail &&
	       fw->slots_used < FW_ADMIN_SLOTS;
}

static int fw_slot_get(struct lmf_fw *fw)
{
	int i = 0;

	while (fw->slot[i].state != FW_SLOT_FREE)
		i++;
	memset(&fw->slot[i], 0, sizeof(fw->slot[i]));
	fw->slot[i].next = FW_NONE;
	fw->slots_used++;
	return i;
}

static void fw_slot_put(struct lmf_fw *fw, struct fw_slot *slot)
{
	slot->state = FW_SLOT_FREE;
	fw->slots_used--;
}

static void fw_admin_corrupt(struct lmf_fw *fw, struct lmf_admin_cqe *cqe,
			     bool tag)
{
	__le32 keep = cqe->tag;
	uint8_t *byte = (uint8_t *)cqe;
	unsigned int i;

	for (i = 0; i < sizeof(*cqe); i++)
		byte[i] = fw_random(fw);
	if (!tag)
		cqe->tag = keep;
}

/* The command has its answer: what the fault hooks make of that. */
static void fw_admin_done(struct lmf_fw *fw, struct fw_slot *slot,
			  uint16_t status)
{
	uint16_t opcode = le16_to_cpu(slot->cmd.opcode);
	uint64_t value;

	slot->state = FW_SLOT_DONE;
	slot->order = fw->order++;
	slot->due = fw->now;
	slot->cqe.tag = slot->cmd.tag;
	slot->cqe.status = cpu_to_le16(status);
	if (fw_fault_strikes(fw, FW_RULE_DELAY, opcode, &value))
		slot->due += value;
	if (fw->fault.reorder)
		slot->due += fw_random(fw) % FW_REORDER_NS;
	if (fw_fault_strikes(fw, FW_RULE_CORRUPT, opcode, &value))
		fw_admin_corrupt(fw, &slot->cqe, value);
	slot->held = fw_fault_strikes(fw, FW_RULE_DROP, opcode, &value);
}

static void fw_admin_append(struct lmf_fw *fw, struct fw_vf *vf, int index)
{
	if (vf->first == FW_NONE)
		vf->first = index;
	else
		fw->slot[vf->last].next = index;
	vf->last = index;
}

static void fw_admin_fetch(struct lmf_fw *fw)
{
	struct fw_pf *pf = &fw->pf;
	int index = fw_slot_get(fw);
	struct fw_slot *slot = &fw->slot[index];
	unsigned int vf;

	fw->budget -= FW_STEP_BYTES;
	if (fw->ops.dma_read(fw->ctx, LMF_FW_PF,
			     pf->asq_base + pf->asq_head * sizeof(slot->cmd),
			     &slot->cmd, sizeof(slot->cmd))) {
		fw_pf_fatal(fw, "admin ring is not accessible");
		return;
	}
	pf->asq_head = (pf->asq_head + 1) & (pf->aq_entries - 1);
	slot->number = pf->fetched++;
	slot->state = FW_SLOT_QUEUED;
	vf = le16_to_cpu(slot->cmd.vf);
	if (vf < fw->config.vfs)
		fw_admin_append(fw, fw->vf[vf], index);
	else
		fw_admin_done(fw, slot, LMF_ST_VF);
}

/* What a failure means for the session, a failure by a fault hook too. */
static void fw_admin_failed(struct lmf_fw *fw, struct fw_vf *vf,
			    const struct lmf_admin_cmd *cmd, uint16_t status)
{
	uint64_t session = le64_to_cpu(cmd->session);
	bool load = vf->load && vf->load->session == session;
	bool save = session && vf->save.session == session;

	switch (le16_to_cpu(cmd->opcode)) {
	case LMF_OP_SAVE_READ:
		if (save && (status == LMF_ST_DMA || status == LMF_ST_INTERNAL))
			fw_save_failed(vf);
		break;
	case LMF_OP_LOAD_WRITE:
		if (load)
			fw_load_failed(vf, status);
		break;
	case LMF_OP_LOAD_END:
		if (load && status != LMF_ST_FIELD)
			fw_load_abort(fw, vf);
		break;
	}
}

static void fw_admin_finish(struct lmf_fw *fw, struct fw_vf *vf,
			    uint16_t status)
{
	struct fw_slot *slot = &fw->slot[vf->first];

	vf->first = slot->next;
	if (status)
		fw_admin_failed(fw, vf, &slot->cmd, status);
	fw_admin_done(fw, slot, status);
}

/* How many commands the host has submitted, fetched or not. */
static uint64_t fw_admin_submitted(const struct lmf_fw *fw)
{
	const struct fw_pf *pf = &fw->pf;

	return pf->fetched +
	       ((pf->asq_tail - pf->asq_head) & (pf->aq_entries - 1));
}

static uint16_t fw_admin_begin(struct lmf_fw *fw, struct fw_vf *vf,
			       struct fw_slot *slot)
{
	uint64_t value;

	slot->state = FW_SLOT_STARTED;
	if (slot->number < vf->fence && fw_command_aborts(fw, slot))
		return LMF_ST_ABORTED;
	if (fw_fault_strikes(fw, FW_RULE_FAIL, le16_to_cpu(slot->cmd.opcode),
			     &value))
		return value;
	return fw_command_check(fw, vf, slot);
}

/* One step of the VF's oldest command; false if there is none. */
static bool fw_admin_step(struct lmf_fw *fw, struct fw_vf *vf)
{
	struct fw_slot *slot;
	uint16_t status = LMF_ST_OK;

	if (vf->first == FW_NONE)
		return false;
	fw->budget -= FW_STEP_BYTES;
	slot = &fw->slot[vf->first];
	if (slot->state == FW_SLOT_QUEUED)
		status = fw_admin_begin(fw, vf, slot);
	if (!status)
		status = fw_command_run(fw, vf, slot);
	if (status != FW_AGAIN)
		fw_admin_finish(fw, vf, status);
	return true;
}

/* The next slot to complete of those whose time has come at @when. */
static int fw_admin_ready(const struct lmf_fw *fw, uint64_t when)
{
	const struct fw_slot *slot, *best = NULL;
	unsigned int i;

	if (((fw->pf.acq_tail + 1) & (fw->pf.aq_entries - 1)) ==
	    fw->pf.acq_head)
		return FW_NONE;
	for (i = 0; i < FW_ADMIN_SLOTS; i++) {
		slot = &fw->slot[i];
		if (slot->state != FW_SLOT_DONE || slot->held ||
		    slot->due > when)
			continue;
		if (!best || slot->due < best->due ||
		    (slot->due == best->due && slot->order < best->order))
			best = slot;
	}
	return best ? best - fw->slot : FW_NONE;
}

static void fw_admin_complete(struct lmf_fw *fw, struct fw_slot *slot)
{
	struct fw_pf *pf = &fw->pf;
	const uint8_t *bytes = (const uint8_t *)&slot->cqe;
	const size_t last = sizeof(slot->cqe) - 8;
	uint64_t addr = pf->acq_base + pf->acq_tail * sizeof(slot->cqe);

	slot->cqe.sq_head = cpu_to_le16(pf->asq_head);
	slot->cqe.phase = cpu_to_le32(pf->acq_phase);
	if (fw->ops.dma_write(fw->ctx, LMF_FW_PF, addr, bytes, last) ||
	    fw->ops.dma_write(fw->ctx, LMF_FW_PF, addr + last, bytes + last,
			      8)) {
		fw_pf_fatal(fw, "admin completion ring is not accessible");
		return;
	}
	pf->acq_tail = (pf->acq_tail + 1) & (pf->aq_entries - 1);
	if (!pf->acq_tail)
		pf->acq_phase ^= 1;
	fw_slot_put(fw, slot);
}

static void fw_admin_complete_all(struct lmf_fw *fw)
{
	bool any = false;
	int ready;

	while (fw->slots_used && fw_admin_runs(fw)) {
		ready = fw_admin_ready(fw, fw->now);
		if (ready == FW_NONE)
			break;
		fw_admin_complete(fw, &fw->slot[ready]);
		any = true;
	}
	if (any && !fw->pf.dying)
		fw->ops.irq(fw->ctx, LMF_FW_PF, LMF_PF_VECTOR_ADMIN);
}

void fw_admin_run(struct lmf_fw *fw)
{
	unsigned int idle = 0;

	while (fw->budget > 0 && fw_admin_can_fetch(fw))
		fw_admin_fetch(fw);
	while (fw->budget > 0 && fw_admin_runs(fw) && idle < fw->config.vfs) {
		if (fw_admin_step(fw, fw->vf[fw->admin_rotor++ %
					     fw->config.vfs]))
			idle = 0;
		else
			idle++;
	}
	fw_admin_complete_all(fw);
}

/* When the admin queue has something to do: 0 for now. */
uint64_t fw_admin_next(const struct lmf_fw *fw)
{
	unsigned int i;
	int ready;

	if (!fw_admin_runs(fw))
		return LMF_FW_NEVER;
	if (fw_admin_can_fetch(fw))
		return 0;
	for (i = 0; i < fw->config.vfs; i++)
		if (fw->vf[i]->first != FW_NONE)
			return 0;
	ready = fw_admin_ready(fw, UINT64_MAX);
	return ready == FW_NONE ? LMF_FW_NEVER : fw->slot[ready].due;
}

/* Forgets all commands; none will complete. */
void fw_admin_drop(struct lmf_fw *fw)
{
	unsigned int i;

	for (i = 0; i < FW_ADMIN_SLOTS; i++)
		fw->slot[i].state = FW_SLOT_FREE;
	fw->slots_used = 0;
	for (i = 0; i < fw->config.vfs; i++) {
		fw->vf[i]->first = FW_NONE;
		fw->vf[i]->last = FW_NONE;
	}
}

/*
 * A VF reset: what the VF has begun is aborted now, and what waits behind that
 * or was not even fetched when its turn comes, told by the fence. Nothing that
 * the host wanted of the VF before the reset may happen to it after.
 */
void fw_admin_abort(struct lmf_fw *fw, struct fw_vf *vf)
{
	const struct fw_slot *slot;

	vf->fence = fw_admin_submitted(fw);
	if (vf->first == FW_NONE)
		return;
	slot = &fw->slot[vf->first];
	if (slot->state == FW_SLOT_STARTED && fw_command_aborts(fw, slot))
		fw_admin_finish(fw, vf, LMF_ST_ABORTED);
}

/* Lets go the completions that a fault hook dropped. */
void fw_admin_release(struct lmf_fw *fw)
{
	unsigned int i;

	for (i = 0; i < FW_ADMIN_SLOTS; i++)
		fw->slot[i].held = false;
}
