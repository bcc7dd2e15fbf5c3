/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMFCTL_STREAM_H
#define LMFCTL_STREAM_H

#include <linux/lmf_stream.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct lmf_decoded - a record that is complete and sound
 * @offset: of its header in the stream
 * @seq: number
 * @type: enum lmf_record_type, or one that is not known
 * @flags: LMF_RECORD_OPTIONAL
 * @length: bytes of payload
 * @head: payload, of a HEAD
 * @end: payload, of an END
 */
struct lmf_decoded {
	uint64_t offset;
	uint64_t seq;
	uint16_t type;
	uint16_t flags;
	uint32_t length;
	union {
		struct lmf_stream_head head;
		struct lmf_stream_end end;
	};
};

/**
 * struct lmf_decoder - a stream that is being read
 * @record: told of each record
 * @ctx: for @record
 * @offset: bytes taken
 * @now: record that is being read
 * @header: its header
 * @have: bytes of its header or payload
 * @in_payload: the header is complete
 * @crc: so far
 * @chunk_max: of the HEAD
 * @newer: its minor version is above ours
 * @ended: END was accepted
 * @records: accepted
 * @states: STATE records
 * @bytes: of their payload
 * @error: the first thing that is wrong, or ""
 * @error_offset: where
 */
struct lmf_decoder {
	void (*record)(void *ctx, const struct lmf_decoded *record);
	void *ctx;
	uint64_t offset;
	struct lmf_decoded now;
	struct lmf_record header;
	uint32_t have;
	bool in_payload;
	uint32_t crc;
	uint32_t chunk_max;
	bool newer;
	bool ended;
	uint64_t records;
	uint64_t states;
	uint64_t bytes;
	char error[128];
	uint64_t error_offset;
};

void lmf_decoder_init(struct lmf_decoder *d,
		      void (*record)(void *ctx,
				     const struct lmf_decoded *record),
		      void *ctx);
bool lmf_decoder_feed(struct lmf_decoder *d, const void *data, size_t n);
bool lmf_decoder_end(struct lmf_decoder *d);
const char *lmf_record_name(uint16_t type);
uint32_t lmf_crc32c(uint32_t crc, const void *data, size_t n);

#endif
