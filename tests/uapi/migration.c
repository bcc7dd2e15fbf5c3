// SPDX-License-Identifier: GPL-2.0-only
/* The migration and the DMA logging features as calls. */
#include <assert.h>
#include <errno.h>
#include <sys/ioctl.h>

#include "vdev.h"

static_assert(sizeof(struct vdev_range) ==
	      sizeof(struct vfio_device_feature_dma_logging_range),
	      "a range is two quadwords");

static const struct {
	const char *name;
	uint64_t needs;
} states[VFIO_DEVICE_STATE_NR] = {
	[VFIO_DEVICE_STATE_ERROR] = { "ERROR", ~0ull },
	[VFIO_DEVICE_STATE_STOP] = { "STOP", 0 },
	[VFIO_DEVICE_STATE_RUNNING] = { "RUNNING", 0 },
	[VFIO_DEVICE_STATE_STOP_COPY] = { "STOP_COPY", 0 },
	[VFIO_DEVICE_STATE_RESUMING] = { "RESUMING", 0 },
	[VFIO_DEVICE_STATE_RUNNING_P2P] = { "RUNNING_P2P",
		VFIO_MIGRATION_P2P },
	[VFIO_DEVICE_STATE_PRE_COPY] = { "PRE_COPY",
		VFIO_MIGRATION_PRE_COPY },
	[VFIO_DEVICE_STATE_PRE_COPY_P2P] = { "PRE_COPY_P2P",
		VFIO_MIGRATION_PRE_COPY | VFIO_MIGRATION_P2P },
};

/* May a user ask for it? */
bool vdev_has_state(const struct vdev *dev, uint32_t state)
{
	return state < VFIO_DEVICE_STATE_NR &&
	       !(states[state].needs & ~dev->flags);
}

const char *vdev_state_name(uint32_t state)
{
	return state < VFIO_DEVICE_STATE_NR ? states[state].name : "none";
}

/**
 * vdev_set_state() - ask for a migration state
 * @dev: device
 * @state: any number
 * @data_fd: set to the new session's file, or to -1
 */
int vdev_set_state(struct vdev *dev, uint32_t state, int *data_fd)
{
	struct vfio_device_feature_mig_state mig = {
		.device_state = state, .data_fd = -1,
	};
	int ret;

	ret = vdev_feature(dev, VFIO_DEVICE_FEATURE_SET |
				VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE,
			   &mig, sizeof(mig));
	*data_fd = mig.data_fd;
	if (!ret)
		dev->hollow = state == VFIO_DEVICE_STATE_RESUMING;
	return ret;
}

/* For states that are not expected to come with a file. */
int vdev_go(struct vdev *dev, uint32_t state)
{
	int data_fd, ret = vdev_set_state(dev, state, &data_fd);

	return !ret && data_fd != -1 ? -EBADF : ret;
}

/* The state, or a negative errno. */
int vdev_state(const struct vdev *dev)
{
	struct vfio_device_feature_mig_state mig = { .data_fd = 0 };
	int ret;

	ret = vdev_feature(dev, VFIO_DEVICE_FEATURE_GET |
				VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE,
			   &mig, sizeof(mig));
	if (ret)
		return ret;
	return mig.data_fd == -1 ? (int)mig.device_state : -EBADF;
}

int vdev_data_size(const struct vdev *dev, uint64_t *bytes)
{
	struct vfio_device_feature_mig_data_size size = { 0 };
	int ret;

	ret = vdev_feature(dev, VFIO_DEVICE_FEATURE_GET |
				VFIO_DEVICE_FEATURE_MIG_DATA_SIZE,
			   &size, sizeof(size));
	*bytes = size.stop_copy_length;
	return ret;
}

int vdev_precopy_info(int data_fd, uint64_t *initial, uint64_t *dirty)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) };

	if (ioctl(data_fd, VFIO_MIG_GET_PRECOPY_INFO, &info))
		return -errno;
	*initial = info.initial_bytes;
	*dirty = info.dirty_bytes;
	return 0;
}

/**
 * vdev_log_start() - have the device log its DMA writes
 * @dev: device
 * @page_size: wish, replaced by what the device does
 * @ranges: where
 * @count: their number
 */
int vdev_log_start(const struct vdev *dev, uint64_t *page_size,
		   const struct vdev_range *ranges, uint32_t count)
{
	struct vfio_device_feature_dma_logging_control control = {
		.page_size = *page_size, .num_ranges = count,
		.ranges = (uintptr_t)ranges,
	};
	int ret;

	ret = vdev_feature(dev, VFIO_DEVICE_FEATURE_SET |
				VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
			   &control, sizeof(control));
	*page_size = control.page_size;
	return ret;
}

int vdev_log_one(const struct vdev *dev, uint64_t *page_size, uint64_t iova,
		 uint64_t length)
{
	struct vdev_range range = { .iova = iova, .length = length };

	return vdev_log_start(dev, page_size, &range, 1);
}

int vdev_log_stop(const struct vdev *dev)
{
	uint64_t nothing = 0;

	return vdev_feature(dev, VFIO_DEVICE_FEATURE_SET |
				 VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP,
			    &nothing, 0);
}

/* Bits are only ever set in @bitmap. */
int vdev_log_report(const struct vdev *dev, uint64_t iova, uint64_t length,
		    uint64_t page_size, void *bitmap)
{
	struct vfio_device_feature_dma_logging_report report = {
		.iova = iova, .length = length, .page_size = page_size,
		.bitmap = (uintptr_t)bitmap,
	};

	return vdev_feature(dev, VFIO_DEVICE_FEATURE_GET |
				 VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT,
			    &report, sizeof(report));
}
