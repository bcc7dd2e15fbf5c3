// SPDX-License-Identifier: GPL-2.0-only
/*
 * LMF virtual functions: DMA through one queue pair whose completions are
 * polled, and the seams of lmf-vfio-pci's stream.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/lmf_stream.h>
#include <linux/pci_regs.h>
#include "lmf_vf.h"
#include "plugin.h"
#include "stream.h"

#define ENTRIES		16U
#define CQ_AT		4096U
#define DATA_AT		8192U
#define DATA_BYTES	(32U << 10)
#define UNIT		4096U
#define SECONDS		60

static volatile uint8_t *bar;
static struct lmf_vf_cmd *sq;
static volatile struct lmf_vf_cqe *cq;
static uint64_t memory_iova;
static unsigned int tail, head, phase;

static uint32_t get32(unsigned int reg)
{
	return *(volatile uint32_t *)(bar + reg);
}

static void put32(unsigned int reg, uint32_t value)
{
	*(volatile uint32_t *)(bar + reg) = value;
}

static void put64(unsigned int reg, uint64_t value)
{
	put32(reg, value);
	put32(reg + 4, value >> 32);
}

static bool lmf_probe(const struct vdev *dev)
{
	uint16_t vendor, device;

	if (vdev_read_config(dev, PCI_VENDOR_ID, &vendor, 2) ||
	    vdev_read_config(dev, PCI_DEVICE_ID, &device, 2))
		return false;
	return vendor == LMF_PCI_VENDOR && device == LMF_PCI_DEVICE_VF;
}

static int enable(const struct vdev *dev)
{
	uint16_t command;
	int ret = vdev_read_config(dev, PCI_COMMAND, &command, 2);

	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	return ret ?: vdev_write_config(dev, PCI_COMMAND, &command, 2);
}

static int lmf_start(const struct vdev *dev, void *memory, uint64_t iova)
{
	const unsigned int q = LMF_VF_QUEUE(0);
	int ret = enable(dev);

	bar = vdev_map_bar(dev, LMF_VF_BAR, 0, LMF_VF_BAR_BYTES);
	if (ret || !bar)
		return ret ?: -ENODEV;
	if (get32(LMF_VF_MAGIC) != LMF_VF_MAGIC_VALUE)
		return -ENODEV;
	memset(memory, 0, PLUGIN_BYTES);
	sq = memory;
	cq = memory + CQ_AT;
	memory_iova = iova;
	tail = 0;
	head = 0;
	phase = 1;
	put32(q + LMF_VF_Q_CTRL, 0);
	put64(q + LMF_VF_Q_SQ_BASE, iova);
	put64(q + LMF_VF_Q_CQ_BASE, iova + CQ_AT);
	put32(q + LMF_VF_Q_ENTRIES, ENTRIES);
	put32(q + LMF_VF_Q_VECTOR, 0);
	put32(q + LMF_VF_Q_CTRL, LMF_VF_QCTRL_ENABLE);
	return get32(q + LMF_VF_Q_STATUS) == LMF_VF_QSTATUS_ENABLED ? 0 : -EIO;
}

static int complete(void)
{
	time_t start = time(NULL);
	uint16_t status;

	while ((cq[head].phase & 1) != phase) {
		if (time(NULL) - start > SECONDS)
			return -ETIMEDOUT;
		usleep(20);
	}
	atomic_thread_fence(memory_order_acquire);
	status = cq[head].status;
	head = (head + 1) % ENTRIES;
	if (!head)
		phase ^= 1;
	put32(LMF_VF_CQ_HEAD(0), head);
	return status ? -EREMOTEIO : 0;
}

static int submit(const struct lmf_vf_cmd *cmd)
{
	sq[tail] = *cmd;
	atomic_thread_fence(memory_order_release);
	tail = (tail + 1) % ENTRIES;
	put32(LMF_VF_SQ_TAIL(0), tail);
	return complete();
}

static int lmf_dma_write(uint64_t iova, size_t bytes)
{
	struct lmf_vf_cmd cmd = {
		.opcode = LMF_VF_OP_COPY, .nsge = 1, .length = bytes,
		.dst = iova,
		.sge = { .addr = memory_iova + DATA_AT, .len = bytes },
	};

	return submit(&cmd);
}

/* Other data each time. */
static int lmf_touch(size_t unit)
{
	struct lmf_vf_cmd cmd = {
		.opcode = LMF_VF_OP_WRITE, .nsge = 1, .length = UNIT,
		.offset = unit * UNIT,
		.sge = { .addr = memory_iova + DATA_AT, .len = UNIT },
	};
	uint64_t *data = (uint64_t *)((uint8_t *)sq + DATA_AT);

	for (size_t i = 0; i < UNIT / sizeof(*data); i++)
		data[i] = data[i] * 0x5851f42d4c957f2dull + i + unit + 1;
	return submit(&cmd);
}

static size_t lmf_record_length(const uint8_t *at, size_t left)
{
	struct lmf_record rec;

	if (left < sizeof(rec))
		return 0;
	memcpy(&rec, at, sizeof(rec));
	if (rec.length > left - sizeof(rec))
		return 0;
	return sizeof(rec) + rec.length;
}

static uint32_t crc32c(uint32_t crc, const uint8_t *data, size_t bytes)
{
	while (bytes--) {
		crc ^= *data++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return crc;
}

static struct lmf_record *record_at(const struct stream *s, size_t at)
{
	return (struct lmf_record *)(s->data + at);
}

static size_t next_record(const struct stream *s, size_t at)
{
	return at + sizeof(struct lmf_record) + record_at(s, at)->length;
}

static size_t last_record(const struct stream *s)
{
	size_t at = 0;

	while (next_record(s, at) < s->len)
		at = next_record(s, at);
	return at;
}

/* Number all records anew, count them in the END, and seal them. */
static void reseal(struct stream *s)
{
	struct lmf_stream_end *end = NULL;
	uint64_t seq = 0, states = 0, bytes = 0;
	struct lmf_record *rec;
	uint32_t crc;

	for (size_t at = 0; at < s->len; at = next_record(s, at)) {
		rec = record_at(s, at);
		rec->seq = seq++;
		states += rec->type == LMF_RECORD_STATE;
		bytes += rec->type == LMF_RECORD_STATE ? rec->length : 0;
		if (rec->type == LMF_RECORD_END) {
			end = (struct lmf_stream_end *)(rec + 1);
			end->states = states;
			end->bytes = bytes;
		}
		crc = crc32c(~0u, (void *)rec,
			     offsetof(struct lmf_record, crc));
		rec->crc = ~crc32c(crc, (void *)(rec + 1), rec->length);
	}
}

static void drop(struct stream *s, size_t at)
{
	size_t next = next_record(s, at);

	memmove(s->data + at, s->data + next, s->len - next);
	s->len -= next - at;
}

static void insert(struct stream *s, size_t at, const void *data, size_t bytes)
{
	stream_reserve(s, bytes);
	memmove(s->data + at + bytes, s->data + at, s->len - at);
	memcpy(s->data + at, data, bytes);
	s->len += bytes;
}

static void insert_unknown(struct stream *s, uint16_t flags)
{
	struct {
		struct lmf_record rec;
		uint8_t payload[1000];
	} unknown = {
		.rec = { .type = 0x777, .flags = flags, .length = 1000 },
	};

	insert(s, next_record(s, 0), &unknown, sizeof(unknown));
	reseal(s);
}

static void forge_nothing(struct stream *s)
{
	reseal(s);
}

static void forge_major(struct stream *s)
{
	((struct lmf_stream_head *)(record_at(s, 0) + 1))->major++;
	reseal(s);
}

static void forge_minor(struct stream *s)
{
	((struct lmf_stream_head *)(record_at(s, 0) + 1))->minor++;
	reseal(s);
}

static void forge_magic(struct stream *s)
{
	((struct lmf_stream_head *)(record_at(s, 0) + 1))->magic++;
	reseal(s);
}

static void forge_no_chunk(struct stream *s)
{
	((struct lmf_stream_head *)(record_at(s, 0) + 1))->chunk_max = 0;
	reseal(s);
}

static void forge_small_chunk(struct stream *s)
{
	((struct lmf_stream_head *)(record_at(s, 0) + 1))->chunk_max = 1;
	reseal(s);
}

static void forge_huge_chunk(struct stream *s)
{
	((struct lmf_stream_head *)(record_at(s, 0) + 1))->chunk_max = ~0u;
	reseal(s);
}

static void forge_mandatory(struct stream *s)
{
	insert_unknown(s, 0);
}

static void forge_optional(struct stream *s)
{
	insert_unknown(s, LMF_RECORD_OPTIONAL);
}

static void forge_flags(struct stream *s)
{
	insert_unknown(s, LMF_RECORD_OPTIONAL | 2);
}

static void forge_reserved(struct stream *s)
{
	record_at(s, next_record(s, 0))->reserved = 1;
	reseal(s);
}

/* Not resealed: there is no such payload to go over. */
static void forge_endless_record(struct stream *s)
{
	record_at(s, next_record(s, 0))->length = ~0u;
}

static void forge_no_head(struct stream *s)
{
	drop(s, 0);
	reseal(s);
}

static void forge_no_identity(struct stream *s)
{
	drop(s, next_record(s, 0));
	reseal(s);
}

static void forge_no_end(struct stream *s)
{
	s->len = last_record(s);
	reseal(s);
}

static void forge_no_states(struct stream *s)
{
	while (next_record(s, 0) != last_record(s))
		drop(s, next_record(s, 0));
	reseal(s);
}

/* The device's own end is in the last chunk. */
static void forge_no_last_state(struct stream *s)
{
	size_t at = 0;

	while (next_record(s, at) != last_record(s))
		at = next_record(s, at);
	drop(s, at);
	reseal(s);
}

static void forge_two_ends(struct stream *s)
{
	size_t at = last_record(s);

	stream_add(s, s->data + at, next_record(s, at) - at);
	reseal(s);
}

static void forge_two_identities(struct stream *s)
{
	size_t at = next_record(s, 0);

	insert(s, at, s->data + at, next_record(s, at) - at);
	reseal(s);
}

static void forge_garbage_state(struct stream *s)
{
	size_t at = next_record(s, next_record(s, 0));

	memset(s->data + at + sizeof(struct lmf_record), 0xa5, 64);
	reseal(s);
}

/* Bits of the payload: of the media, which may be anything, or of more. */
static void forge_payload(struct stream *s)
{
	struct lmf_record *rec = record_at(s, next_record(s, 0));
	uint8_t *payload = (uint8_t *)(rec + 1);

	for (int i = 0; i < 4; i++)
		payload[random_below(rec->length)] ^= 1 << random_below(8);
	reseal(s);
}

static const struct forgery lmf_forgeries[] = {
	{ "nothing changed", ACCEPTED, forge_nothing },
	{ "a newer minor version", ACCEPTED, forge_minor },
	{ "an unknown optional record", ACCEPTED, forge_optional },
	{ "another major version", REFUSED, forge_major },
	{ "another magic", REFUSED, forge_magic },
	{ "no chunk size", REFUSED, forge_no_chunk },
	{ "a chunk size that is too small", REFUSED, forge_small_chunk },
	{ "a chunk size that is too large", REFUSED, forge_huge_chunk },
	{ "an unknown record", REFUSED, forge_mandatory },
	{ "an unknown flag", REFUSED, forge_flags },
	{ "a reserved field", REFUSED, forge_reserved },
	{ "a record without end", REFUSED, forge_endless_record },
	{ "no HEAD", REFUSED, forge_no_head },
	{ "no identity", REFUSED, forge_no_identity },
	{ "no END", REFUSED, forge_no_end },
	{ "no STATE", REFUSED, forge_no_states },
	{ "no last STATE", REFUSED, forge_no_last_state },
	{ "two ENDs", REFUSED, forge_two_ends },
	{ "two identities", REFUSED, forge_two_identities },
	{ "garbage for a chunk", REFUSED, forge_garbage_state },
	{ "other payload", EITHER, forge_payload },
	{ "yet other payload", EITHER, forge_payload },
	{ "still other payload", EITHER, forge_payload },
	{ 0 }
};

/* Registers that are reserved: the rest of the page of the doorbells. */
#define SCRATCH_AT	0x1800

static void *lmf_scratch(const struct vdev *dev, size_t *bytes)
{
	uint8_t *at = vdev_map_bar(dev, LMF_VF_BAR, 0, LMF_VF_BAR_BYTES);

	*bytes = LMF_VF_BAR_BYTES - SCRATCH_AT;
	return at ? at + SCRATCH_AT : NULL;
}

const struct plugin lmf_plugin = {
	.name = "LMF",
	.unit = UNIT,
	.units = 256,
	.sealed = true,
	.probe = lmf_probe,
	.start = lmf_start,
	.dma_write = lmf_dma_write,
	.touch = lmf_touch,
	.any_granule = true,
	.write_step = 1,
	.write_most = DATA_BYTES,
	.record = lmf_record_length,
	.forgeries = lmf_forgeries,
	.scratch = lmf_scratch,
};
