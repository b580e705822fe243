#include "judge/outlook.h"
#include "judge/rule.h"
#include "plan/bind.h"

static uint32_t size_of(struct port_range r)
{
	return (uint32_t)(r.hi - r.lo) + 1;
}

/* What looks at the range alone sees those that were in use as well that a load has named. */
static uint32_t seen_in_use(const struct evidence *e, struct port_range range)
{
	uint32_t left = bound_left(e), used = e->full ? e->full->used_max : 0;

	return (uint32_t)least(used > left ? used : left, size_of(range));
}

static struct claim reserved_ports(const struct evidence *e)
{
	uint32_t n = evidence_reserved(e);
	struct claim c = {.weight = claim_takes(e, n)};
	struct port_range range = e->plan->loads[e->plan->widest].ports;
	uint32_t left = bound_left(e);

	if (c.weight > 0)
		c.why = text_format(e->a,
				    "net.ipv4.ip_local_reserved_ports has %s of the %s ports of "
				    "%u-%u, and connect() "
				    "takes none of them: %s%s %s left %s. A tool that goes by the "
				    "range alone says "
				    "that %s of it are in use.",
				    say_count(e->a, n), say_count(e->a, size_of(range)), range.lo,
				    range.hi, say_number_of(e->a, left, "port", "ports"),
				    e->ports_of, say_either(left, "is", "are"), say_towards(e),
				    say_measure(e->a, KIND_SHARE,
						(double)seen_in_use(e, range) / size_of(range)));
	return c;
}

static void advise_reserved(struct finding *f, const struct evidence *e)
{
	advice_add(&f->attempt,
		   TEXT("reserve only what a server listens on, each port by itself, and "
			"move such servers out of the range"));
	advice_widen(&f->attempt, e, 0);
	advice_tuples(&f->attempt, e, 0);
}

/* Would the host's range carry the load? What leaks fits none. */
static bool fits(const struct evidence *e, struct port_range range)
{
	double spaces = e->plan->budget.spaces, wanted = 0, rate = plan_rate(e->plan);

	for (uint32_t i = 0; i < e->plan->load_count; i++)
		wanted += e->plan->loads[i].concurrency;
	if (rate > 0)
		wanted = rate * (double)outlook_life_ns(e->plan, OUTLOOK_ELSEWHERE, *e->a) / 1e9;
	return e->tape->tally.leaked == 0 && (rate > 0 || e->tape->tally.closed == 0) &&
	       wanted <= size_of(range) * spaces;
}

/* The namespace has the kernel's own range, and the host a wider one, which would do. */
static struct claim container_range(const struct evidence *e)
{
	const struct host *host = e->plan->host;
	struct port_range here = e->plan->scenario->network.ports;

	if (!e->tape->exhausted || here.lo != kernel_range.lo || here.hi != kernel_range.hi ||
	    !host || size_of(host->ports) < size_of(here) + size_of(here) / 20 ||
	    bind_names_port(e->plan->loads[e->plan->widest].bind) || !fits(e, host->ports))
		return no_claim;
	return (struct claim){
		.weight = claim_first(e),
		.why = text_format(e->a,
				   "The host's net.ipv4.ip_local_port_range is %u-%u, and this "
				   "network namespace "
				   "has %u-%u: a new one begins with the kernel's default, not "
				   "with the host's. So "
				   "it is %s, not %s, %s.",
				   host->ports.lo, host->ports.hi, here.lo, here.hi, say_ports(e),
				   say_count(e->a, size_of(host->ports)), say_towards(e))};
}

// clang-format off
const struct rule range_rules[] = {
	{
		.cause = CAUSE_RESERVED_PORTS,
		.claim = reserved_ports,
		.advise = advise_reserved,
		.seen = {MEASURE_PORTS_USABLE, MEASURE_PORTS_USED_MAX, MEASURE_EXHAUSTED_AFTER},
		.in_vain = {
			"binding to port 0 instead: bind() passes over reserved ports as well",
			"ulimit -n: descriptors are another limit, and did not run out",
		},
	},
	{
		.cause = CAUSE_CONTAINER_RANGE,
		.claim = container_range,
		.seen = {MEASURE_PORTS_USABLE, MEASURE_PORTS_USED_MAX, MEASURE_EXHAUSTED_AFTER},
		.attempt = {
			"set net.ipv4.ip_local_port_range in the namespace itself (docker run --sysctl, securityContext.sysctls "
			"of a pod), with the ports that it listens on in its net.ipv4.ip_local_reserved_ports",
			"read it there: `nsenter -t PID -n sysctl net.ipv4.ip_local_port_range`",
		},
		.in_vain = {
			"the sysctl on the host: it is one of each network namespace",
			"the sysctl in the image's /etc/sysctl.conf: nothing reads it in a container",
		},
	},
	RULES_END,
};
// clang-format on
