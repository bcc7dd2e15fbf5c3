// SPDX-License-Identifier: GPL-2.0-only
/*
 * lmf-vfio-test: does a driver keep the uAPI of VFIO migration and of DMA
 * logging? See README.md.
 *
 * The harness keeps its lists of tests in static objects of the file that
 * includes it, so all tests are this one translation unit.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/uio.h>

#include "kselftest_harness.h"

#include "fixture.h"
#include "pci.h"

#include "states_test.c"
#include "data_fd_test.c"
#include "race_test.c"
#include "precopy_test.c"
#include "size_test.c"
#include "log_test.c"
#include "dma_log_test.c"
#include "streams_test.c"
#include "reset_test.c"
#include "lifetime_test.c"
#include "nomem_test.c"

/* The first argument that looks like a bus address is ours. */
static const char *take_bdf(int *argc, char **argv)
{
	unsigned int domain, bus, slot, function;
	char *bdf;

	for (int i = 1; i < *argc; i++) {
		if (sscanf(argv[i], "%x:%x:%x.%x", &domain, &bus, &slot,
			   &function) != 4)
			continue;
		bdf = argv[i];
		memmove(argv + i, argv + i + 1, (*argc - i) * sizeof(*argv));
		--*argc;
		return bdf;
	}
	return NULL;
}

/* A state with something in it, if the plug-in can do that. */
static void fill(struct vdev *dev)
{
	const struct plugin *plugin = start_plugin(dev);

	for (size_t unit = 0; plugin && unit < plugin->units; unit++)
		if (plugin->touch(unit))
			break;
}

static int save_device(struct stream *s)
{
	struct vdev dev;
	int ret;

	ret = vdev_open(&dev, test_bdf, VDEV_GROUP);
	if (ret)
		ret = vdev_open(&dev, test_bdf, VDEV_IOMMUFD);
	if (ret)
		return ret;
	fill(&dev);
	if (dev.flags)
		ret = stream_save(s, &dev, cut_whole);
	vdev_close(&dev);
	return ret;
}

/* In a process of its own, so that the tests find nothing open or mapped. */
static int save_good(void)
{
	int ends[2], status, ret;

	if (pipe(ends))
		return -errno;
	if (!fork()) {
		ret = save_device(&good);
		if (!ret)
			ret = stream_write(&good, ends[1], cut_whole);
		_exit(-ret);
	}
	close(ends[1]);
	ret = stream_read(&good, ends[0], cut_whole);
	close(ends[0]);
	wait(&status);
	return ret ?: -WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	int ret;

	test_bdf = take_bdf(&argc, argv);
	ret = test_harness_argv_check(argc, argv);
	if (ret != KSFT_PASS)
		return ret;
	if (!test_bdf) {
		fprintf(stderr, "usage: %s BDF [-h|-l|-t NAME|...]\n", argv[0]);
		return KSFT_FAIL;
	}
	ret = save_good();
	if (ret) {
		fprintf(stderr, "Bail out! %s cannot be opened and saved: %s\n",
			test_bdf, strerror(-ret));
		return KSFT_FAIL;
	}
	return test_harness_run(argc, argv);
}
