// SPDX-License-Identifier: GPL-2.0-only
/*
 * The counters that lmf-vfio-pci shows of a VF, and what follows from them
 * about a migration that is over. Reading them disturbs nothing.
 */
#include <errno.h>
#include <time.h>

#include "counters.h"

static const char * const lmf_counter_names[LMF_C_NR] = {
	[LMF_C_INITIAL_BYTES] = "initial_bytes",
	[LMF_C_DIRTY_BYTES] = "dirty_bytes",
	[LMF_C_TRAILER_BYTES] = "trailer_bytes",
	[LMF_C_BYTES_SAVED_PRECOPY] = "bytes_saved_precopy",
	[LMF_C_BYTES_SAVED_STOP_COPY] = "bytes_saved_stop_copy",
	[LMF_C_BYTES_LOADED] = "bytes_loaded",
	[LMF_C_CHUNKS] = "chunks",
	[LMF_C_CHUNK_BYTES] = "chunk_bytes",
	[LMF_C_CHUNK_TIME] = "chunk_time_ns",
	[LMF_C_READ_WAIT_TIME] = "read_wait_time_ns",
	[LMF_C_PRE_COPY_START] = "pre_copy_start_ns",
	[LMF_C_PRE_COPY_READ_TIME] = "pre_copy_read_time_ns",
	[LMF_C_STOP_COPY_START] = "stop_copy_start_ns",
	[LMF_C_STOP_COPY_LAST_BYTE] = "stop_copy_last_byte_ns",
	[LMF_C_STOP_COPY_READ_TIME] = "stop_copy_read_time_ns",
	[LMF_C_RESUMING_START] = "resuming_start_ns",
	[LMF_C_LOAD_FIRST_BYTE] = "load_first_byte_ns",
	[LMF_C_LOAD_DONE] = "load_done_ns",
	[LMF_C_DATA_SIZE] = "data_size",
	[LMF_C_RESETS] = "resets",
	[LMF_C_RESETS_UNEXPECTED] = "resets_unexpected",
	[LMF_C_LAST_ERROR] = "last_error",
	[LMF_C_P2P_START] = "p2p_start_ns",
	[LMF_C_P2P_DONE] = "p2p_done_ns",
	[LMF_C_STOP_START] = "stop_start_ns",
	[LMF_C_STOP_DONE] = "stop_done_ns",
	[LMF_C_RUNNING] = "running_ns",
	[LMF_C_REPORTS] = "reports",
	[LMF_C_PAGES_REPORTED] = "pages_reported",
	[LMF_C_LAST_REPORT_START] = "last_report_start_ns",
	[LMF_C_LAST_REPORT_DONE] = "last_report_done_ns",
	[LMF_C_STOPPED_REPORT_TIME] = "stopped_report_time_ns",
	[LMF_C_LOG_ENTRIES] = "log_entries",
	[LMF_C_LOG_DRAINS] = "log_drains",
	[LMF_C_LOG_OVERFLOWS] = "log_overflows",
	[LMF_C_LOG_SATURATIONS] = "log_saturations",
};

const char *lmf_counter_name(enum lmf_counter which)
{
	return lmf_counter_names[which];
}

/* 0 or a negative errno; one that the driver does not have reads 0. */
int lmf_counters_read(const struct lmf_function *f, struct lmf_counters *c)
{
	enum lmf_counter i;
	struct timespec now;
	int err;

	clock_gettime(CLOCK_MONOTONIC, &now);
	c->ns = now.tv_sec * 1000000000LL + now.tv_nsec;
	err = lmf_read(c->state, sizeof(c->state), LMF_DEVICE
		       "/migration/state", f->bdf);
	/* Texts that the driver does not have are empty. */
	lmf_read(c->log_offered, sizeof(c->log_offered), LMF_DEVICE
		 "/migration/log_offered", f->bdf);
	lmf_read(c->log_format, sizeof(c->log_format), LMF_DEVICE
		 "/migration/log_format", f->bdf);
	for (i = 0; i < LMF_C_NR && !err; i++) {
		err = lmf_read_number(&c->value[i], LMF_DEVICE
				      "/migration/%s", f->bdf,
				      lmf_counter_names[i]);
		if (err == -ENOENT) {
			c->value[i] = 0;
			err = 0;
		}
	}
	return err;
}

/* 0 if the end does not belong to the beginning. */
static int64_t lmf_span(const struct lmf_counters *c, enum lmf_counter start,
			enum lmf_counter done)
{
	int64_t span = c->value[done] - c->value[start];

	return c->value[start] && span > 0 ? span : 0;
}

/* False if the last session was no save that came to its end. */
bool lmf_downtime(const struct lmf_counters *c, struct lmf_downtime *d)
{
	*d = (struct lmf_downtime) {
		.quiesce = lmf_span(c, LMF_C_P2P_START, LMF_C_P2P_DONE) +
			   lmf_span(c, LMF_C_STOP_START, LMF_C_STOP_DONE),
		.report = c->value[LMF_C_STOPPED_REPORT_TIME],
		.read = c->value[LMF_C_STOP_COPY_READ_TIME],
	};
	return lmf_span(c, LMF_C_STOP_COPY_START, LMF_C_STOP_COPY_LAST_BYTE);
}

int64_t lmf_downtime_all(const struct lmf_downtime *d)
{
	return d->quiesce + d->report + d->read;
}
