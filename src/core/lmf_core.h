/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PF driver's own structures.
 *
 *	pci.c		PCI: probe, SR-IOV, interrupts, resets from outside
 *	health.c	start and stop of the queue, watchdog, loss, recovery
 *	aq.c		the admin queue: slots, tags, rings
 *	op.c		operations: a command and whoever waits for it
 *	track.c		what the device holds open for a VF
 *	buf.c		memory that the device reads or writes
 *	event.c		the event ring
 *	vf.c mig.c log.c	the calls of include/linux/lmf.h
 *	sysfs.c		what an operator may ask of the PF
 *
 * Only pci.c and sysfs.c know PCI. The others see a struct device for the DMA
 * API and two functions for register access, so that a mock can stand in for
 * the device.
 *
 * Ownership. A command that was posted owns a slot, and the slot a reference
 * to its operation, and that one to its buffers, until the device completed it
 * or a stop of the queue was confirmed; no waiter, timeout or signal shortens
 * that. What a log writes is owned by struct lmf_func in the same way. So are
 * operations, as they may outlive the handle that they were made for.
 *
 * Lock order, outermost first:
 *	lmf_func.notify_lock	(mutex)
 *	what the functions of struct lmf_vf_notify take
 *	lmf_func.lock		(mutex)
 *	lmf_core.lock		(spinlock, interrupts off)
 *	lmf_op.lock		(spinlock, interrupts off)
 *	the lock of a wait queue
 * So nobody may hold what his notify functions take while he calls lmf_vf_get()
 * or lmf_vf_put().
 */
#ifndef LMF_CORE_H
#define LMF_CORE_H

#include <linux/bitmap.h>
#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/lmf.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "lmf_pf.h"

#define LMF_CHUNK_LIMIT		((u32)SZ_1M)	/* bytes; see buf.c */
#define LMF_LOG_RING_LIMIT	((u32)SZ_64K)	/* entries */
#define LMF_LOG_RANGES_LIMIT	1024U
#define LMF_VF_INFLIGHT		16U	/* commands of a VF on the device */

struct attribute_group;
struct device;
struct lmf_core;
struct pci_dev;
struct sg_table;

/**
 * struct lmf_io_ops - access to the PF's BAR 0
 * @read: a register; all ones if the device is gone
 * @write: a register, after all memory writes before it
 *
 * Called with a spinlock held, so neither may call back.
 */
struct lmf_io_ops {
	u32 (*read)(void *ctx, u32 offset);
	void (*write)(void *ctx, u32 offset, u32 value);
};

/**
 * struct lmf_dmabuf - a buffer
 * @pub: what the VF driver sees
 * @core: device that it is mapped for
 * @ref: caller, operations, log
 * @sgt: of a chunk buffer; NULL if the memory is coherent
 * @dma: its IOVA; it is always one piece
 * @busy: a command that may use it is on the device; core->lock
 * @free_work: frees it, as that may sleep and the last put may not
 */
struct lmf_dmabuf {
	struct lmf_buf pub;
	struct lmf_core *core;
	struct kref ref;
	struct sg_table *sgt;
	dma_addr_t dma;
	bool busy;
	struct work_struct free_work;
};

/**
 * struct lmf_request - a command to be made
 * @opcode: enum lmf_admin_opcode
 * @session: of a save or load
 * @param: by opcode
 * @buf: data buffer or NULL
 * @bytes: of @buf
 * @ring: log ring that LOG_START hands to the device
 * @left_max: bound of what SAVE_READ and SAVE_QUERY may say is left in all
 * @wq: to be woken, or NULL
 * @teardown: wait bounded but not killable
 */
struct lmf_request {
	u16 opcode;
	u64 session;
	u32 param;
	struct lmf_dmabuf *buf;
	u32 bytes;
	struct lmf_dmabuf *ring;
	u64 left_max;
	wait_queue_head_t *wq;
	bool teardown;
};

/**
 * struct lmf_op - an operation
 * @ref: the caller's and, while the command is posted, the slot's
 * @func: VF
 * @buf: data buffer, referenced
 * @ring: log ring, referenced; of LOG_START
 * @cmd: the command, complete but for its tag
 * @left_max: as in struct lmf_request
 * @serial: order of posting; core->lock
 * @deadline: jiffies at which it is given up; set when posted
 * @posted_ns: CLOCK_MONOTONIC
 * @done_ns: likewise
 * @lock: protects @wq, @err and @cqe until @done
 * @wq: the caller's, NULL once he put the operation
 * @waitq: lmf_op_wait()
 * @cqe: its completion, if @done and not @given_up
 * @err: result
 * @given_up: @err is not the device's answer
 * @done: set last, read without the lock
 */
struct lmf_op {
	struct kref ref;
	struct lmf_func *func;
	struct lmf_dmabuf *buf;
	struct lmf_dmabuf *ring;
	struct lmf_admin_cmd cmd;
	u64 left_max;
	u64 serial;
	unsigned long deadline;
	u64 posted_ns;
	u64 done_ns;
	spinlock_t lock; /* protects wq, err and cqe until done */
	wait_queue_head_t *wq;
	wait_queue_head_t waitq;
	struct lmf_admin_cqe cqe;
	int err;
	bool given_up;
	bool done;
};

/**
 * struct lmf_slot - a command that the device has
 * @op: referenced; NULL if the slot is free
 * @generation: upper half of the tag
 * @stuck: its waiter was told -ETIMEDOUT
 */
struct lmf_slot {
	struct lmf_op *op;
	u16 generation;
	bool stuck;
};

/**
 * struct lmf_aq - the admin queue; core->lock protects what changes
 * @cmds: submission ring, @entries long
 * @cqes: completion ring, @entries long
 * @cmds_dma: IOVA of @cmds
 * @cqes_dma: IOVA of @cqes
 * @entries: of both rings
 * @nslots: @entries - 1, so that neither ring can overflow
 * @quota: slots that one VF may hold, so that it cannot starve the others
 * @slots: by the lower half of the tag
 * @used: the slots that are not free
 * @nused: their number
 * @nstuck: how many of them are stuck
 * @tail: of @cmds
 * @head: of @cqes
 * @phase: of the next completion
 * @serial: of the last command posted
 * @stray: completions that matched no command
 * @slot_wq: woken when a slot became free or the queue was lost
 */
struct lmf_aq {
	struct lmf_admin_cmd *cmds;
	struct lmf_admin_cqe *cqes;
	dma_addr_t cmds_dma;
	dma_addr_t cqes_dma;
	u32 entries;
	u32 nslots;
	u32 quota;
	struct lmf_slot *slots;
	unsigned long *used;
	u32 nused;
	u32 nstuck;
	u32 tail;
	u32 head;
	u32 phase;
	u64 serial;
	u64 stray;
	wait_queue_head_t slot_wq;
};

/**
 * struct lmf_aeq - the event ring; core->lock protects what changes
 * @events: ring, @entries long
 * @dma: IOVA of @events
 * @entries: of the ring
 * @head: next to be read
 * @phase: of the next event
 */
struct lmf_aeq {
	struct lmf_event *events;
	dma_addr_t dma;
	u32 entries;
	u32 head;
	u32 phase;
};

/**
 * struct lmf_func - a VF, whether it is enabled or not
 * @core: its PF
 * @id: number, from 0
 * @lock: serializes what begins a session or a log
 * @notify_lock: protects @taken, @vf and when @ops is made; held while a notify
 *		 function runs
 * @taken: lmf_vf_get() gave it away
 * @vf: its handle, once that may be notified
 * @ops: LMF_VF_OPS operations, from when it was taken first
 * @ops_used: those that are referenced; atomic
 * @inflight: slots it holds; core->lock, as all below
 * @nstuck: how many of them are stuck
 * @session: that the device has open, or 0
 * @session_serial: of the command that began it
 * @session_load: it is a load
 * @session_claimed: a caller knows of it
 * @log: the device may have a log on
 * @ring: of that log, referenced, or NULL
 * @log_serial: of the command that started the log
 * @log_claimed: a caller knows that the log is on
 */
struct lmf_func {
	struct lmf_core *core;
	u16 id;
	struct mutex lock; /* serializes what begins a session or a log */
	struct mutex notify_lock; /* protects taken, vf and making ops */
	bool taken;
	struct lmf_vf *vf;
	struct lmf_op *ops;
	DECLARE_BITMAP(ops_used, LMF_VF_OPS);
	u32 inflight;
	u32 nstuck;
	u64 session;
	u64 session_serial;
	bool session_load;
	bool session_claimed;
	bool log;
	struct lmf_dmabuf *ring;
	u64 log_serial;
	bool log_claimed;
};

/**
 * struct lmf_vf - a handle
 * @func: VF
 * @caps: what it can do
 * @notify: events or NULL
 * @priv: for @notify
 */
struct lmf_vf {
	struct lmf_func *func;
	struct lmf_vf_caps caps;
	const struct lmf_vf_notify *notify;
	void *priv;
};

enum lmf_core_state {
	LMF_CORE_LOST,	/* no command is taken, no register touched */
	LMF_CORE_STARTING,	/* the registers are those of who starts it */
	LMF_CORE_UP,
	LMF_CORE_GONE,	/* being removed */
};

/**
 * struct lmf_core - a PF
 * @dev: for the DMA API and messages
 * @io: register access
 * @io_ctx: for @io
 * @nfuncs: VFs that the device can have
 * @funcs: they
 * @wq: for all work below and for freeing buffers
 * @recover_work: stops and starts the queue after it was lost
 * @watch_work: runs while commands are under way
 * @lock: protects @state, @hold, @aq, @aeq, the lower part of struct lmf_func
 *	  and access to registers
 * @state: enum lmf_core_state
 * @hold: a reset from outside is under way, hands off
 * @aq: admin queue
 * @aeq: event ring
 */
struct lmf_core {
	struct device *dev;
	const struct lmf_io_ops *io;
	void *io_ctx;
	u32 nfuncs;
	struct lmf_func *funcs;
	struct workqueue_struct *wq;
	struct work_struct recover_work;
	struct delayed_work watch_work;
	spinlock_t lock; /* protects as said above */
	enum lmf_core_state state;
	bool hold;
	struct lmf_aq aq;
	struct lmf_aeq aeq;
};

static inline u32 lmf_read(struct lmf_core *core, u32 offset)
{
	return core->io->read(core->io_ctx, offset);
}

static inline void lmf_write(struct lmf_core *core, u32 offset, u32 value)
{
	core->io->write(core->io_ctx, offset, value);
}

/* health.c */
struct lmf_core *lmf_core_create(struct device *dev,
				 const struct lmf_io_ops *io, void *io_ctx);
int lmf_core_start(struct lmf_core *core);
bool lmf_core_stop(struct lmf_core *core);
void lmf_core_destroy(struct lmf_core *core, bool stopped);
bool lmf_core_is_up(struct lmf_core *core);
bool lmf_core_wait_up(struct lmf_core *core);
void lmf_core_reset_prepare(struct lmf_core *core);
void lmf_core_reset_done(struct lmf_core *core);
void lmf_core_lost_locked(struct lmf_core *core);
unsigned long lmf_timeout(void);
void lmf_watch_locked(struct lmf_core *core);

/* aq.c */
int lmf_aq_init(struct lmf_core *core, u32 max_entries);
void lmf_aq_exit(struct lmf_core *core);
struct lmf_op *lmf_aq_submit(struct lmf_func *func,
			     const struct lmf_request *req);
void lmf_aq_poll(struct lmf_core *core);
bool lmf_aq_expire_locked(struct lmf_core *core);
bool lmf_aq_is_stuck_locked(struct lmf_core *core);
void lmf_aq_fail_locked(struct lmf_core *core);
void lmf_aq_reset(struct lmf_core *core);

/* op.c */
int lmf_ops_alloc(struct lmf_func *func);
void lmf_ops_free(struct lmf_func *func);
struct lmf_op *lmf_op_new(struct lmf_func *func, const struct lmf_request *req);
void lmf_op_unref(struct lmf_op *op);
void lmf_op_complete(struct lmf_op *op, const struct lmf_admin_cqe *cqe);
void lmf_op_give_up(struct lmf_op *op, int err);
int lmf_op_exec(struct lmf_func *func, const struct lmf_request *req,
		struct lmf_admin_cqe *cqe);
struct lmf_save_left lmf_cqe_left(const struct lmf_admin_cqe *cqe);

/* track.c */
int lmf_track_check_locked(struct lmf_func *func, const struct lmf_op *op);
void lmf_track_posted_locked(struct lmf_func *func, struct lmf_op *op);
void lmf_track_completed_locked(struct lmf_func *func, const struct lmf_op *op,
				const struct lmf_admin_cqe *cqe);
void lmf_track_reset_locked(struct lmf_func *func);
int lmf_track_begin(struct lmf_func *func, bool load, u64 *session);
int lmf_track_end(struct lmf_func *func, bool load, u64 session);
void lmf_track_abandon(struct lmf_func *func, u64 session);
int lmf_track_start_log(struct lmf_func *func, const struct lmf_request *req);
int lmf_track_stop_log(struct lmf_func *func);
int lmf_track_close(struct lmf_func *func);

/* buf.c */
struct lmf_dmabuf *lmf_dmabuf_alloc_coherent(struct lmf_core *core, size_t size,
					     gfp_t gfp);
struct lmf_dmabuf *lmf_dmabuf_get(struct lmf_dmabuf *buf);
void lmf_dmabuf_put(struct lmf_dmabuf *buf);
void lmf_dmabuf_to_device(struct lmf_dmabuf *buf);
void lmf_dmabuf_to_cpu(struct lmf_dmabuf *buf);

static inline struct lmf_dmabuf *to_lmf_dmabuf(struct lmf_buf *buf)
{
	return container_of(buf, struct lmf_dmabuf, pub);
}

/* event.c */
int lmf_aeq_init(struct lmf_core *core, u32 max_entries);
void lmf_aeq_exit(struct lmf_core *core);
void lmf_aeq_reset(struct lmf_core *core);
void lmf_aeq_poll(struct lmf_core *core);
void lmf_notify_sessions_lost(struct lmf_core *core);
void lmf_notify_lost(struct lmf_core *core);

/* vf.c */
int lmf_func_read_info(struct lmf_func *func, struct lmf_vf_info *info);
int lmf_func_scrub(struct lmf_core *core, u32 id);
struct lmf_vf *lmf_vf_open(struct lmf_core *core, u32 id,
			   const struct lmf_vf_notify *notify, void *priv);

/* pci.c */
struct lmf_core *lmf_pci_core(struct pci_dev *pdev);

/* sysfs.c */
extern const struct attribute_group *lmf_pf_groups[];

#endif
