#include "sense/schedule.h"

struct schedule schedule_begin(int64_t every_ns, int64_t sockets_ns, int64_t now_ns)
{
	return (struct schedule){every_ns, sockets_ns, now_ns, now_ns, now_ns};
}

bool schedule_wants_totals(const struct schedule *s, int64_t now_ns)
{
	return now_ns >= s->totals_due_ns;
}

bool schedule_wants_dump(const struct schedule *s, int64_t now_ns)
{
	return schedule_wants_totals(s, now_ns) && now_ns >= s->dump_due_ns;
}

bool schedule_allows_dump(const struct schedule *s, int64_t now_ns)
{
	return now_ns >= s->dump_allowed_ns;
}

void schedule_beat(struct schedule *s, int64_t now_ns)
{
	int64_t missed = (now_ns - s->totals_due_ns) / s->every_ns;

	if (schedule_wants_totals(s, now_ns))
		s->totals_due_ns += s->every_ns * (1 + missed);
}

/* The last beat before a dump began: what is due a whole number of beats after it must not come to
 * late by how long the thread took to wake up, or every dump would be a beat late. */
static int64_t beat_before(const struct schedule *s, int64_t ns)
{
	int64_t since = (ns - s->totals_due_ns) % s->every_ns;

	return ns - (since < 0 ? since + s->every_ns : since);
}

void schedule_dumped(struct schedule *s, int64_t begin_ns, int64_t cost_ns)
{
	int64_t wished = beat_before(s, begin_ns) + s->sockets_ns;
	int64_t allowed = begin_ns + cost_ns * DUMP_SHARE;

	s->dump_allowed_ns = allowed;
	s->dump_due_ns = wished > allowed ? wished : allowed;
}
