#include "cmd/command.h"

const struct command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "cmd/commands.def"
	NULL,
};

const struct command *command_find(struct text name)
{
	for (const struct command *const *c = commands; *c; c++)
		if (text_is(name, (*c)->name))
			return *c;
	return NULL;
}

bool command_unknown(struct text name, struct err *err)
{
	unsigned best = text_slip(name) + 1;
	const char *near = NULL;

	if (text_starts(name, TEXT("-"))) {
		err_set(err, ERR_USAGE, TEXT_FMT " stands before a command", TEXT_ARG(name));
		return err_hint(err, "Options come after the command: `lastport COMMAND --help` "
				     "lists its own.");
	}
	for (const struct command *const *c = commands; *c; c++) {
		unsigned d = text_distance(name, text_of((*c)->name), best);

		if (d < best) {
			best = d;
			near = (*c)->name;
		}
	}
	err_set(err, ERR_USAGE, "there is no command \"" TEXT_FMT "\"", TEXT_ARG(name));
	if (near)
		return err_hint(err, "Did you mean %s?", near);
	return err_hint(err, "`lastport --help` lists the commands.");
}
