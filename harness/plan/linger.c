#include "plan/linger.h"

#include <math.h>

#include "plan/datagram.h"
#include "plan/life.h"
#include "plan/speed.h"

enum { LAST_ACKS = 8 };

/* One that waits for the close does not, and its own RST frees the port. */
bool linger_grows(const struct scenario *s)
{
	const struct load *l = &s->load;
	bool closes = load_ends(l, END_CLOSE) && life_end(l, END_CLOSE) == END_CLOSE;

	return behaviour_does(s->server.behaviour, DOES_END) &&
	       (closes || load_ends(l, END_LEAK) || load_ends(l, END_INHERIT));
}

double linger_most(const struct scenario *s)
{
	const struct load *l = &s->load;
	double round = (double)datagram_answered(s).least + (double)l->request.pause;

	if (load_is_open(l) || l->protocol != PROTOCOL_TCP || !life_opens(s))
		return 0;
	if (!linger_grows(s))
		return LAST_ACKS;
	if (round <= 0 || s->server.accept_every > 0)
		return INFINITY;
	return LAST_ACKS + concurrency_of(l) * floor((double)SPEED_STALL_NS / round);
}
