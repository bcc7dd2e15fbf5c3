// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shadow between the device's log and the user's bitmap: a set of dirty
 * pages. The log may be drained into it at any time and in any order; a report
 * takes its window out and walks it in ascending order.
 *
 * It is a tree like a page table. A leaf is a bitmap of 32768 pages, 128 MiB;
 * a node has 512 slots. A slot is NULL (clean), LMF_FULL (all of it dirty,
 * which takes no memory) or a block, so cost and memory follow what is dirty,
 * and marking never fails: without a block, its slot becomes LMF_FULL.
 * Too much is allowed, too little never. For the same reason a full slot that
 * cannot be split stays full when a part of it is taken.
 *
 * The functions on slots recurse at most LMF_LEVELS deep. Their @lo and @hi are
 * pages, inclusive, counted from the first page of the slot.
 *
 * Pure: no device, no user memory. The caller serialises, except that a shadow
 * that was taken out shares nothing with its source but the pool.
 */
#include <linux/bitmap.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <linux/lmf.h>

#include "shadow.h"

#define LMF_LEAF_SHIFT	15
#define LMF_LEAF_BITS	BIT(LMF_LEAF_SHIFT)
#define LMF_NODE_SHIFT	9
#define LMF_NODE_SLOTS	BIT(LMF_NODE_SHIFT)
#define LMF_LEVELS	6	/* 15 + 5 * 9 bits are enough for 52 */

#define LMF_PAGE_MASK	((1ull << LMF_SHADOW_SHIFT) - 1)

/* Running out of memory costs precision, which is no reason to kill anyone. */
#define LMF_GFP		(GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN)

static char lmf_full_mark;
#define LMF_FULL	((void *)&lmf_full_mark)

struct lmf_node {
	void *slot[LMF_NODE_SLOTS];
};

static_assert(LMF_LEAF_BITS / 8 == LMF_SHADOW_BLOCK);
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

static bool lmf_slot_is_block(const void *slot)
{
	return slot && slot != LMF_FULL;
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

static void *lmf_block_alloc(struct lmf_shadow_pool *pool)
{
	void *block = NULL;

	if (atomic_inc_return(&pool->used) <= pool->limit)
		block = kzalloc(LMF_SHADOW_BLOCK, LMF_GFP);
	if (!block) {
		atomic_dec(&pool->used);
		atomic_inc(&pool->failed);
	}
	return block;
}

static void lmf_block_free(struct lmf_shadow_pool *pool, void *block)
{
	kfree(block);
	atomic_dec(&pool->used);
}

static bool lmf_block_empty(const void *block, unsigned int level)
{
	const struct lmf_node *node = block;
	unsigned int i;

	if (!level)
		return bitmap_empty(block, LMF_LEAF_BITS);
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

	if (lmf_slot_is_block(*slot)) {
		for (i = 0; level && i < LMF_NODE_SLOTS; i++)
			lmf_slot_free(pool, &node->slot[i], level - 1);
		lmf_block_free(pool, *slot);
		if (level == 1)
			cond_resched();
	}
	*slot = NULL;
}

static void lmf_slot_shrink(struct lmf_shadow_pool *pool, void **slot,
			    unsigned int level)
{
	if (lmf_block_empty(*slot, level)) {
		lmf_block_free(pool, *slot);
		*slot = NULL;
	}
}

static bool lmf_slot_grow(struct lmf_shadow_pool *pool, void **slot)
{
	if (!*slot)
		*slot = lmf_block_alloc(pool);
	return *slot;
}

/* Turns a full slot into a block that is full. */
static bool lmf_slot_split(struct lmf_shadow_pool *pool, void **slot,
			   unsigned int level)
{
	struct lmf_node *node;
	unsigned int i;

	node = lmf_block_alloc(pool);
	if (!node)
		return false;
	if (!level)
		bitmap_fill((unsigned long *)node, LMF_LEAF_BITS);
	for (i = 0; level && i < LMF_NODE_SLOTS; i++)
		node->slot[i] = LMF_FULL;
	*slot = node;
	return true;
}

static void lmf_leaf_set(unsigned long *leaf, u64 lo, u64 hi)
{
	if (lo == hi)
		__set_bit(lo, leaf);
	else
		bitmap_set(leaf, lo, hi - lo + 1);
}

/* Descends without recursion as long as one child holds all of it. */
static void lmf_slot_set(struct lmf_shadow_pool *pool, void **slot,
			 unsigned int level, u64 lo, u64 hi)
{
	unsigned int i, last;
	struct lmf_node *node;

	while (*slot != LMF_FULL) {
		if (lmf_slot_whole(level, lo, hi) ||
		    !lmf_slot_grow(pool, slot)) {
			lmf_slot_free(pool, slot, level);
			*slot = LMF_FULL;
			return;
		}
		if (!level) {
			lmf_leaf_set(*slot, lo, hi);
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
	if (!*slot ||
	    (*slot == LMF_FULL && !lmf_slot_split(pool, slot, level)))
		return;
	if (level) {
		node = *slot;
		for (i = lmf_child_index(level, lo);
		     i <= lmf_child_index(level, hi); i++)
			lmf_slot_clear(pool, &node->slot[i], level - 1,
				       lmf_child_lo(level, lo, i),
				       lmf_child_hi(level, hi, i));
	} else {
		bitmap_clear(*slot, lo, hi - lo + 1);
	}
	lmf_slot_shrink(pool, slot, level);
}

static void lmf_leaf_take(unsigned long *src, unsigned long *dst, u64 lo,
			  u64 hi)
{
	bitmap_set(dst, lo, hi - lo + 1);
	bitmap_and(dst, dst, src, LMF_LEAF_BITS);
	bitmap_clear(src, lo, hi - lo + 1);
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
	if (*src == LMF_FULL || !lmf_slot_grow(pool, dst)) {
		*dst = LMF_FULL;
		lmf_slot_clear(pool, src, level, lo, hi);
		return;
	}
	from = *src;
	to = *dst;
	if (!level)
		lmf_leaf_take(*src, *dst, lo, hi);
	for (i = lmf_child_index(level, lo);
	     level && i <= lmf_child_index(level, hi); i++)
		lmf_slot_take(pool, &from->slot[i], &to->slot[i], level - 1,
			      lmf_child_lo(level, lo, i),
			      lmf_child_hi(level, hi, i));
	lmf_slot_shrink(pool, src, level);
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

/**
 * lmf_shadow_destroy() - free what a shadow holds; it is clean then
 * @shadow: shadow
 */
void lmf_shadow_destroy(struct lmf_shadow *shadow)
{
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
	u32 i;

	for (i = lmf_shadow_first_span(shadow, iova);
	     i < shadow->nspans && shadow->spans[i].iova <= last; i++)
		lmf_slot_set(shadow->pool, &shadow->root, shadow->level,
			     max(iova, shadow->spans[i].iova) >>
				     LMF_SHADOW_SHIFT,
			     min(last, shadow->spans[i].last) >>
				     LMF_SHADOW_SHIFT);
}

/**
 * lmf_shadow_mark_all() - mark all that is tracked
 * @shadow: shadow
 */
void lmf_shadow_mark_all(struct lmf_shadow *shadow)
{
	u32 i;

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

/*
 * A walk: the window in bytes, and the run of dirty pages [start, end) that is
 * not emitted yet because it may go on.
 */
struct lmf_walk {
	u64 iova;
	u64 last;
	u64 start;
	u64 end;
	lmf_shadow_emit_t emit;
	void *priv;
};

static int lmf_walk_flush(struct lmf_walk *walk)
{
	u64 first, last;

	if (walk->start == walk->end)
		return 0;
	first = max(walk->start << LMF_SHADOW_SHIFT, walk->iova);
	last = min((walk->end << LMF_SHADOW_SHIFT) - 1, walk->last);
	return walk->emit(walk->priv, first, last - first + 1);
}

static int lmf_walk_add(struct lmf_walk *walk, u64 start, u64 pages)
{
	int ret = 0;

	if (start != walk->end) {
		ret = lmf_walk_flush(walk);
		walk->start = start;
	}
	walk->end = start + pages;
	return ret;
}

/* By words: most are 0 or all ones, or hold very few runs. */
static int lmf_walk_word(struct lmf_walk *walk, u64 base, unsigned long word)
{
	unsigned int start, bits;
	int ret = 0;

	if (!~word)
		return lmf_walk_add(walk, base, BITS_PER_LONG);
	while (word && !ret) {
		start = __ffs(word);
		bits = __ffs(~(word >> start));
		ret = lmf_walk_add(walk, base + start, bits);
		word &= ~GENMASK(start + bits - 1, start);
	}
	return ret;
}

static int lmf_walk_leaf(struct lmf_walk *walk, const unsigned long *leaf,
			 u64 base, u64 lo, u64 hi)
{
	unsigned int first = lo / BITS_PER_LONG, last = hi / BITS_PER_LONG, i;
	unsigned long word;
	int ret = 0;

	for (i = first; i <= last && !ret; i++) {
		word = leaf[i];
		if (!word)
			continue;
		if (i == first)
			word &= BITMAP_FIRST_WORD_MASK(lo);
		if (i == last)
			word &= BITMAP_LAST_WORD_MASK(hi + 1);
		ret = lmf_walk_word(walk, base + i * BITS_PER_LONG, word);
	}
	return ret;
}

static int lmf_walk_slot(struct lmf_walk *walk, const void *slot,
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
		return lmf_walk_leaf(walk, slot, base, lo, hi);
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
 * @shadow: shadow; not changed
 * @iova: first byte of the window
 * @last: last byte of it
 * @emit: called for each run, ascending; runs are as long as can be
 * @priv: passed to @emit
 *
 * Return: 0, or the first error of @emit, which ends the walk.
 */
int lmf_shadow_walk(const struct lmf_shadow *shadow, u64 iova, u64 last,
		    lmf_shadow_emit_t emit, void *priv)
{
	struct lmf_walk walk = { .emit = emit, .priv = priv };
	int ret = 0;
	u32 i;

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
