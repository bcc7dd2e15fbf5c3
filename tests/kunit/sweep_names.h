/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All suites are linked into one kernel, and the others test the VF driver over
 * devices that are played. So the one that stands on the PF driver has other
 * names.
 */
#ifndef LMF_SWEEP_NAMES_H
#define LMF_SWEEP_NAMES_H

#include "sweep_alloc_names.h"

/* migf.c */
#define lmf_migf_init			sweep_migf_init
#define lmf_migf_alloc_slots		sweep_migf_alloc_slots
#define lmf_migf_put			sweep_migf_put
#define lmf_migf_unlock			sweep_migf_unlock
#define lmf_migf_look_later_locked	sweep_migf_look_later_locked
#define lmf_migf_file			sweep_migf_file
#define lmf_migf_disable		sweep_migf_disable
#define lmf_migf_mark_reset		sweep_migf_mark_reset
#define lmf_migf_mark_lost		sweep_migf_mark_lost
#define lmf_migf_begin_io		sweep_migf_begin_io
#define lmf_migf_end_io			sweep_migf_end_io
#define lmf_migf_alive_locked		sweep_migf_alive_locked
#define lmf_migf_wait_locked		sweep_migf_wait_locked
#define lmf_migf_pop_locked		sweep_migf_pop_locked
#define lmf_migf_copy_out_locked	sweep_migf_copy_out_locked
#define lmf_migf_copy_in_locked		sweep_migf_copy_in_locked
#define lmf_migf_fail_locked		sweep_migf_fail_locked
#define lmf_migf_release		sweep_migf_release
#define lmf_migf_poll			sweep_migf_poll

/* save.c save_left.c */
#define lmf_save_alloc			sweep_save_alloc
#define lmf_save_file			sweep_save_file
#define lmf_save_begin			sweep_save_begin
#define lmf_save_finalize		sweep_save_finalize
#define lmf_save_harvest_locked		sweep_save_harvest_locked
#define lmf_save_info_locked		sweep_save_info_locked
#define lmf_save_refresh_locked		sweep_save_refresh_locked
#define lmf_save_ioctl			sweep_save_ioctl
#define lmf_save_data_size		sweep_save_data_size
#define lmf_save_size_without		sweep_save_size_without

/* resume.c */
#define lmf_resume_alloc		sweep_resume_alloc
#define lmf_resume_file			sweep_resume_file
#define lmf_resume_begin		sweep_resume_begin
#define lmf_resume_check		sweep_resume_check
#define lmf_resume_complete		sweep_resume_complete

/* migration.c */
#define lmf_migration_ops		sweep_migration_ops
#define lmf_migration_open		sweep_migration_open
#define lmf_migration_close		sweep_migration_close
#define lmf_migration_closed		sweep_migration_closed
#define lmf_migration_state_name	sweep_migration_state_name

/* settle.c */
#define lmf_migration_init		sweep_migration_init
#define lmf_migration_exit		sweep_migration_exit
#define lmf_migration_reset_done	sweep_migration_reset_done
#define lmf_migration_lost		sweep_migration_lost
#define lmf_migration_sessions_lost	sweep_migration_sessions_lost
#define lmf_migration_state		sweep_migration_state
#define lmf_reset_pending		sweep_reset_pending
#define lmf_in_error			sweep_in_error
#define lmf_enter_state_locked		sweep_enter_state_locked
#define lmf_set_session_locked		sweep_set_session_locked
#define lmf_end_session_locked		sweep_end_session_locked
#define lmf_drop_spare_locked		sweep_drop_spare_locked
#define lmf_discard			sweep_discard
#define lmf_after_reset_locked		sweep_after_reset_locked
#define lmf_settle_locked		sweep_settle_locked
#define lmf_change_level_locked		sweep_change_level_locked
#define lmf_state_unlock		sweep_state_unlock

/* tracker_log.c tracker_ring.c tracker_read.c */
#define lmf_tracker_begin_log		sweep_tracker_begin_log
#define lmf_tracker_break		sweep_tracker_break
#define lmf_tracker_leaves		sweep_tracker_leaves
#define lmf_tracker_disarm		sweep_tracker_disarm
#define lmf_tracker_sync		sweep_tracker_sync
#define lmf_tracker_emit		sweep_tracker_emit
#define lmf_tracker_count		sweep_tracker_count
#define lmf_tracker_drain_work		sweep_tracker_drain_work
#define lmf_tracker_prefer		sweep_tracker_prefer
#define lmf_tracker_format_name		sweep_tracker_format_name
#define lmf_tracker_collect_ring	sweep_tracker_collect_ring
#define lmf_tracker_collect_ranges	sweep_tracker_collect_ranges
#define lmf_tracker_collect_bitmap	sweep_tracker_collect_bitmap
#define lmf_tracker_drain_ring		sweep_tracker_drain_ring
#define lmf_tracker_drain_ranges	sweep_tracker_drain_ranges

/* tracker.c */
#define lmf_tracker_init		sweep_tracker_init
#define lmf_tracker_close		sweep_tracker_close
#define lmf_tracker_start		sweep_tracker_start
#define lmf_tracker_stop		sweep_tracker_stop
#define lmf_tracker_report		sweep_tracker_report
#define lmf_tracker_threshold		sweep_tracker_threshold
#define lmf_tracker_lost		sweep_tracker_lost
#define lmf_tracker_stats		sweep_tracker_stats

#endif
