/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lmf_blk: a disk on an LMF virtual function.
 *
 *	pci.c	comes and goes with the PCI function
 *	ctrl.c	identity, and the function's life: start, stop, recover, give up
 *	queue.c	one queue pair: rings, doorbells, interrupt
 *	blk.c	the disk: limits, requests, timeouts
 *
 * The device is not trusted: what it says is checked before use, and one that
 * breaks the protocol loses the disk, nothing else.
 *
 * A request is given back only when the device cannot touch its memory any
 * more: it completed, its queue reads as disabled, the function was reset, or
 * bus mastering is off.
 */
#ifndef LMF_BLK_H
#define LMF_BLK_H

#include <linux/atomic.h>
#include <linux/blk-mq.h>
#include <linux/dmapool.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "lmf_vf.h"

/*
 * Ring entries, which bound what is in flight and so the memory that requests
 * take. A tag fits in the low byte of a command identifier.
 */
#define LMF_BLK_ENTRIES		128u
#define LMF_BLK_SEGMENTS	128u

/* What the function says of itself, checked. */
struct lmf_facts {
	u64 caps;
	u64 media_bytes;
	u32 queues;		/* that it has, not that we use */
	u32 entries;
	u32 max_bytes;		/* whole sectors */
	u32 segments;
};

struct lmf_queue {
	struct lmf_blk *blk;
	unsigned int index;
	unsigned int entries;
	void __iomem *regs;
	void __iomem *sq_tail_db;
	void __iomem *cq_head_db;

	/*
	 * Set while the device may be given commands. Changes under cq_lock
	 * and only while the disk is quiesced.
	 */
	bool on;

	/* Protects sq, sq_tail and gen. */
	spinlock_t sq_lock;
	struct lmf_vf_cmd *sq;
	dma_addr_t sq_dma;
	u32 sq_tail;
	u8 gen[LMF_BLK_ENTRIES];	/* by tag, of its last command */

	/* Protects cq, cq_head and cq_phase. Taken in interrupts. */
	spinlock_t cq_lock;
	struct lmf_vf_cqe *cq;
	dma_addr_t cq_dma;
	u32 cq_head;
	u32 cq_phase;
};

enum lmf_blk_state {
	LMF_BLK_LIVE,
	LMF_BLK_RECOVERING,	/* the recover work is queued or runs */
	LMF_BLK_STOPPED,	/* by a reset or suspend; start follows */
	LMF_BLK_DEAD,		/* I/O fails; a reset may revive it */
};

struct lmf_blk {
	struct pci_dev *pdev;
	void __iomem *bar;
	struct lmf_facts facts;
	unsigned int nqueues;
	struct lmf_queue *queues;

	struct gendisk *disk;
	int id;			/* of the disk's name */
	struct blk_mq_tag_set tags;
	struct dma_pool *lists;	/* of SGEs, one a request */

	/* Protects quiesced, and whether the queues are set up. */
	struct mutex lock;
	bool quiesced;

	/*
	 * enum lmf_blk_state. LIVE becomes RECOVERING from anywhere; all else
	 * changes under lock.
	 */
	atomic_t state;
	atomic_t broken;	/* the device broke the protocol */
	struct work_struct recover;

	atomic_long_t irq_recovered;
	atomic_long_t recoveries;
};

/* A request's private part. */
struct lmf_req {
	u16 cid;		/* LMF_CID_NONE: the device does not have it */
	u8 periods;		/* timed out, since it was submitted */
	u8 rounds;		/* gave cause to recover */
	bool again;		/* do not end it, submit it once more */
	blk_status_t status;
	struct lmf_sge *list;
	dma_addr_t list_dma;
	struct sg_table table;
	struct scatterlist sgl[];
};

#define LMF_CID_NONE	0xffff
#define LMF_CID(gen, tag)	((gen) << 8 | (tag))
#define LMF_CID_TAG(cid)	((cid) & 0xff)

static_assert(LMF_CID_TAG(LMF_CID_NONE) >= LMF_BLK_ENTRIES);

/* Of any register: the function has left the bus. */
#define LMF_GONE	(~0u)

/* ctrl.c */
void lmf_ctrl_init(struct lmf_blk *blk);
int lmf_ctrl_identify(struct lmf_blk *blk);
int lmf_ctrl_start(struct lmf_blk *blk);
void lmf_ctrl_suspend(struct lmf_blk *blk);
void lmf_ctrl_kill(struct lmf_blk *blk);
void lmf_ctrl_leave(struct lmf_blk *blk);
void lmf_ctrl_disable(struct lmf_blk *blk);
void lmf_ctrl_recover(struct lmf_blk *blk);
void lmf_ctrl_broken(struct lmf_blk *blk);
int lmf_ctrl_module_init(void);
void lmf_ctrl_module_exit(void);

/* queue.c */
int lmf_queues_alloc(struct lmf_blk *blk);
void lmf_queues_free(struct lmf_blk *blk);
void lmf_queue_disable_begin(struct lmf_blk *blk, unsigned int index);
int lmf_queue_disable_end(struct lmf_blk *blk, unsigned int index);
int lmf_queue_enable(struct lmf_queue *q);
void lmf_queue_retire(struct lmf_queue *q);
bool lmf_queue_healthy(struct lmf_queue *q);
void lmf_queue_submit(struct lmf_queue *q, struct request *rq,
		      struct lmf_vf_cmd *cmd, bool last);
void lmf_queue_ring(struct lmf_queue *q);
unsigned int lmf_queue_reap(struct lmf_queue *q);

/* blk.c */
struct lmf_blk *lmf_blk_create(struct pci_dev *pdev);
void lmf_blk_destroy(struct lmf_blk *blk);
int lmf_disk_alloc(struct lmf_blk *blk);
void lmf_disk_abandon(struct lmf_blk *blk);
int lmf_disk_add(struct lmf_blk *blk);
void lmf_disk_del(struct lmf_blk *blk);
void lmf_disk_put(struct lmf_blk *blk);
void lmf_disk_cancel(struct lmf_blk *blk);
void lmf_req_done(struct request *rq, u16 status, u32 result);

#endif
