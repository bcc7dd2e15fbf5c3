// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shadow between the device's log and the user's bitmap: a set of dirty
 * pages. The log may be drained into it at any time and in any order; a report
 * takes its window out and walks it in ascending order.
 *
 * It is a tree like a page table. A leaf stands for 32768 pages, 128 MiB, see
 * shadow_leaf.c; a node has 512 slots. A slot is NULL (clean), LMF_FULL (all of
 * it dirty, which takes no memory) or memory, so cost and memory follow what is
 * dirty, and marking never fails: without memory, its slot becomes LMF_FULL.
 * Too much is allowed, too little never. For the same reason a full slot that
 * cannot be split stays full when a part of it is taken.
 *
 * The functions on slots recurse at most LMF_LEVELS deep. Their @lo and @hi are
 * pages, inclusive, counted from the first page of the slot.
 *
 * Pure: no device, no user memory. The caller serialises, except that a shadow
 * that was taken out shares nothing with its source but the pool.
 */
#include <linux/minmax.h>
#include <linux/prefetch.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include <linux/lmf.h>

#include "shadow.h"
#include "shadow_leaf.h"

#define LMF_NODE_SHIFT	9
#define LMF_NODE_SLOTS	BIT(LMF_NODE_SHIFT)
#define LMF_LEVELS	6	/* 15 + 5 * 9 bits are enough for 52 */

#define LMF_PAGE_MASK	((1ull << LMF_SHADOW_SHIFT) - 1)

/* Running out of memory costs precision, which is no reason to kill anyone. */
#define LMF_GFP		(GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN)

const unsigned long lmf_full_mark;

struct lmf_node {
	void *slot[LMF_NODE_SLOTS];
};

static_assert(sizeof(struct lmf_node) <= LMF_SHADOW_BLOCK);

/* The last page of a slot at @level. */
static u64 lmf_slot_last(unsigned int level)
{
	return (1ull << (LMF_LEAF_SHIFT + level * LMF_NODE_SHIFT)) - 1;
}

static bool lmf_slot_whole(unsigned int level, u64 lo, u64 hi)
{
	return !lo && hi == lmf_slot_last(level);
}

/* The part of [lo, hi] that lies in child @i of a node at @level. */
static u64 lmf_child_lo(unsigned int level, u64 lo, unsigned int i)
{
	u64 last = lmf_slot_last(level - 1);

	return lo > i * (last + 1) ? lo & last : 0;
}

static u64 lmf_child_hi(unsigned int level, u64 hi, unsigned int i)
{
	u64 last = lmf_slot_last(level - 1);

	return hi < i * (last + 1) + last ? hi & last : last;
}

static unsigned int lmf_child_index(unsigned int level, u64 page)
{
	return page >> (LMF_LEAF_SHIFT + (level - 1) * LMF_NODE_SHIFT);
}

/* Of @bytes, which is a multiple of LMF_SHADOW_UNIT; zeroed. */
void *lmf_block_alloc(struct lmf_shadow_pool *pool, unsigned int bytes)
{
	int units = bytes / LMF_SHADOW_UNIT;
	void *block = NULL;

	if (atomic_add_return(units, &pool->used) <= pool->limit)
		block = kzalloc(bytes, LMF_GFP);
	if (!block) {
		atomic_sub(units, &pool->used);
		atomic_inc(&pool->failed);
	}
	return block;
}

void lmf_block_free(struct lmf_shadow_pool *pool, void *block,
		    unsigned int bytes)
{
	kfree(block);
	atomic_sub(bytes / LMF_SHADOW_UNIT, &pool->used);
}

static bool lmf_node_empty(const struct lmf_node *node)
{
	unsigned int i;

	for (i = 0; i < LMF_NODE_SLOTS; i++)
		if (node->slot[i])
			return false;
	return true;
}

static void lmf_slot_free(struct lmf_shadow_pool *pool, void **slot,
			  unsigned int level)
{
	struct lmf_node *node = *slot;
	unsigned int i;

	if (!level) {
		lmf_leaf_free(pool, slot);
		return;
	}
	if (node && node != LMF_FULL) {
		for (i = 0; i < LMF_NODE_SLOTS; i++)
			lmf_slot_free(pool, &node->slot[i], level - 1);
		lmf_block_free(pool, node, sizeof(*node));
		if (level == 1)
			cond_resched();
	}
	*slot = NULL;
}

static void lmf_node_shrink(struct lmf_shadow_pool *pool, void **slot)
{
	if (lmf_node_empty(*slot)) {
		lmf_block_free(pool, *slot, sizeof(struct lmf_node));
		*slot = NULL;
	}
}

static bool lmf_node_grow(struct lmf_shadow_pool *pool, void **slot)
{
	if (!*slot)
		*slot = lmf_block_alloc(pool, sizeof(struct lmf_node));
	return *slot;
}

/* Turns a full slot into a node that is full. */
static bool lmf_node_split(struct lmf_shadow_pool *pool, void **slot)
{
	struct lmf_node *node = lmf_block_alloc(pool, sizeof(*node));
	unsigned int i;

	if (!node)
		return false;
	for (i = 0; i < LMF_NODE_SLOTS; i++)
		node->slot[i] = LMF_FULL;
	*slot = node;
	return true;
}

/* Descends without recursion as long as one child holds all of it. */
static void lmf_slot_set(struct lmf_shadow_pool *pool, void **slot,
			 unsigned int level, u64 lo, u64 hi)
{
	unsigned int i, last;
	struct lmf_node *node;

	while (*slot != LMF_FULL) {
		if (lmf_slot_whole(level, lo, hi) ||
		    (level && !lmf_node_grow(pool, slot))) {
			lmf_slot_free(pool, slot, level);
			*slot = LMF_FULL;
			return;
		}
		if (!level) {
			lmf_leaf_set(pool, slot, lo, hi);
			return;
		}
		node = *slot;
		i = lmf_child_index(level, lo);
		last = lmf_child_index(level, hi);
		for (; i < last; i++) {
			lmf_slot_set(pool, &node->slot[i], level - 1,
				     lmf_child_lo(level, lo, i),
				     lmf_slot_last(level - 1));
			lo = (i + 1) * (lmf_slot_last(level - 1) + 1);
		}
		slot = &node->slot[last];
		level--;
		lo &= lmf_slot_last(level);
		hi &= lmf_slot_last(level);
	}
}

static void lmf_slot_clear(struct lmf_shadow_pool *pool, void **slot,
			   unsigned int level, u64 lo, u64 hi)
{
	struct lmf_node *node;
	unsigned int i;

	if (lmf_slot_whole(level, lo, hi)) {
		lmf_slot_free(pool, slot, level);
		return;
	}
	if (!level) {
		lmf_leaf_clear(pool, slot, lo, hi);
		return;
	}
	if (!*slot || (*slot == LMF_FULL && !lmf_node_split(pool, slot)))
		return;
	node = *slot;
	for (i = lmf_child_index(level, lo); i <= lmf_child_index(level, hi);
	     i++)
		lmf_slot_clear(pool, &node->slot[i], level - 1,
			       lmf_child_lo(level, lo, i),
			       lmf_child_hi(level, hi, i));
	lmf_node_shrink(pool, slot);
}

/* Moves [lo, hi] from @src to @dst, which is clean; may move too much there. */
static void lmf_slot_take(struct lmf_shadow_pool *pool, void **src, void **dst,
			  unsigned int level, u64 lo, u64 hi)
{
	struct lmf_node *from, *to;
	unsigned int i;

	if (!*src)
		return;
	if (lmf_slot_whole(level, lo, hi)) {
		*dst = *src;
		*src = NULL;
		return;
	}
	if (!level) {
		lmf_leaf_take(pool, src, dst, lo, hi);
		return;
	}
	if (*src == LMF_FULL || !lmf_node_grow(pool, dst)) {
		*dst = LMF_FULL;
		lmf_slot_clear(pool, src, level, lo, hi);
		return;
	}
	from = *src;
	to = *dst;
	for (i = lmf_child_index(level, lo); i <= lmf_child_index(level, hi);
	     i++)
		lmf_slot_take(pool, &from->slot[i], &to->slot[i], level - 1,
			      lmf_child_lo(level, lo, i),
			      lmf_child_hi(level, hi, i));
	lmf_node_shrink(pool, src);
}

/**
 * lmf_shadow_init() - make a clean shadow
 * @shadow: shadow
 * @pool: where its memory is charged
 * @spans: what is tracked, ascending, disjoint, aligned to pages; at least one
 * @nspans: their number
 */
void lmf_shadow_init(struct lmf_shadow *shadow, struct lmf_shadow_pool *pool,
		     const struct lmf_log_span *spans, u32 nspans)
{
	u64 last = spans[nspans - 1].last >> LMF_SHADOW_SHIFT;

	*shadow = (struct lmf_shadow) {
		.pool = pool,
		.spans = spans,
		.nspans = nspans,
	};
	while (last > lmf_slot_last(shadow->level))
		shadow->level++;
}

/*
 * A log in random order misses the cache with each page. So the pages of leaves
 * that are lists wait here until the lines that they need are on their way, and
 * those of many are at once.
 */
static noinline void lmf_shadow_settle(struct lmf_shadow *shadow)
{
	u32 n = shadow->nahead, i;

	for (i = 0; i < n; i++)
		lmf_leaf_prefetch(*shadow->ahead[i].slot);
	for (i = 0; i < n; i++)
		if (!lmf_leaf_add(*shadow->ahead[i].slot,
				  shadow->ahead[i].page))
			lmf_leaf_set(shadow->pool, shadow->ahead[i].slot,
				     shadow->ahead[i].page,
				     shadow->ahead[i].page);
	shadow->nahead = 0;
}

/* Whatever frees a node must have this forgotten. */
static void lmf_shadow_forget(struct lmf_shadow *shadow)
{
	lmf_shadow_settle(shadow);
	shadow->near = NULL;
}

/**
 * lmf_shadow_destroy() - free what a shadow holds; it is clean then
 * @shadow: shadow
 */
void lmf_shadow_destroy(struct lmf_shadow *shadow)
{
	lmf_shadow_forget(shadow);
	lmf_slot_free(shadow->pool, &shadow->root, shadow->level);
}

/* The first span that does not end before @iova. */
static u32 lmf_shadow_first_span(const struct lmf_shadow *shadow, u64 iova)
{
	u32 lo = 0, hi = shadow->nspans;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (shadow->spans[mid].last < iova)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The slot of the leaf that holds @page, as far as there are nodes for it. */
static void **lmf_shadow_leaf(struct lmf_shadow *shadow, u64 page)
{
	unsigned int shift = LMF_LEAF_SHIFT + shadow->level * LMF_NODE_SHIFT;
	void **slot = &shadow->root;
	struct lmf_node *node;

	while (shift > LMF_LEAF_SHIFT) {
		node = *slot;
		if (!node || node == LMF_FULL)
			return NULL;
		shift -= LMF_NODE_SHIFT;
		slot = &node->slot[(page >> shift) % LMF_NODE_SLOTS];
	}
	return slot;
}

/*
 * The slot of the leaf that holds [lo, hi], if there is one that does, and if
 * all of that leaf is tracked. Most extents are like that, and most leaves lie
 * in the same span as the one before.
 */
static void **lmf_shadow_find(struct lmf_shadow *shadow, u64 lo, u64 hi)
{
	u64 leaf = lo >> LMF_LEAF_SHIFT, iova, last;
	const struct lmf_log_span *span;

	iova = leaf << (LMF_LEAF_SHIFT + LMF_SHADOW_SHIFT);
	last = iova + (1ull << (LMF_LEAF_SHIFT + LMF_SHADOW_SHIFT)) - 1;
	span = &shadow->spans[shadow->near_span];
	if (leaf != hi >> LMF_LEAF_SHIFT || iova < span->iova ||
	    last > span->last)
		return NULL;
	shadow->near = lmf_shadow_leaf(shadow, lo);
	shadow->near_leaf = leaf;
	return shadow->near;
}

static noinline void lmf_shadow_mark_far(struct lmf_shadow *shadow, u64 iova,
					 u64 last)
{
	u64 lo = iova >> LMF_SHADOW_SHIFT, hi = last >> LMF_SHADOW_SHIFT;
	void **slot = lmf_shadow_find(shadow, lo, hi);
	u32 i;

	if (slot && lo == hi && lmf_slot_list(*slot)) {
		prefetchw(lmf_slot_list(*slot));
		shadow->ahead[shadow->nahead].slot = slot;
		shadow->ahead[shadow->nahead].page = lo % LMF_LEAF_BITS;
		if (++shadow->nahead == LMF_SHADOW_AHEAD)
			lmf_shadow_settle(shadow);
		return;
	}
	if (slot) {
		lmf_leaf_set(shadow->pool, slot, lo % LMF_LEAF_BITS,
			     hi % LMF_LEAF_BITS);
		return;
	}
	lmf_shadow_forget(shadow);
	i = lmf_shadow_first_span(shadow, iova);
	shadow->near_span = min(i, shadow->nspans - 1);
	for (; i < shadow->nspans && shadow->spans[i].iova <= last; i++) {
		lmf_slot_set(shadow->pool, &shadow->root, shadow->level,
			     max(iova, shadow->spans[i].iova) >>
				     LMF_SHADOW_SHIFT,
			     min(last, shadow->spans[i].last) >>
				     LMF_SHADOW_SHIFT);
		cond_resched();
	}
}

/**
 * lmf_shadow_mark() - mark the tracked pages of [iova, iova + length) dirty
 * @shadow: shadow
 * @iova: first byte
 * @length: bytes, at least 1; @iova + @length - 1 does not wrap
 *
 * What is not tracked is left out, whatever the device says of it.
 */
void lmf_shadow_mark(struct lmf_shadow *shadow, u64 iova, u64 length)
{
	u64 last = iova + length - 1;
	u64 lo = iova >> LMF_SHADOW_SHIFT, hi = last >> LMF_SHADOW_SHIFT;

	/* Nothing is to be saved for this. */
	if (lo == hi && shadow->near &&
	    lo >> LMF_LEAF_SHIFT == shadow->near_leaf &&
	    lmf_leaf_add(*shadow->near, lo % LMF_LEAF_BITS))
		return;
	lmf_shadow_mark_far(shadow, iova, last);
}

/**
 * lmf_shadow_mark_all() - mark all that is tracked
 * @shadow: shadow
 */
void lmf_shadow_mark_all(struct lmf_shadow *shadow)
{
	u32 i;

	lmf_shadow_forget(shadow);
	for (i = 0; i < shadow->nspans; i++)
		lmf_slot_set(shadow->pool, &shadow->root, shadow->level,
			     shadow->spans[i].iova >> LMF_SHADOW_SHIFT,
			     shadow->spans[i].last >> LMF_SHADOW_SHIFT);
}

static int lmf_shadow_mark_run(void *priv, u64 iova, u64 length)
{
	lmf_shadow_mark(priv, iova, length);
	return 0;
}

/**
 * lmf_shadow_give_back() - mark in a shadow what was taken out of it
 * @shadow: shadow
 * @iova: first byte of the window
 * @last: last byte of it
 * @taken: what was taken; it keeps it
 */
void lmf_shadow_give_back(struct lmf_shadow *shadow, u64 iova, u64 last,
			  struct lmf_shadow *taken)
{
	lmf_shadow_walk(taken, iova, last, lmf_shadow_mark_run, shadow);
}

/**
 * lmf_shadow_take() - move a window out of a shadow
 * @shadow: shadow
 * @iova: first byte of the window
 * @last: last byte of it
 * @taken: becomes a shadow of what was dirty in the window; to be destroyed
 *
 * @taken holds for nothing outside the window. A page that is only partly in
 * the window is in @taken and stays in @shadow: its rest was not asked for.
 */
void lmf_shadow_take(struct lmf_shadow *shadow, u64 iova, u64 last,
		     struct lmf_shadow *taken)
{
	u64 lo = iova >> LMF_SHADOW_SHIFT;
	u64 hi = min(last >> LMF_SHADOW_SHIFT, lmf_slot_last(shadow->level));

	lmf_shadow_forget(shadow);
	*taken = *shadow;
	taken->root = NULL;
	if (lo > hi)
		return;
	lmf_slot_take(shadow->pool, &shadow->root, &taken->root, shadow->level,
		      lo, hi);
	if (iova & LMF_PAGE_MASK)
		lmf_shadow_give_back(shadow, iova & ~LMF_PAGE_MASK,
				     iova | LMF_PAGE_MASK, taken);
	if (~last & LMF_PAGE_MASK)
		lmf_shadow_give_back(shadow, last & ~LMF_PAGE_MASK,
				     last | LMF_PAGE_MASK, taken);
}

static int lmf_walk_slot(struct lmf_walk *walk, void *slot,
			 unsigned int level, u64 base, u64 lo, u64 hi)
{
	const struct lmf_node *node = slot;
	unsigned int i;
	int ret = 0;

	if (!slot)
		return 0;
	if (slot == LMF_FULL)
		return lmf_walk_add(walk, base + lo, hi - lo + 1);
	if (!level)
		return lmf_leaf_walk(walk, slot, base, lo, hi);
	for (i = lmf_child_index(level, lo);
	     i <= lmf_child_index(level, hi) && !ret; i++) {
		ret = lmf_walk_slot(walk, node->slot[i], level - 1,
				    base + i * (lmf_slot_last(level - 1) + 1),
				    lmf_child_lo(level, lo, i),
				    lmf_child_hi(level, hi, i));
		if (level == 1)
			cond_resched();
	}
	return ret;
}

/**
 * lmf_shadow_walk() - emit the dirty pages of a window
 * @shadow: shadow; what is in it does not change
 * @iova: first byte of the window
 * @last: last byte of it
 * @emit: called for each run, ascending; runs are as long as can be
 * @priv: passed to @emit
 *
 * Return: 0, or the first error of @emit, which ends the walk.
 */
int lmf_shadow_walk(struct lmf_shadow *shadow, u64 iova, u64 last,
		    lmf_shadow_emit_t emit, void *priv)
{
	struct lmf_walk walk = { .emit = emit, .priv = priv };
	int ret = 0;
	u32 i;

	lmf_shadow_settle(shadow);
	for (i = lmf_shadow_first_span(shadow, iova);
	     i < shadow->nspans && shadow->spans[i].iova <= last && !ret; i++) {
		walk.iova = max(iova, shadow->spans[i].iova);
		walk.last = min(last, shadow->spans[i].last);
		walk.start = 0;
		walk.end = 0;
		ret = lmf_walk_slot(&walk, shadow->root, shadow->level, 0,
				    walk.iova >> LMF_SHADOW_SHIFT,
				    walk.last >> LMF_SHADOW_SHIFT);
		if (!ret)
			ret = lmf_walk_flush(&walk);
	}
	return ret;
}
