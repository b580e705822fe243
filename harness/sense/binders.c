#include "sense/binders.h"

/* A full table must not be walked whole for each connection: one that finds no room within so many
 * places has none. */
enum { ROWS_LEAST = 64, ROWS_MOST = 1 << 22, PLACES_TRIED = 64 };

/* The last socket of a port of an address. */
struct binder {
	_Atomic uint64_t key, cookie; /* key 0: a free row */
};

bool binders_open(struct binders *b, uint64_t most, struct arena *arena)
{
	uint32_t rows = ROWS_LEAST;

	while (rows < 2 * most && rows < ROWS_MOST)
		rows *= 2;
	b->rows = ARENA_TRY(arena, struct binder, rows);
	b->mask = rows - 1;
	return b->rows;
}

/* Multiplicative hashing (Knuth, 6.4), once for the address and once with the port. */
static uint64_t key_of(struct address at, uint16_t port)
{
	const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t key = ((at.high * golden ^ at.low) * golden ^ port) * golden;

	return key ? key : 1;
}

/* Its row, or a free one where it would be; NULL: there is neither. */
static struct binder *row_of(const struct binders *b, uint64_t key)
{
	uint32_t at = (uint32_t)(key >> 32) & b->mask;

	for (uint32_t i = 0; i < PLACES_TRIED; i++, at = (at + 1) & b->mask) {
		uint64_t there = atomic_load(&b->rows[at].key);

		if (there == key || there == 0)
			return &b->rows[at];
	}
	return NULL;
}

void binders_add(struct binders *b, struct address at, uint16_t port, uint64_t cookie)
{
	static const struct address any = {0, 0};
	uint64_t key = key_of(address_is_any(at) ? any : at, port), free;
	struct binder *row;

	do {
		row = row_of(b, key);
		free = 0;
	} while (row && !atomic_compare_exchange_strong(&row->key, &free, key) && free != key);
	if (row)
		atomic_store(&row->cookie, cookie);
}

static bool has(const struct binders *b, struct address at, const struct socket_seen *s)
{
	const struct binder *row = row_of(b, key_of(at, s->local_port));

	return row && atomic_load(&row->cookie) == s->cookie;
}

bool binders_have(const struct binders *b, const struct socket_seen *s)
{
	return s->cookie && (has(b, s->local, s) || has(b, (struct address){0, 0}, s));
}
