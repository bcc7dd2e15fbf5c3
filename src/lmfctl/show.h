/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMFCTL_SHOW_H
#define LMFCTL_SHOW_H

#include "counters.h"
#include "json.h"

#define LMF_SIZE_TEXT	32

const char *lmf_size(char *out, double bytes);
struct json_object *lmf_json_counters(const struct lmf_counters *c);
struct json_object *lmf_json_downtime(const struct lmf_downtime *d);
int lmf_no_vfio(const struct lmf_function *f);
int lmf_need_counters(const struct lmf_function *f);

#endif
