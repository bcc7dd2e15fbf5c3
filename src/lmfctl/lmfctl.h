/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lmfctl: what an operator asks about, and does with, functions that migrate.
 *
 * Three layers, of which each knows only those below it:
 *
 *	main.c and one file a command	arguments, and results as text or JSON
 *	driver.c sriov.c holders.c	what is done to a function
 *	counters.c estimate.c stream.c	what a migration says; pure but for
 *	verdict.c			counters.c
 *	function.c vfio.c host.c	the hardware: libpci, VFIO, files
 */
#ifndef LMFCTL_H
#define LMFCTL_H

#include "say.h"
#include "json.h"

/**
 * struct lmf_args - a command line, checked
 * @json: print JSON
 * @all: list: all functions
 * @force: do it although it resets the function
 * @no_scrub: unbind: leave the media as it is
 * @once: watch: stop when a migration that was seen has ended
 * @driver: bind: to this one, or NULL
 * @save: move: keep the stream in this file, or NULL
 * @interval_ms: watch: between two looks
 * @count: watch: looks, 0 for no end
 * @limit_ms: watch: downtime that is allowed
 * @n: operands
 * @operands: they
 */
struct lmf_args {
	bool json;
	bool all;
	bool force;
	bool no_scrub;
	bool once;
	const char *driver;
	const char *save;
	unsigned int interval_ms;
	unsigned int count;
	unsigned int limit_ms;
	int n;
	char **operands;
};

int lmf_cmd_list(const struct lmf_args *args);
int lmf_cmd_probe(const struct lmf_args *args);
int lmf_cmd_bind(const struct lmf_args *args);
int lmf_cmd_unbind(const struct lmf_args *args);
int lmf_cmd_vfs(const struct lmf_args *args);
int lmf_cmd_scrub(const struct lmf_args *args);
int lmf_cmd_status(const struct lmf_args *args);
int lmf_cmd_watch(const struct lmf_args *args);
int lmf_cmd_decode(const struct lmf_args *args);
int lmf_cmd_move(const struct lmf_args *args);

#endif
