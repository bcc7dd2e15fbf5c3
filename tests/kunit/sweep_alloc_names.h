/* SPDX-License-Identifier: GPL-2.0-only */
/* The drivers' own allocations go through sweep_alloc.c. */
#ifndef LMF_SWEEP_ALLOC_NAMES_H
#define LMF_SWEEP_ALLOC_NAMES_H

#include <linux/dma-mapping.h>
#include <linux/slab.h>

#include "sweep_alloc.h"

#undef kmalloc
#undef kzalloc
#undef kcalloc
#define kmalloc			sweep_kmalloc
#define kzalloc			sweep_kzalloc
#define kcalloc			sweep_kcalloc
#define kfree			sweep_kfree
#define dma_vmap_noncontiguous(dev, size, sgt)				\
	(sweep_alloc_fails() ? NULL : dma_vmap_noncontiguous(dev, size, sgt))

#endif
