// SPDX-License-Identifier: GPL-2.0-only
/*
 * Streams of other versions, made of a recorded one: what lmf_stream.h and
 * SPEC.md let a newer writer do, and what they do not.
 */
#include "crc.h"
#include "golden.h"

#include <linux/errno.h>
#include <linux/string.h>

#define HEADER		sizeof(struct lmf_record)
#define UNKNOWN		0x77		/* a type that nobody knows yet */

/* What stands where in a recorded stream. */
#define IDENTITY	1
#define MEDIA		2
#define TRAILER		(-2)
#define END		(-1)

/**
 * struct golden_edit - a stream that is being changed
 * @stream: it, with room for more
 * @bytes: of @stream
 */
struct golden_edit {
	u8 *stream;
	size_t bytes;
};

/* Where a record begins; those before it are in order. */
static struct lmf_record *edit_record(struct golden_edit *e, int n)
{
	size_t at = 0, seen = 0, all = 0;
	struct lmf_record *rec;

	for (; n < 0 && at < e->bytes; all++) {
		rec = (void *)(e->stream + at);
		at += HEADER + le32_to_cpu(rec->length);
	}
	n += n < 0 ? all : 0;
	for (at = 0; seen < n; seen++) {
		rec = (void *)(e->stream + at);
		at += HEADER + le32_to_cpu(rec->length);
	}
	return (void *)(e->stream + at);
}

static void *edit_payload(struct golden_edit *e, int n)
{
	return edit_record(e, n) + 1;
}

static void edit_insert(struct golden_edit *e, void *at, const void *what,
			size_t n)
{
	memmove(at + n, at, e->stream + e->bytes - (u8 *)at);
	memcpy(at, what, n);
	e->bytes += n;
}

/* A record in front of record @n. */
static void edit_add_record(struct golden_edit *e, int n, u16 type, u16 flags)
{
	struct {
		struct lmf_record rec;
		u8 payload[16];
	} __packed what = {
		.rec.type = cpu_to_le16(type),
		.rec.flags = cpu_to_le16(flags),
		.rec.length = cpu_to_le32(sizeof(what.payload)),
		.payload = "nobody knows it",
	};

	edit_insert(e, edit_record(e, n), &what, sizeof(what));
}

/* More bytes behind the payload of record @n. */
static void edit_add_tail(struct golden_edit *e, int n)
{
	struct lmf_record *rec = edit_record(e, n);
	u32 length = le32_to_cpu(rec->length);

	edit_insert(e, (u8 *)(rec + 1) + length, "more\0\0\0", 8);
	rec->length = cpu_to_le32(length + 8);
}

/* A segment in front of those of the STATE record @n. */
static void edit_add_segment(struct golden_edit *e, int n, u16 flags)
{
	struct {
		struct lmf_seg seg;
		u8 payload[16];
	} __packed what = {
		.seg.type = cpu_to_le16(UNKNOWN),
		.seg.flags = cpu_to_le16(flags),
		.seg.length = cpu_to_le32(13),
		.payload = "nobody knows",
	};
	struct lmf_record *rec = edit_record(e, n);

	edit_insert(e, rec + 1, &what, sizeof(what));
	le32_add_cpu(&rec->length, sizeof(what));
}

/* Numbers, CRCs and the counts of END, so that nothing but the edit is new. */
static void edit_seal(struct golden_edit *e)
{
	struct lmf_stream_end *end = edit_payload(e, END);
	u64 seq = 0, states = 0, bytes = 0;
	struct lmf_record *rec;
	size_t at;
	u32 length, c;

	for (at = 0; at < e->bytes; at += HEADER + length) {
		rec = (void *)(e->stream + at);
		length = le32_to_cpu(rec->length);
		rec->seq = cpu_to_le64(seq++);
		if (le16_to_cpu(rec->type) == LMF_RECORD_STATE) {
			states++;
			bytes += length;
		}
		if (le16_to_cpu(rec->type) == LMF_RECORD_END) {
			end->states = cpu_to_le64(states);
			end->bytes = cpu_to_le64(bytes);
		}
		c = crc(~0U, rec, offsetof(struct lmf_record, crc));
		rec->crc = cpu_to_le32(~crc(c, rec + 1, length));
	}
}

static void edit_minor(struct golden_edit *e)
{
	struct lmf_stream_head *head = edit_payload(e, 0);

	head->minor = cpu_to_le16(LMF_STREAM_MINOR + 1);
}

static void edit_minor_last(struct golden_edit *e)
{
	struct lmf_stream_head *head = edit_payload(e, 0);

	head->minor = cpu_to_le16(U16_MAX);
}

static void edit_newer(struct golden_edit *e)
{
	edit_minor(e);
	edit_add_tail(e, END);
	edit_add_record(e, END, UNKNOWN, LMF_RECORD_OPTIONAL);
	edit_add_record(e, MEDIA, UNKNOWN, LMF_RECORD_OPTIONAL);
	edit_add_record(e, IDENTITY, UNKNOWN, LMF_RECORD_OPTIONAL);
	edit_add_tail(e, 0);
}

static void edit_optional(struct golden_edit *e)
{
	edit_add_record(e, MEDIA, UNKNOWN, LMF_RECORD_OPTIONAL);
}

static void edit_longer_head(struct golden_edit *e)
{
	edit_add_tail(e, 0);
}

static void edit_longer_end(struct golden_edit *e)
{
	edit_add_tail(e, END);
}

static void edit_mandatory_first(struct golden_edit *e)
{
	edit_minor(e);
	edit_add_record(e, IDENTITY, UNKNOWN, 0);
}

static void edit_mandatory_last(struct golden_edit *e)
{
	edit_minor(e);
	edit_add_record(e, END, UNKNOWN, 0);
}

static void edit_flag(struct golden_edit *e)
{
	edit_minor(e);
	edit_add_record(e, IDENTITY, UNKNOWN, LMF_RECORD_OPTIONAL | 1 << 1);
}

static void edit_major(struct golden_edit *e)
{
	struct lmf_stream_head *head = edit_payload(e, 0);

	head->major = cpu_to_le16(LMF_STREAM_MAJOR + 1);
}

static void edit_major_older(struct golden_edit *e)
{
	struct lmf_stream_head *head = edit_payload(e, 0);

	head->major = cpu_to_le16(LMF_STREAM_MAJOR - 1);
}

static struct lmf_seg_identity *edit_identity(struct golden_edit *e)
{
	return edit_payload(e, IDENTITY) + sizeof(struct lmf_seg);
}

static void edit_device_minor(struct golden_edit *e)
{
	edit_identity(e)->version =
		cpu_to_le32(LMF_VERSION(LMF_VERSION_MAJOR,
					LMF_VERSION_MINOR + 1));
}

static void edit_device_major(struct golden_edit *e)
{
	edit_identity(e)->version =
		cpu_to_le32(LMF_VERSION(LMF_VERSION_MAJOR + 1, 0));
}

static void edit_device_newer(struct golden_edit *e)
{
	edit_device_minor(e);
	edit_add_segment(e, MEDIA, LMF_SEG_OPTIONAL);
	edit_add_segment(e, TRAILER, LMF_SEG_OPTIONAL);
}

static void edit_segment_media(struct golden_edit *e)
{
	edit_device_minor(e);
	edit_add_segment(e, MEDIA, 0);
}

static void edit_segment_trailer(struct golden_edit *e)
{
	edit_device_minor(e);
	edit_add_segment(e, TRAILER, 0);
}

static void edit_segment_first(struct golden_edit *e)
{
	edit_device_minor(e);
	edit_add_segment(e, IDENTITY, LMF_SEG_OPTIONAL);
}

const struct golden_case golden_cases[] = {
	{ "next minor version", edit_minor },
	{ "last minor version", edit_minor_last },
	{ "next minor version with all it may have", edit_newer },
	{ "optional record", edit_optional },
	{ "HEAD longer than its version", edit_longer_head, -EBADMSG, true },
	{ "END longer than its version", edit_longer_end, -EBADMSG },
	{ "mandatory record first", edit_mandatory_first, -EOPNOTSUPP, true },
	{ "mandatory record last", edit_mandatory_last, -EOPNOTSUPP },
	{ "unknown flag", edit_flag, -EOPNOTSUPP, true },
	{ "next major version", edit_major, -EOPNOTSUPP, true },
	{ "previous major version", edit_major_older, -EOPNOTSUPP, true },
	{ "device of the next minor version", edit_device_minor },
	{ "device of the next major version", edit_device_major, -EOPNOTSUPP,
	  true },
	{ "optional segments", edit_device_newer },
	{ "mandatory segment in media", edit_segment_media, -EBADMSG },
	{ "mandatory segment in trailer", edit_segment_trailer, -EBADMSG },
	{ "segment before the identity", edit_segment_first, -EBADMSG, true },
};

const unsigned int golden_ncases = ARRAY_SIZE(golden_cases);

/**
 * golden_edit() - make another stream of a recorded one
 * @how: what is different
 * @stream: it, with room for more
 * @bytes: of @stream
 *
 * Return: how long it has become.
 */
size_t golden_edit(const struct golden_case *how, u8 *stream, size_t bytes)
{
	struct golden_edit e = { .stream = stream, .bytes = bytes };

	how->edit(&e);
	edit_seal(&e);
	return e.bytes;
}
