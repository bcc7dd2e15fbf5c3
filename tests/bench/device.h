/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VF that is memory: its log is written by log_device.c, its state is read
 * and written by state_device.c, both at once. So what is measured is the
 * driver.
 */
#ifndef LMF_BENCH_DEVICE_H
#define LMF_BENCH_DEVICE_H

#include <linux/lmf.h>
#include <linux/types.h>

#include "lmf_log.h"

/**
 * struct lmf_vf - a VF
 * @caps: what it can do
 * @log: entries to be logged, in the order of the log
 * @nlog: their number
 * @logged: of them, posted or told so far
 * @bank: the same as leaves, of the format `bitmap`
 * @leaf: where in @bank each begins, and where the last one ends
 * @nleaves: their number
 * @format: of the log that is on
 * @open: the open bank holds them
 * @closed: the closed one does
 * @sequence: of the closed one
 * @device_ns: time taken by what a device would have done
 * @slots: the ring
 * @entries: its size
 * @produced: entries posted since the start, free-running
 * @consumed: given back by the host
 * @state: what a save reads and a load writes
 * @bytes: its size
 * @at: how far
 */
struct lmf_vf {
	struct lmf_vf_caps caps;

	const struct lmf_log_entry *log;
	u32 nlog;
	u32 logged;
	const u8 *bank;
	const u32 *leaf;
	u32 nleaves;
	u32 format;
	bool open;
	bool closed;
	u32 sequence;
	u64 device_ns;
	struct lmf_log_entry *slots;
	u32 entries;
	u32 produced;
	u32 consumed;

	u8 *state;
	size_t bytes;
	size_t at;
};

/* log_device.c */
void log_device_write(struct lmf_vf *vf, const struct lmf_log_entry *log,
		      u32 nlog);
void log_device_post(struct lmf_vf *vf);
size_t log_device_bank(const unsigned long *dirty, u64 pages, u8 *bank,
		       u32 *leaf);

/* state_device.c */
u32 state_device_give(struct lmf_vf *vf, void *to, size_t room);
void state_device_take(struct lmf_vf *vf, const void *from, u32 bytes);

#endif
