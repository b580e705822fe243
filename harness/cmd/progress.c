#include "cmd/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/unit.h"
#include "cmd/options.h"
#include "sys/clock.h"

#define UPDATE_NS INT64_C(250000000)

enum { WIDTH_UNKNOWN = 79 };

struct progress progress_open(int use, bool quiet)
{
	return (struct progress){.on = use_progress(use) && (use == USE_ALWAYS || !quiet)};
}

static void write_figure(struct out *out, const char *label, uint64_t n)
{
	char text[UNIT_PRINTED];

	out_fmt(out, "  %s %s", unit_count_pretty(text, n), label);
}

static void write_job(struct out *out, const struct job *j, int64_t now_ns)
{
	const struct pulse *p = &j->pulse;
	uint64_t refused = atomic_load(&p->refused);
	char text[UNIT_PRINTED];

	out_text(out, j->scenario->top.name);
	if (j->scenario->case_at.line) {
		out_z(out, "/");
		out_text(out, j->scenario->case_name);
	}
	write_figure(out, "opened", atomic_load(&p->opened));
	write_figure(out, "open", atomic_load(&p->open));
	write_figure(out, "failed", atomic_load(&p->failed));
	if (refused)
		write_figure(out, "of them for want of a port", refused);
	out_fmt(out, "  %s", unit_time_pretty(text, now_ns - j->begin_ns));
}

/* A line that is wider than the terminal would go on in the next, and could not be wiped. All
 * of it is ASCII. */
static size_t width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
		return size.ws_col - 1u;
	return WIDTH_UNKNOWN;
}

static void write_line(struct out *out, const struct jobs *jobs, int64_t now_ns)
{
	const struct job *running = NULL;
	unsigned done = 0;

	for (unsigned i = 0; i < jobs->count; i++) {
		int state = jobs->list[i].state;

		done += state == JOB_DONE;
		if (state == JOB_RUNNING && !running)
			running = &jobs->list[i];
	}
	if (jobs->count > 1)
		out_fmt(out, "[%u/%u] ", done + (running != NULL), jobs->count);
	if (running)
		write_job(out, running, now_ns);
}

void progress_tick(void *progress, const struct jobs *jobs)
{
	struct progress *p = progress;
	int64_t now = clock_now();
	char text[512], buffer[512];
	struct out line = out_memory(text, sizeof(text)),
		   out = out_to(STDERR_FILENO, buffer, sizeof(buffer));
	size_t most;

	if (!p->on || now < p->next_ns)
		return;
	p->next_ns = now + UPDATE_NS;
	most = width();
	write_line(&line, jobs, now);
	out_z(&out, "\r\033[K");
	out_text(&out, (struct text){text, line.len < most ? line.len : most});
	out_flush(&out);
	p->shown = true;
}

void progress_wipe(struct progress *p)
{
	if (p->shown && write(STDERR_FILENO, "\r\033[K", 4) < 0)
		p->on = false;
	p->shown = false;
}
