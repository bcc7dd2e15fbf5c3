// SPDX-License-Identifier: GPL-2.0-only
/*
 * A leaf of the shadow: the dirty ones of 32768 pages, 128 MiB.
 *
 * Most leaves are not worth a bitmap. Of a large guest only a few pages here
 * and there are dirty, or all of its huge pages are. So a leaf is a slot and a
 * word beside it. A bit of the word stands for a piece of 2 MiB that is dirty
 * as a whole. The slot begins as a list of single pages, as they come: it takes
 * an eighth of what a bitmap does, and a report need not look at what is clean.
 * When the list is full, or what is dirty does not suit it, it becomes a
 * bitmap. What is in either of them, slot or word, is dirty.
 *
 * A slot is NULL (clean), LMF_FULL (then the word is 0), a list (marked in bit
 * 0) or a bitmap. As in the tree, what finds no memory becomes full.
 */
#include <linux/bitmap.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "shadow_leaf.h"

#define LMF_LIST_RUN	8	/* pages that are worth being listed */

static_assert(LMF_LEAF_BITS / 8 == LMF_SHADOW_BLOCK);
static_assert(LMF_LEAF_SHIFT - LMF_PIECE_SHIFT == 6);

static struct lmf_list *lmf_list_new(struct lmf_shadow_pool *pool, void **slot)
{
	struct lmf_list *list = lmf_block_alloc_raw(pool, LMF_LIST_BYTES);

	*slot = list ? (void *)((unsigned long)list | LMF_LIST_TAG) : LMF_FULL;
	return list;
}

static void lmf_slot_free(struct lmf_shadow_pool *pool, void **slot)
{
	struct lmf_list *list = lmf_slot_list(*slot);

	if (list)
		lmf_block_free(pool, list, LMF_LIST_BYTES);
	else if (*slot && *slot != LMF_FULL)
		lmf_block_free(pool, *slot, LMF_SHADOW_BLOCK);
	*slot = NULL;
}

void lmf_leaf_free(struct lmf_shadow_pool *pool, void **slot, u64 *pieces)
{
	lmf_slot_free(pool, slot);
	*pieces = 0;
}

static void lmf_leaf_fill(struct lmf_shadow_pool *pool, void **slot,
			  u64 *pieces)
{
	lmf_leaf_free(pool, slot, pieces);
	*slot = LMF_FULL;
}

static void lmf_map_set(unsigned long *map, u32 lo, u32 hi)
{
	if (lo == hi)
		__set_bit(lo, map);
	else
		bitmap_set(map, lo, hi - lo + 1);
}

/* Without memory the slot stays as it is. */
static unsigned long *lmf_list_to_map(struct lmf_shadow_pool *pool, void **slot,
				      struct lmf_list *list)
{
	unsigned long *map = lmf_block_alloc(pool, LMF_SHADOW_BLOCK);
	u32 i;

	if (!map)
		return NULL;
	for (i = 0; i < lmf_slot_count(*slot); i++)
		__set_bit(list->page[i], map);
	lmf_block_free(pool, list, LMF_LIST_BYTES);
	*slot = map;
	return map;
}

static bool lmf_list_set(void **slot, u32 lo, u32 hi)
{
	if (hi - lo >= LMF_LIST_RUN ||
	    lmf_slot_count(*slot) + hi - lo >= LMF_LIST_PAGES)
		return false;
	for (; lo <= hi; lo++)
		lmf_list_add(slot, lo);
	return true;
}

static void lmf_pieces_set(struct lmf_shadow_pool *pool, void **slot,
			   u64 *pieces, u32 lo, u32 hi)
{
	*pieces |= GENMASK_ULL(hi >> LMF_PIECE_SHIFT, lo >> LMF_PIECE_SHIFT);
	if (!~*pieces)
		lmf_leaf_fill(pool, slot, pieces);
}

void lmf_leaf_set(struct lmf_shadow_pool *pool, void **slot, u64 *pieces,
		  u32 lo, u32 hi)
{
	struct lmf_list *list = lmf_slot_list(*slot);
	unsigned long *map = *slot;

	if (map == LMF_FULL)
		return;
	if (!((lo | (hi + 1)) % LMF_PIECE_PAGES)) {
		lmf_pieces_set(pool, slot, pieces, lo, hi);
		return;
	}
	if (!map)
		list = lmf_list_new(pool, slot);
	if (list) {
		if (lmf_list_set(slot, lo, hi))
			return;
		map = lmf_list_to_map(pool, slot, list);
	}
	if (map)
		lmf_map_set(map, lo, hi);
	else
		lmf_leaf_fill(pool, slot, pieces);
}

static void lmf_map_set_pieces(unsigned long *map, u64 pieces)
{
	for (; pieces; pieces &= pieces - 1)
		bitmap_set(map, __ffs64(pieces) << LMF_PIECE_SHIFT,
			   LMF_PIECE_PAGES);
}

/* The slot as a bitmap of all that is dirty, or NULL without memory for it. */
static unsigned long *lmf_leaf_map(struct lmf_shadow_pool *pool, void **slot,
				   u64 *pieces)
{
	struct lmf_list *list = lmf_slot_list(*slot);
	unsigned long *map = *slot;

	if (list) {
		map = lmf_list_to_map(pool, slot, list);
	} else if (!map || map == LMF_FULL) {
		map = lmf_block_alloc(pool, LMF_SHADOW_BLOCK);
		if (map && *slot)
			bitmap_fill(map, LMF_LEAF_BITS);
		if (map)
			*slot = map;
	}
	if (map) {
		lmf_map_set_pieces(map, *pieces);
		*pieces = 0;
	}
	return map;
}

static void lmf_map_shrink(struct lmf_shadow_pool *pool, void **slot)
{
	if (bitmap_empty(*slot, LMF_LEAF_BITS))
		lmf_slot_free(pool, slot);
}

/* What cannot be split stays as it is. */
void lmf_leaf_clear(struct lmf_shadow_pool *pool, void **slot, u64 *pieces,
		    u32 lo, u32 hi)
{
	if (hi - lo == LMF_LEAF_BITS - 1) {
		lmf_leaf_free(pool, slot, pieces);
	} else if ((*slot || *pieces) && lmf_leaf_map(pool, slot, pieces)) {
		bitmap_clear(*slot, lo, hi - lo + 1);
		lmf_map_shrink(pool, slot);
	}
}

/* Moves [lo, hi] from @src to @dst, which is clean; may move too much there. */
void lmf_leaf_take(struct lmf_shadow_pool *pool, void **src, u64 *src_pieces,
		   void **dst, u64 *dst_pieces, u32 lo, u32 hi)
{
	unsigned long *from, *to;

	if (hi - lo == LMF_LEAF_BITS - 1) {
		*dst = *src;
		*dst_pieces = *src_pieces;
		*src = NULL;
		*src_pieces = 0;
		return;
	}
	from = *src == LMF_FULL ? NULL : lmf_leaf_map(pool, src, src_pieces);
	to = from ? lmf_leaf_map(pool, dst, dst_pieces) : NULL;
	if (to) {
		bitmap_set(to, lo, hi - lo + 1);
		bitmap_and(to, to, from, LMF_LEAF_BITS);
		lmf_map_shrink(pool, dst);
	} else {
		*dst = LMF_FULL;
	}
	lmf_leaf_clear(pool, src, src_pieces, lo, hi);
}

#define LMF_SORT_SHIFT	8
#define LMF_SORT_LOW	BIT(LMF_SORT_SHIFT)
#define LMF_SORT_HIGH	BIT(LMF_LEAF_SHIFT - LMF_SORT_SHIFT)

static_assert(LMF_LIST_PAGES <= U8_MAX);

/* From how many there are of each digit to where the first of them goes. */
static void lmf_sort_places(u8 *count, u32 digits)
{
	u32 i, sum = 0, n;

	for (i = 0; i < digits; i++) {
		n = count[i];
		count[i] = sum;
		sum += n;
	}
}

/* By the low digit, then by the high one: a report has thousands of lists. */
static void lmf_list_sort(struct lmf_list *list, u32 count)
{
	u8 low[LMF_SORT_LOW] = {}, high[LMF_SORT_HIGH] = {};
	u16 half[LMF_LIST_PAGES], page;
	u32 i;

	for (i = 0; i < count; i++) {
		low[list->page[i] % LMF_SORT_LOW]++;
		high[list->page[i] >> LMF_SORT_SHIFT]++;
	}
	lmf_sort_places(low, LMF_SORT_LOW);
	lmf_sort_places(high, LMF_SORT_HIGH);
	for (i = 0; i < count; i++) {
		page = list->page[i];
		half[low[page % LMF_SORT_LOW]++] = page;
	}
	for (i = 0; i < count; i++) {
		page = half[i];
		list->page[high[page >> LMF_SORT_SHIFT]++] = page;
	}
}

static bool lmf_list_sorted(const struct lmf_list *list, u32 count)
{
	u32 i;

	for (i = 1; i < count; i++)
		if (list->page[i] < list->page[i - 1])
			return false;
	return true;
}

static int lmf_walk_pages(struct lmf_walk *walk, const u16 *page,
			  const u16 *end, u64 base)
{
	int ret;

	for (; page < end; page++) {
		ret = lmf_walk_add(walk, base + *page, 1);
		if (ret)
			return ret;
	}
	return 0;
}

/* Pages and pieces, merged. */
static int lmf_walk_list(struct lmf_walk *walk, struct lmf_list *list,
			 u32 count, u64 pieces, u64 base)
{
	const u16 *page = list->page, *end = page + count, *stop;
	u32 first;
	int ret = 0;

	if (!lmf_list_sorted(list, count))
		lmf_list_sort(list, count);
	for (; pieces && !ret; pieces &= pieces - 1, page = stop) {
		first = __ffs64(pieces) << LMF_PIECE_SHIFT;
		for (stop = page; stop < end && *stop < first; stop++)
			;
		ret = lmf_walk_pages(walk, page, stop, base);
		if (!ret)
			ret = lmf_walk_add(walk, base + first,
					   LMF_PIECE_PAGES);
	}
	return ret ?: lmf_walk_pages(walk, page, end, base);
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

static int lmf_walk_map(struct lmf_walk *walk, const unsigned long *map,
			u64 base, u32 lo, u32 hi)
{
	unsigned int first = lo / BITS_PER_LONG, last = hi / BITS_PER_LONG, i;
	unsigned long word;
	int ret = 0;

	for (i = first; i <= last && !ret; i++) {
		word = map[i];
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

/* By pieces. @map may be NULL. */
static int lmf_walk_both(struct lmf_walk *walk, const unsigned long *map,
			 u64 pieces, u64 base, u32 lo, u32 hi)
{
	u32 i, first, last;
	int ret = 0;

	for (i = lo >> LMF_PIECE_SHIFT; i <= hi >> LMF_PIECE_SHIFT && !ret;
	     i++) {
		first = max(lo, i << LMF_PIECE_SHIFT);
		last = min(hi, ((i + 1) << LMF_PIECE_SHIFT) - 1);
		if (pieces & BIT_ULL(i))
			ret = lmf_walk_add(walk, base + first,
					   last - first + 1);
		else if (map)
			ret = lmf_walk_map(walk, map, base, first, last);
	}
	return ret;
}

/* Sorts, but changes nothing else. */
int lmf_leaf_walk(struct lmf_walk *walk, void *slot, u64 pieces, u64 base,
		  u32 lo, u32 hi)
{
	struct lmf_list *list = lmf_slot_list(slot);

	if (slot == LMF_FULL)
		return lmf_walk_add(walk, base + lo, hi - lo + 1);
	if (list)
		return lmf_walk_list(walk, list, lmf_slot_count(slot), pieces,
				     base);
	if (pieces)
		return lmf_walk_both(walk, slot, pieces, base, lo, hi);
	return slot ? lmf_walk_map(walk, slot, base, lo, hi) : 0;
}
