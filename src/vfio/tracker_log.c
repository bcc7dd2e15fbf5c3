// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's log: which format, start and stop, and what is done when it
 * fails. In any format the tracker sees two things of it, a sync at the
 * beginning of a report and a drain in the background.
 *
 * Example, `ranges`. The device's list holds 5 extents and its threshold is 4:
 * the drain reads them. Meanwhile 2 more come. A report flushes, which posts
 * those 2, and reads them; if the drain is about to do so, the report waits for
 * read_mutex until they are in the shadow, and finds the list empty.
 *
 * What was lost on the way is known to nobody. Whether or not a new log can be
 * had, all that is tracked is dirty then; first the new log, then the mark.
 */
#include <linux/log2.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include <linux/lmf.h>

#include "compat.h"
#include "lmf_log.h"
#include "log_bitmap.h"
#include "trace.h"
#include "tracker_log.h"

#define LMF_RING_BYTES		((u32)SZ_512K)
#define LMF_READ_BYTES		((u32)SZ_256K)
#define LMF_SYNC_ROUNDS		8

/* A log that is smaller will do, so nobody is to be killed for a large one. */
#define LMF_LOG_GFP		(GFP_KERNEL_ACCOUNT | __GFP_NORETRY)

/* Best first. */
static const u8 lmf_log_order[] = {
	LMF_LOG_RING, LMF_LOG_BITMAP, LMF_LOG_RANGES
};

static const char *const lmf_log_names[] = {
	[LMF_LOG_RING] = "ring",
	[LMF_LOG_RANGES] = "ranges",
	[LMF_LOG_BITMAP] = "bitmap",
};

/**
 * lmf_tracker_format_name() - what a format is called
 * @format: enum lmf_log_format, or LMF_LOG_BEST
 */
const char *lmf_tracker_format_name(u32 format)
{
	return format < ARRAY_SIZE(lmf_log_names) ? lmf_log_names[format] :
						    "best";
}

/**
 * lmf_tracker_prefer() - choose the format of logs that are started from now on
 * @t: tracker
 * @name: of a format, or "best"; a newline may follow
 *
 * Where the device does not take what is to be tracked in that format, the best
 * of the others is used.
 *
 * Return: 0, -EINVAL for another name, or -EOPNOTSUPP for a format that is not
 * offered.
 */
int lmf_tracker_prefer(struct lmf_tracker *t, const char *name)
{
	int format = sysfs_match_string(lmf_log_names, name);

	if (sysfs_streq(name, lmf_tracker_format_name(LMF_LOG_BEST))) {
		WRITE_ONCE(t->choice, LMF_LOG_BEST);
		return 0;
	}
	if (format < 0)
		return format;
	if (!(lmf_vf_caps(t->vf)->log_formats & BIT(format)))
		return -EOPNOTSUPP;
	WRITE_ONCE(t->choice, format);
	return 0;
}

/* Of the format `bitmap`, that the spans touch. */
u64 lmf_tracker_leaves(const struct lmf_tracker *t)
{
	u64 leaves = 0;
	u32 i;

	for (i = 0; i < t->nspans; i++)
		leaves += lmf_bitmap_leaves(t->spans[i].iova, t->spans[i].last,
					    t->shift);
	return leaves;
}

/* Can the device log the spans like that? */
static bool lmf_tracker_fits(const struct lmf_tracker *t, u32 format)
{
	const struct lmf_vf_caps *caps = lmf_vf_caps(t->vf);

	if (format >= BITS_PER_TYPE(caps->log_formats) ||
	    !(caps->log_formats & BIT(format)))
		return false;
	switch (format) {
	case LMF_LOG_RING:
		return caps->log_ring_max >= 2;
	case LMF_LOG_RANGES:
		return caps->log_list_max >= 2;
	case LMF_LOG_BITMAP:
		return lmf_tracker_leaves(t) <= caps->log_leaves_max;
	default:
		return false;
	}
}

/* One entry, extent or leaf may be anywhere and of any length. */
void lmf_tracker_emit(void *priv, u64 iova, u64 length)
{
	lmf_shadow_mark(priv, iova, length);
}

void lmf_tracker_count(struct lmf_tracker *t, u64 entries, u64 overflows)
{
	spin_lock(&t->stats_lock);
	t->stats.entries += entries;
	t->stats.overflows += overflows;
	spin_unlock(&t->stats_lock);
}

static void lmf_tracker_saturate(struct lmf_tracker *t)
{
	mutex_lock(&t->lock);
	lmf_shadow_mark_all(&t->shadow);
	mutex_unlock(&t->lock);

	spin_lock(&t->stats_lock);
	t->stats.overflows++;
	t->stats.saturations++;
	spin_unlock(&t->stats_lock);
}

static int lmf_tracker_drain_some(struct lmf_tracker *t)
{
	switch (t->format) {
	case LMF_LOG_RING:
		return lmf_tracker_drain_ring(t);
	case LMF_LOG_RANGES:
		return lmf_tracker_drain_ranges(t);
	default:
		return 0;
	}
}

/* One pass over a ring at most, then others may have the worker. */
void lmf_tracker_drain_work(struct work_struct *work)
{
	struct lmf_tracker *t = container_of(work, struct lmf_tracker, drain);
	u32 done = 0;
	int ret;

	do {
		ret = lmf_tracker_drain_some(t);
		cond_resched();
		if (ret > 0)
			done += ret;
	} while (ret > 0 && done < READ_ONCE(t->ring.entries));

	spin_lock(&t->stats_lock);
	t->stats.drains++;
	spin_unlock(&t->stats_lock);
	trace_lmf_vfio_drain(t->name, done, min(ret, 0));
	/* No threshold comes again before the device sees less than it. */
	if (ret > 0)
		queue_work(LMF_UNBOUND_WQ, &t->drain);
}

/* As large as can be had: a smaller one does, too. */
static struct lmf_buf *lmf_tracker_alloc_buf(struct lmf_tracker *t)
{
	const struct lmf_vf_caps *caps = lmf_vf_caps(t->vf);
	size_t entry = sizeof(struct lmf_log_entry);
	size_t size = LMF_READ_BYTES, least = LMF_LOG_READ_MIN;
	struct lmf_buf *buf = NULL;

	if (t->format == LMF_LOG_RING) {
		size = min_t(u64, LMF_RING_BYTES, caps->log_ring_max * entry);
		size = rounddown_pow_of_two(size);
		least = 2 * entry;
	}
	for (; !buf && size >= least; size /= 2)
		buf = lmf_buf_alloc_log(t->vf, size, LMF_LOG_GFP);
	return buf;
}

static void lmf_tracker_set_buf(struct lmf_tracker *t, struct lmf_buf *buf,
				u32 entries)
{
	lockdep_assert_held(&t->report_mutex);
	t->acknowledge = 0;
	t->overflows = 0;
	/* Who reads has the buffer for as long as a command takes. */
	mutex_lock(&t->read_mutex);
	mutex_lock(&t->lock);
	t->buf = buf;
	t->broken = false;
	t->ring = (struct lmf_ring) {
		.slots = entries ? buf->vaddr : NULL,
		.entries = entries,
		.shift = t->shift,
	};
	mutex_unlock(&t->lock);
	mutex_unlock(&t->read_mutex);

	spin_lock(&t->stats_lock);
	t->stats.ring_entries = entries;
	spin_unlock(&t->stats_lock);
	/* A threshold that was notified before this could not be served. */
	if (buf)
		queue_work(LMF_UNBOUND_WQ, &t->drain);
}

static int lmf_tracker_log_start(struct lmf_tracker *t,
				 const struct lmf_log_params *params,
				 struct lmf_buf *buf)
{
	struct lmf_buf *ring = params->entries ? buf : NULL;
	int ret = lmf_vf_log_start(t->vf, params, ring);

	if (ret != -EBUSY && ret != -ECANCELED)
		return ret;
	/* A stop that failed before, or a VF reset in between. */
	ret = lmf_vf_log_stop(t->vf);
	if (ret)
		return ret;
	memset(buf->vaddr, 0, buf->size);
	return lmf_vf_log_start(t->vf, params, ring);
}

/* Starts the device's log. After an error it is not logging for us. */
static int lmf_tracker_arm(struct lmf_tracker *t)
{
	struct lmf_log_params params = {
		.format = t->format,
		.shift = t->shift,
		.ranges = t->spans,
		.nranges = t->nspans,
	};
	struct lmf_buf *buf = lmf_tracker_alloc_buf(t);
	int ret;

	lockdep_assert_held(&t->report_mutex);
	if (!buf)
		return -ENOMEM;
	if (t->format == LMF_LOG_RING) {
		params.entries = buf->size / sizeof(struct lmf_log_entry);
		params.threshold = max(params.entries / 4, 1u);
	} else if (t->format == LMF_LOG_RANGES) {
		params.threshold = max(lmf_vf_caps(t->vf)->log_list_max / 4,
				       1u);
	}
	ret = lmf_tracker_log_start(t, &params, buf);
	if (ret) {
		/* A start that was given up may still come to pass. */
		lmf_vf_log_stop(t->vf);
		lmf_buf_put(buf);
		return ret;
	}
	lmf_tracker_set_buf(t, buf, params.entries);
	return 0;
}

/*
 * For the spans that are set: in the format that was chosen, or else the best
 * that fits and that the device and we have memory for.
 */
int lmf_tracker_begin_log(struct lmf_tracker *t)
{
	u32 format = READ_ONCE(t->choice), i;
	int ret = -EOPNOTSUPP;

	lockdep_assert_held(&t->report_mutex);
	for (i = 0; ; i++) {
		if (lmf_tracker_fits(t, format)) {
			t->format = format;
			ret = lmf_tracker_arm(t);
			if (ret != -ENOMEM && ret != -EINVAL)
				return ret;
		}
		if (i == ARRAY_SIZE(lmf_log_order))
			return ret;
		format = lmf_log_order[i];
	}
}

/* The log is off, but after an error the device may not know. */
int lmf_tracker_disarm(struct lmf_tracker *t)
{
	struct lmf_buf *buf = t->buf;
	int ret;

	lockdep_assert_held(&t->report_mutex);
	if (!buf)
		return 0;
	lmf_tracker_set_buf(t, NULL, 0);
	ret = lmf_vf_log_stop(t->vf);
	lmf_buf_put(buf);
	return ret;
}

/* What the log tells from now on is not all. */
void lmf_tracker_break(struct lmf_tracker *t)
{
	mutex_lock(&t->lock);
	t->broken = true;
	mutex_unlock(&t->lock);
}

/* A device that does not stop its log is not asked to start one. */
static int lmf_tracker_rearm(struct lmf_tracker *t)
{
	int ret;

	lmf_tracker_break(t);
	if (fatal_signal_pending(current))
		return -EINTR;
	ret = lmf_tracker_disarm(t) ?: lmf_tracker_arm(t);
	lmf_tracker_saturate(t);
	if (!ret) {
		spin_lock(&t->stats_lock);
		t->stats.rearms++;
		spin_unlock(&t->stats_lock);
	}
	return ret == -EINTR ? ret : 0;
}

static bool lmf_tracker_is_armed(struct lmf_tracker *t)
{
	bool ret;

	mutex_lock(&t->lock);
	ret = t->buf && !t->broken;
	mutex_unlock(&t->lock);
	return ret;
}

static int lmf_tracker_collect(struct lmf_tracker *t)
{
	switch (t->format) {
	case LMF_LOG_RANGES:
		return lmf_tracker_collect_ranges(t);
	case LMF_LOG_BITMAP:
		return lmf_tracker_collect_bitmap(t);
	default:
		return lmf_tracker_collect_ring(t);
	}
}

/*
 * Brings into the shadow every write that completed before the call. Returns 0
 * or -EINTR.
 */
int lmf_tracker_sync(struct lmf_tracker *t)
{
	unsigned int round;
	int ret;

	lockdep_assert_held(&t->report_mutex);
	for (round = 0; round < LMF_SYNC_ROUNDS; round++) {
		if (!lmf_tracker_is_armed(t))
			return lmf_tracker_rearm(t);
		ret = lmf_tracker_collect(t);
		if (!ret || ret == -EINTR)
			return ret;
		if (ret > 0)
			break;
		/* No log command ends like that; it would not matter. */
		if (ret != -ECANCELED)
			return lmf_tracker_rearm(t);
	}
	lmf_tracker_saturate(t);
	return 0;
}
