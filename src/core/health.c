// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of the PF: start, watchdog, loss, recovery, stop.
 *
 * While commands are under way a watchdog looks at the device now and then. It
 * gives up what is overdue, makes up for a lost interrupt, and finds the device
 * dead: registers read all ones, FATAL is set, READY is not.
 *
 * A dead device is lost, and so is one that leaves all commands that a VF may
 * have unanswered, because such a VF could not even be torn down. Then all
 * waiters get -ENOTCONN, and a work item stops and starts the queue. That ends
 * all sessions and logs of all VFs, so nothing less leads to it. Until the stop
 * is confirmed nothing that the device may write is freed. If the attempt fails
 * the PF stays lost until it is reset or bound again.
 *
 * A reset from outside (FLR, AER) takes the same way, but the recovery waits
 * for its end: between lmf_core_reset_prepare() and lmf_core_reset_done()
 * nobody else touches a register. Both are called with locks held that are not
 * ours, so they mark, wake and return. A recovery that was at work finds the
 * mark before its next register access, gives up, and is made again afterwards.
 */
#include <linux/device.h>
#include <linux/iopoll.h>
#include <linux/log2.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "lmf_core.h"

#define LMF_ALL_ONES		(~0U)
#define LMF_READY_POLL_US	100
#define LMF_READY_TIMEOUT_US	(5 * USEC_PER_SEC)
#define LMF_WATCH_PERIOD_MAX	(HZ / 2)
#define LMF_TIMEOUT_MIN_MS	10
#define LMF_TIMEOUT_MAX_MS	60000

static unsigned int lmf_timeout_ms = 10000;

static int lmf_timeout_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, LMF_TIMEOUT_MIN_MS,
				     LMF_TIMEOUT_MAX_MS);
}

static const struct kernel_param_ops lmf_timeout_ops = {
	.set = lmf_timeout_set,
	.get = param_get_uint,
};
module_param_cb(timeout_ms, &lmf_timeout_ops, &lmf_timeout_ms, 0644);
MODULE_PARM_DESC(timeout_ms, "Time for a command, 10..60000 ms");

unsigned long lmf_timeout(void)
{
	return msecs_to_jiffies(READ_ONCE(lmf_timeout_ms));
}

void lmf_watch_locked(struct lmf_core *core)
{
	unsigned long period = lmf_timeout() / 4 + 1;

	lockdep_assert_held(&core->lock);
	queue_delayed_work(core->wq, &core->watch_work,
			   min_t(unsigned long, period, LMF_WATCH_PERIOD_MAX));
}

static bool lmf_status_is_dead(u32 status)
{
	return status == LMF_ALL_ONES || status & LMF_PF_STATUS_FATAL ||
	       !(status & LMF_PF_STATUS_READY);
}

/* Has no reset from outside taken the registers from lmf_core_restart()? */
static bool lmf_hw_is_ours_locked(struct lmf_core *core)
{
	lockdep_assert_held(&core->lock);
	return core->state != LMF_CORE_LOST;
}

/* All ones, too, while it is not ours to ask. */
static u32 lmf_hw_status(struct lmf_core *core)
{
	u32 status = LMF_ALL_ONES;
	unsigned long flags;

	spin_lock_irqsave(&core->lock, flags);
	if (lmf_hw_is_ours_locked(core))
		status = lmf_read(core, LMF_PF_STATUS);
	spin_unlock_irqrestore(&core->lock, flags);
	return status;
}

/* Wait until the device says that its queue runs, or that it does not. */
static int lmf_hw_wait(struct lmf_core *core, bool ready)
{
	u32 status;
	int err;

	err = read_poll_timeout(lmf_hw_status, status,
				status == LMF_ALL_ONES ||
				!!(status & LMF_PF_STATUS_READY) == ready ||
				(ready && status & LMF_PF_STATUS_FATAL),
				LMF_READY_POLL_US, LMF_READY_TIMEOUT_US, false,
				core);
	if (err)
		return err;
	if (status == LMF_ALL_ONES)
		return -ENODEV;
	return ready && lmf_status_is_dead(status) ? -EIO : 0;
}

/* After success no DMA for a command, a session or a log is under way. */
static int lmf_hw_stop(struct lmf_core *core)
{
	unsigned long flags;

	spin_lock_irqsave(&core->lock, flags);
	if (lmf_hw_is_ours_locked(core))
		lmf_write(core, LMF_PF_CTRL, 0);
	spin_unlock_irqrestore(&core->lock, flags);
	return lmf_hw_wait(core, false);
}

static void lmf_hw_write64(struct lmf_core *core, u32 offset, u64 value)
{
	lmf_write(core, offset, lower_32_bits(value));
	lmf_write(core, offset + 4, upper_32_bits(value));
}

/* Bases that a reset from outside has undone must not be enabled. */
static void lmf_hw_enable_locked(struct lmf_core *core)
{
	lockdep_assert_held(&core->lock);
	lmf_hw_write64(core, LMF_PF_ASQ_BASE, core->aq.cmds_dma);
	lmf_hw_write64(core, LMF_PF_ACQ_BASE, core->aq.cqes_dma);
	lmf_hw_write64(core, LMF_PF_AEQ_BASE, core->aeq.dma);
	lmf_write(core, LMF_PF_AQ_ENTRIES, core->aq.entries);
	lmf_write(core, LMF_PF_AEQ_ENTRIES, core->aeq.entries);
	lmf_write(core, LMF_PF_CTRL, LMF_PF_CTRL_ENABLE);
}

static int lmf_hw_start(struct lmf_core *core)
{
	unsigned long flags;

	spin_lock_irqsave(&core->lock, flags);
	if (lmf_hw_is_ours_locked(core))
		lmf_hw_enable_locked(core);
	spin_unlock_irqrestore(&core->lock, flags);
	return lmf_hw_wait(core, true);
}

bool lmf_core_is_up(struct lmf_core *core)
{
	return READ_ONCE(core->state) == LMF_CORE_UP;
}

/* Is it up once an attempt to start it that is under way is over? Bounded. */
bool lmf_core_wait_up(struct lmf_core *core)
{
	flush_work(&core->recover_work);
	return lmf_core_is_up(core);
}

static bool lmf_core_begin_start(struct lmf_core *core)
{
	unsigned long flags;
	bool may;

	spin_lock_irqsave(&core->lock, flags);
	may = core->state == LMF_CORE_LOST && !core->hold;
	if (may)
		core->state = LMF_CORE_STARTING;
	spin_unlock_irqrestore(&core->lock, flags);
	return may;
}

static int lmf_core_end_start(struct lmf_core *core, int err)
{
	unsigned long flags;

	spin_lock_irqsave(&core->lock, flags);
	if (core->state == LMF_CORE_STARTING)
		core->state = err ? LMF_CORE_LOST : LMF_CORE_UP;
	else
		err = -ECANCELED;
	spin_unlock_irqrestore(&core->lock, flags);
	return err;
}

/* -ECANCELED if there is nothing to start, or not now. */
static int lmf_core_restart(struct lmf_core *core)
{
	int err;

	if (!lmf_core_begin_start(core))
		return -ECANCELED;
	lmf_notify_sessions_lost(core);
	err = lmf_hw_stop(core);
	if (!err) {
		lmf_aq_reset(core);
		lmf_aeq_reset(core);
		err = lmf_hw_start(core);
	}
	return lmf_core_end_start(core, err);
}

static void lmf_recover_work(struct work_struct *work)
{
	struct lmf_core *core = container_of(work, struct lmf_core,
					     recover_work);
	int err = lmf_core_restart(core);

	if (!err)
		dev_info(core->dev, "admin queue restarted\n");
	else if (err != -ECANCELED)
		dev_err(core->dev, "lost; reset or bind it again: %pe\n",
			ERR_PTR(err));
	lmf_notify_lost(core);
}

void lmf_core_lost_locked(struct lmf_core *core)
{
	lockdep_assert_held(&core->lock);
	if (core->state != LMF_CORE_UP)
		return;
	core->state = LMF_CORE_LOST;
	lmf_aq_fail_locked(core);
	queue_work(core->wq, &core->recover_work);
}

static void lmf_watch_work(struct work_struct *work)
{
	struct lmf_core *core = container_of(to_delayed_work(work),
					     struct lmf_core, watch_work);
	unsigned long flags;
	u32 status;

	lmf_aq_poll(core);
	spin_lock_irqsave(&core->lock, flags);
	if (core->state != LMF_CORE_UP)
		goto unlock;
	status = lmf_read(core, LMF_PF_STATUS);
	if (lmf_aq_expire_locked(core))
		lmf_watch_locked(core);
	if (lmf_status_is_dead(status) || lmf_aq_is_stuck_locked(core)) {
		dev_err(core->dev, "lost: status %#x, %u commands unanswered\n",
			status, core->aq.nstuck);
		lmf_core_lost_locked(core);
	}
unlock:
	spin_unlock_irqrestore(&core->lock, flags);
}

/* A reset from outside begins. In any context. */
void lmf_core_reset_prepare(struct lmf_core *core)
{
	unsigned long flags;

	spin_lock_irqsave(&core->lock, flags);
	core->hold = true;
	if (core->state == LMF_CORE_STARTING)
		core->state = LMF_CORE_LOST;
	lmf_core_lost_locked(core);
	spin_unlock_irqrestore(&core->lock, flags);
}

/* It ended; recover_work starts the queue again. In any context. */
void lmf_core_reset_done(struct lmf_core *core)
{
	unsigned long flags;

	spin_lock_irqsave(&core->lock, flags);
	core->hold = false;
	spin_unlock_irqrestore(&core->lock, flags);
	queue_work(core->wq, &core->recover_work);
}

int lmf_core_start(struct lmf_core *core)
{
	return lmf_core_restart(core);
}

/*
 * Stop for good. Returns false if the device could not be seen to stop: then
 * what it may write stays allocated for ever.
 */
bool lmf_core_stop(struct lmf_core *core)
{
	unsigned long flags;

	spin_lock_irqsave(&core->lock, flags);
	lmf_core_lost_locked(core);
	core->state = LMF_CORE_GONE;
	spin_unlock_irqrestore(&core->lock, flags);
	cancel_delayed_work_sync(&core->watch_work);
	cancel_work_sync(&core->recover_work);
	if (lmf_hw_stop(core)) {
		dev_err(core->dev, "does not stop: its memory is not freed\n");
		return false;
	}
	lmf_aq_reset(core);
	return true;
}

static int lmf_core_check(struct lmf_core *core)
{
	u32 magic = lmf_read(core, LMF_PF_MAGIC);
	u32 version = lmf_read(core, LMF_PF_VERSION);
	u32 entries = lmf_read(core, LMF_PF_MAX_ENTRIES);

	core->nfuncs = lmf_read(core, LMF_PF_TOTAL_VFS);
	if (magic != LMF_PF_MAGIC_VALUE) {
		dev_err(core->dev, "no LMF device: magic %#x\n", magic);
		return -ENODEV;
	}
	if (LMF_VERSION_TO_MAJOR(version) != LMF_VERSION_MAJOR) {
		dev_err(core->dev, "version %u.%u, not %u: needs another driver\n",
			LMF_VERSION_TO_MAJOR(version),
			LMF_VERSION_TO_MINOR(version), LMF_VERSION_MAJOR);
		return -ENODEV;
	}
	if (!core->nfuncs || core->nfuncs > LMF_PF_VF_LIMIT || entries < 2 ||
	    !is_power_of_2(entries)) {
		dev_err(core->dev, "nonsense: %u VFs, rings of %u\n",
			core->nfuncs, entries);
		return -ENODEV;
	}
	return 0;
}

static int lmf_core_init_funcs(struct lmf_core *core)
{
	u32 n;

	core->funcs = kcalloc(core->nfuncs, sizeof(*core->funcs), GFP_KERNEL);
	if (!core->funcs)
		return -ENOMEM;
	for (n = 0; n < core->nfuncs; n++) {
		struct lmf_func *func = &core->funcs[n];

		func->core = core;
		func->id = n;
		mutex_init(&func->lock);
		mutex_init(&func->notify_lock);
	}
	return 0;
}

static int lmf_core_init(struct lmf_core *core)
{
	u32 entries;
	int err = lmf_core_check(core);

	if (err)
		return err;
	entries = lmf_read(core, LMF_PF_MAX_ENTRIES);
	err = lmf_core_init_funcs(core);
	if (err)
		return err;
	err = lmf_aq_init(core, entries);
	if (err)
		return err;
	return lmf_aeq_init(core, entries);
}

/* Nothing is started; interrupts may come but find nothing to do. */
struct lmf_core *lmf_core_create(struct device *dev,
				 const struct lmf_io_ops *io, void *io_ctx)
{
	struct lmf_core *core = kzalloc(sizeof(*core), GFP_KERNEL);
	int err = -ENOMEM;

	if (!core)
		return ERR_PTR(err);
	core->dev = dev;
	core->io = io;
	core->io_ctx = io_ctx;
	spin_lock_init(&core->lock);
	INIT_WORK(&core->recover_work, lmf_recover_work);
	INIT_DELAYED_WORK(&core->watch_work, lmf_watch_work);
	core->wq = alloc_workqueue("lmf-%s", WQ_UNBOUND, 0, dev_name(dev));
	if (core->wq)
		err = lmf_core_init(core);
	if (!err)
		return core;
	lmf_core_destroy(core, true);
	return ERR_PTR(err);
}

/* @stopped: what lmf_core_stop() said, or true if it was never started. */
void lmf_core_destroy(struct lmf_core *core, bool stopped)
{
	if (core->wq)
		destroy_workqueue(core->wq);
	if (stopped) {
		lmf_aeq_exit(core);
		lmf_aq_exit(core);
	}
	kfree(core->funcs);
	kfree(core);
}
