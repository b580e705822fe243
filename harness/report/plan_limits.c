/* What bounds a run besides its ports: descriptors, and a far end that has ports of its own. */
#include "plan/doubt.h"
#include "plan/upstream.h"
#include "report/plan_say.h"

struct text plan_say_loop(const struct plan *p, const struct outline *o, struct arena *a)
{
	(void)o;
	if (p->far_upstreams == 0)
		return (struct text){0};
	return text_format(
		a,
		"a proxy that is its own upstream: one connection has it open another "
		"for each of %s of %s range, with two descriptors each, until none is left",
		say_number(a, p->far_upstreams, "port"),
		upstreams_are_clients(p) ? "the client's" : "its own");
}

static const char *say_one_more(const struct plan *p, const struct load_plan *lp)
{
	if (doubt_descriptors(p, lp))
		return "beyond that socket() fails with EMFILE, however many ports are free";
	return doubt_gateway_first(p, lp) ? "the gateway's ports end first" : "none more is needed";
}

/* Of each load that has a bound of its own. */
struct text plan_say_descriptors(const struct plan *p, const struct outline *o, struct arena *a)
{
	struct text all = {0};

	(void)o;
	for (uint32_t i = 0; i < p->load_count; i++) {
		const struct load_plan *lp = &p->loads[i];

		if (lp->load->nofile == 0)
			continue;
		all = text_format(a, TEXT_FMT "%s%s of load.nofile − %d = %s at once; %s",
				  TEXT_ARG(all), all.len ? "; " : "",
				  say_count(a, (double)lp->load->nofile), STDIO,
				  say_number(a, lp->sockets_most, "socket"), say_one_more(p, lp));
	}
	return all;
}
