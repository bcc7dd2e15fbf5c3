// SPDX-License-Identifier: GPL-2.0-only
/*
 * The drivers' own allocations, counted: one of them can be told to fail, and
 * what is not freed is seen. failslab would do for the first, but it strikes
 * everybody in the kernel, and only in a task that was chosen before, while the
 * tracker allocates in a worker.
 */
#include <linux/atomic.h>
#include <linux/slab.h>

#include "sweep_alloc.h"

static atomic_t sweep_alloc_left;	/* it fails when this gets to 0 */
static atomic_long_t sweep_alloc_nlive;
static size_t sweep_alloc_free_of_charge;	/* the largest one */

/* Is this the allocation that is to fail? */
bool sweep_alloc_fails(void)
{
	return atomic_read(&sweep_alloc_left) > 0 &&
	       atomic_dec_and_test(&sweep_alloc_left);
}

/* The @nth allocation from now on fails, from 1; 0: none. */
void sweep_alloc_arm(unsigned int nth)
{
	atomic_set(&sweep_alloc_left, nth);
}

/* Note the size of what nobody is charged for. */
void sweep_alloc_charge(size_t size, gfp_t gfp)
{
	if (!(gfp & __GFP_ACCOUNT) && size > sweep_alloc_free_of_charge)
		WRITE_ONCE(sweep_alloc_free_of_charge, size);
}

/* The largest such size since the last call. */
size_t sweep_alloc_uncharged(void)
{
	return xchg(&sweep_alloc_free_of_charge, 0);
}

bool sweep_alloc_struck(void)
{
	return !atomic_read(&sweep_alloc_left);
}

long sweep_alloc_live(void)
{
	return atomic_long_read(&sweep_alloc_nlive);
}

static void *sweep_alloc_counted(void *mem)
{
	if (mem)
		atomic_long_inc(&sweep_alloc_nlive);
	return mem;
}

void *sweep_kmalloc(size_t size, gfp_t gfp)
{
	sweep_alloc_charge(size, gfp);
	return sweep_alloc_counted(sweep_alloc_fails() ? NULL :
				   kmalloc(size, gfp));
}

void *sweep_kzalloc(size_t size, gfp_t gfp)
{
	return sweep_kmalloc(size, gfp | __GFP_ZERO);
}

void *sweep_kcalloc(size_t n, size_t size, gfp_t gfp)
{
	sweep_alloc_charge(n * size, gfp);
	return sweep_alloc_counted(sweep_alloc_fails() ? NULL :
				   kcalloc(n, size, gfp));
}

void sweep_kfree(const void *mem)
{
	if (mem)
		atomic_long_dec(&sweep_alloc_nlive);
	kfree(mem);
}
