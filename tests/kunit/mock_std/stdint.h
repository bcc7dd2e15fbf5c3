/* SPDX-License-Identifier: GPL-2.0-only */
/* The freestanding headers that the firmware asks for, out of the kernel's. */
#ifndef LMF_MOCK_STDINT_H
#define LMF_MOCK_STDINT_H

#include <linux/limits.h>
#include <linux/types.h>

#define UINT16_MAX	U16_MAX
#define UINT32_MAX	U32_MAX
#define UINT64_MAX	U64_MAX

#endif
