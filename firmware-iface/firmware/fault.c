// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Fault hooks: ways to misbehave, so that every test can be shown to fail.
 *
 *	lose-dirty=VF:NUM:DEN	drop each logged granule with probability
 *				NUM/DEN; NUM 0 ends it
 *	log-entries=N		use N entries of a log ring or list, or leaves
 *				of a bank, at most; 0: all
 *	log-delay-us=N		post log entries this late
 *	admin-delay=OP:US	complete this opcode this late; 0 ends it
 *	admin-drop=OP:K		execute the K-th next one and do not complete it
 *	admin-release		complete now what admin-drop dropped
 *	admin-fail=OP:K:STATUS	fail the K-th next one, without executing it
 *	admin-corrupt=OP:K[:1]	complete the K-th next one with garbage but for
 *				the tag; with :1 the tag too
 *	admin-reorder=1		complete admin commands late, out of order
 *	short-chunks=1		let SAVE_READ and LOG_READ answer less than fits
 *	identity-version=N	let the IDENTITY of saves claim this version,
 *				0x20000 for 2.0; 0: the true one
 *	event-lost		tell the host that events were lost
 *	io-delay=VF:US		complete VF requests this late
 *	io-drop=VF:K		do not complete the K-th next request
 *	io-fail=VF:K:STATUS	complete the K-th next request with this status
 *	reset-vf=VF		reset the VF now
 *	none			end all, release all
 *
 * OP is an opcode such as 0x0121, or '*'; VF a number, or '*'. The next one is
 * K = 1. Several rules may wait at a time.
 */
#include "fw.h"

#define FW_ARGS_MAX	3
#define FW_ANY		UINT64_MAX

struct fw_args {
	unsigned int count;
	uint64_t value[FW_ARGS_MAX];
};

/* A step of SplitMix64: small, and good enough to decide about faults. */
uint32_t fw_random(struct lmf_fw *fw)
{
	uint64_t value = fw->random += 0x9e3779b97f4a7c15ull;

	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ull;
	value = (value ^ value >> 27) * 0x94d049bb133111ebull;
	return value >> 32;
}

/* Counts down to a single strike. */
bool fw_fault_counts(uint32_t *count)
{
	return *count && !--*count;
}

bool fw_fault_loses(struct lmf_fw *fw, struct fw_vf *vf)
{
	return fw_random(fw) % vf->fault.lose_den < vf->fault.lose_num;
}

/* Each matching rule counts; @value is that of one that struck. */
bool fw_fault_strikes(struct lmf_fw *fw, enum fw_rule_kind kind,
		      uint16_t opcode, uint64_t *value)
{
	struct fw_rule *rule;
	bool struck = false;

	for (rule = fw->fault.rule; rule < fw->fault.rule + FW_FAULT_RULES;
	     rule++) {
		if (rule->kind != kind ||
		    (!rule->any && rule->opcode != opcode))
			continue;
		if (kind != FW_RULE_DELAY) {
			if (!fw_fault_counts(&rule->count))
				continue;
			rule->kind = FW_RULE_NONE;
		}
		*value = rule->value;
		struck = true;
	}
	return struck;
}

/* Ends the delay of one opcode, so that a new one can replace it. */
static void fw_rule_forget_delay(struct lmf_fw *fw, uint64_t opcode)
{
	struct fw_rule *rule;

	for (rule = fw->fault.rule; rule < fw->fault.rule + FW_FAULT_RULES;
	     rule++)
		if (rule->kind == FW_RULE_DELAY &&
		    (rule->any ? FW_ANY : rule->opcode) == opcode)
			rule->kind = FW_RULE_NONE;
}

static const char *fw_rule_add(struct lmf_fw *fw, enum fw_rule_kind kind,
			       uint64_t opcode, uint64_t count, uint64_t value)
{
	struct fw_rule *rule = fw->fault.rule;

	if (opcode != FW_ANY && opcode > UINT16_MAX)
		return "an opcode has 16 bits";
	if (!count || count > UINT32_MAX)
		return "the count begins with 1";
	while (rule->kind != FW_RULE_NONE)
		if (++rule == fw->fault.rule + FW_FAULT_RULES)
			return "too many rules at a time";
	rule->kind = kind;
	rule->any = opcode == FW_ANY;
	rule->opcode = opcode;
	rule->count = count;
	rule->value = value;
	return NULL;
}

static const char *fw_fault_admin_delay(struct lmf_fw *fw,
					const struct fw_args *args)
{
	fw_rule_forget_delay(fw, args->value[0]);
	if (!args->value[1])
		return NULL;
	return fw_rule_add(fw, FW_RULE_DELAY, args->value[0], 1,
			   args->value[1] * 1000);
}

static const char *fw_fault_admin_drop(struct lmf_fw *fw,
				       const struct fw_args *args)
{
	return fw_rule_add(fw, FW_RULE_DROP, args->value[0], args->value[1], 0);
}

static const char *fw_fault_admin_release(struct lmf_fw *fw,
					  const struct fw_args *args)
{
	fw_admin_release(fw);
	return NULL;
}

static const char *fw_fault_admin_fail(struct lmf_fw *fw,
				       const struct fw_args *args)
{
	if (!args->value[2] || args->value[2] >= FW_AGAIN)
		return "the status is that of a failure";
	return fw_rule_add(fw, FW_RULE_FAIL, args->value[0], args->value[1],
			   args->value[2]);
}

static const char *fw_fault_admin_corrupt(struct lmf_fw *fw,
					  const struct fw_args *args)
{
	return fw_rule_add(fw, FW_RULE_CORRUPT, args->value[0], args->value[1],
			   args->count == 3 && args->value[2]);
}

static const char *fw_fault_reorder(struct lmf_fw *fw,
				    const struct fw_args *args)
{
	fw->fault.reorder = args->value[0];
	return NULL;
}

static const char *fw_fault_short(struct lmf_fw *fw,
				  const struct fw_args *args)
{
	fw->fault.short_chunks = args->value[0];
	return NULL;
}

static const char *fw_fault_identity_version(struct lmf_fw *fw,
					     const struct fw_args *args)
{
	if (args->value[0] > UINT32_MAX)
		return "a version has 32 bits";
	fw->fault.identity_version = args->value[0];
	return NULL;
}

/* It names no VF, which is to say 0, so it may go as an event of that one. */
static const char *fw_fault_event_lost(struct lmf_fw *fw,
				       const struct fw_args *args)
{
	fw_event(fw, fw->vf[0], LMF_EV_LOST);
	return NULL;
}

static const char *fw_fault_log_entries(struct lmf_fw *fw,
					const struct fw_args *args)
{
	if (args->value[0] > UINT32_MAX)
		return "too many entries";
	fw->fault.log_entries = args->value[0];
	return NULL;
}

static const char *fw_fault_log_delay(struct lmf_fw *fw,
				      const struct fw_args *args)
{
	fw->fault.log_delay_set = true;
	fw->fault.log_delay_ns = args->value[0] * 1000;
	return NULL;
}

static void fw_vf_lose(struct lmf_fw *fw, struct fw_vf *vf,
		       const struct fw_args *args)
{
	vf->fault.lose_num = args->value[1];
	vf->fault.lose_den = args->value[1] ? args->value[2] : 0;
}

static void fw_vf_io_delay(struct lmf_fw *fw, struct fw_vf *vf,
			   const struct fw_args *args)
{
	vf->fault.delay_ns = args->value[1] * 1000;
}

static void fw_vf_io_drop(struct lmf_fw *fw, struct fw_vf *vf,
			  const struct fw_args *args)
{
	vf->fault.drop = args->value[1];
}

static void fw_vf_io_fail(struct lmf_fw *fw, struct fw_vf *vf,
			  const struct fw_args *args)
{
	vf->fault.fail = args->value[1];
	vf->fault.fail_status = args->value[2];
}

static void fw_vf_reset_now(struct lmf_fw *fw, struct fw_vf *vf,
			    const struct fw_args *args)
{
	if (vf->present)
		fw_vf_reset(fw, vf);
}

static const char *fw_fault_vfs(struct lmf_fw *fw, const struct fw_args *args,
				void (*set)(struct lmf_fw *fw,
					    struct fw_vf *vf,
					    const struct fw_args *args))
{
	unsigned int i;

	if (args->value[0] != FW_ANY && args->value[0] >= fw->config.vfs)
		return "no such VF";
	for (i = 0; i < fw->config.vfs; i++)
		if (args->value[0] == FW_ANY || args->value[0] == i)
			set(fw, fw->vf[i], args);
	return NULL;
}

static const char *fw_fault_lose(struct lmf_fw *fw, const struct fw_args *args)
{
	if (!args->value[2] || args->value[1] > args->value[2] ||
	    args->value[2] > UINT32_MAX)
		return "the probability is NUM/DEN, 1 at most";
	return fw_fault_vfs(fw, args, fw_vf_lose);
}

static const char *fw_fault_io_delay(struct lmf_fw *fw,
				     const struct fw_args *args)
{
	return fw_fault_vfs(fw, args, fw_vf_io_delay);
}

static const char *fw_fault_io_drop(struct lmf_fw *fw,
				    const struct fw_args *args)
{
	if (!args->value[1] || args->value[1] > UINT32_MAX)
		return "the count begins with 1";
	return fw_fault_vfs(fw, args, fw_vf_io_drop);
}

static const char *fw_fault_io_fail(struct lmf_fw *fw,
				    const struct fw_args *args)
{
	if (!args->value[1] || args->value[1] > UINT32_MAX)
		return "the count begins with 1";
	if (!args->value[2] || args->value[2] > LMF_VF_ST_MEDIA)
		return "the status is that of a failure";
	return fw_fault_vfs(fw, args, fw_vf_io_fail);
}

static const char *fw_fault_reset_vf(struct lmf_fw *fw,
				     const struct fw_args *args)
{
	return fw_fault_vfs(fw, args, fw_vf_reset_now);
}

static void fw_vf_release(struct fw_vf *vf)
{
	unsigned int i, j;

	for (i = 0; i < LMF_VF_QUEUE_LIMIT; i++)
		for (j = 0; j < vf->queue[i].requests; j++)
			vf->queue[i].mem->request[j].held = false;
}

static const char *fw_fault_none(struct lmf_fw *fw, const struct fw_args *args)
{
	unsigned int i;

	memset(&fw->fault, 0, sizeof(fw->fault));
	fw_admin_release(fw);
	for (i = 0; i < fw->config.vfs; i++) {
		memset(&fw->vf[i]->fault, 0, sizeof(fw->vf[i]->fault));
		fw_vf_release(fw->vf[i]);
	}
	return NULL;
}

static const struct fw_hook {
	const char *name;
	unsigned int min;	/* fields */
	unsigned int max;
	unsigned int any;	/* leading fields that may be '*' */
	const char *(*set)(struct lmf_fw *fw, const struct fw_args *args);
} fw_hooks[] = {
	{ "lose-dirty", 3, 3, 1, fw_fault_lose },
	{ "log-entries", 1, 1, 0, fw_fault_log_entries },
	{ "log-delay-us", 1, 1, 0, fw_fault_log_delay },
	{ "admin-delay", 2, 2, 1, fw_fault_admin_delay },
	{ "admin-drop", 2, 2, 1, fw_fault_admin_drop },
	{ "admin-release", 0, 0, 0, fw_fault_admin_release },
	{ "admin-fail", 3, 3, 1, fw_fault_admin_fail },
	{ "admin-corrupt", 2, 3, 1, fw_fault_admin_corrupt },
	{ "admin-reorder", 1, 1, 0, fw_fault_reorder },
	{ "short-chunks", 1, 1, 0, fw_fault_short },
	{ "identity-version", 1, 1, 0, fw_fault_identity_version },
	{ "event-lost", 0, 0, 0, fw_fault_event_lost },
	{ "io-delay", 2, 2, 1, fw_fault_io_delay },
	{ "io-drop", 2, 2, 1, fw_fault_io_drop },
	{ "io-fail", 3, 3, 1, fw_fault_io_fail },
	{ "reset-vf", 1, 1, 1, fw_fault_reset_vf },
	{ "none", 0, 0, 0, fw_fault_none },
};

/* Answers what follows the name, or NULL if @spec begins otherwise. */
static const char *fw_spec_match(const char *spec, const char *name)
{
	while (*name && *spec == *name) {
		spec++;
		name++;
	}
	return !*name && (!*spec || *spec == '=') ? spec : NULL;
}

static unsigned int fw_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* Answers what follows the number, or NULL if there is none that fits. */
static const char *fw_spec_number(const char *spec, uint64_t *value)
{
	unsigned int base = 10;
	const char *from;

	if (spec[0] == '*') {
		*value = FW_ANY;
		return spec + 1;
	}
	if (spec[0] == '0' && spec[1] == 'x') {
		base = 16;
		spec += 2;
	}
	*value = 0;
	for (from = spec; fw_digit(*spec) < base; spec++) {
		if (*value >> 40)
			return NULL;
		*value = *value * base + fw_digit(*spec);
	}
	return spec > from ? spec : NULL;
}

/* @spec is at '=' or at the end. */
static bool fw_spec_args(const char *spec, struct fw_args *args)
{
	args->count = 0;
	while (*spec) {
		if (*spec != (args->count ? ':' : '=') ||
		    args->count == FW_ARGS_MAX)
			return false;
		spec = fw_spec_number(spec + 1, &args->value[args->count++]);
		if (!spec)
			return false;
	}
	return true;
}

static const char *fw_hook_set(struct lmf_fw *fw, const struct fw_hook *hook,
			       const char *spec)
{
	struct fw_args args;
	unsigned int i;

	if (!fw_spec_args(spec, &args) || args.count < hook->min ||
	    args.count > hook->max)
		return "bad fields";
	for (i = hook->any; i < args.count; i++)
		if (args.value[i] == FW_ANY)
			return "'*' stands only for a VF or an opcode";
	return hook->set(fw, &args);
}

const char *lmf_fw_fault(struct lmf_fw *fw, const char *spec)
{
	const unsigned int count = sizeof(fw_hooks) / sizeof(fw_hooks[0]);
	const struct fw_hook *hook;
	const char *rest, *wrong = "no such hook";

	fw->now = fw->ops.now(fw->ctx);
	for (hook = fw_hooks; hook < fw_hooks + count; hook++) {
		rest = fw_spec_match(spec, hook->name);
		if (rest)
			wrong = fw_hook_set(fw, hook, rest);
	}
	fw_settle(fw);
	fw_kick(fw);
	return wrong;
}
