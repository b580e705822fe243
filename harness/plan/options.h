/* options.h - what load.options and load.bind ask of each socket, as a table of socket options.
 *
 * Input:     a load, and whether its sockets bind an address without a port.
 * Ownership: the table and its values are in the arena.
 * Source:    socket(7), ip(7), tcp(7); the kernel counts linger and keepalive in whole seconds,
 *            TCP_USER_TIMEOUT in milliseconds.
 */
#pragma once

#include "base/option.h"
#include "plan/plan.h"

/* Fills the load's options, in the order in which they are set, before any bind. */
void options_make(struct load_plan *lp, struct arena *arena);
