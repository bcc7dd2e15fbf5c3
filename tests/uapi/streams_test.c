// SPDX-License-Identifier: GPL-2.0-only
/*
 * Streams that are not what a device gave. Whoever writes them may be hostile:
 * whatever they are, the host is unharmed, the device can be reset, and takes a
 * good stream afterwards.
 *
 * Incomplete data has to be refused by any driver. That every changed bit is
 * noticed is more than the uAPI asks for, and asked only of a device whose
 * plug-in says so.
 */
DEVICE_FIXTURE(streams, NEEDS_MIGRATION);

static void check_refusal(struct __test_metadata *_metadata,
			  struct vdev *dev, int fd, int err)
{
	int state = vdev_state(dev);

	EXPECT_TRUE(state == VFIO_DEVICE_STATE_RESUMING ||
		    state == VFIO_DEVICE_STATE_ERROR);
	/* What write() refused does not become good by being left alone. */
	if (err)
		EXPECT_GT(0, write(fd, good.data, good.len));
	EXPECT_GT(0, vdev_go(dev, VFIO_DEVICE_STATE_STOP));
	EXPECT_GT(0, vdev_go(dev, VFIO_DEVICE_STATE_RUNNING));
}

static void try(struct __test_metadata *_metadata, struct vdev *dev,
		const struct stream *s, enum verdict want, const char *what,
		size_t where)
{
	int fd, err, ret;

	ASSERT_EQ(0, vdev_reset(dev));
	ASSERT_EQ(0, vdev_set_state(dev, VFIO_DEVICE_STATE_RESUMING, &fd));
	err = stream_write(s, fd, cut_random);
	ret = vdev_go(dev, VFIO_DEVICE_STATE_STOP);
	EXPECT_FALSE(err && !ret)
		TH_LOG("%s at %zu: refused, and then not", what, where);
	EXPECT_FALSE(want == REFUSED && !ret)
		TH_LOG("%s at %zu: accepted", what, where);
	EXPECT_FALSE(want == ACCEPTED && ret)
		TH_LOG("%s at %zu: %s, %s", what, where, strerror(-err),
		       strerror(-ret));
	if (ret)
		check_refusal(_metadata, dev, fd, err);
	else
		EXPECT_EQ(0, vdev_go(dev, VFIO_DEVICE_STATE_RUNNING));
	close(fd);
}

static void expect_good_again(struct __test_metadata *_metadata,
			      struct vdev *dev)
{
	try(_metadata, dev, &good, ACCEPTED, "good", 0);
}

/* What changed bits deserve. */
static enum verdict strict(const struct vdev *dev)
{
	const struct plugin *plugin = find_plugin(dev);

	return plugin && plugin->sealed ? REFUSED : EITHER;
}

/* points: 19 */
TEST_F_TIMEOUT(streams, truncated, LIMIT)
{
	struct stream s = good;

	for (int i = 0; i < 24; i++) {
		s.len = i < 2 ? (size_t)i : random_below(good.len);
		if (i == 2)
			s.len = good.len - 1;
		try(_metadata, &self->dev, &s, REFUSED, "truncated", s.len);
	}
	expect_good_again(_metadata, &self->dev);
}

/* points: 19 */
TEST_F_TIMEOUT(streams, padded, LIMIT)
{
	static const size_t pads[] = { 1, 2, 24, 4096, 100000 };
	struct stream s = { 0 };
	uint8_t *zeroes = calloc(1, 100000);

	for (size_t i = 0; i < ARRAY_SIZE(pads); i++) {
		stream_copy(&s, &good);
		stream_add(&s, zeroes, pads[i]);
		try(_metadata, &self->dev, &s, strict(&self->dev), "padded",
		    pads[i]);
	}
	stream_copy(&s, &good);
	stream_add(&s, good.data, good.len);
	try(_metadata, &self->dev, &s, strict(&self->dev), "twice", good.len);
	expect_good_again(_metadata, &self->dev);
}

/* points: 20 */
TEST_F_TIMEOUT(streams, flipped_bits, LIMIT)
{
	struct stream s = { 0 };
	size_t at;

	for (size_t i = 0; i < 96; i++) {
		stream_copy(&s, &good);
		at = i < 64 && i < good.len ? i : random_below(good.len);
		s.data[at] ^= 1 << random_below(8);
		try(_metadata, &self->dev, &s, strict(&self->dev), "bit", at);
	}
	expect_good_again(_metadata, &self->dev);
}

/* The last bytes, where the length of all might stand. */
/* points: 20 */
TEST_F_TIMEOUT(streams, flipped_bits_at_the_end, LIMIT)
{
	struct stream s = { 0 };
	size_t at;

	for (size_t i = 1; i <= 40 && i <= good.len; i++) {
		stream_copy(&s, &good);
		at = good.len - i;
		s.data[at] ^= 1 << random_below(8);
		try(_metadata, &self->dev, &s, strict(&self->dev), "bit", at);
	}
	expect_good_again(_metadata, &self->dev);
}

static void cut_and_paste(struct stream *s, size_t from, size_t to,
			  size_t bytes)
{
	s->len = 0;
	stream_add(s, good.data, to);
	stream_add(s, good.data + from, bytes);
	stream_add(s, good.data + to, good.len - to);
}

/* points: 19 */
TEST_F_TIMEOUT(streams, reordered_bytes, LIMIT)
{
	struct stream s = { 0 };
	size_t at, bytes, half = good.len / 2;

	stream_add(&s, good.data + half, good.len - half);
	stream_add(&s, good.data, half);
	try(_metadata, &self->dev, &s, strict(&self->dev), "halves", half);
	for (int i = 0; i < 12; i++) {
		at = random_below(half);
		bytes = 1 + random_below(half);
		/* A part removed, and a part that comes twice. */
		s.len = 0;
		stream_add(&s, good.data, at);
		stream_add(&s, good.data + at + bytes, good.len - at - bytes);
		try(_metadata, &self->dev, &s, strict(&self->dev), "hole", at);
		cut_and_paste(&s, at, random_below(good.len), bytes);
		try(_metadata, &self->dev, &s, strict(&self->dev), "twice", at);
	}
	expect_good_again(_metadata, &self->dev);
}

TEST_F_TIMEOUT(streams, garbage, LIMIT)
{
	static const size_t sizes[] = { 1, 16, 64, 4096, 1 << 20 };
	struct stream s = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (int fill = 0; fill < 3; fill++) {
			s.len = 0;
			stream_reserve(&s, sizes[i]);
			s.len = sizes[i];
			memset(s.data, fill == 1 ? 0xff : 0, s.len);
			for (size_t n = 0; fill == 2 && n < s.len; n++)
				s.data[n] = random_below(256);
			try(_metadata, &self->dev, &s, REFUSED, "garbage",
			    s.len);
		}
	}
	expect_good_again(_metadata, &self->dev);
}

/* A writer that does not stop is stopped, or is told so at the end. */
/* points: 19, 22 */
TEST_F_TIMEOUT(streams, oversized, LIMIT)
{
	struct stream s = { 0 };

	while (s.len < 32u << 20)
		stream_add(&s, good.data, good.len / 2 + 1);
	try(_metadata, &self->dev, &s, REFUSED, "halves of streams", s.len);
	memset(s.data, 0, s.len);
	try(_metadata, &self->dev, &s, REFUSED, "zeroes", s.len);
	expect_good_again(_metadata, &self->dev);
}

#define SEAMS_MAX	64

/* Offsets of the seams, with 0 and the end. */
static size_t find_seams(const struct plugin *plugin, size_t *seams)
{
	size_t count = 1, bytes;

	seams[0] = 0;
	while (count < SEAMS_MAX) {
		bytes = plugin->record(good.data + seams[count - 1],
				       good.len - seams[count - 1]);
		if (!bytes)
			break;
		seams[count] = seams[count - 1] + bytes;
		count++;
	}
	return count;
}

/* points: 19 */
TEST_F_TIMEOUT(streams, cut_at_the_seams, LIMIT)
{
	const struct plugin *plugin = find_plugin(&self->dev);
	size_t seams[SEAMS_MAX], count, from, end;
	struct stream s = { 0 };

	if (!plugin || !plugin->record)
		SKIP(return, "no plug-in that knows the stream");
	count = find_seams(plugin, seams);
	ASSERT_LT(3, count);
	ASSERT_EQ(good.len, seams[count - 1]);
	for (size_t i = 0; i + 1 < count; i++) {
		from = seams[i];
		end = seams[i + 1];
		s = (struct stream){ .data = good.data, .len = from };
		try(_metadata, &self->dev, &s, REFUSED, "ends", from);
		s = (struct stream){ 0 };
		stream_add(&s, good.data, from);
		stream_add(&s, good.data + end, good.len - end);
		try(_metadata, &self->dev, &s, REFUSED, "dropped", from);
		cut_and_paste(&s, from, end, end - from);
		try(_metadata, &self->dev, &s, REFUSED, "doubled", from);
		stream_free(&s);
	}
	expect_good_again(_metadata, &self->dev);
}

/* points: 19 */
TEST_F_TIMEOUT(streams, swapped_at_the_seams, LIMIT)
{
	const struct plugin *plugin = find_plugin(&self->dev);
	size_t seams[SEAMS_MAX], count;
	struct stream s = { 0 };

	if (!plugin || !plugin->record)
		SKIP(return, "no plug-in that knows the stream");
	count = find_seams(plugin, seams);
	for (size_t i = 0; i + 2 < count; i++) {
		s.len = 0;
		stream_add(&s, good.data, seams[i]);
		stream_add(&s, good.data + seams[i + 1],
			   seams[i + 2] - seams[i + 1]);
		stream_add(&s, good.data + seams[i], seams[i + 1] - seams[i]);
		stream_add(&s, good.data + seams[i + 2],
			   good.len - seams[i + 2]);
		try(_metadata, &self->dev, &s, REFUSED, "swapped", seams[i]);
	}
	expect_good_again(_metadata, &self->dev);
}

/* points: 17, 18, 22 */
TEST_F_TIMEOUT(streams, forged, LIMIT)
{
	const struct plugin *plugin = find_plugin(&self->dev);
	const struct forgery *forgery;
	struct stream s = { 0 };

	if (!plugin || !plugin->forgeries)
		SKIP(return, "no plug-in that knows the stream");
	for (forgery = plugin->forgeries; forgery->name; forgery++) {
		stream_copy(&s, &good);
		forgery->forge(&s);
		try(_metadata, &self->dev, &s, forgery->verdict,
		    forgery->name, 0);
	}
	expect_good_again(_metadata, &self->dev);
}
