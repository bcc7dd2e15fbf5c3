/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMF_VFIO_PRECOPY_H
#define LMF_VFIO_PRECOPY_H

#include <linux/lmf.h>
#include <linux/types.h>

/**
 * struct lmf_precopy - what one save has yet to give
 * @caps: bounds of what a device may say
 * @chunk: size of the buffers that are filled
 * @full: smallest chunk that only room has ended, or 0 if none was seen
 * @left: in the device, after the last chunk accounted
 * @told: initial_bytes as told last: they never rise
 * @begun: the first chunk was accounted
 * @again: since then the first pass became longer: it was begun anew
 */
struct lmf_precopy {
	const struct lmf_vf_caps *caps;
	u32 chunk;
	u32 full;
	struct lmf_save_left left;
	u64 told;
	bool begun;
	bool again;
};

/**
 * struct lmf_unread - bytes of records that wait for the reader
 * @initial: of the first pass
 * @dirty: of later ones, and of what only a stopped device gives
 */
struct lmf_unread {
	u64 initial;
	u64 dirty;
};

void lmf_precopy_init(struct lmf_precopy *p, const struct lmf_vf_caps *caps,
		      u32 chunk);
void lmf_precopy_left(struct lmf_precopy *p, const struct lmf_save_left *left);
u32 lmf_precopy_chunk(struct lmf_precopy *p, const struct lmf_chunk *chunk);
bool lmf_precopy_settled(const struct lmf_precopy *p);
void lmf_precopy_unread(struct lmf_unread *sum, u64 total, u64 initial,
			u64 pos);
bool lmf_precopy_reinit(struct lmf_precopy *p);
void lmf_precopy_info(struct lmf_precopy *p, const struct lmf_unread *unread,
		      u64 *initial_bytes, u64 *dirty_bytes);
u64 lmf_precopy_trailer(const struct lmf_precopy *p);
u64 lmf_precopy_data_size(const struct lmf_precopy *p,
			  const struct lmf_unread *unread, u64 extra);
u64 lmf_precopy_bound(const struct lmf_vf_caps *caps, u64 extra);

#endif
