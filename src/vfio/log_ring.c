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
#include <linux/overflow.h>

#include <asm/barrier.h>
#include <asm/byteorder.h>

#include "log_ring.h"

static const struct lmf_log_entry *lmf_ring_slot(const struct lmf_ring *ring)
{
	return &ring->slots[ring->consumed & (ring->entries - 1)];
}

/* What an earlier pass over the ring left in the slot has the other phase. */
static bool lmf_ring_has_entry(const struct lmf_ring *ring)
{
	u16 phase = le16_to_cpu(READ_ONCE(lmf_ring_slot(ring)->phase)) & 1;

	return phase == !(ring->consumed & ring->entries);
}

static int lmf_ring_read(struct lmf_ring *ring, u64 *iova, u64 *length)
{
	const struct lmf_log_entry *entry = lmf_ring_slot(ring);
	u16 flags = le16_to_cpu(READ_ONCE(entry->flags));
	u64 last;

	*iova = le64_to_cpu(READ_ONCE(entry->iova));
	*length = (u64)le32_to_cpu(READ_ONCE(entry->granules)) << ring->shift;

	/* A flag unknown here could mean more than what the entry covers. */
	if (!*length || flags & ~LMF_LOG_COARSE ||
	    *iova & ((1ull << ring->shift) - 1) ||
	    check_add_overflow(*iova, *length - 1, &last))
		return -EBADMSG;
	if (flags & LMF_LOG_COARSE)
		ring->coarse++;
	return 0;
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
	u64 iova, length;
	u32 n;
	int ret;

	for (n = 0; n < budget && lmf_ring_has_entry(ring); n++) {
		/* The phase is written last, so it is read first. */
		dma_rmb();
		ret = lmf_ring_read(ring, &iova, &length);
		if (ret)
			return ret;
		emit(priv, iova, length);
		ring->consumed++;
	}
	return n;
}
