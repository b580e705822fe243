#include "judge/advice.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "host/wheel.h"
#include "judge/outlook.h"
#include "judge/say.h"
#include "plan/bind.h"
#include "plan/life.h"
#include "plan/speed.h"

void advice_add(struct line_list *lines, struct text line)
{
	if (lines->count < ADVICE_MOST)
		lines->list[lines->count++] = line;
}

void advice_add_all(struct line_list *lines, const char *const list[ADVICE_MOST])
{
	for (int i = 0; i < ADVICE_MOST && list[i]; i++)
		advice_add(lines, text_of(list[i]));
}

void advice_add_fmt(struct line_list *lines, struct arena *a, const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	advice_add(lines, text_keep(a, text_of(line)));
}

/* The rate that so many ports sustain if a connection takes `life_ns` of one. */
static double rate_of(uint64_t ports, int64_t life_ns)
{
	return (double)ports * 1e9 / (double)life_ns;
}

/* ", 1,075/s" behind a number of ports, where a rate is what the ports are for. */
static const char *rate_too(const struct evidence *e, uint64_t ports, int64_t life_ns)
{
	if (life_ns <= 0)
		return "";
	return text_format(e->a, ", %s", say_rate(e->a, rate_of(ports, life_ns))).s;
}

/* Ports that bursts want within a port's life; 0: there are none. */
static uint64_t bursts_want(const struct evidence *e, int64_t life_ns)
{
	const struct shape *shape = &e->plan->loads[0].shape;

	return e->plan->load_count == 1 && shape->burst ? shape_most(shape, life_ns) : 0;
}

/* In TIME_WAIT a timer may be late, but where a connect ends it. */
static int64_t timer_late_ns(const struct evidence *e)
{
	return e->plan->forecast.late_ns > 0 ? wheel_late_ns(e->plan->host, TIME_WAIT_NS) : 0;
}

/* For sure, as a plan has it: a close may be late. */
static double rate_sure(uint64_t ports, int64_t longest_ns)
{
	return rate_of(ports, longest_ns + SPEED_CLOSE_LATE_NS);
}

/* " (enough)"; or why it is not: no number of ports is, where some are held for good. */
static const char *say_enough(const struct evidence *e, uint64_t ports, int64_t life_ns,
			      double sure)
{
	double rate = rate_of(ports, life_ns);
	double asked = plan_rate(e->plan), gateway = e->plan->forecast.gateway_rate;

	if (e->kept > 0)
		return text_format(e->a, " (later: those never closed have them all after %s)",
				   say_number_of(e->a,
						 (uint64_t)((double)ports * (double)e->opened /
								    (double)e->kept +
							    0.5),
						 "connection", "connections"))
			.s;
	if (asked <= 0)
		return "";
	if (rate >= asked && bursts_want(e, life_ns + SPEED_CLOSE_LATE_NS) > ports)
		return " (not enough alone: a burst comes before the ports do)";
	if (rate >= asked && gateway < asked)
		return text_format(e->a, " (not enough: the gateway carries %s for sure)",
				   say_rate(e->a, gateway))
			.s;
	if (rate >= asked && sure < asked)
		return text_format(e->a, " (too close: %s for sure)", say_rate(e->a, sure)).s;
	return rate >= asked ? " (enough)" : " (not enough alone)";
}

static const char *rate_judged(const struct evidence *e, uint64_t ports, int64_t life_ns,
			       double sure)
{
	const char *verdict = life_ns > 0 ? say_enough(e, ports, life_ns, sure) : "";

	return text_format(e->a, "%s%s", rate_too(e, ports, life_ns), verdict).s;
}

/* ", 1,075/s (enough)" */
static const char *rate_of_ports(const struct evidence *e, uint64_t ports, int64_t life_ns)
{
	return rate_judged(e, ports, life_ns,
			   life_ns > 0 ? rate_sure(ports, life_ns + timer_late_ns(e)) : 0);
}

/* The client's own ports, which the gateway's come on top of: of UDP a port is free with its socket. */
static double own_rate(const struct evidence *e)
{
	if (e->plan->forecast.quiet_ns == 0)
		return live_time(e->plan) > 0
			       ? rate_sure(e->plan->budget.capacity, live_time(e->plan))
			       : INFINITY;
	return rate_sure(e->plan->budget.capacity,
			 outlook_life_ns(e->plan, OUTLOOK_ELSEWHERE, *e->a) + timer_late_ns(e));
}

const char *advice_gateway_rate(const struct evidence *e, uint64_t ports, int64_t life_ns)
{
	double asked = plan_rate(e->plan), own = own_rate(e);
	const char *verdict = "";

	if (life_ns > 0 && asked > 0 && rate_of(ports, life_ns) >= asked)
		verdict = own >= asked
				  ? " (enough)"
				  : text_format(e->a,
						" (not enough: the client's %s carry %s for sure)",
						say_ports(e), say_rate(e->a, own))
					    .s;
	else if (life_ns > 0 && asked > 0)
		verdict = " (not enough alone)";
	return text_format(e->a, "%s%s", rate_too(e, ports, life_ns), verdict).s;
}

/* "40000-40031", "40005" */
static const char *say_range(const struct evidence *e, struct port_range r)
{
	return r.lo == r.hi ? text_format(e->a, "%u", r.lo).s
			    : text_format(e->a, "%u-%u", r.lo, r.hi).s;
}

/* Where the program chooses the ports, the kernel's range is not asked. */
static void widen_own(struct line_list *lines, const struct evidence *e, int64_t life_ns)
{
	const struct load_plan *lp = &e->plan->loads[e->plan->widest];

	if (lp->bind == BIND_LOCAL_PORT_RANGE)
		advice_add_fmt(lines, e->a,
			       "give its sockets a wider IP_LOCAL_PORT_RANGE than %u-%u, of "
			       "net.ipv4.ip_local_port_range, %u-%u: each port more brings as much "
			       "as one of these%s",
			       lp->ports.lo, lp->ports.hi, e->plan->scenario->network.ports.lo,
			       e->plan->scenario->network.ports.hi, rate_too(e, 1, life_ns));
	else
		advice_add_fmt(lines, e->a,
			       "give the program more ports to name than %s, outside of "
			       "net.ipv4.ip_local_port_range: each brings as much as one of "
			       "these%s",
			       say_range(e, lp->ports), rate_too(e, 1, life_ns));
}

/* Widening alone has outgoing connections take ports that servers want: never without reserving
 * those. */
void advice_widen(struct line_list *lines, const struct evidence *e, int64_t life_ns)
{
	const struct budget *b = &e->plan->budget;
	enum bind_way way = e->plan->loads[e->plan->widest].bind;
	uint32_t wide = (uint32_t)(advice_widest.hi - advice_widest.lo) + 1, left = bound_left(e);

	if (bind_names_port(way) || way == BIND_LOCAL_PORT_RANGE) {
		widen_own(lines, e, life_ns);
		return;
	}
	wide -= ports_within(&e->plan->scenario->network.reserved, advice_widest) +
		e->plan->squat.listening + e->plan->squat.bound + b->usable - left;
	if (left == 0 || wide < left + left / 20)
		return;
	advice_add_fmt(
		lines, e->a,
		"widen net.ipv4.ip_local_port_range to %u-%u: %s, %s as many%s; put the ports your "
		"servers listen on into net.ipv4.ip_local_reserved_ports",
		advice_widest.lo, advice_widest.hi, say_number_of(e->a, wide, "port", "ports"),
		say_times(e->a, (double)wide / left),
		rate_of_ports(e, (uint64_t)wide * b->spaces, life_ns));
}

/* A socket of UDP has its port for all destinations: more of them add none. */
static void add_datagrams(struct line_list *lines, const struct evidence *e)
{
	advice_add(lines, TEXT(ADVICE_ONE_SOCKET));
	advice_add_fmt(lines, e->a, "each further source address that sockets are bound to adds %s",
		       say_number_of(e->a, bound_left(e), "port", "ports"));
}

void advice_tuples(struct line_list *lines, const struct evidence *e, int64_t life_ns)
{
	uint32_t usable = bound_left(e);

	if (e->load->load->protocol == PROTOCOL_UDP) {
		add_datagrams(lines, e);
		return;
	}
	if (is_bound_first(e->plan)) {
		advice_add_fmt(lines, e->a,
			       "each further source address that sockets are bound to adds %s%s",
			       say_number_of(e->a, usable, "port", "ports"),
			       rate_too(e, usable, life_ns));
		return;
	}
	advice_add_fmt(lines, e->a,
		       "each further destination, an address or a port of the server, adds %s%s",
		       say_number_of(e->a, usable, "port", "ports"), rate_too(e, usable, life_ns));
	advice_add(lines,
		   TEXT("each further source address adds as many; bind it with "
			"IP_BIND_ADDRESS_NO_PORT, or bind() takes a port for all destinations"));
}

void advice_spread(struct line_list *lines, const struct evidence *e)
{
	const struct shape *shape = &e->load->shape;
	const struct forecast *f = &e->plan->forecast;
	double rate = shape_rate(shape), at_once;
	int64_t lasts_ns = f->port_life_ns;

	if (shape->burst == 0 || e->plan->load_count > 1 || lasts_ns == FOR_EVER || f->buckets)
		return;
	if (f->quiet_ns > 0)
		lasts_ns = outlook_life_ns(e->plan, OUTLOOK_ELSEWHERE, *e->a) + timer_late_ns(e);
	if (rate_sure(e->plan->budget.capacity, lasts_ns) < rate)
		return;
	at_once = fmax(ceil(rate * (double)lasts_ns / 1e9), 1);
	advice_add_fmt(lines, e->a,
		       "spread the burst: %s every %s are %s, which evenly, with a port for %s "
		       "each, want %s at once (enough)",
		       say_number_of(e->a, shape->burst, "connection", "connections"),
		       say_time(e->a, shape->every_ns), say_rate(e->a, rate),
		       say_time(e->a, lasts_ns),
		       say_number_of(e->a, (uint64_t)at_once, "port", "ports"));
}

/* tcp_tw_reuse=1, where it is not at work already. */
void advice_reuse(struct line_list *lines, const struct evidence *e)
{
	int64_t delay_ns = reuse_delay(e->plan), life_ns;
	uint64_t ports = e->plan->budget.capacity;
	bool is_set = reuse_is_set(e->plan), stamps = has_timestamps(e->plan);
	const char *gain;

	if (is_bound_first(e->plan) || is_reused(e->plan) || delay_ns == 0 || (is_set && stamps))
		return;
	life_ns = outlook_life_ns(e->plan, OUTLOOK_REUSED, *e->a);
	gain = text_format(e->a, "a connect may take a port that was %s in TIME_WAIT%s",
			   say_time(e->a, delay_ns),
			   evidence_binds_some(e)
				   ? ", a bind() to port 0 none"
				   : rate_judged(e, ports, life_ns, rate_sure(ports, life_ns)))
		       .s;
	if (is_set) {
		advice_add_fmt(
			lines, e->a,
			"net.ipv4.tcp_timestamps=1: tcp_tw_reuse is set, and does nothing without "
			"timestamps; with them %s",
			gain);
		return;
	}
	if (!stamps)
		advice_add(lines, TEXT("net.ipv4.tcp_timestamps=1: without timestamps no port in "
				       "TIME_WAIT is reused"));
	advice_add_fmt(lines, e->a,
		       "net.ipv4.tcp_tw_reuse=1: %s; it works for the side that connects, with TCP "
		       "timestamps on both sides",
		       gain);
}
