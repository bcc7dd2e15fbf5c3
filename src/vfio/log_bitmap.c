// SPDX-License-Identifier: GPL-2.0-only
/*
 * Translator of the native dirty-log format `bitmap`, see lmf_log.h: leaves as
 * LOG_READ gave them in, emit(iova, length) out. Bits that follow each other in
 * a leaf become one extent.
 *
 * The device is not trusted and may change a leaf while it is read: what is
 * checked and then used is read once. What breaks the format is refused.
 */
#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/overflow.h>

#include <asm/byteorder.h>

#include "lmf_log.h"
#include "log_bitmap.h"

#define LMF_LEAF_GRANULES	(LMF_LOG_LEAF_BLOCKS * LMF_LOG_BLOCK_GRANULES)
#define LMF_BLOCK_WORDS		(LMF_LOG_BLOCK_GRANULES / 64)

/* Granules [start, end) of the leaf at @iova are dirty and not emitted yet. */
struct lmf_leaf_run {
	u64 iova;
	u32 start;
	u32 end;
	u8 shift;
	lmf_log_emit_t emit;
	void *priv;
};

static u64 lmf_leaf_bytes(u8 shift)
{
	return (u64)LMF_LEAF_GRANULES << shift;
}

static void lmf_leaf_flush(const struct lmf_leaf_run *run)
{
	if (run->end > run->start)
		run->emit(run->priv,
			  run->iova + ((u64)run->start << run->shift),
			  (u64)(run->end - run->start) << run->shift);
}

static void lmf_leaf_run(struct lmf_leaf_run *run, u32 start, u32 granules)
{
	if (start != run->end) {
		lmf_leaf_flush(run);
		run->start = start;
	}
	run->end = start + granules;
}

static void lmf_leaf_word(struct lmf_leaf_run *run, u32 base, u64 word)
{
	u32 start, granules;

	while (word) {
		start = __ffs64(word);
		granules = ~(word >> start) ? __ffs64(~(word >> start)) : 64;
		lmf_leaf_run(run, base + start, granules);
		/* The carry ends the run. */
		word &= word + BIT_ULL(start);
	}
}

/* Most blocks are full, or nearly empty: without a branch for each word. */
static bool lmf_block_full(const struct lmf_log_block *block)
{
	__le64 all = cpu_to_le64(U64_MAX);
	u32 i;

	for (i = 0; i < LMF_BLOCK_WORDS; i++)
		all &= READ_ONCE(block->bits[i]);
	return all == cpu_to_le64(U64_MAX);
}

/* Of one that is not full, bits that come meanwhile are taken along. */
static void lmf_leaf_block(struct lmf_leaf_run *run, u32 base,
			   const struct lmf_log_block *block)
{
	u32 i;

	if (lmf_block_full(block)) {
		lmf_leaf_run(run, base, LMF_LOG_BLOCK_GRANULES);
		return;
	}
	for (i = 0; i < LMF_BLOCK_WORDS; i++)
		lmf_leaf_word(run, base + 64 * i,
			      le64_to_cpu(READ_ONCE(block->bits[i])));
}

/* Returns the bytes that the leaf takes, or -EBADMSG. */
static int lmf_leaf_translate(const struct lmf_log_leaf *leaf, u32 bytes,
			      struct lmf_leaf_run *run)
{
	const struct lmf_log_block *block = (const void *)(leaf + 1);
	u64 iova = le64_to_cpu(READ_ONCE(leaf->iova)), last;
	u64 summary = le64_to_cpu(READ_ONCE(leaf->summary));
	u32 size;

	size = sizeof(*leaf) + hweight64(summary) * sizeof(*block);
	if (!summary || size > bytes ||
	    iova & (lmf_leaf_bytes(run->shift) - 1) ||
	    check_add_overflow(iova, lmf_leaf_bytes(run->shift) - 1, &last))
		return -EBADMSG;
	run->iova = iova;
	run->start = 0;
	run->end = 0;
	for (; summary; summary &= summary - 1, block++)
		lmf_leaf_block(run, __ffs64(summary) * LMF_LOG_BLOCK_GRANULES,
			       block);
	lmf_leaf_flush(run);
	return size;
}

/**
 * lmf_bitmap_translate() - translate leaves
 * @data: what LOG_READ gave
 * @bytes: of it
 * @shift: granule of the log, 2^shift bytes, at most LMF_LOG_SHIFT_LIMIT
 * @emit: called for each run of dirty granules, in the order of the leaves
 * @priv: passed to @emit
 *
 * Return: number of leaves, or -EBADMSG if one is malformed; those before it
 * have been emitted.
 */
int lmf_bitmap_translate(const void *data, u32 bytes, u8 shift,
			 lmf_log_emit_t emit, void *priv)
{
	struct lmf_leaf_run run = {
		.shift = shift, .emit = emit, .priv = priv
	};
	int leaves = 0, ret;

	for (; bytes; bytes -= ret, data += ret, leaves++) {
		if (bytes < sizeof(struct lmf_log_leaf))
			return -EBADMSG;
		ret = lmf_leaf_translate(data, bytes, &run);
		if (ret < 0)
			return ret;
	}
	return leaves;
}

/**
 * lmf_bitmap_leaves() - how many leaves a range touches
 * @iova: first byte
 * @last: last byte
 * @shift: granule 2^shift bytes, at most LMF_LOG_SHIFT_LIMIT
 *
 * Return: their number, of which a device offers so many and no more.
 */
u64 lmf_bitmap_leaves(u64 iova, u64 last, u8 shift)
{
	unsigned int leaf = shift + ilog2(LMF_LEAF_GRANULES);

	return (last >> leaf) - (iova >> leaf) + 1;
}
