// SPDX-License-Identifier: GPL-2.0-only
/*
 * The native formats through the whole stack, from the firmware's logger to the
 * user's bitmap: whatever the VF writes, and whatever happens meanwhile, a
 * report tells of every page that was written and not reported yet.
 *
 * The VF's DMA is played: the logger is told of a write, as it would be by the
 * DMA engine. Its bytes are of no interest here.
 */
#include "sweep.h"

#include <linux/interval_tree.h>
#include <linux/iova_bitmap.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/uaccess.h>

#define SEED		31
#define PAGES		65536u		/* 256 MiB, not all of it tracked */
#define BASE		(5ull << 32)	/* not where a guest's memory begins */
#define LONGEST		40000u		/* bytes of a write */

/* Else a report goes well that found no memory, and its pages are lost. */
#ifdef LMF_HAVE_BITMAP_FAULT
#define FAULTS_ARE_TOLD	true
#else
#define FAULTS_ARE_TOLD	false
#endif

static unsigned int turns = 60000;
module_param(turns, uint, 0444);
MODULE_PARM_DESC(turns, "random turns of each format; most are a write");

static bool faults;
module_param(faults, bool, 0444);
MODULE_PARM_DESC(faults, "this must be a kernel that tells of faults");

static const struct lmf_log_span spans[] = {
	{ BASE, BASE + 0x6000000 - 1 },
	{ BASE + 0x8000000, BASE + 0x8000000 - 1 + 0x7f00000 },
};

/**
 * struct model - what must come, beside what does
 * @s: the stack
 * @rnd: where all that is random comes from
 * @written: pages that were written and not reported
 * @may: pages of whose granule that is true
 * @shift: a granule is 2^shift bytes
 * @exact: nothing else may be reported
 * @hole: a page of the user's that is not there; the one before it is
 * @near: where the last random write was
 * @reports: made
 * @faults: reports that found no memory of the user
 * @writes: made
 */
struct model {
	struct sweep *s;
	struct rnd_state rnd;
	unsigned long *written;
	unsigned long *may;
	unsigned int shift;
	bool exact;
	char __user *hole;
	u64 near;
	unsigned int reports;
	unsigned int faults;
	unsigned int writes;
};

static void model_init(struct model *m)
{
	struct kunit *test = m->s->test;
	unsigned long user;

	prandom_seed_state(&m->rnd, SEED);
	m->written = kunit_kzalloc(test, PAGES / 8, GFP_KERNEL);
	m->may = kunit_kzalloc(test, PAGES / 8, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m->written);
	KUNIT_ASSERT_NOT_NULL(test, m->may);
	user = kunit_vm_mmap(test, NULL, 0, 2 * PAGE_SIZE,
			     PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, user, 0);
	KUNIT_ASSERT_EQ(test, vm_munmap(user + PAGE_SIZE, PAGE_SIZE), 0);
	m->hole = (char __user *)(user + PAGE_SIZE);
}

static u32 model_below(struct model *m, u32 n)
{
	return prandom_u32_state(&m->rnd) % n;
}

static struct vfio_device *model_vdev(struct model *m)
{
	return &m->s->vf[SWEEP_VF].dev.core.vdev;
}

static const unsigned int shifts[] = { 12, 16, 21 };

static unsigned int model_shift(struct model *m)
{
	return shifts[model_below(m, ARRAY_SIZE(shifts))];
}

/* Logs granules of 2^@shift bytes. */
static void model_start(struct model *m, unsigned int shift)
{
	struct rb_root_cached root = RB_ROOT_CACHED;
	struct interval_tree_node node[ARRAY_SIZE(spans)] = { };
	struct vfio_device *vdev = model_vdev(m);
	u64 page_size = BIT_ULL(shift);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(spans); i++) {
		node[i].start = spans[i].iova;
		node[i].last = spans[i].last;
		interval_tree_insert(&node[i], &root);
	}
	KUNIT_ASSERT_EQ(m->s->test,
			vdev->log_ops->log_start(vdev, &root, ARRAY_SIZE(spans),
						 &page_size), 0);
	bitmap_zero(m->written, PAGES);
	bitmap_zero(m->may, PAGES);
	m->shift = shift;
}

static void model_stop(struct model *m)
{
	struct vfio_device *vdev = model_vdev(m);

	KUNIT_ASSERT_EQ(m->s->test, vdev->log_ops->log_stop(vdev), 0);
}

static bool model_is_tracked(unsigned int page)
{
	u64 iova = BASE + ((u64)page << 12);

	return iova <= spans[0].last ||
	       (iova >= spans[1].iova && iova <= spans[1].last);
}

static void model_write_at(struct model *m, u64 offset, u32 length)
{
	u64 end = round_up(offset + length, BIT_ULL(m->shift)) >> 12;
	struct mock_pf *pf = &m->s->pf;
	unsigned int page;

	spin_lock_irq(&pf->lock);
	fw_log_write(pf->fw, pf->fw->vf[SWEEP_VF], BASE + offset, length);
	spin_unlock_irq(&pf->lock);
	for (page = offset >> 12; page <= (offset + length - 1) >> 12; page++)
		if (model_is_tracked(page))
			__set_bit(page, m->written);
	page = round_down(offset, BIT_ULL(m->shift)) >> 12;
	bitmap_set(m->may, page, min_t(u64, end, PAGES) - page);
	m->writes++;
}

/* Anywhere, or near the last one; perhaps over the end of what is tracked. */
static void model_write(struct model *m)
{
	if (!model_below(m, 8))
		m->near = (u64)model_below(m, PAGES) << 12;
	m->near += model_below(m, 65536);
	m->near %= (PAGES << 12) - LONGEST;
	model_write_at(m, m->near, 1 + model_below(m, LONGEST));
}

/**
 * struct window - of a report
 * @first: page
 * @n: pages
 * @shift: a bit of the answer stands for 2^shift bytes
 */
struct window {
	u32 first;
	u32 n;
	unsigned int shift;
};

static struct window model_window(struct model *m)
{
	u32 first = model_below(m, PAGES);

	return (struct window) {
		.first = first,
		.n = 1 + model_below(m, PAGES - first),
		.shift = model_shift(m),
	};
}

/* The answer's, in whole words. */
static u32 window_bytes(const struct window *w)
{
	return ALIGN(DIV_ROUND_UP(w->n, 1u << (w->shift - 12)), 64) / 8;
}

/* The answer comes into @user, of which there are @bytes. */
static int model_ask(struct model *m, const struct window *w,
		     char __user *user, u32 bytes)
{
	struct kunit *test = m->s->test;
	struct iova_bitmap *bitmap;
	int ret;

	KUNIT_ASSERT_EQ(test, clear_user(user, bytes), 0);
	bitmap = iova_bitmap_alloc(BASE + ((u64)w->first << 12),
				   (u64)w->n << 12, BIT(w->shift),
				   (u64 __user *)user);
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(bitmap));
	ret = iova_bitmap_for_each(bitmap, model_vdev(m), sweep_report_fn);
	iova_bitmap_free(bitmap);
	return ret;
}

/* What was told is forgotten, and was all that had to be told. */
static void model_told(struct model *m, const struct window *w,
		       const char __user *user, u32 bytes)
{
	unsigned long *got = (unsigned long *)m->s->bounce;
	struct kunit *test = m->s->test;
	u32 page, bit;

	KUNIT_ASSERT_LE(test, bytes, SWEEP_USER);
	KUNIT_ASSERT_EQ(test, copy_from_user(got, user, bytes), 0);
	for (page = w->first; page < w->first + w->n; page++) {
		bit = (page - w->first) >> (w->shift - 12);
		if (__test_and_clear_bit(page, m->written) &&
		    (bit >= bytes * 8 || !test_bit(bit, got)))
			KUNIT_FAIL(test, "page %u of %u..%u lost, shift %u\n",
				   page, w->first, w->first + w->n, w->shift);
		if (!__test_and_clear_bit(page, m->may) && m->exact &&
		    w->shift == 12 && test_bit(bit, got))
			KUNIT_FAIL(test, "page %u was not written\n", page);
	}
	m->reports++;
}

static void model_report(struct model *m)
{
	struct window w = model_window(m);

	KUNIT_ASSERT_EQ(m->s->test, model_ask(m, &w, m->s->user,
					      window_bytes(&w)), 0);
	model_told(m, &w, m->s->user, window_bytes(&w));
}

/* The answer's memory ends early: that is told, or nothing had to be there. */
static void model_report_short(struct model *m)
{
	struct window w = model_window(m);
	u32 words = min_t(u32, window_bytes(&w), PAGE_SIZE) / 8;
	u32 bytes = model_below(m, words + 1) * 8;
	char __user *user = m->hole - bytes;
	int ret = model_ask(m, &w, user, bytes);

	if (!ret) {
		model_told(m, &w, user, bytes);
		return;
	}
	KUNIT_ASSERT_EQ(m->s->test, ret, -EFAULT);
	m->faults++;
}

/* What may happen to a device and its log. */
static void model_event(struct model *m)
{
	static const char *const specs[] = {
		"log-entries=2", "log-entries=7", "log-entries=64",
		"log-delay-us=0", "log-delay-us=100", "log-delay-us=1000000",
		"admin-fail=0x0202:1:12", "admin-fail=0x0202:2:11",
		"admin-fail=0x0203:1:12", "admin-fail=0x0203:2:11",
	};
	u32 what = model_below(m, 4 + ARRAY_SIZE(specs));
	const char *wrong;

	if (what < ARRAY_SIZE(specs)) {
		wrong = mock_pf_fault(&m->s->pf, specs[what]);
		KUNIT_ASSERT_NULL(m->s->test, (void *)wrong);
	} else if (what == ARRAY_SIZE(specs)) {
		model_stop(m);
		model_start(m, model_shift(m));
	} else if (what == ARRAY_SIZE(specs) + 1) {
		/* The core forgets all that is open, a log included. */
		lmf_core_reset_prepare(m->s->core);
		lmf_core_reset_done(m->s->core);
		flush_work(&m->s->core->recover_work);
	} else {
		sweep_reset(&m->s->vf[SWEEP_VF]);
	}
}

static const struct kunit_attributes format_slow = {
	.speed = KUNIT_SPEED_SLOW
};

static const struct sweep_scenario formats[] = {
	{ .name = "ring", .format = LMF_LOG_RING },
	{ .name = "ranges", .format = LMF_LOG_RANGES },
	{ .name = "bitmap", .format = LMF_LOG_BITMAP },
};

static void format_describe(const struct sweep_scenario *format, char *desc)
{
	strscpy(desc, format->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(format, formats, format_describe);

static struct lmf_tracker_stats format_stats(struct sweep *s)
{
	struct lmf_tracker_stats stats;

	lmf_tracker_stats(&s->vf[SWEEP_VF].dev.tracker, &stats);
	return stats;
}

static void format_up(struct kunit *test)
{
	struct sweep *s = test->priv;

	s->scenario = test->param_value;
	sweep_up(s);
	sweep_arm(s);
}

/* points: 28, 29 */
static void format_test_random(struct kunit *test)
{
	struct sweep *s = test->priv;
	struct model m = { .s = s };
	unsigned int i;
	u32 what;

	KUNIT_ASSERT_TRUE(test, FAULTS_ARE_TOLD || !faults);
	model_init(&m);
	format_up(test);
	model_start(&m, model_shift(&m));
	KUNIT_EXPECT_EQ(test, format_stats(s).format, s->scenario->format);
	for (i = 0; i < turns; i++) {
		what = model_below(&m, 1000);
		if (what < 10)
			model_report(&m);
		else if (what < 11)
			model_event(&m);
		else if (what < 21 && FAULTS_ARE_TOLD)
			model_report_short(&m);
		else
			model_write(&m);
	}
	kunit_info(test,
		   "# %u writes, %u reports, %u faults, %llu overflows, %llu anew\n",
		   m.writes, m.reports, m.faults, format_stats(s).overflows,
		   format_stats(s).rearms);
	KUNIT_EXPECT_GT(test, format_stats(s).overflows, 0);
	KUNIT_EXPECT_GT(test, format_stats(s).rearms, 0);
	if (FAULTS_ARE_TOLD)
		KUNIT_EXPECT_GT(test, m.faults, m.reports / 10);
	model_stop(&m);
	sweep_down(s);
}

/* Nothing but what was written is told, where there is room for all of it. */
/* points: 31 */
static void format_test_precise(struct kunit *test)
{
	struct sweep *s = test->priv;
	struct model m = { .s = s, .exact = true };
	unsigned int i, round;

	model_init(&m);
	format_up(test);
	for (i = 0; i < ARRAY_SIZE(shifts); i++) {
		model_start(&m, shifts[i]);
		for (round = 0; round < 400; round++) {
			model_write(&m);
			if (!model_below(&m, 4))
				model_report(&m);
		}
		KUNIT_EXPECT_EQ(test, format_stats(s).overflows, 0);
		KUNIT_EXPECT_EQ(test, format_stats(s).saturations, 0);
		model_stop(&m);
	}
	sweep_down(s);
}

/* A bank that could not be read is read again, and nothing more is dirty. */
/* points: 29 */
static void format_test_read_again(struct kunit *test)
{
	struct sweep *s = test->priv;

	s->scenario = &formats[2];
	sweep_up(s);
	sweep_arm(s);
	KUNIT_ASSERT_EQ(test, sweep_log_start(s), 0);
	KUNIT_ASSERT_EQ(test, sweep_guest_write(s, 5), 0);
	KUNIT_ASSERT_NULL(test, (void *)mock_pf_fault(&s->pf,
						      "admin-fail=0x0203:1:7"));
	KUNIT_EXPECT_EQ(test, sweep_report(s), 0);
	KUNIT_EXPECT_EQ(test, format_stats(s).pages_reported, 1);
	KUNIT_EXPECT_EQ(test, format_stats(s).rearms, 0);
	KUNIT_EXPECT_EQ(test, sweep_log_stop(s), 0);
	sweep_down(s);
}

/* Where nothing goes wrong, a report tells of nothing else. */
static void format_test_exact(struct kunit *test)
{
	struct sweep *s = test->priv;
	unsigned int page;

	format_up(test);
	KUNIT_ASSERT_EQ(test, sweep_log_start(s), 0);
	for (page = 0; page < 3; page++)
		KUNIT_ASSERT_EQ(test, sweep_guest_write(s, 2 * page), 0);
	KUNIT_EXPECT_EQ(test, sweep_report(s), 0);
	KUNIT_EXPECT_EQ(test, format_stats(s).pages_reported, 3);
	KUNIT_EXPECT_EQ(test, sweep_report(s), 0);
	KUNIT_EXPECT_EQ(test, format_stats(s).pages_reported, 3);
	KUNIT_EXPECT_EQ(test, format_stats(s).overflows, 0);
	KUNIT_EXPECT_EQ(test, sweep_log_stop(s), 0);
	sweep_down(s);
}

/* A ring or a list that grows is drained in the background. */
/* points: 30 */
static void format_test_threshold(struct kunit *test)
{
	struct sweep *s = test->priv;
	struct model m = { .s = s };
	unsigned int i;

	model_init(&m);
	format_up(test);
	KUNIT_ASSERT_NULL(test, (void *)mock_pf_fault(&s->pf,
						      "log-delay-us=0"));
	model_start(&m, 12);
	flush_work(&s->vf[SWEEP_VF].dev.tracker.drain);
	KUNIT_EXPECT_EQ(test, format_stats(s).entries, 0);
	for (i = 0; i < 1500; i++)
		model_write_at(&m, i * SZ_16K, 1);
	mock_pf_drain(&s->pf);
	if (s->scenario->format == LMF_LOG_BITMAP)
		KUNIT_EXPECT_EQ(test, format_stats(s).entries, 0);
	else
		KUNIT_EXPECT_TRUE(test, wait_until(format_stats(s).entries > 0,
						   20));
	model_report(&m);
	model_stop(&m);
	sweep_down(s);
}

/**
 * struct lie - a completion that is not as it should be
 * @name: of the case
 * @course: in which format
 * @opcode: of the command
 * @edit: what makes it so
 * @again: each time, and not only the first one
 */
struct lie {
	const char *name;
	struct sweep_scenario course;
	u16 opcode;
	void (*edit)(struct lmf_admin_cqe *cqe);
	bool again;
};

static void lie_sequence(struct lmf_admin_cqe *cqe)
{
	cqe->value[1] = cpu_to_le64(le64_to_cpu(cqe->value[1]) + 1);
}

static void lie_no_sequence(struct lmf_admin_cqe *cqe)
{
	memset(cqe->value, 0, sizeof(cqe->value));
}

static void lie_for_ever(struct lmf_admin_cqe *cqe)
{
	cqe->flags = cpu_to_le16(LMF_LOG_MORE);
	cqe->value[0] = cpu_to_le64(1);
}

static void lie_nowhere(struct lmf_admin_cqe *cqe)
{
	cqe->flags = cpu_to_le16(LMF_LOG_MORE);
}

static void lie_short(struct lmf_admin_cqe *cqe)
{
	cqe->bytes = cpu_to_le32(le32_to_cpu(cqe->bytes) - 8);
}

static const struct lie lies[] = {
	{ "bitmap, another bank", { .format = LMF_LOG_BITMAP },
	  LMF_OP_LOG_READ, lie_sequence },
	{ "bitmap, no sequence", { .format = LMF_LOG_BITMAP },
	  LMF_OP_LOG_FLUSH, lie_no_sequence },
	{ "bitmap, more nowhere", { .format = LMF_LOG_BITMAP },
	  LMF_OP_LOG_READ, lie_nowhere },
	{ "bitmap, more for ever", { .format = LMF_LOG_BITMAP },
	  LMF_OP_LOG_READ, lie_for_ever, true },
	{ "bitmap, short", { .format = LMF_LOG_BITMAP },
	  LMF_OP_LOG_READ, lie_short },
	{ "ranges, short", { .format = LMF_LOG_RANGES },
	  LMF_OP_LOG_READ, lie_short },
	{ "ranges, more in one place", { .format = LMF_LOG_RANGES },
	  LMF_OP_LOG_READ, lie_nowhere },
};

static void lie_describe(const struct lie *lie, char *desc)
{
	strscpy(desc, lie->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(lie, lies, lie_describe);

static void lie_edit(struct mock_pf *pf, struct lmf_admin_cqe *cqe)
{
	struct sweep *s = pf->edit_ctx;
	const struct lie *lie = container_of(s->scenario, struct lie, course);
	struct lmf_slot *slots = s->core->aq.slots;
	struct lmf_op *op = slots[(u16)le32_to_cpu(cqe->tag)].op;

	if (le16_to_cpu(op->cmd.opcode) == lie->opcode &&
	    (lie->again || !s->posted++))
		lie->edit(cqe);
}

/* Nonsense costs precision: all is dirty, and the log is started anew. */
/* points: 29 */
static void format_test_lies(struct kunit *test)
{
	const struct lie *lie = test->param_value;
	struct sweep *s = test->priv;

	s->scenario = &lie->course;
	sweep_up(s);
	sweep_arm(s);
	KUNIT_ASSERT_EQ(test, sweep_log_start(s), 0);
	flush_work(&s->vf[SWEEP_VF].dev.tracker.drain);
	KUNIT_ASSERT_EQ(test, sweep_guest_write(s, 5), 0);
	mock_pf_edit(&s->pf, lie_edit, s);
	KUNIT_EXPECT_EQ(test, sweep_report(s), 0);
	mock_pf_edit(&s->pf, NULL, NULL);
	KUNIT_EXPECT_EQ(test, format_stats(s).pages_reported, SWEEP_PAGES);
	KUNIT_EXPECT_EQ(test, format_stats(s).rearms, 1);
	KUNIT_ASSERT_EQ(test, sweep_guest_write(s, 7), 0);
	KUNIT_EXPECT_EQ(test, sweep_report(s), 0);
	KUNIT_EXPECT_LE(test, format_stats(s).pages_reported, SWEEP_PAGES + 2);
	KUNIT_EXPECT_EQ(test, sweep_log_stop(s), 0);
	sweep_down(s);
}

/* A choice that cannot be met is not the end of it. */
static void format_test_choice(struct kunit *test)
{
	struct sweep *s = test->priv;
	struct lmf_vf_caps *caps;
	struct lmf_tracker *t;

	s->scenario = &formats[2];
	sweep_up(s);
	t = &s->vf[SWEEP_VF].dev.tracker;
	caps = &s->vf[SWEEP_VF].dev.vf->caps;
	caps->log_leaves_max = 0;
	KUNIT_ASSERT_EQ(test, sweep_log_start(s), 0);
	KUNIT_EXPECT_EQ(test, format_stats(s).format, LMF_LOG_RING);
	KUNIT_EXPECT_EQ(test, sweep_log_stop(s), 0);

	KUNIT_EXPECT_EQ(test, lmf_tracker_prefer(t, "ranges\n"), 0);
	KUNIT_EXPECT_EQ(test, lmf_tracker_prefer(t, "lists"), -EINVAL);
	KUNIT_EXPECT_EQ(test, lmf_tracker_prefer(t, ""), -EINVAL);
	KUNIT_ASSERT_EQ(test, sweep_log_start(s), 0);
	KUNIT_EXPECT_EQ(test, format_stats(s).format, LMF_LOG_RANGES);
	KUNIT_EXPECT_EQ(test, lmf_tracker_prefer(t, "best"), 0);
	KUNIT_EXPECT_EQ(test, format_stats(s).format, LMF_LOG_RANGES);
	KUNIT_EXPECT_EQ(test, sweep_log_stop(s), 0);

	KUNIT_EXPECT_EQ(test, lmf_tracker_prefer(t, "ranges"), 0);
	KUNIT_ASSERT_NULL(test, (void *)mock_pf_fault(&s->pf,
						      "admin-fail=0x0200:1:6"));
	KUNIT_ASSERT_EQ(test, sweep_log_start(s), 0);
	KUNIT_EXPECT_EQ(test, format_stats(s).format, LMF_LOG_RING);
	KUNIT_EXPECT_EQ(test, sweep_log_stop(s), 0);

	caps->log_formats = BIT(LMF_LOG_RANGES);
	KUNIT_EXPECT_EQ(test, lmf_tracker_prefer(t, "ring"), -EOPNOTSUPP);
	KUNIT_ASSERT_EQ(test, sweep_log_start(s), 0);
	KUNIT_EXPECT_EQ(test, format_stats(s).format, LMF_LOG_RANGES);
	KUNIT_EXPECT_EQ(test, sweep_log_stop(s), 0);

	caps->log_formats = BIT(LMF_LOG_BITMAP);
	KUNIT_EXPECT_EQ(test, sweep_log_start(s), -EOPNOTSUPP);
	sweep_down(s);
}

static struct kunit_case format_test_cases[] = {
	KUNIT_CASE_PARAM(format_test_precise, format_gen_params),
	KUNIT_CASE_PARAM(format_test_exact, format_gen_params),
	KUNIT_CASE_PARAM(format_test_threshold, format_gen_params),
	KUNIT_CASE_PARAM(format_test_lies, lie_gen_params),
	KUNIT_CASE(format_test_choice),
	KUNIT_CASE(format_test_read_again),
	KUNIT_CASE_PARAM_ATTR(format_test_random, format_gen_params,
			      format_slow),
	{}
};

static struct kunit_suite format_test_suite = {
	.name = "lmf-format",
	.init = sweep_init,
	.test_cases = format_test_cases,
};

kunit_test_suite(format_test_suite);
