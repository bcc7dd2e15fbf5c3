// SPDX-License-Identifier: GPL-2.0-only
/*
 * One session, several threads. The kernel does not serialise them, so a driver
 * has to: no byte is lost or given twice, nobody hangs, and what ends a session
 * ends it for all.
 *
 * A thread moves a stream in pieces and tells of each, so that the other side
 * of the race strikes in the middle of it, and not after a while.
 */
#include <sched.h>
#include <semaphore.h>

#define ROUNDS		12
#define PIECES		64

DEVICE_FIXTURE(race, NEEDS_MIGRATION);

static sem_t moved;

static size_t cut_told(size_t done)
{
	(void)done;
	sem_post(&moved);
	return good.len / PIECES + 1;
}

/**
 * struct mover - a thread that reads or writes a stream
 * @thread: it
 * @fd: data_fd
 * @writes: or reads
 * @s: stream
 * @ret: how that ended
 */
struct mover {
	pthread_t thread;
	int fd;
	bool writes;
	struct stream s;
	int ret;
};

static void *move(void *priv)
{
	struct mover *m = priv;

	m->ret = m->writes ? stream_write(&m->s, m->fd, cut_told) :
			     stream_read(&m->s, m->fd, cut_told);
	for (int i = 0; i <= PIECES; i++)
		sem_post(&moved);
	return NULL;
}

static void start_mover(struct __test_metadata *_metadata, struct mover *m,
			int fd, bool writes)
{
	*m = (struct mover){ .fd = fd, .writes = writes };
	if (writes)
		m->s = good;
	ASSERT_EQ(0, pthread_create(&m->thread, NULL, move, m));
}

static void join_mover(struct mover *m)
{
	pthread_join(m->thread, NULL);
	if (!m->writes)
		stream_free(&m->s);
}

/* Until some pieces more were moved. */
static void wait_moved(void)
{
	for (unsigned int n = 1 + random_below(PIECES / 2); n; n--)
		while (sem_wait(&moved))
			;
}

/* Begin to move a stream, and come back in the middle of it. */
static int half_way(struct __test_metadata *_metadata, struct vdev *dev,
		    struct mover *m, bool writes)
{
	int fd;

	ASSERT_EQ(0, sem_init(&moved, 0, 0));
	ASSERT_EQ(0, enter(dev, writes ? VFIO_DEVICE_STATE_RESUMING :
					 VFIO_DEVICE_STATE_STOP_COPY, &fd));
	start_mover(_metadata, m, fd, writes);
	wait_moved();
	return fd;
}

static void count_bytes(uint64_t *count, const struct stream *s)
{
	for (size_t i = 0; i < s->len; i++)
		count[s->data[i]]++;
}

/* points: 7 */
TEST_F_TIMEOUT(race, readers_share_the_bytes, LIMIT)
{
	uint64_t want[256] = { 0 }, got[256] = { 0 };
	struct stream ref = { 0 };
	struct mover m[3];
	int fd;

	ASSERT_EQ(0, sem_init(&moved, 0, 0));
	reference(_metadata, &self->dev, &ref);
	count_bytes(want, &ref);
	ASSERT_EQ(0, enter(&self->dev, VFIO_DEVICE_STATE_STOP_COPY, &fd));
	for (size_t i = 0; i < ARRAY_SIZE(m); i++)
		start_mover(_metadata, &m[i], fd, false);
	for (size_t i = 0; i < ARRAY_SIZE(m); i++) {
		pthread_join(m[i].thread, NULL);
		EXPECT_EQ(0, m[i].ret);
		count_bytes(got, &m[i].s);
	}
	if (ref.len)
		EXPECT_EQ(0, memcmp(want, got, sizeof(got)));
}

/* points: 7 */
TEST_F_TIMEOUT(race, writers_make_no_stream, LIMIT)
{
	const struct plugin *plugin = find_plugin(&self->dev);
	struct mover m[2];
	int fd, ret;

	ASSERT_EQ(0, sem_init(&moved, 0, 0));
	for (int round = 0; round < ROUNDS; round++) {
		ASSERT_EQ(0, enter(&self->dev, VFIO_DEVICE_STATE_RESUMING,
				   &fd));
		start_mover(_metadata, &m[0], fd, true);
		start_mover(_metadata, &m[1], fd, true);
		join_mover(&m[0]);
		join_mover(&m[1]);
		ret = vdev_go(&self->dev, VFIO_DEVICE_STATE_STOP);
		if (plugin && plugin->sealed)
			EXPECT_GT(0, ret);
		close(fd);
	}
}

/* Writers that take turns under a lock of their own do make one. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static size_t turn_done;

static void *write_in_turns(void *priv)
{
	int fd = *(int *)priv;
	ssize_t n = 1;
	size_t want;

	while (n > 0) {
		pthread_mutex_lock(&turn);
		want = good.len - turn_done;
		if (want > good.len / PIECES + 1)
			want = good.len / PIECES + 1;
		n = want ? write(fd, good.data + turn_done, want) : 0;
		if (n > 0)
			turn_done += n;
		pthread_mutex_unlock(&turn);
		sched_yield();
	}
	return NULL;
}

/* points: 7 */
TEST_F_TIMEOUT(race, writers_in_turns, LIMIT)
{
	pthread_t threads[3];
	int fd;

	ASSERT_EQ(0, enter(&self->dev, VFIO_DEVICE_STATE_RESUMING, &fd));
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, write_in_turns,
					    &fd));
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(good.len, turn_done);
	EXPECT_EQ(0, vdev_go(&self->dev, VFIO_DEVICE_STATE_STOP));
	close(fd);
}

static void race_with_stop(struct __test_metadata *_metadata,
			   struct vdev *dev, bool writes)
{
	struct mover m;
	int fd, ret;

	for (int round = 0; round < ROUNDS; round++) {
		fd = half_way(_metadata, dev, &m, writes);
		ret = vdev_go(dev, VFIO_DEVICE_STATE_STOP);
		/* Half a stream is none, and then RESUMING goes on. */
		EXPECT_TRUE(!ret || writes);
		pthread_join(m.thread, NULL);
		EXPECT_TRUE(!m.ret || m.ret == -ENODEV)
			TH_LOG("%s", strerror(-m.ret));
		if (ret)
			ret = vdev_go(dev, VFIO_DEVICE_STATE_STOP);
		EXPECT_EQ(0, ret);
		EXPECT_TRUE(is_dead(fd));
		close(fd);
	}
}

/* points: 7 */
TEST_F_TIMEOUT(race, reader_and_stop, LIMIT)
{
	race_with_stop(_metadata, &self->dev, false);
}

/* points: 7 */
TEST_F_TIMEOUT(race, writer_and_stop, LIMIT)
{
	race_with_stop(_metadata, &self->dev, true);
}

static void race_with_reset(struct __test_metadata *_metadata,
			    struct vdev *dev, bool writes)
{
	struct mover m;
	int fd;

	for (int round = 0; round < ROUNDS; round++) {
		fd = half_way(_metadata, dev, &m, writes);
		EXPECT_EQ(0, vdev_reset(dev));
		EXPECT_EQ(VFIO_DEVICE_STATE_RUNNING, vdev_state(dev));
		EXPECT_TRUE(is_dead(fd));
		join_mover(&m);
		EXPECT_TRUE(!m.ret || m.ret == -ENODEV)
			TH_LOG("%s", strerror(-m.ret));
		close(fd);
	}
}

/* points: 7, 36 */
TEST_F_TIMEOUT(race, reader_and_reset, LIMIT)
{
	race_with_reset(_metadata, &self->dev, false);
}

/* points: 7, 36 */
TEST_F_TIMEOUT(race, writer_and_reset, LIMIT)
{
	race_with_reset(_metadata, &self->dev, true);
}

static void race_with_close(struct __test_metadata *_metadata,
			    struct vdev *dev, bool writes)
{
	struct mover m;

	for (int round = 0; round < ROUNDS; round++) {
		close(half_way(_metadata, dev, &m, writes));
		join_mover(&m);
		EXPECT_TRUE(!m.ret || m.ret == -EBADF)
			TH_LOG("%s", strerror(-m.ret));
	}
}

/* points: 7 */
TEST_F_TIMEOUT(race, reader_and_close, LIMIT)
{
	race_with_close(_metadata, &self->dev, false);
}

/* points: 7 */
TEST_F_TIMEOUT(race, writer_and_close, LIMIT)
{
	race_with_close(_metadata, &self->dev, true);
}

static void race_with_device_close(struct __test_metadata *_metadata,
				   struct vdev *dev, bool writes)
{
	enum vdev_mode mode = dev->mode;
	struct mover m;
	bool hollow;
	int fd;

	for (int round = 0; round < ROUNDS; round++) {
		fd = half_way(_metadata, dev, &m, writes);
		hollow = dev->hollow;
		vdev_close(dev);
		join_mover(&m);
		EXPECT_TRUE(!m.ret || m.ret == -ENODEV)
			TH_LOG("%s", strerror(-m.ret));
		EXPECT_TRUE(is_dead(fd));
		close(fd);
		ASSERT_EQ(0, vdev_open(dev, test_bdf, mode));
		dev->hollow = hollow;
		EXPECT_EQ(VFIO_DEVICE_STATE_RUNNING, vdev_state(dev));
	}
}

/* points: 8 */
TEST_F_TIMEOUT(race, reader_and_device_close, LIMIT)
{
	race_with_device_close(_metadata, &self->dev, false);
}

/* points: 8 */
TEST_F_TIMEOUT(race, writer_and_device_close, LIMIT)
{
	race_with_device_close(_metadata, &self->dev, true);
}

#define WALK_STEPS	150

/* Any state but RESUMING: what a load does to the device is another test. */
static void *walk(void *priv)
{
	static const uint32_t targets[] = {
		VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_RUNNING,
		VFIO_DEVICE_STATE_STOP_COPY, VFIO_DEVICE_STATE_RUNNING_P2P,
		VFIO_DEVICE_STATE_PRE_COPY, VFIO_DEVICE_STATE_PRE_COPY_P2P,
	};
	struct vdev *dev = priv;
	uintptr_t bad = 0;
	uint8_t room[512];
	uint64_t size;
	int fd, ret;

	for (int i = 0; i < WALK_STEPS; i++) {
		ret = vdev_set_state(dev, targets[random_below(6)], &fd);
		bad += ret && ret != -EINVAL;
		if (fd >= 0) {
			bad += read(fd, room, sizeof(room)) < 0 &&
			       errno != ENODEV && errno != ENOMSG;
			close(fd);
		}
		bad += vdev_state(dev) < 0;
		bad += vdev_data_size(dev, &size) || !size;
	}
	return (void *)bad;
}

TEST_F_TIMEOUT(race, walks_through_the_states, LIMIT)
{
	pthread_t threads[3];
	void *bad;

	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, walk,
					    &self->dev));
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		pthread_join(threads[i], &bad);
		EXPECT_EQ(NULL, bad);
	}
	EXPECT_EQ(0, renew(&self->dev));
	EXPECT_EQ(VFIO_DEVICE_STATE_RUNNING, vdev_state(&self->dev));
}
