// SPDX-License-Identifier: GPL-2.0-only
/*
 * The event ring: what a VF's driver is told without asking.
 *
 * All that is in the ring is taken at once and merged into one bit for each VF,
 * then the VFs' drivers are called without a spinlock. What cannot be told
 * apart any more is told to all as lost.
 */
#include <linux/bitmap.h>
#include <linux/dma-mapping.h>
#include <linux/log2.h>

#include "lmf_core.h"

#define LMF_AEQ_ENTRIES_OF_VF	4U	/* so many events are rarely pending */
#define LMF_AEQ_ENTRIES_LIMIT	1024U

struct lmf_events {
	DECLARE_BITMAP(threshold, LMF_PF_VF_LIMIT);
	bool lost;
};

static void lmf_event_merge(struct lmf_core *core, const struct lmf_event *ev,
			    struct lmf_events *events)
{
	u16 type = le16_to_cpu(ev->type);
	u16 id = le16_to_cpu(ev->vf);

	switch (type) {
	case LMF_EV_LOG_THRESHOLD:
		if (id < core->nfuncs)
			__set_bit(id, events->threshold);
		break;
	case LMF_EV_LOST:
		events->lost = true;
		break;
	default:
		dev_dbg(core->dev, "VF %u: event %u, %#x\n", id, type,
			le32_to_cpu(ev->arg));
	}
}

static bool lmf_aeq_next_locked(struct lmf_core *core, struct lmf_event *ev)
{
	struct lmf_aeq *aeq = &core->aeq;
	struct lmf_event *next = &aeq->events[aeq->head];

	lockdep_assert_held(&core->lock);
	if ((le32_to_cpu(READ_ONCE(next->phase)) & 1) != aeq->phase)
		return false;
	/* The phase was written last, so it is read first. */
	dma_rmb();
	*ev = *next;
	aeq->head = (aeq->head + 1) & (aeq->entries - 1);
	if (!aeq->head)
		aeq->phase ^= 1;
	return true;
}

static void lmf_aeq_drain(struct lmf_core *core, struct lmf_events *events)
{
	struct lmf_event ev;
	unsigned long flags;
	u32 n = 0;

	spin_lock_irqsave(&core->lock, flags);
	if (core->state == LMF_CORE_UP) {
		while (n < core->aeq.entries &&
		       lmf_aeq_next_locked(core, &ev)) {
			lmf_event_merge(core, &ev, events);
			n++;
		}
		if (n) {
			/* The device may overwrite what was read from now. */
			mb();
			lmf_write(core, LMF_PF_AEQ_HEAD, core->aeq.head);
		}
	}
	spin_unlock_irqrestore(&core->lock, flags);
}

#define LMF_TELL_THRESHOLD	BIT(0)
#define LMF_TELL_SESSIONS_LOST	BIT(1)
#define LMF_TELL_LOST		BIT(2)

static void lmf_notify(struct lmf_func *func, unsigned int what)
{
	const struct lmf_vf_notify *notify;

	mutex_lock(&func->notify_lock);
	notify = func->vf ? func->vf->notify : NULL;
	if (notify && what & LMF_TELL_SESSIONS_LOST && notify->sessions_lost)
		notify->sessions_lost(func->vf->priv);
	if (notify && what & LMF_TELL_LOST && notify->lost)
		notify->lost(func->vf->priv);
	if (notify && what & LMF_TELL_THRESHOLD && notify->log_threshold)
		notify->log_threshold(func->vf->priv);
	mutex_unlock(&func->notify_lock);
}

static void lmf_notify_all(struct lmf_core *core, unsigned int what)
{
	u32 n;

	for (n = 0; n < core->nfuncs; n++)
		lmf_notify(&core->funcs[n], what);
}

/* In a thread, for the event interrupt. */
void lmf_aeq_poll(struct lmf_core *core)
{
	struct lmf_events events = { };
	u32 n;

	lmf_aeq_drain(core, &events);
	for (n = 0; n < core->nfuncs; n++) {
		unsigned int what = events.lost ? LMF_TELL_LOST : 0;

		if (test_bit(n, events.threshold))
			what |= LMF_TELL_THRESHOLD;
		if (what)
			lmf_notify(&core->funcs[n], what);
	}
}

/* The queue is about to be reset, which ends what was begun by it. */
void lmf_notify_sessions_lost(struct lmf_core *core)
{
	lmf_notify_all(core, LMF_TELL_SESSIONS_LOST);
}

/* The queue was lost or reset, and the events with it. */
void lmf_notify_lost(struct lmf_core *core)
{
	lmf_notify_all(core, LMF_TELL_LOST);
}

/* As lmf_aq_reset(). */
void lmf_aeq_reset(struct lmf_core *core)
{
	struct lmf_aeq *aeq = &core->aeq;
	unsigned long flags;

	spin_lock_irqsave(&core->lock, flags);
	memset(aeq->events, 0, aeq->entries * sizeof(*aeq->events));
	aeq->head = 0;
	aeq->phase = 1;
	spin_unlock_irqrestore(&core->lock, flags);
}

int lmf_aeq_init(struct lmf_core *core, u32 max_entries)
{
	struct lmf_aeq *aeq = &core->aeq;
	u32 want = roundup_pow_of_two(core->nfuncs * LMF_AEQ_ENTRIES_OF_VF + 1);

	aeq->entries = min3(want, max_entries, LMF_AEQ_ENTRIES_LIMIT);
	aeq->events = dma_alloc_coherent(core->dev,
					 aeq->entries * sizeof(*aeq->events),
					 &aeq->dma, GFP_KERNEL);
	return aeq->events ? 0 : -ENOMEM;
}

void lmf_aeq_exit(struct lmf_core *core)
{
	struct lmf_aeq *aeq = &core->aeq;

	if (aeq->events)
		dma_free_coherent(core->dev,
				  aeq->entries * sizeof(*aeq->events),
				  aeq->events, aeq->dma);
}
