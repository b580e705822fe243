#include "sense/holders.h"

#include "base/out.h"

enum { WAYS = 4, SETS = 1 << 14, MEMORY = WAYS * SETS };

/* Who had a connection, by its cookie. */
struct remembered {
	uint64_t key; /* 0: free */
	uint32_t look;
	struct owner owner;
};

bool holders_open(struct holders *h, bool ours, struct arena *arena)
{
	*h = (struct holders){.ours = ours, .memory = ARENA_TRY(arena, struct remembered, MEMORY)};
	return h->memory && owners_open(&h->owners, arena);
}

void holders_scan(struct holders *h)
{
	h->looks++;
	owners_scan(&h->owners);
}

static struct remembered *set_of(const struct holders *h, uint64_t key)
{
	return &h->memory[(key * UINT64_C(0x9e3779b97f4a7c15) >> 50) * WAYS];
}

static const struct owner *recall(const struct holders *h, uint64_t key)
{
	const struct remembered *set = set_of(h, key);

	for (int i = 0; i < WAYS; i++)
		if (key && set[i].key == key)
			return &set[i].owner;
	return NULL;
}

/* In place of itself, of nobody, or of what was not seen for longest. */
static void remember(struct holders *h, uint64_t key, const struct owner *owner)
{
	struct remembered *set = set_of(h, key), *oldest = set;

	for (int i = 0; i < WAYS; i++) {
		if (set[i].key == key || set[i].key == 0) {
			oldest = &set[i];
			break;
		}
		if (set[i].look < oldest->look)
			oldest = &set[i];
	}
	*oldest = (struct remembered){key, h->looks, *owner};
}

static const struct owner *owner_of(struct holders *h, const struct mark_of_held *m)
{
	static const struct owner this_load = {0, "this load"};
	const struct owner *owner = m ? owners_find(&h->owners, m->inode) : NULL;

	if (owner)
		remember(h, m->key, owner);
	else if (m)
		owner = recall(h, m->key);
	return owner ? owner : h->ours ? &this_load : NULL;
}

static struct holder holder_of(const struct owner *owner)
{
	struct holder h = {.pid = owner->pid};
	struct out to = out_memory(h.command, sizeof(h.command) - 1);

	out_escaped(&to, text_of(owner->command));
	return h;
}

/* The first few have a place each; all others are counted together. */
static void count_holder(struct usage *u, const struct owner *owner)
{
	for (int i = 0; i < HOLDERS_MOST; i++) {
		struct holder *h = &u->holders[i];

		if (h->sockets == 0)
			*h = holder_of(owner);
		if (h->pid == owner->pid) {
			h->sockets++;
			return;
		}
	}
	u->held_by_others++;
}

void holders_tell(struct holders *h, const struct census *c, struct usage *usages, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		usages[i].holders_known = true;
	for (uint32_t i = 0; i < c->held_count; i++) {
		const struct owner *owner = owner_of(h, c->marks ? &c->marks[i] : NULL);
		uint32_t rank = c->rows[c->held[i].row].rank;

		if (owner && rank > 0 && rank <= n)
			count_holder(&usages[rank - 1], owner);
	}
}
