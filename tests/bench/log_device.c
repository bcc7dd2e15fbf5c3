// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty log of a VF that is memory. Entries are posted between the
 * measurements, as many as the ring has room for: that is the device's time. In
 * the other formats it is counted, as the driver has to wait for it. The list
 * is as long as need be, and nothing gets coarse.
 */
#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "clock.h"
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
	vf->format = params->format;
	vf->slots = ring ? ring->vaddr : NULL;
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
	if (vf->format != LMF_LOG_BITMAP)
		return 0;
	if (acknowledge == vf->sequence)
		vf->closed = false;
	vf->closed |= vf->open;
	vf->open = false;
	flushed->sequence = ++vf->sequence;
	return 0;
}

/* An extent looks like an entry of a ring without flags and phase. */
static void log_read_list(struct lmf_vf *vf, struct lmf_buf *buf,
			  struct lmf_log_part *part)
{
	struct lmf_log_list *list = buf->vaddr;
	u32 room = (buf->size - sizeof(*list)) / sizeof(*vf->log);
	u32 n = min(room, vf->nlog - vf->logged);

	memcpy(list + 1, vf->log + vf->logged, n * sizeof(*vf->log));
	vf->logged += n;
	part->bytes = sizeof(*list) + n * sizeof(*vf->log);
	part->more = vf->logged < vf->nlog;
	*list = (struct lmf_log_list) {
		.shift = PAGE_SHIFT,
		.flags = part->more ? LMF_LOG_LIST_MORE : 0,
		.count = cpu_to_le32(n),
	};
}

static void log_read_bank(struct lmf_vf *vf, struct lmf_buf *buf, u32 position,
			  struct lmf_log_part *part)
{
	u32 end = position, nleaves = vf->closed ? vf->nleaves : 0;
	const u32 *leaf = vf->leaf;

	while (end < nleaves && leaf[end + 1] - leaf[position] <= buf->size)
		end++;
	part->bytes = leaf[end] - leaf[position];
	memcpy(buf->vaddr, vf->bank + leaf[position], part->bytes);
	part->more = end < nleaves;
	part->position = end;
	part->sequence = vf->sequence;
}

int lmf_vf_log_read(struct lmf_vf *vf, struct lmf_buf *buf, u32 position,
		    struct lmf_log_part *part)
{
	u64 start = bench_ns();

	*part = (struct lmf_log_part) { };
	if (vf->format == LMF_LOG_BITMAP)
		log_read_bank(vf, buf, position, part);
	else
		log_read_list(vf, buf, part);
	vf->device_ns += bench_ns() - start;
	return 0;
}

static size_t log_put_leaf(const unsigned long *dirty, u64 page, u8 *to)
{
	struct lmf_log_leaf *leaf = (void *)to;
	struct lmf_log_block *block = (void *)(leaf + 1);
	u64 summary = 0;
	u32 n;

	for (n = 0; n < LMF_LOG_LEAF_BLOCKS; n++) {
		const unsigned long *bits = dirty + page / BITS_PER_LONG +
			n * LMF_LOG_BLOCK_GRANULES / BITS_PER_LONG;

		if (bitmap_empty(bits, LMF_LOG_BLOCK_GRANULES))
			continue;
		summary |= BIT_ULL(n);
		memcpy(block++, bits, sizeof(*block));
	}
	leaf->iova = cpu_to_le64(page << PAGE_SHIFT);
	leaf->summary = cpu_to_le64(summary);
	return summary ? (u8 *)block - to : 0;
}

/* Fills @bank and @leaf, and returns the number of leaves. */
size_t log_device_bank(const unsigned long *dirty, u64 pages, u8 *bank,
		       u32 *leaf)
{
	u64 page, step = LMF_LOG_LEAF_BLOCKS * LMF_LOG_BLOCK_GRANULES;
	size_t n = 0, bytes;

	leaf[0] = 0;
	for (page = 0; page < pages; page += step) {
		bytes = log_put_leaf(dirty, page, bank + leaf[n]);
		if (!bytes)
			continue;
		leaf[n + 1] = leaf[n] + bytes;
		n++;
	}
	return n;
}

/* What the VF writes from now on; nothing of it is posted yet. */
void log_device_write(struct lmf_vf *vf, const struct lmf_log_entry *log,
		      u32 nlog)
{
	vf->log = log;
	vf->nlog = nlog;
	vf->logged = 0;
	vf->open = true;
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
