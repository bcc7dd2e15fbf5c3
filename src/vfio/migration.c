// SPDX-License-Identifier: GPL-2.0-only
/*
 * The migration state machine: all arcs of STOP_COPY | P2P | PRE_COPY.
 *
 * A state has a quiesce level, and may have a session:
 *
 *	RUNNING		RUN		-
 *	RUNNING_P2P	STOP_INITIATOR	-
 *	STOP		STOP_FULL	-
 *	PRE_COPY	RUN		save
 *	PRE_COPY_P2P	STOP_INITIATOR	save
 *	STOP_COPY	STOP_FULL	save, final
 *	RESUMING	STOP_FULL	load
 *	ERROR		unknown		-
 *
 * An arc that fails leaves its old state. When not even the old level can be
 * restored, the state is ERROR, and only a reset helps.
 */
#include <linux/file.h>
#include <linux/slab.h>
#include <linux/vfio.h>

#include "compat.h"
#include "lmf_vfio.h"
#include "migf.h"
#include "resume.h"
#include "save.h"
#include "settle.h"
#include "trace.h"

static const char * const lmf_state_names[VFIO_DEVICE_STATE_NR] = {
	[VFIO_DEVICE_STATE_ERROR] = "ERROR",
	[VFIO_DEVICE_STATE_STOP] = "STOP",
	[VFIO_DEVICE_STATE_RUNNING] = "RUNNING",
	[VFIO_DEVICE_STATE_STOP_COPY] = "STOP_COPY",
	[VFIO_DEVICE_STATE_RESUMING] = "RESUMING",
	[VFIO_DEVICE_STATE_RUNNING_P2P] = "RUNNING_P2P",
	[VFIO_DEVICE_STATE_PRE_COPY] = "PRE_COPY",
	[VFIO_DEVICE_STATE_PRE_COPY_P2P] = "PRE_COPY_P2P",
};

const char *lmf_migration_state_name(enum vfio_device_mig_state state)
{
	return lmf_state_names[state];
}

static int lmf_to_running_locked(struct lmf_vfio_device *dev)
{
	lmf_drop_spare_locked(dev);
	return lmf_change_level_locked(dev, LMF_RUN);
}

static int lmf_to_p2p_locked(struct lmf_vfio_device *dev)
{
	int ret;

	if (dev->level != LMF_RUN) {
		ret = lmf_change_level_locked(dev, LMF_STOP_INITIATOR);
		if (!ret)
			lmf_drop_spare_locked(dev);
		return ret;
	}
	lmf_stat_now(&dev->stats, LMF_STAT_P2P_START);
	ret = lmf_change_level_locked(dev, LMF_STOP_INITIATOR);
	lmf_stat_now(&dev->stats, LMF_STAT_P2P_DONE);
	if (ret)
		lmf_drop_spare_locked(dev);
	return ret;
}

static int lmf_to_stop_locked(struct lmf_vfio_device *dev)
{
	int ret;

	lmf_stat_now(&dev->stats, LMF_STAT_STOP_START);
	lmf_stat_set(&dev->stats, LMF_STAT_STOPPED_REPORT_TIME, 0);
	ret = lmf_change_level_locked(dev, LMF_STOP_FULL);
	lmf_stat_now(&dev->stats, LMF_STAT_STOP_DONE);
	return ret;
}

/*
 * A guest that is paused goes to STOP first and is saved from there, without
 * pre-copy. What that needs is allocated while it can still be refused without
 * harm, or, if nobody asked for STOP_COPY yet, while there may still be memory.
 */
static int lmf_prepare_stop_locked(struct lmf_vfio_device *dev,
				   enum vfio_device_mig_state target)
{
	struct lmf_migf *migf;

	lockdep_assert_held(&dev->state_mutex);
	if (dev->spare || (target != VFIO_DEVICE_STATE_STOP &&
			   target != VFIO_DEVICE_STATE_STOP_COPY))
		return 0;
	migf = lmf_save_alloc(dev);
	if (!IS_ERR(migf))
		dev->spare = migf;
	else if (target == VFIO_DEVICE_STATE_STOP_COPY)
		return PTR_ERR(migf);
	return 0;
}

/* The file takes its own reference, the caller's becomes the device's. */
static struct file *lmf_open_session_locked(struct lmf_vfio_device *dev,
					    struct lmf_migf *migf,
					    struct file *filp, int err)
{
	if (!err) {
		lmf_set_session_locked(dev, migf);
		return filp;
	}
	lmf_discard(migf);
	fput(filp);
	return ERR_PTR(err);
}

static struct file *lmf_start_save_locked(struct lmf_vfio_device *dev,
					  bool final)
{
	struct lmf_migf *migf = dev->spare;
	struct file *filp;

	dev->spare = NULL;
	if (!migf)
		migf = lmf_save_alloc(dev);
	if (IS_ERR(migf))
		return ERR_CAST(migf);
	filp = lmf_save_file(migf);
	if (IS_ERR(filp)) {
		lmf_discard(migf);
		return filp;
	}
	lmf_stats_new_session(&dev->stats);
	lmf_stat_now(&dev->stats, final ? LMF_STAT_STOP_COPY_START :
					  LMF_STAT_PRE_COPY_START);
	return lmf_open_session_locked(dev, migf, filp,
				       lmf_save_begin(migf, dev, final));
}

static struct file *lmf_start_resume_locked(struct lmf_vfio_device *dev)
{
	struct lmf_migf *migf;
	struct file *filp;

	lmf_drop_spare_locked(dev);
	migf = lmf_resume_alloc(dev);
	if (IS_ERR(migf))
		return ERR_CAST(migf);
	filp = lmf_resume_file(migf);
	if (IS_ERR(filp)) {
		lmf_discard(migf);
		return filp;
	}
	lmf_stats_new_session(&dev->stats);
	lmf_stat_now(&dev->stats, LMF_STAT_RESUMING_START);
	return lmf_open_session_locked(dev, migf, filp,
				       lmf_resume_begin(migf, dev));
}

/* All memory is there already: only the device can fail this. */
static int lmf_stop_copy_locked(struct lmf_vfio_device *dev)
{
	int ret = lmf_to_stop_locked(dev);

	if (ret)
		return ret;
	lmf_stat_now(&dev->stats, LMF_STAT_STOP_COPY_START);
	lmf_save_finalize(dev->migf);
	return 0;
}

static int lmf_finish_resume_locked(struct lmf_vfio_device *dev)
{
	int ret = lmf_resume_complete(dev->migf);

	if (!ret)
		lmf_end_session_locked(dev);
	return ret;
}

static int lmf_end_save_locked(struct lmf_vfio_device *dev)
{
	lmf_end_session_locked(dev);
	return 0;
}

#define LMF_ARC(from, to) \
	(VFIO_DEVICE_STATE_##from << 8 | VFIO_DEVICE_STATE_##to)

static struct file *lmf_step_locked(struct lmf_vfio_device *dev,
				    enum vfio_device_mig_state next,
				    enum vfio_device_mig_state target)
{
	int ret;

	lockdep_assert_held(&dev->state_mutex);
	switch (dev->state << 8 | next) {
	case LMF_ARC(RUNNING, RUNNING_P2P):
		ret = lmf_prepare_stop_locked(dev, target);
		return ERR_PTR(ret ?: lmf_to_p2p_locked(dev));
	case LMF_ARC(STOP, RUNNING_P2P):
	case LMF_ARC(PRE_COPY, PRE_COPY_P2P):
		return ERR_PTR(lmf_to_p2p_locked(dev));
	case LMF_ARC(RUNNING_P2P, RUNNING):
	case LMF_ARC(PRE_COPY_P2P, PRE_COPY):
		return ERR_PTR(lmf_to_running_locked(dev));
	case LMF_ARC(RUNNING_P2P, STOP):
		ret = lmf_prepare_stop_locked(dev, target);
		return ERR_PTR(ret ?: lmf_to_stop_locked(dev));
	case LMF_ARC(RUNNING, PRE_COPY):
	case LMF_ARC(RUNNING_P2P, PRE_COPY_P2P):
		return lmf_start_save_locked(dev, false);
	case LMF_ARC(STOP, STOP_COPY):
		return lmf_start_save_locked(dev, true);
	case LMF_ARC(PRE_COPY_P2P, STOP_COPY):
		return ERR_PTR(lmf_stop_copy_locked(dev));
	case LMF_ARC(PRE_COPY, RUNNING):
	case LMF_ARC(PRE_COPY_P2P, RUNNING_P2P):
	case LMF_ARC(STOP_COPY, STOP):
		return ERR_PTR(lmf_end_save_locked(dev));
	case LMF_ARC(STOP, RESUMING):
		return lmf_start_resume_locked(dev);
	case LMF_ARC(RESUMING, STOP):
		return ERR_PTR(lmf_finish_resume_locked(dev));
	}
	/* vfio_mig_get_next_state() does not use arcs other than the above. */
	WARN_ON(true);
	return ERR_PTR(-EINVAL);
}

/* Go one arc towards @target. */
static struct file *lmf_advance_locked(struct lmf_vfio_device *dev,
				       enum vfio_device_mig_state target)
{
	enum vfio_device_mig_state from = dev->state, next;
	struct file *filp;
	int ret;

	ret = vfio_mig_get_next_state(&dev->core.vdev, from, target, &next);
	if (ret)
		return ERR_PTR(ret);
	filp = lmf_step_locked(dev, next, target);
	trace_lmf_vfio_arc(lmf_vfio_name(dev), lmf_state_names[from],
			   lmf_state_names[next], PTR_ERR_OR_ZERO(filp));
	if (IS_ERR(filp)) {
		lmf_stat_set(&dev->stats, LMF_STAT_LAST_ERROR, PTR_ERR(filp));
		return filp;
	}
	lmf_enter_state_locked(dev, next);
	if (next == VFIO_DEVICE_STATE_RUNNING)
		lmf_stat_now(&dev->stats, LMF_STAT_RUNNING);
	return filp;
}

static struct file *lmf_go_locked(struct lmf_vfio_device *dev,
				  enum vfio_device_mig_state target)
{
	struct file *filp = NULL;

	while (dev->state != target) {
		if (lmf_reset_pending(dev))
			return ERR_PTR(-ECANCELED);
		filp = lmf_advance_locked(dev, target);
		if (IS_ERR(filp))
			return filp;
		/* Only a last arc gives a file. */
		if (WARN_ON(filp && dev->state != target)) {
			fput(filp);
			return ERR_PTR(-EINVAL);
		}
	}
	return filp;
}

static struct file *lmf_set_state(struct vfio_device *vdev,
				  enum vfio_device_mig_state target)
{
	struct lmf_vfio_device *dev = to_lmf_vfio(vdev);
	struct file *filp;
	int ret;

	if (mutex_lock_killable(&dev->state_mutex))
		return ERR_PTR(-EINTR);
	ret = lmf_settle_locked(dev);
	if (ret)
		filp = ERR_PTR(ret);
	else if (lmf_in_error(dev))
		filp = ERR_PTR(-EIO);
	else
		filp = lmf_go_locked(dev, target);
	lmf_state_unlock(dev);
	return filp;
}

static int lmf_get_state(struct vfio_device *vdev,
			 enum vfio_device_mig_state *state)
{
	*state = lmf_migration_state(to_lmf_vfio(vdev));
	return 0;
}

static bool lmf_is_saving(enum vfio_device_mig_state state)
{
	return state == VFIO_DEVICE_STATE_PRE_COPY ||
	       state == VFIO_DEVICE_STATE_PRE_COPY_P2P ||
	       state == VFIO_DEVICE_STATE_STOP_COPY;
}

/* An answer too large only delays the user; none at all makes him give up. */
static int lmf_get_data_size(struct vfio_device *vdev, unsigned long *length)
{
	struct lmf_vfio_device *dev = to_lmf_vfio(vdev);
	u64 size;

	if (mutex_lock_killable(&dev->state_mutex))
		return -EINTR;
	lmf_after_reset_locked(dev);
	if (lmf_is_saving(dev->state))
		size = lmf_save_data_size(dev->migf);
	else
		size = lmf_save_size_without(dev);
	lmf_state_unlock(dev);
	lmf_stat_set(&dev->stats, LMF_STAT_DATA_SIZE, size);
	*length = min_t(u64, size, ULONG_MAX);
	return 0;
}

const struct vfio_migration_ops lmf_migration_ops = {
	.migration_set_state = lmf_set_state,
	.migration_get_state = lmf_get_state,
	.migration_get_data_size = lmf_get_data_size,
};

/**
 * lmf_migration_open() - the device was opened, and reset for that
 * @dev: device
 */
void lmf_migration_open(struct lmf_vfio_device *dev)
{
	mutex_lock(&dev->state_mutex);
	lmf_settle_locked(dev);
	lmf_state_unlock(dev);
}

/**
 * lmf_migration_close() - the device is being closed, in whatever state
 * @dev: device
 *
 * The VF stays quiesced: it shall not run on before it is reset, whatever else
 * is told of it until lmf_migration_closed().
 */
void lmf_migration_close(struct lmf_vfio_device *dev)
{
	disable_delayed_work_sync(&dev->settle_work);
	mutex_lock(&dev->state_mutex);
	lmf_after_reset_locked(dev);
	lmf_end_session_locked(dev);
	lmf_drop_spare_locked(dev);
	lmf_enter_state_locked(dev, VFIO_DEVICE_STATE_RUNNING);
	mutex_unlock(&dev->state_mutex);
}

/**
 * lmf_migration_closed() - the device was closed, and reset if that works
 * @dev: device
 */
void lmf_migration_closed(struct lmf_vfio_device *dev)
{
	/* Who closes may have been killed; a worker never is. */
	enable_delayed_work(&dev->settle_work);
	mod_delayed_work(LMF_UNBOUND_WQ, &dev->settle_work, 0);
	flush_delayed_work(&dev->settle_work);
}
