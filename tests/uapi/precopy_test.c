// SPDX-License-Identifier: GPL-2.0-only
/*
 * Saving while the device runs: what VFIO_MIG_GET_PRECOPY_INFO promises, and
 * the temporary end of the data.
 *
 * The uAPI calls its numbers estimates. Who decides by them when to stop a
 * guest wants them exact, and they can be on a device that is left alone.
 */
DEVICE_FIXTURE(precopy, NEEDS_PRECOPY);

#define HISTORY		4096

static int info_of(int fd, uint32_t argsz, void *at)
{
	struct vfio_precopy_info info = { .argsz = argsz };

	return ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, at ?: &info) ? -errno : 0;
}

/* points: 14 */
TEST_F_TIMEOUT(precopy, info_and_its_argument, LIMIT)
{
	struct vfio_precopy_info info = {
		.argsz = sizeof(info), .flags = 0x5a,
	};
	int fd;

	ASSERT_EQ(0, enter(&self->dev, VFIO_DEVICE_STATE_PRE_COPY, &fd));
	EXPECT_EQ(-EINVAL, info_of(fd, 0, NULL));
	EXPECT_EQ(-EINVAL, info_of(fd, sizeof(info) - 1, NULL));
	EXPECT_EQ(-EFAULT, info_of(fd, 0, (void *)1));
	EXPECT_EQ(0, info_of(fd, sizeof(info) + 100, NULL));
	EXPECT_EQ(0, info_of(fd, 0, &info));
	EXPECT_EQ(0x5a, info.flags);
	EXPECT_EQ(sizeof(info), info.argsz);
	close(fd);
}

TEST_F_TIMEOUT(precopy, info_and_the_state, LIMIT)
{
	uint32_t size = sizeof(struct vfio_precopy_info);
	int fd;

	ASSERT_EQ(0, enter(&self->dev, VFIO_DEVICE_STATE_PRE_COPY, &fd));
	EXPECT_EQ(0, info_of(fd, size, NULL));
	if (vdev_has_state(&self->dev, VFIO_DEVICE_STATE_PRE_COPY_P2P)) {
		ASSERT_EQ(0, vdev_go(&self->dev,
				     VFIO_DEVICE_STATE_PRE_COPY_P2P));
		EXPECT_EQ(0, info_of(fd, size, NULL));
	}
	ASSERT_EQ(0, vdev_go(&self->dev, VFIO_DEVICE_STATE_STOP_COPY));
	EXPECT_EQ(-EINVAL, info_of(fd, size, NULL));
	ASSERT_EQ(0, vdev_go(&self->dev, VFIO_DEVICE_STATE_STOP));
	EXPECT_EQ(-ENODEV, info_of(fd, size, NULL));
	close(fd);
	ASSERT_EQ(0, vdev_set_state(&self->dev, VFIO_DEVICE_STATE_STOP_COPY,
				    &fd));
	EXPECT_EQ(-EINVAL, info_of(fd, size, NULL));
	close(fd);
	/* Drivers whose file for loading has no ioctl at all say ENOTTY. */
	ASSERT_EQ(0, enter(&self->dev, VFIO_DEVICE_STATE_RESUMING, &fd));
	EXPECT_GT(0, info_of(fd, size, NULL));
	close(fd);
}

/**
 * struct history - what was said on the way to the temporary end
 * @at: bytes read before
 * @left: bytes that were said to come
 * @count: how often
 */
struct history {
	uint64_t at[HISTORY];
	uint64_t left[HISTORY];
	size_t count;
};

/* One question and one read of at most @most bytes: the read's result. */
static ssize_t ask_and_read(struct __test_metadata *_metadata,
			    struct history *h, struct stream *s, int fd,
			    uint64_t *initial, size_t most)
{
	uint64_t before = *initial, dirty;
	ssize_t n;

	ASSERT_EQ(0, vdev_precopy_info(fd, initial, &dirty));
	EXPECT_LE(*initial, before);
	if (h->count < HISTORY) {
		h->at[h->count] = s->len;
		h->left[h->count++] = *initial + dirty;
	}
	stream_reserve(s, most);
	n = read(fd, s->data + s->len, most);
	if (n > 0)
		s->len += n;
	else if (n < 0 && errno == ENOMSG)
		EXPECT_EQ(0, *initial + dirty);
	return n;
}

/* points: 13 */
TEST_F_TIMEOUT(precopy, estimates_are_exact, LIMIT)
{
	static struct history h;
	struct stream s = { 0 };
	uint64_t initial = ~0ull;
	ssize_t n;
	int fd;

	ASSERT_EQ(0, enter(&self->dev, VFIO_DEVICE_STATE_PRE_COPY, &fd));
	do {
		n = ask_and_read(_metadata, &h, &s, fd, &initial,
				 1 + random_below(50000));
	} while (n > 0);
	EXPECT_EQ(ENOMSG, errno);
	EXPECT_EQ(0, initial);
	EXPECT_LT(0, h.left[0]);
	for (size_t i = 0; i < h.count; i++)
		EXPECT_EQ(s.len, h.at[i] + h.left[i]);
	close(fd);
}

static void check_temporary_end(struct __test_metadata *_metadata, int fd)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	uint8_t byte;

	for (int i = 0; i < 10; i++) {
		EXPECT_EQ(-1, read(fd, &byte, 1));
		EXPECT_EQ(ENOMSG, errno);
	}
	EXPECT_EQ(0, poll(&poller, 1, 0));
}

/* points: 9, 10 */
TEST_F_TIMEOUT(precopy, ends_for_a_time, LIMIT)
{
	struct pollfd poller = { .events = POLLIN };
	struct stream s = { 0 };
	uint64_t initial, dirty;

	ASSERT_EQ(0, enter(&self->dev, VFIO_DEVICE_STATE_PRE_COPY,
			   &poller.fd));
	ASSERT_EQ(0, vdev_precopy_info(poller.fd, &initial, &dirty));
	EXPECT_LT(0, initial);
	ASSERT_EQ(-ENOMSG, stream_read(&s, poller.fd, cut_random));
	EXPECT_LE(initial, s.len);
	check_temporary_end(_metadata, poller.fd);

	ASSERT_EQ(0, vdev_go(&self->dev, VFIO_DEVICE_STATE_STOP_COPY));
	EXPECT_EQ(1, poll(&poller, 1, 1000 * LIMIT));
	EXPECT_EQ(POLLIN, poller.revents);
	EXPECT_EQ(0, stream_read(&s, poller.fd, cut_random));
	EXPECT_EQ(0, vdev_go(&self->dev, VFIO_DEVICE_STATE_STOP));
	EXPECT_EQ(0, stream_load(&s, &self->dev, cut_whole));
	close(poller.fd);
}

/* EAGAIN while data is on its way, ENOMSG only when none is. */
/* points: 10 */
TEST_F_TIMEOUT(precopy, nonblocking, LIMIT)
{
	struct pollfd poller = { .events = POLLIN };
	struct stream s = { 0 };
	uint64_t initial, dirty;
	int ret;

	ASSERT_EQ(0, enter(&self->dev, VFIO_DEVICE_STATE_PRE_COPY,
			   &poller.fd));
	ASSERT_EQ(0, fcntl(poller.fd, F_SETFL, O_NONBLOCK));
	ASSERT_EQ(0, vdev_precopy_info(poller.fd, &initial, &dirty));
	while ((ret = stream_read(&s, poller.fd, cut_random)) == -EAGAIN)
		ASSERT_EQ(1, poll(&poller, 1, 1000 * LIMIT));
	EXPECT_EQ(-ENOMSG, ret);
	EXPECT_EQ(initial + dirty, s.len);
	close(poller.fd);
}

struct asker {
	int fd;
	atomic_bool ends;
};

static void *ask_on(void *priv)
{
	struct asker *asker = priv;
	uint64_t initial, dirty;

	while (!atomic_load(&asker->ends))
		vdev_precopy_info(asker->fd, &initial, &dirty);
	return NULL;
}

/* An edge is told once: what is refused for a moment needs another one. */
/* points: 10 */
TEST_F_TIMEOUT(precopy, nonblocking_by_edge, LIMIT)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int epoll = epoll_create1(EPOLL_CLOEXEC), ret;
	struct stream s = { 0 };
	struct asker asker = { };
	uint64_t initial, dirty;
	pthread_t thread;

	ASSERT_EQ(0, enter(&self->dev, VFIO_DEVICE_STATE_PRE_COPY, &asker.fd));
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, asker.fd, &event) && errno == EPERM)
		SKIP(return, "its files cannot be polled");
	ASSERT_EQ(0, fcntl(asker.fd, F_SETFL, O_NONBLOCK));
	ASSERT_EQ(0, vdev_precopy_info(asker.fd, &initial, &dirty));
	ASSERT_EQ(0, pthread_create(&thread, NULL, ask_on, &asker));
	while ((ret = stream_read(&s, asker.fd, cut_random)) == -EAGAIN)
		if (epoll_wait(epoll, &event, 1, 1000 * LIMIT / 2) != 1)
			break;
	atomic_store(&asker.ends, true);
	pthread_join(thread, NULL);
	EXPECT_EQ(-ENOMSG, ret);
	EXPECT_EQ(initial + dirty, s.len);
	close(epoll);
	close(asker.fd);
}

static void *wait_for_event(void *priv)
{
	struct pollfd *poller = priv;

	sem_post(&moved);
	poll(poller, 1, 1000 * LIMIT);
	return NULL;
}

/* points: 10 */
TEST_F_TIMEOUT(precopy, reset_wakes_who_polls, LIMIT)
{
	struct pollfd poller = { .events = POLLIN };
	struct stream s = { 0 };
	pthread_t thread;

	ASSERT_EQ(0, sem_init(&moved, 0, 0));
	ASSERT_EQ(0, enter(&self->dev, VFIO_DEVICE_STATE_PRE_COPY,
			   &poller.fd));
	ASSERT_EQ(-ENOMSG, stream_read(&s, poller.fd, cut_whole));
	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_for_event, &poller));
	while (sem_wait(&moved))
		;
	ASSERT_EQ(0, vdev_reset(&self->dev));
	pthread_join(thread, NULL);
	EXPECT_NE(0, poller.revents & (POLLIN | POLLERR));
	EXPECT_TRUE(is_dead(poller.fd));
	close(poller.fd);
}

TEST_F_TIMEOUT(precopy, given_up_and_begun_anew, LIMIT)
{
	uint64_t first, initial, dirty;
	struct stream s = { 0 };
	int fd;

	for (int round = 0; round < 3; round++) {
		ASSERT_EQ(0, vdev_set_state(&self->dev,
					    VFIO_DEVICE_STATE_PRE_COPY, &fd));
		ASSERT_EQ(0, vdev_precopy_info(fd, &initial, &dirty));
		if (!round)
			first = initial;
		EXPECT_EQ(first, initial);
		if (round == 1)
			ASSERT_EQ(-ENOMSG, stream_read(&s, fd, cut_whole));
		ASSERT_EQ(0, vdev_go(&self->dev, VFIO_DEVICE_STATE_RUNNING));
		EXPECT_TRUE(is_dead(fd));
		close(fd);
	}
}

/* How a save gets from pre-copy to its end. */
static int finish(struct vdev *dev, int fd, struct stream *s, bool to_and_fro)
{
	int ret = 0;

	for (int i = 0; to_and_fro && !ret && i < 4; i++) {
		stream_reserve(s, 3000);
		s->len += read(fd, s->data + s->len, 3000);
		ret = vdev_go(dev, i & 1 ? VFIO_DEVICE_STATE_PRE_COPY :
					   VFIO_DEVICE_STATE_PRE_COPY_P2P);
	}
	ret = ret ?: vdev_go(dev, VFIO_DEVICE_STATE_STOP_COPY);
	ret = ret ?: stream_read(s, fd, cut_random);
	return ret ?: vdev_go(dev, VFIO_DEVICE_STATE_STOP);
}

TEST_F_TIMEOUT(precopy, nothing_read_before_the_stop, LIMIT)
{
	struct stream s = { 0 };
	int fd;

	ASSERT_EQ(0, enter(&self->dev, VFIO_DEVICE_STATE_PRE_COPY, &fd));
	ASSERT_EQ(0, finish(&self->dev, fd, &s, false));
	EXPECT_EQ(0, stream_load(&s, &self->dev, cut_random));
	close(fd);
}

TEST_F_TIMEOUT(precopy, to_p2p_and_fro, LIMIT)
{
	struct stream s = { 0 };
	int fd;

	if (!vdev_has_state(&self->dev, VFIO_DEVICE_STATE_PRE_COPY_P2P))
		SKIP(return, "no P2P");
	ASSERT_EQ(0, enter(&self->dev, VFIO_DEVICE_STATE_PRE_COPY, &fd));
	ASSERT_EQ(0, finish(&self->dev, fd, &s, true));
	EXPECT_EQ(0, stream_load(&s, &self->dev, cut_random));
	close(fd);
}

/* The device changes its state after that was read: it is given again. */
/* points: 15 */
TEST_F_TIMEOUT(precopy, changes_are_given_again, LIMIT)
{
	const struct plugin *plugin = start_plugin(&self->dev);
	struct stream s = { 0 }, saved = { 0 }, loaded = { 0 };
	uint64_t initial, dirty;
	size_t before;
	int fd;

	if (!plugin)
		SKIP(return, "no plug-in for this device");
	ASSERT_EQ(0, vdev_set_state(&self->dev, VFIO_DEVICE_STATE_PRE_COPY,
				    &fd));
	for (int round = 0; round < 5; round++) {
		ASSERT_EQ(-ENOMSG, stream_read(&s, fd, cut_random));
		for (int i = 0; i <= round; i++)
			ASSERT_EQ(0,
				  plugin->touch(random_below(plugin->units)));
		ASSERT_EQ(0, vdev_precopy_info(fd, &initial, &dirty));
		EXPECT_EQ(0, initial);
		EXPECT_LT(plugin->unit, dirty);
		before = s.len;
		ASSERT_EQ(-ENOMSG, stream_read(&s, fd, cut_random));
		EXPECT_EQ(dirty, s.len - before);
	}
	ASSERT_EQ(0, plugin->touch(0));
	ASSERT_EQ(0, finish(&self->dev, fd, &s, false));
	close(fd);

	reference(_metadata, &self->dev, &saved);
	ASSERT_EQ(0, stream_load(&good, &self->dev, cut_whole));
	ASSERT_EQ(0, stream_load(&s, &self->dev, cut_whole));
	ASSERT_EQ(0, stream_save(&loaded, &self->dev, cut_whole));
	if (saved.len)
		EXPECT_TRUE(stream_same(&saved, &loaded));
}
