/* SPDX-License-Identifier: GPL-2.0-only */
/* What dma_check.c needs of a way to reach the media. */
#ifndef DMA_CHECK_H
#define DMA_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE	4096UL
#define GROUP	32UL		/* pages moved by one transfer */

/**
 * struct media - a way to the media of the VF
 * @open: get ready; @where comes from the environment, or is NULL
 * @transfer: move GROUP pages between memory from map_locked() and group
 *	      @group of the media, and wait for it
 */
struct media {
	void (*open)(const char *where);
	void (*transfer)(bool write, size_t group, void *memory);
};

extern const struct media queue_media;	/* vf_queue.c: the VF's own queue */
extern const struct media file_media;	/* file_media.c: O_DIRECT on a file */

void *map_locked(size_t bytes);
/* The guest's physical addresses of @count pages from @mem on. */
void find_physical(const void *mem, size_t count, uint64_t *out);
uint64_t now_us(void);
__attribute__((noreturn, format(printf, 1, 2)))
void die(const char *format, ...);

#endif
