/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMFCTL_SIGNALS_H
#define LMFCTL_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

void lmf_signals_hold(sigset_t *before);
void lmf_signals_release(const sigset_t *before);

void lmf_signals_catch(void);
bool lmf_signals_caught(void);

void lmf_signals_end(void (*last)(void));

#endif
