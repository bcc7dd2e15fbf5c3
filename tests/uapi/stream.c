// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a stream is cut into calls must not matter. So everything that moves one
 * takes a function that says how.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream.h"

#define WHOLE	(1U << 20)
/* So much by the byte: any header is in there, and time is not without end. */
#define SLOW	(24U << 10)

static uint64_t random_state = 1;

void random_seed(uint64_t seed)
{
	random_state = seed;
}

/* A step of xorshift64*. */
uint64_t random_below(uint64_t limit)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * 0x2545f4914f6cdd1dull >> 16) % limit;
}

size_t cut_whole(size_t done)
{
	(void)done;
	return WHOLE;
}

size_t cut_random(size_t done)
{
	(void)done;
	return 1 + random_below(1ull << random_below(20));
}

size_t cut_bytes(size_t done)
{
	return done < SLOW ? 1 : cut_random(done);
}

void stream_reserve(struct stream *s, size_t bytes)
{
	if (s->len + bytes <= s->room)
		return;
	s->room = 2 * s->room + bytes;
	s->data = realloc(s->data, s->room);
	if (!s->data)
		abort();
}

void stream_add(struct stream *s, const void *data, size_t bytes)
{
	stream_reserve(s, bytes);
	memcpy(s->data + s->len, data, bytes);
	s->len += bytes;
}

void stream_copy(struct stream *to, const struct stream *from)
{
	to->len = 0;
	stream_add(to, from->data, from->len);
}

void stream_free(struct stream *s)
{
	free(s->data);
	*s = (struct stream){ 0 };
}

bool stream_same(const struct stream *a, const struct stream *b)
{
	return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

/**
 * stream_read() - append what a file gives
 * @s: stream
 * @fd: saving data_fd
 * @cut: pieces
 *
 * Return: 0 at the end of the data, or the error that ended it.
 */
int stream_read(struct stream *s, int fd, stream_cut cut)
{
	size_t want;
	ssize_t n;

	for (;;) {
		want = cut(s->len);
		stream_reserve(s, want);
		n = read(fd, s->data + s->len, want);
		if (n <= 0)
			return n ? -errno : 0;
		s->len += n;
	}
}

/**
 * stream_write() - write a stream, as far as it is taken
 * @s: stream
 * @fd: resuming data_fd
 * @cut: pieces
 *
 * A write that takes nothing would go on for ever, and is an error.
 */
int stream_write(const struct stream *s, int fd, stream_cut cut)
{
	size_t done = 0, want;
	ssize_t n;

	while (done < s->len) {
		want = cut(done);
		if (want > s->len - done)
			want = s->len - done;
		n = write(fd, s->data + done, want);
		if (n <= 0)
			return n ? -errno : -EIO;
		done += n;
	}
	return 0;
}

/**
 * stream_save() - save a device that is in no session
 * @s: result
 * @dev: device; it is in STOP afterwards
 * @cut: pieces
 */
int stream_save(struct stream *s, struct vdev *dev, stream_cut cut)
{
	int fd, ret;

	s->len = 0;
	ret = vdev_set_state(dev, VFIO_DEVICE_STATE_STOP_COPY, &fd);
	if (ret)
		return ret;
	ret = stream_read(s, fd, cut);
	close(fd);
	return ret ?: vdev_go(dev, VFIO_DEVICE_STATE_STOP);
}

/**
 * stream_load() - load a device
 * @s: stream
 * @dev: device; it is in STOP afterwards
 * @cut: pieces
 *
 * Return: 0 if the stream was accepted, or what refused it.
 */
int stream_load(const struct stream *s, struct vdev *dev, stream_cut cut)
{
	int fd, ret;

	ret = vdev_set_state(dev, VFIO_DEVICE_STATE_RESUMING, &fd);
	if (ret)
		return ret;
	ret = stream_write(s, fd, cut) ?:
	      vdev_go(dev, VFIO_DEVICE_STATE_STOP);
	close(fd);
	return ret;
}
