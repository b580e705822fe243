/* fill.h - when all ports of a load are in use, by its own connections and by those of
 * other loads: what plan/sum.h adds up, held against the ports that there are.
 *
 * A connect is refused for sure once even the least that may be in use is more than
 * there are (SUM_LEAST); none ever is if the most is not (SUM_MOST); otherwise it is
 * told when it is likely (SUM_LIKELY).
 *
 * Units:  ports are counted; times are nanoseconds since the run began.
 * Errors: none; pure.
 */
#pragma once

#include "plan/plan.h"

/* Fills in of `all`, the forecast of the loads together, whether a connect is refused,
 * when, and after how many connections. each[i] is the forecast of p->loads[i] by
 * itself. */
void fill_foresee(struct forecast *all, const struct plan *p, const struct forecast *each);

/* The first load whose connects get slow, since half of the ports that it may have are
 * likely in use, and when; FOR_EVER: not in this run. NULL: no load's connects get
 * slow. */
struct half {
	const struct load_plan *of;
	int64_t at_ns;
};

struct half fill_half(const struct plan *p);

/* The load whose ports may be fullest, of those that share ports with another, or the
 * only one: ports of one space of it, and how many of these are in use at once. All 0:
 * no two loads share any. */
struct wanted {
	uint32_t usable;
	double likely, most;
	const struct load_plan
		*of_all; /* whose ports are in use if any destination's are; NULL: each
					   destination's by themselves */
	bool slowed;	 /* more would be, but that connects are slow past half full */
};

struct wanted fill_wanted(const struct plan *p);

/* Ports in use at once of one space, at most, of the load whose ports are wanted most. */
double fill_peak(const struct plan *p);

/* Ports of all spaces that all loads have in use at once, at most, and those of
 * connections that are not closed yet; INFINITY: nobody can tell. */
double fill_ports_most(const struct plan *p);
double fill_open_most(const struct plan *p);

/* How long the ports likely last if the loads go on as they are, from when the first of
 * them begins; 0: for ever, or nobody can tell. */
int64_t fill_lasts_ns(const struct plan *p);
