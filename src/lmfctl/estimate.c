// SPDX-License-Identifier: GPL-2.0-only
/*
 * When to cut over: the device's downtime if it were stopped now, and whether
 * waiting helps. Pure: looks in, a prediction out.
 *
 *	downtime = quiesce + last report + reading (dirty + trailer)
 *
 * The first two are what they took last time. Reading takes as long as the
 * device needs for the chunks, or as long as read() needs for copies, whichever
 * is more, as they overlap. Where the driver does not tell of chunks, the rate
 * is that of the time spent in read(), or else the highest at which the stream
 * was read, which is too low when the reader had memory to send, too. The
 * trailer is what only a stopped device gives.
 *
 * Waiting does not help when, the first pass being over, the least that was
 * dirty in the newer half of the looks is no less than in the older half, and
 * too much: what is read and what gets dirty have come to a balance. Of a
 * reader who stood still meanwhile nothing can be said.
 */
#include <string.h>

#include "estimate.h"

/* Less than so much better is no trend. */
#define LMF_BETTER		0.9

/*
 * A look that came sooner after the one before it is replaced by the next: so a
 * judgement rests on two seconds.
 */
#define LMF_STEP_NS		(2000000000LL / (LMF_WINDOW - 1))

/* A reader who is at work has read in each of these parts of the window. */
#define LMF_PARTS		3

void lmf_estimator_init(struct lmf_estimator *e, int64_t quiesce_ns,
			int64_t limit_ns)
{
	memset(e, 0, sizeof(*e));
	e->quiesce_ns = quiesce_ns;
	e->limit_ns = limit_ns;
}

/* The look @age looks ago. */
static const struct lmf_look *lmf_ago(const struct lmf_estimator *e,
				      unsigned int age)
{
	return &e->looks[(e->count - 1 - age) % LMF_WINDOW];
}

static unsigned int lmf_kept(const struct lmf_estimator *e)
{
	return e->count < LMF_WINDOW ? e->count : LMF_WINDOW;
}

static double lmf_rate(uint64_t bytes, int64_t ns)
{
	return ns > 0 ? bytes * 1e9 / ns : 0;
}

static void lmf_estimator_learn(struct lmf_estimator *e,
				const struct lmf_look *look)
{
	const struct lmf_work work = {
		.pieces = look->chunks,
		.bytes = look->chunk_bytes,
		.time = look->chunk_ns,
	};
	double rate = look->saved > e->last.saved ?
		      lmf_rate(look->saved - e->last.saved,
			       look->ns - e->last.ns) : 0;

	if (e->count && rate > e->peak)
		e->peak = rate;
	lmf_pace_look(&e->device, &work);
	e->last = *look;
}

void lmf_estimator_look(struct lmf_estimator *e, const struct lmf_look *look)
{
	lmf_estimator_learn(e, look);
	if (e->count > 1 &&
	    lmf_ago(e, 0)->ns - lmf_ago(e, 1)->ns < LMF_STEP_NS)
		e->count--;
	e->looks[e->count++ % LMF_WINDOW] = *look;
}

/* Where the driver does not tell of chunks. */
static double lmf_read_by_rate(const struct lmf_estimator *e, uint64_t bytes)
{
	const struct lmf_look *now = lmf_ago(e, 0);
	double rate = now->read_ns > 0 ? lmf_rate(now->saved, now->read_ns) :
					 e->peak;

	return rate > 0 ? bytes * 1e9 / rate : -1;
}

static double lmf_read_time(const struct lmf_estimator *e, uint64_t bytes)
{
	const struct lmf_look *now = lmf_ago(e, 0);
	double device = lmf_pace_time(&e->device, bytes);
	double rate = lmf_rate(now->saved, now->read_ns - now->wait_ns);
	double copies = rate > 0 ? bytes * 1e9 / rate : 0;

	if (device < 0)
		return lmf_read_by_rate(e, bytes);
	return device > copies ? device : copies;
}

/* If so much were dirty. */
static int64_t lmf_predict(const struct lmf_estimator *e, uint64_t dirty)
{
	const struct lmf_look *now = lmf_ago(e, 0);
	double read = lmf_read_time(e, now->initial + dirty + now->trailer);

	return read < 0 ? -1 : e->quiesce_ns + now->report_ns + read;
}

/* What was read but did not shorten the first pass was dirty. */
static void lmf_rates(const struct lmf_estimator *e, struct lmf_estimate *to)
{
	const struct lmf_look *now = lmf_ago(e, 0);
	const struct lmf_look *old = lmf_ago(e, lmf_kept(e) - 1);
	int64_t ns = now->ns - old->ns;
	int64_t dirtied = (now->saved - old->saved) -
			  (old->initial - now->initial) +
			  (now->dirty - old->dirty);

	to->send_rate = lmf_rate(now->saved - old->saved, ns);
	to->dirty_rate = dirtied > 0 ? lmf_rate(dirtied, ns) : 0;
}

static uint64_t lmf_least_dirty(const struct lmf_estimator *e,
				unsigned int from, unsigned int to)
{
	uint64_t least = UINT64_MAX;
	unsigned int age;

	for (age = from; age < to; age++)
		if (lmf_ago(e, age)->dirty < least)
			least = lmf_ago(e, age)->dirty;
	return least;
}

static bool lmf_reads(const struct lmf_estimator *e)
{
	const unsigned int part = (LMF_WINDOW - 1) / LMF_PARTS;
	unsigned int i;

	for (i = 0; i < LMF_PARTS; i++)
		if (lmf_ago(e, i * part)->saved ==
		    lmf_ago(e, (i + 1) * part)->saved)
			return false;
	return true;
}

static bool lmf_balanced(const struct lmf_estimator *e)
{
	uint64_t newer, older;

	if (e->count < LMF_WINDOW || lmf_ago(e, LMF_WINDOW - 1)->initial ||
	    !lmf_reads(e))
		return false;
	newer = lmf_least_dirty(e, 0, LMF_WINDOW / 2);
	older = lmf_least_dirty(e, LMF_WINDOW / 2, LMF_WINDOW);
	return newer >= older * LMF_BETTER &&
	       lmf_predict(e, newer) > e->limit_ns;
}

void lmf_estimate(const struct lmf_estimator *e, struct lmf_estimate *to)
{
	*to = (struct lmf_estimate) { .downtime_ns = -1 };
	if (!e->count)
		return;
	lmf_rates(e, to);
	to->downtime_ns = lmf_predict(e, lmf_ago(e, 0)->dirty);
	if (lmf_ago(e, 0)->initial || to->downtime_ns < 0)
		to->cutover = LMF_CUTOVER_FIRST_PASS;
	else if (to->downtime_ns <= e->limit_ns)
		to->cutover = LMF_CUTOVER_NOW;
	else
		to->cutover = lmf_balanced(e) ? LMF_CUTOVER_NEVER :
						LMF_CUTOVER_WAIT;
}

const char *lmf_cutover_name(enum lmf_cutover cutover)
{
	static const char * const names[] = {
		[LMF_CUTOVER_IDLE] = "idle",
		[LMF_CUTOVER_FIRST_PASS] = "first pass",
		[LMF_CUTOVER_WAIT] = "wait",
		[LMF_CUTOVER_NOW] = "cut over now",
		[LMF_CUTOVER_NEVER] = "will not converge",
	};

	return names[cutover];
}
