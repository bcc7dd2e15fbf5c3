// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty tracker over a device that is played here, with the kernel's own
 * iova_bitmap and user memory. The device posts late, fills its ring, fails and
 * comes back; whatever was written and not reported must be in the report.
 */
#include "tracker_bed.h"

static void tracker_test_simple(struct kunit *test)
{
	struct bed *b = test->priv;
	struct lmf_tracker_stats stats;

	start_simple(b);
	KUNIT_EXPECT_EQ(test, report_weight(b), 0);
	device_write(&b->vf, 0x5000, 0x2000);
	device_write(&b->vf, 0x10fff, 1);
	KUNIT_EXPECT_EQ(test, report_weight(b), 3);
	KUNIT_EXPECT_TRUE(test, test_bit(5, b->got) && test_bit(6, b->got) &&
			  test_bit(0x10, b->got));
	KUNIT_EXPECT_EQ(test, report_weight(b), 0);
	lmf_tracker_stats(&b->tracker, &stats);
	KUNIT_EXPECT_TRUE(test, stats.on);
	KUNIT_EXPECT_EQ(test, stats.reports, 3);
	KUNIT_EXPECT_EQ(test, stats.pages_reported, 3);
	KUNIT_EXPECT_EQ(test, stats.entries, 2);
	KUNIT_EXPECT_EQ(test, stats.overflows, 0);
	KUNIT_EXPECT_EQ(test, stats.ring_entries, 64);
	KUNIT_EXPECT_EQ(test, stats.shift, 12);
}

/* What the shadow may take is a small part of the machine's memory. */
/* points: 24, 32 */
static void tracker_test_limit(struct kunit *test)
{
	u64 ram = (u64)totalram_pages() * PAGE_SIZE / LMF_SHADOW_UNIT;
	struct bed *b = test->priv;

	start_simple(b);
	KUNIT_EXPECT_GE(test, b->tracker.pool.limit, SZ_1M / LMF_SHADOW_UNIT);
	KUNIT_EXPECT_LE(test, b->tracker.pool.limit,
			SZ_1M / LMF_SHADOW_UNIT + ram / 256);
}

/* A worker marks on the account of who started the log. */
static void tracker_test_payer(struct kunit *test)
{
	struct bed *b = test->priv;

	start_simple(b);
	KUNIT_EXPECT_EQ(test, !!b->tracker.memcg, IS_ENABLED(CONFIG_MEMCG));
	device_write(&b->vf, 0x5000, 1);
	device_post_pending(&b->vf, 1);
	bed_payer = NULL;
	lmf_tracker_threshold(&b->tracker);
	flush_work(&b->tracker.drain);
	KUNIT_EXPECT_PTR_EQ(test, bed_payer, b->tracker.memcg);
	KUNIT_EXPECT_EQ(test, report_weight(b), 1);
}

/* points: 27 */
static void tracker_test_order(struct kunit *test)
{
	const struct lmf_log_span span = { 0, SPAN - 1 };
	struct bed *b = test->priv;
	u64 page_size = PAGE;

	KUNIT_EXPECT_EQ(test, lmf_tracker_stop(&b->tracker), 0);
	KUNIT_EXPECT_EQ(test, report(b, 0, SPAN, PAGE), -EINVAL);
	start_simple(b);
	KUNIT_EXPECT_EQ(test, start(b, &span, 1, &page_size), -EINVAL);
	KUNIT_EXPECT_EQ(test, b->vf.starts, 1);
	KUNIT_EXPECT_EQ(test, lmf_tracker_report(&b->tracker, 0, 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, lmf_tracker_report(&b->tracker, PAGE, -PAGE + 1,
						 NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, lmf_tracker_stop(&b->tracker), 0);
	KUNIT_EXPECT_EQ(test, lmf_tracker_stop(&b->tracker), 0);
	KUNIT_EXPECT_EQ(test, report(b, 0, SPAN, PAGE), -EINVAL);
	start_simple(b);
	lmf_tracker_close(&b->tracker);
	lmf_tracker_close(&b->tracker);
}

/* points: 35 */
static void tracker_test_no_log(struct kunit *test)
{
	const struct lmf_log_span span = { 0, SPAN - 1 };
	struct bed *b = test->priv;
	u64 page_size = PAGE;

	b->vf.caps.log_formats = ~(u32)LMF_LOG_FORMATS;
	KUNIT_EXPECT_EQ(test, start(b, &span, 1, &page_size), -EOPNOTSUPP);
	b->vf.caps.log = false;
	KUNIT_EXPECT_EQ(test, start(b, &span, 1, &page_size), -EOPNOTSUPP);
	b->tracker.vf = NULL;
	KUNIT_EXPECT_EQ(test, start(b, &span, 1, &page_size), -EOPNOTSUPP);
}

/* points: 26 */
static void tracker_test_page_size(struct kunit *test)
{
	static const struct {
		u64 wish;
		u64 answer;	/* 0: refused */
	} sizes[] = {
		{ 0, 0 }, { 3, 0 }, { 0x3000, 0 }, { ~0ull, 0 },
		{ 1, 0x2000 }, { 0x1000, 0x2000 }, { 0x2000, 0x2000 },
		{ 0x10000, 0x10000 }, { 1ull << 21, 1ull << 20 },
		{ 1ull << 63, 1ull << 20 },
	};
	const struct lmf_log_span span = { 0, SPAN - 1 };
	struct bed *b = test->priv;
	u64 page_size;
	int i, ret;

	b->vf.caps.log_shift_min = 13;
	b->vf.caps.log_shift_max = 20;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		page_size = sizes[i].wish;
		ret = start(b, &span, 1, &page_size);
		KUNIT_EXPECT_EQ(test, ret, sizes[i].answer ? 0 : -EINVAL);
		if (sizes[i].answer) {
			KUNIT_EXPECT_EQ(test, page_size, sizes[i].answer);
			KUNIT_EXPECT_EQ(test, 1ull << b->vf.params.shift,
					sizes[i].answer);
		}
		lmf_tracker_stop(&b->tracker);
	}
}

/* A device that can do more than the log's format holds is used as far as. */
/* points: 26 */
static void tracker_test_coarsest(struct kunit *test)
{
	const struct lmf_log_span span = { 0, SPAN - 1 };
	struct bed *b = test->priv;
	u64 page_size = 1ull << 63;

	b->vf.caps.log_shift_max = 63;
	KUNIT_ASSERT_EQ(test, start(b, &span, 1, &page_size), 0);
	KUNIT_EXPECT_EQ(test, page_size, 1ull << 31);
	lmf_tracker_stop(&b->tracker);
}

static bool is_covered(const struct lmf_vf *vf,
		       const struct lmf_log_span *range)
{
	u32 i;

	for (i = 0; i < vf->params.nranges; i++)
		if (range->iova >= vf->spans[i].iova &&
		    range->last <= vf->spans[i].last)
			return true;
	return false;
}

/* points: 26 */
static void tracker_test_ranges(struct kunit *test)
{
	static const struct lmf_log_span bad[] = {
		{ 0x5000, 0x4fff }, { 0, U64_MAX },
	};
	/* More than the device takes; some touch once they are widened. */
	static const struct lmf_log_span many[] = {
		{ 0x0, 0x8fff }, { 0xa000, 0xbfff }, { 0x100000, 0x10ffff },
		{ 0x7000000, 0x7000fff }, { 0x7001000, 0x7018fff },
		{ 0x10000000, 0x1fffffff },
		{ 0x20001000, 0x2fffffff },
	};
	struct lmf_log_span *spans;
	struct bed *b = test->priv;
	u64 page_size = PAGE;
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ(test, start(b, &bad[i], 1, &page_size),
				-EINVAL);
	KUNIT_EXPECT_EQ(test, b->vf.starts, 0);
	for (j = 1; j <= 8; j++) {
		b->vf.caps.log_ranges_max = j;
		page_size = 0x10000;
		KUNIT_ASSERT_EQ(test, start(b, many, ARRAY_SIZE(many),
					    &page_size), 0);
		spans = b->vf.spans;
		KUNIT_EXPECT_LE(test, b->vf.params.nranges, j);
		KUNIT_EXPECT_EQ(test, spans[0].iova, 0);
		for (i = 0; i < b->vf.params.nranges; i++) {
			KUNIT_EXPECT_EQ(test, spans[i].iova & 0xffff, 0);
			KUNIT_EXPECT_EQ(test, spans[i].last & 0xffff, 0xffff);
			if (i)
				KUNIT_EXPECT_GT(test, spans[i].iova,
						spans[i - 1].last);
		}
		KUNIT_EXPECT_EQ(test, spans[i - 1].last, 0x2fffffff);
		for (i = 0; i < ARRAY_SIZE(many); i++)
			KUNIT_EXPECT_TRUE(test, is_covered(&b->vf, &many[i]));
		lmf_tracker_stop(&b->tracker);
	}
}

/* Only what was asked for is answered and cleared. */
/* points: 28 */
static void tracker_test_window(struct kunit *test)
{
	struct bed *b = test->priv;

	start_simple(b);
	device_write(&b->vf, 0xb0000, 0x20000);
	KUNIT_EXPECT_EQ(test, report(b, 0xc0000, 0x4000, PAGE), 0);
	KUNIT_EXPECT_EQ(test, bitmap_weight(b->got, 64), 4);
	KUNIT_EXPECT_EQ(test, report(b, 0xbd000, 0x2000, PAGE), 0);
	KUNIT_EXPECT_EQ(test, bitmap_weight(b->got, 64), 2);
	KUNIT_EXPECT_EQ(test, report_weight(b), 0x20 - 6);
	KUNIT_EXPECT_FALSE(test, test_bit(0xc0, b->got));
	KUNIT_EXPECT_TRUE(test, test_bit(0xc4, b->got));
}

/* Granules of 64 KiB, report pages smaller and larger. */
/* points: 34 */
static void tracker_test_granule(struct kunit *test)
{
	const struct lmf_log_span span = { 0, SPAN - 1 };
	struct bed *b = test->priv;
	u64 page_size = SZ_64K;

	KUNIT_ASSERT_EQ(test, start(b, &span, 1, &page_size), 0);
	device_write(&b->vf, 0x2ffff, 2);
	KUNIT_EXPECT_EQ(test, report(b, 0x28000, 0x10000, PAGE), 0);
	KUNIT_EXPECT_EQ(test, bitmap_weight(b->got, 64), 16);
	KUNIT_EXPECT_EQ(test, report_weight(b), 16);
	device_write(&b->vf, 0x1ff000, 0x2000);
	KUNIT_EXPECT_EQ(test, report(b, 0, SPAN, SZ_2M), 0);
	KUNIT_EXPECT_EQ(test, bitmap_weight(b->got, SPAN / SZ_2M), 2);
	KUNIT_EXPECT_EQ(test, report_weight(b), 0);
}

/* A ring that the threshold empties holds any number of entries. */
/* points: 30 */
static void tracker_test_background(struct kunit *test)
{
	struct bed *b = test->priv;
	struct lmf_tracker_stats stats;
	int i;

	start_simple(b);
	for (i = 0; i < 1000; i++) {
		device_write(&b->vf, i * 2 * PAGE, 1);
		device_post_pending(&b->vf, 1);
		if (i % 16 == 15) {
			lmf_tracker_threshold(&b->tracker);
			flush_work(&b->tracker.drain);
		}
	}
	lmf_tracker_stats(&b->tracker, &stats);
	KUNIT_EXPECT_EQ(test, b->vf.npending, 0);
	KUNIT_EXPECT_GE(test, stats.entries, 900);
	KUNIT_EXPECT_GE(test, stats.drains, 60);
	KUNIT_EXPECT_EQ(test, report_weight(b), 1000);
	lmf_tracker_stats(&b->tracker, &stats);
	KUNIT_EXPECT_EQ(test, stats.overflows, 0);
}

/* A device that fills the ring as fast as it is drained needs no new event. */
/* points: 30 */
static void tracker_test_busy(struct kunit *test)
{
	struct bed *b = test->priv;
	struct lmf_tracker_stats stats;

	start_simple(b);
	b->vf.refill = 1000;
	device_write(&b->vf, SPAN - PAGE, 1);
	device_post_pending(&b->vf, 1);
	lmf_tracker_threshold(&b->tracker);
	while (flush_work(&b->tracker.drain))
		;
	lmf_tracker_stats(&b->tracker, &stats);
	KUNIT_EXPECT_EQ(test, stats.entries, 1001);
	KUNIT_EXPECT_GT(test, stats.drains, 10);
	KUNIT_EXPECT_EQ(test, report_weight(b), 1001);
}

/* More than the ring holds comes out in several flushes. */
/* points: 30 */
static void tracker_test_more(struct kunit *test)
{
	struct bed *b = test->priv;
	int i;

	b->vf.caps.log_ring_max = 4;
	start_simple(b);
	for (i = 0; i < 40; i++)
		device_write(&b->vf, i * 2 * PAGE, 1);
	KUNIT_EXPECT_EQ(test, report_weight(b), 40);
	KUNIT_EXPECT_EQ(test, b->vf.flushes, 10);
}

/* points: 29 */
static void tracker_test_coarse(struct kunit *test)
{
	struct bed *b = test->priv;
	struct lmf_tracker_stats stats;
	int i;

	start_simple(b);
	for (i = 0; i <= PENDING; i++)
		device_write(&b->vf, i * 2 * PAGE, 1);
	KUNIT_EXPECT_EQ(test, report_weight(b), SPAN / PAGE);
	lmf_tracker_stats(&b->tracker, &stats);
	KUNIT_EXPECT_EQ(test, stats.overflows, 1);
	KUNIT_EXPECT_EQ(test, stats.saturations, 0);
	KUNIT_EXPECT_EQ(test, report_weight(b), 0);
}

/* Every error: all is dirty once, then the log is as good as new. */
/* points: 29 */
static void tracker_test_flush_error(struct kunit *test)
{
	static const int errors[] = {
		-EIO, -ETIMEDOUT, -ENOTCONN, -ENOMEM, -EBUSY, -ENODEV,
	};
	struct bed *b = test->priv;
	struct lmf_tracker_stats stats;
	int i;

	start_simple(b);
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		b->vf.flush_ret = errors[i];
		KUNIT_EXPECT_EQ(test, report(b, 0, SPAN / 2, PAGE), 0);
		KUNIT_EXPECT_TRUE(test, bitmap_full(b->got, SPAN / 2 / PAGE));
		device_write(&b->vf, 0x7000, 1);
		KUNIT_EXPECT_EQ(test, report_weight(b), SPAN / 2 / PAGE + 1);
		KUNIT_EXPECT_EQ(test, report_weight(b), 0);
	}
	lmf_tracker_stats(&b->tracker, &stats);
	KUNIT_EXPECT_EQ(test, stats.saturations, i);
	KUNIT_EXPECT_EQ(test, stats.rearms, i);
	KUNIT_EXPECT_EQ(test, b->vf.bufs, 1);
}

/* A VF reset that cuts into the flush costs nothing but another one. */
/* points: 33 */
static void tracker_test_canceled(struct kunit *test)
{
	struct bed *b = test->priv;

	start_simple(b);
	device_write(&b->vf, 0x7000, 1);
	b->vf.flush_ret = -ECANCELED;
	KUNIT_EXPECT_EQ(test, report_weight(b), 1);
	KUNIT_EXPECT_EQ(test, b->vf.starts, 1);

	b->vf.flush_ret = -ECANCELED;
	b->vf.flush_sticky = true;
	KUNIT_EXPECT_EQ(test, report_weight(b), SPAN / PAGE);
	KUNIT_EXPECT_LE(test, b->vf.flushes, 2 + LMF_SYNC_ROUNDS);
}

/* points: 12 */
static void tracker_test_killed(struct kunit *test)
{
	struct bed *b = test->priv;

	start_simple(b);
	device_write(&b->vf, 0x7000, 1);
	b->vf.flush_ret = -EINTR;
	KUNIT_EXPECT_EQ(test, report(b, 0, SPAN, PAGE), -EINTR);
	KUNIT_EXPECT_EQ(test, report_weight(b), 1);
}

/* Killed while the user's bitmap is filled. */
/* points: 12 */
static void tracker_test_killed_late(struct kunit *test)
{
	struct bed *b = test->priv;

	start_simple(b);
	device_write(&b->vf, 0x7000, 1);
	sigaddset(&current->pending.signal, SIGKILL);
	set_tsk_thread_flag(current, TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, report_to(b, b->user, 0, SPAN, PAGE), -EINTR);
	sigdelset(&current->pending.signal, SIGKILL);
	clear_tsk_thread_flag(current, TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, report_weight(b), 1);
}

/* points: 29 */
static void tracker_test_more_for_ever(struct kunit *test)
{
	struct bed *b = test->priv;

	start_simple(b);
	b->vf.more_for_ever = true;
	KUNIT_EXPECT_EQ(test, report_weight(b), SPAN / PAGE);
	KUNIT_EXPECT_EQ(test, b->vf.flushes, LMF_FLUSH_ROUNDS);
	b->vf.more_for_ever = false;
	KUNIT_EXPECT_EQ(test, report_weight(b), 0);
	KUNIT_EXPECT_EQ(test, b->vf.starts, 1);
}

/* A lost PF: everything is dirty in every report, until it is back. */
/* points: 29, 38 */
static void tracker_test_lost(struct kunit *test)
{
	struct bed *b = test->priv;
	int i;

	start_simple(b);
	b->vf.on = false;
	b->vf.flush_ret = -ENOTCONN;
	b->vf.flush_sticky = true;
	lmf_tracker_lost(&b->tracker);
	for (i = 0; i < 3; i++) {
		b->vf.start_ret[0] = -ENOTCONN;
		KUNIT_EXPECT_EQ(test, report_weight(b), SPAN / PAGE);
		KUNIT_EXPECT_EQ(test, b->vf.bufs, 0);
	}
	b->vf.flush_ret = 0;
	KUNIT_EXPECT_EQ(test, report_weight(b), SPAN / PAGE);
	device_write(&b->vf, 0x7000, 1);
	KUNIT_EXPECT_EQ(test, report_weight(b), 1);
}

/* Lies and garbage of the device are errors of it like others. */
/* points: 29 */
static void tracker_test_nonsense(struct kunit *test)
{
	static const s64 lies[] = { 1, 65, S64_MAX, 1ll << 32 };
	struct bed *b = test->priv;
	int i;

	start_simple(b);
	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		b->vf.produced_lie = lies[i];
		KUNIT_EXPECT_EQ(test, report_weight(b), SPAN / PAGE);
		b->vf.produced_lie = 0;
		KUNIT_EXPECT_EQ(test, report_weight(b), 0);
	}
	/* Too low a count hides nothing. */
	device_write(&b->vf, 0x7000, 1);
	b->vf.produced_lie = -1;
	KUNIT_EXPECT_EQ(test, report_weight(b), 1);
	b->vf.produced_lie = 0;

	device_write(&b->vf, 0x7000, 1);
	device_post_pending(&b->vf, 1);
	device_post(&b->vf, 0x7001, 1, 0);
	lmf_tracker_threshold(&b->tracker);
	flush_work(&b->tracker.drain);
	KUNIT_EXPECT_EQ(test, report_weight(b), SPAN / PAGE);
	KUNIT_EXPECT_EQ(test, report_weight(b), 0);
	KUNIT_EXPECT_EQ(test, b->vf.bufs, 1);
}

static void tracker_test_start_error(struct kunit *test)
{
	const struct lmf_log_span span = { 0, SPAN - 1 };
	struct bed *b = test->priv;
	u64 page_size = PAGE;

	b->vf.start_ret[0] = -ETIMEDOUT;
	KUNIT_EXPECT_EQ(test, start(b, &span, 1, &page_size), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, b->vf.stops, 1);
	KUNIT_EXPECT_EQ(test, report(b, 0, SPAN, PAGE), -EINVAL);

	/* A log that an earlier stop left on is stopped first. */
	b->vf.on = true;
	start_simple(b);
	lmf_tracker_stop(&b->tracker);

	b->vf.start_ret[0] = -ECANCELED;
	start_simple(b);
	lmf_tracker_stop(&b->tracker);

	b->vf.ring_bytes_max = 0;
	KUNIT_EXPECT_EQ(test, start(b, &span, 1, &page_size), -ENOMEM);
	b->vf.ring_bytes_max = 300;
	start_simple(b);
	KUNIT_EXPECT_EQ(test, b->vf.params.entries, 16);
}

/* Without our patch iova_bitmap_set() does not tell. */
#ifdef LMF_HAVE_BITMAP_FAULT
#define FAULT_ERR	(-EFAULT)
#else
#define FAULT_ERR	0
#endif

/*
 * With report pages of 64 KiB the second bitmap page begins at 2 GiB, and it
 * is not there. The run crosses that point with both ends inside a bit.
 */
static void tracker_test_fault(struct kunit *test)
{
	const struct lmf_log_span span = { 0, 4ull * SZ_1G - 1 };
	struct bed *b = test->priv;
	u64 page_size = PAGE;
	unsigned long user;

	KUNIT_ASSERT_EQ(test, start(b, &span, 1, &page_size), 0);
	device_write(&b->vf, SZ_2G - PAGE, 2 * PAGE);
	user = kunit_vm_mmap(test, NULL, 0, 4096, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, user, 0);
	KUNIT_EXPECT_EQ(test, report_to(b, user, 0, 4ull * SZ_1G, SZ_64K),
			FAULT_ERR);
}

/* Whatever the order of the log: the bitmap is walked, and pinned, once. */
/* points: 31 */
static void tracker_test_pins(struct kunit *test)
{
	const struct lmf_log_span span = { 0, 2ull * SZ_64G - 1 };
	struct bed *b = test->priv;
	unsigned long before, pins;
	u64 page_size = PAGE;
	int i;

	KUNIT_ASSERT_EQ(test, start(b, &span, 1, &page_size), 0);
	for (i = 0; i < 4096; i++) {
		/* A prime of about a third of the pages: up and down. */
		device_write(&b->vf, i * 11184829ull % (2 * SZ_64G / PAGE) *
				     PAGE, 1);
		device_post_pending(&b->vf, 1);
		if (i % 16 == 15) {
			lmf_tracker_threshold(&b->tracker);
			flush_work(&b->tracker.drain);
		}
	}
	before = global_node_page_state(NR_FOLL_PIN_ACQUIRED);
	KUNIT_EXPECT_EQ(test, report_to(b, b->user, 0, 2ull * SZ_64G, PAGE), 0);
	pins = global_node_page_state(NR_FOLL_PIN_ACQUIRED) - before;
	KUNIT_EXPECT_GT(test, pins, 0);
	/* A window of 64 GiB is 512 pages of the bitmap. */
	KUNIT_EXPECT_LE(test, pins, USER_BYTES / PAGE_SIZE + 512);
	KUNIT_EXPECT_EQ(test, b->tracker.stats.pages_reported, 4096);
}

struct random_case {
	unsigned long *must;	/* written, not reported yet; in pages */
	unsigned long *may;	/* the granules of it */
	u64 granule;
	bool vague;		/* things go wrong: too much is all right */
};

static u32 rnd(struct bed *b, u32 below)
{
	return prandom_u32_state(&b->rnd) % below;
}

static void random_write(struct bed *b, struct random_case *c)
{
	u64 iova = rnd(b, SPAN), length = 1 + rnd(b, 1 << (8 + rnd(b, 14)));
	u64 first, last;

	length = min(length, SPAN - iova);
	device_write(&b->vf, iova, length);
	bitmap_set(c->must, iova / PAGE,
		   (iova + length - 1) / PAGE - iova / PAGE + 1);
	first = round_down(iova, c->granule) / PAGE;
	last = round_up(iova + length, c->granule) / PAGE;
	bitmap_set(c->may, first, last - first);
}

static void random_fault(struct bed *b)
{
	static const int errors[] = { -EIO, -ETIMEDOUT, -ENOTCONN };

	switch (rnd(b, 40)) {
	case 0:
		b->vf.flush_ret = errors[rnd(b, ARRAY_SIZE(errors))];
		break;
	case 1:
		b->vf.start_ret[0] = errors[rnd(b, ARRAY_SIZE(errors))];
		break;
	case 2:
		if (b->vf.on)
			device_post(&b->vf, 1, 1, 0);
		break;
	case 3:
		b->vf.on = false;
		break;
	case 4:
		b->tracker.pool.limit = rnd(b, 40);
		break;
	case 5:
		b->vf.flush_ret = -ECANCELED;
		break;
	case 6:
		b->vf.ring_bytes_max = 16 << rnd(b, 8);
		break;
	}
}

static void random_report(struct bed *b, struct random_case *c, u64 report_page)
{
	u64 iova = round_down(rnd(b, SPAN), PAGE), page, length;
	unsigned long bit;

	length = min_t(u64, round_up(1 + rnd(b, SPAN), PAGE), SPAN - iova);
	KUNIT_ASSERT_EQ(b->test, report(b, iova, length, report_page), 0);
	for (page = iova; page < iova + length; page += PAGE) {
		bit = (page - iova) / report_page;
		if (test_bit(page / PAGE, c->must))
			KUNIT_ASSERT_TRUE(b->test, test_bit(bit, b->got));
		if (report_page == PAGE && !c->vague &&
		    !test_bit(page / PAGE, c->may))
			KUNIT_ASSERT_FALSE(b->test, test_bit(bit, b->got));
	}
	bitmap_clear(c->must, iova / PAGE, length / PAGE);
	bitmap_clear(c->may, iova / PAGE, length / PAGE);
}

static void random_run(struct bed *b, struct random_case *c, u64 granule,
		       u64 report_page, bool faults)
{
	const struct lmf_log_span span = { 0, SPAN - 1 };
	int i;

	/* A ring that all fits in; with faults one that overflows. */
	b->vf.caps.log_ring_max = faults ? 64 : 2048;
	c->granule = granule;
	c->vague = faults;
	bitmap_zero(c->must, SPAN / PAGE);
	bitmap_zero(c->may, SPAN / PAGE);
	KUNIT_ASSERT_EQ(b->test, start(b, &span, 1, &granule), 0);
	for (i = 0; i < 1000; i++) {
		random_write(b, c);
		if (b->vf.on && (!rnd(b, 3) || (!faults && rnd(b, 4))))
			device_post_pending(&b->vf, rnd(b, 8));
		if (!rnd(b, 4))
			lmf_tracker_threshold(&b->tracker);
		if (faults)
			random_fault(b);
		if (!rnd(b, 20))
			random_report(b, c, report_page);
	}
	b->vf.start_ret[0] = 0;
	b->vf.flush_ret = 0;
	b->vf.ring_bytes_max = SZ_1M;
	KUNIT_EXPECT_EQ(b->test, lmf_tracker_stop(&b->tracker), 0);
}

/* points: 28, 34 */
static void tracker_test_random(struct kunit *test)
{
	static const u64 sizes[] = { PAGE, SZ_64K, SZ_2M };
	struct bed *b = test->priv;
	struct random_case c;
	int i, j, faults;

	c.must = kunit_kcalloc(test, SPAN / PAGE / 8, 1, GFP_KERNEL);
	c.may = kunit_kcalloc(test, SPAN / PAGE / 8, 1, GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, c.must && c.may);
	for (faults = 0; faults < 2; faults++)
		for (i = 0; i < ARRAY_SIZE(sizes); i++)
			for (j = 0; j < ARRAY_SIZE(sizes); j++)
				random_run(b, &c, sizes[i], sizes[j], faults);
}

static struct kunit_case tracker_test_cases[] = {
	KUNIT_CASE(tracker_test_simple),
	KUNIT_CASE(tracker_test_limit),
	KUNIT_CASE(tracker_test_payer),
	KUNIT_CASE(tracker_test_order),
	KUNIT_CASE(tracker_test_no_log),
	KUNIT_CASE(tracker_test_page_size),
	KUNIT_CASE(tracker_test_coarsest),
	KUNIT_CASE(tracker_test_ranges),
	KUNIT_CASE(tracker_test_window),
	KUNIT_CASE(tracker_test_granule),
	KUNIT_CASE(tracker_test_background),
	KUNIT_CASE(tracker_test_busy),
	KUNIT_CASE(tracker_test_more),
	KUNIT_CASE(tracker_test_coarse),
	KUNIT_CASE(tracker_test_flush_error),
	KUNIT_CASE(tracker_test_canceled),
	KUNIT_CASE(tracker_test_killed),
	KUNIT_CASE(tracker_test_killed_late),
	KUNIT_CASE(tracker_test_more_for_ever),
	KUNIT_CASE(tracker_test_lost),
	KUNIT_CASE(tracker_test_nonsense),
	KUNIT_CASE(tracker_test_start_error),
	KUNIT_CASE(tracker_test_fault),
	KUNIT_CASE(tracker_test_pins),
	KUNIT_CASE_SLOW(tracker_test_random),
	{}
};

static struct kunit_suite tracker_test_suite = {
	.name = "lmf-tracker",
	.init = tracker_test_init,
	.exit = tracker_test_exit,
	.test_cases = tracker_test_cases,
};

kunit_test_suite(tracker_test_suite);
