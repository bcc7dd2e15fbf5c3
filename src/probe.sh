#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# probe.sh TREE: what the kernel in that tree, or whose headers are there, has
# of what the compat.h headers ask for; as -D options. Looks into the headers,
# because a distribution's version says little about what is in its kernel.
while read -r name header pattern; do
	if grep -qs -e "$pattern" "$1/include/linux/$header"; then
		printf ' -DLMF_HAVE_%s' "$name"
	fi
done <<'END'
FOR_MODULES	export.h	define EXPORT_SYMBOL_FOR_MODULES(
NS_STRING	module.h	define MODULE_IMPORT_NS(ns).*(import_ns, ns)
BITMAP_FAULT	iova_bitmap.h	^int iova_bitmap_set
CRC32C		crc32.h		u32 crc32c(
DMABUF		vfio_pci_core.h	get_dmabuf_phys
MATCH_TOKEN	vfio.h		match_token_uuid
PASID		vfio.h		pasid_attach_ioas
PRECOPY_V2	vfio.h		precopy_info_v2
DFL_WQ		workqueue.h	system_dfl_wq
REGION_INFO	vfio.h		get_region_info_caps
MQ_MERGE	blk-mq.h	BLK_MQ_F_SHOULD_MERGE
MQ_NODE_INT	blk-mq.h	unsigned int, int);
MQ_PCI		blk-mq-pci.h	blk_mq_pci_map_queues
RQ_MAP_SG	blk-mq.h	int blk_rq_map_sg(struct request \*
END
