/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that lmf_blk.ko builds against; probe.sh
 * finds out. Macros only: in the tree, each use is replaced by what is meant
 * there.
 */
#ifndef LMF_BLK_COMPAT_H
#define LMF_BLK_COMPAT_H

/* While both are there, the other one may not know PCI yet. */
#ifdef LMF_HAVE_MQ_PCI
#include <linux/blk-mq-pci.h>
#define LMF_MAP_QUEUES(map, pdev) blk_mq_pci_map_queues(map, pdev, 0)
#else
#define LMF_MAP_QUEUES(map, pdev) blk_mq_map_hw_queues(map, &(pdev)->dev, 0)
#endif

/* Later, requests are always merged. */
#ifdef LMF_HAVE_MQ_MERGE
#define LMF_SET_MERGE(set) ((set)->flags = BLK_MQ_F_SHOULD_MERGE)
#else
#define LMF_SET_MERGE(set)
#endif

#ifdef LMF_HAVE_MQ_NODE_INT
#define LMF_NUMA_NODE int
#else
#define LMF_NUMA_NODE unsigned int
#endif

#ifdef LMF_HAVE_RQ_MAP_SG
#define LMF_RQ_MAP_SG(rq, sgl) blk_rq_map_sg(rq, sgl)
#else
#define LMF_RQ_MAP_SG(rq, sgl) blk_rq_map_sg((rq)->q, rq, sgl)
#endif

#endif
