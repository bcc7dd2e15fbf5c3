// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an operator may ask of a PF: to scrub a VF, so that its next user finds
 * nothing of the last one. docs/sysfs-abi.md describes the file.
 *
 * A VF that has a driver is refused, be it a guest's or the host's: its media
 * would change under a user's feet. The lock of its device is held meanwhile,
 * so that no driver gets it before it is clean.
 */
#include <linux/device.h>
#include <linux/kstrtox.h>
#include <linux/pci.h>
#include <linux/sysfs.h>

#include "lmf_core.h"

/* With a reference, or NULL if it is not enabled. */
static struct pci_dev *lmf_find_vf(struct pci_dev *pf, u32 id)
{
	struct pci_dev *vf = NULL;

	do {
		vf = pci_get_device(pf->vendor, PCI_ANY_ID, vf);
	} while (vf && (!vf->is_virtfn || pci_physfn(vf) != pf ||
			pci_iov_vf_id(vf) != id));
	return vf;
}

static int lmf_scrub_unbound(struct lmf_core *core, struct pci_dev *vf,
			     u32 id)
{
	int err = -EBUSY;

	device_lock(&vf->dev);
	if (!vf->dev.driver)
		err = lmf_func_scrub(core, id);
	device_unlock(&vf->dev);
	return err;
}

static ssize_t scrub_vf_store(struct device *dev,
			      struct device_attribute *attr, const char *buf,
			      size_t count)
{
	struct pci_dev *pdev = to_pci_dev(dev);
	struct pci_dev *vf;
	u32 id;
	int err;

	err = kstrtou32(buf, 0, &id);
	if (err)
		return err;
	vf = lmf_find_vf(pdev, id);
	if (!vf)
		return -ENODEV;
	err = lmf_scrub_unbound(lmf_pci_core(pdev), vf, id);
	pci_dev_put(vf);
	return err ?: count;
}
static DEVICE_ATTR_WO(scrub_vf);

static struct attribute *lmf_pf_attrs[] = {
	&dev_attr_scrub_vf.attr,
	NULL
};

static const struct attribute_group lmf_pf_group = {
	.attrs = lmf_pf_attrs,
};

const struct attribute_group *lmf_pf_groups[] = {
	&lmf_pf_group,
	NULL
};
