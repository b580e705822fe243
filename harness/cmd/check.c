#include "cmd/command.h"
#include "cmd/errors.h"
#include "cmd/library.h"

static int check_run(struct command_call *call, struct err *err)
{
	int worst = STATUS_OK;

	(void)err;
	for (size_t i = 0; i < call->count; i++) {
		struct arena scratch = *call->arena;
		struct scenario_file file;
		struct errs errs = {0};

		if (library_load(&file, call->arguments[i], &scratch, &errs)) {
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
	.summary = "say whether scenario files are right, and where they are not",
	.details = "Nothing is run. `-` reads from stdin. Every mistake is shown with its line;\n"
		   "the exit status is 2 if there is one.\n",
	.least = 1,
	.most = ARGUMENTS_ANY,
	.run = check_run,
};
