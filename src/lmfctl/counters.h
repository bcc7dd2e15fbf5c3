/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMFCTL_COUNTERS_H
#define LMFCTL_COUNTERS_H

#include "function.h"

/* In the order of docs/sysfs-abi.md, from which the names are. */
enum lmf_counter {
	LMF_C_INITIAL_BYTES,
	LMF_C_DIRTY_BYTES,
	LMF_C_TRAILER_BYTES,
	LMF_C_BYTES_SAVED_PRECOPY,
	LMF_C_BYTES_SAVED_STOP_COPY,
	LMF_C_BYTES_LOADED,
	LMF_C_CHUNKS,
	LMF_C_CHUNK_BYTES,
	LMF_C_CHUNK_TIME,
	LMF_C_READ_WAIT_TIME,
	LMF_C_PRE_COPY_START,
	LMF_C_PRE_COPY_READ_TIME,
	LMF_C_STOP_COPY_START,
	LMF_C_STOP_COPY_LAST_BYTE,
	LMF_C_STOP_COPY_READ_TIME,
	LMF_C_RESUMING_START,
	LMF_C_LOAD_FIRST_BYTE,
	LMF_C_LOAD_DONE,
	LMF_C_DATA_SIZE,
	LMF_C_RESETS,
	LMF_C_RESETS_UNEXPECTED,
	LMF_C_LAST_ERROR,
	LMF_C_P2P_START,
	LMF_C_P2P_DONE,
	LMF_C_STOP_START,
	LMF_C_STOP_DONE,
	LMF_C_RUNNING,
	LMF_C_REPORTS,
	LMF_C_PAGES_REPORTED,
	LMF_C_LAST_REPORT_START,
	LMF_C_LAST_REPORT_DONE,
	LMF_C_STOPPED_REPORT_TIME,
	LMF_C_LOG_ENTRIES,
	LMF_C_LOG_DRAINS,
	LMF_C_LOG_OVERFLOWS,
	LMF_C_LOG_SATURATIONS,
	LMF_C_NR,
};

/**
 * struct lmf_counters - one look at the migration/ folder of a VF
 * @ns: CLOCK_MONOTONIC, on which the timestamps are, too
 * @state: of migration
 * @log_offered: whether the VF can be logged, and if not why
 * @log_format: or "off"
 * @value: by enum lmf_counter; 0 if the driver has no such counter
 */
struct lmf_counters {
	int64_t ns;
	char state[LMF_TEXT];
	char log_offered[LMF_TEXT];
	char log_format[LMF_TEXT];
	long long value[LMF_C_NR];
};

/**
 * struct lmf_downtime - where the device's part of the downtime went, ns
 * @quiesce: it stopped its DMA, and then responding
 * @report: last reports of the dirty log
 * @read: what was left was read
 */
struct lmf_downtime {
	int64_t quiesce;
	int64_t report;
	int64_t read;
};

int lmf_counters_read(const struct lmf_function *f, struct lmf_counters *c);
const char *lmf_counter_name(enum lmf_counter which);
bool lmf_downtime(const struct lmf_counters *c, struct lmf_downtime *d);
int64_t lmf_downtime_all(const struct lmf_downtime *d);

#endif
