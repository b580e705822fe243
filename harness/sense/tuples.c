#include "sense/tuples.h"

enum { ROWS_LEAST = 64 };

struct tuple {
	struct address local, remote;
	uint16_t local_port, remote_port;
	uint32_t age; /* 0: never taken */
};

bool tuples_open(struct tuples *t, uint32_t most, struct arena *arena)
{
	uint32_t rows = ROWS_LEAST;

	while (rows < 2 * (uint64_t)most && rows < 1u << 30)
		rows *= 2;
	*t = (struct tuples){
		.rows = ARENA_TRY(arena, struct tuple, rows), .mask = rows - 1, .age = 1};
	return t->rows;
}

/* What an older dump has taken is free: no row is touched. */
void tuples_clear(struct tuples *t)
{
	t->age++;
	t->taken = 0;
	t->full = false;
}

/* Multiplicative hashing (Knuth, 6.4), once for the addresses and once for the ports. */
static uint32_t place_of(const struct tuples *t, const struct socket_seen *s)
{
	const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t local = s->local.high ^ s->local.low << 32,
		 remote = s->remote.high ^ s->remote.low;
	uint64_t ports = (uint64_t)s->local_port << 16 | s->remote_port;
	uint64_t key = (local ^ remote << 13 ^ remote >> 51) * golden ^ ports;

	return (uint32_t)(key * golden >> 32) & t->mask;
}

static bool is_of(const struct tuple *row, const struct socket_seen *s)
{
	return row->local_port == s->local_port && row->remote_port == s->remote_port &&
	       address_eq(row->local, s->local) && address_eq(row->remote, s->remote);
}

bool tuples_add(struct tuples *t, const struct socket_seen *s)
{
	uint32_t at = place_of(t, s);

	for (; t->rows[at].age == t->age; at = (at + 1) & t->mask)
		if (is_of(&t->rows[at], s))
			return false;
	if (t->taken >= t->mask - t->mask / 4) {
		t->full = true;
		return false;
	}
	t->taken++;
	t->rows[at] = (struct tuple){s->local, s->remote, s->local_port, s->remote_port, t->age};
	return true;
}
