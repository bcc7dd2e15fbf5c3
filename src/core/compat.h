/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that lmf.ko builds against.
 *
 * Our symbols are for our own VF driver: whoever uses them says so by
 * importing the namespace LMF.
 */
#ifndef LMF_CORE_COMPAT_H
#define LMF_CORE_COMPAT_H

#include <linux/export.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define EXPORT_SYMBOL_LMF(sym) EXPORT_SYMBOL_NS_GPL(sym, LMF)
#else
#define EXPORT_SYMBOL_LMF(sym) EXPORT_SYMBOL_NS_GPL(sym, "LMF")
#endif

#endif
