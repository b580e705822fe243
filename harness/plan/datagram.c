#include "plan/datagram.h"

#include "base/order.h"
#include "plan/answer.h"

struct span datagram_answered(const struct scenario *s)
{
	const struct load *l = &s->load;
	struct span answer = answer_span(s);
	bool is_told;

	if (l->request.receive == 0)
		return (struct span){l->hold, l->hold};
	if (answer_comes(s))
		return (struct span){l->hold + answer.least, l->hold + answer.most};
	if (!answer_fails(s))
		return (struct span){sooner(l->hold + answer.least, l->timeout),
				     l->hold + l->timeout};
	is_told = s->server.behaviour == BEHAVIOUR_REFUSE && l->connected;
	return (struct span){is_told ? 0 : l->timeout, l->timeout};
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
	return (struct span){s->load.connected ? 0 : live.least, later(live.most, s->load.timeout)};
}
