// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who uses a function: a process that has its VFIO device, its disk or another
 * of its nodes open, a mounted file system, swap, a device on top of its disk,
 * a network interface that is up or that a container has.
 *
 * To take a function away from a VFIO user would wait for him, and from a
 * file system would break it, so both are refused first. Of a disk the kernel
 * has the last word, as of who holds it for himself it gives it to nobody else:
 * a file system that has no device number of its own, or is mounted elsewhere.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "holders.h"
#include "say.h"

#define LMF_IFF_UP	1

/**
 * struct lmf_holder - a user of a function
 * @found: there is one
 * @what: says who
 */
struct lmf_holder {
	bool found;
	char what[256];
};

static void lmf_held(struct lmf_holder *h, const char *what, ...)
	__printf(2, 3);

static void lmf_held(struct lmf_holder *h, const char *what, ...)
{
	va_list args;

	h->found = true;
	va_start(args, what);
	vsnprintf(h->what, sizeof(h->what), what, args);
	va_end(args);
}

/**
 * struct lmf_node - a device node that somebody may have open
 * @path: where it is found as a rule
 * @number: as sysfs tells it, "240:0"; empty if it does not
 * @block: it is one of a block device
 */
struct lmf_node {
	char path[NAME_MAX + 32];
	char number[32];
	bool block;
};

/* @number of what is below a folder of sysfs. */
static struct lmf_node lmf_node(const char *path, const char *folder)
{
	struct lmf_node node = {};

	snprintf(node.path, sizeof(node.path), "%s", path);
	lmf_read(node.number, sizeof(node.number), "%s/dev", folder);
	return node;
}

/* By its number, too: in a chroot it has another path. */
static bool lmf_is_open(const char *path, const struct lmf_node *node)
{
	char target[PATH_MAX], number[32];
	struct statx st;
	ssize_t n;

	n = readlink(path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = 0;
	if (!strcmp(target, node->path))
		return true;
	/* Nothing is asked of a file server, which may not answer. */
	if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_TYPE, &st) ||
	    !(node->block ? S_ISBLK(st.stx_mode) : S_ISCHR(st.stx_mode)))
		return false;
	snprintf(number, sizeof(number), "%u:%u", st.stx_rdev_major,
		 st.stx_rdev_minor);
	return !strcmp(number, node->number);
}

static bool lmf_process_has(const char *pid, const struct lmf_node *nodes,
			    size_t count)
{
	char folder[PATH_MAX], path[PATH_MAX];
	bool found = false;
	struct dirent *fd;
	size_t i;
	DIR *dir;

	if (lmf_path(folder, sizeof(folder), "/proc/%s/fd", pid))
		return false;
	dir = opendir(folder);
	while (dir && !found && (fd = readdir(dir))) {
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder,
				     fd->d_name) >= sizeof(path))
			continue;
		for (i = 0; i < count && !found; i++)
			found = lmf_is_open(path, &nodes[i]);
	}
	if (dir)
		closedir(dir);
	return found;
}

static void lmf_held_by_process(struct lmf_holder *h,
				const struct lmf_node *nodes, size_t count)
{
	char path[PATH_MAX], name[LMF_TEXT];
	struct dirent *entry;
	DIR *dir;

	if (lmf_path(path, sizeof(path), "/proc"))
		return;
	dir = opendir(path);
	while (dir && !h->found && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    !lmf_process_has(entry->d_name, nodes, count))
			continue;
		lmf_read(name, sizeof(name), "/proc/%s/comm", entry->d_name);
		lmf_held(h, "%s (process %s) has it open", name,
			 entry->d_name);
	}
	if (dir)
		closedir(dir);
}

/* Where a block device is mounted. */
static bool lmf_mounted(const char *number, char *where, size_t size)
{
	char path[PATH_MAX], line[4096], dev[32], point[1024];
	bool found = false;
	FILE *file;

	if (lmf_path(path, sizeof(path), "/proc/self/mountinfo"))
		return false;
	file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof(line), file)) {
		found = sscanf(line, "%*d %*d %31s %*s %1023s", dev,
			       point) == 2 && !strcmp(dev, number);
		if (found)
			snprintf(where, size, "%.128s", point);
	}
	if (file)
		fclose(file);
	return found;
}

static bool lmf_swapped(const char *name)
{
	char path[PATH_MAX], line[4096], want[NAME_MAX + 16];
	bool found = false;
	FILE *file;

	snprintf(want, sizeof(want), "/dev/%s ", name);
	if (lmf_path(path, sizeof(path), "/proc/swaps"))
		return false;
	file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof(line), file))
		found = !strncmp(line, want, strlen(want));
	if (file)
		fclose(file);
	return found;
}

/* Also of a disk of which a part is in use. */
static bool lmf_held_by_kernel(const char *node)
{
	int fd = lmf_open(O_RDONLY | O_EXCL | O_NONBLOCK, "%s", node);

	if (fd >= 0)
		close(fd);
	return fd == -EBUSY;
}

/* @path, without the root, is a folder of sysfs that may be a disk. */
static void lmf_held_as_disk(struct lmf_holder *h, const char *path,
			     const char *name)
{
	char number[32], where[LMF_TEXT * 4], holder[LMF_TEXT];
	char file[NAME_MAX + 8];
	struct lmf_node node;

	snprintf(file, sizeof(file), "/dev/%s", name);
	node = lmf_node(file, path);
	node.block = true;
	if (lmf_read(number, sizeof(number), "%s/dev", path))
		return;
	if (lmf_mounted(number, where, sizeof(where)))
		lmf_held(h, "%s is mounted on %s", name, where);
	else if (lmf_swapped(name))
		lmf_held(h, "%s is used as swap", name);
	else if (!lmf_first_entry(holder, sizeof(holder), "%s/holders", path))
		lmf_held(h, "%s is a part of %s", name, holder);
	else
		lmf_held_by_process(h, &node, 1);
}

static void lmf_held_by_node(struct lmf_holder *h, const char *path,
			     const char *name)
{
	char file[NAME_MAX + 8];
	struct lmf_node node;

	snprintf(file, sizeof(file), "/dev/%s", name);
	node = lmf_node(file, path);
	if (node.number[0])
		lmf_held_by_process(h, &node, 1);
}

static void lmf_held_below(struct lmf_holder *h, const char *path);

/* What is below it is asked first, as it can say more. */
static void lmf_held_as_disk_or_below(struct lmf_holder *h, const char *path,
				      const char *name)
{
	char node[NAME_MAX + 8];

	lmf_held_as_disk(h, path, name);
	if (!h->found)
		lmf_held_below(h, path);
	snprintf(node, sizeof(node), "/dev/%s", name);
	if (!h->found && lmf_held_by_kernel(node))
		lmf_held(h, "%s is in the hands of a file system, or of what is like one",
			 name);
}

static void lmf_held_as_net(struct lmf_holder *h, const char *path,
			    const char *name)
{
	long long flags;

	if (!lmf_read_number(&flags, "%s/flags", path) && flags & LMF_IFF_UP)
		lmf_held(h, "network interface %s is up", name);
}

/* The folder of interfaces goes with the last of them. */
static void lmf_held_elsewhere(struct lmf_holder *h, const char *path)
{
	char first[LMF_TEXT];

	if (lmf_first_entry(first, sizeof(first), "%s", path) == -ENOENT)
		lmf_held(h, "its network interface is in another network namespace");
}

/* Look at what the driver made below the function. */
static void lmf_held_below(struct lmf_holder *h, const char *path)
{
	char full[PATH_MAX], below[PATH_MAX], kind[LMF_TEXT];
	struct dirent *entry;
	DIR *dir;

	if (lmf_path(full, sizeof(full), "%s", path))
		return;
	dir = opendir(full);
	while (dir && !h->found && (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
		    (size_t)snprintf(below, sizeof(below), "%s/%s", path,
				     entry->d_name) >= sizeof(below))
			continue;
		lmf_link(kind, sizeof(kind), "%s/subsystem", below);
		if (!strcmp(kind, "block")) {
			lmf_held_as_disk_or_below(h, below, entry->d_name);
			continue;
		}
		if (!strcmp(kind, "net"))
			lmf_held_as_net(h, below, entry->d_name);
		else if (kind[0])
			lmf_held_by_node(h, below, entry->d_name);
		else if (!strcmp(entry->d_name, "net"))
			lmf_held_elsewhere(h, below);
		if (!h->found)
			lmf_held_below(h, below);
	}
	if (dir)
		closedir(dir);
}

/* By its own node or by its group, which may be one without an IOMMU. */
static void lmf_held_by_vfio(struct lmf_holder *h,
			     const struct lmf_function *f)
{
	char path[3][NAME_MAX + 32], folder[3][PATH_MAX];
	struct lmf_node nodes[3];
	size_t i;

	snprintf(path[0], sizeof(path[0]), "/dev/vfio/devices/%s", f->vfio);
	snprintf(folder[0], sizeof(folder[0]), LMF_DEVICE "/vfio-dev/%s",
		 f->bdf, f->vfio);
	snprintf(path[1], sizeof(path[1]), "/dev/vfio/%d", f->group);
	snprintf(folder[1], sizeof(folder[1]), "/sys/class/vfio/%d", f->group);
	snprintf(path[2], sizeof(path[2]), "/dev/vfio/noiommu-%d", f->group);
	snprintf(folder[2], sizeof(folder[2]), "/sys/class/vfio/noiommu-%d",
		 f->group);
	for (i = 0; i < 3; i++)
		nodes[i] = lmf_node(path[i], folder[i]);
	lmf_held_by_process(h, nodes, 3);
}

/* Says so itself, and fails, if somebody uses the function. */
int lmf_check_unused(const struct lmf_function *f)
{
	char path[PATH_MAX];
	struct lmf_holder h = {};

	if (f->vfio[0]) {
		lmf_held_by_vfio(&h, f);
	} else {
		snprintf(path, sizeof(path), LMF_DEVICE, f->bdf);
		lmf_held_below(&h, path);
	}
	if (!h.found)
		return LMF_EXIT_OK;
	return lmf_fail(f->bdf, "in use: %s; end that first", h.what);
}
