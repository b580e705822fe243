#include "cmd/command.h"
#include "cmd/errors.h"
#include "cmd/library.h"

struct show_options {
	const char *case_name;
	bool no_origins;
};

static const struct opt opts[] = {
	OPT(struct show_options, case_name, 0, "case", .argument = "NAME",
	    .help = "the case to show", .fallback = "base"),
	OPT(struct show_options, no_origins, 0, "no-origins",
	    .help = "leave out the comments that say where each value was written"),
	OPTS_END,
};

static int show_run(struct command_call *call, struct err *err)
{
	const struct show_options *options = call->options;
	const struct scenario *scenario;
	struct scenario_file file;
	struct errs errs = {0};

	if (!library_load(&file, call->arguments[0], call->arena, &errs))
		return errors_print(&errs);
	scenario = library_case(&file, options->case_name, err);
	if (scenario)
		scenario_write(call->out, scenario, !options->no_origins);
	return STATUS_OK;
}

const struct command command_show = {
	.name = "show",
	.arguments = "FILE|NAME",
	.summary = "print a scenario as it would run, and where each value is from",
	.details = "What is printed is a scenario itself. `-` reads from stdin.\n",
	.least = 1,
	.most = 1,
	.opts = opts,
	.options_bytes = sizeof(struct show_options),
	.run = show_run,
};
