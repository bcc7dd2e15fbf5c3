// SPDX-License-Identifier: GPL-2.0-only
/*
 * lmf.ko on PCI: the driver of LMF physical functions.
 *
 * It drives nothing but the admin queue. The VFs are for lmf-vfio-pci, which
 * comes here through include/linux/lmf.h and imports the namespace LMF, or for
 * a driver that knows nothing of migration.
 *
 * A VF's driver may use the PF for as long as it is bound: pci_disable_sriov()
 * returns when all of them are gone, and it is the first thing that
 * lmf_remove() does.
 */
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "compat.h"
#include "lmf_core.h"

/**
 * struct lmf_pci - a PF on PCI
 * @pdev: it
 * @bar: BAR 0
 * @core: all the rest
 */
struct lmf_pci {
	struct pci_dev *pdev;
	void __iomem *bar;
	struct lmf_core *core;
};

static u32 lmf_pci_read(void *ctx, u32 offset)
{
	struct lmf_pci *lp = ctx;

	return ioread32(lp->bar + offset);
}

static void lmf_pci_write(void *ctx, u32 offset, u32 value)
{
	struct lmf_pci *lp = ctx;

	iowrite32(value, lp->bar + offset);
}

static const struct lmf_io_ops lmf_pci_io_ops = {
	.read = lmf_pci_read,
	.write = lmf_pci_write,
};

static irqreturn_t lmf_admin_irq(int irq, void *core)
{
	lmf_aq_poll(core);
	return IRQ_HANDLED;
}

static irqreturn_t lmf_event_irq(int irq, void *core)
{
	lmf_aeq_poll(core);
	return IRQ_HANDLED;
}

static void lmf_free_irqs(struct lmf_pci *lp)
{
	pci_free_irq(lp->pdev, LMF_PF_VECTOR_EVENT, lp->core);
	pci_free_irq(lp->pdev, LMF_PF_VECTOR_ADMIN, lp->core);
	pci_free_irq_vectors(lp->pdev);
}

static int lmf_request_irqs(struct lmf_pci *lp)
{
	struct pci_dev *pdev = lp->pdev;
	int err;

	err = pci_alloc_irq_vectors(pdev, LMF_PF_VECTORS, LMF_PF_VECTORS,
				    PCI_IRQ_MSIX);
	if (err < 0)
		return err;
	err = pci_request_irq(pdev, LMF_PF_VECTOR_ADMIN, lmf_admin_irq, NULL,
			      lp->core, "lmf-admin-%s", pci_name(pdev));
	if (err)
		goto err_vectors;
	err = pci_request_irq(pdev, LMF_PF_VECTOR_EVENT, NULL, lmf_event_irq,
			      lp->core, "lmf-event-%s", pci_name(pdev));
	if (err)
		goto err_admin;
	return 0;

err_admin:
	pci_free_irq(pdev, LMF_PF_VECTOR_ADMIN, lp->core);
err_vectors:
	pci_free_irq_vectors(pdev);
	return err;
}

static int lmf_map(struct lmf_pci *lp)
{
	struct pci_dev *pdev = lp->pdev;
	int err;

	if (pci_resource_len(pdev, LMF_PF_BAR) < LMF_PF_BAR_BYTES) {
		dev_err(&pdev->dev, "BAR %d is too short\n", LMF_PF_BAR);
		return -ENODEV;
	}
	err = pci_enable_device_mem(pdev);
	if (err)
		return err;
	err = pci_request_region(pdev, LMF_PF_BAR, KBUILD_MODNAME);
	if (err)
		goto err_disable;
	lp->bar = pci_iomap(pdev, LMF_PF_BAR, LMF_PF_BAR_BYTES);
	if (lp->bar)
		return 0;
	err = -ENOMEM;
	pci_release_region(pdev, LMF_PF_BAR);
err_disable:
	pci_disable_device(pdev);
	return err;
}

static void lmf_unmap(struct lmf_pci *lp)
{
	pci_iounmap(lp->pdev, lp->bar);
	pci_release_region(lp->pdev, LMF_PF_BAR);
	pci_disable_device(lp->pdev);
}

/* Stop the device; what it may still write stays where it is. */
static void lmf_halt(struct lmf_pci *lp)
{
	bool stopped = lmf_core_stop(lp->core);

	pci_clear_master(lp->pdev);
	lmf_free_irqs(lp);
	lmf_core_destroy(lp->core, stopped);
}

static int lmf_bring_up(struct lmf_pci *lp)
{
	struct pci_dev *pdev = lp->pdev;
	int err;

	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (err)
		return err;
	/* An element of a data buffer holds any length. */
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	lp->core = lmf_core_create(&pdev->dev, &lmf_pci_io_ops, lp);
	if (IS_ERR(lp->core))
		return PTR_ERR(lp->core);
	err = lmf_request_irqs(lp);
	if (err) {
		lmf_core_destroy(lp->core, true);
		return err;
	}
	pci_set_master(pdev);
	err = lmf_core_start(lp->core);
	if (err)
		lmf_halt(lp);
	return err;
}

static int lmf_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct lmf_pci *lp = kzalloc(sizeof(*lp), GFP_KERNEL);
	int err;

	if (!lp)
		return -ENOMEM;
	lp->pdev = pdev;
	err = lmf_map(lp);
	if (err)
		goto err_free;
	err = lmf_bring_up(lp);
	if (err)
		goto err_unmap;
	pci_set_drvdata(pdev, lp);
	/* For lmf_slot_reset(). */
	pci_save_state(pdev);
	return 0;

err_unmap:
	lmf_unmap(lp);
err_free:
	kfree(lp);
	return dev_err_probe(&pdev->dev, err, "cannot be used\n");
}

static void lmf_remove(struct pci_dev *pdev)
{
	struct lmf_pci *lp = pci_get_drvdata(pdev);

	pci_disable_sriov(pdev);
	lmf_halt(lp);
	lmf_unmap(lp);
	kfree(lp);
}

struct lmf_core *lmf_pci_core(struct pci_dev *pdev)
{
	struct lmf_pci *lp = pci_get_drvdata(pdev);

	return lp->core;
}

static int lmf_sriov_configure(struct pci_dev *pdev, int nvfs)
{
	struct lmf_pci *lp = pci_get_drvdata(pdev);
	int err;

	if (!nvfs) {
		pci_disable_sriov(pdev);
		return 0;
	}
	if (!lmf_core_wait_up(lp->core))
		return -ENOTCONN;
	if (nvfs > lp->core->nfuncs)
		return -EINVAL;
	err = pci_enable_sriov(pdev, nvfs);
	return err ?: nvfs;
}

static void lmf_reset_prepare(struct pci_dev *pdev)
{
	struct lmf_pci *lp = pci_get_drvdata(pdev);

	lmf_core_reset_prepare(lp->core);
}

static void lmf_reset_done(struct pci_dev *pdev)
{
	struct lmf_pci *lp = pci_get_drvdata(pdev);

	/* For lmf_slot_reset(); a reset has used up what was saved before. */
	pci_save_state(pdev);
	lmf_core_reset_done(lp->core);
}

static pci_ers_result_t lmf_error_detected(struct pci_dev *pdev,
					   pci_channel_state_t state)
{
	if (state == pci_channel_io_normal)
		return PCI_ERS_RESULT_CAN_RECOVER;
	lmf_reset_prepare(pdev);
	return state == pci_channel_io_frozen ? PCI_ERS_RESULT_NEED_RESET :
						PCI_ERS_RESULT_DISCONNECT;
}

static pci_ers_result_t lmf_slot_reset(struct pci_dev *pdev)
{
	/* Another function may have asked for the reset, not we. */
	lmf_reset_prepare(pdev);
	pci_restore_state(pdev);
	pci_save_state(pdev);
	return PCI_ERS_RESULT_RECOVERED;
}

static const struct pci_error_handlers lmf_err_handlers = {
	.error_detected = lmf_error_detected,
	.slot_reset = lmf_slot_reset,
	.resume = lmf_reset_done,
	.reset_prepare = lmf_reset_prepare,
	.reset_done = lmf_reset_done,
};

static const struct pci_device_id lmf_ids[] = {
	{ PCI_DEVICE(LMF_PCI_VENDOR, LMF_PCI_DEVICE_PF) },
	{ }
};
MODULE_DEVICE_TABLE(pci, lmf_ids);

static struct pci_driver lmf_pf_driver = {
	.name = KBUILD_MODNAME,
	.id_table = lmf_ids,
	.probe = lmf_probe,
	.remove = lmf_remove,
	.sriov_configure = lmf_sriov_configure,
	.dev_groups = lmf_pf_groups,
	.err_handler = &lmf_err_handlers,
};
module_pci_driver(lmf_pf_driver);

struct lmf_vf *lmf_vf_get(struct pci_dev *pdev,
			  const struct lmf_vf_notify *notify, void *priv)
{
	struct lmf_pci *lp = pci_iov_get_pf_drvdata(pdev, &lmf_pf_driver);
	int id = pci_iov_vf_id(pdev);

	if (IS_ERR_OR_NULL(lp) || id < 0)
		return ERR_PTR(-EOPNOTSUPP);
	return lmf_vf_open(lp->core, id, notify, priv);
}
EXPORT_SYMBOL_LMF(lmf_vf_get);

MODULE_DESCRIPTION("LMF physical function driver");
MODULE_LICENSE("GPL");
