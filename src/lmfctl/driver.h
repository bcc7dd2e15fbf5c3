/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMFCTL_DRIVER_H
#define LMFCTL_DRIVER_H

#include "function.h"

void lmf_driver_choose(const struct lmf_function *f, char *driver, size_t size);
int lmf_driver_bind(struct lmf_function *f, const char *driver);
int lmf_driver_unbind(struct lmf_function *f);

#endif
