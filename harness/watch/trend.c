#include "watch/trend.h"

#include <string.h>

enum {
	TRAILS = 1 << 13,
	COOKIES = 1 << 19, /* for SOCKETS_MOST of watch.c, half full */
	COOKIES_LEAST = 64,
	WINDOW = 10, /* seconds that a rate is of */
	LIFE = 60,   /* TCP_TIMEWAIT_LEN, include/net/tcp.h */
};

#define SECOND_NS INT64_C(1000000000)

/* A destination in the last seconds, a slot each. */
struct trail {
	struct address local, remote;
	uint16_t remote_port;
	bool taken;
	struct {
		int64_t at_ns; /* of its first look */
		uint32_t opened, live;
		uint32_t first; /* of those opened, what was new in that look: it is older */
		bool known;
	} slots[WINDOW + 1];
};

/* What of a row's ports in TIME_WAIT comes back when; and how many came into it in the last WINDOW. */
struct queue_of_ports {
	uint32_t waiting[WAIT_SECONDS], young, life;
};

bool trend_open(struct trend *t, uint32_t most, int64_t tw_reuse, int64_t delay_ms,
		struct arena *arena)
{
	*t = (struct trend){.trails = ARENA_TRY(arena, struct trail, TRAILS),
			    .queues = ARENA_TRY(arena, struct queue_of_ports, most),
			    .most = most,
			    .cookies = ARENA_TRY(arena, uint64_t, COOKIES),
			    .before = ARENA_TRY(arena, uint64_t, COOKIES),
			    .last_ns = -1,
			    .reuses_all = tw_reuse == 1,
			    .reuses_loopback = tw_reuse == 2,
			    .reuse_ns = (delay_ms > 0 ? delay_ms : 1000) * INT64_C(1000000)};
	return t->trails && t->queues && t->cookies && t->before;
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

/* Where it is, or would be; NULL: there is no room. */
static struct trail *trail_of(const struct trend *t, const struct usage *u)
{
	uint64_t key = u->local.high ^ u->local.low << 32 ^ u->remote.high ^ u->remote.low << 13 ^
		       u->remote_port;
	uint32_t at = (uint32_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) % TRAILS;

	for (uint32_t i = 0; i < TRAILS; i++, at = (at + 1) % TRAILS) {
		struct trail *one = &t->trails[at];

		if (!one->taken ||
		    (one->remote_port == u->remote_port && address_eq(one->remote, u->remote) &&
		     address_eq(one->local, u->local)))
			return one;
	}
	return NULL;
}

/* Where nothing went before, there were none in the last look. */
static void begin(struct trend *t, struct trail *one, const struct usage *u)
{
	int64_t at = t->last_ns / SECOND_NS % (WINDOW + 1);

	if (one->taken || t->trail_count == TRAILS - 1)
		return;
	*one = (struct trail){.local = u->local,
			      .remote = u->remote,
			      .remote_port = u->remote_port,
			      .taken = true};
	t->trail_count++;
	if (t->last_ns < 0)
		return;
	one->slots[at].known = true;
	one->slots[at].at_ns = t->last_ns;
}

/* Destinations that are no more have their place still, until all begin anew. */
static void make_room(struct trend *t)
{
	if (t->trail_count < TRAILS / 2)
		return;
	memset(t->trails, 0, sizeof(*t->trails) * TRAILS);
	t->trail_count = 0;
	t->last_ns = -1;
}

static uint32_t live_of(const struct usage *u)
{
	return usage_used(u) - u->states[STATE_TIME_WAIT];
}

/* The first look of a second tells what was live then; all of them, what is new. */
static void note(struct trail *one, const struct usage *u, uint32_t opened, int64_t now_ns)
{
	int64_t second = now_ns / SECOND_NS;
	uint32_t at = (uint32_t)(second % (WINDOW + 1));

	if (!one->slots[at].known || one->slots[at].at_ns / SECOND_NS != second) {
		one->slots[at].known = true;
		one->slots[at].at_ns = now_ns;
		one->slots[at].live = live_of(u);
		one->slots[at].opened = 0;
		one->slots[at].first = opened;
	}
	one->slots[at].opened += opened;
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
	make_room(t);
	turn_over(t, c->held_count);
	count_new(t, c);
	for (uint32_t i = 0; i < c->taken; i++) {
		const struct census_row *row = &c->rows[c->list[i]];
		struct trail *one = trail_of(t, &row->usage);

		if (!one)
			continue;
		begin(t, one, &row->usage);
		if (one->taken)
			note(one, &row->usage, row->fresh, now_ns);
	}
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

/* The oldest that the window has still; NULL: none but now. */
static int oldest_of(const struct trail *one, int64_t now_ns)
{
	int oldest = -1;

	for (int i = 0; i <= WINDOW; i++) {
		int64_t age = now_ns - one->slots[i].at_ns;

		if (!one->slots[i].known || age > WINDOW * SECOND_NS)
			continue;
		if (oldest < 0 || one->slots[i].at_ns < one->slots[oldest].at_ns)
			oldest = i;
	}
	return oldest;
}

/* What the oldest look of the window had is not new in it, but what came later in that second is. */
static void tell_rates(const struct trail *one, struct look_row *row, int64_t now_ns)
{
	int oldest = oldest_of(one, now_ns);
	double seconds, opened = 0;

	if (oldest < 0 || now_ns - one->slots[oldest].at_ns < SECOND_NS / 2)
		return;
	seconds = (double)(now_ns - one->slots[oldest].at_ns) / 1e9;
	for (int i = 0; i <= WINDOW; i++)
		if (one->slots[i].known && one->slots[i].at_ns >= one->slots[oldest].at_ns)
			opened += one->slots[i].opened;
	row->opens = (opened - one->slots[oldest].first) / seconds;
	row->grows = ((double)live_of(&row->usage) - (double)one->slots[oldest].live) / seconds;
}

static bool is_loopback(struct address a)
{
	return (address_is_ipv4(a) && (a.low >> 24 & 0xff) == 127) ||
	       address_eq(a, (struct address){0, 1});
}

/* TIME_WAIT that tcp_tw_reuse gives to the next connect is as good as free. */
static uint32_t life_of(const struct trend *t, const struct usage *u)
{
	bool is_local = is_loopback(u->local) || is_loopback(u->remote);
	int64_t life = (t->reuse_ns + SECOND_NS - 1) / SECOND_NS;

	return (t->reuses_all || (t->reuses_loopback && is_local)) && life < LIFE ? (uint32_t)life
										  : LIFE;
}

/* Each port in TIME_WAIT, by the second for which it holds its port still. */
static void queues_fill(struct trend *t, const struct census *c, uint32_t n)
{
	for (uint32_t i = 0; i < c->held_count; i++) {
		uint32_t rank = c->rows[c->held[i].row].rank;
		int32_t left = c->marks[i].gone_ms, age = LIFE * 1000 - left, holds;
		struct queue_of_ports *q;

		if (left < 0 || rank == 0 || rank > n)
			continue;
		q = &t->queues[rank - 1];
		holds = ((int32_t)q->life * 1000 - age) / 1000;
		q->young += age < WINDOW * 1000;
		if (age < (int32_t)q->life * 1000)
			q->waiting[holds < WAIT_SECONDS ? holds : WAIT_SECONDS - 1]++;
	}
}

/* By one look alone it can be told that it fills, and not that it does not. */
static void tell_full(const struct queue_of_ports *q, struct look_row *row)
{
	const struct usage *u = &row->usage;
	double grows = row->opens < 0 ? 0 : row->grows;

	row->closes = (double)q->young / WINDOW;
	row->full_ns = trend_full(u->usable, live_of(u), grows, row->closes, q->waiting, q->life);
	if (row->opens < 0 && row->full_ns == FULL_NEVER)
		row->full_ns = -1;
}

void trend_tell(struct trend *t, const struct census *c, struct look_row *rows, uint32_t n,
		int64_t now_ns)
{
	for (uint32_t i = 0; i < n; i++)
		t->queues[i] = (struct queue_of_ports){.life = life_of(t, &rows[i].usage)};
	queues_fill(t, c, n);
	for (uint32_t i = 0; i < n; i++) {
		const struct trail *one = trail_of(t, &rows[i].usage);

		rows[i].opens = rows[i].grows = -1;
		if (one && one->taken && !c->held_lost)
			tell_rates(one, &rows[i], now_ns);
		tell_full(&t->queues[i], &rows[i]);
	}
}
