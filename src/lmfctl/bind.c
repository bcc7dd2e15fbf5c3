// SPDX-License-Identifier: GPL-2.0-only
/*
 * lmfctl bind, unbind, scrub, vfs: what prepares a function and clears it up.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "holders.h"
#include "lmfctl.h"
#include "signals.h"
#include "sriov.h"

static void lmf_show_function(const struct lmf_args *args, const char *command,
			      const struct lmf_function *f,
			      struct json_object *more)
{
	struct json_object *document = lmf_json(command);

	json_object_object_add(more, "function", lmf_json_function(f));
	json_object_object_add(document, "result", more);
	if (args->json)
		lmf_json_print(document);
	else
		json_object_put(document);
}

static void lmf_bound(const struct lmf_args *args,
		      const struct lmf_function *f, bool changed)
{
	struct json_object *more = json_object_new_object();
	struct lmf_verdict v;
	char line[128];

	lmf_verdict(f, &v);
	snprintf(line, sizeof(line), "driverctl set-override %s %s", f->bdf,
		 f->driver);
	lmf_json_bool(more, "changed", changed);
	lmf_json_text(more, "persist", line);
	lmf_show_function(args, "bind", f, more);
	if (args->json)
		return;
	printf("%s: %s to %s, IOMMU group %d\n", f->bdf,
	       changed ? "bound" : "already bound", f->driver, f->group);
	printf("%s: migratable: %s%s%s\n", f->bdf,
	       lmf_migratable_name(v.migratable), v.why[0] ? ": " : "", v.why);
	printf("to keep it over a reboot: %s\n", line);
}

static int lmf_bindable(const struct lmf_args *args,
			const struct lmf_function *f)
{
	if (args->driver && (!*args->driver || *args->driver == '.' ||
			     strchr(args->driver, '/')))
		return lmf_misused("'%s': no name of a driver", args->driver);
	if (f->bridge)
		return lmf_fail(f->bdf, "a bridge is for no VFIO driver");
	if (f->total_vfs && !args->driver)
		return lmf_fail(f->bdf,
				"a PF, whose driver makes the VFs: say with --driver which one it is to have");
	if (f->group < 0)
		return lmf_fail(f->bdf,
				"no IOMMU group: switch the IOMMU on in the firmware and the kernel");
	return LMF_EXIT_OK;
}

/* With the driver of a PF its VFs go, too. */
static int lmf_takable(const struct lmf_function *f)
{
	if (f->num_vfs)
		return lmf_fail(f->bdf, "has %u VFs: 'lmfctl vfs %s 0' first",
				f->num_vfs, f->bdf);
	return lmf_check_unused(f);
}

static int lmf_bind_one(const struct lmf_args *args, const char *bdf)
{
	char driver[LMF_TEXT];
	struct lmf_function f;
	bool changed;
	int ret;

	ret = lmf_function_find(bdf, &f);
	if (!ret)
		ret = lmf_bindable(args, &f);
	if (ret)
		return ret;
	if (args->driver)
		snprintf(driver, sizeof(driver), "%s", args->driver);
	else
		lmf_driver_choose(&f, driver, sizeof(driver));
	changed = strcmp(f.driver, driver);
	if (changed)
		ret = lmf_takable(&f);
	if (changed && !ret)
		ret = lmf_driver_bind(&f, driver);
	if (!ret)
		lmf_bound(args, &f, changed);
	return ret;
}

/* What was done before one that fails stays. */
static int lmf_each(const struct lmf_args *args,
		    int (*one)(const struct lmf_args *args, const char *bdf))
{
	int i, ret = LMF_EXIT_OK;

	for (i = 0; i < args->n && !ret; i++)
		ret = one(args, args->operands[i]);
	return ret;
}

int lmf_cmd_bind(const struct lmf_args *args)
{
	return lmf_each(args, lmf_bind_one);
}

static void lmf_unbound(const struct lmf_args *args,
			const struct lmf_function *f, bool scrubbed)
{
	struct json_object *more = json_object_new_object();

	lmf_json_bool(more, "scrubbed", scrubbed);
	lmf_show_function(args, "unbind", f, more);
	if (!args->json)
		printf("%s: has no driver%s\n", f->bdf,
		       scrubbed ? ", and was scrubbed" :
				  "; what it holds was not scrubbed");
}

static int lmf_no_driver(const struct lmf_function *f)
{
	if (!f->pf[0])
		return lmf_fail(f->bdf, "has no driver");
	return lmf_fail(f->bdf, "has no driver: 'lmfctl scrub %s' scrubs it",
			f->bdf);
}

/* Who gets it next would find what it holds, if nothing told of that. */
static int lmf_unbind_and_scrub(struct lmf_function *f, bool scrub)
{
	sigset_t before;
	int ret;

	lmf_signals_hold(&before);
	ret = lmf_driver_unbind(f);
	if (!ret && scrub)
		ret = lmf_scrub(f);
	lmf_signals_release(&before);
	return ret;
}

static int lmf_unbind_one(const struct lmf_args *args, const char *bdf)
{
	struct lmf_function f;
	bool scrub;
	int ret;

	ret = lmf_function_find(bdf, &f);
	if (!ret && !f.driver[0])
		ret = lmf_no_driver(&f);
	if (!ret && !f.vfio[0])
		ret = lmf_fail(f.bdf,
			       "bound to %s, which is no VFIO driver: not ours to unbind",
			       f.driver);
	if (!ret)
		ret = lmf_takable(&f);
	if (ret)
		return ret;
	scrub = !args->no_scrub && lmf_can_scrub(&f);
	ret = lmf_unbind_and_scrub(&f, scrub);
	if (!ret)
		lmf_unbound(args, &f, scrub);
	return ret;
}

int lmf_cmd_unbind(const struct lmf_args *args)
{
	return lmf_each(args, lmf_unbind_one);
}

int lmf_cmd_scrub(const struct lmf_args *args)
{
	struct lmf_function f;
	int ret;

	ret = lmf_function_find(args->operands[0], &f);
	if (ret)
		return ret;
	if (!f.pf[0])
		return lmf_fail(f.bdf, "no VF: only VFs can be scrubbed");
	if (f.driver[0])
		return lmf_fail(f.bdf,
				"bound to %s: 'lmfctl unbind %s' scrubs it",
				f.driver, f.bdf);
	if (!lmf_can_scrub(&f))
		return lmf_fail(f.bdf,
				"its PF %s offers no scrub: bind that to %s",
				f.pf, LMF_DRIVER_PF);
	ret = lmf_scrub(&f);
	if (ret)
		return ret;
	lmf_show_function(args, "scrub", &f, json_object_new_object());
	if (!args->json)
		printf("%s: scrubbed\n", f.bdf);
	return LMF_EXIT_OK;
}

static void lmf_show_vfs(const struct lmf_args *args,
			 const struct lmf_function *pf)
{
	struct json_object *more = json_object_new_object();
	struct json_object *vfs = json_object_new_array();
	char bdf[LMF_BDF];
	unsigned int i;

	for (i = 0; i < pf->num_vfs; i++) {
		if (lmf_vf_bdf(pf->bdf, i, bdf))
			continue;
		json_object_array_add(vfs, json_object_new_string(bdf));
		if (!args->json)
			printf("%s\n", bdf);
	}
	json_object_object_add(more, "vfs", vfs);
	lmf_show_function(args, "vfs", pf, more);
}

int lmf_cmd_vfs(const struct lmf_args *args)
{
	struct lmf_function pf;
	unsigned long vfs;
	char *end;
	int ret;

	vfs = strtoul(args->operands[1], &end, 10);
	/* It takes signs and blanks, too. */
	if (!isdigit(*args->operands[1]) || *end || vfs > UINT16_MAX)
		return lmf_misused("%s: no number of VFs", args->operands[1]);
	ret = lmf_function_find(args->operands[0], &pf);
	if (!ret)
		ret = lmf_set_vfs(&pf, vfs);
	if (!ret)
		lmf_show_vfs(args, &pf);
	return ret;
}
