#include "cmd/command.h"
#include "cmd/errors.h"
#include "cmd/library.h"
#include "cmd/plan.h"
#include "sys/facts.h"

/* What cannot be is found by planning too: addresses that nobody has, more ports than there are.
 * What this machine alone cannot give is no mistake of the file. */
static bool cases_can_be(const struct scenario_file *file, struct arena *arena, struct errs *errs)
{
	struct host host;

	host_read_limits(&host);
	host.counters[0] = '\0'; /* another kernel may have them */
	for (size_t i = 0; i < file->count; i++) {
		struct planned planned;
		struct err err = {0}, *e;

		if (planned_make(&planned, &file->cases[i], &host, 1, arena, &err))
			continue;
		e = errs_next(errs);
		if (e)
			*e = err;
	}
	return errs->count == 0;
}

static int check_run(struct command_call *call, struct err *err)
{
	int worst = STATUS_OK;

	(void)err;
	for (size_t i = 0; i < call->count; i++) {
		struct arena scratch = *call->arena;
		struct scenario_file file;
		struct errs errs = {0};

		if (library_load(&file, call->arguments[i], &scratch, &errs) &&
		    cases_can_be(&file, &scratch, &errs)) {
			out_escaped(call->out, text_of(call->arguments[i]));
			out_fmt(call->out, ": ok, %zu %s\n", file.count,
				file.count == 1 ? "case" : "cases");
			continue;
		}
		out_flush(call->out); /* so that both streams tell it in order */
		if (errors_print(&errs) > worst)
			worst = errors_status(&errs);
	}
	return worst;
}

const struct command command_check = {
	.name = "check",
	.arguments = "FILE|NAME…",
	.summary = "check scenario files, and show every mistake",
	.details = "Nothing is run. `-` reads from stdin. Every mistake is shown with its line;\n"
		   "the exit status is 2 if there is one.\n",
	.least = 1,
	.most = ARGUMENTS_ANY,
	.run = check_run,
};
