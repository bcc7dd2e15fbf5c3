// SPDX-License-Identifier: GPL-2.0-only
/*
 * lmfctl probe: what a VFIO device says of itself through the uAPI. Its driver
 * may be any: this is for devices that list can only call "unknown".
 */
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>

#include "holders.h"
#include "lmfctl.h"
#include "show.h"
#include "vfio.h"

struct lmf_flag {
	uint64_t bit;
	const char *name;
};

static const struct lmf_flag lmf_migration_flags[] = {
	{ VFIO_MIGRATION_STOP_COPY, "stop_copy" },
	{ VFIO_MIGRATION_P2P, "p2p" },
	{ VFIO_MIGRATION_PRE_COPY, "pre_copy" },
};

/* Those of newer kernels exist where the header at hand knows them. */
static const struct lmf_feature_name {
	uint32_t feature;
	uint32_t how;
	const char *name;
} lmf_features[] = {
	{ VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, VFIO_DEVICE_FEATURE_SET,
	  "mig_device_state" },
	{ VFIO_DEVICE_FEATURE_MIG_DATA_SIZE, VFIO_DEVICE_FEATURE_GET,
	  "mig_data_size" },
	{ VFIO_DEVICE_FEATURE_DMA_LOGGING_START, VFIO_DEVICE_FEATURE_SET,
	  "dma_logging_start" },
	{ VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP, VFIO_DEVICE_FEATURE_SET,
	  "dma_logging_stop" },
	{ VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT, VFIO_DEVICE_FEATURE_GET,
	  "dma_logging_report" },
	{ VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, VFIO_DEVICE_FEATURE_SET,
	  "low_power_entry" },
#ifdef VFIO_DEVICE_FEATURE_DMA_BUF
	{ VFIO_DEVICE_FEATURE_DMA_BUF, VFIO_DEVICE_FEATURE_GET, "dma_buf" },
#endif
#ifdef VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2
	{ VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2, VFIO_DEVICE_FEATURE_SET,
	  "mig_precopy_info_v2" },
#endif
};

#define LMF_FLAGS	(sizeof(lmf_migration_flags) / \
			 sizeof(*lmf_migration_flags))
#define LMF_FEATURES	(sizeof(lmf_features) / sizeof(*lmf_features))

/**
 * struct lmf_probed - what a device said
 * @migration: it migrates
 * @flags: VFIO_MIGRATION_*
 * @data_size: stop-copy data now, 0 if it does not say
 * @has: by lmf_features[]
 */
struct lmf_probed {
	bool migration;
	uint64_t flags;
	uint64_t data_size;
	bool has[LMF_FEATURES];
};

static void lmf_probe_device(const struct lmf_vfio *v, struct lmf_probed *p)
{
	size_t i;

	memset(p, 0, sizeof(*p));
	p->migration = !lmf_vfio_migration(v, &p->flags);
	if (!p->migration || lmf_vfio_data_size(v, &p->data_size))
		p->data_size = 0;
	for (i = 0; i < LMF_FEATURES; i++)
		p->has[i] = lmf_vfio_has(v, lmf_features[i].feature,
					 lmf_features[i].how);
}

static void lmf_probe_json(const struct lmf_function *f,
			   const struct lmf_probed *p)
{
	struct json_object *document = lmf_json("probe");
	struct json_object *result = json_object_new_object();
	struct json_object *features = json_object_new_object();
	struct json_object *flags = json_object_new_array();
	struct json_object *name;
	size_t i;

	for (i = 0; i < LMF_FLAGS; i++) {
		name = json_object_new_string(lmf_migration_flags[i].name);
		if (p->flags & lmf_migration_flags[i].bit)
			json_object_array_add(flags, name);
		else
			json_object_put(name);
	}
	for (i = 0; i < LMF_FEATURES; i++)
		lmf_json_bool(features, lmf_features[i].name, p->has[i]);
	json_object_object_add(result, "function", lmf_json_function(f));
	lmf_json_bool(result, "migration", p->migration);
	json_object_object_add(result, "migration_flags", flags);
	lmf_json_unsigned(result, "data_size", p->data_size);
	json_object_object_add(result, "features", features);
	json_object_object_add(document, "result", result);
	lmf_json_print(document);
}

static void lmf_probe_text(const struct lmf_function *f,
			   const struct lmf_probed *p)
{
	struct lmf_verdict v;
	size_t i;

	lmf_verdict(f, &v);
	printf("%s  %s, was reset to ask it\n", f->bdf, f->driver);
	printf("  migration        %s", p->migration ? "yes:" : "no: ");
	if (!p->migration)
		fputs(v.migratable == LMF_MIGRATABLE_NO ? v.why :
		      "its driver offers none", stdout);
	for (i = 0; i < LMF_FLAGS; i++)
		if (p->flags & lmf_migration_flags[i].bit)
			printf(" %s", lmf_migration_flags[i].name);
	putchar('\n');
	if (p->data_size)
		printf("  state now        %llu bytes\n",
		       (unsigned long long)p->data_size);
	printf("  features        ");
	for (i = 0; i < LMF_FEATURES; i++)
		if (p->has[i])
			printf(" %s", lmf_features[i].name);
	putchar('\n');
}

static int lmf_probe_allowed(const struct lmf_args *args,
			     const struct lmf_function *f)
{
	if (!f->vfio[0])
		return lmf_no_vfio(f);
	if (lmf_check_unused(f))
		return LMF_EXIT_FAILED;
	if (!args->force)
		return lmf_fail(f->bdf,
				"to ask a VFIO device opens it, which resets it: say --force if nobody needs it");
	return LMF_EXIT_OK;
}

int lmf_cmd_probe(const struct lmf_args *args)
{
	struct lmf_probed probed;
	struct lmf_function f;
	struct lmf_vfio v;
	int ret;

	ret = lmf_function_find(args->operands[0], &f);
	if (!ret)
		ret = lmf_probe_allowed(args, &f);
	if (!ret)
		ret = lmf_vfio_open(&f, &v);
	if (ret)
		return ret;
	lmf_probe_device(&v, &probed);
	lmf_vfio_close(&v);
	if (args->json)
		lmf_probe_json(&f, &probed);
	else
		lmf_probe_text(&f, &probed);
	return LMF_EXIT_OK;
}
