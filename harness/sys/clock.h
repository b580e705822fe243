/* clock.h - the clock of all measuring: CLOCK_MONOTONIC, which no administrator moves.
 *
 * Units: nanoseconds. */
#pragma once

#include <stdint.h>

int64_t clock_now(void);
void clock_sleep(int64_t ns);

/* The processor time of the calling thread: what it costs, however long it had to wait for it. */
int64_t clock_spent(void);
