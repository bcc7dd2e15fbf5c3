// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals that end a command, be it Ctrl-C, a terminal or a reader that goes
 * away. What must not be left half done holds them until it is done or undone.
 * What looks again and again catches them, and ends after a look. What waits
 * for a device has a last word instead: a signal that comes just before it
 * waits would be caught, and not end it.
 */
#include <stddef.h>
#include <unistd.h>

#include "say.h"
#include "signals.h"

static const int lmf_signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE };

static volatile sig_atomic_t lmf_caught;
static void (*lmf_last)(void);

/*
 * Those that come meanwhile are delivered when they are released; with @before
 * NULL never.
 */
void lmf_signals_hold(sigset_t *before)
{
	sigset_t held;
	size_t i;

	sigemptyset(&held);
	for (i = 0; i < sizeof(lmf_signals) / sizeof(*lmf_signals); i++)
		sigaddset(&held, lmf_signals[i]);
	sigprocmask(SIG_BLOCK, &held, before);
}

void lmf_signals_release(const sigset_t *before)
{
	sigprocmask(SIG_SETMASK, before, NULL);
}

static void lmf_signal(int signal)
{
	lmf_caught = signal;
}

static void lmf_signal_last(int signal)
{
	(void)signal;
	lmf_last();
	_exit(LMF_EXIT_FAILED);
}

static void lmf_handle(void (*handler)(int signal))
{
	const struct sigaction action = { .sa_handler = handler };

	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* A system call that waits is interrupted. */
void lmf_signals_catch(void)
{
	lmf_handle(lmf_signal);
}

bool lmf_signals_caught(void)
{
	return lmf_caught;
}

/* @last may only do what a signal handler may. Then it is the end, failed. */
void lmf_signals_end(void (*last)(void))
{
	lmf_last = last;
	lmf_handle(lmf_signal_last);
}
