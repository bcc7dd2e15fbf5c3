// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer on what "lmfctl decode" does with a file.
 *
 * The input is a stream. It is decoded in one piece and again in pieces whose
 * lengths come from its own bytes: both must see the same records and the same
 * first error, in the bounds of the input.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "stream.h"

#define SEEN_MULTIPLIER	1099511628211ULL

struct seen {
	uint64_t records;
	uint64_t digest;
	uint64_t next;
};

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void digest(struct seen *s, uint64_t value)
{
	s->digest = (s->digest ^ value) * SEEN_MULTIPLIER;
}

static void take(void *ctx, const struct lmf_decoded *record)
{
	struct seen *s = ctx;

	require(record->offset == s->next);
	require(record->seq == s->records);
	s->records++;
	s->next += sizeof(struct lmf_record) + record->length;
	digest(s, record->type);
	digest(s, record->flags);
	digest(s, record->length);
	if (record->type == LMF_RECORD_END)
		digest(s, record->end.bytes);
}

/* Pieces of up to a byte's worth, or everything at once. */
static void decode(struct lmf_decoder *d, struct seen *s, const uint8_t *data,
		   size_t size, bool pieces)
{
	size_t at = 0, n;

	memset(s, 0, sizeof(*s));
	lmf_decoder_init(d, take, s);
	for (; at < size; at += n) {
		n = pieces ? data[at] % 64 + 1 : size;
		if (n > size - at)
			n = size - at;
		if (!lmf_decoder_feed(d, data + at, n))
			break;
	}
	lmf_decoder_end(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lmf_decoder whole, cut;
	struct seen a, b;

	decode(&whole, &a, data, size, false);
	decode(&cut, &b, data, size, true);
	require(!memcmp(&a, &b, sizeof(a)));
	require(a.records == whole.records && a.next <= size);
	require(!strcmp(whole.error, cut.error));
	require(whole.error_offset == cut.error_offset);
	require(whole.error_offset <= size);
	require(!!whole.error[0] != (whole.ended && a.next == size));
	return 0;
}
