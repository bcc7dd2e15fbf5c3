// SPDX-License-Identifier: GPL-2.0-only
/*
 * Saving and loading the state of a VF.
 */
#include "compat.h"
#include "lmf_core.h"

int lmf_vf_save_begin(struct lmf_vf *vf, u64 *session)
{
	return lmf_track_begin(vf->func, false, session);
}
EXPORT_SYMBOL_LMF(lmf_vf_save_begin);

struct lmf_op *lmf_vf_save_read(struct lmf_vf *vf, u64 session,
				struct lmf_buf *buf, bool final,
				wait_queue_head_t *wq)
{
	struct lmf_request req = {
		.opcode = LMF_OP_SAVE_READ,
		.session = session,
		.param = final ? LMF_SAVE_FINAL : 0,
		.buf = to_lmf_dmabuf(buf),
		.bytes = buf->size,
		.left_max = vf->caps.state_max,
		.wq = wq,
	};

	if (buf->size < vf->caps.chunk_min || buf->size > vf->caps.chunk_max)
		return ERR_PTR(-EINVAL);
	return lmf_aq_submit(vf->func, &req);
}
EXPORT_SYMBOL_LMF(lmf_vf_save_read);

int lmf_vf_save_query(struct lmf_vf *vf, u64 session,
		      struct lmf_save_left *left)
{
	struct lmf_request req = {
		.opcode = LMF_OP_SAVE_QUERY,
		.session = session,
		.left_max = vf->caps.state_max,
	};
	struct lmf_admin_cqe cqe;
	int err = lmf_op_exec(vf->func, &req, &cqe);

	if (!err)
		*left = lmf_cqe_left(&cqe);
	return err;
}
EXPORT_SYMBOL_LMF(lmf_vf_save_query);

void lmf_vf_save_end(struct lmf_vf *vf, u64 session)
{
	lmf_track_end(vf->func, false, session);
}
EXPORT_SYMBOL_LMF(lmf_vf_save_end);

int lmf_vf_load_begin(struct lmf_vf *vf, u64 *session)
{
	return lmf_track_begin(vf->func, true, session);
}
EXPORT_SYMBOL_LMF(lmf_vf_load_begin);

struct lmf_op *lmf_vf_load_write(struct lmf_vf *vf, u64 session,
				 struct lmf_buf *buf, u32 bytes,
				 wait_queue_head_t *wq)
{
	struct lmf_request req = {
		.opcode = LMF_OP_LOAD_WRITE,
		.session = session,
		.buf = to_lmf_dmabuf(buf),
		.bytes = bytes,
		.wq = wq,
	};

	if (!bytes || bytes > buf->size || bytes > vf->caps.chunk_max)
		return ERR_PTR(-EINVAL);
	return lmf_aq_submit(vf->func, &req);
}
EXPORT_SYMBOL_LMF(lmf_vf_load_write);

int lmf_vf_load_commit(struct lmf_vf *vf, u64 session)
{
	struct lmf_request req = {
		.opcode = LMF_OP_LOAD_END,
		.session = session,
		.param = LMF_LOAD_COMMIT,
	};
	int err = lmf_op_exec(vf->func, &req, NULL);

	/* Whatever went wrong, the session has ended for the caller. */
	if (err)
		lmf_track_abandon(vf->func, session);
	return err;
}
EXPORT_SYMBOL_LMF(lmf_vf_load_commit);

void lmf_vf_load_abort(struct lmf_vf *vf, u64 session)
{
	lmf_track_end(vf->func, true, session);
}
EXPORT_SYMBOL_LMF(lmf_vf_load_abort);
