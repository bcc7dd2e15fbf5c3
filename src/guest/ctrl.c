// SPDX-License-Identifier: GPL-2.0-only
/*
 * The function's identity and its life: start, stop, recover, give up.
 *
 *	LIVE -- timeout, protocol broken --> RECOVERING --> LIVE or DEAD
 *	any  -- reset, suspend           --> STOPPED    --> LIVE or DEAD
 *
 * Recovery resets the queues, and if a queue does not stop, the function.
 * Only then are its requests submitted again: never while the device may still
 * write to their memory. What cannot be recovered is given up: bus mastering
 * off, and every request, present and future, fails with an I/O error, so that
 * nothing hangs. A reset of the function from outside revives it.
 */
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/iopoll.h>
#include <linux/log2.h>

#include "lmf_blk.h"

#define LMF_READY_POLL_US	1000
#define LMF_READY_TIMEOUT_US	(5 * USEC_PER_SEC)

/* Writeback may wait for a recovery, hence a queue with a rescuer. */
static struct workqueue_struct *lmf_ctrl_wq;

static int lmf_ctrl_refuse(struct lmf_blk *blk, const char *what, u64 value)
{
	dev_err(&blk->pdev->dev, "the device reports %s %llu, not usable\n",
		what, value);
	return -ENODEV;
}

static int lmf_ctrl_check_version(struct lmf_blk *blk)
{
	u32 magic = readl(blk->bar + LMF_VF_MAGIC);
	u32 version = readl(blk->bar + LMF_VF_VERSION);

	if (magic != LMF_VF_MAGIC_VALUE) {
		dev_err(&blk->pdev->dev, "not an LMF function, magic %#x\n",
			magic);
		return -ENODEV;
	}
	if (LMF_VERSION_TO_MAJOR(version) != LMF_VERSION_MAJOR) {
		dev_err(&blk->pdev->dev,
			"interface version %u.%u, this driver knows %u only\n",
			LMF_VERSION_TO_MAJOR(version),
			LMF_VERSION_TO_MINOR(version), LMF_VERSION_MAJOR);
		return -ENODEV;
	}
	return 0;
}

static int lmf_ctrl_read_facts(struct lmf_blk *blk)
{
	struct lmf_facts *facts = &blk->facts;
	void __iomem *bar = blk->bar;

	facts->caps = lo_hi_readq(bar + LMF_VF_CAPS);
	facts->media_bytes = lo_hi_readq(bar + LMF_VF_MEDIA_BYTES);
	if (facts->media_bytes < LMF_VF_SECTOR || facts->media_bytes > S64_MAX)
		return lmf_ctrl_refuse(blk, "media bytes", facts->media_bytes);
	facts->queues = readl(bar + LMF_VF_MAX_QUEUES);
	if (!facts->queues || facts->queues > LMF_VF_QUEUE_LIMIT)
		return lmf_ctrl_refuse(blk, "queues", facts->queues);
	facts->entries = readl(bar + LMF_VF_MAX_ENTRIES);
	if (facts->entries < 2 || !is_power_of_2(facts->entries))
		return lmf_ctrl_refuse(blk, "entries", facts->entries);
	/* The block layer wants to be able to transfer a page. */
	facts->max_bytes = readl(bar + LMF_VF_MAX_BYTES);
	if (facts->max_bytes < PAGE_SIZE)
		return lmf_ctrl_refuse(blk, "max bytes", facts->max_bytes);
	facts->segments = readl(bar + LMF_VF_MAX_SGES);
	if (!facts->segments)
		return lmf_ctrl_refuse(blk, "SGEs", facts->segments);

	facts->entries = min(facts->entries, LMF_BLK_ENTRIES);
	facts->max_bytes = round_down(facts->max_bytes, LMF_VF_SECTOR);
	facts->segments = min(facts->segments, LMF_BLK_SEGMENTS);
	return 0;
}

static int lmf_ctrl_wait_ready(struct lmf_blk *blk)
{
	u32 status;
	int err;

	/* True of a function that left the bus too: all bits are set. */
	err = readl_poll_timeout(blk->bar + LMF_VF_STATUS, status,
				 status & LMF_VF_STATUS_READY,
				 LMF_READY_POLL_US, LMF_READY_TIMEOUT_US);
	if (status == LMF_GONE)
		return -ENODEV;
	if (err)
		dev_err(&blk->pdev->dev, "the device does not get ready\n");
	return err;
}

int lmf_ctrl_identify(struct lmf_blk *blk)
{
	int err;

	err = lmf_ctrl_check_version(blk);
	if (!err)
		err = lmf_ctrl_wait_ready(blk);
	if (!err)
		err = lmf_ctrl_read_facts(blk);
	return err;
}

static enum lmf_blk_state lmf_ctrl_state(struct lmf_blk *blk)
{
	return atomic_read(&blk->state);
}

static void lmf_ctrl_quiesce_locked(struct lmf_blk *blk)
{
	lockdep_assert_held(&blk->lock);
	if (!blk->quiesced)
		blk_mq_quiesce_queue(blk->disk->queue);
	blk->quiesced = true;
}

static void lmf_ctrl_unquiesce_locked(struct lmf_blk *blk)
{
	lockdep_assert_held(&blk->lock);
	if (blk->quiesced)
		blk_mq_unquiesce_queue(blk->disk->queue);
	blk->quiesced = false;
}

/* Those that we do not use too: a previous kernel may have left them on. */
static int lmf_ctrl_disable_queues(struct lmf_blk *blk)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < blk->facts.queues; i++)
		lmf_queue_disable_begin(blk, i);
	for (i = 0; i < blk->facts.queues && !err; i++)
		err = lmf_queue_disable_end(blk, i);
	return err;
}

/* Give back all requests. The disk is quiesced and the device stopped. */
static void lmf_ctrl_reclaim_locked(struct lmf_blk *blk)
{
	unsigned int i;

	lockdep_assert_held(&blk->lock);
	for (i = 0; i < blk->nqueues; i++)
		lmf_queue_retire(&blk->queues[i]);
	lmf_disk_cancel(blk);
}

/* Returns 0 if the device is known to have stopped. */
static int lmf_ctrl_stop_locked(struct lmf_blk *blk)
{
	lockdep_assert_held(&blk->lock);
	lmf_ctrl_quiesce_locked(blk);
	return lmf_ctrl_disable_queues(blk);
}

/*
 * Before a reset or a suspend, which stop the device if this does not. The
 * requests stay where they are until the start that follows.
 */
void lmf_ctrl_suspend(struct lmf_blk *blk)
{
	mutex_lock(&blk->lock);
	atomic_set(&blk->state, LMF_BLK_STOPPED);
	lmf_ctrl_stop_locked(blk);
	mutex_unlock(&blk->lock);
}

/* The disk's requests, those to come too, fail with an I/O error. */
static void lmf_ctrl_kill_locked(struct lmf_blk *blk)
{
	lockdep_assert_held(&blk->lock);
	atomic_set(&blk->state, LMF_BLK_DEAD);
	lmf_ctrl_quiesce_locked(blk);
	pci_clear_master(blk->pdev);
	lmf_ctrl_reclaim_locked(blk);
	lmf_ctrl_unquiesce_locked(blk);
}

static int lmf_ctrl_enable_queues(struct lmf_blk *blk)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < blk->nqueues && !err; i++)
		err = lmf_queue_enable(&blk->queues[i]);
	return err;
}

/* Any context. */
void lmf_ctrl_recover(struct lmf_blk *blk)
{
	if (atomic_cmpxchg(&blk->state, LMF_BLK_LIVE, LMF_BLK_RECOVERING) ==
	    LMF_BLK_LIVE)
		queue_work(lmf_ctrl_wq, &blk->recover);
}

/* A protocol break before LIVE was only noted. */
static void lmf_ctrl_go_live_locked(struct lmf_blk *blk)
{
	lockdep_assert_held(&blk->lock);
	atomic_set(&blk->state, LMF_BLK_LIVE);
	if (atomic_read(&blk->broken))
		lmf_ctrl_recover(blk);
	lmf_ctrl_unquiesce_locked(blk);
}

/*
 * From whatever state the device is in. Bus mastering comes on only once no
 * old queue can make use of it.
 */
static int lmf_ctrl_try_start_locked(struct lmf_blk *blk)
{
	int err;

	lockdep_assert_held(&blk->lock);
	err = lmf_ctrl_stop_locked(blk);
	if (err)
		return err;
	lmf_ctrl_reclaim_locked(blk);
	if (atomic_read(&blk->broken))
		return -EPROTO;
	err = lmf_ctrl_wait_ready(blk);
	if (err)
		return err;
	pci_set_master(blk->pdev);
	err = lmf_ctrl_enable_queues(blk);
	if (!err)
		lmf_ctrl_go_live_locked(blk);
	return err;
}

/* With a device that is like new. The disk is either live or dead after it. */
int lmf_ctrl_start(struct lmf_blk *blk)
{
	int err;

	mutex_lock(&blk->lock);
	atomic_set(&blk->broken, 0);
	err = lmf_ctrl_try_start_locked(blk);
	if (err) {
		dev_err(&blk->pdev->dev, "cannot start (%d), I/O fails\n",
			err);
		lmf_ctrl_kill_locked(blk);
	}
	mutex_unlock(&blk->lock);
	return err;
}

/* The disk stays, and whoever uses it sees I/O errors. */
void lmf_ctrl_kill(struct lmf_blk *blk)
{
	mutex_lock(&blk->lock);
	lmf_ctrl_stop_locked(blk);
	lmf_ctrl_kill_locked(blk);
	mutex_unlock(&blk->lock);
}

/*
 * Before the disk's end, which waits for its requests: they must not wait for
 * a device that is gone, or that nobody will start again.
 */
void lmf_ctrl_leave(struct lmf_blk *blk)
{
	if (!pci_device_is_present(blk->pdev) ||
	    lmf_ctrl_state(blk) == LMF_BLK_STOPPED)
		lmf_ctrl_kill(blk);
}

/*
 * After the disk's end. The device stops, if need be without its help, and
 * nothing of ours runs any more.
 */
void lmf_ctrl_disable(struct lmf_blk *blk)
{
	mutex_lock(&blk->lock);
	atomic_set(&blk->state, LMF_BLK_DEAD);
	lmf_ctrl_disable_queues(blk);
	pci_clear_master(blk->pdev);
	mutex_unlock(&blk->lock);
	cancel_work_sync(&blk->recover);
}

/* Returns 0 if the queues run again. */
static int lmf_ctrl_restart_queues(struct lmf_blk *blk)
{
	int err = 0;

	mutex_lock(&blk->lock);
	if (lmf_ctrl_state(blk) == LMF_BLK_RECOVERING) {
		atomic_long_inc(&blk->recoveries);
		err = lmf_ctrl_try_start_locked(blk);
	}
	mutex_unlock(&blk->lock);
	return err;
}

static void lmf_ctrl_give_up(struct lmf_blk *blk, int err)
{
	mutex_lock(&blk->lock);
	if (lmf_ctrl_state(blk) == LMF_BLK_RECOVERING) {
		dev_err(&blk->pdev->dev, "cannot recover (%d), I/O fails\n",
			err);
		lmf_ctrl_kill_locked(blk);
	}
	mutex_unlock(&blk->lock);
}

/*
 * Resetting the function comes back to us through reset_prepare and reset_done,
 * and so without the lock. It only tries for the device's lock: remove holds
 * that while it waits for I/O to end, and so for us.
 */
static void lmf_ctrl_recover_work(struct work_struct *work)
{
	struct lmf_blk *blk = container_of(work, struct lmf_blk, recover);
	int err;

	err = lmf_ctrl_restart_queues(blk);
	if (err && err != -ENODEV && err != -EPROTO) {
		dev_warn(&blk->pdev->dev,
			 "queues do not restart (%d), resetting the function\n",
			 err);
		err = pci_try_reset_function(blk->pdev);
	}
	if (err)
		lmf_ctrl_give_up(blk, err);
}

/* Any context. A device that broke the protocol is not asked again. */
void lmf_ctrl_broken(struct lmf_blk *blk)
{
	atomic_set(&blk->broken, 1);
	lmf_ctrl_recover(blk);
}

void lmf_ctrl_init(struct lmf_blk *blk)
{
	mutex_init(&blk->lock);
	atomic_set(&blk->state, LMF_BLK_STOPPED);
	INIT_WORK(&blk->recover, lmf_ctrl_recover_work);
}

int lmf_ctrl_module_init(void)
{
	lmf_ctrl_wq = alloc_workqueue("lmf_blk", WQ_MEM_RECLAIM | WQ_UNBOUND,
				      0);
	return lmf_ctrl_wq ? 0 : -ENOMEM;
}

void lmf_ctrl_module_exit(void)
{
	destroy_workqueue(lmf_ctrl_wq);
}
