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

/**
 * struct lmf_file - a file that a process has open
 * @target: its path
 * @number: as that of a node; empty if it is none
 * @block: likewise
 */
struct lmf_file {
	char target[PATH_MAX];
	char number[32];
	bool block;
};

/* @name in a folder of /dev, and in one of sysfs. */
static struct lmf_node lmf_node(const char *dev, const char *sys,
				const char *name)
{
	struct lmf_node node = {};

	snprintf(node.path, sizeof(node.path), "%s/%s", dev, name);
	lmf_read(node.number, sizeof(node.number), "%s/%s/dev", sys, name);
	return node;
}

/* What an open file, a link in /proc, is; its number only if it is a node. */
static void lmf_open_file(const char *link, struct lmf_file *file)
{
	struct statx st;
	ssize_t n;

	n = readlink(link, file->target, sizeof(file->target) - 1);
	file->target[n < 0 ? 0 : n] = 0;
	file->number[0] = 0;
	/* Nothing is asked of a file server, which may not answer. */
	if (statx(AT_FDCWD, link, AT_STATX_DONT_SYNC, STATX_TYPE, &st) ||
	    !(S_ISBLK(st.stx_mode) || S_ISCHR(st.stx_mode)))
		return;
	file->block = S_ISBLK(st.stx_mode);
	snprintf(file->number, sizeof(file->number), "%u:%u",
		 st.stx_rdev_major, st.stx_rdev_minor);
}

/* By its number, too: in a chroot it has another path. */
static bool lmf_is_node(const struct lmf_file *file,
			const struct lmf_node *node)
{
	return !strcmp(file->target, node->path) ||
	       (file->number[0] && file->block == node->block &&
		!strcmp(file->number, node->number));
}

static bool lmf_process_has(const char *pid, const struct lmf_node *nodes,
			    size_t count)
{
	char folder[PATH_MAX], path[PATH_MAX];
	struct lmf_file file;
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
		lmf_open_file(path, &file);
		for (i = 0; i < count && !found; i++)
			found = lmf_is_node(&file, &nodes[i]);
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
			     const char *name, const struct lmf_node *node)
{
	char where[LMF_TEXT * 4], holder[LMF_TEXT];

	if (!node->number[0])
		return;
	if (lmf_mounted(node->number, where, sizeof(where)))
		lmf_held(h, "%s is mounted on %s", name, where);
	else if (lmf_swapped(name))
		lmf_held(h, "%s is used as swap", name);
	else if (!lmf_first_entry(holder, sizeof(holder), "%s/holders", path))
		lmf_held(h, "%s is a part of %s", name, holder);
	else
		lmf_held_by_process(h, node, 1);
}

static void lmf_held_below(struct lmf_holder *h, const char *path);

/* What is below it is asked first, as it can say more. */
static void lmf_held_as_disk_or_below(struct lmf_holder *h, const char *path,
				      const char *name, struct lmf_node node)
{
	node.block = true;
	lmf_held_as_disk(h, path, name, &node);
	if (!h->found)
		lmf_held_below(h, path);
	if (!h->found && lmf_held_by_kernel(node.path))
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
	struct lmf_node node;
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
		node = lmf_node("/dev", path, entry->d_name);
		if (!strcmp(kind, "block")) {
			lmf_held_as_disk_or_below(h, below, entry->d_name,
						  node);
			continue;
		}
		if (!strcmp(kind, "net"))
			lmf_held_as_net(h, below, entry->d_name);
		else if (kind[0] && node.number[0])
			lmf_held_by_process(h, &node, 1);
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
	char sys[PATH_MAX], group[32], bare[48];
	struct lmf_node nodes[3];

	snprintf(sys, sizeof(sys), LMF_DEVICE "/vfio-dev", f->bdf);
	snprintf(group, sizeof(group), "%d", f->group);
	snprintf(bare, sizeof(bare), "noiommu-%d", f->group);
	nodes[0] = lmf_node("/dev/vfio/devices", sys, f->vfio);
	nodes[1] = lmf_node("/dev/vfio", "/sys/class/vfio", group);
	nodes[2] = lmf_node("/dev/vfio", "/sys/class/vfio", bare);
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
