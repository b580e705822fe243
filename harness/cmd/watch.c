#include <unistd.h>

#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/signals.h"
#include "cmd/watch_tell.h"
#include "report/page.h"
#include "sys/facts.h"

struct watch_options {
	bool once;
	const char *to;
	uint64_t top;
	int color;
};

static const struct opt opts[] = {
	OPT(struct watch_options, once, 0, "once", .help = "look once, and end"),
	OPT(struct watch_options, to, 0, "to", .argument = "ADDRESS[:PORT]", .once = true,
	    .help = "show what goes there alone", .also = "dst"),
	OPT(struct watch_options, top, 'n', "top", .argument = "N",
	    .help = "show the N fullest destinations", .fallback = "10", .lowest = 1,
	    .highest = 1000),
	OPT(struct watch_options, color, 0, "color", .argument = "WHEN",
	    .help = "colour what is full: auto, always, never", .fallback = "auto",
	    .choices = use_words),
	OPTS_END,
};

#define LOOK_NS INT64_C(1000000000) /* to the next that is shown */

/* A terminal that shows the last look goes back to its top; what is piped gets one look below
 * the other. */
static const char clear[] = "\033[H\033[J";

/* NULL and an err: it is none. */
static const struct remote *remote_of(const struct watch_options *o, struct remote *to,
				      struct err *err)
{
	if (address_port_read(text_of(o->to), &to->address, &to->port))
		return to;
	err_set(err, ERR_USAGE, "--to cannot be \"%s\"", o->to);
	err_hint(err, "Write an address, or an address and a port, such as 10.0.0.1:443 or "
		      "[2001:db8::1]:443.");
	return NULL;
}

static int run(struct command_call *call, struct err *err)
{
	const struct watch_options *o = call->options;
	struct remote remote;
	const struct remote *to = o->to ? remote_of(o, &remote, err) : NULL;
	const volatile sig_atomic_t *interrupted = signals_watch();
	struct host *host = ARENA_NEW(call->arena, struct host);
	struct watch w;
	bool again = isatty(STDOUT_FILENO) && !o->once;

	if (err->kind || !host_read(host, err))
		return 0;
	call->out->colour = use_colour(o->color);
	if (!watch_open(&w, host, to, (uint32_t)o->top, call->arena, err))
		return 0;
	if (!watch_look(&w, err))
		return 0;
	do {
		if (again)
			out_z(call->out, clear);
		watch_tell(call->out, &w);
		if (o->once || !out_flush(call->out))
			break;
		if (!watch_follow(&w, LOOK_NS, interrupted, err))
			return 0;
	} while (!*interrupted);
	if (*interrupted)
		signals_raise(*interrupted);
	return STATUS_OK;
}

const struct command command_watch = {
	.name = "watch",
	.arguments = "",
	.summary = "show who holds the ports of this host or namespace; changes nothing",
	.details =
		"Reads the kernel's table of TCP sockets up to ten times a second, as 2 % of\n"
		"a core allow, and shows each second how full the range is towards each\n"
		"destination. Run it with `nsenter -n -t PID` to see another network namespace.\n"
		"Processes are named where we may look at them (all of them, as root); a\n"
		"connection in TIME_WAIT, where it was seen before it was closed.\n",
	.opts = opts,
	.options_bytes = sizeof(struct watch_options),
	.run = run,
};
