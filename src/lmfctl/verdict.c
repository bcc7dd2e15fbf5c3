// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether a function can migrate, or why not, from what the host shows of it
 * without being opened. A pure function of those facts.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "verdict.h"

static void lmf_judge(struct lmf_verdict *v, enum lmf_migratable migratable,
		      const char *why, ...) __printf(3, 4);

static void lmf_judge(struct lmf_verdict *v, enum lmf_migratable migratable,
		      const char *why, ...)
{
	va_list args;

	v->migratable = migratable;
	va_start(args, why);
	vsnprintf(v->why, sizeof(v->why), why, args);
	va_end(args);
}

const char *lmf_migratable_name(enum lmf_migratable migratable)
{
	static const char * const names[] = {
		[LMF_MIGRATABLE_NO] = "no",
		[LMF_MIGRATABLE_YES] = "yes",
		[LMF_MIGRATABLE_UNKNOWN] = "unknown",
	};

	return names[migratable];
}

/* It migrates; but without a log VMMs do it only when told to. */
static void lmf_verdict_log(const struct lmf_function *f,
			    struct lmf_verdict *v)
{
	const char *missing = "";

	if (!strcmp(f->log_offered, "no-kernel"))
		missing = "kernel lacks CONFIG_IOMMUFD_DRIVER:";
	else if (!strcmp(f->log_offered, "no-device"))
		missing = "device has none: unless the IOMMU has one,";
	if (missing[0])
		lmf_judge(v, LMF_MIGRATABLE_YES,
			  "but has no log of dirty pages, as the %s QEMU needs enable-migration=on, and sends all memory again",
			  missing);
	else
		lmf_judge(v, LMF_MIGRATABLE_YES, "%s", "");
}

/* It is in the hands of VFIO. */
static void lmf_verdict_vfio(const struct lmf_function *f,
			     struct lmf_verdict *v)
{
	if (f->counters || f->vfio_migration)
		lmf_verdict_log(f, v);
	else if (!strcmp(f->driver, "vfio-pci"))
		lmf_judge(v, LMF_MIGRATABLE_NO,
			  "vfio-pci cannot migrate: 'lmfctl bind %s' takes the driver made for it, if there is one",
			  f->bdf);
	else if (strcmp(f->driver, LMF_DRIVER_VF))
		lmf_judge(v, LMF_MIGRATABLE_UNKNOWN,
			  "%s does not show it: 'lmfctl probe %s' asks, and resets it",
			  f->driver, f->bdf);
	else if (strcmp(f->pf_driver, LMF_DRIVER_PF))
		lmf_judge(v, LMF_MIGRATABLE_NO,
			  "its PF is not bound to %s: 'lmfctl vfs %s 0', 'lmfctl bind -d %s %s', and make and bind VFs anew",
			  LMF_DRIVER_PF, f->pf, LMF_DRIVER_PF, f->pf);
	else
		lmf_judge(v, LMF_MIGRATABLE_NO,
			  "the device offers no migration");
}

static void lmf_verdict_host(const struct lmf_function *f,
			     struct lmf_verdict *v)
{
	if (f->bridge)
		lmf_judge(v, LMF_MIGRATABLE_NO, "a bridge");
	else if (f->total_vfs)
		lmf_judge(v, LMF_MIGRATABLE_NO, "a PF, with %u of %u VFs",
			  f->num_vfs, f->total_vfs);
	else if (f->group < 0)
		lmf_judge(v, LMF_MIGRATABLE_NO,
			  "no IOMMU: switch it on in the firmware and the kernel");
	else if (f->pf[0] || !f->driver[0])
		lmf_judge(v, LMF_MIGRATABLE_NO, "%s%s: 'lmfctl bind %s'",
			  f->driver[0] ? "bound to " : "no driver",
			  f->driver, f->bdf);
	else
		lmf_judge(v, LMF_MIGRATABLE_NO, "bound to %s", f->driver);
}

void lmf_verdict(const struct lmf_function *f, struct lmf_verdict *v)
{
	if (f->vfio[0])
		lmf_verdict_vfio(f, v);
	else
		lmf_verdict_host(f, v);
}
