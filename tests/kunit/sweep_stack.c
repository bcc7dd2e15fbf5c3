// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VF driver once more, this time on the PF driver: all of src/vfio but what
 * is pure, and what the PCI bus and sysfs call. vfio-pci below it is played, as
 * there is no PCI device: opening and closing reset the VF, and tell of it.
 */
#include "sweep_names.h"

#include <linux/anon_inodes.h>
#include <linux/vfio_pci_core.h>

#include "sweep_stack.h"

static struct file *sweep_getfile(const char *name,
				  const struct file_operations *fops,
				  void *priv, int flags)
{
	if (sweep_alloc_fails())
		return ERR_PTR(-ENFILE);
	return anon_inode_getfile(name, fops, priv, flags);
}

static int sweep_init_dev(struct vfio_device *vdev)
{
	return 0;
}

static int sweep_enable(struct vfio_pci_core_device *core)
{
	sweep_vf_reset(&core->vdev);
	return 0;
}

static void sweep_finish_enable(struct vfio_pci_core_device *core)
{
}

#define anon_inode_getfile		sweep_getfile
#define vfio_pci_core_init_dev		sweep_init_dev
#define vfio_pci_core_release_dev	sweep_release_dev
#define vfio_pci_core_enable		sweep_enable
#define vfio_pci_core_finish_enable	sweep_finish_enable
#define vfio_pci_core_close_device	sweep_vf_reset
#define lmf_vf_get			sweep_vf_get

static void sweep_release_dev(struct vfio_device *vdev)
{
}

#include "../../src/vfio/migf.c"
#include "../../src/vfio/save.c"
#include "../../src/vfio/save_left.c"
#include "../../src/vfio/resume.c"
#include "../../src/vfio/migration.c"
#include "../../src/vfio/settle.c"
#include "../../src/vfio/tracker.c"
#include "../../src/vfio/tracker_log.c"
#include "../../src/vfio/tracker_ring.c"
#include "../../src/vfio/tracker_read.c"
#include "../../src/vfio/vfio_dev.c"
