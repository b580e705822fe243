#include "plan/answer.h"

#include "plan/speed.h"

struct span answer_span(const struct scenario *s)
{
	double delay = (double)s->server.delay, by = delay * s->server.jitter;

	return (struct span){(int64_t)(delay - by), (int64_t)(delay + by), s->server.delay};
}

double answer_mean_ns(const struct scenario *s, int64_t until)
{
	struct span answer = answer_span(s);
	double least = (double)answer.least, most = (double)answer.most, end = (double)until;

	if (most <= end)
		return (double)answer.mean;
	if (end <= least)
		return end;
	return ((end + least) / 2 * (end - least) + end * (most - end)) / (most - least);
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
