/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every test begins with: the device, freshly opened and in RUNNING, both
 * by a group and by an iommufd. A test that needs what the device or the
 * kernel lacks is skipped.
 *
 * A device whose load was given up may be left without a state worth saving.
 * So all tests have a good stream at hand, saved before the first of them, and
 * load it where they leave such a device behind.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "plugin.h"
#include "stream.h"
#include "vdev.h"

#define NEEDS_MIGRATION	1U
#define NEEDS_PRECOPY	2U
#define NEEDS_LOG	4U

/* Seconds for a test. Emulated devices on busy machines are slow. */
#define LIMIT		300

#define PLUGIN_IOVA	0x10000000ull

static const char *test_bdf;
static struct stream good;

static const struct plugin *find_plugin(const struct vdev *dev)
{
	static const struct plugin * const all[] = { &lmf_plugin };
	const char *wanted = getenv("VFIO_TEST_PLUGIN");

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if ((!wanted || !strcmp(wanted, all[i]->name)) &&
		    all[i]->probe(dev))
			return all[i];
	return NULL;
}

/* The plug-in, ready to do DMA, or NULL. The device is in RUNNING. */
static const struct plugin *start_plugin(const struct vdev *dev)
{
	const struct plugin *plugin = find_plugin(dev);
	static void *memory;

	if (!plugin)
		return NULL;
	if (!memory) {
		memory = mmap(NULL, PLUGIN_BYTES, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED ||
		    vdev_map(dev, memory, PLUGIN_BYTES, PLUGIN_IOVA))
			return NULL;
	}
	return plugin->start(dev, memory, PLUGIN_IOVA) ? NULL : plugin;
}

/* To RUNNING, with a whole state, past all that went before. */
static int renew(struct vdev *dev)
{
	int ret = vdev_reset(dev);

	if (ret || !dev->hollow)
		return ret;
	return stream_load(&good, dev, cut_whole) ?: vdev_reset(dev);
}

static int enter(struct vdev *dev, uint32_t state, int *data_fd)
{
	return renew(dev) ?: vdev_set_state(dev, state, data_fd);
}

/* A data_fd without a session. */
static bool is_dead(int fd)
{
	uint8_t byte = 0;

	if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
		return read(fd, &byte, 1) < 0 && errno == ENODEV;
	return write(fd, &byte, 1) < 0 && errno == ENODEV;
}

static const char *missing(const struct vdev *dev, unsigned int needs)
{
	if (needs & NEEDS_MIGRATION && !dev->flags)
		return "no migration";
	if (needs & NEEDS_PRECOPY && !(dev->flags & VFIO_MIGRATION_PRE_COPY))
		return "no pre-copy";
	if (needs & NEEDS_LOG && !dev->log)
		return "no DMA logging";
	return NULL;
}

static void setup(struct __test_metadata *_metadata, struct vdev *dev,
		  enum vdev_mode mode, unsigned int needs)
{
	int ret = vdev_open(dev, test_bdf, mode);

	if (ret == -ENOENT)
		SKIP(return, "not offered by this kernel");
	ASSERT_EQ(0, ret);
	if (missing(dev, needs))
		SKIP(return, "%s", missing(dev, needs));
	if (needs & NEEDS_MIGRATION)
		ASSERT_EQ(VFIO_DEVICE_STATE_RUNNING, vdev_state(dev));
}

static void teardown(struct vdev *dev)
{
	if (dev->fd >= 0 && dev->hollow)
		renew(dev);
	vdev_close(dev);
}

#define DEVICE_FIXTURE(name, needs)					\
	FIXTURE(name) {							\
		struct vdev dev;					\
	};								\
	FIXTURE_VARIANT(name) {						\
		enum vdev_mode mode;					\
	};								\
	FIXTURE_VARIANT_ADD(name, group) { .mode = VDEV_GROUP };	\
	FIXTURE_VARIANT_ADD(name, iommufd) { .mode = VDEV_IOMMUFD };	\
	FIXTURE_SETUP(name)						\
	{								\
		setup(_metadata, &self->dev, variant->mode, needs);	\
	}								\
	FIXTURE_TEARDOWN(name)						\
	{								\
		teardown(&self->dev);					\
	}

#endif
