/* command.h - a subcommand: one const struct in one file, which drives dispatch, option parsing
 * and help.
 *
 * Input:     a command is `const struct command command_NAME` in cmd/NAME.c, and a line in
 *            cmd/commands.def. Its options go into a struct of its own, a row of OPT() each:
 *            the field's type says how the value is read.
 * Output:    call->out, which is stdout. main() flushes it, and makes a failed write status 4.
 * Ownership: everything in a call lives in its arena, or in argv, and as long as the program.
 * Errors:    run() returns the exit status. If it set *err, main() prints that, and err's kind
 *            decides the status. Several mistakes of a scenario file are printed with
 *            errors_print() (cmd/errors.h) on the way.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/out.h"
#include "words/words.h"

enum status {
	STATUS_OK = 0,	    /* every expectation holds */
	STATUS_FAIL = 1,    /* an expectation does not hold */
	STATUS_USAGE = 2,   /* usage or scenario error, nothing started */
	STATUS_HOST = 3,    /* this machine cannot run it */
	STATUS_TROUBLE = 4, /* lastport failed, or the run is incomplete */
};

enum opt_kind {
	OPT_FLAG,   /* bool: true if given */
	OPT_TALLY,  /* unsigned: how often it was given */
	OPT_TEXT,   /* const char *: NULL unless given; never empty */
	OPT_NUMBER, /* uint64_t, written as "32", "10k" */
	OPT_CHOICE, /* int: the index of a word in `choices` */
};

struct opt {
	const char *name; /* the long one; NULL ends a table */
	char letter;	  /* or 0 */
	bool once;	  /* to write it again is an error: nobody may take it for a list */
	enum opt_kind kind;
	size_t offset;	      /* of the value in the command's struct of options */
	const char *argument; /* as help calls it: "DIR"; NULL where there is none */
	const char *help;
	const char *fallback;	  /* text, read like a user's; NULL: the value stays zero */
	uint64_t lowest, highest; /* of an OPT_NUMBER; highest 0: no bound */
	const struct choice *choices;
	const char *also; /* what people call it: a hint, no option; NULL: nothing else */
};

/* OPT(struct run_options, seed, 0, "seed", .argument = "N", .help = "…", .fallback = "1") */
#define OPT(owner, field, short_name, long_name, ...) \
	{ \
		.name = long_name, .letter = short_name,                                           \
		.kind = _Generic(((owner *)0)->field, bool                                         \
				 : OPT_FLAG, unsigned                                              \
				 : OPT_TALLY, const char *                                         \
				 : OPT_TEXT, uint64_t                                              \
				 : OPT_NUMBER, int                                                 \
				 : OPT_CHOICE),                                                    \
		.offset = offsetof(owner, field), __VA_ARGS__ \
	}
#define OPTS_END \
	{ \
		.name = NULL \
	}

struct command_call {
	void *options;		      /* the command's own struct, filled */
	const char *const *arguments; /* what is left of the command line */
	size_t count;		      /* of arguments: least <= count <= most */
	int argc;		      /* the whole command line, for the record */
	char **argv;
	struct out *out;
	struct arena *arena;
};

struct command {
	const char *name;
	const char *arguments;	/* as usage shows them: "FILE|NAME…"; "": none */
	const char *summary;	/* a line of `lastport --help` */
	const char *details;	/* paragraphs below the options; may be NULL */
	unsigned least, most;	/* how many arguments; most 0: none */
	const struct opt *opts; /* ends in OPTS_END; NULL: none */
	size_t options_bytes;	/* of the struct of options */
	int (*run)(struct command_call *call, struct err *err);
};

/* --seed of every command that has it: what `plan` foretells, `run` does. */
#define SEED_FALLBACK "1"

enum { ARGUMENTS_ANY = 1000000 }; /* `most` of a command that takes a list */

#define COMMAND(name) extern const struct command command_##name;
#include "cmd/commands.def"

extern const struct command *const commands[]; /* ends in NULL */
const struct command *command_find(struct text name);
bool command_unknown(struct text name, struct err *err); /* sets err, with "did you mean" */

const char *lastport_version(void);
