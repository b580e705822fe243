#include "watch/trend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/order.h"

enum {
	TRAILS = 1 << 15,  /* three quarters of them, as many as a census has rows for */
	COOKIES = 1 << 19, /* for SOCKETS_MOST of watch.c, half full */
	COOKIES_LEAST = 64,
	WINDOW = 10, /* seconds that a rate is of */
	SLOTS = WINDOW + 2,
	WHOLE_MS = WAIT_WHOLE_NS / 1000000,
};

#define SECOND_NS INT64_C(1000000000)
#define SHORTEST_NS (SECOND_NS / 2) /* that a rate is of */

/* A second's looks. */
struct slot {
	int64_t at_ns; /* of the first */
	uint32_t opened, live;
	uint32_t first; /* of those opened, what was new in that look: it is older */
	bool known;
};

/* A destination in the last seconds: the slots of those that it was looked at in, one after the other. */
struct trail {
	struct address local, remote;
	int64_t seen_ns; /* by the last look that had it */
	int64_t told_ns; /* when its rates were told last; since when it has kept what it opened */
	int64_t kept_since_ns;
	uint16_t remote_port;
	bool taken;
	uint8_t newest;
	struct slot slots[SLOTS];
};

/* What of a row's ports in TIME_WAIT comes back when; and how many came into it in so long, and in the later
 * half of that. */
struct queue_of_ports {
	uint32_t waiting[WAIT_SECONDS];
	uint32_t bound; /* of all of them, those whose port bind() took: they wait to the end */
	int32_t life_ms, young_ms;
	uint32_t young, younger;
	double slower; /* growth of what is open, as it was at least */
};

bool trend_open(struct trend *t, uint32_t most, const struct waits *waits, struct arena *arena)
{
	*t = (struct trend){.trails = ARENA_TRY(arena, struct trail, TRAILS),
			    .others = ARENA_TRY(arena, struct trail, TRAILS),
			    .queues = ARENA_TRY(arena, struct queue_of_ports, most),
			    .most = most,
			    .cookies = ARENA_TRY(arena, uint64_t, COOKIES),
			    .before = ARENA_TRY(arena, uint64_t, COOKIES),
			    .waits = *waits,
			    .last_ns = -1,
			    .before_ns = -1};
	return t->trails && t->others && t->queues && t->cookies && t->before;
}

/* ---- cookies ------------------------------------------------------------- */

/* Multiplicative hashing (Knuth, 6.4). */
static uint64_t *place_of(uint64_t *set, uint32_t mask, uint64_t key)
{
	uint32_t at = (uint32_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;

	while (set[at] && set[at] != key)
		at = (at + 1) & mask;
	return &set[at];
}

static uint32_t mask_for(uint32_t sockets)
{
	uint32_t room = COOKIES_LEAST;

	while (room < 2 * (uint64_t)sockets && room < COOKIES)
		room *= 2;
	return room - 1;
}

/* What was of this look becomes the last's; a set of a few is a small one to clear. */
static void turn_over(struct trend *t, uint32_t sockets)
{
	uint64_t *old = t->before;

	t->before = t->cookies;
	t->mask_before = t->mask;
	t->cookies = old;
	t->mask = mask_for(sockets);
	memset(t->cookies, 0, sizeof(*t->cookies) * (t->mask + (size_t)1));
}

/* ---- trails -------------------------------------------------------------- */

/* Where it is, or would be: there always is a free one. */
static struct trail *trail_of(const struct trend *t, const struct usage *u)
{
	uint64_t key = u->local.high ^ u->local.low << 32 ^ u->remote.high ^ u->remote.low << 13 ^
		       u->remote_port;
	uint32_t at = (uint32_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) % TRAILS;
	struct trail *one = &t->trails[at];

	while (one->taken &&
	       !(one->remote_port == u->remote_port && address_eq(one->remote, u->remote) &&
		 address_eq(one->local, u->local))) {
		at = (at + 1) % TRAILS;
		one = &t->trails[at];
	}
	return one;
}

static struct slot *slot_begin(struct trail *one, int64_t at_ns, uint32_t live)
{
	one->newest = (uint8_t)((one->newest + 1) % SLOTS);
	one->slots[one->newest] = (struct slot){.at_ns = at_ns, .live = live, .known = true};
	return &one->slots[one->newest];
}

/* Its trail, or a new one. Where it was not at the last look, there were none then. NULL: no room. */
static struct trail *follow(struct trend *t, const struct usage *u)
{
	struct trail *one = trail_of(t, u);

	if (!one->taken && t->trail_count >= TRAILS - TRAILS / 4)
		return NULL;
	if (!one->taken) {
		t->trail_count++;
		*one = (struct trail){.local = u->local,
				      .remote = u->remote,
				      .seen_ns = -1,
				      .told_ns = -1,
				      .kept_since_ns = -1,
				      .remote_port = u->remote_port,
				      .taken = true};
	}
	if (one->seen_ns < t->last_ns)
		slot_begin(one, t->last_ns, 0);
	return one;
}

/* Those that no rate would be of any more have their place still, until half of all are taken. */
static void make_room(struct trend *t, int64_t now_ns)
{
	struct trail *all = t->trails;

	if (t->trail_count < TRAILS / 2)
		return;
	t->trails = t->others;
	t->others = all;
	t->trail_count = 0;
	for (uint32_t i = 0; i < TRAILS; i++) {
		const struct trail *one = &all[i];
		const struct usage place = {.local = one->local,
					    .remote = one->remote,
					    .remote_port = one->remote_port};

		if (!one->taken ||
		    (one->seen_ns < t->last_ns && now_ns - one->seen_ns > WINDOW * SECOND_NS))
			continue;
		*trail_of(t, &place) = *one;
		t->trail_count++;
	}
	memset(all, 0, sizeof(*all) * TRAILS);
}

static uint32_t live_of(const struct usage *u)
{
	return usage_used(u) - u->states[STATE_TIME_WAIT];
}

/* The first look of a second tells what was live then; all of them, what is new. */
static void note(struct trail *one, const struct usage *u, uint32_t opened, int64_t now_ns)
{
	struct slot *slot = &one->slots[one->newest];

	if (!slot->known || slot->at_ns / SECOND_NS != now_ns / SECOND_NS) {
		slot = slot_begin(one, now_ns, live_of(u));
		slot->first = opened;
	}
	slot->opened += opened;
	one->seen_ns = now_ns;
}

/* Of a row, those that the last look had not. */
static void count_new(struct trend *t, const struct census *c)
{
	for (uint32_t i = 0; i < c->held_count; i++) {
		uint64_t key = c->marks[i].key;
		bool is_new = *place_of(t->before, t->mask_before, key) != key;

		*place_of(t->cookies, t->mask, key) = key;
		c->rows[c->held[i].row].fresh += is_new && t->last_ns >= 0;
	}
}

void trend_look(struct trend *t, const struct census *c, int64_t now_ns)
{
	make_room(t, now_ns);
	turn_over(t, c->held_count);
	count_new(t, c);
	t->lost = 0;
	for (uint32_t i = 0; i < c->taken; i++) {
		const struct census_row *row = &c->rows[c->list[i]];
		struct trail *one = follow(t, &row->usage);

		if (one)
			note(one, &row->usage, row->fresh, now_ns);
		else
			t->lost++;
	}
	t->before_ns = t->last_ns;
	t->last_ns = now_ns;
}

/* ---- what comes of it ---------------------------------------------------- */

int64_t trend_full(uint32_t usable, double live, double grows, double closes,
		   const uint32_t waiting[WAIT_SECONDS], uint32_t life)
{
	double tw = 0;

	for (uint32_t i = 0; i < WAIT_SECONDS; i++)
		tw += waiting[i];
	for (uint32_t t = 0; t < WAIT_SECONDS; t++) {
		if (live + tw >= usable)
			return t * SECOND_NS;
		live += grows;
		tw += closes - (t < life ? waiting[t] : closes);
	}
	if (grows <= 0)
		return FULL_NEVER;
	live = WAIT_SECONDS + (usable - live - tw) / grows;
	return live < 1e9 ? (int64_t)live * SECOND_NS : FULL_NEVER;
}

/* The oldest that the window has still; where looks are further apart, that of the last. NULL: none. */
static const struct slot *oldest_of(const struct trail *one, int64_t before_ns, int64_t now_ns)
{
	int64_t reach = now_ns - WINDOW * SECOND_NS;
	const struct slot *oldest = NULL;

	if (before_ns >= 0 && before_ns / SECOND_NS * SECOND_NS < reach)
		reach = before_ns / SECOND_NS * SECOND_NS;
	for (int i = 0; i < SLOTS; i++) {
		const struct slot *slot = &one->slots[i];

		if (slot->known && slot->at_ns >= reach && (!oldest || slot->at_ns < oldest->at_ns))
			oldest = slot;
	}
	return oldest;
}

/* A look that parts the time since the oldest, the nearest to its middle; where looks are further apart, the
 * last one before that time. NULL: none. */
static const struct slot *middle_of(const struct trail *one, const struct slot *oldest,
				    int64_t now_ns)
{
	int64_t middle_ns = oldest->at_ns + (now_ns - oldest->at_ns) / 2;
	const struct slot *inner = NULL, *before = NULL;

	for (int i = 0; i < SLOTS; i++) {
		const struct slot *s = &one->slots[i];

		if (!s->known || s == oldest || s->at_ns == now_ns)
			continue;
		if (s->at_ns < oldest->at_ns)
			before = before && before->at_ns > s->at_ns ? before : s;
		else if (!inner || llabs(s->at_ns - middle_ns) < llabs(inner->at_ns - middle_ns))
			inner = s;
	}
	return inner ? inner : before;
}

static double growth(int64_t from_ns, uint32_t from, int64_t to_ns, uint32_t to)
{
	return ((double)to - (double)from) * 1e9 / (double)(to_ns - from_ns);
}

/* What came at once is no rate: the slower of two times, one after the other. 0: only one is known. */
static double slower_growth(const struct trail *one, const struct slot *oldest, uint32_t live,
			    int64_t now_ns)
{
	const struct slot *middle = middle_of(one, oldest, now_ns);
	const struct slot *a = oldest, *b = middle;

	if (!middle)
		return 0;
	if (middle->at_ns < oldest->at_ns) {
		a = middle;
		b = oldest;
	}
	return fmin(growth(a->at_ns, a->live, b->at_ns, b->live),
		    growth(b->at_ns, b->live, now_ns, live));
}

/* For how long, as far as it was told of at each look, hardly any was closed: 1 in 10 of what is opened. */
static void tell_kept(struct trail *one, struct look_row *row, int64_t since_ns, int64_t before_ns,
		      int64_t now_ns)
{
	if (one->told_ns < before_ns || one->kept_since_ns < 0)
		one->kept_since_ns = since_ns;
	if (row->opens <= 0 || row->grows < 0.9 * row->opens)
		one->kept_since_ns = -1;
	one->told_ns = now_ns;
	row->kept_ns = one->kept_since_ns < 0 ? 0 : now_ns - one->kept_since_ns;
}

/* What the oldest look of the window had is not new in it, but what came later in that second is. Over
 * how long these are; 0: too short a time. */
static int64_t tell_rates(struct trail *one, struct look_row *row, double *slower,
			  int64_t before_ns, int64_t now_ns)
{
	const struct slot *oldest = oldest_of(one, before_ns, now_ns);
	double seconds, opened = 0;

	if (!oldest || now_ns - oldest->at_ns < SHORTEST_NS)
		return 0;
	seconds = (double)(now_ns - oldest->at_ns) / 1e9;
	for (int i = 0; i < SLOTS; i++)
		if (one->slots[i].known && one->slots[i].at_ns >= oldest->at_ns)
			opened += one->slots[i].opened;
	row->opens = (opened - oldest->first) / seconds;
	row->grows = growth(oldest->at_ns, oldest->live, now_ns, live_of(&row->usage));
	*slower = slower_growth(one, oldest, live_of(&row->usage), now_ns);
	tell_kept(one, row, oldest->at_ns, before_ns, now_ns);
	return now_ns - oldest->at_ns;
}

/* A row's queue of whom a socket is that is in TIME_WAIT; NULL: of none that is told of. */
static struct queue_of_ports *queue_of(const struct trend *t, const struct census *c, uint32_t held,
				       uint32_t n)
{
	uint32_t rank = c->rows[c->held[held].row].rank;

	return c->marks[held].gone_ms < 0 || rank == 0 || rank > n ? NULL : &t->queues[rank - 1];
}

static int32_t age_of(const struct census *c, uint32_t held)
{
	return WHOLE_MS - c->marks[held].gone_ms;
}

/* Each port in TIME_WAIT, by the second for which it holds its port still: what bind() took, to
 * the end. */
static void queues_fill(struct trend *t, const struct census *c, uint32_t n)
{
	for (uint32_t i = 0; i < c->held_count; i++) {
		struct queue_of_ports *q = queue_of(t, c, i, n);
		bool is_bound = portset_has(&c->bound_first, c->held[i].port);
		int32_t age = age_of(c, i), life, holds;

		if (!q)
			continue;
		life = is_bound ? WHOLE_MS : q->life_ms;
		holds = (life - age) / 1000;
		q->bound += is_bound;
		q->young += age <= q->young_ms;
		q->younger += 2 * age <= q->young_ms;
		if (age < life)
			q->waiting[holds < WAIT_SECONDS ? holds : WAIT_SECONDS - 1]++;
	}
}

static double closes_of(const struct queue_of_ports *q)
{
	return q->young * 1000. / q->young_ms;
}

/* What was closed at once is no rate, either. */
static double slower_closes(const struct queue_of_ports *q)
{
	uint32_t older = q->young - q->younger;

	return 2 * (q->younger < older ? q->younger : older) * 1000. / q->young_ms;
}

/* What is closed will wait as most of those do that are closed by now. */
static uint32_t life_seconds(const struct queue_of_ports *q, const struct usage *u)
{
	int32_t ms = 2 * q->bound > u->states[STATE_TIME_WAIT] ? WHOLE_MS : q->life_ms;

	return (uint32_t)(ms + 999) / 1000;
}

/* That it fills is told where the slower half would take at most twice as long: not by what came at once. By
 * one look alone it can be told that it fills, and not that it does not. */
static void tell_full(const struct queue_of_ports *q, bool lost, struct look_row *row)
{
	const struct usage *u = &row->usage;
	double grows = row->opens < 0 ? 0 : row->grows, closes = lost ? 0 : closes_of(q);
	uint32_t live = live_of(u), life = life_seconds(q, u);
	int64_t slow_ns = trend_full(u->usable, live, q->slower, lost ? 0 : slower_closes(q),
				     q->waiting, life);

	row->closes = lost ? -1 : closes;
	row->full_ns = trend_full(u->usable, live, grows, closes, q->waiting, life);
	if ((lost && row->full_ns > 0) || (row->opens < 0 && row->full_ns == FULL_NEVER) ||
	    slow_ns / 2 > row->full_ns)
		row->full_ns = -1;
}

/* Closed ones are counted for as long as the opened are, and no less than ten seconds: that is known of them
 * from the first look on. What may be reused may be gone. */
static struct queue_of_ports queue_begin(const struct waits *waits, const struct usage *u,
					 int64_t watched_ns)
{
	int64_t life_ns = waits_ns(waits, waits_on_loopback(u->local, u->remote));
	int64_t young_ns = later(watched_ns, WINDOW * SECOND_NS);

	return (struct queue_of_ports){.life_ms = (int32_t)(life_ns / 1000000),
				       .young_ms = (int32_t)(sooner(young_ns, life_ns) / 1000000)};
}

void trend_tell(struct trend *t, const struct census *c, struct look_row *rows, uint32_t n,
		int64_t now_ns)
{
	for (uint32_t i = 0; i < n; i++) {
		struct trail *one = trail_of(t, &rows[i].usage);
		int64_t watched_ns = 0;
		double slower = 0;

		rows[i].opens = rows[i].grows = -1;
		if (one->taken && !c->held_lost)
			watched_ns = tell_rates(one, &rows[i], &slower, t->before_ns, now_ns);
		t->queues[i] = queue_begin(&t->waits, &rows[i].usage, watched_ns);
		t->queues[i].slower = slower;
	}
	queues_fill(t, c, n);
	for (uint32_t i = 0; i < n; i++)
		tell_full(&t->queues[i], c->held_lost, &rows[i]);
}
