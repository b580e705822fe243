/* gateway.h - what several loads make of a gateway together: full for sure, where those that are open at once
 * are more than it has ports.
 *
 * Errors: none; pure. Whether it is not full is a race, and not told.
 */
#pragma once

#include "plan/plan.h"

/* Of loads of one protocol: fills in what the forecast says of the gateway. */
void gateway_together(struct plan *p);
