#include "sense/look.h"

#include <errno.h>
#include <string.h>

#include "sys/clock.h"

/* A dump on the tape for each sixteenth more comes to 170 for 28,232 ports. */
enum { SETTLE_WAIT_NS = 2000000, FULLER_SHARE = 16 };

static uint64_t peek(const _Atomic uint64_t *figure)
{
	return atomic_load_explicit(figure, memory_order_relaxed);
}

/* A socket that is its own peer is the client's, whatever port it has. */
static bool is_self(const struct socket_seen *s)
{
	return s->local_port == s->remote_port && address_eq(s->local, s->remote);
}

/* Of a far end in the same namespace. */
static bool is_servers(const struct looks *l, const struct socket_seen *seen)
{
	if (seen->datagrams || seen->state == STATE_LISTEN || is_self(seen))
		return false;
	for (uint32_t i = 0; i < l->wish.service_count; i++)
		if (l->wish.services[i] == seen->local_port)
			return true;
	return false;
}

static void add_to_census(void *context, const struct socket_seen *seen)
{
	struct looks *l = context;

	if (is_servers(l, seen))
		return;
	census_add(&l->census, seen);
	if (l->settling)
		ledger_add(&l->ledger, seen);
}

static struct sample sample_begin(const struct looks *l)
{
	const struct pulse *p = l->wish.pulse;
	struct sample sample = {.t_ns = l->counting ? clock_now() - l->base_ns : -1};

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

static void publish_gateway(const struct looks *l, const struct tracked *now)
{
	struct pulse *p = l->wish.pulse;

	if (!p)
		return;
	raise_to(&p->gateway_entries_max, now->entries);
	raise_to(&p->gateway_insert_failed, now->insert_failed - l->tracked_first.insert_failed);
	raise_to(&p->gateway_drop, now->drop - l->tracked_first.drop);
	raise_to(&p->gateway_unmapped, now->unmapped - l->tracked_first.unmapped);
	atomic_fetch_add(&p->gateway_looks, 1);
}

static bool look_at_gateway(struct looks *l, struct sample *sample, struct err *err)
{
	struct conntrack_counts now;
	uint64_t unmapped = 0;

	if (!l->wish.gateway)
		return true;
	if (!conntrack_read(&l->conntrack, &now, err) ||
	    (l->wish.unmapped.table && !nft_counter_read(&l->unmapped, &unmapped, err)))
		return false;
	sample->parts |= SAMPLE_GATEWAY;
	sample->gateway = (struct tracked){now.entries, now.insert_failed, now.drop, now.early_drop,
					   unmapped};
	if (!l->counting)
		l->tracked_first = sample->gateway;
	publish_gateway(l, &sample->gateway);
	return true;
}

static bool look_at_totals(struct looks *l, struct sample *sample, struct err *err)
{
	struct totals totals;

	if (!proc_totals(&l->proc, &totals, err))
		return false;
	sample->parts |= SAMPLE_TOTALS;
	sample->inuse = totals.inuse;
	if (l->wish.filter.protocols >> PROTOCOL_UDP & 1)
		sample->inuse += totals.udp;
	sample->tw = totals.tw;
	return true;
}

/* Where bind() took ports of others', as judge/measure.c has it: that may be another than the first. */
static void raise_fill(const struct looks *l, const struct sample *sample)
{
	_Atomic double *most = &l->wish.pulse->fill_max;

	for (uint32_t i = 0; i < sample->usage_count; i++) {
		const struct usage *u = &l->usages[i];

		if (u->elsewhere > 0 && usage_fill(u, l->wish.usable) > atomic_load(most))
			atomic_store(most, usage_fill(u, l->wish.usable));
	}
}

static void publish(const struct looks *l, const struct sample *sample)
{
	struct pulse *p = l->wish.pulse;

	if (!p)
		return;
	raise_to(&p->used_max, l->census.used_max);
	raise_fill(l, sample);
	for (int i = 0; i < STATES; i++)
		raise_to(&p->states_max[i], l->census.states[i]);
	atomic_fetch_add(&p->dumps, 1);
}

/* In a network of our own all sockets are the load's, or its heirs'. */
static void look_at_holders(struct looks *l, const struct sample *sample)
{
	if (!sample->edge)
		return;
	holders_scan(&l->holders);
	holders_tell(&l->holders, &l->census, l->usages, sample->usage_count);
}

/* On the tape, with the destinations of its dump. */
static void put(struct looks *l, const struct sample *sample)
{
	if (!(sample->parts & SAMPLE_SOCKETS)) {
		tape_sample(l->tape, *sample);
		return;
	}
	if (sample->used_max > l->dumped_used)
		l->dumped_used = sample->used_max;
	look_at_holders(l, sample);
	tape_dump(l->tape, *sample, l->usages);
	tape_map(l->tape, &l->map);
}

static bool look_at_sockets(struct looks *l, struct sample *sample, struct err *err)
{
	int64_t begin = clock_now(), before = clock_spent(), cost;

	census_clear(&l->census);
	if (l->settling)
		ledger_clear(&l->ledger);
	if (!dump_run(&l->dump, &l->wish.filter, add_to_census, l, &sample->torn, err))
		return false;
	cost = clock_spent() - before;
	sample->dump_ns = (uint64_t)cost;
	schedule_dumped(&l->schedule, begin, cost);
	l->dumped_sockets = sample->inuse + sample->tw;
	census_tell(&l->census, sample, l->usages, USAGES_MOST);
	sample->from_proc = l->wish.from_proc;
	census_map(&l->census, &l->map);
	sample->at_rest = census_at_rest(&l->census, l->wish.half_closed_rests);
	publish(l, sample);
	return true;
}

static void count(void *context, struct text name, uint64_t value)
{
	struct looks *l = context;
	struct tape *t = l->tape;
	size_t i = 0;

	while (i < t->counter_count && !text_is(name, t->counters[i].name))
		i++;
	if (i == t->counter_count) {
		if (i == t->counter_room || name.len >= sizeof(t->counters[i].name))
			return; /* of a kernel to come; nobody can have asked for it */
		memcpy(t->counters[i].name, name.s, name.len);
		t->counter_count++;
	}
	if (!l->counting)
		t->counters[i].first = value;
	t->counters[i].last = value;
}

static bool look_at_counters(struct looks *l, struct err *err)
{
	return proc_counters(&l->proc, count, l, err);
}

/* One look at totals and sockets, marked as an edge. */
static bool look_at_edge(struct looks *l, struct sample *sample, struct err *err)
{
	*sample = sample_begin(l);
	sample->edge = true;
	return look_at_totals(l, sample, err) && look_at_gateway(l, sample, err) &&
	       look_at_sockets(l, sample, err);
}

/* Looks until all sockets are at rest; only the last look goes on the tape. */
bool looks_settle(struct looks *l, int64_t settle_ns, struct err *err)
{
	int64_t until = clock_now() + settle_ns;
	struct sample sample;

	l->settling = l->wish.destination_count > 0;
	while (look_at_edge(l, &sample, err)) {
		if (sample.at_rest || clock_now() >= until) {
			put(l, &sample);
			l->tape->accounts_found = l->settling;
			l->settling = false;
			return look_at_counters(l, err);
		}
		clock_sleep(SETTLE_WAIT_NS);
	}
	return false;
}

/* What is hardly fuller than what the tape has is told there as a figure alone: it has room for few
 * dumps, and those that are due go on as if there had been none. */
static void keep_fuller(struct looks *l, struct sample *into, const struct sample *seen,
			int64_t due_ns)
{
	struct schedule *s = &l->schedule;

	if (seen->used_max > l->dumped_used + l->dumped_used / FULLER_SHARE) {
		*into = *seen;
		return;
	}
	if (seen->used_max > l->tape->used_peak)
		l->tape->used_peak = seen->used_max;
	s->dump_due_ns = due_ns > s->dump_allowed_ns ? due_ns : s->dump_allowed_ns;
}

/* Between dumps the totals tell that there are more sockets than there were: a burst may be gone
 * before the next dump, and so may its TIME_WAIT. */
static bool look_between(struct looks *l, struct sample *sample, struct err *err)
{
	struct sample seen = *sample;
	int64_t due_ns = l->schedule.dump_due_ns;

	if (sample->inuse + sample->tw <= l->dumped_sockets ||
	    !schedule_allows_dump(&l->schedule, clock_now()))
		return true;
	if (!look_at_sockets(l, &seen, err))
		return false;
	keep_fuller(l, sample, &seen, due_ns);
	return true;
}

static bool look_as_due(struct looks *l, int64_t now, struct err *err)
{
	struct sample sample = sample_begin(l);
	bool dump = schedule_wants_dump(&l->schedule, now);

	schedule_beat(&l->schedule, now);
	if (!look_at_totals(l, &sample, err) || !look_at_gateway(l, &sample, err) ||
	    !(dump ? look_at_sockets : look_between)(l, &sample, err))
		return false;
	put(l, &sample);
	return true;
}

bool looks_turn(struct looks *l, bool asked, struct err *err)
{
	int64_t now = clock_now();
	struct sample sample;

	if (!asked)
		return !schedule_wants_totals(&l->schedule, now) || look_as_due(l, now, err);
	schedule_beat(&l->schedule, now);
	if (!look_at_edge(l, &sample, err))
		return false;
	put(l, &sample);
	return true;
}

static bool gateway_open(struct looks *l, struct err *err)
{
	return !l->wish.gateway ||
	       (l->wish.gateway(l->wish.where, err) && conntrack_open(&l->conntrack, err) &&
		(!l->wish.unmapped.table || nft_counter_open(&l->unmapped, l->wish.unmapped, err)));
}

/* A port that a program names itself can be a reserved one. */
static bool reserved_open(struct looks *l, struct err *err)
{
	return l->wish.ports_named || reserved_read(&l->census.reserved, err);
}

bool looks_open(struct looks *l, struct err *err)
{
	const struct sense_wish *wish = &l->wish;

	return gateway_open(l, err) && (!wish->enter || wish->enter(wish->where, err)) &&
	       reserved_open(l, err) && proc_open(&l->proc, err) &&
	       (wish->from_proc ? dump_open_proc : dump_open)(&l->dump, err) &&
	       look_at_counters(l, err);
}

void looks_close(struct looks *l)
{
	dump_close(&l->dump);
	proc_close(&l->proc);
	conntrack_close(&l->conntrack);
	nft_counter_close(&l->unmapped);
}

void looks_begin(struct looks *l, int64_t now_ns)
{
	l->schedule = schedule_begin(l->wish.every_ns, l->wish.sockets_ns, now_ns);
}

int64_t looks_due_ns(const struct looks *l)
{
	return l->schedule.totals_due_ns;
}

bool looks_reserve(struct looks *l, const struct sense_wish *wish, struct tape *tape,
		   struct arena *arena)
{
	l->wish = *wish;
	l->tape = tape;
	l->proc = (struct proc_door){-1, -1, -1, -1};
	if (!census_open(&l->census, wish->pairs, arena) ||
	    !(wish->heirlooms ? census_open_held : census_open_ports)(&l->census, wish->sockets,
								      arena) ||
	    !holders_open(&l->holders, true, arena) ||
	    (wish->destination_count &&
	     !ledger_open(&l->ledger, wish->destinations, wish->destination_count, tape->accounts,
			  arena)) ||
	    (wish->shared && !tuples_open(&l->tuples, 2 * wish->shared, arena)))
		return false;
	l->holders.heirlooms = wish->heirlooms;
	l->census.together = wish->together;
	l->census.tuples = wish->shared ? &l->tuples : NULL;
	l->census.unconnected = wish->unconnected;
	l->census.binders = wish->binders;
	l->census.range = wish->range.hi ? wish->range : wish->filter.ports;
	l->census.early_ns = wish->early_ns;
	l->census.waits = wish->waits.delay_ns ? &l->wish.waits : NULL;
	return true;
}
