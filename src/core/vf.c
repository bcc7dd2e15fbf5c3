// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handles of VFs: what one can do, and its level of quiesce.
 *
 * The device's word about itself is cut to what this driver can serve. What
 * makes no sense is taken as not offered: a VF is of use without migration.
 */
#include <linux/device.h>
#include <linux/log2.h>
#include <linux/slab.h>

#include "compat.h"
#include "lmf_core.h"

#define LMF_CHUNK_FLOOR		4096U
#define LMF_SHIFT_FLOOR		12
#define LMF_SHIFT_LIMIT		63

static void lmf_caps_migrate(struct lmf_vf_caps *caps,
			     const struct lmf_vf_info *info)
{
	u32 chunk_min = max(le32_to_cpu(info->chunk_min), LMF_CHUNK_FLOOR);
	u32 chunk_max = min(le32_to_cpu(info->chunk_max), LMF_CHUNK_LIMIT);
	u64 state_max = le64_to_cpu(info->state_max);

	if (!(le64_to_cpu(info->caps) & LMF_INFO_CAP_MIGRATE) || !state_max ||
	    chunk_min > chunk_max)
		return;
	caps->migrate = true;
	caps->state_max = state_max;
	caps->trailer_max = min_t(u64, le32_to_cpu(info->trailer_max),
				  state_max);
	caps->chunk_min = chunk_min;
	caps->chunk_max = chunk_max;
}

/* A format without room for anything is not offered. */
static u32 lmf_formats(const struct lmf_vf_info *info, u32 ring_max)
{
	u32 formats = le32_to_cpu(info->log_formats);

	if (ring_max < 2)
		formats &= ~BIT(LMF_LOG_RING);
	if (le32_to_cpu(info->log_list_max) < 2)
		formats &= ~BIT(LMF_LOG_RANGES);
	if (!info->log_leaves_max)
		formats &= ~BIT(LMF_LOG_BITMAP);
	return formats;
}

static void lmf_caps_log(struct lmf_vf_caps *caps,
			 const struct lmf_vf_info *info)
{
	u32 ring_max = min(le32_to_cpu(info->log_ring_max), LMF_LOG_RING_LIMIT);
	u32 ranges_max = min(le32_to_cpu(info->log_ranges_max),
			     LMF_LOG_RANGES_LIMIT);
	u32 formats = lmf_formats(info, ring_max);

	if (!(le64_to_cpu(info->caps) & LMF_INFO_CAP_LOG) ||
	    !formats || !ranges_max ||
	    info->log_shift_min < LMF_SHIFT_FLOOR ||
	    info->log_shift_min > info->log_shift_max)
		return;
	caps->log = true;
	caps->log_formats = formats;
	caps->log_ring_max = ring_max ? rounddown_pow_of_two(ring_max) : 0;
	caps->log_list_max = le32_to_cpu(info->log_list_max);
	caps->log_leaves_max = le32_to_cpu(info->log_leaves_max);
	caps->log_ranges_max = ranges_max;
	caps->log_shift_min = info->log_shift_min;
	caps->log_shift_max = min(info->log_shift_max, LMF_SHIFT_LIMIT);
}

static int lmf_vf_take_info(struct lmf_vf *vf, const struct lmf_vf_info *info)
{
	struct device *dev = vf->func->core->dev;
	u32 version = le32_to_cpu(info->version);
	u64 caps = le64_to_cpu(info->caps);

	if (LMF_VERSION_TO_MAJOR(version) != LMF_VERSION_MAJOR) {
		dev_info(dev, "VF %u: version %u.%u, not %u: no migration\n",
			 vf->func->id, LMF_VERSION_TO_MAJOR(version),
			 LMF_VERSION_TO_MINOR(version), LMF_VERSION_MAJOR);
		return -EOPNOTSUPP;
	}
	lmf_caps_migrate(&vf->caps, info);
	lmf_caps_log(&vf->caps, info);
	if (caps & LMF_INFO_CAP_MIGRATE && !vf->caps.migrate)
		dev_warn(dev, "VF %u: migration limits make no sense\n",
			 vf->func->id);
	if (caps & LMF_INFO_CAP_LOG && !vf->caps.log)
		dev_warn(dev, "VF %u: log limits make no sense\n",
			 vf->func->id);
	return 0;
}

int lmf_func_read_info(struct lmf_func *func, struct lmf_vf_info *info)
{
	struct lmf_request req = {
		.opcode = LMF_OP_VF_INFO,
		.bytes = sizeof(*info),
	};
	struct lmf_admin_cqe cqe;
	int err;

	req.buf = lmf_dmabuf_alloc_coherent(func->core, req.bytes, GFP_KERNEL);
	if (!req.buf)
		return -ENOMEM;
	err = lmf_op_exec(func, &req, &cqe);
	if (!err && le32_to_cpu(cqe.bytes) != req.bytes)
		err = -EIO;
	if (!err)
		memcpy(info, req.buf->pub.vaddr, sizeof(*info));
	lmf_dmabuf_put(req.buf);
	return err;
}

static int lmf_func_take(struct lmf_func *func)
{
	int err;

	mutex_lock(&func->notify_lock);
	err = func->taken ? -EBUSY : lmf_ops_alloc(func);
	if (!err)
		func->taken = true;
	mutex_unlock(&func->notify_lock);
	return err;
}

static void lmf_func_set_vf(struct lmf_func *func, struct lmf_vf *vf)
{
	mutex_lock(&func->notify_lock);
	func->vf = vf;
	mutex_unlock(&func->notify_lock);
}

static void lmf_func_release(struct lmf_func *func)
{
	mutex_lock(&func->notify_lock);
	func->taken = false;
	mutex_unlock(&func->notify_lock);
}

static int lmf_vf_init(struct lmf_vf *vf)
{
	struct lmf_vf_info info;
	int err;

	if (!lmf_core_wait_up(vf->func->core))
		return -ENOTCONN;
	/* An earlier owner may have had to leave something behind. */
	err = lmf_track_close(vf->func);
	if (!err)
		err = lmf_func_read_info(vf->func, &info);
	return err ?: lmf_vf_take_info(vf, &info);
}

/* Nobody else has the VF meanwhile. Bounded, killable while the PF is up. */
int lmf_func_scrub(struct lmf_core *core, u32 id)
{
	struct lmf_request req = { .opcode = LMF_OP_SCRUB };
	struct lmf_func *func;
	int err;

	if (id >= core->nfuncs)
		return -ENODEV;
	func = &core->funcs[id];
	if (!lmf_core_wait_up(core))
		return -ENOTCONN;
	err = lmf_func_take(func);
	if (err)
		return err;
	/* A session that an earlier owner had to leave is in its way. */
	err = lmf_track_close(func);
	if (!err)
		err = lmf_op_exec(func, &req, NULL);
	lmf_func_release(func);
	return err;
}

struct lmf_vf *lmf_vf_open(struct lmf_core *core, u32 id,
			   const struct lmf_vf_notify *notify, void *priv)
{
	struct lmf_func *func;
	struct lmf_vf *vf;
	int err;

	if (id >= core->nfuncs)
		return ERR_PTR(-EOPNOTSUPP);
	func = &core->funcs[id];
	err = lmf_func_take(func);
	if (err)
		return ERR_PTR(err);
	vf = kzalloc(sizeof(*vf), GFP_KERNEL);
	if (!vf) {
		lmf_func_release(func);
		return ERR_PTR(-ENOMEM);
	}
	vf->func = func;
	vf->notify = notify;
	vf->priv = priv;
	err = lmf_vf_init(vf);
	if (err) {
		kfree(vf);
		lmf_func_release(func);
		return ERR_PTR(err);
	}
	lmf_func_set_vf(func, vf);
	return vf;
}

void lmf_vf_put(struct lmf_vf *vf)
{
	struct lmf_func *func = vf->func;
	int err;

	lmf_func_set_vf(func, NULL);
	err = lmf_track_close(func);
	/* A lost PF ends them itself. */
	if (err && err != -ENOTCONN)
		dev_warn(func->core->dev, "VF %u: left a session or log: %pe\n",
			 func->id, ERR_PTR(err));
	kfree(vf);
	lmf_func_release(func);
}
EXPORT_SYMBOL_LMF(lmf_vf_put);

const struct lmf_vf_caps *lmf_vf_caps(const struct lmf_vf *vf)
{
	return &vf->caps;
}
EXPORT_SYMBOL_LMF(lmf_vf_caps);

static const u32 lmf_levels[] = {
	[LMF_RUN] = LMF_QUIESCE_RUN,
	[LMF_STOP_INITIATOR] = LMF_QUIESCE_INITIATOR,
	[LMF_STOP_FULL] = LMF_QUIESCE_FULL,
};

int lmf_vf_quiesce(struct lmf_vf *vf, enum lmf_quiesce level)
{
	struct lmf_request req = {
		.opcode = LMF_OP_QUIESCE,
		.param = lmf_levels[level],
	};

	return lmf_op_exec(vf->func, &req, NULL);
}
EXPORT_SYMBOL_LMF(lmf_vf_quiesce);

int lmf_vf_level(struct lmf_vf *vf, enum lmf_quiesce *level)
{
	struct lmf_vf_info info;
	enum lmf_quiesce n;
	int err;

	err = lmf_func_read_info(vf->func, &info);
	if (err)
		return err;
	for (n = LMF_RUN; n < ARRAY_SIZE(lmf_levels); n++) {
		if (lmf_levels[n] ==
		    (le32_to_cpu(info.state) & LMF_INFO_STATE_LEVEL)) {
			*level = n;
			return 0;
		}
	}
	return -EIO;
}
EXPORT_SYMBOL_LMF(lmf_vf_level);
