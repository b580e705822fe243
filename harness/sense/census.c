#include "sense/census.h"

#include <string.h>

#include "sense/guess.h"

enum { ROWS_LEAST = 64, ROWS_UNKNOWN = 1 << 15, HELD_LEAST = 1024, HELD_MOST = 1 << 20 };

bool census_open(struct census *c, uint32_t pairs, struct arena *arena)
{
	uint32_t rows = pairs ? ROWS_LEAST : ROWS_UNKNOWN;

	while (rows < 2 * (uint64_t)pairs && rows < 1u << 30)
		rows *= 2;
	*c = (struct census){.rows = ARENA_TRY(arena, struct census_row, rows),
			     .list = ARENA_TRY(arena, uint32_t, rows),
			     .mask = rows - 1};
	return c->rows && c->list;
}

bool census_open_ports(struct census *c, uint64_t sockets, struct arena *arena)
{
	c->held_room = sockets < HELD_LEAST  ? HELD_LEAST
		       : sockets > HELD_MOST ? HELD_MOST
					     : (uint32_t)sockets;
	c->held = ARENA_TRY(arena, struct held, c->held_room);
	return c->held;
}

bool census_open_held(struct census *c, uint64_t sockets, struct arena *arena)
{
	if (!census_open_ports(c, sockets, arena))
		return false;
	c->marks = ARENA_TRY(arena, struct mark_of_held, c->held_room);
	return c->marks;
}

void census_clear(struct census *c)
{
	for (uint32_t i = 0; i < c->taken; i++)
		c->rows[c->list[i]] = (struct census_row){.sockets = 0};
	c->taken = 0;
	c->used_max = 0;
	c->datagrams = (struct datagrams){.used_max = 0};
	c->overshadowed = 0;
	if (c->tuples)
		tuples_clear(c->tuples);
	c->full = false;
	c->held_count = 0;
	c->held_lost = false;
	memset(c->states, 0, sizeof(c->states));
	memset(&c->listening, 0, sizeof(c->listening));
	memset(&c->bound, 0, sizeof(c->bound));
	memset(&c->bound_datagrams, 0, sizeof(c->bound_datagrams));
	memset(&c->bound_first, 0, sizeof(c->bound_first));
}

/* Multiplicative hashing (Knuth, 6.4): neighbours among addresses and ports spread over the
 * table. */
static uint32_t place_of(const struct census *c, const struct socket_seen *s)
{
	const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t local = s->local.high ^ s->local.low << 32,
		 remote = s->remote.high ^ s->remote.low;
	uint64_t key = local ^ remote << 13 ^ remote >> 51 ^ s->remote_port;

	return (uint32_t)(key * golden >> 32) & c->mask;
}

static bool is_row_of(const struct census_row *row, const struct socket_seen *s)
{
	const struct usage *u = &row->usage;

	return u->datagrams == s->datagrams && u->remote_port == s->remote_port &&
	       address_eq(u->remote, s->remote) && address_eq(u->local, s->local);
}

/* What holds a port: a connection, towards its destination; a socket of UDP, or one whose port
 * bind() took, towards all of them. */
static struct socket_seen holder_of(const struct census *c, const struct socket_seen *seen)
{
	struct socket_seen holder = *seen;

	if (seen->datagrams || c->together) {
		holder.remote = (struct address){0, 0};
		holder.remote_port = 0;
	}
	return holder;
}

/* Its row, which may be a new one; NULL: there is no room. */
static struct census_row *row_of(struct census *c, const struct socket_seen *s)
{
	struct census_row *row;
	uint32_t at = place_of(c, s);

	for (row = &c->rows[at]; row->sockets && !is_row_of(row, s); row = &c->rows[at])
		at = (at + 1) & c->mask;
	if (row->sockets)
		return row;
	if (c->taken >= c->mask - c->mask / 4) {
		c->full = true;
		return NULL;
	}
	c->list[c->taken++] = at;
	row->usage = (struct usage){.local = s->local,
				    .remote = s->remote,
				    .remote_port = s->remote_port,
				    .datagrams = s->datagrams,
				    .next_free_ns = -1,
				    .all_free_ns = -1};
	return row;
}

/* Until connect() may have the port of one that is in TIME_WAIT for so long still. What bind() took waits
 * to the end: tcp_twsk_unique() is not asked. */
static int64_t free_in(const struct census *c, const struct usage *u, int64_t gone_ns,
		       bool is_bound)
{
	bool is_local = waits_on_loopback(u->local, u->remote);
	int64_t sooner = is_bound || !c->waits ? 0 : WAIT_WHOLE_NS - waits_ns(c->waits, is_local);

	if (c->early_ns > sooner)
		sooner = c->early_ns;
	return gone_ns > sooner ? gone_ns - sooner : 0;
}

static void count_age(struct usage *u, int64_t gone_ns)
{
	if (u->next_free_ns < 0 || gone_ns < u->next_free_ns)
		u->next_free_ns = gone_ns;
	if (gone_ns > u->all_free_ns)
		u->all_free_ns = gone_ns;
}

static bool in_range(const struct census *c, uint16_t port)
{
	return port >= c->range.lo && port <= c->range.hi;
}

static void count_in(struct census *c, struct census_row *row, const struct socket_seen *seen,
		     bool is_bound)
{
	struct usage *u = &row->usage;

	u->states[seen->state < STATES ? seen->state : STATE_CLOSE]++;
	row->sockets++;
	if (!in_range(c, seen->local_port)) {
		u->outside++;
		return;
	}
	u->lower += (seen->local_port - c->range.lo) % 2 == 0;
	if (seen->state == STATE_TIME_WAIT && seen->gone_ns >= 0)
		count_age(u, free_in(c, u, seen->gone_ns, is_bound));
	if (++row->used > c->used_max)
		c->used_max = row->used;
	if (seen->datagrams && row->used > c->datagrams.used_max)
		c->datagrams.used_max = row->used;
	if (!seen->datagrams && row->used > c->datagrams.others_max)
		c->datagrams.others_max = row->used;
}

/* Where the kernel told no cookie, another with the same addresses and ports passes for it. */
static uint64_t key_of(const struct census *c, const struct socket_seen *s)
{
	const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);

	return s->cookie ? s->cookie : (place_of(c, s) + ((uint64_t)s->local_port << 32)) * golden;
}

static struct mark_of_held mark_of(const struct census *c, const struct socket_seen *s)
{
	bool waits = s->state == STATE_TIME_WAIT && s->gone_ns >= 0;

	return (struct mark_of_held){key_of(c, s), s->inode,
				     waits ? (int32_t)(s->gone_ns / 1000000) : -1};
}

static void hold(struct census *c, const struct census_row *row, const struct socket_seen *seen)
{
	if (c->held_count == c->held_room) {
		c->held_lost = true;
		return;
	}
	if (c->marks)
		c->marks[c->held_count] = mark_of(c, seen);
	c->held[c->held_count++] = (struct held){(uint32_t)(row - c->rows), seen->local_port};
}

/* Of sockets that share a port the first is the one that holds it. */
static bool holds(struct census *c, const struct socket_seen *seen,
		  const struct socket_seen *holder)
{
	if (!seen->datagrams || !c->tuples)
		return true;
	c->overshadowed += !tuples_add(c->tuples, seen);
	return tuples_add(c->tuples, holder);
}

static void count_state(struct census *c, const struct socket_seen *seen)
{
	uint8_t state = seen->state < STATES ? seen->state : STATE_CLOSE;

	c->states[state]++;
	c->datagrams.states[state] += seen->datagrams;
}

void census_add(struct census *c, const struct socket_seen *seen)
{
	struct socket_seen s = holder_of(c, seen);
	struct census_row *row;

	if (seen->state == STATE_LISTEN) {
		portset_add(&c->listening, seen->local_port);
		return;
	}
	count_state(c, seen);
	if (seen->state == STATE_BOUND && !(seen->datagrams && c->unconnected))
		portset_add(seen->datagrams ? &c->bound_datagrams : &c->bound, seen->local_port);
	else if ((seen->datagrams || !portset_has(&c->listening, seen->local_port)) &&
		 holds(c, seen, &s) && (row = row_of(c, &s))) {
		bool is_bound = !seen->datagrams && c->binders && binders_have(c->binders, seen);

		count_in(c, row, seen, is_bound || c->together);
		hold(c, row, seen);
		if (is_bound)
			portset_add(&c->bound_first, seen->local_port);
	}
}

bool census_at_rest(const struct census *c, bool half_closed_rests)
{
	return c->states[STATE_SYN_SENT] == 0 && c->states[STATE_FIN_WAIT1] == 0 &&
	       c->states[STATE_CLOSING] == 0 && c->states[STATE_LAST_ACK] == 0 &&
	       (half_closed_rests || c->states[STATE_FIN_WAIT2] == 0);
}

/* ---- telling ------------------------------------------------------------- */

/* Ports of the range that no connect can have: of `taken`, but not of `but`. */
static uint32_t held_back(const struct census *c, const struct portset *taken,
			  const struct portset *but)
{
	uint32_t n = 0;

	for (uint32_t port = c->range.lo; port <= c->range.hi; port++)
		n += portset_has(taken, (uint16_t)port) && !portset_has(but, (uint16_t)port);
	return n;
}

struct room {
	uint32_t reserved, listening, bound, bound_datagrams, all;
	struct portset bound_first; /* of the rest */
	uint32_t bound_first_count;
};

static struct room room_of(const struct census *c)
{
	struct portset known = c->reserved;
	struct room r = {.all = (uint32_t)(c->range.hi - c->range.lo) + 1};

	r.reserved = portset_count(&c->reserved, c->range);
	r.bound_datagrams = held_back(c, &c->bound_datagrams, &known);
	r.listening = held_back(c, &c->listening, &known);
	portset_join(&known, &c->listening);
	r.bound = held_back(c, &c->bound, &known);
	portset_join(&known, &c->bound);
	r.bound_first = c->bound_first;
	portset_leave(&r.bound_first, &known);
	r.bound_first_count = portset_count(&r.bound_first, c->range);
	return r;
}

/* What of a destination's ports bind() took, its own connections have; the others have the rest. */
static void count_own(struct census *c, const struct room *r)
{
	for (uint32_t i = 0; i < c->taken; i++)
		c->rows[c->list[i]].own = 0;
	for (uint32_t i = 0; r->bound_first_count && i < c->held_count; i++) {
		struct census_row *row = &c->rows[c->held[i].row];

		row->own += !row->usage.datagrams && in_range(c, c->held[i].port) &&
			    portset_has(&r->bound_first, c->held[i].port);
	}
}

/* Once it is guessed which ports bind() took, those are known to wait for longer. */
static void ages_again(struct census *c)
{
	for (uint32_t i = 0; i < c->taken; i++) {
		struct usage *u = &c->rows[c->list[i]].usage;

		u->next_free_ns = u->all_free_ns = -1;
	}
	for (uint32_t i = 0; i < c->held_count; i++) {
		struct usage *u = &c->rows[c->held[i].row].usage;
		int64_t gone_ns = c->marks[i].gone_ms * INT64_C(1000000);

		if (gone_ns >= 0)
			count_age(u, free_in(c, u, gone_ns,
					     portset_has(&c->bound_first, c->held[i].port)));
	}
}

static void room_tell(const struct census *c, const struct room *r, struct census_row *row)
{
	struct usage *u = &row->usage;
	uint32_t others = u->datagrams ? r->bound_datagrams : r->listening + r->bound;

	u->elsewhere = u->datagrams || r->bound_first_count < row->own
			       ? 0
			       : r->bound_first_count - row->own;
	u->guessed = c->guesses && u->elsewhere > 0;
	u->usable = r->all - r->reserved - others - u->elsewhere;
}

static int fuller(const struct census_row *x, const struct census_row *y)
{
	const struct usage *a = &x->usage, *b = &y->usage;

	uint64_t fill = (uint64_t)x->used * b->usable, other = (uint64_t)y->used * a->usable;

	if (fill != other)
		return fill > other ? -1 : 1;
	if (x->used != y->used)
		return x->used > y->used ? -1 : 1;
	if (!address_eq(a->remote, b->remote))
		return address_order(a->remote, b->remote);
	if (a->remote_port != b->remote_port)
		return (int)a->remote_port - (int)b->remote_port;
	return address_order(a->local, b->local);
}

/* Into its place among the fullest, of which the last falls out. */
static void place(struct census_row **best, uint32_t *n, uint32_t most, struct census_row *row)
{
	uint32_t at = *n < most ? (*n)++ : most;

	for (; at > 0 && fuller(row, best[at - 1]) < 0; at--)
		if (at < most)
			best[at] = best[at - 1];
	if (at < most)
		best[at] = row;
}

enum { FULLEST_MOST = 1024 };

static uint32_t fullest(struct census *c, const struct room *r, struct usage *out, uint32_t most)
{
	struct census_row *best[FULLEST_MOST] = {0};
	uint32_t n = 0;

	if (most > FULLEST_MOST)
		most = FULLEST_MOST;
	for (uint32_t i = 0; i < c->taken; i++) {
		struct census_row *row = &c->rows[c->list[i]];

		row->rank = 0;
		if (c->mine_only && row->mine == 0)
			continue;
		room_tell(c, r, row);
		place(best, &n, most, row);
	}
	for (uint32_t i = 0; i < n; i++) {
		best[i]->rank = i + 1;
		out[i] = best[i]->usage;
	}
	return n;
}

static struct room room_make(struct census *c)
{
	struct room r;

	if (c->guesses)
		bound_first_guess(c);
	r = room_of(c);
	if (c->guesses && c->waits && c->marks && r.bound_first_count)
		ages_again(c);
	count_own(c, &r);
	return r;
}

void census_tell(struct census *c, struct sample *sample, struct usage *usages, uint32_t most)
{
	struct room r = room_make(c);

	sample->parts |= SAMPLE_SOCKETS;
	sample->torn |= c->full || (c->tuples && c->tuples->full);
	sample->overshadowed = c->overshadowed;
	sample->used_max = c->used_max;
	memcpy(sample->states, c->states, sizeof(sample->states));
	sample->datagrams = c->datagrams;
	sample->reserved = r.reserved;
	sample->listening = r.listening;
	sample->bound = r.bound;
	sample->usage_count = fullest(c, &r, usages, most);
	sample->more_count = c->taken - sample->usage_count;
	sample->more_used = 0;
	for (uint32_t i = 0; i < c->taken && sample->more_count; i++)
		sample->more_used += c->rows[c->list[i]].used;
	for (uint32_t i = 0; i < sample->usage_count && sample->more_count; i++)
		sample->more_used -= usage_used(&usages[i]);
}

void census_map(const struct census *c, struct portmap *out)
{
	bool known = c->held && !c->held_lost;
	struct portset others = c->bound_first;

	*out = (struct portmap){
		.known = known, .used_max = c->used_max, .range = c->range, .taken = c->reserved};
	portset_join(&out->taken, &c->listening);
	portset_join(&out->taken, &c->bound);
	for (uint32_t i = 0; known && i < c->held_count; i++)
		if (c->rows[c->held[i].row].rank == 1)
			portset_add(&out->used, c->held[i].port);
	portset_leave(&others, &out->used);
	portset_join(&out->taken, &others);
}
