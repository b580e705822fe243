/* options.h - a command's row of options, read from the command line; what a terminal may be
 * sent.
 *
 * Input:  argv as the command sees it: argv[0] is its name.
 * Output: call->options, ->arguments and ->count. Values that were not given have their
 *         fallback, or are zero.
 * Errors: ERR_USAGE, with "did you mean".
 */
#pragma once

#include "cmd/command.h"

/* *help: --help was given, and nothing else matters. */
bool options_read(const struct command *command, int argc, char **argv, struct command_call *call,
		  bool *help, struct err *err);

/* Values of --color and --progress, and what `auto` makes of the terminal, NO_COLOR, TERM and
 * CI. */
enum use { USE_AUTO, USE_ALWAYS, USE_NEVER };
extern const struct choice use_words[];

/* What every summary is asked for, by `bool quiet`, `unsigned verbose` and `int color` of its owner. */
// clang-format off
#define OPTS_SUMMARY(owner) \
	OPT(owner, quiet, 'q', "quiet", .help = "print verdicts only"), \
	OPT(owner, verbose, 'v', "verbose", \
	    .help = "print every case in full, with counters and sysctls"), \
	OPT(owner, color, 0, "color", .argument = "WHEN", \
	    .help = "colour the summary: auto, always, never", .fallback = "auto", \
	    .choices = use_words)
// clang-format on

bool use_colour(int use);   /* on stdout */
bool use_progress(int use); /* on stderr */
