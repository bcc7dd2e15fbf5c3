/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMF_VFIO_STREAM_H
#define LMF_VFIO_STREAM_H

#include <linux/types.h>
#include <uapi/linux/lmf_stream.h>

struct lmf_head_record {
	struct lmf_record rec;
	struct lmf_stream_head head;
};

struct lmf_end_record {
	struct lmf_record rec;
	struct lmf_stream_end end;
};

/**
 * struct lmf_stream_writer - what has been written so far
 * @seq: of the next record
 * @states: STATE records
 * @bytes: of their payload
 */
struct lmf_stream_writer {
	u64 seq;
	u64 states;
	u64 bytes;
};

void lmf_stream_put_head(struct lmf_stream_writer *w,
			 struct lmf_head_record *out, u32 chunk_max);
void lmf_stream_put_state(struct lmf_stream_writer *w, struct lmf_record *out,
			  const void *payload, u32 length);
void lmf_stream_put_end(struct lmf_stream_writer *w,
			struct lmf_end_record *out);

enum lmf_stream_event {
	LMF_STREAM_MORE,	/* go on */
	LMF_STREAM_HEAD,	/* HEAD was accepted, chunk_max is valid */
	LMF_STREAM_SINK,	/* a STATE began: call lmf_stream_sink() */
	LMF_STREAM_STATE,	/* its payload is complete and sound */
	LMF_STREAM_END,		/* END was accepted, nothing may follow */
};

enum lmf_stream_phase {
	LMF_STREAM_IN_HEADER,
	LMF_STREAM_IN_PAYLOAD,
	LMF_STREAM_DONE,
};

/* How much of a record to be skipped is looked at in one go. */
#define LMF_STREAM_SCRATCH	512

/**
 * struct lmf_stream_reader - a stream that is being read
 * @chunk_limit: longest STATE record that the reader's device takes
 * @chunk_max: longest one that the HEAD announced
 * @newer: the HEAD's minor version is above ours
 * @phase: where in a record
 * @have: bytes so far of the header, or of the payload
 * @length: of the payload
 * @type: of the record
 * @crc: so far
 * @seq: of the record that is being read
 * @states: STATE records read
 * @bytes: of their payload
 * @sink: where the payload of a STATE record goes
 * @err: why the stream was refused; stays
 * @rec: header
 * @small: payload of HEAD or END
 * @scratch: payload that nobody needs
 */
struct lmf_stream_reader {
	u32 chunk_limit;
	u32 chunk_max;
	bool newer;
	enum lmf_stream_phase phase;
	u32 have;
	u32 length;
	u16 type;
	u32 crc;
	u64 seq;
	u64 states;
	u64 bytes;
	void *sink;
	int err;
	struct lmf_record rec;
	union {
		struct lmf_stream_head head;
		struct lmf_stream_end end;
	} small;
	u8 scratch[LMF_STREAM_SCRATCH];
};

void lmf_stream_reader_init(struct lmf_stream_reader *r, u32 chunk_limit);
bool lmf_stream_needs_sink(const struct lmf_stream_reader *r);
void lmf_stream_sink(struct lmf_stream_reader *r, void *sink);
size_t lmf_stream_want(struct lmf_stream_reader *r, void **to);
int lmf_stream_got(struct lmf_stream_reader *r, size_t n);

#endif
