// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files of a VF in sysfs: each shows what belongs to its name.
 */
#include <kunit/test.h>

#define lmf_vfio_groups		sysfs_groups

#include "../../src/vfio/sysfs.c"

#define SYSFS_FILES	(ARRAY_SIZE(lmf_migration_attrs) - 1)
#define SYSFS_STAT	1000	/* the counters have numbers from here on */

struct sysfs_bed {
	struct pci_dev pdev;
	struct lmf_vfio_device dev;
	char *page;
};

static int sysfs_test_init(struct kunit *test)
{
	struct sysfs_bed *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	enum lmf_stat which;

	KUNIT_ASSERT_NOT_NULL(test, b);
	test->priv = b;
	b->page = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, b->page);
	dev_set_drvdata(&b->pdev.dev, &b->dev.core);
	lmf_migration_init(&b->dev);
	lmf_tracker_init(&b->dev.tracker, NULL, "sysfs");
	for (which = 0; which < LMF_STAT_NR; which++)
		lmf_stat_set(&b->dev.stats, which, SYSFS_STAT + which);
	b->dev.tracker.stats = (struct lmf_tracker_stats) {
		.on = true,
		.format = LMF_LOG_RING,
		.reports = 1,
		.pages_reported = 2,
		.entries = 3,
		.drains = 4,
		.overflows = 5,
		.saturations = 6,
	};
	return 0;
}

/* What is in a file, as one would read it. */
static const char *sysfs_file(struct kunit *test, struct attribute *attr)
{
	struct device_attribute *file = container_of(attr,
						     struct device_attribute,
						     attr);
	struct sysfs_bed *b = test->priv;
	ssize_t bytes = file->show(&b->pdev.dev, file, b->page);

	KUNIT_ASSERT_GT(test, bytes, 1);
	KUNIT_EXPECT_EQ(test, b->page[bytes - 1], '\n');
	b->page[bytes - 1] = 0;
	return b->page;
}

static const char *sysfs_named(struct kunit *test, const char *name)
{
	unsigned int n;

	for (n = 0; n < SYSFS_FILES; n++)
		if (!strcmp(lmf_migration_attrs[n]->name, name))
			return sysfs_file(test, lmf_migration_attrs[n]);
	KUNIT_FAIL(test, "no file %s", name);
	return "";
}

/* points: 40 */
static void sysfs_test_tracker(struct kunit *test)
{
	struct sysfs_bed *b = test->priv;

	KUNIT_EXPECT_STREQ(test, sysfs_named(test, "log_format"), "ring");
	KUNIT_EXPECT_STREQ(test, sysfs_named(test, "reports"), "1");
	KUNIT_EXPECT_STREQ(test, sysfs_named(test, "pages_reported"), "2");
	KUNIT_EXPECT_STREQ(test, sysfs_named(test, "log_entries"), "3");
	KUNIT_EXPECT_STREQ(test, sysfs_named(test, "log_drains"), "4");
	KUNIT_EXPECT_STREQ(test, sysfs_named(test, "log_overflows"), "5");
	KUNIT_EXPECT_STREQ(test, sysfs_named(test, "log_saturations"), "6");
	b->dev.tracker.stats.format = LMF_LOG_RING + 1;
	KUNIT_EXPECT_STREQ(test, sysfs_named(test, "log_format"), "ranges");
	b->dev.tracker.stats.on = false;
	KUNIT_EXPECT_STREQ(test, sysfs_named(test, "log_format"), "off");
}

/* What may be written into the file of the operator's choice. */
static void sysfs_test_choice(struct kunit *test)
{
	struct device_attribute *file = &dev_attr_log_format_choice;
	struct sysfs_bed *b = test->priv;
	struct device *dev = &b->pdev.dev;

	KUNIT_EXPECT_STREQ(test, sysfs_named(test, "log_format_choice"),
			   "best");
	b->dev.tracker.choice = LMF_LOG_BITMAP;
	KUNIT_EXPECT_STREQ(test, sysfs_named(test, "log_format_choice"),
			   "bitmap");
	KUNIT_EXPECT_EQ(test, file->store(dev, file, "lists\n", 6), -EINVAL);
	KUNIT_EXPECT_STREQ(test, sysfs_named(test, "log_format_choice"),
			   "bitmap");
	KUNIT_EXPECT_EQ(test, file->store(dev, file, "best\n", 5), 5);
	KUNIT_EXPECT_STREQ(test, sysfs_named(test, "log_format_choice"),
			   "best");
}

static void sysfs_test_state(struct kunit *test)
{
	struct sysfs_bed *b = test->priv;

	b->dev.state = VFIO_DEVICE_STATE_STOP_COPY;
	KUNIT_EXPECT_STREQ(test, sysfs_named(test, "state"), "STOP_COPY");
	b->dev.reset_pending = true;
	KUNIT_EXPECT_STREQ(test, sysfs_named(test, "state"), "RUNNING");
}

/* Each of the counters has one file, and its own. */
/* points: 40 */
static void sysfs_test_stats(struct kunit *test)
{
	DECLARE_BITMAP(seen, LMF_STAT_NR) = { };
	unsigned int n, value;

	for (n = 0; n < SYSFS_FILES; n++) {
		const char *text = sysfs_file(test, lmf_migration_attrs[n]);

		if (kstrtouint(text, 10, &value) || value < SYSFS_STAT)
			continue;
		value -= SYSFS_STAT;
		KUNIT_ASSERT_LT(test, value, LMF_STAT_NR);
		KUNIT_EXPECT_FALSE_MSG(test, test_and_set_bit(value, seen),
				       "%s", lmf_migration_attrs[n]->name);
	}
	KUNIT_EXPECT_TRUE(test, bitmap_full(seen, LMF_STAT_NR));
}

static void sysfs_test_error(struct kunit *test)
{
	struct sysfs_bed *b = test->priv;

	lmf_stat_set(&b->dev.stats, LMF_STAT_LAST_ERROR, -EIO);
	KUNIT_EXPECT_STREQ(test, sysfs_named(test, "last_error"), "-5");
}

/* Nobody who holds a lock for as long as the device likes holds it up. */
/* points: 40 */
static void sysfs_test_never_waits(struct kunit *test)
{
	struct sysfs_bed *b = test->priv;
	struct mutex *held[] = {
		&b->dev.state_mutex, &b->dev.tracker.report_mutex,
		&b->dev.tracker.read_mutex, &b->dev.tracker.lock,
	};
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(held); i++) {
		mutex_lock(held[i]);
		for (n = 0; n < SYSFS_FILES; n++)
			sysfs_file(test, lmf_migration_attrs[n]);
		mutex_unlock(held[i]);
	}
}

static struct kunit_case sysfs_test_cases[] = {
	KUNIT_CASE(sysfs_test_tracker),
	KUNIT_CASE(sysfs_test_choice),
	KUNIT_CASE(sysfs_test_state),
	KUNIT_CASE(sysfs_test_stats),
	KUNIT_CASE(sysfs_test_error),
	KUNIT_CASE(sysfs_test_never_waits),
	{}
};

static struct kunit_suite sysfs_test_suite = {
	.name = "lmf-sysfs",
	.init = sysfs_test_init,
	.test_cases = sysfs_test_cases,
};

kunit_test_suite(sysfs_test_suite);
