/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMF_VFIO_SAVE_H
#define LMF_VFIO_SAVE_H

#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include "migf.h"
#include "precopy.h"
#include "stream.h"

/**
 * struct lmf_saved - an operation's result, waiting for the reader
 * @bytes: of the chunk
 * @initial: of its record, see lmf_precopy_chunk()
 * @final: it was asked for with the device stopped
 */
struct lmf_saved {
	u32 bytes;
	u32 initial;
	bool final;
};

/**
 * struct lmf_save - a session that saves; migf.lock protects it
 * @migf: base
 * @writer: framing
 * @precopy: estimates
 * @saved: result of each slot
 * @harvested: slots whose result is in @saved
 * @final: the device is stopped, give all
 * @settled: so what the estimates say cannot grow any more
 * @dry: nothing is left to ask for
 * @given_ns: when the device gave the last chunk that was harvested
 * @probed: the last operation was asked for at a temporary end
 * @submit_err: why no operation could be started
 * @rec: header in front; of HEAD and END all of the record
 * @rec_bytes: of @rec
 * @payload: follows @rec, in the oldest slot; or NULL
 * @total: bytes of the record in front
 * @initial: how many of them are initial
 * @pos: how many were read
 */
struct lmf_save {
	struct lmf_migf migf;
	struct lmf_stream_writer writer;
	struct lmf_precopy precopy;
	struct lmf_saved saved[LMF_MIGF_SLOTS];
	unsigned int harvested;
	bool final;
	bool settled;
	bool dry;
	u64 given_ns;
	bool probed;
	int submit_err;
	union {
		struct lmf_record state;
		struct lmf_head_record head;
		struct lmf_end_record end;
	} rec;
	size_t rec_bytes;
	const void *payload;
	size_t total;
	size_t initial;
	size_t pos;
};

/* lmf_migf_put() frees the whole. */
static_assert(offsetof(struct lmf_save, migf) == 0);

static inline struct lmf_save *to_lmf_save(struct lmf_migf *migf)
{
	return container_of(migf, struct lmf_save, migf);
}

static inline struct lmf_saved *lmf_save_saved(struct lmf_save *save,
					       unsigned int n)
{
	return &save->saved[(save->migf.first + n) % LMF_MIGF_SLOTS];
}

/* save.c */
struct lmf_migf *lmf_save_alloc(struct lmf_vfio_device *dev);
struct file *lmf_save_file(struct lmf_migf *migf);
int lmf_save_begin(struct lmf_migf *migf, struct lmf_vfio_device *dev,
		   bool final);
void lmf_save_finalize(struct lmf_migf *migf);
void lmf_save_harvest_locked(struct lmf_save *save);

/* save_left.c */
void lmf_save_refresh_locked(struct lmf_save *save);
void lmf_save_info_locked(struct lmf_save *save, u64 *initial_bytes,
			  u64 *dirty_bytes);
long lmf_save_ioctl(struct file *filp, unsigned int cmd, unsigned long arg);
u64 lmf_save_data_size(struct lmf_migf *migf);
u64 lmf_save_size_without(struct lmf_vfio_device *dev);

#endif
