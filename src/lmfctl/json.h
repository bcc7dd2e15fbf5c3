/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMFCTL_JSON_H
#define LMFCTL_JSON_H

#include <json-c/json.h>

#include "verdict.h"

/*
 * Of the output of --json, docs/lmfctl-json.md. Grows when a name goes or its
 * meaning changes, not when one is added.
 */
#define LMF_JSON_SCHEMA	1

struct json_object *lmf_json(const char *command);
void lmf_json_print(struct json_object *document);
void lmf_json_text(struct json_object *to, const char *key, const char *text);
void lmf_json_number(struct json_object *to, const char *key, int64_t number);
void lmf_json_unsigned(struct json_object *to, const char *key,
		       uint64_t number);
void lmf_json_real(struct json_object *to, const char *key, double number);
void lmf_json_bool(struct json_object *to, const char *key, bool value);
struct json_object *lmf_json_function(const struct lmf_function *f);

#endif
