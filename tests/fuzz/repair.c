// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mutator for streams. As hardly any mutation has a right CRC, it repairs
 * most of them, and the numbers of the records.
 */
#include <endian.h>
#include <string.h>

#include "fuzz.h"
#include "stream.h"

/* Give every record that is there the number and the CRC it should have. */
static void repair(uint8_t *data, size_t size)
{
	struct lmf_record rec;
	uint64_t seq = 0;
	size_t at = 0;
	uint32_t crc;

	while (size - at >= sizeof(rec)) {
		memcpy(&rec, data + at, sizeof(rec));
		rec.seq = htole64(seq++);
		if (le32toh(rec.length) > size - at - sizeof(rec))
			return;
		crc = lmf_crc32c(~0U, &rec, offsetof(struct lmf_record, crc));
		crc = lmf_crc32c(crc, data + at + sizeof(rec),
				 le32toh(rec.length));
		rec.crc = htole32(~crc);
		memcpy(data + at, &rec, sizeof(rec));
		at += sizeof(rec) + le32toh(rec.length);
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned int seed)
{
	size = LLVMFuzzerMutate(data, size, max_size);
	if (seed % 4)
		repair(data, size);
	return size;
}
