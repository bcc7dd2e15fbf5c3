// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO as it is played to lmfctl, for LD_PRELOAD. Its nodes are files, and what
 * the kernel says to a call on them stands in the environment:
 *
 *	PLAYED_BIND	errno of binding the device, or of opening its group
 *	PLAYED_VIABLE	set if its group is
 *	PLAYED_STREAM	what is read from it
 *	PLAYED_SINK	where it is written to
 *	PLAYED_STOP	errno of its last step, from RESUMING to STOP
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static int played_errno(const char *name)
{
	const char *text = getenv(name);

	errno = text ? atoi(text) : 0;
	return errno ? -1 : 0;
}

static int played_state(struct vfio_device_feature_mig_state *state)
{
	switch (state->device_state) {
	case VFIO_DEVICE_STATE_STOP_COPY:
		state->data_fd = open(getenv("PLAYED_STREAM"), O_RDONLY);
		return 0;
	case VFIO_DEVICE_STATE_RESUMING:
		state->data_fd = open(getenv("PLAYED_SINK"), O_WRONLY);
		return 0;
	case VFIO_DEVICE_STATE_STOP:
		return played_errno("PLAYED_STOP");
	default:
		return 0;
	}
}

static int played_feature(struct vfio_device_feature *feature)
{
	switch (feature->flags & VFIO_DEVICE_FEATURE_MASK) {
	case VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE:
		return played_state((void *)feature->data);
	default:
		return 0;
	}
}

int ioctl(int fd, unsigned long request, ...)
{
	struct vfio_group_status *status;
	va_list args;
	void *arg;

	(void)fd;
	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	switch (request) {
	case VFIO_GROUP_GET_STATUS:
		status = arg;
		status->flags = getenv("PLAYED_VIABLE") ?
				VFIO_GROUP_FLAGS_VIABLE : 0;
		return 0;
	case VFIO_DEVICE_BIND_IOMMUFD:
	case VFIO_GROUP_SET_CONTAINER:
		return played_errno("PLAYED_BIND");
	case VFIO_DEVICE_FEATURE:
		return played_feature(arg);
	default:
		return 0;
	}
}
