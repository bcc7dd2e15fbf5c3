# SPDX-License-Identifier: GPL-2.0-only
"""What is asked of a variant driver for migration, in 40 points, and the code
that answers each. Tests say themselves which points they prove, see points.py.
"""

VFIO, CORE, FW = 'src/vfio/', 'src/core/', 'firmware-iface/firmware/'

# number: what it demands, {file: functions or other names}
POINTS = {
    1: ('Every arc of STOP_COPY, P2P and PRE_COPY, and every way that is made '
        'of them, leads where the uAPI says',
        {VFIO + 'migration.c': 'lmf_step_locked, lmf_go_locked'}),
    2: ('P2P is real: in RUNNING_P2P the device begins nothing, in STOP it '
        'answers nothing either',
        {VFIO + 'settle.c': 'lmf_level_of, lmf_change_level_locked',
         CORE + 'vf.c': 'lmf_vf_quiesce'}),
    3: ('A target that is no state is EINVAL, and harms nothing',
        {VFIO + 'migration.c': 'lmf_advance_locked'}),
    4: ('ERROR means that the device is lost; asking for a state then does '
        'not warn, and a reset ends it',
        {VFIO + 'settle.c': 'lmf_change_level_locked, lmf_is_transient'}),
    5: ('No room for the file, or no way to hand it over: the state machine '
        'goes on, nothing leaks',
        {VFIO + 'migration.c': 'lmf_open_session_locked',
         VFIO + 'migf.c': 'lmf_migf_file'}),
    6: ('An arc that fails leaves the old state and no garbage, and can be '
        'tried again, whichever command failed',
        {VFIO + 'settle.c': 'lmf_change_level_locked, lmf_settle_locked',
         CORE + 'op.c': 'lmf_op_exec'}),
    7: ('Any two calls on one data_fd at once: no memory used after it was '
        'freed, no byte lost',
        {VFIO + 'migf.c': 'lmf_migf_begin_io, lmf_migf_disable'}),
    8: ('A data_fd answers ENODEV after the device was closed, its driver '
        'unbound, or nobody else kept the module',
        {VFIO + 'migf.c': 'lmf_migf_alive_locked',
         VFIO + 'save.c': 'lmf_save_fops',
         VFIO + 'resume.c': 'lmf_resume_fops'}),
    9: ('ENOMSG at the end of what there is while running, 0 at the last end '
        'for ever, and never ENOMSG in STOP_COPY',
        {VFIO + 'save.c': 'lmf_save_idle_locked'}),
    10: ('The saving data_fd can be polled and be non-blocking; data, the end, '
         'errors and resets wake who waits',
         {VFIO + 'migf.c': 'lmf_migf_poll, lmf_migf_mark_reset',
          VFIO + 'save.c': 'lmf_save_poll'}),
    11: ('Bytes that were moved are told before the error, also when a signal '
         'comes',
         {VFIO + 'save.c': 'lmf_save_read_locked',
          VFIO + 'resume.c': 'lmf_resume_write_locked',
          VFIO + 'migf.c': 'lmf_migf_copy_out_locked'}),
    12: ('Who waits can be killed, and a killed VMM is always gone',
         {CORE + 'op.c': 'lmf_op_wait',
          VFIO + 'tracker.c': 'lmf_tracker_report',
          VFIO + 'migration.c': 'lmf_set_state, lmf_migration_closed'}),
    13: ('initial_bytes begins above 0 and only falls, then dirty_bytes '
         'counts; together exactly what can be read',
         {VFIO + 'precopy.c': 'lmf_precopy_info',
          VFIO + 'save_left.c': 'lmf_save_precopy_info_locked'}),
    14: ('Where the kernel knows REINIT it is told when initial_bytes rises; '
         'else the flags come back as they were',
         {VFIO + 'save_left.c': 'lmf_save_precopy_info_locked',
          VFIO + 'precopy.c': 'lmf_precopy_reinit'}),
    15: ('While the device runs its state is sent, and again what changed, '
         'and the device works ahead of the reader',
         {VFIO + 'save.c': 'lmf_save_fill_locked, lmf_save_account'}),
    16: ('MIG_DATA_SIZE is cheap, answered in every state, and no less than '
         'what comes',
         {VFIO + 'save_left.c': 'lmf_save_data_size, lmf_save_size_without',
          VFIO + 'precopy.c': 'lmf_precopy_data_size'}),
    17: ('The stream is documented: little-endian, versioned, records that '
         'tell their length and whether they may be skipped, an end',
         {'include/uapi/linux/lmf_stream.h': 'lmf_record, lmf_stream_end',
          VFIO + 'stream.c': 'lmf_stream_put_head, lmf_stream_put_end'}),
    18: ('What the state belongs to is judged before any of it is applied; a '
         'refusal stays',
         {VFIO + 'resume.c': 'lmf_resume_submit_locked, '
                             'lmf_resume_refuse_locked',
          FW + 'load.c': 'fw_load_write'}),
    19: ('A stream that is cut short, longer, doubled or out of order is not '
         'resumed from',
         {VFIO + 'stream.c': 'lmf_stream_got',
          VFIO + 'resume.c': 'lmf_resume_complete'}),
    20: ('Each record has a CRC32C and a number',
         {VFIO + 'stream.c': 'lmf_stream_got, lmf_stream_put_state'}),
    21: ('Writes of a byte and writes of all give the same',
         {VFIO + 'resume.c': 'lmf_resume_take_locked',
          VFIO + 'stream.c': 'lmf_stream_want'}),
    22: ('No record is larger than the device takes, and what may be skipped '
         'is not stored',
         {VFIO + 'stream.c': 'lmf_stream_want',
          VFIO + 'resume.c': 'lmf_resume_sink_locked'}),
    23: ('The parser is pure code, with unit tests and a fuzzer',
         {VFIO + 'stream.c': 'lmf_stream_got'}),
    24: ("Memory whose size a user decides is bounded and charged to him",
         {VFIO + 'migf.c': 'lmf_migf_alloc_slots',
          VFIO + 'tracker.c': 'lmf_tracker_pool_limit',
          VFIO + 'tracker_ring.c': 'lmf_tracker_drain_batch_locked',
          VFIO + 'tracker_read.c': 'lmf_tracker_read_locked',
          VFIO + 'shadow.c': 'lmf_shadow_mark'}),
    25: ('Buffers are handed over to the device and back as the DMA API '
         'asks, also where they bounce',
         {CORE + 'buf.c': 'lmf_dmabuf_to_device, lmf_dmabuf_to_cpu'}),
    26: ('Logging starts only with a page size and ranges that make sense; '
         'the size is fitted and told, too many ranges are merged',
         {VFIO + 'tracker.c': 'lmf_tracker_start, lmf_tracker_set_spans, '
                              'lmf_tracker_set_shift'}),
    27: ('Logging does not depend on the migration state, nor its calls on '
         "each other's order",
         {VFIO + 'tracker.c': 'lmf_tracker_stop, lmf_tracker_report'}),
    28: ('A report clears exactly what it reports: over any windows, the '
         'answers are the writes',
         {VFIO + 'tracker.c': 'lmf_tracker_report_window',
          VFIO + 'shadow.c': 'lmf_shadow_take, lmf_shadow_give_back'}),
    29: ('When the log overflows or fails, all is dirty, the log is started '
         'anew, and it is no error but counted and traced',
         {VFIO + 'tracker_log.c': 'lmf_tracker_rearm, lmf_tracker_saturate',
          VFIO + 'vfio_dev.c': 'lmf_log_account'}),
    30: ('The ring is emptied before it is full; a report has every write '
         'that was done before it',
         {VFIO + 'tracker_log.c': 'lmf_tracker_drain_work, lmf_tracker_sync'}),
    31: ("The user's bitmap is set in order and in long runs, and each of its "
         'pages is pinned about once',
         {VFIO + 'shadow.c': 'lmf_shadow_walk',
          VFIO + 'tracker.c': 'lmf_report_run'}),
    32: ('The log costs memory for what is dirty, up to a limit, and then '
         'precision',
         {VFIO + 'shadow.c': 'lmf_shadow_mark',
          VFIO + 'tracker.c': 'lmf_tracker_pool_limit'}),
    33: ('A reset while logging loses nothing, and logging goes on',
         {VFIO + 'tracker_log.c': 'lmf_tracker_sync',
          FW + 'logger.c': 'fw_log_publish'}),
    34: ("The report's page size may be smaller or larger than the log's",
         {VFIO + 'tracker.c': 'lmf_report_run'}),
    35: ('Logging is not offered without iova_bitmap in the kernel or a log '
         'in the device',
         {VFIO + 'vfio_dev.c': 'lmf_publish'}),
    36: ('What is told of a reset never sleeps, however it meets readers '
         'into BARs and pinned memory',
         {VFIO + 'settle.c': 'lmf_migration_reset_done',
          CORE + 'health.c': 'lmf_core_reset_prepare'}),
    37: ('An FLR needs no help of the PF driver: when it is done, no DMA of '
         'the VF is left, and the log writes only what is still its own',
         {FW + 'device.c': 'lmf_fw_reset', FW + 'logger.c': 'fw_log_publish',
          CORE + 'log.c': 'lmf_vf_log_stop'}),
    38: ('The PF may be reset, lost or removed, and SR-IOV be turned off, '
         'with devices or files open: ENOTCONN, and a clean end',
         {CORE + 'health.c': 'lmf_core_stop, lmf_core_lost_locked',
          CORE + 'pci.c': 'lmf_remove'}),
    39: ('The interface to the PF driver is narrow, documented, and not for '
         'all modules; VFs are told apart and kept apart',
         {'include/linux/lmf.h': 'lmf_vf_get',
          CORE + 'vf.c': 'lmf_vf_open',
          CORE + 'compat.h': 'EXPORT_SYMBOL_LMF'}),
    40: ('One can see what happens: tracepoints, counters with a documented '
         'ABI, tests, and a page for who reads them',
         {VFIO + 'trace.h': 'lmf_vfio_arc, lmf_vfio_drain, '
                            'lmf_vfio_report, lmf_vfio_overflow',
          VFIO + 'sysfs.c': 'lmf_vfio_groups'}),
}
