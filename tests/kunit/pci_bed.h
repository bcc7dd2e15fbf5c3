/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PCI bus that is played, for what of src/core knows PCI: one PF, which is
 * the mock device, and its VFs. What the driver takes from the bus is noted,
 * and each thing that can be refused is a step: one of them can be told to
 * fail. The driver itself comes last.
 */
#ifndef LMF_PCI_BED_H
#define LMF_PCI_BED_H

#include <kunit/test.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "core_bed.h"

/**
 * struct pci_bed - the bus and who is on it
 * @test: for expectations
 * @pdev: the PF
 * @vf: VFs that are enabled; the last one is another PF's
 * @driver: of a VF that has one
 * @pf: the device below @pdev
 * @bar: what BAR 0 is mapped to; its address is all that counts
 * @bar_bytes: its length
 * @left: steps until one fails, 0 for none
 * @dies: the device is broken when it becomes bus master
 * @lock: protects @handler and @cookie
 * @handler: of each vector
 * @cookie: theirs
 * @irqs: that came
 * @enabled: @pdev is
 * @region: BAR 0 is taken
 * @mapped: and mapped
 * @vectors: allocated
 * @master: @pdev is bus master
 * @vfs: enabled by the driver
 * @saved: so often was the config space
 * @restored: likewise
 * @refs: VFs that are referenced
 */
struct pci_bed {
	struct kunit *test;
	struct pci_dev *pdev;
	struct pci_dev *vf[CORE_VFS + 1];
	struct device_driver driver;
	struct mock_pf pf;
	u8 bar[1];
	u64 bar_bytes;
	unsigned int left;
	bool dies;
	struct mutex lock; /* protects handler and cookie */
	irq_handler_t handler[LMF_PF_VECTORS];
	void *cookie[LMF_PF_VECTORS];
	atomic_t irqs[LMF_PF_VECTORS];
	bool enabled;
	bool region;
	bool mapped;
	bool vectors;
	bool master;
	int vfs;
	unsigned int saved;
	unsigned int restored;
	int refs;
};

/* There is no way to hand it to the bus. */
static struct pci_bed *pci_bed;

/* Is this the step that is to fail? */
static bool pci_bed_fails(void)
{
	return pci_bed->left && !--pci_bed->left;
}

static u32 pci_bed_read(const void __iomem *addr)
{
	u32 offset = (__force const u8 *)addr - pci_bed->bar;

	KUNIT_EXPECT_TRUE(pci_bed->test, pci_bed->mapped);
	return mock_pf_io_ops.read(&pci_bed->pf, offset);
}

static void pci_bed_write(u32 value, const void __iomem *addr)
{
	u32 offset = (__force const u8 *)addr - pci_bed->bar;

	KUNIT_EXPECT_TRUE(pci_bed->test, pci_bed->mapped);
	mock_pf_io_ops.write(&pci_bed->pf, offset, value);
}

static int pci_bed_enable(struct pci_dev *pdev)
{
	if (pci_bed_fails())
		return -EIO;
	pci_bed->enabled = true;
	return 0;
}

static void pci_bed_disable(struct pci_dev *pdev)
{
	pci_bed->enabled = false;
}

static int pci_bed_request_region(struct pci_dev *pdev, int bar,
				  const char *name)
{
	if (pci_bed_fails())
		return -EBUSY;
	pci_bed->region = true;
	return 0;
}

static void pci_bed_release_region(struct pci_dev *pdev, int bar)
{
	pci_bed->region = false;
}

static void __iomem *pci_bed_iomap(struct pci_dev *pdev, int bar,
				   unsigned long bytes)
{
	if (pci_bed_fails())
		return NULL;
	pci_bed->mapped = true;
	return (__force void __iomem *)pci_bed->bar;
}

static void pci_bed_iounmap(struct pci_dev *pdev, void __iomem *addr)
{
	pci_bed->mapped = false;
}

static int pci_bed_set_mask(struct device *dev, u64 mask)
{
	if (pci_bed_fails())
		return -EIO;
	return dma_coerce_mask_and_coherent(dev, mask);
}

static int pci_bed_alloc_vectors(struct pci_dev *pdev, unsigned int min,
				 unsigned int max, unsigned int flags)
{
	if (pci_bed_fails())
		return -ENOSPC;
	pci_bed->vectors = true;
	return max;
}

static void pci_bed_free_vectors(struct pci_dev *pdev)
{
	pci_bed->vectors = false;
}

static __printf(6, 7) int pci_bed_request_irq(struct pci_dev *pdev,
					      unsigned int nr,
					      irq_handler_t handler,
					      irq_handler_t thread,
					      void *cookie,
					      const char *fmt, ...)
{
	if (pci_bed_fails())
		return -EBUSY;
	mutex_lock(&pci_bed->lock);
	pci_bed->handler[nr] = handler ?: thread;
	pci_bed->cookie[nr] = cookie;
	mutex_unlock(&pci_bed->lock);
	return 0;
}

static void pci_bed_free_irq(struct pci_dev *pdev, unsigned int nr,
			     void *cookie)
{
	mutex_lock(&pci_bed->lock);
	KUNIT_EXPECT_PTR_EQ(pci_bed->test, pci_bed->cookie[nr], cookie);
	pci_bed->handler[nr] = NULL;
	mutex_unlock(&pci_bed->lock);
}

static void pci_bed_irq(struct mock_pf *pf, unsigned int vector)
{
	struct pci_bed *b = container_of(pf, struct pci_bed, pf);

	mutex_lock(&b->lock);
	if (b->handler[vector]) {
		atomic_inc(&b->irqs[vector]);
		b->handler[vector](0, b->cookie[vector]);
	}
	mutex_unlock(&b->lock);
}

/* A broken device tells it twice: before it is started, and afterwards. */
static void pci_bed_set_master(struct pci_dev *pdev)
{
	pci_bed->master = true;
	if (pci_bed->dies) {
		mock_pf_late(&pci_bed->pf, 2);
		pci_bed->pf.status = LMF_PF_STATUS_FATAL;
	}
}

static void pci_bed_clear_master(struct pci_dev *pdev)
{
	pci_bed->master = false;
}

static int pci_bed_enable_sriov(struct pci_dev *pdev, int vfs)
{
	if (pci_bed_fails())
		return -ENOMEM;
	pci_bed->vfs = vfs;
	return 0;
}

/* The device must still be there for the VFs' drivers. */
static void pci_bed_disable_sriov(struct pci_dev *pdev)
{
	KUNIT_EXPECT_TRUE(pci_bed->test, pci_bed->mapped && pci_bed->master);
	pci_bed->vfs = 0;
}

static int pci_bed_save(struct pci_dev *pdev)
{
	pci_bed->saved++;
	return 0;
}

static void pci_bed_restore(struct pci_dev *pdev)
{
	pci_bed->restored++;
}

static int pci_bed_vf_id(struct pci_dev *pdev)
{
	unsigned int n;

	for (n = 0; n < CORE_VFS; n++)
		if (pdev == pci_bed->vf[n])
			return n;
	return pdev == pci_bed->vf[CORE_VFS] ? 0 : -EINVAL;
}

/* The other PF has another driver. */
static struct pci_dev *pci_bed_physfn(struct pci_dev *pdev)
{
	return pdev == pci_bed->vf[CORE_VFS] ? pdev : pci_bed->pdev;
}

static void *pci_bed_pf_drvdata(struct pci_dev *pdev, struct pci_driver *driver)
{
	if (pci_bed_physfn(pdev) != pci_bed->pdev)
		return ERR_PTR(-EINVAL);
	return pci_get_drvdata(pci_bed->pdev);
}

static void pci_bed_put(struct pci_dev *pdev)
{
	pci_bed->refs -= !!pdev;
}

/* All functions, the other PF's VF first. */
static struct pci_dev *pci_bed_next(unsigned int vendor, unsigned int device,
				    struct pci_dev *from)
{
	struct pci_dev *next = NULL;
	unsigned int n;

	if (!from) {
		next = pci_bed->vf[CORE_VFS];
	} else if (from == pci_bed->vf[CORE_VFS]) {
		next = pci_bed->pdev;
	} else if (from == pci_bed->pdev) {
		next = pci_bed->vf[0];
	} else {
		for (n = 0; n + 1 < CORE_VFS; n++)
			if (from == pci_bed->vf[n])
				next = pci_bed->vf[n + 1];
	}
	pci_bed_put(from);
	pci_bed->refs += !!next;
	return next;
}

/* Some machines have macros of these names. */
#undef ioread32
#undef iowrite32
#undef pci_iomap
#undef pci_iounmap
#undef pci_resource_len
#undef module_pci_driver
#define ioread32			pci_bed_read
#define iowrite32			pci_bed_write
#define dma_set_mask_and_coherent	pci_bed_set_mask
#define pci_resource_len(pdev, bar)	(pci_bed->bar_bytes)
#define pci_enable_device_mem		pci_bed_enable
#define pci_disable_device		pci_bed_disable
#define pci_request_region		pci_bed_request_region
#define pci_release_region		pci_bed_release_region
#define pci_iomap			pci_bed_iomap
#define pci_iounmap			pci_bed_iounmap
#define pci_alloc_irq_vectors		pci_bed_alloc_vectors
#define pci_free_irq_vectors		pci_bed_free_vectors
#define pci_request_irq			pci_bed_request_irq
#define pci_free_irq			pci_bed_free_irq
#define pci_set_master			pci_bed_set_master
#define pci_clear_master		pci_bed_clear_master
#define pci_enable_sriov		pci_bed_enable_sriov
#define pci_disable_sriov		pci_bed_disable_sriov
#define pci_save_state			pci_bed_save
#define pci_restore_state		pci_bed_restore
#define pci_iov_vf_id			pci_bed_vf_id
#define pci_iov_get_pf_drvdata		pci_bed_pf_drvdata
#define pci_physfn			pci_bed_physfn
#define pci_get_device			pci_bed_next
#define pci_dev_put			pci_bed_put
#define module_pci_driver(driver)

#include "../../src/core/pci.c"
#include "../../src/core/sysfs.c"

#endif
