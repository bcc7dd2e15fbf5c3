// SPDX-License-Identifier: GPL-2.0-only
/*
 * The disk: its limits, its requests, and what happens when one takes long.
 *
 * Each request owns memory for its list of SGEs from the start, so that I/O
 * never waits for an allocation of ours.
 *
 * A timeout first looks for completions by hand: an interrupt that was lost
 * must not cost more than the wait. Then the device gets a second period, since
 * a guest that was paused and moved finds its clock ahead of its disk. Then the
 * queues are reset and the request is submitted again, LMF_REQ_ROUNDS times.
 */
#include <linux/blkdev.h>
#include <linux/idr.h>
#include <linux/module.h>

#include "compat.h"
#include "lmf_blk.h"

#define LMF_REQ_TIMEOUT		(30 * HZ)
#define LMF_REQ_PERIODS		2
#define LMF_REQ_ROUNDS		2

static DEFINE_IDA(lmf_disk_ids);

static blk_status_t lmf_req_status(u16 status)
{
	switch (status) {
	case LMF_VF_ST_OK:
		return BLK_STS_OK;
	case LMF_VF_ST_OPCODE:
		return BLK_STS_NOTSUPP;
	case LMF_VF_ST_RANGE:
		return BLK_STS_TARGET;
	case LMF_VF_ST_MEDIA:
		return BLK_STS_MEDIUM;
	default:
		return BLK_STS_IOERR;
	}
}

static bool lmf_req_has_data(struct request *rq)
{
	return req_op(rq) == REQ_OP_READ || req_op(rq) == REQ_OP_WRITE;
}

/* The device is done with a request. Called with the queue's cq_lock held. */
void lmf_req_done(struct request *rq, u16 status, u32 result)
{
	struct lmf_req *req = blk_mq_rq_to_pdu(rq);

	req->again = false;
	req->status = lmf_req_status(status);
	if (!status && lmf_req_has_data(rq) && result != blk_rq_bytes(rq))
		req->status = BLK_STS_IOERR;
	if (likely(!blk_should_fake_timeout(rq->q)))
		blk_mq_complete_request(rq);
}

static blk_status_t lmf_req_map_error(int err)
{
	/* Mapping space comes back when other requests end. */
	if (err == -ENOMEM || err == -EIO)
		return BLK_STS_RESOURCE;
	return BLK_STS_IOERR;
}

static struct lmf_sge lmf_sge(dma_addr_t addr, u32 len)
{
	return (struct lmf_sge) {
		.addr = cpu_to_le64(addr),
		.len = cpu_to_le32(len),
	};
}

static void lmf_req_fill_sges(struct lmf_req *req, struct lmf_vf_cmd *cmd)
{
	unsigned int nents = req->table.nents;
	struct scatterlist *sg;
	unsigned int i;

	cmd->nsge = cpu_to_le16(nents);
	if (nents == 1) {
		sg = req->table.sgl;
		cmd->sge = lmf_sge(sg_dma_address(sg), sg_dma_len(sg));
		return;
	}
	for_each_sgtable_dma_sg(&req->table, sg, i)
		req->list[i] = lmf_sge(sg_dma_address(sg), sg_dma_len(sg));
	cmd->sge = lmf_sge(req->list_dma, nents * sizeof(*req->list));
}

static blk_status_t lmf_req_map(struct lmf_blk *blk, struct request *rq,
				struct lmf_vf_cmd *cmd)
{
	struct lmf_req *req = blk_mq_rq_to_pdu(rq);
	struct sg_table *table = &req->table;
	int err;

	sg_init_table(req->sgl, blk_rq_nr_phys_segments(rq));
	table->sgl = req->sgl;
	table->orig_nents = LMF_RQ_MAP_SG(rq, req->sgl);
	err = dma_map_sgtable(&blk->pdev->dev, table, rq_dma_dir(rq),
			      DMA_ATTR_NO_WARN);
	if (err)
		return lmf_req_map_error(err);
	lmf_req_fill_sges(req, cmd);
	return BLK_STS_OK;
}

static void lmf_req_unmap(struct lmf_blk *blk, struct request *rq)
{
	struct lmf_req *req = blk_mq_rq_to_pdu(rq);

	if (lmf_req_has_data(rq))
		dma_unmap_sgtable(&blk->pdev->dev, &req->table, rq_dma_dir(rq),
				  0);
}

static blk_status_t lmf_req_prepare(struct lmf_blk *blk, struct request *rq,
				    struct lmf_vf_cmd *cmd)
{
	memset(cmd, 0, sizeof(*cmd));
	switch (req_op(rq)) {
	case REQ_OP_FLUSH:
		cmd->opcode = LMF_VF_OP_FLUSH;
		return BLK_STS_OK;
	case REQ_OP_WRITE_ZEROES:
		cmd->opcode = LMF_VF_OP_WRITE_ZEROES;
		break;
	case REQ_OP_READ:
		cmd->opcode = LMF_VF_OP_READ;
		break;
	case REQ_OP_WRITE:
		cmd->opcode = LMF_VF_OP_WRITE;
		break;
	default:
		return BLK_STS_NOTSUPP;
	}
	cmd->offset = cpu_to_le64(blk_rq_pos(rq) << SECTOR_SHIFT);
	cmd->length = cpu_to_le32(blk_rq_bytes(rq));
	return lmf_req_has_data(rq) ? lmf_req_map(blk, rq, cmd) : BLK_STS_OK;
}

static blk_status_t lmf_disk_queue_rq(struct blk_mq_hw_ctx *hctx,
				      const struct blk_mq_queue_data *bd)
{
	struct lmf_queue *q = hctx->driver_data;
	struct request *rq = bd->rq;
	struct lmf_req *req = blk_mq_rq_to_pdu(rq);
	struct lmf_vf_cmd cmd;
	blk_status_t status;

	if (unlikely(!READ_ONCE(q->on)))
		return BLK_STS_IOERR;
	/* Tells a request that comes back from one that is new. */
	if (!(rq->rq_flags & RQF_DONTPREP)) {
		req->rounds = 0;
		rq->rq_flags |= RQF_DONTPREP;
	}
	status = lmf_req_prepare(q->blk, rq, &cmd);
	if (status)
		return status;
	req->periods = 0;
	blk_mq_start_request(rq);
	lmf_queue_submit(q, rq, &cmd, bd->last);
	return BLK_STS_OK;
}

static void lmf_disk_commit_rqs(struct blk_mq_hw_ctx *hctx)
{
	lmf_queue_ring(hctx->driver_data);
}

static void lmf_disk_complete(struct request *rq)
{
	struct lmf_queue *q = rq->mq_hctx->driver_data;
	struct lmf_req *req = blk_mq_rq_to_pdu(rq);

	lmf_req_unmap(q->blk, rq);
	if (req->again)
		blk_mq_requeue_request(rq, true);
	else
		blk_mq_end_request(rq, req->status);
}

/* The device has stopped: the request goes back to where it came from. */
static bool lmf_req_cancel(struct request *rq, void *data)
{
	struct lmf_req *req = blk_mq_rq_to_pdu(rq);
	struct lmf_blk *blk = data;

	if (blk_mq_rq_state(rq) != MQ_RQ_IN_FLIGHT)
		return true;
	WRITE_ONCE(req->cid, LMF_CID_NONE);
	req->again = false;
	if (atomic_read(&blk->state) == LMF_BLK_DEAD)
		req->status = BLK_STS_IOERR;
	else if (req->rounds >= LMF_REQ_ROUNDS)
		req->status = BLK_STS_TIMEOUT;
	else
		req->again = true;
	blk_mq_complete_request(rq);
	return true;
}

void lmf_disk_cancel(struct lmf_blk *blk)
{
	blk_mq_tagset_busy_iter(&blk->tags, lmf_req_cancel, blk);
	blk_mq_tagset_wait_completed_request(&blk->tags);
}

static enum blk_eh_timer_return lmf_disk_timeout(struct request *rq)
{
	struct lmf_queue *q = rq->mq_hctx->driver_data;
	struct lmf_req *req = blk_mq_rq_to_pdu(rq);
	struct lmf_blk *blk = q->blk;
	bool found = lmf_queue_reap(q);

	if (blk_mq_rq_state(rq) != MQ_RQ_IN_FLIGHT) {
		if (found)
			atomic_long_inc(&blk->irq_recovered);
		return BLK_EH_DONE;
	}
	if (atomic_read(&blk->state) != LMF_BLK_LIVE)
		return BLK_EH_RESET_TIMER;
	if (++req->periods < LMF_REQ_PERIODS && lmf_queue_healthy(q))
		return BLK_EH_RESET_TIMER;
	req->rounds++;
	dev_warn_ratelimited(&blk->pdev->dev,
			     "queue %u: request at sector %llu timed out\n",
			     q->index, blk_rq_pos(rq));
	lmf_ctrl_recover(blk);
	return BLK_EH_RESET_TIMER;
}

static int lmf_disk_init_hctx(struct blk_mq_hw_ctx *hctx, void *data,
			      unsigned int index)
{
	struct lmf_blk *blk = data;

	hctx->driver_data = &blk->queues[index];
	return 0;
}

static int lmf_disk_init_request(struct blk_mq_tag_set *set,
				 struct request *rq, unsigned int hctx_index,
				 LMF_NUMA_NODE numa_node)
{
	struct lmf_req *req = blk_mq_rq_to_pdu(rq);
	struct lmf_blk *blk = set->driver_data;

	req->cid = LMF_CID_NONE;
	req->list = dma_pool_alloc(blk->lists, GFP_KERNEL, &req->list_dma);
	return req->list ? 0 : -ENOMEM;
}

static void lmf_disk_exit_request(struct blk_mq_tag_set *set,
				  struct request *rq, unsigned int hctx_index)
{
	struct lmf_req *req = blk_mq_rq_to_pdu(rq);
	struct lmf_blk *blk = set->driver_data;

	dma_pool_free(blk->lists, req->list, req->list_dma);
}

static void lmf_disk_map_queues(struct blk_mq_tag_set *set)
{
	struct lmf_blk *blk = set->driver_data;

	LMF_MAP_QUEUES(&set->map[HCTX_TYPE_DEFAULT], blk->pdev);
}

static const struct blk_mq_ops lmf_disk_mq_ops = {
	.queue_rq = lmf_disk_queue_rq,
	.commit_rqs = lmf_disk_commit_rqs,
	.complete = lmf_disk_complete,
	.timeout = lmf_disk_timeout,
	.init_hctx = lmf_disk_init_hctx,
	.init_request = lmf_disk_init_request,
	.exit_request = lmf_disk_exit_request,
	.map_queues = lmf_disk_map_queues,
};

struct lmf_blk *lmf_blk_create(struct pci_dev *pdev)
{
	struct lmf_blk *blk;

	blk = kzalloc(sizeof(*blk), GFP_KERNEL);
	if (!blk)
		return NULL;
	blk->pdev = pdev;
	blk->id = ida_alloc(&lmf_disk_ids, GFP_KERNEL);
	if (blk->id < 0) {
		kfree(blk);
		return NULL;
	}
	return blk;
}

void lmf_blk_destroy(struct lmf_blk *blk)
{
	ida_free(&lmf_disk_ids, blk->id);
	kfree(blk);
}

/* The disk's last user is gone, which may be long after the function. */
static void lmf_disk_free(struct gendisk *disk)
{
	lmf_blk_destroy(disk->private_data);
}

static const struct block_device_operations lmf_disk_ops = {
	.owner = THIS_MODULE,
	.free_disk = lmf_disk_free,
};

static ssize_t irq_recovered_show(struct device *dev,
				  struct device_attribute *attr, char *buf)
{
	struct lmf_blk *blk = dev_to_disk(dev)->private_data;

	return sysfs_emit(buf, "%ld\n", atomic_long_read(&blk->irq_recovered));
}
static DEVICE_ATTR_RO(irq_recovered);

static ssize_t recoveries_show(struct device *dev,
			       struct device_attribute *attr, char *buf)
{
	struct lmf_blk *blk = dev_to_disk(dev)->private_data;

	return sysfs_emit(buf, "%ld\n", atomic_long_read(&blk->recoveries));
}
static DEVICE_ATTR_RO(recoveries);

static struct attribute *lmf_disk_attrs[] = {
	&dev_attr_irq_recovered.attr,
	&dev_attr_recoveries.attr,
	NULL,
};
ATTRIBUTE_GROUPS(lmf_disk);

static void lmf_disk_limits(struct lmf_blk *blk, struct queue_limits *lim)
{
	const struct lmf_facts *facts = &blk->facts;
	struct device *dev = &blk->pdev->dev;
	u32 bytes = min_t(size_t, facts->max_bytes, dma_max_mapping_size(dev));

	*lim = (struct queue_limits) {
		.features = BLK_FEAT_WRITE_CACHE,
		.logical_block_size = LMF_VF_SECTOR,
		.physical_block_size = 4096,
		.max_hw_sectors = bytes >> SECTOR_SHIFT,
		.max_segments = facts->segments,
		.max_segment_size = bytes,
	};
	if (facts->caps & LMF_VF_CAP_WRITE_ZEROES)
		lim->max_write_zeroes_sectors = facts->max_bytes >>
						SECTOR_SHIFT;
	dma_set_max_seg_size(dev, bytes);
}

static int lmf_disk_alloc_tags(struct lmf_blk *blk)
{
	struct blk_mq_tag_set *set = &blk->tags;

	set->ops = &lmf_disk_mq_ops;
	set->nr_hw_queues = blk->nqueues;
	set->queue_depth = blk->facts.entries - 1;
	set->cmd_size = struct_size_t(struct lmf_req, sgl,
				      blk->facts.segments);
	set->numa_node = dev_to_node(&blk->pdev->dev);
	set->timeout = LMF_REQ_TIMEOUT;
	LMF_SET_MERGE(set);
	set->driver_data = blk;
	return blk_mq_alloc_tag_set(set);
}

static int lmf_disk_alloc_lists(struct lmf_blk *blk)
{
	size_t bytes = blk->facts.segments * sizeof(struct lmf_sge);

	blk->lists = dma_pool_create("lmf_blk", &blk->pdev->dev, bytes,
				     sizeof(struct lmf_sge), 0);
	return blk->lists ? 0 : -ENOMEM;
}

static void lmf_disk_set_up(struct lmf_blk *blk)
{
	struct gendisk *disk = blk->disk;

	disk->fops = &lmf_disk_ops;
	disk->private_data = blk;
	snprintf(disk->disk_name, sizeof(disk->disk_name), "lmf%d", blk->id);
	set_capacity(disk, blk->facts.media_bytes >> SECTOR_SHIFT);
}

/* After the queues. The disk is not to be seen yet, nor its queues running. */
int lmf_disk_alloc(struct lmf_blk *blk)
{
	struct queue_limits lim;
	int err;

	err = lmf_disk_alloc_lists(blk);
	if (err)
		return err;
	err = lmf_disk_alloc_tags(blk);
	if (err)
		goto destroy_lists;
	lmf_disk_limits(blk, &lim);
	blk->disk = blk_mq_alloc_disk(&blk->tags, &lim, blk);
	if (IS_ERR(blk->disk)) {
		err = PTR_ERR(blk->disk);
		goto free_tags;
	}
	lmf_disk_set_up(blk);
	return 0;

free_tags:
	blk_mq_free_tag_set(&blk->tags);
destroy_lists:
	dma_pool_destroy(blk->lists);
	return err;
}

/* Of a disk that was never added. */
void lmf_disk_abandon(struct lmf_blk *blk)
{
	put_disk(blk->disk);
	blk_mq_free_tag_set(&blk->tags);
	dma_pool_destroy(blk->lists);
}

int lmf_disk_add(struct lmf_blk *blk)
{
	return device_add_disk(&blk->pdev->dev, blk->disk, lmf_disk_groups);
}

/* After this no request is left and none comes. */
void lmf_disk_del(struct lmf_blk *blk)
{
	if (!pci_device_is_present(blk->pdev))
		blk_mark_disk_dead(blk->disk);
	del_gendisk(blk->disk);
}

/* Takes blk with it, now or when the last user closes the disk. */
void lmf_disk_put(struct lmf_blk *blk)
{
	blk_mq_free_tag_set(&blk->tags);
	dma_pool_destroy(blk->lists);
	put_disk(blk->disk);
}
