/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMF_MOCK_VF_H
#define LMF_MOCK_VF_H

#include "mock_vf_names.h"

#include <linux/atomic.h>
#include <linux/lmf.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

/* The state: an identity, one segment for each granule, a trailer. */
#define MOCK_GRANULES		512
#define MOCK_DATA_BYTES		60
#define MOCK_SEG_BYTES		(sizeof(u32) + MOCK_DATA_BYTES)
#define MOCK_IDENTITY		"IDENTITY"
#define MOCK_IDENTITY_BYTES	8
#define MOCK_TRAILER		0xffff	/* in place of a granule's number */
#define MOCK_TRAILER_BYTES	40

#define MOCK_CHUNK_NS		1000	/* by a clock that only chunks drive */

enum mock_call {
	MOCK_QUIESCE,
	MOCK_LEVEL,
	MOCK_SAVE_BEGIN,
	MOCK_SAVE_READ,
	MOCK_SAVE_QUERY,
	MOCK_LOAD_BEGIN,
	MOCK_LOAD_WRITE,
	MOCK_LOAD_COMMIT,
	MOCK_CALLS,
};

/**
 * struct mock_fault - a call that will fail
 * @in: the @in-th next one fails; 0: none
 * @more: and so do that many after it
 * @err: with this
 */
struct mock_fault {
	unsigned int in;
	unsigned int more;
	int err;
};

enum mock_load_stage {
	MOCK_LOAD_NEW,
	MOCK_LOAD_KNOWN,	/* the identity was accepted */
	MOCK_LOAD_COMPLETE,
	MOCK_LOAD_REFUSED,
};

/**
 * struct lmf_vf - a VF that is played
 * @caps: what it says it can do
 * @lock: protects all up to @fault
 * @media: granules; @written, @first and @dirty as in the firmware
 * @regs: the rest of the state
 * @clock_ns: time spent on chunks
 * @wq: the device's hands: one operation after the other
 * @delay_us: that each takes
 * @hold: none is begun
 * @no_bufs: there is no memory for buffers
 * @refuses: no operation is begun, but ends in this; or 0
 * @begun: told of a session before the driver is, or NULL
 * @quiesced: told of a quiesce before it is done, or NULL
 * @change: woken when @hold ends and when an operation is done
 * @bufs: not freed
 * @uncharged: buffers that no memory cgroup pays for, ever
 * @buf_bytes: of them
 * @buf_peak: most that these ever were
 * @ops: not freed
 * @busy: operations not done
 */
struct lmf_vf {
	struct lmf_vf_caps caps;
	spinlock_t lock; /* protects all up to fault */
	u8 media[MOCK_GRANULES][MOCK_DATA_BYTES];
	bool written[MOCK_GRANULES];
	bool first[MOCK_GRANULES];
	bool dirty[MOCK_GRANULES];
	u32 regs;
	u64 clock_ns;
	enum lmf_quiesce level;
	u64 session;
	u64 sessions;
	bool saving;
	bool loading;
	bool identity_sent;
	bool trailer_sent;
	enum mock_load_stage stage;
	unsigned int quiesces;
	struct mock_fault fault[MOCK_CALLS];

	struct workqueue_struct *wq;
	unsigned int delay_us;
	bool hold;
	bool no_bufs;
	int refuses;
	void (*begun)(struct lmf_vf *vf);
	void (*quiesced)(struct lmf_vf *vf);
	wait_queue_head_t change;
	atomic_t bufs;
	atomic_t uncharged;
	atomic_t buf_bytes;
	int buf_peak;
	atomic_t ops;
	atomic_t busy;
};

int mock_vf_init(struct lmf_vf *vf);
void mock_vf_exit(struct lmf_vf *vf);
void mock_vf_write(struct lmf_vf *vf, unsigned int granule, u8 value);
void mock_vf_reset(struct lmf_vf *vf);
void mock_vf_again(struct lmf_vf *vf, unsigned int granule);
void mock_vf_release(struct lmf_vf *vf);
void mock_vf_wait_idle(struct lmf_vf *vf);

#endif
