// SPDX-License-Identifier: GPL-2.0-only
/*
 * lmfctl watch: a migration as it goes, and when to cut over. On a terminal two
 * lines that change, else a line a look, and with --json a document a look.
 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "estimate.h"
#include "lmfctl.h"
#include "show.h"
#include "signals.h"

#define LMF_BAR	20

/**
 * struct lmf_watch - what is being watched
 * @args: how
 * @f: VF
 * @c: last look
 * @estimator: fed while it is in pre-copy
 * @estimate: last one of pre-copy
 * @session: pre_copy_start_ns of the session that is estimated
 * @most: bytes of the first pass when it was seen first
 * @seen: the last look was at a migration
 * @saves: a save was seen that is not over yet
 * @ends: when a save and a load ended last
 * @live: on a terminal
 * @open: the cursor is in the first of the lines that are to be overwritten
 */
struct lmf_watch {
	const struct lmf_args *args;
	struct lmf_function f;
	struct lmf_counters c;
	struct lmf_estimator estimator;
	struct lmf_estimate estimate;
	long long session;
	long long most;
	bool seen;
	bool saves;
	long long ends[2];
	bool live;
	bool open;
};

static bool lmf_in_precopy(const struct lmf_counters *c)
{
	return !strncmp(c->state, "PRE_COPY", strlen("PRE_COPY"));
}

/* Stopped, but not over: what is left is being read. */
static bool lmf_in_stop_copy(const struct lmf_counters *c)
{
	return !strcmp(c->state, "STOP_COPY");
}

static void lmf_watch_new_session(struct lmf_watch *w)
{
	struct lmf_downtime d;

	lmf_downtime(&w->c, &d);
	lmf_estimator_init(&w->estimator, d.quiesce,
			   w->args->limit_ms * 1000000LL);
	w->session = w->c.value[LMF_C_PRE_COPY_START];
	w->most = 0;
}

static void lmf_watch_estimate(struct lmf_watch *w)
{
	const long long *v = w->c.value;
	const struct lmf_look look = {
		.ns = w->c.ns,
		.initial = v[LMF_C_INITIAL_BYTES],
		.dirty = v[LMF_C_DIRTY_BYTES],
		.saved = v[LMF_C_BYTES_SAVED_PRECOPY],
		.read_ns = v[LMF_C_PRE_COPY_READ_TIME],
		.wait_ns = v[LMF_C_READ_WAIT_TIME],
		.trailer = v[LMF_C_TRAILER_BYTES],
		/* While one is made it began after the last one ended. */
		.report_ns = v[LMF_C_LAST_REPORT_DONE] >
			     v[LMF_C_LAST_REPORT_START] ?
			     v[LMF_C_LAST_REPORT_DONE] -
			     v[LMF_C_LAST_REPORT_START] : 0,
		.chunks = v[LMF_C_CHUNKS],
		.chunk_bytes = v[LMF_C_CHUNK_BYTES],
		.chunk_ns = v[LMF_C_CHUNK_TIME],
	};

	if (!lmf_in_precopy(&w->c))
		return;
	if (v[LMF_C_PRE_COPY_START] != w->session)
		lmf_watch_new_session(w);
	if (v[LMF_C_INITIAL_BYTES] > w->most)
		w->most = v[LMF_C_INITIAL_BYTES];
	lmf_estimator_look(&w->estimator, &look);
	lmf_estimate(&w->estimator, &w->estimate);
}

static void lmf_watch_bar(const struct lmf_watch *w, char *bar)
{
	long long left = w->c.value[LMF_C_INITIAL_BYTES];
	int done = w->most ? LMF_BAR - LMF_BAR * left / w->most : LMF_BAR;

	memset(bar, ' ', LMF_BAR);
	memset(bar, '#', done < 0 ? 0 : done);
	bar[LMF_BAR] = 0;
}

/**
 * struct lmf_watch_text - what a look says
 * @what: where it stands and what to do
 * @rates: how it goes; may be empty
 */
struct lmf_watch_text {
	char what[160];
	char rates[160];
};

static void lmf_watch_precopy(const struct lmf_watch *w,
			      struct lmf_watch_text *to)
{
	const struct lmf_estimate *e = &w->estimate;
	char bar[LMF_BAR + 1], left[LMF_SIZE_TEXT], dirty[LMF_SIZE_TEXT];
	char send[LMF_SIZE_TEXT], rate[LMF_SIZE_TEXT], downtime[32] = "?";

	lmf_watch_bar(w, bar);
	if (e->downtime_ns >= 0)
		snprintf(downtime, sizeof(downtime), "%.0f ms",
			 e->downtime_ns / 1e6);
	lmf_size(left, w->c.value[LMF_C_INITIAL_BYTES]);
	lmf_size(dirty, w->c.value[LMF_C_DIRTY_BYTES]);
	snprintf(to->what, sizeof(to->what), "%-12s [%s] %-17s %8s",
		 w->c.state, bar, lmf_cutover_name(e->cutover), downtime);
	snprintf(to->rates, sizeof(to->rates),
		 "left %s + %s dirty  read %s/s  dirtied %s/s", left, dirty,
		 lmf_size(send, e->send_rate), lmf_size(rate, e->dirty_rate));
}

/* What does not fit into a line could not be overwritten. */
static void lmf_watch_draw(const struct lmf_watch_text *text)
{
	struct winsize size = {};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		size.ws_col = 80;
	/* In each line to the first column, and clear what stood behind. */
	printf("\r%.*s\033[K\n\r%.*s\033[K\033[A\r", size.ws_col - 1,
	       text->what, size.ws_col - 1, text->rates);
}

static void lmf_watch_show(struct lmf_watch *w,
			   const struct lmf_watch_text *text)
{
	if (w->live)
		lmf_watch_draw(text);
	else
		printf("%s%s%s\n", text->what, text->rates[0] ? "  " : "",
		       text->rates);
	w->open = w->live;
	fflush(stdout);
}

static void lmf_watch_text(struct lmf_watch *w)
{
	struct lmf_watch_text text = {};
	char loaded[LMF_SIZE_TEXT];

	if (lmf_in_precopy(&w->c))
		lmf_watch_precopy(w, &text);
	else if (!strcmp(w->c.state, "RESUMING"))
		snprintf(text.what, sizeof(text.what), "%-12s loaded %s",
			 w->c.state,
			 lmf_size(loaded, w->c.value[LMF_C_BYTES_LOADED]));
	else
		snprintf(text.what, sizeof(text.what), "%s", w->c.state);
	lmf_watch_show(w, &text);
}

static struct json_object *lmf_watch_json_estimate(const struct lmf_estimate *e)
{
	struct json_object *to = json_object_new_object();

	lmf_json_text(to, "cutover", lmf_cutover_name(e->cutover));
	lmf_json_real(to, "read_bytes_per_s", e->send_rate);
	lmf_json_real(to, "dirty_bytes_per_s", e->dirty_rate);
	if (e->downtime_ns < 0)
		lmf_json_text(to, "downtime_ms", "");
	else
		lmf_json_real(to, "downtime_ms", e->downtime_ns / 1e6);
	return to;
}

static void lmf_watch_json(const struct lmf_watch *w, const char *event,
			   const struct lmf_downtime *measured)
{
	struct json_object *document = lmf_json("watch");
	struct json_object *result = json_object_new_object();

	lmf_json_text(result, "event", event);
	lmf_json_text(result, "bdf", w->f.bdf);
	lmf_json_number(result, "time_ns", w->c.ns);
	json_object_object_add(result, "counters", lmf_json_counters(&w->c));
	json_object_object_add(result, "estimate",
			       measured || lmf_in_precopy(&w->c) ?
			       lmf_watch_json_estimate(&w->estimate) : NULL);
	json_object_object_add(result, "downtime", measured ?
			       lmf_json_downtime(measured) : NULL);
	json_object_object_add(document, "result", result);
	lmf_json_print(document);
}

static void lmf_watch_close_line(struct lmf_watch *w)
{
	if (w->open)
		fputs("\n\n", stdout);
	w->open = false;
}

static void lmf_watch_measured(const struct lmf_watch *w,
			       const struct lmf_downtime *d)
{
	printf("device downtime %.1f ms, predicted ",
	       lmf_downtime_all(d) / 1e6);
	if (w->estimate.downtime_ns < 0)
		fputs("nothing", stdout);
	else
		printf("%.1f ms", w->estimate.downtime_ns / 1e6);
	printf(": quiesce %.1f, last report %.1f, reading %.1f\n",
	       d->quiesce / 1e6, d->report / 1e6, d->read / 1e6);
}

/* A save that was watched is over: was the prediction right? */
static void lmf_watch_ended(struct lmf_watch *w)
{
	struct lmf_downtime d;
	bool done = lmf_downtime(&w->c, &d);

	/* Nothing was predicted of what had no pre-copy, or went by. */
	if (!w->session)
		w->estimate = (struct lmf_estimate) { .downtime_ns = -1 };
	lmf_watch_close_line(w);
	if (w->args->json)
		lmf_watch_json(w, done ? "done" : "stopped", done ? &d : NULL);
	else if (done)
		lmf_watch_measured(w, &d);
	else
		puts("the migration ended before its last byte was read");
	w->session = 0;
	w->saves = false;
}

static int lmf_watch_look(struct lmf_watch *w)
{
	int err = lmf_counters_read(&w->f, &w->c);

	if (err) {
		lmf_watch_close_line(w);
		return lmf_fail(w->f.bdf,
				"cannot read its counters, was it unbound? %s",
				lmf_why(err));
	}
	lmf_watch_estimate(w);
	if (w->args->json)
		lmf_watch_json(w, "look", NULL);
	else
		lmf_watch_text(w);
	return LMF_EXIT_OK;
}

/* Returns true when there is nothing more to wait for. */
static bool lmf_watch_over(struct lmf_watch *w)
{
	const long long ends[] = {
		w->c.value[LMF_C_STOP_COPY_LAST_BYTE],
		w->c.value[LMF_C_LOAD_DONE],
	};
	bool saves = lmf_in_precopy(&w->c) || lmf_in_stop_copy(&w->c);
	bool under_way = saves || !strcmp(w->c.state, "RESUMING");
	/* They are 0 again when the next one begins. */
	bool saved = ends[0] && ends[0] != w->ends[0];
	bool loaded = ends[1] && ends[1] != w->ends[1];
	bool over = (w->seen || saved || loaded) && !under_way;

	w->seen = under_way;
	w->saves |= saves || saved;
	memcpy(w->ends, ends, sizeof(ends));
	if (over && w->saves)
		lmf_watch_ended(w);
	return over && w->args->once;
}

static int lmf_watch(struct lmf_watch *w)
{
	const struct timespec step = {
		.tv_sec = w->args->interval_ms / 1000,
		.tv_nsec = w->args->interval_ms % 1000 * 1000000L,
	};
	unsigned int looks = 0;
	int ret;

	/* What went wrong with it the first look tells. */
	lmf_counters_read(&w->f, &w->c);
	w->ends[0] = w->c.value[LMF_C_STOP_COPY_LAST_BYTE];
	w->ends[1] = w->c.value[LMF_C_LOAD_DONE];
	for (;;) {
		ret = lmf_watch_look(w);
		if (ret || lmf_watch_over(w) || ++looks == w->args->count)
			break;
		if (lmf_signals_caught() || ferror(stdout))
			break;
		nanosleep(&step, NULL);
		if (lmf_signals_caught())
			break;
	}
	lmf_watch_close_line(w);
	return ret;
}

int lmf_cmd_watch(const struct lmf_args *args)
{
	struct lmf_watch w = { .args = args };
	int ret;

	ret = lmf_function_find(args->operands[0], &w.f);
	if (!ret)
		ret = lmf_need_counters(&w.f);
	if (ret)
		return ret;
	w.live = isatty(STDOUT_FILENO);
	lmf_signals_catch();
	return lmf_watch(&w);
}
