// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty tracker: DMA logging as VFIO asks for it, on the device's own log.
 *
 * Two stages. The drain moves what the device logged from its log into the
 * shadow; it runs when the log reaches its threshold and at the beginning of
 * each report, so the log may be small. See tracker_log.c. A report first has
 * the device post everything that it wrote so far, drains that, moves its
 * window out of the shadow, and hands it to the user's bitmap while nothing is
 * locked that the drain needs. A report that fails half-way marks what it took
 * again.
 *
 * Nothing that goes wrong with the device is an error of the report. The whole
 * tracked range becomes dirty, which is counted, and the log is started anew;
 * as long as that fails, every report says so again. The order matters: first
 * the new log, then the mark, so that a write falls under one or the other.
 */
#include <linux/interval_tree.h>
#include <linux/iova_bitmap.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vfio.h>

#include <linux/lmf.h>

#include "compat.h"
#include "lmf_log.h"
#include "tracker_log.h"

struct lmf_report {
	struct iova_bitmap *dirty;
	u64 base;
	u64 pages;
	u32 runs;
};

/* So many runs are set before it is asked whether the caller was killed. */
#define LMF_REPORT_RUNS	256

/*
 * iova_bitmap_set() can loop for ever over a user bitmap that faults if a run
 * crosses a bit of the bitmap without ending on one, and the page size of the
 * bitmap is not told. Naturally aligned parts never do, whatever it is.
 */
static noinline int lmf_report_parts(struct lmf_report *report, u64 iova,
				     u64 length)
{
	u64 part, offset;
	int ret;

	for (; length; iova += part, length -= part) {
		part = 1ull << (fls64(length) - 1);
		offset = iova - report->base;
		if (offset)
			part = min(part, 1ull << __ffs64(offset));
		ret = LMF_BITMAP_SET(report->dirty, iova, part);
		if (ret)
			return ret;
	}
	return 0;
}

static int lmf_report_run(void *priv, u64 iova, u64 length)
{
	u64 page = 1ull << LMF_SHADOW_SHIFT;
	struct lmf_report *report = priv;

	if (!(report->runs++ % LMF_REPORT_RUNS) &&
	    fatal_signal_pending(current))
		return -EINTR;
	report->pages += DIV_ROUND_UP_ULL(length, page);
	/* Most runs are one page, the least that a bit stands for. */
	if (((iova - report->base) & (page - 1)) + length <= page)
		return LMF_BITMAP_SET(report->dirty, iova, length);
	return lmf_report_parts(report, iova, length);
}

static int lmf_tracker_report_window(struct lmf_tracker *t, u64 iova, u64 last,
				     struct lmf_report *report)
{
	struct lmf_shadow taken;
	int ret;

	mutex_lock(&t->lock);
	lmf_shadow_take(&t->shadow, iova, last, &taken);
	mutex_unlock(&t->lock);

	ret = lmf_shadow_walk(&taken, iova, last, lmf_report_run, report);
	if (ret) {
		mutex_lock(&t->lock);
		lmf_shadow_give_back(&t->shadow, iova, last, &taken);
		mutex_unlock(&t->lock);
	}
	lmf_shadow_destroy(&taken);
	return ret;
}

/**
 * lmf_tracker_report() - report and clear what is dirty in a window
 * @t: tracker
 * @iova: first byte of the window, and of what @dirty stands for
 * @length: bytes; in an empty window nothing is dirty
 * @dirty: the user's bitmap
 *
 * Killable.
 *
 * Return: 0, -EINVAL if tracking is off or the window wraps, -EFAULT or
 * -EINTR. After an error nothing was cleared.
 */
int lmf_tracker_report(struct lmf_tracker *t, unsigned long iova,
		       unsigned long length, struct iova_bitmap *dirty)
{
	struct lmf_report report = { .dirty = dirty, .base = iova };
	u64 start = ktime_get_ns();
	unsigned long last;
	int ret;

	if (mutex_lock_killable(&t->report_mutex))
		return -EINTR;
	ret = t->on ? 0 : -EINVAL;
	if (ret || !length)
		goto out_unlock;
	if (check_add_overflow(iova, length - 1, &last))
		ret = -EINVAL;
	if (!ret)
		ret = lmf_tracker_sync(t);
	if (!ret)
		ret = lmf_tracker_report_window(t, iova, last, &report);
	if (ret)
		goto out_unlock;

	spin_lock(&t->stats_lock);
	t->stats.reports++;
	t->stats.pages_reported += report.pages;
	t->stats.last_report_ns = ktime_get_ns() - start;
	spin_unlock(&t->stats_lock);
out_unlock:
	mutex_unlock(&t->report_mutex);
	return ret;
}

/* The core lets a range of length 0 through, as a node that wraps. */
static int lmf_ranges_check(struct rb_root_cached *ranges)
{
	struct interval_tree_node *node;

	node = interval_tree_iter_first(ranges, 0, ULONG_MAX);
	if (!node)
		return -EINVAL;
	for (; node; node = interval_tree_iter_next(node, 0, ULONG_MAX))
		if (node->last < node->start ||
		    (!node->start && node->last == ULONG_MAX))
			return -EINVAL;
	return 0;
}

/*
 * The ranges widened to granules, ascending and disjoint. Combining leaves the
 * tree fit for nothing but a walk over all of it.
 */
static int lmf_tracker_set_spans(struct lmf_tracker *t,
				 struct rb_root_cached *ranges, u32 nnodes)
{
	u32 max = lmf_vf_caps(t->vf)->log_ranges_max, n = 0;
	u64 mask = (1ull << t->shift) - 1;
	struct interval_tree_node *node;
	struct lmf_log_span *span;

	if (nnodes > max)
		vfio_combine_iova_ranges(ranges, nnodes, max);
	max = min(nnodes, max);
	span = kcalloc(max, sizeof(*span), GFP_KERNEL_ACCOUNT);
	if (!span)
		return -ENOMEM;
	for (node = interval_tree_iter_first(ranges, 0, ULONG_MAX); node;
	     node = interval_tree_iter_next(node, 0, ULONG_MAX)) {
		if (n && (node->start & ~mask) <= span[n - 1].last) {
			span[n - 1].last = node->last | mask;
		} else if (n < max) {
			span[n].iova = node->start & ~mask;
			span[n++].last = node->last | mask;
		}
	}
	t->spans = span;
	t->nspans = n;
	return 0;
}

static int lmf_tracker_set_shift(struct lmf_tracker *t, u64 page_size)
{
	const struct lmf_vf_caps *caps = lmf_vf_caps(t->vf);
	u8 max = min(caps->log_shift_max, LMF_LOG_SHIFT_LIMIT);

	/* What the PF driver passes on came from a device. */
	if (caps->log_shift_min < LMF_SHADOW_SHIFT ||
	    caps->log_shift_min > max || !caps->log_ranges_max)
		return -EIO;
	t->shift = clamp(ilog2(page_size), caps->log_shift_min, max);
	return 0;
}

/* The shadow may grow to this part of memory; beyond it, precision is lost. */
static unsigned int lmf_tracker_pool_limit(void)
{
	u64 units = (u64)totalram_pages() * (PAGE_SIZE / LMF_SHADOW_UNIT);

	return min_t(u64, 2048 + units / 256, INT_MAX);
}

static void lmf_tracker_forget_locked(struct lmf_tracker *t)
{
	lockdep_assert_held(&t->report_mutex);
	lmf_shadow_destroy(&t->shadow);
	kfree(t->spans);
	t->spans = NULL;
	mem_cgroup_put(t->memcg);
	t->memcg = NULL;
}

static int lmf_tracker_begin_locked(struct lmf_tracker *t,
				    struct rb_root_cached *ranges, u32 nnodes)
{
	int ret;

	lockdep_assert_held(&t->report_mutex);
	ret = lmf_tracker_set_spans(t, ranges, nnodes);
	if (ret)
		return ret;
	t->memcg = get_mem_cgroup_from_mm(current->mm);
	t->pool.limit = lmf_tracker_pool_limit();
	lmf_shadow_init(&t->shadow, &t->pool, t->spans, t->nspans);
	ret = lmf_tracker_begin_log(t);
	if (ret) {
		lmf_tracker_forget_locked(t);
		return ret;
	}
	enable_work(&t->drain);
	/* A threshold that was notified before this could not be served. */
	lmf_tracker_threshold(t);
	return 0;
}

static void lmf_tracker_set_on_locked(struct lmf_tracker *t, bool on)
{
	lockdep_assert_held(&t->report_mutex);
	t->on = on;
	spin_lock(&t->stats_lock);
	t->stats.on = on;
	t->stats.format = t->format;
	t->stats.shift = t->shift;
	spin_unlock(&t->stats_lock);
}

/**
 * lmf_tracker_start() - start tracking, with nothing dirty
 * @t: tracker
 * @ranges: what to track; combined if the device takes fewer
 * @nnodes: their number
 * @page_size: wish, replaced by the granule in use
 *
 * Killable.
 *
 * Return: 0, -EINVAL for bad ranges, a bad page size or if it is on already,
 * -EOPNOTSUPP if the VF has no log that we know, or an error of the device.
 */
int lmf_tracker_start(struct lmf_tracker *t, struct rb_root_cached *ranges,
		      u32 nnodes, u64 *page_size)
{
	int ret;

	if (!t->vf || !lmf_vf_caps(t->vf)->log ||
	    !(lmf_vf_caps(t->vf)->log_formats & LMF_LOG_FORMATS))
		return -EOPNOTSUPP;
	if (hweight64(*page_size) != 1 || lmf_ranges_check(ranges))
		return -EINVAL;
	if (mutex_lock_killable(&t->report_mutex))
		return -EINTR;
	ret = t->on ? -EINVAL : lmf_tracker_set_shift(t, *page_size);
	if (!ret)
		ret = lmf_tracker_begin_locked(t, ranges, nnodes);
	if (!ret) {
		lmf_tracker_set_on_locked(t, true);
		*page_size = 1ull << t->shift;
	}
	mutex_unlock(&t->report_mutex);
	return ret;
}

static void lmf_tracker_stop_locked(struct lmf_tracker *t)
{
	lockdep_assert_held(&t->report_mutex);
	if (!t->on)
		return;
	lmf_tracker_set_on_locked(t, false);
	lmf_tracker_disarm(t);
	disable_work_sync(&t->drain);
	lmf_tracker_forget_locked(t);
}

/**
 * lmf_tracker_stop() - stop tracking and forget what was dirty
 * @t: tracker
 *
 * Return: 0, also if tracking was off, or -EINTR.
 */
int lmf_tracker_stop(struct lmf_tracker *t)
{
	if (mutex_lock_killable(&t->report_mutex))
		return -EINTR;
	lmf_tracker_stop_locked(t);
	mutex_unlock(&t->report_mutex);
	return 0;
}

/**
 * lmf_tracker_close() - the same for teardown: not killable, cannot fail
 * @t: tracker
 *
 * Nothing of the tracker runs afterwards, whatever is notified.
 */
void lmf_tracker_close(struct lmf_tracker *t)
{
	mutex_lock(&t->report_mutex);
	lmf_tracker_stop_locked(t);
	mutex_unlock(&t->report_mutex);
}

/**
 * lmf_tracker_threshold() - the ring reached its threshold
 * @t: tracker
 *
 * Context: any.
 */
void lmf_tracker_threshold(struct lmf_tracker *t)
{
	queue_work(LMF_UNBOUND_WQ, &t->drain);
}

/**
 * lmf_tracker_lost() - events were lost
 * @t: tracker
 *
 * A threshold may be among them. Whether the log is still on need not be found
 * out here: the flush of the next report does.
 *
 * Context: any.
 */
void lmf_tracker_lost(struct lmf_tracker *t)
{
	queue_work(LMF_UNBOUND_WQ, &t->drain);
}

/**
 * lmf_tracker_stats() - how the tracker does
 * @t: tracker
 * @s: result
 *
 * Waits for nothing.
 */
void lmf_tracker_stats(struct lmf_tracker *t, struct lmf_tracker_stats *s)
{
	spin_lock(&t->stats_lock);
	*s = t->stats;
	spin_unlock(&t->stats_lock);
	s->overflows += (u32)atomic_read(&t->pool.failed);
	s->shadow_bytes = (u64)atomic_read(&t->pool.used) * LMF_SHADOW_UNIT;
}

/**
 * lmf_tracker_init() - make a tracker that is off
 * @t: zeroed memory
 * @vf: whose log, or NULL if the VF has none
 * @name: of the device, for tracepoints
 */
void lmf_tracker_init(struct lmf_tracker *t, struct lmf_vf *vf,
		      const char *name)
{
	t->vf = vf;
	t->name = name;
	t->choice = LMF_LOG_BEST;
	mutex_init(&t->report_mutex);
	mutex_init(&t->read_mutex);
	mutex_init(&t->lock);
	spin_lock_init(&t->stats_lock);
	INIT_WORK(&t->drain, lmf_tracker_drain_work);
	disable_work(&t->drain);
}
