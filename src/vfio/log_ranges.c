// SPDX-License-Identifier: GPL-2.0-only
/*
 * Translator of the native dirty-log format `ranges`, see lmf_log.h: a list as
 * LOG_READ gave it in, emit(iova, length) out.
 *
 * The device is not trusted and may change the list while it is read: every
 * field is read once, and a list that breaks the format is refused. What it
 * told before that is emitted; the rest is known to nobody, as the device has
 * forgotten it.
 */
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/overflow.h>

#include <asm/byteorder.h>

#include "lmf_log.h"
#include "log_ranges.h"

#define LMF_LIST_FLAGS	(LMF_LOG_LIST_MORE | LMF_LOG_LIST_SUSPENDED)

/* An extent of 2^64 bytes is refused too: all is dirty then in either case. */
static int lmf_ranges_emit(const struct lmf_log_extent *extent, u8 shift,
			   lmf_log_emit_t emit, void *priv)
{
	u64 iova = le64_to_cpu(READ_ONCE(extent->iova)), last;
	u64 units = le32_to_cpu(READ_ONCE(extent->units));

	if (!units || units > U64_MAX >> shift ||
	    iova & ((1ull << shift) - 1) ||
	    check_add_overflow(iova, (units << shift) - 1, &last))
		return -EBADMSG;
	emit(priv, iova, units << shift);
	return 0;
}

/**
 * lmf_ranges_translate() - translate a list
 * @data: what LOG_READ gave
 * @bytes: of it
 * @shift: granule of the log, 2^shift bytes
 * @emit: called for each extent, in the order of the list
 * @priv: passed to @emit
 *
 * Return: number of extents, or -EBADMSG if the list is malformed.
 */
int lmf_ranges_translate(const void *data, u32 bytes, u8 shift,
			 lmf_log_emit_t emit, void *priv)
{
	const struct lmf_log_list *list = data;
	const struct lmf_log_extent *extents = (const void *)(list + 1);
	u32 count, n;
	u8 unit;
	int ret;

	if (bytes < sizeof(*list))
		return -EBADMSG;
	count = le32_to_cpu(READ_ONCE(list->count));
	unit = READ_ONCE(list->shift);
	/* A flag unknown here could mean more than what the extents cover. */
	if (READ_ONCE(list->flags) & ~LMF_LIST_FLAGS || unit < shift ||
	    unit > 63 || count != (bytes - sizeof(*list)) / sizeof(*extents) ||
	    (bytes - sizeof(*list)) % sizeof(*extents))
		return -EBADMSG;
	for (n = 0; n < count; n++) {
		ret = lmf_ranges_emit(&extents[n], unit, emit, priv);
		if (ret)
			return ret;
	}
	return count;
}
