/* start.h - what a whole command takes: `lastport run` of a scenario, from exec to exit, with its
 * networks, its samples and its files.
 *
 * Errors: exits with 1 and says why, as run.h.
 */
#pragma once

#include "cost.h"

struct cost run_start(const char *lines); /* below a scenario's version and name */
