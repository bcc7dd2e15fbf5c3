// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state machine: every pair of states, and targets that are none.
 *
 * The rules are written down here once more, from the text of the uAPI, and
 * not taken from the kernel's table.
 */
#define STATES		((uint32_t)VFIO_DEVICE_STATE_NR)

DEVICE_FIXTURE(states, NEEDS_MIGRATION);

static bool is_saving(uint32_t state)
{
	return state == VFIO_DEVICE_STATE_STOP_COPY ||
	       state == VFIO_DEVICE_STATE_PRE_COPY ||
	       state == VFIO_DEVICE_STATE_PRE_COPY_P2P;
}

static bool has_session(uint32_t state)
{
	return is_saving(state) || state == VFIO_DEVICE_STATE_RESUMING;
}

/* Moving within the saving group keeps the session. */
static bool keeps_session(uint32_t from, uint32_t to)
{
	return from == to || (is_saving(from) && is_saving(to));
}

static bool is_allowed(uint32_t from, uint32_t to)
{
	if (from == VFIO_DEVICE_STATE_STOP_COPY && from != to)
		return !is_saving(to);
	return true;
}

static int wanted(const struct vdev *dev, uint32_t from, uint32_t to,
		  bool loaded)
{
	if (!vdev_has_state(dev, to) || !is_allowed(from, to))
		return -EINVAL;
	if (from == VFIO_DEVICE_STATE_RESUMING && from != to && !loaded)
		return -EINVAL;
	return 0;
}

static void check_pair(struct __test_metadata *_metadata,
		       struct vdev *dev, uint32_t from, uint32_t to,
		       const struct stream *load)
{
	int old = -1, fd = -1, ret, want;

	ASSERT_EQ(0, enter(dev, from, &old));
	ASSERT_EQ(has_session(from), old >= 0);
	if (load)
		ASSERT_EQ(0, stream_write(load, old, cut_whole));
	want = wanted(dev, from, to, load);
	ret = vdev_set_state(dev, to, &fd);
	EXPECT_EQ(want, ret)
		TH_LOG("%s -> %s", vdev_state_name(from), vdev_state_name(to));
	EXPECT_EQ(ret ? from : to, vdev_state(dev))
		TH_LOG("%s -> %s", vdev_state_name(from), vdev_state_name(to));
	EXPECT_EQ(!ret && has_session(to) && !keeps_session(from, to), fd >= 0)
		TH_LOG("%s -> %s", vdev_state_name(from), vdev_state_name(to));
	if (old >= 0 && !ret && !keeps_session(from, to))
		EXPECT_TRUE(is_dead(old))
			TH_LOG("%s -> %s", vdev_state_name(from),
			       vdev_state_name(to));
	close(old);
	close(fd);
}

static void check_from(struct __test_metadata *_metadata,
		       struct vdev *dev, uint32_t from,
		       const struct stream *load)
{
	for (uint32_t to = 0; to < STATES; to++)
		check_pair(_metadata, dev, from, to, load);
}

/* points: 1 */
TEST_F_TIMEOUT(states, every_pair, LIMIT)
{
	for (uint32_t from = 1; from < STATES; from++)
		if (vdev_has_state(&self->dev, from))
			check_from(_metadata, &self->dev, from, NULL);
}

/* points: 1 */
TEST_F_TIMEOUT(states, every_target_of_a_loaded_device, LIMIT)
{
	check_from(_metadata, &self->dev, VFIO_DEVICE_STATE_RESUMING, &good);
}

/* points: 3 */
TEST_F_TIMEOUT(states, targets_that_are_none, LIMIT)
{
	static const uint32_t none[] = {
		VFIO_DEVICE_STATE_ERROR, VFIO_DEVICE_STATE_NR,
		VFIO_DEVICE_STATE_NR + 1, 100, 1u << 31, ~0u,
	};
	int data_fd, fd;

	for (uint32_t from = 1; from < STATES; from++) {
		if (!vdev_has_state(&self->dev, from))
			continue;
		ASSERT_EQ(0, enter(&self->dev, from, &data_fd));
		for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
			EXPECT_EQ(-EINVAL, vdev_set_state(&self->dev, none[i],
							  &fd));
			EXPECT_EQ((int)from, vdev_state(&self->dev));
			EXPECT_EQ(-1, fd);
		}
		if (data_fd >= 0)
			EXPECT_FALSE(is_dead(data_fd));
		close(data_fd);
	}
}

TEST_F_TIMEOUT(states, features_and_their_arguments, LIMIT)
{
	const uint32_t set = VFIO_DEVICE_FEATURE_SET;
	const uint32_t get = VFIO_DEVICE_FEATURE_GET;
	const uint32_t state = VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE;
	const uint32_t flags = VFIO_DEVICE_FEATURE_MIGRATION;
	uint64_t room[2] = { 0 };

	EXPECT_NE(0, self->dev.flags & VFIO_MIGRATION_STOP_COPY);
	EXPECT_EQ(0, self->dev.flags & ~(VFIO_MIGRATION_STOP_COPY |
					 VFIO_MIGRATION_P2P |
					 VFIO_MIGRATION_PRE_COPY));
	EXPECT_EQ(0, vdev_probe(&self->dev, get | flags));
	EXPECT_EQ(-EINVAL, vdev_probe(&self->dev, set | flags));
	EXPECT_EQ(0, vdev_probe(&self->dev, get | set | state));
	EXPECT_EQ(-EINVAL, vdev_feature(&self->dev, get | set | state, room,
					8));
	EXPECT_EQ(-EINVAL, vdev_feature(&self->dev, set | state, room, 4));
	EXPECT_EQ(-EINVAL, vdev_feature(&self->dev, get | state, room, 7));
	EXPECT_EQ(-EINVAL, vdev_feature(&self->dev, get | flags, room, 7));
	EXPECT_EQ(0, vdev_feature(&self->dev, get | flags, room, 16));
	EXPECT_EQ(VFIO_DEVICE_STATE_RUNNING, vdev_state(&self->dev));
}

/* A state that was entered without its file: it can be left, and again. */
static void expect_usable_without_file(struct __test_metadata *_metadata,
				       struct vdev *dev, uint32_t state)
{
	int fd;

	EXPECT_EQ((int)state, vdev_state(dev));
	if (state == VFIO_DEVICE_STATE_RESUMING) {
		dev->hollow = true;
		ASSERT_EQ(0, renew(dev));
	}
	ASSERT_EQ(0, vdev_go(dev, VFIO_DEVICE_STATE_RUNNING));
	ASSERT_EQ(0, vdev_set_state(dev, state, &fd));
	EXPECT_LE(0, fd);
	EXPECT_FALSE(is_dead(fd));
	close(fd);
}

/* points: 5 */
TEST_F_TIMEOUT(states, no_room_for_the_file, LIMIT)
{
	struct rlimit old, none;
	int fd;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	for (uint32_t state = 1; state < STATES; state++) {
		if (!vdev_has_state(&self->dev, state) || !has_session(state))
			continue;
		ASSERT_EQ(0, renew(&self->dev));
		none = old;
		none.rlim_cur = 3;
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
		EXPECT_EQ(-EMFILE, vdev_set_state(&self->dev, state, &fd));
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
		expect_usable_without_file(_metadata, &self->dev, state);
	}
}

/* The answer does not reach the user, who cannot know that there is a file. */
static int set_state_unheard(const struct vdev *dev, uint32_t state)
{
	struct vfio_device_feature_mig_state mig = { .device_state = state };
	struct vfio_device_feature *feature;
	int ret;

	feature = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	feature->argsz = sizeof(*feature) + sizeof(mig);
	feature->flags = VFIO_DEVICE_FEATURE_SET |
			 VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE;
	memcpy(feature->data, &mig, sizeof(mig));
	mprotect(feature, getpagesize(), PROT_READ);
	ret = ioctl(dev->fd, VFIO_DEVICE_FEATURE, feature) ? -errno : 0;
	munmap(feature, getpagesize());
	return ret;
}

/* points: 5 */
TEST_F_TIMEOUT(states, answer_that_faults, LIMIT)
{
	int before, after;

	for (uint32_t state = 1; state < STATES; state++) {
		if (!vdev_has_state(&self->dev, state) || !has_session(state))
			continue;
		ASSERT_EQ(0, renew(&self->dev));
		before = dup(0);
		close(before);
		EXPECT_EQ(-EFAULT, set_state_unheard(&self->dev, state));
		after = dup(0);
		close(after);
		EXPECT_EQ(before, after);
		expect_usable_without_file(_metadata, &self->dev, state);
	}
}
