// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that cannot be had: each allocation that a call makes fails once.
 *
 * The kernel's fault injection lets the nth allocation of a task fail, for
 * whomever it is made. So a call is made with the first one failing, anew with
 * the second one, and so on, until there are no more. What it says of that is
 * success or ENOMEM, and the device can go where it was to go all the same: at
 * once, or if the driver could not find its way back, after a reset.
 */
DEVICE_FIXTURE(nomem, NEEDS_MIGRATION);

#define FAIL_SOME	"/sys/kernel/debug/"
#define MOST_FAILURES	5000
#define NOMEM_BYTES	(64u << 10)
#define NOMEM_LOG	(64ull << 20)

/**
 * struct scene - what a call is made on
 * @dev: device
 * @fd: file of the session that @from began, or -1
 */
struct scene {
	struct vdev *dev;
	int fd;
};

typedef int (*scene_fn)(const struct scene *at);

/**
 * struct call - what is made without memory
 * @name: of it
 * @from: state that it begins in
 * @prepare: what else goes before it, or NULL
 * @to: state that it asks for, or 0
 * @act: what it does instead; returns 0 or a negative errno
 * @log: it is about the log
 */
struct call {
	const char *name;
	uint32_t from;
	scene_fn prepare;
	uint32_t to;
	scene_fn act;
	bool log;
};

static uint8_t nomem_buffer[NOMEM_BYTES];

static int load_good(const struct scene *at)
{
	return stream_write(&good, at->fd, cut_whole);
}

static int read_some(const struct scene *at)
{
	return read(at->fd, nomem_buffer, NOMEM_BYTES) < 0 ? -errno : 0;
}

static int write_some(const struct scene *at)
{
	size_t bytes = good.len < NOMEM_BYTES ? good.len : NOMEM_BYTES;

	return write(at->fd, good.data, bytes) < 0 ? -errno : 0;
}

static int ask_precopy(const struct scene *at)
{
	uint64_t initial, dirty;

	return vdev_precopy_info(at->fd, &initial, &dirty);
}

static int ask_size(const struct scene *at)
{
	uint64_t size;

	return vdev_data_size(at->dev, &size);
}

static int reset(const struct scene *at)
{
	return vdev_reset(at->dev);
}

static int log_on(const struct scene *at)
{
	return start_one(at->dev, PAGE, 0, NOMEM_LOG);
}

static int log_report(const struct scene *at)
{
	return vdev_log_report(at->dev, 0, NOMEM_LOG, PAGE, nomem_buffer);
}

static int log_off(const struct scene *at)
{
	return vdev_log_stop(at->dev);
}

#define STATE(name)	VFIO_DEVICE_STATE_##name

static const struct call calls[] = {
	{ "begin to save", STATE(RUNNING), .to = STATE(PRE_COPY) },
	{ "save what is stopped", STATE(RUNNING), .to = STATE(STOP_COPY) },
	{ "stop while saving", STATE(PRE_COPY), .to = STATE(STOP_COPY) },
	{ "read", STATE(STOP_COPY), .act = read_some },
	{ "read while it runs", STATE(PRE_COPY), .act = read_some },
	{ "estimate", STATE(PRE_COPY), .act = ask_precopy },
	{ "size", STATE(RUNNING), .act = ask_size },
	{ "begin to load", STATE(STOP), .to = STATE(RESUMING) },
	{ "write", STATE(RESUMING), .act = write_some },
	{ "end loading", STATE(RESUMING), load_good,
		.to = STATE(STOP) },
	{ "run what was loaded", STATE(RESUMING), load_good,
		.to = STATE(RUNNING) },
	{ "stop", STATE(RUNNING), .to = STATE(STOP) },
	{ "run", STATE(STOP), .to = STATE(RUNNING) },
	{ "reset", STATE(PRE_COPY), .act = reset },
	{ "log", STATE(RUNNING), .act = log_on, .log = true },
	{ "report", STATE(RUNNING), log_on, .act = log_report, .log = true },
	{ "end the log", STATE(RUNNING), log_on, .act = log_off, .log = true },
};

/* Also those that may wait, and of any size; and without a word in the log. */
static int fail_all_kinds(void)
{
	static const char * const settings[][2] = {
		{ FAIL_SOME "failslab/ignore-gfp-wait", "N" },
		{ FAIL_SOME "failslab/verbose", "0" },
		{ FAIL_SOME "fail_page_alloc/ignore-gfp-wait", "N" },
		{ FAIL_SOME "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ FAIL_SOME "fail_page_alloc/min-order", "0" },
		{ FAIL_SOME "fail_page_alloc/verbose", "0" },
	};
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(settings) && !ret; i++)
		ret = write_file(settings[i][0], settings[i][1]);
	return ret;
}

static int make(const struct call *call, const struct scene *at)
{
	int data_fd, ret;

	if (!call->to)
		return call->act(at);
	ret = vdev_set_state(at->dev, call->to, &data_fd);
	if (data_fd >= 0)
		close(data_fd);
	return ret;
}

/* With the @nth allocation failing; @struck: there was one. */
static int make_without(const struct call *call, const struct scene *at,
			unsigned int nth, bool *struck)
{
	int fail = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC), ret;
	char left[16] = "";

	if (fail < 0)
		return -errno;
	snprintf(left, sizeof(left), "%u", nth);
	if (write(fail, left, strlen(left)) < 0) {
		close(fail);
		return -errno;
	}
	ret = make(call, at);
	*struck = pread(fail, left, sizeof(left) - 1, 0) > 0 && left[0] == '0';
	if (!*struck && write(fail, "0", 1) < 0)
		ret = -errno;
	close(fail);
	return ret;
}

static bool can_make(const struct call *call, const struct vdev *dev)
{
	if (call->act == ask_size)
		return has_data_size(dev);
	return vdev_has_state(dev, call->from) &&
	       (!call->to || vdev_has_state(dev, call->to)) &&
	       (!call->log || dev->log);
}

/* Where it was to go, with memory, and after a reset if need be. */
static void expect_way_on(struct __test_metadata *_metadata,
			  const struct call *call, const struct scene *at)
{
	int state = vdev_state(at->dev);

	EXPECT_LE(0, state);
	EXPECT_GT(VFIO_DEVICE_STATE_NR, state);
	if (state == VFIO_DEVICE_STATE_ERROR)
		return;
	EXPECT_EQ(0, make(call, at))
		TH_LOG("%s, from %s", call->name, vdev_state_name(state));
}

static bool fail_once(struct __test_metadata *_metadata,
		      const struct call *call, struct vdev *dev,
		      unsigned int nth)
{
	struct scene at = { .dev = dev };
	bool struck = false;
	int ret;

	ASSERT_EQ(0, enter(dev, call->from, &at.fd));
	if (call->prepare)
		ASSERT_EQ(0, call->prepare(&at));
	ret = make_without(call, &at, nth, &struck);
	EXPECT_TRUE(!ret || (struck && ret == -ENOMEM))
		TH_LOG("%s, allocation %u: %s", call->name, nth,
		       strerror(-ret));
	if (ret)
		expect_way_on(_metadata, call, &at);
	if (at.fd >= 0)
		close(at.fd);
	if (call->log)
		vdev_log_stop(dev);
	return struck;
}

static void fail_each(struct __test_metadata *_metadata, struct vdev *dev,
		      bool log)
{
	struct stream s = { 0 };

	if (fail_all_kinds())
		SKIP(return, "this kernel cannot let allocations fail");
	/* Else its own memory would be what is missing: EFAULT. */
	memset(nomem_buffer, 1, sizeof(nomem_buffer));
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		unsigned int nth = 1;

		if (calls[i].log != log || !can_make(&calls[i], dev))
			continue;
		while (nth < MOST_FAILURES &&
		       fail_once(_metadata, &calls[i], dev, nth))
			nth++;
		EXPECT_GT(MOST_FAILURES, nth);
		TH_LOG("%s: %u allocations", calls[i].name, nth - 1);
	}
	ASSERT_EQ(0, renew(dev));
	ASSERT_EQ(0, stream_save(&s, dev, cut_whole));
	EXPECT_EQ(0, stream_load(&s, dev, cut_whole));
	stream_free(&s);
}

/* points: 6 */
TEST_F_TIMEOUT(nomem, each_call_of_a_migration, LIMIT)
{
	fail_each(_metadata, &self->dev, false);
}

TEST_F_TIMEOUT(nomem, each_call_of_a_log, LIMIT)
{
	if (!self->dev.log)
		SKIP(return, "no DMA logging");
	fail_each(_metadata, &self->dev, true);
}
