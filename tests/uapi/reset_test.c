// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resets in every state and in the middle of everything. A reset is told to the
 * driver while the kernel holds locks that a fault on a BAR takes, too; so a
 * driver that waits for its reader there, while the reader waits for such a
 * fault, never comes back.
 */
#include <linux/pci_regs.h>

DEVICE_FIXTURE(reset, NEEDS_MIGRATION);

#define STORM_ROUNDS	15

static void expect_reset(struct __test_metadata *_metadata, struct vdev *dev,
			 int data_fd)
{
	uint64_t size;

	EXPECT_EQ(VFIO_DEVICE_STATE_RUNNING, vdev_state(dev));
	if (data_fd >= 0)
		EXPECT_TRUE(is_dead(data_fd));
	if (!vdev_data_size(dev, &size))
		EXPECT_LT(0, size);
	close(data_fd);
}

/* points: 36 */
TEST_F_TIMEOUT(reset, in_every_state, LIMIT)
{
	int fd;

	for (uint32_t state = 1; state < VFIO_DEVICE_STATE_NR; state++) {
		if (!vdev_has_state(&self->dev, state))
			continue;
		ASSERT_EQ(0, enter(&self->dev, state, &fd));
		ASSERT_EQ(0, vdev_reset(&self->dev));
		expect_reset(_metadata, &self->dev, fd);
	}
}

/* Offset of the PCI Express capability, or 0. */
static unsigned int find_express(const struct vdev *dev)
{
	uint8_t at = 0, cap[2];

	vdev_read_config(dev, PCI_CAPABILITY_LIST, &at, 1);
	for (int i = 0; at && i < 48; i++) {
		if (vdev_read_config(dev, at, cap, 2))
			return 0;
		if (cap[0] == PCI_CAP_ID_EXP)
			return at;
		at = cap[1];
	}
	return 0;
}

/* As a guest does it. */
/* points: 37 */
TEST_F_TIMEOUT(reset, through_config_space, LIMIT)
{
	unsigned int express = find_express(&self->dev);
	uint32_t caps = 0;
	uint16_t control;
	int fd;

	if (express)
		vdev_read_config(&self->dev, express + PCI_EXP_DEVCAP, &caps,
				 4);
	if (!(caps & PCI_EXP_DEVCAP_FLR))
		SKIP(return, "no FLR");
	for (uint32_t state = 1; state < VFIO_DEVICE_STATE_NR; state++) {
		if (!vdev_has_state(&self->dev, state))
			continue;
		ASSERT_EQ(0, enter(&self->dev, state, &fd));
		ASSERT_EQ(0, vdev_read_config(&self->dev,
					      express + PCI_EXP_DEVCTL,
					      &control, 2));
		control |= PCI_EXP_DEVCTL_BCR_FLR;
		ASSERT_EQ(0, vdev_write_config(&self->dev,
					       express + PCI_EXP_DEVCTL,
					       &control, 2));
		expect_reset(_metadata, &self->dev, fd);
	}
}

TEST_F_TIMEOUT(reset, through_sysfs, LIMIT)
{
	int fd;

	for (uint32_t state = 1; state < VFIO_DEVICE_STATE_NR; state++) {
		if (!vdev_has_state(&self->dev, state))
			continue;
		ASSERT_EQ(0, enter(&self->dev, state, &fd));
		if (pci_write(test_bdf, "reset", "1"))
			SKIP(return, "no reset in sysfs");
		expect_reset(_metadata, &self->dev, fd);
	}
}

/**
 * struct bar_io - a thread that moves data to or from a BAR
 * @dev: device
 * @plugin: knows a harmless place
 * @fd: data_fd
 * @writes: it is one that takes
 * @err: what ended it
 * @moves: read() or write() that moved something, in all rounds
 * @unmapped: rounds in which the place could not be had
 */
struct bar_io {
	const struct vdev *dev;
	const struct plugin *plugin;
	int fd;
	bool writes;
	int err;
	unsigned int moves;
	unsigned int unmapped;
};

/* A new mapping each time: nothing of it is faulted in yet. */
static void *move_through_bar(void *priv)
{
	struct bar_io *io = priv;
	size_t bytes;
	ssize_t n;
	void *at;

	do {
		at = io->plugin->scratch(io->dev, &bytes);
		io->unmapped += !at;
		n = io->writes ? write(io->fd, at, bytes) :
				 read(io->fd, at, bytes);
		io->err = n < 0 ? errno : 0;
		io->moves += n > 0;
		sem_post(&moved);
	} while (n > 0);
	return NULL;
}

static void bar_storm(struct __test_metadata *_metadata, struct vdev *dev,
		      const struct plugin *plugin, bool writes)
{
	struct bar_io io = {
		.dev = dev, .plugin = plugin, .writes = writes,
	};
	pthread_t thread;

	ASSERT_EQ(0, sem_init(&moved, 0, 0));
	ASSERT_EQ(0, vdev_reset(dev));
	for (int round = 0; round < STORM_ROUNDS; round++) {
		ASSERT_EQ(0, vdev_set_state(dev, writes ?
					    VFIO_DEVICE_STATE_RESUMING :
					    VFIO_DEVICE_STATE_STOP_COPY,
					    &io.fd));
		ASSERT_EQ(0, pthread_create(&thread, NULL, move_through_bar,
					    &io));
		while (sem_wait(&moved))
			;
		ASSERT_EQ(0, vdev_reset(dev));
		pthread_join(thread, NULL);
		EXPECT_TRUE(writes || io.err == ENODEV || io.err == EFAULT ||
			    !io.err)
			TH_LOG("%s", strerror(io.err));
		close(io.fd);
	}
	EXPECT_EQ(0, io.unmapped);
	/* What the BAR holds is no stream: a write() of it may be refused. */
	EXPECT_TRUE(writes || io.moves);
}

/* points: 36 */
TEST_F_TIMEOUT(reset, storm_while_reading_into_a_bar, LIMIT)
{
	const struct plugin *plugin = start_plugin(&self->dev);

	if (!plugin || !plugin->scratch)
		SKIP(return, "no plug-in that knows a BAR to write to");
	bar_storm(_metadata, &self->dev, plugin, false);
}

/* points: 36 */
TEST_F_TIMEOUT(reset, storm_while_writing_from_a_bar, LIMIT)
{
	const struct plugin *plugin = start_plugin(&self->dev);

	if (!plugin || !plugin->scratch)
		SKIP(return, "no plug-in that knows a BAR to read from");
	bar_storm(_metadata, &self->dev, plugin, true);
}

static atomic_bool storm_is_over;

static void *ask_on_and_on(void *priv)
{
	struct vdev *dev = priv;
	uint64_t bitmap[8], size, page_size = PAGE;
	uintptr_t bad = 0;
	int fd;

	while (!storm_is_over) {
		bad += vdev_state(dev) < 0;
		bad += vdev_data_size(dev, &size) || !size;
		if (dev->log && vdev_log_report(dev, LOG_IOVA, 512 * PAGE,
						PAGE, bitmap))
			vdev_log_one(dev, &page_size, LOG_IOVA, LOG_BYTES);
		if (!vdev_set_state(dev, VFIO_DEVICE_STATE_STOP_COPY, &fd))
			close(fd);
	}
	return (void *)bad;
}

/* Each call has an answer, and the one after the last reset has the truth. */
/* points: 36 */
TEST_F_TIMEOUT(reset, storm_over_all_calls, LIMIT)
{
	pthread_t threads[2];
	void *bad;

	storm_is_over = false;
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, ask_on_and_on,
					    &self->dev));
	for (int round = 0; round < 2 * STORM_ROUNDS; round++)
		EXPECT_EQ(0, vdev_reset(&self->dev));
	storm_is_over = true;
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		pthread_join(threads[i], &bad);
		EXPECT_EQ(NULL, bad);
	}
	ASSERT_EQ(0, vdev_reset(&self->dev));
	EXPECT_EQ(VFIO_DEVICE_STATE_RUNNING, vdev_state(&self->dev));
}
