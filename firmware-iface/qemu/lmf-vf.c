// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A virtual function: a PCI function that exists from the PF's realize on and
 * shows itself while VF Enable and NumVFs say so.
 */
#include "qemu/osdep.h"
#include "migration/vmstate.h"
#include "hw/pci/pcie_sriov.h"
#include "lmf-dev.h"

static void lmf_vf_realize(PCIDevice *dev, Error **errp)
{
	LmfVf *vf = LMF_VF(dev);
	LmfPf *pf = LMF_PF(pcie_sriov_get_pf(dev));
	uint16_t number = pcie_sriov_vf_number(dev);

	lmf_bridge_bar(dev, &vf->bar, pf, number, LMF_VF_BAR_BYTES);
	/* An access that began before unplug may end after the PF's exit. */
	object_ref(OBJECT(pf));
	pci_register_bar(dev, LMF_VF_BAR, PCI_BASE_ADDRESS_SPACE_MEMORY,
			 &vf->bar.region);
	if (lmf_pcie_init(dev, pf->config.queues, LMF_VF_MSIX_BAR, errp))
		pf->vf[number] = vf;
}

static void lmf_vf_exit(PCIDevice *dev)
{
	LmfVf *vf = LMF_VF(dev);

	vf->bar.pf->vf[vf->bar.fn] = NULL;
	lmf_pcie_exit(dev);
}

static void lmf_vf_finalize(Object *obj)
{
	LmfVf *vf = LMF_VF(obj);

	if (vf->bar.pf)
		object_unref(OBJECT(vf->bar.pf));
}

/* FLR, VF Enable on and off, reset of the PF and of the bus all end here. */
static void lmf_vf_reset_hold(Object *obj, ResetType type)
{
	LmfVf *vf = LMF_VF(obj);

	lmf_bridge_reset(vf->bar.pf, vf->bar.fn);
}

static void lmf_vf_class_init(ObjectClass *class, void *data)
{
	DeviceClass *dc = DEVICE_CLASS(class);
	PCIDeviceClass *pc = PCI_DEVICE_CLASS(class);

	pc->realize = lmf_vf_realize;
	pc->exit = lmf_vf_exit;
	pc->config_write = lmf_pcie_write_config;
	pc->vendor_id = LMF_PCI_VENDOR;
	pc->device_id = LMF_PCI_DEVICE_VF;
	pc->class_id = PCI_CLASS_STORAGE_OTHER;
	RESETTABLE_CLASS(class)->phases.hold = lmf_vf_reset_hold;
	dc->desc = "Virtual function of lmf";
	dc->user_creatable = false;
	set_bit(DEVICE_CATEGORY_STORAGE, dc->categories);
}

static const TypeInfo lmf_vf_type = {
	.name = TYPE_LMF_VF,
	.parent = TYPE_PCI_DEVICE,
	.instance_size = sizeof(LmfVf),
	.instance_finalize = lmf_vf_finalize,
	.class_init = lmf_vf_class_init,
	.interfaces = (InterfaceInfo[]) {
		{ INTERFACE_PCIE_DEVICE },
		{ },
	},
};

static void lmf_vf_register(void)
{
	type_register_static(&lmf_vf_type);
}
type_init(lmf_vf_register)
