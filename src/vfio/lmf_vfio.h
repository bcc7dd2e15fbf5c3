/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VF driver's own structures.
 *
 *	pci_drv.c	module, probe and remove, reset
 *	vfio_dev.c	what vfio asks of a device; open and close
 *	migration.c	the migration state machine
 *	settle.c	the quiesce level and the session; what a reset leaves
 *	migf.c		a data transfer session and its data_fd
 *	save.c		the session that saves
 *	save_left.c	how much it has yet to give
 *	resume.c	the session that loads
 *	stream.c	the format of the stream (pure)
 *	precopy.c	estimates of what is left (pure)
 *	tracker.c	dirty tracking: start, report, stop
 *	tracker_log.c	the device's log below it, in any format,
 *	tracker_ring.c	in our memory,
 *	tracker_read.c	or in the device's; with these, which are pure:
 *	shadow.c	what is dirty and not reported yet
 *	shadow_leaf.c	128 MiB of that
 *	log_ring.c log_ranges.c log_bitmap.c	the native formats
 *	sysfs.c		counters
 *	trace.c		tracepoints
 *
 * Lock order, outermost first:
 *	lmf_migf.io_mutex	(mutex; held while user memory faults in)
 *	mmap_lock, vfio's memory_lock
 *	lmf_vfio_device.reset_lock	(spinlock)
 * and on their own, never over user memory that may fault:
 *	lmf_vfio_device.state_mutex	(mutex)
 *	lmf_migf.lock			(mutex)
 *	lmf_vfio_device.reset_lock	(spinlock)
 * and of the tracker, which is taken by nobody else:
 *	lmf_tracker.report_mutex	(mutex; held over user memory)
 *	lmf_tracker.read_mutex		(mutex)
 *	lmf_tracker.lock		(mutex)
 *
 * A reset calls us with memory_lock held, which a fault on user memory may
 * wait for. So the callback takes reset_lock alone, marks, wakes and returns.
 * Teardown is done by whoever takes state_mutex next, at the latest by
 * settle_work.
 */
#ifndef LMF_VFIO_H
#define LMF_VFIO_H

#include <linux/kref.h>
#include <linux/lmf.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/vfio_pci_core.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "stats.h"
#include "tracker.h"

struct lmf_migf;

/**
 * struct lmf_vfio_device - a VF
 * @core: vfio-pci; must be the first member
 * @vf: the migration interface, or NULL: plain vfio-pci
 * @tracker: dirty tracking, valid if @vf
 * @stats: for sysfs
 * @log_known: the device has a log of a format that we know
 * @notify_ready: @tracker is initialized, events may come in
 * @overflows_traced: overflows of the log that the tracepoint has told
 * @state_mutex: protects @level, @unsettled, @spare, changes of @state, @migf
 * @level: quiesce level that was asked for last
 * @unsettled: the device did not bring the VF to @level when asked last
 * @spare: a save, made before the VF was stopped, or NULL
 * @reset_lock: protects @state, @migf, @reset_pending, @level_lost, @pf_lost
 * @state: migration state, unless a reset is pending: then it is RUNNING
 * @migf: the session, or NULL
 * @reset_pending: a reset came, its teardown is still to be done
 * @level_lost: the VF may have left @level on its own
 * @pf_lost: the PF was lost, since that was looked at last
 * @settle_work: does that teardown, and has the VF at @level again
 */
struct lmf_vfio_device {
	struct vfio_pci_core_device core;
	struct lmf_vf *vf;
	struct lmf_tracker tracker;
	struct lmf_stats stats;
	bool log_known;
	bool notify_ready;
	atomic64_t overflows_traced;

	struct mutex state_mutex; /* protects as said above */
	enum lmf_quiesce level;
	bool unsettled;
	struct lmf_migf *spare;

	spinlock_t reset_lock; /* protects as said above */
	enum vfio_device_mig_state state;
	struct lmf_migf *migf;
	bool reset_pending;
	bool level_lost;
	bool pf_lost;
	struct delayed_work settle_work;
};

static inline struct lmf_vfio_device *to_lmf_vfio(struct vfio_device *vdev)
{
	return container_of(vdev, struct lmf_vfio_device, core.vdev);
}

static inline const char *lmf_vfio_name(const struct lmf_vfio_device *dev)
{
	return pci_name(dev->core.pdev);
}

/* vfio_dev.c */
extern const struct vfio_device_ops lmf_vfio_ops;
int lmf_vfio_setup(struct lmf_vfio_device *dev, struct pci_dev *pdev);
void lmf_vfio_teardown(struct lmf_vfio_device *dev);

/* migration.c */
extern const struct vfio_migration_ops lmf_migration_ops;
void lmf_migration_open(struct lmf_vfio_device *dev);
void lmf_migration_close(struct lmf_vfio_device *dev);
void lmf_migration_closed(struct lmf_vfio_device *dev);
const char *lmf_migration_state_name(enum vfio_device_mig_state state);

/* settle.c */
void lmf_migration_init(struct lmf_vfio_device *dev);
void lmf_migration_exit(struct lmf_vfio_device *dev);
void lmf_migration_reset_done(struct lmf_vfio_device *dev);
void lmf_migration_sessions_lost(struct lmf_vfio_device *dev);
void lmf_migration_lost(struct lmf_vfio_device *dev);
enum vfio_device_mig_state lmf_migration_state(struct lmf_vfio_device *dev);

/* sysfs.c */
extern const struct attribute_group *lmf_vfio_groups[];

#endif
