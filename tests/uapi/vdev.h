/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VFIO PCI device behind its public interface, by way of a group and a
 * type1 container or of a character device and an iommufd.
 *
 * Calls return 0, or a negative errno.
 */
#ifndef VDEV_H
#define VDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/vfio.h>

enum vdev_mode {
	VDEV_GROUP,
	VDEV_IOMMUFD,
};

/* A range to log, as in the uAPI, where its name is as long as a line. */
struct vdev_range {
	uint64_t iova;
	uint64_t length;
};

/**
 * struct vdev - an open device
 * @bdf: its bus address
 * @mode: how it was opened
 * @fd: the device
 * @group: the group, or -1
 * @iommu: the container or the iommufd
 * @ioas: the address space, with an iommufd
 * @flags: VFIO_MIGRATION_*, 0 if it cannot migrate
 * @log: it can log its DMA
 * @hollow: a load was begun, and none has succeeded since
 */
struct vdev {
	const char *bdf;
	enum vdev_mode mode;
	int fd;
	int group;
	int iommu;
	uint32_t ioas;
	uint64_t flags;
	bool log;
	bool hollow;
};

int vdev_open(struct vdev *dev, const char *bdf, enum vdev_mode mode);
void vdev_close(struct vdev *dev);
int vdev_reset(const struct vdev *dev);

int vdev_map(const struct vdev *dev, void *memory, size_t bytes, uint64_t iova);
int vdev_unmap(const struct vdev *dev, size_t bytes, uint64_t iova);
int vdev_region(const struct vdev *dev, unsigned int index,
		struct vfio_region_info *info);
void *vdev_map_bar(const struct vdev *dev, unsigned int bar, size_t offset,
		   size_t bytes);
int vdev_read_config(const struct vdev *dev, unsigned int offset, void *to,
		     size_t bytes);
int vdev_write_config(const struct vdev *dev, unsigned int offset,
		      const void *from, size_t bytes);

int vdev_feature(const struct vdev *dev, uint32_t flags, void *data,
		 size_t bytes);
int vdev_probe(const struct vdev *dev, uint32_t feature);

bool vdev_has_state(const struct vdev *dev, uint32_t state);
const char *vdev_state_name(uint32_t state);
int vdev_set_state(struct vdev *dev, uint32_t state, int *data_fd);
int vdev_go(struct vdev *dev, uint32_t state);
int vdev_state(const struct vdev *dev);
int vdev_data_size(const struct vdev *dev, uint64_t *bytes);
int vdev_precopy_info(int data_fd, uint64_t *initial, uint64_t *dirty);

int vdev_log_start(const struct vdev *dev, uint64_t *page_size,
		   const struct vdev_range *ranges, uint32_t count);
int vdev_log_one(const struct vdev *dev, uint64_t *page_size, uint64_t iova,
		 uint64_t length);
int vdev_log_stop(const struct vdev *dev);
int vdev_log_report(const struct vdev *dev, uint64_t iova, uint64_t length,
		    uint64_t page_size, void *bitmap);

#endif
