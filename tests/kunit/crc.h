/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CRC-32C a bit at a time: the driver's own function would hide what is wrong
 * with it.
 */
#ifndef LMF_KUNIT_CRC_H
#define LMF_KUNIT_CRC_H

#include <linux/types.h>

static inline u32 crc(u32 c, const void *bytes, size_t n)
{
	const u8 *p = bytes;
	int bit;

	for (; n; n--) {
		c ^= *p++;
		for (bit = 0; bit < 8; bit++)
			c = c >> 1 ^ (c & 1 ? 0x82f63b78 : 0);
	}
	return c;
}

#endif
