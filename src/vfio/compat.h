/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that lmf-vfio-pci builds against: all of
 * it, and for nothing else. In the tree, this file goes.
 */
#ifndef LMF_VFIO_COMPAT_H
#define LMF_VFIO_COMPAT_H

#include <linux/module.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define LMF_IMPORT_NS(ns)	MODULE_IMPORT_NS(ns)
#else
#define LMF_IMPORT_NS(ns)	MODULE_IMPORT_NS(#ns)
#endif

/* Up to 6.13 crc32c() is a module of its own that a kernel may lack. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0) || \
	IS_ENABLED(CONFIG_LIBCRC32C)
#include <linux/crc32c.h>
#else
#include <linux/crc32.h>
#define crc32c(crc, data, len)	__crc32c_le(crc, data, len)
#endif

#endif
