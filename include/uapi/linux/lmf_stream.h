/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The migration stream of lmf-vfio-pci: what read() on a saving data_fd gives
 * and write() on a resuming one takes.
 *
 * A stream is a sequence of records, each a header and its payload, without
 * gaps. HEAD comes first and once, END last and once. How the bytes are cut
 * into read() and write() calls means nothing. All numbers are little-endian.
 *
 * The payload of STATE records belongs to the device and is opaque here: one
 * record is one chunk as the device gave it, to be handed to the device in one
 * piece and in order. The first STATE record holds the device's identity, so
 * that a destination that does not match refuses during pre-copy.
 */
#ifndef _UAPI_LINUX_LMF_STREAM_H
#define _UAPI_LINUX_LMF_STREAM_H

#include <linux/types.h>

/*
 * A reader refuses another major version and takes each minor one. A newer
 * minor version only adds OPTIONAL record types and longer HEAD and END
 * payloads, of which an older reader ignores the tail.
 *
 * To refuse, write() answers EOPNOTSUPP for what may be sound and is not known
 * here, or not for this device, and EBADMSG for what breaks the rules.
 */
#define LMF_STREAM_MAJOR	1
#define LMF_STREAM_MINOR	0

/* "LMFSTRM" and a zero, as a little-endian number. */
#define LMF_STREAM_MAGIC	0x004d525453464d4cULL

enum lmf_record_type {
	LMF_RECORD_HEAD		= 1,	/* struct lmf_stream_head */
	LMF_RECORD_STATE	= 2,	/* one chunk of the device */
	LMF_RECORD_END		= 3,	/* struct lmf_stream_end */
};

/* A reader that does not know the type skips the record. */
#define LMF_RECORD_OPTIONAL	(1 << 0)

/**
 * struct lmf_record - header of every record
 * @type: enum lmf_record_type
 * @flags: LMF_RECORD_OPTIONAL; unknown flags are refused
 * @length: bytes of payload; at most LMF_RECORD_MAX, and for STATE at most
 *	    the @chunk_max of the HEAD
 * @seq: 0 in the HEAD, one more in each further record
 * @reserved: 0
 * @crc: CRC-32C (Castagnoli; initial value and final xor ~0) over the header
 *	 up to this field and over the payload
 */
struct lmf_record {
	__le16 type;
	__le16 flags;
	__le32 length;
	__le64 seq;
	__le32 reserved;
	__le32 crc;
};

#define LMF_RECORD_MAX		(16U << 20)

/**
 * struct lmf_stream_head - payload of HEAD
 * @magic: LMF_STREAM_MAGIC
 * @major: LMF_STREAM_MAJOR
 * @minor: LMF_STREAM_MINOR of the writer
 * @chunk_max: no STATE record of this stream is longer
 * @reserved: 0
 */
struct lmf_stream_head {
	__le64 magic;
	__le16 major;
	__le16 minor;
	__le32 chunk_max;
	__le64 reserved;
};

/**
 * struct lmf_stream_end - payload of END
 * @states: number of STATE records before it
 * @bytes: sum of their payload lengths
 */
struct lmf_stream_end {
	__le64 states;
	__le64 bytes;
};

#endif
