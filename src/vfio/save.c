// SPDX-License-Identifier: GPL-2.0-only
/*
 * The session that saves, and what read() on its data_fd gives.
 *
 * A fixed window of chunk buffers circulates: the device fills those that wait,
 * in the order in which it was asked, while the user reads the one in front.
 * All of them are allocated before anything begins, so that nothing is
 * needed any more once the guest stands still. The header of a record is made
 * when its chunk comes to the front, and is copied out before the payload; the
 * payload is not moved.
 *
 * Before the device is stopped, a chunk may leave nothing unsent. Then nothing
 * more is asked for ("dry") until the next read(), which asks once ("probe"):
 * only when that comes back empty, too, is it ENOMSG. So at a temporary end
 * each read() costs one command.
 *
 * Nobody tells us when media becomes dirty. While somebody polls at the
 * temporary end the device is asked now and then.
 *
 * In the final phase chunks asked for earlier come first. When the device has
 * said that its state ends, END follows, and then read() gives 0.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "lmf_vfio.h"
#include "migf.h"
#include "save.h"
#include "trace.h"

#define LMF_SAVE_CHUNK	(256U << 10)

/* Put a record in front of the reader. */
static void lmf_save_front(struct lmf_save *save, size_t rec_bytes,
			   const void *payload, size_t bytes, size_t initial)
{
	save->rec_bytes = rec_bytes;
	save->payload = payload;
	save->total = rec_bytes + bytes;
	save->initial = initial;
	save->pos = 0;
}

static int lmf_save_submit_locked(struct lmf_save *save)
{
	struct lmf_migf *migf = &save->migf;
	struct lmf_slot *slot = lmf_migf_slot(migf, migf->used);
	struct lmf_op *op;

	op = lmf_vf_save_read(migf->dev->vf, migf->session, slot->buf,
			      save->final, &migf->wq);
	if (IS_ERR(op)) {
		save->submit_err = PTR_ERR(op);
		if (save->submit_err != -ENOMEM && save->submit_err != -EINTR)
			lmf_migf_fail_locked(migf, save->submit_err);
		return save->submit_err;
	}
	save->submit_err = 0;
	slot->op = op;
	lmf_save_saved(save, migf->used)->final = save->final;
	migf->used++;
	return 0;
}

/* Ask for as many chunks as there are buffers. */
static void lmf_save_fill_locked(struct lmf_save *save)
{
	lockdep_assert_held(&save->migf.lock);
	while (!save->dry && save->migf.used < LMF_MIGF_SLOTS)
		if (lmf_save_submit_locked(save))
			break;
}

/* A device that gives nothing must say that it has nothing. */
static int lmf_save_check(const struct lmf_slot *slot,
			  const struct lmf_chunk *chunk)
{
	if (chunk->bytes > slot->buf->size)
		return -EIO;
	return chunk->bytes || chunk->empty || chunk->ended ? 0 : -EIO;
}

/* It is as if the device worked on one after the other; the next waits. */
static void lmf_save_time(struct lmf_save *save, const struct lmf_chunk *chunk)
{
	struct lmf_stats *stats = &save->migf.dev->stats;
	u64 begun = max(chunk->asked_ns, save->given_ns);
	u64 given = max(chunk->given_ns, begun);

	save->given_ns = given;
	if (!chunk->bytes)
		return;
	lmf_stat_add(stats, LMF_STAT_CHUNKS, 1);
	lmf_stat_add(stats, LMF_STAT_CHUNK_BYTES, chunk->bytes);
	lmf_stat_add(stats, LMF_STAT_CHUNK_TIME, given - begun);
}

static void lmf_save_account(struct lmf_save *save, struct lmf_saved *saved,
			     const struct lmf_chunk *chunk)
{
	saved->bytes = chunk->bytes;
	saved->initial = lmf_precopy_chunk(&save->precopy, chunk);
	save->settled = saved->final;
	if (saved->final)
		save->dry = chunk->ended;
	else if (!save->final)
		save->dry = chunk->empty;
	lmf_save_time(save, chunk);
	trace_lmf_vfio_save_chunk(lmf_vfio_name(save->migf.dev),
				  save->writer.seq, chunk);
}

/* Take the results that are there, in order. */
void lmf_save_harvest_locked(struct lmf_save *save)
{
	struct lmf_migf *migf = &save->migf;
	struct lmf_chunk chunk;
	struct lmf_slot *slot;
	int err;

	lockdep_assert_held(&migf->lock);
	while (save->harvested < migf->used) {
		slot = lmf_migf_slot(migf, save->harvested);
		if (!lmf_op_done(slot->op))
			break;
		err = lmf_op_result(slot->op, &chunk);
		err = err ?: lmf_save_check(slot, &chunk);
		if (err) {
			lmf_migf_fail_locked(migf, err);
			break;
		}
		lmf_save_account(save, lmf_save_saved(save, save->harvested),
				 &chunk);
		save->harvested++;
	}
}

static void lmf_save_pop_locked(struct lmf_save *save)
{
	lmf_migf_pop_locked(&save->migf);
	save->harvested--;
}

/* Put the oldest chunk in front; there may be nothing in it. */
static void lmf_save_take_locked(struct lmf_save *save)
{
	const struct lmf_slot *slot = lmf_migf_slot(&save->migf, 0);
	const struct lmf_saved *saved = lmf_save_saved(save, 0);

	if (!saved->bytes) {
		lmf_save_pop_locked(save);
		return;
	}
	lmf_stream_put_state(&save->writer, &save->rec.state, slot->buf->vaddr,
			     saved->bytes);
	lmf_save_front(save, sizeof(save->rec.state), slot->buf->vaddr,
		       saved->bytes, saved->initial);
	save->probed = false;
}

/* Is this a temporary end, as far as we know without asking? */
static bool lmf_save_idle(const struct lmf_save *save)
{
	return save->pos == save->total && !save->migf.used && save->dry &&
	       !save->final;
}

/* Nothing is on its way, and if anything is left to ask for, it failed. */
static int lmf_save_idle_locked(struct lmf_save *save)
{
	int err;

	if (!save->dry)
		return lmf_migf_alive_locked(&save->migf) ?: save->submit_err;
	if (save->final) {
		lmf_stream_put_end(&save->writer, &save->rec.end);
		lmf_save_front(save, sizeof(save->rec.end), NULL, 0, 0);
		save->migf.done = true;
		return 1;
	}
	if (save->probed) {
		save->probed = false;
		return -ENOMSG;
	}
	err = lmf_save_submit_locked(save);
	save->probed = !err;
	return lmf_migf_alive_locked(&save->migf) ?: err ?: 1;
}

static int lmf_save_wait_locked(struct lmf_save *save, bool nonblock)
{
	struct lmf_migf *migf = &save->migf;
	u64 start = ktime_get_ns();
	int ret = lmf_migf_wait_locked(migf, nonblock);

	if (!lmf_migf_alive_locked(migf))
		lmf_stat_add(&migf->dev->stats, LMF_STAT_READ_WAIT_TIME,
			     ktime_get_ns() - start);
	return ret;
}

/* One step towards a record in front: 1, or 0 at the end, or an error. */
static int lmf_save_step_locked(struct lmf_save *save, bool nonblock)
{
	struct lmf_migf *migf = &save->migf;
	int ret;

	if (save->migf.done)
		return 0;
	lmf_save_fill_locked(save);
	if (!migf->used)
		return lmf_save_idle_locked(save);
	ret = lmf_save_wait_locked(save, nonblock);
	if (ret)
		return ret;
	ret = lmf_migf_alive_locked(migf);
	if (ret)
		return ret;
	lmf_save_harvest_locked(save);
	ret = lmf_migf_alive_locked(migf);
	if (ret)
		return ret;
	lmf_save_take_locked(save);
	return 1;
}

/* Have a record in front: 1, or 0 at the end, or an error. May drop lock. */
static int lmf_save_next_locked(struct lmf_save *save, bool nonblock)
{
	int ret = lmf_migf_alive_locked(&save->migf);

	if (ret)
		return ret;
	while (save->pos == save->total) {
		ret = lmf_save_step_locked(save, nonblock);
		if (ret <= 0)
			return ret;
	}
	return 1;
}

/* The record in front was read. */
static void lmf_save_finish_locked(struct lmf_save *save)
{
	struct lmf_stats *stats = &save->migf.dev->stats;

	if (save->migf.done)
		lmf_stat_now(stats, LMF_STAT_STOP_COPY_LAST_BYTE);
	if (save->payload) {
		save->payload = NULL;
		lmf_save_pop_locked(save);
		lmf_save_fill_locked(save);
	}
}

static ssize_t lmf_save_copy_locked(struct lmf_save *save, char __user *buf,
				    size_t len)
{
	const void *from;
	size_t n;
	ssize_t ret;

	if (save->pos < save->rec_bytes) {
		from = (const u8 *)&save->rec + save->pos;
		n = save->rec_bytes - save->pos;
	} else {
		from = save->payload + (save->pos - save->rec_bytes);
		n = save->total - save->pos;
	}
	ret = lmf_migf_copy_out_locked(&save->migf, buf, from, min(n, len));
	if (ret <= 0)
		return ret;
	save->pos += ret;
	lmf_stat_add(&save->migf.dev->stats,
		     save->final ? LMF_STAT_BYTES_SAVED_STOP_COPY :
				   LMF_STAT_BYTES_SAVED_PRECOPY, ret);
	if (save->pos == save->total)
		lmf_save_finish_locked(save);
	return ret;
}

/*
 * Who waits by edge for what gets dirty does not poll after the read() that
 * came to the end: nobody else would ask the device.
 */
static void lmf_save_look_later_locked(struct lmf_save *save)
{
	struct lmf_migf *migf = &save->migf;

	if (lmf_save_idle(save) && wq_has_sleeper(&migf->wq) &&
	    !lmf_migf_alive_locked(migf))
		lmf_migf_look_later_locked(migf);
}

/* Facts about a read() that began at @start; there may be no device left. */
static void lmf_save_account_locked(struct lmf_save *save, u64 start)
{
	struct lmf_migf *migf = &save->migf;
	u64 initial_bytes, dirty_bytes;

	if (lmf_migf_alive_locked(migf))
		return;
	lmf_stat_add(&migf->dev->stats,
		     save->final ? LMF_STAT_STOP_COPY_READ_TIME :
				   LMF_STAT_PRE_COPY_READ_TIME,
		     ktime_get_ns() - start);
	if (!save->final)
		lmf_save_info_locked(save, &initial_bytes, &dirty_bytes);
}

static ssize_t lmf_save_read_locked(struct lmf_save *save, char __user *buf,
				    size_t len, bool nonblock)
{
	u64 start = ktime_get_ns();
	ssize_t ret = 0;
	size_t done = 0;

	if (!nonblock)
		save->probed = false;
	while (done < len && !(done && lmf_save_idle(save))) {
		ret = lmf_save_next_locked(save, nonblock);
		if (ret <= 0)
			break;
		ret = lmf_save_copy_locked(save, buf + done, len - done);
		if (ret < 0)
			break;
		done += ret;
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		cond_resched();
	}
	lmf_save_look_later_locked(save);
	lmf_save_account_locked(save, start);
	return done ?: ret;
}

static ssize_t lmf_save_read(struct file *filp, char __user *buf, size_t len,
			     loff_t *pos)
{
	struct lmf_migf *migf = filp->private_data;
	bool nonblock = filp->f_flags & O_NONBLOCK;
	ssize_t ret;

	if (pos)
		return -ESPIPE;
	ret = lmf_migf_begin_io(migf, nonblock);
	if (ret)
		return ret;
	ret = lmf_save_read_locked(to_lmf_save(migf), buf, len, nonblock);
	lmf_migf_end_io(migf);
	return ret;
}

static const struct file_operations lmf_save_fops = {
	.owner = THIS_MODULE,
	.read = lmf_save_read,
	.poll = lmf_migf_poll,
	.unlocked_ioctl = lmf_save_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = lmf_migf_release,
};

static void lmf_save_end(struct lmf_migf *migf)
{
	lmf_vf_save_end(migf->dev->vf, migf->session);
}

/* In the final phase there is always something: a record, END or the end. */
static __poll_t lmf_save_poll(struct lmf_migf *migf)
{
	struct lmf_save *save = to_lmf_save(migf);
	bool ready;

	ready = save->pos < save->total || save->migf.done;
	if (migf->used)
		ready |= lmf_op_done(lmf_migf_slot(migf, 0)->op);
	else
		ready |= save->final || !save->dry;
	return ready ? EPOLLIN | EPOLLRDNORM : 0;
}

/* At a temporary end only the device knows when there is more. */
static void lmf_save_look(struct lmf_migf *migf)
{
	struct lmf_save *save = to_lmf_save(migf);

	if (lmf_save_idle(save))
		lmf_save_refresh_locked(save);
}

static const struct lmf_migf_ops lmf_save_ops = {
	.end = lmf_save_end,
	.poll = lmf_save_poll,
	.look = lmf_save_look,
};

/**
 * lmf_save_alloc() - allocate all that a save needs
 * @dev: device
 *
 * Return: the session, not begun, or ERR_PTR().
 */
struct lmf_migf *lmf_save_alloc(struct lmf_vfio_device *dev)
{
	const struct lmf_vf_caps *caps = lmf_vf_caps(dev->vf);
	struct lmf_save *save;
	u32 chunk;

	save = kzalloc(sizeof(*save), GFP_KERNEL_ACCOUNT);
	if (!save)
		return ERR_PTR(-ENOMEM);
	chunk = clamp(LMF_SAVE_CHUNK, caps->chunk_min, caps->chunk_max);
	lmf_migf_init(&save->migf, &lmf_save_ops);
	lmf_precopy_init(&save->precopy, caps, chunk);
	if (lmf_migf_alloc_slots(&save->migf, dev->vf, chunk)) {
		lmf_migf_disable(&save->migf);
		lmf_migf_put(&save->migf);
		return ERR_PTR(-ENOMEM);
	}
	return &save->migf;
}

/**
 * lmf_save_file() - make the data_fd's file
 * @migf: session
 */
struct file *lmf_save_file(struct lmf_migf *migf)
{
	return lmf_migf_file(migf, "lmf-save", &lmf_save_fops, O_RDONLY);
}

static int lmf_save_begin_locked(struct lmf_save *save,
				 struct lmf_vfio_device *dev)
{
	struct lmf_migf *migf = &save->migf;
	struct lmf_save_left left;
	int ret;

	lockdep_assert_held(&migf->lock);
	ret = lmf_vf_save_begin(dev->vf, &migf->session);
	if (ret)
		return ret;
	migf->dev = dev;
	ret = lmf_vf_save_query(dev->vf, migf->session, &left);
	if (ret)
		return ret;
	lmf_precopy_left(&save->precopy, &left);
	lmf_stream_put_head(&save->writer, &save->rec.head,
			    save->precopy.chunk);
	lmf_save_front(save, sizeof(save->rec.head), NULL, 0,
		       sizeof(save->rec.head));
	return 0;
}

/**
 * lmf_save_begin() - begin to save
 * @migf: from lmf_save_alloc()
 * @dev: device
 * @final: it is stopped
 *
 * Return: 0, or an error after which @migf is to be disabled.
 */
int lmf_save_begin(struct lmf_migf *migf, struct lmf_vfio_device *dev,
		   bool final)
{
	struct lmf_save *save = to_lmf_save(migf);
	int ret;

	mutex_lock(&migf->lock);
	ret = lmf_save_begin_locked(save, dev);
	if (!ret) {
		save->final = final;
		lmf_save_fill_locked(save);
	}
	lmf_migf_unlock(migf);
	return ret;
}

/**
 * lmf_save_finalize() - the device was stopped: give all, and an end
 * @migf: session
 */
void lmf_save_finalize(struct lmf_migf *migf)
{
	struct lmf_save *save = to_lmf_save(migf);

	mutex_lock(&migf->lock);
	save->final = true;
	save->dry = false;
	if (!lmf_migf_alive_locked(migf))
		lmf_save_fill_locked(save);
	lmf_migf_unlock(migf);
	wake_up_all(&migf->wq);
}
