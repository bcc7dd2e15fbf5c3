// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shadow between the device's log and the user's bitmap: a set of dirty
 * pages. The log may be drained into it at any time and in any order; a report
 * takes its window out and walks it in ascending order.
 *
 * It is a tree like a page table. A leaf stands for 32768 pages, 128 MiB, see
 * shadow_leaf.c; a node has 512 slots, or 256 if they are leaves, with a word
 * for each of them besides. A slot is NULL (clean), LMF_FULL (all of it
 * dirty, which takes no memory) or memory, so cost and memory follow what is
 * dirty, and marking never fails: without memory, its slot becomes LMF_FULL.
 * Too much is allowed, too little never. For the same reason a full slot that
 * cannot be split stays full when a part of it is taken.
 *
 * Leaves are at level 0, so the root is at level 1 or above. The functions on
 * slots, which are those of nodes, recurse at most LMF_LEVELS deep. Their @lo
 * and @hi are pages, inclusive, counted from the first page of the slot.
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
#define LMF_NODE_LEAVES	(LMF_NODE_SLOTS / 2)
#define LMF_LEVELS	6	/* 15 + 8 + 4 * 9 bits are enough for 52 */

#define LMF_PAGE_MASK	((1ull << LMF_SHADOW_SHIFT) - 1)

/* Running out of memory costs precision, which is no reason to kill anyone. */
#define LMF_GFP		(GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN)

const unsigned long lmf_full_mark;

/* At level 1 @pieces tells of each leaf what is dirty as a whole. */
struct lmf_node {
	union {
		void *slot[LMF_NODE_SLOTS];
		struct {
			void *leaf[LMF_NODE_LEAVES];
			u64 pieces[LMF_NODE_LEAVES];
		};
	};
};

static_assert(sizeof(struct lmf_node) <= LMF_SHADOW_BLOCK);
static_assert(offsetof(struct lmf_node, leaf) ==
	      offsetof(struct lmf_node, slot));

static unsigned int lmf_node_slots(unsigned int level)
{
	return level == 1 ? LMF_NODE_LEAVES : LMF_NODE_SLOTS;
}

/* A slot at @level is so many pages, as a power of two. */
static unsigned int lmf_slot_shift(unsigned int level)
{
	return LMF_LEAF_SHIFT + level * LMF_NODE_SHIFT - !!level;
}

/* The last page of a slot at @level. */
static u64 lmf_slot_last(unsigned int level)
{
	return (1ull << lmf_slot_shift(level)) - 1;
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
	return page >> lmf_slot_shift(level - 1);
}

static void *lmf_block_get(struct lmf_shadow_pool *pool, unsigned int bytes,
			   gfp_t gfp)
{
	int units = bytes / LMF_SHADOW_UNIT;
	void *block = NULL;

	if (atomic_add_return(units, &pool->used) <= pool->limit)
		block = kmalloc(bytes, gfp);
	if (!block) {
		atomic_sub(units, &pool->used);
		atomic_inc(&pool->failed);
	}
	return block;
}

/* Of @bytes, which is a multiple of LMF_SHADOW_UNIT; zeroed. */
void *lmf_block_alloc(struct lmf_shadow_pool *pool, unsigned int bytes)
{
	return lmf_block_get(pool, bytes, LMF_GFP | __GFP_ZERO);
}

/* What is in it is old. */
void *lmf_block_alloc_raw(struct lmf_shadow_pool *pool, unsigned int bytes)
{
	return lmf_block_get(pool, bytes, LMF_GFP);
}

void lmf_block_free(struct lmf_shadow_pool *pool, void *block,
		    unsigned int bytes)
{
	kfree(block);
	atomic_sub(bytes / LMF_SHADOW_UNIT, &pool->used);
}

static bool lmf_node_empty(const struct lmf_node *node, unsigned int level)
{
	unsigned int i;

	for (i = 0; i < lmf_node_slots(level); i++)
		if (node->slot[i] || (level == 1 && node->pieces[i]))
			return false;
	return true;
}

static void lmf_slot_free(struct lmf_shadow_pool *pool, void **slot,
			  unsigned int level)
{
	struct lmf_node *node = *slot;
	unsigned int i;

	*slot = NULL;
	if (!node || node == LMF_FULL)
		return;
	for (i = 0; i < lmf_node_slots(level); i++) {
		if (!node->slot[i] || node->slot[i] == LMF_FULL)
			continue;
		if (level == 1)
			lmf_leaf_free(pool, &node->slot[i], &node->pieces[i]);
		else
			lmf_slot_free(pool, &node->slot[i], level - 1);
	}
	lmf_block_free(pool, node, sizeof(*node));
	if (level == 1)
		cond_resched();
}

static void lmf_node_shrink(struct lmf_shadow_pool *pool, void **slot,
			    unsigned int level)
{
	if (lmf_node_empty(*slot, level)) {
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
static bool lmf_node_split(struct lmf_shadow_pool *pool, void **slot,
			   unsigned int level)
{
	struct lmf_node *node = lmf_block_alloc(pool, sizeof(*node));
	unsigned int i;

	if (!node)
		return false;
	for (i = 0; i < lmf_node_slots(level); i++)
		node->slot[i] = LMF_FULL;
	*slot = node;
	return true;
}

typedef void (*lmf_leaf_fn)(struct lmf_shadow_pool *pool, void **slot,
			    u64 *pieces, u32 lo, u32 hi);
typedef void (*lmf_slot_fn)(struct lmf_shadow_pool *pool, void **slot,
			    unsigned int level, u64 lo, u64 hi);

/* For all children that [lo, hi] touches. */
static void lmf_node_each(struct lmf_shadow_pool *pool, struct lmf_node *node,
			  unsigned int level, u64 lo, u64 hi, lmf_leaf_fn leaf,
			  lmf_slot_fn slot)
{
	unsigned int i;
	u64 first, last;

	for (i = lmf_child_index(level, lo); i <= lmf_child_index(level, hi);
	     i++) {
		first = lmf_child_lo(level, lo, i);
		last = lmf_child_hi(level, hi, i);
		if (level == 1)
			leaf(pool, &node->leaf[i], &node->pieces[i], first,
			     last);
		else
			slot(pool, &node->slot[i], level - 1, first, last);
	}
}

static void lmf_slot_set(struct lmf_shadow_pool *pool, void **slot,
			 unsigned int level, u64 lo, u64 hi)
{
	if (*slot == LMF_FULL)
		return;
	if (lmf_slot_whole(level, lo, hi) || !lmf_node_grow(pool, slot)) {
		lmf_slot_free(pool, slot, level);
		*slot = LMF_FULL;
		return;
	}
	lmf_node_each(pool, *slot, level, lo, hi, lmf_leaf_set, lmf_slot_set);
}

static void lmf_slot_clear(struct lmf_shadow_pool *pool, void **slot,
			   unsigned int level, u64 lo, u64 hi)
{
	if (lmf_slot_whole(level, lo, hi)) {
		lmf_slot_free(pool, slot, level);
		return;
	}
	if (!*slot ||
	    (*slot == LMF_FULL && !lmf_node_split(pool, slot, level)))
		return;
	lmf_node_each(pool, *slot, level, lo, hi, lmf_leaf_clear,
		      lmf_slot_clear);
	lmf_node_shrink(pool, slot, level);
}

/* Moves [lo, hi] from @src to @dst, which is clean; may move too much there. */
static void lmf_slot_take(struct lmf_shadow_pool *pool, void **src, void **dst,
			  unsigned int level, u64 lo, u64 hi)
{
	struct lmf_node *from, *to;
	unsigned int i;
	u64 first, last;

	if (!*src)
		return;
	if (lmf_slot_whole(level, lo, hi)) {
		*dst = *src;
		*src = NULL;
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
	     i++) {
		first = lmf_child_lo(level, lo, i);
		last = lmf_child_hi(level, hi, i);
		if (level > 1)
			lmf_slot_take(pool, &from->slot[i], &to->slot[i],
				      level - 1, first, last);
		else if (from->slot[i] || from->pieces[i])
			lmf_leaf_take(pool, &from->slot[i], &from->pieces[i],
				      &to->slot[i], &to->pieces[i], first,
				      last);
	}
	lmf_node_shrink(pool, src, level);
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
		.level = 1,
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
		if (!lmf_leaf_add(shadow->ahead[i].slot,
				  shadow->ahead[i].page))
			lmf_leaf_set(shadow->pool, shadow->ahead[i].slot,
				     shadow->ahead[i].pieces,
				     shadow->ahead[i].page,
				     shadow->ahead[i].page);
	shadow->nahead = 0;
}

/* Whatever frees a node must have all of them forgotten. */
static void lmf_shadow_forget(struct lmf_shadow *shadow)
{
	lmf_shadow_settle(shadow);
	memset(shadow->near, 0, sizeof(shadow->near));
	shadow->last = NULL;
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

/* The node with the leaf that holds @page, if there is one. */
static struct lmf_node *lmf_shadow_node(struct lmf_shadow *shadow, u64 page)
{
	struct lmf_node *node = shadow->root;
	unsigned int level = shadow->level;

	for (; level > 1 && node && node != LMF_FULL; level--)
		node = node->slot[lmf_child_index(level, page) %
				  LMF_NODE_SLOTS];
	return node == LMF_FULL ? NULL : node;
}

static struct lmf_near *lmf_shadow_near(struct lmf_shadow *shadow, u64 page)
{
	return &shadow->near[(page >> lmf_slot_shift(1)) % LMF_SHADOW_NEAR];
}

/* Does one node hold [lo, hi], and is all of it tracked? Then it is near. */
static bool lmf_shadow_find(struct lmf_shadow *shadow, u64 lo, u64 hi)
{
	const struct lmf_log_span *span = &shadow->spans[shadow->near_span];
	u64 first = span->iova >> LMF_SHADOW_SHIFT;
	u64 last = span->last >> LMF_SHADOW_SHIFT;
	struct lmf_near *near = lmf_shadow_near(shadow, lo);
	u64 base = lo & ~lmf_slot_last(1);

	if (lo < first || hi > last)
		return false;
	near->node = lmf_shadow_node(shadow, lo);
	near->first = max(base, first);
	near->end = near->node ?
		    min(base + lmf_slot_last(1), last) + 1 : 0;
	return hi < near->end;
}

static void lmf_shadow_mark_ahead(struct lmf_shadow *shadow, void **slot,
				  u64 *pieces, u32 page)
{
	u32 n = shadow->nahead++;

	lmf_leaf_prefetch(*slot);
	shadow->ahead[n].slot = slot;
	shadow->ahead[n].pieces = pieces;
	shadow->ahead[n].page = page;
	if (shadow->nahead == LMF_SHADOW_AHEAD)
		lmf_shadow_settle(shadow);
}

/* Most extents lie in one leaf, and most pages in a list. */
static void lmf_shadow_mark_near(struct lmf_shadow *shadow,
				 const struct lmf_near *near, u64 lo, u64 hi)
{
	u64 leaf = lo >> LMF_LEAF_SHIFT, first = leaf << LMF_LEAF_SHIFT;
	void **slot = &near->node->leaf[leaf % LMF_NODE_LEAVES];
	u64 *pieces = &near->node->pieces[leaf % LMF_NODE_LEAVES];

	if (lo != hi &&
	    lmf_leaf_add_pieces(*slot, pieces, lo % LMF_LEAF_BITS,
				hi % LMF_LEAF_BITS))
		return;
	if (first >= near->first && first + LMF_LEAF_BITS <= near->end) {
		shadow->last = slot;
		shadow->last_leaf = leaf;
	}
	if (lo == hi && lmf_slot_list(*slot))
		lmf_shadow_mark_ahead(shadow, slot, pieces,
				      lo % LMF_LEAF_BITS);
	else
		lmf_leaf_set(shadow->pool, slot, pieces, lo % LMF_LEAF_BITS,
			     hi % LMF_LEAF_BITS);
}

static noinline void lmf_shadow_mark_far(struct lmf_shadow *shadow, u64 iova,
					 u64 last)
{
	u32 i;

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

/* In the leaf that was marked last nothing is to be saved, not a register. */
static noinline void lmf_shadow_mark_other(struct lmf_shadow *shadow, u64 iova,
					   u64 last)
{
	u64 lo = iova >> LMF_SHADOW_SHIFT, hi = last >> LMF_SHADOW_SHIFT;
	const struct lmf_near *near = lmf_shadow_near(shadow, lo);

	if (lo >> LMF_LEAF_SHIFT == hi >> LMF_LEAF_SHIFT &&
	    ((lo >= near->first && hi < near->end) ||
	     lmf_shadow_find(shadow, lo, hi)))
		lmf_shadow_mark_near(shadow, near, lo, hi);
	else
		lmf_shadow_mark_far(shadow, iova, last);
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

	if (lo == hi && shadow->last &&
	    lo >> LMF_LEAF_SHIFT == shadow->last_leaf &&
	    lmf_leaf_add(shadow->last, lo % LMF_LEAF_BITS))
		return;
	lmf_shadow_mark_other(shadow, iova, last);
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
	u64 start, first, last;
	unsigned int i;
	int ret = 0;

	if (!slot)
		return 0;
	if (slot == LMF_FULL)
		return lmf_walk_add(walk, base + lo, hi - lo + 1);
	for (i = lmf_child_index(level, lo);
	     i <= lmf_child_index(level, hi) && !ret; i++) {
		start = base + i * (lmf_slot_last(level - 1) + 1);
		first = lmf_child_lo(level, lo, i);
		last = lmf_child_hi(level, hi, i);
		if (level > 1)
			ret = lmf_walk_slot(walk, node->slot[i], level - 1,
					    start, first, last);
		else if (node->slot[i] || node->pieces[i])
			ret = lmf_leaf_walk(walk, node->slot[i],
					    node->pieces[i], start, first,
					    last);
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
