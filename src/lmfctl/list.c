// SPDX-License-Identifier: GPL-2.0-only
/*
 * lmfctl list: functions, and whether they can migrate. Opens no device.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lmfctl.h"

/* SR-IOV and VFIO are what migration is about; --all shows the rest. */
static bool lmf_list_wants(const struct lmf_args *args,
			   const struct lmf_function *f)
{
	char bdf[LMF_BDF];
	int i;

	for (i = 0; i < args->n; i++)
		if (!lmf_bdf_parse(args->operands[i], bdf) &&
		    !strcmp(bdf, f->bdf))
			return true;
	if (args->n)
		return false;
	return args->all || f->vfio[0] || f->pf[0] || f->total_vfs;
}

static int lmf_list_json(const struct lmf_args *args,
			 const struct lmf_function *all, size_t count)
{
	struct json_object *document = lmf_json("list");
	struct json_object *result = json_object_new_object();
	struct json_object *functions = json_object_new_array();
	size_t i;

	for (i = 0; i < count; i++)
		if (lmf_list_wants(args, &all[i]))
			json_object_array_add(functions,
					      lmf_json_function(&all[i]));
	json_object_object_add(result, "functions", functions);
	json_object_object_add(document, "result", result);
	lmf_json_print(document);
	return LMF_EXIT_OK;
}

static void lmf_list_line(const struct lmf_function *f)
{
	struct lmf_verdict v;
	char group[16] = "-";

	lmf_verdict(f, &v);
	if (f->group >= 0)
		snprintf(group, sizeof(group), "%d", f->group);
	printf("%-13s %04x:%04x  %-14s %5s  %s%s%s\n", f->bdf, f->vendor,
	       f->device, f->driver[0] ? f->driver : "-", group,
	       lmf_migratable_name(v.migratable), v.why[0] ? ": " : "", v.why);
}

static int lmf_list_text(const struct lmf_args *args,
			 const struct lmf_function *all, size_t count)
{
	size_t i, shown = 0;

	for (i = 0; i < count; i++) {
		if (!lmf_list_wants(args, &all[i]))
			continue;
		if (!shown++)
			printf("%-13s %-9s  %-14s %5s  %s\n", "FUNCTION", "ID",
			       "DRIVER", "GROUP", "MIGRATABLE");
		lmf_list_line(&all[i]);
	}
	if (!shown)
		puts("no function with SR-IOV or VFIO: see 'lmfctl list --all'");
	return LMF_EXIT_OK;
}

/* An operand that names nothing is an error, not an empty list. */
static int lmf_list_check(const struct lmf_args *args,
			  const struct lmf_function *all, size_t count)
{
	const struct lmf_function *f;
	int i, ret = LMF_EXIT_OK;

	for (i = 0; i < args->n && !ret; i++)
		ret = lmf_function_pick(all, count, args->operands[i], &f);
	return ret;
}

int lmf_cmd_list(const struct lmf_args *args)
{
	struct lmf_function *all;
	size_t count;
	int ret = lmf_functions(&all, &count);

	if (ret)
		return ret;
	ret = lmf_list_check(args, all, count);
	if (!ret)
		ret = args->json ? lmf_list_json(args, all, count) :
				   lmf_list_text(args, all, count);
	free(all);
	return ret;
}
