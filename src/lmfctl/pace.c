// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long will so many bytes take? What takes its time for each piece is
 * underestimated by a rate of large pieces, and overestimated by one of small
 * ones. So both are sought, a time for each piece and one for each byte, that
 * fit best to what was seen:
 *
 *	time = x * pieces + y * bytes
 *
 * in the sense of least squares of the relative error, as a sample may be of
 * milliseconds or of minutes. Neither can be negative. Where all pieces were of
 * one size the two cannot be told apart, and all is laid on the pieces. Pure.
 */
#include "pace.h"

/* Below this the samples are as good as of one size of pieces. */
#define LMF_PACE_DISTINCT	0.0001

void lmf_pace_add(struct lmf_pace *p, double pieces, double bytes, double time)
{
	double n = pieces / time, b = bytes / time;

	if (pieces <= 0 || time <= 0)
		return;
	p->samples++;
	p->nn += n * n;
	p->bb += b * b;
	p->nb += n * b;
	p->n += n;
	p->b += b;
	if (bytes / pieces > p->largest)
		p->largest = bytes / pieces;
}

static void lmf_pace_solve(const struct lmf_pace *p, double *piece,
			   double *byte)
{
	double det = p->nn * p->bb - p->nb * p->nb;

	*piece = p->n / p->nn;
	*byte = 0;
	if (det < LMF_PACE_DISTINCT * p->nn * p->bb)
		return;
	if (p->n * p->bb < p->b * p->nb) {
		*piece = 0;
		*byte = p->b / p->bb;
	} else if (p->b * p->nn > p->n * p->nb) {
		*piece = (p->n * p->bb - p->b * p->nb) / det;
		*byte = (p->b * p->nn - p->n * p->nb) / det;
	}
}

/* In pieces as large as they get; -1 if nothing was seen. */
double lmf_pace_time(const struct lmf_pace *p, double bytes)
{
	double piece, byte, pieces;

	if (!p->samples || p->largest <= 0)
		return -1;
	lmf_pace_solve(p, &piece, &byte);
	pieces = (long long)(bytes / p->largest);
	if (pieces * p->largest < bytes)
		pieces++;
	return piece * pieces + byte * bytes;
}
