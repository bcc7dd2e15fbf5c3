// SPDX-License-Identifier: GPL-2.0-only
/*
 * The courses of a VMM. Each begins with a VF that runs and whose log is off,
 * stops at the first error, and leaves it to others to mend that.
 *
 * A course says how many commands it sends at least, so that a sweep that lost
 * half of them is seen. That is the sum of what its arcs and calls are made of:
 * an arc between RUNNING, P2P and STOP one, a log's start, report and stop one,
 * and one more for each report of a log that is read by a command,
 * a session one to begin and one to end, a save one to ask how much there is
 * and one for each chunk, a load one for each chunk. Of allocations a log takes
 * five, a save two and three for each of four buffers, a load two and three for
 * its first buffer, and binding the driver three.
 */
#include "sweep.h"

/* What QEMU does, and its guest meanwhile. */
static int sweep_precopy(struct sweep *s)
{
	int err = sweep_session(s, STATE(PRE_COPY));

	if (!err)
		err = sweep_guest_write(s, 2);
	if (!err)
		err = sweep_info(s);
	if (!err)
		err = sweep_read_all(s);
	if (!err)
		err = sweep_media_write(s, 1, 99) ?:
		      sweep_media_write(s, 3, 98);
	if (!err)
		err = sweep_guest_write(s, 3) ?: sweep_guest_write(s, 2);
	if (!err)
		err = sweep_info(s) ?: sweep_report(s);
	return err ?: sweep_read_all(s);
}

static int sweep_stop_copy(struct sweep *s)
{
	int err = sweep_go(s, STATE(PRE_COPY_P2P));

	if (!err)
		err = sweep_report(s);
	if (!err)
		err = sweep_go(s, STATE(STOP_COPY));
	if (!err && !sweep_data_size(s))
		err = -EINVAL;
	if (!err)
		err = sweep_read_all(s);
	if (!err)
		err = sweep_report(s);
	return err ?: sweep_go(s, STATE(STOP));
}

static int sweep_source(struct sweep *s)
{
	int err = sweep_log_start(s);

	if (!err)
		err = sweep_guest_write(s, 0) ?: sweep_guest_write(s, 1);
	if (!err)
		err = sweep_precopy(s);
	if (!err)
		err = sweep_guest_write(s, 4);
	if (!err)
		err = sweep_stop_copy(s);
	return err ?: sweep_log_stop(s);
}

/* The guest is paused: no pre-copy, and a log that comes late. */
static int sweep_paused(struct sweep *s)
{
	int err = sweep_go(s, STATE(STOP));

	if (!err)
		err = sweep_log_start(s);
	if (!err && !sweep_data_size(s))
		err = -EINVAL;
	if (!err)
		err = sweep_session(s, STATE(STOP_COPY));
	if (!err)
		err = sweep_read_all(s);
	if (!err)
		err = sweep_report(s);
	if (!err)
		err = sweep_go(s, STATE(STOP));
	return err ?: sweep_log_stop(s);
}

/* What was read takes another VF to where this one is. */
static void sweep_verify_source(struct sweep *s)
{
	struct sweep_vf *peer = &s->vf[SWEEP_PEER];
	bool lies = s->fault && s->fault->traits & SWEEP_LIES;
	int err = sweep_load(s, peer, s->stream, s->bytes);

	/* What a device has left out of its state another one misses. */
	SWEEP_EXPECT(s, !err || lies);
	if (!err) {
		sweep_get_media(s, SWEEP_VF);
		SWEEP_EXPECT(s, sweep_same_media(s, SWEEP_PEER));
	}
	sweep_reset(peer);
}

static int sweep_destination(struct sweep *s)
{
	int err = sweep_session(s, STATE(RESUMING));

	if (!err)
		err = sweep_write_all(s, s->file, s->golden, s->golden_bytes);
	if (!err)
		err = sweep_go(s, STATE(RUNNING_P2P));
	return err ?: sweep_go(s, STATE(RUNNING));
}

static void sweep_verify_destination(struct sweep *s)
{
	SWEEP_EXPECT(s, sweep_same_media(s, SWEEP_VF));
	/* The queue of the state is that of another guest. */
	sweep_reset(&s->vf[SWEEP_VF]);
}

/* Called off from pre-copy, and then from the very end. */
static int sweep_cancel(struct sweep *s)
{
	int err = sweep_log_start(s);

	if (!err)
		err = sweep_precopy(s);
	if (!err)
		err = sweep_go(s, STATE(PRE_COPY_P2P));
	if (!err)
		err = sweep_go(s, STATE(RUNNING));
	if (!err)
		err = sweep_guest_write(s, 7) ?: sweep_report(s);
	if (!err)
		err = sweep_session(s, STATE(PRE_COPY));
	if (!err)
		err = sweep_guest_write(s, 8);
	if (!err)
		err = sweep_go(s, STATE(STOP_COPY));
	/* The only one that can tell of page 8. */
	if (!err)
		err = sweep_report(s);
	if (!err)
		err = min_t(int, sweep_read(s, 10000), 0);
	if (!err)
		err = sweep_go(s, STATE(RUNNING));
	if (!err)
		err = sweep_guest_write(s, 9) ?: sweep_report(s);
	return err ?: sweep_log_stop(s);
}

static int sweep_log(struct sweep *s)
{
	unsigned int round, page;
	int err = sweep_log_start(s);

	for (round = 0; !err && round < 3; round++) {
		for (page = 0; !err && page < 8; page += 3)
			err = sweep_guest_write(s, round * 5 + page);
		if (!err)
			err = sweep_report(s);
	}
	return err ?: sweep_log_stop(s);
}

/* The VMM dies in pre-copy, and another one comes, on a driver bound anew. */
static int sweep_abandon(struct sweep *s)
{
	struct sweep_vf *v = &s->vf[SWEEP_VF];
	int err = sweep_log_start(s);

	if (!err)
		err = sweep_guest_write(s, 5);
	if (!err)
		err = sweep_session(s, STATE(PRE_COPY_P2P));
	if (!err)
		err = min_t(int, sweep_read(s, 10000), 0);
	if (err)
		return err;
	sweep_close(v);
	s->tracking = false;
	s->legal = BIT(STATE(RUNNING));
	sweep_drop_file(s);
	sweep_unbind(v);
	return sweep_bind(v) ?: sweep_open(v);
}

static void sweep_verify_running(struct sweep *s)
{
	SWEEP_EXPECT(s, sweep_state(&s->vf[SWEEP_VF]) == STATE(RUNNING));
}

const struct sweep_scenario sweep_scenarios[] = {
	{ "source", 16, 19, sweep_source, sweep_verify_source },
	{ "destination", 12, 5, sweep_destination, sweep_verify_destination,
	  .loads = true },
	{ "cancel", 24, 33, sweep_cancel, sweep_verify_running },
	{ "log", 5, 5, sweep_log, sweep_verify_running },
	{ "log, ranges", 8, 5, sweep_log, sweep_verify_running,
	  .format = LMF_LOG_RANGES },
	{ "log, bitmap", 8, 5, sweep_log, sweep_verify_running,
	  .format = LMF_LOG_BITMAP },
	{ "paused", 14, 19, sweep_paused, sweep_verify_source },
	{ "abandon", 8, 22, sweep_abandon, sweep_verify_running },
};

const unsigned int sweep_nscenarios = ARRAY_SIZE(sweep_scenarios);
