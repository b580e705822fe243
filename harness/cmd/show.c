#include "cmd/command.h"
#include "cmd/errors.h"
#include "cmd/library.h"
#include "cmd/plan.h"
#include "sys/facts.h"

struct show_options {
	const char *case_name;
	bool no_origins, plan;
	uint64_t seed;
};

static const struct opt opts[] = {
	OPT(struct show_options, case_name, 0, "case", .argument = "NAME", .once = true,
	    .help = "the case to show", .fallback = "base"),
	OPT(struct show_options, no_origins, 0, "no-origins",
	    .help = "leave out the comments that say where each value was written"),
	OPT(struct show_options, plan, 0, "plan",
	    .help = "add what `lastport plan` says of it, as comments"),
	OPT(struct show_options, seed, 0, "seed", .argument = "N",
	    .help = "with --plan: the seed that `lastport run` would be given",
	    .fallback = SEED_FALLBACK),
	OPTS_END,
};

/* As comments, so that what is printed goes on to be a scenario. */
static int show_plan(struct command_call *call, const struct scenario *s, struct err *err)
{
	enum { ROOM = 1 << 16 };
	struct out memory = out_memory(ARENA_ARRAY(call->arena, char, ROOM), ROOM);
	const struct show_options *options = call->options;
	struct planned planned;
	struct host host;
	struct text rest, line;

	host_read_limits(&host);
	if (!planned_make(&planned, s, &host, options->seed, call->arena, err))
		return STATUS_USAGE;
	plan_write_text(&memory, &planned, *call->arena);
	rest = out_written(&memory);
	while (text_cut(&rest, '\n', &line))
		out_fmt(call->out, "# " TEXT_FMT "\n", TEXT_ARG(line));
	return planned.err.kind ? STATUS_HOST : STATUS_OK;
}

static int show_run(struct command_call *call, struct err *err)
{
	const struct show_options *options = call->options;
	const struct scenario *scenario;
	struct scenario_file file;
	struct errs errs = {0};

	if (!library_load(&file, call->arguments[0], call->arena, &errs))
		return errors_print(&errs);
	scenario = library_case(&file, options->case_name, err);
	if (!scenario)
		return STATUS_USAGE;
	scenario_write(call->out, scenario, !options->no_origins);
	return options->plan ? show_plan(call, scenario, err) : STATUS_OK;
}

const struct command command_show = {
	.name = "show",
	.arguments = "FILE|NAME",
	.summary = "print a scenario with every default, and where each value is from",
	.details = "What is printed is a scenario itself. `-` reads from stdin.\n",
	.least = 1,
	.most = 1,
	.opts = opts,
	.options_bytes = sizeof(struct show_options),
	.run = show_run,
};
