#include "sense/census.h"

#include <string.h>

enum { ROWS_LEAST = 64, ROWS_UNKNOWN = 1 << 15 };

bool census_open(struct census *c, uint32_t pairs, struct arena *arena)
{
	uint32_t rows = pairs ? ROWS_LEAST : ROWS_UNKNOWN;

	while (rows < 2 * (uint64_t)pairs && rows < 1u << 30)
		rows *= 2;
	*c = (struct census){.rows = ARENA_TRY(arena, struct census_row, rows), .mask = rows - 1};
	return c->rows;
}

void census_clear(struct census *c)
{
	if (c->taken)
		memset(c->rows, 0, sizeof(*c->rows) * (c->mask + (size_t)1));
	c->taken = 0;
	c->used_max = 0;
	c->full = false;
	memset(c->states, 0, sizeof(c->states));
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
	return row->datagrams == s->datagrams && row->remote_port == s->remote_port &&
	       address_eq(row->remote, s->remote) && address_eq(row->local, s->local);
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

void census_add(struct census *c, const struct socket_seen *seen)
{
	struct socket_seen s = holder_of(c, seen);
	struct census_row *row;
	uint32_t at = place_of(c, &s);

	c->states[seen->state < STATES ? seen->state : STATE_CLOSE]++;
	if (seen->state == STATE_BOUND) /* towards nobody */
		return;
	for (row = &c->rows[at]; row->used && !is_row_of(row, &s); row = &c->rows[at])
		at = (at + 1) & c->mask;
	if (row->used == 0) {
		if (c->taken >= c->mask - c->mask / 4) {
			c->full = true;
			return;
		}
		c->taken++;
		*row = (struct census_row){s.local, s.remote, s.remote_port, s.datagrams, 0};
	}
	row->used++;
	if (row->used > c->used_max)
		c->used_max = row->used;
}

bool census_at_rest(const struct census *c, bool half_closed_rests)
{
	return c->states[STATE_SYN_SENT] == 0 && c->states[STATE_FIN_WAIT1] == 0 &&
	       c->states[STATE_CLOSING] == 0 && c->states[STATE_LAST_ACK] == 0 &&
	       (half_closed_rests || c->states[STATE_FIN_WAIT2] == 0);
}
