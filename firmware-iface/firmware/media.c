// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Media: the memory of a VF, and the device's own tracking of it while a save
 * session runs.
 *
 * Memory is taken a granule at a time on the first write, under leaves of
 * FW_LEAF_GRANULES. What was never written reads zero, takes no memory and is
 * not sent: a load begins with all zeroes. A granule that is zeroed as a whole
 * is given back.
 *
 * A tracked granule is in one of two sets: that of the first pass, which is
 * what was allocated when tracking began, or that of granules dirtied after
 * they were sent, or first written since. One written again before the first
 * pass came to it stays there and is sent once. A granule given back stays in
 * its set, or enters the dirty one, and is sent as zeroes.
 */
#include "fw.h"

static const uint8_t fw_zeroes[LMF_MEDIA_GRANULE];

static struct fw_leaf *fw_leaf_of(const struct fw_media *media,
				  uint64_t granule)
{
	return media->leaf ? media->leaf[granule / FW_LEAF_GRANULES] : NULL;
}

static bool fw_bit(const uint64_t *words, unsigned int bit)
{
	return words[bit / 64] >> (bit % 64) & 1;
}

static void fw_flip(uint64_t *words, unsigned int bit)
{
	words[bit / 64] ^= 1ull << (bit % 64);
}

static uint8_t *fw_media_granule(const struct fw_media *media,
				 uint64_t granule)
{
	struct fw_leaf *leaf = fw_leaf_of(media, granule);

	return leaf ? leaf->granule[granule % FW_LEAF_GRANULES] : NULL;
}

static void fw_media_touch(struct fw_media *media, uint64_t granule)
{
	struct fw_leaf *leaf = fw_leaf_of(media, granule);
	unsigned int i = granule % FW_LEAF_GRANULES;

	if (!media->tracking || fw_bit(leaf->first, i) ||
	    fw_bit(leaf->dirty, i))
		return;
	fw_flip(leaf->dirty, i);
	media->dirty++;
}

static struct fw_leaf *fw_media_get_leaf(struct lmf_fw *fw,
					 struct fw_media *media,
					 uint64_t granule)
{
	struct fw_leaf **leaf;

	if (!media->leaf)
		media->leaf = fw_alloc(fw, media->leaves * sizeof(*leaf));
	if (!media->leaf)
		return NULL;
	leaf = &media->leaf[granule / FW_LEAF_GRANULES];
	if (!*leaf)
		*leaf = fw_alloc(fw, sizeof(**leaf));
	return *leaf;
}

static uint8_t *fw_media_get_granule(struct lmf_fw *fw, struct fw_media *media,
				     uint64_t granule)
{
	struct fw_leaf *leaf = fw_media_get_leaf(fw, media, granule);
	uint8_t **mem;

	if (!leaf)
		return NULL;
	mem = &leaf->granule[granule % FW_LEAF_GRANULES];
	if (!*mem) {
		*mem = fw_alloc(fw, LMF_MEDIA_GRANULE);
		media->allocated += !!*mem;
	}
	return *mem;
}

/* Offsets and lengths are the caller's to check, here and below. */
void fw_media_read(const struct fw_vf *vf, uint64_t offset, void *buf,
		   size_t len)
{
	uint8_t *to = buf;
	const uint8_t *mem;
	size_t at, n;

	for (; len; len -= n, to += n, offset += n) {
		at = offset % LMF_MEDIA_GRANULE;
		n = fw_min(len, LMF_MEDIA_GRANULE - at);
		mem = fw_media_granule(&vf->media, offset / LMF_MEDIA_GRANULE);
		memcpy(to, mem ? mem + at : fw_zeroes, n);
	}
}

/* False if memory lacks: some of it may be written then. */
bool fw_media_write(struct lmf_fw *fw, struct fw_vf *vf, uint64_t offset,
		    const void *buf, size_t len)
{
	const uint8_t *from = buf;
	uint8_t *mem;
	size_t at, n;

	for (; len; len -= n, from += n, offset += n) {
		at = offset % LMF_MEDIA_GRANULE;
		n = fw_min(len, LMF_MEDIA_GRANULE - at);
		mem = fw_media_get_granule(fw, &vf->media,
					   offset / LMF_MEDIA_GRANULE);
		if (!mem)
			return false;
		memcpy(mem + at, from, n);
		fw_media_touch(&vf->media, offset / LMF_MEDIA_GRANULE);
	}
	return true;
}

static void fw_media_put_granule(struct lmf_fw *fw, struct fw_media *media,
				 uint64_t granule)
{
	struct fw_leaf *leaf = fw_leaf_of(media, granule);
	uint8_t **mem = &leaf->granule[granule % FW_LEAF_GRANULES];

	fw_free(fw, *mem, LMF_MEDIA_GRANULE);
	*mem = NULL;
	media->allocated--;
}

void fw_media_zero(struct lmf_fw *fw, struct fw_vf *vf, uint64_t offset,
		   size_t len)
{
	uint64_t granule;
	uint8_t *mem;
	size_t at, n;

	for (; len; len -= n, offset += n) {
		granule = offset / LMF_MEDIA_GRANULE;
		at = offset % LMF_MEDIA_GRANULE;
		n = fw_min(len, LMF_MEDIA_GRANULE - at);
		mem = fw_media_granule(&vf->media, granule);
		if (!mem)
			continue;
		if (n == LMF_MEDIA_GRANULE)
			fw_media_put_granule(fw, &vf->media, granule);
		else
			memset(mem + at, 0, n);
		fw_media_touch(&vf->media, granule);
	}
}

static void fw_leaf_track(struct fw_media *media, struct fw_leaf *leaf,
			  bool on)
{
	unsigned int i;

	memset(leaf->first, 0, sizeof(leaf->first));
	memset(leaf->dirty, 0, sizeof(leaf->dirty));
	for (i = 0; on && i < FW_LEAF_GRANULES; i++) {
		if (!leaf->granule[i])
			continue;
		fw_flip(leaf->first, i);
		media->first++;
	}
}

void fw_media_track(struct fw_vf *vf, bool on)
{
	struct fw_media *media = &vf->media;
	unsigned int i;

	media->tracking = on;
	media->first = 0;
	media->dirty = 0;
	media->cursor = 0;
	for (i = 0; media->leaf && i < media->leaves; i++)
		if (media->leaf[i])
			fw_leaf_track(media, media->leaf[i], on);
}

/* The lowest bit from @from on, or FW_LEAF_GRANULES. */
static unsigned int fw_find_bit(const uint64_t *words, unsigned int from)
{
	unsigned int i = from / 64;
	uint64_t word;

	if (from >= FW_LEAF_GRANULES)
		return FW_LEAF_GRANULES;
	word = words[i] >> (from % 64) << (from % 64);
	while (!word && ++i < FW_LEAF_WORDS)
		word = words[i];
	return word ? i * 64 + __builtin_ctzll(word) : FW_LEAF_GRANULES;
}

/* One of the set's granules exists: goes round from the cursor to it. */
static uint64_t fw_media_find(struct fw_media *media, bool first)
{
	unsigned int index = media->cursor / FW_LEAF_GRANULES;
	unsigned int bit = media->cursor % FW_LEAF_GRANULES;
	const struct fw_leaf *leaf;

	for (;; bit = 0, index++) {
		if (index >= media->leaves)
			index = 0;
		leaf = media->leaf[index];
		if (!leaf)
			continue;
		bit = fw_find_bit(first ? leaf->first : leaf->dirty, bit);
		if (bit < FW_LEAF_GRANULES)
			return (uint64_t)index * FW_LEAF_GRANULES + bit;
	}
}

/* Takes an unsent granule out of its set, the first pass going first. */
bool fw_media_take(struct fw_vf *vf, uint64_t *offset, void *buf)
{
	struct fw_media *media = &vf->media;
	bool first = media->first;
	struct fw_leaf *leaf;
	uint64_t granule;

	if (!media->first && !media->dirty)
		return false;
	granule = fw_media_find(media, first);
	leaf = fw_leaf_of(media, granule);
	fw_flip(first ? leaf->first : leaf->dirty, granule % FW_LEAF_GRANULES);
	if (first)
		media->first--;
	else
		media->dirty--;
	media->cursor = granule + 1;
	*offset = granule * LMF_MEDIA_GRANULE;
	fw_media_read(vf, *offset, buf, LMF_MEDIA_GRANULE);
	return true;
}

/*
 * Makes it all zero at once; the memory is given back bit by bit. False if
 * that is still going on from the last time.
 */
bool fw_media_scrub(struct fw_vf *vf)
{
	struct fw_media *media = &vf->media;

	if (media->doomed)
		return false;
	media->doomed = media->leaf;
	media->reaped = 0;
	media->leaf = NULL;
	media->allocated = 0;
	media->first = 0;
	media->dirty = 0;
	return true;
}

static void fw_leaf_free(struct lmf_fw *fw, struct fw_leaf *leaf)
{
	unsigned int i;

	for (i = 0; leaf && i < FW_LEAF_GRANULES; i++)
		fw_free(fw, leaf->granule[i], LMF_MEDIA_GRANULE);
	fw_free(fw, leaf, sizeof(*leaf));
}

/* Gives back some of what was scrubbed; false if nothing is left. */
bool fw_media_reap(struct lmf_fw *fw, struct fw_vf *vf)
{
	struct fw_media *media = &vf->media;

	if (!media->doomed)
		return false;
	while (media->reaped < media->leaves && !media->doomed[media->reaped])
		media->reaped++;
	if (media->reaped < media->leaves) {
		fw_leaf_free(fw, media->doomed[media->reaped++]);
		return true;
	}
	fw_free(fw, media->doomed, media->leaves * sizeof(*media->doomed));
	media->doomed = NULL;
	return false;
}

void fw_media_destroy(struct lmf_fw *fw, struct fw_vf *vf)
{
	do {
		while (fw_media_reap(fw, vf))
			;
		fw_media_scrub(vf);
	} while (vf->media.doomed);
}
