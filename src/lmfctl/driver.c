// SPDX-License-Identifier: GPL-2.0-only
/*
 * A function changes its driver, by driver_override, so that no other driver
 * can take it in between and none changes its ID table.
 *
 * What does not succeed is undone: the function is with its old driver and
 * override then, or the user is told that it is not.
 */
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "driver.h"
#include "say.h"
#include "signals.h"
#include "verdict.h"

/* A driver may probe in the background; no event tells of the end. */
#define LMF_BIND_TRIES	100
#define LMF_BIND_STEP	(10 * 1000 * 1000)	/* ns */

static void lmf_wait_driver(struct lmf_function *f, const char *driver)
{
	const struct timespec step = { .tv_nsec = LMF_BIND_STEP };
	int tries;

	for (tries = 0; tries < LMF_BIND_TRIES; tries++) {
		lmf_function_refresh(f);
		if (!strcmp(f->driver, driver))
			return;
		nanosleep(&step, NULL);
	}
}

/* The kernel reads an empty line as "none". */
static int lmf_set_override(const struct lmf_function *f, const char *driver)
{
	return lmf_write(*driver ? driver : "\n",
			 LMF_DEVICE "/driver_override", f->bdf);
}

static int lmf_release(struct lmf_function *f)
{
	int err;

	if (!f->driver[0])
		return 0;
	err = lmf_write(f->bdf, LMF_DEVICE "/driver/unbind", f->bdf);
	if (err)
		return err;
	lmf_wait_driver(f, "");
	return f->driver[0] ? -EBUSY : 0;
}

static int lmf_attach(struct lmf_function *f, const char *driver)
{
	int err = lmf_set_override(f, driver);

	if (!err)
		err = lmf_release(f);
	if (!err)
		err = lmf_write(f->bdf, "/sys/bus/pci/drivers_probe");
	if (err)
		return err;
	lmf_wait_driver(f, driver);
	return strcmp(f->driver, driver) ? -ENODEV : 0;
}

/* Back to what it was; @old was taken before anything was changed. */
static void lmf_undo(struct lmf_function *f, const struct lmf_function *old)
{
	int err;

	lmf_function_refresh(f);
	if (!strcmp(f->driver, old->driver) &&
	    !strcmp(f->override, old->override))
		return;
	err = lmf_set_override(f, old->override);
	lmf_function_refresh(f);
	if (!err && strcmp(f->driver, old->driver)) {
		err = lmf_write(f->bdf, "/sys/bus/pci/drivers_probe");
		if (!err)
			lmf_wait_driver(f, old->driver);
	}
	if (err && !old->driver[0])
		lmf_note(f->bdf, "and its driver_override stays as it is: %s",
			 lmf_why(err));
	else if (f->driver[0] && !old->driver[0])
		lmf_note(f->bdf, "and is bound to %s now", f->driver);
	else if (err || strcmp(f->driver, old->driver))
		lmf_note(f->bdf,
			 "and cannot be given back to %s: try 'lmfctl bind --driver %s %s'",
			 old->driver, old->driver, f->bdf);
	else if (old->driver[0])
		lmf_note(f->bdf, "given back to %s", old->driver);
}

static void lmf_bind_failed(struct lmf_function *f,
			    const struct lmf_function *old, const char *driver,
			    int err)
{
	if (err == -ENODEV)
		lmf_fail(f->bdf,
			 "%s did not take it: the kernel's log says why",
			 driver);
	else
		lmf_fail(f->bdf, "cannot be bound to %s: %s", driver,
			 lmf_why(err));
	lmf_undo(f, old);
}

/* Bind to a driver, or leave everything as it was and say why. */
int lmf_driver_bind(struct lmf_function *f, const char *driver)
{
	const struct lmf_function old = *f;
	sigset_t before;
	int err;

	if (!lmf_exists("/sys/bus/pci/drivers/%s", driver))
		return lmf_fail(f->bdf,
				"driver %s is not loaded: 'modprobe %s', and try again",
				driver, driver);
	lmf_signals_hold(&before);
	err = lmf_attach(f, driver);
	if (err)
		lmf_bind_failed(f, &old, driver, err);
	lmf_signals_release(&before);
	return err ? LMF_EXIT_FAILED : LMF_EXIT_OK;
}

/* Take it from its driver; no other one gets it. */
int lmf_driver_unbind(struct lmf_function *f)
{
	const struct lmf_function old = *f;
	int err = lmf_release(f);

	if (err)
		return lmf_fail(f->bdf, "cannot be taken from %s: %s",
				old.driver, lmf_why(err));
	err = lmf_set_override(f, "");
	if (err)
		lmf_note(f->bdf, "its driver_override stays as it is: %s",
			 lmf_why(err));
	lmf_function_refresh(f);
	return LMF_EXIT_OK;
}

/*
 * Modules made for one VFIO device carry an alias "vfio_pci:...", by which
 * libvirt finds them, too. The catch-all of vfio-pci does not count.
 */
static bool lmf_alias_line(const char *line, const char *modalias,
			   char *module)
{
	char pattern[256], name[LMF_TEXT];

	return sscanf(line, "alias vfio_pci:%255s %63s", pattern, name) == 2 &&
	       strcmp(name, "vfio_pci") && !fnmatch(pattern, modalias, 0) &&
	       memcpy(module, name, sizeof(name));
}

static bool lmf_find_alias(const struct lmf_function *f, char *module)
{
	char path[PATH_MAX], line[512], modalias[256];
	struct utsname host;
	bool found = false;
	FILE *file;

	if (lmf_read(modalias, sizeof(modalias), LMF_DEVICE "/modalias",
		     f->bdf) || strncmp(modalias, "pci:", 4) || uname(&host) ||
	    lmf_path(path, sizeof(path), "/lib/modules/%s/modules.alias",
		     host.release))
		return false;
	file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof(line), file))
		found = lmf_alias_line(line, modalias + 4, module);
	if (file)
		fclose(file);
	return found;
}

/*
 * The driver that can migrate a function, if there is one, else vfio-pci. A
 * module may name its driver with dashes: what is loaded decides.
 */
void lmf_driver_choose(const struct lmf_function *f, char *driver, size_t size)
{
	char module[LMF_TEXT], *c;

	if (!strcmp(f->pf_driver, LMF_DRIVER_PF)) {
		snprintf(driver, size, "%s", LMF_DRIVER_VF);
		return;
	}
	if (!lmf_find_alias(f, module)) {
		snprintf(driver, size, "vfio-pci");
		return;
	}
	snprintf(driver, size, "%s", module);
	if (lmf_exists("/sys/bus/pci/drivers/%s", driver))
		return;
	for (c = driver; *c; c++)
		if (*c == '_')
			*c = '-';
	if (!lmf_exists("/sys/bus/pci/drivers/%s", driver))
		snprintf(driver, size, "%s", module);
}
