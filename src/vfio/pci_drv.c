// SPDX-License-Identifier: GPL-2.0-only
/*
 * lmf-vfio-pci: the module and its life on the PCI bus.
 *
 * The vfio device is complete before it is registered, and what it took is
 * given back only after it was unregistered, that is, after it was closed.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/vfio.h>

#include "compat.h"
#include "lmf_ids.h"
#include "lmf_vfio.h"

LMF_DEFINE_PCI_OPS;

static struct lmf_vfio_device *lmf_vfio_drvdata(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *core = dev_get_drvdata(&pdev->dev);

	return container_of(core, struct lmf_vfio_device, core);
}

static int lmf_vfio_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct lmf_vfio_device *dev;
	int ret;

	dev = vfio_alloc_device(lmf_vfio_device, core.vdev, &pdev->dev,
				&lmf_vfio_ops);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	dev_set_drvdata(&pdev->dev, &dev->core);
	LMF_SET_PCI_OPS(dev->core);

	ret = lmf_vfio_setup(dev, pdev);
	if (ret)
		goto err_put;
	ret = vfio_pci_core_register_device(&dev->core);
	if (ret)
		goto err_teardown;
	return 0;

err_teardown:
	lmf_vfio_teardown(dev);
err_put:
	vfio_put_device(&dev->core.vdev);
	return ret;
}

static void lmf_vfio_remove(struct pci_dev *pdev)
{
	struct lmf_vfio_device *dev = lmf_vfio_drvdata(pdev);

	vfio_pci_core_unregister_device(&dev->core);
	lmf_vfio_teardown(dev);
	vfio_put_device(&dev->core.vdev);
}

static void lmf_vfio_reset_done(struct pci_dev *pdev)
{
	struct lmf_vfio_device *dev = lmf_vfio_drvdata(pdev);

	if (dev->vf)
		lmf_migration_reset_done(dev);
}

static const struct pci_error_handlers lmf_vfio_err_handlers = {
	.reset_done = lmf_vfio_reset_done,
	.error_detected = vfio_pci_core_aer_err_detected,
};

static const struct pci_device_id lmf_vfio_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(LMF_PCI_VENDOR, LMF_PCI_DEVICE_VF) },
	{ }
};
MODULE_DEVICE_TABLE(pci, lmf_vfio_ids);

static struct pci_driver lmf_vfio_driver = {
	.name = KBUILD_MODNAME,
	.id_table = lmf_vfio_ids,
	.probe = lmf_vfio_probe,
	.remove = lmf_vfio_remove,
	.dev_groups = lmf_vfio_groups,
	.err_handler = &lmf_vfio_err_handlers,
	.driver_managed_dma = true,
};
module_pci_driver(lmf_vfio_driver);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("VFIO PCI driver for the VFs of LMF devices");
LMF_IMPORT_NS(LMF);
LMF_IMPORT_NS(IOMMUFD);
