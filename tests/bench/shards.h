/* shards.h - what a program does without io_uring's tables to hold more connections than it may have
 * descriptors: processes, each with a part of the ports of a destination to itself.
 *
 * They are the floor's loop: blocking connects with IP_LOCAL_PORT_RANGE, one after the other, all
 * of which stay. So many processes work at a time; those that are done hold what they have.
 *
 * Errors: exits with 1 and says why.
 */
#pragma once

#include "cost.h"

#include <stdint.h>

/* `count` connections over all destinations of the scenario, which are as many to each. */
struct cost run_shards(const char *lines, uint32_t count, unsigned at_once);
