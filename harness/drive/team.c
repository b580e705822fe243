#include "drive/team.h"

#include <stdatomic.h>

enum { ERRORS = STAGES * ERRNOS, BITS = EVENTS + ERRORS, WORD = 64 };

struct team {
	_Atomic uint64_t last; /* the lowest that was refused; UINT64_MAX: none */
	_Atomic bool stops;
	_Atomic uint64_t opened, ended;
	_Atomic uint32_t workers; /* not done yet */
	_Atomic uint64_t noted[(BITS + WORD - 1) / WORD];
};

struct team *team_open(uint32_t workers, struct arena *arena)
{
	struct team *t = ARENA_TRY(arena, struct team, 1);

	if (!t)
		return NULL;
	atomic_init(&t->last, UINT64_MAX);
	atomic_init(&t->workers, workers);
	return t;
}

void team_refused(struct team *t, uint64_t index)
{
	uint64_t last;

	if (!t)
		return;
	last = atomic_load(&t->last);
	while (index < last && !atomic_compare_exchange_weak(&t->last, &last, index))
		;
}

void team_stop(struct team *t, uint64_t index)
{
	if (!t)
		return;
	team_refused(t, index);
	atomic_store(&t->stops, true);
}

bool team_stops(const struct team *t)
{
	return t && atomic_load_explicit(&t->stops, memory_order_acquire);
}

bool team_is_past(const struct team *t, uint64_t next)
{
	uint64_t last = t ? atomic_load(&t->last) : UINT64_MAX;

	return last == UINT64_MAX || next > last;
}

/* Failures are apart by stage and errno. */
bool team_is_first(struct team *t, enum event_kind kind, enum stage stage, int error)
{
	unsigned bit = kind == EVENT_FAILED ? EVENTS + (unsigned)stage * ERRNOS + (unsigned)error
					    : (unsigned)kind;
	uint64_t mask = UINT64_C(1) << bit % WORD;

	return !t || !(atomic_fetch_or(&t->noted[bit / WORD], mask) & mask);
}

uint64_t team_tell(struct team *t, uint64_t opened, uint64_t ended)
{
	uint64_t all_opened, all_ended;

	if (!t)
		return 0;
	/* In this order: what others tell meanwhile makes it fewer. What they have ended in a turn
	 * that is not over they have not told: it is at most their turns' worth too many. */
	all_opened = atomic_fetch_add(&t->opened, opened) + opened;
	all_ended = atomic_fetch_add(&t->ended, ended) + ended;
	return all_opened > all_ended ? all_opened - all_ended : 0;
}

uint64_t team_opened(const struct team *t)
{
	return t ? atomic_load_explicit(&t->opened, memory_order_relaxed) : 0;
}

bool team_leave(struct team *t)
{
	return !t || atomic_fetch_sub(&t->workers, 1) == 1;
}
