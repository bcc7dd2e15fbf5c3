// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The device as a whole: its making, its run loop, its resets.
 *
 * Time comes only from the embedder. A run does a bounded amount of work, half
 * of it at least for the admin queue, and then asks to be called when the next
 * thing is due, which is at once if something is left.
 */
#include "fw.h"

void *fw_alloc(struct lmf_fw *fw, size_t bytes)
{
	return fw->ops.alloc(fw->ctx, bytes);
}

void fw_free(struct lmf_fw *fw, void *mem, size_t bytes)
{
	fw->ops.free(fw->ctx, mem, bytes);
}

void fw_note(struct lmf_fw *fw, int fn, const char *what)
{
	if (fw->ops.note)
		fw->ops.note(fw->ctx, fn, what);
}

/* Something may have come up to do. */
void fw_kick(struct lmf_fw *fw)
{
	if (!fw->running)
		fw->ops.wake(fw->ctx, fw->ops.now(fw->ctx));
}

bool fw_ring_good(uint64_t base, uint32_t entries, unsigned int size,
		  uint32_t max)
{
	return !(base % 4096) && fw_is_power_of_2(entries) && entries >= 2 &&
	       entries <= max && !fw_wraps(base, (uint64_t)entries * size);
}

uint32_t fw_trailer_max(const struct lmf_fw *fw)
{
	const uint32_t head = sizeof(struct lmf_seg);

	return fw->config.queues *
	       (head + sizeof(struct lmf_seg_queue) +
		FW_INFLIGHT * (head + sizeof(struct lmf_seg_request))) +
	       head + sizeof(struct lmf_seg_end);
}

/* Each granule once: what is dirtied again while it is saved comes on top. */
uint64_t fw_state_max(const struct lmf_fw *fw)
{
	const uint32_t head = sizeof(struct lmf_seg);

	return head + sizeof(struct lmf_seg_identity) +
	       fw->config.media_bytes / LMF_MEDIA_GRANULE *
	       (head + LMF_MEDIA_GRANULE) + fw_trailer_max(fw);
}

static bool fw_config_good(const struct lmf_fw_config *config)
{
	return config->vfs && config->vfs <= LMF_PF_VF_LIMIT &&
	       config->queues && config->queues <= LMF_VF_QUEUE_LIMIT &&
	       fw_is_power_of_2(config->entries) && config->entries >= 2 &&
	       config->entries <= 1024 && config->media_bytes &&
	       config->media_bytes % LMF_MEDIA_GRANULE == 0 &&
	       config->media_bytes <= FW_MEDIA_LIMIT &&
	       fw_is_power_of_2(config->log_entries) &&
	       config->log_entries >= 2 && config->log_entries <= 65536;
}

static struct fw_vf *fw_vf_create(struct lmf_fw *fw, unsigned int index)
{
	const uint64_t leaf = (uint64_t)FW_LEAF_GRANULES * LMF_MEDIA_GRANULE;
	struct fw_vf *vf = fw_alloc(fw, sizeof(*vf));
	unsigned int i;

	if (!vf)
		return NULL;
	vf->index = index;
	vf->first = FW_NONE;
	vf->last = FW_NONE;
	vf->media.leaves = (fw->config.media_bytes + leaf - 1) / leaf;
	for (i = 0; i < LMF_VF_QUEUE_LIMIT; i++)
		vf->queue[i].phase = 1;
	return vf;
}

struct lmf_fw *lmf_fw_create(const struct lmf_fw_config *config,
			     const struct lmf_fw_ops *ops, void *ctx)
{
	struct lmf_fw *fw;
	unsigned int i;

	if (!fw_config_good(config))
		return NULL;
	fw = ops->alloc(ctx, sizeof(*fw));
	if (!fw)
		return NULL;
	fw->ops = *ops;
	fw->ctx = ctx;
	fw->config = *config;
	fw->version = config->version ? config->version :
		LMF_VERSION(LMF_VERSION_MAJOR, LMF_VERSION_MINOR);
	fw->random = config->seed;
	for (i = 0; i < config->vfs; i++) {
		fw->vf[i] = fw_vf_create(fw, i);
		if (!fw->vf[i]) {
			lmf_fw_destroy(fw);
			return NULL;
		}
	}
	return fw;
}

static void fw_vf_destroy(struct lmf_fw *fw, struct fw_vf *vf)
{
	fw_queues_clear(fw, vf);
	fw_log_stop(fw, vf);
	fw_load_abort(fw, vf);
	fw_media_destroy(fw, vf);
	fw_free(fw, vf, sizeof(*vf));
}

void lmf_fw_destroy(struct lmf_fw *fw)
{
	unsigned int i;

	if (!fw)
		return;
	for (i = 0; i < fw->config.vfs; i++)
		if (fw->vf[i])
			fw_vf_destroy(fw, fw->vf[i]);
	fw_free(fw, fw, sizeof(*fw));
}

/* A fatal error is acted on when no other work is in the middle. */
void fw_settle(struct lmf_fw *fw)
{
	if (!fw->pf.dying)
		return;
	fw_pf_reset(fw);
	fw->pf.status = LMF_PF_STATUS_FATAL;
}

static struct fw_vf *fw_vf_of(struct lmf_fw *fw, int fn)
{
	if (fn < 0 || (unsigned int)fn >= fw->config.vfs ||
	    !fw->vf[fn]->present)
		return NULL;
	return fw->vf[fn];
}

static bool fw_access_good(uint64_t offset, unsigned int size)
{
	return (size == 4 || size == 8) && !(offset % size);
}

/* A function that is not there reads all ones, as on the bus. */
static uint32_t fw_read(struct lmf_fw *fw, int fn, uint64_t offset)
{
	struct fw_vf *vf = fw_vf_of(fw, fn);

	if (fn == LMF_FW_PF)
		return fw_pf_read(fw, offset);
	return vf ? fw_vf_read(fw, vf, offset) : UINT32_MAX;
}

static void fw_write(struct lmf_fw *fw, int fn, uint64_t offset,
		     uint32_t value)
{
	struct fw_vf *vf = fw_vf_of(fw, fn);

	if (fn == LMF_FW_PF)
		fw_pf_write(fw, offset, value);
	else if (vf)
		fw_vf_write(fw, vf, offset, value);
}

uint64_t lmf_fw_read(struct lmf_fw *fw, int fn, uint64_t offset,
		     unsigned int size)
{
	uint64_t value;

	if (!fw_access_good(offset, size))
		return 0;
	value = fw_read(fw, fn, offset);
	if (size == 8)
		value |= (uint64_t)fw_read(fw, fn, offset + 4) << 32;
	return value;
}

void lmf_fw_write(struct lmf_fw *fw, int fn, uint64_t offset, uint64_t value,
		  unsigned int size)
{
	if (!fw_access_good(offset, size))
		return;
	fw_write(fw, fn, offset, value);
	if (size == 8)
		fw_write(fw, fn, offset + 4, value >> 32);
	fw_settle(fw);
}

/*
 * Ends what the PF has going on with @vf. The level stays: who stopped a VF
 * would not want it to run again because the PF failed.
 */
static void fw_vf_unbind(struct lmf_fw *fw, struct fw_vf *vf)
{
	fw_log_stop(fw, vf);
	fw_save_abort(vf);
	fw_load_abort(fw, vf);
	vf->fence = 0;
}

/* Drops all that goes through the admin queue; its set-up stays. */
void fw_pf_reset(struct lmf_fw *fw)
{
	struct fw_pf *pf = &fw->pf;
	unsigned int i;

	fw_admin_drop(fw);
	for (i = 0; i < fw->config.vfs; i++)
		fw_vf_unbind(fw, fw->vf[i]);
	fw_event_drop(fw);
	pf->status = 0;
	pf->asq_tail = 0;
	pf->asq_head = 0;
	pf->acq_tail = 0;
	pf->acq_head = 0;
	pf->aeq_tail = 0;
	pf->aeq_head = 0;
	pf->fetched = 0;
	pf->dying = false;
}

void fw_vf_reset(struct lmf_fw *fw, struct fw_vf *vf)
{
	fw_queues_clear(fw, vf);
	if (vf->log)
		fw_log_publish(fw, vf);
	fw_admin_abort(fw, vf);
	fw_save_abort(vf);
	fw_load_abort(fw, vf);
	vf->level = LMF_QUIESCE_RUN;
	vf->stats.resets++;
	vf->resets++;
	fw_event(fw, vf, LMF_EV_VF_RESET);
}

/*
 * With the function goes its log: nothing can be written any more, and the
 * host could not name it in a LOG_STOP.
 */
void lmf_fw_vf_enable(struct lmf_fw *fw, unsigned int index, bool on)
{
	struct fw_vf *vf;

	if (index >= fw->config.vfs)
		return;
	vf = fw->vf[index];
	fw->now = fw->ops.now(fw->ctx);
	fw_vf_reset(fw, vf);
	if (on && !vf->present)
		memset(&vf->stats, 0, sizeof(vf->stats));
	if (!on)
		fw_log_stop(fw, vf);
	vf->present = on;
	fw_settle(fw);
	fw_kick(fw);
}

void lmf_fw_reset(struct lmf_fw *fw, int fn)
{
	struct fw_vf *vf = fw_vf_of(fw, fn);
	unsigned int i;

	fw->now = fw->ops.now(fw->ctx);
	if (vf)
		fw_vf_reset(fw, vf);
	if (fn == LMF_FW_PF) {
		fw_pf_reset(fw);
		memset(&fw->pf, 0, sizeof(fw->pf));
		for (i = 0; i < fw->config.vfs; i++)
			fw_vf_reset(fw, fw->vf[i]);
	}
	fw_settle(fw);
	fw_kick(fw);
}

/* When to run again, 0 for at once. */
static uint64_t fw_next(struct lmf_fw *fw)
{
	uint64_t next = fw_min(fw_admin_next(fw), fw_engine_next(fw));
	unsigned int i;

	for (i = 0; i < fw->config.vfs; i++)
		if (fw->vf[i]->media.doomed)
			return 0;
	return fw_min(next, fw_log_next(fw));
}

void lmf_fw_run(struct lmf_fw *fw)
{
	uint64_t next;
	unsigned int i;

	fw->running = true;
	fw->now = fw->ops.now(fw->ctx);
	fw->budget = FW_RUN_BYTES / 2;
	fw_admin_run(fw);
	fw->budget = FW_RUN_BYTES / 2 + (fw->budget > 0 ? fw->budget : 0);
	fw_engine_run(fw);
	fw_log_run(fw);
	for (i = 0; i < fw->config.vfs; i++)
		fw_media_reap(fw, fw->vf[i]);
	fw_settle(fw);
	fw->running = false;

	next = fw_next(fw);
	fw->ops.wake(fw->ctx, fw_max(next, fw->now));
}

void lmf_fw_stats(const struct lmf_fw *fw, unsigned int vf,
		  struct lmf_fw_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	if (vf >= fw->config.vfs)
		return;
	*stats = fw->vf[vf]->stats;
	stats->requests = fw_engine_parked(fw, fw->vf[vf]);
	stats->media_allocated = fw->vf[vf]->media.allocated *
				 LMF_MEDIA_GRANULE;
}
