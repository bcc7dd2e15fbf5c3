/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMFCTL_HOLDERS_H
#define LMFCTL_HOLDERS_H

#include "function.h"

int lmf_check_unused(const struct lmf_function *f);

#endif
