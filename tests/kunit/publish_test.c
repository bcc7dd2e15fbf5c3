// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the VF driver offers, by what the device says that the VF can do. What
 * was not offered must not be found out only when it is used.
 */
#include <kunit/test.h>

/* The PF driver's API is played here. */
#define lmf_vf_get		publish_vf_get
#define lmf_vf_put		publish_vf_put
#define lmf_vf_caps		publish_vf_caps

/* Another suite has these, too. */
#define lmf_vfio_setup		publish_vfio_setup
#define lmf_vfio_teardown	publish_vfio_teardown
#define lmf_vfio_ops		publish_vfio_ops
#define lmf_vfio_groups		publish_vfio_groups

#include <linux/completion.h>
#include <linux/iommufd.h>
#include <linux/iova_bitmap.h>
#include <linux/kthread.h>
#include <linux/vfio_pci_core.h>

#include "compat.h"
#include "lmf_log.h"
#include "lmf_vfio.h"
#include "stream.h"
#include "trace.h"

/* Of the options only IOMMUFD_DRIVER is asked for, and may be off here. */
static bool publish_has_bitmap;
#undef IS_ENABLED
#define IS_ENABLED(CONFIG_OPTION)	((CONFIG_OPTION) && publish_has_bitmap)

/* And so is vfio-pci, as far as it opens and closes a device. */
#define vfio_pci_core_init_dev		publish_init_dev
#define vfio_pci_core_release_dev	publish_release_dev
#define vfio_pci_core_enable		publish_enable
#define vfio_pci_core_finish_enable	publish_finish_enable
#define vfio_pci_core_close_device	publish_close_device

static int publish_init_dev(struct vfio_device *vdev);
static void publish_release_dev(struct vfio_device *vdev);
static int publish_enable(struct vfio_pci_core_device *core);
static void publish_finish_enable(struct vfio_pci_core_device *core);
static void publish_close_device(struct vfio_device *vdev);

#include "../../src/vfio/vfio_dev.c"
#include "../../src/vfio/sysfs.c"

#define OTHER_LOG	BIT(31)

struct lmf_vf {
	struct lmf_vf_caps caps;
	unsigned int users;
};

/* There is no way to hand them over. */
static struct lmf_vf publish_vf;
static int publish_err;		/* of lmf_vf_get(), and of vfio-pci */
static const struct lmf_vf_notify *publish_notify;
static char publish_calls[8];	/* of vfio-pci, one letter each */

struct lmf_vf *lmf_vf_get(struct pci_dev *pdev,
			  const struct lmf_vf_notify *notify, void *priv)
{
	if (publish_err)
		return ERR_PTR(publish_err);
	publish_vf.users++;
	publish_notify = notify;
	/* The device need not wait until somebody listens. */
	notify->log_threshold(priv);
	notify->lost(priv);
	return &publish_vf;
}

void lmf_vf_put(struct lmf_vf *vf)
{
	vf->users--;
}

const struct lmf_vf_caps *lmf_vf_caps(const struct lmf_vf *vf)
{
	return &vf->caps;
}

static void publish_called(char call)
{
	publish_calls[strlen(publish_calls)] = call;
}

static int publish_init_dev(struct vfio_device *vdev)
{
	publish_called('i');
	return publish_err;
}

static void publish_release_dev(struct vfio_device *vdev)
{
	publish_called('r');
}

static int publish_enable(struct vfio_pci_core_device *core)
{
	publish_called('e');
	return publish_err;
}

static void publish_finish_enable(struct vfio_pci_core_device *core)
{
	publish_called('f');
}

static void publish_close_device(struct vfio_device *vdev)
{
	publish_called('c');
}

/**
 * struct offer - a device and what is to be made of it
 * @name: of the case
 * @migrate: the VF can be migrated
 * @chunk_min: smallest chunk; 0 makes no sense
 * @log: the VF has a log
 * @formats: of the log
 * @mig_ops: migration is offered
 * @log_ops: dirty tracking is offered
 * @why: the same as sysfs has it, and why not
 * @no_bitmap: the kernel is without iova_bitmap
 */
struct offer {
	const char *name;
	bool migrate;
	u32 chunk_min;
	bool log;
	u32 formats;
	bool mig_ops;
	bool log_ops;
	const char *why;
	bool no_bitmap;
};

static const struct offer offers[] = {
	{ "all", true, 4096, true, BIT(LMF_LOG_RING), true, true,
	  "yes" },
	{ "ring among others", true, 4096, true, BIT(LMF_LOG_RING) | OTHER_LOG,
	  true, true, "yes" },
	{ "unknown log", true, 4096, true, OTHER_LOG, true, false,
	  "no-device" },
	{ "no log", true, 4096, false, 0, true, false, "no-device" },
	{ "log alone", false, 0, true, BIT(LMF_LOG_RING), false, true,
	  "yes" },
	{ "nonsense", true, 0, false, 0, false, false },
	{ "nothing", false, 0, false, 0, false, false },
	{ "unknown log alone", false, 0, true, OTHER_LOG, false, false },
	{ "no bitmap", true, 4096, true, BIT(LMF_LOG_RING), true, false,
	  "no-kernel", true },
	{ "no bitmap, unknown log", true, 4096, true, OTHER_LOG, true, false,
	  "no-device", true },
	{ "log alone, no bitmap", false, 0, true, BIT(LMF_LOG_RING), false,
	  false, NULL, true },
};

static void offer_describe(const struct offer *offer, char *desc)
{
	strscpy(desc, offer->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(offer, offers, offer_describe);

static bool has_folder(struct pci_dev *pdev)
{
	const struct attribute_group *group = lmf_vfio_groups[0];

	return !(group->is_visible(&pdev->dev.kobj, group->attrs[0], 0) &
		 SYSFS_GROUP_INVISIBLE);
}

static bool has_state(struct pci_dev *pdev)
{
	const struct attribute_group *group = lmf_vfio_groups[0];

	return has_folder(pdev) &&
	       group->is_visible(&pdev->dev.kobj, group->attrs[0], 0);
}

/* What sysfs says of the log; the page is of the test. */
static const char *log_offered(struct kunit *test, struct pci_dev *pdev)
{
	struct device_attribute *file = &dev_attr_log_offered;
	char *page = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_GT(test, file->show(&pdev->dev, file, page), 0);
	return strim(page);
}

struct publish_bed {
	struct lmf_vfio_device dev;
	struct pci_dev pdev;
};

static struct publish_bed *publish_bed(struct kunit *test, const char *name)
{
	struct publish_bed *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, b);
	b->pdev.dev.init_name = name;
	b->dev.core.vdev.dev = &b->pdev.dev;
	dev_set_drvdata(&b->pdev.dev, &b->dev.core);
	publish_err = 0;
	memset(publish_calls, 0, sizeof(publish_calls));
	return b;
}

/* A VF of which nothing is offered is plain vfio-pci: it leaves no trace. */
/* points: 35 */
static void publish_test_offer(struct kunit *test)
{
	const struct offer *offer = test->param_value;
	struct publish_bed *b = publish_bed(test, offer->name);
	struct vfio_device *vdev = &b->dev.core.vdev;
	bool any = offer->mig_ops || offer->log_ops;

	publish_has_bitmap = !offer->no_bitmap;
	publish_vf = (struct lmf_vf) {
		.caps = {
			.migrate = offer->migrate,
			.chunk_min = offer->chunk_min,
			.chunk_max = 4096,
			.log = offer->log,
			.log_formats = offer->formats,
		},
	};
	KUNIT_EXPECT_EQ(test, lmf_vfio_setup(&b->dev, &b->pdev), 0);
	KUNIT_EXPECT_EQ(test, !!vdev->mig_ops, offer->mig_ops);
	KUNIT_EXPECT_EQ(test, !!vdev->migration_flags, offer->mig_ops);
	KUNIT_EXPECT_EQ(test, !!vdev->log_ops, offer->log_ops);
	KUNIT_EXPECT_EQ(test, has_folder(&b->pdev), any);
	KUNIT_EXPECT_STREQ(test, lmf_vfio_groups[0]->attrs[0]->name, "state");
	KUNIT_EXPECT_EQ(test, has_state(&b->pdev), offer->mig_ops);
	KUNIT_EXPECT_EQ(test, publish_vf.users, any);
	if (any) {
		KUNIT_EXPECT_STREQ(test, log_offered(test, &b->pdev),
				   offer->why);
		lmf_migration_init(&b->dev);
	}
	lmf_vfio_teardown(&b->dev);
	KUNIT_EXPECT_EQ(test, publish_vf.users, 0);
}

/* Without our PF driver it is plain vfio-pci, too; other errors are told. */
static void publish_test_refused(struct kunit *test)
{
	struct publish_bed *b = publish_bed(test, "refused");

	publish_err = -EOPNOTSUPP;
	KUNIT_EXPECT_EQ(test, lmf_vfio_setup(&b->dev, &b->pdev), 0);
	KUNIT_EXPECT_NULL(test, b->dev.core.vdev.mig_ops);
	KUNIT_EXPECT_FALSE(test, has_folder(&b->pdev));
	publish_err = -ENOTCONN;
	KUNIT_EXPECT_EQ(test, lmf_vfio_setup(&b->dev, &b->pdev), -ENOTCONN);
	KUNIT_EXPECT_NULL(test, b->dev.vf);
}

/*
 * An event of the device reaches the tracker, which is off and ignores it; and
 * the states, if the VF has any: the device knows no levels of another.
 */
static void publish_test_notify(struct kunit *test)
{
	struct publish_bed *b;
	int migrate;

	for (migrate = 0; migrate < 2; migrate++) {
		b = publish_bed(test, migrate ? "notify" : "notify-log");
		publish_has_bitmap = true;
		publish_vf = (struct lmf_vf) {
			.caps = {
				.migrate = migrate,
				.chunk_min = 4096,
				.chunk_max = 4096,
				.log = true,
				.log_formats = BIT(LMF_LOG_RING),
			},
		};
		lmf_migration_init(&b->dev);
		KUNIT_ASSERT_EQ(test, lmf_vfio_setup(&b->dev, &b->pdev), 0);
		publish_notify->log_threshold(&b->dev);
		KUNIT_EXPECT_FALSE(test, work_busy(&b->dev.tracker.drain));
		KUNIT_EXPECT_FALSE(test, b->dev.pf_lost);
		publish_notify->sessions_lost(&b->dev);
		KUNIT_EXPECT_EQ(test, b->dev.pf_lost, migrate);
		/* Nothing is to be sent here. */
		disable_delayed_work_sync(&b->dev.settle_work);
		publish_notify->lost(&b->dev);
		KUNIT_EXPECT_EQ(test, b->dev.level_lost, migrate);
		lmf_vfio_teardown(&b->dev);
	}
}

/* Plain vfio-pci: what it says counts, and there is nothing else. */
static void publish_test_open(struct kunit *test)
{
	struct publish_bed *b = publish_bed(test, "open");
	struct vfio_device *vdev = &b->dev.core.vdev;

	KUNIT_EXPECT_EQ(test, publish_vfio_ops.init(vdev), 0);
	publish_err = -EIO;
	KUNIT_EXPECT_EQ(test, publish_vfio_ops.open_device(vdev), -EIO);
	KUNIT_EXPECT_STREQ(test, publish_calls, "ie");
	publish_err = 0;
	KUNIT_EXPECT_EQ(test, publish_vfio_ops.open_device(vdev), 0);
	publish_vfio_ops.close_device(vdev);
	publish_vfio_ops.release(vdev);
	KUNIT_EXPECT_STREQ(test, publish_calls, "ieefcr");
}

/* What VFIO asks vfio-pci it can ask here, too. */
static void publish_test_ops(struct kunit *test)
{
	const struct vfio_device_ops *ops = &publish_vfio_ops;

	KUNIT_EXPECT_PTR_EQ(test, ops->device_feature,
			    &vfio_pci_core_ioctl_feature);
	KUNIT_EXPECT_PTR_EQ(test, ops->ioctl, &vfio_pci_core_ioctl);
	KUNIT_EXPECT_PTR_EQ(test, ops->read, &vfio_pci_core_read);
	KUNIT_EXPECT_PTR_EQ(test, ops->write, &vfio_pci_core_write);
	KUNIT_EXPECT_PTR_EQ(test, ops->mmap, &vfio_pci_core_mmap);
	KUNIT_EXPECT_PTR_EQ(test, ops->request, &vfio_pci_core_request);
	KUNIT_EXPECT_PTR_EQ(test, ops->match, &vfio_pci_core_match);
	KUNIT_EXPECT_PTR_EQ(test, ops->bind_iommufd,
			    &vfio_iommufd_physical_bind);
	KUNIT_EXPECT_PTR_EQ(test, ops->unbind_iommufd,
			    &vfio_iommufd_physical_unbind);
	KUNIT_EXPECT_PTR_EQ(test, ops->attach_ioas,
			    &vfio_iommufd_physical_attach_ioas);
	KUNIT_EXPECT_PTR_EQ(test, ops->detach_ioas,
			    &vfio_iommufd_physical_detach_ioas);
}

struct reporter {
	struct vfio_device *vdev;
	struct completion done;
	int ret;
};

static int reporter_thread(void *data)
{
	struct reporter *r = data;

	r->ret = r->vdev->log_ops->log_read_and_clear(r->vdev, 0, 0, NULL);
	complete_all(&r->done);
	return 0;
}

/* Whoever changes the state meanwhile, and however long that takes. */
static void publish_test_report(struct kunit *test)
{
	struct publish_bed *b = publish_bed(test, "report");
	struct reporter r = { .vdev = &b->dev.core.vdev };

	publish_has_bitmap = true;
	publish_vf = (struct lmf_vf) {
		.caps = { .log = true, .log_formats = BIT(LMF_LOG_RING) },
	};
	b->dev.core.pdev = &b->pdev;
	lmf_migration_init(&b->dev);
	KUNIT_ASSERT_EQ(test, lmf_vfio_setup(&b->dev, &b->pdev), 0);
	KUNIT_ASSERT_NOT_NULL(test, r.vdev->log_ops);
	init_completion(&r.done);
	mutex_lock(&b->dev.state_mutex);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kthread_run(reporter_thread, &r,
						       "lmf-report"));
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&r.done, 10 * HZ));
	mutex_unlock(&b->dev.state_mutex);
	wait_for_completion(&r.done);
	KUNIT_EXPECT_EQ(test, r.ret, -EINVAL);
	lmf_vfio_teardown(&b->dev);
}

static struct kunit_case publish_test_cases[] = {
	KUNIT_CASE_PARAM(publish_test_offer, offer_gen_params),
	KUNIT_CASE(publish_test_refused),
	KUNIT_CASE(publish_test_notify),
	KUNIT_CASE(publish_test_open),
	KUNIT_CASE(publish_test_ops),
	KUNIT_CASE(publish_test_report),
	{}
};

static struct kunit_suite publish_test_suite = {
	.name = "lmf-publish",
	.test_cases = publish_test_cases,
};

kunit_test_suite(publish_test_suite);
