/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMF_VFIO_LOG_RING_H
#define LMF_VFIO_LOG_RING_H

#include <linux/types.h>

#include "lmf_log.h"
#include "log_emit.h"

/**
 * struct lmf_ring - the host's side of a native log ring
 * @slots: memory that the device writes
 * @entries: number of slots, a power of two
 * @shift: granule 2^shift bytes, at most LMF_LOG_SHIFT_LIMIT
 * @consumed: entries consumed, free-running
 * @coarse: of these, entries that an overflow of the device has widened
 */
struct lmf_ring {
	const struct lmf_log_entry *slots;
	u32 entries;
	u8 shift;
	u64 consumed;
	u64 coarse;
};

int lmf_ring_drain(struct lmf_ring *ring, u32 budget, lmf_log_emit_t emit,
		   void *priv);

#endif
