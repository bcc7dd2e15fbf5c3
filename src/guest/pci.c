// SPDX-License-Identifier: GPL-2.0-only
/*
 * lmf_blk: comes and goes with the PCI function, and follows what happens to
 * it: reset, suspend, bus error, shutdown, surprise removal.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "lmf_blk.h"

static int lmf_pci_map(struct lmf_blk *blk)
{
	struct pci_dev *pdev = blk->pdev;
	int err;

	err = pcim_enable_device(pdev);
	if (err)
		return err;
	if (pci_resource_len(pdev, LMF_VF_BAR) < LMF_VF_BAR_BYTES) {
		dev_err(&pdev->dev, "BAR %d is too short\n", LMF_VF_BAR);
		return -ENODEV;
	}
	blk->bar = pcim_iomap_region(pdev, LMF_VF_BAR, "lmf_blk");
	if (IS_ERR(blk->bar))
		return PTR_ERR(blk->bar);
	return dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
}

/* The disk is dead after it, or live: adding it reads the partition table. */
static int lmf_pci_add_disk(struct lmf_blk *blk)
{
	int err;

	err = lmf_ctrl_start(blk);
	if (!err)
		err = lmf_disk_add(blk);
	if (err)
		lmf_ctrl_disable(blk);
	return err;
}

static int lmf_pci_set_up(struct lmf_blk *blk)
{
	int err;

	err = lmf_pci_map(blk);
	if (!err)
		err = lmf_ctrl_identify(blk);
	if (!err)
		err = lmf_queues_alloc(blk);
	if (err)
		return err;
	err = lmf_disk_alloc(blk);
	if (err)
		goto free_queues;
	err = lmf_pci_add_disk(blk);
	if (err)
		goto abandon_disk;
	return 0;

abandon_disk:
	lmf_disk_abandon(blk);
free_queues:
	lmf_queues_free(blk);
	return err;
}

static int lmf_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct lmf_blk *blk;
	int err;

	blk = lmf_blk_create(pdev);
	if (!blk)
		return -ENOMEM;
	lmf_ctrl_init(blk);
	pci_set_drvdata(pdev, blk);
	err = lmf_pci_set_up(blk);
	if (err) {
		lmf_blk_destroy(blk);
		return err;
	}
	/* For the slot reset after a bus error. */
	pci_save_state(pdev);
	return 0;
}

static void lmf_pci_remove(struct pci_dev *pdev)
{
	struct lmf_blk *blk = pci_get_drvdata(pdev);

	lmf_ctrl_leave(blk);
	lmf_disk_del(blk);
	lmf_ctrl_disable(blk);
	lmf_queues_free(blk);
	lmf_disk_put(blk);
}

/* Kexec hands the memory to others: no DMA may be left behind. */
static void lmf_pci_shutdown(struct pci_dev *pdev)
{
	lmf_ctrl_kill(pci_get_drvdata(pdev));
}

static void lmf_pci_reset_prepare(struct pci_dev *pdev)
{
	lmf_ctrl_suspend(pci_get_drvdata(pdev));
}

static void lmf_pci_reset_done(struct pci_dev *pdev)
{
	lmf_ctrl_start(pci_get_drvdata(pdev));
}

static pci_ers_result_t lmf_pci_error_detected(struct pci_dev *pdev,
					       pci_channel_state_t state)
{
	struct lmf_blk *blk = pci_get_drvdata(pdev);

	switch (state) {
	case pci_channel_io_normal:
		return PCI_ERS_RESULT_CAN_RECOVER;
	case pci_channel_io_frozen:
		lmf_ctrl_suspend(blk);
		return PCI_ERS_RESULT_NEED_RESET;
	default:
		lmf_ctrl_kill(blk);
		return PCI_ERS_RESULT_DISCONNECT;
	}
}

static pci_ers_result_t lmf_pci_slot_reset(struct pci_dev *pdev)
{
	pci_restore_state(pdev);
	if (lmf_ctrl_start(pci_get_drvdata(pdev)))
		return PCI_ERS_RESULT_DISCONNECT;
	return PCI_ERS_RESULT_RECOVERED;
}

static const struct pci_error_handlers lmf_pci_err_handlers = {
	.error_detected = lmf_pci_error_detected,
	.slot_reset = lmf_pci_slot_reset,
	.reset_prepare = lmf_pci_reset_prepare,
	.reset_done = lmf_pci_reset_done,
};

static int lmf_pci_suspend(struct device *dev)
{
	lmf_ctrl_suspend(dev_get_drvdata(dev));
	return 0;
}

/* Returns 0 also for a disk that is dead now: the system goes on without. */
static int lmf_pci_resume(struct device *dev)
{
	lmf_ctrl_start(dev_get_drvdata(dev));
	return 0;
}

static DEFINE_SIMPLE_DEV_PM_OPS(lmf_pci_pm_ops, lmf_pci_suspend,
				lmf_pci_resume);

static const struct pci_device_id lmf_pci_ids[] = {
	{ PCI_DEVICE(LMF_PCI_VENDOR, LMF_PCI_DEVICE_VF) },
	{ }
};
MODULE_DEVICE_TABLE(pci, lmf_pci_ids);

static struct pci_driver lmf_pci_driver = {
	.name = "lmf_blk",
	.id_table = lmf_pci_ids,
	.probe = lmf_pci_probe,
	.remove = lmf_pci_remove,
	.shutdown = lmf_pci_shutdown,
	.err_handler = &lmf_pci_err_handlers,
	.driver.pm = pm_sleep_ptr(&lmf_pci_pm_ops),
};

static int __init lmf_pci_init(void)
{
	int err;

	err = lmf_ctrl_module_init();
	if (err)
		return err;
	err = pci_register_driver(&lmf_pci_driver);
	if (err)
		lmf_ctrl_module_exit();
	return err;
}

static void __exit lmf_pci_exit(void)
{
	pci_unregister_driver(&lmf_pci_driver);
	lmf_ctrl_module_exit();
}

module_init(lmf_pci_init);
module_exit(lmf_pci_exit);

MODULE_DESCRIPTION("Block driver for LMF virtual functions");
MODULE_LICENSE("GPL");
