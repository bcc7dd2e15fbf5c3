/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMF_MOCK_WAIT_H
#define LMF_MOCK_WAIT_H

#include <linux/delay.h>
#include <linux/jiffies.h>

/*
 * Nobody tells what is waited for here, so look again and again, but not for
 * ever: a test that hangs says less than one that fails.
 */
#define wait_until(condition, seconds)					\
({									\
	unsigned long end = jiffies + (seconds) * HZ;			\
	bool met;							\
									\
	for (;;) {							\
		met = condition;					\
		if (met || time_after(jiffies, end))			\
			break;						\
		usleep_range(500, 1000);				\
	}								\
	met;								\
})

#endif
