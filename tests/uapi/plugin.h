/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a test cannot do without knowing the device: have it write to memory,
 * change its own state, and cut its stream at the seams. A device that no
 * plug-in claims is tested with all the rest.
 */
#ifndef PLUGIN_H
#define PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vdev.h"

/* Memory that a plug-in needs for itself, mapped for the device. */
#define PLUGIN_BYTES	(64U << 10)

/* What must become of a forged stream. */
enum verdict {
	REFUSED,
	ACCEPTED,
	EITHER,
};

/**
 * struct forgery - a way to change a stream so that its seals are right
 * @name: for messages
 * @verdict: what must become of it
 * @forge: change a good stream
 */
struct stream;
struct forgery {
	const char *name;
	enum verdict verdict;
	void (*forge)(struct stream *s);
};

/**
 * struct plugin - what is known of one kind of device
 * @name: for messages
 * @unit: bytes of device state that one call of @touch changes
 * @units: number of such units
 * @sealed: the driver refuses a stream with any bit changed
 * @probe: is it such a device?
 * @start: get ready to do DMA in RUNNING; @memory is mapped at @iova. May be
 *	   called again after a reset.
 * @dma_write: have the device write @bytes at @iova, and wait for it
 * @touch: have the device change that unit of its state, and wait for it
 * @any_granule: the log has the granule that was asked for, 4 KiB to 2 MiB
 * @write_step: @dma_write takes multiples of this
 * @write_most: and at most so much
 * @record: length of the stream's piece at @at, which ends at a seam, or 0
 * @forgeries: streams that only who knows the format can make, ended by one
 *	       without a name
 * @scratch: a part of a BAR that takes any value without harm while the
 *	     device is stopped
 */
struct plugin {
	const char *name;
	size_t unit;
	size_t units;
	bool sealed;
	bool (*probe)(const struct vdev *dev);
	int (*start)(const struct vdev *dev, void *memory, uint64_t iova);
	int (*dma_write)(uint64_t iova, size_t bytes);
	int (*touch)(size_t unit);
	bool any_granule;
	size_t write_step;
	size_t write_most;
	size_t (*record)(const uint8_t *at, size_t left);
	const struct forgery *forgeries;
	void *(*scratch)(const struct vdev *dev, size_t *bytes);
};

extern const struct plugin lmf_plugin;

#endif
