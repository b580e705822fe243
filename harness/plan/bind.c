#include "plan/bind.h"

bool bind_takes_port(enum bind_way way)
{
	return bind_asks_port(way) || bind_names_port(way);
}

bool bind_asks_port(enum bind_way way)
{
	return way == BIND_ADDRESS || way == BIND_ANY;
}

bool bind_names_port(enum bind_way way)
{
	return way == BIND_PORT || way == BIND_PORTS;
}

bool bind_shares_port(const struct load *load)
{
	return (bind_names_port(load->bind.way) || load->protocol == PROTOCOL_UDP) &&
	       (load->options.reuseaddr || load->options.reuseport);
}

bool bind_shares_with(const struct load *a, const struct load *b)
{
	return (a->options.reuseaddr && b->options.reuseaddr) ||
	       (a->options.reuseport && b->options.reuseport);
}

bool bind_overshadows(const struct load *load)
{
	return load->protocol == PROTOCOL_UDP && bind_shares_port(load);
}

bool bind_may_repeat(const struct scenario *s, const struct load *load)
{
	return bind_asks_port(load->bind.way) && load->options.reuseaddr &&
	       setting_number(&s->network.sysctl, "net.ipv4.ip_autobind_reuse", 0) != 0;
}

struct port_range bind_ports(const struct load *load, struct port_range all)
{
	return load->bind.ports.lo ? load->bind.ports : all;
}

struct budget bind_budget(const struct scenario *s, const struct load *load, uint32_t sources,
			  uint32_t destinations)
{
	static const struct port_list nothing = {0};
	enum bind_way way = load->bind.way;
	struct budget b = budget_make(bind_ports(load, s->network.ports),
				      bind_names_port(way) ? &nothing : &s->network.reserved,
				      sources * destinations);

	/* IP_LOCAL_PORT_RANGE is searched port by port (Linux 6.8). */
	if (bind_names_port(way) || way == BIND_LOCAL_PORT_RANGE)
		b.may_lose_one = false;
	if (bind_takes_port(way) && !bind_shares_port(load))
		budget_share(&b, sources);
	if (load->protocol == PROTOCOL_UDP) { /* udp_lib_get_port(), net/ipv4/udp.c */
		b.may_lose_one = false;
		budget_share(&b, sources);
	}
	return b;
}
