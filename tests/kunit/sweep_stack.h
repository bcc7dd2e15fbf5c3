/* SPDX-License-Identifier: GPL-2.0-only */
/* What sweep_stack.c wants of those who use it: a bus. */
#ifndef LMF_SWEEP_STACK_H
#define LMF_SWEEP_STACK_H

struct lmf_vf;
struct lmf_vf_notify;
struct pci_dev;
struct vfio_device;

struct lmf_vf *sweep_vf_get(struct pci_dev *pdev,
			    const struct lmf_vf_notify *notify, void *priv);
void sweep_vf_reset(struct vfio_device *vdev);

#endif
