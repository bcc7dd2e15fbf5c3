// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pci.h"

void pci_path(char *path, const char *bdf, const char *name)
{
	snprintf(path, PATH_MAX, "/sys/bus/pci/devices/%s/%s", bdf, name);
}

int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

int pci_read(const char *bdf, const char *name, char *text, size_t room)
{
	char path[PATH_MAX];
	ssize_t n;
	int fd;

	pci_path(path, bdf, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, room - 1);
	close(fd);
	if (n < 0)
		return -EIO;
	text[n] = 0;
	text[strcspn(text, "\n")] = 0;
	return 0;
}

int pci_write(const char *bdf, const char *name, const char *text)
{
	char path[PATH_MAX];

	pci_path(path, bdf, name);
	return write_file(path, text);
}

/* The last part of what a link points to. */
int pci_link(const char *bdf, const char *name, char *text, size_t room)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t n;

	pci_path(path, bdf, name);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = 0;
	snprintf(text, room, "%s", strrchr(target, '/') + 1);
	return 0;
}

/* Waits until nobody has the function open any more. */
int pci_unbind(const char *bdf)
{
	return pci_write(bdf, "driver/unbind", bdf);
}

int pci_bind(const char *bdf, const char *driver)
{
	char now[64] = "";
	int ret;

	ret = pci_write(bdf, "driver_override", driver);
	if (ret)
		return ret;
	ret = write_file("/sys/bus/pci/drivers_probe", bdf);
	pci_link(bdf, "driver", now, sizeof(now));
	return strcmp(now, driver) ? ret ?: -ENODEV : 0;
}
