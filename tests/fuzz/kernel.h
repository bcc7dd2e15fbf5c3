/* SPDX-License-Identifier: GPL-2.0-only */
/* What pure code of src/vfio takes from the kernel, for a program. */
#ifndef LMF_FUZZ_KERNEL_H
#define LMF_FUZZ_KERNEL_H

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <linux/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

static inline uint64_t lmf_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

#define min			lmf_min
#define min_t(type, a, b)	min((type)(a), (type)(b))
#define min3(a, b, c)		min(min(a, b), c)
#define cpu_to_le16		htole16
#define cpu_to_le32		htole32
#define cpu_to_le64		htole64
#define le16_to_cpu		le16toh
#define le32_to_cpu		le32toh
#define le64_to_cpu		le64toh
#define crc32c			lmf_crc32c

uint32_t lmf_crc32c(uint32_t crc, const void *data, size_t len);

#endif
