// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks, from inside a guest, that memory which only the VF writes arrives
 * whole on the other side of a migration.
 *
 * The guest has no driver for the VF here: this program maps BAR 0 and drives
 * one queue by polling. It fills PAGES locked anonymous pages by READ commands
 * alone; the CPU never writes them. The media holds BLOCKS blocks, each unlike
 * any other, and each further READ into a page brings a block that was never
 * in that page before, so a page that was not sent again after its last write
 * cannot go unnoticed.
 *
 * Example with 8 groups on the media and STEP 5: group 3 of the memory gets
 * media group 3 in round 0, then 0, 5, 2, 7, 4, 1, 6, and no group twice.
 *
 * Commands come on standard input, each is answered by one line of JSON:
 *	fill		read every page once, then keep sweeping over the upper
 *			part of them
 *	burst N		read the first N pages once more, and never again
 *	status
 *	stop		stop sweeping
 *	verify		stop, and compare every byte
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "lmf_vf.h"

#define PAGE		4096UL
#define GROUP		32UL		/* pages of one command */
#define STEP		5UL		/* media groups from round to round */
#define ENTRIES		16U

static size_t pages = 32768;
static size_t burst_pages = 12288;
static size_t media_groups = 384;	/* 48 MiB; not a multiple of STEP */

static volatile uint8_t *bar;
static uint8_t *memory;			/* what only the VF writes */
static uint64_t *physical;		/* of each page of it */
static uint8_t *stage;			/* one group, written by the CPU */
static uint64_t stage_physical[GROUP];
static struct lmf_vf_cmd *sq;
static volatile struct lmf_vf_cqe *cq;
static struct lmf_sge *sges;
static uint64_t sges_physical;
static unsigned int tail, head, phase = 1;

static unsigned int *rounds;		/* READs so far, by group of memory */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all above */
static atomic_bool sweeping;
static uint64_t commands, longest_us;

static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("{\"fatal\": \"");
	vprintf(format, args);
	printf("\"}\n");
	fflush(stdout);
	va_end(args);
	exit(1);
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

static void *map_locked(size_t bytes)
{
	void *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED || madvise(mem, bytes, MADV_NOHUGEPAGE) ||
	    mlock(mem, bytes))
		die("cannot lock %zu bytes: %s", bytes, strerror(errno));
	return mem;
}

static void find_physical(const void *mem, size_t count, uint64_t *out)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	off_t at = (uintptr_t)mem / PAGE * 8;

	if (fd < 0 || pread(fd, out, count * 8, at) != (ssize_t)(count * 8))
		die("cannot read pagemap");
	for (size_t i = 0; i < count; i++)
		out[i] = (out[i] & ((1ull << 55) - 1)) * PAGE;
	close(fd);
}

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

static unsigned int sysfs_number(const char *dir, const char *name)
{
	char path[300];
	unsigned int value = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%x", &value) != 1)
		value = 0;
	if (file)
		fclose(file);
	return value;
}

static int open_in(const char *dir, const char *name, int flags)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return open(path, flags);
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

static void find_vf(void)
{
	glob_t found;

	glob("/sys/bus/pci/devices/*", 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (sysfs_number(found.gl_pathv[i], "vendor") ==
		    LMF_PCI_VENDOR &&
		    sysfs_number(found.gl_pathv[i], "device") ==
		    LMF_PCI_DEVICE_VF)
			enable(found.gl_pathv[i]);
	if (!bar)
		die("no VF");
	if (get32(LMF_VF_MAGIC) != LMF_VF_MAGIC_VALUE)
		die("VF magic is %#x", get32(LMF_VF_MAGIC));
}

static void set_up_queue(void)
{
	uint64_t sq_physical, cq_physical;

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
	uint64_t start = now_us(), took;
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
	took = now_us() - start;
	if (took > longest_us)
		longest_us = took;
	commands++;
	return status;
}

/* Moves one group between @physical pages and the media, and waits for it. */
static void transfer(int opcode, size_t media_group, const uint64_t *target)
{
	struct lmf_vf_cmd *cmd = &sq[tail];
	uint16_t status;

	for (size_t i = 0; i < GROUP; i++)
		sges[i] = (struct lmf_sge){ .addr = target[i], .len = PAGE };
	memset(cmd, 0, sizeof(*cmd));
	cmd->opcode = opcode;
	cmd->cid = tail;
	cmd->nsge = GROUP;
	cmd->offset = media_group * GROUP * PAGE;
	cmd->length = GROUP * PAGE;
	cmd->sge.addr = sges_physical;
	cmd->sge.len = GROUP * sizeof(*sges);
	atomic_thread_fence(memory_order_release);
	tail = (tail + 1) % ENTRIES;
	put32(LMF_VF_SQ_TAIL(0), tail);
	status = complete();
	if (status)
		die("opcode %d fails with status %u", opcode, status);
}

/* Never zero, so that a page that was never written is told apart. */
static uint64_t pattern(uint64_t block, uint64_t word)
{
	uint64_t x = (block << 9 | word) * 0x9e3779b97f4a7c15ull;

	return (x ^ x >> 29) | 1;
}

static void fill_media(void)
{
	for (size_t g = 0; g < media_groups; g++) {
		for (size_t w = 0; w < GROUP * PAGE / 8; w++)
			((uint64_t *)stage)[w] =
				pattern(g * GROUP + w / 512, w % 512);
		transfer(LMF_VF_OP_WRITE, g, stage_physical);
	}
}

static size_t media_of(size_t group, unsigned int round)
{
	return (group + round * STEP) % media_groups;
}

/* Reads what was never there before into a group of the memory. */
static void read_group(size_t group)
{
	pthread_mutex_lock(&lock);
	if (rounds[group] == media_groups)
		die("group %zu has had every block", group);
	transfer(LMF_VF_OP_READ, media_of(group, rounds[group]),
		 physical + group * GROUP);
	rounds[group]++;
	pthread_mutex_unlock(&lock);
}

static void *sweep(void *unused)
{
	size_t first = burst_pages / GROUP, group = first;

	(void)unused;
	for (;;) {
		if (!sweeping) {
			usleep(1000);
			continue;
		}
		read_group(group);
		usleep(2000);
		group = group + 1 < pages / GROUP ? group + 1 : first;
	}
	return NULL;
}

static bool page_holds(size_t page, size_t block)
{
	const uint64_t *words = (const uint64_t *)(memory + page * PAGE);

	for (size_t w = 0; w < PAGE / 8; w++)
		if (words[w] != pattern(block, w))
			return false;
	return true;
}

static void answer_status(void)
{
	pthread_mutex_lock(&lock);
	printf("{\"pages\": %zu, \"commands\": %llu, \"round\": %u, "
	       "\"longest_us\": %llu}\n", pages, (unsigned long long)commands,
	       rounds[pages / GROUP - 1], (unsigned long long)longest_us);
	pthread_mutex_unlock(&lock);
}

static void verify(void)
{
	size_t stale = 0, first = pages;

	sweeping = false;
	pthread_mutex_lock(&lock);
	for (size_t p = 0; p < pages; p++) {
		size_t group = p / GROUP;
		size_t block = media_of(group, rounds[group] - 1) * GROUP +
			       p % GROUP;

		if (page_holds(p, block))
			continue;
		if (!stale++)
			first = p;
	}
	pthread_mutex_unlock(&lock);
	printf("{\"checked\": %zu, \"stale\": %zu, \"first\": %zu}\n", pages,
	       stale, first);
}

static void burst(size_t count)
{
	if (count > burst_pages)
		count = burst_pages;
	for (size_t g = 0; g < count / GROUP; g++)
		read_group(g);
	printf("{\"burst\": %zu}\n", count / GROUP * GROUP);
}

static void fill(void)
{
	for (size_t g = 0; g < pages / GROUP; g++)
		read_group(g);
	sweeping = true;
	answer_status();
}

static void stop(void)
{
	sweeping = false;
	answer_status();
}

static void obey(const char *line)
{
	size_t count;

	if (!strcmp(line, "fill\n"))
		fill();
	else if (sscanf(line, "burst %zu", &count) == 1)
		burst(count);
	else if (!strcmp(line, "stop\n"))
		stop();
	else if (!strcmp(line, "status\n"))
		answer_status();
	else if (!strcmp(line, "verify\n"))
		verify();
	else
		printf("{\"fatal\": \"unknown command\"}\n");
	fflush(stdout);
}

static void number(const char *name, size_t *value)
{
	const char *text = getenv(name);

	if (text)
		*value = strtoul(text, NULL, 0);
}

int main(void)
{
	pthread_t thread;
	char line[80];

	number("PAGES", &pages);
	number("BURST_PAGES", &burst_pages);
	number("MEDIA_GROUPS", &media_groups);
	find_vf();
	set_up_queue();
	memory = map_locked(pages * PAGE);
	physical = calloc(pages, sizeof(*physical));
	rounds = calloc(pages / GROUP, sizeof(*rounds));
	stage = map_locked(GROUP * PAGE);
	find_physical(stage, GROUP, stage_physical);
	find_physical(memory, pages, physical);
	fill_media();
	if (pthread_create(&thread, NULL, sweep, NULL))
		die("no thread");
	printf("{\"ready\": %zu}\n", pages);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		obey(line);
	return 0;
}
