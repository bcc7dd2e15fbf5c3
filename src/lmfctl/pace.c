// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long will so many bytes take? What takes its time for each piece is
 * underestimated by a rate of large pieces, and overestimated by one of small
 * ones. So both are sought, a time for each piece and one for each byte, that
 * fit best to what was seen:
 *
 *	time = x * pieces + y * bytes
 *
 * in the sense of least squares, where what took long may be wrong by more.
 * Neither can be negative. Where all pieces were of one size the two cannot be
 * told apart, and all is laid on the pieces.
 *
 * That is the shape of it, learned from all that was seen. What shares the work
 * comes and goes: so the whole is scaled to what was seen of late. Pure.
 */
#include "pace.h"

/* Below this what was seen is as good as of one size of pieces. */
#define LMF_PACE_DISTINCT	0.0001

/* What is as many looks ago as its inverse counts for about a third. */
#define LMF_PACE_FORGET		0.2

static void lmf_work_add(struct lmf_work *sum, const struct lmf_work *more)
{
	sum->pieces += more->pieces;
	sum->bytes += more->bytes;
	sum->time += more->time;
}

static void lmf_pace_learn(struct lmf_pace *p, const struct lmf_work *done)
{
	p->nn += done->pieces * done->pieces / done->time;
	p->bb += done->bytes * done->bytes / done->time;
	p->nb += done->pieces * done->bytes / done->time;
	lmf_work_add(&p->all, done);
	p->late.pieces *= 1 - LMF_PACE_FORGET;
	p->late.bytes *= 1 - LMF_PACE_FORGET;
	p->late.time *= 1 - LMF_PACE_FORGET;
	lmf_work_add(&p->late, done);
	if (done->bytes / done->pieces > p->largest)
		p->largest = done->bytes / done->pieces;
}

/* What has no end yet is learned from when it has; a new beginning is not. */
void lmf_pace_look(struct lmf_pace *p, const struct lmf_work *now)
{
	const struct lmf_work done = {
		.pieces = now->pieces - p->last.pieces,
		.bytes = now->bytes - p->last.bytes,
		.time = now->time - p->last.time,
	};

	if (done.pieces < 0 || done.bytes < 0 || done.time < 0) {
		p->last = *now;
	} else if (done.pieces && done.time) {
		lmf_pace_learn(p, &done);
		p->last = *now;
	}
}

static void lmf_pace_solve(const struct lmf_pace *p, double *piece,
			   double *byte)
{
	const struct lmf_work *all = &p->all;
	double det = p->nn * p->bb - p->nb * p->nb;
	double n = all->pieces * p->bb - all->bytes * p->nb;
	double b = all->bytes * p->nn - all->pieces * p->nb;

	*piece = 1;
	*byte = 0;
	if (det < LMF_PACE_DISTINCT * p->nn * p->bb || b <= 0)
		return;
	*piece = n > 0 ? n : 0;
	*byte = b;
}

/* In pieces as large as they get; -1 if nothing was seen. */
double lmf_pace_time(const struct lmf_pace *p, double bytes)
{
	double piece, byte, pieces;

	if (!p->largest)
		return -1;
	lmf_pace_solve(p, &piece, &byte);
	pieces = (long long)(bytes / p->largest);
	if (pieces * p->largest < bytes)
		pieces++;
	return (piece * pieces + byte * bytes) * p->late.time /
	       (piece * p->late.pieces + byte * p->late.bytes);
}
