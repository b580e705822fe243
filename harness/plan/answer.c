#include "plan/answer.h"

#include "plan/speed.h"

struct span answer_span(const struct scenario *s)
{
	double delay = (double)s->server.delay, by = delay * s->server.jitter;

	return (struct span){(int64_t)(delay - by), (int64_t)(delay + by)};
}

bool answer_comes(const struct scenario *s)
{
	return s->load.request.receive == 0 ||
	       (behaviour_does(s->server.behaviour, DOES_SERVE) &&
		answer_span(s).most + SPEED_STALL_NS < s->load.timeout);
}

bool answer_fails(const struct scenario *s)
{
	return s->load.request.receive > 0 &&
	       (!behaviour_does(s->server.behaviour, DOES_SERVE) ||
		answer_span(s).least > s->load.timeout + SPEED_STALL_NS);
}
