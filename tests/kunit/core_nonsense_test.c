// SPDX-License-Identifier: GPL-2.0-only
/*
 * What src/core makes of a device whose word about itself makes no sense, and
 * of an operator's. A PF is refused; a VF is of use without what it offers so.
 */
#include "core_bed.h"

/**
 * struct false_register - a register that lies
 * @name: of the case
 * @offset: of the register
 * @value: what it says
 */
struct false_register {
	const char *name;
	u32 offset;
	u32 value;
};

static const struct false_register false_registers[] = {
	{ "magic", LMF_PF_MAGIC, 0 },
	{ "version", LMF_PF_VERSION, LMF_VERSION(LMF_VERSION_MAJOR + 1, 0) },
	{ "no VF", LMF_PF_TOTAL_VFS, 0 },
	{ "too many VFs", LMF_PF_TOTAL_VFS, LMF_PF_VF_LIMIT + 1 },
	{ "ring of one", LMF_PF_MAX_ENTRIES, 1 },
	{ "odd ring", LMF_PF_MAX_ENTRIES, 3 },
};

static void false_register_describe(const struct false_register *reg,
				    char *desc)
{
	strscpy(desc, reg->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(false_register, false_registers, false_register_describe);

struct false_pf {
	struct mock_pf *pf;
	const struct false_register *reg;
};

static u32 false_pf_read(void *ctx, u32 offset)
{
	struct false_pf *f = ctx;

	return offset == f->reg->offset ? f->reg->value :
					  mock_pf_io_ops.read(f->pf, offset);
}

static void false_pf_write(void *ctx, u32 offset, u32 value)
{
	struct false_pf *f = ctx;

	mock_pf_io_ops.write(f->pf, offset, value);
}

static const struct lmf_io_ops false_pf_ops = {
	.read = false_pf_read,
	.write = false_pf_write,
};

static void core_nonsense_test_register(struct kunit *test)
{
	struct core_bed *b = test->priv;
	struct false_pf f = { .pf = &b->pf, .reg = test->param_value };

	KUNIT_EXPECT_EQ(test, PTR_ERR(lmf_core_create(b->dev, &false_pf_ops,
						      &f)), -ENODEV);
}

/**
 * struct false_info - a VF_INFO that lies
 * @name: of the case
 * @lie: makes it do so
 * @err: of lmf_vf_open()
 * @migrate: the VF can be migrated
 * @log: it has a log
 */
struct false_info {
	const char *name;
	void (*lie)(struct lmf_vf_info *info);
	int err;
	bool migrate;
	bool log;
};

static void lie_version(struct lmf_vf_info *info)
{
	info->version = cpu_to_le32(LMF_VERSION(LMF_VERSION_MAJOR + 1, 0));
}

static void lie_chunk(struct lmf_vf_info *info)
{
	info->chunk_min = cpu_to_le32(le32_to_cpu(info->chunk_max) + 1);
}

static void lie_state(struct lmf_vf_info *info)
{
	info->state_max = 0;
}

static void lie_ring(struct lmf_vf_info *info)
{
	info->log_ring_max = cpu_to_le32(1);
}

/* Of each format there is too little. */
static void lie_room(struct lmf_vf_info *info)
{
	info->log_ring_max = 0;
	info->log_list_max = cpu_to_le32(1);
	info->log_leaves_max = 0;
}

static void lie_shift(struct lmf_vf_info *info)
{
	info->log_shift_min = info->log_shift_max + 1;
}

static const struct false_info false_infos[] = {
	{ "version", lie_version, -EOPNOTSUPP },
	{ "chunks", lie_chunk, 0, false, true },
	{ "no state", lie_state, 0, false, true },
	{ "ring of one", lie_ring, 0, true, true },
	{ "no room", lie_room, 0, true, false },
	{ "no granule", lie_shift, 0, true, false },
};

static void false_info_describe(const struct false_info *info, char *desc)
{
	strscpy(desc, info->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(false_info, false_infos, false_info_describe);

struct false_vf {
	struct core_bed *b;
	const struct false_info *info;
};

/* The answer lies in the buffer, and the completion is still to come. */
static void false_vf_edit(struct mock_pf *pf, struct lmf_admin_cqe *cqe)
{
	struct false_vf *f = pf->edit_ctx;
	struct lmf_slot *slots = f->b->core->aq.slots;
	struct lmf_op *op = slots[(u16)le32_to_cpu(cqe->tag)].op;

	if (le16_to_cpu(op->cmd.opcode) == LMF_OP_VF_INFO)
		f->info->lie(op->buf->pub.vaddr);
}

static void core_nonsense_test_info(struct kunit *test)
{
	struct core_bed *b = test->priv;
	const struct false_info *info = test->param_value;
	struct false_vf f = { .b = b, .info = info };
	struct lmf_vf *vf;

	core_bed_close(b, 0);
	mock_pf_edit(&b->pf, false_vf_edit, &f);
	vf = lmf_vf_open(b->core, 0, NULL, NULL);
	mock_pf_edit(&b->pf, NULL, NULL);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(vf), info->err);
	if (IS_ERR(vf))
		return;
	KUNIT_EXPECT_EQ(test, lmf_vf_caps(vf)->migrate, info->migrate);
	KUNIT_EXPECT_EQ(test, lmf_vf_caps(vf)->log, info->log);
	if (info->lie == lie_ring)
		KUNIT_EXPECT_EQ(test, lmf_vf_caps(vf)->log_formats,
				BIT(LMF_LOG_RANGES) | BIT(LMF_LOG_BITMAP));
	lmf_vf_put(vf);
}

/* A timeout that is none, or lasts for ever, is refused. */
static void core_nonsense_test_timeout(struct kunit *test)
{
	unsigned long before = lmf_timeout();

	KUNIT_EXPECT_EQ(test, mock_write_timeout("9"), -EINVAL);
	KUNIT_EXPECT_EQ(test, mock_write_timeout("60001"), -EINVAL);
	KUNIT_EXPECT_EQ(test, mock_write_timeout("soon"), -EINVAL);
	KUNIT_EXPECT_EQ(test, lmf_timeout(), before);
	KUNIT_EXPECT_EQ(test, mock_write_timeout("60000"), 0);
	KUNIT_EXPECT_EQ(test, lmf_timeout(), 60 * HZ);
}

static struct kunit_case core_nonsense_test_cases[] = {
	KUNIT_CASE_PARAM(core_nonsense_test_register,
			 false_register_gen_params),
	KUNIT_CASE_PARAM(core_nonsense_test_info, false_info_gen_params),
	KUNIT_CASE(core_nonsense_test_timeout),
	{}
};

static struct kunit_suite core_nonsense_test_suite = {
	.name = "lmf-core-nonsense",
	.init = core_bed_init,
	.exit = core_bed_exit,
	.test_cases = core_nonsense_test_cases,
};

kunit_test_suite(core_nonsense_test_suite);
