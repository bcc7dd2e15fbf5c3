// SPDX-License-Identifier: GPL-2.0-only
/*
 * lmfctl: the command line. Everything wrong with it is found here, before a
 * command begins.
 */
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lmfctl.h"

/* Beyond those of getopt's own letters. */
enum {
	LMF_OPT_NO_SCRUB = 256,
	LMF_OPT_ONCE,
	LMF_OPT_SAVE,
	LMF_OPT_DOWNTIME,
};

static const struct option lmf_options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ "all", no_argument, NULL, 'a' },
	{ "force", no_argument, NULL, 'f' },
	{ "driver", required_argument, NULL, 'd' },
	{ "interval", required_argument, NULL, 'i' },
	{ "count", required_argument, NULL, 'n' },
	{ "no-scrub", no_argument, NULL, LMF_OPT_NO_SCRUB },
	{ "once", no_argument, NULL, LMF_OPT_ONCE },
	{ "save", required_argument, NULL, LMF_OPT_SAVE },
	{ "downtime", required_argument, NULL, LMF_OPT_DOWNTIME },
	{ }
};

/**
 * struct lmf_command - a command
 * @name: of it
 * @usage: its operands and options, for people
 * @options: that it takes, beside --json and --help, as in lmf_options[].val
 * @least: operands
 * @most: operands
 * @run: carries it out
 */
struct lmf_command {
	const char *name;
	const char *usage;
	int options[5];
	int least;
	int most;
	int (*run)(const struct lmf_args *args);
};

static const struct lmf_command lmf_commands[] = {
	{ "list", "[-a] [BDF...]     functions, and whether they can migrate",
	  { 'a' }, 0, INT16_MAX, lmf_cmd_list },
	{ "probe", "-f BDF           ask its driver; resets the function",
	  { 'f' }, 1, 1, lmf_cmd_probe },
	{ "bind", "[-d DRIVER] BDF...   to the VFIO driver made for it",
	  { 'd' }, 1, INT16_MAX, lmf_cmd_bind },
	{ "unbind", "[--no-scrub] BDF...",
	  { LMF_OPT_NO_SCRUB }, 1, INT16_MAX, lmf_cmd_unbind },
	{ "vfs", "PF N               have N virtual functions",
	  { }, 2, 2, lmf_cmd_vfs },
	{ "scrub", "BDF              forget what an unbound VF holds",
	  { }, 1, 1, lmf_cmd_scrub },
	{ "status", "[BDF...]        counters of migration",
	  { }, 0, INT16_MAX, lmf_cmd_status },
	{ "watch", "[-i MS] [-n N] [--once] [--downtime MS] BDF",
	  { 'i', 'n', LMF_OPT_ONCE, LMF_OPT_DOWNTIME }, 1, 1, lmf_cmd_watch },
	{ "decode", "FILE            a saved stream; - is standard input",
	  { }, 1, 1, lmf_cmd_decode },
	{ "move", "-f [--save FILE] SRC DST   state, without a VM",
	  { 'f', LMF_OPT_SAVE }, 2, 2, lmf_cmd_move },
};

static const struct lmf_command *lmf_command(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(lmf_commands) / sizeof(*lmf_commands); i++)
		if (!strcmp(lmf_commands[i].name, name))
			return &lmf_commands[i];
	return NULL;
}

static int lmf_help(void)
{
	size_t i;

	puts("usage: lmfctl COMMAND [--json] ...");
	for (i = 0; i < sizeof(lmf_commands) / sizeof(*lmf_commands); i++)
		printf("  %s %s\n", lmf_commands[i].name,
		       lmf_commands[i].usage);
	puts("see lmfctl(8)");
	return LMF_EXIT_OK;
}

static int lmf_number(const char *text, unsigned int least, unsigned int *to)
{
	unsigned long value;
	char *end;

	value = strtoul(text, &end, 10);
	if (!*text || *text == '-' || *end || value < least ||
	    value > INT32_MAX)
		return lmf_misused("%s: no number from %u up", text, least);
	*to = value;
	return 0;
}

static int lmf_take_option(struct lmf_args *args, int option)
{
	switch (option) {
	case 'a':
		args->all = true;
		return 0;
	case 'f':
		args->force = true;
		return 0;
	case 'd':
		args->driver = optarg;
		return 0;
	case 'i':
		return lmf_number(optarg, 10, &args->interval_ms);
	case 'n':
		return lmf_number(optarg, 1, &args->count);
	case LMF_OPT_NO_SCRUB:
		args->no_scrub = true;
		return 0;
	case LMF_OPT_ONCE:
		args->once = true;
		return 0;
	case LMF_OPT_SAVE:
		args->save = optarg;
		return 0;
	default:
		return lmf_number(optarg, 1, &args->limit_ms);
	}
}

static bool lmf_takes(const struct lmf_command *command, int option)
{
	size_t i;

	for (i = 0; i < sizeof(command->options) / sizeof(int); i++)
		if (command->options[i] == option)
			return true;
	return false;
}

/* Of several in one word optind tells only when the last has been read. */
static int lmf_bad_option(const struct lmf_command *command, int option,
			  char **argv)
{
	int letter = option == '?' ? optopt : option;
	bool word = !strncmp(argv[optind - 1], "--", 2);

	if (letter > ' ' && letter <= '~' && !word)
		return lmf_misused("-%c: not an option of '%s', or its value is missing",
				   letter, command->name);
	return lmf_misused("%s: not an option of '%s', or its value is missing",
			   argv[optind - 1], command->name);
}

/* Returns an exit status, or -1 if the command is to be run. */
static int lmf_parse(const struct lmf_command *command, int argc, char **argv,
		     struct lmf_args *args)
{
	int option, ret;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "jhafd:i:n:", lmf_options,
				     NULL)) != -1) {
		if (option == 'h')
			return lmf_help();
		if (option == 'j') {
			args->json = true;
			continue;
		}
		if (option == '?' || !lmf_takes(command, option))
			return lmf_bad_option(command, option, argv);
		ret = lmf_take_option(args, option);
		if (ret)
			return ret;
	}
	args->n = argc - optind;
	args->operands = argv + optind;
	if (args->n < command->least || args->n > command->most)
		return lmf_misused("usage: lmfctl %s %s", command->name,
				   command->usage);
	return -1;
}

int main(int argc, char **argv)
{
	struct lmf_args args = { .interval_ms = 250, .limit_ms = 300 };
	const struct lmf_command *command;
	int ret;

	if (argc < 2)
		return lmf_misused("what? see 'lmfctl --help'");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return lmf_help();
	command = lmf_command(argv[1]);
	if (!command)
		return lmf_misused("%s: no such command: see 'lmfctl --help'",
				   argv[1]);
	ret = lmf_parse(command, argc - 1, argv + 1, &args);
	if (ret < 0)
		ret = command->run(&args);
	if (fflush(stdout) || ferror(stdout))
		return lmf_fail(NULL, "cannot write the result");
	return ret;
}
