// SPDX-License-Identifier: GPL-2.0-only
/*
 * The migration state machine and both sessions of the VF driver, as a VMM uses
 * them: SET_STATE, read(), write() and the precopy ioctl, between two VFs that
 * are played (mock_vf.c). Whatever happens, in the end both VFs run, and no
 * buffer, operation or session is left.
 */
#include "migration_bed.h"

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

static void resume(struct pair *p, size_t n)
{
	struct file *f = set_state(p->dst, STATE(RESUMING));

	KUNIT_ASSERT_NOT_ERR_OR_NULL(p->test, f);
	KUNIT_EXPECT_GT(p->test, write_all(p, f, n), 0);
	KUNIT_EXPECT_EQ(p->test, go(p->dst, STATE(RUNNING_P2P)), 0);
	KUNIT_EXPECT_EQ(p->test, go(p->dst, STATE(RUNNING)), 0);
	KUNIT_EXPECT_EQ(p->test, write_some(p, f, 0, 1), -ENODEV);
	fput(f);
	expect_same(p);
}

static void migration_test_migrate(struct kunit *test)
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
static void migration_test_no_early_end(struct kunit *test)
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

static void migration_test_estimates(struct kunit *test)
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

/* A paused guest: no pre-copy. */
static void save_stopped(struct pair *p)
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

static void migration_test_paused(struct kunit *test)
{
	struct pair *p = test->priv;

	save_stopped(p);
	resume(p, p->bytes);
}

/* A byte too much is refused, and the refusal stays until a reset. */
static void migration_test_too_much(struct kunit *test)
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
static void migration_test_too_little(struct kunit *test)
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

static bool has_session(u32 state)
{
	return state == STATE(PRE_COPY) || state == STATE(PRE_COPY_P2P) ||
	       state == STATE(STOP_COPY) || state == STATE(RESUMING);
}

/* RESUMING is not left before a state has come. */
static bool may_go(u32 from, u32 to)
{
	if (to == STATE(ERROR) || to >= VFIO_DEVICE_STATE_NR)
		return false;
	if (from == STATE(STOP_COPY))
		return to != STATE(PRE_COPY) && to != STATE(PRE_COPY_P2P);
	return from != STATE(RESUMING) || to == from;
}

static void try_arc(struct pair *p, u32 from, u32 to)
{
	struct file *f = set_state(p->src, from), *next;

	KUNIT_ASSERT_FALSE(p->test, IS_ERR(f));
	KUNIT_EXPECT_EQ(p->test, !!f, has_session(from));
	KUNIT_EXPECT_EQ(p->test, get_state(p->src), from);
	next = set_state(p->src, to);
	KUNIT_EXPECT_EQ_MSG(p->test, PTR_ERR_OR_ZERO(next),
			    may_go(from, to) ? 0 : -EINVAL, "%u to %u", from,
			    to);
	KUNIT_EXPECT_EQ_MSG(p->test, get_state(p->src),
			    may_go(from, to) ? to : from, "%u to %u", from, to);
	if (!IS_ERR_OR_NULL(next))
		fput(next);
	reset(p->src);
	KUNIT_EXPECT_EQ(p->test, get_state(p->src), STATE(RUNNING));
	if (!f)
		return;
	KUNIT_EXPECT_EQ(p->test, from == STATE(RESUMING) ?
				 write_some(p, f, 0, 1) : read_some(p, f, 1),
			-ENODEV);
	fput(f);
}

static void migration_test_arcs(struct kunit *test)
{
	struct pair *p = test->priv;
	u32 from, to;

	for (from = STATE(STOP); from < VFIO_DEVICE_STATE_NR; from++)
		for (to = 0; to <= VFIO_DEVICE_STATE_NR; to++)
			try_arc(p, from, to);
}

static enum lmf_quiesce level_of(u32 state)
{
	if (state == STATE(RUNNING) || state == STATE(PRE_COPY))
		return LMF_RUN;
	if (state == STATE(RUNNING_P2P) || state == STATE(PRE_COPY_P2P))
		return LMF_STOP_INITIATOR;
	return LMF_STOP_FULL;
}

/* The call fails once on the way; the same SET_STATE again gets there. */
static void try_fault(struct pair *p, u32 to, enum mock_call call,
		      unsigned int in)
{
	struct lmf_vf *vf = &p->src->vf;
	struct file *f;

	vf->fault[call] = (struct mock_fault) { .in = in, .err = -EIO };
	f = set_state(p->src, to);
	vf->fault[call].in = 0;
	if (IS_ERR(f)) {
		KUNIT_EXPECT_EQ(p->test, PTR_ERR(f), -EIO);
		KUNIT_EXPECT_NE(p->test, get_state(p->src), to);
		KUNIT_EXPECT_EQ_MSG(p->test, vf->level,
				    level_of(get_state(p->src)),
				    "call %u, the %u. on the way to %u", call,
				    in, to);
		f = set_state(p->src, to);
	}
	KUNIT_EXPECT_EQ(p->test, PTR_ERR_OR_ZERO(f), 0);
	KUNIT_EXPECT_EQ(p->test, get_state(p->src), to);
	if (!IS_ERR_OR_NULL(f))
		fput(f);
	if (to == STATE(RESUMING))
		reset(p->src);
	else
		KUNIT_EXPECT_EQ(p->test, go(p->src, STATE(RUNNING)), 0);
}

static void migration_test_faults(struct kunit *test)
{
	static const u32 targets[] = {
		STATE(RUNNING_P2P), STATE(STOP), STATE(STOP_COPY),
		STATE(PRE_COPY), STATE(PRE_COPY_P2P), STATE(RESUMING),
	};
	enum mock_call call;
	unsigned int i, in;

	for (i = 0; i < ARRAY_SIZE(targets); i++)
		for (call = 0; call < MOCK_CALLS; call++)
			for (in = 1; in < 5; in++)
				try_fault(test->priv, targets[i], call, in);
}

/* A device that neither stops nor goes on: only a reset helps. */
static void migration_test_error(struct kunit *test)
{
	struct pair *p = test->priv;
	struct file *f = set_state(p->src, STATE(PRE_COPY));

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	p->src->vf.fault[MOCK_QUIESCE] = (struct mock_fault) {
		.in = 1, .more = 1, .err = -EIO,
	};
	KUNIT_EXPECT_EQ(test, go(p->src, STATE(STOP_COPY)), -EIO);
	KUNIT_EXPECT_EQ(test, get_state(p->src), STATE(ERROR));
	KUNIT_EXPECT_EQ(test, go(p->src, STATE(RUNNING)), -EIO);
	KUNIT_EXPECT_EQ(test, read_some(p, f, 1), -ENODEV);
	fput(f);
	reset(p->src);
	KUNIT_EXPECT_EQ(test, go(p->src, STATE(STOP)), 0);
}

/* What is no word of the device leaves the state, and is made good later. */
static void try_transient(struct pair *p, struct file *f, int err)
{
	struct lmf_vf *vf = &p->src->vf;

	/* There and back, and what is to settle it at once. */
	vf->fault[MOCK_QUIESCE] = (struct mock_fault) {
		.in = 1, .more = 2, .err = err,
	};
	KUNIT_EXPECT_EQ(p->test, go(p->src, STATE(STOP_COPY)), err);
	KUNIT_EXPECT_EQ(p->test, get_state(p->src), STATE(PRE_COPY));
	flush_work(&p->src->dev.settle_work);
	KUNIT_EXPECT_EQ(p->test, vf->fault[MOCK_QUIESCE].in, 0);
	vf->level = LMF_STOP_INITIATOR;
	lmf_migration_lost(&p->src->dev);
	flush_work(&p->src->dev.settle_work);
	KUNIT_EXPECT_EQ(p->test, get_state(p->src), STATE(PRE_COPY));
	KUNIT_EXPECT_EQ(p->test, vf->level, LMF_RUN);
	KUNIT_EXPECT_GT(p->test, read_some(p, f, 100), 0);
}

static void migration_test_transient(struct kunit *test)
{
	struct pair *p = test->priv;
	struct file *f = set_state(p->src, STATE(PRE_COPY));

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	try_transient(p, f, -ENOTCONN);
	try_transient(p, f, -ENOMEM);
	try_transient(p, f, -EINTR);
	KUNIT_EXPECT_EQ(test, go(p->src, STATE(STOP_COPY)), 0);
	KUNIT_EXPECT_EQ(test, read_all(p, f, SZ_16K), 0);
	fput(f);
	resume(p, SZ_16K);
}

/* Nobody comes after a transient error: the VF runs again all the same. */
static void migration_test_restored(struct kunit *test)
{
	struct pair *p = test->priv;
	struct lmf_vf *vf = &p->src->vf;

	vf->fault[MOCK_QUIESCE] = (struct mock_fault) {
		.in = 1, .more = 1, .err = -EINTR,
	};
	KUNIT_EXPECT_EQ(test, go(p->src, STATE(RUNNING_P2P)), -EINTR);
	KUNIT_EXPECT_EQ(test, get_state(p->src), STATE(RUNNING));
	flush_work(&p->src->dev.settle_work);
	KUNIT_EXPECT_EQ(test, vf->level, LMF_RUN);
}

/* Who is killed closes the device all the same; its reset has failed. */
static void migration_test_killed(struct kunit *test)
{
	struct pair *p = test->priv;

	KUNIT_EXPECT_EQ(test, go(p->src, STATE(STOP)), 0);
	allow_signal(SIGKILL);
	send_sig(SIGKILL, current, 1);
	lmf_migration_close(&p->src->dev);
	KUNIT_EXPECT_EQ(test, p->src->vf.level, LMF_STOP_FULL);
	lmf_migration_closed(&p->src->dev);
	flush_signals(current);
	disallow_signal(SIGKILL);
	KUNIT_EXPECT_EQ(test, p->src->vf.level, LMF_RUN);
}

static struct file *load(struct pair *p)
{
	struct file *f = set_state(p->dst, STATE(RESUMING));

	KUNIT_ASSERT_NOT_ERR_OR_NULL(p->test, f);
	KUNIT_EXPECT_GT(p->test, write_all(p, f, SZ_16K), 0);
	return f;
}

/* A reset of the PF's function takes what was loaded with it, told or not. */
static void migration_test_load_lost(struct kunit *test)
{
	struct pair *p = test->priv;
	struct file *f;
	int told;

	save_stopped(p);
	for (told = 0; told < 2; told++) {
		f = load(p);
		mock_vf_reset(&p->dst->vf);
		if (told)
			lmf_migration_lost(&p->dst->dev);
		flush_work(&p->dst->dev.settle_work);
		KUNIT_EXPECT_EQ(test, p->dst->vf.level,
				told ? LMF_STOP_FULL : LMF_RUN);
		KUNIT_EXPECT_EQ(test, go(p->dst, STATE(STOP)), -EIO);
		KUNIT_EXPECT_EQ(test, get_state(p->dst), STATE(RESUMING));
		KUNIT_EXPECT_EQ(test, go(p->dst, STATE(RUNNING)), -EIO);
		fput(f);
		reset(p->dst);
	}
	resume(p, SZ_16K);
}

/* One of its queue alone does not; meanwhile nobody can tell. */
static void migration_test_load_kept(struct kunit *test)
{
	struct pair *p = test->priv;
	struct file *f;

	save_stopped(p);
	f = load(p);
	p->dst->vf.fault[MOCK_LEVEL] = (struct mock_fault) {
		.in = 1, .err = -ENOTCONN,
	};
	KUNIT_EXPECT_EQ(test, go(p->dst, STATE(STOP)), -ENOTCONN);
	KUNIT_EXPECT_EQ(test, get_state(p->dst), STATE(RESUMING));
	lmf_migration_lost(&p->dst->dev);
	flush_work(&p->dst->dev.settle_work);
	KUNIT_EXPECT_EQ(test, go(p->dst, STATE(RUNNING)), 0);
	fput(f);
	expect_same(p);
}

/* No bit of a stream may flip unseen. */
static void migration_test_bit_flips(struct kunit *test)
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

static void expect_refused(struct pair *p, size_t n, int err)
{
	struct file *f = set_state(p->dst, STATE(RESUMING));

	KUNIT_ASSERT_NOT_ERR_OR_NULL(p->test, f);
	KUNIT_EXPECT_EQ(p->test, write_some(p, f, 0, n), err);
	KUNIT_EXPECT_EQ(p->test, write_some(p, f, n, 1), err);
	KUNIT_EXPECT_EQ(p->test, go(p->dst, STATE(STOP)), err);
	fput(f);
	reset(p->dst);
}

/* What the device refuses: write() says so, at the latest the last one. */
static void migration_test_refused(struct kunit *test)
{
	struct pair *p = test->priv;
	struct mock_fault *fault = p->dst->vf.fault;

	save_stopped(p);
	fault[MOCK_LOAD_WRITE] = (struct mock_fault) { 1, 0, -EOPNOTSUPP };
	expect_refused(p, IDENTITY_END, -EOPNOTSUPP);
	fault[MOCK_LOAD_WRITE] = (struct mock_fault) { 3, 0, -EBADMSG };
	expect_refused(p, p->bytes - 1, -EBADMSG);
	fault[MOCK_LOAD_COMMIT] = (struct mock_fault) { 1, 0, -ENODATA };
	expect_refused(p, p->bytes, -ENODATA);
	p->dst->vf.caps.chunk_max = 4095;
	expect_refused(p, sizeof(struct lmf_head_record), -EOPNOTSUPP);
}

/* User memory that ends: what came before counts, then it is EFAULT. */
static void migration_test_fault_read(struct kunit *test)
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

static void migration_test_fault_write(struct kunit *test)
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

/**
 * struct player - a thread that plays its part again and again
 * @p: pair
 * @f: file to read
 * @step: the part
 * @mm: whose memory it uses
 * @task: it
 * @steps: done so far
 */
struct player {
	struct pair *p;
	struct file *f;
	void (*step)(struct player *player);
	struct mm_struct *mm;
	struct task_struct *task;
	unsigned int steps;
};

static int player_thread(void *data)
{
	struct player *player = data;

	kthread_use_mm(player->mm);
	while (!kthread_should_stop()) {
		player->step(player);
		WRITE_ONCE(player->steps, player->steps + 1);
		cond_resched();
	}
	kthread_unuse_mm(player->mm);
	return 0;
}

static void player_start(struct player *player)
{
	player->mm = current->mm;
	player->task = kthread_run(player_thread, player, "lmf-player");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(player->p->test, player->task);
}

static void step_read(struct player *player)
{
	char __user *to = player->p->user + get_random_u32_below(SZ_32K);

	player->f->f_op->read(player->f, to, 1 + get_random_u32_below(20000),
			      NULL);
}

static void step_state(struct player *player)
{
	go(player->p->src, get_random_u32_below(VFIO_DEVICE_STATE_NR + 1));
}

static void step_reset(struct player *player)
{
	reset(player->p->src);
	usleep_range(200, 2000);
}

static void step_ask(struct player *player)
{
	data_size(player->p->src);
	get_state(player->p->src);
}

static void step_save(struct player *player)
{
	unsigned int n = get_random_u32_below(20);

	player->f = set_state(player->p->src, STATE(PRE_COPY));
	if (IS_ERR_OR_NULL(player->f))
		return;
	while (n--)
		step_read(player);
	fput(player->f);
}

static void step_resume(struct player *player)
{
	struct file *f = set_state(player->p->src, STATE(RESUMING));
	char __user *from = player->p->user + SZ_64K;
	unsigned int n = get_random_u32_below(20);

	if (IS_ERR_OR_NULL(f))
		return;
	while (n--)
		f->f_op->write(f, from, 1 + get_random_u32_below(9000), NULL);
	fput(f);
}

static void step_dirty(struct player *player)
{
	mock_vf_write(&player->p->src->vf, get_random_u32_below(MOCK_GRANULES),
		      get_random_u32());
	usleep_range(10, 100);
}

#define STORM_STEPS	300

/* All at once; what counts is that nothing is left over, hangs or is warned. */
static void migration_test_storm(struct kunit *test)
{
	static void (* const steps[])(struct player *player) = {
		step_state, step_reset, step_ask, step_save, step_resume,
		step_dirty, step_save,
	};
	struct player *players;
	unsigned int i;

	players = kunit_kcalloc(test, ARRAY_SIZE(steps), sizeof(*players),
				GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, players);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		players[i].p = test->priv;
		players[i].p->src->vf.delay_us = 20;
		players[i].step = steps[i];
		player_start(&players[i]);
	}
	for (i = 0; i < ARRAY_SIZE(steps); i++)
		KUNIT_EXPECT_TRUE(test,
				  wait_until(READ_ONCE(players[i].steps) >=
					     STORM_STEPS, 60));
	for (i = 0; i < ARRAY_SIZE(steps); i++)
		kthread_stop(players[i].task);
}

/* A read() waits for the device; meanwhile its session ends otherwise. */
static void block_reader(struct pair *p, long (*meanwhile)(struct bed *b))
{
	struct file *f;
	struct player reader = { .p = p, .step = step_read };
	struct lmf_migf *migf;

	p->src->vf.hold = true;
	f = set_state(p->src, STATE(PRE_COPY));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(p->test, f);
	migf = f->private_data;
	reader.f = f;
	player_start(&reader);
	KUNIT_EXPECT_TRUE(p->test, wait_until(READ_ONCE(migf->waiting), 10));
	KUNIT_EXPECT_EQ(p->test, meanwhile(p->src), 0);
	mock_vf_release(&p->src->vf);
	KUNIT_EXPECT_EQ(p->test, go(p->src, STATE(RUNNING)), 0);
	kthread_stop(reader.task);
	KUNIT_EXPECT_EQ(p->test, read_some(p, f, 10), -ENODEV);
	fput(f);
}

static long go_stop_copy(struct bed *b)
{
	return go(b, STATE(STOP_COPY));
}

static long go_reset(struct bed *b)
{
	reset(b);
	return get_state(b) == STATE(RUNNING) ? 0 : -EBUSY;
}

static long go_nowhere(struct bed *b)
{
	return 0;
}

static void migration_test_blocked(struct kunit *test)
{
	block_reader(test->priv, go_nowhere);
	block_reader(test->priv, go_stop_copy);
	block_reader(test->priv, go_reset);
}

static struct kunit_case migration_test_cases[] = {
	KUNIT_CASE_PARAM(migration_test_migrate, manner_gen_params),
	KUNIT_CASE(migration_test_no_early_end),
	KUNIT_CASE(migration_test_estimates),
	KUNIT_CASE(migration_test_paused),
	KUNIT_CASE(migration_test_too_much),
	KUNIT_CASE(migration_test_too_little),
	KUNIT_CASE(migration_test_arcs),
	KUNIT_CASE(migration_test_faults),
	KUNIT_CASE(migration_test_error),
	KUNIT_CASE(migration_test_transient),
	KUNIT_CASE(migration_test_restored),
	KUNIT_CASE(migration_test_killed),
	KUNIT_CASE(migration_test_load_lost),
	KUNIT_CASE(migration_test_load_kept),
	KUNIT_CASE(migration_test_bit_flips),
	KUNIT_CASE(migration_test_refused),
	KUNIT_CASE(migration_test_fault_read),
	KUNIT_CASE(migration_test_fault_write),
	KUNIT_CASE(migration_test_blocked),
	KUNIT_CASE_SLOW(migration_test_storm),
	{}
};

static struct kunit_suite migration_test_suite = {
	.name = "lmf-migration",
	.init = migration_test_init,
	.exit = migration_test_exit,
	.test_cases = migration_test_cases,
};

kunit_test_suite(migration_test_suite);
