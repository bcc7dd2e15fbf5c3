// SPDX-License-Identifier: GPL-2.0-only
/*
 * What goes to stderr: one line a problem, "lmfctl: WHO: what", where WHO is a
 * function or a file. The line says what to do wherever that is known.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "say.h"

static void lmf_say(const char *who, const char *what, va_list args)
{
	fflush(stdout);
	fprintf(stderr, "lmfctl: %s%s", who ? who : "", who ? ": " : "");
	vfprintf(stderr, what, args);
	fputc('\n', stderr);
}

/* Returns the exit status of a command that could not be carried out. */
int lmf_fail(const char *who, const char *what, ...)
{
	va_list args;

	va_start(args, what);
	lmf_say(who, what, args);
	va_end(args);
	return LMF_EXIT_FAILED;
}

/* Returns the exit status of a command line that makes no sense. */
int lmf_misused(const char *what, ...)
{
	va_list args;

	va_start(args, what);
	lmf_say(NULL, what, args);
	va_end(args);
	return LMF_EXIT_USAGE;
}

/* For what the user should know, though the command goes on. */
void lmf_note(const char *who, const char *what, ...)
{
	va_list args;

	va_start(args, what);
	lmf_say(who, what, args);
	va_end(args);
}

/* The text of a negative errno, with advice for those that have one remedy. */
const char *lmf_why(int err)
{
	switch (-err) {
	case EACCES:
	case EPERM:
		return geteuid() ? "permission denied: run lmfctl as root" :
				   "the kernel does not permit it: its log may say why";
	default:
		return strerror(-err);
	}
}
