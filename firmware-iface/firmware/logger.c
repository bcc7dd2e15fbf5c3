// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Dirty logger, format RING: which granules of guest memory a VF wrote to.
 *
 * A written granule enters a bounded pending set after its data was written,
 * and becomes an entry of the ring some time later: log_post_delay_ns later,
 * or at a flush, at a reset, or when the set needs the room. So the data is
 * always visible before the entry, and a granule written again before its
 * entry was posted needs no second one.
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

static uint32_t fw_log_room(const struct lmf_fw *fw, const struct fw_log *log)
{
	uint32_t entries = log->entries;
	uint64_t used = log->posted - log->consumed;

	if (fw->fault.log_entries)
		entries = fw_min(entries, fw->fault.log_entries);
	return used < entries ? entries - used : 0;
}

static uint64_t fw_log_delay(const struct lmf_fw *fw)
{
	return fw->fault.log_delay_set ? fw->fault.log_delay_ns :
					 fw->config.log_post_delay_ns;
}

/* Tells the host once that it should consume, until it does. */
static void fw_log_tell(struct lmf_fw *fw, struct fw_vf *vf)
{
	struct fw_log *log = vf->log;
	uint64_t threshold = log->threshold;

	if (fw->fault.log_entries)
		threshold = fw_min(threshold, fw->fault.log_entries);
	if (!threshold || log->told || log->posted - log->consumed < threshold)
		return;
	log->told = true;
	fw_event(fw, vf, LMF_EV_LOG_THRESHOLD);
}

/* Where the next entry goes. Slots come in order, and so does the list. */
static uint64_t fw_log_slot(struct fw_log *log)
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
static uint32_t fw_log_post(struct lmf_fw *fw, struct fw_vf *vf,
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
	uint64_t addr = fw_log_slot(log);

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
static bool fw_log_post_some(struct lmf_fw *fw, struct fw_vf *vf,
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
			granules = fw_log_post(fw, vf, extent);
			if (!granules)
				return false;
			--*room;
			extent->first += granules;
		}
	}
	return true;
}

static void fw_log_sweep(struct fw_extents *set)
{
	unsigned int i, kept = 0;

	for (i = 0; i < set->count; i++)
		if (set->extent[i].first <= set->extent[i].last)
			set->extent[kept++] = set->extent[i];
	set->count = kept;
}

/* Posts all that is due at @when; false if some of it had to stay. */
static bool fw_log_post_due(struct lmf_fw *fw, struct fw_vf *vf, uint64_t when)
{
	struct fw_extents *set = &vf->log->pending;
	unsigned int start = fw_extents_find(set, vf->log->rotor);
	uint32_t room = fw_log_room(fw, vf->log);
	bool all;

	all = fw_log_post_some(fw, vf, start, set->count, when, &room) &&
	      fw_log_post_some(fw, vf, 0, start, when, &room);
	fw_log_sweep(set);
	fw_log_tell(fw, vf);
	return all;
}

/* Are both granules, and so all between them, in one tracked range? */
static bool fw_log_one_range(const struct fw_log *log, uint64_t first,
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
static void fw_log_coarsen(struct fw_vf *vf)
{
	struct fw_extent *extent = vf->log->pending.extent;
	unsigned int i, best = FW_LOG_EXTENTS;
	uint64_t gap, least = UINT64_MAX;

	for (i = 0; i + 1 < vf->log->pending.count; i++) {
		gap = extent[i + 1].first - extent[i].last;
		if (gap >= least || !fw_log_one_range(vf->log, extent[i].last,
						      extent[i + 1].first))
			continue;
		least = gap;
		best = i;
	}
	extent[best].coarse = true;
	fw_extents_join(&vf->log->pending, best);
	if (!vf->log->overflowing) {
		vf->log->overflowing = true;
		vf->log->overflows++;
		vf->stats.log_overflows++;
	}
}

static void fw_log_add(struct lmf_fw *fw, struct fw_vf *vf, uint64_t first,
		       uint64_t last)
{
	struct fw_extents *set = &vf->log->pending;
	struct fw_extent new = {
		.first = first,
		.last = last,
		.due = fw->now + fw_log_delay(fw),
	};

	if (fw_extents_merge(set, &new) || fw_extents_insert(set, &new))
		return;
	fw_log_post_due(fw, vf, UINT64_MAX);
	if (set->count == FW_LOG_EXTENTS)
		fw_log_coarsen(vf);
	if (!fw_extents_merge(set, &new))
		fw_extents_insert(set, &new);
}

/* A hook may lose any granule of [first, last]; the rest is added. */
static void fw_log_add_lossy(struct lmf_fw *fw, struct fw_vf *vf,
			     uint64_t first, uint64_t last)
{
	uint64_t granule, from = first;

	vf->stats.log_granules += last - first + 1;
	if (!vf->fault.lose_den) {
		fw_log_add(fw, vf, first, last);
		return;
	}
	for (granule = first; granule <= last; granule++) {
		if (!fw_fault_loses(fw, vf))
			continue;
		vf->stats.log_lost++;
		if (granule > from)
			fw_log_add(fw, vf, from, granule - 1);
		from = granule + 1;
	}
	if (from <= last)
		fw_log_add(fw, vf, from, last);
}

/* @len bytes, not 0, were written at @addr of guest memory. */
void fw_log_write(struct lmf_fw *fw, struct fw_vf *vf, uint64_t addr,
		  uint64_t len)
{
	const struct fw_log *log = vf->log;
	uint64_t first, last, from, to;
	unsigned int i;

	if (!log)
		return;
	first = addr >> log->shift;
	last = (addr + len - 1) >> log->shift;
	for (i = 0; i < log->ranges; i++) {
		from = fw_max(first, log->range[i].first);
		to = fw_min(last, log->range[i].last);
		if (from <= to)
			fw_log_add_lossy(fw, vf, from, to);
	}
}

/* Posts everything pending; false if the ring had no room for it. */
bool fw_log_publish(struct lmf_fw *fw, struct fw_vf *vf)
{
	vf->log->broken = false;
	return fw_log_post_due(fw, vf, UINT64_MAX);
}

/* The same for the host, who cannot make more room than a whole ring. */
bool fw_log_flush(struct lmf_fw *fw, struct fw_vf *vf)
{
	struct fw_log *log = vf->log;
	uint32_t room = fw_log_room(fw, log);

	if (log->posted == log->consumed && room >= log->ranges)
		while (log->pending.count > room)
			fw_log_coarsen(vf);
	return fw_log_publish(fw, vf);
}

/* The host consumed entries up to @head, the low half of its count. */
void fw_log_head(struct lmf_fw *fw, struct fw_vf *vf, uint32_t head)
{
	struct fw_log *log = vf->log;
	uint32_t consumed;

	if (!log)
		return;
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
	fw_log_tell(fw, vf);
}

void fw_log_run(struct lmf_fw *fw)
{
	struct fw_vf *vf;
	unsigned int i;

	for (i = 0; i < fw->config.vfs; i++) {
		vf = fw->vf[i];
		if (vf->log && vf->log->pending.count && !vf->log->broken)
			fw_log_post_due(fw, vf, fw->now);
	}
}

static uint64_t fw_log_next_of(const struct lmf_fw *fw,
			       const struct fw_log *log)
{
	uint64_t next = LMF_FW_NEVER;
	unsigned int i;

	if (log->broken || !fw_log_room(fw, log))
		return LMF_FW_NEVER;
	for (i = 0; i < log->pending.count; i++)
		next = fw_min(next, log->pending.extent[i].due);
	return next;
}

/* When the next entry is due that can be posted. */
uint64_t fw_log_next(const struct lmf_fw *fw)
{
	uint64_t next = LMF_FW_NEVER;
	unsigned int i;

	for (i = 0; i < fw->config.vfs; i++)
		if (fw->vf[i]->log)
			next = fw_min(next,
				      fw_log_next_of(fw, fw->vf[i]->log));
	return next;
}

static bool fw_log_touches(const struct fw_log *log, uint64_t first,
			   uint64_t last)
{
	unsigned int i;

	for (i = 0; i < log->ranges; i++)
		if (first <= log->range[i].last && log->range[i].first <= last)
			return true;
	return false;
}

static bool fw_log_take_ranges(struct fw_log *log,
			       const struct lmf_log_range *range,
			       unsigned int count)
{
	const uint64_t mask = (1ull << log->shift) - 1;
	uint64_t iova, last;

	for (; count; count--, range++) {
		iova = le64_to_cpu(range->iova);
		last = le64_to_cpu(range->last);
		if (iova & mask || (last & mask) != mask || last < iova)
			return false;
		iova >>= log->shift;
		last >>= log->shift;
		if (fw_log_touches(log, iova, last))
			return false;
		log->range[log->ranges].first = iova;
		log->range[log->ranges++].last = last;
	}
	return true;
}

static bool fw_log_take_ring(struct fw_log *log, const struct lmf_sge *sge,
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

/* @data holds @len bytes of the host's, copied already. */
static bool fw_log_take(const struct lmf_fw *fw, struct fw_log *log,
			const struct lmf_log_start *start, size_t len)
{
	const struct lmf_log_range *range = (const void *)(start + 1);
	unsigned int nsges = le16_to_cpu(start->nsges);
	uint32_t nranges = le32_to_cpu(start->nranges);
	static const uint8_t zero[sizeof(start->reserved)];

	log->shift = start->shift;
	log->entries = le32_to_cpu(start->entries);
	log->threshold = le32_to_cpu(start->threshold);
	if (start->format != LMF_LOG_RING || log->shift < FW_LOG_SHIFT_MIN ||
	    log->shift > FW_LOG_SHIFT_MAX || !nranges ||
	    nranges > FW_LOG_RANGES || nsges > FW_MAX_SGES ||
	    !fw_is_power_of_2(log->entries) || log->entries < 2 ||
	    log->entries > fw->config.log_entries ||
	    log->threshold > log->entries ||
	    memcmp(start->reserved, zero, sizeof(zero)) ||
	    len != sizeof(*start) + nranges * sizeof(*range) +
		   nsges * sizeof(struct lmf_sge))
		return false;
	return fw_log_take_ranges(log, range, nranges) &&
	       fw_log_take_ring(log, (const void *)(range + nranges), nsges);
}

uint16_t fw_log_start(struct lmf_fw *fw, struct fw_vf *vf, const void *data,
		      size_t len)
{
	struct fw_log *log;

	if (vf->log)
		return LMF_ST_STATE;
	if (len < sizeof(struct lmf_log_start))
		return LMF_ST_FIELD;
	log = fw_alloc(fw, sizeof(*log));
	if (!log)
		return LMF_ST_RESOURCES;
	if (!fw_log_take(fw, log, data, len)) {
		fw_free(fw, log, sizeof(*log));
		return LMF_ST_FIELD;
	}
	vf->log = log;
	return LMF_ST_OK;
}

void fw_log_stop(struct lmf_fw *fw, struct fw_vf *vf)
{
	fw_free(fw, vf->log, sizeof(*vf->log));
	vf->log = NULL;
}
