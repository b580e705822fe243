#include "watch/watch.h"

#include <unistd.h>

#include "base/unit.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/signals.h"
#include "report/page.h"
#include "report/usage.h"
#include "sys/clock.h"
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

#define LOOK_NS INT64_C(1000000000)

/* A terminal that shows the last look goes back to its top; what is piped gets one look below
 * the other. */
static const char clear[] = "\033[H\033[J";

enum { INDENT = 20, LINE_MOST = 2048 };

static void write_row(struct out *out, const struct usage *row)
{
	double fill = row->usable ? (double)usage_used(row) / row->usable : 1;
	char used[UNIT_PRINTED], share[UNIT_PRINTED], figures[2 * UNIT_PRINTED + 8],
		text[LINE_MOST];
	struct out line = out_memory(figures, sizeof(figures) - 1);

	out_fmt(&line, "  %7s  %7s  ", unit_count_pretty(used, usage_used(row)),
		unit_share_pretty(share, fill));
	figures[line.len] = '\0';
	out_paint(out, fill >= 0.9 ? PAINT_BAD : PAINT_NONE, figures);
	usage_way(out, row);
	out_z(out, "\n");
	line = out_memory(text, sizeof(text));
	usage_states(&line, row);
	usage_holders(&line, row);
	page_paragraph(out, "", PAINT_NONE, INDENT, out_written(&line));
}

static void write_head(struct out *out, const struct watch *w)
{
	char n[UNIT_PRINTED];
	bool any = false;

	out_fmt(out, "ports    %s usable (%u-%u) to each destination\n",
		unit_count_pretty(n, w->usable), w->range.lo, w->range.hi);
	out_z(out, "sockets ");
	for (int state = 1; state < STATES; state++) {
		if (w->sample.states[state] == 0)
			continue;
		out_fmt(out, "%s %s %s", any ? "," : "",
			unit_count_pretty(n, w->sample.states[state]), state_name(state));
		any = true;
	}
	out_fmt(out, "%s%s%s\n", any ? "" : " none in the range",
		w->to_one ? " to that destination" : "",
		w->sample.torn ? " (at least: they moved while counted)" : "");
}

static void write_watch(struct out *out, const struct watch *w)
{
	char n[UNIT_PRINTED];

	write_head(out, w);
	if (w->count)
		out_z(out, "     used     full  from -> to\n"
			   "                    sockets, by state; and whose they are\n");
	for (size_t i = 0; i < w->count; i++)
		write_row(out, &w->rows[i]);
	if (w->more)
		out_fmt(out, "  and %s more\n", unit_count_pretty(n, w->more));
	if (w->count && geteuid() != 0)
		out_z(out, "  (to root alone are the processes of other users shown)\n");
}

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
	do {
		if (!watch_look(&w, err))
			return 0;
		if (again)
			out_z(call->out, clear);
		write_watch(call->out, &w);
		if (o->once || !out_flush(call->out))
			break;
		clock_sleep(watch_pause_ns(&w) > LOOK_NS ? watch_pause_ns(&w) : LOOK_NS);
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
		"Reads the kernel's table of TCP sockets once a second, and shows how\n"
		"full the range is towards each destination. Run it with `nsenter -n -t PID` to\n"
		"see another network namespace. Processes are named where we may look at them (all "
		"of\n"
		"them, as root); a connection in TIME_WAIT, where it was seen before it was "
		"closed.\n",
	.opts = opts,
	.options_bytes = sizeof(struct watch_options),
	.run = run,
};
