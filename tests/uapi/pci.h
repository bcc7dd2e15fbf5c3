/* SPDX-License-Identifier: GPL-2.0-only */
/* What sysfs says of a PCI function, and what it does to its driver. */
#ifndef PCI_H
#define PCI_H

#include <stddef.h>

int write_file(const char *path, const char *text);

void pci_path(char *path, const char *bdf, const char *name);
int pci_read(const char *bdf, const char *name, char *text, size_t room);
int pci_write(const char *bdf, const char *name, const char *text);
int pci_link(const char *bdf, const char *name, char *text, size_t room);
int pci_unbind(const char *bdf);
int pci_bind(const char *bdf, const char *driver);

#endif
