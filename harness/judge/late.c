#include "judge/late.h"

enum { LATE_SHARE = 100, BEHIND_SHARE = 10, SLOW_SHARE = 2 };

#define BEHIND_LEAST_NS 1e9

bool late_is_short(const struct measures *m)
{
	double late = m->fixed[MEASURE_CONNECTS_LATE].n;

	return late > 0 && late * LATE_SHARE >= late + m->fixed[MEASURE_CONNECTS_ATTEMPTED].n;
}

bool late_is_behind(const struct measures *m)
{
	struct value behind = m->fixed[MEASURE_CONNECTS_BEHIND],
		     elapsed = m->fixed[MEASURE_ELAPSED];

	return behind.present && elapsed.present && behind.n >= BEHIND_LEAST_NS &&
	       behind.n >= elapsed.n / BEHIND_SHARE && !late_is_short(m);
}

bool late_is_slow(const struct measures *m)
{
	struct value behind = m->fixed[MEASURE_ROUNDS_BEHIND], elapsed = m->fixed[MEASURE_ELAPSED];

	return behind.present && elapsed.present && behind.n >= BEHIND_LEAST_NS &&
	       behind.n >= elapsed.n / SLOW_SHARE;
}

bool late_is_lighter(const struct measures *m)
{
	return late_is_short(m) || late_is_behind(m) || late_is_slow(m);
}
