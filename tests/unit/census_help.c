#include "census_help.h"

const struct socket_seen *seen(uint32_t local, uint32_t remote, uint16_t port, uint16_t remote_port,
			       uint8_t state)
{
	static struct socket_seen s;

	s = (struct socket_seen){.local = address_ipv4(local),
				 .remote = address_ipv4(remote),
				 .local_port = port,
				 .remote_port = remote_port,
				 .state = state,
				 .gone_ns = -1};
	return &s;
}

struct census census_of(uint32_t pairs, struct arena *a)
{
	struct census c;

	if (!arena_open(a, 8 << 20))
		CU_FAIL_FATAL("no memory");
	CU_ASSERT_FATAL(census_open(&c, pairs, a));
	c.range = (struct port_range){40000, 40031};
	return c;
}
