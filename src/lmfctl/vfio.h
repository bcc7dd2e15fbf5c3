/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMFCTL_VFIO_H
#define LMFCTL_VFIO_H

#include "function.h"

/**
 * struct lmf_vfio - a VFIO device that is open
 * @fd: it
 * @support: descriptors that must stay open as long, -1 for none
 */
struct lmf_vfio {
	int fd;
	int support[2];
};

int lmf_vfio_open(const struct lmf_function *f, struct lmf_vfio *v);
void lmf_vfio_close(struct lmf_vfio *v);
bool lmf_vfio_has(const struct lmf_vfio *v, uint32_t feature, uint32_t how);
int lmf_vfio_migration(const struct lmf_vfio *v, uint64_t *flags);
int lmf_vfio_data_size(const struct lmf_vfio *v, uint64_t *bytes);
int lmf_vfio_set_state(const struct lmf_vfio *v, uint32_t state, int *data_fd);

#endif
