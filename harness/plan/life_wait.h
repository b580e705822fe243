/* life_wait.h - how long the kernel keeps the port of a connection that is closed, by its own timers: what
 * plan/life.c says of TIME_WAIT and FIN_WAIT2.
 *
 * Input, units, errors, source: as of plan/life.h.
 */
#pragma once

#include "plan/life.h"

/* Does a connect of the load take over what waits at its port? */
bool life_takes_over(const struct scenario *s);

/* Until another connect may have the port, if nobody is late. */
struct span life_time_wait(const struct scenario *s, const struct host *host);
struct span life_fin_wait(const struct scenario *s);

/* How late the timers of FIN_WAIT2 may be. */
int64_t life_fin_wait_late_ns(const struct scenario *s, const struct host *host);
