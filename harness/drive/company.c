#include "drive/company.h"

#include <pthread.h>

struct company {
	_Atomic int64_t stop_ns;
	_Atomic bool refused;
	pthread_mutex_t lock;
	const struct plan *plan;
	struct tape *books; /* their findings and tallies, a worker each */
};

struct company *company_open(const struct plan *plan, struct arena *arena)
{
	struct company *c = ARENA_TRY(arena, struct company, 1);
	uint32_t workers = plan_workers(plan);
	bool good;

	if (!c)
		return NULL;
	*c = (struct company){.plan = plan, .books = ARENA_TRY(arena, struct tape, workers)};
	atomic_init(&c->stop_ns, INT64_MAX);
	good = c->books != NULL;
	for (uint32_t i = 0; good && i < workers; i++)
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

/* The sum of a load's, from its first seat on. */
static void load_books(const struct company *c, uint32_t seat, uint32_t workers, struct tape *sum)
{
	*sum = (struct tape){.refused_at_ns = -1, .recovered_ns = -1, .aborted = -1};
	for (uint32_t k = 0; k < workers; k++)
		tape_join(sum, &c->books[seat + k]);
}

void company_books(struct company *c, uint32_t seat, const struct tape *own, unsigned load,
		   struct tape *all)
{
	const struct plan *p = c->plan;
	struct tape one;

	*all = (struct tape){.refused_at_ns = -1, .recovered_ns = -1, .aborted = -1};
	pthread_mutex_lock(&c->lock);
	tape_copy_books(&c->books[seat], own);
	for (uint32_t i = 0, first = 0; i < p->load_count; first += p->loads[i++].workers) {
		if (load && load != i + 1)
			continue;
		load_books(c, first, p->loads[i].workers, &one);
		tape_merge(all, &one);
	}
	pthread_mutex_unlock(&c->lock);
	if (!load && p->load_count > 1)
		all->opened_before = all->opened_before_any;
}
