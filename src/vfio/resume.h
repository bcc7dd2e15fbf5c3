/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMF_VFIO_RESUME_H
#define LMF_VFIO_RESUME_H

struct file;
struct lmf_migf;
struct lmf_vfio_device;

struct lmf_migf *lmf_resume_alloc(struct lmf_vfio_device *dev);
struct file *lmf_resume_file(struct lmf_migf *migf);
int lmf_resume_begin(struct lmf_migf *migf, struct lmf_vfio_device *dev);
int lmf_resume_check(struct lmf_migf *migf);
int lmf_resume_complete(struct lmf_migf *migf);

#endif
