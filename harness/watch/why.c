#include "watch/why.h"

/* From how many on that nobody closes they are told of, however wide the range is. */
enum { CLOSE_WAIT_LEAST = 10 };

/* Who closes connections has closed some by then: few are kept open for longer than a minute. */
#define KEPT_NS (60 * INT64_C(1000000000))

/* What is full, or will be within the hour, is to be told of. */
static bool is_pressed(const struct look_row *row)
{
	const struct usage *u = &row->usage;
	bool soon = row->full_ns >= 0 && row->full_ns < 3600 * INT64_C(1000000000);

	return 2 * (uint64_t)usage_used(u) >= u->usable || soon;
}

/* bind()'s ports are more than those that are left to connect(). */
static bool starves(const struct look_row *row)
{
	return is_pressed(row) && row->usage.elsewhere > row->usage.usable;
}

static bool is_left_open(const struct look_row *row)
{
	return row->usage.states[STATE_CLOSE_WAIT] >= CLOSE_WAIT_LEAST;
}

static bool most_are_in(const struct look_row *row, uint32_t n)
{
	return is_pressed(row) && 2 * (uint64_t)n >= usage_used(&row->usage);
}

static bool waits(const struct look_row *row)
{
	return most_are_in(row, row->usage.states[STATE_TIME_WAIT]);
}

static bool is_orphaned(const struct look_row *row)
{
	return most_are_in(row,
			   row->usage.states[STATE_FIN_WAIT1] + row->usage.states[STATE_FIN_WAIT2]);
}

static bool is_unanswered(const struct look_row *row)
{
	return most_are_in(row, row->usage.states[STATE_SYN_SENT]);
}

static bool leaks(const struct look_row *row)
{
	return most_are_in(row, row->usage.states[STATE_ESTABLISHED]) && row->kept_ns >= KEPT_NS;
}

static bool is_live(const struct look_row *row)
{
	return most_are_in(row, row->usage.states[STATE_ESTABLISHED]);
}

/* The first that holds is told. */
enum cause look_cause(const struct look_row *row)
{
	static const struct {
		bool (*holds)(const struct look_row *);
		enum cause cause;
	} rules[] = {
		{starves, CAUSE_BIND_STARVATION}, {is_left_open, CAUSE_CLOSE_WAIT_LEAK},
		{waits, CAUSE_TIME_WAIT_CHURN},	  {is_orphaned, CAUSE_FIN_WAIT_ORPHANS},
		{is_unanswered, CAUSE_BLACKHOLE}, {leaks, CAUSE_LEAK},
		{is_live, CAUSE_LIVE_SATURATION},
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].holds(row))
			return rules[i].cause;
	return CAUSE_NO_DATA;
}

enum cause look_maybe(const struct look_row *row)
{
	bool unknown = row->opens < 0 || row->kept_ns > 0;

	return look_cause(row) == CAUSE_LIVE_SATURATION && unknown ? CAUSE_LEAK : CAUSE_NO_DATA;
}
