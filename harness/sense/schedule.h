/* schedule.h - when the sampler looks by itself: at totals every so often, at sockets with every
 * so many-th of those looks, and never so often that dumps and totals take more than 2 % of a core.
 * Pure.
 *
 * Units:  nanoseconds, on whatever clock the caller uses throughout.
 * Errors: none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A dump's cost, 64 times over, must pass from its beginning to that of the next: 1.6 % of a core, as
 * totals at 10 Hz and what is done with a dump take the rest of the 2 (Linux 6.18, 28,000 sockets). */
enum { DUMP_SHARE = 64 };

struct schedule {
	int64_t every_ns, sockets_ns; /* between looks at totals, and between dumps */
	int64_t totals_due_ns, dump_due_ns;
	int64_t dump_allowed_ns; /* no dump by itself before, whatever there is to see */
};

/* Both are due from now on. */
struct schedule schedule_begin(int64_t every_ns, int64_t sockets_ns, int64_t now_ns);

bool schedule_wants_totals(const struct schedule *s, int64_t now_ns);

/* A dump comes with a look at totals. */
bool schedule_wants_dump(const struct schedule *s, int64_t now_ns);

/* One that the totals call for need not wait for its time, but for what the last has cost. */
bool schedule_allows_dump(const struct schedule *s, int64_t now_ns);

/* Totals are being looked at: the next time is the next beat after now; those missed are left out. */
void schedule_beat(struct schedule *s, int64_t now_ns);

/* A dump, whoever wished for it, has cost so much of the processor: however long it had to wait
 * for that. */
void schedule_dumped(struct schedule *s, int64_t begin_ns, int64_t cost_ns);
