// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much a save has yet to give: the precopy-info ioctl and MIG_DATA_SIZE.
 * The arithmetic is in precopy.c; here is where its numbers come from.
 *
 * Each chunk tells what was left after it. That is old when the reader has
 * not come for a while, so while no chunk is on its way the device is asked.
 * Once it is stopped, one answer is enough. At the beginning the precopy-info
 * ioctl waits for the first chunks: before them nobody knows how many there
 * will be, and each has a header.
 */
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "compat.h"
#include "lmf_vfio.h"
#include "save.h"

#define LMF_SAVE_EXTRA	(sizeof(struct lmf_head_record) + \
			 sizeof(struct lmf_end_record))

static struct lmf_unread lmf_save_unread_locked(struct lmf_save *save)
{
	unsigned int n = save->payload ? 1 : 0;
	struct lmf_unread sum = {};
	struct lmf_saved *saved;

	lmf_precopy_unread(&sum, save->total, save->initial, save->pos);
	for (; n < save->harvested; n++) {
		saved = lmf_save_saved(save, n);
		if (saved->bytes)
			lmf_precopy_unread(&sum, saved->bytes +
						 sizeof(struct lmf_record),
					   saved->initial, 0);
	}
	return sum;
}

void lmf_save_info_locked(struct lmf_save *save, u64 *initial_bytes,
			  u64 *dirty_bytes)
{
	struct lmf_unread unread = lmf_save_unread_locked(save);
	struct lmf_stats *stats = &save->migf.dev->stats;

	lmf_precopy_info(&save->precopy, &unread, initial_bytes, dirty_bytes);
	lmf_stat_set(stats, LMF_STAT_INITIAL_BYTES, *initial_bytes);
	lmf_stat_set(stats, LMF_STAT_DIRTY_BYTES, *dirty_bytes);
	lmf_stat_set(stats, LMF_STAT_TRAILER_BYTES,
		     lmf_precopy_trailer(&save->precopy));
}

/* If the device was stopped, only its word since then counts. */
static bool lmf_save_is_settled(const struct lmf_save *save)
{
	return save->final ? save->settled :
			     lmf_precopy_settled(&save->precopy);
}

/* Wait for the results that an exact answer needs. Killable, bounded. */
static void lmf_save_settle_locked(struct lmf_save *save)
{
	struct lmf_migf *migf = &save->migf;
	int err = 0;

	while (!err && !lmf_save_is_settled(save) &&
	       !lmf_migf_alive_locked(migf) && save->harvested < migf->used) {
		err = lmf_op_wait(lmf_migf_slot(migf, save->harvested)->op);
		lmf_save_harvest_locked(save);
	}
}

/*
 * Learn what is left now. While operations are under way their results say it;
 * else media may have become dirty since the last one, which ends a temporary
 * end.
 */
void lmf_save_refresh_locked(struct lmf_save *save)
{
	struct lmf_migf *migf = &save->migf;
	struct lmf_save_left left;

	lmf_save_harvest_locked(save);
	if (save->final)
		lmf_save_settle_locked(save);
	if (migf->err || save->settled || save->harvested < migf->used)
		return;
	if (lmf_vf_save_query(migf->dev->vf, migf->session, &left))
		return;
	lmf_precopy_left(&save->precopy, &left);
	if (!save->final && (left.initial || left.dirty))
		save->dry = false;
}

static int lmf_save_precopy_info_locked(struct lmf_save *save,
					struct vfio_precopy_info *info)
{
	u64 initial_bytes, dirty_bytes;
	int ret;

	ret = lmf_migf_alive_locked(&save->migf);
	if (ret)
		return ret;
	if (save->final)
		return -EINVAL;
	lmf_save_settle_locked(save);
	lmf_save_refresh_locked(save);
	ret = lmf_migf_alive_locked(&save->migf);
	if (ret)
		return ret;
	if (LMF_KNOWS_REINIT(save->migf.dev->core.vdev))
		info->flags = lmf_precopy_reinit(&save->precopy) ?
			      LMF_INFO_REINIT : 0;
	lmf_save_info_locked(save, &initial_bytes, &dirty_bytes);
	info->initial_bytes = initial_bytes;
	info->dirty_bytes = dirty_bytes;
	return 0;
}

/* Who did not get the answer was not told of a reinit. */
static int lmf_save_untold(struct lmf_migf *migf,
			   const struct vfio_precopy_info *info)
{
	if ((info->flags & LMF_INFO_REINIT) &&
	    !mutex_lock_killable(&migf->lock)) {
		to_lmf_save(migf)->precopy.again = true;
		lmf_migf_unlock(migf);
	}
	return -EFAULT;
}

long lmf_save_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	const size_t minsz = offsetofend(struct vfio_precopy_info, dirty_bytes);
	struct lmf_migf *migf = filp->private_data;
	void __user *uptr = (void __user *)arg;
	struct vfio_precopy_info info;
	int ret;

	if (cmd != VFIO_MIG_GET_PRECOPY_INFO)
		return -ENOTTY;
	if (copy_from_user(&info, uptr, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	if (mutex_lock_killable(&migf->lock))
		return -EINTR;
	ret = lmf_save_precopy_info_locked(to_lmf_save(migf), &info);
	lmf_migf_unlock(migf);
	if (ret)
		return ret;
	return copy_to_user(uptr, &info, minsz) ? lmf_save_untold(migf, &info) :
						  0;
}

static u64 lmf_save_data_size_locked(struct lmf_save *save)
{
	struct lmf_unread unread;

	lockdep_assert_held(&save->migf.lock);
	if (save->migf.done)
		return max(save->total - save->pos, 1UL);
	lmf_save_refresh_locked(save);
	unread = lmf_save_unread_locked(save);
	return lmf_precopy_data_size(&save->precopy, &unread,
				     sizeof(struct lmf_end_record));
}

/**
 * lmf_save_data_size() - all that is still to be read, rather too much
 * @migf: session
 */
u64 lmf_save_data_size(struct lmf_migf *migf)
{
	struct lmf_save *save = to_lmf_save(migf);
	u64 size;

	/* Who is killed does not look, and the device may take its time. */
	if (mutex_lock_killable(&migf->lock))
		return lmf_precopy_bound(save->precopy.caps, LMF_SAVE_EXTRA);
	if (lmf_migf_alive_locked(migf))
		size = lmf_precopy_bound(save->precopy.caps, LMF_SAVE_EXTRA);
	else
		size = lmf_save_data_size_locked(save);
	lmf_migf_unlock(migf);
	return size;
}

/**
 * lmf_save_size_without() - what a save begun now would give, rather too
 *                           much
 * @dev: device without a save
 */
u64 lmf_save_size_without(struct lmf_vfio_device *dev)
{
	const struct lmf_vf_caps *caps = lmf_vf_caps(dev->vf);
	struct lmf_unread unread = {};
	struct lmf_save_left left;
	struct lmf_precopy precopy;

	if (lmf_vf_save_query(dev->vf, 0, &left))
		return lmf_precopy_bound(caps, LMF_SAVE_EXTRA);
	lmf_precopy_init(&precopy, caps, caps->chunk_max);
	lmf_precopy_left(&precopy, &left);
	return lmf_precopy_data_size(&precopy, &unread, LMF_SAVE_EXTRA);
}
