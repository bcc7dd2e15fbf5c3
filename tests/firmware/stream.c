// SPDX-License-Identifier: GPL-2.0-only
/*
 * Saving and loading through the admin queue, see stream.h.
 */
#include <stdlib.h>

#include "stream.h"

void stream_append(struct stream *stream, const void *bytes, size_t len)
{
	if (!len)
		return;
	if (stream->len + len > stream->room) {
		stream->room = 2 * (stream->len + len);
		stream->bytes = realloc(stream->bytes, stream->room);
	}
	memcpy(stream->bytes + stream->len, bytes, len);
	stream->len += len;
}

void stream_free(struct stream *stream)
{
	free(stream->bytes);
	*stream = (struct stream) { 0 };
}

size_t stream_seg_bytes(const struct lmf_seg *seg)
{
	return sizeof(*seg) + ((le32_to_cpu(seg->length) + 7) & ~7u);
}

struct lmf_seg *stream_seg(const struct stream *stream, unsigned int index)
{
	struct lmf_seg *seg;
	size_t at = 0;

	for (; at < stream->len; at += stream_seg_bytes(seg)) {
		seg = (struct lmf_seg *)(stream->bytes + at);
		if (!index--)
			return seg;
	}
	return NULL;
}

unsigned int stream_count(const struct stream *stream, uint16_t type)
{
	const struct lmf_seg *seg;
	unsigned int count = 0;
	size_t at = 0;

	for (; at < stream->len; at += stream_seg_bytes(seg)) {
		seg = (const struct lmf_seg *)(stream->bytes + at);
		count += le16_to_cpu(seg->type) == type;
	}
	return count;
}

static uint64_t begin(struct bed *bed, unsigned int vf, uint16_t opcode)
{
	struct lmf_admin_cmd cmd = bed_cmd(opcode, vf);
	struct lmf_admin_cqe cqe = bed_exec(bed, &cmd);

	return cqe.status ? 0 : le64_to_cpu(cqe.value[0]);
}

uint64_t save_begin(struct bed *bed, unsigned int vf)
{
	return begin(bed, vf, LMF_OP_SAVE_BEGIN);
}

uint64_t load_begin(struct bed *bed, unsigned int vf)
{
	return begin(bed, vf, LMF_OP_LOAD_BEGIN);
}

static struct stream_values values_of(const struct lmf_admin_cqe *cqe)
{
	return (struct stream_values) {
		.status = le16_to_cpu(cqe->status),
		.flags = le16_to_cpu(cqe->flags),
		.bytes = le32_to_cpu(cqe->bytes),
		.initial = le64_to_cpu(cqe->value[0]),
		.dirty = le64_to_cpu(cqe->value[1]),
		.trailer = le64_to_cpu(cqe->value[2]),
		.sent = le64_to_cpu(cqe->value[3]),
	};
}

struct stream_values save_read(struct bed *bed, unsigned int vf,
			       uint64_t session, uint32_t param,
			       uint32_t chunk, struct stream *stream)
{
	struct lmf_admin_cmd cmd = bed_cmd_data(LMF_OP_SAVE_READ, vf,
						HOST_DATA, chunk);
	struct lmf_admin_cqe cqe;

	cmd.session = cpu_to_le64(session);
	cmd.param = cpu_to_le32(param);
	cqe = bed_exec(bed, &cmd);
	if (stream && !cqe.status)
		stream_append(stream, bed->host + HOST_DATA,
			      le32_to_cpu(cqe.bytes));
	return values_of(&cqe);
}

struct stream_values save_query(struct bed *bed, unsigned int vf,
				uint64_t session)
{
	struct lmf_admin_cmd cmd = bed_cmd(LMF_OP_SAVE_QUERY, vf);
	struct lmf_admin_cqe cqe;

	cmd.session = cpu_to_le64(session);
	cqe = bed_exec(bed, &cmd);
	return values_of(&cqe);
}

uint16_t save_end(struct bed *bed, unsigned int vf, uint64_t session)
{
	struct lmf_admin_cmd cmd = bed_cmd(LMF_OP_SAVE_END, vf);

	cmd.session = cpu_to_le64(session);
	return bed_status(bed, &cmd);
}

struct stream_values save_rest(struct bed *bed, unsigned int vf,
			       uint64_t session, uint32_t param,
			       uint32_t chunk, struct stream *stream)
{
	uint16_t last = param & LMF_SAVE_FINAL ? LMF_SAVE_ENDED :
						 LMF_SAVE_EMPTY;
	struct stream_values values;

	do {
		values = save_read(bed, vf, session, param, chunk, stream);
	} while (!values.status && !(values.flags & last));
	return values;
}

uint16_t save_all(struct bed *bed, unsigned int vf, struct stream *stream)
{
	struct stream_values values;
	uint64_t session;

	if (bed_quiesce(bed, vf, LMF_QUIESCE_FULL))
		return LMF_ST_INTERNAL;
	session = save_begin(bed, vf);
	values = save_rest(bed, vf, session, LMF_SAVE_FINAL, 256 << 10, stream);
	save_end(bed, vf, session);
	return values.status;
}

uint16_t load_write(struct bed *bed, unsigned int vf, uint64_t session,
		    const void *bytes, uint32_t len)
{
	struct lmf_admin_cmd cmd = bed_cmd_data(LMF_OP_LOAD_WRITE, vf,
						HOST_DATA, len);

	memcpy(bed->host + HOST_DATA, bytes, len);
	cmd.session = cpu_to_le64(session);
	return bed_status(bed, &cmd);
}

uint16_t load_end(struct bed *bed, unsigned int vf, uint64_t session,
		  uint32_t param)
{
	struct lmf_admin_cmd cmd = bed_cmd(LMF_OP_LOAD_END, vf);

	cmd.session = cpu_to_le64(session);
	cmd.param = cpu_to_le32(param);
	return bed_status(bed, &cmd);
}

uint16_t load_stream(struct bed *bed, unsigned int vf, uint64_t session,
		     const struct stream *stream, uint32_t chunk)
{
	size_t from = 0, at = 0, next;
	uint16_t status = LMF_ST_OK;

	while (at < stream->len && !status) {
		next = at + stream_seg_bytes((void *)(stream->bytes + at));
		if (next - from <= chunk && next < stream->len) {
			at = next;
			continue;
		}
		if (next - from <= chunk || at == from)
			at = next;
		status = load_write(bed, vf, session, stream->bytes + from,
				    at - from);
		from = at;
	}
	return status;
}

uint16_t load_all(struct bed *bed, unsigned int vf,
		  const struct stream *stream)
{
	uint64_t session;
	uint16_t status;

	if (bed_quiesce(bed, vf, LMF_QUIESCE_FULL))
		return LMF_ST_INTERNAL;
	session = load_begin(bed, vf);
	status = load_stream(bed, vf, session, stream, 256 << 10);
	load_end(bed, vf, session, status ? 0 : LMF_LOAD_COMMIT);
	return status;
}

void park_requests(struct bed *bed, unsigned int vf)
{
	struct lmf_vf_cmd io = bed_io_cmd(LMF_VF_OP_READ, 0, GUEST_DATA,
					  1 << 20);
	unsigned int i;

	bed_fault(bed, "io-delay=*:1000");
	bed_io_submit(bed, vf, 0, &io);
	bed_run(bed);
	for (i = 0; i < 40; i++) {
		io = bed_io_cmd(i % 2 ? LMF_VF_OP_READ : LMF_VF_OP_WRITE,
				i * 8192, GUEST_DATA + i * 65536, 65536);
		bed_io_submit(bed, vf, 0, &io);
	}
	lmf_fw_run(bed->fw);
	bed_fault(bed, "none");
}

void media_copy(struct bed *bed, unsigned int vf, uint8_t *to)
{
	fw_media_read(bed->fw->vf[vf], 0, to, bed->config.media_bytes);
}
