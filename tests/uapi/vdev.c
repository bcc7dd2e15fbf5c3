// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening a device both ways, and thin wrappers around the ioctls. Nothing is
 * checked here beyond what the call itself says: that is what the tests do.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/iommufd.h>

#include "pci.h"
#include "vdev.h"

static int result(int ret)
{
	return ret < 0 ? -errno : 0;
}

/* Anything but a group's number is an error. */
static int group_number(const char *bdf)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t n;

	pci_path(path, bdf, "iommu_group");
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -ENOENT;
	target[n] = 0;
	return atoi(strrchr(target, '/') + 1);
}

static int open_group(struct vdev *dev)
{
	int number = group_number(dev->bdf);
	char path[PATH_MAX];

	if (number < 0)
		return number;
	snprintf(path, sizeof(path), "/dev/vfio/%d", number);
	dev->iommu = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	dev->group = open(path, O_RDWR | O_CLOEXEC);
	if (dev->iommu < 0 || dev->group < 0)
		return -errno;
	if (ioctl(dev->group, VFIO_GROUP_SET_CONTAINER, &dev->iommu) ||
	    ioctl(dev->iommu, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return -errno;
	dev->fd = ioctl(dev->group, VFIO_GROUP_GET_DEVICE_FD, dev->bdf);
	return result(dev->fd);
}

static int open_cdev(struct vdev *dev)
{
	char path[PATH_MAX], node[PATH_MAX] = "";
	struct dirent *entry;
	DIR *dir;

	pci_path(path, dev->bdf, "vfio-dev");
	dir = opendir(path);
	if (!dir)
		return -ENOENT;
	while ((entry = readdir(dir)))
		if (!strncmp(entry->d_name, "vfio", 4))
			snprintf(node, sizeof(node), "/dev/vfio/devices/%s",
				 entry->d_name);
	closedir(dir);
	dev->fd = open(node, O_RDWR | O_CLOEXEC);
	return result(dev->fd);
}

static int open_iommufd(struct vdev *dev)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	struct vfio_device_attach_iommufd_pt pt = { .argsz = sizeof(pt) };
	struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };
	int ret = open_cdev(dev);

	if (ret)
		return ret;
	dev->iommu = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (dev->iommu < 0)
		return -errno;
	bind.iommufd = dev->iommu;
	if (ioctl(dev->fd, VFIO_DEVICE_BIND_IOMMUFD, &bind) ||
	    ioctl(dev->iommu, IOMMU_IOAS_ALLOC, &ioas))
		return -errno;
	dev->ioas = ioas.out_ioas_id;
	pt.pt_id = dev->ioas;
	return result(ioctl(dev->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &pt));
}

static void find_features(struct vdev *dev)
{
	struct vfio_device_feature_migration migration = { 0 };

	if (!vdev_feature(dev, VFIO_DEVICE_FEATURE_GET |
			       VFIO_DEVICE_FEATURE_MIGRATION,
			  &migration, sizeof(migration)))
		dev->flags = migration.flags;
	dev->log = !vdev_probe(dev, VFIO_DEVICE_FEATURE_SET |
				    VFIO_DEVICE_FEATURE_DMA_LOGGING_START);
}

/**
 * vdev_open() - open a device, with an empty address space
 * @dev: result
 * @bdf: bus address
 * @mode: way to open it
 *
 * Return: 0, -ENOENT if the kernel does not offer that way, or another error.
 */
int vdev_open(struct vdev *dev, const char *bdf, enum vdev_mode mode)
{
	int ret;

	*dev = (struct vdev){
		.bdf = bdf, .mode = mode, .fd = -1, .group = -1, .iommu = -1,
	};
	ret = mode == VDEV_GROUP ? open_group(dev) : open_iommufd(dev);
	if (ret)
		vdev_close(dev);
	else
		find_features(dev);
	return ret;
}

void vdev_close(struct vdev *dev)
{
	int *fds[] = { &dev->fd, &dev->group, &dev->iommu };

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

int vdev_reset(const struct vdev *dev)
{
	return result(ioctl(dev->fd, VFIO_DEVICE_RESET));
}

int vdev_map(const struct vdev *dev, void *memory, size_t bytes, uint64_t iova)
{
	struct vfio_iommu_type1_dma_map type1 = {
		.argsz = sizeof(type1), .vaddr = (uintptr_t)memory,
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.iova = iova, .size = bytes,
	};
	struct iommu_ioas_map map = {
		.size = sizeof(map), .ioas_id = dev->ioas,
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.user_va = (uintptr_t)memory, .length = bytes, .iova = iova,
	};

	if (dev->mode == VDEV_GROUP)
		return result(ioctl(dev->iommu, VFIO_IOMMU_MAP_DMA, &type1));
	return result(ioctl(dev->iommu, IOMMU_IOAS_MAP, &map));
}

int vdev_unmap(const struct vdev *dev, size_t bytes, uint64_t iova)
{
	struct vfio_iommu_type1_dma_unmap type1 = {
		.argsz = sizeof(type1), .iova = iova, .size = bytes,
	};
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap), .ioas_id = dev->ioas, .iova = iova,
		.length = bytes,
	};

	if (dev->mode == VDEV_GROUP)
		return result(ioctl(dev->iommu, VFIO_IOMMU_UNMAP_DMA, &type1));
	return result(ioctl(dev->iommu, IOMMU_IOAS_UNMAP, &unmap));
}

int vdev_region(const struct vdev *dev, unsigned int index,
		struct vfio_region_info *info)
{
	*info = (struct vfio_region_info){
		.argsz = sizeof(*info), .index = index,
	};
	return result(ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, info));
}

/* NULL if that part of the BAR cannot be mapped. */
void *vdev_map_bar(const struct vdev *dev, unsigned int bar, size_t offset,
		   size_t bytes)
{
	struct vfio_region_info info;
	void *at;

	if (vdev_region(dev, VFIO_PCI_BAR0_REGION_INDEX + bar, &info) ||
	    !(info.flags & VFIO_REGION_INFO_FLAG_MMAP) ||
	    info.size < offset + bytes)
		return NULL;
	at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, dev->fd,
		  info.offset + offset);
	return at == MAP_FAILED ? NULL : at;
}

static int config_offset(const struct vdev *dev, unsigned int offset,
			 off_t *at)
{
	struct vfio_region_info info;
	int ret = vdev_region(dev, VFIO_PCI_CONFIG_REGION_INDEX, &info);

	*at = info.offset + offset;
	return ret;
}

int vdev_read_config(const struct vdev *dev, unsigned int offset, void *to,
		     size_t bytes)
{
	off_t at;
	int ret = config_offset(dev, offset, &at);

	if (ret)
		return ret;
	return pread(dev->fd, to, bytes, at) == (ssize_t)bytes ? 0 : -EIO;
}

int vdev_write_config(const struct vdev *dev, unsigned int offset,
		      const void *from, size_t bytes)
{
	off_t at;
	int ret = config_offset(dev, offset, &at);

	if (ret)
		return ret;
	return pwrite(dev->fd, from, bytes, at) == (ssize_t)bytes ? 0 : -EIO;
}

/**
 * vdev_feature() - VFIO_DEVICE_FEATURE
 * @dev: device
 * @flags: feature and what to do with it
 * @data: payload, in and out
 * @bytes: its size
 */
int vdev_feature(const struct vdev *dev, uint32_t flags, void *data,
		 size_t bytes)
{
	uint64_t room[16] = { 0 };
	struct vfio_device_feature *feature = (void *)room;
	int ret;

	feature->argsz = sizeof(*feature) + bytes;
	feature->flags = flags;
	memcpy(feature->data, data, bytes);
	ret = result(ioctl(dev->fd, VFIO_DEVICE_FEATURE, feature));
	memcpy(data, feature->data, bytes);
	return ret;
}

int vdev_probe(const struct vdev *dev, uint32_t feature)
{
	uint64_t nothing = 0;

	return vdev_feature(dev, VFIO_DEVICE_FEATURE_PROBE | feature, &nothing,
			    0);
}
