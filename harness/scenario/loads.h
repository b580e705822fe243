/* loads.h - `loads:`, a map of named loads: each is `load:` with its own keys over it.
 *
 * A case may change `load`, `loads`, or both: each load is then made anew, of the case's `load`,
 * with the base's keys for that name over it, and the case's over those.
 *
 * Errors: as scenario.h has them; what is wrong in the base is told once.
 */
#pragma once

#include "scenario/keys.h"

/* `base`: the base's `loads`, NULL for the base itself; `own`: those of this file or case. NULL:
 * there are none. s->load is read already. */
bool loads_read(const struct reading *r, const struct node *base, const struct node *own,
		struct scenario *s);

/* The load of this name, from 1; 0: there is none. */
unsigned load_find(const struct load_list *loads, struct text name);

/* scenario.c: the keys of a section, over what is there. */
bool section_read(const struct reading *r, const struct section *section, const struct node *map,
		  struct scenario *s);
