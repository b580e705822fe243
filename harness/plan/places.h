/* places.h - which addresses and listening ports a run has: those that the scenario lists, or as
 * many as it wants of the lab's own.
 *
 * Input:  a plan with its scenario.
 * Output: its sources, servers, services and destinations.
 * Errors: ERR_SCENARIO at the line of what cannot be.
 */
#pragma once

#include "plan/plan.h"

bool places_set(struct plan *p, struct arena *, struct err *err);

/* The addresses of the load's family; or of its sources the one that load.bind names. */
bool places_of(const struct plan *p, struct load_plan *lp, struct arena *, struct err *err);

/* Does the client have it? All of 127/8 and ::1 are on the lo of each namespace. */
bool places_had(const struct plan *p, struct address a);

/* Can a connection of the load meet itself? Its port would be that of its destination, on
 * loopback, where nobody listens, or not for long. */
bool places_meet(const struct plan *p, const struct load *load);

/* Listening ports that take one of the load's: on loopback, those that it could have. */
uint32_t places_in_range(const struct plan *p, const struct load *load);
