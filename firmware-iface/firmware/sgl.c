// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Scatter lists: fetched once, checked, and walked by bytes.
 *
 * Both queue engines use them, the VF's under the VF's requester ID and the
 * admin queue's under the PF's.
 */
#include "fw.h"

/* Appends one element; false if it is empty, wraps, or has no room. */
bool fw_sgl_add(struct fw_sgl *sgl, const struct lmf_sge *sge)
{
	uint64_t addr = le64_to_cpu(sge->addr);
	uint32_t len = le32_to_cpu(sge->len);

	if (!len || sge->reserved || fw_wraps(addr, len) ||
	    sgl->count == FW_MAX_SGES)
		return false;
	sgl->sge[sgl->count].addr = addr;
	sgl->sge[sgl->count].len = len;
	sgl->count++;
	sgl->total += len;
	return true;
}

static uint16_t fw_sgl_load_list(struct lmf_fw *fw, int fn, struct fw_sgl *sgl,
				 uint64_t addr, unsigned int nsge)
{
	struct lmf_sge sge[16];
	unsigned int i, n;

	for (; nsge; nsge -= n, addr += n * sizeof(sge[0])) {
		n = fw_min(nsge, sizeof(sge) / sizeof(sge[0]));
		if (fw->ops.dma_read(fw->ctx, fn, addr, sge,
				     n * sizeof(sge[0])))
			return LMF_ST_DMA;
		for (i = 0; i < n; i++)
			if (!fw_sgl_add(sgl, &sge[i]))
				return LMF_ST_FIELD;
	}
	return LMF_ST_OK;
}

/* Answers LMF_ST_OK, LMF_ST_FIELD or LMF_ST_DMA. */
uint16_t fw_sgl_load(struct lmf_fw *fw, int fn, struct fw_sgl *sgl,
		     const struct lmf_sge *sge, unsigned int nsge)
{
	uint64_t addr = le64_to_cpu(sge->addr);
	uint32_t len = le32_to_cpu(sge->len);

	sgl->count = 0;
	sgl->total = 0;
	fw_sgl_seek(sgl, 0);
	if (nsge > 1) {
		if (nsge > FW_MAX_SGES || sge->reserved ||
		    addr % sizeof(*sge) || len != nsge * sizeof(*sge) ||
		    fw_wraps(addr, len))
			return LMF_ST_FIELD;
		return fw_sgl_load_list(fw, fn, sgl, addr, nsge);
	}
	if (!len && !sge->reserved)
		return LMF_ST_OK;
	return fw_sgl_add(sgl, sge) ? LMF_ST_OK : LMF_ST_FIELD;
}

/* The next contiguous bytes, at most @max; 0 at the end. */
uint32_t fw_sgl_piece(const struct fw_sgl *sgl, uint64_t max, uint64_t *addr)
{
	if (sgl->index == sgl->count)
		return 0;
	*addr = sgl->sge[sgl->index].addr + sgl->offset;
	return fw_min(max, sgl->sge[sgl->index].len - sgl->offset);
}

/* @bytes is at most what fw_sgl_piece() answered. */
void fw_sgl_advance(struct fw_sgl *sgl, uint32_t bytes)
{
	sgl->offset += bytes;
	if (sgl->offset == sgl->sge[sgl->index].len) {
		sgl->offset = 0;
		sgl->index++;
	}
}

void fw_sgl_seek(struct fw_sgl *sgl, uint64_t offset)
{
	sgl->index = 0;
	while (sgl->index < sgl->count && offset >= sgl->sge[sgl->index].len)
		offset -= sgl->sge[sgl->index++].len;
	sgl->offset = offset;
}

/* Writes @buf as the PF where @sgl stands; false if that is not accessible. */
bool fw_sgl_put(struct lmf_fw *fw, struct fw_sgl *sgl, const void *buf,
		uint64_t len)
{
	const uint8_t *from = buf;
	uint64_t addr;
	uint32_t n;

	for (; len; len -= n, from += n) {
		n = fw_sgl_piece(sgl, len, &addr);
		if (!n || fw->ops.dma_write(fw->ctx, LMF_FW_PF, addr, from, n))
			return false;
		fw_sgl_advance(sgl, n);
	}
	return true;
}

bool fw_sgl_get(struct lmf_fw *fw, struct fw_sgl *sgl, void *buf, uint64_t len)
{
	uint8_t *to = buf;
	uint64_t addr;
	uint32_t n;

	for (; len; len -= n, to += n) {
		n = fw_sgl_piece(sgl, len, &addr);
		if (!n || fw->ops.dma_read(fw->ctx, LMF_FW_PF, addr, to, n))
			return false;
		fw_sgl_advance(sgl, n);
	}
	return true;
}
