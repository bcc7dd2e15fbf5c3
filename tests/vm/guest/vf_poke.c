// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looks for migration in what a guest can reach of its VF.
 *
 *	vf_poke dump	hashes over all of BAR 0, over the table of interrupts
 *			in BAR 2, and over config space
 *	vf_poke junk	write junk wherever nothing of the guest's own is:
 *			reserved registers, the upper queues, the read-only
 *			facts, BAR 2 behind the table, and extended config space
 */
#include <fcntl.h>
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lmf_vf.h"

#define CONFIG_BYTES	4096
#define MSIX_BYTES	4096	/* of BAR 2 */
#define MSIX_ENTRY	16

static char dir[200];

static int open_in(const char *name, int flags)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return open(path, flags);
}

static int is_vf(const char *path)
{
	uint16_t ids[2] = { 0 };
	int fd;

	snprintf(dir, sizeof(dir), "%s", path);
	fd = open_in("config", O_RDONLY);
	if (fd < 0 || pread(fd, ids, 4, 0) != 4)
		return 0;
	close(fd);
	return ids[0] == LMF_PCI_VENDOR && ids[1] == LMF_PCI_DEVICE_VF;
}

static int find(void)
{
	glob_t found;

	glob("/sys/bus/pci/devices/*", 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (is_vf(found.gl_pathv[i]))
			return 1;
	return 0;
}

static uint64_t hash(uint64_t so_far, uint32_t value)
{
	return (so_far ^ value) * 0x100000001b3ull;
}

static void dump(volatile uint32_t *bar, volatile uint32_t *msix, int config)
{
	uint64_t bar_hash = 0, msix_hash = 0, config_hash = 0;
	uint8_t space[CONFIG_BYTES] = { 0 };
	ssize_t got = pread(config, space, sizeof(space), 0);

	for (size_t i = 0; i < LMF_VF_BAR_BYTES / 4; i++)
		bar_hash = hash(bar_hash, bar[i]);
	for (size_t i = 0; i < MSIX_BYTES / 4; i++)
		msix_hash = hash(msix_hash, msix[i]);
	for (ssize_t i = 0; i < got; i++)
		config_hash = hash(config_hash, space[i]);
	printf("BAR 0 %016llx, BAR 2 %016llx\n", (unsigned long long)bar_hash,
	       (unsigned long long)msix_hash);
	printf("%zd bytes of config space %016llx\n", got,
	       (unsigned long long)config_hash);
}

/* The queue and doorbells of queue 0 belong to whoever drives the VF. */
static int in_use(size_t offset)
{
	return (offset >= LMF_VF_QUEUE(0) && offset < LMF_VF_QUEUE(1)) ||
	       offset == LMF_VF_SQ_TAIL(0) || offset == LMF_VF_CQ_HEAD(0);
}

static void junk(volatile uint32_t *bar, volatile uint32_t *msix, int config)
{
	size_t table = bar[LMF_VF_VECTORS / 4] * MSIX_ENTRY;
	uint8_t before[CONFIG_BYTES];
	ssize_t got = pread(config, before, sizeof(before), 0);
	uint32_t x = 0x12345678;

	for (size_t i = 0; i < LMF_VF_BAR_BYTES / 4; i++) {
		x = x * 1664525 + 1013904223;
		if (!in_use(4 * i))
			bar[i] = x;
	}
	for (size_t i = table / 4; i < MSIX_BYTES / 4; i++) {
		x = x * 1664525 + 1013904223;
		msix[i] = x;
	}
	/* Capabilities with side effects of their own, an FLR above all. */
	for (ssize_t i = 256; i + 4 <= got; i += 4) {
		x = x * 1664525 + 1013904223;
		if (pwrite(config, &x, 4, i) != 4)
			break;
	}
	printf("junk written\n");
}

static volatile uint32_t *map(const char *name, size_t bytes)
{
	int fd = open_in(name, O_RDWR | O_SYNC);
	void *bar = fd < 0 ? MAP_FAILED :
		    mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			 0);

	return bar == MAP_FAILED ? NULL : bar;
}

int main(int argc, char **argv)
{
	volatile uint32_t *bar, *msix;
	int config;

	if (argc != 2 || !find())
		return 2;
	config = open_in("config", O_RDWR);
	bar = map("resource0", LMF_VF_BAR_BYTES);
	msix = map("resource2", MSIX_BYTES);
	if (config < 0 || !bar || !msix)
		return 2;
	if (!strcmp(argv[1], "dump"))
		dump(bar, msix, config);
	else if (!strcmp(argv[1], "junk"))
		junk(bar, msix, config);
	else
		return 2;
	return 0;
}
