/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Saved state in the hands of a test: taken from a VF, looked at, put into one.
 */
#ifndef STREAM_H
#define STREAM_H

#include "bed.h"

#define STREAM_SEG(type)	(sizeof(struct lmf_seg) + sizeof(type))
#define STREAM_MEDIA		(sizeof(struct lmf_seg) + LMF_MEDIA_GRANULE)

struct stream {
	uint8_t *bytes;
	size_t len;
	size_t room;
};

/* What the last SAVE_READ answered. */
struct stream_values {
	uint16_t status;
	uint16_t flags;
	uint32_t bytes;
	uint64_t initial;
	uint64_t dirty;
	uint64_t trailer;
	uint64_t sent;
};

void stream_append(struct stream *stream, const void *bytes, size_t len);
void stream_free(struct stream *stream);
/* Segment @index, or NULL. */
struct lmf_seg *stream_seg(const struct stream *stream, unsigned int index);
/* Segments of one type. */
unsigned int stream_count(const struct stream *stream, uint16_t type);
/* Bytes of the segment with header and padding. */
size_t stream_seg_bytes(const struct lmf_seg *seg);

uint64_t save_begin(struct bed *bed, unsigned int vf);
struct stream_values save_read(struct bed *bed, unsigned int vf,
			       uint64_t session, uint32_t param,
			       uint32_t chunk, struct stream *stream);
struct stream_values save_query(struct bed *bed, unsigned int vf,
				uint64_t session);
uint16_t save_end(struct bed *bed, unsigned int vf, uint64_t session);
/* Reads on until the flags say EMPTY, or ENDED if @param asks for all. */
struct stream_values save_rest(struct bed *bed, unsigned int vf,
			       uint64_t session, uint32_t param,
			       uint32_t chunk, struct stream *stream);
/* A whole save of a VF that it quiesces and leaves so. */
uint16_t save_all(struct bed *bed, unsigned int vf, struct stream *stream);

uint64_t load_begin(struct bed *bed, unsigned int vf);
uint16_t load_write(struct bed *bed, unsigned int vf, uint64_t session,
		    const void *bytes, uint32_t len);
uint16_t load_end(struct bed *bed, unsigned int vf, uint64_t session,
		  uint32_t param);
/* Whole segments, at most @chunk bytes at a time; stops at an error. */
uint16_t load_stream(struct bed *bed, unsigned int vf, uint64_t session,
		     const struct stream *stream, uint32_t chunk);
/* A whole load of a VF that it quiesces and leaves so. */
uint16_t load_all(struct bed *bed, unsigned int vf,
		  const struct stream *stream);

/* Fills queue 0 so that requests are parked in every stage. */
void park_requests(struct bed *bed, unsigned int vf);

/* The media of a VF, byte by byte, past its queues. */
void media_copy(struct bed *bed, unsigned int vf, uint8_t *to);

#endif
