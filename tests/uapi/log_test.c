// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA logging as far as it needs no DMA: arguments, order of calls, and that
 * it is connected to nothing else.
 */
#define LOG_IOVA	0x40000000ull
#define LOG_BYTES	(256ull << 20)
#define PAGE		4096ull

DEVICE_FIXTURE(log, NEEDS_LOG);

static int start_one(const struct vdev *dev, uint64_t page_size, uint64_t iova,
		     uint64_t length)
{
	return vdev_log_one(dev, &page_size, iova, length);
}

/* A wrong attempt leaves nothing behind: a right one works. */
static void expect_usable(struct __test_metadata *_metadata,
			  const struct vdev *dev)
{
	uint64_t bitmap[LOG_BYTES / PAGE / 64] = { 0 };

	ASSERT_EQ(0, start_one(dev, PAGE, LOG_IOVA, LOG_BYTES));
	EXPECT_EQ(0, vdev_log_report(dev, LOG_IOVA, LOG_BYTES, PAGE, bitmap));
	EXPECT_EQ(0, vdev_log_stop(dev));
	for (size_t i = 0; i < ARRAY_SIZE(bitmap); i++)
		ASSERT_EQ(0, bitmap[i]);
}

/* points: 26 */
TEST_F_TIMEOUT(log, page_sizes_of_a_start, LIMIT)
{
	static const uint64_t bad[] = {
		0, 1, 3, 4095, 4097, 6000, 3 * PAGE, PAGE + 1, ~0ull,
		(1ull << 63) + 1,
	};
	uint64_t page_size;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		page_size = bad[i];
		/* Only 1 is a power of two, which may be taken for a wish. */
		if (vdev_log_one(&self->dev, &page_size, 0, LOG_BYTES)) {
			expect_usable(_metadata, &self->dev);
			continue;
		}
		EXPECT_EQ(1, bad[i]);
		EXPECT_LE(PAGE, page_size);
		EXPECT_EQ(0, vdev_log_stop(&self->dev));
	}
	for (unsigned int shift = 12; shift < 29; shift++) {
		page_size = 1ull << shift;
		ASSERT_EQ(0, vdev_log_one(&self->dev, &page_size, LOG_IOVA,
					  LOG_BYTES));
		EXPECT_EQ(0, page_size & (page_size - 1));
		EXPECT_LE(PAGE, page_size);
		EXPECT_EQ(0, vdev_log_stop(&self->dev));
	}
}

/* Ranges must be aligned to it: with huge ones hardly any range is. */
/* points: 26 */
TEST_F_TIMEOUT(log, huge_page_sizes, LIMIT)
{
	for (unsigned int shift = 30; shift < 64; shift++) {
		EXPECT_GT(0, start_one(&self->dev, 1ull << shift, LOG_IOVA / 2,
				       LOG_BYTES));
		if (!start_one(&self->dev, 1ull << shift, 0, 1ull << shift))
			EXPECT_EQ(0, vdev_log_stop(&self->dev));
		expect_usable(_metadata, &self->dev);
	}
}

/* points: 26 */
TEST_F_TIMEOUT(log, bad_ranges, LIMIT)
{
	static const struct vdev_range bad[] = {
		{ 0, 0 }, { LOG_IOVA, 0 }, { LOG_IOVA + 1, PAGE },
		{ LOG_IOVA, PAGE + 1 }, { LOG_IOVA, PAGE / 2 },
		{ -PAGE, 2 * PAGE }, { PAGE, -PAGE }, { 0, ~0ull },
		{ -PAGE, PAGE },
	};
	struct vdev_range pair[2] = { { LOG_IOVA, 4 * PAGE } };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_GT(0, start_one(&self->dev, PAGE, bad[i].iova,
				       bad[i].length))
			TH_LOG("range %zu", i);
		vdev_log_stop(&self->dev);
	}
	for (uint64_t at = LOG_IOVA - PAGE; at < LOG_IOVA + 4 * PAGE;
	     at += PAGE) {
		uint64_t page_size = PAGE;

		pair[1] = (struct vdev_range){ at, 2 * PAGE };
		EXPECT_EQ(-EINVAL, vdev_log_start(&self->dev, &page_size, pair,
						  2));
	}
	expect_usable(_metadata, &self->dev);
}

/* points: 26 */
TEST_F_TIMEOUT(log, numbers_of_ranges, LIMIT)
{
	static struct vdev_range many[PAGE / sizeof(struct vdev_range) + 1];
	static const uint32_t counts[] = { 1, 2, 3, 100, 255, 256 };
	uint64_t page_size = PAGE;

	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct vdev_range){
			LOG_IOVA + 2 * i * LOG_BYTES / 512, LOG_BYTES / 512
		};
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		EXPECT_EQ(0, vdev_log_start(&self->dev, &page_size, many,
					    counts[i]));
		EXPECT_EQ(0, vdev_log_stop(&self->dev));
	}
	EXPECT_EQ(-EINVAL, vdev_log_start(&self->dev, &page_size, many, 0));
	EXPECT_EQ(-E2BIG, vdev_log_start(&self->dev, &page_size, many, 257));
	EXPECT_EQ(-E2BIG, vdev_log_start(&self->dev, &page_size, many, ~0u));
	EXPECT_EQ(-EFAULT, vdev_log_start(&self->dev, &page_size, NULL, 1));
	expect_usable(_metadata, &self->dev);
}

/* points: 27 */
TEST_F_TIMEOUT(log, order_of_calls, LIMIT)
{
	uint64_t bits = 0;

	EXPECT_GT(0, vdev_log_report(&self->dev, LOG_IOVA, PAGE, PAGE, &bits));
	vdev_log_stop(&self->dev);
	ASSERT_EQ(0, start_one(&self->dev, PAGE, LOG_IOVA, LOG_BYTES));
	EXPECT_GT(0, start_one(&self->dev, PAGE, LOG_IOVA, LOG_BYTES));
	EXPECT_GT(0, start_one(&self->dev, PAGE, 0, LOG_BYTES));
	/* The one that runs is not hurt. */
	EXPECT_EQ(0, vdev_log_report(&self->dev, LOG_IOVA, PAGE, PAGE, &bits));
	EXPECT_EQ(0, vdev_log_stop(&self->dev));
	EXPECT_GT(0, vdev_log_report(&self->dev, LOG_IOVA, PAGE, PAGE, &bits));
	EXPECT_EQ(0, bits);
	expect_usable(_metadata, &self->dev);
}

TEST_F_TIMEOUT(log, arguments_of_a_report, LIMIT)
{
	static const uint64_t bad[] = {
		0, 1, 512, 2048, 4095, 4097, 6000, 3 * PAGE, ~0ull,
	};
	uint64_t bits = 0;

	ASSERT_EQ(0, start_one(&self->dev, PAGE, LOG_IOVA, LOG_BYTES));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EINVAL, vdev_log_report(&self->dev, LOG_IOVA, PAGE,
						   bad[i], &bits));
	for (unsigned int shift = 12; shift < 64; shift++)
		EXPECT_EQ(0, vdev_log_report(&self->dev, LOG_IOVA, PAGE,
					     1ull << shift, &bits));
	EXPECT_EQ(-EOVERFLOW, vdev_log_report(&self->dev, -PAGE, 2 * PAGE, PAGE,
					      &bits));
	vdev_log_report(&self->dev, LOG_IOVA, 0, PAGE, &bits);
	/* Nothing is tracked there. That may be refused, or answered. */
	vdev_log_report(&self->dev, 0, PAGE, PAGE, &bits);
	vdev_log_report(&self->dev, LOG_IOVA + LOG_BYTES, PAGE, PAGE, &bits);
	vdev_log_report(&self->dev, LOG_IOVA, LOG_BYTES, PAGE, (void *)8);
	vdev_log_report(&self->dev, LOG_IOVA + 100, PAGE + 1, PAGE, &bits);
	EXPECT_EQ(0, bits);
	EXPECT_EQ(0, vdev_log_stop(&self->dev));
	expect_usable(_metadata, &self->dev);
}

TEST_F_TIMEOUT(log, probes_and_sizes, LIMIT)
{
	static const uint32_t set[] = {
		VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
		VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP,
	};
	uint64_t room[4] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(set); i++) {
		EXPECT_EQ(0, vdev_probe(&self->dev, set[i] |
					VFIO_DEVICE_FEATURE_SET));
		EXPECT_EQ(-EINVAL, vdev_probe(&self->dev, set[i] |
					      VFIO_DEVICE_FEATURE_GET));
		EXPECT_EQ(-EINVAL, vdev_feature(&self->dev, set[i] |
						VFIO_DEVICE_FEATURE_GET,
						room, sizeof(room)));
	}
	EXPECT_EQ(0, vdev_probe(&self->dev, VFIO_DEVICE_FEATURE_GET |
				VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT));
	EXPECT_EQ(-EINVAL, vdev_feature(&self->dev, VFIO_DEVICE_FEATURE_SET |
					VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
					room, 8));
	EXPECT_EQ(-EINVAL, vdev_feature(&self->dev, VFIO_DEVICE_FEATURE_GET |
					VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT,
					room, 8));
}

/* An answer that cannot be given back: the log must be off again. */
TEST_F_TIMEOUT(log, start_whose_answer_faults, LIMIT)
{
	size_t bytes = sizeof(struct vfio_device_feature) +
		       sizeof(struct vfio_device_feature_dma_logging_control);
	struct vfio_device_feature_dma_logging_control control;
	struct vdev_range range = { LOG_IOVA, LOG_BYTES };
	struct vfio_device_feature *feature;

	feature = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, feature);
	feature->argsz = bytes;
	feature->flags = VFIO_DEVICE_FEATURE_SET |
			 VFIO_DEVICE_FEATURE_DMA_LOGGING_START;
	control = (struct vfio_device_feature_dma_logging_control){
		.page_size = PAGE, .num_ranges = 1,
		.ranges = (uintptr_t)&range,
	};
	memcpy(feature->data, &control, sizeof(control));
	ASSERT_EQ(0, mprotect(feature, PAGE, PROT_READ));
	EXPECT_EQ(-1, ioctl(self->dev.fd, VFIO_DEVICE_FEATURE, feature));
	EXPECT_EQ(EFAULT, errno);
	expect_usable(_metadata, &self->dev);
}

/* points: 27 */
TEST_F_TIMEOUT(log, independent_of_the_state, LIMIT)
{
	uint64_t bits = 0;
	int fd;

	if (!self->dev.flags)
		SKIP(return, "no migration");
	for (uint32_t state = 1; state < VFIO_DEVICE_STATE_NR; state++) {
		if (!vdev_has_state(&self->dev, state))
			continue;
		ASSERT_EQ(0, enter(&self->dev, state, &fd));
		expect_usable(_metadata, &self->dev);
		EXPECT_EQ((int)state, vdev_state(&self->dev));
		close(fd);
	}
	/* And it stays on through all of them. */
	ASSERT_EQ(0, renew(&self->dev));
	ASSERT_EQ(0, start_one(&self->dev, PAGE, LOG_IOVA, LOG_BYTES));
	for (uint32_t state = 1; state < VFIO_DEVICE_STATE_NR; state++) {
		if (!vdev_has_state(&self->dev, state))
			continue;
		ASSERT_EQ(0, enter(&self->dev, state, &fd));
		EXPECT_EQ(0, vdev_log_report(&self->dev, LOG_IOVA, PAGE, PAGE,
					     &bits));
		close(fd);
	}
}

/* Closing in any state with the log on, and not stopping it. */
TEST_F_TIMEOUT(log, left_on_at_close, LIMIT)
{
	enum vdev_mode mode = self->dev.mode;
	bool hollow;
	int fd;

	for (uint32_t state = 1; state < VFIO_DEVICE_STATE_NR; state++) {
		if (!vdev_has_state(&self->dev, state))
			continue;
		ASSERT_EQ(0, enter(&self->dev, state, &fd));
		ASSERT_EQ(0, start_one(&self->dev, PAGE, LOG_IOVA, LOG_BYTES));
		hollow = self->dev.hollow;
		vdev_close(&self->dev);
		close(fd);
		ASSERT_EQ(0, vdev_open(&self->dev, test_bdf, mode));
		self->dev.hollow = hollow;
		expect_usable(_metadata, &self->dev);
	}
}

static void *start_and_stop(void *priv)
{
	uint64_t bits[8];

	for (int i = 0; i < 60; i++) {
		switch (random_below(3)) {
		case 0:
			start_one(priv, PAGE, LOG_IOVA, LOG_BYTES);
			break;
		case 1:
			vdev_log_stop(priv);
			break;
		default:
			vdev_log_report(priv, LOG_IOVA, 512 * PAGE, PAGE, bits);
		}
	}
	return NULL;
}

/* points: 27 */
TEST_F_TIMEOUT(log, calls_of_several_threads, LIMIT)
{
	pthread_t threads[3];

	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, start_and_stop,
					    &self->dev));
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	vdev_log_stop(&self->dev);
	expect_usable(_metadata, &self->dev);
}
