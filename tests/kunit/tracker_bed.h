/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the tracker stand on: a device that is played here below
 * the API of the PF driver, a user with a bitmap, and the tracker itself, whose
 * calls end in that device.
 */
#ifndef LMF_TRACKER_BED_H
#define LMF_TRACKER_BED_H

#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/interval_tree.h>
#include <linux/iova_bitmap.h>
#include <linux/mman.h>
#include <linux/prandom.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>
#include <linux/vmstat.h>

/* The PF driver's API is the device of this test. */
#define lmf_vf_caps		fake_vf_caps
#define lmf_buf_alloc_log	fake_buf_alloc_log
#define lmf_buf_put		fake_buf_put
#define lmf_vf_log_start	fake_vf_log_start
#define lmf_vf_log_flush	fake_vf_log_flush
#define lmf_vf_log_read		fake_vf_log_read
#define lmf_vf_log_consumed	fake_vf_log_consumed
#define lmf_vf_log_stop		fake_vf_log_stop

#include "shadow.h"

/* Who paid when something was marked last. */
static struct mem_cgroup *bed_payer;

static void bed_mark(struct lmf_shadow *shadow, u64 iova, u64 length)
{
	bed_payer = set_active_memcg(NULL);
	set_active_memcg(bed_payer);
	lmf_shadow_mark(shadow, iova, length);
}

#define lmf_shadow_mark		bed_mark

#include "../../src/vfio/tracker.c"
#include "../../src/vfio/tracker_log.c"
#include "../../src/vfio/tracker_ring.c"
#include "../../src/vfio/tracker_read.c"

#define SEED		11
#define PAGE		BIT(LMF_SHADOW_SHIFT)
#define SPAN		SZ_256M		/* of the tests that use one range */
#define PENDING		48		/* extents that the device remembers */

struct extent {
	u64 iova;
	u64 granules;
};

struct lmf_vf {
	struct lmf_vf_caps caps;
	u64 ring_bytes_max;	/* no memory for more */
	unsigned int bufs;	/* not put */
	unsigned int starts, stops, flushes;

	bool on;
	struct lmf_log_params params;
	struct lmf_log_span spans[8];
	struct lmf_log_entry *slots;
	u64 produced;
	u32 consumed;
	struct extent pending[PENDING];
	unsigned int npending;
	bool coarse;		/* all that is tracked is pending */
	u64 refill;		/* pages yet to post as soon as there is room */

	/* What goes wrong: errors of the next calls, 0 for none. */
	int start_ret[2];
	int stop_ret;
	int flush_ret;
	bool flush_sticky;
	bool more_for_ever;
	s64 produced_lie;
};

const struct lmf_vf_caps *lmf_vf_caps(const struct lmf_vf *vf)
{
	return &vf->caps;
}

struct fake_buf {
	struct lmf_buf buf;
	struct lmf_vf *vf;
};

struct lmf_buf *lmf_buf_alloc_log(struct lmf_vf *vf, size_t size, gfp_t gfp)
{
	struct fake_buf *fake;

	if (size > vf->ring_bytes_max)
		return NULL;
	fake = kzalloc(sizeof(*fake), GFP_KERNEL);
	fake->buf.vaddr = kvzalloc(size, GFP_KERNEL);
	fake->buf.size = size;
	fake->vf = vf;
	vf->bufs++;
	return &fake->buf;
}

void lmf_buf_put(struct lmf_buf *buf)
{
	struct fake_buf *fake = container_of(buf, struct fake_buf, buf);

	if (fake->vf->slots == buf->vaddr)
		fake->vf->on = false;
	fake->vf->bufs--;
	kvfree(buf->vaddr);
	kfree(fake);
}

int lmf_vf_log_start(struct lmf_vf *vf, const struct lmf_log_params *params,
		     struct lmf_buf *ring)
{
	int ret = vf->start_ret[0];

	vf->starts++;
	vf->start_ret[0] = vf->start_ret[1];
	vf->start_ret[1] = 0;
	if (ret)
		return ret;
	if (vf->on)
		return -EBUSY;
	if (!is_power_of_2(params->entries) || !params->threshold ||
	    params->threshold > params->entries || !params->nranges ||
	    params->nranges > vf->caps.log_ranges_max ||
	    ring->size < params->entries * sizeof(struct lmf_log_entry) ||
	    memchr_inv(ring->vaddr, 0, ring->size))
		return -EINVAL;
	vf->on = true;
	vf->params = *params;
	memcpy(vf->spans, params->ranges,
	       params->nranges * sizeof(vf->spans[0]));
	vf->slots = ring->vaddr;
	vf->produced = 0;
	vf->consumed = 0;
	vf->npending = 0;
	vf->coarse = false;
	return 0;
}

int lmf_vf_log_stop(struct lmf_vf *vf)
{
	vf->stops++;
	if (vf->stop_ret)
		return vf->stop_ret;
	vf->on = false;
	return 0;
}

static bool device_post(struct lmf_vf *vf, u64 iova, u64 granules, u16 flags)
{
	u32 entries = vf->params.entries;

	if ((u32)vf->produced - vf->consumed >= entries)
		return false;
	vf->slots[vf->produced % entries] = (struct lmf_log_entry) {
		.iova = cpu_to_le64(iova),
		.granules = cpu_to_le32(granules),
		.flags = cpu_to_le16(flags),
		.phase = cpu_to_le16(!(vf->produced & entries)),
	};
	vf->produced++;
	return true;
}

void lmf_vf_log_consumed(struct lmf_vf *vf, u32 count)
{
	vf->consumed = count;
	while (vf->refill &&
	       device_post(vf, 2 * vf->refill << vf->params.shift, 1, 0))
		vf->refill--;
}

/* Posts up to @budget extents of what is pending, newest first. */
static void device_post_pending(struct lmf_vf *vf, unsigned int budget)
{
	struct extent *e;
	u32 i;

	for (; vf->npending && budget; budget--) {
		e = &vf->pending[vf->npending - 1];
		if (!device_post(vf, e->iova, e->granules, 0))
			return;
		vf->npending--;
	}
	/* Twice the same entry does no harm, so start over when it is full. */
	for (i = 0; vf->coarse && i < vf->params.nranges; i++)
		if (!device_post(vf, vf->spans[i].iova,
				 (vf->spans[i].last + 1 - vf->spans[i].iova) >>
					 vf->params.shift, LMF_LOG_COARSE))
			return;
	vf->coarse = false;
}

/* A DMA write, logged but not posted yet. */
static void device_write(struct lmf_vf *vf, u64 iova, u64 length)
{
	u8 shift = vf->params.shift;
	struct extent e = { .iova = iova >> shift << shift };

	if (!vf->on)
		return;
	e.granules = ((iova + length - 1) >> shift) - (iova >> shift) + 1;
	if (vf->npending < PENDING)
		vf->pending[vf->npending++] = e;
	else
		vf->coarse = true;
}

int lmf_vf_log_flush(struct lmf_vf *vf, u32 acknowledge,
		     struct lmf_log_flushed *flushed)
{
	int ret = vf->flush_ret;

	vf->flushes++;
	if (!vf->flush_sticky)
		vf->flush_ret = 0;
	if (ret)
		return ret;
	if (!vf->on)
		return -EBUSY;
	device_post_pending(vf, U32_MAX);
	flushed->produced = vf->produced + vf->produced_lie;
	flushed->overflows = 0;
	flushed->more = vf->npending || vf->coarse || vf->more_for_ever;
	return 0;
}

/* A ring is all that this device has; format_test.c has the others. */
int lmf_vf_log_read(struct lmf_vf *vf, struct lmf_buf *buf, u32 position,
		    struct lmf_log_part *part)
{
	return -EBUSY;
}

struct bed {
	struct kunit *test;
	struct lmf_vf vf;
	struct lmf_tracker tracker;
	unsigned long user;	/* the user's bitmap */
	unsigned long *got;	/* a copy of it */
	struct rnd_state rnd;
};

#define USER_BYTES	(4ul << 20)

static int tracker_test_init(struct kunit *test)
{
	struct bed *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, b);
	test->priv = b;
	b->test = test;
	b->user = kunit_vm_mmap(test, NULL, 0, USER_BYTES,
				PROT_READ | PROT_WRITE,
				MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, b->user, 0);
	b->got = kvzalloc(USER_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, b->got);
	b->vf.caps = (struct lmf_vf_caps) {
		.log = true,
		.log_formats = BIT(LMF_LOG_RING),
		.log_ring_max = 64,
		.log_ranges_max = 4,
		.log_shift_min = 12,
		.log_shift_max = 21,
	};
	b->vf.ring_bytes_max = SZ_1M;
	prandom_seed_state(&b->rnd, SEED);
	lmf_tracker_init(&b->tracker, &b->vf, "tracker");
	return 0;
}

static void tracker_test_exit(struct kunit *test)
{
	struct bed *b = test->priv;

	if (!b)
		return;
	lmf_tracker_close(&b->tracker);
	lmf_tracker_threshold(&b->tracker);
	KUNIT_EXPECT_FALSE(test, work_busy(&b->tracker.drain));
	KUNIT_EXPECT_FALSE(test, b->vf.on);
	KUNIT_EXPECT_EQ(test, b->vf.bufs, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&b->tracker.pool.used), 0);
	kvfree(b->got);
}

static int start(struct bed *b, const struct lmf_log_span *spans, u32 n,
		 u64 *page_size)
{
	struct rb_root_cached root = RB_ROOT_CACHED;
	struct interval_tree_node *nodes;
	u32 i;

	nodes = kunit_kcalloc(b->test, n, sizeof(*nodes), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(b->test, nodes);
	for (i = 0; i < n; i++) {
		nodes[i].start = spans[i].iova;
		nodes[i].last = spans[i].last;
		interval_tree_insert(&nodes[i], &root);
	}
	return lmf_tracker_start(&b->tracker, &root, n, page_size);
}

static void start_simple(struct bed *b)
{
	const struct lmf_log_span span = { 0, SPAN - 1 };
	u64 page_size = PAGE;

	KUNIT_ASSERT_EQ(b->test, start(b, &span, 1, &page_size), 0);
	KUNIT_ASSERT_EQ(b->test, page_size, PAGE);
}

static int report_fn(struct iova_bitmap *bitmap, unsigned long iova,
		     size_t length, void *opaque)
{
	return lmf_tracker_report(opaque, iova, length, bitmap);
}

/* A report as the core does it; the answer is in b->got. */
static int report_to(struct bed *b, unsigned long user, u64 iova, u64 length,
		     u64 page_size)
{
	struct iova_bitmap *bitmap;
	int ret;

	bitmap = iova_bitmap_alloc(iova, length, page_size,
				   (u64 __user *)user);
	KUNIT_ASSERT_FALSE(b->test, IS_ERR_OR_NULL(bitmap));
	ret = iova_bitmap_for_each(bitmap, &b->tracker, report_fn);
	iova_bitmap_free(bitmap);
	return ret;
}

static int report(struct bed *b, u64 iova, u64 length, u64 page_size)
{
	unsigned long bytes = DIV_ROUND_UP_ULL(length, page_size) / 8 + 8;
	int ret;

	KUNIT_ASSERT_LE(b->test, bytes, USER_BYTES);
	KUNIT_ASSERT_EQ(b->test, clear_user((void __user *)b->user, bytes), 0);
	ret = report_to(b, b->user, iova, length, page_size);
	KUNIT_ASSERT_EQ(b->test, copy_from_user(b->got, (void __user *)b->user,
						bytes), 0);
	return ret;
}

static unsigned long report_weight(struct bed *b)
{
	KUNIT_EXPECT_EQ(b->test, report(b, 0, SPAN, PAGE), 0);
	return bitmap_weight(b->got, SPAN / PAGE);
}

#endif
