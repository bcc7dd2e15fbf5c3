/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recorded streams: tests/golden holds what releases have written, and what is
 * in there.
 *
 *	golden_guest.c	the guest of the VF that was saved, before and after
 *	golden_edit.c	streams of other versions, made of a recorded one
 *	golden_reader.c	the framing as the next minor version will read it
 *	golden_test.c	all of them, loaded
 */
#ifndef LMF_GOLDEN_H
#define LMF_GOLDEN_H

#include "sweep.h"

#include <uapi/linux/lmf_stream.h>

#define GOLDEN_MEDIA	SZ_512K

/* golden_test.c: what was recorded */
extern const u8 golden_begin[];
extern const u8 golden_end[];

void golden_guest_init(struct sweep *s);
void golden_guest_exit(void);
void golden_guest_start(struct sweep *s);
void golden_guest_leave_open(struct sweep *s);
void golden_guest_late(struct sweep *s);
void golden_expect_saved(struct sweep *s);
void golden_guest_go_on(struct sweep *s);

struct golden_edit;

/**
 * struct golden_case - a stream that is not the recorded one
 * @name: of it
 * @edit: what is different
 * @err: why it is refused; 0: it is not
 * @unasked: it is refused before the device gets anything
 */
struct golden_case {
	const char *name;
	void (*edit)(struct golden_edit *e);
	int err;
	bool unasked;
};

extern const struct golden_case golden_cases[];
extern const unsigned int golden_ncases;

size_t golden_edit(const struct golden_case *how, u8 *stream, size_t bytes);

int golden_read_next(const u8 *stream, size_t bytes);

#endif
