#include "judge/outlook.h"

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

/* Where both ends close at once, TIME_WAIT is on either side: nobody can tell. */
static bool is_race(const struct plan *p)
{
	enum behaviour server = p->scenario->server.behaviour;

	if (server != BEHAVIOUR_CLOSE && server != BEHAVIOUR_ACCEPT_CLOSE)
		return false;
	for (uint32_t i = 0; i < p->load_count; i++)
		if (load_ends(p->loads[i].load, END_CLOSE))
			return true;
	return false;
}

/* It does not go on as it was. */
static bool server_ends(const struct scenario *s)
{
	return s->server.die || s->server.vanish;
}

/* What lasts longer is not to be waited for: 100 days. */
static const double longest_ns = 100 * 86400e9;

int64_t outlook_lasts_ns(const struct plan *plan)
{
	double rate = plan_rate(plan), ns;

	if (rate <= 0 || plan->load_count > 1 || plan->loads[0].load->ramp.count > 0 ||
	    plan->budget.capacity == 0 || is_race(plan) || server_ends(plan->scenario) ||
	    load_is_pooled(plan->loads[0].load) || outlook_buckets(plan))
		return 0;
	ns = (double)plan->budget.capacity / rate * 1e9;
	return ns < (double)plan->forecast.port_life_ns && ns < longest_ns ? (int64_t)ns : 0;
}
