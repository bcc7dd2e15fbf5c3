// SPDX-License-Identifier: GPL-2.0-only
/*
 * How counters are shown, by status and by watch.
 */
#include <stdio.h>
#include <string.h>

#include "say.h"
#include "show.h"

/* A size for people, in LMF_SIZE_TEXT bytes. */
const char *lmf_size(char *out, double bytes)
{
	static const char * const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	size_t i = 0;

	for (; bytes >= 1024 && i + 1 < sizeof(units) / sizeof(*units); i++)
		bytes /= 1024;
	snprintf(out, LMF_SIZE_TEXT, i ? "%.1f %s" : "%.0f %s", bytes,
		 units[i]);
	return out;
}

struct json_object *lmf_json_counters(const struct lmf_counters *c)
{
	struct json_object *to = json_object_new_object();
	enum lmf_counter i;

	lmf_json_text(to, "state", c->state);
	lmf_json_text(to, "log_offered", c->log_offered);
	lmf_json_text(to, "log_format", c->log_format);
	for (i = 0; i < LMF_C_NR; i++)
		lmf_json_number(to, lmf_counter_name(i), c->value[i]);
	return to;
}

struct json_object *lmf_json_downtime(const struct lmf_downtime *d)
{
	struct json_object *to = json_object_new_object();

	lmf_json_real(to, "total_ms", lmf_downtime_all(d) / 1e6);
	lmf_json_real(to, "quiesce_ms", d->quiesce / 1e6);
	lmf_json_real(to, "report_ms", d->report / 1e6);
	lmf_json_real(to, "read_ms", d->read / 1e6);
	return to;
}

/* Says that it is in no VFIO driver's hands, and what helps. */
int lmf_no_vfio(const struct lmf_function *f)
{
	if (f->bridge)
		return lmf_fail(f->bdf, "a bridge");
	if (f->total_vfs)
		return lmf_fail(f->bdf,
				"a PF: name one of its VFs, see 'lmfctl list'");
	return lmf_fail(f->bdf, "not bound to a VFIO driver: 'lmfctl bind %s'",
			f->bdf);
}

/* Says why a function has no counters, if so. */
int lmf_need_counters(const struct lmf_function *f)
{
	struct lmf_verdict v;

	if (f->counters)
		return LMF_EXIT_OK;
	if (!f->vfio[0])
		return lmf_no_vfio(f);
	lmf_verdict(f, &v);
	if (v.migratable == LMF_MIGRATABLE_NO)
		return lmf_fail(f->bdf, "%s", v.why);
	return lmf_fail(f->bdf,
			"%s shows no counters: 'lmfctl probe' tells what it can",
			f->driver);
}
