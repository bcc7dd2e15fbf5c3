// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that outlive what they belong to, and processes that do not live to
 * the end. A data_fd holds nothing but itself: not the device, nor its driver,
 * nor the function.
 */
#include <sys/eventfd.h>

DEVICE_FIXTURE(lifetime, NEEDS_MIGRATION);

#define FILES		4

/**
 * struct place - a function and its driver, to be put back
 * @driver: of the function
 * @override: driver_override, as it was
 * @pf: its PF, or ""
 * @vfs: sriov_numvfs of that
 */
struct place {
	char driver[64];
	char override[64];
	char pf[64];
	char vfs[16];
};

static void find_place(struct __test_metadata *_metadata, struct place *p)
{
	*p = (struct place){ 0 };
	ASSERT_EQ(0, pci_link(test_bdf, "driver", p->driver,
			      sizeof(p->driver)));
	pci_read(test_bdf, "driver_override", p->override,
		 sizeof(p->override));
	if (!pci_link(test_bdf, "physfn", p->pf, sizeof(p->pf)))
		pci_read(p->pf, "sriov_numvfs", p->vfs, sizeof(p->vfs));
}

static int put_back(const struct place *p)
{
	char now[64] = "";
	int ret = 0;

	pci_link(test_bdf, "driver", now, sizeof(now));
	if (strcmp(now, p->driver))
		ret = pci_bind(test_bdf, p->driver);
	return ret ?: pci_write(test_bdf, "driver_override",
				strcmp(p->override, "(null)") ? p->override :
								"\n");
}

/* Taking away the VFs of a PF hurts nobody if ours is the only one in use. */
static bool others_use_the_pf(const struct place *p)
{
	char name[32], bdf[64], driver[64];
	int vfs = atoi(p->vfs);

	for (int i = 0; i < vfs; i++) {
		snprintf(name, sizeof(name), "virtfn%d", i);
		if (!pci_link(p->pf, name, bdf, sizeof(bdf)) &&
		    strcmp(bdf, test_bdf) &&
		    !pci_link(bdf, "driver", driver, sizeof(driver)))
			return true;
	}
	return false;
}

static void expect_dead(struct __test_metadata *_metadata, int fd)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) };
	struct pollfd poller = { .fd = fd, .events = POLLIN | POLLOUT };

	EXPECT_TRUE(is_dead(fd));
	EXPECT_EQ(1, poll(&poller, 1, 0));
	EXPECT_NE(0, poller.revents);
	EXPECT_EQ(-1, ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, &info));
}

/* A file of each kind, each of a session of its own, the last one's alive. */
static int open_files(struct vdev *dev, int *files, uint32_t last)
{
	static const uint32_t states[FILES - 1] = {
		VFIO_DEVICE_STATE_RESUMING, VFIO_DEVICE_STATE_STOP_COPY,
		VFIO_DEVICE_STATE_PRE_COPY,
	};
	uint8_t room[100];
	int ret = 0;

	for (int i = 0; i < FILES; i++) {
		uint32_t state = i < FILES - 1 ? states[i] : last;

		files[i] = -1;
		if (ret || !vdev_has_state(dev, state))
			continue;
		ret = enter(dev, state, &files[i]);
		if (!ret && state != VFIO_DEVICE_STATE_RESUMING)
			ret = read(files[i], room, sizeof(room)) > 0 ? 0 : -EIO;
	}
	return ret;
}

static void close_files(struct __test_metadata *_metadata, int *files)
{
	for (int i = 0; i < FILES; i++) {
		if (files[i] < 0)
			continue;
		expect_dead(_metadata, files[i]);
		close(files[i]);
	}
}

static const uint32_t last_states[] = {
	VFIO_DEVICE_STATE_STOP_COPY, VFIO_DEVICE_STATE_RESUMING,
	VFIO_DEVICE_STATE_PRE_COPY, VFIO_DEVICE_STATE_PRE_COPY_P2P,
};

/* The device comes back as if nothing had been. */
static void reopen(struct __test_metadata *_metadata, struct vdev *dev,
		   enum vdev_mode mode, bool hollow)
{
	struct stream s = { 0 };

	ASSERT_EQ(0, vdev_open(dev, test_bdf, mode));
	EXPECT_EQ(VFIO_DEVICE_STATE_RUNNING, vdev_state(dev));
	dev->hollow = hollow;
	ASSERT_EQ(0, renew(dev));
	EXPECT_EQ(0, stream_save(&s, dev, cut_whole));
	stream_free(&s);
}

/* points: 8 */
TEST_F_TIMEOUT(lifetime, files_after_the_close, LIMIT)
{
	enum vdev_mode mode = self->dev.mode;
	int files[FILES];
	bool hollow;

	for (size_t i = 0; i < ARRAY_SIZE(last_states); i++) {
		ASSERT_EQ(0, open_files(&self->dev, files, last_states[i]));
		hollow = self->dev.hollow;
		vdev_close(&self->dev);
		for (int file = 0; file < FILES; file++)
			if (files[file] >= 0)
				expect_dead(_metadata, files[file]);
		reopen(_metadata, &self->dev, mode, hollow);
		close_files(_metadata, files);
	}
}

/* Users of the driver's module, or -1 if it is built in. */
static int module_users(void)
{
	char text[32];

	if (pci_read(test_bdf, "driver/module/refcnt", text, sizeof(text)))
		return -1;
	return atoi(text);
}

/* The code that a file's calls lead to stays for as long as the file. */
/* points: 8 */
TEST_F_TIMEOUT(lifetime, files_keep_the_module, LIMIT)
{
	enum vdev_mode mode = self->dev.mode;
	int files[FILES], with, count = 0;
	bool hollow;

	if (module_users() < 0)
		SKIP(return, "the driver is no module");
	ASSERT_EQ(0, open_files(&self->dev, files, last_states[0]));
	hollow = self->dev.hollow;
	vdev_close(&self->dev);
	with = module_users();
	for (int file = 0; file < FILES; file++)
		count += files[file] >= 0;
	close_files(_metadata, files);
	EXPECT_LT(0, count);
	EXPECT_EQ(with - count, module_users());
	reopen(_metadata, &self->dev, mode, hollow);
}

/* points: 8 */
TEST_F_TIMEOUT(lifetime, files_after_the_unbind, LIMIT)
{
	enum vdev_mode mode = self->dev.mode;
	int files[FILES];
	struct place place;
	bool hollow;

	find_place(_metadata, &place);
	for (size_t i = 0; i < ARRAY_SIZE(last_states); i++) {
		ASSERT_EQ(0, open_files(&self->dev, files, last_states[i]));
		hollow = self->dev.hollow;
		vdev_close(&self->dev);
		ASSERT_EQ(0, pci_unbind(test_bdf));
		for (int file = 0; file < FILES; file++)
			if (files[file] >= 0)
				expect_dead(_metadata, files[file]);
		/* Half of them are closed while there is no driver. */
		if (i & 1)
			close_files(_metadata, files);
		ASSERT_EQ(0, put_back(&place));
		reopen(_metadata, &self->dev, mode, hollow);
		if (!(i & 1))
			close_files(_metadata, files);
	}
}

/* points: 8, 38 */
TEST_F_TIMEOUT(lifetime, files_after_the_function, LIMIT)
{
	enum vdev_mode mode = self->dev.mode;
	int files[FILES];
	struct place place;

	find_place(_metadata, &place);
	if (!place.pf[0] || others_use_the_pf(&place))
		SKIP(return, "no VF, or not the only one in use");
	for (size_t i = 0; i < ARRAY_SIZE(last_states); i++) {
		ASSERT_EQ(0, open_files(&self->dev, files, last_states[i]));
		vdev_close(&self->dev);
		ASSERT_EQ(0, pci_write(place.pf, "sriov_numvfs", "0"));
		for (int file = 0; file < FILES; file++)
			if (files[file] >= 0)
				expect_dead(_metadata, files[file]);
		ASSERT_EQ(0, pci_write(place.pf, "sriov_numvfs", place.vfs));
		ASSERT_EQ(0, put_back(&place));
		reopen(_metadata, &self->dev, mode, true);
		close_files(_metadata, files);
	}
}

/* An eventfd that the kernel signals when it wants the device back. */
static int ask_for_requests(const struct vdev *dev)
{
	uint64_t room[4] = { 0 };
	struct vfio_irq_set *irq = (void *)room;
	int32_t fd = eventfd(0, EFD_CLOEXEC);

	irq->argsz = sizeof(*irq) + sizeof(fd);
	irq->flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
	irq->index = VFIO_PCI_REQ_IRQ_INDEX;
	irq->count = 1;
	memcpy(irq->data, &fd, sizeof(fd));
	return ioctl(dev->fd, VFIO_DEVICE_SET_IRQS, irq) ? -errno : fd;
}

/* The user goes on until he is asked to let go, and a bit beyond. */
static void taken_away(struct __test_metadata *_metadata, struct vdev *dev,
		       const char *bdf, const char *name, const char *text)
{
	struct pollfd poller = { .events = POLLIN };
	struct stream s = { 0 };
	int files[FILES], status;
	pid_t child;

	ASSERT_EQ(0, open_files(dev, files, VFIO_DEVICE_STATE_STOP_COPY));
	poller.fd = ask_for_requests(dev);
	ASSERT_LE(0, poller.fd);
	child = fork();
	if (!child) {
		vdev_close(dev);
		_exit(!!pci_write(bdf, name, text));
	}
	ASSERT_EQ(1, poll(&poller, 1, 1000 * LIMIT));
	EXPECT_EQ(VFIO_DEVICE_STATE_STOP_COPY, vdev_state(dev));
	EXPECT_EQ(0, stream_read(&s, files[FILES - 1], cut_random));
	EXPECT_EQ(0, vdev_go(dev, VFIO_DEVICE_STATE_STOP));
	vdev_close(dev);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	close_files(_metadata, files);
	stream_free(&s);
}

/* points: 8 */
TEST_F_TIMEOUT(lifetime, unbind_of_an_open_device, LIMIT)
{
	enum vdev_mode mode = self->dev.mode;
	struct place place;

	find_place(_metadata, &place);
	taken_away(_metadata, &self->dev, test_bdf, "driver/unbind", test_bdf);
	ASSERT_EQ(0, put_back(&place));
	reopen(_metadata, &self->dev, mode, true);
}

/* points: 38 */
TEST_F_TIMEOUT(lifetime, end_of_an_open_function, LIMIT)
{
	enum vdev_mode mode = self->dev.mode;
	struct place place;

	find_place(_metadata, &place);
	if (!place.pf[0] || others_use_the_pf(&place))
		SKIP(return, "no VF, or not the only one in use");
	taken_away(_metadata, &self->dev, place.pf, "sriov_numvfs", "0");
	ASSERT_EQ(0, pci_write(place.pf, "sriov_numvfs", place.vfs));
	ASSERT_EQ(0, put_back(&place));
	reopen(_metadata, &self->dev, mode, true);
}

#define KILLS		20
#define KILL_STEPS	40

/* What a VMM does, without an order; a byte into the pipe before each call. */
static void live(struct vdev *dev, int told)
{
	uint64_t bitmap[8], page_size, size;
	uint8_t room[5000];
	ssize_t done;
	int fd = -1;

	for (;;) {
		done = write(told, "", 1);
		switch (random_below(7)) {
		case 0:
			close(fd);
			vdev_set_state(dev, random_below(STATES), &fd);
			break;
		case 1:
			done += write(fd, good.data, good.len);
			break;
		case 2:
			page_size = PAGE;
			vdev_log_one(dev, &page_size, LOG_IOVA, LOG_BYTES);
			break;
		case 3:
			vdev_log_report(dev, LOG_IOVA, 512 * PAGE, PAGE,
					bitmap);
			break;
		case 4:
			vdev_data_size(dev, &size);
			break;
		case 5:
			vdev_reset(dev);
			break;
		default:
			done += read(fd, room, sizeof(room));
		}
	}
}

/* points: 12 */
TEST_F_TIMEOUT(lifetime, killed_anywhere, LIMIT)
{
	enum vdev_mode mode = self->dev.mode;
	int ends[2], status;
	uint8_t byte;
	pid_t child;

	vdev_close(&self->dev);
	for (int round = 0; round < KILLS; round++) {
		ASSERT_EQ(0, pipe(ends));
		random_seed(round + 1);
		child = fork();
		if (!child) {
			if (!vdev_open(&self->dev, test_bdf, mode))
				live(&self->dev, ends[1]);
			_exit(1);
		}
		close(ends[1]);
		for (uint64_t n = 1 + random_below(KILL_STEPS); n; n--)
			ASSERT_EQ(1, read(ends[0], &byte, 1));
		ASSERT_EQ(0, kill(child, SIGKILL));
		ASSERT_EQ(child, waitpid(child, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
		close(ends[0]);
		reopen(_metadata, &self->dev, mode, true);
		vdev_close(&self->dev);
	}
}
