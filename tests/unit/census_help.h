/* census_help.h - a dump's sockets for a census of the ports 40000-40031. */
#pragma once

#include "runner.h"
#include "sense/census.h"

/* Of TCP over IPv4, between addresses that end so; it is overwritten by the next. */
const struct socket_seen *seen(uint32_t local, uint32_t remote, uint16_t port, uint16_t remote_port,
			       uint8_t state);

/* The caller closes the arena. */
struct census census_of(uint32_t pairs, struct arena *a);
