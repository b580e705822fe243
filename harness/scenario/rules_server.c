/* Rules: what the far end can do for a load, and where. */
#include "scenario/rule.h"

/* The last request that a connection is to carry says so (drive/wire.h); one without a bound has
 * no last. */
static bool keeps_in_vain(const struct scenario *s)
{
	return s->server.behaviour == BEHAVIOUR_CLOSE && s->load.pool.max_idle > 0 &&
	       s->load.request.per_connection == 0;
}

static bool waits_in_vain(const struct scenario *s)
{
	return load_ends(&s->load, END_WAIT) && behaviour_does(s->server.behaviour, DOES_LISTEN) &&
	       !behaviour_does(s->server.behaviour, DOES_END);
}

static bool drops_on_loopback(const struct scenario *s)
{
	return s->server.behaviour == BEHAVIOUR_DROP && s->network.topology == TOPOLOGY_LOOPBACK;
}

static bool vanishes_on_loopback(const struct scenario *s)
{
	return s->server.vanish && s->network.topology == TOPOLOGY_LOOPBACK;
}

static bool vanishes_in_vain(const struct scenario *s)
{
	return s->server.vanish && s->server.behaviour == BEHAVIOUR_DROP;
}

static bool queues_in_vain(const struct scenario *s)
{
	return s->server.backlog && !behaviour_does(s->server.behaviour, DOES_LISTEN);
}

static bool accepts_in_vain(const struct scenario *s)
{
	return s->server.accept_every && !behaviour_does(s->server.behaviour, DOES_ACCEPT);
}

static bool delays_in_vain(const struct scenario *s)
{
	return s->server.delay && !behaviour_does(s->server.behaviour, DOES_SERVE) &&
	       s->server.behaviour != BEHAVIOUR_LOOP;
}

static bool varies_in_vain(const struct scenario *s)
{
	return s->server.jitter > 0 && s->server.delay == 0 &&
	       !is_taken_back(s, s->server.at.jitter, s->server.at.delay);
}

static bool dies_in_vain(const struct scenario *s)
{
	return s->server.die && !behaviour_does(s->server.behaviour, DOES_LISTEN);
}

/* One namespace has one value of each. */
static bool sets_on_loopback(const struct scenario *s)
{
	return s->server.sysctl.count > 0 && s->network.topology == TOPOLOGY_LOOPBACK &&
	       !is_taken_back(s, s->server.at.sysctl, s->network.at.topology);
}

static const struct rule rules[] = {
	{keeps_in_vain,
	 {AT(server, behaviour), AT(load.pool, max_idle)},
	 "server.behaviour: close leaves load.pool nothing to keep",
	 "The server closes after each answer: let it serve more with "
	 "load.request.per_connection, or choose another behaviour."},
	{waits_in_vain,
	 {AT(load, end), AT(server, behaviour), AT(load, mix)},
	 "load.end: wait needs a far end that closes first",
	 "Set server.behaviour to close, accept-close or reset: with others each wait would time "
	 "out."},
	{drops_on_loopback,
	 {AT(server, behaviour), AT(network, topology)},
	 "server.behaviour: drop needs a network between two hosts",
	 "Use network.topology: veth: what is sent to this host itself cannot get lost."},
	{vanishes_on_loopback,
	 {AT(server, vanish), AT(network, topology)},
	 "server.vanish needs a network between two hosts",
	 "Use network.topology: veth: on loopback the client's host would vanish with it."},
	{vanishes_in_vain,
	 {AT(server, vanish), AT(server, behaviour)},
	 "server.vanish needs a far end that is there",
	 "With server.behaviour: drop no packet passes from the beginning: keep one of the two."},
	{queues_in_vain,
	 {AT(server, backlog), AT(server, behaviour)},
	 "server.backlog needs a far end that listens",
	 "With server.behaviour: refuse or drop nothing listens: keep one of the two."},
	{accepts_in_vain,
	 {AT(server, accept_every), AT(server, behaviour)},
	 "server.accept_every needs a far end that accepts",
	 "With server.behaviour: never-accept, refuse or drop it never does: keep one of the two."},
	{delays_in_vain,
	 {AT(server, delay), AT(server, behaviour)},
	 "server.delay needs a far end that answers requests",
	 "Set server.behaviour to answer, hold or close; or to loop, which waits that long before "
	 "it closes a connection whose upstream it could not open."},
	{varies_in_vain,
	 {AT(server, jitter), AT(server, delay)},
	 "server.jitter needs server.delay",
	 "Jitter varies the delay: add one, such as delay: 20ms."},
	{dies_in_vain,
	 {AT(server, die), AT(server, behaviour)},
	 "server.die needs a far end that listens",
	 "With server.behaviour: refuse or drop there is no process to die: keep one of the two."},
	{sets_on_loopback,
	 {AT(server, sysctl), AT(network, topology)},
	 "server.sysctl needs a namespace of the server's own",
	 "On loopback client and server share one: set it with network.sysctl, or use "
	 "network.topology: veth."},
};

const struct rules rules_of_server = RULES(rules);
