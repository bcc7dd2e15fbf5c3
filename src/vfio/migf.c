// SPDX-License-Identifier: GPL-2.0-only
/*
 * A data transfer session and its data_fd: what saving and loading share.
 *
 * The file may outlive the device: it can be passed around, and nothing that a
 * user holds open may keep a driver bound. So the session is an object of its
 * own, and its lock is what makes the device reachable: as long as the lock is
 * held and dev is not NULL, the device stays. lmf_migf_disable() ends that.
 *
 * The lock is never held while user memory is faulted in. Such a fault may
 * take for ever, at the user's will, and may wait for a reset that is under
 * way; neither may hold up who wants to end the session. Bytes are copied with
 * faults disabled, and if that fails the lock is dropped, the memory is faulted
 * in and the copy is tried again. io_mutex keeps other readers out meanwhile;
 * nobody but a reader or writer takes it.
 *
 * Nor is it held while an operation is waited for. The operation stays: only
 * the holder of io_mutex forgets operations, or lmf_migf_disable(), which
 * waits for the waiter. It is held over the questions to the device that an
 * estimate, or somebody who polls, needs.
 */
#include <linux/anon_inodes.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "lmf_vfio.h"
#include "migf.h"
#include "trace.h"

/* So often in a row memory may vanish between fault and copy. */
#define LMF_MIGF_FAULTS	16

#define LMF_LOOK_MS	100

/* Whatever is tried tells why. */
#define LMF_POLL_FAILED	(EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM | \
			 EPOLLERR)

static bool lmf_migf_trylock(struct lmf_migf *migf, struct mutex *lock)
{
	if (mutex_trylock(lock))
		return true;
	/* Either we get it now, or its holder sees this. */
	smp_store_mb(migf->wanted, true);
	return mutex_trylock(lock);
}

/* We released a lock: wake who wanted it meanwhile, but did not wait. */
static void lmf_migf_released(struct lmf_migf *migf)
{
	/* Pairs with lmf_migf_trylock(): one of us sees what the other did. */
	smp_mb();
	if (READ_ONCE(migf->wanted)) {
		WRITE_ONCE(migf->wanted, false);
		wake_up_all(&migf->wq);
	}
}

/**
 * lmf_migf_unlock() - release a session's lock, and wake who wanted it
 * @migf: session
 */
void lmf_migf_unlock(struct lmf_migf *migf)
{
	mutex_unlock(&migf->lock);
	lmf_migf_released(migf);
}

/**
 * lmf_migf_look_later_locked() - ask the device for news, after a while
 * @migf: session with a device, of which news may come
 */
void lmf_migf_look_later_locked(struct lmf_migf *migf)
{
	lockdep_assert_held(&migf->lock);
	queue_delayed_work(LMF_UNBOUND_WQ, &migf->look,
			   msecs_to_jiffies(LMF_LOOK_MS));
}

/* Who polls is woken and comes again, and with him this. */
static void lmf_migf_look_work(struct work_struct *work)
{
	struct lmf_migf *migf = container_of(to_delayed_work(work),
					     struct lmf_migf, look);

	mutex_lock(&migf->lock);
	if (!lmf_migf_alive_locked(migf))
		migf->ops->look(migf);
	lmf_migf_unlock(migf);
	wake_up_all(&migf->wq);
}

/**
 * lmf_migf_init() - initialize a zeroed session with one reference
 * @migf: session, from kzalloc() together with what extends it
 * @ops: what it is for
 */
void lmf_migf_init(struct lmf_migf *migf, const struct lmf_migf_ops *ops)
{
	kref_init(&migf->ref);
	migf->ops = ops;
	mutex_init(&migf->io_mutex);
	mutex_init(&migf->lock);
	INIT_DELAYED_WORK(&migf->look, lmf_migf_look_work);
	init_waitqueue_head(&migf->wq);
}

/**
 * lmf_migf_alloc_slots() - allocate all chunk buffers
 * @migf: session
 * @vf: device
 * @size: of each
 *
 * Return: 0 or -ENOMEM; lmf_migf_disable() frees also what a failure left.
 */
int lmf_migf_alloc_slots(struct lmf_migf *migf, struct lmf_vf *vf, size_t size)
{
	unsigned int i;

	for (i = 0; i < LMF_MIGF_SLOTS; i++) {
		migf->slots[i].buf = lmf_buf_alloc(vf, size,
						   GFP_KERNEL_ACCOUNT);
		if (!migf->slots[i].buf)
			return -ENOMEM;
	}
	return 0;
}

static void lmf_migf_free_slots_locked(struct lmf_migf *migf)
{
	struct lmf_slot *slot;

	lockdep_assert_held(&migf->lock);
	for (slot = migf->slots; slot < migf->slots + LMF_MIGF_SLOTS; slot++) {
		lmf_op_put(slot->op);
		slot->op = NULL;
		lmf_buf_put(slot->buf);
		slot->buf = NULL;
	}
	migf->used = 0;
}

static void lmf_migf_free(struct kref *ref)
{
	struct lmf_migf *migf = container_of(ref, struct lmf_migf, ref);

	mutex_destroy(&migf->lock);
	mutex_destroy(&migf->io_mutex);
	kfree(migf);
}

void lmf_migf_put(struct lmf_migf *migf)
{
	kref_put(&migf->ref, lmf_migf_free);
}

/**
 * lmf_migf_file() - make the file
 * @migf: session; the file gets a reference of its own
 * @name: of the file
 * @fops: of the file
 * @flags: O_RDONLY or O_WRONLY
 */
struct file *lmf_migf_file(struct lmf_migf *migf, const char *name,
			   const struct file_operations *fops, int flags)
{
	struct file *filp;

	kref_get(&migf->ref);
	filp = anon_inode_getfile(name, fops, migf, flags);
	if (IS_ERR(filp))
		lmf_migf_put(migf);
	else
		stream_open(filp->f_inode, filp);
	return filp;
}

int lmf_migf_release(struct inode *inode, struct file *filp)
{
	lmf_migf_put(filp->private_data);
	return 0;
}

/**
 * lmf_migf_disable() - end a session, or undo one that never began
 * @migf: session
 *
 * From here on its file answers -ENODEV. Nothing of the device is left in it.
 */
void lmf_migf_disable(struct lmf_migf *migf)
{
	mutex_lock(&migf->lock);
	if (migf->dev)
		migf->ops->end(migf);
	migf->dev = NULL;
	mutex_unlock(&migf->lock);

	cancel_delayed_work_sync(&migf->look);
	wake_up_all(&migf->wq);
	wait_event(migf->wq, !READ_ONCE(migf->waiting));

	mutex_lock(&migf->lock);
	lmf_migf_free_slots_locked(migf);
	lmf_migf_unlock(migf);
}

/**
 * lmf_migf_mark_reset() - a reset ended the session
 * @migf: session
 *
 * Context: any. Teardown follows.
 */
void lmf_migf_mark_reset(struct lmf_migf *migf)
{
	WRITE_ONCE(migf->reset, true);
	wake_up_all(&migf->wq);
}

/**
 * lmf_migf_mark_lost() - the device's session is over, as the PF was lost
 * @migf: session
 *
 * Context: any but interrupt.
 */
void lmf_migf_mark_lost(struct lmf_migf *migf)
{
	WRITE_ONCE(migf->lost, true);
	wake_up_all(&migf->wq);
}

/*
 * Who was told by edge that he may read, and is refused here, hears of nothing
 * new before he is woken.
 */
static int lmf_migf_lock(struct lmf_migf *migf, struct mutex *lock,
			 bool nonblock)
{
	if (nonblock)
		return lmf_migf_trylock(migf, lock) ? 0 : -EAGAIN;
	return mutex_lock_killable(lock);
}

/**
 * lmf_migf_begin_io() - begin a read() or write(), take the locks
 * @migf: session
 * @nonblock: do not wait for another one
 */
int lmf_migf_begin_io(struct lmf_migf *migf, bool nonblock)
{
	int ret = lmf_migf_lock(migf, &migf->io_mutex, nonblock);

	if (ret)
		return ret;
	/* A question to the device may be under way. */
	ret = lmf_migf_lock(migf, &migf->lock, nonblock);
	if (ret) {
		mutex_unlock(&migf->io_mutex);
		/* Who has lock will wake us, so what we want is not over. */
		wake_up_all(&migf->wq);
	}
	return ret;
}

void lmf_migf_end_io(struct lmf_migf *migf)
{
	mutex_unlock(&migf->lock);
	mutex_unlock(&migf->io_mutex);
	lmf_migf_released(migf);
}

/**
 * lmf_migf_fail_locked() - the session failed for good
 * @migf: session with a device
 * @err: why
 */
void lmf_migf_fail_locked(struct lmf_migf *migf, int err)
{
	lockdep_assert_held(&migf->lock);
	if (migf->err)
		return;
	/* The device dropped the session: soon we will be told of a reset. */
	migf->err = err == -ECANCELED ? -ENODEV : err;
	lmf_stat_set(&migf->dev->stats, LMF_STAT_LAST_ERROR, err);
	trace_lmf_vfio_failed(lmf_vfio_name(migf->dev), err);
	wake_up_all(&migf->wq);
}

/**
 * lmf_migf_alive_locked() - may the session go on?
 * @migf: session
 *
 * Return: 0 and then the device may be used, -ENODEV after its end, or why it
 * failed.
 */
int lmf_migf_alive_locked(struct lmf_migf *migf)
{
	lockdep_assert_held(&migf->lock);
	if (!migf->dev || READ_ONCE(migf->reset))
		return -ENODEV;
	if (!migf->err && READ_ONCE(migf->lost) && !migf->done)
		lmf_migf_fail_locked(migf, -ENOTCONN);
	return migf->err;
}

/**
 * lmf_migf_wait_locked() - wait for the oldest operation, dropping lock
 * @migf: session; the caller holds io_mutex, too
 * @nonblock: do not wait
 *
 * Return: 0 if it is done or if the session ended meanwhile, so that the
 * caller must look; -EAGAIN, -EINTR, -ETIMEDOUT, -ENOTCONN.
 */
int lmf_migf_wait_locked(struct lmf_migf *migf, bool nonblock)
{
	struct lmf_op *op = lmf_migf_slot(migf, 0)->op;
	int ret;

	lockdep_assert_held(&migf->lock);
	if (lmf_op_done(op))
		return 0;
	if (nonblock)
		return -EAGAIN;
	WRITE_ONCE(migf->waiting, true);
	lmf_migf_unlock(migf);
	ret = lmf_op_wait(op);
	mutex_lock(&migf->lock);
	/* What went wrong with an operation that is done is in its result. */
	if (lmf_op_done(op))
		ret = 0;
	WRITE_ONCE(migf->waiting, false);
	wake_up_all(&migf->wq);
	return ret;
}

/**
 * lmf_migf_pop_locked() - forget the oldest operation, keep its buffer
 * @migf: session; the caller holds io_mutex, too
 */
void lmf_migf_pop_locked(struct lmf_migf *migf)
{
	struct lmf_slot *slot = lmf_migf_slot(migf, 0);

	lockdep_assert_held(&migf->lock);
	lmf_op_put(slot->op);
	slot->op = NULL;
	migf->first = (migf->first + 1) % LMF_MIGF_SLOTS;
	migf->used--;
}

/* A copy made no progress: @left of @n bytes could not be faulted in. */
static ssize_t lmf_migf_faulted(struct lmf_migf *migf, size_t left, size_t n)
{
	if (fatal_signal_pending(current))
		return -EINTR;
	if (left < n && ++migf->faults <= LMF_MIGF_FAULTS)
		return 0;
	migf->faults = 0;
	return -EFAULT;
}

/**
 * lmf_migf_copy_out_locked() - copy to the user, may drop lock
 * @migf: session; the caller holds io_mutex, too
 * @to: user memory
 * @from: kernel memory that lock protects
 * @n: bytes
 *
 * Return: bytes copied, without having dropped lock; 0 if lock was dropped and
 * the caller must begin anew; or an error.
 */
ssize_t lmf_migf_copy_out_locked(struct lmf_migf *migf, char __user *to,
				 const void *from, size_t n)
{
	size_t left;

	lockdep_assert_held(&migf->lock);
	pagefault_disable();
	left = __copy_to_user_inatomic(to, from, n);
	pagefault_enable();
	if (left < n) {
		migf->faults = 0;
		return n - left;
	}
	lmf_migf_unlock(migf);
	left = fault_in_safe_writeable(to, n);
	mutex_lock(&migf->lock);
	return lmf_migf_faulted(migf, left, n);
}

/**
 * lmf_migf_copy_in_locked() - copy from the user, may drop lock
 * @migf: session; the caller holds io_mutex, too
 * @to: kernel memory that lock protects
 * @from: user memory
 * @n: bytes
 *
 * Return: as lmf_migf_copy_out_locked().
 */
ssize_t lmf_migf_copy_in_locked(struct lmf_migf *migf, void *to,
				const char __user *from, size_t n)
{
	size_t left;

	lockdep_assert_held(&migf->lock);
	pagefault_disable();
	left = __copy_from_user_inatomic(to, from, n);
	pagefault_enable();
	if (left < n) {
		migf->faults = 0;
		return n - left;
	}
	lmf_migf_unlock(migf);
	left = fault_in_readable(from, n);
	mutex_lock(&migf->lock);
	return lmf_migf_faulted(migf, left, n);
}

static __poll_t lmf_migf_poll_locked(struct lmf_migf *migf)
{
	__poll_t mask;

	lockdep_assert_held(&migf->lock);
	if (lmf_migf_alive_locked(migf))
		return LMF_POLL_FAILED;
	mask = migf->ops->poll(migf);
	if (!mask && migf->ops->look)
		lmf_migf_look_later_locked(migf);
	return mask;
}

/*
 * While somebody has the lock, for as long as the device may take to answer
 * him, nothing is said; lmf_migf_unlock() wakes who polls.
 */
__poll_t lmf_migf_poll(struct file *filp, struct poll_table_struct *wait)
{
	struct lmf_migf *migf = filp->private_data;
	__poll_t mask;

	poll_wait(filp, &migf->wq, wait);
	if (READ_ONCE(migf->reset))
		return LMF_POLL_FAILED;
	if (!lmf_migf_trylock(migf, &migf->lock))
		return 0;
	mask = lmf_migf_poll_locked(migf);
	lmf_migf_unlock(migf);
	return mask;
}
