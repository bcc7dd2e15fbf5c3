// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of a VF that is memory. Its operations are done when they are
 * asked for: there is one CPU, so that nothing could overlap, and its time is
 * in both what is measured and what that is compared with.
 */
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "device.h"

struct lmf_op {
	struct lmf_chunk chunk;
};

/* The next chunk, or 0 at the end. */
u32 state_device_give(struct lmf_vf *vf, void *to, size_t room)
{
	u32 bytes = min(room, vf->bytes - vf->at);

	memcpy(to, vf->state + vf->at, bytes);
	vf->at += bytes;
	return bytes;
}

void state_device_take(struct lmf_vf *vf, const void *from, u32 bytes)
{
	bytes = min(bytes, vf->bytes - vf->at);
	memcpy(vf->state + vf->at, from, bytes);
	vf->at += bytes;
}

int lmf_vf_save_begin(struct lmf_vf *vf, u64 *session)
{
	vf->at = 0;
	*session = 1;
	return 0;
}

int lmf_vf_load_begin(struct lmf_vf *vf, u64 *session)
{
	return lmf_vf_save_begin(vf, session);
}

int lmf_vf_save_query(struct lmf_vf *vf, u64 session,
		      struct lmf_save_left *left)
{
	*left = (struct lmf_save_left) { .initial = vf->bytes - vf->at };
	return 0;
}

struct lmf_op *lmf_vf_save_read(struct lmf_vf *vf, u64 session,
				struct lmf_buf *buf, bool final,
				wait_queue_head_t *wq)
{
	struct lmf_op *op = kzalloc(sizeof(*op), GFP_KERNEL);

	if (!op)
		return ERR_PTR(-ENOMEM);
	op->chunk.bytes = state_device_give(vf, buf->vaddr, buf->size);
	op->chunk.left.initial = vf->bytes - vf->at;
	op->chunk.ended = vf->at == vf->bytes;
	return op;
}

struct lmf_op *lmf_vf_load_write(struct lmf_vf *vf, u64 session,
				 struct lmf_buf *buf, u32 bytes,
				 wait_queue_head_t *wq)
{
	struct lmf_op *op = kzalloc(sizeof(*op), GFP_KERNEL);

	if (!op)
		return ERR_PTR(-ENOMEM);
	state_device_take(vf, buf->vaddr, bytes);
	return op;
}

void lmf_vf_save_end(struct lmf_vf *vf, u64 session)
{
}

void lmf_vf_load_abort(struct lmf_vf *vf, u64 session)
{
}

int lmf_vf_load_commit(struct lmf_vf *vf, u64 session)
{
	return vf->at == vf->bytes ? 0 : -ENODATA;
}

int lmf_vf_level(struct lmf_vf *vf, enum lmf_quiesce *level)
{
	*level = LMF_STOP_FULL;
	return 0;
}

bool lmf_op_done(const struct lmf_op *op)
{
	return true;
}

int lmf_op_wait(struct lmf_op *op)
{
	return 0;
}

int lmf_op_result(const struct lmf_op *op, struct lmf_chunk *chunk)
{
	if (chunk)
		*chunk = op->chunk;
	return 0;
}

void lmf_op_put(struct lmf_op *op)
{
	kfree(op);
}
