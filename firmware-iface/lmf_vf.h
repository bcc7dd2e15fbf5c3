/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What a guest sees of an LMF virtual function: BAR 0, its queues, and the
 * commands and completions in them. SPEC.md section 3 is the text of it.
 *
 * Nothing here starts, stops, reads or reveals migration or dirty logging.
 *
 * BAR 0 is LMF_VF_BAR_BYTES long. BAR 2 holds the MSI-X table and PBA. All
 * registers are little-endian and naturally aligned; a 64-bit register may be
 * accessed as one quadword or as two doublewords. Reserved registers read 0
 * and ignore writes.
 */
#ifndef LMF_VF_H
#define LMF_VF_H

#include "lmf_ids.h"
#include "lmf_types.h"

#define LMF_VF_BAR_BYTES	0x2000
#define LMF_VF_BAR		0
#define LMF_VF_MSIX_BAR		2

/* Read-only facts. */
#define LMF_VF_MAGIC		0x000	/* u32 LMF_VF_MAGIC_VALUE */
#define LMF_VF_VERSION		0x004	/* u32 LMF_VERSION(major, minor) */
#define LMF_VF_CAPS		0x008	/* u64 LMF_VF_CAP_* */
#define LMF_VF_MEDIA_BYTES	0x010	/* u64 multiple of 4096 */
#define LMF_VF_MAX_QUEUES	0x018	/* u32 1..LMF_VF_QUEUE_LIMIT */
#define LMF_VF_MAX_ENTRIES	0x01c	/* u32 power of two, 2..65536 */
#define LMF_VF_MAX_BYTES	0x020	/* u32 largest length of one command */
#define LMF_VF_STATUS		0x024	/* u32 LMF_VF_STATUS_* */
#define LMF_VF_VECTORS		0x028	/* u32 MSI-X vectors */
#define LMF_VF_MAX_SGES		0x02c	/* u32 SGEs of one command */

#define LMF_VF_MAGIC_VALUE	0x56464d4c	/* "LMFV" */
#define LMF_VF_CAP_WRITE_ZEROES	(1ull << 0)
#define LMF_VF_CAP_COPY		(1ull << 1)
#define LMF_VF_STATUS_READY	(1u << 0)
/* An aborted load left the media unreadable, until a scrub or a whole load. */
#define LMF_VF_STATUS_MEDIA_LOST	(1u << 1)

/* Alignment of media offsets and of lengths of READ, WRITE, WRITE_ZEROES. */
#define LMF_VF_SECTOR		512

/*
 * Queue pair q. BASE, ENTRIES and VECTOR are taken when CTRL.ENABLE goes from
 * 0 to 1 and are ignored while it is 1. Rings are contiguous in IOVA space,
 * aligned to 4096, and the completion ring is zeroed by the guest before.
 * Enabling with a bad value leaves the queue off and sets STATUS.ERROR.
 *
 * Writing CTRL.ENABLE 0 drops the queue's outstanding commands. Once STATUS
 * reads with ENABLED clear, the device touches no memory for that queue.
 *
 * CTRL.IRQ may change at any time. Setting it raises nothing for what was
 * completed before: look at the ring once more after it.
 */
#define LMF_VF_QUEUE_LIMIT	16
#define LMF_VF_QUEUE(q)		(0x100 + 0x20 * (q))
#define LMF_VF_Q_SQ_BASE	0x00	/* u64 IOVA of the submission ring */
#define LMF_VF_Q_CQ_BASE	0x08	/* u64 IOVA of the completion ring */
#define LMF_VF_Q_ENTRIES	0x10	/* u32 power of two, 2..MAX_ENTRIES */
#define LMF_VF_Q_VECTOR		0x14	/* u32 MSI-X vector */
#define LMF_VF_Q_CTRL		0x18	/* u32 LMF_VF_QCTRL_* */
#define LMF_VF_Q_STATUS		0x1c	/* u32 LMF_VF_QSTATUS_*, read-only */

#define LMF_VF_QCTRL_ENABLE	(1u << 0)
#define LMF_VF_QCTRL_IRQ	(1u << 1)	/* raise VECTOR */
#define LMF_VF_QSTATUS_ENABLED	(1u << 0)
/* Bad set-up, an index out of range, or DMA to a ring failed. */
#define LMF_VF_QSTATUS_ERROR	(1u << 1)

/*
 * Doorbells, write-only. Both take a ring index below ENTRIES: SQ_TAIL is one
 * past the last command submitted, CQ_HEAD is one past the last completion
 * consumed. A ring holds at most ENTRIES - 1 elements; the device does not
 * complete into a full completion ring but waits for CQ_HEAD.
 */
#define LMF_VF_SQ_TAIL(q)	(0x1000 + 8 * (q))
#define LMF_VF_CQ_HEAD(q)	(0x1004 + 8 * (q))

/*
 * A piece of guest memory. One SGE is given in the command itself; of several,
 * the command's SGE is a list of them: @addr the list's IOVA (16-byte
 * aligned), @len its length in bytes, 16 for each of the command's @nsge.
 */
struct lmf_sge {
	__le64 addr;		/* IOVA */
	__le32 len;		/* bytes */
	__le32 reserved;
};
LMF_ASSERT_SIZE(struct lmf_sge, 16);
LMF_ASSERT_OFFSET(struct lmf_sge, len, 8);

enum lmf_vf_opcode {
	LMF_VF_OP_NOP		= 0x00,	/* completes, with an interrupt */
	LMF_VF_OP_READ		= 0x01,	/* media to guest memory */
	LMF_VF_OP_WRITE		= 0x02,	/* guest memory to media */
	LMF_VF_OP_WRITE_ZEROES	= 0x03,	/* no SGE */
	LMF_VF_OP_FLUSH		= 0x04,	/* earlier completed writes persist */
	LMF_VF_OP_COPY		= 0x05,	/* guest memory to guest memory */
};

struct lmf_vf_cmd {
	__u8 opcode;		/* enum lmf_vf_opcode */
	__u8 flags;		/* 0 */
	__le16 cid;		/* returned in the completion */
	__le16 nsge;		/* 0 or 1: @sge itself; more: a list */
	__le16 reserved0;
	__le64 offset;		/* media offset, bytes */
	__le32 length;		/* bytes; the sum of the SGEs' lengths */
	__le32 reserved1;
	__le64 dst;		/* COPY: IOVA, must not overlap the source */
	struct lmf_sge sge;
	__u8 reserved2[16];
};
LMF_ASSERT_SIZE(struct lmf_vf_cmd, 64);
LMF_ASSERT_OFFSET(struct lmf_vf_cmd, offset, 8);
LMF_ASSERT_OFFSET(struct lmf_vf_cmd, length, 16);
LMF_ASSERT_OFFSET(struct lmf_vf_cmd, dst, 24);
LMF_ASSERT_OFFSET(struct lmf_vf_cmd, sge, 32);

enum lmf_vf_status {
	LMF_VF_ST_OK		= 0,
	LMF_VF_ST_OPCODE	= 1,	/* unknown or not offered */
	LMF_VF_ST_FIELD		= 2,	/* alignment, lengths, reserved bits */
	LMF_VF_ST_RANGE		= 3,	/* beyond the end of the media */
	LMF_VF_ST_DMA		= 4,	/* guest memory could not be accessed */
	LMF_VF_ST_MEDIA		= 5,	/* media lost, or out of memory */
};

/*
 * The device writes the second quadword, with @phase, last. @phase is 1 in the
 * ring's first pass and inverts in each further one, so a driver consumes an
 * entry once its @phase is the expected one, and reads the rest after that.
 * What the command wrote is visible before its completion, and that before
 * its interrupt. Interrupts may be merged; spurious ones are allowed.
 */
struct lmf_vf_cqe {
	__le32 result;		/* bytes transferred */
	__le16 cid;
	__le16 sq_head;		/* commands up to here are fetched */
	__le16 status;		/* enum lmf_vf_status */
	__le16 queue;
	__le32 phase;		/* bit 0; others reserved */
};
LMF_ASSERT_SIZE(struct lmf_vf_cqe, 16);
LMF_ASSERT_OFFSET(struct lmf_vf_cqe, cid, 4);
LMF_ASSERT_OFFSET(struct lmf_vf_cqe, status, 8);
LMF_ASSERT_OFFSET(struct lmf_vf_cqe, phase, 12);

#endif
