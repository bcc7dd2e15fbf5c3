// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the driver is measured against: the two ways that are known, and a
 * floor below which no way can come.
 *
 * None is made slower than it has to be. Who sets page by page reads the same
 * ring by the same code. Who compares bitmaps skips words without a difference,
 * and is given the device's bitmap for nothing: no transfer of it is counted.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/highmem.h>
#include <linux/iova_bitmap.h>
#include <linux/mm.h>

#include "clock.h"
#include "report_bench.h"

static void per_page_emit(void *priv, u64 iova, u64 length)
{
	u64 end = iova + length;

	for (; iova < end; iova += PAGE)
		iova_bitmap_set(priv, iova, PAGE);
}

/* The log of one window, which begins at @iova. */
static u64 per_page_window(struct report_bench *b, u64 iova)
{
	struct lmf_ring ring = {
		.slots = b->other.slots,
		.entries = b->other.entries,
		.shift = LMF_SHADOW_SHIFT,
		.consumed = b->other.consumed,
	};
	struct iova_bitmap *bitmap;
	u64 start, ns = 0;

	log_device_post(&b->other);
	start = bench_ns();
	bitmap = bench_bitmap(b, iova);
	lmf_ring_drain(&ring, ring.entries, per_page_emit, bitmap);
	while (b->other.logged < b->other.nlog) {
		ns += bench_ns() - start;
		b->other.consumed = ring.consumed;
		log_device_post(&b->other);
		start = bench_ns();
		lmf_ring_drain(&ring, ring.entries, per_page_emit, bitmap);
	}
	iova_bitmap_free(bitmap);
	b->other.consumed = ring.consumed;
	return ns + bench_ns() - start;
}

static u64 per_page_run(struct report_bench *b, u32 limit)
{
	u32 from = 0, to, i;
	u64 ns = 0;

	for (i = 0; i < b->tracked / b->window; i++) {
		to = min(b->ends[i], limit);
		log_device_write(&b->other, b->by_window + from, to - from);
		ns += per_page_window(b, i * b->window);
		from = to;
	}
	return ns;
}

const struct way way_per_page = {
	.name = "per_page",
	.run = per_page_run,
};

static void whole_bitmap_prepare(struct report_bench *b)
{
	bitmap_xor(b->seq, b->ack, b->dirty, b->tracked / PAGE);
}

static void whole_bitmap_window(struct report_bench *b, u64 iova)
{
	u64 i, end = (iova + b->window) / WORD;
	struct iova_bitmap *bitmap = bench_bitmap(b, iova);
	unsigned long changed, bit;

	for (i = iova / WORD; i < end; i++) {
		changed = b->seq[i] ^ b->ack[i];
		if (!changed)
			continue;
		b->ack[i] = b->seq[i];
		for_each_set_bit(bit, &changed, BITS_PER_LONG)
			iova_bitmap_set(bitmap, i * WORD + bit * PAGE, PAGE);
	}
	iova_bitmap_free(bitmap);
}

static u64 whole_bitmap_run(struct report_bench *b, u32 limit)
{
	u64 iova, start = bench_ns();

	for (iova = 0; iova < b->tracked; iova += b->window)
		whole_bitmap_window(b, iova);
	return bench_ns() - start;
}

const struct way way_whole_bitmap = {
	.name = "whole_bitmap",
	.prepare = whole_bitmap_prepare,
	.run = whole_bitmap_run,
};

#define WORDS_PER_PAGE	(PAGE_SIZE / sizeof(unsigned long))
#define PINS		(PAGE_SIZE / sizeof(struct page *))

/**
 * struct pinned - as much of the user's bitmap as iova_bitmap pins at a time
 * @page: pages
 * @first: index of the first one in the bitmap
 * @count: how many
 */
struct pinned {
	struct page *page[PINS];
	u64 first;
	long count;
};

static unsigned long *floor_page(struct report_bench *b, struct pinned *p,
				 u64 index, u64 end)
{
	if (index - p->first >= p->count) {
		unpin_user_pages(p->page, p->count);
		p->first = index;
		p->count = pin_user_pages_fast(b->user + index * PAGE_SIZE,
					       min_t(u64, end - index, PINS),
					       FOLL_WRITE, p->page);
		KUNIT_ASSERT_GT(b->test, p->count, 0);
	}
	return page_address(p->page[index - p->first]);
}

/* Touches the words of one run up to @end, the end of the window. */
static u64 floor_touch(struct report_bench *b, struct pinned *p, u64 word,
		       u64 end, u64 window_end)
{
	unsigned long *page;
	u64 stop;

	while (word < end) {
		page = floor_page(b, p, word / WORDS_PER_PAGE,
				  window_end / WORDS_PER_PAGE);
		stop = min(end, round_up(word + 1, WORDS_PER_PAGE));
		for (; word < stop; word++)
			page[word % WORDS_PER_PAGE] |= 1;
	}
	return word;
}

static u64 floor_run(struct report_bench *b, u32 limit)
{
	u64 start = bench_ns(), iova, word = 0, run_end, window_end;
	static struct pinned pinned;
	struct iova_bitmap *bitmap;
	u32 i = 0;

	for (iova = 0; iova < b->tracked; iova += b->window) {
		bitmap = bench_bitmap(b, iova);
		window_end = (iova + b->window) / WORD;
		for (; i < b->ntouched; i++) {
			word = max_t(u64, word, b->touched[i].first);
			run_end = b->touched[i].first + b->touched[i].count;
			word = floor_touch(b, &pinned, word,
					   min(run_end, window_end),
					   window_end);
			if (word < run_end)
				break;
		}
		unpin_user_pages(pinned.page, pinned.count);
		pinned.count = 0;
		iova_bitmap_free(bitmap);
	}
	return bench_ns() - start;
}

const struct way way_floor = {
	.name = "floor",
	.run = floor_run,
};
