// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files of a session: what may be done with them, and that neither the
 * pieces in which bytes are moved nor a call that failed changes the bytes.
 *
 * Where a device that is saved twice gives the same bytes, one way of reading
 * is judged by another; else only by whether the stream can be loaded.
 */
DEVICE_FIXTURE(data_fd, NEEDS_MIGRATION);

/* The same state as saved by plain reads. */
static void reference(struct __test_metadata *_metadata, struct vdev *dev,
		      struct stream *ref)
{
	struct stream twice = { 0 };

	ASSERT_EQ(0, stream_save(ref, dev, cut_whole));
	ASSERT_EQ(0, stream_save(&twice, dev, cut_whole));
	if (!stream_same(ref, &twice))
		ref->len = 0;
	stream_free(&twice);
}

static void judge(struct __test_metadata *_metadata, struct vdev *dev,
		  const struct stream *ref, const struct stream *s)
{
	if (ref->len)
		EXPECT_TRUE(stream_same(ref, s))
			TH_LOG("%zu bytes of %zu", s->len, ref->len);
	EXPECT_EQ(0, stream_load(s, dev, cut_whole));
	EXPECT_EQ(0, vdev_go(dev, VFIO_DEVICE_STATE_RUNNING));
}

TEST_F_TIMEOUT(data_fd, is_a_stream, LIMIT)
{
	uint8_t byte;
	int fd;

	ASSERT_EQ(0, enter(&self->dev, VFIO_DEVICE_STATE_STOP_COPY, &fd));
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(O_RDONLY, fcntl(fd, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(-1, lseek(fd, 0, SEEK_CUR));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, pread(fd, &byte, 1, 0));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, write(fd, &byte, 1));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, ioctl(fd, VFIO_DEVICE_RESET));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0));
	close(fd);

	ASSERT_EQ(0, enter(&self->dev, VFIO_DEVICE_STATE_RESUMING, &fd));
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(O_WRONLY, fcntl(fd, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(-1, pwrite(fd, &byte, 1, 0));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, read(fd, &byte, 1));
	EXPECT_EQ(EBADF, errno);
	close(fd);
}

/* points: 21 */
TEST_F_TIMEOUT(data_fd, reads_of_any_size, LIMIT)
{
	struct stream ref = { 0 }, s = { 0 };

	reference(_metadata, &self->dev, &ref);
	ASSERT_EQ(0, stream_save(&s, &self->dev, cut_bytes));
	judge(_metadata, &self->dev, &ref, &s);
	ASSERT_EQ(0, stream_save(&s, &self->dev, cut_random));
	judge(_metadata, &self->dev, &ref, &s);
}

/* points: 21 */
TEST_F_TIMEOUT(data_fd, writes_of_any_size, LIMIT)
{
	static const stream_cut cuts[] = { cut_whole, cut_bytes, cut_random };
	struct stream s = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(cuts); i++) {
		EXPECT_EQ(0, stream_load(&good, &self->dev, cuts[i]));
		ASSERT_EQ(0, stream_save(&s, &self->dev, cut_whole));
		EXPECT_EQ(0, stream_load(&s, &self->dev, cuts[i]));
	}
}

TEST_F_TIMEOUT(data_fd, vectors, LIMIT)
{
	struct stream ref = { 0 }, s = { 0 };
	uint8_t room[3][1000];
	struct iovec iov[3];
	ssize_t n;
	int fd;

	reference(_metadata, &self->dev, &ref);
	for (int i = 0; i < 3; i++)
		iov[i] = (struct iovec){ room[i], sizeof(room[i]) };
	ASSERT_EQ(0, enter(&self->dev, VFIO_DEVICE_STATE_STOP_COPY, &fd));
	while ((n = readv(fd, iov, 3)) > 0)
		stream_add(&s, room, n);
	EXPECT_EQ(0, n);
	close(fd);
	judge(_metadata, &self->dev, &ref, &s);
}

/* points: 9, 10 */
TEST_F_TIMEOUT(data_fd, end_is_for_ever, LIMIT)
{
	struct stream s = { 0 };
	struct pollfd poller;
	uint8_t byte;
	int fd;

	ASSERT_EQ(0, enter(&self->dev, VFIO_DEVICE_STATE_STOP_COPY, &fd));
	ASSERT_EQ(0, read(fd, &byte, 0));
	ASSERT_EQ(0, stream_read(&s, fd, cut_whole));
	ASSERT_LT(0, s.len);
	poller = (struct pollfd){ .fd = fd, .events = POLLIN };
	for (int i = 0; i < 100; i++) {
		ASSERT_EQ(0, read(fd, &byte, 1));
		ASSERT_EQ(1, poll(&poller, 1, 0));
		ASSERT_EQ(POLLIN, poller.revents);
	}
	close(fd);
}

/* points: 10 */
TEST_F_TIMEOUT(data_fd, nonblocking_reads, LIMIT)
{
	struct stream ref = { 0 }, s = { 0 };
	struct pollfd poller;
	int fd, ret;

	reference(_metadata, &self->dev, &ref);
	ASSERT_EQ(0, enter(&self->dev, VFIO_DEVICE_STATE_STOP_COPY, &fd));
	ASSERT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	poller = (struct pollfd){ .fd = fd, .events = POLLIN };
	while ((ret = stream_read(&s, fd, cut_random)) == -EAGAIN)
		ASSERT_EQ(1, poll(&poller, 1, 1000 * LIMIT));
	EXPECT_EQ(0, ret);
	close(fd);
	judge(_metadata, &self->dev, &ref, &s);
}

TEST_F_TIMEOUT(data_fd, nonblocking_writes, LIMIT)
{
	struct stream left = { 0 };
	struct pollfd poller;
	ssize_t n;
	int fd;

	ASSERT_EQ(0, enter(&self->dev, VFIO_DEVICE_STATE_RESUMING, &fd));
	ASSERT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	poller = (struct pollfd){ .fd = fd, .events = POLLOUT };
	left = good;
	while (left.len) {
		ASSERT_EQ(1, poll(&poller, 1, 1000 * LIMIT));
		ASSERT_EQ(POLLOUT, poller.revents);
		n = write(fd, left.data, left.len);
		if (n < 0) {
			ASSERT_EQ(EAGAIN, errno);
			continue;
		}
		left.data += n;
		left.len -= n;
	}
	close(fd);
	EXPECT_EQ(0, vdev_go(&self->dev, VFIO_DEVICE_STATE_STOP));
}

/* The page after the returned one cannot be accessed. */
static uint8_t *page_at_the_edge(struct __test_metadata *_metadata)
{
	size_t page = getpagesize();
	uint8_t *at = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, at);
	ASSERT_EQ(0, mprotect(at + page, page, PROT_NONE));
	return at;
}

/* points: 11 */
TEST_F_TIMEOUT(data_fd, read_that_faults_loses_nothing, LIMIT)
{
	uint8_t *edge = page_at_the_edge(_metadata);
	struct stream ref = { 0 }, s = { 0 };
	size_t page = getpagesize(), fits;
	ssize_t n;
	int fd;

	reference(_metadata, &self->dev, &ref);
	ASSERT_EQ(0, enter(&self->dev, VFIO_DEVICE_STATE_STOP_COPY, &fd));
	do {
		n = read(fd, edge + page, 100);
		if (n > 0 || (n < 0 && errno != EFAULT))
			break;
		fits = 1 + random_below(page);
		n = read(fd, edge + page - fits, fits + 100);
		if (n < 0 && errno == EFAULT)
			n = read(fd, edge + page - fits, fits);
		if (n > 0)
			stream_add(&s, edge + page - fits, n);
	} while (n > 0);
	EXPECT_EQ(0, n);
	close(fd);
	judge(_metadata, &self->dev, &ref, &s);
}

/*
 * Some of it past the end of memory: that part must not count. Not at the end
 * of the stream, behind which nothing may be written.
 */
static ssize_t write_at_the_edge(int fd, uint8_t *edge, const uint8_t *data,
				 size_t left)
{
	size_t page = getpagesize(), fits = 1 + random_below(page);
	ssize_t n;

	if (fits >= left)
		return write(fd, data, left);
	memcpy(edge + page - fits, data, fits);
	n = write(fd, edge + page - fits, fits + 100);
	if (n < 0 && errno == EFAULT)
		n = write(fd, edge + page - fits, fits);
	return n > (ssize_t)fits ? -1 : n;
}

/* points: 11 */
TEST_F_TIMEOUT(data_fd, write_that_faults_loses_nothing, LIMIT)
{
	uint8_t *edge = page_at_the_edge(_metadata);
	size_t done = 0;
	ssize_t n;
	int fd;

	ASSERT_EQ(0, enter(&self->dev, VFIO_DEVICE_STATE_RESUMING, &fd));
	while (done < good.len) {
		ASSERT_EQ(-1, write(fd, edge + getpagesize(), 100));
		ASSERT_EQ(EFAULT, errno);
		n = write_at_the_edge(fd, edge, good.data + done,
				      good.len - done);
		ASSERT_LT(0, n);
		done += n;
	}
	close(fd);
	EXPECT_EQ(0, vdev_go(&self->dev, VFIO_DEVICE_STATE_STOP));
}

static void ignore(int sig)
{
	(void)sig;
}

/* A signal a millisecond, none of which restarts a call. */
static void storm(bool on)
{
	struct itimerval timer = {
		.it_interval.tv_usec = on ? 1000 : 0,
		.it_value.tv_usec = on ? 1000 : 0,
	};
	struct sigaction action = { .sa_handler = ignore };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* points: 11 */
TEST_F_TIMEOUT(data_fd, signals_lose_nothing, LIMIT)
{
	struct stream ref = { 0 }, s = { 0 };
	int fd, ret;

	reference(_metadata, &self->dev, &ref);
	ASSERT_EQ(0, enter(&self->dev, VFIO_DEVICE_STATE_STOP_COPY, &fd));
	storm(true);
	while ((ret = stream_read(&s, fd, cut_random)) == -EINTR)
		;
	storm(false);
	EXPECT_EQ(0, ret);
	close(fd);
	judge(_metadata, &self->dev, &ref, &s);
}

/* Parts of a stream may be read by several processes that share the file. */
TEST_F_TIMEOUT(data_fd, shared_with_a_child, LIMIT)
{
	struct stream ref = { 0 }, s = { 0 };
	uint8_t *shared;
	ssize_t n;
	int fd, status;

	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, shared);
	reference(_metadata, &self->dev, &ref);
	ASSERT_EQ(0, enter(&self->dev, VFIO_DEVICE_STATE_STOP_COPY, &fd));
	if (!fork())
		_exit(read(fd, shared, 200));
	wait(&status);
	n = WEXITSTATUS(status);
	ASSERT_LT(0, n);
	stream_add(&s, shared, n);
	EXPECT_EQ(0, stream_read(&s, fd, cut_whole));
	close(fd);
	judge(_metadata, &self->dev, &ref, &s);
}
