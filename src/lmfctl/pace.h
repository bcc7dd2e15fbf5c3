/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMFCTL_PACE_H
#define LMFCTL_PACE_H

/**
 * struct lmf_work - what was done so far
 * @pieces: in so many pieces
 * @bytes: of so many bytes
 * @time: and how long that took
 */
struct lmf_work {
	double pieces;
	double bytes;
	double time;
};

/**
 * struct lmf_pace - how long work takes
 * @last: what was done when it was learned from
 * @nn: sum of pieces^2 / time
 * @bb: sum of bytes^2 / time
 * @nb: sum of pieces * bytes / time
 * @all: sums of what @nn, @bb and @nb are of
 * @late: likewise, but what is long ago counts for less
 * @largest: most bytes a piece
 */
struct lmf_pace {
	struct lmf_work last;
	double nn;
	double bb;
	double nb;
	struct lmf_work all;
	struct lmf_work late;
	double largest;
};

void lmf_pace_look(struct lmf_pace *p, const struct lmf_work *now);
double lmf_pace_time(const struct lmf_pace *p, double bytes);

#endif
