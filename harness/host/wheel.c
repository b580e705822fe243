#include "host/wheel.h"

#define SECOND INT64_C(1000000000)
#define SERVED_NS INT64_C(2000000) /* by then a softirq has ended all that a slot has */

enum {
	HZ_USUAL = 250,
	LEVEL_SLOTS = 63, /* LVL_SIZE - 1: a level begins when the one before has no more */
	WIDER = 8,	  /* LVL_CLK_DIV */
	LEVELS = 9,	  /* LVL_DEPTH */
};

int64_t wheel_late_ns(const struct host *host, int64_t ns)
{
	int64_t hz = host->hz > 0 ? host->hz : HZ_USUAL;
	int64_t ticks = ns / SECOND * hz + ns % SECOND * hz / SECOND, slot = 1;

	for (int i = 1; i < LEVELS && ticks >= slot * LEVEL_SLOTS; i++)
		slot *= WIDER;
	return slot * SECOND / hz + SERVED_NS;
}
