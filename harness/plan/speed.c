#include "plan/speed.h"

#include <math.h>

#include "plan/bind.h"
#include "plan/shape.h"

/* In kernel order each connect of the second half walks over the first, whose ports have the other
 * parity (__inet_hash_connect()); and so does bind() to port 0 (inet_csk_find_open_port()). Per
 * port passed, in ns, where the ports are connected, where they wait (each takes a lock), and where
 * it is bind(). Measured on Linux 6.18: 46, 160, and 308; but 28,232 ports in TIME_WAIT took from
 * 27 to 64 s on one machine. */
static const struct guess scan_live_ns = {15, 46, 90}, scan_wait_ns = {50, 160, 320},
			  scan_bind_ns = {50, 308, 500};

uint32_t speed_half(const struct load *load, const struct budget *b)
{
	enum bind_way way = load->bind.way;
	bool searches_all = load->order != ORDER_KERNEL || way == BIND_LOCAL_PORT_RANGE;

	if (load->protocol != PROTOCOL_TCP || searches_all || bind_names_port(way))
		return 0;
	return b->usable / 2;
}

struct guess speed_scan_ns(const struct load *load, const struct budget *b, int64_t quiet_ns)
{
	const struct guess *each = bind_takes_port(load->bind.way)	 ? &scan_bind_ns
				   : quiet_ns > 0 && quiet_ns < FOR_EVER ? &scan_wait_ns
									 : &scan_live_ns;
	double half = speed_half(load, b);

	return (struct guess){half * each->least, half * each->likely, half * each->most};
}

double speed_round_most_ns(double round_ns)
{
	return round_ns + fmin(round_ns, (double)LIFE_SLACK);
}

/* When connection n is begun by a machine that takes so long for a round, and for each in it, and longer past half
 * full: no sooner than it is due, and no sooner than those before it leave time for. */
static double begun_ns(const struct load *l, double round_ns, uint64_t n, uint64_t half,
		       double each_ns, double scan_ns)
{
	double past = half && n > half ? (double)(n - half) * (each_ns + scan_ns) : 0;
	double work = (double)(past > 0 ? half : n) * each_ns + past, due;
	uint64_t rounds = n / concurrency_of(l);
	struct shape shape;

	if (!load_is_open(l))
		return (double)rounds * round_ns + work;
	shape = shape_make(l);
	due = fmax((double)shape_when(&shape, n), work);
	return past > 0 ? fmax(due, (double)shape_when(&shape, half) + past) : due;
}

struct guess speed_pace(const struct scenario *s, const struct budget *b, const struct life *life,
			uint64_t n)
{
	const struct load *l = &s->load;
	uint64_t half = (uint64_t)speed_half(l, b) * b->spaces;
	struct guess scan = speed_scan_ns(l, b, life->quiet.most);
	double pause = (double)l->request.pause, least = (double)life->live.least + pause,
	       likely = (double)life->live.mean + pause,
	       most = speed_round_most_ns((double)life->live.most + pause);

	return (struct guess){
		begun_ns(l, least, n, half, speed_least_ns(l), scan.least),
		begun_ns(l, likely, n, half, SPEED_CONNECT_NS, scan.likely),
		begun_ns(l, most, n, half, SPEED_MOST_NS, scan.most) + LIFE_SLACK,
	};
}

bool speed_fills(const struct scenario *s, const struct load *l)
{
	bool is_slow = s->server.behaviour == BEHAVIOUR_NEVER_ACCEPT || s->server.accept_every;

	return s->server.backlog && is_slow && l->protocol == PROTOCOL_TCP;
}

double speed_changes_ns(const struct scenario *s, const struct load *l)
{
	if (speed_fills(s, l))
		return 0;
	return fmin(s->server.die ? (double)(s->server.die - l->start) : INFINITY,
		    s->server.vanish ? (double)(s->server.vanish - l->start) : INFINITY);
}

double speed_lasts_ns(const struct load *load)
{
	return load->duration ? (double)load->duration : INFINITY;
}

double speed_ends_ns(const struct scenario *s)
{
	return fmin((double)(s->stop.time - s->load.start), speed_lasts_ns(&s->load));
}

bool speed_keeps_up(const struct load_plan *lp, double used)
{
	double half = speed_half(lp->load, &lp->budget), each = SPEED_MOST_NS;

	if (half > 0 && used > half)
		each += speed_scan_ns(lp->load, &lp->budget, TIME_WAIT_NS).most;
	return (double)shape_most(&lp->shape, SPEED_STALL_NS) * each <= (double)SPEED_STALL_NS;
}
