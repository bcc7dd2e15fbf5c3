// SPDX-License-Identifier: GPL-2.0-only
/*
 * lmfctl status: what the driver counted of migrations, now and the last one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "lmfctl.h"
#include "show.h"

static void lmf_status_downtime(const struct lmf_counters *c)
{
	struct lmf_downtime d;

	if (!lmf_downtime(c, &d))
		return;
	printf("  device downtime  %.1f ms: quiesce %.1f, last report %.1f, reading %.1f\n",
	       lmf_downtime_all(&d) / 1e6, d.quiesce / 1e6, d.report / 1e6,
	       d.read / 1e6);
}

static void lmf_status_session(const struct lmf_counters *c)
{
	const long long *v = c->value;
	char a[LMF_SIZE_TEXT], b[LMF_SIZE_TEXT];

	if (v[LMF_C_BYTES_SAVED_PRECOPY] || v[LMF_C_BYTES_SAVED_STOP_COPY]) {
		printf("  saved            %s in pre-copy, %s in stop-copy\n",
		       lmf_size(a, v[LMF_C_BYTES_SAVED_PRECOPY]),
		       lmf_size(b, v[LMF_C_BYTES_SAVED_STOP_COPY]));
		printf("  left             %s of the first pass, %s dirty\n",
		       lmf_size(a, v[LMF_C_INITIAL_BYTES]),
		       lmf_size(b, v[LMF_C_DIRTY_BYTES]));
	}
	if (v[LMF_C_BYTES_LOADED])
		printf("  loaded           %s, %s\n",
		       lmf_size(a, v[LMF_C_BYTES_LOADED]),
		       v[LMF_C_LOAD_DONE] ? "complete" : "not complete");
}

static void lmf_status_text(const struct lmf_function *f,
			    const struct lmf_counters *c)
{
	const long long *v = c->value;
	char error[64] = "none";

	if (v[LMF_C_LAST_ERROR])
		snprintf(error, sizeof(error), "%s (%lld)",
			 strerror(abs((int)v[LMF_C_LAST_ERROR])),
			 v[LMF_C_LAST_ERROR]);
	printf("%s  %s\n", f->bdf, c->state);
	lmf_status_session(c);
	lmf_status_downtime(c);
	printf("  dirty log        %s, %lld pages in %lld reports, %lld overflows (%lld to all)\n",
	       c->log_format, v[LMF_C_PAGES_REPORTED], v[LMF_C_REPORTS],
	       v[LMF_C_LOG_OVERFLOWS], v[LMF_C_LOG_SATURATIONS]);
	printf("  resets           %lld, %lld of them unexpected\n",
	       v[LMF_C_RESETS], v[LMF_C_RESETS_UNEXPECTED]);
	printf("  last error       %s\n", error);
}

static void lmf_status_json(const struct lmf_function *f,
			    const struct lmf_counters *c,
			    struct json_object *to)
{
	struct json_object *one = json_object_new_object();
	struct lmf_downtime d;

	lmf_json_text(one, "bdf", f->bdf);
	json_object_object_add(one, "counters", lmf_json_counters(c));
	json_object_object_add(one, "downtime", lmf_downtime(c, &d) ?
			       lmf_json_downtime(&d) : NULL);
	json_object_array_add(to, one);
}

/* Shows one; nothing happens with @to but in JSON. */
static int lmf_status_one(const struct lmf_args *args,
			  const struct lmf_function *f, struct json_object *to)
{
	struct lmf_counters c;
	int err = lmf_counters_read(f, &c);

	/* It was unbound meanwhile: nobody asked for just this one. */
	if (err == -ENOENT && !args->n)
		return LMF_EXIT_OK;
	if (err)
		return lmf_fail(f->bdf, "cannot read its counters: %s",
				lmf_why(err));
	if (args->json)
		lmf_status_json(f, &c, to);
	else
		lmf_status_text(f, &c);
	return LMF_EXIT_OK;
}

static int lmf_status_all(const struct lmf_args *args,
			  const struct lmf_function *all, size_t count,
			  struct json_object *to)
{
	int ret = LMF_EXIT_OK;
	size_t i, shown = 0;

	for (i = 0; i < count && !ret; i++) {
		if (!all[i].counters)
			continue;
		ret = lmf_status_one(args, &all[i], to);
		shown++;
	}
	if (!shown && !args->json)
		puts("no function has counters of migration: see 'lmfctl list'");
	return ret;
}

static int lmf_status_named(const struct lmf_args *args,
			    const struct lmf_function *all, size_t count,
			    struct json_object *to)
{
	const struct lmf_function *f;
	int i, ret = LMF_EXIT_OK;

	for (i = 0; i < args->n && !ret; i++) {
		ret = lmf_function_pick(all, count, args->operands[i], &f);
		if (!ret)
			ret = lmf_need_counters(f);
		if (!ret)
			ret = lmf_status_one(args, f, to);
	}
	return ret;
}

int lmf_cmd_status(const struct lmf_args *args)
{
	struct json_object *document = lmf_json("status");
	struct json_object *result = json_object_new_object();
	struct json_object *functions = json_object_new_array();
	struct lmf_function *all;
	size_t count;
	int ret;

	json_object_object_add(result, "functions", functions);
	json_object_object_add(document, "result", result);
	ret = lmf_functions(&all, &count);
	if (!ret) {
		ret = args->n ?
			lmf_status_named(args, all, count, functions) :
			lmf_status_all(args, all, count, functions);
		free(all);
	}
	if (!ret && args->json)
		lmf_json_print(document);
	else
		json_object_put(document);
	return ret;
}
