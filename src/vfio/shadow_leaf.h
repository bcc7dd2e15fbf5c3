/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMF_VFIO_SHADOW_LEAF_H
#define LMF_VFIO_SHADOW_LEAF_H

#include <linux/bits.h>
#include <linux/minmax.h>
#include <linux/prefetch.h>
#include <linux/types.h>

#include "shadow.h"

#define LMF_LEAF_SHIFT	15
#define LMF_LEAF_BITS	BIT(LMF_LEAF_SHIFT)

#define LMF_PIECE_SHIFT	9	/* 64 of them are a leaf */
#define LMF_PIECE_PAGES	BIT(LMF_PIECE_SHIFT)

extern const unsigned long lmf_full_mark;	/* aligned: bit 0 is a tag */
#define LMF_FULL	((void *)&lmf_full_mark)

/*
 * A list in a slot: memory of LMF_LIST_BYTES, which kmalloc() aligns to that,
 * it being a power of two; and below the address how many pages are in it, and
 * the tag. So to add one, no memory is looked at but where it goes.
 */
#define LMF_LIST_BYTES	512
#define LMF_LIST_TAG	1ul
#define LMF_LIST_ONE	2ul
#define LMF_LIST_PAGES	(LMF_LIST_BYTES / sizeof(u16) - 1)

/**
 * struct lmf_list - a leaf with little in it
 * @page: dirty pages as they came, perhaps some twice
 */
struct lmf_list {
	u16 page[LMF_LIST_BYTES / sizeof(u16)];
};

static inline struct lmf_list *lmf_slot_list(void *slot)
{
	unsigned long value = (unsigned long)slot;

	return value & LMF_LIST_TAG ?
	       (void *)(value & ~(LMF_LIST_BYTES - 1ul)) : NULL;
}

static inline u32 lmf_slot_count(void *slot)
{
	return (unsigned long)slot % LMF_LIST_BYTES / LMF_LIST_ONE;
}

static inline void lmf_list_add(void **slot, u32 page)
{
	lmf_slot_list(*slot)->page[lmf_slot_count(*slot)] = page;
	*slot += LMF_LIST_ONE;
}

/* What most marks come to. */
static inline bool lmf_leaf_add(void **slot, u32 page)
{
	if (!lmf_slot_list(*slot) || lmf_slot_count(*slot) == LMF_LIST_PAGES)
		return false;
	lmf_list_add(slot, page);
	return true;
}

/* Adds pieces to a leaf. Returns false if that is not all there is to do. */
static inline bool lmf_leaf_add_pieces(void *slot, u64 *pieces, u32 lo, u32 hi)
{
	u64 sum = *pieces | GENMASK_ULL(hi >> LMF_PIECE_SHIFT,
					lo >> LMF_PIECE_SHIFT);

	if ((lo | (hi + 1)) % LMF_PIECE_PAGES || slot == LMF_FULL || !~sum)
		return false;
	*pieces = sum;
	return true;
}

/* Where the next page will go, if it is a list. */
static inline void lmf_leaf_prefetch(void *slot)
{
	prefetchw(&lmf_slot_list(slot)->page[lmf_slot_count(slot)]);
}

/**
 * struct lmf_walk - a walk over a shadow
 * @iova: first byte of the window
 * @last: last byte of it
 * @start: first page of the run that is not emitted yet, as it may go on
 * @end: the page behind it
 * @emit: called for each run
 * @priv: passed to @emit
 */
struct lmf_walk {
	u64 iova;
	u64 last;
	u64 start;
	u64 end;
	lmf_shadow_emit_t emit;
	void *priv;
};

/* What is not in the window is left out here, once for each run. */
static inline int lmf_walk_flush(struct lmf_walk *walk)
{
	u64 first = max(walk->start << LMF_SHADOW_SHIFT, walk->iova);
	u64 last = min((walk->end << LMF_SHADOW_SHIFT) - 1, walk->last);

	if (walk->start == walk->end || first > last)
		return 0;
	return walk->emit(walk->priv, first, last - first + 1);
}

/* Ascending, but twice the same page does no harm. */
static inline int lmf_walk_add(struct lmf_walk *walk, u64 start, u64 pages)
{
	int ret = 0;

	if (start > walk->end) {
		ret = lmf_walk_flush(walk);
		walk->start = start;
	}
	walk->end = max(walk->end, start + pages);
	return ret;
}

void *lmf_block_alloc(struct lmf_shadow_pool *pool, unsigned int bytes);
void *lmf_block_alloc_raw(struct lmf_shadow_pool *pool, unsigned int bytes);
void lmf_block_free(struct lmf_shadow_pool *pool, void *block,
		    unsigned int bytes);

void lmf_leaf_set(struct lmf_shadow_pool *pool, void **slot, u64 *pieces,
		  u32 lo, u32 hi);
void lmf_leaf_clear(struct lmf_shadow_pool *pool, void **slot, u64 *pieces,
		    u32 lo, u32 hi);
void lmf_leaf_take(struct lmf_shadow_pool *pool, void **src, u64 *src_pieces,
		   void **dst, u64 *dst_pieces, u32 lo, u32 hi);
void lmf_leaf_free(struct lmf_shadow_pool *pool, void **slot, u64 *pieces);
int lmf_leaf_walk(struct lmf_walk *walk, void *slot, u64 pieces, u64 base,
		  u32 lo, u32 hi);

#endif
