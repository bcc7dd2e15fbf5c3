/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of migration stand on: two VFs that are played (mock_vf.c)
 * with the VF driver on them, and a VMM that has files and memory.
 */
#ifndef LMF_MIGRATION_BED_H
#define LMF_MIGRATION_BED_H

#include "mock_vf.h"

#include <kunit/test.h>
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/mmu_context.h>
#include <linux/pci.h>
#include <linux/preempt.h>
#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/vfio.h>

#include "lmf_vfio.h"
#include "migf.h"
#include "mock_wait.h"
#include "stream.h"

#define STATE(name)	VFIO_DEVICE_STATE_##name
#define USER_BYTES	SZ_256K
#define STREAM_BYTES	SZ_1M
#define REGS		4711
#define SEG_RECORD	(sizeof(struct lmf_record) + MOCK_SEG_BYTES)
#define IDENTITY_END	(sizeof(struct lmf_head_record) + \
			 sizeof(struct lmf_record) + MOCK_IDENTITY_BYTES)

/**
 * struct bed - a VF and the driver on it
 * @dev: all of the driver but the tracker
 * @pdev: no more than a name
 * @vf: the device
 */
struct bed {
	struct lmf_vfio_device dev;
	struct pci_dev pdev;
	struct lmf_vf vf;
};

/**
 * struct pair - source and destination, and who migrates
 * @test: for expectations
 * @src: source
 * @dst: destination
 * @user: user memory, USER_BYTES
 * @stream: what was read so far
 * @bytes: of @stream
 */
struct pair {
	struct kunit *test;
	struct bed *src;
	struct bed *dst;
	char __user *user;
	u8 *stream;
	size_t bytes;
};

/* User memory whose faults @fops plays, to which @priv is known. */
static inline char __user *map_played(struct kunit *test,
				      const struct file_operations *fops,
				      void *priv, size_t bytes, int flags)
{
	struct file *f = anon_inode_getfile("lmf-played", fops, priv, O_RDWR);
	unsigned long at;

	KUNIT_ASSERT_FALSE(test, IS_ERR(f));
	at = kunit_vm_mmap(test, f, 0, bytes, PROT_READ | PROT_WRITE, flags,
			   0);
	fput(f);
	KUNIT_ASSERT_NE(test, at, 0);
	return (char __user *)at;
}

static inline struct file *set_state(struct bed *b, u32 state)
{
	return lmf_migration_ops.migration_set_state(&b->dev.core.vdev, state);
}

/* For arcs that give no file. */
static inline long go(struct bed *b, u32 state)
{
	struct file *f = set_state(b, state);

	if (IS_ERR_OR_NULL(f))
		return PTR_ERR(f);
	fput(f);
	return -EEXIST;
}

static inline int get_state(struct bed *b)
{
	enum vfio_device_mig_state state;

	lmf_migration_ops.migration_get_state(&b->dev.core.vdev, &state);
	return state;
}

static inline unsigned long data_size(struct bed *b)
{
	unsigned long size = 0;

	lmf_migration_ops.migration_get_data_size(&b->dev.core.vdev, &size);
	return size;
}

/* Who sleeps in the driver's part of it is seen. */
static inline void reset(struct bed *b)
{
	mock_vf_reset(&b->vf);
	preempt_disable();
	lmf_migration_reset_done(&b->dev);
	preempt_enable();
}

static inline ssize_t read_some(struct pair *p, struct file *f, size_t n)
{
	ssize_t ret = f->f_op->read(f, p->user, n, NULL);

	if (ret <= 0)
		return ret;
	KUNIT_ASSERT_LE(p->test, p->bytes + ret, STREAM_BYTES);
	KUNIT_ASSERT_EQ(p->test, copy_from_user(p->stream + p->bytes, p->user,
						ret), 0);
	p->bytes += ret;
	return ret;
}

static inline ssize_t write_some(struct pair *p, struct file *f, size_t at,
				 size_t n)
{
	KUNIT_ASSERT_EQ(p->test, copy_to_user(p->user, p->stream + at, n), 0);
	return f->f_op->write(f, p->user, n, NULL);
}

/* Reads to the end, as far as there is one now. */
static inline ssize_t read_all(struct pair *p, struct file *f, size_t n)
{
	ssize_t ret;

	do {
		ret = read_some(p, f, n);
		if (ret == -EAGAIN)
			mock_vf_wait_idle(&p->src->vf);
	} while (ret > 0 || ret == -EAGAIN);
	return ret;
}

/* Writes what was read; what the last write() said. */
static inline ssize_t write_all(struct pair *p, struct file *f, size_t n)
{
	ssize_t ret = 0;
	size_t at;

	for (at = 0; at < p->bytes; at += ret) {
		ret = write_some(p, f, at, min(n, p->bytes - at));
		if (ret <= 0)
			break;
	}
	return ret;
}

static inline long precopy_info(struct pair *p, struct file *f,
				struct vfio_precopy_info *info)
{
	long ret;

	*info = (struct vfio_precopy_info) { .argsz = sizeof(*info) };
	KUNIT_ASSERT_EQ(p->test, copy_to_user(p->user, info, sizeof(*info)), 0);
	ret = f->f_op->unlocked_ioctl(f, VFIO_MIG_GET_PRECOPY_INFO,
				      (unsigned long)p->user);
	KUNIT_ASSERT_EQ(p->test, copy_from_user(info, p->user, sizeof(*info)),
			0);
	return ret;
}

static inline void expect_left(struct pair *p, struct file *f, u64 initial,
			       u64 dirty)
{
	struct vfio_precopy_info info;

	KUNIT_EXPECT_EQ(p->test, precopy_info(p, f, &info), 0);
	KUNIT_EXPECT_EQ(p->test, info.initial_bytes, initial);
	KUNIT_EXPECT_EQ(p->test, info.dirty_bytes, dirty);
}

static inline void expect_same(struct pair *p)
{
	KUNIT_EXPECT_EQ(p->test, memcmp(p->src->vf.media, p->dst->vf.media,
					sizeof(p->src->vf.media)), 0);
	KUNIT_EXPECT_EQ(p->test, p->dst->vf.regs, REGS);
}

static inline struct bed *bed_create(struct kunit *test, const char *name)
{
	struct bed *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, b);
	KUNIT_ASSERT_EQ(test, mock_vf_init(&b->vf), 0);
	b->pdev.dev.init_name = name;
	b->dev.core.pdev = &b->pdev;
	b->dev.core.vdev.migration_flags = VFIO_MIGRATION_STOP_COPY |
					   VFIO_MIGRATION_P2P |
					   VFIO_MIGRATION_PRE_COPY;
	b->dev.vf = &b->vf;
	lmf_migration_init(&b->dev);
	return b;
}

static inline void bed_close(struct kunit *test, struct bed *b)
{
	if (!b)
		return;
	lmf_migration_close(&b->dev);
	lmf_migration_closed(&b->dev);
	lmf_migration_exit(&b->dev);
	mock_vf_exit(&b->vf);
	KUNIT_EXPECT_EQ(test, atomic_read(&b->vf.bufs), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&b->vf.ops), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&b->vf.uncharged), 0);
	KUNIT_EXPECT_EQ(test, b->vf.session, 0);
	KUNIT_EXPECT_EQ(test, b->vf.level, LMF_RUN);
}

static inline int migration_test_init(struct kunit *test)
{
	struct pair *p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, p);
	test->priv = p;
	p->test = test;
	p->stream = kunit_kzalloc(test, STREAM_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p->stream);
	p->user = (char __user *)kunit_vm_mmap(test, NULL, 0, USER_BYTES,
					       PROT_READ | PROT_WRITE,
					       MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL((void __force *)p->user));
	p->src = bed_create(test, "src");
	p->dst = bed_create(test, "dst");
	for (i = 0; i < MOCK_GRANULES; i += 2)
		mock_vf_write(&p->src->vf, i, i + 1);
	p->src->vf.regs = REGS;
	return 0;
}

static inline void migration_test_exit(struct kunit *test)
{
	struct pair *p = test->priv;

	if (!p)
		return;
	bed_close(test, p->src);
	bed_close(test, p->dst);
}

static inline struct file *load(struct pair *p, size_t n)
{
	struct file *f = set_state(p->dst, STATE(RESUMING));

	KUNIT_ASSERT_NOT_ERR_OR_NULL(p->test, f);
	KUNIT_EXPECT_GT(p->test, write_all(p, f, n), 0);
	return f;
}

static inline void resume(struct pair *p, size_t n)
{
	struct file *f = load(p, n);

	KUNIT_EXPECT_EQ(p->test, go(p->dst, STATE(RUNNING_P2P)), 0);
	KUNIT_EXPECT_EQ(p->test, go(p->dst, STATE(RUNNING)), 0);
	KUNIT_EXPECT_EQ(p->test, write_some(p, f, 0, 1), -ENODEV);
	fput(f);
	expect_same(p);
}

/* A paused guest: no pre-copy. */
static inline void save_stopped(struct pair *p)
{
	unsigned long size;
	struct file *f;

	KUNIT_EXPECT_EQ(p->test, go(p->src, STATE(STOP)), 0);
	size = data_size(p->src);
	f = set_state(p->src, STATE(STOP_COPY));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(p->test, f);
	KUNIT_EXPECT_LE(p->test, data_size(p->src), size);
	KUNIT_EXPECT_EQ(p->test, read_all(p, f, 3000), 0);
	KUNIT_EXPECT_GE(p->test, size, p->bytes);
	KUNIT_EXPECT_EQ(p->test, go(p->src, STATE(RUNNING)), 0);
	fput(f);
}

#endif
