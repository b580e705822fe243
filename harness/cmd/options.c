#include "cmd/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/unit.h"

enum { OPTS_MOST = 32, LONG_OFFSET = 256, HELP = LONG_OFFSET + OPTS_MOST };

const struct choice use_words[] = {
	{"auto", "if it is a terminal, and neither CI nor NO_COLOR say otherwise"},
	{"always", "always"},
	{"never", "never"},
	{NULL, NULL}};

/* The table as getopt_long() wants it. */
struct getopt_form {
	struct option longs[OPTS_MOST + 2];
	char shorts[2 * OPTS_MOST + 3];
};

static bool takes_argument(const struct opt *o)
{
	return o->kind != OPT_FLAG && o->kind != OPT_TALLY;
}

static void make_form(const struct opt *opts, struct getopt_form *form)
{
	char *s = form->shorts;
	int i = 0;

	*s++ = ':'; /* a missing argument is told from an unknown option */
	*s++ = 'h';
	for (; opts && opts[i].name && i < OPTS_MOST; i++) {
		form->longs[i] = (struct option){.name = opts[i].name,
						 .has_arg = takes_argument(&opts[i]),
						 .val = LONG_OFFSET + i};
		if (!opts[i].letter)
			continue;
		*s++ = opts[i].letter;
		if (takes_argument(&opts[i]))
			*s++ = ':';
	}
	form->longs[i++] = (struct option){.name = "help", .val = HELP};
	form->longs[i] = (struct option){0};
	*s = '\0';
}

static bool refuse(const struct opt *o, const char *word, struct err *err)
{
	err_set(err, ERR_USAGE, word[0] ? "--%s cannot be \"%s\"" : "--%s cannot be empty", o->name,
		word);
	return false;
}

static bool set_number(const struct opt *o, const char *word, uint64_t *out, struct err *err)
{
	if (unit_read_count(text_of(word), out) && *out >= o->lowest &&
	    (!o->highest || *out <= o->highest))
		return true;
	refuse(o, word, err);
	if (o->highest)
		return err_hint(err, "Write a whole number from %llu to %llu.",
				(unsigned long long)o->lowest, (unsigned long long)o->highest);
	return err_hint(err, "Write a whole number, %llu or more.", (unsigned long long)o->lowest);
}

static bool set_choice(const struct opt *o, const char *word, int *out, struct arena *a,
		       struct err *err)
{
	*out = choice_find(o->choices, text_of(word));
	if (*out >= 0)
		return true;
	refuse(o, word, err);
	return err_hint(err, "Write one of: %s.", choice_list(o->choices, a));
}

static bool set(const struct opt *o, const char *word, struct command_call *call, struct err *err)
{
	void *value = (char *)call->options + o->offset;

	switch (o->kind) {
	case OPT_FLAG:
		*(bool *)value = true;
		return true;
	case OPT_TALLY:
		++*(unsigned *)value;
		return true;
	case OPT_TEXT:
		*(const char **)value = word;
		return word[0] ||
		       (refuse(o, word, err), err_hint(err, "Write its %s.", o->argument));
	case OPT_NUMBER:
		return set_number(o, word, value, err);
	case OPT_CHOICE:
		return set_choice(o, word, value, call->arena, err);
	}
	return false;
}

/* Fallbacks are text, and go through the users' reader. */
static bool set_fallbacks(const struct opt *opts, struct command_call *call, struct err *err)
{
	for (const struct opt *o = opts; o && o->name; o++)
		if (o->fallback && !set(o, o->fallback, call, err))
			return false;
	return true;
}

static const struct opt *by_code(const struct opt *opts, int code)
{
	for (int i = 0; opts && opts[i].name; i++)
		if (code == LONG_OFFSET + i || (code == opts[i].letter && code != 0))
			return &opts[i];
	return NULL;
}

static const struct opt *by_name(const struct opt *opts, struct text name)
{
	for (const struct opt *o = opts; o && o->name; o++)
		if (text_is(name, o->name))
			return o;
	return NULL;
}

/* Of an option that a name is short for, or that others call so; else the one with the most letters in
 * common. NULL: none is near. */
static const char *nearest(const struct opt *opts, struct text name)
{
	unsigned best = text_slip(name) + 1;
	const char *near = NULL;

	for (const struct opt *o = opts; o && o->name; o++) {
		unsigned d = text_distance(name, text_of(o->name), best);

		if ((o->also && text_is(name, o->also)) ||
		    (name.len && text_starts(text_of(o->name), name)))
			return o->name;
		if (d < best) {
			best = d;
			near = o->name;
		}
	}
	return near;
}

static bool unknown(const struct command *command, const char *word, struct err *err)
{
	struct text rest = text_skip(text_of(word), 2), name;
	const char *near;

	text_cut(&rest, '=', &name);
	if (by_name(command->opts, name) || text_is(name, "help")) {
		err_set(err, ERR_USAGE, "--" TEXT_FMT " takes no value", TEXT_ARG(name));
		return err_hint(err, "`lastport %s --help` lists the options.", command->name);
	}
	near = nearest(command->opts, name);
	err_set(err, ERR_USAGE, "%s has no option --" TEXT_FMT, command->name, TEXT_ARG(name));
	if (near)
		return err_hint(err, "Did you mean --%s?", near);
	return err_hint(err, "`lastport %s --help` lists the options.", command->name);
}

static bool misused(const struct command *command, int answer, const char *word, struct err *err)
{
	const struct opt *o = by_code(command->opts, optopt);

	if (answer == ':' && o) {
		err_set(err, ERR_USAGE, "--%s needs a value", o->name);
		return err_hint(err, "Write --%s=%s.", o->name, o->argument);
	}
	if (strncmp(word, "--", 2) == 0)
		return unknown(command, word, err);
	err_set(err, ERR_USAGE, "%s has no option -%c", command->name, optopt);
	return err_hint(err, "`lastport %s --help` lists the options.", command->name);
}

static bool is_again(const struct opt *o, const struct opt *opts, uint32_t *given, struct err *err)
{
	uint32_t own = UINT32_C(1) << (o - opts);

	if (!o->once || !(*given & own)) {
		*given |= own;
		return false;
	}
	err_set(err, ERR_USAGE, "--%s can be written once", o->name);
	return !err_hint(err, "Call lastport once for each.");
}

static bool count_arguments(const struct command *command, const struct command_call *call,
			    struct err *err)
{
	if (call->count >= command->least && call->count <= command->most)
		return true;
	if (call->count < command->least)
		err_set(err, ERR_USAGE, "%s needs %s", command->name, command->arguments);
	else if (command->most == 0)
		err_set(err, ERR_USAGE, "%s takes no arguments", command->name);
	else
		err_set(err, ERR_USAGE, "%s cannot take \"%s\" as well", command->name,
			call->arguments[command->most]);
	return err_hint(err, "Usage: lastport %s%s%s%s", command->name,
			command->opts ? " [OPTIONS]" : "", command->arguments[0] ? " " : "",
			command->arguments);
}

/* getopt_long() takes the beginning of a name for it: an option of a later version would then change
 * what a script does. */
static bool is_short_for(const char *name, const char *word)
{
	struct text rest = text_skip(text_of(word), 2), written;

	text_cut(&rest, '=', &written);
	return !text_is(written, name);
}

/* The word that was read last; its value may be one of its own. */
static const char *last_word(char **argv)
{
	return argv[optind - 1] == optarg ? argv[optind - 2] : argv[optind - 1];
}

bool options_read(const struct command *command, int argc, char **argv, struct command_call *call,
		  bool *help, struct err *err)
{
	struct getopt_form form = {0};
	int answer, index;
	uint32_t given = 0;

	call->options = arena_take(call->arena, command->options_bytes + 1, _Alignof(max_align_t));
	if (!set_fallbacks(command->opts, call, err))
		return false;
	make_form(command->opts, &form);
	opterr = 0;
	optind = 0; /* glibc: begin anew */
	while (index = -1,
	       (answer = getopt_long(argc, argv, form.shorts, form.longs, &index)) != -1) {
		const struct opt *o = by_code(command->opts, answer);

		if (index >= 0 && is_short_for(form.longs[index].name, last_word(argv)))
			return unknown(command, last_word(argv), err);
		*help = answer == HELP || answer == 'h';
		if (*help)
			return true;
		if (!o)
			return misused(command, answer, argv[optind - 1], err);
		if (is_again(o, command->opts, &given, err) || !set(o, optarg, call, err))
			return false;
	}
	call->arguments = (const char *const *)argv + optind;
	call->count = (size_t)(argc - optind);
	return count_arguments(command, call, err);
}

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && value[0];
}

static bool is_dumb(void)
{
	const char *term = getenv("TERM");

	return term && strcmp(term, "dumb") == 0;
}

bool use_colour(int use)
{
	if (use == USE_AUTO)
		return isatty(STDOUT_FILENO) && !is_set("NO_COLOR") && !is_set("CI") && !is_dumb();
	return use == USE_ALWAYS;
}

bool use_progress(int use)
{
	if (use == USE_AUTO)
		return isatty(STDERR_FILENO) && !is_set("CI") && !is_dumb();
	return use == USE_ALWAYS;
}
