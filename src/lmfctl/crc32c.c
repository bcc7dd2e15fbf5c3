// SPDX-License-Identifier: GPL-2.0-only
/*
 * CRC-32C (Castagnoli), reflected, as the stream has it: the caller brings the
 * initial value and does the final inversion. Half a byte at a time, with a
 * table that is small enough to be checked by eye.
 */
#include "stream.h"

static const uint32_t lmf_crc_table[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
	0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
	0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
	0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t lmf_crc32c(uint32_t crc, const void *data, size_t n)
{
	const uint8_t *byte = data;

	for (; n; n--, byte++) {
		crc = crc >> 4 ^ lmf_crc_table[(crc ^ *byte) & 15];
		crc = crc >> 4 ^ lmf_crc_table[(crc ^ *byte >> 4) & 15];
	}
	return crc;
}
