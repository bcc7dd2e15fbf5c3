/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMFCTL_PACE_H
#define LMFCTL_PACE_H

/**
 * struct lmf_pace - how long work took, that is so many pieces of so many bytes
 * @samples: how often something was seen
 * @nn: sum of (pieces / time)^2
 * @bb: sum of (bytes / time)^2
 * @nb: sum of their product
 * @n: sum of pieces / time
 * @b: sum of bytes / time
 * @largest: most bytes a piece
 */
struct lmf_pace {
	unsigned int samples;
	double nn;
	double bb;
	double nb;
	double n;
	double b;
	double largest;
};

void lmf_pace_add(struct lmf_pace *p, double pieces, double bytes, double time);
double lmf_pace_time(const struct lmf_pace *p, double bytes);

#endif
