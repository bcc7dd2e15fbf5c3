// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The physical function: the PCI function with its SR-IOV capability, and the
 * properties. VFs have no properties of their own; all are alike.
 *
 * It runs in the outer machine of a test bed, which is never migrated itself.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "hw/pci/msix.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_aer.h"
#include "hw/pci/pcie_sriov.h"
#include "hw/qdev-properties.h"
#include "migration/vmstate.h"
#include "lmf-dev.h"

#define LMF_CAP_AER	0x100	/* QEMU wants an extended capability here */
#define LMF_CAP_ARI	0x150
#define LMF_CAP_SRIOV	0x160
#define LMF_VF_OFFSET	0x80
#define LMF_VF_STRIDE	2
#define LMF_VF_MSIX_BYTES	4096	/* of msix_init_exclusive_bar() */

/* What PF and VF have in common. */
bool lmf_pcie_init(PCIDevice *dev, unsigned int vectors, int msix_bar,
		   Error **errp)
{
	unsigned int i;

	if (msix_init_exclusive_bar(dev, vectors, msix_bar, errp))
		return false;
	for (i = 0; i < vectors; i++)
		msix_vector_use(dev, i);
	if (pcie_endpoint_cap_init(dev, 0) < 0) {
		error_setg(errp, "lmf: no room for the PCIe capability");
		msix_uninit_exclusive_bar(dev);
		return false;
	}
	pcie_cap_flr_init(dev);
	if (pcie_aer_init(dev, PCI_ERR_VER, LMF_CAP_AER, PCI_ERR_SIZEOF,
			  errp) < 0) {
		pcie_cap_exit(dev);
		msix_uninit_exclusive_bar(dev);
		return false;
	}
	pcie_ari_init(dev, LMF_CAP_ARI);
	return true;
}

void lmf_pcie_exit(PCIDevice *dev)
{
	pcie_aer_exit(dev);
	pcie_cap_exit(dev);
	msix_unuse_all_vectors(dev);
	msix_uninit_exclusive_bar(dev);
}

void lmf_pcie_write_config(PCIDevice *dev, uint32_t addr, uint32_t val,
			   int len)
{
	pci_default_write_config(dev, addr, val, len);
	pcie_aer_write_config(dev, addr, val, len);
	pcie_cap_flr_write_config(dev, addr, val, len);
}

static bool lmf_pf_init_sriov(LmfPf *pf, Error **errp)
{
	PCIDevice *dev = PCI_DEVICE(pf);
	uint16_t vfs = pf->config.vfs;

	/* This realizes the VFs: the PF must be ready for them. */
	if (!pcie_sriov_pf_init(dev, LMF_CAP_SRIOV, TYPE_LMF_VF,
				LMF_PCI_DEVICE_VF, vfs, vfs, LMF_VF_OFFSET,
				LMF_VF_STRIDE, errp))
		return false;
	pcie_sriov_pf_init_vf_bar(dev, LMF_VF_BAR,
				  PCI_BASE_ADDRESS_SPACE_MEMORY,
				  LMF_VF_BAR_BYTES);
	pcie_sriov_pf_init_vf_bar(dev, LMF_VF_MSIX_BAR,
				  PCI_BASE_ADDRESS_SPACE_MEMORY,
				  LMF_VF_MSIX_BYTES);
	return true;
}

static void lmf_pf_realize(PCIDevice *dev, Error **errp)
{
	LmfPf *pf = LMF_PF(dev);

	if (!lmf_bridge_create(pf, errp))
		return;
	lmf_bridge_bar(dev, &pf->bar, pf, LMF_FW_PF, LMF_PF_BAR_BYTES);
	pci_register_bar(dev, LMF_PF_BAR, PCI_BASE_ADDRESS_SPACE_MEMORY,
			 &pf->bar.region);
	if (!lmf_pcie_init(dev, LMF_PF_VECTORS, LMF_PF_MSIX_BAR, errp)) {
		lmf_bridge_destroy(pf);
		return;
	}
	pcie_cap_deverr_init(dev);
	if (!lmf_pf_init_sriov(pf, errp)) {
		lmf_pcie_exit(dev);
		lmf_bridge_destroy(pf);
	}
}

static void lmf_pf_exit(PCIDevice *dev)
{
	pcie_sriov_pf_exit(dev);
	lmf_pcie_exit(dev);
	lmf_bridge_destroy(LMF_PF(dev));
}

static void lmf_pf_reset_hold(Object *obj, ResetType type)
{
	pcie_cap_deverr_reset(PCI_DEVICE(obj));
	lmf_bridge_reset(LMF_PF(obj), LMF_FW_PF);
}

static char *lmf_pf_get_fault(Object *obj, Error **errp)
{
	LmfPf *pf = LMF_PF(obj);

	return g_strdup(pf->fault ? pf->fault : "");
}

/* Before realize there is no firmware to judge the value: it is kept. */
static void lmf_pf_set_fault(Object *obj, const char *value, Error **errp)
{
	LmfPf *pf = LMF_PF(obj);

	if (qdev_is_realized(DEVICE(obj)) &&
	    !lmf_bridge_fault(pf, value, errp))
		return;
	g_free(pf->fault);
	pf->fault = g_strdup(value);
}

static void lmf_pf_append_stats(LmfPf *pf, unsigned int vf, GString *out)
{
	struct lmf_fw_stats st;

	lmf_fw_stats(pf->fw, vf, &st);
	g_string_append_printf(out, "%s{\"dma_write_bytes\": %" PRIu64
		", \"log_granules\": %" PRIu64 ", \"log_entries\": %" PRIu64
		", \"log_overflows\": %" PRIu64 ", \"log_lost\": %" PRIu64
		", \"resets\": %" PRIu64 ", \"media_allocated\": %" PRIu64
		", \"irqs\": %" PRIu64 ", \"requests\": %" PRIu64 "}", vf ? ", " : "",
		st.dma_write_bytes, st.log_granules, st.log_entries,
		st.log_overflows, st.log_lost, st.resets, st.media_allocated,
		st.irqs, st.requests);
}

static char *lmf_pf_get_stats(Object *obj, Error **errp)
{
	LmfPf *pf = LMF_PF(obj);
	GString *out = g_string_new("[");
	unsigned int vf;

	for (vf = 0; pf->fw && vf < pf->config.vfs; vf++)
		lmf_pf_append_stats(pf, vf, out);
	g_string_append_c(out, ']');
	return g_string_free(out, false);
}

static const Property lmf_pf_properties[] = {
	DEFINE_PROP_UINT32("vfs", LmfPf, config.vfs, 8),
	DEFINE_PROP_UINT32("queues", LmfPf, config.queues, 4),
	DEFINE_PROP_UINT32("entries", LmfPf, config.entries, 256),
	DEFINE_PROP_SIZE("media-size", LmfPf, config.media_bytes, 64 * MiB),
	DEFINE_PROP_UINT32("log-entries", LmfPf, config.log_entries, 65536),
	DEFINE_PROP_UINT32("log-post-delay", LmfPf, post_delay_us, 0),
	DEFINE_PROP_BOOL("migrate", LmfPf, config.migrate, true),
	DEFINE_PROP_BOOL("log", LmfPf, config.log, true),
	DEFINE_PROP_UINT32("version", LmfPf, config.version, 0),
	DEFINE_PROP_UINT64("seed", LmfPf, config.seed, 0),
};

static const VMStateDescription lmf_pf_vmstate = {
	.name = TYPE_LMF_PF,
	.unmigratable = 1,
};

static void lmf_pf_add_text_properties(ObjectClass *class)
{
	const char *fault = "NAME=VALUE;... hooks, or none to clear them all";
	const char *stats = "what happened to each VF, as JSON";

	object_class_property_add_str(class, "fault", lmf_pf_get_fault,
				      lmf_pf_set_fault);
	object_class_property_set_description(class, "fault", fault);
	object_class_property_add_str(class, "stats", lmf_pf_get_stats, NULL);
	object_class_property_set_description(class, "stats", stats);
}

static void lmf_pf_class_init(ObjectClass *class, void *data)
{
	DeviceClass *dc = DEVICE_CLASS(class);
	PCIDeviceClass *pc = PCI_DEVICE_CLASS(class);

	pc->realize = lmf_pf_realize;
	pc->exit = lmf_pf_exit;
	pc->config_write = lmf_pcie_write_config;
	pc->vendor_id = LMF_PCI_VENDOR;
	pc->device_id = LMF_PCI_DEVICE_PF;
	pc->class_id = PCI_CLASS_STORAGE_OTHER;
	RESETTABLE_CLASS(class)->phases.hold = lmf_pf_reset_hold;
	dc->desc = "Live-migratable PCI function";
	dc->vmsd = &lmf_pf_vmstate;
	set_bit(DEVICE_CATEGORY_STORAGE, dc->categories);
	device_class_set_props(dc, lmf_pf_properties);
	lmf_pf_add_text_properties(class);
}

static void lmf_pf_finalize(Object *obj)
{
	g_free(LMF_PF(obj)->fault);
}

static const TypeInfo lmf_pf_type = {
	.name = TYPE_LMF_PF,
	.parent = TYPE_PCI_DEVICE,
	.instance_size = sizeof(LmfPf),
	.instance_finalize = lmf_pf_finalize,
	.class_init = lmf_pf_class_init,
	.interfaces = (InterfaceInfo[]) {
		{ INTERFACE_PCIE_DEVICE },
		{ },
	},
};

static void lmf_pf_register(void)
{
	type_register_static(&lmf_pf_type);
}
type_init(lmf_pf_register)
