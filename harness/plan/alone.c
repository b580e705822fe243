#include "plan/alone.h"

bool alone_asks(const struct scenario *s, enum protocol protocol)
{
	for (size_t i = 0; i < scenario_loads(s); i++) {
		const struct load *l = scenario_load(s, i);

		if (l->protocol == protocol && l->request.send > 0)
			return true;
	}
	return false;
}

struct scenario alone_of(const struct scenario *s, const struct load *load)
{
	struct scenario alone = *s;

	alone.load = *load;
	if (s->server.behaviour == BEHAVIOUR_CLOSE && load->request.send == 0 &&
	    alone_asks(s, PROTOCOL_TCP))
		alone.server.behaviour = BEHAVIOUR_ANSWER;
	return alone;
}
