// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long it takes until what a VF logged is in the user's bitmap: the driver
 * in each of the formats of a log, from the entries in a ring or buffer over
 * the shadow to pinned user memory, and beside it the known ways, on the same
 * input, run in turn.
 *
 * Prints a line of JSON for each run; bench.py makes figures of them.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/interval_tree.h>
#include <linux/iova_bitmap.h>
#include <linux/mman.h>
#include <linux/prandom.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "clock.h"
#include "report_bench.h"

#define RUNS		15
#define SEED		4711
#define SAMPLE		4096		/* entries, of a way that is slow */
#define SLOW_SPAN	(64ull << 30)	/* pinned at once */
#define RING		65536
#define HOT_IOVA	(256ull << 30)
#define HOT_PAGES	(SZ_4G / PAGE)

enum order {
	RANDOM,
	ASCENDING,
	DESCENDING,
	HOT,
};

/**
 * struct workload - what the VF wrote
 * @name: of the figure; windows that are not the whole are appended
 * @tracked: bytes
 * @nlog: entries
 * @granules: of each
 * @order: of the log
 * @windows: also report it in windows of 1 GiB
 */
struct workload {
	const char *name;
	u64 tracked;
	u32 nlog;
	u32 granules;
	enum order order;
	bool windows;
};

static const struct workload workloads[] = {
	{ "clean_1t", SZ_1T, 0, 1, RANDOM, true },
	{ "random_1t_1k", SZ_1T, 1000, 1, RANDOM },
	{ "random_1t_100k", SZ_1T, 100000, 1, RANDOM },
	{ "random_1t_1m", SZ_1T, 1000000, 1, RANDOM, true },
	{ "ascending_1k", SZ_1T, 1000, 1, ASCENDING },
	{ "ascending_100k", SZ_1T, 100000, 1, ASCENDING },
	{ "ascending", SZ_1T, 1000000, 1, ASCENDING, true },
	{ "descending_1k", SZ_1T, 1000, 1, DESCENDING },
	{ "descending_100k", SZ_1T, 100000, 1, DESCENDING },
	{ "descending", SZ_1T, 1000000, 1, DESCENDING, true },
	{ "dense", 64ull << 30, 32768, 512, RANDOM, true },
	{ "hot_4g", SZ_1T, 4000000, 1, HOT, true },
};

static u64 rnd(struct rnd_state *state, u64 below)
{
	u64 r = (u64)prandom_u32_state(state) << 32;

	return (r | prandom_u32_state(state)) % below;
}

void *bench_alloc(struct report_bench *b, size_t bytes)
{
	void *memory = vzalloc(max_t(size_t, bytes, 1));

	KUNIT_ASSERT_NOT_NULL(b->test, memory);
	return memory;
}

/* What the core makes for the report of a window. */
struct iova_bitmap *bench_bitmap(struct report_bench *b, u64 iova)
{
	unsigned long user = b->user + iova / PAGE / BITS_PER_BYTE;
	struct iova_bitmap *bitmap;

	bitmap = iova_bitmap_alloc(iova, b->window, PAGE, (u64 __user *)user);
	KUNIT_ASSERT_FALSE(b->test, IS_ERR_OR_NULL(bitmap));
	return bitmap;
}

static u64 log_iova(const struct workload *w, struct rnd_state *state, u32 i)
{
	u64 stride;

	if (w->order == HOT)
		return HOT_IOVA + rnd(state, HOT_PAGES) * PAGE;
	if (w->order == DESCENDING)
		i = w->nlog - 1 - i;
	stride = w->tracked / w->granules / PAGE / w->nlog;
	return (i * stride + rnd(state, stride)) * w->granules * PAGE;
}

/* swap() evaluates what it is given twice. */
static void shuffle(struct report_bench *b, struct rnd_state *state)
{
	u32 i, other;

	for (i = b->nlog; i > 1; i--) {
		other = rnd(state, i);
		swap(b->log[i - 1], b->log[other]);
	}
}

static void make_log(struct report_bench *b, const struct workload *w)
{
	struct rnd_state state;
	u32 i;

	prandom_seed_state(&state, SEED);
	b->nlog = w->nlog;
	b->log = bench_alloc(b, b->nlog * sizeof(*b->log));
	for (i = 0; i < b->nlog; i++) {
		b->log[i].iova = cpu_to_le64(log_iova(w, &state, i));
		b->log[i].granules = cpu_to_le32(w->granules);
	}
	if (w->order == RANDOM)
		shuffle(b, &state);
}

static u32 window_of(struct report_bench *b, u32 i)
{
	return le64_to_cpu(b->log[i].iova) / b->window;
}

/* Nobody's log comes like that; who has no shadow needs it for his reports. */
static void sort_by_window(struct report_bench *b)
{
	u32 windows = b->tracked / b->window, i;

	b->by_window = bench_alloc(b, b->nlog * sizeof(*b->log));
	b->ends = bench_alloc(b, (windows + 1) * sizeof(*b->ends));
	for (i = 0; i < b->nlog; i++)
		b->ends[window_of(b, i) + 1]++;
	for (i = 0; i < windows; i++)
		b->ends[i + 1] += b->ends[i];
	for (i = 0; i < b->nlog; i++)
		b->by_window[b->ends[window_of(b, i)]++] = b->log[i];
}

static void make_answer(struct report_bench *b, const struct workload *w)
{
	u64 words = b->tracked / WORD, i;
	u32 n = 0;

	b->dirty = bench_alloc(b, words * sizeof(long));
	b->seq = bench_alloc(b, words * sizeof(long));
	b->ack = bench_alloc(b, words * sizeof(long));
	for (i = 0; i < b->nlog; i++)
		bitmap_set(b->dirty, le64_to_cpu(b->log[i].iova) / PAGE,
			   le32_to_cpu(b->log[i].granules));
	for (i = 0; i < words; i++)
		n += b->dirty[i] && (!i || !b->dirty[i - 1]);
	/* All but the writes to the same 4 GiB are of different pages. */
	if (w->order != HOT)
		KUNIT_ASSERT_EQ(b->test,
				bitmap_weight(b->dirty, b->tracked / PAGE),
				w->nlog * w->granules);
	b->touched = bench_alloc(b, n * sizeof(*b->touched));
	for (i = 0; i < words; i++) {
		if (!b->dirty[i])
			continue;
		if (!i || !b->dirty[i - 1])
			b->touched[b->ntouched++].first = i;
		b->touched[b->ntouched - 1].count++;
	}
}

static void make_bank(struct report_bench *b)
{
	size_t leaf = sizeof(struct lmf_log_leaf) +
		      LMF_LOG_LEAF_BLOCKS * sizeof(struct lmf_log_block);
	u32 leaves = b->tracked / SZ_128M, n, i;

	b->bank = bench_alloc(b, leaves * leaf);
	b->leaf = bench_alloc(b, (leaves + 1) * sizeof(*b->leaf));
	n = log_device_bank(b->dirty, b->tracked / PAGE, b->bank, b->leaf);
	for (i = 0; i < BENCH_FORMATS; i++) {
		b->vf[i].bank = b->bank;
		b->vf[i].leaf = b->leaf;
		b->vf[i].nleaves = n;
	}
}

static void start_one(struct report_bench *b, u32 format)
{
	struct interval_tree_node node = { .last = b->tracked - 1 };
	struct rb_root_cached root = RB_ROOT_CACHED;
	struct lmf_tracker *t = &b->tracker[format];
	u64 page_size = PAGE;

	b->vf[format].caps = (struct lmf_vf_caps) {
		.log = true,
		.log_formats = BIT(format),
		.log_ring_max = RING,
		.log_list_max = RING,
		.log_leaves_max = b->tracked / SZ_128M,
		.log_ranges_max = 1,
		.log_shift_min = LMF_SHADOW_SHIFT,
		.log_shift_max = 21,
	};
	lmf_tracker_init(t, &b->vf[format], "bench");
	interval_tree_insert(&node, &root);
	KUNIT_ASSERT_EQ(b->test, lmf_tracker_start(t, &root, 1, &page_size), 0);
	/* As where the guest's memory is, which is more than there is here. */
	t->pool.limit = UINT_MAX / 2;
	flush_work(&t->drain);
}

static void start(struct report_bench *b)
{
	u32 format;

	for (format = 0; format < BENCH_FORMATS; format++)
		start_one(b, format);
	b->other.entries = RING;
	b->other.slots = bench_alloc(b, RING * sizeof(*b->other.slots));
}

static int ours_report(struct iova_bitmap *bitmap, unsigned long iova,
		       size_t length, void *opaque)
{
	return lmf_tracker_report(opaque, iova, length, bitmap);
}

/* What is in the ring goes to the shadow. */
static void drain_posted(struct lmf_tracker *t, struct lmf_vf *vf)
{
	lmf_tracker_threshold(t);
	while (vf->consumed != vf->produced)
		flush_work(&t->drain);
}

/* All but the last ring full comes to the drain, as by thresholds. */
static u64 ours_drain(struct report_bench *b)
{
	struct lmf_tracker *t = &b->tracker[LMF_LOG_RING];
	struct lmf_vf *vf = &b->vf[LMF_LOG_RING];
	u64 start, ns = 0;

	if (b->format != LMF_LOG_RING)
		return 0;
	log_device_post(vf);
	while (vf->logged < vf->nlog) {
		start = bench_ns();
		drain_posted(t, vf);
		ns += bench_ns() - start;
		log_device_post(vf);
	}
	return ns;
}

static void ours_prepare(struct report_bench *b)
{
	log_device_write(&b->vf[b->format], b->log, b->nlog);
	b->vf[b->format].device_ns = 0;
}

static u64 ours_run(struct report_bench *b, u32 limit)
{
	struct lmf_tracker *t = &b->tracker[b->format];
	u64 ns = ours_drain(b), iova, start;
	struct iova_bitmap *bitmap;

	start = bench_ns();
	for (iova = 0; iova < b->tracked; iova += b->window) {
		bitmap = bench_bitmap(b, iova);
		KUNIT_EXPECT_EQ(b->test, iova_bitmap_for_each(bitmap,
							      t, ours_report),
				0);
		iova_bitmap_free(bitmap);
	}
	return ns + bench_ns() - start - b->vf[b->format].device_ns;
}

static const struct way ways[] = {
	{ "ours", LMF_LOG_RING, ours_prepare, ours_run },
	{ "ours_ranges", LMF_LOG_RANGES, ours_prepare, ours_run },
	{ "ours_bitmap", LMF_LOG_BITMAP, ours_prepare, ours_run },
};

/* The most that there is: all is drained, and nothing reported yet. */
static void ours_measure_memory(struct report_bench *b)
{
	struct lmf_tracker *t = &b->tracker[LMF_LOG_RING];
	struct lmf_vf *vf = &b->vf[LMF_LOG_RING];
	struct lmf_tracker_stats stats;

	b->format = LMF_LOG_RING;
	ours_prepare(b);
	ours_drain(b);
	drain_posted(t, vf);
	lmf_tracker_stats(t, &stats);
	b->memory = stats.shadow_bytes +
		    stats.ring_entries * sizeof(struct lmf_log_entry);
	ours_run(b, 0);
}

/* Is what the user has the answer? */
static void check_answer(struct report_bench *b)
{
	size_t at, bytes = b->tracked / PAGE / BITS_PER_BYTE;
	u8 page[512];

	for (at = 0; at < bytes; at += sizeof(page)) {
		KUNIT_ASSERT_EQ(b->test,
				copy_from_user(page, (void __user *)b->user +
					       at, sizeof(page)), 0);
		if (memcmp(page, (u8 *)b->dirty + at, sizeof(page)))
			break;
	}
	KUNIT_EXPECT_EQ(b->test, at, bytes);
}

static void run_way(struct report_bench *b, const struct workload *w,
		    const struct way *way, bool check)
{
	u32 limit = b->nlog;
	u64 ns;

	b->format = way->format;
	if (way == &way_per_page && w->order != ASCENDING &&
	    w->order != HOT && b->window > SLOW_SPAN)
		limit = min(limit, SAMPLE);
	KUNIT_ASSERT_EQ(b->test, clear_user((void __user *)b->user, b->tracked /
					    PAGE / BITS_PER_BYTE), 0);
	if (way->prepare)
		way->prepare(b);
	ns = way->run(b, limit);
	pr_info("bench: {\"name\": \"report_%s%s\", \"way\": \"%s\", \"ns\": %llu, \"entries\": %u, \"of\": %u}\n",
		w->name, b->window < b->tracked ? "_1g" : "", way->name, ns,
		limit, b->nlog);
	if (check && limit == b->nlog && way != &way_floor)
		check_answer(b);
}

static void run_all(struct report_bench *b, const struct workload *w)
{
	static const struct way *const all[] = {
		&ways[0], &ways[1], &ways[2],
		&way_per_page, &way_whole_bitmap, &way_floor,
	};
	u64 leaves = 0, i;
	int run, way;

	ours_measure_memory(b);
	for (run = 0; run < RUNS; run++)
		for (way = 0; way < ARRAY_SIZE(all); way++)
			run_way(b, w, all[way], !run);
	for (i = 0; i < b->tracked / PAGE; i += SZ_128M / PAGE)
		leaves += find_next_bit(b->dirty, i + SZ_128M / PAGE, i) <
			  i + SZ_128M / PAGE;
	pr_info("bench: {\"name\": \"report_%s%s\", \"memory\": %llu, \"limit\": %llu, \"tracked\": %llu, \"window\": %llu}\n",
		w->name, b->window < b->tracked ? "_1g" : "", b->memory,
		SZ_1M + leaves * SZ_4K, b->tracked, b->window);
}

static void bench_free(struct report_bench *b)
{
	vfree(b->log);
	vfree(b->by_window);
	vfree(b->ends);
	vfree(b->dirty);
	vfree(b->touched);
	vfree(b->seq);
	vfree(b->ack);
	vfree(b->bank);
	vfree(b->leaf);
	vfree(b->other.slots);
}

static void bench_one(struct kunit *test, const struct workload *w, u64 window)
{
	struct report_bench *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	u32 format;

	KUNIT_ASSERT_NOT_NULL(test, b);
	b->test = test;
	b->tracked = w->tracked;
	b->window = window;
	b->user = kunit_vm_mmap(test, NULL, 0, w->tracked / PAGE /
				BITS_PER_BYTE, PROT_READ | PROT_WRITE,
				MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, b->user, 0);
	make_log(b, w);
	sort_by_window(b);
	make_answer(b, w);
	make_bank(b);
	start(b);
	run_all(b, w);
	for (format = 0; format < BENCH_FORMATS; format++)
		lmf_tracker_close(&b->tracker[format]);
	bench_free(b);
}

static void report_bench(struct kunit *test)
{
	const struct workload *w = test->param_value;

	bench_one(test, w, w->tracked);
	if (w->windows)
		bench_one(test, w, SZ_1G);
}

static void workload_describe(const struct workload *w, char *desc)
{
	strscpy(desc, w->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(workload, workloads, workload_describe);

static struct kunit_case report_bench_cases[] = {
	KUNIT_CASE_PARAM(report_bench, workload_gen_params),
	{}
};

static struct kunit_suite report_bench_suite = {
	.name = "lmf-report",
	.test_cases = report_bench_cases,
};

kunit_test_suite(report_bench_suite);
