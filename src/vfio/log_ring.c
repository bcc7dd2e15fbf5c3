// SPDX-License-Identifier: GPL-2.0-only
/*
 * Translator of the native dirty-log format `ring`, see lmf_log.h: bytes in,
 * emit(iova, length) out.
 *
 * The device is not trusted and may change a slot while it is read: every field
 * is read once, and an entry that breaks the format stops the translation for
 * good, because what was meant cannot be known any more.
 */
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/overflow.h>

#include <asm/barrier.h>
#include <asm/byteorder.h>

#include "log_ring.h"

#define LMF_RING_LOOKAHEAD	64u

static const struct lmf_log_entry *lmf_ring_slot(const struct lmf_ring *ring,
						 u64 n)
{
	return &ring->slots[n & (ring->entries - 1)];
}

/* What an earlier pass over the ring left in the slot has the other phase. */
static bool lmf_ring_has_entry(const struct lmf_ring *ring, u64 n)
{
	u16 phase = le16_to_cpu(READ_ONCE(lmf_ring_slot(ring, n)->phase)) & 1;

	return phase == !(n & ring->entries);
}

/* How many there are, as far as one looks: all of them for one barrier. */
static u32 lmf_ring_count(const struct lmf_ring *ring, u32 budget)
{
	u32 max = min(budget, LMF_RING_LOOKAHEAD), n = 0;

	while (n < max && lmf_ring_has_entry(ring, ring->consumed + n))
		n++;
	/* The phase is written last, so it is read first. */
	dma_rmb();
	return n;
}

/* Returns its flags. */
static int lmf_ring_read(const struct lmf_log_entry *entry, u8 shift, u64 *iova,
			 u64 *length)
{
	u16 flags = le16_to_cpu(READ_ONCE(entry->flags));
	u64 last;

	*iova = le64_to_cpu(READ_ONCE(entry->iova));
	*length = (u64)le32_to_cpu(READ_ONCE(entry->granules)) << shift;

	/* A flag unknown here could mean more than what the entry covers. */
	if (!*length || flags & ~LMF_LOG_COARSE ||
	    *iova & ((1ull << shift) - 1) ||
	    check_add_overflow(*iova, *length - 1, &last))
		return -EBADMSG;
	return flags;
}

/*
 * The next @n entries, which are there. What does not change is at hand: emit()
 * could change anything, as far as the compiler knows.
 */
static int lmf_ring_translate(struct lmf_ring *ring, u32 n, lmf_log_emit_t emit,
			      void *priv)
{
	const struct lmf_log_entry *slots = ring->slots;
	u64 at = ring->consumed, end = at + n, iova, length;
	u32 mask = ring->entries - 1;
	u8 shift = ring->shift;
	int flags = 0;

	for (; at < end; at++) {
		flags = lmf_ring_read(&slots[at & mask], shift, &iova, &length);
		if (flags < 0)
			break;
		if (flags & LMF_LOG_COARSE)
			ring->coarse++;
		emit(priv, iova, length);
	}
	ring->consumed = at;
	return min(flags, 0);
}

/**
 * lmf_ring_drain() - translate entries that the device has produced
 * @ring: ring
 * @budget: consume no more entries than this
 * @emit: called for each entry, in the order of the log
 * @priv: passed to @emit
 *
 * The caller tells the device about @ring->consumed.
 *
 * Return: number of entries, or -EBADMSG if one is malformed; those before it
 * have been emitted and it is not consumed.
 */
int lmf_ring_drain(struct lmf_ring *ring, u32 budget, lmf_log_emit_t emit,
		   void *priv)
{
	u32 done = 0, n;
	int ret;

	while ((n = lmf_ring_count(ring, budget - done))) {
		ret = lmf_ring_translate(ring, n, emit, priv);
		if (ret)
			return ret;
		done += n;
	}
	return done;
}
