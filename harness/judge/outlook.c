#include "judge/outlook.h"

#include <math.h>

#include "judge/evidence.h"

/* By the rate that is foretold, which is of all that is opened; 0: it is no shorter than the longest. */
static double mean_ns(const struct plan *plan, int64_t longest_ns)
{
	const struct forecast *f = &plan->forecast;
	double mean;

	if (f->rate_is_least || !(f->rate > 0) || isinf(f->rate))
		return 0;
	mean = (double)plan->budget.capacity * 1e9 / f->rate;
	return mean < 0.99 * (double)longest_ns ? mean : 0;
}

bool outlook_is_mean(const struct plan *plan)
{
	return mean_ns(plan, live_time(plan) + quiet_time(plan)) > 0;
}

static struct setting_list with_reuse(const struct setting_list *old, struct arena *a)
{
	static const struct setting added[] = {
		{.name = TEXT("net.ipv4.tcp_tw_reuse"), .value = TEXT("1")},
		{.name = TEXT("net.ipv4.tcp_timestamps"), .value = TEXT("1")},
	};
	enum { ADDED = sizeof(added) / sizeof(added[0]) };
	struct setting_list all = {ARENA_ARRAY(a, struct setting, ADDED + old->count), 0};

	for (size_t i = 0; i < ADDED; i++) /* the first of a name counts */
		all.list[all.count++] = added[i];
	for (size_t i = 0; i < old->count; i++)
		all.list[all.count++] = old->list[i];
	return all;
}

int64_t outlook_life_ns(const struct plan *plan, enum outlook which, struct arena scratch)
{
	struct scenario s = *plan->scenario;
	struct plan p = *plan;
	int64_t quiet = quiet_time(plan), all;
	double mean;

	if (which != OUTLOOK_HERE)
		quiet = which == OUTLOOK_REUSED ? reuse_delay(plan) : outside_time(plan);
	all = live_time(plan) + quiet;
	if (!outlook_is_mean(plan))
		return all;
	p.scenario = &s;
	if (which != OUTLOOK_HERE)
		s.network.time_wait = TIME_WAIT_NS;
	if (which == OUTLOOK_REUSED) {
		s.network.sysctl = with_reuse(&s.network.sysctl, &scratch);
		s.server.sysctl = with_reuse(&s.server.sysctl, &scratch);
	}
	plan_foresee(&p);
	mean = mean_ns(&p, all);
	return mean > 0 ? (int64_t)mean : all;
}

/* Its far end answers as soon as it is told to, and goes on so. */
static bool is_prompt(const struct scenario *s)
{
	return s->server.behaviour == BEHAVIOUR_ANSWER && !s->server.accept_every &&
	       !s->server.die && !s->server.vanish;
}

int64_t outlook_round_ns(const struct plan *plan)
{
	const struct load_plan *lp = &plan->loads[0];

	if (plan->load_count > 1 || lp->concurrency == 0 || !is_prompt(plan->scenario))
		return 0;
	return lp->round_ns;
}
