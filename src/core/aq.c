// SPDX-License-Identifier: GPL-2.0-only
/*
 * The admin queue: many commands on the device, completed in any order.
 *
 * Tags. A command takes a slot; its tag is the slot's number and a generation
 * that changes with each use. A slot is free again when its completion came or
 * lmf_aq_reset() was called, and not before: a command that nobody waits for
 * any more still owns its slot. So a late completion finds its own command, and
 * one that matches no command is counted and ignored.
 *
 * Room. There is one slot less than the rings have entries, so that neither
 * ring can overflow. A VF may hold only @quota of them. Where the device's
 * rings are long enough, that is every VF at once, and no VF can keep another
 * one waiting.
 *
 * The phase bit is read first and the rest of a completion after it.
 */
#include <linux/bitfield.h>
#include <linux/bitmap.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/log2.h>
#include <linux/slab.h>

#include "lmf_core.h"

#define LMF_AQ_ENTRIES_LIMIT	1024U
#define LMF_TAG_SLOT		GENMASK(15, 0)
#define LMF_TAG_GENERATION	GENMASK(31, 16)

static u32 lmf_aq_tag(const struct lmf_aq *aq, u32 slot)
{
	return FIELD_PREP(LMF_TAG_SLOT, slot) |
	       FIELD_PREP(LMF_TAG_GENERATION, aq->slots[slot].generation);
}

static bool lmf_aq_has_room_locked(struct lmf_func *func)
{
	struct lmf_aq *aq = &func->core->aq;

	lockdep_assert_held(&func->core->lock);
	return func->inflight < aq->quota && aq->nused < aq->nslots;
}

static void lmf_aq_take_slot_locked(struct lmf_op *op)
{
	struct lmf_core *core = op->func->core;
	struct lmf_aq *aq = &core->aq;
	struct lmf_slot *slot;
	u32 n;

	lockdep_assert_held(&core->lock);
	n = find_first_zero_bit(aq->used, aq->nslots);
	__set_bit(n, aq->used);
	aq->nused++;
	op->func->inflight++;
	slot = &aq->slots[n];
	slot->generation++;
	slot->stuck = false;
	kref_get(&op->ref);
	slot->op = op;
	op->cmd.tag = cpu_to_le32(lmf_aq_tag(aq, n));
}

static void lmf_aq_free_slot_locked(struct lmf_core *core, u32 n)
{
	struct lmf_aq *aq = &core->aq;
	struct lmf_slot *slot = &aq->slots[n];
	struct lmf_op *op = slot->op;

	lockdep_assert_held(&core->lock);
	if (op->buf)
		op->buf->busy = false;
	op->func->inflight--;
	aq->nused--;
	aq->nstuck -= slot->stuck;
	op->func->nstuck -= slot->stuck;
	slot->op = NULL;
	__clear_bit(n, aq->used);
}

static void lmf_aq_post_locked(struct lmf_op *op)
{
	struct lmf_core *core = op->func->core;
	struct lmf_aq *aq = &core->aq;

	lockdep_assert_held(&core->lock);
	lmf_aq_take_slot_locked(op);
	if (op->buf) {
		op->buf->busy = true;
		lmf_dmabuf_to_device(op->buf);
	}
	op->serial = ++aq->serial;
	op->deadline = jiffies + lmf_timeout();
	op->posted_ns = ktime_get_ns();
	lmf_track_posted_locked(op->func, op);
	aq->cmds[aq->tail] = op->cmd;
	aq->tail = (aq->tail + 1) & (aq->entries - 1);
	lmf_write(core, LMF_PF_ASQ_TAIL, aq->tail);
	lmf_watch_locked(core);
}

/* Returns false while there is no room; else *@err is the outcome. */
static bool lmf_aq_try_post(struct lmf_op *op, int *err)
{
	struct lmf_core *core = op->func->core;
	unsigned long flags;
	bool decided = true;

	spin_lock_irqsave(&core->lock, flags);
	if (core->state != LMF_CORE_UP) {
		*err = -ENOTCONN;
	} else if (op->buf && op->buf->busy) {
		*err = -EBUSY;
	} else if (!lmf_aq_has_room_locked(op->func)) {
		decided = false;
	} else {
		*err = lmf_track_check_locked(op->func, op);
		if (!*err)
			lmf_aq_post_locked(op);
	}
	spin_unlock_irqrestore(&core->lock, flags);
	return decided;
}

/*
 * Post a command; waits for room, bounded. A buffer that an earlier command may
 * still use is refused with -EBUSY.
 */
struct lmf_op *lmf_aq_submit(struct lmf_func *func,
			     const struct lmf_request *req)
{
	wait_queue_head_t *room = &func->core->aq.slot_wq;
	struct lmf_op *op = lmf_op_new(func, req);
	int err = 0;
	long left;

	if (!op)
		return ERR_PTR(-ENOMEM);
	if (req->teardown)
		left = wait_event_timeout(*room, lmf_aq_try_post(op, &err),
					  lmf_timeout());
	else
		left = wait_event_killable_timeout(*room,
						   lmf_aq_try_post(op, &err),
						   lmf_timeout());
	if (left < 0)
		err = -EINTR;
	else if (!left)
		err = -ETIMEDOUT;
	if (!err)
		return op;
	lmf_op_put(op);
	return ERR_PTR(err);
}

static void lmf_aq_complete_locked(struct lmf_core *core,
				   const struct lmf_admin_cqe *cqe)
{
	struct lmf_aq *aq = &core->aq;
	u32 tag = le32_to_cpu(cqe->tag);
	u32 n = FIELD_GET(LMF_TAG_SLOT, tag);
	struct lmf_op *op;

	lockdep_assert_held(&core->lock);
	if (n >= aq->nslots || !test_bit(n, aq->used) ||
	    tag != lmf_aq_tag(aq, n)) {
		aq->stray++;
		dev_warn_ratelimited(core->dev,
				     "completion of no command, tag %#x (%llu so far)\n",
				     tag, aq->stray);
		return;
	}
	op = aq->slots[n].op;
	if (op->buf)
		lmf_dmabuf_to_cpu(op->buf);
	lmf_aq_free_slot_locked(core, n);
	lmf_track_completed_locked(op->func, op, cqe);
	lmf_op_complete(op, cqe);
	lmf_op_unref(op);
}

static bool lmf_aq_next_locked(struct lmf_core *core, struct lmf_admin_cqe *cqe)
{
	struct lmf_aq *aq = &core->aq;
	struct lmf_admin_cqe *next = &aq->cqes[aq->head];

	lockdep_assert_held(&core->lock);
	if ((le32_to_cpu(READ_ONCE(next->phase)) & 1) != aq->phase)
		return false;
	/* The phase was written last, so it is read first. */
	dma_rmb();
	*cqe = *next;
	aq->head = (aq->head + 1) & (aq->entries - 1);
	if (!aq->head)
		aq->phase ^= 1;
	return true;
}

/*
 * Take all completions. The device cannot post more than a ring's length
 * before it sees the new head, and interrupts for what it posts after that.
 */
void lmf_aq_poll(struct lmf_core *core)
{
	struct lmf_admin_cqe cqe;
	unsigned long flags;
	u32 n = 0;

	spin_lock_irqsave(&core->lock, flags);
	if (core->state == LMF_CORE_UP) {
		while (n < core->aq.entries && lmf_aq_next_locked(core, &cqe)) {
			lmf_aq_complete_locked(core, &cqe);
			n++;
		}
		if (n) {
			/* The device may overwrite what was read from now. */
			mb();
			lmf_write(core, LMF_PF_ACQ_HEAD, core->aq.head);
		}
	}
	spin_unlock_irqrestore(&core->lock, flags);
	if (n)
		wake_up_all(&core->aq.slot_wq);
}

/*
 * Give up what is overdue. Returns true while there are commands that are not,
 * so that the watchdog has to come again.
 */
bool lmf_aq_expire_locked(struct lmf_core *core)
{
	struct lmf_aq *aq = &core->aq;
	u32 n;

	lockdep_assert_held(&core->lock);
	for_each_set_bit(n, aq->used, aq->nslots) {
		struct lmf_slot *slot = &aq->slots[n];
		struct lmf_op *op = slot->op;

		if (slot->stuck || time_before(jiffies, op->deadline))
			continue;
		slot->stuck = true;
		aq->nstuck++;
		op->func->nstuck++;
		dev_warn_ratelimited(core->dev,
				     "VF %u: command %#x is not answered\n",
				     op->func->id, le16_to_cpu(op->cmd.opcode));
		lmf_op_give_up(op, -ETIMEDOUT);
	}
	return aq->nused > aq->nstuck;
}

/* Is there a VF for which no command can be posted any more? */
bool lmf_aq_is_stuck_locked(struct lmf_core *core)
{
	u32 n;

	lockdep_assert_held(&core->lock);
	for (n = 0; n < core->nfuncs; n++)
		if (core->funcs[n].nstuck >= core->aq.quota)
			return true;
	return false;
}

/* The queue is lost: tell all waiters. The slots stay as they are. */
void lmf_aq_fail_locked(struct lmf_core *core)
{
	struct lmf_aq *aq = &core->aq;
	u32 n;

	lockdep_assert_held(&core->lock);
	for_each_set_bit(n, aq->used, aq->nslots)
		lmf_op_give_up(aq->slots[n].op, -ENOTCONN);
	wake_up_all(&aq->slot_wq);
}

/*
 * The queue is not up and the device was seen to have stopped: nothing is the
 * device's any more. Makes the rings ready for the next start.
 */
void lmf_aq_reset(struct lmf_core *core)
{
	struct lmf_aq *aq = &core->aq;
	unsigned long flags;
	u32 n;

	spin_lock_irqsave(&core->lock, flags);
	for_each_set_bit(n, aq->used, aq->nslots) {
		struct lmf_op *op = aq->slots[n].op;

		lmf_aq_free_slot_locked(core, n);
		lmf_op_unref(op);
	}
	for (n = 0; n < core->nfuncs; n++)
		lmf_track_reset_locked(&core->funcs[n]);
	memset(aq->cmds, 0, aq->entries * sizeof(*aq->cmds));
	memset(aq->cqes, 0, aq->entries * sizeof(*aq->cqes));
	aq->tail = 0;
	aq->head = 0;
	aq->phase = 1;
	spin_unlock_irqrestore(&core->lock, flags);
}

static int lmf_aq_alloc(struct lmf_core *core)
{
	struct lmf_aq *aq = &core->aq;

	aq->cmds = dma_alloc_coherent(core->dev,
				      aq->entries * sizeof(*aq->cmds),
				      &aq->cmds_dma, GFP_KERNEL);
	aq->cqes = dma_alloc_coherent(core->dev,
				      aq->entries * sizeof(*aq->cqes),
				      &aq->cqes_dma, GFP_KERNEL);
	aq->slots = kcalloc(aq->nslots, sizeof(*aq->slots), GFP_KERNEL);
	aq->used = bitmap_zalloc(aq->nslots, GFP_KERNEL);
	return aq->cmds && aq->cqes && aq->slots && aq->used ? 0 : -ENOMEM;
}

int lmf_aq_init(struct lmf_core *core, u32 max_entries)
{
	struct lmf_aq *aq = &core->aq;
	u32 want = roundup_pow_of_two(core->nfuncs * LMF_VF_INFLIGHT + 1);

	BUILD_BUG_ON(!FIELD_FIT(LMF_TAG_SLOT, LMF_AQ_ENTRIES_LIMIT - 1));
	init_waitqueue_head(&aq->slot_wq);
	aq->entries = min3(want, max_entries, LMF_AQ_ENTRIES_LIMIT);
	aq->nslots = aq->entries - 1;
	aq->quota = clamp(aq->nslots / core->nfuncs, 1U, LMF_VF_INFLIGHT);
	return lmf_aq_alloc(core);
}

void lmf_aq_exit(struct lmf_core *core)
{
	struct lmf_aq *aq = &core->aq;
	u32 n;

	for (n = 0; core->funcs && n < core->nfuncs; n++)
		lmf_ops_free(&core->funcs[n]);
	bitmap_free(aq->used);
	kfree(aq->slots);
	if (aq->cqes)
		dma_free_coherent(core->dev, aq->entries * sizeof(*aq->cqes),
				  aq->cqes, aq->cqes_dma);
	if (aq->cmds)
		dma_free_coherent(core->dev, aq->entries * sizeof(*aq->cmds),
				  aq->cmds, aq->cmds_dma);
}
