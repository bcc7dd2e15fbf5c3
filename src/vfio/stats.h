/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMF_VFIO_STATS_H
#define LMF_VFIO_STATS_H

#include <linux/atomic.h>
#include <linux/ktime.h>

/*
 * Facts for sysfs. docs/sysfs-abi.md says what each means; sysfs.c gives them
 * their names. Anybody may write them, without a lock. Those from
 * LMF_STAT_SESSION on belong to the last session and are cleared when the next
 * one begins.
 */
enum lmf_stat {
	LMF_STAT_RESETS,
	LMF_STAT_RESETS_UNEXPECTED,
	LMF_STAT_LAST_ERROR,
	LMF_STAT_DATA_SIZE,
	LMF_STAT_RUNNING,
	LMF_STAT_P2P_START,
	LMF_STAT_P2P_DONE,
	LMF_STAT_STOP_START,
	LMF_STAT_STOP_DONE,
	LMF_STAT_LAST_REPORT_START,
	LMF_STAT_LAST_REPORT_DONE,
	LMF_STAT_STOPPED_REPORT_TIME,

	LMF_STAT_SESSION,
	LMF_STAT_INITIAL_BYTES = LMF_STAT_SESSION,
	LMF_STAT_DIRTY_BYTES,
	LMF_STAT_TRAILER_BYTES,
	LMF_STAT_BYTES_SAVED_PRECOPY,
	LMF_STAT_BYTES_SAVED_STOP_COPY,
	LMF_STAT_BYTES_LOADED,
	LMF_STAT_CHUNKS,
	LMF_STAT_CHUNK_BYTES,
	LMF_STAT_CHUNK_TIME,
	LMF_STAT_READ_WAIT_TIME,
	LMF_STAT_PRE_COPY_START,
	LMF_STAT_PRE_COPY_READ_TIME,
	LMF_STAT_STOP_COPY_START,
	LMF_STAT_STOP_COPY_LAST_BYTE,
	LMF_STAT_STOP_COPY_READ_TIME,
	LMF_STAT_RESUMING_START,
	LMF_STAT_LOAD_FIRST_BYTE,
	LMF_STAT_LOAD_DONE,

	LMF_STAT_NR,
};

struct lmf_stats {
	atomic64_t value[LMF_STAT_NR];
};

static inline s64 lmf_stat(const struct lmf_stats *stats, enum lmf_stat which)
{
	return atomic64_read(&stats->value[which]);
}

static inline void lmf_stat_set(struct lmf_stats *stats, enum lmf_stat which,
				s64 value)
{
	atomic64_set(&stats->value[which], value);
}

static inline void lmf_stat_add(struct lmf_stats *stats, enum lmf_stat which,
				s64 value)
{
	atomic64_add(value, &stats->value[which]);
}

static inline void lmf_stat_now(struct lmf_stats *stats, enum lmf_stat which)
{
	lmf_stat_set(stats, which, ktime_get_ns());
}

static inline void lmf_stats_new_session(struct lmf_stats *stats)
{
	enum lmf_stat which;

	for (which = LMF_STAT_SESSION; which < LMF_STAT_NR; which++)
		lmf_stat_set(stats, which, 0);
}

#endif
