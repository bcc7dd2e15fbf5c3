// SPDX-License-Identifier: GPL-2.0-only
/*
 * One queue pair: its rings, its doorbells, its interrupt.
 *
 * There are as many tags as a ring holds elements, one fewer than its entries,
 * so that neither ring can overflow and nobody waits for a free slot.
 *
 * A command identifier is the tag and a generation of it, so that a completion
 * that comes twice or late is not mistaken for the one of the tag's next user.
 */
#include <linux/interrupt.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/iopoll.h>

#include "lmf_blk.h"

#define LMF_QUEUE_POLL_US	50
#define LMF_QUEUE_TIMEOUT_US	(5 * USEC_PER_SEC)

/* In two steps, so that all queues wind down at the same time. */
void lmf_queue_disable_begin(struct lmf_blk *blk, unsigned int index)
{
	writel(0, blk->bar + LMF_VF_QUEUE(index) + LMF_VF_Q_CTRL);
}

/* 0: the device touches no memory for this queue. */
int lmf_queue_disable_end(struct lmf_blk *blk, unsigned int index)
{
	u32 status;
	int err;

	err = readl_poll_timeout(blk->bar + LMF_VF_QUEUE(index) +
				 LMF_VF_Q_STATUS, status,
				 !(status & LMF_VF_QSTATUS_ENABLED) ||
				 status == LMF_GONE,
				 LMF_QUEUE_POLL_US, LMF_QUEUE_TIMEOUT_US);
	return status == LMF_GONE ? -ENODEV : err;
}

/* The queue is disabled and retired. */
static void lmf_queue_rewind(struct lmf_queue *q)
{
	memset(q->cq, 0, q->entries * sizeof(*q->cq));
	q->sq_tail = 0;
	q->cq_head = 0;
	q->cq_phase = 1;
}

static int lmf_queue_wait_enabled(struct lmf_queue *q)
{
	u32 status;

	/* True of a function that left the bus too: all bits are set. */
	readl_poll_timeout(q->regs + LMF_VF_Q_STATUS, status,
			   status & (LMF_VF_QSTATUS_ENABLED |
				     LMF_VF_QSTATUS_ERROR),
			   LMF_QUEUE_POLL_US, LMF_QUEUE_TIMEOUT_US);
	if (status == LMF_GONE)
		return -ENODEV;
	if ((status & LMF_VF_QSTATUS_ERROR) ||
	    !(status & LMF_VF_QSTATUS_ENABLED)) {
		dev_err(&q->blk->pdev->dev,
			"queue %u does not start, status %#x\n", q->index,
			status);
		return -EIO;
	}
	return 0;
}

int lmf_queue_enable(struct lmf_queue *q)
{
	int err;

	lmf_queue_rewind(q);
	lo_hi_writeq(q->sq_dma, q->regs + LMF_VF_Q_SQ_BASE);
	lo_hi_writeq(q->cq_dma, q->regs + LMF_VF_Q_CQ_BASE);
	writel(q->entries, q->regs + LMF_VF_Q_ENTRIES);
	writel(q->index, q->regs + LMF_VF_Q_VECTOR);
	writel(LMF_VF_QCTRL_ENABLE | LMF_VF_QCTRL_IRQ,
	       q->regs + LMF_VF_Q_CTRL);
	err = lmf_queue_wait_enabled(q);
	if (err)
		return err;
	spin_lock_irq(&q->cq_lock);
	q->on = true;
	spin_unlock_irq(&q->cq_lock);
	return 0;
}

/* False also when the function has left the bus. */
bool lmf_queue_healthy(struct lmf_queue *q)
{
	u32 mask = LMF_VF_QSTATUS_ENABLED | LMF_VF_QSTATUS_ERROR;

	return (readl(q->regs + LMF_VF_Q_STATUS) & mask) ==
		LMF_VF_QSTATUS_ENABLED;
}

static void lmf_queue_ring_locked(struct lmf_queue *q)
{
	lockdep_assert_held(&q->sq_lock);
	writel(q->sq_tail, q->sq_tail_db);
}

void lmf_queue_ring(struct lmf_queue *q)
{
	spin_lock(&q->sq_lock);
	lmf_queue_ring_locked(q);
	spin_unlock(&q->sq_lock);
}

/* The request may complete, and be another one, before this returns. */
void lmf_queue_submit(struct lmf_queue *q, struct request *rq,
		      struct lmf_vf_cmd *cmd, bool last)
{
	struct lmf_req *req = blk_mq_rq_to_pdu(rq);
	unsigned int tag = rq->tag;
	u16 cid;

	spin_lock(&q->sq_lock);
	cid = LMF_CID(++q->gen[tag], tag);
	WRITE_ONCE(req->cid, cid);
	cmd->cid = cpu_to_le16(cid);
	q->sq[q->sq_tail] = *cmd;
	q->sq_tail = (q->sq_tail + 1) & (q->entries - 1);
	if (last)
		lmf_queue_ring_locked(q);
	spin_unlock(&q->sq_lock);
}

/*
 * The tag may be one that was never in use, and its last request one of the
 * past; the identifier is what says that the device has it.
 */
static struct request *lmf_queue_find(struct lmf_queue *q, u16 cid)
{
	struct request *rq;
	struct lmf_req *req;

	rq = blk_mq_tag_to_rq(q->blk->tags.tags[q->index], LMF_CID_TAG(cid));
	if (!rq || blk_mq_rq_state(rq) != MQ_RQ_IN_FLIGHT)
		return NULL;
	req = blk_mq_rq_to_pdu(rq);
	if (READ_ONCE(req->cid) != cid)
		return NULL;
	WRITE_ONCE(req->cid, LMF_CID_NONE);
	return rq;
}

static void lmf_queue_take_locked(struct lmf_queue *q,
				  const struct lmf_vf_cqe *cqe)
{
	u16 cid = le16_to_cpu(cqe->cid);
	u16 queue = le16_to_cpu(cqe->queue);
	struct request *rq = NULL;

	lockdep_assert_held(&q->cq_lock);
	if (queue == q->index)
		rq = lmf_queue_find(q, cid);
	if (!rq) {
		dev_err_ratelimited(&q->blk->pdev->dev,
				    "completion of no command: queue %u, cid %#x on queue %u\n",
				    queue, cid, q->index);
		lmf_ctrl_broken(q->blk);
		return;
	}
	lmf_req_done(rq, le16_to_cpu(cqe->status), le32_to_cpu(cqe->result));
}

static bool lmf_queue_pending_locked(struct lmf_queue *q)
{
	u32 phase = le32_to_cpu(READ_ONCE(q->cq[q->cq_head].phase));

	lockdep_assert_held(&q->cq_lock);
	return (phase & 1) == q->cq_phase;
}

/*
 * The doorbell comes after the loop, so a device that keeps to the protocol
 * cannot fill more than the ring in it; one that does not is cut off there.
 */
static unsigned int lmf_queue_reap_locked(struct lmf_queue *q)
{
	struct lmf_vf_cqe cqe;
	unsigned int n;

	lockdep_assert_held(&q->cq_lock);
	for (n = 0; n < q->entries && lmf_queue_pending_locked(q); n++) {
		dma_rmb(); /* the phase before the rest */
		cqe = q->cq[q->cq_head];
		if (++q->cq_head == q->entries) {
			q->cq_head = 0;
			q->cq_phase ^= 1;
		}
		lmf_queue_take_locked(q, &cqe);
	}
	if (n)
		writel(q->cq_head, q->cq_head_db);
	return n;
}

/* Takes what has completed. Returns how many completions there were. */
unsigned int lmf_queue_reap(struct lmf_queue *q)
{
	unsigned long flags;
	unsigned int n = 0;

	spin_lock_irqsave(&q->cq_lock, flags);
	if (q->on)
		n = lmf_queue_reap_locked(q);
	spin_unlock_irqrestore(&q->cq_lock, flags);
	return n;
}

/* After the device stopped: what it still said counts, from now on nothing. */
void lmf_queue_retire(struct lmf_queue *q)
{
	spin_lock_irq(&q->cq_lock);
	if (q->on)
		lmf_queue_reap_locked(q);
	q->on = false;
	spin_unlock_irq(&q->cq_lock);
}

/*
 * Interrupts are merged, and raised once more after a migration, so finding
 * nothing is no sign of an interrupt that nobody wants.
 */
static irqreturn_t lmf_queue_irq(int irq, void *data)
{
	lmf_queue_reap(data);
	return IRQ_HANDLED;
}

static int lmf_queue_alloc(struct lmf_blk *blk, unsigned int index)
{
	struct lmf_queue *q = &blk->queues[index];
	struct device *dev = &blk->pdev->dev;
	unsigned int entries = blk->facts.entries;
	int err = -ENOMEM;

	q->blk = blk;
	q->index = index;
	q->entries = entries;
	q->regs = blk->bar + LMF_VF_QUEUE(index);
	q->sq_tail_db = blk->bar + LMF_VF_SQ_TAIL(index);
	q->cq_head_db = blk->bar + LMF_VF_CQ_HEAD(index);
	spin_lock_init(&q->sq_lock);
	spin_lock_init(&q->cq_lock);
	q->sq = dma_alloc_coherent(dev, entries * sizeof(*q->sq), &q->sq_dma,
				   GFP_KERNEL);
	if (!q->sq)
		return -ENOMEM;
	q->cq = dma_alloc_coherent(dev, entries * sizeof(*q->cq), &q->cq_dma,
				   GFP_KERNEL);
	if (!q->cq)
		goto free_sq;
	err = pci_request_irq(blk->pdev, index, lmf_queue_irq, NULL, q,
			      "lmf%d-q%u", blk->id, index);
	if (!err)
		return 0;

	dma_free_coherent(dev, entries * sizeof(*q->cq), q->cq, q->cq_dma);
free_sq:
	dma_free_coherent(dev, entries * sizeof(*q->sq), q->sq, q->sq_dma);
	return err;
}

static void lmf_queue_free(struct lmf_queue *q)
{
	struct device *dev = &q->blk->pdev->dev;

	pci_free_irq(q->blk->pdev, q->index, q);
	dma_free_coherent(dev, q->entries * sizeof(*q->cq), q->cq, q->cq_dma);
	dma_free_coherent(dev, q->entries * sizeof(*q->sq), q->sq, q->sq_dma);
}

/* Of the first n queues; the device is stopped. */
static void lmf_queues_free_some(struct lmf_blk *blk, unsigned int n)
{
	while (n--)
		lmf_queue_free(&blk->queues[n]);
	kfree(blk->queues);
	pci_free_irq_vectors(blk->pdev);
}

/* One queue a vector, and not more of either than there are CPUs. */
int lmf_queues_alloc(struct lmf_blk *blk)
{
	unsigned int want = min(blk->facts.queues, num_possible_cpus());
	unsigned int i;
	int n, err;

	n = pci_alloc_irq_vectors(blk->pdev, 1, want,
				  PCI_IRQ_MSIX | PCI_IRQ_AFFINITY);
	if (n < 0)
		return n;
	blk->nqueues = n;
	blk->queues = kcalloc(n, sizeof(*blk->queues), GFP_KERNEL);
	if (!blk->queues) {
		pci_free_irq_vectors(blk->pdev);
		return -ENOMEM;
	}
	for (i = 0; i < n; i++) {
		err = lmf_queue_alloc(blk, i);
		if (err) {
			lmf_queues_free_some(blk, i);
			return err;
		}
	}
	return 0;
}

void lmf_queues_free(struct lmf_blk *blk)
{
	lmf_queues_free_some(blk, blk->nqueues);
}
