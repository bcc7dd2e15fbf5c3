// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bench of bed.h. Everything that the device holds is counted, so that
 * bed_free() can say that nothing leaked; memory of guest and host is exactly
 * as long as it claims, so that the sanitizer sees a DMA beyond its end.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bed.h"

const struct lmf_fw_config bed_config = {
	.vfs = BED_VFS,
	.queues = 4,
	.entries = 256,
	.media_bytes = 4 << 20,
	.log_entries = 1024,
	.migrate = true,
	.log = true,
	.seed = 1,
};

static uint8_t *bed_mem(struct bed *bed, int fn, uint64_t addr, size_t len)
{
	uint64_t base = fn == LMF_FW_PF ? HOST_BASE : 0;
	uint64_t bytes = fn == LMF_FW_PF ? HOST_BYTES : GUEST_BYTES;

	if (fn == LMF_FW_PF ? bed->host_gone : bed->guest_gone)
		return NULL;
	if (addr < base || addr - base > bytes || len > bytes - (addr - base))
		return NULL;
	bed->dma_bytes += len;
	return (fn == LMF_FW_PF ? bed->host : bed->guest[fn]) + (addr - base);
}

static int bed_dma_read(void *ctx, int fn, uint64_t addr, void *buf,
			size_t len)
{
	const uint8_t *mem = bed_mem(ctx, fn, addr, len);

	if (!mem)
		return -1;
	memcpy(buf, mem, len);
	return 0;
}

static int bed_dma_write(void *ctx, int fn, uint64_t addr, const void *buf,
			 size_t len)
{
	struct bed *bed = ctx;
	uint8_t *mem = bed_mem(bed, fn, addr, len);

	if (!mem)
		return -1;
	memcpy(mem, buf, len);
	if (fn == LMF_FW_PF)
		bed->host_writes++;
	else
		bed->guest_writes++;
	if (bed->wrote)
		bed->wrote(bed, fn, addr, len);
	return 0;
}

static void bed_irq(void *ctx, int fn, unsigned int vector)
{
	struct bed *bed = ctx;

	bed->irqs[fn == LMF_FW_PF ? BED_VFS : fn][vector]++;
}

static void bed_wake(void *ctx, uint64_t when)
{
	((struct bed *)ctx)->wake = when;
}

static uint64_t bed_now(void *ctx)
{
	return ((struct bed *)ctx)->now;
}

static void *bed_alloc(void *ctx, size_t bytes)
{
	struct bed *bed = ctx;

	if (bed->fail_alloc && !--bed->fail_alloc)
		return NULL;
	bed->allocated += bytes;
	return calloc(1, bytes);
}

static void bed_mem_free(void *ctx, void *mem, size_t bytes)
{
	struct bed *bed = ctx;

	if (mem)
		bed->allocated -= bytes;
	free(mem);
}

static const struct lmf_fw_ops bed_ops = {
	.dma_read = bed_dma_read,
	.dma_write = bed_dma_write,
	.irq = bed_irq,
	.wake = bed_wake,
	.now = bed_now,
	.alloc = bed_alloc,
	.free = bed_mem_free,
};

struct lmf_fw *bed_create(struct bed *bed)
{
	return lmf_fw_create(&bed->config, &bed_ops, bed);
}

struct bed *bed_new(const struct lmf_fw_config *config)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	unsigned int i;

	bed->config = config ? *config : bed_config;
	bed->now = 1000;
	bed->wake = LMF_FW_NEVER;
	bed->host = calloc(1, HOST_BYTES);
	for (i = 0; i < BED_VFS; i++)
		bed->guest[i] = calloc(1, GUEST_BYTES);
	bed->fw = bed_create(bed);
	if (!bed->fw)
		return bed;
	bed_pf_up(bed);
	for (i = 0; i < bed->config.vfs; i++)
		lmf_fw_vf_enable(bed->fw, i, true);
	bed_run(bed);
	bed->aeq_head = bed->config.vfs % BED_AEQ_ENTRIES;
	bed_set(bed, LMF_FW_PF, LMF_PF_AEQ_HEAD, bed->aeq_head);
	memset(bed->irqs, 0, sizeof(bed->irqs));
	return bed;
}

void bed_free(struct bed *bed)
{
	unsigned int i;

	lmf_fw_destroy(bed->fw);
	if (bed->allocated) {
		printf("Bail out! the device leaks %ld bytes\n",
		       bed->allocated);
		exit(1);
	}
	for (i = 0; i < BED_VFS; i++)
		free(bed->guest[i]);
	free(bed->host);
	free(bed);
}

bool bed_run(struct bed *bed)
{
	unsigned int runs;
	uint64_t before;

	for (runs = 0; bed->wake <= bed->now; runs++) {
		if (runs == 100000)
			return false;
		before = bed->dma_bytes;
		lmf_fw_run(bed->fw);
		bed->runs++;
		if (bed->dma_bytes - before > bed->run_bytes)
			bed->run_bytes = bed->dma_bytes - before;
	}
	return true;
}

void bed_pass(struct bed *bed, uint64_t ns)
{
	uint64_t end = bed->now + ns;

	bed_run(bed);
	while (bed->wake <= end) {
		bed->now = bed->wake;
		bed_run(bed);
	}
	bed->now = end;
}

void bed_fault(struct bed *bed, const char *spec)
{
	const char *wrong = lmf_fw_fault(bed->fw, spec);

	if (!wrong)
		return;
	printf("Bail out! %s: %s\n", spec, wrong);
	exit(1);
}

uint32_t bed_reg(struct bed *bed, int fn, uint64_t offset)
{
	return lmf_fw_read(bed->fw, fn, offset, 4);
}

void bed_set(struct bed *bed, int fn, uint64_t offset, uint32_t value)
{
	lmf_fw_write(bed->fw, fn, offset, value, 4);
}

void bed_pf_up(struct bed *bed)
{
	memset(bed->host, 0, HOST_DATA);
	bed->asq_tail = 0;
	bed->acq_head = 0;
	bed->acq_phase = 1;
	bed->aeq_head = 0;
	bed->aeq_phase = 1;
	lmf_fw_write(bed->fw, LMF_FW_PF, LMF_PF_ASQ_BASE, HOST_BASE + HOST_ASQ,
		     8);
	lmf_fw_write(bed->fw, LMF_FW_PF, LMF_PF_ACQ_BASE, HOST_BASE + HOST_ACQ,
		     8);
	lmf_fw_write(bed->fw, LMF_FW_PF, LMF_PF_AEQ_BASE, HOST_BASE + HOST_AEQ,
		     8);
	bed_set(bed, LMF_FW_PF, LMF_PF_AQ_ENTRIES, BED_AQ_ENTRIES);
	bed_set(bed, LMF_FW_PF, LMF_PF_AEQ_ENTRIES, BED_AEQ_ENTRIES);
	bed_set(bed, LMF_FW_PF, LMF_PF_CTRL, LMF_PF_CTRL_ENABLE);
}

struct lmf_admin_cmd bed_cmd(uint16_t opcode, uint16_t vf)
{
	return (struct lmf_admin_cmd) {
		.opcode = cpu_to_le16(opcode),
		.vf = cpu_to_le16(vf),
	};
}

struct lmf_admin_cmd bed_cmd_data(uint16_t opcode, uint16_t vf,
				  uint64_t offset, uint32_t len)
{
	struct lmf_admin_cmd cmd = bed_cmd(opcode, vf);

	cmd.nsge = cpu_to_le16(1);
	cmd.sge.addr = cpu_to_le64(HOST_BASE + offset);
	cmd.sge.len = cpu_to_le32(len);
	return cmd;
}

uint32_t bed_submit(struct bed *bed, const struct lmf_admin_cmd *cmd)
{
	struct lmf_admin_cmd copy = *cmd;
	uint8_t *slot = bed->host + HOST_ASQ + bed->asq_tail * sizeof(copy);

	copy.tag = cpu_to_le32(++bed->tag);
	memcpy(slot, &copy, sizeof(copy));
	bed->asq_tail = (bed->asq_tail + 1) % BED_AQ_ENTRIES;
	bed_set(bed, LMF_FW_PF, LMF_PF_ASQ_TAIL, bed->asq_tail);
	return bed->tag;
}

bool bed_reap(struct bed *bed, struct lmf_admin_cqe *cqe)
{
	memcpy(cqe, bed->host + HOST_ACQ + bed->acq_head * sizeof(*cqe),
	       sizeof(*cqe));
	if ((le32_to_cpu(cqe->phase) & 1) != bed->acq_phase)
		return false;
	bed->acq_head = (bed->acq_head + 1) % BED_AQ_ENTRIES;
	if (!bed->acq_head)
		bed->acq_phase ^= 1;
	bed_set(bed, LMF_FW_PF, LMF_PF_ACQ_HEAD, bed->acq_head);
	return true;
}

bool bed_event(struct bed *bed, struct lmf_event *event)
{
	memcpy(event, bed->host + HOST_AEQ + bed->aeq_head * sizeof(*event),
	       sizeof(*event));
	if ((le32_to_cpu(event->phase) & 1) != bed->aeq_phase)
		return false;
	bed->aeq_head = (bed->aeq_head + 1) % BED_AEQ_ENTRIES;
	if (!bed->aeq_head)
		bed->aeq_phase ^= 1;
	bed_set(bed, LMF_FW_PF, LMF_PF_AEQ_HEAD, bed->aeq_head);
	return true;
}

struct lmf_admin_cqe bed_exec(struct bed *bed, const struct lmf_admin_cmd *cmd)
{
	uint32_t tag = bed_submit(bed, cmd);
	struct lmf_admin_cqe cqe;

	bed_run(bed);
	while (bed_reap(bed, &cqe))
		if (le32_to_cpu(cqe.tag) == tag)
			return cqe;
	memset(&cqe, 0, sizeof(cqe));
	cqe.status = cpu_to_le16(LMF_ST_INTERNAL);
	return cqe;
}

uint16_t bed_status(struct bed *bed, const struct lmf_admin_cmd *cmd)
{
	return le16_to_cpu(bed_exec(bed, cmd).status);
}

uint16_t bed_quiesce(struct bed *bed, unsigned int vf, uint32_t level)
{
	struct lmf_admin_cmd cmd = bed_cmd(LMF_OP_QUIESCE, vf);

	cmd.param = cpu_to_le32(level);
	return bed_status(bed, &cmd);
}

static uint64_t bed_sq(unsigned int queue)
{
	return 0x10000 * queue;
}

static uint64_t bed_cq(unsigned int queue)
{
	return 0x10000 * queue + 0x8000;
}

void bed_queue_on(struct bed *bed, unsigned int vf, unsigned int queue,
		  uint32_t entries)
{
	uint64_t base = LMF_VF_QUEUE(queue);

	bed->queue[vf][queue] = (struct bed_queue) {
		.entries = entries,
		.phase = 1,
	};
	bed_set(bed, vf, base + LMF_VF_Q_CTRL, 0);
	memset(bed->guest[vf] + bed_sq(queue), 0, 0x10000);
	lmf_fw_write(bed->fw, vf, base + LMF_VF_Q_SQ_BASE, bed_sq(queue), 8);
	lmf_fw_write(bed->fw, vf, base + LMF_VF_Q_CQ_BASE, bed_cq(queue), 8);
	bed_set(bed, vf, base + LMF_VF_Q_ENTRIES, entries);
	bed_set(bed, vf, base + LMF_VF_Q_VECTOR, queue);
	bed_set(bed, vf, base + LMF_VF_Q_CTRL,
		LMF_VF_QCTRL_ENABLE | LMF_VF_QCTRL_IRQ);
}

struct lmf_vf_cmd bed_io_cmd(uint8_t opcode, uint64_t offset, uint64_t addr,
			     uint32_t len)
{
	struct lmf_vf_cmd cmd = {
		.opcode = opcode,
		.offset = cpu_to_le64(offset),
		.length = cpu_to_le32(len),
	};

	if (opcode == LMF_VF_OP_WRITE_ZEROES)
		return cmd;
	cmd.nsge = cpu_to_le16(1);
	cmd.sge.addr = cpu_to_le64(addr);
	cmd.sge.len = cpu_to_le32(len);
	return cmd;
}

void bed_io_submit(struct bed *bed, unsigned int vf, unsigned int queue,
		   const struct lmf_vf_cmd *cmd)
{
	struct bed_queue *q = &bed->queue[vf][queue];
	struct lmf_vf_cmd copy = *cmd;

	copy.cid = cpu_to_le16(q->tail);
	memcpy(bed->guest[vf] + bed_sq(queue) + q->tail * sizeof(copy), &copy,
	       sizeof(copy));
	q->tail = (q->tail + 1) % q->entries;
	bed_set(bed, vf, LMF_VF_SQ_TAIL(queue), q->tail);
}

bool bed_io_reap(struct bed *bed, unsigned int vf, unsigned int queue,
		 struct lmf_vf_cqe *cqe)
{
	struct bed_queue *q = &bed->queue[vf][queue];

	memcpy(cqe, bed->guest[vf] + bed_cq(queue) + q->head * sizeof(*cqe),
	       sizeof(*cqe));
	if ((le32_to_cpu(cqe->phase) & 1) != q->phase)
		return false;
	q->head = (q->head + 1) % q->entries;
	if (!q->head)
		q->phase ^= 1;
	bed_set(bed, vf, LMF_VF_CQ_HEAD(queue), q->head);
	return true;
}

uint16_t bed_io(struct bed *bed, unsigned int vf, unsigned int queue,
		const struct lmf_vf_cmd *cmd)
{
	struct lmf_vf_cqe cqe;

	bed_io_submit(bed, vf, queue, cmd);
	bed_run(bed);
	if (!bed_io_reap(bed, vf, queue, &cqe))
		return 0xffff;
	return le16_to_cpu(cqe.status);
}

uint16_t bed_write(struct bed *bed, unsigned int vf, uint64_t offset,
		   uint8_t fill, uint32_t len)
{
	struct lmf_vf_cmd cmd = bed_io_cmd(LMF_VF_OP_WRITE, offset, GUEST_DATA,
					   len);

	memset(bed->guest[vf] + GUEST_DATA, fill, len);
	return bed_io(bed, vf, 0, &cmd);
}

struct lmf_admin_cmd bed_log_cmd(struct bed *bed, unsigned int vf,
				 uint32_t entries, uint32_t threshold,
				 unsigned int shift, uint64_t iova,
				 uint64_t bytes)
{
	uint64_t ring = HOST_RING + 0x10000 * vf;
	struct {
		struct lmf_log_start start;
		struct lmf_log_range range;
		struct lmf_sge sge;
	} data = {
		.start = {
			.format = LMF_LOG_RING,
			.shift = shift,
			.nsges = cpu_to_le16(1),
			.nranges = cpu_to_le32(1),
			.entries = cpu_to_le32(entries),
			.threshold = cpu_to_le32(threshold),
		},
		.range = {
			.iova = cpu_to_le64(iova),
			.last = cpu_to_le64(iova + bytes - 1),
		},
		.sge = {
			.addr = cpu_to_le64(HOST_BASE + ring),
			.len = cpu_to_le32(entries *
					   sizeof(struct lmf_log_entry)),
		},
	};

	memset(bed->host + ring, 0, entries * sizeof(struct lmf_log_entry));
	memcpy(bed->host + HOST_DATA, &data, sizeof(data));
	return bed_cmd_data(LMF_OP_LOG_START, vf, HOST_DATA, sizeof(data));
}

struct lmf_admin_cmd bed_log_cmd_of(struct bed *bed, unsigned int format,
				    uint32_t threshold, unsigned int shift,
				    uint64_t iova, uint64_t bytes)
{
	struct lmf_admin_cmd cmd = bed_log_cmd(bed, 0, 64, threshold, shift,
					       iova, bytes);
	struct lmf_log_start *start = (void *)(bed->host + HOST_DATA);

	if (format == LMF_LOG_RING)
		return cmd;
	start->format = format;
	start->nsges = 0;
	start->entries = 0;
	return bed_cmd_data(LMF_OP_LOG_START, 0, HOST_DATA,
			    sizeof(*start) + sizeof(struct lmf_log_range));
}

uint32_t bed_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return *state >> 33;
}
