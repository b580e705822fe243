/* Several loads that want the same ports: what each is by itself, and what they come to together. */
#include <math.h>

#include "plan/fill.h"
#include "plan/part.h"
#include "plan/use.h"
#include "report/plan_say.h"

/* By the place of the load among those of the scenario: a part has some of them. */
struct text plan_load_name(const struct plan *p, const struct load_plan *lp)
{
	struct text name = {0};

	for (size_t i = 0; i < scenario_loads(p->scenario); i++)
		if (scenario_load(p->scenario, i) == lp->load)
			name = scenario_load_name(p->scenario, i);
	return name;
}

struct text plan_say_each(const struct plan *p,
			  struct text (*say)(const struct plan *, const struct outline *,
					     struct arena *),
			  struct arena *a)
{
	struct text all = {0};

	for (uint32_t i = 0; i < p->load_count; i++) {
		struct load_plan *room = ARENA_NEW(a, struct load_plan);
		struct text name = plan_load_name(p, &p->loads[i]), said;
		struct outline o;
		struct plan one;

		part_of_load(&one, p, i, room);
		o = outline_of(&one);
		said = say(&one, &o, a);
		all = text_format(a, TEXT_FMT "%s" TEXT_FMT ": " TEXT_FMT, TEXT_ARG(all),
				  i ? "; " : "", TEXT_ARG(name), TEXT_ARG(said));
	}
	return all;
}

/* "about 72 ports to a destination, 110 at most"; where nobody can tell how many, "as many as come". */
static const char *say_wanted(const struct plan *p, const struct wanted *wanted, struct arena *a)
{
	const char *to = p->budget.spaces > 1 ? " to a destination" : "";
	double likely = ceil(wanted->likely), most = ceil(wanted->most);

	if (!isfinite(likely))
		return "as many ports as come";
	if (!isfinite(most) || most <= likely)
		return text_format(a, "about %s%s", say_number(a, (uint64_t)likely, "port"), to).s;
	return text_format(a, "about %s%s at once, %s at most",
			   say_number(a, (uint64_t)likely, "port"), to, say_count(a, most))
		.s;
}

/* "; together about 42 of 64 ports are in use to one destination or another, perhaps all, and rpc needs one that
 * is to none" */
static const char *say_of_all(const struct plan *p, const struct wanted *wanted, struct arena *a)
{
	struct text name = plan_load_name(p, wanted->of_all);

	if (!isfinite(wanted->likely) || ceil(wanted->likely) >= wanted->usable)
		return text_format(a,
				   "; together they want all of %s, to one destination or another, "
				   "and " TEXT_FMT " needs one that is to none",
				   say_number(a, wanted->usable, "port"), TEXT_ARG(name))
			.s;
	return text_format(a,
			   "; together about %s of %s are in use to one destination or another%s, "
			   "and " TEXT_FMT " needs one that is to none",
			   say_count(a, ceil(wanted->likely)),
			   say_number(a, wanted->usable, "port"),
			   wanted->most > wanted->usable ? ", perhaps all" : "", TEXT_ARG(name))
		.s;
}

const char *plan_say_sum(const struct plan *p, struct arena *a)
{
	struct wanted wanted = fill_wanted(p);

	if (wanted.usable == 0)
		return "";
	if (wanted.of_all)
		return say_of_all(p, &wanted, a);
	return text_format(a, "; together %s; %s available", say_wanted(p, &wanted, a),
			   say_count(a, wanted.usable))
		.s;
}

/* How many a pool that keeps too few opens nobody knows. */
static bool any_churns(const struct plan *p)
{
	for (uint32_t i = 0; i < p->load_count; i++) {
		struct use u = use_make(p, &p->loads[i], &p->loads[i]);

		if (u.is_pooled && pool_churns(&u.pool))
			return true;
	}
	return false;
}

struct text plan_say_together(const struct plan *p, const struct outline *o, struct arena *a)
{
	const struct load_plan *refused = &p->loads[p->forecast.likely_of];
	int64_t at = p->forecast.likely_run_ns;
	const char *whose = "", *likely = any_churns(p) ? "if half of the requests that may end "
							  "together do,"
							: "likely";

	(void)o;
	if (refused->budget.usable < p->budget.usable)
		whose = text_format(a, " for " TEXT_FMT, TEXT_ARG(plan_load_name(p, refused))).s;
	if (at < FOR_EVER)
		return text_format(a,
				   "cannot be told for sure: %s no port is left%s at %s, by the "
				   "clock and by what each load has in use until then",
				   likely, whose, say_time(a, (double)at));
	return text_format(a, "cannot be told for sure: %s the ports do not run out%s%s", likely,
			   fill_wanted(p).slowed ? ", since connects are too slow past half full"
						 : "",
			   plan_say_sum(p, a));
}
