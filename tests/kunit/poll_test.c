// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who polls a data_fd, or does not wait in read() and write(): what he is told,
 * and that he is woken in time. By edge, poll() is not called between what
 * wakes and the read() that then finds nothing.
 */
#include "migration_bed.h"

/* It may be written to as soon as there is a buffer. */
static void poll_test_load(struct kunit *test)
{
	struct pair *p = test->priv;
	struct file *f;
	ssize_t ret;
	size_t at;

	save_stopped(p);
	f = set_state(p->dst, STATE(RESUMING));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	f->f_flags |= O_NONBLOCK;
	KUNIT_EXPECT_TRUE(test, f->f_op->poll(f, NULL) & EPOLLOUT);
	p->dst->vf.hold = true;
	for (at = 0; at < p->bytes; at += ret) {
		ret = write_some(p, f, at, min(p->bytes - at, SEG_RECORD));
		if (ret <= 0)
			break;
	}
	KUNIT_EXPECT_EQ(test, ret, -EAGAIN);
	KUNIT_EXPECT_FALSE(test, f->f_op->poll(f, NULL) & EPOLLOUT);
	mock_vf_release(&p->dst->vf);
	mock_vf_wait_idle(&p->dst->vf);
	KUNIT_EXPECT_TRUE(test, f->f_op->poll(f, NULL) & EPOLLOUT);
	fput(f);
}

/* An idle device has nothing to be read, a stopped one has its end. */
static void poll_test_save(struct kunit *test)
{
	struct pair *p = test->priv;
	struct file *f = set_state(p->src, STATE(PRE_COPY));

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	KUNIT_EXPECT_EQ(test, read_all(p, f, SZ_16K), -ENOMSG);
	KUNIT_EXPECT_FALSE(test, f->f_op->poll(f, NULL) & EPOLLIN);
	KUNIT_EXPECT_EQ(test, go(p->src, STATE(STOP_COPY)), 0);
	KUNIT_EXPECT_EQ(test, read_all(p, f, SZ_16K), 0);
	KUNIT_EXPECT_TRUE(test, f->f_op->poll(f, NULL) & EPOLLIN);
	fput(f);
}

/* What gets dirty at a temporary end wakes who polls, with no other call. */
/* points: 10 */
static void poll_test_dirty(struct kunit *test)
{
	struct pair *p = test->priv;
	struct file *f = set_state(p->src, STATE(PRE_COPY));
	struct vfio_precopy_info info;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	KUNIT_EXPECT_EQ(test, read_all(p, f, SZ_16K), -ENOMSG);
	mock_vf_write(&p->src->vf, 3, 1);
	KUNIT_EXPECT_TRUE(test, wait_until(f->f_op->poll(f, NULL) & EPOLLIN,
					   20));
	KUNIT_EXPECT_GT(test, read_some(p, f, SZ_16K), 0);
	KUNIT_EXPECT_EQ(test, read_all(p, f, SZ_16K), -ENOMSG);
	mock_vf_write(&p->src->vf, 3, 2);
	KUNIT_EXPECT_EQ(test, precopy_info(p, f, &info), 0);
	KUNIT_EXPECT_TRUE(test, f->f_op->poll(f, NULL) & EPOLLIN);
	fput(f);
}

/**
 * struct poller - who waits for events of a session
 * @migf: session
 * @entry: in its queue
 * @woken: was woken
 */
struct poller {
	struct lmf_migf *migf;
	struct wait_queue_entry entry;
	bool woken;
};

static int poller_wake(struct wait_queue_entry *entry, unsigned int mode,
		       int flags, void *key)
{
	WRITE_ONCE(container_of(entry, struct poller, entry)->woken, true);
	return 1;
}

static void poller_add(struct poller *poller, struct file *f)
{
	poller->migf = f->private_data;
	init_waitqueue_func_entry(&poller->entry, poller_wake);
	add_wait_queue(&poller->migf->wq, &poller->entry);
}

static void poller_drop(struct poller *poller, struct file *f)
{
	remove_wait_queue(&poller->migf->wq, &poller->entry);
	fput(f);
}

/* He does not wait in read(), either. */
static struct file *poller_save(struct kunit *test, struct poller *poller)
{
	struct pair *p = test->priv;
	struct file *f = set_state(p->src, STATE(PRE_COPY));

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	f->f_flags |= O_NONBLOCK;
	poller_add(poller, f);
	return f;
}

/* Who polls does not wait until the device has answered somebody else. */
/* points: 10 */
static void poll_test_busy(struct kunit *test)
{
	struct poller poller = { };
	struct pair *p = test->priv;
	struct file *f = set_state(p->src, STATE(PRE_COPY));
	struct lmf_migf *migf;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	KUNIT_EXPECT_EQ(test, read_all(p, f, SZ_16K), -ENOMSG);
	poller_add(&poller, f);
	migf = poller.migf;
	mutex_lock(&migf->lock);
	KUNIT_EXPECT_EQ(test, f->f_op->poll(f, NULL), 0);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(poller.woken));
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&migf->look));
	lmf_migf_unlock(migf);
	KUNIT_EXPECT_TRUE(test, READ_ONCE(poller.woken));
	KUNIT_EXPECT_EQ(test, f->f_op->poll(f, NULL), 0);
	poller.woken = false;
	mutex_lock(&migf->lock);
	lmf_migf_unlock(migf);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(poller.woken));
	poller_drop(&poller, f);
}

/* He who is refused since another one is at it is woken when that one goes. */
/* points: 10 */
static void poll_test_refused(struct kunit *test)
{
	struct poller poller = { };
	struct pair *p = test->priv;
	struct file *f = poller_save(test, &poller);
	struct lmf_migf *migf = poller.migf;

	mutex_lock(&migf->lock);
	KUNIT_EXPECT_EQ(test, read_some(p, f, 1), -EAGAIN);
	poller.woken = false;
	lmf_migf_unlock(migf);
	KUNIT_EXPECT_TRUE(test, READ_ONCE(poller.woken));

	KUNIT_EXPECT_EQ(test, lmf_migf_begin_io(migf, true), 0);
	KUNIT_EXPECT_EQ(test, read_some(p, f, 1), -EAGAIN);
	poller.woken = false;
	lmf_migf_end_io(migf);
	KUNIT_EXPECT_TRUE(test, READ_ONCE(poller.woken));
	KUNIT_EXPECT_EQ(test, read_some(p, f, 1), 1);
	poller_drop(&poller, f);
}

/* What gets dirty after the end wakes him, though he did not poll there. */
/* points: 10 */
static void poll_test_edge(struct kunit *test)
{
	struct poller poller = { };
	struct pair *p = test->priv;
	struct file *f = poller_save(test, &poller);
	size_t before;

	KUNIT_EXPECT_EQ(test, read_all(p, f, SZ_16K), -ENOMSG);
	mock_vf_write(&p->src->vf, 3, 1);
	poller.woken = false;
	KUNIT_EXPECT_TRUE(test, wait_until(READ_ONCE(poller.woken), 20));
	before = p->bytes;
	KUNIT_EXPECT_EQ(test, read_all(p, f, SZ_16K), -ENOMSG);
	KUNIT_EXPECT_EQ(test, p->bytes, before + SEG_RECORD);
	poller_drop(&poller, f);
}

/* However long somebody else has the lock. */
/* points: 10 */
static void poll_test_reset(struct kunit *test)
{
	struct pair *p = test->priv;
	struct file *f = set_state(p->src, STATE(PRE_COPY));
	struct lmf_migf *migf;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	migf = f->private_data;
	mutex_lock(&migf->lock);
	lmf_migf_mark_reset(migf);
	KUNIT_EXPECT_TRUE(test, f->f_op->poll(f, NULL) & EPOLLERR);
	lmf_migf_unlock(migf);
	reset(p->src);
	fput(f);
}

static struct kunit_case poll_test_cases[] = {
	KUNIT_CASE(poll_test_load),
	KUNIT_CASE(poll_test_save),
	KUNIT_CASE(poll_test_dirty),
	KUNIT_CASE(poll_test_busy),
	KUNIT_CASE(poll_test_refused),
	KUNIT_CASE(poll_test_edge),
	KUNIT_CASE(poll_test_reset),
	{}
};

static struct kunit_suite poll_test_suite = {
	.name = "lmf-poll",
	.init = migration_test_init,
	.exit = migration_test_exit,
	.test_cases = poll_test_cases,
};

kunit_test_suite(poll_test_suite);
