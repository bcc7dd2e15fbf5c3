/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMF_MOCK_DMA_H
#define LMF_MOCK_DMA_H

#include <linux/dma-mapping.h>

#define MOCK_DMA_PF	(-1)	/* whose memory it is; else a VF */

void *mock_dma_alloc_coherent(struct device *dev, size_t size, dma_addr_t *dma,
			      gfp_t gfp);
void mock_dma_free_coherent(struct device *dev, size_t size, void *vaddr,
			    dma_addr_t dma);
struct sg_table *mock_dma_alloc_noncontiguous(struct device *dev, size_t size,
					      enum dma_data_direction dir,
					      gfp_t gfp, unsigned long attrs);
void mock_dma_free_noncontiguous(struct device *dev, size_t size,
				 struct sg_table *sgt,
				 enum dma_data_direction dir);
void mock_dma_sync_for_device(struct device *dev, struct sg_table *sgt,
			      enum dma_data_direction dir);
void mock_dma_sync_for_cpu(struct device *dev, struct sg_table *sgt,
			   enum dma_data_direction dir);

void mock_dma_fail(bool fail);
int mock_dma_add(int fn, u64 addr, size_t size);
int mock_dma_map(int fn, u64 addr, void *mem, size_t size);
void mock_dma_remove(u64 addr);
int mock_dma_copy(int fn, u64 addr, void *buf, size_t len, bool write);
unsigned int mock_dma_live(int fn);
unsigned int mock_dma_faults(void);
void mock_dma_forget_faults(void);

#endif
