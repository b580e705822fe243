#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/errors.h"
#include "cmd/help.h"
#include "cmd/options.h"

/* Address space, not memory: pages come as they are written to. */
static const size_t arena_bytes = (size_t)1 << 30;

/* A file must not be opened as a stdout that the caller has closed, and then be written to.
 * What stands in cannot be written, so that the loss is told. */
static void fill_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)!open("/dev/null", O_RDONLY);
}

static int run_command(struct command_call *call, struct err *err)
{
	struct text name = text_of(call->argv[1]);
	const struct command *command = command_find(name);
	bool help = false;

	if (!command) {
		command_unknown(name, err);
		return STATUS_USAGE;
	}
	if (!options_read(command, call->argc - 1, call->argv + 1, call, &help, err))
		return STATUS_USAGE;
	if (help) {
		help_write_command(call->out, command);
		return STATUS_OK;
	}
	return command->run(call, err);
}

static int run(struct command_call *call, struct err *err)
{
	const char *first = call->argc > 1 ? call->argv[1] : "";

	if (call->argc < 2) {
		err_set(err, ERR_USAGE, "a command is missing");
		err_hint(err, "`lastport --help` lists the commands.");
		return STATUS_USAGE;
	}
	if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0)
		help_write(call->out);
	else if (strcmp(first, "--version") == 0)
		out_fmt(call->out, "lastport %s\n", lastport_version());
	else
		return run_command(call, err);
	return STATUS_OK;
}

int main(int argc, char **argv)
{
	char buffer[8192];
	struct out out = out_to(STDOUT_FILENO, buffer, sizeof(buffer));
	struct arena arena;
	struct command_call call = {.argc = argc, .argv = argv, .out = &out, .arena = &arena};
	struct err err = {0}, lost = {0};
	int status;

	signal(SIGPIPE, SIG_IGN); /* a reader that has gone is a failed write, */
	signal(SIGXFSZ, SIG_IGN); /* and so is a file at its limit (ulimit -f) */
	fill_streams();
	if (!arena_open(&arena, arena_bytes)) {
		err_sys(&err, errno, "could not reserve memory");
		return error_print(&err);
	}
	status = run(&call, &err);
	if (!out_flush(&out))
		err_sys(&lost, out.sys, "could not write to stdout");
	if (err.kind != ERR_NONE)
		status = error_print(&err);
	if (lost.kind != ERR_NONE) /* who reads a page's head alone knows that */
		status = out.sys == EPIPE ? STATUS_TROUBLE : error_print(&lost);
	arena_close(&arena);
	return status;
}
