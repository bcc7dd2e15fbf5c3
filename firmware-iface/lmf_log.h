/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Native dirty-log formats: what the device writes about its own DMA writes.
 * SPEC.md section 5 is the text of it.
 *
 * A log belongs to one VF. RING lives in host memory, in buffers that the PF
 * driver owns; RANGES and BITMAP live in the device, and the host reads them
 * with LOG_READ. Every access of a log to host memory carries the PF's
 * requester ID. The unit is the granule, 2^shift bytes, chosen by the host at
 * start within what the device offers.
 */
#ifndef LMF_LOG_H
#define LMF_LOG_H

#include "lmf_types.h"

enum lmf_log_format {
	LMF_LOG_RING	= 0,	/* extents in a ring, see below */
	LMF_LOG_RANGES	= 1,	/* a list of extents, read once; since 1.1 */
	LMF_LOG_BITMAP	= 2,	/* banks of bits, acknowledged; since 1.1 */
};

/*
 * RING: the device produces, the host consumes.
 *
 * Both sides count entries from 0, free-running: entry n stands in slot
 * n mod entries, and its phase bit is ((n / entries) & 1) ^ 1, that is 1 in
 * the first pass over the zeroed ring. The host tells the device its count of
 * consumed entries; the device never produces beyond consumed + entries.
 *
 * The device writes @iova first, then the quadword that holds @phase. The data
 * of a DMA write is visible to the host before the entry that reports it. Data
 * and entry go out under different requester IDs, the VF's and the PF's, and
 * perhaps through different translations, so the bus does not order them: the
 * device itself holds the entry back until the data is visible, and sets
 * neither relaxed nor ID-based ordering on it.
 * An entry covers tracked granules only. It may cover more of them than were
 * written, and the same granule may be reported any number of times.
 *
 * Overflow: while the ring is full the device keeps what it cannot post at a
 * coarser granularity of its choice, up to the whole of each tracked range, and
 * posts that once there is room, marked LMF_LOG_COARSE. Nothing is lost.
 *
 * Example, 64 slots of 4 KiB granules. A write of 0x2100 bytes to IOVA
 * 0x7ff00 is posted as entry 64, the first of the second pass, as
 *	00 f0 07 00 00 00 00 00  03 00 00 00 00 00 00 00
 * that is 3 granules from 0x7f000, flags 0, phase 0.
 */
struct lmf_log_entry {
	__le64 iova;		/* aligned to the granule */
	__le32 granules;	/* 1.. */
	__le16 flags;		/* LMF_LOG_COARSE */
	__le16 phase;		/* bit 0; others reserved */
};
LMF_ASSERT_SIZE(struct lmf_log_entry, 16);
LMF_ASSERT_OFFSET(struct lmf_log_entry, granules, 8);
LMF_ASSERT_OFFSET(struct lmf_log_entry, flags, 12);
LMF_ASSERT_OFFSET(struct lmf_log_entry, phase, 14);

#define LMF_LOG_COARSE		(1u << 0)	/* widened by an overflow */

/*
 * RANGES: a list in the device. LOG_READ gives a struct lmf_log_list and @count
 * struct lmf_log_extent, and the device forgets what it gave: a list is told
 * once. So a host that gave up a LOG_READ takes all that is tracked for dirty.
 *
 * Overflow: a device whose memory for the list is full goes to a coarser
 * granularity of its choice for all of the list, which @shift tells. An extent
 * is in units of that, and may reach beyond what is tracked.
 *
 * Example, 4 KiB granules. Two writes, of 0x2100 bytes to IOVA 0x7ff00 and of
 * one byte to 0x90000, read from a VF that runs:
 *	0c 00 00 00 02 00 00 00  00 00 00 00 00 00 00 00
 *	00 f0 07 00 00 00 00 00  03 00 00 00 00 00 00 00
 *	00 00 09 00 00 00 00 00  01 00 00 00 00 00 00 00
 */
struct lmf_log_list {
	__u8 shift;		/* unit 2^shift bytes, not below the log's */
	__u8 flags;		/* LMF_LOG_LIST_* */
	__le16 reserved0;
	__le32 count;		/* extents that follow */
	__le64 reserved1;
};
LMF_ASSERT_SIZE(struct lmf_log_list, 16);
LMF_ASSERT_OFFSET(struct lmf_log_list, count, 4);

#define LMF_LOG_LIST_MORE	(1u << 0)	/* posted extents are left */
#define LMF_LOG_LIST_SUSPENDED	(1u << 1)	/* the VF starts no DMA */

struct lmf_log_extent {
	__le64 iova;		/* aligned to the unit */
	__le32 units;		/* 1.. */
	__le32 reserved;
};
LMF_ASSERT_SIZE(struct lmf_log_extent, 16);
LMF_ASSERT_OFFSET(struct lmf_log_extent, units, 8);

/*
 * BITMAP: two banks in the device, a bit for each tracked granule. Writes go to
 * the open bank; LOG_FLUSH moves what it holds to the closed one and gives that
 * the next sequence number; LOG_READ gives the closed bank, as often as it is
 * asked to. The flush that names the closed bank's sequence acknowledges it:
 * only then does the device forget. What was not acknowledged stays in the
 * closed bank beside what comes. So nothing is lost by a read that failed.
 *
 * A bank is an array of leaves, each of LMF_LOG_LEAF_BLOCKS blocks, each of
 * LMF_LOG_BLOCK_GRANULES granules, aligned to its own size in IOVA space. The
 * device keeps a summary of what is dirty. LOG_READ gives dirty leaves only,
 * and of a leaf the blocks of which its summary has the bit set: a struct
 * lmf_log_leaf, and a struct lmf_log_block for each bit, lowest first.
 *
 * Example, 4 KiB granules, so leaves of 128 MiB. A write of 0x2100 bytes to
 * IOVA 0x083f_ff00 touches granules 0x3ff to 0x401 of leaf 0x0800_0000, the
 * last of block 1 and the first two of block 2:
 *	00 00 00 08 00 00 00 00  06 00 00 00 00 00 00 00
 *	00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00
 *	00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00
 *	00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00
 *	00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 80
 *	03 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00
 * and 48 more bytes of 0.
 */
#define LMF_LOG_BLOCK_GRANULES	512
#define LMF_LOG_LEAF_BLOCKS	64

struct lmf_log_leaf {
	__le64 iova;		/* aligned to a leaf */
	__le64 summary;		/* bit n: block n follows; not 0 */
};
LMF_ASSERT_SIZE(struct lmf_log_leaf, 16);
LMF_ASSERT_OFFSET(struct lmf_log_leaf, summary, 8);

struct lmf_log_block {
	__le64 bits[8];		/* granule n: bit n % 64 of bits[n / 64] */
};
LMF_ASSERT_SIZE(struct lmf_log_block, 64);

/* Data buffers of LOG_READ, bytes; the smallest holds any one leaf. */
#define LMF_LOG_READ_MIN	8192
#define LMF_LOG_READ_MAX	(1024 * 1024)

#endif
