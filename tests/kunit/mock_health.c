// SPDX-License-Identifier: GPL-2.0-only
/*
 * src/core/health.c, with its timeout within reach of the tests: a kernel
 * without modules has no other way to set it while it runs.
 */
#include "../../src/core/health.c"

#include "mock_pf.h"

/* As an operator would; what the driver says to it. */
int mock_write_timeout(const char *ms)
{
	const struct kernel_param param = { .arg = &lmf_timeout_ms };

	return lmf_timeout_ops.set(ms, &param);
}

void mock_set_timeout(unsigned int ms)
{
	WRITE_ONCE(lmf_timeout_ms, ms);
}
