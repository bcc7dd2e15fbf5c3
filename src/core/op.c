// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations: one admin command and whoever waits for it.
 *
 * An operation is done once: by the device's completion, or because it was
 * given up, when the queue was lost or the time was over. Being done says
 * nothing about memory: what was given up keeps its buffers through the slot's
 * reference (aq.c) for as long as the device may use them.
 *
 * The memory of operations is a VF's own: a VF that is to be stopped and saved
 * must not fail for want of some. There is more than the device takes at once,
 * so that those that nobody answers leave some to the others.
 *
 * What a completion says is checked here before anybody sees it.
 */
#include <linux/device.h>
#include <linux/slab.h>

#include "compat.h"
#include "lmf_core.h"

/* The watchdog gives up first; this only bounds the wait if it is late. */
#define LMF_WAIT_GRACE		(2 * HZ)

static const int lmf_status_errno[] = {
	[LMF_ST_OK]		= 0,
	[LMF_ST_OPCODE]		= -EOPNOTSUPP,
	[LMF_ST_FIELD]		= -EINVAL,
	[LMF_ST_VF]		= -ENODEV,
	[LMF_ST_STATE]		= -EBUSY,
	[LMF_ST_SESSION]	= -ECANCELED,
	[LMF_ST_RESOURCES]	= -ENOMEM,
	[LMF_ST_DMA]		= -EIO,
	[LMF_ST_MISMATCH]	= -EOPNOTSUPP,
	[LMF_ST_CORRUPT]	= -EBADMSG,
	[LMF_ST_INCOMPLETE]	= -ENODATA,
	[LMF_ST_ABORTED]	= -ECANCELED,
	[LMF_ST_INTERNAL]	= -EIO,
};

static_assert(LMF_VF_OPS >= 2 * LMF_VF_INFLIGHT);

int lmf_ops_alloc(struct lmf_func *func)
{
	if (!func->ops)
		func->ops = kvcalloc(LMF_VF_OPS, sizeof(*func->ops),
				     GFP_KERNEL);
	return func->ops ? 0 : -ENOMEM;
}

/* The device has none of them any more. */
void lmf_ops_free(struct lmf_func *func)
{
	kvfree(func->ops);
}

static struct lmf_op *lmf_op_take(struct lmf_func *func)
{
	unsigned long n;

	do {
		n = find_first_zero_bit(func->ops_used, LMF_VF_OPS);
		if (n == LMF_VF_OPS)
			return NULL;
	} while (test_and_set_bit_lock(n, func->ops_used));
	return &func->ops[n];
}

/* Returns NULL if too many are held already. */
struct lmf_op *lmf_op_new(struct lmf_func *func, const struct lmf_request *req)
{
	struct lmf_op *op = lmf_op_take(func);

	if (!op)
		return NULL;
	memset(op, 0, sizeof(*op));
	kref_init(&op->ref);
	spin_lock_init(&op->lock);
	init_waitqueue_head(&op->waitq);
	op->func = func;
	op->wq = req->wq;
	op->left_max = req->left_max;
	op->cmd.opcode = cpu_to_le16(req->opcode);
	op->cmd.vf = cpu_to_le16(func->id);
	op->cmd.session = cpu_to_le64(req->session);
	op->cmd.param = cpu_to_le32(req->param);
	if (req->ring)
		op->ring = lmf_dmabuf_get(req->ring);
	if (!req->buf)
		return op;
	op->buf = lmf_dmabuf_get(req->buf);
	op->cmd.nsge = cpu_to_le16(1);
	op->cmd.sge.addr = cpu_to_le64(req->buf->dma);
	op->cmd.sge.len = cpu_to_le32(req->bytes);
	return op;
}

static void lmf_op_release(struct kref *ref)
{
	struct lmf_op *op = container_of(ref, struct lmf_op, ref);
	struct lmf_func *func = op->func;

	lmf_dmabuf_put(op->buf);
	lmf_dmabuf_put(op->ring);
	clear_bit_unlock(op - func->ops, func->ops_used);
}

/* In any context. */
void lmf_op_unref(struct lmf_op *op)
{
	kref_put(&op->ref, lmf_op_release);
}

struct lmf_save_left lmf_cqe_left(const struct lmf_admin_cqe *cqe)
{
	return (struct lmf_save_left) {
		.initial = le64_to_cpu(cqe->value[0]),
		.dirty = le64_to_cpu(cqe->value[1]),
		.trailer = le64_to_cpu(cqe->value[2]),
	};
}

static bool lmf_left_is_sane(const struct lmf_op *op,
			     const struct lmf_admin_cqe *cqe)
{
	struct lmf_save_left left = lmf_cqe_left(cqe);
	u64 max = op->left_max;

	return left.initial <= max && left.dirty <= max - left.initial &&
	       left.trailer <= max - left.initial - left.dirty;
}

static int lmf_op_verdict(const struct lmf_op *op,
			  const struct lmf_admin_cqe *cqe)
{
	u16 status = le16_to_cpu(cqe->status);

	if (status >= ARRAY_SIZE(lmf_status_errno))
		return -EIO;
	if (status != LMF_ST_OK)
		return lmf_status_errno[status];
	if (le32_to_cpu(cqe->bytes) > le32_to_cpu(op->cmd.sge.len))
		return -EIO;
	switch (le16_to_cpu(op->cmd.opcode)) {
	case LMF_OP_SAVE_BEGIN:
	case LMF_OP_LOAD_BEGIN:
		return cqe->value[0] ? 0 : -EIO;
	case LMF_OP_SAVE_READ:
	case LMF_OP_SAVE_QUERY:
		return lmf_left_is_sane(op, cqe) ? 0 : -EIO;
	default:
		return 0;
	}
}

static void lmf_op_finish(struct lmf_op *op, const struct lmf_admin_cqe *cqe,
			  int err)
{
	unsigned long flags;

	spin_lock_irqsave(&op->lock, flags);
	if (!op->done) {
		op->err = err;
		op->given_up = !cqe;
		op->done_ns = ktime_get_ns();
		if (cqe)
			op->cqe = *cqe;
		/* Pairs with lmf_op_done(): the result is visible first. */
		smp_store_release(&op->done, true);
		wake_up_all(&op->waitq);
		if (op->wq)
			wake_up_all(op->wq);
	}
	spin_unlock_irqrestore(&op->lock, flags);
}

void lmf_op_complete(struct lmf_op *op, const struct lmf_admin_cqe *cqe)
{
	int err = lmf_op_verdict(op, cqe);

	if (err)
		dev_dbg(op->func->core->dev,
			"VF %u: command %#x: status %u detail %#x: %d\n",
			op->func->id, le16_to_cpu(op->cmd.opcode),
			le16_to_cpu(cqe->status), le32_to_cpu(cqe->detail),
			err);
	lmf_op_finish(op, cqe, err);
}

void lmf_op_give_up(struct lmf_op *op, int err)
{
	lmf_op_finish(op, NULL, err);
}

bool lmf_op_done(const struct lmf_op *op)
{
	/* Pairs with lmf_op_finish(). */
	return smp_load_acquire(&op->done);
}
EXPORT_SYMBOL_LMF(lmf_op_done);

static long lmf_op_wait_bound(const struct lmf_op *op)
{
	long left = op->deadline - jiffies;

	return max(left, 0L) + LMF_WAIT_GRACE;
}

static int lmf_op_waited(const struct lmf_op *op, long left)
{
	if (left < 0)
		return -EINTR;
	if (!left)
		return -ETIMEDOUT;
	return op->given_up ? op->err : 0;
}

int lmf_op_wait(struct lmf_op *op)
{
	long left = wait_event_killable_timeout(op->waitq, lmf_op_done(op),
						lmf_op_wait_bound(op));

	return lmf_op_waited(op, left);
}
EXPORT_SYMBOL_LMF(lmf_op_wait);

static int lmf_op_wait_teardown(struct lmf_op *op)
{
	long left = wait_event_timeout(op->waitq, lmf_op_done(op),
				       lmf_op_wait_bound(op));

	return lmf_op_waited(op, left);
}

static struct lmf_chunk lmf_op_chunk(const struct lmf_op *op)
{
	bool final = op->cmd.param & cpu_to_le32(LMF_SAVE_FINAL);
	u16 flags = le16_to_cpu(op->cqe.flags);

	return (struct lmf_chunk) {
		.bytes = le32_to_cpu(op->cqe.bytes),
		.empty = !final && flags & LMF_SAVE_EMPTY,
		.ended = final && flags & LMF_SAVE_ENDED,
		.left = lmf_cqe_left(&op->cqe),
		.asked_ns = op->posted_ns,
		.given_ns = op->done_ns,
	};
}

int lmf_op_result(const struct lmf_op *op, struct lmf_chunk *chunk)
{
	if (!lmf_op_done(op))
		return -EINPROGRESS;
	if (!op->err && chunk)
		*chunk = lmf_op_chunk(op);
	return op->err;
}
EXPORT_SYMBOL_LMF(lmf_op_result);

void lmf_op_put(struct lmf_op *op)
{
	unsigned long flags;

	if (!op)
		return;
	spin_lock_irqsave(&op->lock, flags);
	op->wq = NULL;
	spin_unlock_irqrestore(&op->lock, flags);
	lmf_op_unref(op);
}
EXPORT_SYMBOL_LMF(lmf_op_put);

/* Run one command to its end. @cqe, if not NULL, is filled on success. */
int lmf_op_exec(struct lmf_func *func, const struct lmf_request *req,
		struct lmf_admin_cqe *cqe)
{
	struct lmf_op *op = lmf_aq_submit(func, req);
	int err;

	if (IS_ERR(op))
		return PTR_ERR(op);
	err = req->teardown ? lmf_op_wait_teardown(op) : lmf_op_wait(op);
	if (!err)
		err = lmf_op_result(op, NULL);
	if (!err && cqe)
		*cqe = op->cqe;
	lmf_op_put(op);
	return err;
}
