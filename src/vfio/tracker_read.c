// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tracker's way to a log that the device keeps, in the formats `ranges` and
 * `bitmap`: it is read by a command.
 *
 * A list is told once. A read of which no answer came may have taken something
 * along: then the log is broken, and started anew by the next report, which
 * takes all for dirty. Banks are told until they are acknowledged, and that is
 * done by the flush of the report after: so a read that failed is repeated.
 */
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>

#include <linux/lmf.h>

#include "compat.h"
#include "log_bitmap.h"
#include "log_ranges.h"
#include "tracker_log.h"

#define LMF_READ_ROUNDS		4096

typedef int (*lmf_translate_t)(const void *data, u32 bytes, u8 shift,
			       lmf_log_emit_t emit, void *priv);

/* Returns the number of extents or leaves, or an error. */
static int lmf_tracker_read_locked(struct lmf_tracker *t, u32 position,
				   lmf_translate_t translate,
				   struct lmf_log_part *part)
{
	struct mem_cgroup *memcg;
	int ret;

	lockdep_assert_held(&t->read_mutex);
	if (!t->buf || t->broken)
		return -EIO;
	ret = lmf_vf_log_read(t->vf, t->buf, position, part);
	if (ret)
		return ret;
	mutex_lock(&t->lock);
	memcg = set_active_memcg(t->memcg);
	ret = translate(t->buf->vaddr, part->bytes, t->shift, lmf_tracker_emit,
			&t->shadow);
	set_active_memcg(memcg);
	mutex_unlock(&t->lock);
	lmf_tracker_count(t, max(ret, 0), 0);
	return ret;
}

/* It stands in two places whether there is more, and both have to say so. */
static bool lmf_list_says_more(const struct lmf_buf *buf)
{
	const struct lmf_log_list *list = buf->vaddr;

	return READ_ONCE(list->flags) & LMF_LOG_LIST_MORE;
}

static int lmf_tracker_read_list_locked(struct lmf_tracker *t, bool *more)
{
	struct lmf_log_part part = {};
	int ret;

	lockdep_assert_held(&t->read_mutex);
	ret = lmf_tracker_read_locked(t, 0, lmf_ranges_translate, &part);
	if (ret >= 0 && part.more != lmf_list_says_more(t->buf))
		ret = -EBADMSG;
	if (ret < 0)
		lmf_tracker_break(t);
	*more = part.more;
	return ret;
}

int lmf_tracker_drain_ranges(struct lmf_tracker *t)
{
	bool more;
	int ret;

	mutex_lock(&t->read_mutex);
	ret = lmf_tracker_read_list_locked(t, &more);
	mutex_unlock(&t->read_mutex);
	return ret < 0 || more ? ret : 0;
}

/* What the device counts is since the start of the log. */
static int lmf_tracker_flush(struct lmf_tracker *t,
			     struct lmf_log_flushed *flushed)
{
	int ret = lmf_vf_log_flush(t->vf, t->acknowledge, flushed);

	lockdep_assert_held(&t->report_mutex);
	if (!ret && flushed->overflows > t->overflows) {
		lmf_tracker_count(t, 0, flushed->overflows - t->overflows);
		t->overflows = flushed->overflows;
	}
	return ret;
}

int lmf_tracker_collect_ranges(struct lmf_tracker *t)
{
	struct lmf_log_flushed flushed;
	unsigned int round;
	bool more;
	int ret;

	lockdep_assert_held(&t->report_mutex);
	ret = lmf_tracker_flush(t, &flushed);
	if (ret)
		return ret;
	for (round = 0; round < LMF_READ_ROUNDS; round++) {
		if (mutex_lock_killable(&t->read_mutex))
			return -EINTR;
		ret = lmf_tracker_read_list_locked(t, &more);
		mutex_unlock(&t->read_mutex);
		if (ret < 0 || !more)
			return min(ret, 0);
	}
	return 1;
}

/* There are no more leaves than are tracked, and each read gives one. */
static int lmf_tracker_read_bank(struct lmf_tracker *t, u32 sequence)
{
	u64 left = lmf_tracker_leaves(t);
	struct lmf_log_part part = {};
	int ret;

	do {
		if (mutex_lock_killable(&t->read_mutex))
			return -EINTR;
		ret = lmf_tracker_read_locked(t, part.position,
					      lmf_bitmap_translate, &part);
		mutex_unlock(&t->read_mutex);
		if (ret < 0)
			return ret;
		if (part.sequence != sequence || ret > left ||
		    (part.more && (!ret || !part.position)))
			return -EBADMSG;
		left -= ret;
	} while (part.more);
	return 0;
}

int lmf_tracker_collect_bitmap(struct lmf_tracker *t)
{
	struct lmf_log_flushed flushed;
	int ret;

	lockdep_assert_held(&t->report_mutex);
	ret = lmf_tracker_flush(t, &flushed);
	if (ret)
		return ret;
	ret = lmf_tracker_read_bank(t, flushed.sequence);
	if (ret == -EIO || ret == -ENOMEM)
		ret = lmf_tracker_read_bank(t, flushed.sequence);
	if (!ret)
		t->acknowledge = flushed.sequence;
	return ret;
}
