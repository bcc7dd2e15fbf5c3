/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that lmf.ko builds against; probe.sh finds
 * out. Macros only: in the tree, each use is replaced by what is meant there.
 *
 * Our symbols are for our own VF driver alone; where a kernel cannot see to
 * that, up to 6.16, whoever uses them says so by importing the namespace LMF.
 */
#ifndef LMF_CORE_COMPAT_H
#define LMF_CORE_COMPAT_H

#include <linux/export.h>

#ifdef LMF_HAVE_FOR_MODULES
#define EXPORT_SYMBOL_LMF(sym) EXPORT_SYMBOL_FOR_MODULES(sym, "lmf-vfio-pci")
#else
#ifdef LMF_HAVE_NS_STRING
#define EXPORT_SYMBOL_LMF(sym) EXPORT_SYMBOL_NS_GPL(sym, "LMF")
#else
#define EXPORT_SYMBOL_LMF(sym) EXPORT_SYMBOL_NS_GPL(sym, LMF)
#endif
#endif

#endif
