// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCI functions: identity and capabilities by libpci, what the kernel made of
 * them by sysfs. Nothing here opens a device.
 *
 * $LMFCTL_PCI_DUMP names a file, as "lspci -x" writes it, that stands for the
 * hardware in tests.
 */
#include <errno.h>
#include <pci/pci.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "function.h"
#include "say.h"

/* "[domain:]bus:device.function" to what sysfs calls it. */
int lmf_bdf_parse(const char *text, char *bdf)
{
	unsigned int domain = 0, bus, dev, fn;
	int end = 0;

	if (sscanf(text, "%8x:%2x:%2x.%1u%n", &domain, &bus, &dev, &fn,
		   &end) != 4 || text[end]) {
		domain = 0;
		end = 0;
		if (sscanf(text, "%2x:%2x.%1u%n", &bus, &dev, &fn, &end) != 3 ||
		    text[end])
			return -EINVAL;
	}
	if (dev > 31 || fn > 7)
		return -EINVAL;
	snprintf(bdf, LMF_BDF, "%04x:%02x:%02x.%u", domain, bus, dev, fn);
	return 0;
}

int lmf_vf_bdf(const char *pf, unsigned int index, char *bdf)
{
	return lmf_link(bdf, LMF_BDF, LMF_DEVICE "/virtfn%u", pf, index);
}

static int lmf_vf_index(const char *pf, const char *bdf, unsigned int limit)
{
	char vf[LMF_BDF];
	unsigned int i;

	for (i = 0; i < limit; i++)
		if (!lmf_vf_bdf(pf, i, vf) && !strcmp(vf, bdf))
			return i;
	return -1;
}

static void lmf_function_sriov(struct lmf_function *f)
{
	long long n;

	f->index = -1;
	f->total_vfs = 0;
	f->num_vfs = 0;
	f->pf_driver[0] = 0;
	if (!lmf_read_number(&n, LMF_DEVICE "/sriov_totalvfs", f->bdf))
		f->total_vfs = n;
	if (!lmf_read_number(&n, LMF_DEVICE "/sriov_numvfs", f->bdf))
		f->num_vfs = n;
	if (lmf_link(f->pf, sizeof(f->pf), LMF_DEVICE "/physfn", f->bdf))
		return;
	lmf_link(f->pf_driver, sizeof(f->pf_driver), LMF_DEVICE "/driver",
		 f->pf);
	if (!lmf_read_number(&n, LMF_DEVICE "/sriov_numvfs", f->pf))
		f->index = lmf_vf_index(f->pf, f->bdf, n);
}

/* Learn again what may change while we look. */
void lmf_function_refresh(struct lmf_function *f)
{
	char group[LMF_TEXT];

	lmf_link(f->driver, sizeof(f->driver), LMF_DEVICE "/driver", f->bdf);
	lmf_read(f->override, sizeof(f->override),
		 LMF_DEVICE "/driver_override", f->bdf);
	if (!strcmp(f->override, "(null)"))
		f->override[0] = 0;
	f->group = -1;
	if (!lmf_link(group, sizeof(group), LMF_DEVICE "/iommu_group", f->bdf))
		f->group = atoi(group);
	lmf_first_entry(f->vfio, sizeof(f->vfio), LMF_DEVICE "/vfio-dev",
			f->bdf);
	f->counters = lmf_exists(LMF_DEVICE "/migration/state", f->bdf);
	f->vfio_migration = lmf_exists("/sys/kernel/debug/vfio/%s/migration",
				       f->bdf);
	lmf_read(f->log_offered, sizeof(f->log_offered),
		 LMF_DEVICE "/migration/log_offered", f->bdf);
	lmf_function_sriov(f);
}

static void lmf_function_caps(struct lmf_function *f, struct pci_dev *pci)
{
	struct pci_cap *cap = pci_find_cap(pci, PCI_CAP_ID_EXP, PCI_CAP_NORMAL);

	if (cap)
		f->flr = pci_read_long(pci, cap->addr + PCI_EXP_DEVCAP) &
			 PCI_EXP_DEVCAP_FLRESET;
	cap = pci_find_cap(pci, PCI_CAP_ID_MSIX, PCI_CAP_NORMAL);
	if (cap)
		f->msix = (pci_read_word(pci, cap->addr + PCI_MSI_FLAGS) &
			   PCI_MSIX_TABSIZE) + 1;
}

static void lmf_function_fill(struct lmf_function *f, struct pci_dev *pci)
{
	memset(f, 0, sizeof(*f));
	pci_fill_info(pci, PCI_FILL_IDENT | PCI_FILL_CLASS | PCI_FILL_CAPS);
	snprintf(f->bdf, sizeof(f->bdf), "%04x:%02x:%02x.%u",
		 (unsigned int)pci->domain, pci->bus, pci->dev, pci->func);
	f->vendor = pci->vendor_id;
	f->device = pci->device_id;
	f->class = pci->device_class;
	f->bridge = (pci_read_byte(pci, PCI_HEADER_TYPE) & 0x7f) !=
		    PCI_HEADER_TYPE_NORMAL;
	lmf_function_caps(f, pci);
	lmf_function_refresh(f);
}

static void __noreturn lmf_pci_error(char *what, ...)
{
	char text[256];
	va_list args;

	va_start(args, what);
	vsnprintf(text, sizeof(text), what, args);
	va_end(args);
	exit(lmf_fail("PCI", "%s", text));
}

static void lmf_pci_warning(char *what, ...)
{
	char text[256];
	va_list args;

	va_start(args, what);
	vsnprintf(text, sizeof(text), what, args);
	va_end(args);
	lmf_note("PCI", "%s", text);
}

static struct pci_access *lmf_pci_open(void)
{
	struct pci_access *pci = pci_alloc();
	char *dump = getenv("LMFCTL_PCI_DUMP");
	char path[PATH_MAX];

	pci->error = lmf_pci_error;
	pci->warning = lmf_pci_warning;
	pci->method = dump ? PCI_ACCESS_DUMP : PCI_ACCESS_SYS_BUS_PCI;
	if (lmf_path(path, sizeof(path), "/sys/bus/pci"))
		lmf_pci_error("the name of the root is too long");
	pci_set_param(pci, dump ? "dump.name" : "sysfs.path",
		      dump ? dump : path);
	pci_init(pci);
	return pci;
}

static int lmf_by_bdf(const void *a, const void *b)
{
	const struct lmf_function *f = a, *g = b;

	return strcmp(f->bdf, g->bdf);
}

/* All functions of the host in order, to be freed by the caller. */
int lmf_functions(struct lmf_function **all, size_t *count)
{
	struct pci_access *pci = lmf_pci_open();
	struct pci_dev *dev;
	size_t n = 0;

	pci_scan_bus(pci);
	for (dev = pci->devices; dev; dev = dev->next)
		n++;
	*all = calloc(n + 1, sizeof(**all));
	*count = 0;
	for (dev = pci->devices; *all && dev; dev = dev->next)
		lmf_function_fill(&(*all)[(*count)++], dev);
	pci_cleanup(pci);
	if (!*all)
		return lmf_fail(NULL, "no memory");
	qsort(*all, *count, sizeof(**all), lmf_by_bdf);
	return 0;
}

/* The one of them that the user named; says so itself if there is none. */
int lmf_function_pick(const struct lmf_function *all, size_t count,
		      const char *text, const struct lmf_function **f)
{
	char bdf[LMF_BDF];
	size_t i;

	if (lmf_bdf_parse(text, bdf))
		return lmf_misused("%s: no address of a PCI function, which is like 0000:01:10.0",
				   text);
	for (i = 0; i < count && strcmp(all[i].bdf, bdf); i++)
		;
	if (i == count)
		return lmf_fail(bdf,
				"no such function: see 'lmfctl list --all'");
	*f = &all[i];
	return 0;
}

/* The function of the host that the user named. */
int lmf_function_find(const char *text, struct lmf_function *f)
{
	const struct lmf_function *found;
	struct lmf_function *all;
	size_t count;
	int ret = lmf_functions(&all, &count);

	if (ret)
		return ret;
	ret = lmf_function_pick(all, count, text, &found);
	if (!ret)
		*f = *found;
	free(all);
	return ret;
}
