/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMFCTL_SAY_H
#define LMFCTL_SAY_H

#include "compiler.h"

enum lmf_exit {
	LMF_EXIT_OK = 0,
	LMF_EXIT_FAILED = 1,	/* it was not done, or the answer is bad */
	LMF_EXIT_USAGE = 2,	/* the command line is wrong */
};

int lmf_fail(const char *who, const char *what, ...)
	__printf(2, 3);
int lmf_misused(const char *what, ...)
	__printf(1, 2);
void lmf_note(const char *who, const char *what, ...)
	__printf(2, 3);
const char *lmf_why(int err);

#endif
