/* Rules: what can be measured of a load. */
#include "scenario/rule.h"

static bool times_datagrams(const struct scenario *s)
{
	return s->sample.latency > 0 && s->load.protocol == PROTOCOL_UDP;
}

static bool times_named_ports(const struct scenario *s)
{
	enum bind_way way = s->load.bind.way;

	return s->sample.latency > 0 && (way == BIND_PORT || way == BIND_PORTS);
}

static bool times_marked(const struct scenario *s)
{
	return s->sample.latency > 0 && s->load.options.mark > 0;
}

static const struct rule rules[] = {
	{times_datagrams,
	 {AT(sample, latency), AT(load, protocol)},
	 "sample.latency needs a load of TCP",
	 "connect() of a UDP socket sends nothing that could be timed: leave it out."},
	{times_named_ports,
	 {AT(sample, latency), AT(load, bind)},
	 "sample.latency and a load.bind that names ports exclude each other",
	 "It times how long the kernel looks for a port: use a load.bind that lets it choose."},
	{times_marked,
	 {AT(sample, latency), offsetof(struct scenario, load.options.at.mark)},
	 "sample.latency and load.options.mark exclude each other",
	 "Leave one of them out."},
};

const struct rules rules_of_samples = RULES(rules);
