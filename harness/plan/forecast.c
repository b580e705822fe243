#include "plan/budget.h"

#include <math.h>

#include "plan/bind.h"
#include "plan/life.h"
#include "plan/shape.h"
#include "plan/speed.h"

#define SECOND INT64_C(1000000000)

/* A closed loop whose ports are free with their close never has more in use than are under way. */
static bool bounded(const struct scenario *s, const struct budget *b, const struct life *life)
{
	/* The server's last ACK is on its way. */
	const uint64_t lingering = s->load.protocol == PROTOCOL_TCP ? 8 : 0;
	uint64_t under_way = concurrency_of(&s->load);

	return !load_is_open(&s->load) && life->quiet.most == 0 &&
	       under_way + lingering <= b->capacity;
}

/* A closed loop whose pool takes all of its connections back opens no more than it has clients;
 * for each destination, where it has several. */
static bool keeps_all(const struct scenario *s, const struct budget *b)
{
	const struct load *l = &s->load;
	uint64_t under_way = concurrency_of(l);

	return !load_is_open(l) && l->pool.max_idle >= under_way && under_way <= b->usable &&
	       l->request.per_connection == 0 && l->pool.idle_timeout == 0 &&
	       !behaviour_does(s->server.behaviour, DOES_END) && s->server.die == 0;
}

/* How many connections a pool opens is a matter of when its requests come, but for the two
 * bounds: those that it keeps for ever, and as many requests as there are, by what each serves. */
static void foresee_pool(struct forecast *f, const struct scenario *s, const struct budget *b)
{
	const struct load *l = &s->load;

	f->known = keeps_all(s, b) || (l->total && l->total <= b->first);
	f->rate = NAN;
}

/* Connection number `first`, counted from 0, is refused if it is begun while all before it
 * hold their ports still; and if that one is not, none is, for the load is the same at all
 * times. */
static void foresee(struct forecast *f, const struct scenario *s, const struct budget *b,
		    const struct life *life)
{
	struct pace next = speed_pace(s, b, life, b->first);
	int64_t least = life_sum(life->live.least, life->quiet.least),
		most = life_sum(life->live.most, life->quiet.most);
	bool so_many = s->load.total == 0 || s->load.total > b->first;
	/* What is drawn can come to one pair at any time. */
	bool steady = speed_ends_ns(s) <= speed_changes_ns(s) && b->first == b->capacity;
	bool surely = so_many && next.slow < fmin(speed_ends_ns(s), speed_changes_ns(s)) &&
		      (least == FOR_EVER || next.slow < (double)least);
	bool never = !so_many || next.quick >= speed_ends_ns(s) ||
		     (steady && ((most < FOR_EVER && next.quick >= (double)most + LIFE_SLACK) ||
				 bounded(s, b, life)));

	/* A port that the load's own sockets share is never wanted for. */
	never |= bind_shares_port(&s->load);
	surely &= !never && (b->first || !b->capacity);
	f->exhausts = surely;
	f->known = (surely || never) && !bind_may_repeat(s, &s->load) && (b->first || !b->capacity);
	f->after = surely && life_opens(s) ? b->first : 0;
}

struct forecast forecast_make(const struct scenario *s, const struct budget *b,
			      const struct host *host)
{
	struct life life = life_of(s, b, host);
	struct forecast f = {
		.port_life_ns = life_sum(life.live.most, life.quiet.most),
		.life_least_ns = life_sum(life.live.least, life.quiet.least),
		.quiet_ns = life.quiet.most,
	};

	if (f.port_life_ns == 0)
		f.rate = b->capacity ? INFINITY : 0;
	else
		f.rate = (double)b->capacity / (life_mean(s, b, host) / SECOND);
	if (load_is_pooled(&s->load))
		foresee_pool(&f, s, b);
	else
		foresee(&f, s, b, &life);
	return f;
}
