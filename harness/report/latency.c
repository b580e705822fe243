#include "report/latency.h"

#include "base/unit.h"
#include "report/block.h"
#include "report/draft.h"

/* From so many times on it is told that one half takes longer than the other. */
enum { CLIFF_LEAST = 2 };

bool latency_has_cliff(const struct measures *m)
{
	const struct value *cliff = &m->fixed[MEASURE_LATENCY_CLIFF];

	return cliff->present && cliff->n >= CLIFF_LEAST;
}

static void add_time(struct out *to, double ns)
{
	char text[UNIT_PRINTED];

	out_z(to, unit_time_pretty(text, (int64_t)ns));
}

static void add_cliff(struct out *to, const struct measures *m)
{
	char times[UNIT_PRINTED];

	if (!latency_has_cliff(m))
		return;
	out_z(to, ". The cliff: ");
	add_time(to, m->fixed[MEASURE_LATENCY_LOWER].n);
	out_z(to, " while the half of the range that the kernel tries first had a free port, ");
	add_time(to, m->fixed[MEASURE_LATENCY_UPPER].n);
	out_fmt(to, " once it was full, %s times as long: each connect walks all of it first",
		unit_ratio_pretty(times, m->fixed[MEASURE_LATENCY_CLIFF].n));
}

static void add_refused(struct out *to, const struct measures *m)
{
	const struct value *refused = &m->fixed[MEASURE_LATENCY_REFUSED];

	if (!refused->present)
		return;
	out_z(to, to->len ? ". One" : "one");
	out_z(to, " that finds no port takes ");
	add_time(to, refused->n);
}

void block_latency(struct out *out, const struct result_run *run)
{
	const struct measures *m = &run->measures;
	struct draft d;
	struct out *to = draft_begin(&d);

	if (m->fixed[MEASURE_LATENCY_P50].present) {
		add_time(to, m->fixed[MEASURE_LATENCY_P50].n);
		out_z(to, " a connect (p50), ");
		add_time(to, m->fixed[MEASURE_LATENCY_P99].n);
		out_z(to, " (p99), ");
		add_time(to, m->fixed[MEASURE_LATENCY_MAX].n);
		out_z(to, " at most");
		add_cliff(to, m);
	}
	add_refused(to, m);
	draft_print(&d, out, "  latency");
}

void block_latency_by_fill(struct out *out, const struct result_run *run)
{
	const char *label = "  by fill";

	for (int i = 0; run->latency && i < FILLS; i++) {
		const struct histogram *h = &run->latency->fills[i];
		struct draft d;
		struct out *to = draft_begin(&d);

		if (h->count == 0)
			continue;
		out_fmt(to, "to %d %%: ", (i + 1) * 100 / FILLS);
		add_time(to, (double)histogram_at(h, 0.5));
		out_z(to, " (p50), ");
		add_time(to, (double)histogram_at(h, 0.99));
		out_fmt(to, " (p99) of %llu", (unsigned long long)h->count);
		draft_print(&d, out, label);
		label = "";
	}
}
