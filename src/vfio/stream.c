// SPDX-License-Identifier: GPL-2.0-only
/*
 * The migration stream: records out, records in. Pure: no device, no vfio
 * object, no user memory, so that unit tests and fuzzers call it directly.
 *
 * The reader never sees a byte twice and never owns memory. Its user asks
 * lmf_stream_want() where the next bytes belong and how many, puts up to that
 * many there, and tells lmf_stream_got(), which answers with an event or with
 * the reason to refuse the stream. The payload of a STATE record thus goes
 * from user memory to the device's buffer without a copy in between.
 *
 * -EBADMSG is a stream that is not sound; -EOPNOTSUPP one that may be, but is
 * not for us. Payload has an effect only after its CRC was right.
 */
#include <linux/build_bug.h>
#include <linux/crc32c.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <asm/byteorder.h>

#include "compat.h"
#include "stream.h"

static_assert(sizeof(struct lmf_record) == 24);
static_assert(sizeof(struct lmf_stream_head) == 24);
static_assert(sizeof(struct lmf_stream_end) == 16);
static_assert(sizeof(struct lmf_head_record) == 48);
static_assert(sizeof(struct lmf_end_record) == 40);

static u32 lmf_stream_crc(u32 crc, const void *data, size_t n)
{
	return crc32c(crc, data, n);
}

static u32 lmf_stream_crc_start(const struct lmf_record *rec)
{
	return lmf_stream_crc(~0U, rec, offsetof(struct lmf_record, crc));
}

static void lmf_stream_put(struct lmf_stream_writer *w, struct lmf_record *out,
			   u16 type, const void *payload, u32 length)
{
	*out = (struct lmf_record) {
		.type = cpu_to_le16(type),
		.length = cpu_to_le32(length),
		.seq = cpu_to_le64(w->seq++),
	};
	out->crc = cpu_to_le32(~lmf_stream_crc(lmf_stream_crc_start(out),
					       payload, length));
}

/**
 * lmf_stream_put_head() - make the HEAD
 * @w: zeroed writer
 * @out: record
 * @chunk_max: no STATE record will be longer
 */
void lmf_stream_put_head(struct lmf_stream_writer *w,
			 struct lmf_head_record *out, u32 chunk_max)
{
	out->head = (struct lmf_stream_head) {
		.magic = cpu_to_le64(LMF_STREAM_MAGIC),
		.major = cpu_to_le16(LMF_STREAM_MAJOR),
		.minor = cpu_to_le16(LMF_STREAM_MINOR),
		.chunk_max = cpu_to_le32(chunk_max),
	};
	lmf_stream_put(w, &out->rec, LMF_RECORD_HEAD, &out->head,
		       sizeof(out->head));
}

/**
 * lmf_stream_put_state() - make the header of a STATE record
 * @w: writer
 * @out: header
 * @payload: follows it
 * @length: bytes of @payload
 */
void lmf_stream_put_state(struct lmf_stream_writer *w, struct lmf_record *out,
			  const void *payload, u32 length)
{
	w->states++;
	w->bytes += length;
	lmf_stream_put(w, out, LMF_RECORD_STATE, payload, length);
}

/**
 * lmf_stream_put_end() - make the END
 * @w: writer
 * @out: record
 */
void lmf_stream_put_end(struct lmf_stream_writer *w, struct lmf_end_record *out)
{
	out->end = (struct lmf_stream_end) {
		.states = cpu_to_le64(w->states),
		.bytes = cpu_to_le64(w->bytes),
	};
	lmf_stream_put(w, &out->rec, LMF_RECORD_END, &out->end,
		       sizeof(out->end));
}

/**
 * lmf_stream_reader_init() - begin to read a stream
 * @r: reader
 * @chunk_limit: longest STATE record that the device takes
 */
void lmf_stream_reader_init(struct lmf_stream_reader *r, u32 chunk_limit)
{
	memset(r, 0, sizeof(*r));
	r->chunk_limit = min(chunk_limit, LMF_RECORD_MAX);
}

/**
 * lmf_stream_needs_sink() - must lmf_stream_sink() be called first?
 * @r: reader
 */
bool lmf_stream_needs_sink(const struct lmf_stream_reader *r)
{
	return r->phase == LMF_STREAM_IN_PAYLOAD &&
	       r->type == LMF_RECORD_STATE && !r->sink;
}

/**
 * lmf_stream_sink() - say where the payload of a STATE record goes
 * @r: reader that answered LMF_STREAM_SINK
 * @sink: memory for chunk_max bytes
 */
void lmf_stream_sink(struct lmf_stream_reader *r, void *sink)
{
	r->sink = sink;
}

/* Bytes of the payload that are kept in small. */
static u32 lmf_stream_known(const struct lmf_stream_reader *r)
{
	switch (r->type) {
	case LMF_RECORD_HEAD:
		return sizeof(r->small.head);
	case LMF_RECORD_END:
		return sizeof(r->small.end);
	default:
		return 0;
	}
}

/**
 * lmf_stream_want() - where the next bytes belong
 * @r: reader
 * @to: set to the place
 *
 * Return: how many belong there; 0 if the stream was refused or has ended, or
 * if a sink is missing.
 */
size_t lmf_stream_want(struct lmf_stream_reader *r, void **to)
{
	u32 known;

	if (r->err || r->phase == LMF_STREAM_DONE || lmf_stream_needs_sink(r))
		return 0;
	if (r->phase == LMF_STREAM_IN_HEADER) {
		*to = (u8 *)&r->rec + r->have;
		return sizeof(r->rec) - r->have;
	}
	if (r->sink) {
		*to = (u8 *)r->sink + r->have;
		return r->length - r->have;
	}
	known = lmf_stream_known(r);
	if (r->have < known) {
		*to = (u8 *)&r->small + r->have;
		return known - r->have;
	}
	*to = r->scratch;
	return min_t(u32, r->length - r->have, sizeof(r->scratch));
}

/* HEAD comes first and only there. */
static int lmf_stream_check_place(const struct lmf_stream_reader *r)
{
	return (r->type == LMF_RECORD_HEAD) == (r->seq == 0) ? 0 : -EBADMSG;
}

/* A longer payload is for newer writers; the HEAD tells which they are. */
static int lmf_stream_check_known(const struct lmf_stream_reader *r)
{
	u32 known = lmf_stream_known(r);

	if (r->length < known)
		return -EBADMSG;
	if (r->type == LMF_RECORD_END && r->length > known && !r->newer)
		return -EBADMSG;
	return 0;
}

static int lmf_stream_check_type(const struct lmf_stream_reader *r, u16 flags)
{
	switch (r->type) {
	case LMF_RECORD_HEAD:
	case LMF_RECORD_END:
		return flags ? -EBADMSG : lmf_stream_check_known(r);
	case LMF_RECORD_STATE:
		if (flags || !r->length || r->length > r->chunk_max)
			return -EBADMSG;
		return 0;
	default:
		return flags & LMF_RECORD_OPTIONAL ? 0 : -EOPNOTSUPP;
	}
}

static int lmf_stream_check_header(struct lmf_stream_reader *r)
{
	u16 flags = le16_to_cpu(r->rec.flags);
	int err;

	r->type = le16_to_cpu(r->rec.type);
	r->length = le32_to_cpu(r->rec.length);
	if (le64_to_cpu(r->rec.seq) != r->seq || r->rec.reserved ||
	    r->length > LMF_RECORD_MAX)
		return -EBADMSG;
	if (flags & ~LMF_RECORD_OPTIONAL)
		return -EOPNOTSUPP;
	err = lmf_stream_check_place(r);
	return err ?: lmf_stream_check_type(r, flags);
}

static int lmf_stream_accept_head(struct lmf_stream_reader *r)
{
	const struct lmf_stream_head *head = &r->small.head;

	if (le64_to_cpu(head->magic) != LMF_STREAM_MAGIC)
		return -EBADMSG;
	if (le16_to_cpu(head->major) != LMF_STREAM_MAJOR)
		return -EOPNOTSUPP;
	r->newer = le16_to_cpu(head->minor) > LMF_STREAM_MINOR;
	if (head->reserved || (r->length > sizeof(*head) && !r->newer))
		return -EBADMSG;
	r->chunk_max = le32_to_cpu(head->chunk_max);
	if (!r->chunk_max)
		return -EBADMSG;
	return r->chunk_max > r->chunk_limit ? -EOPNOTSUPP : LMF_STREAM_HEAD;
}

static int lmf_stream_accept_end(struct lmf_stream_reader *r)
{
	if (le64_to_cpu(r->small.end.states) != r->states ||
	    le64_to_cpu(r->small.end.bytes) != r->bytes)
		return -EBADMSG;
	r->phase = LMF_STREAM_DONE;
	return LMF_STREAM_END;
}

/* A record is complete. */
static int lmf_stream_accept(struct lmf_stream_reader *r)
{
	if (le32_to_cpu(r->rec.crc) != ~r->crc)
		return -EBADMSG;
	r->phase = LMF_STREAM_IN_HEADER;
	r->have = 0;
	r->seq++;
	r->sink = NULL;
	switch (r->type) {
	case LMF_RECORD_HEAD:
		return lmf_stream_accept_head(r);
	case LMF_RECORD_STATE:
		r->states++;
		r->bytes += r->length;
		return LMF_STREAM_STATE;
	case LMF_RECORD_END:
		return lmf_stream_accept_end(r);
	default:
		return LMF_STREAM_MORE;
	}
}

static int lmf_stream_got_header(struct lmf_stream_reader *r, size_t n)
{
	int err;

	r->have += n;
	if (r->have < sizeof(r->rec))
		return LMF_STREAM_MORE;
	err = lmf_stream_check_header(r);
	if (err)
		return err;
	r->phase = LMF_STREAM_IN_PAYLOAD;
	r->have = 0;
	r->crc = lmf_stream_crc_start(&r->rec);
	if (r->type == LMF_RECORD_STATE)
		return LMF_STREAM_SINK;
	return r->length ? LMF_STREAM_MORE : lmf_stream_accept(r);
}

static int lmf_stream_got_payload(struct lmf_stream_reader *r, const void *data,
				  size_t n)
{
	r->crc = lmf_stream_crc(r->crc, data, n);
	r->have += n;
	return r->have < r->length ? LMF_STREAM_MORE : lmf_stream_accept(r);
}

/**
 * lmf_stream_got() - bytes are where lmf_stream_want() wanted them
 * @r: reader
 * @n: how many, 1 up to what was wanted
 *
 * Return: enum lmf_stream_event, or why the stream is refused, from then on.
 */
int lmf_stream_got(struct lmf_stream_reader *r, size_t n)
{
	size_t want;
	void *at;
	int ret;

	want = lmf_stream_want(r, &at);
	if (r->err)
		return r->err;
	if (!n || n > want)
		ret = -EINVAL;
	else if (r->phase == LMF_STREAM_IN_HEADER)
		ret = lmf_stream_got_header(r, n);
	else
		ret = lmf_stream_got_payload(r, at, n);
	if (ret < 0)
		r->err = ret;
	return ret;
}
