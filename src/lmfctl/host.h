/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMFCTL_HOST_H
#define LMFCTL_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

/* Longest value or name that is read; longer ones are cut. */
#define LMF_TEXT	64

int lmf_path(char *out, size_t size, const char *path, ...) __printf(3, 4);
bool lmf_exists(const char *path, ...) __printf(1, 2);
int lmf_read(char *out, size_t size, const char *path, ...) __printf(3, 4);
int lmf_read_number(long long *out, const char *path, ...) __printf(2, 3);
int lmf_write(const char *text, const char *path, ...) __printf(2, 3);
int lmf_link(char *out, size_t size, const char *path, ...) __printf(3, 4);
int lmf_first_entry(char *out, size_t size, const char *path, ...)
	__printf(3, 4);
int lmf_open(int flags, const char *path, ...) __printf(2, 3);

#endif
