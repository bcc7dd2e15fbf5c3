/* SPDX-License-Identifier: GPL-2.0-only */
/* Migration data in memory, and the ways into and out of a data_fd. */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vdev.h"

/**
 * struct stream - migration data
 * @data: bytes
 * @len: how many
 * @room: how many fit
 */
struct stream {
	uint8_t *data;
	size_t len;
	size_t room;
};

/* Pieces of a transfer: how long the next one shall be. */
typedef size_t (*stream_cut)(size_t done);

size_t cut_whole(size_t done);
size_t cut_bytes(size_t done);
size_t cut_random(size_t done);

void stream_reserve(struct stream *s, size_t bytes);
void stream_add(struct stream *s, const void *data, size_t bytes);
void stream_copy(struct stream *to, const struct stream *from);
void stream_free(struct stream *s);
bool stream_same(const struct stream *a, const struct stream *b);

int stream_read(struct stream *s, int fd, stream_cut cut);
int stream_write(const struct stream *s, int fd, stream_cut cut);
int stream_save(struct stream *s, struct vdev *dev, stream_cut cut);
int stream_load(const struct stream *s, struct vdev *dev,
		stream_cut cut);

void random_seed(uint64_t seed);
uint64_t random_below(uint64_t limit);

#endif
