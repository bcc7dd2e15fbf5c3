// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tracepoints lmf_vfio:*; this file alone holds their code.
 */
#define CREATE_TRACE_POINTS
#include "trace.h"
