// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Dirty log, format RING: a written granule waits in a bounded set of extents
 * until its entry is posted, when it is due, or at a flush, at a reset, or when
 * the set needs the room.
 *
 * Overflow: with ring and set both full, the two extents of one tracked range
 * that are closest are merged, with what lies between, and marked coarse. The
 * set holds more extents than there are ranges, so such a pair exists. A flush
 * does the same to what does not fit into a ring that is all free, or a host
 * with a short ring could flush for ever.
 *
 * Posting goes round by address, so that a hot low range cannot keep higher
 * ones from a small ring.
 */
#include "fw.h"

static uint32_t fw_ring_room(const struct lmf_fw *fw, const struct fw_log *log)
{
	uint32_t entries = log->entries;
	uint64_t used = log->posted - log->consumed;

	if (fw->fault.log_entries)
		entries = fw_min(entries, fw->fault.log_entries);
	return used < entries ? entries - used : 0;
}

/* Where the next entry goes. Slots come in order, and so does the list. */
static uint64_t fw_ring_slot(struct fw_log *log)
{
	const uint32_t size = sizeof(struct lmf_log_entry);
	uint32_t slot = log->posted & (log->entries - 1);

	if (!slot) {
		log->ring.index = 0;
		log->ring_slot = 0;
	}
	while (slot - log->ring_slot >=
	       log->ring.sge[log->ring.index].len / size)
		log->ring_slot += log->ring.sge[log->ring.index++].len / size;
	return log->ring.sge[log->ring.index].addr +
	       (slot - log->ring_slot) * size;
}

/* Posts @extent or the beginning of it; answers the granules, 0 on failure. */
static uint32_t fw_ring_post(struct lmf_fw *fw, struct fw_vf *vf,
			     const struct fw_extent *extent)
{
	struct fw_log *log = vf->log;
	uint32_t granules = fw_min(extent->last - extent->first,
				   UINT32_MAX - 1) + 1;
	struct lmf_log_entry entry = {
		.iova = cpu_to_le64(extent->first << log->shift),
		.granules = cpu_to_le32(granules),
		.flags = cpu_to_le16(extent->coarse ? LMF_LOG_COARSE : 0),
		.phase = cpu_to_le16(!(log->posted & log->entries)),
	};
	const uint8_t *bytes = (const uint8_t *)&entry;
	uint64_t addr = fw_ring_slot(log);

	log->broken = fw->ops.dma_write(fw->ctx, LMF_FW_PF, addr, bytes, 8) ||
		      fw->ops.dma_write(fw->ctx, LMF_FW_PF, addr + 8,
					bytes + 8, 8);
	if (log->broken) {
		fw_note(fw, vf->index, "log ring is not accessible");
		return 0;
	}
	log->posted++;
	log->overflowing = false;
	log->rotor = extent->first + granules;
	vf->stats.log_entries++;
	return granules;
}

/* Posts of extents [from, to) what is due at @when; marks those gone. */
static bool fw_ring_post_some(struct lmf_fw *fw, struct fw_vf *vf,
			      unsigned int from, unsigned int to, uint64_t when,
			      uint32_t *room)
{
	struct fw_extent *extent;
	uint32_t granules;

	for (extent = &vf->log->pending.extent[from];
	     extent < &vf->log->pending.extent[to]; extent++) {
		while (extent->due <= when && extent->first <= extent->last) {
			if (!*room)
				return false;
			granules = fw_ring_post(fw, vf, extent);
			if (!granules)
				return false;
			--*room;
			extent->first += granules;
		}
	}
	return true;
}

/* Posts all that is due at @when; false if some of it had to stay. */
static bool fw_ring_post_due(struct lmf_fw *fw, struct fw_vf *vf, uint64_t when)
{
	struct fw_extents *set = &vf->log->pending;
	unsigned int start = fw_extents_find(set, vf->log->rotor);
	uint32_t room = fw_ring_room(fw, vf->log);
	bool all;

	all = fw_ring_post_some(fw, vf, start, set->count, when, &room) &&
	      fw_ring_post_some(fw, vf, 0, start, when, &room);
	fw_extents_sweep(set);
	fw_log_tell(fw, vf, vf->log->posted - vf->log->consumed);
	return all;
}

/* Are both granules, and so all between them, in one tracked range? */
static bool fw_ring_one_range(const struct fw_log *log, uint64_t first,
			      uint64_t last)
{
	unsigned int i;

	for (i = 0; i < log->ranges; i++)
		if (log->range[i].first <= first && last <= log->range[i].last)
			return true;
	return false;
}

/*
 * There are more extents than ranges, so two that follow each other begin in
 * one range, and what lies between them is in it.
 */
static void fw_ring_coarsen(struct fw_vf *vf)
{
	struct fw_extent *extent = vf->log->pending.extent;
	unsigned int i, best = vf->log->pending.max;
	uint64_t gap, least = UINT64_MAX;

	for (i = 0; i + 1 < vf->log->pending.count; i++) {
		gap = extent[i + 1].first - extent[i].last;
		if (gap >= least || !fw_ring_one_range(vf->log, extent[i].last,
						       extent[i + 1].first))
			continue;
		least = gap;
		best = i;
	}
	extent[best].coarse = true;
	fw_extents_join(&vf->log->pending, best);
	fw_log_overflowed(vf);
}

static void fw_ring_add(struct lmf_fw *fw, struct fw_vf *vf, uint64_t first,
			uint64_t last)
{
	struct fw_extents *set = &vf->log->pending;
	struct fw_extent new = {
		.first = first,
		.last = last,
		.due = fw_log_due(fw),
	};

	if (fw_extents_merge(set, &new) || fw_extents_insert(set, &new))
		return;
	fw_ring_post_due(fw, vf, UINT64_MAX);
	if (set->count == set->max)
		fw_ring_coarsen(vf);
	if (!fw_extents_merge(set, &new))
		fw_extents_insert(set, &new);
}

/* Posts everything pending; false if the ring had no room for it. */
static bool fw_ring_post_all(struct lmf_fw *fw, struct fw_vf *vf)
{
	vf->log->broken = false;
	return fw_ring_post_due(fw, vf, UINT64_MAX);
}

static void fw_ring_publish(struct lmf_fw *fw, struct fw_vf *vf)
{
	fw_ring_post_all(fw, vf);
}

/* The same for the host, who cannot make more room than a whole ring. */
static uint16_t fw_ring_flush(struct lmf_fw *fw, struct fw_vf *vf,
			      struct fw_slot *slot)
{
	struct fw_log *log = vf->log;
	uint32_t room = fw_ring_room(fw, log);
	bool all;

	if (slot->cmd.param)
		return LMF_ST_FIELD;
	if (log->posted == log->consumed && room >= log->ranges)
		while (log->pending.count > room)
			fw_ring_coarsen(vf);
	all = fw_ring_post_all(fw, vf);
	if (log->broken)
		return LMF_ST_DMA;
	slot->cqe.flags = cpu_to_le16(all ? 0 : LMF_LOG_MORE);
	slot->cqe.value[0] = cpu_to_le64(log->posted);
	return LMF_ST_OK;
}

static uint16_t fw_ring_read(struct lmf_fw *fw, struct fw_vf *vf,
			     struct fw_slot *slot)
{
	return LMF_ST_STATE;
}

static void fw_ring_head(struct lmf_fw *fw, struct fw_vf *vf, uint32_t head)
{
	struct fw_log *log = vf->log;
	uint32_t consumed;

	consumed = head - (uint32_t)log->consumed;
	if (consumed > log->posted - log->consumed) {
		fw_note(fw, vf->index, "log head beyond what was posted");
		return;
	}
	if (!consumed)
		return;
	log->consumed += consumed;
	log->told = false;
	log->broken = false;
	fw_log_tell(fw, vf, vf->log->posted - vf->log->consumed);
}

static void fw_ring_run(struct lmf_fw *fw, struct fw_vf *vf)
{
	if (vf->log->pending.count && !vf->log->broken)
		fw_ring_post_due(fw, vf, fw->now);
}

/* When the next entry is due that can be posted. */
static uint64_t fw_ring_next(const struct lmf_fw *fw, const struct fw_log *log)
{
	uint64_t next = LMF_FW_NEVER;
	unsigned int i;

	if (log->broken || !fw_ring_room(fw, log))
		return LMF_FW_NEVER;
	for (i = 0; i < log->pending.count; i++)
		next = fw_min(next, log->pending.extent[i].due);
	return next;
}

static bool fw_ring_take(struct fw_log *log, const struct lmf_sge *sge,
			 unsigned int count)
{
	const uint32_t size = sizeof(struct lmf_log_entry);

	for (; count; count--, sge++)
		if (le64_to_cpu(sge->addr) % size ||
		    le32_to_cpu(sge->len) % size ||
		    !fw_sgl_add(&log->ring, sge))
			return false;
	return log->ring.total == (uint64_t)log->entries * size;
}

static uint16_t fw_ring_start(struct lmf_fw *fw, struct fw_log *log,
			      const struct lmf_log_start *start,
			      const struct lmf_sge *sge)
{
	log->entries = le32_to_cpu(start->entries);
	if (!fw_is_power_of_2(log->entries) || log->entries < 2 ||
	    log->entries > fw->config.log_entries ||
	    log->threshold > log->entries ||
	    !fw_ring_take(log, sge, le16_to_cpu(start->nsges)))
		return LMF_ST_FIELD;
	return fw_extents_alloc(fw, &log->pending, FW_LOG_EXTENTS) ?
		LMF_ST_OK : LMF_ST_RESOURCES;
}

static void fw_ring_stop(struct lmf_fw *fw, struct fw_log *log)
{
	fw_extents_free(fw, &log->pending);
}

const struct fw_log_format fw_log_ring = {
	.start = fw_ring_start,
	.stop = fw_ring_stop,
	.add = fw_ring_add,
	.publish = fw_ring_publish,
	.flush = fw_ring_flush,
	.read = fw_ring_read,
	.head = fw_ring_head,
	.run = fw_ring_run,
	.next = fw_ring_next,
};
