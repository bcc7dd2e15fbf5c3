// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VF's quiesce level and session, and what becomes of them in a reset.
 *
 * A reset is told while locks are held that user memory may wait for. It only
 * marks: from that moment GET_STATE answers RUNNING and the data_fd -ENODEV.
 * The rest is done by whoever takes state_mutex next, before anything else; and
 * once more on release, as a command sent meanwhile may have quiesced a VF that
 * was just reset. settle_work does it if nobody else comes.
 *
 * A lost PF is told in the same way, and may have had the VF run again. So the
 * VF is looked at before it is stopped anew. For example, with a VF in STOP:
 *
 *	PF's function is reset		the VF runs, and has forgotten all
 *	lmf_migration_sessions_lost()	level_lost, pf_lost
 *	PF is back, settle_work		asks the device: level RUN, so ERROR
 *
 * Stopped without a look it would have been saved as empty, with no error.
 */
#include <linux/vfio.h>

#include "compat.h"
#include "lmf_vfio.h"
#include "migf.h"
#include "resume.h"
#include "settle.h"
#include "trace.h"

#define LMF_SETTLE_AGAIN	HZ

static enum lmf_quiesce lmf_level_of(enum vfio_device_mig_state state)
{
	switch (state) {
	case VFIO_DEVICE_STATE_RUNNING:
	case VFIO_DEVICE_STATE_PRE_COPY:
		return LMF_RUN;
	case VFIO_DEVICE_STATE_RUNNING_P2P:
	case VFIO_DEVICE_STATE_PRE_COPY_P2P:
		return LMF_STOP_INITIATOR;
	default:
		return LMF_STOP_FULL;
	}
}

/**
 * lmf_migration_state() - the state as the user sees it
 * @dev: device, open or not
 *
 * Does not wait and sends no command.
 */
enum vfio_device_mig_state lmf_migration_state(struct lmf_vfio_device *dev)
{
	enum vfio_device_mig_state state;

	spin_lock(&dev->reset_lock);
	state = dev->reset_pending ? VFIO_DEVICE_STATE_RUNNING : dev->state;
	spin_unlock(&dev->reset_lock);
	return state;
}

bool lmf_reset_pending(struct lmf_vfio_device *dev)
{
	bool pending;

	spin_lock(&dev->reset_lock);
	pending = dev->reset_pending;
	spin_unlock(&dev->reset_lock);
	return pending;
}

void lmf_enter_state_locked(struct lmf_vfio_device *dev,
			    enum vfio_device_mig_state state)
{
	lockdep_assert_held(&dev->state_mutex);
	spin_lock(&dev->reset_lock);
	dev->state = state;
	spin_unlock(&dev->reset_lock);
}

/* From here on a reset reaches the session, and so does the loss of the PF. */
void lmf_set_session_locked(struct lmf_vfio_device *dev,
			    struct lmf_migf *migf)
{
	lockdep_assert_held(&dev->state_mutex);
	spin_lock(&dev->reset_lock);
	dev->migf = migf;
	if (migf && dev->reset_pending)
		lmf_migf_mark_reset(migf);
	if (migf && dev->pf_lost)
		lmf_migf_mark_lost(migf);
	spin_unlock(&dev->reset_lock);
}

void lmf_discard(struct lmf_migf *migf)
{
	lmf_migf_disable(migf);
	lmf_migf_put(migf);
}

void lmf_end_session_locked(struct lmf_vfio_device *dev)
{
	struct lmf_migf *migf = dev->migf;

	lmf_set_session_locked(dev, NULL);
	if (migf)
		lmf_discard(migf);
}

void lmf_drop_spare_locked(struct lmf_vfio_device *dev)
{
	lockdep_assert_held(&dev->state_mutex);
	if (dev->spare)
		lmf_discard(dev->spare);
	dev->spare = NULL;
}

void lmf_after_reset_locked(struct lmf_vfio_device *dev)
{
	bool pending;

	lockdep_assert_held(&dev->state_mutex);
	for (;;) {
		spin_lock(&dev->reset_lock);
		pending = dev->reset_pending;
		dev->reset_pending = false;
		if (pending)
			dev->state = VFIO_DEVICE_STATE_RUNNING;
		spin_unlock(&dev->reset_lock);
		if (!pending)
			return;
		dev->unsettled = false;
		lmf_end_session_locked(dev);
		lmf_drop_spare_locked(dev);
	}
}

static bool lmf_take_level_lost(struct lmf_vfio_device *dev)
{
	bool lost;

	spin_lock(&dev->reset_lock);
	lost = dev->level_lost;
	dev->level_lost = false;
	dev->pf_lost = false;
	spin_unlock(&dev->reset_lock);
	return lost;
}

/* It is in no state that has a name. */
static void lmf_fail_locked(struct lmf_vfio_device *dev, int err)
{
	const char *from = lmf_migration_state_name(dev->state);
	const char *to = lmf_migration_state_name(VFIO_DEVICE_STATE_ERROR);

	trace_lmf_vfio_arc(lmf_vfio_name(dev), from, to, err);
	dev_warn_ratelimited(&dev->core.pdev->dev,
			     "migration state %s -> %s, %pe: only a reset helps\n",
			     from, to, ERR_PTR(err));
	lmf_stat_set(&dev->stats, LMF_STAT_LAST_ERROR, err);
	lmf_end_session_locked(dev);
	lmf_drop_spare_locked(dev);
	lmf_enter_state_locked(dev, VFIO_DEVICE_STATE_ERROR);
}

/*
 * A VF that runs though it was stopped was reset along with the PF, and has
 * lost what it held. To be asked before it is stopped anew, as nobody can tell
 * afterwards. Where we may have had it run ourselves that says nothing.
 */
static int lmf_check_level_locked(struct lmf_vfio_device *dev)
{
	enum lmf_quiesce level;
	int ret;

	if (dev->state == VFIO_DEVICE_STATE_RESUMING)
		return lmf_resume_check(dev->migf);
	if (dev->level == LMF_RUN || lmf_level_of(dev->state) == LMF_RUN)
		return 0;
	ret = lmf_vf_level(dev->vf, &level);
	if (ret || level != LMF_RUN || lmf_reset_pending(dev))
		return ret;
	lmf_fail_locked(dev, -EIO);
	return -EIO;
}

/*
 * Bring the VF from one level to another. If the PF was lost since it was
 * looked at, and so perhaps before this, nobody can tell what the VF still has.
 */
static int lmf_quiesce_locked(struct lmf_vfio_device *dev,
			      enum lmf_quiesce from, enum lmf_quiesce to)
{
	int ret = lmf_vf_quiesce(dev->vf, to);
	bool lost;

	if (ret || from == LMF_RUN || lmf_level_of(dev->state) == LMF_RUN)
		return ret;
	spin_lock(&dev->reset_lock);
	lost = dev->pf_lost && !dev->reset_pending;
	spin_unlock(&dev->reset_lock);
	if (!lost)
		return 0;
	lmf_fail_locked(dev, -EIO);
	return -EIO;
}

bool lmf_in_error(const struct lmf_vfio_device *dev)
{
	return dev->state == VFIO_DEVICE_STATE_ERROR;
}

/* It is no word of the device about the VF, and the same may succeed later. */
static bool lmf_is_transient(int err)
{
	return err == -ENOTCONN || err == -ENOMEM || err == -EINTR;
}

static void lmf_set_level_lost(struct lmf_vfio_device *dev)
{
	spin_lock(&dev->reset_lock);
	dev->level_lost = true;
	spin_unlock(&dev->reset_lock);
}

/*
 * Of a PF that comes back, and of a reset that is done, we are told; nobody
 * tells that there is memory. A device that did not answer, or refused, is
 * asked twice. Who loads will ask for a state himself.
 */
static int lmf_not_settled_locked(struct lmf_vfio_device *dev, int err)
{
	bool again = err == -ENOMEM || err == -EINTR || err == -ECANCELED;

	if (!again && err != -ENOTCONN && !lmf_reset_pending(dev) &&
	    dev->state != VFIO_DEVICE_STATE_RESUMING) {
		if (dev->unsettled) {
			lmf_fail_locked(dev, err);
			return 0;
		}
		dev->unsettled = true;
		again = true;
	}
	lmf_set_level_lost(dev);
	if (again)
		queue_delayed_work(LMF_UNBOUND_WQ, &dev->settle_work,
				   LMF_SETTLE_AGAIN);
	return err;
}

/*
 * Have the VF at the level of its state: a command that was overtaken by a
 * reset, or given up, or a reset of the PF, may have brought it to another.
 */
int lmf_settle_locked(struct lmf_vfio_device *dev)
{
	enum lmf_quiesce level;
	int ret = 0;
	bool lost;

	lmf_after_reset_locked(dev);
	if (lmf_in_error(dev))
		return 0;
	level = lmf_level_of(dev->state);
	lost = lmf_take_level_lost(dev);
	if (!lost && dev->level == level)
		return 0;
	if (lost)
		ret = lmf_check_level_locked(dev);
	ret = ret ?: lmf_quiesce_locked(dev, dev->level, level);
	if (lmf_in_error(dev))
		return 0;
	if (ret)
		return lmf_not_settled_locked(dev, ret);
	dev->unsettled = false;
	dev->level = level;
	return 0;
}

void lmf_state_unlock(struct lmf_vfio_device *dev)
{
	if (lmf_reset_pending(dev))
		lmf_settle_locked(dev);
	mutex_unlock(&dev->state_mutex);
}

static void lmf_settle_work(struct work_struct *work)
{
	struct lmf_vfio_device *dev =
		container_of(to_delayed_work(work), struct lmf_vfio_device,
			     settle_work);

	mutex_lock(&dev->state_mutex);
	lmf_settle_locked(dev);
	lmf_state_unlock(dev);
}

/*
 * The VF may be at the old or at the new level after a failure: bring it back.
 * If that fails, too, it is in no state that has a name; unless nobody asked
 * the device, then the old state stays and settle_work brings the VF back.
 */
int lmf_change_level_locked(struct lmf_vfio_device *dev,
			    enum lmf_quiesce level)
{
	enum lmf_quiesce old = dev->level;
	int ret, err;

	lockdep_assert_held(&dev->state_mutex);
	dev->level = level;
	ret = lmf_quiesce_locked(dev, old, level);
	if (!ret || lmf_in_error(dev))
		return ret;
	/* When the PF is back it may have reset the VF: look at it first. */
	err = ret == -ENOTCONN ? ret : lmf_quiesce_locked(dev, old, old);
	if (!err)
		dev->level = old;
	else if (lmf_is_transient(err))
		lmf_migration_lost(dev);
	else if (!lmf_in_error(dev) && !lmf_reset_pending(dev))
		lmf_fail_locked(dev, err);
	return ret;
}

/**
 * lmf_migration_reset_done() - the VF was reset
 * @dev: device, open or not
 *
 * Context: any but interrupt, whatever locks vfio holds; see lmf_vfio.h.
 */
void lmf_migration_reset_done(struct lmf_vfio_device *dev)
{
	enum vfio_device_mig_state state;

	spin_lock(&dev->reset_lock);
	state = dev->reset_pending ? VFIO_DEVICE_STATE_RUNNING : dev->state;
	dev->reset_pending = true;
	if (dev->migf)
		lmf_migf_mark_reset(dev->migf);
	spin_unlock(&dev->reset_lock);

	trace_lmf_vfio_reset(lmf_vfio_name(dev),
			     lmf_migration_state_name(state));
	lmf_stat_add(&dev->stats, LMF_STAT_RESETS, 1);
	if (state != VFIO_DEVICE_STATE_RUNNING)
		lmf_stat_add(&dev->stats, LMF_STAT_RESETS_UNEXPECTED, 1);
	mod_delayed_work(LMF_UNBOUND_WQ, &dev->settle_work, 0);
}

/**
 * lmf_migration_sessions_lost() - the PF was lost, and the session with it
 * @dev: device
 *
 * No command has told so, as perhaps none was under way. Nor can any be sent
 * before this was called: so the VF is not stopped anew unnoticed.
 */
void lmf_migration_sessions_lost(struct lmf_vfio_device *dev)
{
	spin_lock(&dev->reset_lock);
	dev->level_lost = true;
	dev->pf_lost = true;
	if (dev->migf)
		lmf_migf_mark_lost(dev->migf);
	spin_unlock(&dev->reset_lock);
}

/**
 * lmf_migration_lost() - events of the device were lost
 * @dev: device
 *
 * A reset of the PF's function, which has the VF run again, may be among them,
 * or the end of what kept the VF from being brought to its level.
 */
void lmf_migration_lost(struct lmf_vfio_device *dev)
{
	lmf_set_level_lost(dev);
	mod_delayed_work(LMF_UNBOUND_WQ, &dev->settle_work, 0);
}

void lmf_migration_init(struct lmf_vfio_device *dev)
{
	mutex_init(&dev->state_mutex);
	spin_lock_init(&dev->reset_lock);
	dev->state = VFIO_DEVICE_STATE_RUNNING;
	dev->level = LMF_RUN;
	INIT_DELAYED_WORK(&dev->settle_work, lmf_settle_work);
}

/**
 * lmf_migration_exit() - no command will be sent from here on
 * @dev: device, closed
 */
void lmf_migration_exit(struct lmf_vfio_device *dev)
{
	disable_delayed_work_sync(&dev->settle_work);
}
