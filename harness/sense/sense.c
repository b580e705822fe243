#include "sense/sense.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "sense/census.h"
#include "sense/holders.h"
#include "sys/clock.h"
#include "sys/conntrack.h"

/* Counters at most ten times a second; a dump's cost, 50 times over, must pass before the next
 * unasked one: 2 %. */
enum { COUNTERS_NS = 100000000, DUMP_SHARE = 50, SETTLE_WAIT_NS = 2000000 };

struct sense {
	struct sense_wish wish;
	struct tape *tape;
	pthread_t thread;

	/* What the lock guards: wishes of other threads, and how far they have been met. */
	pthread_mutex_t lock;
	pthread_cond_t wake, met;
	bool ready, quit, ended;
	bool asked;		   /* a dump soon */
	unsigned edges, edges_met; /* dumps now: how many were wished for and done */
	int64_t settle_ns;
	bool zeroed;
	int64_t zero_ns;
	struct err err; /* read by others once the thread is gone */

	/* The thread's own. */
	struct dump dump;
	struct proc_door proc;
	struct conntrack_door conntrack;
	struct conntrack_counts tracked_first; /* when the load began */
	struct census census;
	struct tuples tuples;
	struct usage usages[USAGES_MOST]; /* of the last dump */
	struct portmap map;		  /* of it too */
	struct holders holders;
	int64_t next_totals, next_counters, next_dump;
	bool counting;	 /* the load has begun: counters keep their first value */
	int64_t base_ns; /* its beginning */
};

static uint64_t peek(const _Atomic uint64_t *figure)
{
	return atomic_load_explicit(figure, memory_order_relaxed);
}

/* ---- looking ------------------------------------------------------------- */

static void add_to_census(void *context, const struct socket_seen *seen)
{
	struct sense *s = context;

	bool is_server = seen->datagrams || seen->state == STATE_LISTEN;

	for (uint32_t i = 0; !is_server && i < s->wish.service_count; i++)
		if (s->wish.services[i] == seen->local_port)
			return;
	census_add(&s->census, seen);
}

static struct sample sample_begin(const struct sense *s)
{
	const struct pulse *p = s->wish.pulse;
	struct sample sample = {.t_ns = s->counting ? clock_now() - s->base_ns : -1};

	if (p) {
		sample.attempted = peek(&p->attempted);
		sample.opened = peek(&p->opened);
		sample.failed = peek(&p->failed);
		sample.open = peek(&p->open);
	}
	return sample;
}

static void raise_to(_Atomic uint64_t *most, uint64_t seen)
{
	if (seen > peek(most))
		atomic_store_explicit(most, seen, memory_order_relaxed);
}

static void publish_gateway(const struct sense *s, const struct conntrack_counts *now)
{
	struct pulse *p = s->wish.pulse;

	if (!p)
		return;
	raise_to(&p->gateway_entries_max, now->entries);
	raise_to(&p->gateway_insert_failed, now->insert_failed - s->tracked_first.insert_failed);
	raise_to(&p->gateway_drop, now->drop - s->tracked_first.drop);
	atomic_fetch_add(&p->gateway_looks, 1);
}

static bool look_at_gateway(struct sense *s, struct sample *sample, struct err *err)
{
	struct conntrack_counts now;

	if (!s->wish.gateway)
		return true;
	if (!conntrack_read(&s->conntrack, &now, err))
		return false;
	if (!s->counting)
		s->tracked_first = now;
	sample->parts |= SAMPLE_GATEWAY;
	sample->gateway =
		(struct tracked){now.entries, now.insert_failed, now.drop, now.early_drop};
	publish_gateway(s, &now);
	return true;
}

static bool look_at_totals(struct sense *s, struct sample *sample, struct err *err)
{
	struct totals totals;

	if (!proc_totals(&s->proc, &totals, err))
		return false;
	sample->parts |= SAMPLE_TOTALS;
	sample->inuse = totals.inuse;
	if (s->wish.filter.protocols >> PROTOCOL_UDP & 1)
		sample->inuse += totals.udp;
	sample->tw = totals.tw;
	return true;
}

static void publish(const struct sense *s)
{
	struct pulse *p = s->wish.pulse;

	if (!p)
		return;
	raise_to(&p->used_max, s->census.used_max);
	for (int i = 0; i < STATES; i++)
		raise_to(&p->states_max[i], s->census.states[i]);
	atomic_fetch_add(&p->dumps, 1);
}

/* In a network of our own all sockets are the load's, or its heirs'. */
static void look_at_holders(struct sense *s, const struct sample *sample)
{
	if (sample->edge)
		holders_tell(&s->holders, &s->census, s->usages, sample->usage_count);
}

/* On the tape, with the destinations of its dump. */
static void put(struct sense *s, const struct sample *sample)
{
	if (!(sample->parts & SAMPLE_SOCKETS)) {
		tape_sample(s->tape, *sample);
		return;
	}
	look_at_holders(s, sample);
	tape_dump(s->tape, *sample, s->usages);
	tape_map(s->tape, &s->map);
}

static bool look_at_sockets(struct sense *s, struct sample *sample, struct err *err)
{
	int64_t begin = clock_now();

	census_clear(&s->census);
	if (!dump_run(&s->dump, &s->wish.filter, add_to_census, s, &sample->torn, err))
		return false;
	sample->dump_ns = (uint64_t)(clock_now() - begin);
	census_tell(&s->census, sample, s->usages);
	sample->from_proc = s->wish.from_proc;
	census_map(&s->census, &s->map);
	sample->at_rest = census_at_rest(&s->census, s->wish.half_closed_rests);
	publish(s);
	s->next_dump = clock_now();
	s->next_dump += s->wish.sockets_ns > (int64_t)sample->dump_ns * DUMP_SHARE
				? s->wish.sockets_ns
				: (int64_t)sample->dump_ns * DUMP_SHARE;
	return true;
}

static void count(void *context, struct text name, uint64_t value)
{
	struct sense *s = context;
	struct tape *t = s->tape;
	size_t i = 0;

	while (i < t->counter_count && !text_is(name, t->counters[i].name))
		i++;
	if (i == t->counter_count) {
		if (i == t->counter_room || name.len >= sizeof(t->counters[i].name))
			return; /* of a kernel to come; nobody can have asked for it */
		memcpy(t->counters[i].name, name.s, name.len);
		t->counter_count++;
	}
	if (!s->counting)
		t->counters[i].first = value;
	t->counters[i].last = value;
}

static bool look_at_counters(struct sense *s, struct err *err)
{
	s->next_counters = clock_now() + COUNTERS_NS;
	return proc_counters(&s->proc, count, s, err);
}

/* One look at totals and sockets, marked as an edge. */
static bool look_at_edge(struct sense *s, struct sample *sample, struct err *err)
{
	*sample = sample_begin(s);
	sample->edge = true;
	return look_at_totals(s, sample, err) && look_at_gateway(s, sample, err) &&
	       look_at_sockets(s, sample, err);
}

/* Looks until all sockets are at rest; only the last look goes on the tape. */
static bool look_until_rest(struct sense *s, int64_t settle_ns, struct err *err)
{
	int64_t until = clock_now() + settle_ns;
	struct sample sample;

	while (look_at_edge(s, &sample, err)) {
		if (sample.at_rest || clock_now() >= until) {
			put(s, &sample);
			return look_at_counters(s, err);
		}
		clock_sleep(SETTLE_WAIT_NS);
	}
	return false;
}

/* ---- the thread ---------------------------------------------------------- */

static bool look_as_due(struct sense *s, bool asked, struct err *err)
{
	int64_t now = clock_now();
	struct sample sample;

	if (asked) {
		if (!look_at_edge(s, &sample, err))
			return false;
		put(s, &sample);
	} else if (now >= s->next_totals) {
		sample = sample_begin(s);
		if (!look_at_totals(s, &sample, err) || !look_at_gateway(s, &sample, err))
			return false;
		if (now >= s->next_dump && !look_at_sockets(s, &sample, err))
			return false;
		put(s, &sample);
	}
	if (now >= s->next_totals)
		s->next_totals +=
			s->wish.every_ns * (1 + (now - s->next_totals) / s->wish.every_ns);
	return now < s->next_counters || look_at_counters(s, err);
}

static bool gateway_open(struct sense *s, struct err *err)
{
	return !s->wish.gateway ||
	       (s->wish.gateway(s->wish.where, err) && conntrack_open(&s->conntrack, err));
}

/* A port that a program names itself can be a reserved one. */
static bool reserved_open(struct sense *s, struct err *err)
{
	return s->wish.ports_named || reserved_read(&s->census.reserved, err);
}

static bool sense_open(struct sense *s, struct err *err)
{
	const struct sense_wish *wish = &s->wish;

	return gateway_open(s, err) && (!wish->enter || wish->enter(wish->where, err)) &&
	       reserved_open(s, err) && proc_open(&s->proc, err) &&
	       (wish->from_proc ? dump_open_proc : dump_open)(&s->dump, err) &&
	       look_at_counters(s, err);
}

/* Waits, with the lock held, until something is wished for or due. */
static void wait_for_work(struct sense *s)
{
	int64_t due = s->next_totals < s->next_counters ? s->next_totals : s->next_counters;
	struct timespec until = {.tv_sec = due / 1000000000, .tv_nsec = due % 1000000000};

	while (!s->quit && !s->asked && s->edges == s->edges_met)
		if (pthread_cond_timedwait(&s->wake, &s->lock, &until) == ETIMEDOUT)
			break;
}

static bool sense_turn(struct sense *s, struct err *err)
{
	bool asked = s->asked, ok = true;
	unsigned edges = s->edges;
	int64_t settle_ns = s->settle_ns;

	s->asked = false;
	s->counting = s->zeroed;
	s->base_ns = s->zero_ns;
	pthread_mutex_unlock(&s->lock);
	if (ok && edges != s->edges_met)
		ok = look_until_rest(s, settle_ns, err);
	else if (ok)
		ok = look_as_due(s, asked, err);
	pthread_mutex_lock(&s->lock);
	if (edges != s->edges_met) {
		s->edges_met = edges;
		pthread_cond_broadcast(&s->met);
	}
	return ok;
}

static void *sense_thread(void *context)
{
	struct sense *s = context;
	struct err err = {0};
	bool ok = sense_open(s, &err);

	pthread_mutex_lock(&s->lock);
	s->next_totals = s->next_dump = clock_now();
	s->err = err;
	s->ready = true;
	s->ended = !ok;
	pthread_cond_broadcast(&s->met);
	while (ok && !s->quit && !s->tape->write_error) {
		wait_for_work(s);
		if (!s->quit)
			ok = sense_turn(s, &s->err);
	}
	s->ended = true;
	if (s->wish.pulse && (s->err.kind || s->tape->write_error))
		atomic_store(&s->wish.pulse->broken, true);
	pthread_cond_broadcast(&s->met);
	pthread_mutex_unlock(&s->lock);
	dump_close(&s->dump);
	proc_close(&s->proc);
	conntrack_close(&s->conntrack);
	return NULL;
}

/* ---- from outside -------------------------------------------------------- */

bool sense_start(struct sense **out, const struct sense_wish *wish, struct tape *tape,
		 struct arena *arena, struct err *err)
{
	struct sense *s = ARENA_NEW(arena, struct sense);
	pthread_condattr_t monotonic;
	bool good;
	int e;

	s->wish = *wish;
	s->tape = tape;
	s->proc = (struct proc_door){-1, -1, -1, -1};
	if (!census_open(&s->census, wish->pairs, arena) ||
	    !census_open_held(&s->census, wish->sockets, arena) ||
	    !holders_open(&s->holders, true, arena) ||
	    (wish->shared && !tuples_open(&s->tuples, 2 * wish->shared, arena)))
		return err_sys(err, ENOMEM, "could not reserve memory to count %u pairs",
			       wish->pairs);
	s->census.together = wish->together;
	s->census.tuples = wish->shared ? &s->tuples : NULL;
	s->census.unconnected = wish->unconnected;
	s->census.range = wish->filter.ports;
	s->census.early_ns = wish->early_ns;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, &monotonic);
	pthread_cond_init(&s->met, &monotonic);
	pthread_condattr_destroy(&monotonic);
	e = pthread_create(&s->thread, NULL, sense_thread, s);
	if (e)
		return err_sys(err, e, "could not start the sampler's thread");
	pthread_mutex_lock(&s->lock);
	while (!s->ready)
		pthread_cond_wait(&s->met, &s->lock);
	good = !s->ended;
	pthread_mutex_unlock(&s->lock);
	*out = s;
	return good || sense_stop(s, err);
}

void sense_zero(struct sense *s, int64_t now_ns)
{
	pthread_mutex_lock(&s->lock);
	s->zero_ns = now_ns;
	s->zeroed = true;
	pthread_mutex_unlock(&s->lock);
}

void sense_ask(struct sense *s)
{
	pthread_mutex_lock(&s->lock);
	s->asked = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

void sense_edge(struct sense *s, int64_t settle_ns)
{
	unsigned mine;

	pthread_mutex_lock(&s->lock);
	s->settle_ns = settle_ns;
	mine = ++s->edges;
	pthread_cond_signal(&s->wake);
	while (!s->ended && (int)(s->edges_met - mine) < 0)
		pthread_cond_wait(&s->met, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

bool sense_stop(struct sense *s, struct err *err)
{
	pthread_mutex_lock(&s->lock);
	s->quit = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->wake);
	pthread_cond_destroy(&s->met);
	pthread_mutex_destroy(&s->lock);
	if (s->err.kind == ERR_NONE)
		return true;
	if (err->kind == ERR_NONE)
		*err = s->err;
	return false;
}
