// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks, from inside a guest, that memory which only the VF writes arrives
 * whole on the other side of a migration.
 *
 * PAGES locked anonymous pages are filled by reads from the media alone; the
 * CPU never writes them. The media holds groups of pages, each page unlike any
 * other, and each further read into a group brings a media group that was
 * never there before: a page that was not sent again after its last write
 * cannot go unnoticed.
 *
 * Example with 8 groups on the media and STEP 5: group 3 of the memory gets
 * media group 3 in round 0, then 0, 5, 2, 7, 4, 1, 6, and no group twice.
 *
 * Without FILE a VF is driven directly, with it by direct I/O on that file. VF
 * names one by its address, as in 0000:00:10.0, where there are several.
 * BEAT names a serial port that gets a byte after each transfer, so that who
 * listens outside sees the longest gap in it: the guest's own clock stands
 * still while it is stopped.
 * Commands come on standard input, each is answered by one line of JSON:
 *	fill		read every page once, then keep sweeping over the
 *			upper part of them
 *	burst N		read the first N pages once more, and never again
 *	status
 *	where		the highest physical address of the memory
 *	stop		stop sweeping
 *	verify		stop, and compare every byte
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "dma_check.h"

#define STEP	5UL			/* media groups from round to round */

static size_t pages = 32768;
static size_t burst_pages = 12288;
static size_t media_groups = 256;	/* 32 MiB; no multiple of STEP */
static size_t sweep_us = 2000;		/* rest after each group */

static const struct media *media = &queue_media;
static uint8_t *memory;			/* what only the VF writes */
static uint8_t *stage;			/* one group, written by the CPU */
static unsigned int *rounds;		/* reads so far, by group of memory */
static unsigned long long transfers;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of media, rounds */
static atomic_bool sweeping;
static int beat = -1;

void die(const char *format, ...)
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

uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

void *map_locked(size_t bytes)
{
	void *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED || madvise(mem, bytes, MADV_NOHUGEPAGE) ||
	    mlock(mem, bytes))
		die("cannot lock %zu bytes: %s", bytes, strerror(errno));
	return mem;
}

void find_physical(const void *mem, size_t count, uint64_t *out)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	off_t at = (uintptr_t)mem / PAGE * 8;

	if (fd < 0 || pread(fd, out, count * 8, at) != (ssize_t)(count * 8))
		die("cannot read pagemap");
	for (size_t i = 0; i < count; i++)
		out[i] = (out[i] & ((1ull << 55) - 1)) * PAGE;
	close(fd);
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
		media->transfer(true, g, stage);
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
	media->transfer(false, media_of(group, rounds[group]),
			memory + group * GROUP * PAGE);
	rounds[group]++;
	transfers++;
	pthread_mutex_unlock(&lock);
	if (beat >= 0 && write(beat, ".", 1) != 1)
		die("no beat: %s", strerror(errno));
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
		usleep(sweep_us);
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
	printf("{\"pages\": %zu, \"transfers\": %llu, \"rounds\": %u}\n", pages,
	       transfers, rounds[pages / GROUP - 1]);
	pthread_mutex_unlock(&lock);
}

static void where(void)
{
	uint64_t highest = 0, page;

	for (size_t p = 0; p < pages; p++) {
		find_physical(memory + p * PAGE, 1, &page);
		if (page > highest)
			highest = page;
	}
	printf("{\"highest\": %llu}\n", (unsigned long long)highest);
}

static void stop(void)
{
	sweeping = false;
	answer_status();
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
	else if (!strcmp(line, "where\n"))
		where();
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
	number("SWEEP_US", &sweep_us);
	if (getenv("FILE"))
		media = &file_media;
	media->open(getenv(media == &file_media ? "FILE" : "VF"));
	if (getenv("BEAT"))
		beat = open(getenv("BEAT"), O_WRONLY | O_NOCTTY);
	memory = map_locked(pages * PAGE);
	stage = map_locked(GROUP * PAGE);
	rounds = calloc(pages / GROUP, sizeof(*rounds));
	if (!rounds)
		die("out of memory");
	fill_media();
	if (pthread_create(&thread, NULL, sweep, NULL))
		die("no thread");
	printf("{\"ready\": %zu}\n", pages);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		obey(line);
	return 0;
}
