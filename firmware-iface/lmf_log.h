/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Native dirty-log formats: what the device writes about its own DMA writes.
 * SPEC.md section 5 is the text of it.
 *
 * A log belongs to one VF but lives in host memory, in buffers that the PF
 * driver owns: every access to it carries the PF's requester ID. The unit is
 * the granule, 2^shift bytes, chosen by the host at start within what the
 * device offers.
 */
#ifndef LMF_LOG_H
#define LMF_LOG_H

#include "lmf_types.h"

enum lmf_log_format {
	LMF_LOG_RING	= 0,	/* extents in a ring, see below */
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

#endif
