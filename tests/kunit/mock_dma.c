// SPDX-License-Identifier: GPL-2.0-only
/*
 * An IOMMU for the mock device: what the PF driver allocates for DMA is mapped
 * from then on until it is freed, and the device reaches nothing else. An
 * access beside that is counted, so a buffer freed too early is seen whether or
 * not the kernel checks its memory. IOVAs are physical addresses, but for what
 * mock_dma_map() maps.
 *
 * What is not coherent bounces: the device has a copy of its own, and sees the
 * driver's bytes, or the driver the device's, only once they were handed over.
 */
#include <linux/io.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "mock_dma.h"
#include "sweep_alloc.h"

struct mock_mapping {
	struct list_head list;
	int fn;
	u64 addr;
	size_t size;
	void *mem;	/* what mock_dma_map() mapped */
	void *bounce;
	enum dma_data_direction dir;
};

static DEFINE_SPINLOCK(mock_dma_lock); /* protects all below */
static LIST_HEAD(mock_dma_mappings);
static unsigned int mock_dma_nfaults;
static bool mock_dma_failing;

/* Allocations for DMA fail from now on, or work again. */
void mock_dma_fail(bool fail)
{
	WRITE_ONCE(mock_dma_failing, fail);
}

static struct mock_mapping *mock_dma_new(int fn, u64 addr, size_t size)
{
	struct mock_mapping *mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);

	if (!mapping)
		return NULL;
	mapping->fn = fn;
	mapping->addr = addr;
	mapping->size = size;
	return mapping;
}

static void mock_dma_insert(struct mock_mapping *mapping)
{
	unsigned long flags;

	spin_lock_irqsave(&mock_dma_lock, flags);
	list_add(&mapping->list, &mock_dma_mappings);
	spin_unlock_irqrestore(&mock_dma_lock, flags);
}

int mock_dma_add(int fn, u64 addr, size_t size)
{
	struct mock_mapping *mapping = mock_dma_new(fn, addr, size);

	if (!mapping)
		return -ENOMEM;
	mock_dma_insert(mapping);
	return 0;
}

/* Memory at an IOVA of the caller's choice. */
int mock_dma_map(int fn, u64 addr, void *mem, size_t size)
{
	struct mock_mapping *mapping = mock_dma_new(fn, addr, size);

	if (!mapping)
		return -ENOMEM;
	mapping->mem = mem;
	mock_dma_insert(mapping);
	return 0;
}

static int mock_dma_add_bounced(u64 addr, size_t size,
				enum dma_data_direction dir)
{
	struct mock_mapping *mapping = mock_dma_new(MOCK_DMA_PF, addr, size);

	if (!mapping)
		return -ENOMEM;
	mapping->dir = dir;
	mapping->bounce = kvzalloc(size, GFP_KERNEL);
	if (!mapping->bounce) {
		kfree(mapping);
		return -ENOMEM;
	}
	mock_dma_insert(mapping);
	return 0;
}

static struct mock_mapping *mock_dma_find_locked(int fn, u64 addr, size_t len)
{
	struct mock_mapping *mapping;

	lockdep_assert_held(&mock_dma_lock);
	list_for_each_entry(mapping, &mock_dma_mappings, list)
		if (mapping->fn == fn && addr >= mapping->addr &&
		    len <= mapping->size &&
		    addr - mapping->addr <= mapping->size - len)
			return mapping;
	return NULL;
}

void mock_dma_remove(u64 addr)
{
	struct mock_mapping *mapping, *next;
	unsigned long flags;
	LIST_HEAD(gone);

	spin_lock_irqsave(&mock_dma_lock, flags);
	list_for_each_entry_safe(mapping, next, &mock_dma_mappings, list)
		if (mapping->addr == addr)
			list_move(&mapping->list, &gone);
	spin_unlock_irqrestore(&mock_dma_lock, flags);
	list_for_each_entry_safe(mapping, next, &gone, list) {
		kvfree(mapping->bounce);
		kfree(mapping);
	}
}

static void *mock_dma_at(const struct mock_mapping *mapping, u64 addr)
{
	void *mem = mapping->bounce ?: mapping->mem;

	return mem ? mem + (addr - mapping->addr) : phys_to_virt(addr);
}

/* The device's access. While it lasts, nothing is unmapped. */
int mock_dma_copy(int fn, u64 addr, void *buf, size_t len, bool write)
{
	struct mock_mapping *mapping;
	unsigned long flags;
	void *at = NULL;

	spin_lock_irqsave(&mock_dma_lock, flags);
	mapping = mock_dma_find_locked(fn, addr, len);
	if (mapping)
		at = mock_dma_at(mapping, addr);
	if (!mapping)
		mock_dma_nfaults++;
	else if (write)
		memcpy(at, buf, len);
	else
		memcpy(buf, at, len);
	spin_unlock_irqrestore(&mock_dma_lock, flags);
	return mapping ? 0 : -EFAULT;
}

/* Hand a buffer over, in the direction in which it was allocated. */
static void mock_dma_sync(struct sg_table *sgt, enum dma_data_direction dir,
			  bool to_device)
{
	u64 addr = sg_dma_address(sgt->sgl);
	struct mock_mapping *mapping;
	unsigned long flags;

	spin_lock_irqsave(&mock_dma_lock, flags);
	mapping = mock_dma_find_locked(MOCK_DMA_PF, addr, 1);
	if (!mapping || !mapping->bounce || mapping->dir != dir)
		mock_dma_nfaults++;
	else if (to_device)
		memcpy(mapping->bounce, phys_to_virt(addr), mapping->size);
	else
		memcpy(phys_to_virt(addr), mapping->bounce, mapping->size);
	spin_unlock_irqrestore(&mock_dma_lock, flags);
}

void mock_dma_sync_for_device(struct device *dev, struct sg_table *sgt,
			      enum dma_data_direction dir)
{
	mock_dma_sync(sgt, dir, true);
}

void mock_dma_sync_for_cpu(struct device *dev, struct sg_table *sgt,
			   enum dma_data_direction dir)
{
	mock_dma_sync(sgt, dir, false);
}

/* How many pieces of memory are mapped for a function. */
unsigned int mock_dma_live(int fn)
{
	struct mock_mapping *mapping;
	unsigned int n = 0;
	unsigned long flags;

	spin_lock_irqsave(&mock_dma_lock, flags);
	list_for_each_entry(mapping, &mock_dma_mappings, list)
		n += mapping->fn == fn;
	spin_unlock_irqrestore(&mock_dma_lock, flags);
	return n;
}

/* How often the device went where nothing was mapped. */
unsigned int mock_dma_faults(void)
{
	return READ_ONCE(mock_dma_nfaults);
}

void mock_dma_forget_faults(void)
{
	WRITE_ONCE(mock_dma_nfaults, 0);
}

void *mock_dma_alloc_coherent(struct device *dev, size_t size, dma_addr_t *dma,
			      gfp_t gfp)
{
	void *vaddr;

	sweep_alloc_charge(size, gfp);
	if (READ_ONCE(mock_dma_failing) || sweep_alloc_fails())
		return NULL;
	vaddr = dma_alloc_coherent(dev, size, dma, gfp);
	if (vaddr && mock_dma_add(MOCK_DMA_PF, *dma, size)) {
		dma_free_coherent(dev, size, vaddr, *dma);
		return NULL;
	}
	return vaddr;
}

void mock_dma_free_coherent(struct device *dev, size_t size, void *vaddr,
			    dma_addr_t dma)
{
	mock_dma_remove(dma);
	dma_free_coherent(dev, size, vaddr, dma);
}

struct sg_table *mock_dma_alloc_noncontiguous(struct device *dev, size_t size,
					      enum dma_data_direction dir,
					      gfp_t gfp, unsigned long attrs)
{
	struct sg_table *sgt;

	sweep_alloc_charge(size, gfp);
	if (READ_ONCE(mock_dma_failing) || sweep_alloc_fails())
		return NULL;
	sgt = dma_alloc_noncontiguous(dev, size, dir, gfp, attrs);
	if (sgt && mock_dma_add_bounced(sg_dma_address(sgt->sgl), size, dir)) {
		dma_free_noncontiguous(dev, size, sgt, dir);
		return NULL;
	}
	/* Not every kernel clears it. */
	if (sgt)
		memset(phys_to_virt(sg_dma_address(sgt->sgl)), 0xa5, size);
	return sgt;
}

void mock_dma_free_noncontiguous(struct device *dev, size_t size,
				 struct sg_table *sgt,
				 enum dma_data_direction dir)
{
	mock_dma_remove(sg_dma_address(sgt->sgl));
	dma_free_noncontiguous(dev, size, sgt, dir);
}
