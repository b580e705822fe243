/* cost.h - what one run of a contestant took.
 *
 * Units: as the names end; a rate is connections a second. 0 where it was not measured.
 */
#pragma once

#include <stdbool.h>

struct cost {
	double cpu_us; /* a connection */
	double rate;   /* connections a second */
	double seconds;
	double latency_us;   /* p50 of those that were timed one at a time */
	double user_percent; /* of the CPU, what was spent in user space */
	double held_bytes;   /* of the process, for each connection that it holds */
	double core_percent; /* of a core, by the load's threads while the load went on */
	double sampler_percent; /* of a core, by the sampler's thread from the end of the first load on */
	double start_ms;	/* of a whole command, from exec to exit */
	bool missing;		/* it is not there to be run: a peer that is not installed */
};
