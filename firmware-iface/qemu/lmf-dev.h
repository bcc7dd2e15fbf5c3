/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The QEMU device: a PF and its VFs around one instance of the firmware.
 *
 * lmf-bridge.c	calls into the firmware, and its operations
 * lmf-pf.c	the physical function, the properties
 * lmf-vf.c	a virtual function
 *
 * Everything here runs under the BQL, which is what makes the firmware's "one
 * context at a time" true.
 */
#ifndef LMF_DEV_H
#define LMF_DEV_H

#include "qemu/bitmap.h"
#include "qemu/timer.h"
#include "hw/pci/pci_device.h"
#include "../firmware/lmf_fw.h"

#define TYPE_LMF_PF	"lmf"
#define TYPE_LMF_VF	"lmf-vf"
OBJECT_DECLARE_SIMPLE_TYPE(LmfPf, LMF_PF)
OBJECT_DECLARE_SIMPLE_TYPE(LmfVf, LMF_VF)

/* Function numbers begin at LMF_FW_PF; bits in bitmaps at 0. */
#define LMF_FUNCTIONS	(LMF_PF_VF_LIMIT + 1)
#define LMF_FN_BIT(fn)	((fn) - LMF_FW_PF)

/**
 * struct lmf_bar - BAR 0 of a function
 * @pf: whose firmware answers
 * @fn: as which function
 */
struct lmf_bar {
	MemoryRegion region;
	LmfPf *pf;
	int fn;
};

/**
 * struct LmfPf - the physical function
 * @fw: NULL before realize and after unplug, which MMIO may outlive
 * @config: what @fw is made from; most of it is properties
 * @post_delay_us: property; @config wants ns
 * @fault: property, as it was last set
 * @timer: calls lmf_fw_run()
 * @vf: NULL while not realized
 * @up: VFs that the firmware was told are enabled
 * @busy: inside the firmware
 * @resets: functions that were reset and the firmware does not know yet
 */
struct LmfPf {
	PCIDevice parent;
	struct lmf_bar bar;
	struct lmf_fw *fw;
	struct lmf_fw_config config;
	uint32_t post_delay_us;
	char *fault;
	QEMUTimer *timer;
	LmfVf *vf[LMF_PF_VF_LIMIT];
	DECLARE_BITMAP(up, LMF_PF_VF_LIMIT);
	bool busy;
	DECLARE_BITMAP(resets, LMF_FUNCTIONS);
};

struct LmfVf {
	PCIDevice parent;
	struct lmf_bar bar;
};

bool lmf_bridge_create(LmfPf *pf, Error **errp);
void lmf_bridge_destroy(LmfPf *pf);
void lmf_bridge_bar(PCIDevice *dev, struct lmf_bar *bar, LmfPf *pf, int fn,
		    uint64_t bytes);
void lmf_bridge_reset(LmfPf *pf, int fn);
bool lmf_bridge_fault(LmfPf *pf, const char *specs, Error **errp);

bool lmf_pcie_init(PCIDevice *dev, unsigned int vectors, int msix_bar,
		   Error **errp);
void lmf_pcie_exit(PCIDevice *dev);
void lmf_pcie_write_config(PCIDevice *dev, uint32_t addr, uint32_t val,
			   int len);

#endif
