// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that the device reads or writes, mapped for the PF.
 *
 * Chunk buffers are large and come and go: dma_alloc_noncontiguous() takes
 * scattered pages and still gives one IOVA range, so a command never needs a
 * list. They are handed over before a command is posted and back when it
 * completed. Where there is no IOMMU such a buffer must be contiguous memory;
 * LMF_CHUNK_LIMIT keeps that within what the page allocator can give.
 *
 * A log ring is written while the host reads it, so it is coherent; and so is
 * what LOG_READ fills, which is read at once and by words.
 */
#include <linux/dma-mapping.h>
#include <linux/highmem.h>
#include <linux/slab.h>

#include "compat.h"
#include "lmf_core.h"

static void lmf_dmabuf_free(struct lmf_dmabuf *buf)
{
	struct device *dev = buf->core->dev;
	size_t size = buf->pub.size;

	if (buf->sgt) {
		dma_vunmap_noncontiguous(dev, buf->pub.vaddr);
		dma_free_noncontiguous(dev, size, buf->sgt, DMA_BIDIRECTIONAL);
	} else {
		dma_free_coherent(dev, size, buf->pub.vaddr, buf->dma);
	}
	kfree(buf);
}

static void lmf_dmabuf_free_work(struct work_struct *work)
{
	lmf_dmabuf_free(container_of(work, struct lmf_dmabuf, free_work));
}

static struct lmf_dmabuf *lmf_dmabuf_new(struct lmf_core *core, size_t size,
					 gfp_t gfp)
{
	struct lmf_dmabuf *buf = kzalloc(sizeof(*buf), gfp);

	if (!buf)
		return NULL;
	buf->core = core;
	buf->pub.size = size;
	kref_init(&buf->ref);
	INIT_WORK(&buf->free_work, lmf_dmabuf_free_work);
	return buf;
}

static int lmf_dmabuf_map(struct lmf_dmabuf *buf, gfp_t gfp)
{
	struct device *dev = buf->core->dev;
	size_t size = buf->pub.size;

	buf->sgt = dma_alloc_noncontiguous(dev, size, DMA_BIDIRECTIONAL,
					   gfp | __GFP_NOWARN, 0);
	if (!buf->sgt)
		return -ENOMEM;
	buf->pub.vaddr = dma_vmap_noncontiguous(dev, size, buf->sgt);
	if (!buf->pub.vaddr) {
		dma_free_noncontiguous(dev, size, buf->sgt, DMA_BIDIRECTIONAL);
		return -ENOMEM;
	}
	buf->dma = sg_dma_address(buf->sgt->sgl);
	memset(buf->pub.vaddr, 0, size);
	return 0;
}

struct lmf_buf *lmf_buf_alloc(struct lmf_vf *vf, size_t size, gfp_t gfp)
{
	struct lmf_dmabuf *buf;

	if (!size || size > vf->caps.chunk_max)
		return NULL;
	buf = lmf_dmabuf_new(vf->func->core, size, gfp);
	if (!buf)
		return NULL;
	if (lmf_dmabuf_map(buf, gfp)) {
		kfree(buf);
		return NULL;
	}
	return &buf->pub;
}
EXPORT_SYMBOL_LMF(lmf_buf_alloc);

struct lmf_dmabuf *lmf_dmabuf_alloc_coherent(struct lmf_core *core, size_t size,
					     gfp_t gfp)
{
	struct lmf_dmabuf *buf = lmf_dmabuf_new(core, size, gfp);

	if (!buf)
		return NULL;
	buf->pub.vaddr = dma_alloc_coherent(core->dev, size, &buf->dma,
					    gfp | __GFP_NOWARN);
	if (!buf->pub.vaddr) {
		kfree(buf);
		return NULL;
	}
	return buf;
}

struct lmf_buf *lmf_buf_alloc_log(struct lmf_vf *vf, size_t size, gfp_t gfp)
{
	size_t ring = vf->caps.log_ring_max * sizeof(struct lmf_log_entry);
	struct lmf_dmabuf *buf;

	if (!size || size > max_t(size_t, ring, LMF_LOG_READ_MAX))
		return NULL;
	buf = lmf_dmabuf_alloc_coherent(vf->func->core, size, gfp);
	return buf ? &buf->pub : NULL;
}
EXPORT_SYMBOL_LMF(lmf_buf_alloc_log);

struct lmf_dmabuf *lmf_dmabuf_get(struct lmf_dmabuf *buf)
{
	kref_get(&buf->ref);
	return buf;
}

static void lmf_dmabuf_release(struct kref *ref)
{
	struct lmf_dmabuf *buf = container_of(ref, struct lmf_dmabuf, ref);

	queue_work(buf->core->wq, &buf->free_work);
}

/* In any context. */
void lmf_dmabuf_put(struct lmf_dmabuf *buf)
{
	if (buf)
		kref_put(&buf->ref, lmf_dmabuf_release);
}

void lmf_buf_put(struct lmf_buf *buf)
{
	if (buf)
		lmf_dmabuf_put(to_lmf_dmabuf(buf));
}
EXPORT_SYMBOL_LMF(lmf_buf_put);

void lmf_dmabuf_to_device(struct lmf_dmabuf *buf)
{
	if (!buf->sgt)
		return;
	flush_kernel_vmap_range(buf->pub.vaddr, buf->pub.size);
	dma_sync_sgtable_for_device(buf->core->dev, buf->sgt,
				    DMA_BIDIRECTIONAL);
}

void lmf_dmabuf_to_cpu(struct lmf_dmabuf *buf)
{
	if (!buf->sgt)
		return;
	dma_sync_sgtable_for_cpu(buf->core->dev, buf->sgt, DMA_BIDIRECTIONAL);
	invalidate_kernel_vmap_range(buf->pub.vaddr, buf->pub.size);
}
