// SPDX-License-Identifier: GPL-2.0-only
/*
 * The faults, each at the k-th admin command of a course.
 *
 * Most are hooks of the firmware, which count commands as they are carried out;
 * those of a VF are carried out in the order in which they were sent. The
 * others strike when the k-th command was sent: from its doorbell on the device
 * stands still, until a worker has done what is to be done meanwhile. So the
 * command is under way for certain, whoever waits for it or not.
 *
 * Time does not pass here, it is told to: a command is given up because its
 * deadline was moved to now.
 */
#include "sweep.h"

#include <linux/sched/signal.h>

static void sweep_hook(struct sweep *s, const char *format, ...)
{
	const char *wrong;
	char spec[32];
	va_list args;

	va_start(args, format);
	vsnprintf(spec, sizeof(spec), format, args);
	va_end(args);
	wrong = mock_pf_fault(&s->pf, spec);
	KUNIT_ASSERT_NULL_MSG(s->test, (void *)wrong, "%s: %s", spec, wrong);
}

static struct lmf_op *sweep_find_op_locked(struct sweep *s)
{
	struct lmf_aq *aq = &s->core->aq;
	unsigned int n;

	lockdep_assert_held(&s->core->lock);
	for_each_set_bit(n, aq->used, aq->nslots)
		if (aq->slots[n].op->serial == s->serial)
			return aq->slots[n].op;
	return NULL;
}

/* The time of the k-th command is over. */
static void sweep_expire(struct sweep *s)
{
	struct lmf_op *op;

	spin_lock_irq(&s->core->lock);
	op = sweep_find_op_locked(s);
	if (op) {
		op->deadline = jiffies;
		lmf_aq_expire_locked(s->core);
	}
	spin_unlock_irq(&s->core->lock);
}

static void sweep_arm_drop(struct sweep *s)
{
	sweep_hook(s, "admin-drop=*:%u", s->k);
}

static void sweep_release(struct sweep *s)
{
	sweep_hook(s, "admin-release");
}

static void sweep_arm_fail(struct sweep *s)
{
	sweep_hook(s, "admin-fail=*:%u:%u", s->k, s->fault->arg);
}

/* With @arg of 1 the tag too: then it is nobody's completion. */
static void sweep_arm_corrupt(struct sweep *s)
{
	sweep_hook(s, "admin-corrupt=*:%u:%u", s->k, s->fault->arg);
}

/* From now on no command is answered in time, nor are those under way. */
static void sweep_strike_stuck(struct sweep *s)
{
	struct lmf_aq *aq = &s->core->aq;
	unsigned int n;

	mock_set_timeout(SWEEP_SHORT_MS);
	s->stays_paused = true;
	spin_lock_irq(&s->core->lock);
	for_each_set_bit(n, aq->used, aq->nslots)
		aq->slots[n].op->deadline = jiffies;
	spin_unlock_irq(&s->core->lock);
	/* It may have been told to come much later. */
	mod_delayed_work(s->core->wq, &s->core->watch_work, 0);
}

static void sweep_mend_stuck(struct sweep *s)
{
	mock_set_timeout(SWEEP_PATIENT_MS);
	mock_pf_pause(&s->pf, false);
}

void sweep_arm_alloc(struct sweep *s)
{
	sweep_alloc_arm(s->k);
}

enum sweep_edit {
	EDIT_STATUS, EDIT_BYTES, EDIT_INITIAL, EDIT_DIRTY, EDIT_TRAILER,
	EDIT_ZERO, EDIT_NO_BYTES, EDIT_HALF, EDIT_SESSION, EDIT_FLAGS,
};

static void sweep_edit_cqe(struct sweep *s, struct lmf_admin_cqe *cqe)
{
	switch ((enum sweep_edit)s->fault->arg) {
	case EDIT_STATUS:
		cqe->status = cpu_to_le16(0x7777);
		break;
	case EDIT_BYTES:
		cqe->bytes = cpu_to_le32(U32_MAX);
		break;
	case EDIT_INITIAL:
		cqe->value[0] = cpu_to_le64(U64_MAX);
		break;
	case EDIT_DIRTY:
		cqe->value[1] = cpu_to_le64(U64_MAX);
		break;
	case EDIT_TRAILER:
		cqe->value[2] = cpu_to_le64(BIT_ULL(63));
		break;
	case EDIT_ZERO:
		memset(cqe->value, 0, sizeof(cqe->value));
		break;
	case EDIT_NO_BYTES:
		cqe->bytes = 0;
		break;
	case EDIT_HALF:
		cqe->bytes = cpu_to_le32(le32_to_cpu(cqe->bytes) / 2);
		break;
	case EDIT_SESSION:
		cqe->value[0] = cpu_to_le64(le64_to_cpu(cqe->value[0]) + 1);
		break;
	case EDIT_FLAGS:
		cqe->flags ^= cpu_to_le16(3);
		break;
	}
}

static void sweep_edit(struct mock_pf *pf, struct lmf_admin_cqe *cqe)
{
	struct sweep *s = pf->edit_ctx;

	if (++s->posted == s->k)
		sweep_edit_cqe(s, cqe);
}

static void sweep_arm_edit(struct sweep *s)
{
	mock_pf_edit(&s->pf, sweep_edit, s);
}

/* The driver is told of the reset before the command is answered, or after. */
static void sweep_strike_reset(struct sweep *s)
{
	struct sweep_vf *v = &s->vf[SWEEP_VF];

	if (!s->fault->arg) {
		sweep_reset(v);
		return;
	}
	mock_pf_flr(&s->pf, v->n);
	mock_pf_drain(&s->pf);
	if (v->bound)
		lmf_migration_reset_done(&v->dev);
}

/* SR-IOV was turned off; the command finds no VF. */
static void sweep_strike_vf_gone(struct sweep *s)
{
	mock_pf_enable_vf(&s->pf, SWEEP_VF, false);
}

static void sweep_mend_vf_gone(struct sweep *s)
{
	mock_pf_enable_vf(&s->pf, SWEEP_VF, true);
}

static void sweep_strike_pf_reset(struct sweep *s)
{
	lmf_core_reset_prepare(s->core);
	mock_pf_flr(&s->pf, LMF_FW_PF);
	lmf_core_reset_done(s->core);
	flush_work(&s->core->recover_work);
}

/* The PF reads all ones; until it is back it does nothing either. */
static void sweep_strike_pf_gone(struct sweep *s)
{
	s->pf.gone = true;
	mod_delayed_work(s->core->wq, &s->core->watch_work, 0);
	flush_delayed_work(&s->core->watch_work);
	flush_work(&s->core->recover_work);
	s->stays_paused = true;
}

/* It carries out what it was sent, into memory that must still be there. */
static void sweep_mend_pf_gone(struct sweep *s)
{
	mock_pf_pause(&s->pf, false);
	mock_pf_drain(&s->pf);
	lmf_core_reset_prepare(s->core);
	s->pf.gone = false;
	mock_pf_flr(&s->pf, LMF_FW_PF);
	lmf_core_reset_done(s->core);
	flush_work(&s->core->recover_work);
}

/* The PF driver is unbound, without waiting for those who have the VFs. */
static void sweep_strike_pf_removed(struct sweep *s)
{
	s->core_stopped = lmf_core_stop(s->core);
	SWEEP_EXPECT(s, s->core_stopped);
}

static void sweep_mend_pf_removed(struct sweep *s)
{
	struct sweep_vf *peer = &s->vf[SWEEP_PEER];
	unsigned int n;

	sweep_close(peer);
	sweep_unbind(peer);
	sweep_core_down(s);
	for (n = 0; n < SWEEP_VFS; n++) {
		mock_pf_enable_vf(&s->pf, n, false);
		mock_pf_enable_vf(&s->pf, n, true);
	}
	sweep_core_up(s);
	SWEEP_EXPECT(s, !sweep_bind(peer));
	SWEEP_EXPECT(s, !sweep_open(peer));
}

static bool sweep_waits(struct sweep *s, struct lmf_op *op)
{
	struct wait_queue_entry *entry;
	bool ret = false;

	spin_lock(&op->waitq.lock);
	list_for_each_entry(entry, &op->waitq.head, entry)
		ret |= entry->private == s->task;
	spin_unlock(&op->waitq.lock);
	return ret;
}

/* By the task that is killed; a worker may wait, too. */
static bool sweep_is_awaited(struct sweep *s)
{
	struct lmf_op *op;
	bool ret;

	spin_lock_irq(&s->core->lock);
	op = sweep_find_op_locked(s);
	ret = op && sweep_waits(s, op);
	spin_unlock_irq(&s->core->lock);
	return ret;
}

/* Teardown does not listen to signals. */
static bool sweep_is_teardown(u16 opcode)
{
	return opcode == LMF_OP_SAVE_END || opcode == LMF_OP_LOAD_END ||
	       opcode == LMF_OP_LOG_STOP;
}

/* The device goes on when who waits for the command, if any, has left. */
static void sweep_strike_kill(struct sweep *s)
{
	send_sig(SIGKILL, s->task, 1);
	if (!sweep_is_teardown(s->opcode))
		SWEEP_EXPECT(s, wait_until(!sweep_is_awaited(s), 5));
}

/* A task that lives on may take over what the killed one left behind. */
static void sweep_mend_kill(struct sweep *s)
{
	flush_signals(s->task);
}

#define FAIL(status)							\
	{ "status " #status, .arg = LMF_ST_##status, .arm = sweep_arm_fail }
#define EDIT(what, traits)						\
	{ "edit " #what, traits, EDIT_##what, sweep_arm_edit }

const struct sweep_fault sweep_faults[] = {
	{ "late", .strike = sweep_expire },
	{ "late, after recovery", .arm = sweep_arm_drop,
	  .strike = sweep_expire, .release = sweep_release },
	{ "late, after close", SWEEP_CLOSE, .arm = sweep_arm_drop,
	  .strike = sweep_expire, .mend = sweep_release },
	{ "stuck until closed", SWEEP_CLOSE | SWEEP_MAY_ERROR,
	  .strike = sweep_strike_stuck, .mend = sweep_mend_stuck },
	{ "never", SWEEP_STUCK, 1, sweep_arm_corrupt, sweep_expire },
	FAIL(OPCODE), FAIL(FIELD), FAIL(STATE), FAIL(SESSION),
	FAIL(RESOURCES), FAIL(DMA), FAIL(MISMATCH), FAIL(CORRUPT),
	FAIL(INCOMPLETE), FAIL(ABORTED), FAIL(INTERNAL),
	{ "status VF", SWEEP_RESET | SWEEP_MAY_ERROR | SWEEP_CLOSE,
	  .strike = sweep_strike_vf_gone, .mend = sweep_mend_vf_gone },
	{ "garbage", .arm = sweep_arm_corrupt },
	EDIT(STATUS, 0), EDIT(BYTES, 0), EDIT(INITIAL, 0), EDIT(DIRTY, 0),
	EDIT(TRAILER, 0), EDIT(ZERO, 0), EDIT(NO_BYTES, SWEEP_LIES),
	EDIT(HALF, SWEEP_LIES), EDIT(SESSION, 0), EDIT(FLAGS, SWEEP_LIES),
	{ "VF reset, told early", SWEEP_RESET, 0,
	  .strike = sweep_strike_reset },
	{ "VF reset, told late", SWEEP_RESET, 1,
	  .strike = sweep_strike_reset },
	{ "PF reset", SWEEP_RESET | SWEEP_MAY_ERROR,
	  .strike = sweep_strike_pf_reset },
	{ "PF gone for a while", SWEEP_RESET | SWEEP_MAY_ERROR,
	  .strike = sweep_strike_pf_gone, .mend = sweep_mend_pf_gone },
	{ "PF removed", SWEEP_RESET | SWEEP_MAY_ERROR | SWEEP_CLOSE,
	  .strike = sweep_strike_pf_removed, .mend = sweep_mend_pf_removed },
	{ "killed", .strike = sweep_strike_kill, .mend = sweep_mend_kill },
	{ "killed, and closed", SWEEP_CLOSE, .strike = sweep_strike_kill,
	  .mend = sweep_mend_kill },
};

const unsigned int sweep_nfaults = ARRAY_SIZE(sweep_faults);

static void sweep_strike_work(struct work_struct *work)
{
	struct sweep *s = container_of(work, struct sweep, strike_work);

	s->fault->strike(s);
	if (s->stays_paused)
		return;
	mock_pf_pause(&s->pf, false);
	/* The command has met the device before anything is mended there. */
	mock_pf_drain(&s->pf);
}

/* Comes with the lock of the PF driver and that of the device held. */
static void sweep_rung(struct mock_pf *pf)
{
	struct sweep *s = pf->rung_ctx;
	struct lmf_aq *aq = &s->core->aq;

	if (++s->rung != s->k)
		return;
	s->struck = true;
	s->serial = aq->serial;
	s->opcode = le16_to_cpu(aq->cmds[(aq->tail - 1) &
					 (aq->entries - 1)].opcode);
	if (!s->fault || !s->fault->strike)
		return;
	pf->paused = true;
	queue_work(system_unbound_wq, &s->strike_work);
}

/* With k of 0, or no fault, the commands are counted and no more. */
void sweep_arm(struct sweep *s)
{
	s->rung = 0;
	s->posted = 0;
	s->opcode = 0;
	s->struck = false;
	s->stays_paused = false;
	INIT_WORK(&s->strike_work, sweep_strike_work);
	if (s->fault && s->fault->arm)
		s->fault->arm(s);
	mock_pf_watch(&s->pf, sweep_rung, s);
}

/* What has struck has ended, what has not never will. */
void sweep_disarm(struct sweep *s)
{
	mock_pf_watch(&s->pf, NULL, NULL);
	flush_work(&s->strike_work);
	sweep_alloc_arm(0);
	mock_pf_edit(&s->pf, NULL, NULL);
}
