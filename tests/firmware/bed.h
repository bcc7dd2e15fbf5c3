/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device on a bench: the reference firmware between a simulated host, one
 * guest memory for each VF, and a clock that only the test moves.
 */
#ifndef BED_H
#define BED_H

#include "fw.h"

#define BED_VFS		4
#define GUEST_BYTES	(16u << 20)
#define GUEST_DATA	(1u << 20)	/* rings are below */
#define HOST_BASE	(1ull << 32)
#define HOST_BYTES	(8u << 20)
#define HOST_ASQ	0x00000
#define HOST_ACQ	0x10000
#define HOST_AEQ	0x20000
#define HOST_RING	0x40000		/* of logs, 64 KiB for each VF */
#define HOST_DATA	0x100000
#define BED_AQ_ENTRIES	64
#define BED_AEQ_ENTRIES	16
#define BED_QUEUE_ENTRIES	64

struct bed_queue {
	uint32_t entries;
	uint32_t tail;
	uint32_t head;
	uint32_t phase;
};

struct bed {
	struct lmf_fw *fw;
	struct lmf_fw_config config;
	uint64_t now;
	uint64_t wake;
	uint64_t runs;
	uint64_t dma_bytes;	/* moved by the device in all */
	uint64_t run_bytes;	/* most of them in one run */
	long allocated;		/* bytes that the device holds */
	long fail_alloc;	/* allocations until one fails; 0: none does */
	uint8_t *host;
	uint8_t *guest[BED_VFS];
	bool host_gone;		/* host memory faults */
	bool guest_gone;
	unsigned int irqs[BED_VFS + 1][LMF_VF_QUEUE_LIMIT];	/* PF: last */
	uint64_t guest_writes;
	uint64_t host_writes;
	/* Called after each write of the device, if set. */
	void (*wrote)(struct bed *bed, int fn, uint64_t addr, size_t len);
	void *wrote_ctx;
	uint32_t asq_tail;
	uint32_t acq_head;
	uint32_t acq_phase;
	uint32_t aeq_head;
	uint32_t aeq_phase;
	uint32_t tag;
	struct bed_queue queue[BED_VFS][LMF_VF_QUEUE_LIMIT];
};

/* A device with PF and all VFs up. */
struct bed *bed_new(const struct lmf_fw_config *config);
void bed_free(struct bed *bed);
/* Another device for the same bed; NULL if it cannot be made. */
struct lmf_fw *bed_create(struct bed *bed);
extern const struct lmf_fw_config bed_config;

/* Runs the device while it has something to do now; false if it never ends. */
bool bed_run(struct bed *bed);
/* Moves the clock on, running the device whenever it asked to be. */
void bed_pass(struct bed *bed, uint64_t ns);
void bed_fault(struct bed *bed, const char *spec);

uint32_t bed_reg(struct bed *bed, int fn, uint64_t offset);
void bed_set(struct bed *bed, int fn, uint64_t offset, uint32_t value);

/* Admin queue. */
void bed_pf_up(struct bed *bed);
uint32_t bed_submit(struct bed *bed, const struct lmf_admin_cmd *cmd);
bool bed_reap(struct bed *bed, struct lmf_admin_cqe *cqe);
bool bed_event(struct bed *bed, struct lmf_event *event);
/* Submits and waits; the status is LMF_ST_INTERNAL if nothing completes. */
struct lmf_admin_cqe bed_exec(struct bed *bed, const struct lmf_admin_cmd *cmd);
struct lmf_admin_cmd bed_cmd(uint16_t opcode, uint16_t vf);
struct lmf_admin_cmd bed_cmd_data(uint16_t opcode, uint16_t vf,
				  uint64_t offset, uint32_t len);
uint16_t bed_status(struct bed *bed, const struct lmf_admin_cmd *cmd);
uint16_t bed_quiesce(struct bed *bed, unsigned int vf, uint32_t level);

/* VF queues. */
void bed_queue_on(struct bed *bed, unsigned int vf, unsigned int queue,
		  uint32_t entries);
void bed_io_submit(struct bed *bed, unsigned int vf, unsigned int queue,
		   const struct lmf_vf_cmd *cmd);
bool bed_io_reap(struct bed *bed, unsigned int vf, unsigned int queue,
		 struct lmf_vf_cqe *cqe);
struct lmf_vf_cmd bed_io_cmd(uint8_t opcode, uint64_t offset, uint64_t addr,
			     uint32_t len);
/* The status, or 0xffff if nothing completes. */
uint16_t bed_io(struct bed *bed, unsigned int vf, unsigned int queue,
		const struct lmf_vf_cmd *cmd);
uint16_t bed_write(struct bed *bed, unsigned int vf, uint64_t offset,
		   uint8_t fill, uint32_t len);

/* Dirty log. */
struct lmf_admin_cmd bed_log_cmd(struct bed *bed, unsigned int vf,
				 uint32_t entries, uint32_t threshold,
				 unsigned int shift, uint64_t iova,
				 uint64_t bytes);

/* One range; of a RING with 64 entries. @threshold is 0 for a BITMAP. */
struct lmf_admin_cmd bed_log_cmd_of(struct bed *bed, unsigned int format,
				    uint32_t threshold, unsigned int shift,
				    uint64_t iova, uint64_t bytes);

uint32_t bed_random(uint64_t *state);

#endif
