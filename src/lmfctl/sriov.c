// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a PF does for its VFs: it makes them, and scrubs what they hold.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "holders.h"
#include "say.h"
#include "signals.h"
#include "sriov.h"
#include "verdict.h"

#define LMF_SCRUB	LMF_DEVICE "/scrub_vf"

/* Does the VF's PF know how to scrub it? */
bool lmf_can_scrub(const struct lmf_function *f)
{
	return f->pf[0] && f->index >= 0 && lmf_exists(LMF_SCRUB, f->pf);
}

static const char *lmf_scrub_why(int err)
{
	switch (-err) {
	case EBUSY:
		return "it is bound to a driver";
	case ENOTCONN:
		return "its PF does not work: the kernel's log says why";
	case ETIMEDOUT:
		return "no answer in time: try again, it may still be at work";
	default:
		return lmf_why(err);
	}
}

int lmf_scrub(const struct lmf_function *f)
{
	char index[16];
	int err;

	snprintf(index, sizeof(index), "%d", f->index);
	err = lmf_write(index, LMF_SCRUB, f->pf);
	if (err)
		return lmf_fail(f->bdf, "not scrubbed: %s",
				lmf_scrub_why(err));
	return LMF_EXIT_OK;
}

static int lmf_check_vfs_unused(const struct lmf_function *pf)
{
	struct lmf_function vf = {};
	unsigned int i;
	int ret = LMF_EXIT_OK;

	for (i = 0; i < pf->num_vfs && !ret; i++) {
		if (lmf_vf_bdf(pf->bdf, i, vf.bdf))
			continue;
		lmf_function_refresh(&vf);
		ret = lmf_check_unused(&vf);
	}
	return ret;
}

static int lmf_write_vfs(const struct lmf_function *pf, unsigned int vfs)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", vfs);
	return lmf_write(text, LMF_DEVICE "/sriov_numvfs", pf->bdf);
}

static int lmf_vfs_failed(const struct lmf_function *pf, int err)
{
	/* The kernel says the same of a driver that is not for SR-IOV. */
	if (err == -ENOENT && !pf->driver[0])
		return lmf_fail(pf->bdf,
				"has no driver that makes VFs: 'modprobe %s' if it is ours",
				LMF_DRIVER_PF);
	if (err == -ENOENT)
		return lmf_fail(pf->bdf, "its driver makes no VFs: %s",
				pf->driver);
	return lmf_fail(pf->bdf, "cannot have other VFs: %s; it has %u now",
			lmf_why(err), pf->num_vfs);
}

/* Have a PF make so many VFs. The kernel takes all away before a new number. */
int lmf_set_vfs(struct lmf_function *pf, unsigned int vfs)
{
	sigset_t before;
	int err = 0;

	if (!pf->total_vfs)
		return lmf_fail(pf->bdf,
				"no PF with SR-IOV, or the kernel has no CONFIG_PCI_IOV");
	if (vfs > pf->total_vfs)
		return lmf_fail(pf->bdf, "has %u VFs at most", pf->total_vfs);
	if (vfs == pf->num_vfs)
		return LMF_EXIT_OK;
	if (lmf_check_vfs_unused(pf))
		return LMF_EXIT_FAILED;
	lmf_signals_hold(&before);
	if (pf->num_vfs)
		err = lmf_write_vfs(pf, 0);
	if (!err && vfs)
		err = lmf_write_vfs(pf, vfs);
	lmf_signals_release(&before);
	lmf_function_refresh(pf);
	if (!err && pf->num_vfs != vfs)
		err = -EIO;
	return err ? lmf_vfs_failed(pf, err) : LMF_EXIT_OK;
}
