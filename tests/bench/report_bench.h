/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMF_REPORT_BENCH_H
#define LMF_REPORT_BENCH_H

#include <linux/sizes.h>
#include <linux/types.h>

#include "device.h"
#include "tracker.h"

#define PAGE		BIT_ULL(LMF_SHADOW_SHIFT)
#define WORD		(PAGE * BITS_PER_LONG)	/* of one word of a bitmap */

#define BENCH_FORMATS	3			/* of enum lmf_log_format */

struct kunit;

/**
 * struct touched - words of the bitmap that are next to each other
 * @first: index of the first
 * @count: how many
 */
struct touched {
	u32 first;
	u32 count;
};

/**
 * struct report_bench - one workload, ready for each way to answer it
 * @test: for what must not fail
 * @tracked: bytes of IOVA space, from 0 on
 * @window: bytes of a report; the whole is reported window by window
 * @nlog: entries in the log
 * @log: what the VF wrote, in the order of the log
 * @by_window: the same, those of one window behind those of the one before
 * @ends: of @by_window, where each window's ends
 * @dirty: the answer
 * @touched: words of it that are not 0, ascending
 * @ntouched: their number
 * @seq: the device's side of a whole bitmap that is compared
 * @ack: the host's side of it
 * @user: memory of the user, for the answer
 * @bank: what was written as leaves of the format `bitmap`
 * @leaf: where in it each begins, and where the last one ends
 * @vf: by the format of its log, which is measured
 * @tracker: the driver on it
 * @format: of the way that is taken
 * @memory: most that the tracker had allocated, bytes
 * @other: has the same log for who sets page by page
 */
struct report_bench {
	struct kunit *test;
	u64 tracked;
	u64 window;
	u32 nlog;
	struct lmf_log_entry *log;
	struct lmf_log_entry *by_window;
	u32 *ends;
	unsigned long *dirty;
	struct touched *touched;
	u32 ntouched;
	unsigned long *seq;
	unsigned long *ack;
	unsigned long user;
	u8 *bank;
	u32 *leaf;
	struct lmf_vf vf[BENCH_FORMATS];
	struct lmf_tracker tracker[BENCH_FORMATS];
	u32 format;
	u64 memory;
	struct lmf_vf other;
};

/**
 * struct way - of bringing what was logged into the user's bitmap
 * @name: of it
 * @format: enum lmf_log_format, of the driver's
 * @prepare: called before the time is taken, or NULL
 * @run: returns ns; at most @limit entries of the log
 */
struct way {
	const char *name;
	u32 format;
	void (*prepare)(struct report_bench *b);
	u64 (*run)(struct report_bench *b, u32 limit);
};

extern const struct way way_per_page, way_whole_bitmap, way_floor;

void *bench_alloc(struct report_bench *b, size_t bytes);
struct iova_bitmap *bench_bitmap(struct report_bench *b, u64 iova);

#endif
