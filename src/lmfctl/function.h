/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMFCTL_FUNCTION_H
#define LMFCTL_FUNCTION_H

#include "host.h"

#define LMF_BDF		24
#define LMF_DEVICE	"/sys/bus/pci/devices/%s"

/**
 * struct lmf_function - what the host says of a PCI function
 * @bdf: its address, with domain
 * @vendor: ID
 * @device: ID
 * @class: base and sub class
 * @bridge: not an ordinary function
 * @flr: it can be reset alone; false if its config space cannot be read
 * @msix: vectors, 0 likewise
 * @driver: bound to it, or ""
 * @override: its driver_override, or ""
 * @group: IOMMU group, -1 without
 * @vfio: name of its VFIO device, or "" if its driver is not of VFIO
 * @pf: of a VF, or ""
 * @pf_driver: driver of @pf, or ""
 * @index: of a VF, from 0; else -1
 * @total_vfs: that a PF can have
 * @num_vfs: that it has
 * @counters: its driver shows counters of migration
 * @vfio_migration: VFIO knows it as one that migrates
 * @log_offered: what its driver says of a log of dirty pages, or ""
 */
struct lmf_function {
	char bdf[LMF_BDF];
	uint16_t vendor;
	uint16_t device;
	uint16_t class;
	bool bridge;
	bool flr;
	unsigned int msix;
	char driver[LMF_TEXT];
	char override[LMF_TEXT];
	int group;
	char vfio[LMF_TEXT];
	char pf[LMF_BDF];
	char pf_driver[LMF_TEXT];
	int index;
	unsigned int total_vfs;
	unsigned int num_vfs;
	bool counters;
	bool vfio_migration;
	char log_offered[LMF_TEXT];
};

int lmf_bdf_parse(const char *text, char *bdf);
int lmf_function_pick(const struct lmf_function *all, size_t count,
		      const char *text, const struct lmf_function **f);
int lmf_function_find(const char *text, struct lmf_function *f);
int lmf_functions(struct lmf_function **all, size_t *count);
void lmf_function_refresh(struct lmf_function *f);
int lmf_vf_bdf(const char *pf, unsigned int index, char *bdf);

#endif
