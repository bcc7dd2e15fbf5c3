// SPDX-License-Identifier: GPL-2.0-only
/*
 * lmfctl decode: a saved stream, record by record, with the first error found.
 *
 * A stream may be of any length, so what is shown goes out as it is found; with
 * --json, too, where the array of records is therefore written by hand around
 * the documents of json-c.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lmfctl.h"
#include "stream.h"

#define LMF_PIECE	(64 * 1024)

static void lmf_decode_what(const struct lmf_decoded *r, char *out, size_t size)
{
	out[0] = 0;
	if (r->type == LMF_RECORD_HEAD)
		snprintf(out, size, "version %u.%u, chunk_max %u",
			 le16toh(r->head.major), le16toh(r->head.minor),
			 le32toh(r->head.chunk_max));
	else if (r->type == LMF_RECORD_END)
		snprintf(out, size, "%llu chunks, %llu bytes",
			 (unsigned long long)le64toh(r->end.states),
			 (unsigned long long)le64toh(r->end.bytes));
	else if (r->type != LMF_RECORD_STATE)
		snprintf(out, size, "type %u, optional", r->type);
}

static void lmf_decode_line(void *ctx, const struct lmf_decoded *r)
{
	char what[80];

	(void)ctx;
	lmf_decode_what(r, what, sizeof(what));
	printf("%12llu %8llu  %-8s %9u%s%s\n", (unsigned long long)r->offset,
	       (unsigned long long)r->seq, lmf_record_name(r->type), r->length,
	       what[0] ? "  " : "", what);
}

static struct json_object *lmf_decode_object(const struct lmf_decoded *r)
{
	struct json_object *to = json_object_new_object();

	lmf_json_unsigned(to, "offset", r->offset);
	lmf_json_unsigned(to, "seq", r->seq);
	lmf_json_text(to, "type", lmf_record_name(r->type));
	lmf_json_number(to, "type_number", r->type);
	lmf_json_number(to, "length", r->length);
	if (r->type == LMF_RECORD_HEAD) {
		lmf_json_number(to, "major", le16toh(r->head.major));
		lmf_json_number(to, "minor", le16toh(r->head.minor));
		lmf_json_number(to, "chunk_max", le32toh(r->head.chunk_max));
	} else if (r->type == LMF_RECORD_END) {
		lmf_json_unsigned(to, "chunks", le64toh(r->end.states));
		lmf_json_unsigned(to, "bytes", le64toh(r->end.bytes));
	}
	return to;
}

static void lmf_decode_plain(struct json_object *object)
{
	fputs(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN),
	      stdout);
	json_object_put(object);
}

static void lmf_decode_element(void *ctx, const struct lmf_decoded *r)
{
	(void)ctx;
	if (r->seq)
		putchar(',');
	lmf_decode_plain(lmf_decode_object(r));
}

static struct json_object *lmf_decode_error(const struct lmf_decoder *d)
{
	struct json_object *to = NULL;

	if (!d->error[0])
		return to;
	to = json_object_new_object();
	lmf_json_unsigned(to, "offset", d->error_offset);
	lmf_json_unsigned(to, "seq", d->records);
	lmf_json_text(to, "what", d->error);
	return to;
}

static void lmf_decode_close_json(const struct lmf_decoder *d)
{
	printf("],\"chunks\":%llu,\"bytes\":%llu,\"complete\":%s,\"error\":",
	       (unsigned long long)d->states, (unsigned long long)d->bytes,
	       d->ended && !d->error[0] ? "true" : "false");
	if (d->error[0])
		lmf_decode_plain(lmf_decode_error(d));
	else
		fputs("null", stdout);
	puts("}}");
}

static int lmf_decode_read(struct lmf_decoder *d, int fd)
{
	static char piece[LMF_PIECE];
	ssize_t n;

	do {
		n = read(fd, piece, sizeof(piece));
	} while (n > 0 && lmf_decoder_feed(d, piece, n));
	if (n < 0) {
		n = -errno;
		d->error_offset = d->offset;
		snprintf(d->error, sizeof(d->error), "%s", strerror(-n));
		return n;
	}
	lmf_decoder_end(d);
	return 0;
}

static void lmf_decode_open(const struct lmf_args *args, struct lmf_decoder *d)
{
	lmf_decoder_init(d, args->json ? lmf_decode_element : lmf_decode_line,
			 NULL);
	if (args->json)
		printf("{\"schema\":%d,\"command\":\"decode\",\"result\":{\"records\":[",
		       LMF_JSON_SCHEMA);
	else
		printf("%12s %8s  %-8s %9s\n", "OFFSET", "SEQ", "TYPE",
		       "BYTES");
}

int lmf_cmd_decode(const struct lmf_args *args)
{
	const char *name = args->operands[0];
	bool in = !strcmp(name, "-");
	int fd = in ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
	struct lmf_decoder d;
	int err;

	if (fd < 0)
		return lmf_fail(name, "%s", strerror(errno));
	lmf_decode_open(args, &d);
	err = lmf_decode_read(&d, fd);
	if (!in)
		close(fd);
	if (args->json)
		lmf_decode_close_json(&d);
	if (err)
		return lmf_fail(name, "%s", strerror(-err));
	if (d.error[0])
		return lmf_fail(name, "record %llu at byte %llu: %s",
				(unsigned long long)d.records,
				(unsigned long long)d.error_offset, d.error);
	return LMF_EXIT_OK;
}
