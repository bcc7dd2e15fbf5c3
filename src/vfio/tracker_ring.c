// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tracker's way to a log in the format `ring`: it lies in our memory, so a
 * drain needs no command, and only a flush does.
 */
#include <linux/memcontrol.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>

#include <linux/lmf.h>

#include "compat.h"
#include "tracker_log.h"

#define LMF_DRAIN_BATCH		1024u	/* entries per doorbell */
#define LMF_FLUSH_ROUNDS	64

/* Drains one batch of at most @budget entries, gives their slots back. */
static int lmf_tracker_drain_batch_locked(struct lmf_tracker *t, u64 budget)
{
	u64 before = t->ring.consumed, coarse = t->ring.coarse;
	u32 max = min(LMF_DRAIN_BATCH, t->ring.entries / 2);
	struct mem_cgroup *memcg;
	int ret;

	lockdep_assert_held(&t->lock);
	if (!t->buf || t->broken)
		return -EIO;
	/* The shadow belongs to who tracks, also when a worker drains. */
	memcg = set_active_memcg(t->memcg);
	ret = lmf_ring_drain(&t->ring, min(budget, max), lmf_tracker_emit,
			     &t->shadow);
	set_active_memcg(memcg);
	if (ret < 0)
		t->broken = true;
	if (t->ring.consumed != before)
		lmf_vf_log_consumed(t->vf, t->ring.consumed);
	lmf_tracker_count(t, t->ring.consumed - before,
			  t->ring.coarse - coarse);
	return ret;
}

/*
 * Drains what the device has posted, after it said that this is @produced. The
 * count is a check only: if it were taken for the end, a wrong one could hide
 * entries. No more than a ring full was there when it was said.
 */
static int lmf_tracker_drain_all(struct lmf_tracker *t, u64 produced)
{
	s64 budget;
	int ret;

	mutex_lock(&t->lock);
	budget = t->ring.entries;
	do {
		ret = lmf_tracker_drain_batch_locked(t, budget);
		budget -= ret;
		cond_resched();
	} while (ret > 0 && budget > 0);
	if (ret >= 0 && (s64)(produced - t->ring.consumed) > 0)
		ret = -EIO;
	mutex_unlock(&t->lock);
	return min(ret, 0);
}

int lmf_tracker_collect_ring(struct lmf_tracker *t)
{
	struct lmf_log_flushed flushed;
	unsigned int round;
	int ret;

	lockdep_assert_held(&t->report_mutex);
	for (round = 0; round < LMF_FLUSH_ROUNDS; round++) {
		ret = lmf_vf_log_flush(t->vf, 0, &flushed);
		if (!ret)
			ret = lmf_tracker_drain_all(t, flushed.produced);
		if (ret || !flushed.more)
			return ret;
	}
	return 1;
}

int lmf_tracker_drain_ring(struct lmf_tracker *t)
{
	int ret;

	mutex_lock(&t->lock);
	ret = lmf_tracker_drain_batch_locked(t, U64_MAX);
	mutex_unlock(&t->lock);
	return ret;
}
