/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the PF driver of an LMF device offers to the driver of its VFs.
 *
 * The VF's IOMMU domain belongs to the guest, so everything that migration and
 * dirty logging do goes through the PF: these calls become admin commands and
 * every buffer here is mapped for the PF. A vendor who ports lmf-vfio-pci
 * implements this header over his own device; see docs/porting.md.
 *
 * Errors. Every call that sends a command may return, beside what it names:
 *	-ENOTCONN	the PF is lost, being reset or removed
 *	-ETIMEDOUT	no answer within the command timeout
 *	-EINTR		a fatal signal came (only where "killable" is said)
 *	-ENOMEM		no memory, here or on the device
 *	-ENODEV		the VF is not enabled
 *	-EIO		the device failed, or answered nonsense
 *	-EBUSY		the VF is not in a state for this command
 *	-ECANCELED	the session is gone, or a VF reset came in between; the
 *			latter only from what quiesces, saves or loads
 * A command that was given up (-ETIMEDOUT, -EINTR) still runs: it keeps its
 * buffer, which the PF driver frees when the command has completed after all or
 * when the PF was reset. What it changes on the device, it may change later,
 * but nothing that quiesces, saves or loads reaches beyond a VF reset.
 *
 * Memory. What an operation takes is there from lmf_vf_get() on, for
 * LMF_VF_OPS of them on each VF. One counts until it was put and its command
 * has completed, or was ended by a reset of the PF; beyond that it is -ENOMEM.
 * So no command needs memory of the host, but for lmf_vf_get(),
 * lmf_vf_save_begin(), lmf_vf_load_begin(), lmf_vf_level() and
 * lmf_vf_log_start().
 *
 * When the PF was lost all sessions and logs have ended. The VFs themselves
 * stay as they were, at the level of quiesce that they had. Only a reset of the
 * PF's function resets its VFs, too; nobody is told but by @lost.
 *
 * Context: everything may sleep unless it says otherwise. Calls on the same VF
 * may run concurrently; their order on the device is then undefined. Calls
 * that are made one after the other take effect in that order.
 */
#ifndef _LINUX_LMF_H
#define _LINUX_LMF_H

#include <linux/types.h>
#include <linux/wait.h>

#define LMF_VF_OPS	32

struct pci_dev;
struct lmf_buf;
struct lmf_op;
struct lmf_vf;

/**
 * struct lmf_vf_caps - what a VF can do
 * @migrate: quiesce, save and load work
 * @log: the VF logs its DMA writes
 * @log_formats: bit n is set if enum lmf_log_format n is offered
 * @state_max: bound of struct lmf_save_left, all of it together, in bytes. A
 *	       whole state may be longer: what gets dirty again is given again
 * @trailer_max: bound of the part that only a stopped VF gives
 * @chunk_min: smallest buffer for lmf_vf_save_read(), bytes
 * @chunk_max: largest one, also for lmf_vf_load_write(), bytes
 * @log_ring_max: `ring`: entries of the largest one, a power of two, or 0
 * @log_list_max: `ranges`: extents that the device keeps at most
 * @log_leaves_max: `bitmap`: leaves of all that is logged together at most
 * @log_ranges_max: ranges that lmf_vf_log_start() takes
 * @log_shift_min: finest granule is 2^n bytes
 * @log_shift_max: coarsest granule is 2^n bytes
 */
struct lmf_vf_caps {
	bool migrate;
	bool log;
	u32 log_formats;
	u64 state_max;
	u32 trailer_max;
	u32 chunk_min;
	u32 chunk_max;
	u32 log_ring_max;
	u32 log_list_max;
	u32 log_leaves_max;
	u32 log_ranges_max;
	u8 log_shift_min;
	u8 log_shift_max;
};

/**
 * struct lmf_vf_notify - events of a VF
 * @log_threshold: the log reached its threshold; once until
 *		   lmf_vf_log_consumed() or lmf_vf_log_read() lowered it again
 * @sessions_lost: the PF was lost, and all sessions with it; before anything
 *		   can be sent to it again
 * @lost: events were lost, any may have happened. Also called after an attempt
 *	  to recover a lost PF
 *
 * Called in a thread, may take mutexes but must not call back into
 * lmf_vf_get() or lmf_vf_put(). None is called after lmf_vf_put().
 */
struct lmf_vf_notify {
	void (*log_threshold)(void *priv);
	void (*sessions_lost)(void *priv);
	void (*lost)(void *priv);
};

/**
 * lmf_vf_get() - take the migration interface of a VF
 * @pdev: the VF; must stay bound to the caller's driver until lmf_vf_put()
 * @notify: events, or NULL
 * @priv: passed to @notify
 *
 * The caller must not hold a lock that the functions of @notify take, here and
 * in lmf_vf_put(): both wait for one that is running.
 *
 * Return: the handle, or ERR_PTR(): -EOPNOTSUPP if the function is no VF of an
 * LMF PF, its PF is not bound to our PF driver or the device is of another
 * major version, -EBUSY if the interface is already taken, or an error of a
 * command.
 */
struct lmf_vf *lmf_vf_get(struct pci_dev *pdev,
			  const struct lmf_vf_notify *notify, void *priv);

/**
 * lmf_vf_put() - give it back
 * @vf: handle; all buffers and operations of it have been put before
 *
 * Stops the log and ends any session that is still open. The level of quiesce
 * stays. Locks as with lmf_vf_get().
 */
void lmf_vf_put(struct lmf_vf *vf);

/**
 * lmf_vf_caps() - what this VF can do
 * @vf: handle
 *
 * Context: any. The answer does not change while the handle is held.
 */
const struct lmf_vf_caps *lmf_vf_caps(const struct lmf_vf *vf);

/**
 * struct lmf_buf - memory that the device reads or writes as the PF
 * @vaddr: its address for the CPU
 * @size: bytes
 *
 * The CPU may touch a buffer while no operation on it is under way.
 */
struct lmf_buf {
	void *vaddr;
	size_t size;
};

/**
 * lmf_buf_alloc() - allocate a buffer for chunks
 * @vf: handle
 * @size: bytes, 1..chunk_max
 * @gfp: GFP_KERNEL or GFP_KERNEL_ACCOUNT
 *
 * Return: the zeroed buffer, or NULL.
 */
struct lmf_buf *lmf_buf_alloc(struct lmf_vf *vf, size_t size, gfp_t gfp);

/**
 * lmf_buf_alloc_log() - allocate a buffer for a log, coherent
 * @vf: handle
 * @size: bytes; at most LMF_LOG_READ_MAX, or a ring of log_ring_max entries
 * @gfp: GFP_KERNEL or GFP_KERNEL_ACCOUNT, perhaps with __GFP_NORETRY
 *
 * A ring may be written at any time between start and stop of the log.
 *
 * Return: the zeroed buffer, or NULL.
 */
struct lmf_buf *lmf_buf_alloc_log(struct lmf_vf *vf, size_t size, gfp_t gfp);

/**
 * lmf_buf_put() - drop the caller's reference
 * @buf: buffer or NULL
 *
 * The memory is freed when the device can no longer write it: an operation
 * under way, or a log that was not stopped, keeps its own reference.
 */
void lmf_buf_put(struct lmf_buf *buf);

enum lmf_quiesce {
	LMF_RUN,		/* runs */
	LMF_STOP_INITIATOR,	/* starts no DMA and no interrupt */
	LMF_STOP_FULL,		/* and does not respond */
};

/**
 * lmf_vf_quiesce() - bring the VF to a level, up or down
 * @vf: handle
 * @level: level
 *
 * Killable. After an error the VF is at the old or at the new level; the same
 * call may be repeated. A VF reset brings the VF to LMF_RUN; a lost PF leaves
 * it where it was.
 *
 * Return: 0 once the level is reached.
 */
int lmf_vf_quiesce(struct lmf_vf *vf, enum lmf_quiesce level);

/**
 * lmf_vf_level() - ask at which level the VF is
 * @vf: handle
 * @level: result
 *
 * Killable. A VF that has left a level on its own was reset.
 */
int lmf_vf_level(struct lmf_vf *vf, enum lmf_quiesce *level);

/**
 * struct lmf_save_left - what a save has yet to give, in bytes of chunks
 * @initial: of the first pass over what the device held at the beginning
 * @dirty: of what changed after it was given
 * @trailer: of what only a stopped VF gives; an upper bound
 *
 * A part of the media is in one of the first two at most. All three together
 * are never more than state_max.
 */
struct lmf_save_left {
	u64 initial;
	u64 dirty;
	u64 trailer;
};

/**
 * struct lmf_chunk - result of lmf_vf_save_read()
 * @bytes: of the buffer, 0 if there was nothing to give
 * @empty: nothing unsent was left after this chunk (without @final)
 * @ended: this chunk ends the state (with @final); further ones are empty
 * @left: what was left after this chunk
 * @asked_ns: when the device was asked for it, CLOCK_MONOTONIC, for counters
 *	      alone; without a clock both are 0
 * @given_ns: when it answered
 */
struct lmf_chunk {
	u32 bytes;
	bool empty;
	bool ended;
	struct lmf_save_left left;
	u64 asked_ns;
	u64 given_ns;
};

/**
 * lmf_vf_save_begin() - begin to save a VF, at any level
 * @vf: handle
 * @session: names the session in further calls
 *
 * Killable. A VF reset ends the session.
 *
 * Return: 0, or -EBUSY if a save or load is under way or a load was given up.
 */
int lmf_vf_save_begin(struct lmf_vf *vf, u64 *session);

/**
 * lmf_vf_save_read() - ask for the next chunk, without waiting for it
 * @vf: handle
 * @session: session
 * @buf: at least chunk_min bytes
 * @final: the VF is at LMF_STOP_FULL: give all that is left
 * @wq: woken when the operation is done, or NULL; must stay valid until
 *	lmf_op_put() returned
 *
 * Chunks are given in the order of the calls. The first chunk of a session is
 * the identity alone. Waits, killable, while the VF has as many commands under
 * way as it may have.
 *
 * Return: the operation, or ERR_PTR().
 */
struct lmf_op *lmf_vf_save_read(struct lmf_vf *vf, u64 session,
				struct lmf_buf *buf, bool final,
				wait_queue_head_t *wq);

/**
 * lmf_vf_save_query() - how much is left
 * @vf: handle
 * @session: session, or 0 for what a session begun now would find
 * @left: result
 *
 * Killable.
 */
int lmf_vf_save_query(struct lmf_vf *vf, u64 session,
		      struct lmf_save_left *left);

/**
 * lmf_vf_save_end() - end a save at any point
 * @vf: handle
 * @session: session; it may be gone already
 *
 * Bounded, not killable: made for teardown.
 */
void lmf_vf_save_end(struct lmf_vf *vf, u64 session);

/**
 * lmf_vf_load_begin() - begin to load a VF that is at LMF_STOP_FULL
 * @vf: handle
 * @session: names the session in further calls
 *
 * Killable. What the VF held is gone with this, its queues included. A VF reset
 * ends the session.
 */
int lmf_vf_load_begin(struct lmf_vf *vf, u64 *session);

/**
 * lmf_vf_load_write() - give the next chunk, without waiting
 * @vf: handle
 * @session: session
 * @buf: the chunk, as lmf_vf_save_read() gave it
 * @bytes: of @buf
 * @wq: as in lmf_vf_save_read()
 *
 * Chunks are taken in the order of the calls. The operation's result may be
 * -EOPNOTSUPP, the state of a device that does not match this one, or -EBADMSG,
 * not the state of a device at all. No further chunk is taken then.
 *
 * Return: the operation, or ERR_PTR().
 */
struct lmf_op *lmf_vf_load_write(struct lmf_vf *vf, u64 session,
				 struct lmf_buf *buf, u32 bytes,
				 wait_queue_head_t *wq);

/**
 * lmf_vf_load_commit() - check that the state is complete and apply it
 * @vf: handle
 * @session: session; it has ended afterwards
 *
 * Killable. The VF stays at LMF_STOP_FULL, and what was loaded is there for as
 * long as it does.
 *
 * Return: 0, or -ENODATA if something is missing.
 */
int lmf_vf_load_commit(struct lmf_vf *vf, u64 session);

/**
 * lmf_vf_load_abort() - end a load that will not be completed
 * @vf: handle
 * @session: session; it may be gone already
 *
 * Bounded, not killable: made for teardown. The VF's media stays unreadable
 * until a scrub or a complete load.
 */
void lmf_vf_load_abort(struct lmf_vf *vf, u64 session);

/**
 * lmf_op_done() - is the operation done?
 * @op: operation
 *
 * Context: any.
 */
bool lmf_op_done(const struct lmf_op *op);

/**
 * lmf_op_wait() - wait until an operation is done
 * @op: operation
 *
 * Killable.
 *
 * Return: 0 if it is done, or -EINTR, -ETIMEDOUT, -ENOTCONN.
 */
int lmf_op_wait(struct lmf_op *op);

/**
 * lmf_op_result() - result of an operation that is done
 * @op: operation
 * @chunk: filled for lmf_vf_save_read(), else may be NULL
 *
 * Context: any.
 *
 * Return: 0 or an error.
 */
int lmf_op_result(const struct lmf_op *op, struct lmf_chunk *chunk);

/**
 * lmf_op_put() - forget an operation, done or not
 * @op: operation or NULL
 *
 * Context: any but hard interrupt. Does not wait; an operation that is not
 * done keeps its buffer until it is.
 */
void lmf_op_put(struct lmf_op *op);

/**
 * struct lmf_log_params - what to log and how
 * @format: enum lmf_log_format of lmf_log.h
 * @shift: granule 2^shift bytes
 * @entries: `ring`: its size, a power of two; else 0
 * @threshold: unconsumed entries, or extents in the list, at which
 *	       log_threshold is notified; `bitmap`: 0
 * @ranges: what to log: disjoint, both ends aligned to the granule
 * @nranges: 1..log_ranges_max
 */
struct lmf_log_params {
	u32 format;
	u8 shift;
	u32 entries;
	u32 threshold;
	u32 nranges;
	const struct lmf_log_span {
		u64 iova;
		u64 last;	/* inclusive */
	} *ranges;
};

/**
 * lmf_vf_log_start() - start to log the VF's DMA writes
 * @vf: handle
 * @params: what and how
 * @ring: `ring`: zeroed memory that the device writes; else NULL
 *
 * The layouts are in lmf_log.h. Killable. Independent of quiesce, save and
 * load.
 *
 * Return: 0, -EINVAL for parameters that the device refuses, or -EBUSY if the
 * log is on already.
 */
int lmf_vf_log_start(struct lmf_vf *vf, const struct lmf_log_params *params,
		     struct lmf_buf *ring);

/**
 * struct lmf_log_flushed - result of lmf_vf_log_flush()
 * @produced: `ring`: entries posted since the start, free-running
 * @sequence: `bitmap`: of the bank that was closed, not 0
 * @overflows: since the start
 * @more: `ring`: not all could be posted: consume, then flush again
 */
struct lmf_log_flushed {
	u64 produced;
	u32 sequence;
	u64 overflows;
	bool more;
};

/**
 * lmf_vf_log_flush() - have everything posted that was written so far
 * @vf: handle
 * @acknowledge: `bitmap`: sequence of a bank all of which was read, to be
 *		 forgotten; else, and where there is none, 0
 * @flushed: result
 *
 * Killable. What tells of every DMA write that completed before the call is
 * then, together with what was consumed or read before,
 *  - `ring`: its entries below @produced, unless @more. There is no @more when
 *    everything posted was consumed as the flush began and the ring has an
 *    entry for each range;
 *  - `ranges`: what lmf_vf_log_read() gives until there is no more;
 *  - `bitmap`: the bank @sequence, and what was acknowledged.
 */
int lmf_vf_log_flush(struct lmf_vf *vf, u32 acknowledge,
		     struct lmf_log_flushed *flushed);

/**
 * struct lmf_log_part - result of lmf_vf_log_read()
 * @bytes: of the buffer
 * @more: there is more than the buffer holds
 * @position: `bitmap`: where the next read goes on, if @more
 * @sequence: `bitmap`: of the bank that was read
 */
struct lmf_log_part {
	u32 bytes;
	bool more;
	u32 position;
	u32 sequence;
};

/**
 * lmf_vf_log_read() - read a log that is not a ring
 * @vf: handle
 * @buf: of lmf_buf_alloc_log(), LMF_LOG_READ_MIN..LMF_LOG_READ_MAX bytes
 * @position: `bitmap`: where to begin, 0 for the beginning; else 0
 * @part: result
 *
 * Killable. `ranges`: what was given is forgotten by the device, also when no
 * answer came: after any error the log has to be stopped, and all that is
 * logged to be taken for dirty. `bitmap`: nothing changes. -EBUSY says, too,
 * that an earlier read that was given up still has the buffer.
 */
int lmf_vf_log_read(struct lmf_vf *vf, struct lmf_buf *buf, u32 position,
		    struct lmf_log_part *part);

/**
 * lmf_vf_log_consumed() - give ring slots back to the device
 * @vf: handle
 * @count: entries consumed since the start, free-running
 *
 * Context: any. Does nothing when the PF is lost, before lmf_vf_log_start()
 * returned, and from the call of lmf_vf_log_stop(): the device would take the
 * count of one log for that of the next.
 */
void lmf_vf_log_consumed(struct lmf_vf *vf, u32 count);

/**
 * lmf_vf_log_stop() - stop the log
 * @vf: handle
 *
 * Bounded, not killable: made for teardown. When this fails the PF driver
 * keeps the ring until the device is known not to write it.
 *
 * Return: 0, also if no log was on or the VF is gone, and its log with it.
 */
int lmf_vf_log_stop(struct lmf_vf *vf);

#endif
