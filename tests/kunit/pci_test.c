// SPDX-License-Identifier: GPL-2.0-only
/*
 * What of src/core knows PCI: probe and its failures, interrupts, SR-IOV,
 * resets from outside, AER, and the operator's scrub. At the end of each test
 * nothing of the bus is taken.
 */
#include "pci_bed.h"

static struct pci_dev *pci_test_function(struct kunit *test, const char *name)
{
	struct pci_dev *pdev = kunit_kzalloc(test, sizeof(*pdev), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, pdev);
	device_initialize(&pdev->dev);
	pdev->dev.init_name = name;
	pdev->dev.dma_parms = &pdev->dma_parms;
	pdev->vendor = LMF_PCI_VENDOR;
	return pdev;
}

static int pci_test_init(struct kunit *test)
{
	struct pci_bed *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	unsigned int n;

	KUNIT_ASSERT_NOT_NULL(test, b);
	b->test = test;
	b->bar_bytes = LMF_PF_BAR_BYTES;
	mutex_init(&b->lock);
	b->pdev = pci_test_function(test, "pf");
	for (n = 0; n < ARRAY_SIZE(b->vf); n++) {
		b->vf[n] = pci_test_function(test, "vf");
		b->vf[n]->is_virtfn = true;
	}
	b->pf.irq = pci_bed_irq;
	mock_dma_forget_faults();
	mock_set_timeout(CORE_PATIENT_MS);
	KUNIT_ASSERT_EQ(test, mock_pf_init(&b->pf, &core_bed_config), 0);
	pci_bed = b;
	test->priv = b;
	return 0;
}

static void expect_untouched(struct pci_bed *b)
{
	KUNIT_EXPECT_FALSE(b->test, b->enabled);
	KUNIT_EXPECT_FALSE(b->test, b->region);
	KUNIT_EXPECT_FALSE(b->test, b->mapped);
	KUNIT_EXPECT_FALSE(b->test, b->vectors);
	KUNIT_EXPECT_FALSE(b->test, b->master);
	KUNIT_EXPECT_NULL(b->test, b->handler[LMF_PF_VECTOR_ADMIN]);
	KUNIT_EXPECT_NULL(b->test, b->handler[LMF_PF_VECTOR_EVENT]);
	KUNIT_EXPECT_EQ(b->test, b->vfs, 0);
	KUNIT_EXPECT_EQ(b->test, b->refs, 0);
	KUNIT_EXPECT_EQ(b->test, mock_dma_live(MOCK_DMA_PF), 0);
	KUNIT_EXPECT_EQ(b->test, mock_dma_faults(), 0);
}

static void pci_test_exit(struct kunit *test)
{
	struct pci_bed *b = test->priv;

	if (!b)
		return;
	mock_pf_exit(&b->pf);
	flush_work(&b->pf.admin_work);
	flush_work(&b->pf.event_work);
	expect_untouched(b);
	pci_bed = NULL;
}

static int probe(struct pci_bed *b)
{
	return lmf_pf_driver.probe(b->pdev, &lmf_ids[0]);
}

static void bind(struct pci_bed *b)
{
	KUNIT_ASSERT_EQ(b->test, probe(b), 0);
}

static void unbind(struct pci_bed *b)
{
	lmf_pf_driver.remove(b->pdev);
}

static void expect_works(struct pci_bed *b)
{
	KUNIT_EXPECT_EQ(b->test, lmf_func_scrub(lmf_pci_core(b->pdev), 0), 0);
}

/* Whatever step fails, those before it are undone, and the next try works. */
static void pci_test_steps(struct kunit *test)
{
	struct pci_bed *b = test->priv;
	unsigned int n;
	int err;

	for (n = 1; ; n++) {
		b->left = n;
		err = probe(b);
		if (b->left)
			break;
		KUNIT_EXPECT_LT(test, err, 0);
		expect_untouched(b);
	}
	b->left = 0;
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, n, 8);
	expect_works(b);
	unbind(b);
}

static void pci_test_short_bar(struct kunit *test)
{
	struct pci_bed *b = test->priv;

	b->bar_bytes = LMF_PF_BAR_BYTES - 1;
	KUNIT_EXPECT_EQ(test, probe(b), -ENODEV);
}

static void pci_test_absent(struct kunit *test)
{
	struct pci_bed *b = test->priv;

	b->pf.gone = true;
	KUNIT_EXPECT_EQ(test, probe(b), -ENODEV);
}

/* It is stopped again before its memory is freed. */
static void pci_test_broken(struct kunit *test)
{
	struct pci_bed *b = test->priv;

	b->dies = true;
	KUNIT_EXPECT_EQ(test, probe(b), -EIO);
}

static void pci_test_no_memory(struct kunit *test)
{
	struct pci_bed *b = test->priv;

	mock_dma_fail(true);
	KUNIT_EXPECT_EQ(test, probe(b), -ENOMEM);
	mock_dma_fail(false);
}

/* What a device that does not stop may write is kept; freed by hand here. */
static void pci_test_unstoppable(struct kunit *test)
{
	struct pci_bed *b = test->priv;
	struct lmf_core *copy = kunit_kzalloc(test, sizeof(*copy), GFP_KERNEL);
	unsigned int live;

	KUNIT_ASSERT_NOT_NULL(test, copy);
	bind(b);
	live = mock_dma_live(MOCK_DMA_PF);
	*copy = *lmf_pci_core(b->pdev);
	b->pf.gone = true;
	unbind(b);
	KUNIT_EXPECT_EQ(test, mock_dma_live(MOCK_DMA_PF), live);
	copy->funcs = NULL;
	lmf_aeq_exit(copy);
	lmf_aq_exit(copy);
}

/* The watchdog would make up for an interrupt that nobody handles. */
static void pci_test_irqs(struct kunit *test)
{
	struct pci_bed *b = test->priv;

	bind(b);
	expect_works(b);
	KUNIT_EXPECT_GE(test, atomic_read(&b->irqs[LMF_PF_VECTOR_ADMIN]), 1);
	b->pf.irq(&b->pf, LMF_PF_VECTOR_EVENT);
	KUNIT_EXPECT_EQ(test, atomic_read(&b->irqs[LMF_PF_VECTOR_EVENT]), 1);
	unbind(b);
}

static void pci_test_sriov(struct kunit *test)
{
	struct pci_bed *b = test->priv;

	bind(b);
	KUNIT_EXPECT_EQ(test, lmf_pf_driver.sriov_configure(b->pdev,
							    CORE_VFS + 1),
			-EINVAL);
	b->left = 1;
	KUNIT_EXPECT_EQ(test, lmf_pf_driver.sriov_configure(b->pdev, CORE_VFS),
			-ENOMEM);
	KUNIT_EXPECT_EQ(test, lmf_pf_driver.sriov_configure(b->pdev, CORE_VFS),
			CORE_VFS);
	KUNIT_EXPECT_EQ(test, b->vfs, CORE_VFS);
	KUNIT_EXPECT_EQ(test, lmf_pf_driver.sriov_configure(b->pdev, 0), 0);
	KUNIT_EXPECT_EQ(test, b->vfs, 0);
	lmf_err_handlers.reset_prepare(b->pdev);
	KUNIT_EXPECT_EQ(test, lmf_pf_driver.sriov_configure(b->pdev, 1),
			-ENOTCONN);
	lmf_err_handlers.reset_done(b->pdev);
	KUNIT_EXPECT_EQ(test, lmf_pf_driver.sriov_configure(b->pdev, 1), 1);
	unbind(b);
}

/* A VF is found by its number, and only if its PF has this driver. */
static void pci_test_get(struct kunit *test)
{
	struct pci_bed *b = test->priv;
	struct lmf_vf *vf;

	bind(b);
	vf = lmf_vf_get(b->vf[1], NULL, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(vf));
	KUNIT_EXPECT_EQ(test, vf->func->id, 1);
	lmf_vf_put(vf);
	KUNIT_EXPECT_EQ(test, PTR_ERR(lmf_vf_get(b->vf[CORE_VFS], NULL, NULL)),
			-EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, PTR_ERR(lmf_vf_get(b->pdev, NULL, NULL)),
			-EOPNOTSUPP);
	unbind(b);
}

static void pci_test_reset(struct kunit *test)
{
	struct pci_bed *b = test->priv;
	unsigned int saved;

	bind(b);
	saved = b->saved;
	lmf_err_handlers.reset_prepare(b->pdev);
	mock_pf_flr(&b->pf, LMF_FW_PF);
	KUNIT_EXPECT_FALSE(test, lmf_core_wait_up(lmf_pci_core(b->pdev)));
	lmf_err_handlers.reset_done(b->pdev);
	KUNIT_EXPECT_EQ(test, b->saved, saved + 1);
	expect_works(b);
	unbind(b);
}

/* The slot is reset, perhaps on behalf of another function. */
static void pci_test_slot_reset(struct kunit *test)
{
	struct pci_bed *b = test->priv;

	bind(b);
	KUNIT_EXPECT_EQ(test, lmf_err_handlers.slot_reset(b->pdev),
			PCI_ERS_RESULT_RECOVERED);
	KUNIT_EXPECT_EQ(test, b->restored, 1);
	mock_pf_flr(&b->pf, LMF_FW_PF);
	lmf_err_handlers.resume(b->pdev);
	expect_works(b);
	unbind(b);
}

static void pci_test_aer(struct kunit *test)
{
	struct pci_bed *b = test->priv;
	typeof(lmf_err_handlers.error_detected) detected =
		lmf_err_handlers.error_detected;

	bind(b);
	KUNIT_EXPECT_EQ(test, detected(b->pdev, pci_channel_io_normal),
			PCI_ERS_RESULT_CAN_RECOVER);
	expect_works(b);
	KUNIT_EXPECT_EQ(test, detected(b->pdev, pci_channel_io_frozen),
			PCI_ERS_RESULT_NEED_RESET);
	KUNIT_EXPECT_FALSE(test, lmf_core_is_up(lmf_pci_core(b->pdev)));
	mock_pf_flr(&b->pf, LMF_FW_PF);
	lmf_err_handlers.slot_reset(b->pdev);
	lmf_err_handlers.resume(b->pdev);
	expect_works(b);
	KUNIT_EXPECT_EQ(test, detected(b->pdev, pci_channel_io_perm_failure),
			PCI_ERS_RESULT_DISCONNECT);
	KUNIT_EXPECT_FALSE(test, lmf_core_is_up(lmf_pci_core(b->pdev)));
	unbind(b);
}

static ssize_t scrub(struct pci_bed *b, const char *text)
{
	return dev_attr_scrub_vf.store(&b->pdev->dev, &dev_attr_scrub_vf, text,
				       strlen(text));
}

static u8 media_byte(struct pci_bed *b, unsigned int vf)
{
	u8 byte;

	mock_pf_get_media(&b->pf, vf, 0, &byte, 1);
	return byte;
}

/* Only the VF that was asked for, and only while nobody uses it. */
static void pci_test_scrub(struct kunit *test)
{
	struct pci_bed *b = test->priv;
	unsigned int vf;
	u8 byte = 1;

	bind(b);
	for (vf = 0; vf < CORE_VFS; vf++)
		KUNIT_ASSERT_EQ(test, mock_pf_set_media(&b->pf, vf, 0, &byte,
							1), 0);
	KUNIT_EXPECT_EQ(test, scrub(b, "one"), -EINVAL);
	KUNIT_EXPECT_EQ(test, scrub(b, "2"), -ENODEV);
	b->vf[1]->dev.driver = &b->driver;
	KUNIT_EXPECT_EQ(test, scrub(b, "1"), -EBUSY);
	b->vf[1]->dev.driver = NULL;
	KUNIT_EXPECT_EQ(test, media_byte(b, 1), 1);
	KUNIT_EXPECT_EQ(test, scrub(b, "1\n"), 2);
	KUNIT_EXPECT_EQ(test, media_byte(b, 1), 0);
	KUNIT_EXPECT_EQ(test, media_byte(b, 0), 1);
	unbind(b);
}

static struct kunit_case pci_test_cases[] = {
	KUNIT_CASE(pci_test_steps),
	KUNIT_CASE(pci_test_short_bar),
	KUNIT_CASE(pci_test_absent),
	KUNIT_CASE(pci_test_broken),
	KUNIT_CASE(pci_test_no_memory),
	KUNIT_CASE(pci_test_unstoppable),
	KUNIT_CASE(pci_test_irqs),
	KUNIT_CASE(pci_test_sriov),
	KUNIT_CASE(pci_test_get),
	KUNIT_CASE(pci_test_reset),
	KUNIT_CASE(pci_test_slot_reset),
	KUNIT_CASE(pci_test_aer),
	KUNIT_CASE(pci_test_scrub),
	{}
};

static struct kunit_suite pci_test_suite = {
	.name = "lmf-pci",
	.init = pci_test_init,
	.exit = pci_test_exit,
	.test_cases = pci_test_cases,
};

kunit_test_suite(pci_test_suite);
