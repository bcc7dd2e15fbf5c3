/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device's log as the tracker uses it. What can be told of it in any format
 * is in tracker_log.c; tracker_ring.c and tracker_read.c know how entries are
 * got out of it.
 */
#ifndef LMF_VFIO_TRACKER_LOG_H
#define LMF_VFIO_TRACKER_LOG_H

#include "tracker.h"

/* tracker_log.c; report_mutex is held, but for emit and count */
int lmf_tracker_begin_log(struct lmf_tracker *t);
int lmf_tracker_disarm(struct lmf_tracker *t);
int lmf_tracker_sync(struct lmf_tracker *t);
void lmf_tracker_emit(void *priv, u64 iova, u64 length);
void lmf_tracker_count(struct lmf_tracker *t, u64 entries, u64 overflows);
void lmf_tracker_break(struct lmf_tracker *t);
u64 lmf_tracker_leaves(const struct lmf_tracker *t);
void lmf_tracker_drain_work(struct work_struct *work);

/*
 * Of one format each. A collect brings into the shadow what was written before
 * the call. Returns 0, 1 if the device writes faster than it can be followed,
 * or an error, after which the log has to be started anew; but not after
 * -EINTR, when the report ends, nor after -ECANCELED, when it is tried again.
 *
 * A drain brings there some of what is posted anyway. Returns how many entries,
 * 0 if none is left, or an error.
 */
int lmf_tracker_collect_ring(struct lmf_tracker *t);
int lmf_tracker_collect_ranges(struct lmf_tracker *t);
int lmf_tracker_collect_bitmap(struct lmf_tracker *t);
int lmf_tracker_drain_ring(struct lmf_tracker *t);
int lmf_tracker_drain_ranges(struct lmf_tracker *t);

#endif
