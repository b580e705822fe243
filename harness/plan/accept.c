#include "plan/accept.h"

#include "base/order.h"
#include "plan/budget.h"
#include "plan/shape.h"

/* What ends it, an answer or the far end's FIN, comes no sooner than it is accepted. */
static bool is_waited_for(const struct scenario *s)
{
	enum behaviour far = s->server.behaviour;
	const struct load *l = &s->load;
	bool closes =
		load_ends(l, END_CLOSE) || load_ends(l, END_SHUTDOWN) || load_ends(l, END_WAIT);

	return behaviour_does(far, DOES_END) || (far == BEHAVIOUR_ANSWER && closes) ||
	       (behaviour_does(far, DOES_SERVE) && l->request.receive > 0);
}

/* Of a load, those that wait at once, at most. */
static uint64_t waiting_most(const struct scenario *s, const struct load *l)
{
	struct shape shape = shape_make(l);

	return load_is_open(l) ? load_begins_most(l, &shape, s->stop.time) : concurrency_of(l);
}

static uint64_t all_waiting_most(const struct scenario *s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->loads.count; i++)
		n += waiting_most(s, &s->loads.list[i].load);
	return s->loads.count ? n : waiting_most(s, &s->load);
}

/* Does each that comes find that the one before it was accepted long ago? */
static bool keeps_up(const struct scenario *s)
{
	struct shape shape = shape_make(&s->load);

	return s->loads.count <= 1 && load_is_open(&s->load) && shape.burst == 0 &&
	       2 * shape_asks(&shape) * (double)s->server.accept_every <= 1e9;
}

int64_t accept_wait_ns(const struct scenario *s)
{
	int64_t every = s->server.accept_every, until = later(s->stop.time - s->load.start, 0);
	uint64_t waiting;

	if (every == 0 || s->load.protocol != PROTOCOL_TCP || !is_waited_for(s))
		return 0;
	if (keeps_up(s))
		return every;
	waiting = all_waiting_most(s);
	return waiting < (uint64_t)(until / every) ? (int64_t)waiting * every : until;
}
