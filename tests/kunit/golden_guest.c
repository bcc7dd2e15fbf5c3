// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest of the VF that was saved: what it had done by then, what the VF
 * must hold for it after a load, and what must come of the rest.
 *
 * All its commands stand in its memory from the beginning, and doorbells tell
 * the VF of them bit by bit. So the memory of a guest that goes on after a load
 * is as it was, but for what the VF wrote. It lies at an address of its own, as
 * this goes into the stream.
 */
#include "golden.h"

#define GUEST_IOVA	0x40000000ull
#define GUEST_BYTES	SZ_32K
#define GUEST_SQ(q)	((q) * SZ_8K)
#define GUEST_CQ(q)	((q) * SZ_8K + SZ_4K)
#define GUEST_PAGE(n)	(SZ_16K + (n) * SZ_4K)
#define GUEST_SECONDS	10

#define NOTHING		0		/* what media is that nobody wrote */
#define FIRST		0x11		/* in granule 1, and overwritten then */
#define SECOND		0x22
#define WIPED		0x33		/* in granule 100 */
#define DATA		0x44		/* of the guest, for granule 9 */

#define ZEROES_FROM	(32 * LMF_MEDIA_GRANULE)
#define ZEROES_BYTES	(96 * LMF_MEDIA_GRANULE)

static u8 guest_mem[GUEST_BYTES] __aligned(PAGE_SIZE);

static struct lmf_vf_cmd guest_io(u8 opcode, u16 cid, u64 offset, u32 page)
{
	return (struct lmf_vf_cmd) {
		.opcode = opcode,
		.cid = cpu_to_le16(cid),
		.nsge = cpu_to_le16(1),
		.offset = cpu_to_le64(offset),
		.length = cpu_to_le32(LMF_MEDIA_GRANULE),
		.sge.addr = cpu_to_le64(GUEST_IOVA + GUEST_PAGE(page)),
		.sge.len = cpu_to_le32(LMF_MEDIA_GRANULE),
	};
}

static struct lmf_vf_cmd guest_nop(u16 cid)
{
	return (struct lmf_vf_cmd) {
		.opcode = LMF_VF_OP_NOP,
		.cid = cpu_to_le16(cid),
	};
}

static void guest_put_commands(void)
{
	struct lmf_vf_cmd *sq = (void *)(guest_mem + GUEST_SQ(0));

	sq[0] = guest_io(LMF_VF_OP_READ, 0x11, LMF_MEDIA_GRANULE, 0);
	sq[1] = guest_io(LMF_VF_OP_READ, 0x12, LMF_MEDIA_GRANULE, 1);
	sq[2] = (struct lmf_vf_cmd) {
		.opcode = LMF_VF_OP_WRITE_ZEROES,
		.cid = cpu_to_le16(0x13),
		.offset = cpu_to_le64(ZEROES_FROM),
		.length = cpu_to_le32(ZEROES_BYTES),
	};
	sq[3] = guest_io(LMF_VF_OP_WRITE, 0x14, 9 * LMF_MEDIA_GRANULE, 2);
	sq[4] = guest_nop(0x15);

	sq = (void *)(guest_mem + GUEST_SQ(1));
	sq[0] = guest_nop(0x21);
	sq[1] = guest_nop(0x22);
}

void golden_guest_init(struct sweep *s)
{
	memset(guest_mem, 0, GUEST_BYTES);
	memset(guest_mem + GUEST_PAGE(2), DATA, LMF_MEDIA_GRANULE);
	guest_put_commands();
	KUNIT_ASSERT_EQ(s->test, mock_dma_map(SWEEP_VF, GUEST_IOVA, guest_mem,
					      GUEST_BYTES), 0);
}

void golden_guest_exit(void)
{
	mock_dma_remove(GUEST_IOVA);
}

static void guest_set(struct sweep *s, u32 offset, u64 value)
{
	mock_guest_set(&s->pf, SWEEP_VF, offset, value, 4);
}

static void guest_enable(struct sweep *s, unsigned int q, u32 entries, u32 ctrl)
{
	const u32 regs = LMF_VF_QUEUE(q);

	guest_set(s, regs + LMF_VF_Q_SQ_BASE, GUEST_IOVA + GUEST_SQ(q));
	guest_set(s, regs + LMF_VF_Q_CQ_BASE, GUEST_IOVA + GUEST_CQ(q));
	guest_set(s, regs + LMF_VF_Q_ENTRIES, entries);
	guest_set(s, regs + LMF_VF_Q_VECTOR, q);
	guest_set(s, regs + LMF_VF_Q_CTRL, ctrl);
}

/* Wait for the completion in a slot that is used for the first time. */
static const struct lmf_vf_cqe *guest_cqe(struct sweep *s, unsigned int q,
					  unsigned int slot)
{
	const struct lmf_vf_cqe *cqe = (void *)(guest_mem + GUEST_CQ(q));

	KUNIT_EXPECT_TRUE(s->test, wait_until(READ_ONCE(cqe[slot].phase),
					      GUEST_SECONDS));
	KUNIT_EXPECT_EQ(s->test, le16_to_cpu(cqe[slot].status), LMF_VF_ST_OK);
	return &cqe[slot];
}

static struct fw_queue *guest_queue(struct sweep *s, unsigned int q)
{
	return &sweep_fw(&s->vf[SWEEP_VF])->queue[q];
}

/* Is there a request that is done, and not completed? */
static bool guest_has_done(const struct fw_queue *queue)
{
	return READ_ONCE(queue->requests) == 1 &&
	       READ_ONCE(queue->mem->request[0].done);
}

/*
 * Two reads, one of them consumed. On the other queue, whose completion ring
 * holds one, a second command is done, and its completion has no place.
 */
void golden_guest_start(struct sweep *s)
{
	const struct fw_queue *queue = guest_queue(s, 1);

	KUNIT_ASSERT_EQ(s->test, sweep_media_write(s, 1, FIRST), 0);
	KUNIT_ASSERT_EQ(s->test, sweep_media_write(s, 100, WIPED), 0);
	guest_enable(s, 0, 8, LMF_VF_QCTRL_ENABLE | LMF_VF_QCTRL_IRQ);
	guest_enable(s, 1, 2, LMF_VF_QCTRL_ENABLE);

	guest_set(s, LMF_VF_SQ_TAIL(0), 2);
	guest_cqe(s, 0, 1);
	guest_set(s, LMF_VF_CQ_HEAD(0), 1);

	guest_set(s, LMF_VF_SQ_TAIL(1), 1);
	guest_cqe(s, 1, 0);
	guest_set(s, LMF_VF_SQ_TAIL(1), 0);
	KUNIT_ASSERT_TRUE(s->test, wait_until(guest_has_done(queue),
					      GUEST_SECONDS));
}

/* The device goes on, beginning with the admin command that came. */
static void guest_unpause(struct mock_pf *pf)
{
	pf->paused = false;
}

/*
 * Two more commands, and the media becomes dirty. The VF is in the middle of
 * the first one, and stands still until it is told to stop.
 */
void golden_guest_leave_open(struct sweep *s)
{
	KUNIT_ASSERT_EQ(s->test, sweep_media_write(s, 1, SECOND), 0);
	mock_pf_pause(&s->pf, true);
	guest_set(s, LMF_VF_SQ_TAIL(0), 4);
	spin_lock_irq(&s->pf.lock);
	lmf_fw_run(s->pf.fw);
	spin_unlock_irq(&s->pf.lock);
	KUNIT_ASSERT_EQ(s->test, guest_queue(s, 0)->requests, 2);
	KUNIT_ASSERT_GT(s->test, guest_queue(s, 0)->progress, 0);
	mock_pf_watch(&s->pf, guest_unpause, NULL);
}

/* A command that comes when the VF begins nothing new any more. */
void golden_guest_late(struct sweep *s)
{
	mock_pf_watch(&s->pf, NULL, NULL);
	guest_set(s, LMF_VF_SQ_TAIL(0), 5);
}

static u8 guest_media_byte(unsigned int granule, bool done)
{
	switch (granule) {
	case 1:
		return SECOND;
	case 9:
		return done ? DATA : NOTHING;
	case 100:
		return done ? NOTHING : WIPED;
	default:
		return NOTHING;
	}
}

static void guest_expect_media(struct sweep *s, bool done)
{
	unsigned int n;

	for (n = 0; n < GOLDEN_MEDIA / LMF_MEDIA_GRANULE; n++) {
		mock_pf_get_media(&s->pf, SWEEP_VF, n * LMF_MEDIA_GRANULE,
				  s->bounce, LMF_MEDIA_GRANULE);
		KUNIT_EXPECT_NULL_MSG(s->test,
				      memchr_inv(s->bounce,
						 guest_media_byte(n, done),
						 LMF_MEDIA_GRANULE),
				      "granule %u", n);
	}
}

static void guest_expect_queue(struct sweep *s, unsigned int q,
			       const struct fw_queue *want)
{
	const struct fw_queue *queue = guest_queue(s, q);

	KUNIT_EXPECT_EQ(s->test, queue->sq_base, GUEST_IOVA + GUEST_SQ(q));
	KUNIT_EXPECT_EQ(s->test, queue->cq_base, GUEST_IOVA + GUEST_CQ(q));
	KUNIT_EXPECT_EQ(s->test, queue->entries, want->entries);
	KUNIT_EXPECT_EQ(s->test, queue->vector, q);
	KUNIT_EXPECT_EQ(s->test, queue->ctrl, want->ctrl);
	KUNIT_EXPECT_EQ(s->test, queue->status, LMF_VF_QSTATUS_ENABLED);
	KUNIT_EXPECT_EQ(s->test, queue->sq_tail, want->sq_tail);
	KUNIT_EXPECT_EQ(s->test, queue->sq_head, want->sq_head);
	KUNIT_EXPECT_EQ(s->test, queue->cq_tail, want->cq_tail);
	KUNIT_EXPECT_EQ(s->test, queue->cq_head, want->cq_head);
	KUNIT_EXPECT_EQ(s->test, queue->phase, 1);
	KUNIT_ASSERT_EQ(s->test, queue->requests, want->requests);
}

static void guest_expect_request(struct sweep *s, unsigned int q,
				 unsigned int n, unsigned int slot, bool done)
{
	const struct fw_request *request;
	const struct lmf_vf_cmd *sq = (void *)(guest_mem + GUEST_SQ(q));

	request = &guest_queue(s, q)->mem->request[n];
	KUNIT_EXPECT_MEMEQ(s->test, &request->cmd, &sq[slot],
			   sizeof(request->cmd));
	KUNIT_EXPECT_EQ(s->test, request->done, done);
	KUNIT_EXPECT_EQ(s->test, request->status, LMF_VF_ST_OK);
	KUNIT_EXPECT_EQ(s->test, request->result, 0);
}

/* The VF holds what the stream says, and stands still. */
void golden_expect_saved(struct sweep *s)
{
	static const struct fw_queue want[] = {
		{
			.entries = 8,
			.ctrl = LMF_VF_QCTRL_ENABLE | LMF_VF_QCTRL_IRQ,
			.sq_tail = 5, .sq_head = 4, .cq_tail = 2, .cq_head = 1,
			.requests = 2,
		}, {
			.entries = 2,
			.ctrl = LMF_VF_QCTRL_ENABLE,
			.cq_tail = 1,
			.requests = 1,
		},
	};
	const struct fw_vf *fw = sweep_fw(&s->vf[SWEEP_VF]);

	KUNIT_EXPECT_EQ(s->test, fw->level, LMF_QUIESCE_FULL);
	KUNIT_EXPECT_FALSE(s->test, fw->media.lost);
	guest_expect_queue(s, 0, &want[0]);
	guest_expect_queue(s, 1, &want[1]);
	guest_expect_request(s, 0, 0, 2, false);
	guest_expect_request(s, 0, 1, 3, false);
	guest_expect_request(s, 1, 0, 1, true);
	guest_expect_media(s, false);
}

static void guest_expect_cqe(struct sweep *s, unsigned int q, unsigned int slot,
			     u16 cid, u32 result)
{
	const struct lmf_vf_cqe *cqe = guest_cqe(s, q, slot);

	KUNIT_EXPECT_EQ(s->test, le16_to_cpu(cqe->cid), cid);
	KUNIT_EXPECT_EQ(s->test, le32_to_cpu(cqe->result), result);
}

/* The VF runs: what it had to do is done, and each command completes once. */
void golden_guest_go_on(struct sweep *s)
{
	const struct lmf_vf_cqe *cq = (void *)(guest_mem + GUEST_CQ(0));

	KUNIT_EXPECT_TRUE(s->test,
			  wait_for_completion_timeout(&s->pf.vf_irq,
						      GUEST_SECONDS * HZ));
	guest_expect_cqe(s, 0, 2, 0x13, ZEROES_BYTES);
	guest_expect_cqe(s, 0, 3, 0x14, LMF_MEDIA_GRANULE);
	guest_expect_cqe(s, 0, 4, 0x15, 0);
	guest_set(s, LMF_VF_CQ_HEAD(1), 1);
	guest_expect_cqe(s, 1, 1, 0x22, 0);
	KUNIT_EXPECT_EQ(s->test, cq[5].phase, 0);
	guest_expect_media(s, true);
}
