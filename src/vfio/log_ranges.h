/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMF_VFIO_LOG_RANGES_H
#define LMF_VFIO_LOG_RANGES_H

#include <linux/types.h>

#include "log_emit.h"

int lmf_ranges_translate(const void *data, u32 bytes, u8 shift,
			 lmf_log_emit_t emit, void *priv);

#endif
