#include "sense/ledger.h"

enum { PLACES_LEAST = 64 };

/* Multiplicative hashing (Knuth, 6.4). */
static uint32_t place_of(const struct ledger *l, const struct destination *d)
{
	struct address a = d->address;
	uint64_t key = a.high ^ a.low << 16 ^ a.low >> 48 ^ d->port ^ (uint64_t)d->datagrams << 40;

	return (uint32_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & l->mask;
}

/* Where it is, or would be. */
static uint32_t find(const struct ledger *l, const struct destination *wanted)
{
	uint32_t at = place_of(l, wanted);

	for (; l->places[at]; at = (at + 1) & l->mask) {
		const struct destination *d = &l->list[l->places[at] - 1];

		if (d->port == wanted->port && d->datagrams == wanted->datagrams &&
		    address_eq(d->address, wanted->address))
			break;
	}
	return at;
}

bool ledger_open(struct ledger *l, const struct destination *list, uint32_t count,
		 struct account *accounts, struct arena *arena)
{
	uint32_t places = PLACES_LEAST;

	while (places < 2 * (uint64_t)count && places < 1u << 30)
		places *= 2;
	*l = (struct ledger){list, count, ARENA_TRY(arena, uint32_t, places), places - 1, accounts};
	for (uint32_t i = 0; l->places && i < count; i++) {
		uint32_t at = find(l, &list[i]);

		if (l->places[at] == 0)
			l->places[at] = i + 1;
	}
	return l->places;
}

void ledger_clear(struct ledger *l)
{
	for (uint32_t i = 0; i <= l->count; i++)
		l->accounts[i].live = l->accounts[i].closing = l->accounts[i].time_wait = 0;
}

/* Of the states that neither word is for, none is at rest. */
void ledger_add(struct ledger *l, const struct socket_seen *seen)
{
	const struct destination to = {seen->remote, seen->remote_port, seen->datagrams};
	uint32_t of = l->places[find(l, &to)];
	struct account *a = &l->accounts[of ? of - 1 : l->count];

	a->time_wait += seen->state == STATE_TIME_WAIT;
	switch (seen->state) {
	case STATE_ESTABLISHED:
	case STATE_CLOSE_WAIT:
		a->live++;
		break;
	case STATE_TIME_WAIT:
	case STATE_FIN_WAIT1:
	case STATE_FIN_WAIT2:
	case STATE_CLOSING:
	case STATE_LAST_ACK:
		a->closing++;
		break;
	default:
		break;
	}
}
