/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Little-endian wire types and layout assertions, for the kernel, for QEMU and
 * for freestanding firmware alike.
 */
#ifndef LMF_TYPES_H
#define LMF_TYPES_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/stddef.h>
#else
#include <stddef.h>
#include <stdint.h>
#if defined(__has_include) && __has_include(<linux/types.h>)
#include <linux/types.h>
#else
typedef uint8_t __u8;
typedef uint16_t __le16;
typedef uint32_t __le32;
typedef uint64_t __le64;
#endif
#endif

#define LMF_ASSERT_SIZE(type, size) \
	_Static_assert(sizeof(type) == (size), #type " must be " #size " bytes")
#define LMF_ASSERT_OFFSET(type, field, offset) \
	_Static_assert(offsetof(type, field) == (offset), \
		       #type "." #field " must be at " #offset)

#endif
