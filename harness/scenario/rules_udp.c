/* Rules: what a socket of UDP cannot have: all that is about connections. */
#include "scenario/rule.h"

static bool is_udp(const struct scenario *s)
{
	return s->load.protocol == PROTOCOL_UDP;
}

static bool passes_no_datagram(const struct scenario *s)
{
	return s->network.topology == TOPOLOGY_NAT && is_udp(s) && s->load.request.send == 0;
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

/* A length of 16 bits, less the heads that it counts: IPv4's and UDP's, 20 and 8 bytes; of IPv6 UDP's
 * alone. */
static bool udp_overflows(const struct scenario *s)
{
	const uint64_t most = load_family(s, &s->load) == FAMILY_IPV6 ? 65527 : 65507;

	return is_udp(s) && (s->load.request.send > most || s->load.request.receive > most);
}

static bool tcp_is_unconnected(const struct scenario *s)
{
	return !is_udp(s) && !s->load.connected;
}

static bool unconnected_in_silence(const struct scenario *s)
{
	return is_udp(s) && !s->load.connected && s->load.request.send == 0;
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
UDP_WITHOUT(linger, s->load.options.linger != LINGER_NONE)
UDP_WITHOUT(user_timeout, s->load.options.user_timeout)
UDP_WITHOUT(nodelay, s->load.options.nodelay)
UDP_WITHOUT(mptcp, s->load.options.mptcp)
UDP_WITHOUT(syn_count, s->load.options.syn_count)
UDP_WITHOUT(keepalive, s->load.options.keepalive.idle)
UDP_WITHOUT(backlog, s->server.backlog)
UDP_WITHOUT(accept_every, s->server.accept_every)

static const struct rule rules[] = {
	{passes_no_datagram,
	 {AT(network, topology), AT(load, protocol), AT(load.request, send)},
	 "a load of UDP behind a gateway (topology: nat) needs a request to send",
	 "connect() of a UDP socket sends nothing that the gateway could see: set "
	 "load.request.send to 8B or more."},
	{udp_ends,
	 {AT(load, protocol), AT(load, end), AT(load, mix)},
	 "load.end of a load of UDP can be close, leak or inherit",
	 "UDP has no connections, and the others are about how one ends."},
	{udp_is_served,
	 {AT(load, protocol), AT(server, behaviour)},
	 "server.behaviour for a load of UDP can be answer, ignore, refuse or drop",
	 "UDP has no connections, and the others are about them."},
	{tcp_is_unconnected,
	 {AT(load, protocol), AT(load, connected)},
	 "load.connected: false is for a load of UDP",
	 "TCP always connects: leave it out."},
	{unconnected_in_silence,
	 {AT(load, connected), AT(load.request, send)},
	 "load.connected: false needs a request to send",
	 "The first sendto() takes the port, so something must be sent: set load.request.send to "
	 "8B or more."},
	{udp_is_searched,
	 {AT(load, protocol), AT(load, order)},
	 "load.order is for TCP",
	 "For UDP the kernel looks through all ports at once, and connects do not get slower: "
	 "leave it out."},
	{udp_waits,
	 {AT(load, protocol), AT(network, time_wait)},
	 "network.time_wait is for TCP",
	 "UDP has no TIME_WAIT: leave it out."},
#define UDP(name, section, field, words) \
	{ \
		udp_##name, {AT(load, protocol), AT(section, field)}, words " is for TCP", \
			"UDP has no connections: leave it out." \
	}
	UDP(linger, load.options, linger, "load.options.linger"),
	UDP(user_timeout, load.options, user_timeout, "load.options.user_timeout"),
	UDP(nodelay, load.options, nodelay, "load.options.nodelay"),
	UDP(mptcp, load.options, mptcp, "load.options.mptcp"),
	UDP(syn_count, load.options, syn_count, "load.options.syn_count"),
	UDP(keepalive, load.options.keepalive, idle, "load.options.keepalive"),
	UDP(backlog, server, backlog, "server.backlog"),
	UDP(accept_every, server, accept_every, "server.accept_every"),
	{udp_overflows,
	 {AT(load.request, send), AT(load.request, receive)},
	 "a request of UDP, and its answer, are one datagram each",
	 "Use 65507B or less; with family: ipv6, 65527B or less."},
};

const struct rules rules_of_udp = RULES(rules);
