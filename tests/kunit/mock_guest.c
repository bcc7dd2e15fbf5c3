// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest, as far as the PF driver's tests need one: somebody who has a VF
 * write to memory. It has one queue and one command at a time.
 */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>

#include "fw.h"
#include "mock_dma.h"
#include "mock_pf.h"

#define MOCK_GUESTS	2
#define GUEST_ORDER	6
#define GUEST_ENTRIES	8
#define GUEST_SQ	0
#define GUEST_CQ	PAGE_SIZE
#define GUEST_DATA	(2 * PAGE_SIZE)
#define GUEST_WAIT	(5 * HZ)

static struct mock_guest {
	void *mem;
	u32 tail;
	u32 head;
	u32 phase;
} mock_guests[MOCK_GUESTS];

static u64 mock_guest_base(unsigned int vf)
{
	return virt_to_phys(mock_guests[vf].mem);
}

/* The IOVA of a data page. */
u64 mock_guest_page(unsigned int vf, size_t page)
{
	return mock_guest_base(vf) + GUEST_DATA + page * PAGE_SIZE;
}

/* What a guest does to a register. */
void mock_guest_set(struct mock_pf *pf, unsigned int vf, u32 offset, u64 value,
		    unsigned int size)
{
	unsigned long flags;

	spin_lock_irqsave(&pf->lock, flags);
	lmf_fw_write(pf->fw, vf, offset, value, size);
	spin_unlock_irqrestore(&pf->lock, flags);
}

/* Set up the queue, as a guest does at first and after a reset of its VF. */
void mock_guest_start(struct mock_pf *pf, unsigned int vf)
{
	struct mock_guest *guest = &mock_guests[vf];
	const u32 q = LMF_VF_QUEUE(0);

	mock_guest_set(pf, vf, q + LMF_VF_Q_CTRL, 0, 4);
	memset(guest->mem, 0, GUEST_DATA);
	guest->tail = 0;
	guest->head = 0;
	guest->phase = 1;
	mock_guest_set(pf, vf, q + LMF_VF_Q_SQ_BASE,
		       mock_guest_base(vf) + GUEST_SQ, 8);
	mock_guest_set(pf, vf, q + LMF_VF_Q_CQ_BASE,
		       mock_guest_base(vf) + GUEST_CQ, 8);
	mock_guest_set(pf, vf, q + LMF_VF_Q_ENTRIES, GUEST_ENTRIES, 4);
	mock_guest_set(pf, vf, q + LMF_VF_Q_VECTOR, 0, 4);
	mock_guest_set(pf, vf, q + LMF_VF_Q_CTRL,
		       LMF_VF_QCTRL_ENABLE | LMF_VF_QCTRL_IRQ, 4);
}

int mock_guest_init(struct mock_pf *pf, unsigned int vf)
{
	struct mock_guest *guest = &mock_guests[vf];
	int err;

	guest->mem = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO,
					      GUEST_ORDER);
	if (!guest->mem)
		return -ENOMEM;
	err = mock_dma_add(vf, mock_guest_base(vf), PAGE_SIZE << GUEST_ORDER);
	if (err)
		return err;
	mock_guest_start(pf, vf);
	return 0;
}

void mock_guest_exit(unsigned int vf)
{
	struct mock_guest *guest = &mock_guests[vf];

	if (!guest->mem)
		return;
	mock_dma_remove(mock_guest_base(vf));
	free_pages((unsigned long)guest->mem, GUEST_ORDER);
	guest->mem = NULL;
}

static bool mock_guest_reap(struct mock_pf *pf, unsigned int vf, u16 *status)
{
	struct mock_guest *guest = &mock_guests[vf];
	struct lmf_vf_cqe *cqe = guest->mem + GUEST_CQ;

	cqe += guest->head;
	if (le32_to_cpu(READ_ONCE(cqe->phase)) != guest->phase)
		return false;
	/* The phase was written last. */
	dma_rmb();
	*status = le16_to_cpu(cqe->status);
	guest->head = (guest->head + 1) % GUEST_ENTRIES;
	guest->phase ^= !guest->head;
	mock_guest_set(pf, vf, LMF_VF_CQ_HEAD(0), guest->head, 4);
	return true;
}

/* Have the VF write a data page, with a page of its media. */
int mock_guest_read(struct mock_pf *pf, unsigned int vf, size_t page)
{
	struct mock_guest *guest = &mock_guests[vf];
	struct lmf_vf_cmd *cmd = guest->mem + GUEST_SQ;
	u16 status;

	cmd[guest->tail] = (struct lmf_vf_cmd) {
		.opcode = LMF_VF_OP_READ,
		.nsge = cpu_to_le16(1),
		.length = cpu_to_le32(PAGE_SIZE),
		.sge.addr = cpu_to_le64(mock_guest_page(vf, page)),
		.sge.len = cpu_to_le32(PAGE_SIZE),
	};
	guest->tail = (guest->tail + 1) % GUEST_ENTRIES;
	mock_guest_set(pf, vf, LMF_VF_SQ_TAIL(0), guest->tail, 4);
	while (!mock_guest_reap(pf, vf, &status))
		if (!wait_for_completion_timeout(&pf->vf_irq, GUEST_WAIT))
			return -ETIMEDOUT;
	return status ? -EIO : 0;
}
