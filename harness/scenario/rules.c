#include "scenario/rules.h"

#include "scenario/places.h"
#include "scenario/source.h"

static bool is_later(struct mark a, struct mark b)
{
	return a.line != b.line ? a.line > b.line : a.col > b.col;
}

static bool both_models(const struct scenario *s)
{
	return s->load.rate > 0 && s->load.concurrency > 0;
}

static bool ramp_of_none(const struct scenario *s)
{
	return s->load.ramp.count > 0 && s->load.concurrency > 0;
}

static bool bursts_on_a_rate(const struct scenario *s)
{
	return s->load.burst.size > 0 && s->load.rate > 0;
}

static bool bursts_on_a_ramp(const struct scenario *s)
{
	return s->load.burst.size > 0 && s->load.ramp.count > 0;
}

static bool bursts_of_none(const struct scenario *s)
{
	return s->load.burst.size > 0 && s->load.concurrency > 0;
}

static bool never_rises(const struct scenario *s)
{
	double most = s->load.rate;

	for (size_t i = 0; i < s->load.ramp.count; i++)
		most = s->load.ramp.list[i].to > most ? s->load.ramp.list[i].to : most;
	return s->load.ramp.count > 0 && most == 0;
}

static bool starts_too_late(const struct scenario *s)
{
	return s->load.start >= s->stop.time;
}

static bool is_cut_off(const struct scenario *s)
{
	return s->load.start < s->stop.time && s->load.duration <= s->stop.time &&
	       s->load.start + s->load.duration > s->stop.time;
}

static bool grows_in_vain(const struct scenario *s)
{
	return s->load.on_failure.retry == 0 && s->load.on_failure.grow > 1;
}

static bool jitters_in_vain(const struct scenario *s)
{
	return s->load.on_failure.retry == 0 && s->load.on_failure.jitter > 0;
}

/* The last request that a connection is to carry says so (drive/wire.h); one without a bound has
 * no last. */
static bool keeps_in_vain(const struct scenario *s)
{
	return s->server.behaviour == BEHAVIOUR_CLOSE && s->load.pool.max_idle > 0 &&
	       s->load.request.per_connection == 0;
}

static bool translates_no_datagram(const struct scenario *s)
{
	return s->network.topology == TOPOLOGY_NAT && s->load.protocol == PROTOCOL_UDP;
}

static bool flushes_nothing(const struct scenario *s)
{
	return s->load.on_failure.flush_pool && !load_is_pooled(&s->load);
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
	return s->server.delay && !behaviour_does(s->server.behaviour, DOES_SERVE);
}

static bool dies_in_vain(const struct scenario *s)
{
	return s->server.die && !behaviour_does(s->server.behaviour, DOES_LISTEN);
}

static bool stops_too_late(const struct scenario *s)
{
	return s->stop.after > s->stop.time;
}

static bool loads_too_long(const struct scenario *s)
{
	return s->load.duration > s->stop.time;
}

/* Reserved ranges are sorted and do not touch: so one of them covers the whole range, or none
 * do. */
static bool is_reserved(const struct scenario *s, struct port_range range)
{
	for (size_t i = 0; i < s->network.reserved.count; i++)
		if (s->network.reserved.list[i].lo <= range.lo &&
		    s->network.reserved.list[i].hi >= range.hi)
			return true;
	return false;
}

static bool nothing_left(const struct scenario *s)
{
	return is_reserved(s, s->network.ports);
}

/* As many as there are pairs of a source and a destination, each with ports of its own. */
static bool too_many_pairs(const struct scenario *s)
{
	uint64_t hosts = s->network.topology == TOPOLOGY_NAT ? s->network.nat.clients : 1;

	return hosts * s->network.sources.count * s->network.servers.count *
		       s->network.services.count >
	       SCENARIO_PAIRS_MOST;
}

static bool too_many_clients(const struct scenario *s)
{
	return s->network.topology == TOPOLOGY_NAT &&
	       s->network.nat.clients * s->network.sources.count > SCENARIO_SOURCES_MOST;
}

/* So many hosts with so many addresses each, or these addresses. */
static bool listed_and_multiplied(const struct scenario *s)
{
	return s->network.topology == TOPOLOGY_NAT && s->network.nat.clients > 1 &&
	       s->network.sources.list;
}

static bool nat_of_ipv6(const struct scenario *s)
{
	return s->network.topology == TOPOLOGY_NAT && s->network.family == FAMILY_IPV6;
}

/* A key of network.nat that says more than its default, and no gateway. A case that takes the
 * base's gateway away need not take back what the base says of it. */
static bool without_nat(const struct scenario *s, bool says_more, struct mark key)
{
	bool is_inherited = s->case_at.line && is_later(s->case_at, key) &&
			    is_later(s->network.at.topology, s->case_at);

	return s->network.topology != TOPOLOGY_NAT && says_more && !is_inherited;
}

#define WITHOUT_NAT(field, says_more) \
	static bool field##_without_nat(const struct scenario *s) \
	{ \
		const struct nat *nat = &s->network.nat; \
\
		return without_nat(s, says_more, nat->at.field); \
	}
WITHOUT_NAT(ports, nat->ports.lo != 1024 || nat->ports.hi != 65535)
WITHOUT_NAT(addresses, nat->addresses != 1)
WITHOUT_NAT(random, nat->random)
WITHOUT_NAT(limit, nat->limit != 0)
WITHOUT_NAT(clients, nat->clients != 1)

static bool more_than_loopback_has(const struct scenario *s)
{
	return s->network.topology == TOPOLOGY_LOOPBACK && s->network.family == FAMILY_IPV6 &&
	       (s->network.sources.count > 1 || s->network.servers.count > 1);
}

static bool too_many_reserved(const struct scenario *s)
{
	return s->network.reserved.count > SCENARIO_RESERVED_MOST;
}

static bool resets_and_lingers(const struct scenario *s)
{
	return load_ends(&s->load, END_RESET) && s->load.options.linger > 0;
}

static bool probes_without_idle(const struct scenario *s)
{
	return s->load.options.keepalive.idle == 0 &&
	       (s->load.options.keepalive.interval > 0 || s->load.options.keepalive.count > 0);
}

static bool v6only_of_ipv4(const struct scenario *s)
{
	return s->load.options.v6only && s->network.family != FAMILY_IPV6;
}

static bool parts_of_milliseconds(const struct scenario *s)
{
	return s->load.options.user_timeout % 1000000 != 0;
}

static bool window_outside(const struct scenario *s)
{
	const struct bind *bind = &s->load.bind;

	return bind->way == BIND_LOCAL_PORT_RANGE &&
	       (bind->ports.lo < s->network.ports.lo || bind->ports.hi > s->network.ports.hi);
}

static bool window_reserved(const struct scenario *s)
{
	return s->load.bind.way == BIND_LOCAL_PORT_RANGE && is_reserved(s, s->load.bind.ports);
}

/* Nobody who carries load has CAP_NET_BIND_SERVICE. */
static bool names_privileged(const struct scenario *s)
{
	static const struct text name = TEXT("net.ipv4.ip_unprivileged_port_start");
	enum { PRIVILEGED_LAST = 1023 };
	bool names = s->load.bind.way == BIND_PORT || s->load.bind.way == BIND_PORTS;

	for (size_t i = 0; i < s->network.sysctl.count; i++)
		if (text_eq(s->network.sysctl.list[i].name, name))
			return false;
	return names && s->load.bind.ports.lo <= PRIVILEGED_LAST;
}

static bool binds_twice(const struct scenario *s)
{
	return load_ends(&s->load, END_DISCONNECT) &&
	       (s->load.bind.way == BIND_PORT || s->load.bind.way == BIND_PORTS);
}

static bool fast_beside_bind(const struct scenario *s)
{
	enum bind_way way = s->load.bind.way;

	return s->load.order == ORDER_FAST && way != BIND_NONE && way != BIND_ADDRESS_NO_PORT;
}

static bool squats(const struct scenario *s)
{
	return s->squat.listen.count || s->squat.ports.count || s->squat.bind;
}

static bool squats_nowhere(const struct scenario *s)
{
	return !squats(s) && (!address_is_any(s->squat.address) || s->squat.family != FAMILY_IPV4);
}

/* An address that is any is one of every family. */
static bool other_family(const struct scenario *s)
{
	bool is_ipv4 = address_is_ipv4(s->squat.address);

	return !address_is_any(s->squat.address) && is_ipv4 == (s->squat.family == FAMILY_IPV6);
}

static bool squats_twice(const struct scenario *s)
{
	for (size_t i = 0; i < s->squat.listen.count; i++)
		for (size_t k = 0; k < s->squat.ports.count; k++)
			if (s->squat.listen.list[i].lo <= s->squat.ports.list[k].hi &&
			    s->squat.ports.list[k].lo <= s->squat.listen.list[i].hi)
				return true;
	return false;
}

static bool window_unknown(const struct scenario *s)
{
	return s->load.bind.way == BIND_LOCAL_PORT_RANGE && (s->squat.bind || s->load.ballast > 0);
}

static bool ballast_in_vain(const struct scenario *s)
{
	enum bind_way way = s->load.bind.way;

	return s->load.ballast > 0 &&
	       (way == BIND_ADDRESS || way == BIND_PORT || way == BIND_PORTS);
}

static bool squats_one_client(const struct scenario *s)
{
	return s->network.nat.clients > 1 && (squats(s) || s->load.ballast > 0);
}

/* An end that leaves no connection to keep, or no socket of the client's. */
static bool keeps_no_connection(const struct scenario *s)
{
	const struct load *l = &s->load;

	return load_is_pooled(l) && (load_ends(l, END_LEAK) || load_ends(l, END_INHERIT) ||
				     load_ends(l, END_DISCONNECT));
}

static bool times_out_no_pool(const struct scenario *s)
{
	return s->load.pool.idle_timeout && !load_is_pooled(&s->load);
}

static bool pools_for_one(const struct scenario *s)
{
	return s->load.pool.max_idle && s->load.request.per_connection == 1;
}

/* The protocol between client and far end: a head of 8 bytes says what is to come. */
static bool has_no_head(const struct scenario *s)
{
	const struct request *r = &s->load.request;

	return r->send < 8 && (r->send > 0 || r->receive > 0);
}

static bool leaves_nothing_unread(const struct scenario *s)
{
	return !s->load.request.read && s->load.request.receive == 0;
}

static bool keeps_unread(const struct scenario *s)
{
	return !s->load.request.read && load_is_pooled(&s->load);
}

static bool reads_what_it_leaves(const struct scenario *s)
{
	return !s->load.request.read &&
	       (load_ends(&s->load, END_WAIT) || load_ends(&s->load, END_SHUTDOWN));
}

static bool pauses_an_open_model(const struct scenario *s)
{
	return s->load.request.pause &&
	       (s->load.rate > 0 || s->load.ramp.count > 0 || s->load.burst.size > 0);
}

static bool is_udp(const struct scenario *s)
{
	return s->load.protocol == PROTOCOL_UDP;
}

static bool udp_ends(const struct scenario *s)
{
	const struct load *l = &s->load;

	return is_udp(s) && (load_ends(l, END_RESET) || load_ends(l, END_WAIT) ||
			     load_ends(l, END_SHUTDOWN) || load_ends(l, END_DISCONNECT));
}

static bool udp_is_served(const struct scenario *s)
{
	enum behaviour b = s->server.behaviour;

	return is_udp(s) && b != BEHAVIOUR_ANSWER && b != BEHAVIOUR_IGNORE &&
	       b != BEHAVIOUR_REFUSE && b != BEHAVIOUR_DROP;
}

static bool udp_is_searched(const struct scenario *s)
{
	return is_udp(s) && s->load.order != ORDER_KERNEL;
}

static bool udp_waits(const struct scenario *s)
{
	return is_udp(s) && s->network.at.time_wait.line && s->network.time_wait < 60000000000;
}

#define UDP_WITHOUT(name, is_set) \
	static bool udp_##name(const struct scenario *s) \
	{ \
		return is_udp(s) && (is_set); \
	}
UDP_WITHOUT(reuseaddr, s->load.options.reuseaddr)
UDP_WITHOUT(reuseport, s->load.options.reuseport)
UDP_WITHOUT(linger, s->load.options.linger != LINGER_NONE)
UDP_WITHOUT(user_timeout, s->load.options.user_timeout)
UDP_WITHOUT(nodelay, s->load.options.nodelay)
UDP_WITHOUT(syn_count, s->load.options.syn_count)
UDP_WITHOUT(keepalive, s->load.options.keepalive.idle)
UDP_WITHOUT(mark, s->load.options.mark)
UDP_WITHOUT(squat, squats(s) || s->load.ballast > 0)
UDP_WITHOUT(requests, load_is_pooled(&s->load) || s->load.request.send || s->load.request.receive)
UDP_WITHOUT(backlog, s->server.backlog)
UDP_WITHOUT(accept_every, s->server.accept_every)
UDP_WITHOUT(die, s->server.die)

#define AT(section, key) offsetof(struct scenario, section.at.key)

static const struct rule {
	bool (*broken)(const struct scenario *s);
	size_t at[3]; /* offsets of the marks of two keys, or of three; 0: there is no third */
	const char *what, *hint;
} rules[] = {
	{both_models,
	 {AT(load, rate), AT(load, concurrency)},
	 "load.rate and load.concurrency exclude each other",
	 "Keep one; in a case, take the base's back with rate: 0/s or concurrency: 0."},
	{ramp_of_none,
	 {AT(load, ramp), AT(load, concurrency)},
	 "load.ramp and load.concurrency exclude each other",
	 "A ramp changes a rate: keep one; in a case, take the base's back with ramp: [] or "
	 "concurrency: 0."},
	{bursts_on_a_rate,
	 {offsetof(struct scenario, load.burst.at.size), AT(load, rate)},
	 "load.burst and load.rate exclude each other",
	 "Each says alone when connections begin: keep one, or make two loads of them."},
	{bursts_on_a_ramp,
	 {offsetof(struct scenario, load.burst.at.size), AT(load, ramp)},
	 "load.burst and load.ramp exclude each other",
	 "Each says alone when connections begin: keep one, or make two loads of them."},
	{bursts_of_none,
	 {offsetof(struct scenario, load.burst.at.size), AT(load, concurrency)},
	 "load.burst and load.concurrency exclude each other",
	 "A burst begins however many are under way: keep one."},
	{never_rises,
	 {AT(load, ramp), AT(load, rate)},
	 "load.ramp never leaves 0/s",
	 "Nothing would begin: have a step go to a rate, such as {to: 1k/s, over: 10s}."},
	{starts_too_late,
	 {AT(load, start), AT(stop, time)},
	 "load.start is not before stop.time",
	 "The run is over by then: raise stop.time, or begin sooner."},
	{is_cut_off,
	 {AT(load, start), AT(load, duration)},
	 "load.start and load.duration go beyond stop.time",
	 "No run takes longer than stop.time: raise it, or begin sooner."},
	{grows_in_vain,
	 {offsetof(struct scenario, load.on_failure.at.grow),
	  offsetof(struct scenario, load.on_failure.at.retry)},
	 "load.on_failure.grow means nothing without retry",
	 "Say how often a failed connection is tried again, such as retry: 3, or leave it out."},
	{jitters_in_vain,
	 {offsetof(struct scenario, load.on_failure.at.jitter),
	  offsetof(struct scenario, load.on_failure.at.retry)},
	 "load.on_failure.jitter means nothing without retry",
	 "Say how often a failed connection is tried again, such as retry: 3, or leave it out."},
	{keeps_in_vain,
	 {AT(server, behaviour), AT(load.pool, max_idle)},
	 "server.behaviour: close leaves load.pool nothing to keep",
	 "The server closes after each answer: let it serve more with "
	 "load.request.per_connection, or choose another behaviour."},
	{translates_no_datagram,
	 {AT(network, topology), AT(load, protocol)},
	 "load.protocol: udp sends nothing that network.topology: nat could translate",
	 "A connected socket of UDP has its port without a packet: use veth."},
	{flushes_nothing,
	 {offsetof(struct scenario, load.on_failure.at.flush_pool),
	  offsetof(struct scenario, load.on_failure.at.flush_pool)},
	 "load.on_failure.flush_pool needs a pool",
	 "There is nothing to throw away: leave it out."},
	{waits_in_vain,
	 {AT(load, end), AT(server, behaviour), AT(load, mix)},
	 "load.end: wait needs a far end that closes first",
	 "Set server.behaviour to close, accept-close or reset: with others each wait would time "
	 "out."},
	{resets_and_lingers,
	 {AT(load, end), AT(load.options, linger), AT(load, mix)},
	 "load.options.linger is for another end than reset",
	 "end: reset sets SO_LINGER to 0 s: leave one of them out."},
	{probes_without_idle,
	 {AT(load.options.keepalive, interval), AT(load.options.keepalive, count)},
	 "load.options.keepalive has no idle",
	 "Without it keep-alive is off: add idle, such as idle: 5s."},
	{v6only_of_ipv4,
	 {AT(load.options, v6only), AT(network, family)},
	 "load.options.v6only is for network.family: ipv6",
	 "A socket of IPv4 does not have it, and a mapped one could not connect with it."},
	{parts_of_milliseconds,
	 {AT(load.options, user_timeout), AT(load.options, user_timeout)},
	 "load.options.user_timeout is not in whole milliseconds",
	 "The kernel counts it in milliseconds: write such as 1ms or 2s."},
	{keeps_no_connection,
	 {AT(load, end), AT(load.pool, max_idle), AT(load, mix)},
	 "a pool cannot keep connections that end by leak, inherit or disconnect",
	 "Leave out load.pool and load.request.per_connection, or use another load.end."},
	{times_out_no_pool,
	 {AT(load.pool, idle_timeout), AT(load.pool, idle_timeout)},
	 "load.pool.idle_timeout needs a pool",
	 "Set load.pool.max_idle, or load.request.per_connection to more than 1."},
	{pools_for_one,
	 {AT(load.pool, max_idle), AT(load.request, per_connection)},
	 "a connection for one request is never idle in a pool",
	 "Leave out load.pool.max_idle, or set load.request.per_connection to 0 or more than 1."},
	{has_no_head,
	 {AT(load.request, send), AT(load.request, receive)},
	 "load.request.send is less than 8B",
	 "A request has a head of 8 bytes, which tells the far end how long its answer is to be."},
	{leaves_nothing_unread,
	 {AT(load.request, read), AT(load.request, receive)},
	 "load.request.read: false needs an answer",
	 "Set load.request.receive, and load.request.send to 8B or more."},
	{keeps_unread,
	 {AT(load.request, read), AT(load.pool, max_idle)},
	 "a connection with an unread answer cannot go back to a pool",
	 "Leave out load.pool and load.request.per_connection, or read: false."},
	{reads_what_it_leaves,
	 {AT(load.request, read), AT(load, end), AT(load, mix)},
	 "load.end: wait and shutdown read what comes until the far end closes",
	 "With load.request.read: false use end: close, reset, leak, disconnect or inherit."},
	{pauses_an_open_model,
	 {AT(load.request, pause), AT(load, rate)},
	 "load.request.pause is for load.concurrency",
	 "A rate does not wait for the requests before: leave one of them out."},
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
	 "With server.behaviour refuse or drop nothing does: keep one of the two."},
	{accepts_in_vain,
	 {AT(server, accept_every), AT(server, behaviour)},
	 "server.accept_every needs a far end that accepts",
	 "With server.behaviour never-accept, refuse or drop none does: keep one of the two."},
	{delays_in_vain,
	 {AT(server, delay), AT(server, behaviour)},
	 "server.delay needs a far end that answers requests",
	 "Set server.behaviour to answer, hold or close."},
	{dies_in_vain,
	 {AT(server, die), AT(server, behaviour)},
	 "server.die needs a far end that listens",
	 "With server.behaviour refuse or drop there is no process to die: keep one of the two."},
	{window_outside,
	 {AT(load, bind), AT(network, ports)},
	 "load.bind: local-port-range does not lie in network.ports",
	 "The kernel ignores IP_LOCAL_PORT_RANGE outside of its own range: it can only narrow it."},
	{window_reserved,
	 {AT(load, bind), AT(network, reserved)},
	 "network.reserved leaves no port of load.bind: local-port-range",
	 "Reserve less, or name a wider range."},
	{names_privileged,
	 {AT(load, bind), AT(load, bind)},
	 "load.bind names a port below 1024",
	 "Let the kernel allow it: network.sysctl net.ipv4.ip_unprivileged_port_start, such as "
	 "600."},
	{binds_twice,
	 {AT(load, end), AT(load, bind)},
	 "load.end: disconnect cannot be with a load.bind that names a port",
	 "The socket stays bound to its port, and cannot be bound anew: use another end."},
	{fast_beside_bind,
	 {AT(load, order), AT(load, bind)},
	 "load.order: fast is about ports that connect() chooses of network.ports",
	 "Leave it out: with this load.bind no range is searched that way."},
	{squats_nowhere,
	 {AT(squat, address), AT(squat, family)},
	 "squat holds nothing",
	 "Say what is held: listen, ports or bind."},
	{other_family,
	 {AT(squat, address), AT(squat, family)},
	 "squat.address is not of squat.family",
	 "Give both of one family; an IPv4 address can be mapped, too."},
	{squats_twice,
	 {AT(squat, listen), AT(squat, ports)},
	 "squat.listen and squat.ports have a port in common",
	 "It can be bound once: leave it out of one of them."},
	{window_unknown,
	 {AT(load, bind), AT(squat, bind)},
	 "load.bind: local-port-range beside squat.bind or load.ballast has no certain number of "
	 "ports",
	 "The kernel chooses theirs of all the range: name them with squat.ports."},
	{ballast_in_vain,
	 {AT(load, ballast), AT(load, bind)},
	 "load.ballast takes no port from bind()",
	 "It is bound to another address: use squat, or a load.bind that lets connect() choose."},
	{squats_one_client,
	 {AT(network.nat, clients), AT(load, ballast)},
	 "ports are held on one client, and network.nat.clients are more",
	 "Use one client, or leave squat and load.ballast out."},
	{udp_ends,
	 {AT(load, protocol), AT(load, end), AT(load, mix)},
	 "load.end of a load of UDP can be close, leak or inherit",
	 "The others are about the end of a connection, and a socket of UDP has none."},
	{udp_is_served,
	 {AT(load, protocol), AT(server, behaviour)},
	 "server.behaviour for a load of UDP can be answer, ignore, refuse or drop",
	 "The others are about connections, and a socket of UDP has none."},
	{udp_is_searched,
	 {AT(load, protocol), AT(load, order)},
	 "load.order is about connections of TCP",
	 "For UDP the kernel looks through all ports at once: there is no cliff to pass."},
#define UDP_SHARED(option) \
	{ \
		udp_##option, {AT(load, protocol), AT(load.options, option)}, \
			"load.options." #option " is not for a load of UDP", \
			"Its sockets would share ports and never run out; what arrives goes to " \
			"one of them." \
	}
	UDP_SHARED(reuseaddr),
	UDP_SHARED(reuseport),
	{udp_waits,
	 {AT(load, protocol), AT(network, time_wait)},
	 "network.time_wait is about connections of TCP",
	 "A closed socket of UDP leaves nothing behind: leave it out."},
#define UDP(name, section, field, words) \
	{ \
		udp_##name, {AT(load, protocol), AT(section, field)}, \
			words " is about connections of TCP", \
			"Leave it out: a socket of UDP has no connection to hold or to end." \
	}
	UDP(linger, load.options, linger, "load.options.linger"),
	UDP(user_timeout, load.options, user_timeout, "load.options.user_timeout"),
	UDP(nodelay, load.options, nodelay, "load.options.nodelay"),
	UDP(syn_count, load.options, syn_count, "load.options.syn_count"),
	UDP(keepalive, load.options.keepalive, idle, "load.options.keepalive"),
	UDP(backlog, server, backlog, "server.backlog"),
	UDP(accept_every, server, accept_every, "server.accept_every"),
	UDP(die, server, die, "server.die"),
	{udp_squat,
	 {AT(load, protocol), AT(load, ballast)},
	 "squat and load.ballast hold ports of TCP, and the load is of UDP",
	 "They would take none of its ports: reserve those with network.reserved."},
	{udp_requests,
	 {AT(load, protocol), AT(load.request, send)},
	 "load.request and load.pool are not for a load of UDP yet",
	 "It opens and closes sockets: leave them out."},
	{udp_mark,
	 {AT(load, protocol), AT(load.options, mark)},
	 "load.options.mark is not for a load of UDP",
	 "Its sockets are made by threads without rights, which SO_MARK needs: leave it out."},
	{stops_too_late,
	 {AT(stop, after), AT(stop, time)},
	 "stop.after is longer than stop.time",
	 "No run takes longer than stop.time: raise it, or shorten stop.after."},
	{loads_too_long,
	 {AT(load, duration), AT(stop, time)},
	 "load.duration is longer than stop.time",
	 "No run takes longer than stop.time: raise it, or shorten load.duration."},
	{too_many_pairs,
	 {AT(network, sources), AT(network, servers)},
	 "network.sources × servers × services is more than 1,048,576",
	 "Each pair of a source and a destination is watched by itself: use fewer."},
	{too_many_clients,
	 {AT(network, sources), AT(network.nat, clients)},
	 "network.sources × network.nat.clients is more than 1,024",
	 "Each host behind the gateway has all of network.sources: use fewer of either."},
	{listed_and_multiplied,
	 {AT(network, sources), AT(network.nat, clients)},
	 "network.nat.clients multiplies a number of network.sources, not a list of them",
	 "List all addresses of all clients, or write how many each has."},
	{nat_of_ipv6,
	 {AT(network, family), AT(network, topology)},
	 "topology: nat is of IPv4: hosts of IPv6 have addresses of their own",
	 "Use family: ipv4 or mapped."},
#define NAT(field, key, ...) \
	{field##_without_nat, \
	 {AT(network.nat, field), AT(network, topology)}, \
	 "network.nat." key " needs topology: nat", \
	 "Set network.topology to nat: there is no gateway without it."},
#include "words/keys.def"
	{more_than_loopback_has,
	 {AT(network, family), AT(network, topology)},
	 "the loopback of IPv6 has one address, ::1, and not several network.sources or servers",
	 "Use network.services for more destinations, or topology: veth."},
	{too_many_reserved,
	 {AT(network, reserved), AT(network, reserved)},
	 "network.reserved is more than 340 ranges",
	 "The kernel takes no longer list at once: join neighbours to ranges."},
	{nothing_left,
	 {AT(network, ports), AT(network, reserved)},
	 "network.reserved leaves no port of network.ports",
	 "Reserve less, or widen network.ports."},
};

/* The latest of them: what was written last made the trouble, and a default never did. */
static struct mark place(const struct rule *rule, const struct scenario *s)
{
	struct mark latest = {0};

	for (size_t i = 0; i < sizeof(rule->at) / sizeof(rule->at[0]) && rule->at[i]; i++) {
		struct mark at =
			*(const struct mark *)(const void *)((const char *)s + rule->at[i]);

		if (is_later(at, latest))
			latest = at;
	}
	return latest;
}

/* Do any of its loads, the first `count`, break the rule at this place? */
static bool is_known(const struct rule *rule, const struct scenario *s, size_t count,
		     struct mark at)
{
	for (size_t i = 0; i < count; i++) {
		struct scenario alone = *s;
		struct mark before;

		alone.load = *scenario_load(s, i);
		before = place(rule, &alone);
		if (before.line == at.line && before.col == at.col && rule->broken(&alone))
			return true;
	}
	return false;
}

/* A scenario of the i-th of its loads alone. */
static void check_load(const struct reading *r, const struct scenario *s,
		       const struct scenario *base, size_t load)
{
	struct scenario alone = *s;

	alone.load = *scenario_load(s, load);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct mark at = place(&rules[i], &alone);
		struct err *err;

		if (!rules[i].broken(&alone) || is_known(&rules[i], s, load, at) ||
		    (base && is_known(&rules[i], base, scenario_loads(base), at)))
			continue;
		err = errs_next(r->errs);
		source_err(err, r->source, at, "%s", rules[i].what);
		err_hint(err, "%s", rules[i].hint);
	}
}

void rules_check(const struct reading *r, const struct scenario *s, const struct scenario *base)
{
	for (size_t i = 0; i < scenario_loads(s); i++)
		check_load(r, s, base, i);
	places_check(r, s, base);
}
