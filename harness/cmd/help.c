#include "cmd/help.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "scenario/scenario.h"
#include "scenario/schema.h"

enum { SUMMARY_COL = 12, WORDS_COL = 17, HELP_COL = 26, WIDTH = 80 };

static const struct {
	int status;
	const char *meaning;
} statuses[] = {
	{STATUS_OK, "every expectation holds"},
	{STATUS_FAIL, "an expectation does not hold"},
	{STATUS_USAGE, "a mistake in the command line or in a scenario, which was not run"},
	{STATUS_HOST, "this machine cannot run it (--exit-on-skip changes the number)"},
	{STATUS_TROUBLE,
	 "lastport itself failed, or the run is incomplete; what was recorded is saved"},
	{130, "interrupted (SIGINT), results saved"},
	{143, "terminated (SIGTERM), results saved"},
};

static size_t columns(struct text t)
{
	size_t n = 0, len;

	for (; t.len; t = text_skip(t, len))
		n += utf8_width(utf8_first(t, &len));
	return n;
}

/* Words from column `left` on, broken before WIDTH; the cursor stands at `col`. */
static void write_words(struct out *out, size_t col, size_t left, const char *words)
{
	struct text rest = text_of(words), word;
	bool more, first = true;

	if (left && col + 2 > left) {
		out_z(out, "\n");
		col = 0;
	}
	if (left > col) {
		out_pad(out, left - col);
		col = left;
	}
	do {
		more = text_cut(&rest, ' ', &word);
		if (!first && col + 1 + columns(word) > WIDTH) {
			out_z(out, "\n");
			out_pad(out, left);
			col = left;
		} else if (!first) {
			out_z(out, " ");
			col++;
		}
		out_text(out, word);
		col += columns(word);
		first = false;
	} while (more);
	out_z(out, "\n");
}

void help_write(struct out *out)
{
	out_z(out, "Usage: lastport COMMAND [OPTIONS] [FILE|NAME…]\n\n"
		   "Runs Linux out of ephemeral ports on purpose, in a private network of its\n"
		   "own, and says when it happened, why, and what to change. The host's settings\n"
		   "stay as they are.\n\n"
		   "Commands:\n");
	for (const struct command *const *c = commands; *c; c++) {
		out_fmt(out, "  %s", (*c)->name);
		write_words(out, 2 + strlen((*c)->name), SUMMARY_COL, (*c)->summary);
	}
	out_z(out,
	      "\nExamples:\n"
	      "  lastport run leak             a scenario of the library, to its verdict\n"
	      "  lastport show leak            one of its scenarios, with every default\n"
	      "  lastport check burst.yaml     is this file right?\n\n"
	      "`lastport COMMAND --help` explains a command and its options. `lastport help\n"
	      "keys` and `lastport help measures` list what a scenario can say, `lastport help\n"
	      "causes` what a run can find, `lastport help exit-codes` the exit statuses.\n"
	      "`lastport --version` prints the version.\n");
}

static void write_opt(struct out *out, const struct opt *o)
{
	char line[200];
	int len = o->letter ? snprintf(line, sizeof(line), "  -%c, --%s", o->letter, o->name)
			    : snprintf(line, sizeof(line), "      --%s", o->name);

	if (o->argument)
		len += snprintf(line + len, sizeof(line) - (size_t)len, "=%s", o->argument);
	out_z(out, line);
	if (o->fallback)
		snprintf(line, sizeof(line), "%s (default: %s)", o->help, o->fallback);
	else
		snprintf(line, sizeof(line), "%s", o->help);
	write_words(out, (size_t)len, HELP_COL, line);
}

void help_write_command(struct out *out, const struct command *command)
{
	static const struct opt help = {.name = "help", .letter = 'h', .help = "print this"};

	out_fmt(out, "Usage: lastport %s", command->name);
	out_z(out, command->opts ? " [OPTIONS]" : "");
	out_fmt(out, "%s%s\n\n", command->arguments[0] ? " " : "", command->arguments);
	out_fmt(out, "%c", toupper((unsigned char)command->summary[0]));
	write_words(out, 1, 0, command->summary + 1);
	out_z(out, "\nOptions:\n");
	for (const struct opt *o = command->opts; o && o->name; o++)
		write_opt(out, o);
	write_opt(out, &help);
	if (command->details) {
		out_z(out, "\n");
		out_z(out, command->details);
	}
}

static void write_statuses(struct out *out)
{
	out_z(out, "Exit statuses:\n");
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		out_fmt(out, "  %3d  %s\n", statuses[i].status, statuses[i].meaning);
}

static void write_measures(struct out *out)
{
	static const char *const kinds[] = {
		[KIND_COUNT] = "a count",	[KIND_SHARE] = "a share",
		[KIND_TIME] = "a time",		[KIND_RATE] = "a rate",
		[KIND_RATIO] = "so many times", [KIND_FLAG] = "true or false"};

	out_z(out,
	      "Measures, for the lines of `expect`: MEASURE OP VALUE, where OP is one of\n"
	      "== != < <= > >=, or `in` before A..B. Values: 32, 10k, 80%, 250ms, 200/s, true.\n"
	      "What is `live` is known while the load runs: a broken line can end it (abort).\n\n");
	for (int i = 0; i < MEASURES; i++) {
		const struct measure_info *m = &measure_infos[i];
		char line[300];
		int len = snprintf(line, sizeof(line), "  %s%s", m->name, m->family ? "…" : "");

		out_z(out, line);
		len -= m->family ? 2 : 0; /* "…" is three bytes, and one column */
		snprintf(line, sizeof(line), "%s%s: %s", kinds[m->kind], m->live ? ", live" : "",
			 m->meaning);
		write_words(out, (size_t)len, HELP_COL, line);
	}
	out_z(out, "\nSTAGE is where it failed:");
	for (int i = 0; i < STAGES; i++)
		out_fmt(out, " %s", stage_name((enum stage)i));
	out_z(out, ". ERRNO is the name of its\nerror, such as EADDRNOTAVAIL, ECONNREFUSED or "
		   "ETIMEDOUT.\n");
}

static void write_key(struct out *out, const struct key_view *view)
{
	unsigned indent = 2 + 2 * view->depth;
	char line[400];

	out_fmt(out, "%*s%s", (int)indent, "", view->key);
	if (view->lowest[0] && strcmp(view->lowest, view->highest) != 0)
		snprintf(line, sizeof(line), "%s (%s to %s; default: %s)", view->meaning,
			 view->lowest, view->highest, view->fallback);
	else if (view->section[0])
		snprintf(line, sizeof(line), "%s (default: %s)", view->meaning, view->fallback);
	else
		snprintf(line, sizeof(line), "%s", view->meaning);
	write_words(out, indent + strlen(view->key), WORDS_COL, line);
	for (const struct choice *c = view->words; c && c->word; c++) {
		out_pad(out, WORDS_COL);
		out_z(out, c->word);
		write_words(out, WORDS_COL + strlen(c->word), WORDS_COL + 11, c->meaning);
	}
}

/* Is it the key that the words name, or within the section that they do? No words: any. */
static bool is_within(const struct key_view *view, struct text words)
{
	char path[100];

	snprintf(path, sizeof(path), "%s%s%s", view->section, view->section[0] ? "." : "",
		 view->key);
	return words.len == 0 || text_is(words, path) ||
	       (text_starts(text_of(path), words) && path[words.len] == '.');
}

/* Keys, with bounds, defaults and the words that one can take; false: there is none. Where some are
 * left out, the head of a section has all of its name. */
static bool write_sections(struct out *out, struct text words)
{
	const char *section = "";
	bool any = false;

	for (size_t i = 0; i < scenario_keys(); i++) {
		struct key_view view;

		scenario_key_about(i, &view);
		if (!is_within(&view, words))
			continue;
		any = true;
		if (strcmp(view.section, section) != 0)
			out_fmt(out, "%*s%s:\n", 2 * (int)view.depth, "",
				words.len ? view.section : view.section_name);
		section = view.section;
		write_key(out, &view);
	}
	return any;
}

static void write_keys(struct out *out)
{
	out_z(out, "Keys of a scenario file:\n");
	write_sections(out, (struct text){0});
	out_z(out, "  loads");
	write_words(out, 7, WORDS_COL,
		    "names, up to 64, and below each the keys of load that differ: all of them run "
		    "together, and LOAD/MEASURE in expect is about one of them");
	out_z(out, "  expect");
	write_words(
		out, 8, WORDS_COL,
		"lines of MEASURE OP VALUE, or {expr: LINE, abort: true, after: TIME}, which ends "
		"the run once the line is broken");
	out_z(out, "  cases");
	write_words(out, 7, WORDS_COL,
		    "names, and below each the keys that differ from the above: maps are merged, "
		    "lists replaced; each case is a run of its own");
}

/* A name and what is said of it, in the columns of help. */
static void write_named(struct out *out, const char *name, const char *words)
{
	out_fmt(out, "  %s", name);
	write_words(out, 2 + strlen(name), HELP_COL, words);
}

static void write_sort(struct out *out, enum cause_sort sort)
{
	for (int i = 0; i < CAUSES; i++) {
		const char *refs = cause_refs((enum cause)i);

		if (cause_sort((enum cause)i) != sort)
			continue;
		write_named(out, cause_name((enum cause)i), cause_lesson((enum cause)i));
		if (refs[0])
			write_words(out, 0, HELP_COL, refs);
	}
}

static void write_aliases(struct out *out, bool seen)
{
	for (const struct cause_alias *a = cause_aliases; a->name; a++) {
		char line[400];

		if ((a->seen_as >= 0) != seen)
			continue;
		if (seen)
			snprintf(line, sizeof(line), "as %s; %s",
				 cause_name((enum cause)a->seen_as), a->tell);
		write_named(out, a->name, seen ? line : a->tell);
	}
}

/* Why connects fail, by what a cause does; issues of GitHub where each was met. */
static void write_causes(struct out *out)
{
	static const char *const heads[] = {
		[SORT_HOLDS] = "Connections hold the ports",
		[SORT_TAKES] = "Ports are not available",
		[SORT_GATEWAY] = "A gateway drops what it has no room for",
		[SORT_ALIKE] = "Not port exhaustion, though it looks like it",
		[SORT_GATE] = "A line of `expect` does not hold, and no failure is behind it",
		[SORT_NOTE] = "Nothing has failed for it yet, or nothing is known",
	};

	out_z(out, "Causes that a run can find; it tells what to change and what will not help.\n"
		   "Behind each, where it was met: owner/repository#number on GitHub.\n");
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		out_fmt(out, "\n%s:\n", heads[i]);
		write_sort(out, (enum cause_sort)i);
	}
	out_z(out, "\nLooks the same as another, and is told apart by:\n");
	write_aliases(out, true);
	out_z(out, "\nCannot be seen in a run; where to look instead:\n");
	write_aliases(out, false);
}

static const struct topic {
	const char *name;
	void (*write)(struct out *out);
} topics[] = {{"causes", write_causes},
	      {"exit-codes", write_statuses},
	      {"keys", write_keys},
	      {"measures", write_measures},
	      {"schema", scenario_schema}};

static int help_keys(struct command_call *call, struct err *err)
{
	const char *words = call->arguments[1];

	if (write_sections(call->out, text_of(words)))
		return STATUS_OK;
	err_set(err, ERR_USAGE, "there is no key \"%s\"", words);
	err_hint(err, "`lastport help keys` lists them: load, load.options, load.rate and others.");
	return STATUS_USAGE;
}

static int help_run(struct command_call *call, struct err *err)
{
	struct text word = text_of(call->count ? call->arguments[0] : "");
	const struct command *command = command_find(word);

	if (call->count == 0) {
		help_write(call->out);
		return STATUS_OK;
	}
	if (call->count == 2 && text_is(word, "keys"))
		return help_keys(call, err);
	if (call->count == 2) {
		err_set(err, ERR_USAGE, "only `help keys` takes one more word");
		return STATUS_USAGE;
	}
	for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
		if (text_is(word, topics[i].name)) {
			topics[i].write(call->out);
			return STATUS_OK;
		}
	}
	if (!command) {
		command_unknown(word, err);
		return STATUS_USAGE;
	}
	help_write_command(call->out, command);
	return STATUS_OK;
}

const struct command command_help = {
	.name = "help",
	.arguments = "[COMMAND|keys [KEY]|measures|causes|schema|exit-codes]",
	.summary = "explain a command; list keys, measures, causes, exit statuses",
	.most = 2,
	.run = help_run,
};
