// SPDX-License-Identifier: GPL-2.0-only
/*
 * The media behind the VF's own queue, without a driver: BAR 0 mapped through
 * sysfs, one queue, completions by polling. Bus addresses are the guest's
 * physical ones, for there is no IOMMU in the guest.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <glob.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dma_check.h"
#include "lmf_vf.h"

#define ENTRIES	16U

static volatile uint8_t *bar;
static struct lmf_vf_cmd *sq;
static volatile struct lmf_vf_cqe *cq;
static struct lmf_sge *sges;
static uint64_t sges_physical;
static unsigned int tail, head, phase = 1;

static uint32_t get32(unsigned int reg)
{
	return *(volatile uint32_t *)(bar + reg);
}

static void put32(unsigned int reg, uint32_t value)
{
	*(volatile uint32_t *)(bar + reg) = value;
}

static void put64(unsigned int reg, uint64_t value)
{
	put32(reg, value);
	put32(reg + 4, value >> 32);
}

static int open_in(const char *dir, const char *name, int flags)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return open(path, flags);
}

static unsigned int number_in(const char *dir, const char *name)
{
	char text[20] = "";
	unsigned int value = 0;
	int fd = open_in(dir, name, O_RDONLY);

	if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0)
		sscanf(text, "%x", &value);
	close(fd);
	return value;
}

static void enable(const char *dir)
{
	int fd = open_in(dir, "config", O_RDWR);
	uint16_t command;

	if (fd < 0 || pread(fd, &command, 2, 4) != 2)
		die("cannot read %s/config", dir);
	command |= 0x6;			/* memory space, bus master */
	if (pwrite(fd, &command, 2, 4) != 2)
		die("cannot write %s/config", dir);
	close(fd);
	fd = open_in(dir, "resource0", O_RDWR | O_SYNC);
	bar = mmap(NULL, LMF_VF_BAR_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
		   fd, 0);
	if (fd < 0 || bar == MAP_FAILED)
		die("cannot map BAR 0");
}

static void find_vf(const char *which)
{
	char pattern[300];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "/sys/bus/pci/devices/%s", which);
	glob(pattern, 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *dir = found.gl_pathv[i];

		if (number_in(dir, "vendor") == LMF_PCI_VENDOR &&
		    number_in(dir, "device") == LMF_PCI_DEVICE_VF)
			enable(dir);
	}
	if (!bar)
		die("no VF");
	if (get32(LMF_VF_MAGIC) != LMF_VF_MAGIC_VALUE)
		die("VF magic is %#x", get32(LMF_VF_MAGIC));
}

static void open_queue(const char *where)
{
	uint64_t sq_physical, cq_physical;

	find_vf(where ? where : "*");
	sq = map_locked(PAGE);
	cq = map_locked(PAGE);
	sges = map_locked(PAGE);
	find_physical(sq, 1, &sq_physical);
	find_physical((void *)cq, 1, &cq_physical);
	find_physical(sges, 1, &sges_physical);
	put64(LMF_VF_QUEUE(0) + LMF_VF_Q_SQ_BASE, sq_physical);
	put64(LMF_VF_QUEUE(0) + LMF_VF_Q_CQ_BASE, cq_physical);
	put32(LMF_VF_QUEUE(0) + LMF_VF_Q_ENTRIES, ENTRIES);
	put32(LMF_VF_QUEUE(0) + LMF_VF_Q_VECTOR, 0);
	put32(LMF_VF_QUEUE(0) + LMF_VF_Q_CTRL, LMF_VF_QCTRL_ENABLE);
	if (get32(LMF_VF_QUEUE(0) + LMF_VF_Q_STATUS) != LMF_VF_QSTATUS_ENABLED)
		die("queue does not start");
}

static uint16_t complete(void)
{
	uint64_t start = now_us();
	uint16_t status;

	while ((cq[head].phase & 1) != phase) {
		if (now_us() - start > 60000000)
			die("no completion in 60 s");
		usleep(20);
	}
	atomic_thread_fence(memory_order_acquire);
	status = cq[head].status;
	head = (head + 1) % ENTRIES;
	if (!head)
		phase ^= 1;
	put32(LMF_VF_CQ_HEAD(0), head);
	return status;
}

static void transfer_queue(bool write, size_t group, void *memory)
{
	uint64_t physical[GROUP];
	struct lmf_vf_cmd cmd = {
		.opcode = write ? LMF_VF_OP_WRITE : LMF_VF_OP_READ,
		.cid = tail,
		.nsge = GROUP,
		.offset = group * GROUP * PAGE,
		.length = GROUP * PAGE,
		.sge = { .addr = sges_physical, .len = GROUP * sizeof(*sges) },
	};
	uint16_t status;

	find_physical(memory, GROUP, physical);
	for (size_t i = 0; i < GROUP; i++)
		sges[i] = (struct lmf_sge){ .addr = physical[i], .len = PAGE };
	sq[tail] = cmd;
	atomic_thread_fence(memory_order_release);
	tail = (tail + 1) % ENTRIES;
	put32(LMF_VF_SQ_TAIL(0), tail);
	status = complete();
	if (status)
		die("%s fails with status %u", write ? "WRITE" : "READ",
		    status);
}

const struct media queue_media = {
	.open = open_queue,
	.transfer = transfer_queue,
};
