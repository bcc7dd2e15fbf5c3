/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Private to the reference firmware: its structures, and what its files offer
 * to each other.
 *
 * One file is one concept, and the calls go downwards:
 *
 *	device.c	life of the device, its run loop and resets
 *	pf.c vf.c	registers of the PF and of a VF
 *	admin.c		admin queue: fetch, fair order, completions
 *	command.c	admin commands: the table, and the short ones
 *	save.c load.c	admin commands that move state
 *	engine.c	VF queues: fetch, completions, quiesce
 *	execute.c	one VF request, in bounded pieces
 *	logger.c	dirty log: what its formats have in common
 *	log_ring.c log_ranges.c log_bitmap.c	one format each
 *	extents.c	a bounded set of granules
 *	media.c		on-device memory and its dirty tracking
 *	event.c sgl.c fault.c
 *
 * Guest and host memory are never trusted: what comes from there is copied
 * once and then checked. No function needs more than a small stack frame.
 */
#ifndef LMF_FW_PRIVATE_H
#define LMF_FW_PRIVATE_H

#include "lmf_fw.h"

#ifdef __KERNEL__
#include <linux/string.h>
#include <asm/byteorder.h>
#else
#include <string.h>

#define FW_BIG_ENDIAN	(__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)

static inline uint16_t le16_to_cpu(__le16 value)
{
	return FW_BIG_ENDIAN ? __builtin_bswap16(value) : value;
}

static inline uint32_t le32_to_cpu(__le32 value)
{
	return FW_BIG_ENDIAN ? __builtin_bswap32(value) : value;
}

static inline uint64_t le64_to_cpu(__le64 value)
{
	return FW_BIG_ENDIAN ? __builtin_bswap64(value) : value;
}

static inline __le16 cpu_to_le16(uint16_t value)
{
	return FW_BIG_ENDIAN ? __builtin_bswap16(value) : value;
}

static inline __le32 cpu_to_le32(uint32_t value)
{
	return FW_BIG_ENDIAN ? __builtin_bswap32(value) : value;
}

static inline __le64 cpu_to_le64(uint64_t value)
{
	return FW_BIG_ENDIAN ? __builtin_bswap64(value) : value;
}
#endif

/* The largest piece of one DMA, and what one lmf_fw_run() may move. */
#define FW_BOUNCE_BYTES		(64 * 1024)
#define FW_RUN_BYTES		(256 * 1024)
/* What a step costs that moves nothing, in bytes moved. */
#define FW_STEP_BYTES		256

#define FW_VF_MAX_BYTES		(1024 * 1024)
#define FW_MAX_SGES		LMF_ADMIN_MAX_SGES
#define FW_VF_CAPS		(LMF_VF_CAP_WRITE_ZEROES | LMF_VF_CAP_COPY)
/* Requests of one queue fetched and not completed: bounds the trailer. */
#define FW_INFLIGHT		32
#define FW_FETCH_BATCH		8

#define FW_PF_MAX_ENTRIES	256
#define FW_ADMIN_SLOTS		256
#define FW_CHUNK_MIN		8192
#define FW_CHUNK_MAX		(256 * 1024)

#define FW_LOG_RANGES		32
#define FW_LOG_SHIFT_MIN	12
#define FW_LOG_SHIFT_MAX	21
/* More than ranges, so that two extents of one range can always be merged. */
#define FW_LOG_EXTENTS		256
#define FW_LIST_EXTENTS		4096
#define FW_LOG_LEAVES		32768	/* 4 TiB in granules of 4 KiB */

#define FW_MEDIA_LIMIT		(64ull << 30)
#define FW_LEAF_GRANULES	256
#define FW_LEAF_WORDS		(FW_LEAF_GRANULES / 64)

#define FW_FAULT_RULES		16
#define FW_REORDER_NS		100000
#define FW_NONE			(-1)

/* A command handler's answer that is no status: call it again. */
#define FW_AGAIN		0xffff

/* A scatter list, checked, and a position in it. */
struct fw_sgl {
	unsigned int count;
	unsigned int index;
	uint32_t offset;	/* in sge[index] */
	uint64_t total;
	struct {
		uint64_t addr;
		uint32_t len;
	} sge[FW_MAX_SGES];
};

struct fw_request {
	struct lmf_vf_cmd cmd;
	uint64_t due;		/* of the completion, if done */
	uint32_t result;
	uint16_t status;
	bool done;
	bool held;		/* by a fault hook */
};

/* What a queue needs while it is enabled. */
struct fw_queue_mem {
	struct fw_request request[FW_INFLIGHT];
	struct fw_sgl sgl;	/* of the request being executed */
};

struct fw_queue {
	uint64_t sq_base;
	uint64_t cq_base;
	uint32_t entries;
	uint32_t vector;
	uint32_t ctrl;
	uint32_t status;
	uint32_t sq_tail;
	uint32_t sq_head;
	uint32_t cq_tail;
	uint32_t cq_head;
	uint32_t phase;
	unsigned int requests;	/* in mem->request, oldest first */
	bool started;		/* the first one that is not done */
	uint32_t progress;	/* of it, in bytes */
	bool irq;		/* to be raised */
	struct fw_queue_mem *mem;
};

/* FW_LEAF_GRANULES granules; those never written are NULL and read 0. */
struct fw_leaf {
	uint8_t *granule[FW_LEAF_GRANULES];
	uint64_t first[FW_LEAF_WORDS];	/* of the first pass, unsent */
	uint64_t dirty[FW_LEAF_WORDS];	/* dirtied since sent */
};

struct fw_media {
	struct fw_leaf **leaf;	/* NULL until something is written */
	unsigned int leaves;
	uint64_t allocated;	/* granules */
	bool lost;
	bool tracking;
	uint64_t first;		/* bits set, all leaves */
	uint64_t dirty;
	uint64_t cursor;	/* granule where the next search begins */
	struct fw_leaf **doomed;	/* scrubbed, being freed */
	unsigned int reaped;
};

/* Dirty granules [first, last], to be posted at @due. */
struct fw_extent {
	uint64_t first;
	uint64_t last;
	uint64_t due;
	bool coarse;
};

/* Sorted, with gaps between. */
struct fw_extents {
	unsigned int count;
	unsigned int max;
	struct fw_extent *extent;
};

struct fw_bits;

/* Of a BITMAP: for each leaf, is it dirty, in which granules or in all? */
struct fw_bank {
	uint64_t *dirty;	/* one bit for each leaf */
	bool *full;
	struct fw_bits **leaf;	/* NULL until it was dirty once */
	uint32_t count;		/* dirty leaves */
};

struct fw_log {
	const struct fw_log_format *format;
	unsigned int shift;
	uint32_t threshold;
	uint64_t overflows;
	bool overflowing;	/* counted already */
	bool told;		/* threshold event sent, nothing consumed */
	unsigned int ranges;
	struct {
		uint64_t first;	/* granules */
		uint64_t last;
	} range[FW_LOG_RANGES];
	/* RING and RANGES */
	struct fw_extents pending;
	/* RING */
	uint32_t entries;
	uint64_t posted;
	uint64_t consumed;
	uint64_t rotor;		/* granule where posting goes on */
	bool broken;		/* the ring was not accessible */
	struct fw_sgl ring;
	uint32_t ring_slot;	/* first slot in ring.sge[ring.index] */
	/* RANGES */
	unsigned int coarse;	/* a unit is so many powers of 2 of granules */
	/* BITMAP */
	uint32_t leaves;
	struct fw_bank bank[2];
	unsigned int open;	/* index of the open one */
	uint32_t sequence;	/* of the closed one */
	uint32_t cursor;	/* of a flush that takes steps */
};

struct fw_save {
	uint64_t session;	/* 0: none */
	uint64_t sent;		/* bytes */
	uint64_t media;		/* MEDIA segments sent */
	uint64_t trailer_sent;
	unsigned int trailer_next;
	unsigned int segments;	/* that this chunk may still get */
	bool identity;		/* sent */
	bool ended;
	bool failed;
};

struct fw_load {
	uint64_t session;
	uint16_t status;	/* of the first error */
	bool identity;
	bool ended;
	uint32_t queues_seen;
	uint32_t queues;
	uint32_t requests;
	uint64_t media;
	uint64_t offset;	/* parsed of the present chunk */
	struct fw_queue queue[LMF_VF_QUEUE_LIMIT];
};

struct fw_vf {
	unsigned int index;
	bool present;
	unsigned int level;	/* enum lmf_quiesce_level */
	unsigned int rotor;	/* queue to serve next */
	struct fw_queue queue[LMF_VF_QUEUE_LIMIT];
	struct fw_media media;
	struct fw_log *log;
	struct fw_save save;
	struct fw_load *load;
	int first;		/* admin slots waiting, FIFO, or FW_NONE */
	int last;
	struct fw_sgl sgl;	/* data buffer of the first one */
	struct lmf_fw_stats stats;
	uint64_t resets;	/* since the PF came up */
	uint64_t fence;		/* commands submitted before the last reset */
	uint32_t events;	/* to be posted, a bit for each type */
	uint32_t events_posted;	/* not consumed yet, likewise */
	uint32_t error_queue;	/* that stopped last */
	struct {
		uint32_t lose_num;
		uint32_t lose_den;
		uint64_t delay_ns;
		uint32_t drop;
		uint32_t fail;
		uint16_t fail_status;
	} fault;
};

enum fw_slot_state {
	FW_SLOT_FREE,
	FW_SLOT_QUEUED,
	FW_SLOT_STARTED,
	FW_SLOT_DONE,
};

/* An admin command from its fetch to its completion. */
struct fw_slot {
	enum fw_slot_state state;
	bool held;		/* by a fault hook */
	int next;
	uint64_t due;
	uint64_t number;	/* of commands submitted before it */
	uint64_t order;		/* in which commands were done */
	struct lmf_admin_cmd cmd;
	struct lmf_admin_cqe cqe;
};

struct fw_pf {
	uint32_t ctrl;
	uint32_t status;
	uint64_t asq_base;
	uint64_t acq_base;
	uint64_t aeq_base;
	uint32_t aq_entries;
	uint32_t aeq_entries;
	uint32_t asq_tail;
	uint32_t asq_head;
	uint32_t acq_tail;
	uint32_t acq_head;
	uint32_t acq_phase;
	uint32_t aeq_tail;
	uint32_t aeq_head;
	uint32_t aeq_phase;
	struct {
		uint8_t vf;
		uint8_t type;
	} event[FW_PF_MAX_ENTRIES];	/* in the event ring */
	uint64_t fetched;	/* commands */
	bool dying;		/* FATAL, as soon as nobody is in the middle */
};

enum fw_rule_kind {
	FW_RULE_NONE,
	FW_RULE_DELAY,
	FW_RULE_DROP,
	FW_RULE_FAIL,
	FW_RULE_CORRUPT,
};

struct fw_rule {
	enum fw_rule_kind kind;
	bool any;		/* opcode */
	uint16_t opcode;
	uint32_t count;		/* strikes when it gets to 0 */
	uint64_t value;
};

struct fw_fault {
	uint32_t log_entries;
	bool log_delay_set;
	uint64_t log_delay_ns;
	bool reorder;
	bool short_chunks;
	uint32_t identity_version;
	struct fw_rule rule[FW_FAULT_RULES];
};

struct lmf_fw {
	struct lmf_fw_ops ops;
	void *ctx;
	struct lmf_fw_config config;
	uint32_t version;
	uint64_t random;
	uint64_t now;		/* when this call began */
	int64_t budget;		/* bytes that this run may still move */
	bool running;
	struct fw_pf pf;
	uint64_t sessions;
	uint64_t order;
	unsigned int slots_used;
	unsigned int admin_rotor;	/* VF to serve next */
	unsigned int engine_rotor;
	unsigned int event_rotor;
	struct fw_fault fault;
	struct fw_vf *vf[LMF_PF_VF_LIMIT];
	struct fw_slot slot[FW_ADMIN_SLOTS];
	uint8_t bounce[FW_BOUNCE_BYTES];
};

static inline uint64_t fw_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t fw_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline bool fw_is_power_of_2(uint64_t value)
{
	return value && !(value & (value - 1));
}

/* Does [addr, addr + len) wrap? An end at 2^64 does not. */
static inline bool fw_wraps(uint64_t addr, uint64_t len)
{
	return len && addr + len - 1 < addr;
}

static inline void fw_set_low(uint64_t *reg, uint32_t value)
{
	*reg = (*reg & ~0xffffffffull) | value;
}

static inline void fw_set_high(uint64_t *reg, uint32_t value)
{
	*reg = (uint32_t)*reg | (uint64_t)value << 32;
}

/* device.c */
void *fw_alloc(struct lmf_fw *fw, size_t bytes);
void fw_free(struct lmf_fw *fw, void *mem, size_t bytes);
void fw_kick(struct lmf_fw *fw);
void fw_settle(struct lmf_fw *fw);
void fw_note(struct lmf_fw *fw, int fn, const char *what);
void fw_vf_reset(struct lmf_fw *fw, struct fw_vf *vf);
void fw_pf_reset(struct lmf_fw *fw);
uint32_t fw_trailer_max(const struct lmf_fw *fw);
uint64_t fw_state_max(const struct lmf_fw *fw);
bool fw_ring_good(uint64_t base, uint32_t entries, unsigned int size,
		  uint32_t max);

/* pf.c */
uint32_t fw_pf_read(struct lmf_fw *fw, uint64_t offset);
void fw_pf_write(struct lmf_fw *fw, uint64_t offset, uint32_t value);
void fw_pf_fatal(struct lmf_fw *fw, const char *why);

/* vf.c */
uint32_t fw_vf_read(struct lmf_fw *fw, struct fw_vf *vf, uint64_t offset);
void fw_vf_write(struct lmf_fw *fw, struct fw_vf *vf, uint64_t offset,
		 uint32_t value);
bool fw_queue_good(const struct lmf_fw *fw, const struct fw_queue *queue);

/* engine.c */
int fw_vf_dma_write(struct lmf_fw *fw, struct fw_vf *vf, uint64_t addr,
		    const void *buf, size_t len);
void fw_queue_off(struct lmf_fw *fw, struct fw_queue *queue);
void fw_queues_clear(struct lmf_fw *fw, struct fw_vf *vf);
void fw_queue_error(struct lmf_fw *fw, struct fw_vf *vf, unsigned int index);
void fw_engine_quiesce(struct lmf_fw *fw, struct fw_vf *vf,
		       unsigned int level);
void fw_engine_run(struct lmf_fw *fw);
uint64_t fw_engine_next(const struct lmf_fw *fw);
unsigned int fw_engine_parked(const struct lmf_fw *fw, const struct fw_vf *vf);

/* execute.c */
void fw_execute_piece(struct lmf_fw *fw, struct fw_vf *vf,
		      struct fw_queue *queue, struct fw_request *request);

/* media.c */
void fw_media_read(const struct fw_vf *vf, uint64_t offset, void *buf,
		   size_t len);
bool fw_media_write(struct lmf_fw *fw, struct fw_vf *vf, uint64_t offset,
		    const void *buf, size_t len);
void fw_media_zero(struct lmf_fw *fw, struct fw_vf *vf, uint64_t offset,
		   size_t len);
void fw_media_track(struct fw_vf *vf, bool on);
bool fw_media_take(struct fw_vf *vf, uint64_t *offset, void *buf);
bool fw_media_scrub(struct fw_vf *vf);
bool fw_media_reap(struct lmf_fw *fw, struct fw_vf *vf);
void fw_media_destroy(struct lmf_fw *fw, struct fw_vf *vf);

/* extents.c */
bool fw_extents_alloc(struct lmf_fw *fw, struct fw_extents *set,
		      unsigned int max);
void fw_extents_free(struct lmf_fw *fw, struct fw_extents *set);
void fw_extents_sweep(struct fw_extents *set);
bool fw_extents_merge(struct fw_extents *set, const struct fw_extent *new);
bool fw_extents_insert(struct fw_extents *set, const struct fw_extent *new);
void fw_extents_join(struct fw_extents *set, unsigned int index);
unsigned int fw_extents_find(const struct fw_extents *set, uint64_t granule);

/* logger.c */
uint16_t fw_log_start(struct lmf_fw *fw, struct fw_vf *vf, const void *data,
		      size_t len);
void fw_log_stop(struct lmf_fw *fw, struct fw_vf *vf);
void fw_log_publish(struct lmf_fw *fw, struct fw_vf *vf);
uint16_t fw_log_flush(struct lmf_fw *fw, struct fw_vf *vf,
		      struct fw_slot *slot);
uint16_t fw_log_read(struct lmf_fw *fw, struct fw_vf *vf,
		     struct fw_slot *slot);
void fw_log_write(struct lmf_fw *fw, struct fw_vf *vf, uint64_t addr,
		  uint64_t len);
void fw_log_head(struct lmf_fw *fw, struct fw_vf *vf, uint32_t head);
void fw_log_run(struct lmf_fw *fw);
uint64_t fw_log_next(const struct lmf_fw *fw);
uint32_t fw_log_offers(const struct lmf_fw *fw);
uint64_t fw_log_due(const struct lmf_fw *fw);
void fw_log_overflowed(struct fw_vf *vf);
void fw_log_tell(struct lmf_fw *fw, struct fw_vf *vf, uint64_t unconsumed);

/*
 * A format of the log, log_*.c. @start and @read answer a status, @flush too or
 * FW_AGAIN; @stop is called after a @start that failed as well. @head, @run and
 * @next may be NULL.
 */
struct fw_log_format {
	uint16_t (*start)(struct lmf_fw *fw, struct fw_log *log,
			  const struct lmf_log_start *start,
			  const struct lmf_sge *sge);
	void (*stop)(struct lmf_fw *fw, struct fw_log *log);
	void (*add)(struct lmf_fw *fw, struct fw_vf *vf, uint64_t first,
		    uint64_t last);
	void (*publish)(struct lmf_fw *fw, struct fw_vf *vf);
	uint16_t (*flush)(struct lmf_fw *fw, struct fw_vf *vf,
			  struct fw_slot *slot);
	uint16_t (*read)(struct lmf_fw *fw, struct fw_vf *vf,
			 struct fw_slot *slot);
	void (*head)(struct lmf_fw *fw, struct fw_vf *vf, uint32_t head);
	void (*run)(struct lmf_fw *fw, struct fw_vf *vf);
	uint64_t (*next)(const struct lmf_fw *fw, const struct fw_log *log);
};

extern const struct fw_log_format fw_log_ring, fw_log_ranges, fw_log_bitmap;

/* sgl.c */
uint16_t fw_sgl_load(struct lmf_fw *fw, int fn, struct fw_sgl *sgl,
		     const struct lmf_sge *sge, unsigned int nsge);
bool fw_sgl_add(struct fw_sgl *sgl, const struct lmf_sge *sge);
uint32_t fw_sgl_piece(const struct fw_sgl *sgl, uint64_t max, uint64_t *addr);
void fw_sgl_advance(struct fw_sgl *sgl, uint32_t bytes);
void fw_sgl_seek(struct fw_sgl *sgl, uint64_t offset);
bool fw_sgl_put(struct lmf_fw *fw, struct fw_sgl *sgl, const void *buf,
		uint64_t len);
bool fw_sgl_get(struct lmf_fw *fw, struct fw_sgl *sgl, void *buf,
		uint64_t len);

/* admin.c */
void fw_admin_run(struct lmf_fw *fw);
uint64_t fw_admin_next(const struct lmf_fw *fw);
void fw_admin_drop(struct lmf_fw *fw);
void fw_admin_abort(struct lmf_fw *fw, struct fw_vf *vf);
void fw_admin_release(struct lmf_fw *fw);

/* command.c */
bool fw_command_aborts(const struct lmf_fw *fw, const struct fw_slot *slot);
uint16_t fw_command_check(struct lmf_fw *fw, struct fw_vf *vf,
			  struct fw_slot *slot);
uint16_t fw_command_run(struct lmf_fw *fw, struct fw_vf *vf,
			struct fw_slot *slot);

/* save.c */
uint16_t fw_save_begin(struct lmf_fw *fw, struct fw_vf *vf,
		       struct fw_slot *slot);
uint16_t fw_save_read(struct lmf_fw *fw, struct fw_vf *vf,
		      struct fw_slot *slot);
uint16_t fw_save_query(struct lmf_fw *fw, struct fw_vf *vf,
		       struct fw_slot *slot);
uint16_t fw_save_end(struct lmf_fw *fw, struct fw_vf *vf,
		     struct fw_slot *slot);
void fw_save_failed(struct fw_vf *vf);
void fw_save_abort(struct fw_vf *vf);
void fw_save_resumed(struct fw_vf *vf);

/* load.c */
uint16_t fw_load_begin(struct lmf_fw *fw, struct fw_vf *vf,
		       struct fw_slot *slot);
uint16_t fw_load_write(struct lmf_fw *fw, struct fw_vf *vf,
		       struct fw_slot *slot);
uint16_t fw_load_end(struct lmf_fw *fw, struct fw_vf *vf,
		     struct fw_slot *slot);
void fw_load_failed(struct fw_vf *vf, uint16_t status);
void fw_load_abort(struct lmf_fw *fw, struct fw_vf *vf);

/* event.c */
void fw_event(struct lmf_fw *fw, struct fw_vf *vf, enum lmf_event_type type);
void fw_event_consumed(struct lmf_fw *fw, uint32_t from);
void fw_event_drop(struct lmf_fw *fw);

/* fault.c */
uint32_t fw_random(struct lmf_fw *fw);
bool fw_fault_strikes(struct lmf_fw *fw, enum fw_rule_kind kind,
		      uint16_t opcode, uint64_t *value);
bool fw_fault_loses(struct lmf_fw *fw, struct fw_vf *vf);
bool fw_fault_counts(uint32_t *count);

#endif
