/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMF_VFIO_SHADOW_H
#define LMF_VFIO_SHADOW_H

#include <linux/atomic.h>
#include <linux/types.h>

struct lmf_log_span;

/* One bit of the shadow. No report has smaller pages. */
#define LMF_SHADOW_SHIFT	12
#define LMF_SHADOW_BLOCK	4096	/* bytes, of a bitmap or a node */
#define LMF_SHADOW_UNIT		512	/* bytes, of what is accounted */

/**
 * struct lmf_shadow_pool - what shadows may allocate together
 * @used: units of LMF_SHADOW_UNIT allocated
 * @failed: times that none could be had, which costs precision
 * @limit: never more units than this
 */
struct lmf_shadow_pool {
	atomic_t used;
	atomic_t failed;
	unsigned int limit;
};

#define LMF_SHADOW_AHEAD	16
#define LMF_SHADOW_NEAR		32	/* 32 GiB each */

struct lmf_node;

/**
 * struct lmf_near - a node of leaves
 * @node: it
 * @first: first tracked page in it
 * @end: behind the last one, as far as all between is tracked; 0: none
 */
struct lmf_near {
	struct lmf_node *node;
	u64 first;
	u64 end;
};

/**
 * struct lmf_shadow - a set of dirty pages within tracked spans
 * @pool: where blocks are charged
 * @spans: the tracked spans, ascending, disjoint; the owner keeps them
 * @nspans: their number
 * @level: of the root, at least 1
 * @root: slot of the root
 * @near: nodes of leaves, to be found without looking for them
 * @last: slot of the leaf that was marked last, or NULL
 * @last_leaf: its number; all of it is tracked
 * @near_span: the span that was looked up last
 * @nahead: marks that are not in the tree yet, as memory is waited for
 * @ahead: they: the slot of a leaf and its word, and a page of it
 */
struct lmf_shadow {
	struct lmf_shadow_pool *pool;
	const struct lmf_log_span *spans;
	u32 nspans;
	unsigned int level;
	void *root;
	struct lmf_near near[LMF_SHADOW_NEAR];
	void **last;
	u64 last_leaf;
	u32 near_span;
	u32 nahead;
	struct {
		void **slot;
		u64 *pieces;
		u32 page;
	} ahead[LMF_SHADOW_AHEAD];
};

typedef int (*lmf_shadow_emit_t)(void *priv, u64 iova, u64 length);

void lmf_shadow_init(struct lmf_shadow *shadow, struct lmf_shadow_pool *pool,
		     const struct lmf_log_span *spans, u32 nspans);
void lmf_shadow_destroy(struct lmf_shadow *shadow);
void lmf_shadow_mark(struct lmf_shadow *shadow, u64 iova, u64 length);
void lmf_shadow_mark_all(struct lmf_shadow *shadow);
void lmf_shadow_take(struct lmf_shadow *shadow, u64 iova, u64 last,
		     struct lmf_shadow *taken);
void lmf_shadow_give_back(struct lmf_shadow *shadow, u64 iova, u64 last,
			  struct lmf_shadow *taken);
int lmf_shadow_walk(struct lmf_shadow *shadow, u64 iova, u64 last,
		    lmf_shadow_emit_t emit, void *priv);

#endif
