/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMF_CORE_BED_H
#define LMF_CORE_BED_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/sizes.h>

#include "fw.h"
#include "lmf_core.h"
#include "mock_dma.h"
#include "mock_pf.h"
#include "mock_wait.h"

#define CORE_VFS	2
#define CORE_MEDIA	SZ_1M
#define CORE_CHUNK	SZ_64K
#define CORE_LOG	64		/* entries */
#define CORE_THRESHOLD	4
#define CORE_PATIENT_MS	20000		/* for what shall be answered */
#define CORE_SHORT_MS	50		/* for what shall not */

/**
 * struct core_vf - a VF and who has taken it
 * @handle: its handle
 * @thresholds: so many were notified
 * @losts: so often events were said to be lost
 * @sessions_lost: so often sessions were
 * @told: completed with each of the first two
 */
struct core_vf {
	struct lmf_vf *handle;
	atomic_t thresholds;
	atomic_t losts;
	atomic_t sessions_lost;
	struct completion told;
};

/**
 * struct core_bed - a mock PF, src/core on it, and its VFs
 * @test: for expectations
 * @dev: for the DMA API
 * @pf: device
 * @core: driver
 * @vf: all taken
 */
struct core_bed {
	struct kunit *test;
	struct device *dev;
	struct mock_pf pf;
	struct lmf_core *core;
	struct core_vf vf[CORE_VFS];
};

extern const struct lmf_fw_config core_bed_config;

int core_bed_init(struct kunit *test);
void core_bed_exit(struct kunit *test);
void core_bed_open(struct core_bed *b, unsigned int n);
void core_bed_close(struct core_bed *b, unsigned int n);
void core_bed_fault(struct core_bed *b, const char *spec);
unsigned int core_bed_live(struct core_bed *b);

struct lmf_buf *core_buf(struct core_bed *b, unsigned int n);
u64 core_save_begin(struct core_bed *b, unsigned int n);
int core_save_read(struct core_bed *b, unsigned int n, u64 session,
		   struct lmf_buf *buf, bool final, struct lmf_chunk *chunk);
struct lmf_op *core_submit_read(struct core_bed *b, unsigned int n,
				u64 session, struct lmf_buf *buf);
void core_expect_works(struct core_bed *b, unsigned int n);
void core_reset_prepare(struct core_bed *b);
void core_reset_done(struct core_bed *b);
struct lmf_buf *core_ring(struct core_bed *b, unsigned int n);
int core_log_start(struct core_bed *b, unsigned int n, struct lmf_buf *ring);

#endif
