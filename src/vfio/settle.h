/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an arc does to the VF's quiesce level and to its session, such that a
 * reset at any moment leaves RUNNING and nothing else behind.
 *
 * Context: all may sleep, but for lmf_reset_pending(). Those that end in
 * _locked, lmf_in_error() and lmf_state_unlock() want state_mutex held.
 */
#ifndef LMF_SETTLE_H
#define LMF_SETTLE_H

#include "lmf_vfio.h"

/* Did a reset come whose teardown is still to be done? */
bool lmf_reset_pending(struct lmf_vfio_device *dev);

/* Is the state ERROR? Only a reset ends that. */
bool lmf_in_error(const struct lmf_vfio_device *dev);

void lmf_enter_state_locked(struct lmf_vfio_device *dev,
			    enum vfio_device_mig_state state);

/* The caller's reference to @migf, which may be NULL, becomes the device's. */
void lmf_set_session_locked(struct lmf_vfio_device *dev,
			    struct lmf_migf *migf);
void lmf_end_session_locked(struct lmf_vfio_device *dev);
void lmf_drop_spare_locked(struct lmf_vfio_device *dev);

/* End a session that is nobody's yet, or no more, and drop the reference. */
void lmf_discard(struct lmf_migf *migf);

/* Do what resets have left to do. */
void lmf_after_reset_locked(struct lmf_vfio_device *dev);

/*
 * Have the VF at the level of its state, after resets and a lost PF.
 *
 * Returns 0, also when the state is ERROR now, as the device refused, or did
 * not answer, twice; or why it is not done yet: the state is as it was.
 */
int lmf_settle_locked(struct lmf_vfio_device *dev);

/*
 * Bring the VF to @level.
 *
 * Returns 0; or an error, and then the VF is at its old level, or will be
 * brought there, or the state is ERROR.
 */
int lmf_change_level_locked(struct lmf_vfio_device *dev,
			    enum lmf_quiesce level);

/* Release state_mutex, and before that do what a reset meanwhile left. */
void lmf_state_unlock(struct lmf_vfio_device *dev);

#endif
