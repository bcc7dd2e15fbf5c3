// SPDX-License-Identifier: GPL-2.0-only
/*
 * The session that loads, and what write() on its data_fd takes.
 *
 * The bytes are chosen by a VMM that need not be friendly. stream.c judges the
 * framing; a chunk goes to the device, which judges what is in it, only after
 * its CRC was found right. Chunks are collected in a fixed window of buffers,
 * so that the device takes one while the next comes in.
 *
 * Whatever is wrong is said by write(), at the latest by the one that brings
 * the last byte of END: that one waits for the device and has it apply the
 * state. A refusal stays; every further write() and RESUMING -> STOP get it.
 * write() also waits for the device's word on the first chunk, the identity,
 * because the answer is worth most while the source still runs.
 *
 * A refusal comes before the count of bytes that went well. Other errors, a
 * fault or a signal, come after it: the bytes counted are taken, the rest is
 * not, and the stream may go on.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "lmf_vfio.h"
#include "migf.h"
#include "resume.h"
#include "stream.h"
#include "trace.h"

/**
 * struct lmf_resume - a session that loads; migf.lock protects it
 * @migf: base
 * @reader: framing
 * @waits: a chunk is complete that the device was not asked to take yet
 */
struct lmf_resume {
	struct lmf_migf migf;
	struct lmf_stream_reader reader;
	bool waits;
};

/* lmf_migf_put() frees the whole. */
static_assert(offsetof(struct lmf_resume, migf) == 0);

static struct lmf_resume *to_lmf_resume(struct lmf_migf *migf)
{
	return container_of(migf, struct lmf_resume, migf);
}

static int lmf_resume_refuse_locked(struct lmf_resume *res, int err)
{
	struct lmf_migf *migf = &res->migf;

	if (!migf->err)
		trace_lmf_vfio_refused(lmf_vfio_name(migf->dev),
				       res->reader.seq, err);
	lmf_migf_fail_locked(migf, err);
	return migf->err;
}

/* Forget the chunks that the device has taken, up to one that it refused. */
static int lmf_resume_harvest_locked(struct lmf_resume *res)
{
	struct lmf_migf *migf = &res->migf;
	struct lmf_op *op;
	int err;

	lockdep_assert_held(&migf->lock);
	while (migf->used) {
		op = lmf_migf_slot(migf, 0)->op;
		if (!lmf_op_done(op))
			break;
		err = lmf_op_result(op, NULL);
		if (err)
			return lmf_resume_refuse_locked(res, err);
		lmf_migf_pop_locked(migf);
	}
	return 0;
}

/* Wait until at most @used chunks are on their way. May drop lock. */
static int lmf_resume_wait_locked(struct lmf_resume *res, unsigned int used,
				  bool nonblock)
{
	struct lmf_migf *migf = &res->migf;
	int ret;

	for (;;) {
		ret = lmf_migf_alive_locked(migf);
		ret = ret ?: lmf_resume_harvest_locked(res);
		if (ret || migf->used <= used)
			return ret;
		ret = lmf_migf_wait_locked(migf, nonblock);
		if (ret)
			return lmf_migf_alive_locked(migf) ?: ret;
	}
}

/*
 * Have the device take the chunk that is complete. Where nobody asked it, as
 * there was no memory or who writes is killed, the chunk stays for the next
 * write(): its bytes are consumed, and come from nowhere again.
 */
static int lmf_resume_submit_locked(struct lmf_resume *res, bool nonblock)
{
	struct lmf_migf *migf = &res->migf;
	struct lmf_slot *slot = lmf_migf_slot(migf, migf->used);
	struct lmf_op *op;

	op = lmf_vf_load_write(migf->dev->vf, migf->session, slot->buf,
			       res->reader.length, &migf->wq);
	res->waits = op == ERR_PTR(-ENOMEM) || op == ERR_PTR(-EINTR);
	if (res->waits)
		return PTR_ERR(op);
	if (IS_ERR(op))
		return lmf_resume_refuse_locked(res, PTR_ERR(op));
	slot->op = op;
	migf->used++;
	/* Whether the identity matches is said at once. */
	if (res->reader.states > 1 || nonblock)
		return 0;
	return lmf_resume_wait_locked(res, 0, false);
}

/* Give the reader a buffer for the chunk that begins. May drop lock. */
static int lmf_resume_sink_locked(struct lmf_resume *res, bool nonblock)
{
	struct lmf_migf *migf = &res->migf;
	struct lmf_slot *slot;
	int ret;

	ret = lmf_resume_wait_locked(res, LMF_MIGF_SLOTS - 1, nonblock);
	if (ret)
		return ret;
	slot = lmf_migf_slot(migf, migf->used);
	if (!slot->buf)
		slot->buf = lmf_buf_alloc(migf->dev->vf, res->reader.chunk_max,
					  GFP_KERNEL_ACCOUNT);
	if (!slot->buf)
		return -ENOMEM;
	lmf_stream_sink(&res->reader, slot->buf->vaddr);
	return 0;
}

/* Have all in place that the next bytes need. May drop lock. */
static int lmf_resume_prepare_locked(struct lmf_resume *res, bool nonblock)
{
	int ret = lmf_migf_alive_locked(&res->migf);

	ret = ret ?: lmf_resume_harvest_locked(res);
	if (!ret && res->waits)
		ret = lmf_resume_submit_locked(res, nonblock);
	if (!ret && lmf_stream_needs_sink(&res->reader))
		ret = lmf_resume_sink_locked(res, nonblock);
	return ret;
}

/*
 * END came. Its bytes are consumed, so that nobody would try again: whatever
 * goes wrong is final.
 */
static int lmf_resume_end_locked(struct lmf_resume *res)
{
	struct lmf_migf *migf = &res->migf;
	int ret;

	ret = lmf_resume_wait_locked(res, 0, false);
	if (ret == -ENODEV)
		return ret;
	ret = ret ?: lmf_vf_load_commit(migf->dev->vf, migf->session);
	if (ret)
		return lmf_resume_refuse_locked(res, ret);
	migf->done = true;
	lmf_stat_now(&migf->dev->stats, LMF_STAT_LOAD_DONE);
	return 0;
}

static int lmf_resume_event_locked(struct lmf_resume *res, int event,
				   bool nonblock)
{
	if (event < 0)
		return lmf_resume_refuse_locked(res, event);
	switch (event) {
	case LMF_STREAM_STATE:
		trace_lmf_vfio_load_chunk(lmf_vfio_name(res->migf.dev),
					  res->reader.states,
					  res->reader.length);
		return lmf_resume_submit_locked(res, nonblock);
	case LMF_STREAM_END:
		return lmf_resume_end_locked(res);
	default:
		return 0;
	}
}

static void lmf_resume_count(struct lmf_resume *res, size_t n)
{
	struct lmf_stats *stats = &res->migf.dev->stats;

	if (!lmf_stat(stats, LMF_STAT_BYTES_LOADED))
		lmf_stat_now(stats, LMF_STAT_LOAD_FIRST_BYTE);
	lmf_stat_add(stats, LMF_STAT_BYTES_LOADED, n);
}

/* Take up to @len bytes. Return: how many, 0 to try again, or an error. */
static ssize_t lmf_resume_take_locked(struct lmf_resume *res,
				      const char __user *buf, size_t len,
				      bool nonblock)
{
	size_t want;
	ssize_t n;
	void *to;
	int ret;

	ret = lmf_resume_prepare_locked(res, nonblock);
	if (ret)
		return ret;
	want = lmf_stream_want(&res->reader, &to);
	if (!want)
		return lmf_resume_refuse_locked(res, -EBADMSG);
	n = lmf_migf_copy_in_locked(&res->migf, to, buf, min(want, len));
	if (n <= 0)
		return n;
	lmf_resume_count(res, n);
	/* What is not a refusal is met again: at the next bytes. */
	lmf_resume_event_locked(res, lmf_stream_got(&res->reader, n), nonblock);
	return n;
}

/* No further write() would tell that the state was not applied. */
static bool lmf_resume_ended_early(const struct lmf_resume *res)
{
	return res->reader.phase == LMF_STREAM_DONE && !res->migf.done;
}

static ssize_t lmf_resume_write_locked(struct lmf_resume *res,
				       const char __user *buf, size_t len,
				       bool nonblock)
{
	ssize_t ret = 0;
	size_t done = 0;
	int err;

	while (done < len) {
		ret = lmf_resume_take_locked(res, buf + done, len - done,
					     nonblock);
		if (ret < 0 || res->migf.err)
			break;
		done += ret;
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		cond_resched();
	}
	err = lmf_migf_alive_locked(&res->migf);
	if (err && (err != -ENODEV || lmf_resume_ended_early(res)))
		return err;
	return done ?: ret;
}

static ssize_t lmf_resume_write(struct file *filp, const char __user *buf,
				size_t len, loff_t *pos)
{
	struct lmf_migf *migf = filp->private_data;
	bool nonblock = filp->f_flags & O_NONBLOCK;
	ssize_t ret;

	if (pos)
		return -ESPIPE;
	ret = lmf_migf_begin_io(migf, nonblock);
	if (ret)
		return ret;
	ret = lmf_resume_write_locked(to_lmf_resume(migf), buf, len, nonblock);
	lmf_migf_end_io(migf);
	return ret;
}

static const struct file_operations lmf_resume_fops = {
	.owner = THIS_MODULE,
	.write = lmf_resume_write,
	.poll = lmf_migf_poll,
	.release = lmf_migf_release,
};

static void lmf_resume_abort(struct lmf_migf *migf)
{
	if (!migf->done)
		lmf_vf_load_abort(migf->dev->vf, migf->session);
}

static __poll_t lmf_resume_poll(struct lmf_migf *migf)
{
	bool ready = migf->used < LMF_MIGF_SLOTS ||
		     lmf_op_done(lmf_migf_slot(migf, 0)->op);

	return ready ? EPOLLOUT | EPOLLWRNORM : 0;
}

static const struct lmf_migf_ops lmf_resume_ops = {
	.end = lmf_resume_abort,
	.poll = lmf_resume_poll,
};

/**
 * lmf_resume_alloc() - allocate a session that loads
 * @dev: device
 *
 * Return: the session, not begun, or ERR_PTR().
 */
struct lmf_migf *lmf_resume_alloc(struct lmf_vfio_device *dev)
{
	struct lmf_resume *res;

	res = kzalloc(sizeof(*res), GFP_KERNEL_ACCOUNT);
	if (!res)
		return ERR_PTR(-ENOMEM);
	lmf_migf_init(&res->migf, &lmf_resume_ops);
	lmf_stream_reader_init(&res->reader,
			       min_t(u32, lmf_vf_caps(dev->vf)->chunk_max,
				     LMF_MIGF_CHUNK_MAX));
	return &res->migf;
}

/**
 * lmf_resume_file() - make the data_fd's file
 * @migf: session
 */
struct file *lmf_resume_file(struct lmf_migf *migf)
{
	return lmf_migf_file(migf, "lmf-resume", &lmf_resume_fops, O_WRONLY);
}

/**
 * lmf_resume_begin() - begin to load
 * @migf: from lmf_resume_alloc()
 * @dev: device, stopped
 *
 * Return: 0, or an error after which @migf is to be disabled.
 */
int lmf_resume_begin(struct lmf_migf *migf, struct lmf_vfio_device *dev)
{
	int ret;

	mutex_lock(&migf->lock);
	ret = lmf_vf_load_begin(dev->vf, &migf->session);
	if (!ret)
		migf->dev = dev;
	lmf_migf_unlock(migf);
	return ret;
}

/* A reset of the PF's function resets the VF, too, and is not told as such. */
static int lmf_resume_ask_locked(struct lmf_resume *res)
{
	enum lmf_quiesce level;
	int ret;

	lockdep_assert_held(&res->migf.lock);
	ret = lmf_vf_level(res->migf.dev->vf, &level);
	if (!ret && level != LMF_STOP_FULL)
		lmf_resume_refuse_locked(res, -EIO);
	return ret;
}

/**
 * lmf_resume_check() - refuse a stream whose VF did not stand still
 * @migf: session
 *
 * The VF was reset, and what was loaded is gone. To be called before the VF is
 * stopped anew, as nobody can tell afterwards.
 *
 * Return: 0, or why the device did not say.
 */
int lmf_resume_check(struct lmf_migf *migf)
{
	int ret = 0;

	mutex_lock(&migf->lock);
	if (!lmf_migf_alive_locked(migf))
		ret = lmf_resume_ask_locked(to_lmf_resume(migf));
	lmf_migf_unlock(migf);
	return ret;
}

/**
 * lmf_resume_complete() - may RESUMING be left for STOP?
 * @migf: session
 *
 * Return: 0 if a whole state was loaded and is still there, -EINVAL if not yet,
 * or why the stream was refused.
 */
int lmf_resume_complete(struct lmf_migf *migf)
{
	int ret;

	mutex_lock(&migf->lock);
	ret = lmf_migf_alive_locked(migf);
	if (!ret && !migf->done)
		ret = -EINVAL;
	ret = ret ?: lmf_resume_ask_locked(to_lmf_resume(migf));
	ret = ret ?: lmf_migf_alive_locked(migf);
	lmf_migf_unlock(migf);
	return ret;
}
