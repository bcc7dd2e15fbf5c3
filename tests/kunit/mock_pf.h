/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LMF_MOCK_PF_H
#define LMF_MOCK_PF_H

#include <linux/completion.h>
#include <linux/device.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "lmf_fw.h"

struct lmf_core;
struct mock_pf;

#define MOCK_PF_TAGS	64

/**
 * struct mock_pf - a PF made of the reference firmware
 * @fw: it; it has no lock of its own
 * @lock: protects @fw and all that is not said to be read freely
 * @core: whom interrupts go to, or NULL
 * @irq: instead, if it is set: told of an interrupt, where one may sleep
 * @run_work: runs @fw when it asked for that
 * @admin_work: the admin interrupt
 * @event_work: the event interrupt
 * @paused: the firmware does not run: a device that is slow
 * @gone: registers read all ones
 * @late: so many reads of STATUS to come give @status
 * @status: what it was
 * @accesses: to registers so far
 * @no_admin_irq: admin interrupts get lost
 * @no_event_irq: event interrupts get lost
 * @rung: told of an admin command that is in the ring, before the firmware is;
 *	  may set @paused
 * @rung_ctx: for @rung
 * @edit: may change a completion, all but its phase, before it is posted
 * @edit_ctx: for @edit
 * @tags: of the completions, as they were posted
 * @ntags: their number so far; only the first MOCK_PF_TAGS are in @tags
 * @vf_irq: completed with each interrupt of a VF
 */
struct mock_pf {
	struct lmf_fw *fw;
	spinlock_t lock; /* protects as said above */
	struct lmf_core *core;
	void (*irq)(struct mock_pf *pf, unsigned int vector);
	struct delayed_work run_work;
	struct work_struct admin_work;
	struct work_struct event_work;
	bool paused;
	bool gone;
	unsigned int late;
	u32 status;
	unsigned int accesses;
	bool no_admin_irq;
	bool no_event_irq;
	void (*rung)(struct mock_pf *pf);
	void *rung_ctx;
	void (*edit)(struct mock_pf *pf, struct lmf_admin_cqe *cqe);
	void *edit_ctx;
	u32 tags[MOCK_PF_TAGS];
	unsigned int ntags;
	struct completion vf_irq;
};

extern const struct lmf_io_ops mock_pf_io_ops;

int mock_pf_init(struct mock_pf *pf, const struct lmf_fw_config *config);
void mock_pf_connect(struct mock_pf *pf, struct lmf_core *core);
void mock_pf_exit(struct mock_pf *pf);
void mock_pf_pause(struct mock_pf *pf, bool pause);
void mock_pf_drain(struct mock_pf *pf);
void mock_pf_edit(struct mock_pf *pf,
		  void (*edit)(struct mock_pf *pf, struct lmf_admin_cqe *cqe),
		  void *ctx);
void mock_pf_watch(struct mock_pf *pf, void (*rung)(struct mock_pf *pf),
		   void *ctx);
const char *mock_pf_fault(struct mock_pf *pf, const char *spec);
void mock_pf_late(struct mock_pf *pf, unsigned int reads);
void mock_pf_flr(struct mock_pf *pf, int fn);
void mock_pf_enable_vf(struct mock_pf *pf, unsigned int vf, bool on);
int mock_pf_set_media(struct mock_pf *pf, unsigned int vf, u64 offset,
		      const void *buf, size_t len);
void mock_pf_get_media(struct mock_pf *pf, unsigned int vf, u64 offset,
		       void *buf, size_t len);

void mock_guest_set(struct mock_pf *pf, unsigned int vf, u32 offset, u64 value,
		    unsigned int size);
int mock_guest_init(struct mock_pf *pf, unsigned int vf);
void mock_guest_start(struct mock_pf *pf, unsigned int vf);
void mock_guest_exit(unsigned int vf);
int mock_guest_read(struct mock_pf *pf, unsigned int vf, size_t page);
u64 mock_guest_page(unsigned int vf, size_t page);

/* mock_health.c */
int mock_write_timeout(const char *ms);
void mock_set_timeout(unsigned int ms);

#endif
