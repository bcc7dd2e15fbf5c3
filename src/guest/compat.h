/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that lmf_blk.ko builds against.
 */
#ifndef LMF_BLK_COMPAT_H
#define LMF_BLK_COMPAT_H

#include <linux/blk-mq.h>
#include <linux/pci.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
#include <linux/blk-mq-pci.h>
#define LMF_BLK_MQ_FLAGS	BLK_MQ_F_SHOULD_MERGE
#else
#define LMF_BLK_MQ_FLAGS	0
#endif

static inline void lmf_map_queues(struct blk_mq_queue_map *map,
				  struct pci_dev *pdev)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
	blk_mq_pci_map_queues(map, pdev, 0);
#else
	blk_mq_map_hw_queues(map, &pdev->dev, 0);
#endif
}

static inline int lmf_rq_map_sg(struct request *rq, struct scatterlist *sgl)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
	return blk_rq_map_sg(rq->q, rq, sgl);
#else
	return blk_rq_map_sg(rq, sgl);
#endif
}

#endif
