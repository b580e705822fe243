#include "plan/speed.h"

#include <math.h>

#include "plan/shape.h"

/* How soon a connection can follow the one before, at best and at worst: 13 us were measured
 * over loopback, on Linux 6.18; the bounds leave room for machines faster and ten times slower. */
#define FASTEST_NS 5000.0
#define SLOWEST_NS 200000.0

/* In kernel order each connect of the second half walks over the first: per port passed, in ns.
 * Sockets in TIME_WAIT take a lock each. Measured on Linux 6.18: 46 and 160. */
#define SCAN_LIVE_NS 60.0
#define SCAN_WAIT_NS 180.0

struct pace speed_pace(const struct scenario *s, const struct budget *b, const struct life *life,
		       uint64_t n)
{
	double count = (double)n, half = b->usable / 2.0;
	double scan =
		life->quiet.most > 0 && life->quiet.most < FOR_EVER ? SCAN_WAIT_NS : SCAN_LIVE_NS;
	double work = count * SLOWEST_NS;
	uint64_t under_way = concurrency_of(&s->load);
	uint64_t before = n / under_way; /* whole rounds */
	double rounds;

	if (s->load.order == ORDER_KERNEL && s->load.protocol == PROTOCOL_TCP)
		work += b->spaces * half * half * scan;
	if (load_is_open(&s->load)) {
		struct shape shape = shape_make(&s->load);
		double due = (double)shape_when(&shape, n);

		return (struct pace){fmax(due, count * FASTEST_NS), fmax(due, work) + LIFE_SLACK};
	}
	rounds = (double)before * (double)(life->live.most + s->load.request.pause);
	return (struct pace){fmax(rounds, count * FASTEST_NS), rounds + work + LIFE_SLACK};
}

double speed_changes_ns(const struct scenario *s)
{
	bool fills = s->server.behaviour == BEHAVIOUR_NEVER_ACCEPT || s->server.accept_every;

	if (s->server.backlog && fills)
		return 0;
	return fmin(s->server.die ? (double)s->server.die : INFINITY,
		    s->server.vanish ? (double)s->server.vanish : INFINITY);
}

double speed_ends_ns(const struct scenario *s)
{
	double stop = (double)(s->stop.time - s->load.start), duration = (double)s->load.duration;

	return duration > 0 && duration < stop ? duration : stop;
}
