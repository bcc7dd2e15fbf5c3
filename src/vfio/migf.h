/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMF_VFIO_MIGF_H
#define LMF_VFIO_MIGF_H

#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/lmf.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/sizes.h>
#include <linux/wait.h>

struct lmf_migf;
struct lmf_vfio_device;

/* Chunk buffers of a session: so many chunks are on their way at most. */
#define LMF_MIGF_SLOTS	4

/* So that a session takes 8 MiB at most, whatever the device and the stream. */
#define LMF_MIGF_CHUNK_MAX	SZ_2M

/**
 * struct lmf_slot - a chunk on its way
 * @buf: memory
 * @op: operation on it, done or not, or NULL
 */
struct lmf_slot {
	struct lmf_buf *buf;
	struct lmf_op *op;
};

/**
 * struct lmf_migf_ops - what differs between saving and loading
 * @end: end the device's session; called with lock held
 * @poll: which events are ready; called with lock held
 * @look: ask the device for news, since somebody polls; or NULL; likewise
 */
struct lmf_migf_ops {
	void (*end)(struct lmf_migf *migf);
	__poll_t (*poll)(struct lmf_migf *migf);
	void (*look)(struct lmf_migf *migf);
};

/**
 * struct lmf_migf - a data transfer session; first member of what extends it
 * @ref: the device's, while it is its session, and the file's
 * @ops: saving or loading
 * @io_mutex: one read() or write() at a time
 * @lock: protects all below
 * @dev: NULL once the session is over: nothing of the device may be touched
 * @session: the device's name for it
 * @slots: ring of chunks, used from @first on
 * @first: the oldest one
 * @used: number of slots with an operation
 * @waiting: the holder of io_mutex waits for an operation, without lock
 * @faults: copies in a row that failed though memory was there; io_mutex
 * @err: why the session failed; stays
 * @reset: a reset ended the session; written under the device's reset_lock
 * @lost: the device's session was lost with the PF; likewise
 * @done: END was made, or the state was applied: the device is not needed
 * @wanted: somebody who does not wait did not get lock or io_mutex
 * @look: calls ops->look() after a while
 * @wq: woken when an operation is done, by a reset and by the end
 */
struct lmf_migf {
	struct kref ref;
	const struct lmf_migf_ops *ops;
	struct mutex io_mutex; /* one read() or write() at a time */
	struct mutex lock; /* protects all below */
	struct lmf_vfio_device *dev;
	u64 session;
	struct lmf_slot slots[LMF_MIGF_SLOTS];
	unsigned int first;
	unsigned int used;
	bool waiting;
	unsigned int faults;
	int err;
	bool reset;
	bool lost;
	bool done;
	bool wanted;
	struct delayed_work look;
	wait_queue_head_t wq;
};

void lmf_migf_init(struct lmf_migf *migf, const struct lmf_migf_ops *ops);
int lmf_migf_alloc_slots(struct lmf_migf *migf, struct lmf_vf *vf, size_t size);
void lmf_migf_put(struct lmf_migf *migf);
void lmf_migf_unlock(struct lmf_migf *migf);
void lmf_migf_look_later_locked(struct lmf_migf *migf);
struct file *lmf_migf_file(struct lmf_migf *migf, const char *name,
			   const struct file_operations *fops, int flags);
void lmf_migf_disable(struct lmf_migf *migf);
void lmf_migf_mark_reset(struct lmf_migf *migf);
void lmf_migf_mark_lost(struct lmf_migf *migf);

int lmf_migf_begin_io(struct lmf_migf *migf, bool nonblock);
void lmf_migf_end_io(struct lmf_migf *migf);
int lmf_migf_alive_locked(struct lmf_migf *migf);
int lmf_migf_wait_locked(struct lmf_migf *migf, bool nonblock);
void lmf_migf_pop_locked(struct lmf_migf *migf);
ssize_t lmf_migf_copy_out_locked(struct lmf_migf *migf, char __user *to,
				 const void *from, size_t n);
ssize_t lmf_migf_copy_in_locked(struct lmf_migf *migf, void *to,
				const char __user *from, size_t n);
void lmf_migf_fail_locked(struct lmf_migf *migf, int err);

int lmf_migf_release(struct inode *inode, struct file *filp);
__poll_t lmf_migf_poll(struct file *filp, struct poll_table_struct *wait);

static inline struct lmf_slot *lmf_migf_slot(struct lmf_migf *migf,
					     unsigned int n)
{
	return &migf->slots[(migf->first + n) % LMF_MIGF_SLOTS];
}

#endif
