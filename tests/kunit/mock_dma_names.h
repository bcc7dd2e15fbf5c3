/* SPDX-License-Identifier: GPL-2.0-only */
/* The PF driver's own allocations for DMA go through mock_dma.c. */
#ifndef LMF_MOCK_DMA_NAMES_H
#define LMF_MOCK_DMA_NAMES_H

#include "mock_dma.h"

#define dma_alloc_coherent	mock_dma_alloc_coherent
#define dma_free_coherent	mock_dma_free_coherent
#define dma_alloc_noncontiguous	mock_dma_alloc_noncontiguous
#define dma_free_noncontiguous	mock_dma_free_noncontiguous
#define dma_sync_sgtable_for_device	mock_dma_sync_for_device
#define dma_sync_sgtable_for_cpu	mock_dma_sync_for_cpu

#endif
