#include "judge/outlook.h"

#include "plan/outline.h"

/* What of the port's life comes after the close, and ends. */
static bool has_quiet(const struct forecast *f)
{
	return f->quiet_ns > 0 && f->quiet_ns != FOR_EVER;
}

/* As plan/forecast.c has it: lab/ gives a namespace half the entries of its hash. */
uint64_t outlook_buckets(const struct plan *plan)
{
	const struct host *host = plan->host;
	int64_t fallback = (host && host->ehash > 0 ? host->ehash : 262144) / 2;
	int64_t buckets = setting_number(&plan->scenario->network.sysctl,
					 "net.ipv4.tcp_max_tw_buckets", fallback);

	if (!has_quiet(&plan->forecast) || buckets <= 0 ||
	    (uint64_t)buckets >= plan->budget.capacity)
		return 0;
	return (uint64_t)buckets;
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
	struct outline o = outline_of(plan);

	if (plan->load_count > 1 || lp->concurrency == 0 || !is_prompt(plan->scenario) ||
	    o.round_ns >= FOR_EVER)
		return 0;
	return o.round_ns;
}
