/* wheel.h - how late a timer of the kernel's may be.
 *
 * The farther off its end, the wider the slot of the wheel that it is put into, eight times from
 * each level to the next; and it is done no sooner than the slot after its own.
 *
 * Units:  nanoseconds.
 * Errors: none; pure. Where a host's ticks are not known, they are 250 a second.
 * Source: calc_wheel_index(), LVL_START() and LVL_GRAN(): kernel/time/timer.c, as it is since Linux 4.8.
 */
#pragma once

#include "host/host.h"

/* Of one that is to end after so long: by its slot, and what serves that. */
int64_t wheel_late_ns(const struct host *host, int64_t ns);
