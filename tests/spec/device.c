// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does on the reference firmware what section 8 of SPEC.md tells, and prints
 * what the device wrote where the examples say that it writes. What host and
 * guest write is taken from the examples themselves, in examples.h, which is
 * made from the text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lmf_fw.h"

#define VF		3
#define QUEUE		1
#define ASQ		0x10000000
#define ACQ		0x10001000
#define AEQ		0x10002000
#define LOG_DATA	0x10011000
#define CHUNK_2		0x10050000
#define RANGES_DATA	0x10012000
#define BITMAP_DATA	0x10013000
#define LIST		0x10060000
#define LEAVES		0x10070000
#define SQ		0x20000000
#define CQ		0x20001000
#define SOURCE		0x50010000
#define MEDIA_OFFSET	0x8000

struct example {
	const char *id;
	bool by_device;
	int fn;
	uint64_t iova;
	size_t len;
	const uint8_t *data;
};

#include "examples.h"

static struct window {
	int fn;
	uint64_t base;
	uint8_t mem[1 << 20];
} windows[] = {
	{ .fn = LMF_FW_PF, .base = ASQ },
	{ .fn = VF, .base = SQ },
	{ .fn = VF, .base = 0x40000000 },
	{ .fn = VF, .base = 0x50000000 },
};

static struct lmf_fw *fw;
static bool woken;
static uint32_t asq_tail, sq_tail;

static uint8_t *memory(int fn, uint64_t addr, size_t len)
{
	struct window *w;

	for (w = windows; w < windows + 4; w++)
		if (w->fn == fn && addr >= w->base &&
		    addr + len <= w->base + sizeof(w->mem))
			return w->mem + (addr - w->base);
	fprintf(stderr, "function %d has nothing at %#llx\n", fn,
		(unsigned long long)addr);
	exit(1);
}

static int dma_read(void *ctx, int fn, uint64_t addr, void *buf, size_t len)
{
	memcpy(buf, memory(fn, addr, len), len);
	return 0;
}

static int dma_write(void *ctx, int fn, uint64_t addr, const void *buf,
		     size_t len)
{
	memcpy(memory(fn, addr, len), buf, len);
	return 0;
}

static void irq(void *ctx, int fn, unsigned int vector)
{
}

static void wake(void *ctx, uint64_t when)
{
	woken = when != LMF_FW_NEVER;
}

static uint64_t now(void *ctx)
{
	return 0;
}

static void *alloc(void *ctx, size_t bytes)
{
	return calloc(1, bytes);
}

static void release(void *ctx, void *mem, size_t bytes)
{
	free(mem);
}

static const struct lmf_fw_ops ops = {
	.dma_read = dma_read,
	.dma_write = dma_write,
	.irq = irq,
	.wake = wake,
	.now = now,
	.alloc = alloc,
	.free = release,
};

static void run(void)
{
	while (woken)
		lmf_fw_run(fw);
}

static void admin(const struct lmf_admin_cmd *cmd)
{
	if (cmd)
		dma_write(NULL, LMF_FW_PF, ASQ + asq_tail * sizeof(*cmd), cmd,
			  sizeof(*cmd));
	lmf_fw_write(fw, LMF_FW_PF, LMF_PF_ASQ_TAIL, ++asq_tail, 4);
	run();
}

static void request(const struct lmf_vf_cmd *cmd)
{
	if (cmd)
		dma_write(NULL, VF, SQ + sq_tail * sizeof(*cmd), cmd,
			  sizeof(*cmd));
	lmf_fw_write(fw, VF, LMF_VF_SQ_TAIL(QUEUE), ++sq_tail, 4);
	run();
}

static void read_to(uint64_t addr, uint32_t length)
{
	struct lmf_vf_cmd cmd = {
		.opcode = LMF_VF_OP_READ, .nsge = 1, .offset = MEDIA_OFFSET,
		.length = length, .sge = { .addr = addr, .len = length },
	};

	request(&cmd);
}

static void start(void)
{
	uint64_t queue = LMF_VF_QUEUE(QUEUE);

	lmf_fw_write(fw, LMF_FW_PF, LMF_PF_ASQ_BASE, ASQ, 8);
	lmf_fw_write(fw, LMF_FW_PF, LMF_PF_ACQ_BASE, ACQ, 8);
	lmf_fw_write(fw, LMF_FW_PF, LMF_PF_AEQ_BASE, AEQ, 8);
	lmf_fw_write(fw, LMF_FW_PF, LMF_PF_AQ_ENTRIES, 32, 4);
	lmf_fw_write(fw, LMF_FW_PF, LMF_PF_AEQ_ENTRIES, 32, 4);
	lmf_fw_write(fw, LMF_FW_PF, LMF_PF_CTRL, LMF_PF_CTRL_ENABLE, 4);
	run();
	lmf_fw_vf_enable(fw, VF, true);
	lmf_fw_write(fw, VF, queue + LMF_VF_Q_SQ_BASE, SQ, 8);
	lmf_fw_write(fw, VF, queue + LMF_VF_Q_CQ_BASE, CQ, 8);
	lmf_fw_write(fw, VF, queue + LMF_VF_Q_ENTRIES, 16, 4);
	lmf_fw_write(fw, VF, queue + LMF_VF_Q_VECTOR, QUEUE, 4);
	lmf_fw_write(fw, VF, queue + LMF_VF_Q_CTRL, LMF_VF_QCTRL_ENABLE, 4);
	run();
}

/* Section 8.2, with the WRITE that it says came before. */
static void read_and_write(void)
{
	struct lmf_vf_cmd cmd = {
		.opcode = LMF_VF_OP_WRITE, .nsge = 1, .offset = MEDIA_OFFSET,
		.length = LMF_MEDIA_GRANULE,
		.sge = { .addr = SOURCE, .len = LMF_MEDIA_GRANULE },
	};

	memset(memory(VF, SOURCE, LMF_MEDIA_GRANULE), 0x5a, LMF_MEDIA_GRANULE);
	request(&cmd);
	request(NULL);
}

static void log_and_wrap(void)
{
	struct lmf_admin_cmd cmd = {
		.opcode = LMF_OP_LOG_START, .vf = VF, .nsge = 1,
		.sge = { .addr = LOG_DATA, .len = 80 },
	};

	admin(&cmd);
	read_to(0x40001000, 512);
	read_to(0x40010f00, 8704);
	read_to(0x40020200, 512);
	read_to(0x40030000, 8192);
	lmf_fw_write(fw, LMF_FW_PF, LMF_PF_LOG_HEAD(VF), 4, 4);
	read_to(0x40040000, 512);
	read_to(0x40001000, 512);
	cmd = (struct lmf_admin_cmd) {
		.opcode = LMF_OP_LOG_FLUSH, .vf = VF, .tag = 0x00030002,
	};
	admin(&cmd);
}

static void save(void)
{
	struct lmf_admin_cmd cmd = { .opcode = LMF_OP_SAVE_BEGIN, .vf = VF };

	admin(&cmd);
	admin(NULL);
	cmd = (struct lmf_admin_cmd) {
		.opcode = LMF_OP_SAVE_READ, .vf = VF, .tag = 0x00060005,
		.session = 1, .nsge = 1,
		.sge = { .addr = CHUNK_2, .len = 65536 },
	};
	admin(&cmd);
}

static void log_command(uint16_t opcode, uint64_t addr, uint32_t len)
{
	struct lmf_admin_cmd cmd = {
		.opcode = opcode, .vf = VF, .tag = 0x00070000 + asq_tail,
		.nsge = !!len, .sge = { .addr = addr, .len = len },
	};

	admin(&cmd);
}

static void log_start(uint64_t data)
{
	log_command(LMF_OP_LOG_STOP, 0, 0);
	log_command(LMF_OP_LOG_START, data, 48);
}

/* Section 8.7. */
static void list(void)
{
	log_start(RANGES_DATA);
	read_to(0x40001000, 512);
	read_to(0x40010f00, 8704);
	log_command(LMF_OP_LOG_FLUSH, 0, 0);
	log_command(LMF_OP_LOG_READ, LIST, 8192);
}

/* Section 8.8. */
static void bank(void)
{
	log_start(BITMAP_DATA);
	read_to(0x40001000, 512);
	read_to(0x40010f00, 8704);
	read_to(0x50000000, 4096);
	log_command(LMF_OP_LOG_FLUSH, 0, 0);
	log_command(LMF_OP_LOG_READ, LEAVES, 8192);
}

int main(void)
{
	const struct lmf_fw_config config = {
		.vfs = 8, .queues = 4, .entries = 256, .media_bytes = 64 << 20,
		.log_entries = 65536, .migrate = true, .log = true,
	};
	const size_t count = sizeof(examples) / sizeof(examples[0]);
	const struct example *e;
	const uint8_t *mem;
	size_t i;

	fw = lmf_fw_create(&config, &ops, NULL);
	if (!fw)
		return 1;
	for (e = examples; e < examples + count; e++)
		if (!e->by_device)
			dma_write(NULL, e->fn, e->iova, e->data, e->len);
	start();
	admin(NULL);
	read_and_write();
	log_and_wrap();
	save();
	list();
	bank();
	for (e = examples; e < examples + count; e++) {
		if (!e->by_device)
			continue;
		mem = memory(e->fn, e->iova, e->len);
		printf("%s ", e->id);
		for (i = 0; i < e->len; i++)
			printf("%02x", mem[i]);
		printf("\n");
	}
	lmf_fw_destroy(fw);
	return 0;
}
