#include "cmd/options.h"

#include <stdlib.h>
#include <string.h>

#include "suites.h"

struct values {
	bool flag;
	unsigned tally;
	const char *text;
	uint64_t number;
	int choice;
};

static const struct opt opts[] = {
	OPT(struct values, flag, 0, "json", .help = "a flag"),
	OPT(struct values, tally, 'v', "verbose", .help = "a tally"),
	OPT(struct values, text, 'o', "output", .argument = "DIR", .help = "a text"),
	OPT(struct values, number, 'j', "jobs", .argument = "N", .help = "a number",
	    .fallback = "4", .lowest = 1, .highest = 64),
	OPT(struct values, choice, 0, "color", .argument = "WHEN", .help = "a choice",
	    .fallback = "auto", .choices = use_words),
	OPTS_END,
};

static const struct command command = {.name = "try",
				       .arguments = "FILE...",
				       .least = 1,
				       .most = 2,
				       .opts = opts,
				       .options_bytes = sizeof(struct values)};

enum { WORDS = 16 };

struct parsed {
	struct arena arena;
	struct command_call call;
	struct values *values;
	struct err err;
	bool ok, help;
	char words[200], *argv[WORDS + 1];
};

/* A command line in one string: words with a blank between them. */
static void parse(struct parsed *p, const char *line)
{
	int argc = 0;

	memset(p, 0, sizeof(*p));
	CU_ASSERT_FATAL(arena_open(&p->arena, 1 << 16));
	CU_ASSERT_FATAL(strlen(line) < sizeof(p->words));
	strcpy(p->words, line);
	for (char *word = strtok(p->words, " "); word && argc < WORDS; word = strtok(NULL, " "))
		p->argv[argc++] = word;
	p->call.arena = &p->arena;
	p->ok = options_read(&command, argc, p->argv, &p->call, &p->help, &p->err);
	p->values = p->call.options;
}

static void each_kind_is_read(void)
{
	struct parsed p;

	parse(&p, "try -vv --json a -o dir --jobs=1k");
	CU_ASSERT(!p.ok);
	arena_close(&p.arena);
	parse(&p, "try -vv --json a -o dir --jobs=32 --color never b");
	CU_ASSERT_FATAL(p.ok);
	CU_ASSERT(p.values->flag && p.values->tally == 2 && p.values->number == 32);
	CU_ASSERT_STRING_EQUAL(p.values->text, "dir");
	CU_ASSERT_EQUAL(p.values->choice, USE_NEVER);
	CU_ASSERT_EQUAL_FATAL(p.call.count, 2);
	CU_ASSERT_STRING_EQUAL(p.call.arguments[1], "b");
	arena_close(&p.arena);
}

static void what_is_not_given_has_its_fallback(void)
{
	struct parsed p;

	parse(&p, "try a");
	CU_ASSERT_FATAL(p.ok);
	CU_ASSERT(!p.values->flag && p.values->tally == 0 && !p.values->text &&
		  p.values->number == 4);
	CU_ASSERT_EQUAL(p.values->choice, USE_AUTO);
	arena_close(&p.arena);
}

static void help_needs_no_arguments(void)
{
	static const char *const rows[] = {"try --help", "try -h", "try -v --help --nonsense"};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct parsed p;

		parse(&p, rows[i]);
		CU_ASSERT(p.ok && p.help);
		arena_close(&p.arena);
	}
}

static void two_dashes_end_the_options(void)
{
	struct parsed p;

	parse(&p, "try -- --json");
	CU_ASSERT_FATAL(p.ok);
	CU_ASSERT(!p.values->flag && p.call.count == 1);
	arena_close(&p.arena);
}

static void mistakes_are_told_with_what_to_do(void)
{
	static const struct {
		const char *line, *what, *hint;
	} rows[] = {
		{"try", "try needs FILE...", "Usage: lastport try [OPTIONS] FILE..."},
		{"try a b c", "cannot take \"c\"", "Usage"},
		{"try --jsno a", "no option --jsno", "Did you mean --json?"},
		{"try --zzzzzz a", "no option --zzzzzz", "lists the options"},
		{"try -z a", "no option -z", "lists the options"},
		{"try -vz a", "no option -z", "lists the options"},
		{"try --jso a", "no option --jso", "Did you mean --json?"},
		{"try --=5 a", "no option --", "lists the options"},
		{"try --out dir a", "no option --out", "Did you mean --output?"},
		{"try --out=dir a", "no option --out", "Did you mean --output?"},
		{"try --json=1 a", "--json takes no value", "lists the options"},
		{"try a -o", "--output needs a value", "--output=DIR"},
		{"try a --jobs", "--jobs needs a value", "--jobs=N"},
		{"try a --jobs=0", "--jobs cannot be \"0\"", "from 1 to 64"},
		{"try a --jobs=65", "--jobs cannot be \"65\"", "from 1 to 64"},
		{"try a --jobs=x", "--jobs cannot be \"x\"", "from 1 to 64"},
		{"try a --output=", "--output cannot be empty", "DIR"},
		{"try a --color=red", "--color cannot be \"red\"", "auto, always, never"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct parsed p;

		parse(&p, rows[i].line);
		CU_ASSERT(!p.ok && p.err.kind == ERR_USAGE);
		CU_ASSERT_PTR_NOT_NULL(strstr(p.err.what, rows[i].what));
		CU_ASSERT_PTR_NOT_NULL(strstr(p.err.hint, rows[i].hint));
		arena_close(&p.arena);
	}
}

static void always_and_never_ask_no_terminal(void)
{
	CU_ASSERT(use_colour(USE_ALWAYS) && use_progress(USE_ALWAYS));
	CU_ASSERT(!use_colour(USE_NEVER) && !use_progress(USE_NEVER));
}

static const struct test tests[] = {
	TEST(each_kind_is_read),
	TEST(what_is_not_given_has_its_fallback),
	TEST(help_needs_no_arguments),
	TEST(two_dashes_end_the_options),
	TEST(mistakes_are_told_with_what_to_do),
	TEST(always_and_never_ask_no_terminal),
	TESTS_END,
};

const struct suite suite_options = {"options", tests};
