// SPDX-License-Identifier: GPL-2.0-only
/*
 * A case from nothing to nothing: device, PF driver, VF driver, VMM. When it is
 * taken down nothing may be left, neither of memory nor of what the device
 * holds open, and the device must never have reached for memory that was not
 * its own any more.
 */
#include "sweep.h"

#include <kunit/device.h>
#include <linux/file.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>

static const struct lmf_fw_config sweep_config = {
	.vfs = SWEEP_VFS,
	.queues = 2,
	.entries = 64,
	.media_bytes = SWEEP_MEDIA,
	.log_entries = 64,
	/* Longer than any test: what is posted was flushed. */
	.log_post_delay_ns = 3600ull * NSEC_PER_SEC,
	.migrate = true,
	.log = true,
	.seed = 11,
};

bool sweep_expect(struct sweep *s, bool ok, const char *what, int line)
{
	if (!ok)
		KUNIT_FAIL(s->test, "# %s, %s at %u (%#x), line %d: %s\n",
			   s->scenario->name, s->fault ? s->fault->name : "",
			   s->k, s->opcode, line, what);
	return ok;
}

static struct sweep_vf *to_sweep_vf(struct vfio_device *vdev)
{
	return container_of(to_lmf_vfio(vdev), struct sweep_vf, dev);
}

struct fw_vf *sweep_fw(struct sweep_vf *v)
{
	return v->owner->pf.fw->vf[v->n];
}

/* What the PCI bus does to the VF, and pci_drv.c is told. */
void sweep_vf_reset(struct vfio_device *vdev)
{
	struct sweep_vf *v = to_sweep_vf(vdev);

	mock_pf_flr(&v->owner->pf, v->n);
	if (v->bound)
		lmf_migration_reset_done(&v->dev);
}

void sweep_reset(struct sweep_vf *v)
{
	sweep_vf_reset(&v->dev.core.vdev);
}

struct lmf_vf *sweep_vf_get(struct pci_dev *pdev,
			    const struct lmf_vf_notify *notify, void *priv)
{
	struct sweep_vf *v = container_of(pdev, struct sweep_vf, pdev);

	return lmf_vf_open(v->owner->core, v->n, notify, priv);
}

/* A VF that came up as plain vfio-pci is of no use here. */
int sweep_bind(struct sweep_vf *v)
{
	struct vfio_device *vdev = &v->dev.core.vdev;
	int err;

	memset(&v->dev, 0, sizeof(v->dev));
	v->dev.core.pdev = &v->pdev;
	lmf_vfio_ops.init(vdev);
	err = lmf_vfio_setup(&v->dev, &v->pdev);
	if (!err && !v->dev.vf)
		err = -EOPNOTSUPP;
	if (err)
		lmf_vfio_ops.release(vdev);
	else
		v->dev.tracker.choice = v->owner->scenario->format;
	v->bound = !err;
	return err;
}

void sweep_unbind(struct sweep_vf *v)
{
	if (!v->bound)
		return;
	lmf_vfio_teardown(&v->dev);
	lmf_vfio_ops.release(&v->dev.core.vdev);
	v->bound = false;
}

int sweep_open(struct sweep_vf *v)
{
	int err = lmf_vfio_ops.open_device(&v->dev.core.vdev);

	v->open = !err;
	return err;
}

void sweep_close(struct sweep_vf *v)
{
	if (v->open)
		lmf_vfio_ops.close_device(&v->dev.core.vdev);
	v->open = false;
}

void sweep_core_up(struct sweep *s)
{
	s->core = lmf_core_create(s->dev, &mock_pf_io_ops, &s->pf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(s->test, s->core);
	s->core_stopped = false;
	mock_pf_connect(&s->pf, s->core);
	KUNIT_ASSERT_EQ(s->test, lmf_core_start(s->core), 0);
}

void sweep_core_down(struct sweep *s)
{
	bool stopped = s->core_stopped || lmf_core_stop(s->core);

	SWEEP_EXPECT(s, stopped);
	mock_pf_connect(&s->pf, NULL);
	lmf_core_destroy(s->core, stopped);
}

static void sweep_fill_media(struct sweep *s)
{
	unsigned int granule;

	for (granule = 0; granule < SWEEP_MEDIA / LMF_MEDIA_GRANULE;
	     granule += 3)
		KUNIT_ASSERT_EQ(s->test,
				sweep_media_write(s, granule, granule + 1), 0);
}

void sweep_up_device(struct sweep *s, const struct lmf_fw_config *config)
{
	flush_delayed_fput();
	s->live = sweep_alloc_live();
	mock_dma_forget_faults();
	mock_set_timeout(SWEEP_PATIENT_MS);
	memset(&s->pf, 0, sizeof(s->pf));
	KUNIT_ASSERT_EQ(s->test, mock_pf_init(&s->pf, config), 0);
	sweep_core_up(s);
}

void sweep_up_vfs(struct sweep *s)
{
	struct sweep_vf *v;

	for (v = s->vf; v < s->vf + SWEEP_VFS; v++) {
		KUNIT_ASSERT_EQ(s->test, sweep_bind(v), 0);
		KUNIT_ASSERT_EQ(s->test, sweep_open(v), 0);
	}
	s->bytes = 0;
	s->legal = BIT(STATE(RUNNING));
	s->tracking = false;
	bitmap_zero(s->written, SWEEP_PAGES);
}

/* All is well, and nothing was sent that is not answered. */
void sweep_up(struct sweep *s)
{
	sweep_up_device(s, &sweep_config);
	/* More and smaller chunks make more commands. */
	mock_pf_fault(&s->pf, "short-chunks=1");
	KUNIT_ASSERT_EQ(s->test, mock_guest_init(&s->pf, SWEEP_VF), 0);
	sweep_up_vfs(s);
	sweep_fill_media(s);
}

static void sweep_expect_nothing_open(struct sweep *s, struct sweep_vf *v)
{
	const struct lmf_func *func = &s->core->funcs[v->n];
	const struct fw_vf *fw = sweep_fw(v);

	SWEEP_EXPECT(s, !fw->save.session);
	SWEEP_EXPECT(s, !fw->load);
	SWEEP_EXPECT(s, !fw->log);
	SWEEP_EXPECT(s, fw->level == LMF_QUIESCE_RUN);
	SWEEP_EXPECT(s, !func->session);
	SWEEP_EXPECT(s, !func->log);
	SWEEP_EXPECT(s, !func->ring);
}

void sweep_down(struct sweep *s)
{
	struct sweep_vf *v;

	sweep_drop_file(s);
	for (v = s->vf; v < s->vf + SWEEP_VFS; v++) {
		sweep_close(v);
		sweep_unbind(v);
		sweep_expect_nothing_open(s, v);
	}
	if (!s->fault || !(s->fault->traits & SWEEP_STUCK))
		SWEEP_EXPECT(s, !s->core->aq.nused);
	sweep_core_down(s);
	mock_guest_exit(SWEEP_VF);
	mock_pf_exit(&s->pf);
	flush_delayed_fput();
	SWEEP_EXPECT(s, !mock_dma_live(MOCK_DMA_PF));
	SWEEP_EXPECT(s, !mock_dma_faults());
	SWEEP_EXPECT(s, sweep_alloc_live() == s->live);
}

static void sweep_alloc_memory(struct sweep *s)
{
	struct kunit *test = s->test;

	s->user = (char __user *)kunit_vm_mmap(test, NULL, 0, SWEEP_USER,
					       PROT_READ | PROT_WRITE,
					       MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL((void __force *)s->user));
	s->bounce = kunit_kzalloc(test, SWEEP_USER, GFP_KERNEL);
	s->stream = kunit_kzalloc(test, SWEEP_STREAM, GFP_KERNEL);
	s->golden = kunit_kzalloc(test, SWEEP_STREAM, GFP_KERNEL);
	s->media = kunit_kzalloc(test, SWEEP_MEDIA, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, s->bounce);
	KUNIT_ASSERT_NOT_NULL(test, s->stream);
	KUNIT_ASSERT_NOT_NULL(test, s->golden);
	KUNIT_ASSERT_NOT_NULL(test, s->media);
}

int sweep_init(struct kunit *test)
{
	struct sweep *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	unsigned int n;

	KUNIT_ASSERT_NOT_NULL(test, s);
	test->priv = s;
	s->test = test;
	s->task = current;
	allow_signal(SIGKILL);
	s->scenario = &sweep_scenarios[0];
	s->dev = kunit_device_register(test, "lmf-sweep");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s->dev);
	KUNIT_ASSERT_EQ(test, dma_coerce_mask_and_coherent(s->dev,
							   DMA_BIT_MASK(64)),
			0);
	sweep_alloc_memory(s);
	for (n = 0; n < SWEEP_VFS; n++) {
		s->vf[n].owner = s;
		s->vf[n].n = n;
		s->vf[n].pdev.dev.init_name = n ? "peer" : "vf";
	}
	return 0;
}
