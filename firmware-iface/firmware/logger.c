// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Dirty logger: which granules of guest memory a VF wrote to, in the format
 * that the host chose. This file is what the formats have in common.
 *
 * A granule is logged after its data was written, and the host hears of it some
 * time later: log_post_delay_ns later, or at a flush, or at a reset. So the
 * data is always visible before the entry, and a granule written again before
 * its entry was posted needs no second one.
 */
#include "fw.h"

static const struct fw_log_format *const fw_log_formats[] = {
	[LMF_LOG_RING] = &fw_log_ring,
	[LMF_LOG_RANGES] = &fw_log_ranges,
	[LMF_LOG_BITMAP] = &fw_log_bitmap,
};

#define FW_LOG_FORMATS	(sizeof(fw_log_formats) / sizeof(fw_log_formats[0]))

uint32_t fw_log_offers(const struct lmf_fw *fw)
{
	const uint32_t all = (1u << FW_LOG_FORMATS) - 1;

	if (!fw->config.log)
		return 0;
	return fw->config.log_formats ? fw->config.log_formats & all : all;
}

/* When what is written now is to be posted. */
uint64_t fw_log_due(const struct lmf_fw *fw)
{
	return fw->now + (fw->fault.log_delay_set ?
			  fw->fault.log_delay_ns :
			  fw->config.log_post_delay_ns);
}

/* Counts an overflow once, until the format clears @overflowing. */
void fw_log_overflowed(struct fw_vf *vf)
{
	if (vf->log->overflowing)
		return;
	vf->log->overflowing = true;
	vf->log->overflows++;
	vf->stats.log_overflows++;
}

/* Tells the host once that it should consume, until it does. */
void fw_log_tell(struct lmf_fw *fw, struct fw_vf *vf, uint64_t unconsumed)
{
	struct fw_log *log = vf->log;
	uint64_t threshold = log->threshold;

	if (fw->fault.log_entries)
		threshold = fw_min(threshold, fw->fault.log_entries);
	if (!threshold || log->told || unconsumed < threshold)
		return;
	log->told = true;
	fw_event(fw, vf, LMF_EV_LOG_THRESHOLD);
}

/* A hook may lose any granule of [first, last]; the rest is added. */
static void fw_log_add_lossy(struct lmf_fw *fw, struct fw_vf *vf,
			     uint64_t first, uint64_t last)
{
	uint64_t granule, from = first;

	vf->stats.log_granules += last - first + 1;
	if (!vf->fault.lose_den) {
		vf->log->format->add(fw, vf, first, last);
		return;
	}
	for (granule = first; granule <= last; granule++) {
		if (!fw_fault_loses(fw, vf))
			continue;
		vf->stats.log_lost++;
		if (granule > from)
			vf->log->format->add(fw, vf, from, granule - 1);
		from = granule + 1;
	}
	if (from <= last)
		vf->log->format->add(fw, vf, from, last);
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

void fw_log_publish(struct lmf_fw *fw, struct fw_vf *vf)
{
	vf->log->format->publish(fw, vf);
}

uint16_t fw_log_flush(struct lmf_fw *fw, struct fw_vf *vf, struct fw_slot *slot)
{
	uint16_t status;

	if (!vf->log)
		return LMF_ST_STATE;
	status = vf->log->format->flush(fw, vf, slot);
	if (!status)
		slot->cqe.value[1] = cpu_to_le64(vf->log->overflows);
	return status;
}

uint16_t fw_log_read(struct lmf_fw *fw, struct fw_vf *vf, struct fw_slot *slot)
{
	return vf->log ? vf->log->format->read(fw, vf, slot) : LMF_ST_STATE;
}

/* The host consumed entries up to @head, the low half of its count. */
void fw_log_head(struct lmf_fw *fw, struct fw_vf *vf, uint32_t head)
{
	if (vf->log && vf->log->format->head)
		vf->log->format->head(fw, vf, head);
}

void fw_log_run(struct lmf_fw *fw)
{
	unsigned int i;

	for (i = 0; i < fw->config.vfs; i++)
		if (fw->vf[i]->log && fw->vf[i]->log->format->run)
			fw->vf[i]->log->format->run(fw, fw->vf[i]);
}

/* When the next entry is due. */
uint64_t fw_log_next(const struct lmf_fw *fw)
{
	uint64_t next = LMF_FW_NEVER;
	const struct fw_log *log;
	unsigned int i;

	for (i = 0; i < fw->config.vfs; i++) {
		log = fw->vf[i]->log;
		if (log && log->format->next)
			next = fw_min(next, log->format->next(fw, log));
	}
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

/* @start is the beginning of @len bytes of the host's, copied already. */
static uint16_t fw_log_take(struct lmf_fw *fw, struct fw_log *log,
			    const struct lmf_log_start *start, size_t len)
{
	const struct lmf_log_range *range = (const void *)(start + 1);
	unsigned int nsges = le16_to_cpu(start->nsges);
	uint32_t nranges = le32_to_cpu(start->nranges);
	static const uint8_t zero[sizeof(start->reserved)];

	log->shift = start->shift;
	log->threshold = le32_to_cpu(start->threshold);
	if (start->format >= FW_LOG_FORMATS ||
	    !(fw_log_offers(fw) >> start->format & 1) ||
	    log->shift < FW_LOG_SHIFT_MIN || log->shift > FW_LOG_SHIFT_MAX ||
	    !nranges || nranges > FW_LOG_RANGES || nsges > FW_MAX_SGES ||
	    memcmp(start->reserved, zero, sizeof(zero)) ||
	    len != sizeof(*start) + nranges * sizeof(*range) +
		   nsges * sizeof(struct lmf_sge) ||
	    !fw_log_take_ranges(log, range, nranges))
		return LMF_ST_FIELD;
	log->format = fw_log_formats[start->format];
	return log->format->start(fw, log, start,
				  (const void *)(range + nranges));
}

static void fw_log_free(struct lmf_fw *fw, struct fw_log *log)
{
	if (log && log->format)
		log->format->stop(fw, log);
	fw_free(fw, log, sizeof(*log));
}

uint16_t fw_log_start(struct lmf_fw *fw, struct fw_vf *vf, const void *data,
		      size_t len)
{
	struct fw_log *log;
	uint16_t status;

	if (vf->log)
		return LMF_ST_STATE;
	if (len < sizeof(struct lmf_log_start))
		return LMF_ST_FIELD;
	log = fw_alloc(fw, sizeof(*log));
	if (!log)
		return LMF_ST_RESOURCES;
	status = fw_log_take(fw, log, data, len);
	if (status)
		fw_log_free(fw, log);
	else
		vf->log = log;
	return status;
}

void fw_log_stop(struct lmf_fw *fw, struct fw_vf *vf)
{
	fw_log_free(fw, vf->log);
	vf->log = NULL;
}
