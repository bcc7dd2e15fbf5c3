// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's side of a log, see hostlog.h.
 */
#include <stdlib.h>

#include "hostlog.h"

struct bed *log_bed_new(uint64_t delay)
{
	struct lmf_fw_config config = bed_config;
	struct bed *bed;

	config.log_post_delay_ns = delay;
	bed = bed_new(&config);
	bed_queue_on(bed, 0, 0, BED_QUEUE_ENTRIES);
	return bed;
}

uint16_t vf_read(struct bed *bed, uint64_t addr, uint32_t len)
{
	struct lmf_vf_cmd cmd = bed_io_cmd(LMF_VF_OP_READ, 0, addr, len);

	return bed_io(bed, 0, 0, &cmd);
}

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

struct lmf_admin_cqe log_read(struct bed *bed, uint32_t param)
{
	struct lmf_admin_cmd cmd = bed_cmd_data(LMF_OP_LOG_READ, 0, HOST_LIST,
						HOST_LIST_BYTES);

	cmd.param = cpu_to_le32(param);
	return bed_exec(bed, &cmd);
}

/* What lies outside guest memory the host leaves out, as a unit may be wide. */
static void host_report(struct host_log *log, uint64_t first, uint64_t count)
{
	uint64_t all = GUEST_BYTES >> log->shift;

	log->granules += count;
	if (first < all)
		memset(log->reported + first, 1, fw_min(count, all - first));
}

static bool host_take_list(struct bed *bed, struct host_log *log,
			   uint32_t bytes)
{
	const struct lmf_log_list *list = (void *)(bed->host + HOST_LIST);
	const struct lmf_log_extent *extent = (const void *)(list + 1);
	uint32_t n = le32_to_cpu(list->count);
	unsigned int coarse = list->shift - log->shift;

	log->flags = list->flags;
	log->coarse += coarse && n;
	if (bytes != sizeof(*list) + n * sizeof(*extent) || coarse > 51)
		return false;
	for (; n; n--, extent++) {
		if (le64_to_cpu(extent->iova) % (1ull << list->shift) ||
		    !extent->units || extent->reserved)
			return false;
		host_report(log, le64_to_cpu(extent->iova) >> log->shift,
			    (uint64_t)le32_to_cpu(extent->units) << coarse);
	}
	return true;
}

static bool host_take_block(struct host_log *log, uint64_t granule,
			    const struct lmf_log_block *block)
{
	unsigned int i;
	bool any = false;

	for (i = 0; i < LMF_LOG_BLOCK_GRANULES; i++) {
		if (!(le64_to_cpu(block->bits[i / 64]) >> (i % 64) & 1))
			continue;
		host_report(log, granule + i, 1);
		any = true;
	}
	return any;
}

static bool host_take_leaves(struct bed *bed, struct host_log *log,
			     uint32_t bytes)
{
	const uint8_t *at = bed->host + HOST_LIST, *end = at + bytes;
	struct lmf_log_leaf leaf;
	uint64_t granule;
	unsigned int i;

	while (at < end) {
		memcpy(&leaf, at, sizeof(leaf));
		at += sizeof(leaf);
		granule = le64_to_cpu(leaf.iova) >> log->shift;
		if (!leaf.summary || granule % 32768)
			return false;
		for (i = 0; i < LMF_LOG_LEAF_BLOCKS; i++) {
			if (!(le64_to_cpu(leaf.summary) >> i & 1))
				continue;
			if (!host_take_block(log, granule + i * 512,
					     (const void *)at))
				return false;
			at += sizeof(struct lmf_log_block);
		}
	}
	return at == end;
}

bool host_read(struct bed *bed, struct host_log *log)
{
	struct lmf_admin_cqe cqe = { 0 };
	uint32_t bytes;

	if (log->format == LMF_LOG_RING)
		return host_consume(bed, log, log->entries);
	do {
		cqe = log_read(bed, le64_to_cpu(cqe.value[0]));
		bytes = le32_to_cpu(cqe.bytes);
		log->reads++;
		if (cqe.status || bytes > HOST_LIST_BYTES ||
		    !(log->format == LMF_LOG_RANGES ?
		      host_take_list(bed, log, bytes) :
		      host_take_leaves(bed, log, bytes)))
			return false;
	} while (le16_to_cpu(cqe.flags) & LMF_LOG_MORE);
	if (log->format == LMF_LOG_BITMAP)
		log->sequence = le64_to_cpu(cqe.value[1]);
	return true;
}

bool host_gather(struct bed *bed, struct host_log *log)
{
	struct lmf_admin_cmd cmd = bed_cmd(LMF_OP_LOG_FLUSH, 0);
	struct lmf_admin_cqe cqe;

	do {
		cmd.param = cpu_to_le32(log->sequence);
		cqe = bed_exec(bed, &cmd);
		if (cqe.status || !host_read(bed, log))
			return false;
	} while (le16_to_cpu(cqe.flags) & LMF_LOG_MORE);
	return true;
}
