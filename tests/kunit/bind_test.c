// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VF driver's life on the PCI bus: in which order a device is made and
 * taken down, also if a step fails, and who is told of a reset. vfio and the
 * rest of the driver are played.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/vfio_pci_core.h>

#define lmf_vfio_setup			bind_setup
#define lmf_vfio_teardown		bind_teardown
#define lmf_vfio_ops			bind_ops
#define lmf_vfio_groups			bind_groups
#define lmf_migration_reset_done	bind_reset_done

#include "lmf_vfio.h"

#undef vfio_alloc_device
#undef module_pci_driver
#define vfio_alloc_device(type, member, dev, ops)	bind_alloc(dev)
#define vfio_put_device			bind_put
#define vfio_pci_core_register_device	bind_register
#define vfio_pci_core_unregister_device	bind_unregister
#define module_pci_driver(driver)

static struct lmf_vfio_device *bind_alloc(struct device *dev);
static void bind_put(struct vfio_device *vdev);
static int bind_register(struct vfio_pci_core_device *core);
static void bind_unregister(struct vfio_pci_core_device *core);

#include "../../src/vfio/pci_drv.c"

/**
 * struct bind_bed - what was called
 * @pdev: the VF
 * @calls: one letter each, in order
 * @fails: the letter of the call that does
 * @resets: that migration was told of
 */
struct bind_bed {
	struct pci_dev pdev;
	char calls[16];
	char fails;
	unsigned int resets;
};

/* There is no way to hand it over. */
static struct bind_bed *bind_bed;

const struct vfio_device_ops bind_ops;
const struct attribute_group *bind_groups[] = { NULL };

static int bind_called(char call, int err)
{
	bind_bed->calls[strlen(bind_bed->calls)] = call;
	return bind_bed->fails == call ? err : 0;
}

static struct lmf_vfio_device *bind_alloc(struct device *dev)
{
	if (bind_called('a', 1))
		return ERR_PTR(-ENOMEM);
	return kzalloc(sizeof(struct lmf_vfio_device), GFP_KERNEL);
}

static void bind_put(struct vfio_device *vdev)
{
	bind_called('p', 0);
	kfree(to_lmf_vfio(vdev));
}

int lmf_vfio_setup(struct lmf_vfio_device *dev, struct pci_dev *pdev)
{
	return bind_called('s', -EBUSY);
}

void lmf_vfio_teardown(struct lmf_vfio_device *dev)
{
	bind_called('t', 0);
}

static int bind_register(struct vfio_pci_core_device *core)
{
	return bind_called('r', -EINVAL);
}

static void bind_unregister(struct vfio_pci_core_device *core)
{
	bind_called('u', 0);
}

void lmf_migration_reset_done(struct lmf_vfio_device *dev)
{
	bind_bed->resets++;
}

static int bind_test_init(struct kunit *test)
{
	bind_bed = kunit_kzalloc(test, sizeof(*bind_bed), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, bind_bed);
	return 0;
}

/* What was taken last is given back first, and only what was taken. */
static void bind_test_order(struct kunit *test)
{
	struct pci_dev *pdev = &bind_bed->pdev;

	KUNIT_ASSERT_EQ(test, lmf_vfio_driver.probe(pdev, NULL), 0);
	lmf_vfio_driver.remove(pdev);
	KUNIT_EXPECT_STREQ(test, bind_bed->calls, "asrutp");
}

/**
 * struct bind_failure - a step that fails
 * @step: it
 * @err: what probe() says
 * @calls: that are made
 */
struct bind_failure {
	char step;
	int err;
	const char *calls;
};

static const struct bind_failure bind_failures[] = {
	{ 'a', -ENOMEM, "a" },
	{ 's', -EBUSY, "asp" },
	{ 'r', -EINVAL, "asrtp" },
};

KUNIT_ARRAY_PARAM(bind_failure, bind_failures, NULL);

static void bind_test_failure(struct kunit *test)
{
	const struct bind_failure *failure = test->param_value;

	bind_bed->fails = failure->step;
	KUNIT_EXPECT_EQ(test, lmf_vfio_driver.probe(&bind_bed->pdev, NULL),
			failure->err);
	KUNIT_EXPECT_STREQ(test, bind_bed->calls, failure->calls);
}

/* Plain vfio-pci has no migration that could be told. */
static void bind_test_reset(struct kunit *test)
{
	struct pci_dev *pdev = &bind_bed->pdev;
	struct lmf_vf *some = (void *)bind_bed;

	KUNIT_ASSERT_EQ(test, lmf_vfio_driver.probe(pdev, NULL), 0);
	lmf_vfio_driver.err_handler->reset_done(pdev);
	KUNIT_EXPECT_EQ(test, bind_bed->resets, 0);
	lmf_vfio_drvdata(pdev)->vf = some;
	lmf_vfio_driver.err_handler->reset_done(pdev);
	KUNIT_EXPECT_EQ(test, bind_bed->resets, 1);
	lmf_vfio_driver.remove(pdev);
}

static struct kunit_case bind_test_cases[] = {
	KUNIT_CASE(bind_test_order),
	KUNIT_CASE_PARAM(bind_test_failure, bind_failure_gen_params),
	KUNIT_CASE(bind_test_reset),
	{}
};

static struct kunit_suite bind_test_suite = {
	.name = "lmf-bind",
	.init = bind_test_init,
	.test_cases = bind_test_cases,
};

kunit_test_suite(bind_test_suite);
