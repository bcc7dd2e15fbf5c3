// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty log of a VF that is memory. Entries are posted between the
 * measurements, as many as the ring has room for: that is the device's time.
 */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "device.h"

const struct lmf_vf_caps *lmf_vf_caps(const struct lmf_vf *vf)
{
	return &vf->caps;
}

struct lmf_buf *lmf_buf_alloc_log(struct lmf_vf *vf, size_t size, gfp_t gfp)
{
	struct lmf_buf *buf = kzalloc(sizeof(*buf), gfp);

	if (!buf)
		return NULL;
	buf->size = size;
	buf->vaddr = kvzalloc(size, gfp);
	if (!buf->vaddr) {
		kfree(buf);
		return NULL;
	}
	return buf;
}

struct lmf_buf *lmf_buf_alloc(struct lmf_vf *vf, size_t size, gfp_t gfp)
{
	return lmf_buf_alloc_log(vf, size, gfp);
}

void lmf_buf_put(struct lmf_buf *buf)
{
	if (!buf)
		return;
	kvfree(buf->vaddr);
	kfree(buf);
}

int lmf_vf_log_start(struct lmf_vf *vf, const struct lmf_log_params *params,
		     struct lmf_buf *ring)
{
	vf->slots = ring->vaddr;
	vf->entries = params->entries;
	vf->produced = 0;
	vf->consumed = 0;
	return 0;
}

int lmf_vf_log_stop(struct lmf_vf *vf)
{
	vf->slots = NULL;
	return 0;
}

void lmf_vf_log_consumed(struct lmf_vf *vf, u32 count)
{
	vf->consumed = count;
}

int lmf_vf_log_flush(struct lmf_vf *vf, u32 acknowledge,
		     struct lmf_log_flushed *flushed)
{
	*flushed = (struct lmf_log_flushed) { .produced = vf->produced };
	return 0;
}

int lmf_vf_log_read(struct lmf_vf *vf, struct lmf_buf *buf, u32 position,
		    struct lmf_log_part *part)
{
	return -EBUSY;
}

/* What the VF writes from now on; nothing of it is posted yet. */
void log_device_write(struct lmf_vf *vf, const struct lmf_log_entry *log,
		      u32 nlog)
{
	vf->log = log;
	vf->nlog = nlog;
	vf->logged = 0;
}

/* Posts as much as the ring has room for. */
void log_device_post(struct lmf_vf *vf)
{
	struct lmf_log_entry *slot;

	while (vf->logged < vf->nlog &&
	       vf->produced - vf->consumed < vf->entries) {
		slot = &vf->slots[vf->produced & (vf->entries - 1)];
		*slot = vf->log[vf->logged++];
		slot->phase = cpu_to_le16(!(vf->produced & vf->entries));
		vf->produced++;
	}
}
