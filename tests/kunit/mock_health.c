// SPDX-License-Identifier: GPL-2.0-only
/*
 * src/core/health.c, with its timeout within reach of the tests: a kernel
 * without modules has no other way to set it while it runs.
 */
#include "../../src/core/health.c"

#include "mock_pf.h"

void mock_set_timeout(unsigned int ms)
{
	WRITE_ONCE(lmf_timeout_ms, ms);
}
