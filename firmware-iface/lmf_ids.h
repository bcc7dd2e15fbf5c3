/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The identity of an LMF function, and the version of the contract.
 *
 * UNREGISTERED: these PCI IDs are not assigned by the PCI-SIG. They are for
 * emulation and tests; a vendor puts its own here, and only here.
 */
#ifndef LMF_IDS_H
#define LMF_IDS_H

#define LMF_PCI_VENDOR		0x1234
#define LMF_PCI_DEVICE_PF	0x4c50
#define LMF_PCI_DEVICE_VF	0x4c56

/*
 * SPEC.md section 2. A reader refuses another major version. It uses a device
 * of a newer minor version as if it were of its own: it ignores capability
 * bits that it does not know and never sets what it read as reserved.
 */
#define LMF_VERSION_MAJOR	1
#define LMF_VERSION_MINOR	1
#define LMF_VERSION(major, minor)	((major) << 16 | (minor))
#define LMF_VERSION_TO_MAJOR(v)		((v) >> 16)
#define LMF_VERSION_TO_MINOR(v)		((v) & 0xffff)

#endif
