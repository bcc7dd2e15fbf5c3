/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fault sweep: a VMM with a VF, the VF driver on the PF driver on the
 * reference firmware, and one fault at a time in between.
 *
 *	sweep_stack.c		the VF driver, linked to the PF driver
 *	sweep_alloc.c		its allocations, and the PF driver's
 *	sweep_bed.c		the whole of it set up and taken down
 *	sweep_vmm.c		what a VMM does with a VF, and what it must get
 *	sweep_scenario.c	the courses that are taken
 *	sweep_fault.c		the faults
 *	sweep_test.c		each fault at each command of each course
 */
#ifndef LMF_SWEEP_H
#define LMF_SWEEP_H

#include "sweep_names.h"

#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/pci.h>
#include <linux/sizes.h>
#include <linux/vfio.h>
#include <linux/workqueue.h>

#include "fw.h"
#include "lmf_core.h"
#include "lmf_vfio.h"
#include "mock_dma.h"
#include "mock_pf.h"
#include "mock_wait.h"
#include "sweep_stack.h"

#define SWEEP_VFS	2
#define SWEEP_MEDIA	SZ_256K
#define SWEEP_STREAM	SZ_1M
#define SWEEP_USER	SZ_64K
#define SWEEP_PAGES	32		/* of the guest, tracked */
#define SWEEP_PATIENT_MS 20000		/* for what shall be answered */
#define SWEEP_SHORT_MS	10		/* for what shall not */

/* The VF that suffers, and the one that takes its state in the end. */
#define SWEEP_VF	0
#define SWEEP_PEER	1

#define STATE(name)	VFIO_DEVICE_STATE_##name

struct sweep_fault;
struct sweep_scenario;

/**
 * struct sweep_vf - a VF that a VMM has
 * @dev: the driver's
 * @pdev: no more than a name
 * @n: its number
 * @owner: whose it is
 * @bound: the driver has taken it
 * @open: the VMM has it open
 */
struct sweep_vf {
	struct lmf_vfio_device dev;
	struct pci_dev pdev;
	unsigned int n;
	struct sweep *owner;
	bool bound;
	bool open;
};

/**
 * struct sweep - one case after the other
 * @test: for expectations
 * @dev: for the DMA API
 * @user: memory of the VMM, SWEEP_USER
 * @bounce: as much, in the kernel
 * @golden: a stream, to be loaded
 * @golden_bytes: of @golden
 * @media: what is in it
 * @cases: so many were run
 *
 * Of the present case:
 * @scenario: the course
 * @fault: what goes wrong
 * @k: when
 * @pf: device
 * @core: PF driver
 * @core_stopped: it was stopped by the fault, and whether that was confirmed
 * @vf: VFs
 * @live: allocations before it began
 * @file: data_fd that the VMM has open, or NULL
 * @stream: what the VMM read
 * @bytes: of @stream
 * @legal: states that the VF may be in, a bit for each
 * @tracking: the VMM has the log on
 * @written: pages of the guest that the VF wrote and that were not reported
 * @rung: admin commands since the fault was armed
 * @serial: of the @k-th
 * @opcode: of the @k-th
 * @posted: completions since then
 * @struck: the @k-th command was sent
 * @stays_paused: the device does not go on by itself after the fault
 * @strike_work: what happens then
 * @task: who runs the course
 */
struct sweep {
	struct kunit *test;
	struct device *dev;
	char __user *user;
	u8 *bounce;
	u8 *golden;
	size_t golden_bytes;
	u8 *media;
	unsigned int cases;

	const struct sweep_scenario *scenario;
	const struct sweep_fault *fault;
	unsigned int k;
	struct mock_pf pf;
	struct lmf_core *core;
	bool core_stopped;
	struct sweep_vf vf[SWEEP_VFS];
	long live;
	struct file *file;
	u8 *stream;
	size_t bytes;
	unsigned long legal;
	bool tracking;
	DECLARE_BITMAP(written, SWEEP_PAGES);

	unsigned int rung;
	u64 serial;
	u16 opcode;
	unsigned int posted;
	bool struck;
	bool stays_paused;
	struct work_struct strike_work;
	struct task_struct *task;
};

/* Fails the test, with the name of the case; returns @ok. */
#define SWEEP_EXPECT(s, ok) sweep_expect(s, ok, #ok, __LINE__)

bool sweep_expect(struct sweep *s, bool ok, const char *what, int line);

/* sweep_bed.c */
int sweep_init(struct kunit *test);
void sweep_up_device(struct sweep *s, const struct lmf_fw_config *config);
void sweep_up_vfs(struct sweep *s);
void sweep_up(struct sweep *s);
void sweep_down(struct sweep *s);
void sweep_core_up(struct sweep *s);
void sweep_core_down(struct sweep *s);
int sweep_bind(struct sweep_vf *v);
void sweep_unbind(struct sweep_vf *v);
int sweep_open(struct sweep_vf *v);
void sweep_close(struct sweep_vf *v);
void sweep_reset(struct sweep_vf *v);
struct fw_vf *sweep_fw(struct sweep_vf *v);

/* sweep_vmm.c */
int sweep_state(struct sweep_vf *v);
int sweep_go(struct sweep *s, u32 state);
int sweep_session(struct sweep *s, u32 state);
void sweep_drop_file(struct sweep *s);
ssize_t sweep_read(struct sweep *s, size_t n);
int sweep_read_all(struct sweep *s);
int sweep_write_all(struct sweep *s, struct file *f, const u8 *from,
		    size_t bytes);
int sweep_info(struct sweep *s);
unsigned long sweep_data_size(struct sweep *s);
int sweep_log_start(struct sweep *s);
int sweep_log_stop(struct sweep *s);
int sweep_report_fn(struct iova_bitmap *bitmap, unsigned long iova,
		    size_t length, void *opaque);
int sweep_report(struct sweep *s);
int sweep_guest_write(struct sweep *s, unsigned int page);
int sweep_media_write(struct sweep *s, unsigned int granule, u8 value);
int sweep_load(struct sweep *s, struct sweep_vf *v, const u8 *from,
	       size_t bytes);
void sweep_get_media(struct sweep *s, unsigned int vf);
bool sweep_same_media(struct sweep *s, unsigned int vf);

/**
 * struct sweep_scenario - a course of a VMM
 * @name: of it
 * @commands: it sends so many at least, by what it does
 * @allocations: and makes so many
 * @run: the course: 0, or why it ended early
 * @verify: it went through: has it the effect that it shall have?
 * @loads: it loads: what the VF held is gone if it does not go through
 * @format: enum lmf_log_format of its logs
 */
struct sweep_scenario {
	const char *name;
	unsigned int commands;
	unsigned int allocations;
	int (*run)(struct sweep *s);
	void (*verify)(struct sweep *s);
	bool loads;
	u32 format;
};

extern const struct sweep_scenario sweep_scenarios[];
extern const unsigned int sweep_nscenarios;

enum sweep_trait {
	SWEEP_MAY_ERROR = 1 << 0,	/* the state may be ERROR */
	SWEEP_RESET = 1 << 1,		/* the VF was reset */
	SWEEP_LIES = 1 << 2,		/* the device says what is not so */
	SWEEP_STUCK = 1 << 3,		/* a command is never completed */
	SWEEP_CLOSE = 1 << 4,		/* the VMM closes the VF at once */
	SWEEP_ALLOC = 1 << 5,		/* counts allocations, not commands */
};

/**
 * struct sweep_fault - what goes wrong with the k-th command
 * @name: of it
 * @traits: enum sweep_trait
 * @arg: for the functions
 * @arm: before the course begins, or NULL
 * @strike: when the command was sent, while the device stands still, or NULL
 * @mend: after the VMM gave up or closed the VF, or NULL
 * @release: when all is well again, or NULL
 */
struct sweep_fault {
	const char *name;
	unsigned int traits;
	unsigned int arg;
	void (*arm)(struct sweep *s);
	void (*strike)(struct sweep *s);
	void (*mend)(struct sweep *s);
	void (*release)(struct sweep *s);
};

extern const struct sweep_fault sweep_faults[];
extern const unsigned int sweep_nfaults;

void sweep_arm_alloc(struct sweep *s);
void sweep_arm(struct sweep *s);
void sweep_disarm(struct sweep *s);

#endif
