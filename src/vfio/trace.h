/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM lmf_vfio

#if !defined(LMF_VFIO_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define LMF_VFIO_TRACE_H

#include <linux/lmf.h>
#include <linux/tracepoint.h>

TRACE_EVENT(lmf_vfio_arc,
	TP_PROTO(const char *name, const char *from, const char *to, int err),
	TP_ARGS(name, from, to, err),
	TP_STRUCT__entry(
		__string(name, name)
		__string(from, from)
		__string(to, to)
		__field(int, err)
	),
	TP_fast_assign(
		__assign_str(name);
		__assign_str(from);
		__assign_str(to);
		__entry->err = err;
	),
	TP_printk("%s: %s -> %s err %d", __get_str(name), __get_str(from),
		  __get_str(to), __entry->err)
);

TRACE_EVENT(lmf_vfio_save_chunk,
	TP_PROTO(const char *name, u64 record, const struct lmf_chunk *chunk),
	TP_ARGS(name, record, chunk),
	TP_STRUCT__entry(
		__string(name, name)
		__field(u64, record)
		__field(u32, bytes)
		__field(bool, empty)
		__field(bool, ended)
		__field(u64, initial)
		__field(u64, dirty)
		__field(u64, trailer)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->record = record;
		__entry->bytes = chunk->bytes;
		__entry->empty = chunk->empty;
		__entry->ended = chunk->ended;
		__entry->initial = chunk->left.initial;
		__entry->dirty = chunk->left.dirty;
		__entry->trailer = chunk->left.trailer;
	),
	TP_printk("%s: before record %llu: %u bytes%s%s left initial %llu dirty %llu trailer %llu",
		  __get_str(name), __entry->record, __entry->bytes,
		  __entry->empty ? " empty" : "",
		  __entry->ended ? " ended" : "", __entry->initial,
		  __entry->dirty, __entry->trailer)
);

TRACE_EVENT(lmf_vfio_load_chunk,
	TP_PROTO(const char *name, u64 chunk, u32 bytes),
	TP_ARGS(name, chunk, bytes),
	TP_STRUCT__entry(
		__string(name, name)
		__field(u64, chunk)
		__field(u32, bytes)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->chunk = chunk;
		__entry->bytes = bytes;
	),
	TP_printk("%s: chunk %llu, %u bytes", __get_str(name), __entry->chunk,
		  __entry->bytes)
);

TRACE_EVENT(lmf_vfio_refused,
	TP_PROTO(const char *name, u64 record, int err),
	TP_ARGS(name, record, err),
	TP_STRUCT__entry(
		__string(name, name)
		__field(u64, record)
		__field(int, err)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->record = record;
		__entry->err = err;
	),
	TP_printk("%s: stream refused at record %llu: %d", __get_str(name),
		  __entry->record, __entry->err)
);

TRACE_EVENT(lmf_vfio_failed,
	TP_PROTO(const char *name, int err),
	TP_ARGS(name, err),
	TP_STRUCT__entry(
		__string(name, name)
		__field(int, err)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->err = err;
	),
	TP_printk("%s: session failed: %d", __get_str(name), __entry->err)
);

TRACE_EVENT(lmf_vfio_report,
	TP_PROTO(const char *name, u64 iova, u64 length, u64 pages, int err),
	TP_ARGS(name, iova, length, pages, err),
	TP_STRUCT__entry(
		__string(name, name)
		__field(u64, iova)
		__field(u64, length)
		__field(u64, pages)
		__field(int, err)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->iova = iova;
		__entry->length = length;
		__entry->pages = pages;
		__entry->err = err;
	),
	TP_printk("%s: iova %#llx length %#llx: %llu pages err %d",
		  __get_str(name), __entry->iova, __entry->length,
		  __entry->pages, __entry->err)
);

TRACE_EVENT(lmf_vfio_drain,
	TP_PROTO(const char *name, u64 entries, int err),
	TP_ARGS(name, entries, err),
	TP_STRUCT__entry(
		__string(name, name)
		__field(u64, entries)
		__field(int, err)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->entries = entries;
		__entry->err = err;
	),
	TP_printk("%s: %llu entries of the log drained err %d",
		  __get_str(name), __entry->entries, __entry->err)
);

TRACE_EVENT(lmf_vfio_overflow,
	TP_PROTO(const char *name, u64 overflows),
	TP_ARGS(name, overflows),
	TP_STRUCT__entry(
		__string(name, name)
		__field(u64, overflows)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->overflows = overflows;
	),
	TP_printk("%s: %llu overflows of the log so far", __get_str(name),
		  __entry->overflows)
);

TRACE_EVENT(lmf_vfio_reset,
	TP_PROTO(const char *name, const char *state),
	TP_ARGS(name, state),
	TP_STRUCT__entry(
		__string(name, name)
		__string(state, state)
	),
	TP_fast_assign(
		__assign_str(name);
		__assign_str(state);
	),
	TP_printk("%s: reset in state %s", __get_str(name), __get_str(state))
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
