// SPDX-License-Identifier: GPL-2.0-only
/*
 * Both sessions of the VF driver, as a VMM uses them: SET_STATE, read(),
 * write() and the precopy ioctl, between two VFs that are played (mock_vf.c).
 */
#include "migration_bed.h"

#include <linux/mm.h>

/* One that is full: the mock's chunks are 4096 bytes. */
#define CHUNK_RECORD	(sizeof(struct lmf_record) + 4096)

/**
 * struct manner - how a VMM reads and writes
 * @read: bytes for each read()
 * @write: bytes for each write()
 * @nonblock: read with O_NONBLOCK
 * @delay_us: what a chunk takes the device
 */
struct manner {
	size_t read;
	size_t write;
	bool nonblock;
	unsigned int delay_us;
};

/* Reads what there is; meanwhile something already sent becomes dirty. */
static void precopy_first_pass(struct pair *p, struct file *f,
			       const struct manner *how)
{
	struct vfio_precopy_info info;
	u64 last = U64_MAX;
	unsigned int reads = 0;
	ssize_t ret;

	do {
		KUNIT_ASSERT_EQ(p->test, precopy_info(p, f, &info), 0);
		KUNIT_EXPECT_LE(p->test, info.initial_bytes, last);
		if (!reads)
			KUNIT_EXPECT_GE(p->test, info.initial_bytes,
					MOCK_GRANULES / 2 * MOCK_SEG_BYTES);
		last = info.initial_bytes;
		ret = read_some(p, f, how->read);
		if (ret == -EAGAIN) {
			mock_vf_wait_idle(&p->src->vf);
		} else if (++reads == 3) {
			mock_vf_write(&p->src->vf, 0, 99);
			mock_vf_write(&p->src->vf, 7, 98);
		}
	} while (ret > 0 || ret == -EAGAIN);
	KUNIT_EXPECT_EQ(p->test, ret, -ENOMSG);
	expect_left(p, f, 0, 0);
}

/* What becomes dirty at the temporary end is announced, and read again. */
static void precopy_again(struct pair *p, struct file *f,
			  const struct manner *how)
{
	size_t before = p->bytes;

	mock_vf_write(&p->src->vf, 9, 1);
	expect_left(p, f, 0, SEG_RECORD);
	if (how->nonblock)
		return;
	KUNIT_EXPECT_EQ(p->test, read_all(p, f, how->read), -ENOMSG);
	KUNIT_EXPECT_EQ(p->test, p->bytes - before, SEG_RECORD);
}

static void save(struct pair *p, const struct manner *how)
{
	struct file *f = set_state(p->src, STATE(PRE_COPY));
	struct vfio_precopy_info info;
	unsigned long size;
	size_t before;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(p->test, f);
	if (how->nonblock)
		f->f_flags |= O_NONBLOCK;
	precopy_first_pass(p, f, how);
	precopy_again(p, f, how);
	KUNIT_EXPECT_EQ(p->test, go(p->src, STATE(PRE_COPY_P2P)), 0);
	mock_vf_write(&p->src->vf, 10, 1);
	KUNIT_EXPECT_EQ(p->test, go(p->src, STATE(STOP_COPY)), 0);
	KUNIT_EXPECT_EQ(p->test, precopy_info(p, f, &info), -EINVAL);
	size = data_size(p->src);
	before = p->bytes;
	KUNIT_EXPECT_EQ(p->test, read_all(p, f, how->read), 0);
	KUNIT_EXPECT_EQ(p->test, read_some(p, f, how->read), 0);
	KUNIT_EXPECT_GE(p->test, size, p->bytes - before);
	KUNIT_EXPECT_EQ(p->test, data_size(p->src), 1);
	KUNIT_EXPECT_EQ(p->test, go(p->src, STATE(STOP)), 0);
	KUNIT_EXPECT_EQ(p->test, read_some(p, f, how->read), -ENODEV);
	fput(f);
}

/* points: 9, 13, 15, 16, 21 */
static void session_test_migrate(struct kunit *test)
{
	const struct manner *how = test->param_value;
	struct pair *p = test->priv;

	KUNIT_EXPECT_GE(test, data_size(p->src),
			MOCK_GRANULES / 2 * MOCK_SEG_BYTES);
	p->src->vf.delay_us = how->delay_us;
	save(p, how);
	resume(p, how->write);
}

static const struct manner manners[] = {
	{ .read = SZ_64K, .write = SZ_32K },
	{ .read = 1, .write = 1 },
	{ .read = SZ_64K, .write = 1000, .delay_us = 2000 },
	{ .read = 5000, .write = 7, .nonblock = true, .delay_us = 1000 },
};

static void manner_describe(const struct manner *how, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "read %zu write %zu%s delay %u",
		 how->read, how->write, how->nonblock ? " nonblock" : "",
		 how->delay_us);
}

KUNIT_ARRAY_PARAM(manner, manners, manner_describe);

/* ENOMSG while a chunk is under way would have the VMM switch over too soon. */
/* points: 9, 10 */
static void session_test_no_early_end(struct kunit *test)
{
	struct pair *p = test->priv;
	struct file *f;

	p->src->vf.hold = true;
	f = set_state(p->src, STATE(PRE_COPY));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	f->f_flags |= O_NONBLOCK;
	KUNIT_EXPECT_EQ(test, read_some(p, f, SZ_64K),
			sizeof(struct lmf_head_record));
	KUNIT_EXPECT_EQ(test, read_some(p, f, SZ_64K), -EAGAIN);
	KUNIT_EXPECT_FALSE(test, f->f_op->poll(f, NULL) & EPOLLIN);
	mock_vf_release(&p->src->vf);
	mock_vf_wait_idle(&p->src->vf);
	KUNIT_EXPECT_TRUE(test, f->f_op->poll(f, NULL) & EPOLLIN);
	KUNIT_EXPECT_GT(test, read_some(p, f, SZ_64K), 0);
	fput(f);
}

#define FULL_SEGS	10	/* of a chunk that has room for a half more */

static u64 segs_framed(unsigned int n)
{
	return n * MOCK_SEG_BYTES +
	       DIV_ROUND_UP(n, FULL_SEGS) * sizeof(struct lmf_record);
}

/* Nothing changes on its own: each answer is what is still to be read. */
static void expect_exact(struct pair *p, struct file *f, u64 initial, u64 dirty)
{
	u64 end = p->bytes + initial + dirty;
	ssize_t ret;

	do {
		expect_left(p, f, initial, dirty);
		ret = read_some(p, f, 2345);
		if (ret == -EAGAIN)
			mock_vf_wait_idle(&p->src->vf);
		if (initial)
			initial = end - p->bytes;
		else
			dirty = end - p->bytes;
	} while (ret > 0 || ret == -EAGAIN);
	KUNIT_EXPECT_EQ(p->test, ret, -ENOMSG);
	KUNIT_EXPECT_EQ(p->test, p->bytes, end);
}

/* @early: HEAD is read before the device has given anything. */
static void try_estimates(struct pair *p, unsigned int granules, bool early)
{
	struct lmf_vf *vf = &p->src->vf;
	struct file *f;
	unsigned int i;

	p->bytes = 0;
	memset(vf->written, 0, sizeof(vf->written));
	memset(vf->written, true, granules);
	vf->hold = early;
	f = set_state(p->src, STATE(PRE_COPY));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(p->test, f);
	if (early) {
		f->f_flags |= O_NONBLOCK;
		KUNIT_EXPECT_GT(p->test, read_some(p, f, SZ_64K), 0);
		mock_vf_release(vf);
	}
	expect_exact(p, f, IDENTITY_END + segs_framed(granules) - p->bytes, 0);
	for (i = 0; i < granules; i++)
		mock_vf_write(vf, i, 2);
	expect_exact(p, f, 0, segs_framed(granules));
	KUNIT_EXPECT_EQ(p->test, go(p->src, STATE(RUNNING)), 0);
	fput(f);
}

/* points: 13 */
static void session_test_estimates(struct kunit *test)
{
	static const unsigned int granules[] = { 0, 1, 10, 11, 111 };
	struct pair *p = test->priv;
	unsigned int i;

	p->src->vf.caps.chunk_max = FULL_SEGS * MOCK_SEG_BYTES +
				    MOCK_SEG_BYTES / 2;
	p->src->vf.delay_us = 100;
	for (i = 0; i < 2 * ARRAY_SIZE(granules); i++)
		try_estimates(p, granules[i / 2], i % 2);
}

/* A chunk that waits for the one before it takes no time of the device. */
static void session_test_times(struct kunit *test)
{
	struct pair *p = test->priv;
	struct lmf_stats *stats = &p->src->dev.stats;
	struct file *f;

	p->src->vf.hold = true;
	f = set_state(p->src, STATE(PRE_COPY));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	p->src->vf.delay_us = 1000;
	mock_vf_release(&p->src->vf);
	KUNIT_EXPECT_EQ(test, read_all(p, f, SZ_16K), -ENOMSG);
	KUNIT_EXPECT_GE(test, lmf_stat(stats, LMF_STAT_READ_WAIT_TIME),
			NSEC_PER_MSEC);
	KUNIT_EXPECT_LE(test, lmf_stat(stats, LMF_STAT_READ_WAIT_TIME),
			lmf_stat(stats, LMF_STAT_PRE_COPY_READ_TIME));
	KUNIT_EXPECT_GT(test, lmf_stat(stats, LMF_STAT_CHUNKS),
			LMF_MIGF_SLOTS);
	KUNIT_EXPECT_EQ(test, lmf_stat(stats, LMF_STAT_CHUNK_TIME),
			lmf_stat(stats, LMF_STAT_CHUNKS) * MOCK_CHUNK_NS);
	KUNIT_EXPECT_EQ(test, lmf_stat(stats, LMF_STAT_CHUNK_BYTES),
			MOCK_IDENTITY_BYTES +
			MOCK_GRANULES / 2 * MOCK_SEG_BYTES);
	KUNIT_EXPECT_EQ(test, lmf_stat(stats, LMF_STAT_TRAILER_BYTES),
			sizeof(struct lmf_record) + MOCK_TRAILER_BYTES);
	KUNIT_EXPECT_EQ(test, go(p->src, STATE(RUNNING)), 0);
	fput(f);
}

/*
 * The device fills all buffers before anybody reads. Each is asked for again as
 * soon as it was read, and while the device is at it the others are read.
 */
/* points: 15, 24 */
static void session_test_ahead(struct kunit *test)
{
	struct pair *p = test->priv;
	struct lmf_vf *vf = &p->src->vf;
	struct file *f = set_state(p->src, STATE(PRE_COPY));
	unsigned int n;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	f->f_flags |= O_NONBLOCK;
	mock_vf_wait_idle(vf);
	KUNIT_EXPECT_EQ(test, atomic_read(&vf->ops), LMF_MIGF_SLOTS);
	KUNIT_EXPECT_EQ(test, atomic_read(&vf->bufs), LMF_MIGF_SLOTS);
	WRITE_ONCE(vf->hold, true);
	KUNIT_EXPECT_EQ(test, read_some(p, f, IDENTITY_END), IDENTITY_END);
	for (n = 1; n < LMF_MIGF_SLOTS; n++) {
		KUNIT_EXPECT_EQ(test, atomic_read(&vf->busy), n);
		KUNIT_EXPECT_EQ(test, read_some(p, f, CHUNK_RECORD),
				CHUNK_RECORD);
	}
	KUNIT_EXPECT_EQ(test, read_some(p, f, 1), -EAGAIN);
	KUNIT_EXPECT_EQ(test, atomic_read(&vf->busy), LMF_MIGF_SLOTS);
	KUNIT_EXPECT_EQ(test, atomic_read(&vf->bufs), LMF_MIGF_SLOTS);
	mock_vf_release(vf);
	fput(f);
}

#define ECHO		0x5a

static u32 info_flags(struct pair *p, struct file *f, u64 *initial)
{
	struct vfio_precopy_info info = {
		.argsz = sizeof(info), .flags = ECHO,
	};

	KUNIT_ASSERT_EQ(p->test, copy_to_user(p->user, &info, sizeof(info)), 0);
	KUNIT_EXPECT_EQ(p->test,
			f->f_op->unlocked_ioctl(f, VFIO_MIG_GET_PRECOPY_INFO,
						(unsigned long)p->user), 0);
	KUNIT_ASSERT_EQ(p->test, copy_from_user(&info, p->user, sizeof(info)),
			0);
	*initial = info.initial_bytes;
	return info.flags;
}

/* Only who knows of it is told that initial_bytes rose, and only once. */
/* points: 14 */
static void session_test_reinit(struct kunit *test)
{
	struct pair *p = test->priv;
	struct file *f = set_state(p->src, STATE(PRE_COPY));
	u64 initial;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	KUNIT_EXPECT_EQ(test, read_all(p, f, SZ_16K), -ENOMSG);
	KUNIT_EXPECT_EQ(test, info_flags(p, f, &initial), ECHO);
	mock_vf_again(&p->src->vf, 3);
	KUNIT_EXPECT_EQ(test, info_flags(p, f, &initial), ECHO);
	KUNIT_EXPECT_EQ(test, initial, 0);
	mock_knows_reinit = true;
	KUNIT_EXPECT_EQ(test, info_flags(p, f, &initial), 1);
	KUNIT_EXPECT_EQ(test, initial, SEG_RECORD);
	KUNIT_EXPECT_EQ(test, info_flags(p, f, &initial), 0);
	KUNIT_EXPECT_EQ(test, initial, SEG_RECORD);
	mock_knows_reinit = false;
	fput(f);
}

static void session_test_paused(struct kunit *test)
{
	struct pair *p = test->priv;

	save_stopped(p);
	resume(p, p->bytes);
}

/* A byte too much is refused, and the refusal stays until a reset. */
/* points: 19 */
static void session_test_too_much(struct kunit *test)
{
	struct pair *p = test->priv;
	struct file *f;

	save_stopped(p);
	f = set_state(p->dst, STATE(RESUMING));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	KUNIT_EXPECT_EQ(test, write_all(p, f, p->bytes), p->bytes);
	KUNIT_EXPECT_EQ(test, write_some(p, f, 0, 1), -EBADMSG);
	KUNIT_EXPECT_EQ(test, go(p->dst, STATE(STOP)), -EBADMSG);
	KUNIT_EXPECT_EQ(test, get_state(p->dst), STATE(RESUMING));
	reset(p->dst);
	KUNIT_EXPECT_EQ(test, get_state(p->dst), STATE(RUNNING));
	KUNIT_EXPECT_EQ(test, write_some(p, f, 0, 1), -ENODEV);
	fput(f);
	resume(p, p->bytes);
}

/* What does not reach the end of the stream is not resumed from. */
/* points: 19 */
static void session_test_too_little(struct kunit *test)
{
	struct pair *p = test->priv;
	struct file *f;
	size_t all;

	save_stopped(p);
	all = p->bytes;
	for (p->bytes = 0; p->bytes < all; p->bytes += 1 + all / 41) {
		f = set_state(p->dst, STATE(RESUMING));
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
		KUNIT_EXPECT_GE(test, write_all(p, f, SZ_16K), 0);
		KUNIT_EXPECT_EQ(test, go(p->dst, STATE(STOP)), -EINVAL);
		KUNIT_EXPECT_EQ(test, get_state(p->dst), STATE(RESUMING));
		fput(f);
		reset(p->dst);
	}
}

/* No bit of a stream may flip unseen. */
/* points: 20 */
static void session_test_bit_flips(struct kunit *test)
{
	struct pair *p = test->priv;
	struct file *f;
	ssize_t ret;
	size_t bit;

	save_stopped(p);
	for (bit = 0; bit < p->bytes * 8; bit += 977) {
		f = set_state(p->dst, STATE(RESUMING));
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
		p->stream[bit / 8] ^= BIT(bit % 8);
		ret = write_all(p, f, SZ_16K);
		p->stream[bit / 8] ^= BIT(bit % 8);
		KUNIT_EXPECT_LT_MSG(test, ret, 0, "bit %zu", bit);
		KUNIT_EXPECT_EQ(test, write_some(p, f, 0, 1), ret);
		KUNIT_EXPECT_EQ(test, go(p->dst, STATE(STOP)), ret);
		fput(f);
		reset(p->dst);
	}
}

/* With @late the device may answer after write() took all @n bytes. */
static void expect_refused(struct pair *p, size_t n, int err, bool late)
{
	struct file *f = set_state(p->dst, STATE(RESUMING));
	ssize_t ret;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(p->test, f);
	ret = write_some(p, f, 0, n);
	if (!late || ret != n)
		KUNIT_EXPECT_EQ(p->test, ret, err);
	KUNIT_EXPECT_EQ(p->test, write_some(p, f, n, 1), err);
	KUNIT_EXPECT_EQ(p->test, go(p->dst, STATE(STOP)), err);
	fput(f);
	reset(p->dst);
}

/* What the device refuses: write() says so, at the latest the last one. */
/* points: 18 */
static void session_test_refused(struct kunit *test)
{
	struct pair *p = test->priv;
	struct mock_fault *fault = p->dst->vf.fault;

	save_stopped(p);
	fault[MOCK_LOAD_WRITE] = (struct mock_fault) { 1, 0, -EOPNOTSUPP };
	expect_refused(p, IDENTITY_END, -EOPNOTSUPP, false);
	fault[MOCK_LOAD_WRITE] = (struct mock_fault) { 3, 0, -EBADMSG };
	expect_refused(p, p->bytes - 1, -EBADMSG, true);
	fault[MOCK_LOAD_COMMIT] = (struct mock_fault) { 1, 0, -ENODATA };
	expect_refused(p, p->bytes, -ENODATA, false);
	p->dst->vf.caps.chunk_max = 4095;
	expect_refused(p, sizeof(struct lmf_head_record), -EOPNOTSUPP, false);
}

/* User memory that ends: what came before counts, then it is EFAULT. */
/* points: 11 */
static void session_test_fault_read(struct kunit *test)
{
	struct pair *p = test->priv;
	char __user *hole = p->user + USER_BYTES / 2, *last = hole - 100;
	struct file *f = set_state(p->src, STATE(STOP_COPY));
	ssize_t ret;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	vm_munmap((unsigned long)hole, USER_BYTES / 2);
	for (;;) {
		ret = f->f_op->read(f, last, 1000, NULL);
		if (ret <= 0)
			break;
		KUNIT_ASSERT_LE(test, ret, 100);
		KUNIT_ASSERT_EQ(test, copy_from_user(p->stream + p->bytes, last,
						     ret), 0);
		p->bytes += ret;
		KUNIT_EXPECT_EQ(test, f->f_op->read(f, hole, 1000, NULL),
				data_size(p->src) == 1 ? 0 : -EFAULT);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	fput(f);
	resume(p, 1000);
}

/**
 * struct watched - user memory that looks at who reaches for it
 * @migf: whose lock is looked at
 * @faults: how often somebody did who had to wait
 * @locked: and how often with the lock held
 */
struct watched {
	struct lmf_migf *migf;
	unsigned int faults;
	unsigned int locked;
};

static vm_fault_t watched_fault(struct vm_fault *vmf)
{
	struct watched *w = vmf->vma->vm_file->private_data;

	w->faults++;
	w->locked += mutex_is_locked(&w->migf->lock);
	vmf->page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	return vmf->page ? 0 : VM_FAULT_OOM;
}

static const struct vm_operations_struct watched_vm_ops = {
	.fault = watched_fault,
};

static int watched_mmap(struct file *filp, struct vm_area_struct *vma)
{
	vma->vm_ops = &watched_vm_ops;
	return 0;
}

static const struct file_operations watched_fops = {
	.mmap = watched_mmap,
};

static char __user *watched_map(struct pair *p, struct watched *w)
{
	return map_played(p->test, &watched_fops, w, 4 * PAGE_SIZE,
			  MAP_PRIVATE);
}

/*
 * A fault takes as long as the user likes, and may wait for a reset: nobody who
 * wants to end the session is held up by it.
 */
static void session_test_fault_unlocked(struct kunit *test)
{
	struct pair *p = test->priv;
	struct watched w = { };
	char __user *at = watched_map(p, &w);
	struct file *f = set_state(p->src, STATE(STOP_COPY));

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	w.migf = f->private_data;
	KUNIT_EXPECT_EQ(test, f->f_op->read(f, at, 1, NULL), 1);
	KUNIT_EXPECT_EQ(test, w.faults, 1);
	fput(f);
	f = set_state(p->dst, STATE(RESUMING));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	w.migf = f->private_data;
	at += 2 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, f->f_op->write(f, at, 1, NULL), 1);
	KUNIT_EXPECT_EQ(test, w.faults, 2);
	KUNIT_EXPECT_EQ(test, w.locked, 0);
	fput(f);
}

/* What was tried in vain for one read() is not held against the next one. */
static void session_test_fault_forgotten(struct kunit *test)
{
	struct pair *p = test->priv;
	struct file *f = set_state(p->src, STATE(STOP_COPY));
	struct lmf_migf *migf;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	migf = f->private_data;
	migf->faults = 3;
	vm_munmap((unsigned long)p->user, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, f->f_op->read(f, p->user, 1000, NULL), -EFAULT);
	KUNIT_EXPECT_EQ(test, migf->faults, 0);
	fput(f);
}

/* points: 11 */
static void session_test_fault_write(struct kunit *test)
{
	struct pair *p = test->priv;
	char __user *hole = p->user + USER_BYTES / 2;
	size_t at, n, want;
	struct file *f;
	ssize_t ret;

	save_stopped(p);
	vm_munmap((unsigned long)hole, USER_BYTES / 2);
	f = set_state(p->dst, STATE(RESUMING));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	for (at = 0; at < p->bytes; at += n) {
		n = min_t(size_t, 50, p->bytes - at);
		/* After END even a byte that is not there is one too much. */
		want = at + n < p->bytes ? 1000 : n;
		KUNIT_ASSERT_EQ(test, copy_to_user(hole - n, p->stream + at, n),
				0);
		ret = f->f_op->write(f, hole - n, want, NULL);
		KUNIT_ASSERT_EQ(test, ret, n);
		if (want > n)
			KUNIT_EXPECT_EQ(test,
					f->f_op->write(f, hole, 1000, NULL),
					-EFAULT);
	}
	KUNIT_EXPECT_EQ(test, go(p->dst, STATE(RUNNING)), 0);
	fput(f);
	expect_same(p);
}

/* A signal is there all the time, but for the last byte. */
static void write_killed(struct pair *p, struct file *f)
{
	ssize_t ret;
	size_t at;

	for (at = 0; at < p->bytes - 1; at += max_t(ssize_t, ret, 0)) {
		send_sig(SIGKILL, current, 1);
		ret = write_some(p, f, at, min_t(size_t, p->bytes - 1 - at,
						 SZ_16K));
		flush_signals(current);
		if (ret == -EINTR)
			mock_vf_wait_idle(&p->dst->vf);
		else if (ret <= 0)
			break;
	}
	KUNIT_EXPECT_GT(p->test, ret, 0);
	KUNIT_EXPECT_EQ(p->test, write_some(p, f, p->bytes - 1, 1), 1);
}

/* What was counted before a signal came is not lost. */
static void session_test_killed(struct kunit *test)
{
	struct pair *p = test->priv;
	struct file *f = set_state(p->src, STATE(STOP_COPY));
	ssize_t ret;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	/* Who is being killed gets no memory any more. */
	KUNIT_ASSERT_EQ(test, clear_user(p->user, SZ_16K), 0);
	allow_signal(SIGKILL);
	do {
		send_sig(SIGKILL, current, 1);
		ret = read_some(p, f, SZ_16K);
		flush_signals(current);
		if (ret == -EINTR)
			mock_vf_wait_idle(&p->src->vf);
	} while (ret > 0 || ret == -EINTR);
	KUNIT_EXPECT_EQ(test, ret, 0);
	fput(f);
	KUNIT_EXPECT_EQ(test, go(p->src, STATE(RUNNING)), 0);
	f = set_state(p->dst, STATE(RESUMING));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	write_killed(p, f);
	disallow_signal(SIGKILL);
	KUNIT_EXPECT_EQ(test, go(p->dst, STATE(RUNNING)), 0);
	fput(f);
	expect_same(p);
}

static struct kunit_case session_test_cases[] = {
	KUNIT_CASE_PARAM(session_test_migrate, manner_gen_params),
	KUNIT_CASE(session_test_no_early_end),
	KUNIT_CASE(session_test_estimates),
	KUNIT_CASE(session_test_times),
	KUNIT_CASE(session_test_ahead),
	KUNIT_CASE(session_test_reinit),
	KUNIT_CASE(session_test_paused),
	KUNIT_CASE(session_test_too_much),
	KUNIT_CASE(session_test_too_little),
	KUNIT_CASE(session_test_bit_flips),
	KUNIT_CASE(session_test_refused),
	KUNIT_CASE(session_test_fault_read),
	KUNIT_CASE(session_test_fault_unlocked),
	KUNIT_CASE(session_test_fault_forgotten),
	KUNIT_CASE(session_test_fault_write),
	KUNIT_CASE(session_test_killed),
	{}
};

static struct kunit_suite session_test_suite = {
	.name = "lmf-session",
	.init = migration_test_init,
	.exit = migration_test_exit,
	.test_cases = session_test_cases,
};

kunit_test_suite(session_test_suite);
