/* team.h - what the workers of one load tell each other: where its sequence ends, and what has been
 * put on the tape once for all of them.
 *
 * Requests have numbers (plan/split.h). A refusal that ends the load ends it at its number: those
 * before it are begun yet, by whoever has them, and none after it. So the load has opened what one
 * thread would have, however far ahead one of them was.
 *
 * A load of one worker has none: NULL does no harm, and tells nothing.
 *
 * Units:   requests by number, from 0; connections are counted.
 * Threads: every function, from any of its workers'.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "words/words.h"

struct team;

struct team *team_open(uint32_t workers, struct arena *arena); /* NULL: no memory */

/* Request `index` was refused a port, or failed: nobody who stops for it goes further. */
void team_refused(struct team *t, uint64_t index);

/* … and that ends the load. */
void team_stop(struct team *t, uint64_t index);
bool team_stops(const struct team *t);

/* Has a worker whose next request is `next` done its part of what comes before the end? True where
 * nothing was refused: who stops then, stops at once. */
bool team_is_past(const struct team *t, uint64_t next);

/* Is this the first of them to note such an event? */
bool team_is_first(struct team *t, enum event_kind kind, enum stage stage, int error);

/* What a worker has opened and ended since it told last; returns how many all have open,
 * by what they have told: a turn's worth of each may have ended since. */
uint64_t team_tell(struct team *t, uint64_t opened, uint64_t ended);
uint64_t team_opened(const struct team *t);

/* It is done. True: so are all others. */
bool team_leave(struct team *t);
