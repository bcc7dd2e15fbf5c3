/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the host sees of an LMF physical function: BAR 0, the admin queue, its
 * commands, the asynchronous events, and the state segments that save and load
 * carry. SPEC.md sections 4 and 6 are the text of it.
 *
 * BAR 0 is LMF_PF_BAR_BYTES long. BAR 2 holds the MSI-X table and PBA. Access
 * rules are those of lmf_vf.h.
 */
#ifndef LMF_PF_H
#define LMF_PF_H

#include "lmf_ids.h"
#include "lmf_types.h"
#include "lmf_vf.h"
#include "lmf_log.h"

#define LMF_PF_BAR_BYTES	0x4000
#define LMF_PF_BAR		0
#define LMF_PF_MSIX_BAR		2
#define LMF_PF_VECTOR_ADMIN	0
#define LMF_PF_VECTOR_EVENT	1
#define LMF_PF_VECTORS		2

#define LMF_PF_MAGIC		0x000	/* u32 LMF_PF_MAGIC_VALUE */
#define LMF_PF_VERSION		0x004	/* u32 LMF_VERSION(major, minor) */
#define LMF_PF_CAPS		0x008	/* u64 reserved, 0 */
#define LMF_PF_TOTAL_VFS	0x010	/* u32 1..LMF_PF_VF_LIMIT */
#define LMF_PF_MAX_ENTRIES	0x014	/* u32 power of two, 2..65536 */
#define LMF_PF_STATUS		0x018	/* u32 LMF_PF_STATUS_* */
#define LMF_PF_CTRL		0x01c	/* u32 LMF_PF_CTRL_* */
#define LMF_PF_ASQ_BASE		0x020	/* u64 admin submission ring */
#define LMF_PF_ACQ_BASE		0x028	/* u64 admin completion ring */
#define LMF_PF_AEQ_BASE		0x030	/* u64 event ring */
#define LMF_PF_AQ_ENTRIES	0x038	/* u32 power of two, of ASQ and ACQ */
#define LMF_PF_AEQ_ENTRIES	0x03c	/* u32 power of two */
#define LMF_PF_ASQ_TAIL		0x040	/* u32 doorbell, index */
#define LMF_PF_ACQ_HEAD		0x044	/* u32 doorbell, index */
#define LMF_PF_AEQ_HEAD		0x048	/* u32 doorbell, index */
/* Doorbell of VF v's log ring: entries consumed, free-running, low 32 bits. */
#define LMF_PF_LOG_HEAD(v)	(0x1000 + 4 * (v))
#define LMF_PF_VF_LIMIT		64

#define LMF_PF_MAGIC_VALUE	0x50464d4c	/* "LMFP" */
#define LMF_PF_STATUS_READY	(1u << 0)	/* admin queue runs */
#define LMF_PF_STATUS_FATAL	(1u << 1)	/* only a PF reset helps */

/*
 * ENABLE 0 to 1 takes the rings, 4096-aligned and zeroed by the host, and sets
 * READY, or FATAL if they are bad. ENABLE 1 to 0 is the PF reset: it drops all
 * commands and ends all sessions and logs. It keeps the level of quiesce of
 * each VF, so that none runs again of itself: one whose load it ended stays
 * at FULL, with its media lost. Once READY reads 0 no DMA on behalf of the
 * admin queue, of a session or of a log is left, and none will come before the
 * next start. Both take 5 seconds at most. FATAL is a PF reset that only
 * ENABLE 0 can follow.
 *
 * A PF FLR does the same, sets all registers to 0 and, as it clears VF Enable,
 * takes the VFs away: neither PF nor VF has any DMA left when it is done.
 */
#define LMF_PF_CTRL_ENABLE	(1u << 0)

enum lmf_admin_opcode {
	LMF_OP_VF_INFO		= 0x0101,
	LMF_OP_QUIESCE		= 0x0110,
	LMF_OP_SAVE_BEGIN	= 0x0120,
	LMF_OP_SAVE_READ	= 0x0121,
	LMF_OP_SAVE_QUERY	= 0x0122,
	LMF_OP_SAVE_END		= 0x0123,
	LMF_OP_LOAD_BEGIN	= 0x0130,
	LMF_OP_LOAD_WRITE	= 0x0131,
	LMF_OP_LOAD_END		= 0x0132,
	LMF_OP_SCRUB		= 0x0140,
	LMF_OP_LOG_START	= 0x0200,
	LMF_OP_LOG_STOP		= 0x0201,
	LMF_OP_LOG_FLUSH	= 0x0202,
	LMF_OP_LOG_READ		= 0x0203,
};

/*
 * All commands of one VF start, and take effect, in the order of submission.
 * Only their completions may come in any order. Commands of different VFs are
 * in no order to each other and share the queue fairly.
 *
 * A VF reset aborts: each QUIESCE, SAVE and LOAD command of the VF that was
 * submitted before it, that is whose ASQ_TAIL was written, and is not carried
 * out yet answers ABORTED and does nothing. So no old command quiesces or
 * loads a VF that was reset meanwhile. All others are carried out.
 */
struct lmf_admin_cmd {
	__le16 opcode;		/* enum lmf_admin_opcode */
	__le16 vf;		/* 0 is the first VF */
	__le32 tag;		/* opaque, returned in the completion */
	__le64 session;		/* of a save or load; else 0 */
	__le32 param;		/* by opcode, below; else 0 */
	__le16 nsge;		/* of the data buffer, as in lmf_vf.h */
	__le16 reserved0;
	__le64 reserved1;
	struct lmf_sge sge;
	__u8 reserved2[16];
};
LMF_ASSERT_SIZE(struct lmf_admin_cmd, 64);
LMF_ASSERT_OFFSET(struct lmf_admin_cmd, tag, 4);
LMF_ASSERT_OFFSET(struct lmf_admin_cmd, session, 8);
LMF_ASSERT_OFFSET(struct lmf_admin_cmd, param, 16);
LMF_ASSERT_OFFSET(struct lmf_admin_cmd, nsge, 20);
LMF_ASSERT_OFFSET(struct lmf_admin_cmd, sge, 32);

#define LMF_ADMIN_MAX_SGES	256

/* The quadword that holds @phase is written last, as in struct lmf_vf_cqe. */
struct lmf_admin_cqe {
	__le32 tag;
	__le16 status;		/* enum lmf_admin_status */
	__le16 flags;		/* by opcode */
	__le32 bytes;		/* written to the data buffer */
	__le32 detail;		/* of an error, for the log; else 0 */
	__le64 value[4];	/* by opcode */
	__le64 reserved;
	__le16 sq_head;		/* commands up to here are fetched */
	__le16 reserved1;
	__le32 phase;		/* bit 0 */
};
LMF_ASSERT_SIZE(struct lmf_admin_cqe, 64);
LMF_ASSERT_OFFSET(struct lmf_admin_cqe, status, 4);
LMF_ASSERT_OFFSET(struct lmf_admin_cqe, bytes, 8);
LMF_ASSERT_OFFSET(struct lmf_admin_cqe, value, 16);
LMF_ASSERT_OFFSET(struct lmf_admin_cqe, phase, 60);

enum lmf_admin_status {
	LMF_ST_OK		= 0,
	LMF_ST_OPCODE		= 1,	/* unknown */
	LMF_ST_FIELD		= 2,	/* parameter, length, reserved bit */
	LMF_ST_VF		= 3,	/* no such VF, or not enabled */
	LMF_ST_STATE		= 4,	/* not in the VF's present state */
	LMF_ST_SESSION		= 5,	/* unknown, or ended by a reset */
	LMF_ST_RESOURCES	= 6,	/* the device is out of memory */
	LMF_ST_DMA		= 7,	/* the data buffer is not accessible */
	LMF_ST_MISMATCH		= 8,	/* state of a different device */
	LMF_ST_CORRUPT		= 9,	/* state that breaks section 6 */
	LMF_ST_INCOMPLETE	= 10,	/* state that lacks something */
	LMF_ST_ABORTED		= 11,	/* by a VF reset: QUIESCE, SAVE, LOAD */
	LMF_ST_INTERNAL		= 12,
};

/*
 * VF_INFO: writes a struct lmf_vf_info. A shorter buffer gets its beginning; a
 * newer device may know more than the host's structure holds. Only @resets,
 * @session and @state change while the VF is enabled.
 *
 * @state_max bounds what is left of a save at any one time: initial, dirty and
 * trailer together. Media that is written again and again makes a whole saved
 * state longer than that.
 */
struct lmf_vf_info {
	__le32 version;		/* LMF_VERSION() */
	__le32 log_formats;	/* bit n: enum lmf_log_format n */
	__le64 caps;		/* LMF_INFO_CAP_* */
	__le64 media_bytes;	/* multiple of LMF_MEDIA_GRANULE */
	__le64 state_max;	/* bytes */
	__le32 trailer_max;	/* bytes; of state_max, what is not media */
	__le32 chunk_min;	/* smallest buffer for SAVE_READ, 4112.. */
	__le32 chunk_max;	/* largest for SAVE_READ and LOAD_WRITE */
	__le32 log_ring_max;	/* entries, power of two, 2..2^31 */
	__le32 log_ranges_max;
	__u8 log_shift_min;	/* granule 2^n bytes, n from 12 */
	__u8 log_shift_max;
	__le16 reserved0;
	__le64 resets;		/* of this VF since the PF came up */
	__le64 session;		/* open now, or 0 */
	__le32 state;		/* LMF_INFO_STATE_*, now */
	__le32 log_list_max;	/* RANGES: extents that the device keeps, 2.. */
	__le32 log_leaves_max;	/* BITMAP: leaves of all ranges together */
	__u8 reserved1[44];
};
LMF_ASSERT_SIZE(struct lmf_vf_info, 128);
LMF_ASSERT_OFFSET(struct lmf_vf_info, state_max, 24);
LMF_ASSERT_OFFSET(struct lmf_vf_info, log_ranges_max, 48);
LMF_ASSERT_OFFSET(struct lmf_vf_info, resets, 56);
LMF_ASSERT_OFFSET(struct lmf_vf_info, state, 72);
LMF_ASSERT_OFFSET(struct lmf_vf_info, log_leaves_max, 80);

#define LMF_INFO_CAP_MIGRATE	(1ull << 0)	/* SAVE, LOAD, QUIESCE */
#define LMF_INFO_CAP_LOG	(1ull << 1)	/* LOG_* */

#define LMF_INFO_STATE_LEVEL	(3u << 0)	/* enum lmf_quiesce_level */
#define LMF_INFO_STATE_SAVE	(1u << 2)	/* the session is a save */
#define LMF_INFO_STATE_LOAD	(1u << 3)	/* the session is a load */
#define LMF_INFO_STATE_LOG	(1u << 4)	/* the log is on */
#define LMF_INFO_STATE_LOST	(1u << 5)	/* the media is lost */

/*
 * QUIESCE: param is the level. The command completes when the level is
 * reached, within bounded time whatever the guest does. Lowering it resumes: at
 * RUN the device raises the vector of each queue that has unconsumed
 * completions, once. The level is that of the last QUIESCE or VF reset; it
 * outlives sessions and PF resets.
 */
enum lmf_quiesce_level {
	LMF_QUIESCE_RUN		= 0,
	LMF_QUIESCE_INITIATOR	= 1,	/* no DMA, no interrupt starts */
	LMF_QUIESCE_FULL	= 2,	/* registers answer, nothing changes */
};

/*
 * SAVE_BEGIN: value[0] is the session. The device begins to track its media;
 * all media that was ever written counts as not sent.
 *
 * SAVE_READ: fills the data buffer with whole segments, what fits or less, but
 * one at least if there is one; @bytes says how much. The first of a session
 * gives the IDENTITY segment alone. param LMF_SAVE_FINAL asks for the rest: it
 * needs QUIESCE FULL, and ends with the END segment and flag LMF_SAVE_ENDED;
 * reading on gives 0 bytes and ENDED again. Without FINAL only IDENTITY and
 * MEDIA segments come, and flag LMF_SAVE_EMPTY says that nothing unsent was
 * left after this chunk. One that fails with DMA or INTERNAL leaves a gap:
 * only SAVE_END may follow. So it does once the level was lowered after a part
 * of the trailer was given.
 *
 * SAVE_READ and SAVE_QUERY answer value[0] initial, value[1] dirty, value[2]
 * trailer, value[3] bytes sent: what is left of the first pass, the media
 * dirtied since it was sent (or first written since SAVE_BEGIN), and the rest,
 * all in bytes of segments with their headers, after this chunk. A granule of
 * the media stands in one of initial and dirty at most. With session 0
 * SAVE_QUERY answers what a session begun now would find.
 *
 * SAVE_END: ends the session at any point, and with it the media tracking.
 */
#define LMF_SAVE_FINAL		(1u << 0)	/* param */
#define LMF_SAVE_EMPTY		(1u << 0)	/* flags */
#define LMF_SAVE_ENDED		(1u << 1)	/* flags */

/*
 * LOAD_BEGIN: needs QUIESCE FULL; value[0] is the session. What the VF held is
 * gone for good: its queues are off with all registers 0, their requests are
 * dropped, the media is all zero and lost, that is unreadable. The VF is silent
 * whatever its command register and MSI-X say.
 *
 * LOAD_WRITE: takes whole segments from the data buffer. Any error ends in a
 * session that only LOAD_END may follow.
 *
 * LOAD_END: param LMF_LOAD_COMMIT checks that all has come and applies it; the
 * VF stays in QUIESCE FULL. Without it, or when the check fails, the media
 * stays unreadable until a SCRUB or a complete load. The session ends whatever
 * the answer is, unless FIELD or SESSION.
 *
 * SCRUB: zeroes the media and makes it readable. Not during a session.
 */
#define LMF_LOAD_COMMIT		(1u << 0)	/* param */

/*
 * LOG_START: the data buffer holds a struct lmf_log_start, @nranges struct
 * lmf_log_range, and for RING @nsges struct lmf_sge of the ring's memory, in
 * that order and without gaps. The log is independent of sessions and of
 * quiesce. Not more than one at a time for a VF. The host zeroes the ring
 * first.
 *
 * A DMA write that falls outside the ranges need not be logged.
 *
 * LOG_FLUSH, of a RING: completes when every DMA write that completed before it
 * was submitted is posted, or with flag LMF_LOG_MORE when the ring is too full
 * for that: then the host consumes and flushes again. With the whole ring free,
 * and an entry for each range, it does not answer MORE: the device coarsens
 * until all fits. value[0] is the count of entries posted, free-running,
 * value[1] the number of overflows since LOG_START.
 * Of RANGES: posts all to the list and never answers MORE; value[0] is the
 * count of extents in it. Of a BITMAP: param is the sequence that the host has
 * read, or 0; value[0] is that of the bank that this closes.
 *
 * LOG_READ, of RANGES and BITMAP: writes what is posted, or in the closed bank,
 * to the data buffer, as much as fits or less; flag LMF_LOG_MORE says that some
 * is left. Of RANGES param is 0. Of a BITMAP param is where to begin, 0 or
 * value[0] of the LOG_READ before, and value[1] the sequence.
 *
 * LOG_STOP: posts nothing more; once it completed the ring memory is the
 * host's again. Succeeds when no log runs. Status VF says so too: with the VF
 * its log has gone. The counts begin anew with the next log, so the host writes
 * no LOG_HEAD from the LOG_STOP until the next LOG_START completed.
 *
 * A VF reset posts what was logged and leaves the log on.
 */
struct lmf_log_start {
	__u8 format;		/* enum lmf_log_format */
	__u8 shift;		/* granule 2^shift bytes */
	__le16 nsges;		/* RING; else 0 */
	__le32 nranges;		/* 1..log_ranges_max, disjoint */
	__le32 entries;		/* RING: power of two, 2..log_ring_max */
	__le32 threshold;	/* entries unconsumed for the event; 0: none */
	__u8 reserved[16];
};
LMF_ASSERT_SIZE(struct lmf_log_start, 32);
LMF_ASSERT_OFFSET(struct lmf_log_start, nranges, 4);
LMF_ASSERT_OFFSET(struct lmf_log_start, threshold, 12);

struct lmf_log_range {
	__le64 iova;		/* aligned to the granule */
	__le64 last;		/* last byte; last + 1 is aligned too */
};
LMF_ASSERT_SIZE(struct lmf_log_range, 16);

#define LMF_LOG_MORE		(1u << 0)	/* flags of FLUSH and READ */

/*
 * Events, in the AEQ; phase and order of writing as in a completion. Several of
 * one type and VF may be told as one, with the arg of the last. A device that
 * keeps one of each pending while the ring has no room, or while the one before
 * is unconsumed, loses none; one that cannot says LOST. An event may come late.
 */
enum lmf_event_type {
	/* Unconsumed log entries reached the threshold; once until consumed. */
	LMF_EV_LOG_THRESHOLD	= 1,
	LMF_EV_VF_RESET		= 2,	/* arg: resets so far, low 32 bits */
	LMF_EV_VF_ERROR		= 3,	/* arg: queue that stopped */
	LMF_EV_LOST		= 4,	/* the ring was full: assume any */
};

struct lmf_event {
	__le16 type;		/* enum lmf_event_type */
	__le16 vf;
	__le32 arg;
	__le32 reserved;
	__le32 phase;		/* bit 0 */
};
LMF_ASSERT_SIZE(struct lmf_event, 16);
LMF_ASSERT_OFFSET(struct lmf_event, arg, 4);
LMF_ASSERT_OFFSET(struct lmf_event, phase, 12);

/*
 * State segments: what SAVE_READ gives and LOAD_WRITE takes. A segment is a
 * header and @length bytes of payload, padded with zeroes to 8 bytes. IDENTITY
 * comes first and once, END last and once; each other type in any order and
 * number. A later MEDIA segment replaces an earlier one at the same offset. A
 * type that the reader does not know is skipped if LMF_SEG_OPTIONAL is set and
 * is CORRUPT otherwise. Lengths are exact: a longer payload is CORRUPT.
 */
enum lmf_seg_type {
	LMF_SEG_IDENTITY	= 1,	/* struct lmf_seg_identity */
	LMF_SEG_MEDIA		= 2,	/* LMF_MEDIA_GRANULE bytes at offset */
	LMF_SEG_QUEUE		= 3,	/* lmf_seg_queue; offset: index */
	LMF_SEG_REQUEST		= 4,	/* struct lmf_seg_request */
	LMF_SEG_END		= 5,	/* struct lmf_seg_end */
};

#define LMF_SEG_OPTIONAL	(1u << 0)
#define LMF_MEDIA_GRANULE	4096

struct lmf_seg {
	__le16 type;		/* enum lmf_seg_type */
	__le16 flags;		/* LMF_SEG_OPTIONAL */
	__le32 length;		/* payload, without padding */
	__le64 offset;		/* by type; else 0 */
};
LMF_ASSERT_SIZE(struct lmf_seg, 16);
LMF_ASSERT_OFFSET(struct lmf_seg, length, 4);
LMF_ASSERT_OFFSET(struct lmf_seg, offset, 8);

/*
 * Loading refuses with MISMATCH unless the major version and all fields are its
 * own, but for chunk_max and max_parked, which may be less. A newer minor
 * version is accepted: what it added is in OPTIONAL segments, or in a
 * capability.
 */
struct lmf_seg_identity {
	__le32 magic;		/* LMF_VF_MAGIC_VALUE */
	__le32 version;
	__le64 caps;		/* LMF_VF_CAP_* */
	__le64 media_bytes;
	__le32 max_queues;
	__le32 max_entries;
	__le32 max_bytes;
	__le32 vectors;
	__le32 max_sges;
	__le32 chunk_max;	/* of SAVE_READ, as in VF_INFO */
	__le32 max_parked;	/* REQUESTs of one queue */
	__le32 reserved;
};
LMF_ASSERT_SIZE(struct lmf_seg_identity, 56);
LMF_ASSERT_OFFSET(struct lmf_seg_identity, max_queues, 24);
LMF_ASSERT_OFFSET(struct lmf_seg_identity, max_parked, 48);

/* One for each queue, enabled or not. Indices are below entries. */
struct lmf_seg_queue {
	__le64 sq_base;
	__le64 cq_base;
	__le32 entries;
	__le32 vector;
	__le32 ctrl;		/* LMF_VF_QCTRL_* */
	__le32 status;		/* LMF_VF_QSTATUS_* */
	__le32 sq_tail;
	__le32 sq_head;
	__le32 cq_tail;
	__le32 cq_head;
	__le32 phase;		/* of the next completion */
	__le32 reserved;
};
LMF_ASSERT_SIZE(struct lmf_seg_queue, 56);
LMF_ASSERT_OFFSET(struct lmf_seg_queue, ctrl, 24);
LMF_ASSERT_OFFSET(struct lmf_seg_queue, phase, 48);

/*
 * A parked request: fetched, not yet completed. If @done, only its completion
 * is missing; else it is executed from its beginning.
 */
struct lmf_seg_request {
	__le32 queue;
	__le16 done;		/* 0 or 1 */
	__le16 status;		/* if done: enum lmf_vf_status */
	__le32 result;		/* if done */
	__le32 reserved;
	struct lmf_vf_cmd cmd;
};
LMF_ASSERT_SIZE(struct lmf_seg_request, 80);
LMF_ASSERT_OFFSET(struct lmf_seg_request, cmd, 16);

struct lmf_seg_end {
	__le32 queues;		/* QUEUE segments sent */
	__le32 requests;	/* REQUEST segments sent */
	__le64 media;		/* MEDIA segments sent, all passes */
};
LMF_ASSERT_SIZE(struct lmf_seg_end, 16);
LMF_ASSERT_OFFSET(struct lmf_seg_end, media, 8);

#endif
