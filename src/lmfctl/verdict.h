/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMFCTL_VERDICT_H
#define LMFCTL_VERDICT_H

#include "function.h"

/* Names of our two drivers, as sysfs has them. */
#define LMF_DRIVER_PF	"lmf"
#define LMF_DRIVER_VF	"lmf_vfio_pci"

enum lmf_migratable {
	LMF_MIGRATABLE_NO,
	LMF_MIGRATABLE_YES,
	LMF_MIGRATABLE_UNKNOWN,
};

/**
 * struct lmf_verdict - can a function migrate?
 * @migratable: answer
 * @why: a reason and a remedy, for people; "" with a plain yes
 */
struct lmf_verdict {
	enum lmf_migratable migratable;
	char why[192];
};

void lmf_verdict(const struct lmf_function *f, struct lmf_verdict *v);
const char *lmf_migratable_name(enum lmf_migratable migratable);

#endif
