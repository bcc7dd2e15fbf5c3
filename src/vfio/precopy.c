// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much of a save is left: the arithmetic behind initial_bytes, dirty_bytes
 * and MIG_DATA_SIZE. Pure.
 *
 * All of it is bytes of the stream: what the device says is left, the records'
 * headers that will stand in front of it, and what waits in our buffers. A
 * record counts as initial as far as its payload belongs to the first pass
 * over the device, which is read before the rest of the record.
 *
 * How many headers there will be depends on how full the device makes its
 * chunks, which need not be to the end of the buffer. A chunk that left some of
 * the first pass behind shows it, as there was more to put into it. Until one
 * was seen initial_bytes assumes the smallest chunks, because it must not be
 * less than what is still to be read and cannot be raised later. So does
 * MIG_DATA_SIZE at any time. The identity is a chunk of its own in both. A
 * device may give chunks that are smaller than its least buffer; then both are
 * too low by a header for each of them.
 */
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "precopy.h"
#include "stream.h"

/* With the headers, if it comes in chunks of this size. */
static u64 lmf_precopy_framed(u64 bytes, u32 chunk)
{
	return bytes + DIV_ROUND_UP_ULL(bytes, chunk) *
		       sizeof(struct lmf_record);
}

/* Of the identity, which comes first and alone. */
static u64 lmf_precopy_identity(const struct lmf_precopy *p)
{
	return p->begun ? 0 : sizeof(struct lmf_record);
}

/**
 * lmf_precopy_init() - begin
 * @p: what is left
 * @caps: of the device; state_max is far below 2^64
 * @chunk: size of the buffers
 */
void lmf_precopy_init(struct lmf_precopy *p, const struct lmf_vf_caps *caps,
		      u32 chunk)
{
	memset(p, 0, sizeof(*p));
	p->caps = caps;
	p->chunk = chunk;
	p->told = U64_MAX;
}

/**
 * lmf_precopy_left() - the device said what is left
 * @p: what is left
 * @left: the device's word, not trusted
 */
void lmf_precopy_left(struct lmf_precopy *p, const struct lmf_save_left *left)
{
	u64 initial = min(left->initial, p->caps->state_max);

	if (p->begun && initial > p->left.initial)
		p->again = true;
	p->left.initial = initial;
	p->left.dirty = min(left->dirty, p->caps->state_max);
	p->left.trailer = min_t(u64, left->trailer, p->caps->trailer_max);
}

/* The smallest one counts, so that too little is not told. */
static void lmf_precopy_learn(struct lmf_precopy *p, u32 bytes)
{
	bytes = max(bytes, p->caps->chunk_min);
	p->full = p->full ? min(p->full, bytes) : bytes;
}

/**
 * lmf_precopy_chunk() - the device gave a chunk
 * @p: what is left
 * @chunk: it
 *
 * Return: how much of its record is initial, header included.
 */
u32 lmf_precopy_chunk(struct lmf_precopy *p, const struct lmf_chunk *chunk)
{
	u64 before = p->left.initial, initial = 0;

	lmf_precopy_left(p, &chunk->left);
	if (p->left.initial < before)
		initial = min_t(u64, before - p->left.initial, chunk->bytes);
	if (!p->begun)
		initial = chunk->bytes;	/* the identity */
	else if (p->left.initial)
		lmf_precopy_learn(p, chunk->bytes);
	p->begun = true;
	return initial ? initial + sizeof(struct lmf_record) : 0;
}

/**
 * lmf_precopy_settled() - has the device shown how full its chunks get?
 * @p: what is left
 *
 * Return: true also if nothing of the first pass is left to be given.
 */
bool lmf_precopy_settled(const struct lmf_precopy *p)
{
	return p->begun && (p->full || !p->left.initial);
}

/**
 * lmf_precopy_unread() - add a record that waits for the reader
 * @sum: sum
 * @total: its bytes
 * @initial: how many of them are initial
 * @pos: how many were read
 */
void lmf_precopy_unread(struct lmf_unread *sum, u64 total, u64 initial, u64 pos)
{
	u64 first = initial > pos ? initial - pos : 0;

	sum->initial += first;
	sum->dirty += total - pos - first;
}

/**
 * lmf_precopy_reinit() - let initial_bytes rise, for who understands it
 * @p: what is left
 *
 * Return: has the device begun its first pass anew since it was asked last?
 */
bool lmf_precopy_reinit(struct lmf_precopy *p)
{
	bool again = p->again;

	if (again)
		p->told = U64_MAX;
	p->again = false;
	return again;
}

/**
 * lmf_precopy_info() - answer the precopy-info ioctl
 * @p: what is left
 * @unread: in our buffers
 * @initial_bytes: never more than it was the last time, but for a reinit
 * @dirty_bytes: media dirtied since it was sent, and what would have been more
 */
void lmf_precopy_info(struct lmf_precopy *p, const struct lmf_unread *unread,
		      u64 *initial_bytes, u64 *dirty_bytes)
{
	u64 initial = unread->initial + lmf_precopy_identity(p) +
		      lmf_precopy_framed(p->left.initial,
					 p->full ?: p->caps->chunk_min);

	p->told = min(p->told, initial);
	*initial_bytes = p->told;
	*dirty_bytes = initial - p->told + unread->dirty +
		       lmf_precopy_framed(p->left.dirty, p->full ?: p->chunk);
}

/**
 * lmf_precopy_trailer() - what only a stopped device gives, with its headers
 * @p: what is left
 *
 * Return: an upper bound, if the device's is one; 0 before the first chunk.
 */
u64 lmf_precopy_trailer(const struct lmf_precopy *p)
{
	return lmf_precopy_framed(p->left.trailer, p->full ?: p->chunk);
}

/**
 * lmf_precopy_data_size() - all that is still to be read
 * @p: what is left
 * @unread: in our buffers
 * @extra: what stands for itself, as HEAD and END
 *
 * Return: an estimate, too low only for chunks below chunk_min; never 0.
 */
u64 lmf_precopy_data_size(const struct lmf_precopy *p,
			  const struct lmf_unread *unread, u64 extra)
{
	u64 left = p->left.initial + p->left.dirty + p->left.trailer;

	left = lmf_precopy_framed(left, p->caps->chunk_min) +
	       lmf_precopy_identity(p);
	return max(left + unread->initial + unread->dirty + extra, 1ULL);
}

/**
 * lmf_precopy_bound() - what a stream without pre-copy may take
 * @caps: of the device
 * @extra: HEAD and END
 */
u64 lmf_precopy_bound(const struct lmf_vf_caps *caps, u64 extra)
{
	return lmf_precopy_framed(caps->state_max, caps->chunk_min) +
	       sizeof(struct lmf_record) + extra;
}
