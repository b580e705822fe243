/* ports.h - a range of ports: of a host, of a scenario, of a plan. Host order. */
#pragma once

#include <stdint.h>

struct port_range {
	uint16_t lo, hi; /* both usable; lo <= hi */
};
