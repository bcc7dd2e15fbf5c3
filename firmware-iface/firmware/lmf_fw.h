/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The reference firmware: a whole LMF device behind one table of operations.
 *
 * It is portable, freestanding C11 beside memcpy(), memmove(), memset() and
 * memcmp(). It has no threads and no lock: the embedder calls it from one
 * context at a time. It calls the operations only from within these calls, and
 * an operation must not call back into the firmware.
 *
 * Work is done in lmf_fw_run(), a bounded amount each time. After any call the
 * embedder sees to it that lmf_fw_run() is called at the time that the
 * operation @wake last asked for.
 */
#ifndef LMF_FW_H
#define LMF_FW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lmf_pf.h"

#define LMF_FW_PF	(-1)	/* a function number; VFs are 0.. */
#define LMF_FW_NEVER	UINT64_MAX

/**
 * struct lmf_fw_ops - what the firmware needs of its surroundings
 * @dma_read: read @len bytes at IOVA @addr as function @fn. Returns 0, or
 *	      nonzero if the function may not or cannot.
 * @dma_write: write likewise. Writes become visible in the order of the calls.
 * @irq: raise MSI-X vector @vector of function @fn
 * @wake: call lmf_fw_run() at @when (LMF_FW_NEVER: not at all), replacing what
 *	  was asked for before. A time that has passed means soon.
 * @now: the time in ns, monotonic
 * @alloc: zeroed memory, or NULL
 * @free: give it back; NULL is allowed
 * @note: something worth a line in the embedder's log; may be NULL
 */
struct lmf_fw_ops {
	int (*dma_read)(void *ctx, int fn, uint64_t addr, void *buf,
			size_t len);
	int (*dma_write)(void *ctx, int fn, uint64_t addr, const void *buf,
			 size_t len);
	void (*irq)(void *ctx, int fn, unsigned int vector);
	void (*wake)(void *ctx, uint64_t when);
	uint64_t (*now)(void *ctx);
	void *(*alloc)(void *ctx, size_t bytes);
	void (*free)(void *ctx, void *mem, size_t bytes);
	void (*note)(void *ctx, int fn, const char *what);
};

/**
 * struct lmf_fw_config - a device, as built; all VFs are alike
 * @vfs: 1..LMF_PF_VF_LIMIT
 * @queues: of a VF, 1..LMF_VF_QUEUE_LIMIT
 * @entries: of a queue's rings at most, a power of two, 2..1024
 * @media_bytes: of a VF, a multiple of LMF_MEDIA_GRANULE; taken on first use
 * @log_entries: of a log ring at most, a power of two, 2..65536
 * @log_post_delay_ns: a log entry is posted this long after its data, unless
 *		       a flush comes first
 * @migrate: VFs offer LMF_INFO_CAP_MIGRATE
 * @log: VFs offer LMF_INFO_CAP_LOG
 * @log_formats: bit n: enum lmf_log_format n is offered; 0 means all
 * @version: LMF_VERSION() to report; 0 means the present one
 * @seed: of everything random
 */
struct lmf_fw_config {
	unsigned int vfs;
	unsigned int queues;
	unsigned int entries;
	uint64_t media_bytes;
	unsigned int log_entries;
	uint64_t log_post_delay_ns;
	bool migrate;
	bool log;
	uint32_t log_formats;
	uint32_t version;
	uint64_t seed;
};

struct lmf_fw;

/* Returns NULL if @config breaks its limits or memory lacks. */
struct lmf_fw *lmf_fw_create(const struct lmf_fw_config *config,
			     const struct lmf_fw_ops *ops, void *ctx);
void lmf_fw_destroy(struct lmf_fw *fw);

/* BAR 0 of a function; @size is 4 or 8, @offset aligned to it. */
uint64_t lmf_fw_read(struct lmf_fw *fw, int fn, uint64_t offset,
		     unsigned int size);
void lmf_fw_write(struct lmf_fw *fw, int fn, uint64_t offset, uint64_t value,
		  unsigned int size);

/* The VF came up or went away (VF Enable, NumVFs). Both are resets too. */
void lmf_fw_vf_enable(struct lmf_fw *fw, unsigned int vf, bool on);

/* FLR of a function, or any reset that has its effect. */
void lmf_fw_reset(struct lmf_fw *fw, int fn);

void lmf_fw_run(struct lmf_fw *fw);

/**
 * lmf_fw_fault() - set a fault hook, for tests
 * @spec: "name=value", with fields of value separated by ':'. See fault.c for
 *	  the list. "none" clears all. VF fields are numbers, or '*' for all.
 *
 * Returns NULL, or what is wrong with @spec, a static string.
 */
const char *lmf_fw_fault(struct lmf_fw *fw, const char *spec);

/**
 * struct lmf_fw_stats - what happened to one VF since it came up, for tests
 * @dma_write_bytes: written to guest memory
 * @log_granules: granules that the logger was told of
 * @log_entries: entries posted
 * @log_overflows: overflows
 * @log_lost: granules that a fault hook dropped
 * @resets: resets
 * @media_allocated: granules of the media that take memory, bytes
 * @irqs: interrupts raised
 * @requests: under way or parked, now
 */
struct lmf_fw_stats {
	uint64_t dma_write_bytes;
	uint64_t log_granules;
	uint64_t log_entries;
	uint64_t log_overflows;
	uint64_t log_lost;
	uint64_t resets;
	uint64_t media_allocated;
	uint64_t irqs;
	uint64_t requests;
};

void lmf_fw_stats(const struct lmf_fw *fw, unsigned int vf,
		  struct lmf_fw_stats *stats);

#endif
