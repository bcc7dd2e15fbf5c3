// SPDX-License-Identifier: GPL-2.0-only
/*
 * lmfctl move: the state of one function to another, without a VM. Both are
 * reset, by being opened and by being closed; what survives a reset arrives,
 * as the media of an LMF VF does.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "holders.h"
#include "lmfctl.h"
#include "show.h"
#include "signals.h"
#include "vfio.h"

#define LMF_PIECE	(1024 * 1024)
#define LMF_UNREADABLE	"may be unreadable now: unbind it, which scrubs it"

/**
 * struct lmf_move - a move
 * @src: from there
 * @dst: to there
 * @from: @src, open
 * @to: @dst, open
 * @in: the stream that @from gives
 * @out: and that @to takes
 * @save: file that keeps the stream, or -1
 * @save_name: of it
 * @bytes: of the stream
 * @whole: it was read to its end
 * @last: what a signal has said, as a signal handler can compose nothing
 */
struct lmf_move {
	struct lmf_function src;
	struct lmf_function dst;
	struct lmf_vfio from;
	struct lmf_vfio to;
	int in;
	int out;
	int save;
	const char *save_name;
	uint64_t bytes;
	bool whole;
	char last[256];
};

/* There is one, for a signal to find. */
static struct lmf_move lmf_the_move = { .in = -1, .out = -1, .save = -1 };

static void lmf_move_broken_off(void)
{
	const struct lmf_move *m = &lmf_the_move;

	if (m->save >= 0 && !m->whole)
		unlink(m->save_name);
	if (write(STDERR_FILENO, m->last, strlen(m->last)) < 0)
		return;
}

static int lmf_write_all(int fd, const char *data, size_t n)
{
	ssize_t done;

	while (n) {
		done = write(fd, data, n);
		if (done <= 0)
			return done ? -errno : -EIO;
		data += done;
		n -= done;
	}
	return 0;
}

static int lmf_move_piece(struct lmf_move *m, const char *piece, size_t n)
{
	int err = m->save < 0 ? 0 : lmf_write_all(m->save, piece, n);

	if (err)
		return lmf_fail(m->save_name, "%s", lmf_why(err));
	m->bytes += n;
	err = lmf_write_all(m->out, piece, n);
	if (err)
		return lmf_fail(m->dst.bdf, "refuses the state of %s: %s",
				m->src.bdf, lmf_why(err));
	return LMF_EXIT_OK;
}

static int lmf_move_stream(struct lmf_move *m)
{
	char *piece = malloc(LMF_PIECE);
	int ret = LMF_EXIT_OK;
	ssize_t n = 1;

	if (!piece)
		return lmf_fail(NULL, "no memory");
	while (!ret && n) {
		n = read(m->in, piece, LMF_PIECE);
		if (n < 0)
			ret = lmf_fail(m->src.bdf, "cannot be read: %s",
				       lmf_why(-errno));
		else if (n)
			ret = lmf_move_piece(m, piece, n);
		else
			m->whole = true;
	}
	free(piece);
	return ret;
}

static int lmf_move_state(const struct lmf_function *f,
			  const struct lmf_vfio *v, uint32_t state,
			  const char *name, int *data_fd)
{
	int err = lmf_vfio_set_state(v, state, data_fd);

	if (err)
		return lmf_fail(f->bdf, "does not go to %s: %s", name,
				lmf_why(err));
	return LMF_EXIT_OK;
}

static int lmf_move_load(struct lmf_move *m)
{
	int ret = lmf_move_state(&m->src, &m->from, VFIO_DEVICE_STATE_STOP_COPY,
				 "STOP_COPY", &m->in);

	snprintf(m->last, sizeof(m->last),
		 "lmfctl: %s: interrupted\nlmfctl: %s: " LMF_UNREADABLE "\n",
		 m->src.bdf, m->dst.bdf);
	if (!ret)
		ret = lmf_move_state(&m->dst, &m->to,
				     VFIO_DEVICE_STATE_RESUMING, "RESUMING",
				     &m->out);
	if (!ret)
		ret = lmf_move_stream(m);
	if (!ret)
		ret = lmf_move_state(&m->dst, &m->to, VFIO_DEVICE_STATE_STOP,
				     "STOP", NULL);
	if (!ret)
		ret = lmf_move_state(&m->dst, &m->to,
				     VFIO_DEVICE_STATE_RUNNING, "RUNNING",
				     NULL);
	if (ret && m->out >= 0)
		lmf_note(m->dst.bdf, LMF_UNREADABLE);
	if (m->in >= 0)
		close(m->in);
	if (m->out >= 0)
		close(m->out);
	return ret;
}

static int lmf_move_can(const struct lmf_function *f, const struct lmf_vfio *v)
{
	uint64_t flags;

	if (lmf_vfio_migration(v, &flags))
		return lmf_fail(f->bdf, "%s offers no migration", f->driver);
	return LMF_EXIT_OK;
}

/* Opens, and thereby resets, both. */
static int lmf_move_open(struct lmf_move *m)
{
	int ret = lmf_vfio_open(&m->src, &m->from);

	if (ret)
		return ret;
	ret = lmf_vfio_open(&m->dst, &m->to);
	if (!ret) {
		ret = lmf_move_can(&m->src, &m->from);
		if (!ret)
			ret = lmf_move_can(&m->dst, &m->to);
		if (!ret)
			ret = lmf_move_load(m);
		lmf_vfio_close(&m->to);
	}
	lmf_vfio_close(&m->from);
	return ret;
}

static int lmf_move_find(const char *operand, struct lmf_function *f)
{
	int ret = lmf_function_find(operand, f);

	if (ret)
		return ret;
	if (!f->vfio[0])
		return lmf_no_vfio(f);
	return lmf_check_unused(f);
}

static void lmf_moved(const struct lmf_args *args, const struct lmf_move *m,
		      double seconds)
{
	struct json_object *document = lmf_json("move");
	struct json_object *result = json_object_new_object();

	lmf_json_text(result, "source", m->src.bdf);
	lmf_json_text(result, "destination", m->dst.bdf);
	lmf_json_unsigned(result, "bytes", m->bytes);
	lmf_json_real(result, "seconds", seconds);
	json_object_object_add(document, "result", result);
	if (args->json) {
		lmf_json_print(document);
		return;
	}
	json_object_put(document);
	printf("%s -> %s: %llu bytes in %.3f s; %s still holds them, too\n",
	       m->src.bdf, m->dst.bdf, (unsigned long long)m->bytes, seconds,
	       m->src.bdf);
}

static int lmf_move_go(const struct lmf_args *args, struct lmf_move *m)
{
	struct timespec start, end;
	int ret;

	if (args->save) {
		m->save_name = args->save;
		m->save = open(args->save, O_WRONLY | O_CREAT | O_EXCL |
			       O_CLOEXEC, 0600);
		if (m->save < 0)
			return lmf_fail(args->save, "%s", strerror(errno));
	}
	snprintf(m->last, sizeof(m->last), "lmfctl: %s: interrupted\n",
		 m->src.bdf);
	lmf_signals_end(lmf_move_broken_off);
	clock_gettime(CLOCK_MONOTONIC, &start);
	ret = lmf_move_open(m);
	lmf_signals_hold(NULL);
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (m->save >= 0 && close(m->save) && !ret)
		ret = lmf_fail(args->save, "%s", strerror(errno));
	/* A part of a stream is none, and would be in the way next time. */
	if (ret && args->save && !m->whole)
		unlink(args->save);
	if (!ret)
		lmf_moved(args, m, end.tv_sec - start.tv_sec +
			  (end.tv_nsec - start.tv_nsec) / 1e9);
	return ret;
}

int lmf_cmd_move(const struct lmf_args *args)
{
	struct lmf_move *m = &lmf_the_move;
	int ret;

	ret = lmf_move_find(args->operands[0], &m->src);
	if (!ret)
		ret = lmf_move_find(args->operands[1], &m->dst);
	if (ret)
		return ret;
	if (!strcmp(m->src.bdf, m->dst.bdf))
		return lmf_misused("%s: source and destination are the same",
				   m->src.bdf);
	if (!args->force)
		return lmf_fail(m->dst.bdf,
				"loses what it holds, and both are reset: say --force if that is what you want");
	return lmf_move_go(args, m);
}
