// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Dirty log, format BITMAP: an open and a closed bank, each an array of leaves,
 * numbered over all ranges. A leaf's memory is taken when it is first dirty and
 * kept until the log stops, as a bank that was emptied fills again.
 *
 * Above the leaves stands a bit for each that is dirty, above the blocks of a
 * leaf its summary. What they say is clean is not looked at, so a bank is
 * emptied by clearing the bits above the leaves.
 *
 * Overflow: a dirty leaf without memory is dirty in all its granules.
 *
 * Nothing is posted late: the host sees nothing before it closes the bank.
 */
#include "fw.h"

#define FW_LEAF_SHIFT	15
#define FW_LEAF_BITS	(1u << FW_LEAF_SHIFT)
#define FW_BLOCK_WORDS	(LMF_LOG_BLOCK_GRANULES / 64)
/* Leaves merged in one step of a flush. */
#define FW_MERGE_BATCH	16

struct fw_bits {
	uint64_t summary;
	uint64_t word[FW_LEAF_BITS / 64];
};

static void fw_bank_mark(struct fw_bank *bank, uint32_t slot)
{
	bank->dirty[slot / 64] |= 1ull << (slot % 64);
	bank->count++;
}

static bool fw_bank_marked(const struct fw_bank *bank, uint32_t slot)
{
	return bank->dirty[slot / 64] >> (slot % 64) & 1;
}

static void fw_bank_unmark(struct fw_bank *bank, uint32_t slot)
{
	bank->dirty[slot / 64] &= ~(1ull << (slot % 64));
	bank->count--;
}

static void fw_bank_clear(struct fw_bank *bank, uint32_t leaves)
{
	memset(bank->dirty, 0, (leaves + 63) / 64 * sizeof(*bank->dirty));
	bank->count = 0;
}

/* The next leaf that is dirty, from @slot on; @leaves if there is none. */
static uint32_t fw_bank_next(const struct fw_bank *bank, uint32_t leaves,
			     uint32_t slot)
{
	while (slot < leaves && !fw_bank_marked(bank, slot))
		slot = bank->dirty[slot / 64] >> (slot % 64) ?
			slot + 1 : (slot / 64 + 1) * 64;
	return fw_min(slot, leaves);
}

/* The leaf to be marked in, or NULL if it is dirty as a whole. */
static struct fw_bits *fw_bank_touch(struct lmf_fw *fw, struct fw_bank *bank,
				     uint32_t slot)
{
	uint32_t limit = fw->fault.log_entries;

	if (fw_bank_marked(bank, slot))
		return bank->full[slot] ? NULL : bank->leaf[slot];
	if (!bank->leaf[slot] && (!limit || bank->count < limit))
		bank->leaf[slot] = fw_alloc(fw, sizeof(struct fw_bits));
	fw_bank_mark(bank, slot);
	bank->full[slot] = !bank->leaf[slot] || (limit && bank->count > limit);
	if (bank->full[slot])
		return NULL;
	bank->leaf[slot]->summary = 0;
	return bank->leaf[slot];
}

/* The words of a block that is not in the summary hold what is long gone. */
static uint64_t *fw_bits_block(struct fw_bits *bits, unsigned int block)
{
	uint64_t *word = &bits->word[block * FW_BLOCK_WORDS];

	if (!(bits->summary >> block & 1)) {
		memset(word, 0, FW_BLOCK_WORDS * sizeof(*word));
		bits->summary |= 1ull << block;
	}
	return word;
}

static void fw_bits_set(struct fw_bits *bits, unsigned int lo, unsigned int hi)
{
	unsigned int from, to;
	uint64_t *word;

	for (; lo <= hi; lo = to + 1) {
		to = fw_min(hi, lo | 63);
		from = lo % LMF_LOG_BLOCK_GRANULES;
		word = fw_bits_block(bits, lo / LMF_LOG_BLOCK_GRANULES);
		word[from / 64] |= UINT64_MAX >> (63 - (to - lo)) <<
				   (from % 64);
	}
}

static uint32_t fw_range_leaves(const struct fw_log *log, unsigned int range)
{
	return (log->range[range].last >> FW_LEAF_SHIFT) -
	       (log->range[range].first >> FW_LEAF_SHIFT) + 1;
}

static void fw_bitmap_add(struct lmf_fw *fw, struct fw_vf *vf, uint64_t first,
			  uint64_t last)
{
	struct fw_log *log = vf->log;
	struct fw_bank *bank = &log->bank[log->open];
	struct fw_bits *bits;
	unsigned int range = 0;
	uint32_t slot = 0;
	uint64_t end;

	while (first < log->range[range].first ||
	       first > log->range[range].last)
		slot += fw_range_leaves(log, range++);
	slot += (first >> FW_LEAF_SHIFT) -
		(log->range[range].first >> FW_LEAF_SHIFT);
	for (; first <= last; first = end + 1, slot++) {
		end = fw_min(last, first | (FW_LEAF_BITS - 1));
		bits = fw_bank_touch(fw, bank, slot);
		if (bits)
			fw_bits_set(bits, first % FW_LEAF_BITS,
				    end % FW_LEAF_BITS);
		else
			fw_log_overflowed(vf);
	}
}

/* Moves what @from says of a leaf to where @to may say something, too. */
static void fw_bank_merge(struct fw_bank *to, struct fw_bank *from,
			  uint32_t slot)
{
	struct fw_bits *source = from->leaf[slot], *bits = to->leaf[slot];
	unsigned int block, i;
	uint64_t *word;

	fw_bank_unmark(from, slot);
	if (!fw_bank_marked(to, slot)) {
		fw_bank_mark(to, slot);
		to->leaf[slot] = source;
		from->leaf[slot] = bits;
		to->full[slot] = from->full[slot];
		return;
	}
	to->full[slot] |= from->full[slot];
	if (to->full[slot])
		return;
	for (block = 0; block < LMF_LOG_LEAF_BLOCKS; block++) {
		if (!(source->summary >> block & 1))
			continue;
		word = fw_bits_block(bits, block);
		for (i = 0; i < FW_BLOCK_WORDS; i++)
			word[i] |= source->word[block * FW_BLOCK_WORDS + i];
	}
}

/* What was not acknowledged, and what came; false if more steps are needed. */
static bool fw_bitmap_merge(struct lmf_fw *fw, struct fw_log *log)
{
	struct fw_bank *open = &log->bank[log->open];
	struct fw_bank *closed = &log->bank[!log->open];
	unsigned int n;

	for (n = 0; n < FW_MERGE_BATCH; n++) {
		log->cursor = fw_bank_next(open, log->leaves, log->cursor);
		if (log->cursor == log->leaves)
			break;
		fw_bank_merge(closed, open, log->cursor++);
	}
	fw->budget -= n * sizeof(struct fw_bits);
	return log->cursor == log->leaves;
}

static uint16_t fw_bitmap_flush(struct lmf_fw *fw, struct fw_vf *vf,
				struct fw_slot *slot)
{
	uint32_t acknowledged = le32_to_cpu(slot->cmd.param);
	struct fw_log *log = vf->log;
	struct fw_bank *closed = &log->bank[!log->open];

	if (!log->cursor && acknowledged && acknowledged == log->sequence)
		fw_bank_clear(closed, log->leaves);
	if (!closed->count)
		log->open = !log->open;
	else if (!fw_bitmap_merge(fw, log))
		return FW_AGAIN;
	log->cursor = 0;
	log->overflowing = false;
	if (!++log->sequence)
		log->sequence = 1;
	slot->cqe.value[0] = cpu_to_le64(log->sequence);
	return LMF_ST_OK;
}

static uint64_t fw_bitmap_iova(const struct fw_log *log, uint32_t slot)
{
	unsigned int range;

	for (range = 0; slot >= fw_range_leaves(log, range); range++)
		slot -= fw_range_leaves(log, range);
	return ((log->range[range].first >> FW_LEAF_SHIFT) + slot) <<
	       (FW_LEAF_SHIFT + log->shift);
}

/* Puts a leaf as it goes over the wire; answers its length, 0 if no room. */
static uint32_t fw_bitmap_put(const struct fw_log *log, uint32_t slot,
			      uint8_t *to, uint32_t room)
{
	const struct fw_bank *bank = &log->bank[!log->open];
	const struct fw_bits *bits = bank->full[slot] ? NULL : bank->leaf[slot];
	struct lmf_log_leaf leaf = {
		.iova = cpu_to_le64(fw_bitmap_iova(log, slot)),
		.summary = cpu_to_le64(bits ? bits->summary : UINT64_MAX),
	};
	uint32_t bytes = sizeof(leaf);
	struct lmf_log_block block;
	const uint64_t *word;
	unsigned int b, i;

	if (room < sizeof(leaf) + LMF_LOG_LEAF_BLOCKS * sizeof(block))
		return 0;
	memcpy(to, &leaf, sizeof(leaf));
	memset(&block, 0xff, sizeof(block));
	for (b = 0; b < LMF_LOG_LEAF_BLOCKS; b++) {
		if (bits && !(bits->summary >> b & 1))
			continue;
		word = bits ? &bits->word[b * FW_BLOCK_WORDS] : NULL;
		for (i = 0; word && i < FW_BLOCK_WORDS; i++)
			block.bits[i] = cpu_to_le64(word[i]);
		memcpy(to + bytes, &block, sizeof(block));
		bytes += sizeof(block);
	}
	return bytes;
}

static uint16_t fw_bitmap_read(struct lmf_fw *fw, struct fw_vf *vf,
			       struct fw_slot *slot)
{
	struct fw_log *log = vf->log;
	const struct fw_bank *closed = &log->bank[!log->open];
	uint32_t room = fw_min(vf->sgl.total, FW_BOUNCE_BYTES);
	uint32_t bytes = 0, n, at = le32_to_cpu(slot->cmd.param);

	if (fw->fault.short_chunks)
		room = LMF_LOG_READ_MIN;
	for (at = fw_bank_next(closed, log->leaves, at); at < log->leaves;
	     at = fw_bank_next(closed, log->leaves, at + 1)) {
		n = fw_bitmap_put(log, at, fw->bounce + bytes, room - bytes);
		if (!n)
			break;
		bytes += n;
		vf->stats.log_entries++;
	}
	if (!fw_sgl_put(fw, &vf->sgl, fw->bounce, bytes))
		return LMF_ST_DMA;
	slot->cqe.bytes = cpu_to_le32(bytes);
	if (at < log->leaves) {
		slot->cqe.flags = cpu_to_le16(LMF_LOG_MORE);
		slot->cqe.value[0] = cpu_to_le64(at);
	}
	slot->cqe.value[1] = cpu_to_le64(log->sequence);
	fw->budget -= bytes;
	return LMF_ST_OK;
}

static void fw_bitmap_publish(struct lmf_fw *fw, struct fw_vf *vf)
{
}

static bool fw_bank_alloc(struct lmf_fw *fw, struct fw_bank *bank,
			  uint32_t leaves)
{
	bank->leaf = fw_alloc(fw, leaves * sizeof(*bank->leaf));
	bank->full = fw_alloc(fw, leaves * sizeof(*bank->full));
	bank->dirty = fw_alloc(fw, (leaves + 63) / 64 * sizeof(*bank->dirty));
	return bank->leaf && bank->full && bank->dirty;
}

static void fw_bank_free(struct lmf_fw *fw, struct fw_bank *bank,
			 uint32_t leaves)
{
	uint32_t slot;

	for (slot = 0; bank->leaf && slot < leaves; slot++)
		fw_free(fw, bank->leaf[slot],
			bank->leaf[slot] ? sizeof(struct fw_bits) : 0);
	fw_free(fw, bank->leaf, leaves * sizeof(*bank->leaf));
	fw_free(fw, bank->full, leaves * sizeof(*bank->full));
	fw_free(fw, bank->dirty, (leaves + 63) / 64 * sizeof(*bank->dirty));
}

static uint16_t fw_bitmap_start(struct lmf_fw *fw, struct fw_log *log,
				const struct lmf_log_start *start,
				const struct lmf_sge *sge)
{
	uint64_t leaves = 0;
	unsigned int i;

	for (i = 0; i < log->ranges; i++)
		leaves += (log->range[i].last >> FW_LEAF_SHIFT) -
			  (log->range[i].first >> FW_LEAF_SHIFT) + 1;
	if (start->nsges || start->entries || start->threshold ||
	    leaves > FW_LOG_LEAVES)
		return LMF_ST_FIELD;
	log->leaves = leaves;
	return fw_bank_alloc(fw, &log->bank[0], leaves) &&
	       fw_bank_alloc(fw, &log->bank[1], leaves) ?
		LMF_ST_OK : LMF_ST_RESOURCES;
}

static void fw_bitmap_stop(struct lmf_fw *fw, struct fw_log *log)
{
	fw_bank_free(fw, &log->bank[0], log->leaves);
	fw_bank_free(fw, &log->bank[1], log->leaves);
}

const struct fw_log_format fw_log_bitmap = {
	.start = fw_bitmap_start,
	.stop = fw_bitmap_stop,
	.add = fw_bitmap_add,
	.publish = fw_bitmap_publish,
	.flush = fw_bitmap_flush,
	.read = fw_bitmap_read,
};
