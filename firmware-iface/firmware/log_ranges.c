// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Dirty log, format RANGES: a bounded list of extents that the host reads and
 * that is forgotten as it is read. An extent is posted when it is due; that the
 * host is told of them is all that has to be done about it.
 *
 * Overflow: the unit of the whole list is doubled until the new extent fits.
 * At the latest when a unit is half of the IOVA space all extents touch, so
 * there is an end to it. A list that was read to its end begins anew with fine
 * units.
 */
#include "fw.h"

/* Extents of the wire that are posted. */
static uint64_t fw_list_posted(const struct fw_extents *set, uint64_t when)
{
	const struct fw_extent *extent = set->extent;
	uint64_t count = 0;
	unsigned int i;

	for (i = 0; i < set->count; i++, extent++)
		if (extent->due <= when)
			count += 1 + (extent->last - extent->first) /
				     UINT32_MAX;
	return count;
}

static void fw_list_run(struct lmf_fw *fw, struct fw_vf *vf)
{
	const struct fw_log *log = vf->log;

	if (log->threshold && !log->told)
		fw_log_tell(fw, vf, fw_list_posted(&log->pending, fw->now));
}

/* Twice the unit; extents that touch then become one. */
static void fw_list_coarsen(struct fw_log *log)
{
	struct fw_extents *set = &log->pending;
	struct fw_extent *kept = set->extent;
	unsigned int i;

	for (i = 0; i < set->count; i++) {
		struct fw_extent extent = set->extent[i];

		extent.first >>= 1;
		extent.last >>= 1;
		if (!i) {
			*kept = extent;
		} else if (extent.first <= kept->last + 1) {
			kept->last = extent.last;
			kept->due = fw_min(kept->due, extent.due);
		} else {
			*++kept = extent;
		}
	}
	set->count = set->count ? kept - set->extent + 1 : 0;
	log->coarse++;
}

static void fw_list_add(struct lmf_fw *fw, struct fw_vf *vf, uint64_t first,
			uint64_t last)
{
	struct fw_log *log = vf->log;
	struct fw_extent new = {
		.first = first >> log->coarse,
		.last = last >> log->coarse,
		.due = fw_log_due(fw),
	};

	log->pending.max = FW_LIST_EXTENTS;
	if (fw->fault.log_entries)
		log->pending.max = fw_min(FW_LIST_EXTENTS,
					  fw->fault.log_entries);
	while (!fw_extents_merge(&log->pending, &new) &&
	       !fw_extents_insert(&log->pending, &new)) {
		fw_log_overflowed(vf);
		fw_list_coarsen(log);
		new.first >>= 1;
		new.last >>= 1;
	}
}

/*
 * Goes over what is posted, at most @room extents of the wire. Fills @to, or
 * forgets them if that is NULL. Returns their number.
 */
static uint32_t fw_list_give(struct fw_log *log, uint64_t when, uint32_t room,
			     struct lmf_log_extent *to)
{
	unsigned int unit = log->shift + log->coarse, i;
	struct fw_extent *extent = log->pending.extent;
	uint64_t first, units;
	uint32_t n = 0;

	for (i = 0; i < log->pending.count && n < room; i++, extent++) {
		if (extent->due > when)
			continue;
		for (first = extent->first; first <= extent->last && n < room;
		     first += units, n++) {
			units = fw_min(extent->last - first + 1, UINT32_MAX);
			if (!to)
				continue;
			to[n] = (struct lmf_log_extent) {
				.iova = cpu_to_le64(first << unit),
				.units = cpu_to_le32(units),
			};
		}
		if (!to)
			extent->first = first;
	}
	return n;
}

static void fw_list_forget(struct lmf_fw *fw, struct fw_vf *vf, uint32_t count)
{
	struct fw_log *log = vf->log;

	if (!count)
		return;
	fw_list_give(log, fw->now, count, NULL);
	fw_extents_sweep(&log->pending);
	vf->stats.log_entries += count;
	log->told = false;
	if (!log->pending.count) {
		log->coarse = 0;
		log->overflowing = false;
	}
}

static uint32_t fw_list_room(struct lmf_fw *fw, const struct fw_vf *vf)
{
	uint64_t bytes = fw_min(vf->sgl.total, FW_BOUNCE_BYTES);
	uint32_t room = (bytes - sizeof(struct lmf_log_list)) /
			sizeof(struct lmf_log_extent);

	return fw->fault.short_chunks ? 1 + fw_random(fw) % 8 : room;
}

static uint16_t fw_list_read(struct lmf_fw *fw, struct fw_vf *vf,
			     struct fw_slot *slot)
{
	struct fw_log *log = vf->log;
	struct lmf_log_list *list = (void *)fw->bounce;
	uint64_t posted = fw_list_posted(&log->pending, fw->now);
	uint32_t room = fw_list_room(fw, vf);
	uint32_t count = fw_list_give(log, fw->now, room, (void *)(list + 1));
	uint32_t bytes = sizeof(*list) + count * sizeof(struct lmf_log_extent);
	uint8_t flags = 0;

	if (slot->cmd.param)
		return LMF_ST_FIELD;
	if (posted > count)
		flags |= LMF_LOG_LIST_MORE;
	if (vf->level >= LMF_QUIESCE_INITIATOR)
		flags |= LMF_LOG_LIST_SUSPENDED;
	*list = (struct lmf_log_list) {
		.shift = log->shift + log->coarse,
		.flags = flags,
		.count = cpu_to_le32(count),
	};
	if (!fw_sgl_put(fw, &vf->sgl, fw->bounce, bytes))
		return LMF_ST_DMA;
	fw_list_forget(fw, vf, count);
	fw_list_run(fw, vf);
	slot->cqe.bytes = cpu_to_le32(bytes);
	slot->cqe.flags = cpu_to_le16(flags & LMF_LOG_LIST_MORE ?
				      LMF_LOG_MORE : 0);
	fw->budget -= bytes;
	return LMF_ST_OK;
}

static void fw_list_publish(struct lmf_fw *fw, struct fw_vf *vf)
{
	struct fw_extents *set = &vf->log->pending;
	unsigned int i;

	for (i = 0; i < set->count; i++)
		set->extent[i].due = 0;
	fw_list_run(fw, vf);
}

static uint16_t fw_list_flush(struct lmf_fw *fw, struct fw_vf *vf,
			      struct fw_slot *slot)
{
	if (slot->cmd.param)
		return LMF_ST_FIELD;
	fw_list_publish(fw, vf);
	slot->cqe.value[0] = cpu_to_le64(vf->log->pending.count);
	return LMF_ST_OK;
}

/* When one more gets due; only an event depends on it. */
static uint64_t fw_list_next(const struct lmf_fw *fw, const struct fw_log *log)
{
	const struct fw_extents *set = &log->pending;
	uint64_t next = LMF_FW_NEVER;
	unsigned int i;

	if (!log->threshold || log->told)
		return LMF_FW_NEVER;
	for (i = 0; i < set->count; i++)
		if (set->extent[i].due > fw->now)
			next = fw_min(next, set->extent[i].due);
	return next;
}

static uint16_t fw_list_start(struct lmf_fw *fw, struct fw_log *log,
			      const struct lmf_log_start *start,
			      const struct lmf_sge *sge)
{
	if (start->nsges || start->entries || log->threshold > FW_LIST_EXTENTS)
		return LMF_ST_FIELD;
	return fw_extents_alloc(fw, &log->pending, FW_LIST_EXTENTS) ?
		LMF_ST_OK : LMF_ST_RESOURCES;
}

static void fw_list_stop(struct lmf_fw *fw, struct fw_log *log)
{
	log->pending.max = FW_LIST_EXTENTS;
	fw_extents_free(fw, &log->pending);
}

const struct fw_log_format fw_log_ranges = {
	.start = fw_list_start,
	.stop = fw_list_stop,
	.add = fw_list_add,
	.publish = fw_list_publish,
	.flush = fw_list_flush,
	.read = fw_list_read,
	.run = fw_list_run,
	.next = fw_list_next,
};
