/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMFCTL_ESTIMATE_H
#define LMFCTL_ESTIMATE_H

#include <stdbool.h>
#include <stdint.h>

#include "pace.h"

/* Looks that a judgement rests on. */
#define LMF_WINDOW	16

enum lmf_cutover {
	LMF_CUTOVER_IDLE,	/* nothing is being saved */
	LMF_CUTOVER_FIRST_PASS,	/* too early to say */
	LMF_CUTOVER_WAIT,	/* it gets better */
	LMF_CUTOVER_NOW,	/* the downtime is within the limit */
	LMF_CUTOVER_NEVER,	/* it will not get better */
};

/**
 * struct lmf_look - what a prediction knows of one moment in pre-copy
 * @ns: when
 * @initial: bytes of the first pass that are left
 * @dirty: bytes to be sent again that are left
 * @saved: bytes that were read
 * @read_ns: time that this took, within read(); 0 if unknown
 * @wait_ns: of that, what the device was waited for
 * @trailer: bytes that only a stopped device gives
 * @report_ns: how long the last report of the dirty log took
 * @chunks: of state that the device gave; 0 if unknown
 * @chunk_bytes: in them
 * @chunk_ns: time that the device took for them
 */
struct lmf_look {
	int64_t ns;
	uint64_t initial;
	uint64_t dirty;
	uint64_t saved;
	int64_t read_ns;
	int64_t wait_ns;
	uint64_t trailer;
	int64_t report_ns;
	uint64_t chunks;
	uint64_t chunk_bytes;
	int64_t chunk_ns;
};

/**
 * struct lmf_estimator - what was seen of a save
 * @looks: the last ones, in a ring
 * @count: all of them, but for those that came too soon
 * @peak: highest rate at which it was read, bytes a second
 * @last: the last look, kept or not
 * @device: how long the device takes for chunks
 * @quiesce_ns: how long stopping took when it happened last
 * @limit_ns: downtime that is allowed
 */
struct lmf_estimator {
	struct lmf_look looks[LMF_WINDOW];
	unsigned int count;
	double peak;
	struct lmf_look last;
	struct lmf_pace device;
	int64_t quiesce_ns;
	int64_t limit_ns;
};

/**
 * struct lmf_estimate - a prediction
 * @cutover: what to do
 * @send_rate: bytes a second that are read
 * @dirty_rate: bytes a second that become dirty
 * @downtime_ns: of the device, if it were stopped now; -1 if unknown
 */
struct lmf_estimate {
	enum lmf_cutover cutover;
	double send_rate;
	double dirty_rate;
	int64_t downtime_ns;
};

void lmf_estimator_init(struct lmf_estimator *e, int64_t quiesce_ns,
			int64_t limit_ns);
void lmf_estimator_look(struct lmf_estimator *e, const struct lmf_look *look);
void lmf_estimate(const struct lmf_estimator *e, struct lmf_estimate *to);
const char *lmf_cutover_name(enum lmf_cutover cutover);

#endif
