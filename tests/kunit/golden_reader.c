// SPDX-License-Identifier: GPL-2.0-only
/*
 * The framing once more, as a driver of the next minor version reads it, for
 * which a recorded stream is one of an older minor version.
 */
#include "golden.h"

#undef LMF_STREAM_MINOR
#define LMF_STREAM_MINOR	1

#define lmf_stream_put_head	next_stream_put_head
#define lmf_stream_put_state	next_stream_put_state
#define lmf_stream_put_end	next_stream_put_end
#define lmf_stream_reader_init	next_stream_reader_init
#define lmf_stream_needs_sink	next_stream_needs_sink
#define lmf_stream_sink		next_stream_sink
#define lmf_stream_want		next_stream_want
#define lmf_stream_got		next_stream_got

#include "../../src/vfio/stream.c"

static int next_take(struct lmf_stream_reader *reader, const u8 *stream,
		     size_t bytes, void *sink)
{
	int event = LMF_STREAM_MORE;
	size_t at = 0, n;
	void *to;

	while (at < bytes && event >= 0) {
		if (next_stream_needs_sink(reader))
			next_stream_sink(reader, sink);
		n = min(next_stream_want(reader, &to), bytes - at);
		if (!n)
			return -EBADMSG;
		memcpy(to, stream + at, n);
		event = next_stream_got(reader, n);
		at += n;
	}
	return event;
}

/**
 * golden_read_next() - does the next minor version take a stream?
 * @stream: it
 * @bytes: of @stream
 *
 * Return: 0 if it does, to the last byte, or why not.
 */
int golden_read_next(const u8 *stream, size_t bytes)
{
	struct lmf_stream_reader *reader = kzalloc(sizeof(*reader), GFP_KERNEL);
	void *sink = kzalloc(SZ_256K, GFP_KERNEL);
	int event = -ENOMEM;

	if (reader && sink) {
		next_stream_reader_init(reader, SZ_256K);
		event = next_take(reader, stream, bytes, sink);
	}
	kfree(reader);
	kfree(sink);
	return event == LMF_STREAM_END ? 0 : min(event, -ENODATA);
}
