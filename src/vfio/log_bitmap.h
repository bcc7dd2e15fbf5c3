/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMF_VFIO_LOG_BITMAP_H
#define LMF_VFIO_LOG_BITMAP_H

#include <linux/types.h>

#include "log_emit.h"

int lmf_bitmap_translate(const void *data, u32 bytes, u8 shift,
			 lmf_log_emit_t emit, void *priv);
u64 lmf_bitmap_leaves(u64 iova, u64 last, u8 shift);

#endif
