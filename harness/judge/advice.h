/* advice.h - what to change about a cause, in order of effect, and what people try that will
 * not help.
 *
 * Input:     the evidence that cause.c gathered.
 * Ownership: texts are in its arena.
 * Wording:   sentences without a full stop; each names its knob, and what it brings as a number
 *            where arithmetic has one. What a wrong fix is wrong about stands beside it.
 */
#pragma once

#include "judge/judge.h"

struct evidence {
	const struct plan *plan;
	const struct tape *tape;
	const struct measures *measures;
	const struct sample *full; /* the fullest dump; NULL: none */
	uint64_t wanted;	   /* failures for want of a port */
	struct arena *a;
};

/* Fills f->attempt and f->wont_help as f->cause wants. */
void advice_give(struct finding *f, const struct evidence *e);

/* Quantities as words, in the arena. */
const char *say_count(struct arena *a, uint64_t n);
const char *say_number_of(struct arena *a, uint64_t n, const char *one,
			  const char *many); /* "1 port", "28,232 ports" */
const char *say_either(uint64_t n, const char *one, const char *many);
const char *say_time(struct arena *a, int64_t ns);
const char *say_rate(struct arena *a, double per_s);

/* How long a connection is open, and how long its port is out of use after the close, by what
 * the plan knows. */
int64_t live_time(const struct plan *plan);
int64_t quiet_time(const struct plan *plan);

/* May connect() take a port before its TIME_WAIT is over? */
bool is_reused(const struct plan *plan);
