/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's side of the log of VF 0: consumes entries and remembers what they
 * said.
 */
#ifndef HOSTLOG_H
#define HOSTLOG_H

#include "bed.h"

struct host_log {
	unsigned int format;
	uint32_t entries;
	uint64_t consumed;
	uint32_t sequence;	/* read to its end, not acknowledged yet */
	unsigned int reads;
	uint8_t flags;		/* of the last list */
	unsigned int shift;
	uint64_t coarse;
	uint64_t granules;	/* reported, with repetitions */
	uint8_t *reported;	/* one a granule of guest memory */
};

struct host_log *host_log_new(uint32_t entries, unsigned int shift);
void host_log_free(struct host_log *log);
/* Consumes at most @max entries; false if one is out of its bounds. */
bool host_consume(struct bed *bed, struct host_log *log, uint32_t max);
/* Whose VF 0 can be asked for I/O, and posts so late what it logs, in ns. */
struct bed *log_bed_new(uint64_t delay);
/* Has VF 0 write so much of the guest's memory; the status of its command. */
uint16_t vf_read(struct bed *bed, uint64_t addr, uint32_t len);
struct lmf_admin_cqe log_flush(struct bed *bed);

#define HOST_LIST	(HOST_DATA + 0x10000)
#define HOST_LIST_BYTES	16384

struct lmf_admin_cqe log_read(struct bed *bed, uint32_t param);
/* Reads all that is posted; false if some of it is out of its bounds. */
bool host_read(struct bed *bed, struct host_log *log);
/* Flushes and gathers until all is in, in any format. */
bool host_gather(struct bed *bed, struct host_log *log);

#endif
