// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A bounded set of granules, kept as sorted extents with gaps between them.
 */
#include "fw.h"

bool fw_extents_alloc(struct lmf_fw *fw, struct fw_extents *set,
		      unsigned int max)
{
	set->count = 0;
	set->max = max;
	set->extent = fw_alloc(fw, max * sizeof(*set->extent));
	return set->extent;
}

/* @set->max is what it was allocated with. */
void fw_extents_free(struct lmf_fw *fw, struct fw_extents *set)
{
	fw_free(fw, set->extent, set->max * sizeof(*set->extent));
	set->extent = NULL;
}

/* Drops the extents that end before they begin. */
void fw_extents_sweep(struct fw_extents *set)
{
	unsigned int i, kept = 0;

	for (i = 0; i < set->count; i++)
		if (set->extent[i].first <= set->extent[i].last)
			set->extent[kept++] = set->extent[i];
	set->count = kept;
}

/* The first extent that ends at or behind @granule; the count if none. */
unsigned int fw_extents_find(const struct fw_extents *set, uint64_t granule)
{
	unsigned int low = 0, high = set->count, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (set->extent[middle].last < granule)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void fw_extents_remove(struct fw_extents *set, unsigned int index)
{
	set->count--;
	memmove(&set->extent[index], &set->extent[index + 1],
		(set->count - index) * sizeof(set->extent[0]));
}

static void fw_extent_cover(struct fw_extent *extent,
			    const struct fw_extent *other)
{
	extent->first = fw_min(extent->first, other->first);
	extent->last = fw_max(extent->last, other->last);
	extent->due = fw_min(extent->due, other->due);
	extent->coarse |= other->coarse;
}

/*
 * Merges extent @index with its successor and what lies between. The earlier
 * of the two times to post holds: early is allowed, late is not.
 */
void fw_extents_join(struct fw_extents *set, unsigned int index)
{
	fw_extent_cover(&set->extent[index], &set->extent[index + 1]);
	fw_extents_remove(set, index + 1);
}

/* Takes @new in if it touches what is there. */
bool fw_extents_merge(struct fw_extents *set, const struct fw_extent *new)
{
	uint64_t before = new->first ? new->first - 1 : 0;
	unsigned int i = fw_extents_find(set, before);

	if (i == set->count || set->extent[i].first > new->last + 1)
		return false;
	fw_extent_cover(&set->extent[i], new);
	while (i + 1 < set->count &&
	       set->extent[i + 1].first <= set->extent[i].last + 1)
		fw_extents_join(set, i);
	return true;
}

/* Adds @new, which touches nothing that is there; false if there is no room. */
bool fw_extents_insert(struct fw_extents *set, const struct fw_extent *new)
{
	unsigned int i = fw_extents_find(set, new->first);

	if (set->count >= set->max)
		return false;
	memmove(&set->extent[i + 1], &set->extent[i],
		(set->count - i) * sizeof(set->extent[0]));
	set->extent[i] = *new;
	set->count++;
	return true;
}
