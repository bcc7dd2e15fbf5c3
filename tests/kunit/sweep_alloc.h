/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMF_SWEEP_ALLOC_H
#define LMF_SWEEP_ALLOC_H

#include <linux/gfp_types.h>
#include <linux/types.h>

void *sweep_kmalloc(size_t size, gfp_t gfp);
void *sweep_kzalloc(size_t size, gfp_t gfp);
void *sweep_kcalloc(size_t n, size_t size, gfp_t gfp);
void sweep_kfree(const void *mem);

void sweep_alloc_charge(size_t size, gfp_t gfp);
size_t sweep_alloc_uncharged(void);
bool sweep_alloc_fails(void);
void sweep_alloc_arm(unsigned int nth);
bool sweep_alloc_struck(void);
long sweep_alloc_live(void);

#endif
