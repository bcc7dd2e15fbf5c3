// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast a state is saved and resumed: the driver's data_fd, beside a loop
 * that makes the same copies between the device's memory, a buffer and the
 * user, with one pass of CRC over each chunk. Run in turn.
 */
#include <kunit/test.h>
#include <linux/crc32c.h>
#include <linux/file.h>
#include <linux/mman.h>
#include <linux/pci.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "clock.h"
#include "compat.h"
#include "device.h"
#include "lmf_vfio.h"
#include "migf.h"
#include "resume.h"
#include "save.h"

#define RUNS		9
#define STATE_BYTES	SZ_64M
#define CHUNK		SZ_256K
#define READ_BYTES	SZ_1M		/* as QEMU reads and writes */
#define STREAM_BYTES	(STATE_BYTES + SZ_1M)

struct stream_bench {
	struct kunit *test;
	struct lmf_vf vf;
	struct pci_dev pdev;
	struct lmf_vfio_device dev;
	unsigned long user;	/* the stream */
	size_t bytes;		/* of it */
	void *buf;		/* of the loop */
};

static char __user *stream_at(struct stream_bench *b, size_t at)
{
	return (char __user *)b->user + at;
}

static u64 save_ours(struct stream_bench *b)
{
	struct lmf_migf *migf;
	u64 start, ns;
	struct file *f;
	ssize_t n;

	migf = lmf_save_alloc(&b->dev);
	KUNIT_ASSERT_FALSE(b->test, IS_ERR(migf));
	f = lmf_save_file(migf);
	KUNIT_ASSERT_FALSE(b->test, IS_ERR(f));
	b->bytes = 0;
	start = bench_ns();
	KUNIT_ASSERT_EQ(b->test, lmf_save_begin(migf, &b->dev, true), 0);
	do {
		n = f->f_op->read(f, stream_at(b, b->bytes), READ_BYTES, NULL);
		KUNIT_ASSERT_GE(b->test, n, 0);
		b->bytes += n;
	} while (n);
	ns = bench_ns() - start;
	KUNIT_EXPECT_GT(b->test, b->bytes, STATE_BYTES);
	fput(f);
	lmf_migf_disable(migf);
	lmf_migf_put(migf);
	return ns;
}

static u64 save_loop(struct stream_bench *b)
{
	u64 start = bench_ns();
	size_t at = 0;
	u32 crc, n;

	b->vf.at = 0;
	while ((n = state_device_give(&b->vf, b->buf, CHUNK))) {
		crc = crc32c(~0U, b->buf, n);
		KUNIT_ASSERT_EQ(b->test, copy_to_user(stream_at(b, at), &crc,
						      sizeof(crc)), 0);
		at += sizeof(crc);
		KUNIT_ASSERT_EQ(b->test, copy_to_user(stream_at(b, at), b->buf,
						      n), 0);
		at += n;
	}
	return bench_ns() - start;
}

static u64 resume_ours(struct stream_bench *b)
{
	struct lmf_migf *migf;
	u64 start, ns;
	struct file *f;
	size_t at = 0;
	ssize_t n;

	save_ours(b);
	migf = lmf_resume_alloc(&b->dev);
	KUNIT_ASSERT_FALSE(b->test, IS_ERR(migf));
	f = lmf_resume_file(migf);
	KUNIT_ASSERT_FALSE(b->test, IS_ERR(f));
	start = bench_ns();
	KUNIT_ASSERT_EQ(b->test, lmf_resume_begin(migf, &b->dev), 0);
	for (; at < b->bytes; at += n) {
		n = f->f_op->write(f, stream_at(b, at),
				   min(b->bytes - at, READ_BYTES), NULL);
		KUNIT_ASSERT_GT(b->test, n, 0);
	}
	ns = bench_ns() - start;
	KUNIT_EXPECT_EQ(b->test, lmf_resume_complete(migf), 0);
	fput(f);
	lmf_migf_disable(migf);
	lmf_migf_put(migf);
	return ns;
}

static u64 resume_loop(struct stream_bench *b)
{
	u64 start;
	size_t at = 0;
	u32 crc, sum = 0;

	save_loop(b);
	start = bench_ns();
	b->vf.at = 0;
	while (b->vf.at < b->vf.bytes) {
		KUNIT_ASSERT_EQ(b->test, copy_from_user(&crc, stream_at(b, at),
							sizeof(crc)), 0);
		at += sizeof(crc);
		KUNIT_ASSERT_EQ(b->test, copy_from_user(b->buf,
							stream_at(b, at),
							CHUNK), 0);
		at += CHUNK;
		sum |= crc ^ crc32c(~0U, b->buf, CHUNK);
		state_device_take(&b->vf, b->buf, CHUNK);
	}
	KUNIT_EXPECT_EQ(b->test, sum, 0);
	return bench_ns() - start;
}

static int stream_bench_init(struct kunit *test)
{
	struct stream_bench *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, b);
	test->priv = b;
	b->test = test;
	b->vf.caps = (struct lmf_vf_caps) {
		.migrate = true,
		.state_max = STATE_BYTES,
		.chunk_min = SZ_4K,
		.chunk_max = SZ_1M,
	};
	b->vf.bytes = STATE_BYTES;
	b->vf.state = vmalloc(STATE_BYTES);
	b->buf = vmalloc(CHUNK);
	KUNIT_ASSERT_TRUE(test, b->vf.state && b->buf);
	memset(b->vf.state, 0x5a, STATE_BYTES);
	b->user = kunit_vm_mmap(test, NULL, 0, STREAM_BYTES,
				PROT_READ | PROT_WRITE,
				MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, b->user, 0);
	KUNIT_ASSERT_EQ(test, clear_user(stream_at(b, 0), STREAM_BYTES), 0);
	b->pdev.dev.init_name = "bench";
	b->dev.core.pdev = &b->pdev;
	b->dev.vf = &b->vf;
	return 0;
}

static void stream_bench_exit(struct kunit *test)
{
	struct stream_bench *b = test->priv;

	if (!b)
		return;
	vfree(b->vf.state);
	vfree(b->buf);
}

static void say(const char *name, const char *way, u64 ns)
{
	pr_info("bench: {\"name\": \"%s\", \"way\": \"%s\", \"ns\": %llu, \"bytes\": %u}\n",
		name, way, ns, STATE_BYTES);
}

static void stream_bench_save(struct kunit *test)
{
	int run;

	for (run = 0; run < RUNS; run++) {
		say("save", "ours", save_ours(test->priv));
		say("save", "copy_and_crc", save_loop(test->priv));
	}
}

static void stream_bench_resume(struct kunit *test)
{
	int run;

	for (run = 0; run < RUNS; run++) {
		say("resume", "ours", resume_ours(test->priv));
		say("resume", "copy_and_crc", resume_loop(test->priv));
	}
}

static struct kunit_case stream_bench_cases[] = {
	KUNIT_CASE(stream_bench_save),
	KUNIT_CASE(stream_bench_resume),
	{}
};

static struct kunit_suite stream_bench_suite = {
	.name = "lmf-stream",
	.init = stream_bench_init,
	.exit = stream_bench_exit,
	.test_cases = stream_bench_cases,
};

kunit_test_suite(stream_bench_suite);
