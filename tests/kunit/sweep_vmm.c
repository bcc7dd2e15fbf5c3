// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a VMM does with a VF: states, data_fd, log; and its guest, whose memory
 * the VF writes. What must hold whatever goes wrong is looked at on the way:
 * a report that succeeds tells of every page written and not reported before.
 */
#include "sweep.h"

#include <linux/file.h>
#include <linux/interval_tree.h>
#include <linux/iova_bitmap.h>
#include <linux/uaccess.h>

#define SWEEP_WRITE	8000	/* bytes, of a write() */

static struct vfio_device *sweep_vdev(struct sweep *s)
{
	return &s->vf[SWEEP_VF].dev.core.vdev;
}

int sweep_state(struct sweep_vf *v)
{
	enum vfio_device_mig_state state;

	lmf_migration_ops.migration_get_state(&v->dev.core.vdev, &state);
	return state;
}

/* All states on the way to @target, both ends too. */
static unsigned long sweep_way(struct sweep_vf *v, u32 target)
{
	enum vfio_device_mig_state at = sweep_state(v), next;
	unsigned long way = BIT(at);

	/* Of which no way leads anywhere. */
	if (at == STATE(ERROR))
		return way;
	while (at != target &&
	       !vfio_mig_get_next_state(&v->dev.core.vdev, at, target, &next)) {
		at = next;
		way |= BIT(at);
	}
	return way;
}

static struct file *sweep_set_state(struct sweep *s, u32 state)
{
	struct file *f;

	s->legal = sweep_way(&s->vf[SWEEP_VF], state);
	f = lmf_migration_ops.migration_set_state(sweep_vdev(s), state);
	if (!IS_ERR(f))
		s->legal = BIT(state);
	return f;
}

/* An arc that gives no file, unless a reset meanwhile made it another one. */
int sweep_go(struct sweep *s, u32 state)
{
	struct file *f = sweep_set_state(s, state);

	if (IS_ERR_OR_NULL(f))
		return PTR_ERR(f);
	__fput_sync(f);
	return -ESTALE;
}

void sweep_drop_file(struct sweep *s)
{
	if (s->file)
		__fput_sync(s->file);
	s->file = NULL;
}

/* An arc that gives a file; the one before is closed. */
int sweep_session(struct sweep *s, u32 state)
{
	struct file *f = sweep_set_state(s, state);

	if (!f)
		return -ESTALE;
	if (IS_ERR(f))
		return PTR_ERR(f);
	sweep_drop_file(s);
	s->file = f;
	s->bytes = 0;
	return 0;
}

ssize_t sweep_read(struct sweep *s, size_t n)
{
	ssize_t ret = s->file->f_op->read(s->file, s->user, n, NULL);

	if (ret <= 0)
		return ret;
	KUNIT_ASSERT_LE(s->test, s->bytes + ret, SWEEP_STREAM);
	KUNIT_ASSERT_EQ(s->test, copy_from_user(s->stream + s->bytes, s->user,
						ret), 0);
	s->bytes += ret;
	return ret;
}

/* To the end, as far as there is one now. */
int sweep_read_all(struct sweep *s)
{
	ssize_t ret;

	do {
		ret = sweep_read(s, SWEEP_USER);
	} while (ret > 0);
	return ret == -ENOMSG ? 0 : ret;
}

int sweep_write_all(struct sweep *s, struct file *f, const u8 *from,
		    size_t bytes)
{
	size_t at, n;
	ssize_t ret;

	for (at = 0; at < bytes; at += ret) {
		n = min_t(size_t, bytes - at, SWEEP_WRITE);
		KUNIT_ASSERT_EQ(s->test, copy_to_user(s->user, from + at, n),
				0);
		ret = f->f_op->write(f, s->user, n, NULL);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int sweep_info(struct sweep *s)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) };

	KUNIT_ASSERT_EQ(s->test, copy_to_user(s->user, &info, sizeof(info)),
			0);
	return s->file->f_op->unlocked_ioctl(s->file,
					     VFIO_MIG_GET_PRECOPY_INFO,
					     (unsigned long)s->user);
}

unsigned long sweep_data_size(struct sweep *s)
{
	unsigned long size = 0;

	lmf_migration_ops.migration_get_data_size(sweep_vdev(s), &size);
	return size;
}

int sweep_log_start(struct sweep *s)
{
	struct rb_root_cached root = RB_ROOT_CACHED;
	struct interval_tree_node node = {
		.start = mock_guest_page(SWEEP_VF, 0),
		.last = mock_guest_page(SWEEP_VF, SWEEP_PAGES) - 1,
	};
	struct vfio_device *vdev = sweep_vdev(s);
	u64 page_size = PAGE_SIZE;
	int err;

	interval_tree_insert(&node, &root);
	bitmap_zero(s->written, SWEEP_PAGES);
	err = vdev->log_ops->log_start(vdev, &root, 1, &page_size);
	s->tracking = !err;
	return err;
}

int sweep_log_stop(struct sweep *s)
{
	struct vfio_device *vdev = sweep_vdev(s);
	int err = vdev->log_ops->log_stop(vdev);

	if (!err)
		s->tracking = false;
	return err;
}

/* Of iova_bitmap_for_each(), whose @opaque is the vfio device. */
int sweep_report_fn(struct iova_bitmap *bitmap, unsigned long iova,
		    size_t length, void *opaque)
{
	struct vfio_device *vdev = opaque;

	return vdev->log_ops->log_read_and_clear(vdev, iova, length, bitmap);
}

/* Of a bank that is said to be empty nobody can know better. */
static bool sweep_log_lies(struct sweep *s)
{
	return s->fault && s->fault->traits & SWEEP_LIES &&
	       s->opcode == LMF_OP_LOG_READ;
}

/* A report as the core does it. */
int sweep_report(struct sweep *s)
{
	DECLARE_BITMAP(got, SWEEP_PAGES) = { };
	struct iova_bitmap *bitmap;
	int err;

	KUNIT_ASSERT_EQ(s->test, copy_to_user(s->user, got, sizeof(got)), 0);
	bitmap = iova_bitmap_alloc(mock_guest_page(SWEEP_VF, 0),
				   SWEEP_PAGES * PAGE_SIZE, PAGE_SIZE,
				   (u64 __user *)s->user);
	if (IS_ERR(bitmap))
		return PTR_ERR(bitmap);
	err = iova_bitmap_for_each(bitmap, sweep_vdev(s), sweep_report_fn);
	iova_bitmap_free(bitmap);
	if (err)
		return err;
	KUNIT_ASSERT_EQ(s->test, copy_from_user(got, s->user, sizeof(got)), 0);
	if (!sweep_log_lies(s))
		SWEEP_EXPECT(s, bitmap_subset(s->written, got, SWEEP_PAGES));
	bitmap_zero(s->written, SWEEP_PAGES);
	return 0;
}

/* Has the VF write a page of the guest; it must run. */
int sweep_guest_write(struct sweep *s, unsigned int page)
{
	struct sweep_vf *v = &s->vf[SWEEP_VF];
	int err;

	flush_work(&s->strike_work);
	if (s->pf.paused || !sweep_fw(v)->present)
		return -ENODEV;
	/* After a reset the guest sets up its queue again. */
	if (!(sweep_fw(v)->queue[0].ctrl & LMF_VF_QCTRL_ENABLE))
		mock_guest_start(&s->pf, SWEEP_VF);
	err = mock_guest_read(&s->pf, SWEEP_VF, page);
	if (!err && s->tracking)
		__set_bit(page, s->written);
	return err;
}

int sweep_media_write(struct sweep *s, unsigned int granule, u8 value)
{
	memset(s->bounce, value, LMF_MEDIA_GRANULE);
	return mock_pf_set_media(&s->pf, SWEEP_VF,
				 (u64)granule * LMF_MEDIA_GRANULE, s->bounce,
				 LMF_MEDIA_GRANULE);
}

void sweep_get_media(struct sweep *s, unsigned int vf)
{
	mock_pf_get_media(&s->pf, vf, 0, s->media, SWEEP_MEDIA);
}

/* Is the media of a VF what sweep_get_media() got? */
bool sweep_same_media(struct sweep *s, unsigned int vf)
{
	size_t at;

	for (at = 0; at < SWEEP_MEDIA; at += SWEEP_USER) {
		mock_pf_get_media(&s->pf, vf, at, s->bounce, SWEEP_USER);
		if (memcmp(s->bounce, s->media + at, SWEEP_USER))
			return false;
	}
	return true;
}

/* Have a VF that works take a stream. */
int sweep_load(struct sweep *s, struct sweep_vf *v, const u8 *from,
	       size_t bytes)
{
	struct vfio_device *vdev = &v->dev.core.vdev;
	struct file *f, *none;
	int err;

	f = lmf_migration_ops.migration_set_state(vdev, STATE(RESUMING));
	if (IS_ERR_OR_NULL(f))
		return f ? PTR_ERR(f) : -ESTALE;
	err = sweep_write_all(s, f, from, bytes);
	if (!err) {
		none = lmf_migration_ops.migration_set_state(vdev, STATE(STOP));
		err = PTR_ERR_OR_ZERO(none);
	}
	__fput_sync(f);
	return err;
}
