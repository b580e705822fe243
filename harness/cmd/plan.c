#include "cmd/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/unit.h"
#include "cmd/command.h"
#include "cmd/errors.h"
#include "cmd/library.h"
#include "sys/facts.h"

struct plan_options {
	bool json;
	uint64_t seed;
	const char *only, *rate, *concurrency, *hold, *pool, *end, *ports, *sources, *destinations,
		*tw_reuse, *time_wait, *nat_ports;
};

/* A load in place of a file: each is a line of a scenario. */
static const struct opt opts[] = {
	OPT(struct plan_options, json, 0, "json", .help = "print JSON instead of text"),
	OPT(struct plan_options, only, 0, "case", .argument = "NAME", .once = true,
	    .help = "only this case (base: the file without its cases)"),
	OPT(struct plan_options, seed, 0, "seed", .argument = "N",
	    .help = "the seed that `lastport run` would be given", .fallback = SEED_FALLBACK),
	OPT(struct plan_options, rate, 0, "rate", .argument = "RATE",
	    .help = "without a file: load.rate, such as 500/s"),
	OPT(struct plan_options, concurrency, 0, "concurrency", .argument = "N",
	    .help = "load.concurrency, in place of --rate"),
	OPT(struct plan_options, hold, 0, "hold", .argument = "TIME",
	    .help = "load.hold, such as 2s"),
	OPT(struct plan_options, pool, 0, "pool", .argument = "N",
	    .help = "load.pool.max_idle: idle connections that a pool keeps", .also = "max-idle"),
	OPT(struct plan_options, end, 0, "end", .argument = "HOW",
	    .help = "load.end: close, reset, leak, …"),
	OPT(struct plan_options, ports, 0, "ports", .argument = "RANGE",
	    .help = "network.ports, such as 32768-60999"),
	OPT(struct plan_options, sources, 0, "sources", .argument = "N",
	    .help = "network.sources: client addresses"),
	OPT(struct plan_options, destinations, 0, "destinations", .argument = "N",
	    .help = "network.servers: addresses that the load goes to", .also = "servers"),
	OPT(struct plan_options, tw_reuse, 0, "tw-reuse", .argument = "0|1|2",
	    .help = "net.ipv4.tcp_tw_reuse"),
	OPT(struct plan_options, time_wait, 0, "time-wait", .argument = "TIME",
	    .help = "network.time_wait, such as 6s"),
	OPT(struct plan_options, nat_ports, 0, "nat-ports", .argument = "N|RANGE",
	    .help = "network.nat.ports: go through a gateway whose source NAT has these"),
	OPTS_END,
};

/* Where the text of each goes; the section stands before its first key. */
static const struct line {
	size_t offset;
	const char *before, *after;
} lines[] = {
	{offsetof(struct plan_options, ports), "network:\n  ports: ", "\n"},
	{offsetof(struct plan_options, sources), "network:\n  sources: ", "\n"},
	{offsetof(struct plan_options, destinations), "network:\n  servers: ", "\n"},
	{offsetof(struct plan_options, time_wait), "network:\n  time_wait: ", "\n"},
	{offsetof(struct plan_options, nat_ports),
	 "network:\n  topology: nat\n  nat: {ports: ", "}\n"},
	{offsetof(struct plan_options, tw_reuse),
	 "network:\n  sysctl: {net.ipv4.tcp_tw_reuse: ", "}\n"},
	{offsetof(struct plan_options, rate), "load:\n  rate: ", "\n"},
	{offsetof(struct plan_options, concurrency), "load:\n  concurrency: ", "\n"},
	{offsetof(struct plan_options, hold), "load:\n  hold: ", "\n"},
	{offsetof(struct plan_options, pool), "load:\n  pool: {max_idle: ", "}\n"},
	{offsetof(struct plan_options, end), "load:\n  end: ", "\n"},
};

static bool is_same_section(const struct line *a, const struct line *b)
{
	return a && a->before[0] == b->before[0];
}

/* Where a NAT's ports begin, as words/keys.def has it. */
enum { NAT_FIRST = 1024 };

/* A number of ports is a range of so many. */
static const char *nat_range(const char *wish, struct arena *a)
{
	char *end;
	unsigned long n = wish ? strtoul(wish, &end, 10) : 0;

	if (n == 0 || *end || n > UINT16_MAX)
		return wish;
	return text_format(a, "%d-%lu", NAT_FIRST, NAT_FIRST + n - 1).s;
}

/* The options as a scenario; empty if none was given. */
static struct text scenario_of(const struct plan_options *o, struct arena *a)
{
	struct text source = {0};
	const struct line *last = NULL;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const struct line *l = &lines[i];
		const char *value =
			*(const char *const *)(const void *)((const char *)o + l->offset);
		struct text head = text_of(l->before), section;

		if (!value)
			continue;
		if (is_same_section(last, l))
			text_cut(&head, '\n', &section);
		source = text_format(a, TEXT_FMT TEXT_FMT "%s%s", TEXT_ARG(source), TEXT_ARG(head),
				     value, l->after);
		last = l;
	}
	if (source.len == 0)
		return source;
	return text_format(a, "version: 1\nname: command-line\n" TEXT_FMT "stop: {time: 1h}\n",
			   TEXT_ARG(source));
}

bool planned_make(struct planned *out, const struct scenario *s, const struct host *host,
		  uint64_t seed, struct arena *arena, struct err *err)
{
	*out = (struct planned){.scenario = s};
	if (!plan_make(&out->plan, s, host, seed, arena, &out->err) && out->err.kind != ERR_HOST) {
		*err = out->err;
		return false;
	}
	if (out->plan.needs.rings) /* all but the machine's limits was looked at */
		denied_find(&out->denied, &out->plan, arena);
	return true;
}

/* In a scenario a rate or a concurrency of 0 takes back what the base says; here there is none. */
static bool is_no_load(const char *option, const char *value, struct err *err)
{
	uint64_t n = 1;
	double rate = 1;

	if (!value || ((!unit_read_count(text_of(value), &n) || n > 0) &&
		       (!unit_read_rate(text_of(value), &rate) || rate > 0)))
		return false;
	err_set(err, ERR_USAGE, "--%s cannot be \"%s\"", option, value);
	return !err_hint(err, "Nothing would be begun: write more than 0.");
}

/* In a scenario a case may take one of them back. */
static bool are_two_models(const struct plan_options *o, struct err *err)
{
	if (!o->rate || !o->concurrency)
		return false;
	err_set(err, ERR_USAGE, "--rate and --concurrency exclude each other");
	return !err_hint(err, "Keep one: connections begin at a rate, or so many go on at once.");
}

/* What is to be planned. */
struct wish {
	struct scenario_file *files;
	size_t file_count;
	struct planned *list;
	size_t count;
};

static void plan_cases(struct wish *w, const struct scenario_file *file,
		       const struct plan_options *o, struct arena *a, struct errs *errs)
{
	struct host host;

	host_read_limits(&host);
	for (size_t c = 0; c < (o->only ? 1 : file->count); c++) {
		struct err err = {0};
		const struct scenario *s =
			o->only ? library_case(file, o->only, &err) : &file->cases[c];
		struct host *kept = ARENA_NEW(a, struct host);

		*kept = host;
		if (s && planned_make(&w->list[w->count], s, kept, o->seed, a, &err))
			w->count++;
		else
			errs_add(errs, &err);
	}
}

/* The option whose line this is of the scenario that they come to; NULL: a line of ours. */
static const char *option_of(struct text source)
{
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *last = strrchr(lines[i].before, '\n');

		for (const struct opt *o = opts; last && o->name; o++)
			if (o->offset == lines[i].offset && text_starts(source, text_of(last + 1)))
				return o->name;
	}
	return NULL;
}

/* Is the key that cannot be something the one in the line? It may be another, of which that leaves
 * nothing. */
static bool is_about_line(const struct err *err, const char *words)
{
	const char *key = words;

	while (key > err->what && key[-1] != '.')
		key--;
	return strncmp(words, " cannot be ", strlen(" cannot be ")) == 0 &&
	       memmem(err->source.s, err->source.len, key, (size_t)(words - key));
}

/* In a scenario it may be 0; here is_no_load() refuses that. */
static void hint_above_zero(struct err *err, const char *option)
{
	static const char from_zero[] = ", from 0";
	char *at = strstr(err->hint, from_zero), rest[sizeof(err->hint)];

	if (!at || (strcmp(option, "rate") != 0 && strcmp(option, "concurrency") != 0))
		return;
	snprintf(rest, sizeof(rest), "%s", at + strlen(from_zero));
	snprintf(at, sizeof(err->hint) - (size_t)(at - err->hint), ", above 0%s", rest);
}

/* Nobody has written the line: "load.rate cannot be …" becomes "--rate cannot be …", and what is said of the
 * file is of the option. */
static void name_option(struct err *err)
{
	static const char of_file[] = "the file";
	const char *option = option_of(err->source), *words = strchr(err->what, ' ');
	char what[sizeof(err->what)];

	if (!option)
		return;
	if (strncmp(err->what, of_file, strlen(of_file)) == 0) {
		snprintf(what, sizeof(what), "--%s%.150s", option, err->what + strlen(of_file));
		snprintf(err->hint, sizeof(err->hint), "Write it as plain text.");
	} else if (words && is_about_line(err, words))
		snprintf(what, sizeof(what), "--%s%s", option, words);
	else
		snprintf(what, sizeof(what), "--%s: %.150s", option, err->what);
	memcpy(err->what, what, sizeof(what));
	hint_above_zero(err, option);
	err->at.line = 0;
}

static bool wish_load(struct wish *w, struct command_call *call, struct text own, struct errs *errs)
{
	w->file_count = own.len ? 1 : call->count;
	w->files = ARENA_ARRAY(call->arena, struct scenario_file, w->file_count);
	if (own.len)
		scenario_read(&w->files[0], "command line", own, call->arena, errs);
	for (size_t i = 0; !own.len && i < call->count; i++)
		library_load(&w->files[i], call->arguments[i], call->arena, errs);
	return errs->count == 0;
}

static bool wish_plan(struct wish *w, struct command_call *call, struct errs *errs)
{
	const struct plan_options *o = call->options;
	size_t room = 0;

	for (size_t i = 0; i < w->file_count; i++)
		room += w->files[i].count;
	w->list = ARENA_ARRAY(call->arena, struct planned, room);
	for (size_t i = 0; i < w->file_count; i++)
		plan_cases(w, &w->files[i], o, call->arena, errs);
	return errs->count == 0;
}

static int tell(struct command_call *call, const struct wish *w)
{
	const struct plan_options *o = call->options;
	int status = STATUS_OK;

	for (size_t i = 0; i < w->count; i++) {
		if (!o->json)
			plan_write_text(call->out, &w->list[i], *call->arena);
		if (!o->json && i + 1 < w->count)
			out_z(call->out, "\n");
		if (w->list[i].err.kind)
			status = STATUS_HOST;
		else if (status == STATUS_OK && w->list[i].denied.count > 0)
			status = STATUS_FAIL;
	}
	if (o->json)
		plan_write_json(call->out, w->list, w->count, *call->arena);
	return status;
}

static int plan_run(struct command_call *call, struct err *err)
{
	struct plan_options *o = call->options;
	struct text own;
	struct errs errs = {0};
	struct wish w = {0};

	o->nat_ports = nat_range(o->nat_ports, call->arena);
	if (is_no_load("rate", o->rate, err) || is_no_load("concurrency", o->concurrency, err) ||
	    are_two_models(o, err))
		return STATUS_USAGE;
	own = scenario_of(o, call->arena);
	if ((own.len > 0) == (call->count > 0)) {
		err_set(err, ERR_USAGE,
			own.len ? "a file says its load itself" : "there is nothing to plan");
		err_hint(err, "Name scenario files, or describe a load, such as --rate 500/s "
			      "--hold 2s; not both.");
		return STATUS_USAGE;
	}
	if (wish_load(&w, call, own, &errs) && wish_plan(&w, call, &errs))
		return tell(call, &w);
	for (unsigned i = 0; own.len && i < errs.count; i++)
		name_option(&errs.list[i]);
	return errors_print(&errs);
}

const struct command command_plan = {
	.name = "plan",
	.arguments = "[FILE|NAME…]",
	.summary = "predict what a scenario will do and what it needs; runs nothing",
	.details =
		"Nothing is run and no privilege is needed: each case is predicted by arithmetic,\n"
		"which is shown. Without a file the options describe the load: lastport plan\n"
		"--rate 500/s.\n"
		"Exit status 1: a line of `expect` cannot hold, by the prediction; 3: this "
		"machine\n"
		"cannot give what a case needs.\n",
	.most = ARGUMENTS_ANY,
	.opts = opts,
	.options_bytes = sizeof(struct plan_options),
	.run = plan_run,
};
