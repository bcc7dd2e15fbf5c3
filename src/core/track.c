// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the device holds open for a VF: a session and a log.
 *
 * This is learned when a command is posted or completes, not when its caller
 * hears of it: a caller may have left before. What no caller knows of is not
 * claimed, and ends before the next one begins or when the VF is given back.
 * Of a session whose name got lost the device tells when the next one is
 * refused.
 *
 * A log, and its ring, is the device's from the moment that LOG_START is posted
 * until a LOG_STOP that was posted later succeeded, or found that the VF is
 * gone, or the queue was reset. Even a refused LOG_START is followed by a
 * LOG_STOP, so that no status of it has to be trusted. Serials tell a command
 * that answers late from a newer one.
 */
#include "lmf_core.h"

static bool lmf_starts_log(const struct lmf_op *op)
{
	return le16_to_cpu(op->cmd.opcode) == LMF_OP_LOG_START;
}

/* Answers before the command is posted, so that one log replaces no other. */
int lmf_track_check_locked(struct lmf_func *func, const struct lmf_op *op)
{
	lockdep_assert_held(&func->core->lock);
	return lmf_starts_log(op) && func->log ? -EBUSY : 0;
}

void lmf_track_posted_locked(struct lmf_func *func, struct lmf_op *op)
{
	lockdep_assert_held(&func->core->lock);
	if (!lmf_starts_log(op))
		return;
	func->log = true;
	func->ring = op->ring ? lmf_dmabuf_get(op->ring) : NULL;
	func->log_serial = op->serial;
	func->log_claimed = false;
}

static void lmf_track_drop_log_locked(struct lmf_func *func)
{
	lockdep_assert_held(&func->core->lock);
	lmf_dmabuf_put(func->ring);
	func->ring = NULL;
	func->log = false;
	func->log_claimed = false;
}

static void lmf_track_begun_locked(struct lmf_func *func,
				   const struct lmf_op *op,
				   const struct lmf_admin_cqe *cqe)
{
	lockdep_assert_held(&func->core->lock);
	if (le16_to_cpu(cqe->status) != LMF_ST_OK ||
	    op->serial < func->session_serial)
		return;
	func->session = le64_to_cpu(cqe->value[0]);
	func->session_serial = op->serial;
	func->session_load = le16_to_cpu(op->cmd.opcode) == LMF_OP_LOAD_BEGIN;
	func->session_claimed = false;
}

/* Does this answer to LOG_STOP say that the device writes no ring? */
static bool lmf_ends_log(u16 status)
{
	return status == LMF_ST_OK || status == LMF_ST_VF;
}

/* Does this answer say that the command's session is over? */
static bool lmf_ends_session(u16 opcode, u16 status)
{
	switch (status) {
	case LMF_ST_VF:
	case LMF_ST_SESSION:
	case LMF_ST_ABORTED:
		return true;
	case LMF_ST_OK:
		return opcode == LMF_OP_SAVE_END || opcode == LMF_OP_LOAD_END;
	case LMF_ST_MISMATCH:
	case LMF_ST_CORRUPT:
	case LMF_ST_INCOMPLETE:
		return opcode == LMF_OP_LOAD_END;
	default:
		return false;
	}
}

void lmf_track_completed_locked(struct lmf_func *func, const struct lmf_op *op,
				const struct lmf_admin_cqe *cqe)
{
	u16 opcode = le16_to_cpu(op->cmd.opcode);
	u16 status = le16_to_cpu(cqe->status);

	lockdep_assert_held(&func->core->lock);
	if (opcode == LMF_OP_SAVE_BEGIN || opcode == LMF_OP_LOAD_BEGIN) {
		lmf_track_begun_locked(func, op, cqe);
	} else if (opcode == LMF_OP_LOG_STOP) {
		if (lmf_ends_log(status) && op->serial > func->log_serial)
			lmf_track_drop_log_locked(func);
	} else if (op->cmd.session &&
		   le64_to_cpu(op->cmd.session) == func->session &&
		   lmf_ends_session(opcode, status)) {
		func->session = 0;
	}
}

/* The queue was reset, and with it all sessions and logs ended. */
void lmf_track_reset_locked(struct lmf_func *func)
{
	lockdep_assert_held(&func->core->lock);
	func->session = 0;
	lmf_track_drop_log_locked(func);
}

static u64 lmf_track_unclaimed_session(struct lmf_func *func, bool *load)
{
	unsigned long flags;
	u64 session;

	spin_lock_irqsave(&func->core->lock, flags);
	session = func->session_claimed ? 0 : func->session;
	*load = func->session_load;
	spin_unlock_irqrestore(&func->core->lock, flags);
	return session;
}

static void lmf_track_claim_session(struct lmf_func *func, u64 session,
				    bool claim)
{
	unsigned long flags;

	spin_lock_irqsave(&func->core->lock, flags);
	if (func->session == session)
		func->session_claimed = claim;
	spin_unlock_irqrestore(&func->core->lock, flags);
}

/* End a session, whether or not it is gone already; bounded, not killable. */
int lmf_track_end(struct lmf_func *func, bool load, u64 session)
{
	struct lmf_request req = {
		.opcode = load ? LMF_OP_LOAD_END : LMF_OP_SAVE_END,
		.session = session,
		.teardown = true,
	};
	int err;

	lmf_track_claim_session(func, session, false);
	err = lmf_op_exec(func, &req, NULL);
	return err == -ECANCELED || err == -ENODEV ? 0 : err;
}

/* The caller is through with a session that may not have ended. */
void lmf_track_abandon(struct lmf_func *func, u64 session)
{
	lmf_track_claim_session(func, session, false);
}

static int lmf_track_end_unclaimed(struct lmf_func *func)
{
	bool load;
	u64 session = lmf_track_unclaimed_session(func, &load);

	return session ? lmf_track_end(func, load, session) : 0;
}

static bool lmf_track_is_claimed(struct lmf_func *func, u64 session)
{
	unsigned long flags;
	bool ret;

	spin_lock_irqsave(&func->core->lock, flags);
	ret = func->session == session && func->session_claimed;
	spin_unlock_irqrestore(&func->core->lock, flags);
	return ret;
}

/* The answer that named a session may have been garbage: asks who is there. */
static int lmf_track_end_orphan(struct lmf_func *func)
{
	struct lmf_vf_info info;
	u64 session;
	bool load;
	int err;

	err = lmf_func_read_info(func, &info);
	if (err)
		return err;
	session = le64_to_cpu(info.session);
	load = le32_to_cpu(info.state) & LMF_INFO_STATE_LOAD;
	if (!session || lmf_track_is_claimed(func, session))
		return -EBUSY;
	return lmf_track_end(func, load, session);
}

int lmf_track_begin(struct lmf_func *func, bool load, u64 *session)
{
	struct lmf_request req = {
		.opcode = load ? LMF_OP_LOAD_BEGIN : LMF_OP_SAVE_BEGIN,
	};
	struct lmf_admin_cqe cqe;
	int err;

	if (mutex_lock_killable(&func->lock))
		return -EINTR;
	err = lmf_track_end_unclaimed(func);
	if (!err)
		err = lmf_op_exec(func, &req, &cqe);
	if (err == -EBUSY && !lmf_track_end_orphan(func))
		err = lmf_op_exec(func, &req, &cqe);
	if (!err) {
		*session = le64_to_cpu(cqe.value[0]);
		lmf_track_claim_session(func, *session, true);
	}
	mutex_unlock(&func->lock);
	return err;
}

/* May the device have a log on that no caller knows of? */
static bool lmf_track_has_unclaimed_log(struct lmf_func *func)
{
	unsigned long flags;
	bool ret;

	spin_lock_irqsave(&func->core->lock, flags);
	ret = func->log && !func->log_claimed;
	spin_unlock_irqrestore(&func->core->lock, flags);
	return ret;
}

/* Returns false if no log is on. */
static bool lmf_track_claim_log(struct lmf_func *func, bool claim)
{
	unsigned long flags;
	bool on;

	spin_lock_irqsave(&func->core->lock, flags);
	on = func->log;
	func->log_claimed = on && claim;
	spin_unlock_irqrestore(&func->core->lock, flags);
	return on;
}

static int lmf_track_stop_log_locked(struct lmf_func *func)
{
	struct lmf_request req = {
		.opcode = LMF_OP_LOG_STOP,
		.teardown = true,
	};
	int err;

	lockdep_assert_held(&func->lock);
	if (!lmf_track_claim_log(func, false))
		return 0;
	err = lmf_op_exec(func, &req, NULL);
	/* With the VF its log has gone. */
	return err == -ENODEV ? 0 : err;
}

int lmf_track_stop_log(struct lmf_func *func)
{
	int err;

	mutex_lock(&func->lock);
	err = lmf_track_stop_log_locked(func);
	mutex_unlock(&func->lock);
	return err;
}

static int lmf_track_start_log_locked(struct lmf_func *func,
				      const struct lmf_request *req)
{
	int err = 0;

	lockdep_assert_held(&func->lock);
	if (lmf_track_has_unclaimed_log(func))
		err = lmf_track_stop_log_locked(func);
	if (!err)
		err = lmf_op_exec(func, req, NULL);
	/* A reset may have ended the log as soon as it had begun. */
	if (!err)
		return lmf_track_claim_log(func, true) ? 0 : -ENOTCONN;
	/* One that was given up is left to whoever comes next. */
	if (err != -ETIMEDOUT && err != -EINTR && err != -ENOTCONN &&
	    lmf_track_has_unclaimed_log(func))
		lmf_track_stop_log_locked(func);
	return err;
}

int lmf_track_start_log(struct lmf_func *func, const struct lmf_request *req)
{
	int err;

	if (mutex_lock_killable(&func->lock))
		return -EINTR;
	err = lmf_track_start_log_locked(func, req);
	mutex_unlock(&func->lock);
	return err;
}

/* End all that is open, because nobody will come for it; bounded. */
int lmf_track_close(struct lmf_func *func)
{
	unsigned long flags;
	int err, err2;

	err = lmf_track_stop_log(func);
	spin_lock_irqsave(&func->core->lock, flags);
	func->session_claimed = false;
	spin_unlock_irqrestore(&func->core->lock, flags);
	err2 = lmf_track_end_unclaimed(func);
	return err ?: err2;
}
