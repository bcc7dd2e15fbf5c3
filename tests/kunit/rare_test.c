// SPDX-License-Identifier: GPL-2.0-only
/*
 * What seldom happens to a session: no memory, a reset as it begins, a reader
 * that is killed between two locks, an answer that cannot be given.
 */
#include "migration_bed.h"

#include <linux/mm.h>
#include <linux/sched/signal.h>

/* To be saved is refused while the VF runs; to be stopped is not. */
static void rare_test_stop_memory(struct kunit *test)
{
	struct pair *p = test->priv;

	p->src->vf.no_bufs = true;
	KUNIT_EXPECT_EQ(test, go(p->src, STATE(STOP_COPY)), -ENOMEM);
	KUNIT_EXPECT_EQ(test, get_state(p->src), STATE(RUNNING));
	KUNIT_EXPECT_EQ(test, p->src->vf.level, LMF_RUN);
	KUNIT_EXPECT_EQ(test, go(p->src, STATE(STOP)), 0);
	KUNIT_EXPECT_EQ(test, go(p->src, STATE(STOP_COPY)), -ENOMEM);
	KUNIT_EXPECT_EQ(test, get_state(p->src), STATE(STOP));
	p->src->vf.no_bufs = false;
	save_stopped(p);
	resume(p, SZ_16K);
}

/* A read that found no memory is made again, and nothing is missing. */
static void rare_test_read_memory(struct kunit *test)
{
	struct pair *p = test->priv;
	struct file *f = set_state(p->src, STATE(PRE_COPY));

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	p->src->vf.refuses = -ENOMEM;
	KUNIT_EXPECT_EQ(test, read_all(p, f, 3000), -ENOMEM);
	p->src->vf.refuses = 0;
	KUNIT_EXPECT_EQ(test, read_all(p, f, 3000), -ENOMSG);
	KUNIT_EXPECT_EQ(test, go(p->src, STATE(STOP_COPY)), 0);
	KUNIT_EXPECT_EQ(test, read_all(p, f, 3000), 0);
	fput(f);
	resume(p, 3000);
}

/* A chunk that found no memory stays, and is given by the next write. */
/* points: 6, 11 */
static void rare_test_write_memory(struct kunit *test)
{
	struct pair *p = test->priv;
	unsigned int failed = 0;
	struct file *f;
	ssize_t ret;
	size_t at;

	save_stopped(p);
	f = set_state(p->dst, STATE(RESUMING));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	for (at = 0; at < p->bytes; at += max(ret, 0)) {
		p->dst->vf.refuses = failed % 2 ? 0 : -ENOMEM;
		ret = write_some(p, f, at, min(p->bytes - at, 3000));
		failed += ret == -ENOMEM || !p->dst->vf.refuses;
		if ((ret <= 0 && ret != -ENOMEM) || failed > p->bytes)
			break;
	}
	KUNIT_EXPECT_GT(test, ret, 0);
	KUNIT_EXPECT_GT(test, failed, 2);
	KUNIT_EXPECT_EQ(test, go(p->dst, STATE(RUNNING)), 0);
	fput(f);
	expect_same(p);
}

/* One that does not take a chunk at all has lost it: so has the session. */
static void rare_test_write_refused(struct kunit *test)
{
	struct pair *p = test->priv;
	struct file *f;

	save_stopped(p);
	f = set_state(p->dst, STATE(RESUMING));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	p->dst->vf.refuses = -ENODEV;
	KUNIT_EXPECT_EQ(test, write_all(p, f, 3000), -ENODEV);
	p->dst->vf.refuses = 0;
	KUNIT_EXPECT_EQ(test, write_some(p, f, 0, 1), -ENODEV);
	KUNIT_EXPECT_EQ(test, go(p->dst, STATE(STOP)), -ENODEV);
	KUNIT_EXPECT_EQ(test, get_state(p->dst), STATE(RESUMING));
	fput(f);
}

static void reset_begun(struct lmf_vf *vf)
{
	vf->begun = NULL;
	reset(container_of(vf, struct bed, vf));
}

/* The session is there, but the driver does not have it yet. */
static void rare_test_reset_begun(struct kunit *test)
{
	struct pair *p = test->priv;
	struct file *f;

	p->src->vf.begun = reset_begun;
	KUNIT_EXPECT_EQ(test, go(p->src, STATE(PRE_COPY)), -ECANCELED);
	KUNIT_EXPECT_EQ(test, get_state(p->src), STATE(RUNNING));
	save_stopped(p);
	p->dst->vf.begun = reset_begun;
	f = set_state(p->dst, STATE(RESUMING));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	KUNIT_EXPECT_EQ(test, get_state(p->dst), STATE(RUNNING));
	KUNIT_EXPECT_EQ(test, write_some(p, f, 0, 1), -ENODEV);
	fput(f);
}

static void expect_lost(struct kunit *test, struct bed *b, struct file *f)
{
	KUNIT_EXPECT_FALSE(test, f->f_op->poll(f, NULL) & EPOLLERR);
	lmf_migration_sessions_lost(&b->dev);
	KUNIT_EXPECT_TRUE(test, f->f_op->poll(f, NULL) & EPOLLERR);
}

/* A lost PF ends a session with nothing under way, too: the PF is to blame. */
/* points: 10, 38 */
static void rare_test_sessions_lost(struct kunit *test)
{
	struct pair *p = test->priv;
	struct file *f = set_state(p->src, STATE(PRE_COPY));

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	KUNIT_EXPECT_EQ(test, read_all(p, f, SZ_16K), -ENOMSG);
	expect_lost(test, p->src, f);
	KUNIT_EXPECT_EQ(test, read_some(p, f, 1), -ENOTCONN);
	fput(f);
	KUNIT_EXPECT_EQ(test, go(p->src, STATE(RUNNING)), 0);

	p->bytes = 0;
	save_stopped(p);
	f = set_state(p->dst, STATE(RESUMING));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	KUNIT_EXPECT_EQ(test, write_some(p, f, 0, 100), 100);
	expect_lost(test, p->dst, f);
	KUNIT_EXPECT_EQ(test, write_some(p, f, 100, 100), -ENOTCONN);
	KUNIT_EXPECT_EQ(test, go(p->dst, STATE(STOP)), -ENOTCONN);
	fput(f);
	reset(p->dst);
	f = load(p, SZ_16K);
	lmf_migration_sessions_lost(&p->dst->dev);
	KUNIT_EXPECT_EQ(test, go(p->dst, STATE(RUNNING)), 0);
	fput(f);
	expect_same(p);
}

/* Of a save that failed nobody knows how much it was: as much as can be. */
static void rare_test_failed_size(struct kunit *test)
{
	struct pair *p = test->priv;
	struct file *f = set_state(p->src, STATE(PRE_COPY));

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	p->src->vf.fault[MOCK_SAVE_READ] = (struct mock_fault) { 1, 0, -EIO };
	KUNIT_EXPECT_EQ(test, read_all(p, f, SZ_16K), -EIO);
	KUNIT_EXPECT_GE(test, data_size(p->src), p->src->vf.caps.state_max);
	fput(f);
}

static vm_fault_t told_fault(struct vm_fault *vmf)
{
	struct page *page = vmf->vma->vm_file->private_data;

	get_page(page);
	vmf->page = page;
	return 0;
}

static vm_fault_t told_mkwrite(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

static const struct vm_operations_struct told_vm_ops = {
	.fault = told_fault,
	.page_mkwrite = told_mkwrite,
};

static int told_mmap(struct file *filp, struct vm_area_struct *vma)
{
	vma->vm_ops = &told_vm_ops;
	return 0;
}

static const struct file_operations told_fops = {
	.mmap = told_mmap,
};

/* A question that can be read, and no answer can be written over it. */
static unsigned long told_map(struct kunit *test, struct page *page)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) };

	memcpy(page_address(page), &info, sizeof(info));
	return (unsigned long)map_played(test, &told_fops, page, PAGE_SIZE,
					 MAP_SHARED);
}

/* Who could not be told that initial_bytes rose is told the next time. */
/* points: 14 */
static void rare_test_reinit_untold(struct kunit *test)
{
	struct page *page = alloc_page(GFP_KERNEL);
	struct pair *p = test->priv;
	struct file *f = set_state(p->src, STATE(PRE_COPY));
	struct vfio_precopy_info info;
	unsigned long at;

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	at = told_map(test, page);
	mock_knows_reinit = true;
	KUNIT_EXPECT_EQ(test, read_all(p, f, SZ_16K), -ENOMSG);
	KUNIT_EXPECT_EQ(test, precopy_info(p, f, &info), 0);
	mock_vf_again(&p->src->vf, 3);
	KUNIT_EXPECT_EQ(test,
			f->f_op->unlocked_ioctl(f, VFIO_MIG_GET_PRECOPY_INFO,
						at), -EFAULT);
	KUNIT_EXPECT_EQ(test, precopy_info(p, f, &info), 0);
	KUNIT_EXPECT_EQ(test, info.flags, 1);
	KUNIT_EXPECT_EQ(test, precopy_info(p, f, &info), 0);
	KUNIT_EXPECT_EQ(test, info.flags, 0);
	mock_knows_reinit = false;
	fput(f);
	vm_munmap(at, PAGE_SIZE);
	put_page(page);
}

struct killed {
	struct bed *b;
	struct file *f;
	unsigned long size;
};

static int killed_reader(void *data)
{
	struct killed *k = data;
	int ret;

	allow_signal(SIGKILL);
	ret = k->f->f_op->read(k->f, NULL, 1, NULL);
	k->size = data_size(k->b);
	while (!kthread_should_stop())
		usleep_range(500, 1000);
	return ret;
}

/*
 * It has shut out other readers, but somebody else has the session. How much
 * there is to be read it hears without waiting for that one: rather too much.
 */
static void rare_test_killed(struct kunit *test)
{
	struct pair *p = test->priv;
	struct file *f = set_state(p->src, STATE(PRE_COPY));
	struct killed k = { .b = p->src, .f = f };
	struct task_struct *task;
	struct lmf_migf *migf;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	migf = p->src->dev.migf;
	mutex_lock(&migf->lock);
	task = kthread_run(killed_reader, &k, "lmf-killed");
	KUNIT_EXPECT_TRUE(test,
			  wait_until(mutex_is_locked(&migf->io_mutex), 20));
	send_sig(SIGKILL, task, 1);
	KUNIT_EXPECT_EQ(test, kthread_stop(task), -EINTR);
	mutex_unlock(&migf->lock);
	KUNIT_EXPECT_GE(test, k.size, p->src->vf.caps.state_max);
	KUNIT_EXPECT_EQ(test, read_all(p, f, SZ_16K), -ENOMSG);
	fput(f);
}

static struct kunit_case rare_test_cases[] = {
	KUNIT_CASE(rare_test_stop_memory),
	KUNIT_CASE(rare_test_read_memory),
	KUNIT_CASE(rare_test_write_memory),
	KUNIT_CASE(rare_test_write_refused),
	KUNIT_CASE(rare_test_reset_begun),
	KUNIT_CASE(rare_test_sessions_lost),
	KUNIT_CASE(rare_test_failed_size),
	KUNIT_CASE(rare_test_reinit_untold),
	KUNIT_CASE(rare_test_killed),
	{}
};

static struct kunit_suite rare_test_suite = {
	.name = "lmf-rare",
	.init = migration_test_init,
	.exit = migration_test_exit,
	.test_cases = rare_test_cases,
};

kunit_test_suite(rare_test_suite);
