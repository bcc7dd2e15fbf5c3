/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All suites are linked into one kernel, with the PF driver in it. So what is
 * tested over the played VF of mock_vf.c sees its API under other names.
 */
#ifndef LMF_MOCK_VF_NAMES_H
#define LMF_MOCK_VF_NAMES_H

#define lmf_vf_caps		mock_vf_caps
#define lmf_vf_quiesce		mock_vf_quiesce
#define lmf_vf_level		mock_vf_level
#define lmf_vf_save_begin	mock_vf_save_begin
#define lmf_vf_save_read	mock_vf_save_read
#define lmf_vf_save_query	mock_vf_save_query
#define lmf_vf_save_end		mock_vf_save_end
#define lmf_vf_load_begin	mock_vf_load_begin
#define lmf_vf_load_write	mock_vf_load_write
#define lmf_vf_load_commit	mock_vf_load_commit
#define lmf_vf_load_abort	mock_vf_load_abort
#define lmf_buf_alloc		mock_buf_alloc
#define lmf_buf_put		mock_buf_put
#define lmf_op_done		mock_op_done
#define lmf_op_wait		mock_op_wait
#define lmf_op_result		mock_op_result
#define lmf_op_put		mock_op_put

/* As on a kernel where users may say that they know of REINIT. */
#include <linux/types.h>

#include "compat.h"

#undef LMF_KNOWS_REINIT
#undef LMF_INFO_REINIT
#define LMF_KNOWS_REINIT(vdev)	((void)(vdev), mock_knows_reinit)
#define LMF_INFO_REINIT		1

extern bool mock_knows_reinit;

#endif
