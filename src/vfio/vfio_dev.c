// SPDX-License-Identifier: GPL-2.0-only
/*
 * What vfio asks of a device. Regions, interrupts and config space are those
 * of vfio-pci; nothing that a guest can reach there takes part in migration.
 *
 * A VF of which we can offer nothing, or whose PF is not ours, has no vf and is
 * plain vfio-pci.
 */
#include <linux/iommufd.h>
#include <linux/iova_bitmap.h>
#include <linux/vfio.h>

#include "compat.h"
#include "lmf_log.h"
#include "lmf_vfio.h"
#include "migf.h"
#include "trace.h"

/* Far beyond any device; sums of sizes below it do not overflow. */
#define LMF_STATE_MAX	BIT_ULL(56)

static int lmf_log_start(struct vfio_device *vdev,
			 struct rb_root_cached *ranges, u32 nnodes,
			 u64 *page_size)
{
	return lmf_tracker_start(&to_lmf_vfio(vdev)->tracker, ranges, nnodes,
				 page_size);
}

static int lmf_log_stop(struct vfio_device *vdev)
{
	return lmf_tracker_stop(&to_lmf_vfio(vdev)->tracker);
}

static void lmf_log_account(struct lmf_vfio_device *dev, u64 start,
			    u64 overflows)
{
	enum vfio_device_mig_state state = lmf_migration_state(dev);
	u64 now = ktime_get_ns();

	lmf_stat_set(&dev->stats, LMF_STAT_LAST_REPORT_START, start);
	lmf_stat_set(&dev->stats, LMF_STAT_LAST_REPORT_DONE, now);
	if (state == VFIO_DEVICE_STATE_STOP ||
	    state == VFIO_DEVICE_STATE_STOP_COPY)
		lmf_stat_add(&dev->stats, LMF_STAT_STOPPED_REPORT_TIME,
			     now - start);
	/* Those of the background drain show up here, too. */
	if (atomic64_xchg(&dev->overflows_traced, overflows) != overflows)
		trace_lmf_vfio_overflow(lmf_vfio_name(dev), overflows);
}

static int lmf_log_report(struct vfio_device *vdev, unsigned long iova,
			  unsigned long length, struct iova_bitmap *dirty)
{
	struct lmf_vfio_device *dev = to_lmf_vfio(vdev);
	struct lmf_tracker_stats before, after;
	u64 start = ktime_get_ns();
	int ret;

	lmf_tracker_stats(&dev->tracker, &before);
	ret = lmf_tracker_report(&dev->tracker, iova, length, dirty);
	lmf_tracker_stats(&dev->tracker, &after);
	lmf_log_account(dev, start, after.overflows);
	if (ret)
		lmf_stat_set(&dev->stats, LMF_STAT_LAST_ERROR, ret);
	trace_lmf_vfio_report(lmf_vfio_name(dev), iova, length,
			      after.pages_reported - before.pages_reported,
			      ret);
	return ret;
}

static const struct vfio_log_ops lmf_log_ops = {
	.log_start = lmf_log_start,
	.log_stop = lmf_log_stop,
	.log_read_and_clear = lmf_log_report,
};

static void lmf_notify_threshold(void *priv)
{
	struct lmf_vfio_device *dev = priv;

	/* Pairs with lmf_vfio_setup(). */
	if (smp_load_acquire(&dev->notify_ready))
		lmf_tracker_threshold(&dev->tracker);
}

static void lmf_notify_sessions_lost(void *priv)
{
	struct lmf_vfio_device *dev = priv;

	/* Pairs with lmf_vfio_setup(). Without states there is no level. */
	if (smp_load_acquire(&dev->notify_ready) && dev->core.vdev.mig_ops)
		lmf_migration_sessions_lost(dev);
}

static void lmf_notify_lost(void *priv)
{
	struct lmf_vfio_device *dev = priv;

	/* Pairs with lmf_vfio_setup(). */
	if (!smp_load_acquire(&dev->notify_ready))
		return;
	lmf_tracker_lost(&dev->tracker);
	if (dev->core.vdev.mig_ops)
		lmf_migration_lost(dev);
}

static const struct lmf_vf_notify lmf_vfio_notify = {
	.log_threshold = lmf_notify_threshold,
	.sessions_lost = lmf_notify_sessions_lost,
	.lost = lmf_notify_lost,
};

static bool lmf_caps_sane(const struct lmf_vf_caps *caps)
{
	return caps->chunk_min && caps->chunk_min <= caps->chunk_max &&
	       caps->chunk_min <= LMF_MIGF_CHUNK_MAX &&
	       caps->state_max <= LMF_STATE_MAX;
}

/* Returns false if there is nothing to offer. */
static bool lmf_publish(struct lmf_vfio_device *dev,
			const struct lmf_vf_caps *caps)
{
	struct vfio_device *vdev = &dev->core.vdev;

	if (caps->migrate && !lmf_caps_sane(caps)) {
		dev_err(vdev->dev, "nonsense capabilities, no migration\n");
	} else if (caps->migrate) {
		vdev->migration_flags = VFIO_MIGRATION_STOP_COPY |
					VFIO_MIGRATION_P2P |
					VFIO_MIGRATION_PRE_COPY;
		vdev->mig_ops = &lmf_migration_ops;
	}
	dev->log_known = caps->log && caps->log_formats & LMF_LOG_FORMATS;
	/* Without iova_bitmap a log could be started but never read. */
	if (IS_ENABLED(CONFIG_IOMMUFD_DRIVER) && dev->log_known)
		vdev->log_ops = &lmf_log_ops;
	return vdev->mig_ops || vdev->log_ops;
}

/**
 * lmf_vfio_setup() - take the migration interface, if there is one
 * @dev: device, not yet registered
 * @pdev: VF
 *
 * Return: 0, also for a VF without one.
 */
int lmf_vfio_setup(struct lmf_vfio_device *dev, struct pci_dev *pdev)
{
	struct lmf_vf *vf;

	vf = lmf_vf_get(pdev, &lmf_vfio_notify, dev);
	if (vf == ERR_PTR(-EOPNOTSUPP)) {
		pci_info(pdev, "no migration: the PF driver, lmf, offers none\n");
		return 0;
	}
	if (IS_ERR(vf))
		return dev_err_probe(&pdev->dev, PTR_ERR(vf),
				     "migration interface of the PF\n");
	if (!lmf_publish(dev, lmf_vf_caps(vf))) {
		pci_info(pdev, "no migration: the device offers none\n");
		lmf_vf_put(vf);
		return 0;
	}
	dev->vf = vf;
	lmf_tracker_init(&dev->tracker, vf, pci_name(pdev));
	/* What the notifications use is initialized. */
	smp_store_release(&dev->notify_ready, true);
	return 0;
}

/**
 * lmf_vfio_teardown() - give it back
 * @dev: device, no longer registered
 */
void lmf_vfio_teardown(struct lmf_vfio_device *dev)
{
	if (!dev->vf)
		return;
	lmf_migration_exit(dev);
	lmf_vf_put(dev->vf);
}

static int lmf_vfio_init(struct vfio_device *vdev)
{
	lmf_migration_init(to_lmf_vfio(vdev));
	return vfio_pci_core_init_dev(vdev);
}

static void lmf_vfio_release(struct vfio_device *vdev)
{
	mutex_destroy(&to_lmf_vfio(vdev)->state_mutex);
	vfio_pci_core_release_dev(vdev);
}

static int lmf_vfio_open(struct vfio_device *vdev)
{
	struct lmf_vfio_device *dev = to_lmf_vfio(vdev);
	int ret;

	ret = vfio_pci_core_enable(&dev->core);
	if (ret)
		return ret;
	if (dev->vf)
		lmf_migration_open(dev);
	vfio_pci_core_finish_enable(&dev->core);
	return 0;
}

static void lmf_vfio_close(struct vfio_device *vdev)
{
	struct lmf_vfio_device *dev = to_lmf_vfio(vdev);

	if (dev->vf) {
		lmf_migration_close(dev);
		lmf_tracker_close(&dev->tracker);
	}
	vfio_pci_core_close_device(vdev);
	if (dev->vf)
		lmf_migration_closed(dev);
}

const struct vfio_device_ops lmf_vfio_ops = {
	.name = "lmf-vfio-pci",
	.init = lmf_vfio_init,
	.release = lmf_vfio_release,
	.open_device = lmf_vfio_open,
	.close_device = lmf_vfio_close,
	.ioctl = vfio_pci_core_ioctl,
	.device_feature = vfio_pci_core_ioctl_feature,
	LMF_OPS_REGION_INFO
	.read = vfio_pci_core_read,
	.write = vfio_pci_core_write,
	.mmap = vfio_pci_core_mmap,
	.request = vfio_pci_core_request,
	.match = vfio_pci_core_match,
	LMF_OPS_MATCH_TOKEN
	.bind_iommufd = vfio_iommufd_physical_bind,
	.unbind_iommufd = vfio_iommufd_physical_unbind,
	.attach_ioas = vfio_iommufd_physical_attach_ioas,
	.detach_ioas = vfio_iommufd_physical_detach_ioas,
	LMF_OPS_PASID
};
