/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMF_VFIO_SAVE_H
#define LMF_VFIO_SAVE_H

#include <linux/types.h>

struct file;
struct lmf_migf;
struct lmf_vfio_device;

struct lmf_migf *lmf_save_alloc(struct lmf_vfio_device *dev);
struct file *lmf_save_file(struct lmf_migf *migf);
int lmf_save_begin(struct lmf_migf *migf, struct lmf_vfio_device *dev,
		   bool final);
void lmf_save_finalize(struct lmf_migf *migf);
u64 lmf_save_data_size(struct lmf_migf *migf);
u64 lmf_save_size_without(struct lmf_vfio_device *dev);

#endif
