// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's side of a log, see hostlog.h.
 */
#include <stdlib.h>

#include "hostlog.h"

struct host_log *host_log_new(uint32_t entries, unsigned int shift)
{
	struct host_log *log = calloc(1, sizeof(*log));

	log->entries = entries;
	log->shift = shift;
	log->reported = calloc(1, GUEST_BYTES >> shift);
	return log;
}

void host_log_free(struct host_log *log)
{
	free(log->reported);
	free(log);
}

static bool host_entry(struct bed *bed, const struct host_log *log,
		       struct lmf_log_entry *entry)
{
	uint32_t slot = log->consumed & (log->entries - 1);
	uint16_t phase = log->consumed / log->entries % 2 ? 0 : 1;

	memcpy(entry, bed->host + HOST_RING + slot * sizeof(*entry),
	       sizeof(*entry));
	return le16_to_cpu(entry->phase) == phase;
}

bool host_consume(struct bed *bed, struct host_log *log, uint32_t max)
{
	struct lmf_log_entry entry;
	uint64_t first, count;

	for (; max && host_entry(bed, log, &entry); max--) {
		log->consumed++;
		first = le64_to_cpu(entry.iova) >> log->shift;
		count = le32_to_cpu(entry.granules);
		if (le64_to_cpu(entry.iova) % (1 << log->shift) || !count ||
		    first + count > GUEST_BYTES >> log->shift)
			return false;
		memset(log->reported + first, 1, count);
		log->granules += count;
		log->coarse += le16_to_cpu(entry.flags) & LMF_LOG_COARSE;
	}
	bed_set(bed, LMF_FW_PF, LMF_PF_LOG_HEAD(0), log->consumed);
	return true;
}

struct lmf_admin_cqe log_flush(struct bed *bed)
{
	struct lmf_admin_cmd cmd = bed_cmd(LMF_OP_LOG_FLUSH, 0);

	return bed_exec(bed, &cmd);
}
