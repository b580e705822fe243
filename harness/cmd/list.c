#include "cmd/command.h"
#include "cmd/library.h"

enum { TITLE_COL = 26 };

static void write_entry(struct out *out, struct text name, struct arena scratch)
{
	struct scenario_file file;
	struct errs errs = {0};
	bool ok = library_load(&file, name.s, &scratch, &errs);

	out_escaped(out, name);
	out_pad(out, name.len + 2 < TITLE_COL ? TITLE_COL - name.len : 2);
	if (ok)
		out_escaped(out, file.cases[0].top.title);
	else
		out_z(out, "(has mistakes: see lastport check)");
	out_z(out, "\n");
}

static int list_run(struct command_call *call, struct err *err)
{
	struct library_list list = library_names(call->arena);

	if (list.count == 0) {
		err_set(err, ERR_USAGE, "there are no scenarios in %s", list.directory);
		err_hint(err, "Set LASTPORT_SCENARIOS to a directory of .yaml files, or install "
			      "lastport.");
	}
	for (size_t i = 0; i < list.count; i++)
		write_entry(call->out, list.names[i], *call->arena);
	return STATUS_OK;
}

const struct command command_list = {
	.name = "list",
	.arguments = "",
	.summary = "list the scenarios of the library, and what each shows",
	.details = "The library is $LASTPORT_SCENARIOS if that is set, else scenarios/ of the "
		   "checkout\n"
		   "in which lastport was built, else the installed one.\n",
	.run = list_run,
};
