/* SPDX-License-Identifier: GPL-2.0-only */
/* What libFuzzer has and calls: it comes without a header for C. */
#ifndef LMF_FUZZ_H
#define LMF_FUZZ_H

#include <stddef.h>
#include <stdint.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned int seed);

#endif
