// SPDX-License-Identifier: GPL-2.0-only
/*
 * estimate LIMIT_NS QUIESCE_NS: reads looks, one a line, "ns initial dirty
 * saved read_ns trailer report_ns chunks chunk_bytes chunk_ns wait_ns", and
 * prints the estimate after each.
 */
#include <stdio.h>
#include <stdlib.h>

#include "estimate.h"

int main(int argc, char **argv)
{
	struct lmf_estimator estimator;
	struct lmf_estimate estimate;
	struct lmf_look look;
	long long n[11];

	if (argc != 3)
		return 2;
	lmf_estimator_init(&estimator, atoll(argv[2]), atoll(argv[1]));
	while (scanf("%lld %lld %lld %lld %lld %lld %lld %lld %lld %lld %lld",
		     &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6], &n[7],
		     &n[8], &n[9], &n[10]) == 11) {
		look = (struct lmf_look) {
			.ns = n[0], .initial = n[1], .dirty = n[2],
			.saved = n[3], .read_ns = n[4], .trailer = n[5],
			.report_ns = n[6], .chunks = n[7], .chunk_bytes = n[8],
			.chunk_ns = n[9], .wait_ns = n[10],
		};
		lmf_estimator_look(&estimator, &look);
		lmf_estimate(&estimator, &estimate);
		printf("%s;%f;%f;%lld\n", lmf_cutover_name(estimate.cutover),
		       estimate.send_rate, estimate.dirty_rate,
		       (long long)estimate.downtime_ns);
	}
	return 0;
}
