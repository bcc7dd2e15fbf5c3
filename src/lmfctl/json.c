// SPDX-License-Identifier: GPL-2.0-only
/*
 * The JSON that --json prints: one document on one line, its envelope the same
 * for all commands. docs/lmfctl-json.md describes it.
 *
 * json-c was chosen for its unsigned 64-bit numbers, its stable order of keys,
 * and because whoever has Debian's kmod or cryptsetup has it already.
 */
#include <stdio.h>

#include "json.h"

/* A new document; the caller adds "result" to it. */
struct json_object *lmf_json(const char *command)
{
	struct json_object *document = json_object_new_object();

	lmf_json_number(document, "schema", LMF_JSON_SCHEMA);
	lmf_json_text(document, "command", command);
	return document;
}

/* Prints a document and frees it. */
void lmf_json_print(struct json_object *document)
{
	puts(json_object_to_json_string_ext(document,
					    JSON_C_TO_STRING_PLAIN |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	fflush(stdout);
	json_object_put(document);
}

/* An empty text is null: there is no such thing. */
void lmf_json_text(struct json_object *to, const char *key, const char *text)
{
	json_object_object_add(to, key,
			       *text ? json_object_new_string(text) : NULL);
}

void lmf_json_number(struct json_object *to, const char *key, int64_t number)
{
	json_object_object_add(to, key, json_object_new_int64(number));
}

void lmf_json_unsigned(struct json_object *to, const char *key,
		       uint64_t number)
{
	json_object_object_add(to, key, json_object_new_uint64(number));
}

/* To a thousandth, which is all that our measurements are good for. */
void lmf_json_real(struct json_object *to, const char *key, double number)
{
	char text[64];

	snprintf(text, sizeof(text), "%.3f", number);
	json_object_object_add(to, key, json_object_new_double_s(number, text));
}

void lmf_json_bool(struct json_object *to, const char *key, bool value)
{
	json_object_object_add(to, key, json_object_new_boolean(value));
}

static void lmf_json_sriov(struct json_object *to,
			   const struct lmf_function *f)
{
	lmf_json_text(to, "pf", f->pf);
	json_object_object_add(to, "vf_index", f->index < 0 ? NULL :
			       json_object_new_int(f->index));
	lmf_json_number(to, "total_vfs", f->total_vfs);
	lmf_json_number(to, "num_vfs", f->num_vfs);
}

struct json_object *lmf_json_function(const struct lmf_function *f)
{
	struct json_object *to = json_object_new_object();
	struct lmf_verdict verdict;
	char id[16];

	lmf_verdict(f, &verdict);
	lmf_json_text(to, "bdf", f->bdf);
	snprintf(id, sizeof(id), "%04x:%04x", f->vendor, f->device);
	lmf_json_text(to, "id", id);
	snprintf(id, sizeof(id), "%04x", f->class);
	lmf_json_text(to, "class", id);
	lmf_json_text(to, "driver", f->driver);
	lmf_json_text(to, "driver_override", f->override);
	json_object_object_add(to, "iommu_group", f->group < 0 ? NULL :
			       json_object_new_int(f->group));
	lmf_json_text(to, "vfio_device", f->vfio);
	lmf_json_sriov(to, f);
	lmf_json_bool(to, "flr", f->flr);
	lmf_json_number(to, "msix_vectors", f->msix);
	lmf_json_text(to, "migratable",
		      lmf_migratable_name(verdict.migratable));
	lmf_json_text(to, "why", verdict.why);
	return to;
}
