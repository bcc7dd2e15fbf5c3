// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO devices: opened by their own node and iommufd, or where the kernel has
 * none by their group; and the migration uAPI v2.
 *
 * To open a VFIO device resets it. No memory is ever mapped for it here.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "say.h"
#include "vfio.h"

/* A feature and what it carries. */
struct lmf_feature {
	struct vfio_device_feature head;
	union {
		struct vfio_device_feature_migration migration;
		struct vfio_device_feature_mig_state state;
		struct vfio_device_feature_mig_data_size size;
	};
};

static int lmf_vfio_refused(const struct lmf_function *f, int err)
{
	switch (-err) {
	case EBUSY:
		return lmf_fail(f->bdf,
				"in use by another process: end that first");
	case ENOENT:
		return lmf_fail(f->bdf,
				"no node in /dev/vfio: the kernel needs CONFIG_VFIO_DEVICE_CDEV and CONFIG_IOMMUFD, or CONFIG_VFIO_GROUP");
	case EXDEV:
		return lmf_fail(f->bdf,
				"a function of its IOMMU group %d has a driver of the host: see 'lmfctl list --all'",
				f->group);
	case EPERM:
		if (geteuid())
			break;
		return lmf_fail(f->bdf,
				"another function of its IOMMU group %d is in use (see 'lmfctl list --all'), or the IOMMU does not remap interrupts",
				f->group);
	}
	return lmf_fail(f->bdf, "cannot be opened: %s", lmf_why(err));
}

static int lmf_ioctl(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

static int lmf_open_node(const struct lmf_function *f, struct lmf_vfio *v)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	int err;

	v->support[0] = lmf_open(O_RDWR, "/dev/iommu");
	if (v->support[0] < 0)
		return v->support[0];
	v->fd = lmf_open(O_RDWR, "/dev/vfio/devices/%s", f->vfio);
	if (v->fd < 0)
		return v->fd;
	bind.iommufd = v->support[0];
	err = lmf_ioctl(v->fd, VFIO_DEVICE_BIND_IOMMUFD, &bind);
	/* That is also said when the device is open elsewhere. */
	return err == -EINVAL ? -EBUSY : err;
}

static int lmf_open_group(const struct lmf_function *f, struct lmf_vfio *v)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	int container, group, err;

	container = lmf_open(O_RDWR, "/dev/vfio/vfio");
	v->support[0] = container;
	if (container < 0)
		return container;
	group = lmf_open(O_RDWR, "/dev/vfio/%d", f->group);
	v->support[1] = group;
	if (group < 0)
		return group;
	err = lmf_ioctl(group, VFIO_GROUP_GET_STATUS, &status);
	if (!err && !(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		err = -EXDEV;	/* which no call here gives */
	if (!err)
		err = lmf_ioctl(group, VFIO_GROUP_SET_CONTAINER, &container);
	if (!err && ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		err = -errno;
	if (err)
		return err;
	v->fd = lmf_ioctl(group, VFIO_GROUP_GET_DEVICE_FD, (void *)f->bdf);
	return v->fd < 0 ? v->fd : 0;
}

/* Open and reset a function, or say why that is not possible. */
int lmf_vfio_open(const struct lmf_function *f, struct lmf_vfio *v)
{
	bool node = lmf_exists("/dev/vfio/devices/%s", f->vfio) &&
		    lmf_exists("/dev/iommu");
	int err;

	*v = (struct lmf_vfio) { -1, { -1, -1 } };
	err = node ? lmf_open_node(f, v) : lmf_open_group(f, v);
	if (err >= 0)
		return LMF_EXIT_OK;
	lmf_vfio_close(v);
	return lmf_vfio_refused(f, err);
}

void lmf_vfio_close(struct lmf_vfio *v)
{
	/* The device before what it stands on. */
	if (v->fd >= 0)
		close(v->fd);
	if (v->support[1] >= 0)
		close(v->support[1]);
	if (v->support[0] >= 0)
		close(v->support[0]);
}

/* @how is VFIO_DEVICE_FEATURE_GET or VFIO_DEVICE_FEATURE_SET. */
bool lmf_vfio_has(const struct lmf_vfio *v, uint32_t feature, uint32_t how)
{
	struct vfio_device_feature head = {
		.argsz = sizeof(head),
		.flags = feature | how | VFIO_DEVICE_FEATURE_PROBE,
	};

	return !ioctl(v->fd, VFIO_DEVICE_FEATURE, &head);
}

static int lmf_feature(const struct lmf_vfio *v, struct lmf_feature *feature,
		       uint32_t flags)
{
	feature->head.argsz = sizeof(*feature);
	feature->head.flags = flags;
	return lmf_ioctl(v->fd, VFIO_DEVICE_FEATURE, feature);
}

/* VFIO_MIGRATION_* flags of what the driver can do; -ENOTTY if nothing. */
int lmf_vfio_migration(const struct lmf_vfio *v, uint64_t *flags)
{
	struct lmf_feature feature = {};
	int err = lmf_feature(v, &feature, VFIO_DEVICE_FEATURE_GET |
			      VFIO_DEVICE_FEATURE_MIGRATION);

	*flags = feature.migration.flags;
	return err;
}

int lmf_vfio_data_size(const struct lmf_vfio *v, uint64_t *bytes)
{
	struct lmf_feature feature = {};
	int err = lmf_feature(v, &feature, VFIO_DEVICE_FEATURE_GET |
			      VFIO_DEVICE_FEATURE_MIG_DATA_SIZE);

	*bytes = feature.size.stop_copy_length;
	return err;
}

/* @data_fd may be NULL where the state has none. */
int lmf_vfio_set_state(const struct lmf_vfio *v, uint32_t state, int *data_fd)
{
	struct lmf_feature feature = {
		.state = { .device_state = state, .data_fd = -1 },
	};
	int err = lmf_feature(v, &feature, VFIO_DEVICE_FEATURE_SET |
			      VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE);

	if (data_fd)
		*data_fd = feature.state.data_fd;
	return err;
}
