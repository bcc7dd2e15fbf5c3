// SPDX-License-Identifier: GPL-2.0-only
/* The media behind a file or a disk, by direct I/O, so that the VF's DMA goes
 * to the very pages that are checked and to no bounce buffer.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "dma_check.h"

static int fd;

static void open_file(const char *where)
{
	fd = open(where, O_RDWR | O_CREAT | O_DIRECT, 0600);
	if (fd < 0)
		die("cannot open %s: %s", where, strerror(errno));
}

static void transfer_file(bool write, size_t group, void *memory)
{
	off_t at = group * GROUP * PAGE;
	ssize_t done = write ? pwrite(fd, memory, GROUP * PAGE, at) :
			       pread(fd, memory, GROUP * PAGE, at);

	if (done != (ssize_t)(GROUP * PAGE))
		die("%s at %lld gives %zd: %s", write ? "write" : "read",
		    (long long)at, done, strerror(errno));
}

const struct media file_media = {
	.open = open_file,
	.transfer = transfer_file,
};
