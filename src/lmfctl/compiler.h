/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel's headers have and the C library's have not. */
#ifndef LMFCTL_COMPILER_H
#define LMFCTL_COMPILER_H

#define __printf(a, b)	__attribute__((__format__(__printf__, a, b)))
#define __noreturn	__attribute__((__noreturn__))

#endif
