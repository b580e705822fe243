/* cost.h - what one run of a contestant took.
 *
 * Units: microseconds, connections a second.
 */
#pragma once

struct cost {
	double cpu_us; /* a connection */
	double rate;   /* connections a second */
	double seconds;
	double latency_us; /* p50 of those that were timed one at a time; 0: none were */
};
