// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PF for src/core that is no hardware: the reference firmware, behind the two
 * functions for register access that src/core knows a device by.
 *
 * Register accesses come with interrupts off and reach the firmware at once.
 * What follows from them is done later, by a worker, and an interrupt is
 * another one: so the driver finds the device as asynchronous as a real one.
 * The firmware's memory is taken atomically, as there is its lock around it.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/slab.h>

#include "fw.h"
#include "lmf_core.h"
#include "mock_dma.h"
#include "mock_pf.h"

static int mock_pf_dma_read(void *ctx, int fn, uint64_t addr, void *buf,
			    size_t len)
{
	return mock_dma_copy(fn, addr, buf, len, false);
}

/* Is this the first part of an admin completion? */
static bool mock_pf_is_cqe(const struct mock_pf *pf, int fn, uint64_t addr)
{
	const struct fw_pf *regs = &pf->fw->pf;

	return fn == LMF_FW_PF && addr >= regs->acq_base &&
	       addr < regs->acq_base +
		      regs->aq_entries * sizeof(struct lmf_admin_cqe) &&
	       IS_ALIGNED(addr, sizeof(struct lmf_admin_cqe));
}

static int mock_pf_post(struct mock_pf *pf, uint64_t addr, const void *buf,
			size_t len)
{
	struct lmf_admin_cqe cqe = { };

	memcpy(&cqe, buf, len);
	if (pf->edit)
		pf->edit(pf, &cqe);
	if (pf->ntags < MOCK_PF_TAGS)
		pf->tags[pf->ntags] = le32_to_cpu(cqe.tag);
	pf->ntags++;
	return mock_dma_copy(LMF_FW_PF, addr, &cqe, len, true);
}

static int mock_pf_dma_write(void *ctx, int fn, uint64_t addr, const void *buf,
			     size_t len)
{
	if (mock_pf_is_cqe(ctx, fn, addr))
		return mock_pf_post(ctx, addr, buf, len);
	return mock_dma_copy(fn, addr, (void *)buf, len, true);
}

static void mock_pf_irq(void *ctx, int fn, unsigned int vector)
{
	struct mock_pf *pf = ctx;

	if (fn != LMF_FW_PF)
		complete(&pf->vf_irq);
	else if (vector == LMF_PF_VECTOR_ADMIN && !pf->no_admin_irq)
		queue_work(system_unbound_wq, &pf->admin_work);
	else if (vector == LMF_PF_VECTOR_EVENT && !pf->no_event_irq)
		queue_work(system_unbound_wq, &pf->event_work);
}

static uint64_t mock_pf_now(void *ctx)
{
	return ktime_get_ns();
}

static void mock_pf_wake(void *ctx, uint64_t when)
{
	struct mock_pf *pf = ctx;
	u64 now = ktime_get_ns();

	if (when == LMF_FW_NEVER || pf->paused)
		return;
	mod_delayed_work(system_unbound_wq, &pf->run_work,
			 when > now ? nsecs_to_jiffies(when - now) + 1 : 0);
}

static void *mock_pf_alloc(void *ctx, size_t bytes)
{
	return kzalloc(bytes, GFP_ATOMIC);
}

static void mock_pf_free(void *ctx, void *mem, size_t bytes)
{
	kfree(mem);
}

static const struct lmf_fw_ops mock_pf_fw_ops = {
	.dma_read = mock_pf_dma_read,
	.dma_write = mock_pf_dma_write,
	.irq = mock_pf_irq,
	.wake = mock_pf_wake,
	.now = mock_pf_now,
	.alloc = mock_pf_alloc,
	.free = mock_pf_free,
};

static u32 mock_pf_value(struct mock_pf *pf, u32 offset)
{
	if (pf->gone)
		return U32_MAX;
	if (offset != LMF_PF_STATUS || !pf->late)
		return lmf_fw_read(pf->fw, LMF_FW_PF, offset, 4);
	pf->late--;
	return pf->status;
}

static u32 mock_pf_read(void *ctx, u32 offset)
{
	struct mock_pf *pf = ctx;
	unsigned long flags;
	u32 value;

	spin_lock_irqsave(&pf->lock, flags);
	pf->accesses++;
	value = mock_pf_value(pf, offset);
	spin_unlock_irqrestore(&pf->lock, flags);
	return value;
}

static void mock_pf_write(void *ctx, u32 offset, u32 value)
{
	struct mock_pf *pf = ctx;
	unsigned long flags;

	spin_lock_irqsave(&pf->lock, flags);
	pf->accesses++;
	if (!pf->gone && offset == LMF_PF_ASQ_TAIL && pf->rung)
		pf->rung(pf);
	if (!pf->gone)
		lmf_fw_write(pf->fw, LMF_FW_PF, offset, value, 4);
	spin_unlock_irqrestore(&pf->lock, flags);
}

const struct lmf_io_ops mock_pf_io_ops = {
	.read = mock_pf_read,
	.write = mock_pf_write,
};

static void mock_pf_run_work(struct work_struct *work)
{
	struct mock_pf *pf = container_of(to_delayed_work(work),
					  struct mock_pf, run_work);

	spin_lock_irq(&pf->lock);
	if (!pf->paused)
		lmf_fw_run(pf->fw);
	spin_unlock_irq(&pf->lock);
}

static void mock_pf_admin_work(struct work_struct *work)
{
	struct mock_pf *pf = container_of(work, struct mock_pf, admin_work);

	if (pf->irq)
		pf->irq(pf, LMF_PF_VECTOR_ADMIN);
	else
		lmf_aq_poll(pf->core);
}

static void mock_pf_event_work(struct work_struct *work)
{
	struct mock_pf *pf = container_of(work, struct mock_pf, event_work);

	if (pf->irq)
		pf->irq(pf, LMF_PF_VECTOR_EVENT);
	else
		lmf_aeq_poll(pf->core);
}

int mock_pf_init(struct mock_pf *pf, const struct lmf_fw_config *config)
{
	unsigned int vf;

	spin_lock_init(&pf->lock);
	init_completion(&pf->vf_irq);
	INIT_DELAYED_WORK(&pf->run_work, mock_pf_run_work);
	INIT_WORK(&pf->admin_work, mock_pf_admin_work);
	INIT_WORK(&pf->event_work, mock_pf_event_work);
	pf->fw = lmf_fw_create(config, &mock_pf_fw_ops, pf);
	if (!pf->fw)
		return -ENOMEM;
	for (vf = 0; vf < config->vfs; vf++)
		mock_pf_enable_vf(pf, vf, true);
	return 0;
}

/* From here on interrupts come through; with NULL none is left afterwards. */
void mock_pf_connect(struct mock_pf *pf, struct lmf_core *core)
{
	unsigned long flags;

	spin_lock_irqsave(&pf->lock, flags);
	pf->no_admin_irq = !core;
	pf->no_event_irq = !core;
	spin_unlock_irqrestore(&pf->lock, flags);
	flush_work(&pf->admin_work);
	flush_work(&pf->event_work);
	pf->core = core;
}

void mock_pf_exit(struct mock_pf *pf)
{
	disable_delayed_work_sync(&pf->run_work);
	lmf_fw_destroy(pf->fw);
}

void mock_pf_pause(struct mock_pf *pf, bool pause)
{
	unsigned long flags;

	spin_lock_irqsave(&pf->lock, flags);
	pf->paused = pause;
	spin_unlock_irqrestore(&pf->lock, flags);
	if (pause)
		cancel_delayed_work_sync(&pf->run_work);
	else
		mod_delayed_work(system_unbound_wq, &pf->run_work, 0);
}

/* What the device has to do by now is done and told. */
void mock_pf_drain(struct mock_pf *pf)
{
	unsigned long flags;

	spin_lock_irqsave(&pf->lock, flags);
	do {
		lmf_fw_run(pf->fw);
	} while (fw_admin_next(pf->fw) <= ktime_get_ns());
	spin_unlock_irqrestore(&pf->lock, flags);
	flush_work(&pf->admin_work);
}

void mock_pf_edit(struct mock_pf *pf,
		  void (*edit)(struct mock_pf *pf, struct lmf_admin_cqe *cqe),
		  void *ctx)
{
	unsigned long flags;

	spin_lock_irqsave(&pf->lock, flags);
	pf->edit = edit;
	pf->edit_ctx = ctx;
	spin_unlock_irqrestore(&pf->lock, flags);
}

void mock_pf_watch(struct mock_pf *pf, void (*rung)(struct mock_pf *pf),
		   void *ctx)
{
	unsigned long flags;

	spin_lock_irqsave(&pf->lock, flags);
	pf->rung = rung;
	pf->rung_ctx = ctx;
	spin_unlock_irqrestore(&pf->lock, flags);
}

const char *mock_pf_fault(struct mock_pf *pf, const char *spec)
{
	unsigned long flags;
	const char *wrong;

	spin_lock_irqsave(&pf->lock, flags);
	wrong = lmf_fw_fault(pf->fw, spec);
	spin_unlock_irqrestore(&pf->lock, flags);
	return wrong;
}

/* The device changes its status later than it was told. */
void mock_pf_late(struct mock_pf *pf, unsigned int reads)
{
	unsigned long flags;

	spin_lock_irqsave(&pf->lock, flags);
	pf->status = lmf_fw_read(pf->fw, LMF_FW_PF, LMF_PF_STATUS, 4);
	pf->late = reads;
	spin_unlock_irqrestore(&pf->lock, flags);
}

void mock_pf_flr(struct mock_pf *pf, int fn)
{
	unsigned long flags;

	spin_lock_irqsave(&pf->lock, flags);
	lmf_fw_reset(pf->fw, fn);
	spin_unlock_irqrestore(&pf->lock, flags);
}

void mock_pf_enable_vf(struct mock_pf *pf, unsigned int vf, bool on)
{
	unsigned long flags;

	spin_lock_irqsave(&pf->lock, flags);
	lmf_fw_vf_enable(pf->fw, vf, on);
	spin_unlock_irqrestore(&pf->lock, flags);
}

int mock_pf_set_media(struct mock_pf *pf, unsigned int vf, u64 offset,
		      const void *buf, size_t len)
{
	unsigned long flags;
	bool ok;

	spin_lock_irqsave(&pf->lock, flags);
	ok = fw_media_write(pf->fw, pf->fw->vf[vf], offset, buf, len);
	spin_unlock_irqrestore(&pf->lock, flags);
	return ok ? 0 : -ENOMEM;
}

void mock_pf_get_media(struct mock_pf *pf, unsigned int vf, u64 offset,
		       void *buf, size_t len)
{
	unsigned long flags;

	spin_lock_irqsave(&pf->lock, flags);
	fw_media_read(pf->fw->vf[vf], offset, buf, len);
	spin_unlock_irqrestore(&pf->lock, flags);
}
