// SPDX-License-Identifier: GPL-2.0-only
/*
 * A saved migration stream, record by record, up to the first error. Pure, and
 * it allocates nothing: it takes bytes as they come, in pieces of any size, and
 * keeps no more of them than the longest payload that it understands.
 *
 * The rules are those of lmf_stream.h, as the driver has them, but for what
 * depends on the device that would load the stream.
 */
#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host.h"
#include "stream.h"

static bool lmf_refuse(struct lmf_decoder *d, const char *what, ...)
	__printf(2, 3);

/* Only the first error counts; it stays. */
static bool lmf_refuse(struct lmf_decoder *d, const char *what, ...)
{
	va_list args;

	va_start(args, what);
	vsnprintf(d->error, sizeof(d->error), what, args);
	va_end(args);
	d->error_offset = d->now.offset;
	return false;
}

const char *lmf_record_name(uint16_t type)
{
	switch (type) {
	case LMF_RECORD_HEAD:
		return "HEAD";
	case LMF_RECORD_STATE:
		return "STATE";
	case LMF_RECORD_END:
		return "END";
	default:
		return "unknown";
	}
}

void lmf_decoder_init(struct lmf_decoder *d,
		      void (*record)(void *ctx,
				     const struct lmf_decoded *record),
		      void *ctx)
{
	memset(d, 0, sizeof(*d));
	d->record = record;
	d->ctx = ctx;
}

/* Bytes of the payload that are understood. */
static uint32_t lmf_known(uint16_t type)
{
	switch (type) {
	case LMF_RECORD_HEAD:
		return sizeof(struct lmf_stream_head);
	case LMF_RECORD_END:
		return sizeof(struct lmf_stream_end);
	default:
		return 0;
	}
}

static bool lmf_check_place(struct lmf_decoder *d)
{
	const struct lmf_decoded *now = &d->now;

	if (now->seq != d->records)
		return lmf_refuse(d, "record number %llu, expected %llu",
				  (unsigned long long)now->seq,
				  (unsigned long long)d->records);
	if (!d->records && now->type != LMF_RECORD_HEAD)
		return lmf_refuse(d,
				  "not a migration stream: it begins with type %u, not with a HEAD",
				  now->type);
	if (d->records && now->type == LMF_RECORD_HEAD)
		return lmf_refuse(d, "a second HEAD");
	return true;
}

static bool lmf_check_length(struct lmf_decoder *d)
{
	const struct lmf_decoded *now = &d->now;
	uint32_t known = lmf_known(now->type);

	if (now->length > LMF_RECORD_MAX)
		return lmf_refuse(d, "%u bytes of payload, %u are the most",
				  now->length, LMF_RECORD_MAX);
	if (now->type == LMF_RECORD_STATE &&
	    (!now->length || now->length > d->chunk_max))
		return lmf_refuse(d, "a chunk of %u bytes, chunk_max is %u",
				  now->length, d->chunk_max);
	if (now->length < known ||
	    (now->type == LMF_RECORD_END && now->length > known && !d->newer))
		return lmf_refuse(d, "%s with %u bytes of payload, not %u",
				  lmf_record_name(now->type), now->length,
				  known);
	return true;
}

static bool lmf_check_flags(struct lmf_decoder *d)
{
	const struct lmf_decoded *now = &d->now;
	bool known = now->type >= LMF_RECORD_HEAD &&
		     now->type <= LMF_RECORD_END;

	if (now->flags & ~LMF_RECORD_OPTIONAL || (known && now->flags))
		return lmf_refuse(d, "flags 0x%x in a record of type %u",
				  now->flags, now->type);
	if (!known && !now->flags)
		return lmf_refuse(d, "type %u is not known, and not optional",
				  now->type);
	return true;
}

static bool lmf_got_header(struct lmf_decoder *d)
{
	const struct lmf_record *h = &d->header;
	uint64_t offset = d->now.offset;

	d->now = (struct lmf_decoded) {
		.offset = offset,
		.seq = le64toh(h->seq),
		.type = le16toh(h->type),
		.flags = le16toh(h->flags),
		.length = le32toh(h->length),
	};
	d->in_payload = true;
	d->have = 0;
	d->crc = lmf_crc32c(~0U, h, offsetof(struct lmf_record, crc));
	if (!lmf_check_place(d))
		return false;
	if (h->reserved)
		return lmf_refuse(d, "a reserved field is not 0");
	return lmf_check_flags(d) && lmf_check_length(d);
}

static bool lmf_got_head(struct lmf_decoder *d)
{
	const struct lmf_stream_head *head = &d->now.head;

	if (le64toh(head->magic) != LMF_STREAM_MAGIC)
		return lmf_refuse(d, "not a migration stream: wrong magic");
	if (le16toh(head->major) != LMF_STREAM_MAJOR)
		return lmf_refuse(d, "version %u.%u, only %u.x is known",
				  le16toh(head->major), le16toh(head->minor),
				  LMF_STREAM_MAJOR);
	d->newer = le16toh(head->minor) > LMF_STREAM_MINOR;
	if (head->reserved || (d->now.length > sizeof(*head) && !d->newer))
		return lmf_refuse(d, "a HEAD longer than its version has");
	d->chunk_max = le32toh(head->chunk_max);
	if (!d->chunk_max || d->chunk_max > LMF_RECORD_MAX)
		return lmf_refuse(d, "chunk_max is %u", d->chunk_max);
	return true;
}

static bool lmf_got_end(struct lmf_decoder *d)
{
	uint64_t states = le64toh(d->now.end.states);
	uint64_t bytes = le64toh(d->now.end.bytes);

	if (states != d->states || bytes != d->bytes)
		return lmf_refuse(d,
				  "END tells of %llu chunks, %llu bytes; there were %llu, %llu",
				  (unsigned long long)states,
				  (unsigned long long)bytes,
				  (unsigned long long)d->states,
				  (unsigned long long)d->bytes);
	d->ended = true;
	return true;
}

static bool lmf_got_record(struct lmf_decoder *d)
{
	bool good = true;

	if (~d->crc != le32toh(d->header.crc))
		return lmf_refuse(d, "CRC 0x%08x, computed 0x%08x",
				  le32toh(d->header.crc), ~d->crc);
	if (d->now.type == LMF_RECORD_HEAD)
		good = lmf_got_head(d);
	else if (d->now.type == LMF_RECORD_END)
		good = lmf_got_end(d);
	if (!good)
		return false;
	if (d->now.type == LMF_RECORD_STATE) {
		d->states++;
		d->bytes += d->now.length;
	}
	d->records++;
	d->record(d->ctx, &d->now);
	d->in_payload = false;
	d->have = 0;
	d->now.offset = d->offset;
	return true;
}

/* How many of the @n bytes belong to what is being read; they are kept. */
static size_t lmf_take(struct lmf_decoder *d, const void *data, size_t n)
{
	uint32_t whole = d->in_payload ? d->now.length : sizeof(d->header);
	uint32_t known = d->in_payload ? lmf_known(d->now.type) : whole;
	char *to = d->in_payload ? (char *)&d->now.head : (char *)&d->header;
	size_t keep;

	if (n > whole - d->have)
		n = whole - d->have;
	if (d->have < known) {
		keep = known - d->have;
		memcpy(to + d->have, data, n < keep ? n : keep);
	}
	if (d->in_payload)
		d->crc = lmf_crc32c(d->crc, data, n);
	d->have += n;
	d->offset += n;
	return n;
}

/* Take the next bytes. False once something is wrong, from then on. */
bool lmf_decoder_feed(struct lmf_decoder *d, const void *data, size_t n)
{
	const char *at = data;
	size_t taken;
	bool good = !d->error[0];

	while (good && n) {
		if (d->ended)
			return lmf_refuse(d, "more bytes behind the END");
		taken = lmf_take(d, at, n);
		at += taken;
		n -= taken;
		if (!d->in_payload && d->have == sizeof(d->header))
			good = lmf_got_header(d);
		if (good && d->in_payload && d->have == d->now.length)
			good = lmf_got_record(d);
	}
	return good;
}

/* There are no more bytes. True if the stream is complete. */
bool lmf_decoder_end(struct lmf_decoder *d)
{
	if (d->error[0])
		return false;
	if (!d->ended && d->have)
		return lmf_refuse(d, "cut off in the middle of a record");
	if (!d->ended)
		return lmf_refuse(d, "cut off before its END");
	return true;
}
