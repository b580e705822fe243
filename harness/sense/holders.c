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

static void heirlooms_read(const struct heirlooms *h, struct owners *owners)
{
	uint32_t count = atomic_load(&h->count);

	owners_clear(owners);
	for (uint32_t i = 0; i < count && i < h->room; i++) {
		const struct heirloom *one = &h->list[i];
		uint32_t inode = atomic_load_explicit(&one->inode, memory_order_acquire);

		if (inode)
			owners_note(owners, one->pid, inode, one->fd);
	}
	owners->partial |= atomic_load(&h->lost);
}

void holders_scan(struct holders *h)
{
	h->looks++;
	if (!h->ours)
		owners_scan(&h->owners);
	else if (h->heirlooms)
		heirlooms_read(h->heirlooms, &h->owners);
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

/* *fd: its descriptor; -1: it has none, or had one. */
static const struct owner *owner_of(struct holders *h, const struct mark_of_held *m, int32_t *fd)
{
	static const struct owner this_load = {0, "this load"};
	const struct owner *owner = NULL;

	*fd = -1;
	if (m)
		owner = owners_find(&h->owners, m->inode, fd);

	if (owner)
		remember(h, m->key, owner);
	else if (m)
		owner = recall(h, m->key);
	return owner ? owner : h->ours && !h->owners.partial ? &this_load : NULL;
}

static struct holder holder_of(const struct owner *owner)
{
	struct holder h = {.pid = owner->pid, .fd_lowest = -1, .fd_highest = -1};
	struct out to = out_memory(h.command, sizeof(h.command) - 1);

	out_escaped(&to, text_of(owner->command));
	return h;
}

static void count_descriptor(struct holder *h, int32_t fd)
{
	if (fd < 0)
		return;
	if (h->fd_lowest < 0 || fd < h->fd_lowest)
		h->fd_lowest = fd;
	if (fd > h->fd_highest)
		h->fd_highest = fd;
}

/* The first few have a place each; all others are counted together. */
static void count_holder(struct usage *u, const struct owner *owner, int32_t fd)
{
	for (int i = 0; i < HOLDERS_MOST; i++) {
		struct holder *h = &u->holders[i];

		if (h->sockets == 0)
			*h = holder_of(owner);
		if (h->pid == owner->pid) {
			h->sockets++;
			count_descriptor(h, fd);
			return;
		}
	}
	u->held_by_others++;
}

void holders_mark(struct holders *h, struct census *c, bool (*is_one)(const void *, int32_t pid),
		  const void *whose)
{
	for (uint32_t i = 0; i < c->held_count; i++) {
		int32_t fd;
		const struct owner *owner = owner_of(h, c->marks ? &c->marks[i] : NULL, &fd);

		c->rows[c->held[i].row].mine += owner && is_one(whose, owner->pid);
	}
}

void holders_tell(struct holders *h, const struct census *c, struct usage *usages, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		usages[i].holders_known = true;
	for (uint32_t i = 0; i < c->held_count; i++) {
		int32_t fd;
		const struct owner *owner = owner_of(h, c->marks ? &c->marks[i] : NULL, &fd);
		uint32_t rank = c->rows[c->held[i].row].rank;

		if (owner && rank > 0 && rank <= n)
			count_holder(&usages[rank - 1], owner, fd);
	}
}
