// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer on what "lmfctl decode" does with a file.
 *
 * The input is a stream. It is decoded in one piece and again in pieces whose
 * lengths come from its own bytes: both must see the same records and the same
 * first error, in the bounds of the input. As hardly any mutation has a right
 * CRC, the mutator repairs most of them, and the numbers of the records.
 */
#include <endian.h>
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

/* Give every record that is there the number and the CRC it should have. */
static void repair(uint8_t *data, size_t size)
{
	struct lmf_record rec;
	uint64_t seq = 0;
	size_t at = 0;
	uint32_t crc;

	while (size - at >= sizeof(rec)) {
		memcpy(&rec, data + at, sizeof(rec));
		rec.seq = htole64(seq++);
		if (le32toh(rec.length) > size - at - sizeof(rec))
			return;
		crc = lmf_crc32c(~0U, &rec, offsetof(struct lmf_record, crc));
		crc = lmf_crc32c(crc, data + at + sizeof(rec),
				 le32toh(rec.length));
		rec.crc = htole32(~crc);
		memcpy(data + at, &rec, sizeof(rec));
		at += sizeof(rec) + le32toh(rec.length);
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned int seed)
{
	size = LLVMFuzzerMutate(data, size, max_size);
	if (seed % 4)
		repair(data, size);
	return size;
}
