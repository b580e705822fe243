#include "drive/company.h"

#include <pthread.h>

struct company {
	_Atomic int64_t stop_ns;
	_Atomic bool refused;
	pthread_mutex_t lock;
	struct tape *books; /* their findings and tallies, a worker each */
	uint32_t count;
};

struct company *company_open(uint32_t count, struct arena *arena)
{
	struct company *c = ARENA_TRY(arena, struct company, 1);
	bool good;

	if (!c)
		return NULL;
	*c = (struct company){.count = count, .books = ARENA_TRY(arena, struct tape, count)};
	atomic_init(&c->stop_ns, INT64_MAX);
	good = c->books != NULL;
	for (uint32_t i = 0; good && i < count; i++)
		good = tape_open(&c->books[i], 0, 0, 0, arena, NULL);
	if (!good)
		return NULL;
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

void company_close(struct company *c)
{
	if (c)
		pthread_mutex_destroy(&c->lock);
}

void company_stop(struct company *c, int64_t ns)
{
	int64_t before = company_stop_ns(c);

	while (c && ns < before && !atomic_compare_exchange_weak(&c->stop_ns, &before, ns))
		;
}

int64_t company_stop_ns(const struct company *c)
{
	return c ? atomic_load_explicit(&c->stop_ns, memory_order_relaxed) : INT64_MAX;
}

void company_refused(struct company *c)
{
	if (c)
		atomic_store(&c->refused, true);
}

bool company_was_refused(const struct company *c)
{
	return c && atomic_load_explicit(&c->refused, memory_order_relaxed);
}

void company_books(struct company *c, uint32_t worker, const struct tape *own, struct tape *all)
{
	struct tape none = {.refused_at_ns = -1, .recovered_ns = -1, .aborted = -1};

	*all = none;
	pthread_mutex_lock(&c->lock);
	tape_copy_books(&c->books[worker], own);
	for (uint32_t i = 0; i < c->count; i++)
		tape_merge(all, &c->books[i]);
	pthread_mutex_unlock(&c->lock);
	all->opened_before = all->opened_before_any;
}
