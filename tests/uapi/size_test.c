// SPDX-License-Identifier: GPL-2.0-only
/*
 * MIG_DATA_SIZE: asked for in any state, never 0, never less than what comes,
 * and falling as it is read. A VMM that is told 0 or too little stops a guest
 * for longer than it promised.
 */
DEVICE_FIXTURE(size, NEEDS_MIGRATION);

#define ASKED		64

static bool has_data_size(const struct vdev *dev)
{
	return !vdev_probe(dev, VFIO_DEVICE_FEATURE_GET |
				VFIO_DEVICE_FEATURE_MIG_DATA_SIZE);
}

static uint64_t size_now(struct __test_metadata *_metadata, struct vdev *dev)
{
	uint64_t size;

	EXPECT_EQ(0, vdev_data_size(dev, &size));
	EXPECT_LT(0, size);
	return size;
}

/* points: 16 */
TEST_F_TIMEOUT(size, is_told_in_every_state, LIMIT)
{
	int fd;

	if (!has_data_size(&self->dev))
		SKIP(return, "no MIG_DATA_SIZE");
	for (uint32_t state = 1; state < VFIO_DEVICE_STATE_NR; state++) {
		if (!vdev_has_state(&self->dev, state))
			continue;
		ASSERT_EQ(0, enter(&self->dev, state, &fd));
		size_now(_metadata, &self->dev);
		close(fd);
		size_now(_metadata, &self->dev);
	}
}

/* points: 16 */
TEST_F_TIMEOUT(size, bounds_what_comes, LIMIT)
{
	uint64_t running, stopped;
	struct stream s = { 0 };

	if (!has_data_size(&self->dev))
		SKIP(return, "no MIG_DATA_SIZE");
	running = size_now(_metadata, &self->dev);
	ASSERT_EQ(0, vdev_go(&self->dev, VFIO_DEVICE_STATE_STOP));
	stopped = size_now(_metadata, &self->dev);
	ASSERT_EQ(0, stream_save(&s, &self->dev, cut_whole));
	EXPECT_LE(s.len, running);
	EXPECT_LE(s.len, stopped);
}

/* What was told at each step must cover all that came after it. */
static void read_and_ask(struct __test_metadata *_metadata, struct vdev *dev,
			 int fd, struct stream *s)
{
	uint64_t told[ASKED + 1], at[ASKED + 1], step, last = ~0ull;
	size_t n = 0;
	ssize_t got = 1;

	step = size_now(_metadata, dev) / (ASKED / 2) + 1;
	while (got > 0) {
		if (n < ASKED) {
			told[n] = size_now(_metadata, dev);
			EXPECT_LE(told[n], last);
			last = told[n];
			at[n++] = s->len;
		}
		stream_reserve(s, step);
		got = read(fd, s->data + s->len, step);
		s->len += got > 0 ? got : 0;
	}
	for (size_t i = 0; i < n; i++)
		EXPECT_LE(s->len, at[i] + told[i]);
}

/* points: 16 */
TEST_F_TIMEOUT(size, falls_while_stopped, LIMIT)
{
	struct stream s = { 0 };
	uint64_t first;
	int fd;

	if (!has_data_size(&self->dev))
		SKIP(return, "no MIG_DATA_SIZE");
	ASSERT_EQ(0, enter(&self->dev, VFIO_DEVICE_STATE_STOP_COPY, &fd));
	first = size_now(_metadata, &self->dev);
	read_and_ask(_metadata, &self->dev, fd, &s);
	EXPECT_LE(s.len, first);
	EXPECT_GE(first - s.len, size_now(_metadata, &self->dev) - 1);
	close(fd);
}

/* points: 16 */
TEST_F_TIMEOUT(size, falls_in_precopy, LIMIT)
{
	struct stream s = { 0 };
	uint64_t first, last;
	int fd;

	if (!has_data_size(&self->dev))
		SKIP(return, "no MIG_DATA_SIZE");
	if (!vdev_has_state(&self->dev, VFIO_DEVICE_STATE_PRE_COPY))
		SKIP(return, "no pre-copy");
	ASSERT_EQ(0, enter(&self->dev, VFIO_DEVICE_STATE_PRE_COPY, &fd));
	first = size_now(_metadata, &self->dev);
	read_and_ask(_metadata, &self->dev, fd, &s);
	last = size_now(_metadata, &self->dev);
	EXPECT_LT(last, first);

	s.len = 0;
	ASSERT_EQ(0, vdev_go(&self->dev, VFIO_DEVICE_STATE_STOP_COPY));
	read_and_ask(_metadata, &self->dev, fd, &s);
	EXPECT_LE(s.len, last);
	close(fd);
}
