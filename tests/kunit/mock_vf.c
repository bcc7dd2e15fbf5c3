// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VF that is played on this side of include/linux/lmf.h, so that the VF
 * driver's migration can be tested without a PF driver. Its operations are
 * done by a worker, late and one by one, as a device does them. It keeps a
 * state that fits in a few chunks, checks what it is given to load, and can be
 * told to fail.
 */
#include <linux/delay.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "mock_vf.h"

bool mock_knows_reinit;

struct mock_buf {
	struct lmf_buf pub;
	struct kref ref;
	struct lmf_vf *vf;
};

struct lmf_op {
	struct kref ref;
	struct lmf_vf *vf;
	struct work_struct work;
	struct mock_buf *buf;
	u64 session;
	bool load;
	bool final;
	u32 bytes;
	spinlock_t lock; /* protects wq */
	wait_queue_head_t *wq;
	wait_queue_head_t own;
	bool done;
	int err;
	struct lmf_chunk chunk;
};

int mock_vf_init(struct lmf_vf *vf)
{
	spin_lock_init(&vf->lock);
	init_waitqueue_head(&vf->change);
	vf->caps = (struct lmf_vf_caps) {
		.migrate = true,
		.state_max = MOCK_IDENTITY_BYTES + MOCK_TRAILER_BYTES +
			     MOCK_GRANULES * MOCK_SEG_BYTES,
		.trailer_max = MOCK_TRAILER_BYTES,
		.chunk_min = MOCK_SEG_BYTES,
		.chunk_max = 4096,
	};
	vf->wq = alloc_ordered_workqueue("lmf-mock-vf", 0);
	return vf->wq ? 0 : -ENOMEM;
}

void mock_vf_exit(struct lmf_vf *vf)
{
	mock_vf_release(vf);
	destroy_workqueue(vf->wq);
}

/* Go on after @hold. */
void mock_vf_release(struct lmf_vf *vf)
{
	WRITE_ONCE(vf->hold, false);
	wake_up_all(&vf->change);
}

void mock_vf_wait_idle(struct lmf_vf *vf)
{
	wait_event(vf->change, !atomic_read(&vf->busy));
}

void mock_vf_write(struct lmf_vf *vf, unsigned int granule, u8 value)
{
	spin_lock(&vf->lock);
	memset(vf->media[granule], value, MOCK_DATA_BYTES);
	vf->written[granule] = true;
	if (vf->saving && !vf->first[granule])
		vf->dirty[granule] = true;
	spin_unlock(&vf->lock);
}

/* The device finds that the granule belongs to the first pass once more. */
void mock_vf_again(struct lmf_vf *vf, unsigned int granule)
{
	spin_lock(&vf->lock);
	vf->first[granule] = true;
	spin_unlock(&vf->lock);
}

void mock_vf_reset(struct lmf_vf *vf)
{
	spin_lock(&vf->lock);
	vf->saving = false;
	vf->loading = false;
	vf->session = 0;
	vf->level = LMF_RUN;
	vf->regs = 0;
	spin_unlock(&vf->lock);
}

static int mock_strike_locked(struct lmf_vf *vf, enum mock_call call)
{
	struct mock_fault *fault = &vf->fault[call];

	lockdep_assert_held(&vf->lock);
	if (!fault->in || --fault->in)
		return 0;
	if (fault->more) {
		fault->more--;
		fault->in = 1;
	}
	return fault->err;
}

const struct lmf_vf_caps *lmf_vf_caps(const struct lmf_vf *vf)
{
	return &vf->caps;
}

struct lmf_buf *lmf_buf_alloc(struct lmf_vf *vf, size_t size, gfp_t gfp)
{
	struct mock_buf *buf;

	buf = vf->no_bufs ? NULL : kzalloc(sizeof(*buf), gfp);
	if (!buf)
		return NULL;
	buf->pub.vaddr = kzalloc(size, gfp);
	if (!buf->pub.vaddr) {
		kfree(buf);
		return NULL;
	}
	buf->pub.size = size;
	buf->vf = vf;
	kref_init(&buf->ref);
	atomic_inc(&vf->bufs);
	if (!(gfp & __GFP_ACCOUNT))
		atomic_inc(&vf->uncharged);
	vf->buf_peak = max(vf->buf_peak,
			   atomic_add_return(size, &vf->buf_bytes));
	return &buf->pub;
}

static void mock_buf_release(struct kref *ref)
{
	struct mock_buf *buf = container_of(ref, struct mock_buf, ref);

	atomic_dec(&buf->vf->bufs);
	atomic_sub(buf->pub.size, &buf->vf->buf_bytes);
	kfree(buf->pub.vaddr);
	kfree(buf);
}

void lmf_buf_put(struct lmf_buf *buf)
{
	if (buf)
		kref_put(&container_of(buf, struct mock_buf, pub)->ref,
			 mock_buf_release);
}

/* One that fails may have done its work all the same: every second one does. */
int lmf_vf_quiesce(struct lmf_vf *vf, enum lmf_quiesce level)
{
	int err;

	if (fatal_signal_pending(current))
		return -EINTR;
	if (vf->quiesced)
		vf->quiesced(vf);
	spin_lock(&vf->lock);
	err = mock_strike_locked(vf, MOCK_QUIESCE);
	if (!err || ++vf->quiesces % 2)
		vf->level = level;
	spin_unlock(&vf->lock);
	return err;
}

int lmf_vf_level(struct lmf_vf *vf, enum lmf_quiesce *level)
{
	int err;

	spin_lock(&vf->lock);
	err = mock_strike_locked(vf, MOCK_LEVEL);
	*level = vf->level;
	spin_unlock(&vf->lock);
	return err;
}

static struct lmf_save_left mock_left_of_session(const struct lmf_vf *vf)
{
	struct lmf_save_left left = { };
	unsigned int i;

	for (i = 0; i < MOCK_GRANULES; i++) {
		if (vf->first[i])
			left.initial += MOCK_SEG_BYTES;
		else if (vf->dirty[i])
			left.dirty += MOCK_SEG_BYTES;
	}
	if (!vf->identity_sent)
		left.initial += MOCK_IDENTITY_BYTES;
	if (!vf->trailer_sent)
		left.trailer = MOCK_TRAILER_BYTES;
	return left;
}

static struct lmf_save_left mock_left_of_vf(const struct lmf_vf *vf)
{
	struct lmf_save_left left = {
		.initial = MOCK_IDENTITY_BYTES,
		.trailer = MOCK_TRAILER_BYTES,
	};
	unsigned int i;

	for (i = 0; i < MOCK_GRANULES; i++)
		left.initial += vf->written[i] * MOCK_SEG_BYTES;
	return left;
}

int lmf_vf_save_begin(struct lmf_vf *vf, u64 *session)
{
	int err;

	spin_lock(&vf->lock);
	err = mock_strike_locked(vf, MOCK_SAVE_BEGIN);
	if (!err && vf->session)
		err = -EBUSY;
	if (!err) {
		vf->session = ++vf->sessions;
		vf->saving = true;
		vf->identity_sent = false;
		vf->trailer_sent = false;
		memcpy(vf->first, vf->written, sizeof(vf->first));
		memset(vf->dirty, 0, sizeof(vf->dirty));
		*session = vf->session;
	}
	spin_unlock(&vf->lock);
	if (!err && vf->begun)
		vf->begun(vf);
	return err;
}

int lmf_vf_save_query(struct lmf_vf *vf, u64 session,
		      struct lmf_save_left *left)
{
	int err;

	spin_lock(&vf->lock);
	err = mock_strike_locked(vf, MOCK_SAVE_QUERY);
	if (!err && session && session != vf->session)
		err = -ECANCELED;
	if (!err)
		*left = session ? mock_left_of_session(vf) :
				  mock_left_of_vf(vf);
	spin_unlock(&vf->lock);
	return err;
}

static void mock_end_session(struct lmf_vf *vf, u64 session)
{
	spin_lock(&vf->lock);
	if (vf->session == session) {
		vf->session = 0;
		vf->saving = false;
		vf->loading = false;
	}
	spin_unlock(&vf->lock);
}

void lmf_vf_save_end(struct lmf_vf *vf, u64 session)
{
	mock_end_session(vf, session);
}

void lmf_vf_load_abort(struct lmf_vf *vf, u64 session)
{
	mock_end_session(vf, session);
}

int lmf_vf_load_begin(struct lmf_vf *vf, u64 *session)
{
	int err;

	spin_lock(&vf->lock);
	err = mock_strike_locked(vf, MOCK_LOAD_BEGIN);
	if (!err && (vf->session || vf->level != LMF_STOP_FULL))
		err = -EBUSY;
	if (!err) {
		vf->session = ++vf->sessions;
		vf->loading = true;
		vf->stage = MOCK_LOAD_NEW;
		memset(vf->media, 0, sizeof(vf->media));
		memset(vf->written, 0, sizeof(vf->written));
		*session = vf->session;
	}
	spin_unlock(&vf->lock);
	if (!err && vf->begun)
		vf->begun(vf);
	return err;
}

int lmf_vf_load_commit(struct lmf_vf *vf, u64 session)
{
	int err;

	spin_lock(&vf->lock);
	err = mock_strike_locked(vf, MOCK_LOAD_COMMIT);
	if (!err && vf->session != session)
		err = -ECANCELED;
	if (!err && vf->stage != MOCK_LOAD_COMPLETE)
		err = -ENODATA;
	spin_unlock(&vf->lock);
	mock_end_session(vf, session);
	return err;
}

static u32 mock_put_granules(struct lmf_vf *vf, u8 *to, u32 room)
{
	u32 i, n = 0;

	for (i = 0; i < MOCK_GRANULES && n + MOCK_SEG_BYTES <= room; i++) {
		if (!vf->first[i] && !vf->dirty[i])
			continue;
		vf->first[i] = false;
		vf->dirty[i] = false;
		memcpy(to + n, &i, sizeof(i));
		memcpy(to + n + sizeof(i), vf->media[i], MOCK_DATA_BYTES);
		n += MOCK_SEG_BYTES;
	}
	return n;
}

static u32 mock_put_trailer(struct lmf_vf *vf, u8 *to, u32 room)
{
	u32 head[] = { MOCK_TRAILER, vf->regs };

	if (vf->trailer_sent || room < MOCK_TRAILER_BYTES)
		return 0;
	memset(to, 0, MOCK_TRAILER_BYTES);
	memcpy(to, head, sizeof(head));
	vf->trailer_sent = true;
	return MOCK_TRAILER_BYTES;
}

static u32 mock_put_chunk(struct lmf_vf *vf, u8 *to, u32 room, bool final)
{
	u32 n;

	if (!vf->identity_sent) {
		memcpy(to, MOCK_IDENTITY, MOCK_IDENTITY_BYTES);
		vf->identity_sent = true;
		return MOCK_IDENTITY_BYTES;
	}
	n = mock_put_granules(vf, to, room);
	if (final)
		n += mock_put_trailer(vf, to + n, room - n);
	return n;
}

static int mock_save_locked(struct lmf_op *op)
{
	struct lmf_chunk *chunk = &op->chunk;
	struct lmf_vf *vf = op->vf;
	int err;

	err = mock_strike_locked(vf, MOCK_SAVE_READ);
	if (err)
		return err;
	if (!vf->saving || vf->session != op->session)
		return -ECANCELED;
	if (op->final && vf->level != LMF_STOP_FULL)
		return -EBUSY;
	chunk->bytes = mock_put_chunk(vf, op->buf->pub.vaddr,
				      op->buf->pub.size, op->final);
	chunk->left = mock_left_of_session(vf);
	if (op->final)
		chunk->ended = vf->trailer_sent;
	else
		chunk->empty = !chunk->left.initial && !chunk->left.dirty;
	chunk->given_ns = vf->clock_ns + MOCK_CHUNK_NS;
	WRITE_ONCE(vf->clock_ns, chunk->given_ns);
	return 0;
}

static int mock_take_seg(struct lmf_vf *vf, const u8 *from, u32 bytes)
{
	u32 head[2];

	if (bytes < MOCK_TRAILER_BYTES)
		return -EBADMSG;
	memcpy(head, from, sizeof(head));
	if (head[0] == MOCK_TRAILER && bytes == MOCK_TRAILER_BYTES) {
		vf->regs = head[1];
		vf->stage = MOCK_LOAD_COMPLETE;
		return MOCK_TRAILER_BYTES;
	}
	if (head[0] >= MOCK_GRANULES || bytes < MOCK_SEG_BYTES)
		return -EBADMSG;
	memcpy(vf->media[head[0]], from + sizeof(u32), MOCK_DATA_BYTES);
	vf->written[head[0]] = true;
	return MOCK_SEG_BYTES;
}

static int mock_take_chunk(struct lmf_vf *vf, const u8 *from, u32 bytes)
{
	u32 at;
	int n;

	if (vf->stage == MOCK_LOAD_NEW) {
		if (bytes != MOCK_IDENTITY_BYTES ||
		    memcmp(from, MOCK_IDENTITY, bytes))
			return -EOPNOTSUPP;
		vf->stage = MOCK_LOAD_KNOWN;
		return 0;
	}
	for (at = 0; at < bytes; at += n) {
		n = mock_take_seg(vf, from + at, bytes - at);
		if (n < 0)
			return n;
	}
	return 0;
}

static int mock_load_locked(struct lmf_op *op)
{
	struct lmf_vf *vf = op->vf;
	int err;

	if (!vf->loading || vf->session != op->session)
		return -ECANCELED;
	if (vf->stage == MOCK_LOAD_REFUSED)
		return -EBUSY;
	err = mock_strike_locked(vf, MOCK_LOAD_WRITE);
	if (!err)
		err = mock_take_chunk(vf, op->buf->pub.vaddr, op->bytes);
	if (err)
		vf->stage = MOCK_LOAD_REFUSED;
	return err;
}

static void mock_op_release(struct kref *ref)
{
	struct lmf_op *op = container_of(ref, struct lmf_op, ref);

	atomic_dec(&op->vf->ops);
	lmf_buf_put(&op->buf->pub);
	kfree(op);
}

static void mock_op_finish(struct lmf_op *op, int err)
{
	unsigned long flags;

	spin_lock_irqsave(&op->lock, flags);
	op->err = err;
	/* Pairs with lmf_op_done(): the result is visible first. */
	smp_store_release(&op->done, true);
	wake_up_all(&op->own);
	if (op->wq)
		wake_up_all(op->wq);
	spin_unlock_irqrestore(&op->lock, flags);
}

static void mock_op_work(struct work_struct *work)
{
	struct lmf_op *op = container_of(work, struct lmf_op, work);
	struct lmf_vf *vf = op->vf;
	int err;

	wait_event(vf->change, !READ_ONCE(vf->hold));
	if (vf->delay_us)
		fsleep(vf->delay_us);
	spin_lock(&vf->lock);
	err = op->load ? mock_load_locked(op) : mock_save_locked(op);
	spin_unlock(&vf->lock);
	mock_op_finish(op, err);
	kref_put(&op->ref, mock_op_release);
	atomic_dec(&vf->busy);
	wake_up_all(&vf->change);
}

static struct lmf_op *mock_submit(struct lmf_vf *vf, const struct lmf_op *what,
				  struct lmf_buf *buf)
{
	struct lmf_op *op;

	if (vf->refuses)
		return ERR_PTR(vf->refuses);
	op = kmemdup(what, sizeof(*what), GFP_KERNEL);
	if (!op)
		return ERR_PTR(-ENOMEM);
	op->vf = vf;
	op->buf = container_of(buf, struct mock_buf, pub);
	kref_get(&op->buf->ref);
	kref_init(&op->ref);
	kref_get(&op->ref);
	spin_lock_init(&op->lock);
	init_waitqueue_head(&op->own);
	op->chunk.asked_ns = READ_ONCE(vf->clock_ns);
	INIT_WORK(&op->work, mock_op_work);
	atomic_inc(&vf->ops);
	atomic_inc(&vf->busy);
	queue_work(vf->wq, &op->work);
	return op;
}

struct lmf_op *lmf_vf_save_read(struct lmf_vf *vf, u64 session,
				struct lmf_buf *buf, bool final,
				wait_queue_head_t *wq)
{
	struct lmf_op what = {
		.session = session,
		.final = final,
		.wq = wq,
	};

	return mock_submit(vf, &what, buf);
}

struct lmf_op *lmf_vf_load_write(struct lmf_vf *vf, u64 session,
				 struct lmf_buf *buf, u32 bytes,
				 wait_queue_head_t *wq)
{
	struct lmf_op what = {
		.session = session,
		.load = true,
		.bytes = bytes,
		.wq = wq,
	};

	return mock_submit(vf, &what, buf);
}

bool lmf_op_done(const struct lmf_op *op)
{
	/* Pairs with mock_op_finish(). */
	return smp_load_acquire(&op->done);
}

int lmf_op_wait(struct lmf_op *op)
{
	return wait_event_killable(op->own, lmf_op_done(op)) ? -EINTR : 0;
}

int lmf_op_result(const struct lmf_op *op, struct lmf_chunk *chunk)
{
	if (!lmf_op_done(op))
		return -EINPROGRESS;
	if (chunk && !op->err)
		*chunk = op->chunk;
	return op->err;
}

void lmf_op_put(struct lmf_op *op)
{
	unsigned long flags;

	if (!op)
		return;
	spin_lock_irqsave(&op->lock, flags);
	op->wq = NULL;
	spin_unlock_irqrestore(&op->lock, flags);
	kref_put(&op->ref, mock_op_release);
}
