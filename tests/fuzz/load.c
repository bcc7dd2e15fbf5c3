// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer on the driver's own reader of streams, src/vfio/stream.c as it is,
 * over the few headers of kernel/ here.
 *
 * The input is a stream. It is given in one piece and again in pieces whose
 * lengths come from its own bytes: both must come to the same events and the
 * same end, and write nowhere but to the place that the reader named.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "../../src/vfio/stream.c"

#define CHUNK_MAX	4096U
#define SEEN_MULTIPLIER	1099511628211ULL

/**
 * struct seen - what the reader made of an input
 * @events: digest of its events
 * @err: why it refused, or 0
 * @ended: END came
 * @taken: bytes until then
 */
struct seen {
	uint64_t events;
	int err;
	bool ended;
	size_t taken;
};

static uint8_t sink[CHUNK_MAX];

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void require_place(const struct lmf_stream_reader *r, const uint8_t *to,
			  size_t n)
{
	const uint8_t *own = (const uint8_t *)r;

	require((to >= own && to + n <= own + sizeof(*r)) ||
		(to >= sink && to + n <= sink + sizeof(sink)));
}

static void take_event(struct lmf_stream_reader *r, struct seen *s, int event)
{
	size_t i;

	if (event == LMF_STREAM_SINK) {
		require(r->length <= r->chunk_max && r->length <= CHUNK_MAX);
		lmf_stream_sink(r, sink);
	}
	s->ended |= event == LMF_STREAM_END;
	s->err = event < 0 ? event : 0;
	/* How often it wants more depends on how much it gets. */
	if (event != LMF_STREAM_STATE && event != LMF_STREAM_END)
		return;
	s->events = (s->events ^ event) * SEEN_MULTIPLIER;
	for (i = 0; event == LMF_STREAM_STATE && i < r->length; i++)
		s->events = (s->events ^ sink[i]) * SEEN_MULTIPLIER;
}

static struct seen load(const uint8_t *data, size_t size, bool pieces)
{
	struct lmf_stream_reader r;
	struct seen s = { 0 };
	size_t n, want;
	void *to;

	lmf_stream_reader_init(&r, CHUNK_MAX);
	while (s.taken < size && !s.err) {
		want = lmf_stream_want(&r, &to);
		if (!want)
			break;
		n = pieces ? data[s.taken] % 64 + 1 : size;
		n = min3(n, want, size - s.taken);
		require_place(&r, to, n);
		memcpy(to, data + s.taken, n);
		s.taken += n;
		take_event(&r, &s, lmf_stream_got(&r, n));
	}
	/* Behind the end and a refusal nothing is wanted. */
	require(!(s.ended || s.err) || !lmf_stream_want(&r, &to));
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen a = load(data, size, false), b = load(data, size, true);

	require(a.events == b.events && a.err == b.err && a.ended == b.ended);
	require(!a.ended || a.taken == b.taken);
	return 0;
}
