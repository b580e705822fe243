/* plan.h - a plan told before anything runs, for a person or as JSON: what it takes, and what
 * will come of it, with the arithmetic in numbers.
 *
 * Input:  plans as plan_make() leaves them; one that it refused has what was known by then.
 * Output: whole lines, at most PAGE_WIDTH wide; or one JSON document.
 */
#pragma once

#include "base/out.h"
#include "judge/denied.h"
#include "plan/plan.h"

struct planned {
	const struct scenario *scenario;
	struct plan plan;
	struct err err; /* why this machine cannot run it; not set: it can */
	struct denial_list
		denied; /* lines of its `expect` that cannot hold, by what is predicted */
};

void plan_write_text(struct out *out, const struct planned *p, struct arena scratch);

/* Why it cannot be told whether the ports run out; empty: it can. */
struct text plan_doubt(const struct plan *p, struct arena *);

/* False: out of memory. */
bool plan_write_json(struct out *out, const struct planned *list, size_t count,
		     struct arena scratch);
