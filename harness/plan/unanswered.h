/* unanswered.h - how long a connect that nobody answers has its port: until
 * load.timeout, or until the kernel gives up, whichever is sooner. Pure arithmetic.
 *
 * The kernel sends the SYN again after a second, and so for
 * net.ipv4.tcp_syn_linear_timeouts more, then after twice as long each time; it gives
 * up at the first of these times that is no sooner than net.ipv4.tcp_syn_retries
 * (TCP_SYNCNT) of the latter kind alone would have taken, or after that many of both:
 * tcp_write_timeout(), net/ipv4/tcp_timer.c.
 *
 * Input:  the scenario, and one of its loads.
 * Units:  nanoseconds.
 * Errors: none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "scenario/scenario.h"

int64_t unanswered_ns(const struct scenario *s, const struct load *l);

/* Is a SYN that is dropped sent again, or about to be, before load.timeout? A query is
 * sent once. */
bool unanswered_repeats(const struct load *l);
