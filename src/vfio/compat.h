/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that lmf-vfio-pci builds against; probe.sh
 * finds out. Macros only: in the tree, each use is replaced by what is meant
 * there.
 */
#ifndef LMF_VFIO_COMPAT_H
#define LMF_VFIO_COMPAT_H

#ifdef LMF_HAVE_NS_STRING
#define LMF_IMPORT_NS(ns) MODULE_IMPORT_NS(#ns)
#else
#define LMF_IMPORT_NS(ns) MODULE_IMPORT_NS(ns)
#endif

/* Up to 6.17 it has another name. */
#ifdef LMF_HAVE_DFL_WQ
#define LMF_UNBOUND_WQ system_dfl_wq
#else
#define LMF_UNBOUND_WQ system_unbound_wq
#endif

/* Up to 6.13 crc32c() is a module of its own that a kernel may lack. */
#ifndef LMF_HAVE_CRC32C
#include <linux/crc32.h>
#define crc32c(crc, data, len) __crc32c_le(crc, data, len)
#endif

/* Only a patch of ours makes it tell of a fault. */
#ifdef LMF_HAVE_BITMAP_FAULT
#define LMF_BITMAP_SET(bitmap, iova, len) iova_bitmap_set(bitmap, iova, len)
#else
#define LMF_BITMAP_SET(bitmap, iova, len) \
	(iova_bitmap_set(bitmap, iova, len), 0)
#endif

/* Up to 6.18 the region info came with the other ioctls. */
#ifdef LMF_HAVE_REGION_INFO
#define LMF_OPS_REGION_INFO \
	.get_region_info_caps = vfio_pci_ioctl_get_region_info,
#else
#define LMF_OPS_REGION_INFO
#endif

/* Up to 6.16 .match did this, too. */
#ifdef LMF_HAVE_MATCH_TOKEN
#define LMF_OPS_MATCH_TOKEN \
	.match_token_uuid = vfio_pci_core_match_token_uuid,
#else
#define LMF_OPS_MATCH_TOKEN
#endif

#ifdef LMF_HAVE_PASID
#define LMF_OPS_PASID \
	.pasid_attach_ioas = vfio_iommufd_physical_pasid_attach_ioas, \
	.pasid_detach_ioas = vfio_iommufd_physical_pasid_detach_ioas,
#else
#define LMF_OPS_PASID
#endif

#ifdef LMF_HAVE_DMABUF
#define LMF_DEFINE_PCI_OPS \
static const struct vfio_pci_device_ops lmf_vfio_pci_ops = { \
	.get_dmabuf_phys = vfio_pci_core_get_dmabuf_phys, \
}

#define LMF_SET_PCI_OPS(core) ((core).pci_ops = &lmf_vfio_pci_ops)
#else
#define LMF_DEFINE_PCI_OPS
#define LMF_SET_PCI_OPS(core)
#endif

/* Who does not know REINIT gets back the flags that it came with. */
#ifdef LMF_HAVE_PRECOPY_V2
#define LMF_KNOWS_REINIT(vdev) ((vdev).precopy_info_v2)
#define LMF_INFO_REINIT VFIO_PRECOPY_INFO_REINIT
#else
#define LMF_KNOWS_REINIT(vdev) false
#define LMF_INFO_REINIT 0
#endif

#endif
