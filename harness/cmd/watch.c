#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/signals.h"
#include "report/look.h"
#include "report/page.h"
#include "sys/facts.h"
#include "sys/netns.h"
#include "watch/watch.h"

struct watch_options {
	bool once, json;
	const char *to, *netns;
	uint64_t top, pid;
	int color;
};

static const struct opt opts[] = {
	OPT(struct watch_options, once, 0, "once", .help = "look once, and end"),
	OPT(struct watch_options, json, 0, "json",
	    .help = "print a line of JSON for each look (results/README.md)"),
	OPT(struct watch_options, pid, 'p', "pid", .argument = "PID", .once = true,
	    .help = "look into the network namespace of PID, and show where it and its children "
		    "connect to",
	    .lowest = 1, .highest = 1 << 22),
	OPT(struct watch_options, netns, 0, "netns", .argument = "NAME|PATH", .once = true,
	    .help = "look into this network namespace: a name of `ip netns`, or a path",
	    .also = "ns"),
	OPT(struct watch_options, to, 0, "to", .argument = "ADDRESS[:PORT]", .once = true,
	    .help = "show only what goes to this destination", .also = "dst"),
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

enum { SHOWN_MOST = 1 << 18 }; /* bytes: no terminal shows as much at once */

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

/* Where to look from then on. */
static bool enter(const struct watch_options *o, struct err *err)
{
	if (o->pid && o->netns) {
		err_set(err, ERR_USAGE, "--pid and --netns both name a network namespace");
		return err_hint(err, "Leave one out: a process is looked for in its own.");
	}
	return (!o->pid || netns_join_process((int32_t)o->pid, err)) &&
	       (!o->netns || netns_join(o->netns, err));
}

/* As much as the terminal has lines for: what it scrolls past its top nobody sees, and that is the head, and
 * the fullest. */
static void show(struct out *out, const struct look *l, struct arena scratch)
{
	static const char more[] = "  (more in a taller window, or with --top)";
	struct out page = out_memory(ARENA_ARRAY(&scratch, char, SHOWN_MOST), SHOWN_MOST);
	struct winsize size = {0};
	struct text all;
	size_t fits;

	page.colour = out->colour;
	look_write(&page, l);
	all = out_written(&page);
	fits = all.len;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1 && size.ws_col > 0)
		fits = page_fit(all, size.ws_row - 1U, size.ws_col);
	out_z(out, clear);
	out_text(out, (struct text){all.s, fits});
	if (fits < all.len)
		out_fmt(out, "%.*s", size.ws_col - 1, more);
}

static bool tell(struct command_call *call, const struct watch *w, bool again, struct err *err)
{
	const struct watch_options *o = call->options;
	const struct look *l = &w->look;

	if (o->json)
		return look_write_json(call->out, l) ||
		       err_sys(err, ENOMEM, "could not write a look");
	if (again)
		show(call->out, l, *call->arena);
	else
		(l->totals.known ? look_write_totals : look_write)(call->out, l);
	return true;
}

/* Look after look, until a signal, or nobody reads any more: main() tells of that. */
static bool go_on(struct command_call *call, struct watch *w, struct err *err)
{
	const struct watch_options *o = call->options;
	const volatile sig_atomic_t *interrupted = signals_watch();
	bool again = isatty(STDOUT_FILENO) && !o->once && !o->json;

	while (tell(call, w, again, err)) {
		if (o->once || !out_flush(call->out))
			break;
		if (!watch_follow(w, LOOK_NS, interrupted, err))
			return false;
		if (*interrupted)
			signals_raise(*interrupted);
	}
	return err->kind == ERR_NONE;
}

static int run(struct command_call *call, struct err *err)
{
	const struct watch_options *o = call->options;
	struct remote remote;
	const struct remote *to = o->to ? remote_of(o, &remote, err) : NULL;
	struct host *host = ARENA_NEW(call->arena, struct host);
	struct watch_wish wish = {
		.host = host, .to = to, .most = (uint32_t)o->top, .pid = (int32_t)o->pid};
	struct watch w;

	if (err->kind || !enter(o, err) || !host_read(host, err))
		return 0;
	call->out->colour = use_colour(o->color);
	if (!watch_open(&w, &wish, call->arena, err))
		return 0;
	if (watch_look(&w, err))
		go_on(call, &w, err);
	watch_close(&w);
	return STATUS_OK;
}

const struct command command_watch = {
	.name = "watch",
	.arguments = "",
	.summary = "show who holds the ports of this host or a namespace; changes nothing",
	.details =
		"Reads the kernel's table of TCP sockets, at most ten times a second, and then\n"
		"pauses for 50 times what the reading took of a core: 2 % on average. (The first\n"
		"costs most, and only the pauses after the second make up for it: in the first\n"
		"seconds it is more.) Each second it shows for each destination how full the\n"
		"range is, how fast it fills, what fills it, and what to do about that; where\n"
		"reading the table takes too long for that, only totals in between.\n"
		"A process is named where lastport may look at it (as root, at all of them);\n"
		"where there are thousands, lastport looks for them less often. A\n"
		"connection in TIME_WAIT is of no process any more: one is named only if it was\n"
		"seen before the close. Rates are of the last ten seconds, or of opened\n"
		"connections of the time since the first look; a single look (--once) knows those\n"
		"of closed connections alone. When ports end is told if both halves of that time\n"
		"have them end; a leak, if hardly any connection was closed for a minute.\n"
		"Exit status 2: there is no such process or namespace; 3: no right to look there;\n"
		"4: the kernel could not be asked.\n",
	.opts = opts,
	.options_bytes = sizeof(struct watch_options),
	.run = run,
};
