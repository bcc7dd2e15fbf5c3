// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files of the host: sysfs, /proc, /dev, /lib/modules. All paths are absolute
 * and get $LMFCTL_ROOT in front, so that tests can bring a host of their own.
 *
 * Everything returns 0 (or a descriptor) or a negative errno.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

static int lmf_vpath(char *out, size_t size, const char *path, va_list args)
{
	const char *root = getenv("LMFCTL_ROOT");
	int n = snprintf(out, size, "%s", root ? root : "");

	if (n >= 0 && (size_t)n < size)
		n += vsnprintf(out + n, size - n, path, args);
	return n >= 0 && (size_t)n < size ? 0 : -ENAMETOOLONG;
}

int lmf_path(char *out, size_t size, const char *path, ...)
{
	va_list args;
	int err;

	va_start(args, path);
	err = lmf_vpath(out, size, path, args);
	va_end(args);
	return err;
}

bool lmf_exists(const char *path, ...)
{
	char full[PATH_MAX];
	va_list args;
	int err;

	va_start(args, path);
	err = lmf_vpath(full, sizeof(full), path, args);
	va_end(args);
	return !err && !access(full, F_OK);
}

static int lmf_vopen(int flags, const char *path, va_list args)
{
	char full[PATH_MAX];
	int err, fd;

	err = lmf_vpath(full, sizeof(full), path, args);
	if (err)
		return err;
	fd = open(full, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int lmf_open(int flags, const char *path, ...)
{
	va_list args;
	int fd;

	va_start(args, path);
	fd = lmf_vopen(flags, path, args);
	va_end(args);
	return fd;
}

static int lmf_read_fd(int fd, char *out, size_t size)
{
	ssize_t n = read(fd, out, size - 1);
	int err = n < 0 ? -errno : 0;

	close(fd);
	if (err)
		return err;
	out[n] = 0;
	out[strcspn(out, "\n")] = 0;
	return 0;
}

/* The first line of a file; empty if there is none. */
int lmf_read(char *out, size_t size, const char *path, ...)
{
	va_list args;
	int fd;

	out[0] = 0;
	va_start(args, path);
	fd = lmf_vopen(O_RDONLY, path, args);
	va_end(args);
	return fd < 0 ? fd : lmf_read_fd(fd, out, size);
}

int lmf_read_number(long long *out, const char *path, ...)
{
	char text[LMF_TEXT], *end;
	va_list args;
	int fd, err;

	va_start(args, path);
	fd = lmf_vopen(O_RDONLY, path, args);
	va_end(args);
	if (fd < 0)
		return fd;
	err = lmf_read_fd(fd, text, sizeof(text));
	if (err)
		return err;
	errno = 0;
	*out = strtoll(text, &end, 0);
	return errno || end == text || *end ? -EBADMSG : 0;
}

int lmf_write(const char *text, const char *path, ...)
{
	va_list args;
	int fd, err;

	va_start(args, path);
	fd = lmf_vopen(O_WRONLY | O_TRUNC, path, args);
	va_end(args);
	if (fd < 0)
		return fd;
	err = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return err;
}

/* The last part of what a symbolic link points to; empty if there is none. */
int lmf_link(char *out, size_t size, const char *path, ...)
{
	char full[PATH_MAX], target[PATH_MAX];
	const char *name;
	va_list args;
	ssize_t n;
	int err;

	out[0] = 0;
	va_start(args, path);
	err = lmf_vpath(full, sizeof(full), path, args);
	va_end(args);
	if (err)
		return err;
	n = readlink(full, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = 0;
	name = strrchr(target, '/');
	snprintf(out, size, "%s", name ? name + 1 : target);
	return 0;
}

/* The name of what stands in a folder; empty if nothing does. */
int lmf_first_entry(char *out, size_t size, const char *path, ...)
{
	char full[PATH_MAX];
	struct dirent *entry;
	va_list args;
	DIR *dir;
	int err;

	out[0] = 0;
	va_start(args, path);
	err = lmf_vpath(full, sizeof(full), path, args);
	va_end(args);
	if (err)
		return err;
	dir = opendir(full);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir)) && entry->d_name[0] == '.')
		;
	if (entry)
		snprintf(out, size, "%s", entry->d_name);
	closedir(dir);
	return entry ? 0 : -ENOENT;
}
