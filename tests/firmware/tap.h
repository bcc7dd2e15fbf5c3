/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The least of a test harness: functions, one TAP line each. A check that fails
 * says where, and ends its test.
 */
#ifndef TAP_H
#define TAP_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct tap_test {
	const char *name;
	void (*run)(void);
};

extern bool tap_failed;

#define TEST(name)	{ #name, name }

#define CHECK(cond) do {						\
	if (!(cond)) {							\
		printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond);	\
		tap_failed = true;					\
		return;							\
	}								\
} while (0)

#define CHECK_EQ(a, b) do {						\
	unsigned long long a_ = (a), b_ = (b);				\
	if (a_ != b_) {							\
		printf("# %s:%d: %s is %#llx, %s is %#llx\n", __FILE__,	\
		       __LINE__, #a, a_, #b, b_);			\
		tap_failed = true;					\
		return;							\
	}								\
} while (0)

/* After a call of a helper that has checks of its own. */
#define CHECK_GOOD() do {						\
	if (tap_failed)	{						\
		printf("# called from %s:%d\n", __FILE__, __LINE__);	\
		return;							\
	}								\
} while (0)

static inline int tap_main(const struct tap_test *test, unsigned int count)
{
	unsigned int i, failed = 0;

	printf("1..%u\n", count);
	for (i = 0; i < count; i++) {
		tap_failed = false;
		test[i].run();
		printf("%sok %u - %s\n", tap_failed ? "not " : "", i + 1,
		       test[i].name);
		fflush(stdout);
		failed += tap_failed;
	}
	/* A test that ended early freed nothing: that is no leak to report. */
	if (failed)
		_Exit(1);
	return 0;
}

#define TAP_MAIN(tests)							\
bool tap_failed;							\
int main(void)								\
{									\
	return tap_main(tests, sizeof(tests) / sizeof((tests)[0]));	\
}

#endif
