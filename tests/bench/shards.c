#include "shards.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "floor.h"
#include "place.h"
#include "sys/clock.h"

enum { HELD_MOST = 19000 }; /* of a process that may have 20,000 descriptors */

struct shards {
	uint32_t count;
	unsigned at_once;
	int64_t took_ns, cpu_ns;
	int done[2],
		stay[2]; /* pipes: a shard tells its CPU; who reads from `stay` waits for the end */
};

/* Of all shards, one: a part of the ports of a destination. */
static struct floor_wish part_of(const struct place *p, const struct shards *s, uint32_t shard,
				 uint32_t parts)
{
	const struct port_range range = p->plan.scenario->network.ports;
	uint32_t ports = (range.hi - range.lo + 1U) / parts, dest = shard / parts;
	uint32_t low = range.lo + shard % parts * ports;

	return (struct floor_wish){.to = endpoint_make(p->plan.loads[0].family,
						       plan_server(&p->plan, dest),
						       plan_service(&p->plan, dest)),
				   .end = FLOOR_HOLD,
				   .count = s->count / p->plan.destinations / parts,
				   .window = low | (low + ports - 1) << 16};
}

/* In its own process. */
static _Noreturn void shard_run(const struct shards *s, const struct floor_wish *wish)
{
	int64_t cpu_ns = floor_hold(wish);
	char nothing;

	close(s->stay[1]);
	if (write(s->done[1], &cpu_ns, sizeof(cpu_ns)) == sizeof(cpu_ns))
		while (read(s->stay[0], &nothing, 1) > 0)
			;
	_exit(0);
}

static bool shard_start(const struct shards *s, const struct floor_wish *wish)
{
	pid_t child = fork();

	if (child == 0)
		shard_run(s, wish);
	return child > 0;
}

static bool shard_await(struct shards *s)
{
	int64_t cpu_ns = -1;

	if (read(s->done[0], &cpu_ns, sizeof(cpu_ns)) != sizeof(cpu_ns) || cpu_ns < 0)
		return false;
	s->cpu_ns += cpu_ns;
	return true;
}

static bool shards_run(struct place *p, struct shards *s)
{
	uint32_t parts = s->count / p->plan.destinations / HELD_MOST + 1;
	uint32_t all = parts * p->plan.destinations, begun = 0;
	bool ok = true;

	for (uint32_t done = 0; ok && done < all; done++) {
		while (ok && begun < all && begun - done < s->at_once) {
			struct floor_wish wish = part_of(p, s, begun++, parts);

			ok = shard_start(s, &wish);
		}
		ok = ok && shard_await(s);
	}
	return ok;
}

static bool visit(struct place *p, void *context)
{
	struct shards *s = context;
	int64_t begin = clock_now();
	bool ok;

	if (pipe(s->done) < 0 || pipe(s->stay) < 0)
		return false;
	ok = shards_run(p, s);
	s->took_ns = clock_now() - begin;
	close(s->stay[1]);
	while (wait(NULL) > 0)
		;
	close(s->stay[0]);
	close(s->done[0]);
	close(s->done[1]);
	return ok || err_set(&p->err, ERR_SYS, "a process of the floor was refused a connection");
}

struct cost run_shards(const char *lines, uint32_t count, unsigned at_once)
{
	struct shards s = {.count = count, .at_once = at_once};
	struct place p;

	place_open(&p, lines);
	place_visit(&p, visit, &s);
	place_close(&p);
	return (struct cost){.seconds = (double)s.took_ns / 1e9,
			     .cpu_us = (double)s.cpu_ns / 1e3 / count,
			     .rate = count / ((double)s.took_ns / 1e9)};
}
