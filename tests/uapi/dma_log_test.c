// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log against what the device did write, driven by a plug-in.
 *
 * A model holds for each page whether a report owes it ("must"), and whether a
 * report may name it, since a device's granule is perhaps larger than a page
 * ("may"). A report of a window settles exactly what is in the window. So over
 * all windows, in whatever order and page size, the answers are the writes.
 */
#define DMA_IOVA	0x80000000ull
#define DMA_PAGES	8192ull
#define DMA_BYTES	(DMA_PAGES * PAGE)
#define DMA_STEPS	400

DEVICE_FIXTURE(dma_log, NEEDS_LOG);

/**
 * struct model - what the device has written, as the log should tell
 * @plugin: the one who makes it write
 * @granule: bytes, as chosen at the start
 * @must: pages that were written since they were reported
 * @may: pages of whose granule that is true
 */
struct model {
	const struct plugin *plugin;
	uint64_t granule;
	bool must[DMA_PAGES];
	bool may[DMA_PAGES];
};

static struct model model;

static void model_write(struct model *m, uint64_t offset, size_t bytes)
{
	uint64_t first = offset / PAGE, last = (offset + bytes - 1) / PAGE;
	uint64_t pages = m->granule / PAGE;

	for (uint64_t page = first; page <= last; page++)
		m->must[page] = true;
	first -= first % pages;
	last |= pages - 1;
	for (uint64_t page = first; page <= last && page < DMA_PAGES; page++)
		m->may[page] = true;
}

static int write_random(struct model *m)
{
	size_t step = m->plugin->write_step, bytes;
	uint64_t offset;

	bytes = step * (1 + random_below(m->plugin->write_most / step));
	offset = step * random_below((DMA_BYTES - bytes) / step);
	model_write(m, offset, bytes);
	return m->plugin->dma_write(DMA_IOVA + offset, bytes);
}

/* Settle the pages that one bit stands for. How they stood: */
static void take_bit(struct model *m, uint64_t first, uint64_t end, bool *must,
		     bool *may)
{
	*must = false;
	*may = false;
	for (uint64_t page = first; page < end; page++) {
		*must |= m->must[page];
		*may |= m->may[page];
		m->must[page] = false;
		m->may[page] = false;
	}
}

static bool test_bit(const uint8_t *bitmap, uint64_t bit)
{
	return bitmap[bit / 8] >> bit % 8 & 1;
}

/* Judge the answer for a window, and count bits that were too much. */
static uint64_t judge_report(struct __test_metadata *_metadata,
			     struct model *m, uint64_t first, uint64_t count,
			     uint64_t page_size, const uint8_t *bitmap)
{
	uint64_t pages = page_size / PAGE, bit, at, extra = 0;
	bool must, may;

	for (bit = 0, at = first; at < first + count; bit++, at += pages) {
		uint64_t end = at + pages;

		take_bit(m, at, end < first + count ? end : first + count,
			 &must, &may);
		if (must)
			EXPECT_TRUE(test_bit(bitmap, bit))
				TH_LOG("page %lu is lost", at);
		extra += test_bit(bitmap, bit) && !may;
	}
	return extra;
}

#define GUARD		64

/* One report into a bitmap with guards; what was set before stays set. */
static uint64_t report_window(struct __test_metadata *_metadata,
			      const struct vdev *dev, struct model *m,
			      uint64_t first, uint64_t count,
			      uint64_t page_size)
{
	static uint8_t room[DMA_PAGES / 8 + 2 * GUARD + 8];
	uint64_t bits = (count * PAGE + page_size - 1) / page_size;
	size_t words = (bits + 63) / 64;

	memset(room, 0xa5, sizeof(room));
	memset(room + GUARD, 0, words * 8);
	ASSERT_EQ(0, vdev_log_report(dev, DMA_IOVA + first * PAGE, count * PAGE,
				     page_size, room + GUARD));
	for (size_t i = 0; i < sizeof(room); i++)
		if (i < GUARD || i >= GUARD + words * 8)
			ASSERT_EQ(0xa5, room[i]);
	for (uint64_t bit = bits; bit < words * 64; bit++)
		EXPECT_FALSE(test_bit(room + GUARD, bit));
	return judge_report(_metadata, m, first, count, page_size,
			    room + GUARD);
}

static uint64_t report_all(struct __test_metadata *_metadata,
			   const struct vdev *dev, struct model *m)
{
	return report_window(_metadata, dev, m, 0, DMA_PAGES, PAGE);
}

static uint64_t report_random(struct __test_metadata *_metadata,
			      const struct vdev *dev, struct model *m)
{
	uint64_t first = random_below(DMA_PAGES);
	uint64_t count = 1 + random_below(DMA_PAGES - first);

	return report_window(_metadata, dev, m, first, count,
			     PAGE << random_below(11));
}

/* Memory for the device, a plug-in that writes to it, and the log on it. */
static bool begin_log(struct __test_metadata *_metadata,
		      const struct vdev *dev, uint64_t granule)
{
	static void *memory;

	model.plugin = start_plugin(dev);
	if (!model.plugin)
		return false;
	if (!memory) {
		memory = mmap(NULL, DMA_BYTES, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		ASSERT_NE(MAP_FAILED, memory);
		ASSERT_EQ(0, vdev_map(dev, memory, DMA_BYTES, DMA_IOVA));
	}
	model.granule = granule;
	ASSERT_EQ(0, vdev_log_one(dev, &model.granule, DMA_IOVA, DMA_BYTES));
	memset(model.must, 0, sizeof(model.must));
	memset(model.may, 0, sizeof(model.may));
	return true;
}

#define NO_PLUGIN	"no plug-in for this device"

static void run_model(struct __test_metadata *_metadata,
		      const struct vdev *dev)
{
	uint64_t extra = 0;

	for (int step = 0; step < DMA_STEPS; step++) {
		if (!random_below(4))
			extra += report_random(_metadata, dev, &model);
		ASSERT_EQ(0, write_random(&model));
	}
	extra += report_all(_metadata, dev, &model);
	/* All is told, and the device is idle. */
	extra += report_all(_metadata, dev, &model);
	EXPECT_EQ(0, extra);
	ASSERT_EQ(0, vdev_log_stop(dev));
}

/* points: 28, 30, 34 */
TEST_F_TIMEOUT(dma_log, random_windows, LIMIT)
{
	if (!begin_log(_metadata, &self->dev, PAGE))
		SKIP(return, NO_PLUGIN);
	run_model(_metadata, &self->dev);
}

/* points: 34 */
TEST_F_TIMEOUT(dma_log, random_windows_of_each_granule, LIMIT)
{
	static const unsigned int shifts[] = { 12, 13, 16, 19, 21 };

	for (size_t i = 0; i < ARRAY_SIZE(shifts); i++) {
		if (!begin_log(_metadata, &self->dev, 1ull << shifts[i]))
			SKIP(return, NO_PLUGIN);
		if (model.plugin->any_granule)
			EXPECT_EQ(1ull << shifts[i], model.granule);
		run_model(_metadata, &self->dev);
	}
}

/* One byte at either side of each border. */
/* points: 28 */
TEST_F_TIMEOUT(dma_log, borders, LIMIT)
{
	static const uint64_t at[] = { 0, PAGE - 1, PAGE, 63 * PAGE,
		64 * PAGE - 1, 64 * PAGE, 511 * PAGE, 512 * PAGE,
		(DMA_PAGES - 1) * PAGE, DMA_BYTES - 1 };

	if (!begin_log(_metadata, &self->dev, PAGE))
		SKIP(return, NO_PLUGIN);
	if (model.plugin->write_step > 1)
		SKIP(return, "no DMA of single bytes");
	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		model_write(&model, at[i], 1);
		ASSERT_EQ(0, model.plugin->dma_write(DMA_IOVA + at[i], 1));
		EXPECT_EQ(0, report_all(_metadata, &self->dev, &model));
	}
	for (size_t i = 0; i + 1 < ARRAY_SIZE(at); i++) {
		model_write(&model, at[i] + PAGE - 1, 2);
		ASSERT_EQ(0,
			  model.plugin->dma_write(DMA_IOVA + at[i] + PAGE - 1,
						  2));
		EXPECT_EQ(0, report_all(_metadata, &self->dev, &model));
		if (at[i + 1] + PAGE >= DMA_BYTES)
			break;
	}
}

/* What is outside the window is kept, down to a single page. */
/* points: 28 */
TEST_F_TIMEOUT(dma_log, windows_of_a_page, LIMIT)
{
	if (!begin_log(_metadata, &self->dev, PAGE))
		SKIP(return, NO_PLUGIN);
	for (int i = 0; i < 50; i++)
		ASSERT_EQ(0, write_random(&model));
	for (uint64_t page = 0; page < DMA_PAGES; page += 7)
		report_window(_metadata, &self->dev, &model, page, 1, PAGE);
	EXPECT_EQ(0, report_all(_metadata, &self->dev, &model));
}

/* points: 28 */
TEST_F_TIMEOUT(dma_log, bits_that_were_set_stay, LIMIT)
{
	static uint8_t bitmap[DMA_PAGES / 8];

	if (!begin_log(_metadata, &self->dev, PAGE))
		SKIP(return, NO_PLUGIN);
	memset(bitmap, 0x11, sizeof(bitmap));
	model_write(&model, PAGE, PAGE);
	ASSERT_EQ(0, model.plugin->dma_write(DMA_IOVA + PAGE, PAGE));
	ASSERT_EQ(0, vdev_log_report(&self->dev, DMA_IOVA, DMA_BYTES, PAGE,
				     bitmap));
	EXPECT_EQ(0x13, bitmap[0]);
	for (size_t i = 1; i < sizeof(bitmap); i++)
		ASSERT_EQ(0x11, bitmap[i]);
}

/* points: 33 */
TEST_F_TIMEOUT(dma_log, survives_a_reset, LIMIT)
{
	if (!begin_log(_metadata, &self->dev, PAGE))
		SKIP(return, NO_PLUGIN);
	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < 20; i++)
			ASSERT_EQ(0, write_random(&model));
		ASSERT_EQ(0, vdev_reset(&self->dev));
		if (round & 1)
			report_all(_metadata, &self->dev, &model);
		ASSERT_NE(NULL, start_plugin(&self->dev));
		ASSERT_EQ(0, write_random(&model));
		report_all(_metadata, &self->dev, &model);
	}
}

/* The last report of a migration: complete once the device is stopped. */
/* points: 30 */
TEST_F_TIMEOUT(dma_log, complete_after_the_stop, LIMIT)
{
	if (!self->dev.flags)
		SKIP(return, "no migration");
	for (int round = 0; round < 5; round++) {
		if (!begin_log(_metadata, &self->dev, PAGE))
			SKIP(return, NO_PLUGIN);
		for (int i = 0; i < 20; i++)
			ASSERT_EQ(0, write_random(&model));
		ASSERT_EQ(0, vdev_go(&self->dev, VFIO_DEVICE_STATE_STOP));
		EXPECT_EQ(0, report_all(_metadata, &self->dev, &model));
		ASSERT_EQ(0, vdev_log_stop(&self->dev));
		ASSERT_EQ(0, vdev_go(&self->dev, VFIO_DEVICE_STATE_RUNNING));
	}
}

/* points: 28 */
TEST_F_TIMEOUT(dma_log, unmapped_before_the_report, LIMIT)
{
	if (!begin_log(_metadata, &self->dev, PAGE))
		SKIP(return, NO_PLUGIN);
	for (int i = 0; i < 20; i++)
		ASSERT_EQ(0, write_random(&model));
	ASSERT_EQ(0, vdev_unmap(&self->dev, DMA_BYTES, DMA_IOVA));
	EXPECT_EQ(0, report_all(_metadata, &self->dev, &model));
}

/*
 * As a VMM with a virtual IOMMU does all day. The log is of addresses, whatever
 * memory lies there, and also while none does.
 */
/* points: 28 */
TEST_F_TIMEOUT(dma_log, mapped_again_elsewhere, LIMIT)
{
	void *memory[2];

	if (!begin_log(_metadata, &self->dev, PAGE))
		SKIP(return, NO_PLUGIN);
	for (int i = 0; i < 2; i++) {
		memory[i] = mmap(NULL, DMA_BYTES, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		ASSERT_NE(MAP_FAILED, memory[i]);
	}
	for (int round = 0; round < 24; round++) {
		for (int i = 0; i < 5; i++)
			ASSERT_EQ(0, write_random(&model));
		if (round & 1)
			report_random(_metadata, &self->dev, &model);
		ASSERT_EQ(0, vdev_unmap(&self->dev, DMA_BYTES, DMA_IOVA));
		if (round & 2)
			report_random(_metadata, &self->dev, &model);
		ASSERT_EQ(0, vdev_map(&self->dev, memory[round % 2], DMA_BYTES,
				      DMA_IOVA));
		if (round & 4)
			report_random(_metadata, &self->dev, &model);
	}
	EXPECT_EQ(0, report_all(_metadata, &self->dev, &model));
}

/* What was written before the start, or after the stop, is not told. */
TEST_F_TIMEOUT(dma_log, begins_and_ends_clean, LIMIT)
{
	if (!begin_log(_metadata, &self->dev, PAGE))
		SKIP(return, NO_PLUGIN);
	for (int i = 0; i < 20; i++)
		ASSERT_EQ(0, write_random(&model));
	ASSERT_EQ(0, vdev_log_stop(&self->dev));
	ASSERT_EQ(0, write_random(&model));
	ASSERT_TRUE(begin_log(_metadata, &self->dev, PAGE));
	EXPECT_EQ(0, report_all(_metadata, &self->dev, &model));
}

/**
 * struct reporter - a thread that reports windows while others do
 * @dev: device
 * @bitmap: of its own; all that it ever was told
 * @stop: it is enough
 * @bad: errors
 */
struct reporter {
	const struct vdev *dev;
	uint8_t bitmap[DMA_PAGES / 8];
	atomic_bool stop;
	int bad;
};

static void *report_on_and_on(void *priv)
{
	struct reporter *r = priv;
	uint64_t window = 512;

	while (!r->stop)
		for (uint64_t at = 0; at < DMA_PAGES; at += window)
			r->bad += !!vdev_log_report(r->dev,
						    DMA_IOVA + at * PAGE,
						    window * PAGE, PAGE,
						    r->bitmap + at / 8);
	return NULL;
}

#define REPORTERS	2

static struct reporter reporters[REPORTERS];
static pthread_t reporter_threads[REPORTERS];

static void begin_reports(struct __test_metadata *_metadata,
			  const struct vdev *dev)
{
	for (int i = 0; i < REPORTERS; i++) {
		reporters[i].dev = dev;
		ASSERT_EQ(0, pthread_create(&reporter_threads[i], NULL,
					    report_on_and_on, &reporters[i]));
	}
}

/* Judge what all of them and a last report were told together. */
static uint64_t end_reports(struct __test_metadata *_metadata,
			    const struct vdev *dev)
{
	static uint8_t told[DMA_PAGES / 8];

	for (int i = 0; i < REPORTERS; i++) {
		reporters[i].stop = true;
		pthread_join(reporter_threads[i], NULL);
		EXPECT_EQ(0, reporters[i].bad);
	}
	ASSERT_EQ(0, vdev_log_report(dev, DMA_IOVA, DMA_BYTES, PAGE, told));
	for (int i = 0; i < REPORTERS; i++)
		for (size_t at = 0; at < sizeof(told); at++)
			told[at] |= reporters[i].bitmap[at];
	return judge_report(_metadata, &model, 0, DMA_PAGES, PAGE, told);
}

/* points: 28 */
TEST_F_TIMEOUT(dma_log, reports_of_several_threads, LIMIT)
{
	if (!begin_log(_metadata, &self->dev, PAGE))
		SKIP(return, NO_PLUGIN);
	begin_reports(_metadata, &self->dev);
	for (int i = 0; i < 300; i++)
		ASSERT_EQ(0, write_random(&model));
	EXPECT_EQ(0, end_reports(_metadata, &self->dev));
}

/* What several threads are told, while resets empty the log under them. */
/* points: 28, 33 */
TEST_F_TIMEOUT(dma_log, reports_while_it_is_reset, LIMIT)
{
	if (!begin_log(_metadata, &self->dev, PAGE))
		SKIP(return, NO_PLUGIN);
	begin_reports(_metadata, &self->dev);
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 10; i++)
			ASSERT_EQ(0, write_random(&model));
		ASSERT_EQ(0, vdev_reset(&self->dev));
		ASSERT_NE(NULL, start_plugin(&self->dev));
	}
	end_reports(_metadata, &self->dev);
}
