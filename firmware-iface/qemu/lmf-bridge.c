// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Between QEMU and the firmware: calls into it, and its operations.
 *
 * The firmware must not be entered again from one of its own operations. A
 * guest can provoke that: a DMA, an MSI-X message or an IOMMU fault message may
 * be aimed at an LMF BAR, or at the config space, where it starts an FLR. So
 * every call enters through lmf_enter(); an access that comes meanwhile fails,
 * and a reset that comes meanwhile is delivered when the call ends.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/log.h"
#include "hw/pci/msix.h"
#include "lmf-dev.h"

/*
 * Between two runs the main loop must sleep, however shortly, or vCPUs that
 * wait for the BQL starve. It also bounds a round of QEMU's timers.
 */
#define LMF_RUN_GAP_NS	1000

static PCIDevice *lmf_function(LmfPf *pf, int fn)
{
	return fn == LMF_FW_PF ? PCI_DEVICE(pf) : PCI_DEVICE(pf->vf[fn]);
}

/* Fails without bus mastering, or where the IOMMU allows nothing. */
static int lmf_dma(LmfPf *pf, int fn, uint64_t addr, void *buf, size_t len,
		   DMADirection direction)
{
	return pci_dma_rw(lmf_function(pf, fn), addr, buf, len, direction,
			  MEMTXATTRS_UNSPECIFIED) != MEMTX_OK;
}

static int lmf_op_dma_read(void *ctx, int fn, uint64_t addr, void *buf,
			   size_t len)
{
	return lmf_dma(ctx, fn, addr, buf, len, DMA_DIRECTION_TO_DEVICE);
}

static int lmf_op_dma_write(void *ctx, int fn, uint64_t addr, const void *buf,
			    size_t len)
{
	return lmf_dma(ctx, fn, addr, (void *)buf, len,
		       DMA_DIRECTION_FROM_DEVICE);
}

/* With MSI-X off or masked this stays pending, so that no vector is lost. */
static void lmf_op_irq(void *ctx, int fn, unsigned int vector)
{
	msix_notify(lmf_function(ctx, fn), vector);
}

static uint64_t lmf_op_now(void *ctx)
{
	return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

static void lmf_op_wake(void *ctx, uint64_t when)
{
	LmfPf *pf = ctx;

	if (when == LMF_FW_NEVER)
		timer_del(pf->timer);
	else
		timer_mod(pf->timer, MAX(MIN(when, INT64_MAX),
					 lmf_op_now(ctx) + LMF_RUN_GAP_NS));
}

static void *lmf_op_alloc(void *ctx, size_t bytes)
{
	return g_try_malloc0(bytes);
}

static void lmf_op_free(void *ctx, void *mem, size_t bytes)
{
	g_free(mem);
}

static void lmf_op_note(void *ctx, int fn, const char *what)
{
	PCIDevice *dev = lmf_function(ctx, fn);

	qemu_log_mask(LOG_GUEST_ERROR, "lmf %02x.%x: %s\n",
		      PCI_SLOT(dev->devfn), PCI_FUNC(dev->devfn), what);
}

static const struct lmf_fw_ops lmf_ops = {
	.dma_read = lmf_op_dma_read,
	.dma_write = lmf_op_dma_write,
	.irq = lmf_op_irq,
	.wake = lmf_op_wake,
	.now = lmf_op_now,
	.alloc = lmf_op_alloc,
	.free = lmf_op_free,
	.note = lmf_op_note,
};

static bool lmf_enter(LmfPf *pf)
{
	if (pf->busy || !pf->fw)
		return false;
	pf->busy = true;
	return true;
}

static void lmf_deliver_reset(LmfPf *pf, int fn)
{
	bool on;

	if (fn == LMF_FW_PF) {
		lmf_fw_reset(pf->fw, fn);
		return;
	}
	on = PCI_DEVICE(pf->vf[fn])->enabled;
	if (on != test_bit(fn, pf->up)) {
		change_bit(fn, pf->up);
		lmf_fw_vf_enable(pf->fw, fn, on);
	} else if (on) {
		lmf_fw_reset(pf->fw, fn);
	}
}

static void lmf_leave(LmfPf *pf)
{
	unsigned long bit;

	g_assert(pf->busy);
	for (;;) {
		bit = find_first_bit(pf->resets, LMF_FUNCTIONS);
		if (bit == LMF_FUNCTIONS)
			break;
		clear_bit(bit, pf->resets);
		lmf_deliver_reset(pf, (int)bit + LMF_FW_PF);
	}
	pf->busy = false;
}

static void lmf_run(void *opaque)
{
	LmfPf *pf = opaque;

	if (!lmf_enter(pf))
		return;
	lmf_fw_run(pf->fw);
	lmf_leave(pf);
}

static MemTxResult lmf_bar_read(void *opaque, hwaddr addr, uint64_t *data,
				unsigned int size, MemTxAttrs attrs)
{
	struct lmf_bar *bar = opaque;

	if (!lmf_enter(bar->pf))
		return MEMTX_ERROR;
	*data = lmf_fw_read(bar->pf->fw, bar->fn, addr, size);
	lmf_leave(bar->pf);
	return MEMTX_OK;
}

static MemTxResult lmf_bar_write(void *opaque, hwaddr addr, uint64_t data,
				 unsigned int size, MemTxAttrs attrs)
{
	struct lmf_bar *bar = opaque;

	if (!lmf_enter(bar->pf))
		return MEMTX_ERROR;
	lmf_fw_write(bar->pf->fw, bar->fn, addr, data, size);
	lmf_leave(bar->pf);
	return MEMTX_OK;
}

static const MemoryRegionOps lmf_bar_ops = {
	.read_with_attrs = lmf_bar_read,
	.write_with_attrs = lmf_bar_write,
	.endianness = DEVICE_LITTLE_ENDIAN,
	.valid = { .min_access_size = 4, .max_access_size = 8 },
	.impl = { .min_access_size = 4, .max_access_size = 8 },
};

void lmf_bridge_bar(PCIDevice *dev, struct lmf_bar *bar, LmfPf *pf, int fn,
		    uint64_t bytes)
{
	bar->pf = pf;
	bar->fn = fn;
	memory_region_init_io(&bar->region, OBJECT(dev), &lmf_bar_ops, bar,
			      "lmf-bar", bytes);
}

/* The function @fn was reset, or enabled, or disabled. */
void lmf_bridge_reset(LmfPf *pf, int fn)
{
	set_bit(LMF_FN_BIT(fn), pf->resets);
	if (lmf_enter(pf))
		lmf_leave(pf);
}

/* @specs: fault hooks as lmf_fw_fault() takes them, separated by ';'. */
bool lmf_bridge_fault(LmfPf *pf, const char *specs, Error **errp)
{
	g_auto(GStrv) spec = g_strsplit(specs, ";", -1);
	const char *wrong = NULL;
	int i;

	if (!lmf_enter(pf)) {
		error_setg(errp, "lmf: the device is gone");
		return false;
	}
	for (i = 0; spec[i] && !wrong; i++) {
		if (!*spec[i])
			continue;
		wrong = lmf_fw_fault(pf->fw, spec[i]);
		if (wrong)
			error_setg(errp, "lmf: fault '%s': %s", spec[i], wrong);
	}
	lmf_leave(pf);
	return !wrong;
}

static void lmf_blame_properties(Error **errp)
{
	error_setg(errp,
		   "lmf: out of memory, or a property out of range: vfs 1..%d, queues 1..%d, entries 2..1024 and log-entries 2..65536 powers of two, media-size a multiple of %d",
		   LMF_PF_VF_LIMIT, LMF_VF_QUEUE_LIMIT, LMF_MEDIA_GRANULE);
}

bool lmf_bridge_create(LmfPf *pf, Error **errp)
{
	pf->config.log_post_delay_ns = pf->post_delay_us * 1000ull;
	pf->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, lmf_run, pf);
	pf->fw = lmf_fw_create(&pf->config, &lmf_ops, pf);
	if (!pf->fw)
		lmf_blame_properties(errp);
	else if (!pf->fault || lmf_bridge_fault(pf, pf->fault, errp))
		return true;
	lmf_bridge_destroy(pf);
	return false;
}

void lmf_bridge_destroy(LmfPf *pf)
{
	if (pf->fw)
		lmf_fw_destroy(pf->fw);
	pf->fw = NULL;
	timer_free(pf->timer);
	pf->timer = NULL;
}
