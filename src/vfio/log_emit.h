/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMF_VFIO_LOG_EMIT_H
#define LMF_VFIO_LOG_EMIT_H

#include <linux/types.h>

#define LMF_LOG_SHIFT_LIMIT	31	/* granules << shift fits 64 bits */

/*
 * What every native format is translated into: [iova, iova + length) is dirty.
 * @length is not 0 and the last byte does not wrap; nothing else is promised,
 * neither that it is tracked nor an order.
 */
typedef void (*lmf_log_emit_t)(void *priv, u64 iova, u64 length);

#endif
