/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMF_VFIO_TRACKER_H
#define LMF_VFIO_TRACKER_H

#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "log_ring.h"
#include "shadow.h"

struct iova_bitmap;
struct lmf_buf;
struct lmf_log_span;
struct lmf_vf;
struct mem_cgroup;

/**
 * struct lmf_tracker_stats - counters since probe, and the present state
 * @reports: reports answered
 * @pages_reported: pages of 4 KiB in them
 * @entries: entries, extents or leaves of the native log translated
 * @drains: runs of the background drain
 * @overflows: times that precision was lost, by the device or by the host
 * @saturations: of these, times that all that is tracked became dirty
 * @rearms: times that the log was started anew while on
 * @last_report_ns: duration of the last report
 * @shadow_bytes: host memory of the shadow, now
 * @ring_entries: size of the native ring; 0 if none is armed
 * @format: enum lmf_log_format in use, if @on
 * @shift: granule 2^shift bytes
 * @on: tracking is on
 */
struct lmf_tracker_stats {
	u64 reports;
	u64 pages_reported;
	u64 entries;
	u64 drains;
	u64 overflows;
	u64 saturations;
	u64 rearms;
	u64 last_report_ns;
	u64 shadow_bytes;
	u32 ring_entries;
	u32 format;
	u8 shift;
	bool on;
};

/* Those that there is a translator for. */
#define LMF_LOG_FORMATS		(BIT(LMF_LOG_RING) | BIT(LMF_LOG_RANGES) | \
				 BIT(LMF_LOG_BITMAP))
#define LMF_LOG_BEST		U32_MAX

struct lmf_tracker {
	struct lmf_vf *vf;
	const char *name;	/* for tracepoints */
	u32 choice;	/* enum lmf_log_format, or LMF_LOG_BEST; WRITE_ONCE */

	/*
	 * One START, STOP, REPORT or close at a time. Held over user memory:
	 * nothing that a reset or the drain waits for may take it. Protects on,
	 * acknowledge, overflows, and what changes only while off: spans,
	 * nspans, shift, format, memcg.
	 */
	struct mutex report_mutex;
	bool on;
	struct lmf_log_span *spans;
	u32 nspans;
	u8 shift;
	u32 format;
	struct mem_cgroup *memcg;
	u32 acknowledge;	/* `bitmap`: sequence that was read in full */
	u64 overflows;		/* of the device, as far as they are counted */

	/*
	 * One LOG_READ at a time, until what it gave is in the shadow: nobody
	 * else can get that. Held over one command, so what waits for it waits
	 * bounded. Taken inside report_mutex and outside lock.
	 */
	struct mutex read_mutex;

	/*
	 * Protects shadow, buf, ring and broken; buf changes only while
	 * report_mutex and read_mutex are held too. Never held over a command
	 * or user memory.
	 */
	struct mutex lock;
	struct lmf_shadow shadow;
	struct lmf_buf *buf;	/* NULL: the device is not logging for us */
	struct lmf_ring ring;
	bool broken;		/* entries may have been lost on the way */

	struct lmf_shadow_pool pool;
	struct work_struct drain;	/* enabled while on */

	spinlock_t stats_lock;	/* protects stats */
	struct lmf_tracker_stats stats;
};

void lmf_tracker_init(struct lmf_tracker *t, struct lmf_vf *vf,
		      const char *name);
void lmf_tracker_close(struct lmf_tracker *t);
int lmf_tracker_start(struct lmf_tracker *t, struct rb_root_cached *ranges,
		      u32 nnodes, u64 *page_size);
int lmf_tracker_stop(struct lmf_tracker *t);
int lmf_tracker_report(struct lmf_tracker *t, unsigned long iova,
		       unsigned long length, struct iova_bitmap *dirty);
void lmf_tracker_threshold(struct lmf_tracker *t);
void lmf_tracker_lost(struct lmf_tracker *t);
int lmf_tracker_prefer(struct lmf_tracker *t, const char *name);
const char *lmf_tracker_format_name(u32 format);
void lmf_tracker_stats(struct lmf_tracker *t, struct lmf_tracker_stats *s);

#endif
