/* latency.h - how long connects took that were made one at a time, by how full the range was.
 *
 * The kernel looks for a port in two passes: connect() takes those of the low bound's parity
 * until none is left, then the others, and each connect of the second pass has walked all of the
 * first (bind() the other way round; __inet_hash_connect(), net/ipv4/inet_hashtables.c). So the
 * halves are parities, told by the port that a connect got; where the socket has
 * IP_LOCAL_PORT_RANGE there is one pass over all, and the halves are those of the fill.
 *
 * Units: nanoseconds, from before bind() and connect() to their return.
 */
#pragma once

#include "base/histogram.h"

enum half { HALF_LOWER, HALF_UPPER, HALVES };
enum { FILLS = 20 }; /* twentieths of the range in use: 0 to 5 %, … */

struct latency {
	struct histogram all, halves[HALVES];
	struct histogram refused; /* connects that found no port */
	struct histogram fills[FILLS];
};

void latency_add(struct latency *l, enum half half, double fill, int64_t took_ns);
void latency_merge(struct latency *into, const struct latency *more);
