#include "plan/datagram.h"

#include <math.h>

#include "base/order.h"
#include "plan/answer.h"

/* Where some answers come in time, and some perhaps not: what is given up is not held. */
static int64_t waited_mean_ns(const struct scenario *s)
{
	struct span answer = answer_span(s);
	double timeout = (double)s->load.timeout, least = (double)answer.least, in_time = 1;

	if (answer.most > s->load.timeout)
		in_time = answer.least < answer.most
				  ? fmax(timeout - least, 0) / (double)(answer.most - answer.least)
				  : 0;
	return (int64_t)(answer_mean_ns(s, s->load.timeout) + in_time * (double)s->load.hold);
}

struct span datagram_answered(const struct scenario *s)
{
	const struct load *l = &s->load;
	struct span answer = answer_span(s);
	bool is_told;

	if (l->request.receive == 0)
		return span_of(l->hold);
	if (answer_comes(s))
		return (struct span){l->hold + answer.least, l->hold + answer.most,
				     l->hold + answer.mean};
	if (!answer_fails(s))
		return (struct span){sooner(l->hold + answer.least, l->timeout),
				     l->hold + l->timeout, waited_mean_ns(s)};
	is_told = s->server.behaviour == BEHAVIOUR_REFUSE && l->connected;
	return span_between(is_told ? 0 : l->timeout, l->timeout);
}

/* Does a far end that answers cease to before the run ends? */
static bool ceases(const struct scenario *s)
{
	return (s->server.die > 0 && s->server.die < s->stop.time) ||
	       (s->server.vanish > 0 && s->server.vanish < s->stop.time);
}

/* What comes after the server's end is as where nobody listens, and after its host's as where nobody is. */
struct span datagram_live(const struct scenario *s)
{
	struct span live = datagram_answered(s);
	bool waits = s->load.request.receive > 0 && ceases(s);

	if (!waits)
		return live;
	return span_between(s->load.connected ? 0 : live.least, later(live.most, s->load.timeout));
}
