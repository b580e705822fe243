/* sampler.h - what the sampler of a run is to look at, by its plan. Pure.
 *
 * Ownership: lists are in the arena; plan, lab and pulse are borrowed.
 */
#pragma once

#include "drive/drive.h"
#include "sense/sense.h"

struct sense_wish sampler_wish(const struct plan *plan, const struct lab *lab,
			       const struct drive_hooks *hooks, struct arena *);
