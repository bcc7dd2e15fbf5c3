/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMFCTL_SRIOV_H
#define LMFCTL_SRIOV_H

#include "function.h"

bool lmf_can_scrub(const struct lmf_function *f);
int lmf_scrub(const struct lmf_function *f);
int lmf_set_vfs(struct lmf_function *pf, unsigned int vfs);

#endif
