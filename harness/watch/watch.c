#include "watch/watch.h"

#include <errno.h>

#include "sys/clock.h"
#include "sys/sockets.h"

/* Of a core, looking takes at most 2 %. */
enum { COST_SHARE = 50, SOCKETS_MOST = 1 << 18, PAUSE_LEAST_NS = 100000000 };

bool watch_open(struct watch *out, const struct host *host, const struct remote *to, uint32_t most,
		struct arena *arena, struct err *err)
{
	*out = (struct watch){.range = host->ports,
			      .from_proc = host->sock_diag != 0,
			      .to = to ? *to : (struct remote){.port = 0},
			      .to_one = to != NULL,
			      .most = most,
			      .census = ARENA_NEW(arena, struct census),
			      .holders = ARENA_NEW(arena, struct holders),
			      .rows = ARENA_ARRAY(arena, struct usage, most)};
	out->census->range = host->ports;
	if (census_open(out->census, 0, arena) &&
	    census_open_held(out->census, SOCKETS_MOST, arena) &&
	    holders_open(out->holders, false, arena)) {
		out->census->range = host->ports;
		return true;
	}
	return err_sys(err, ENOMEM, "could not reserve memory to count sockets");
}

static void add_to_census(void *census, const struct socket_seen *seen)
{
	census_add(census, seen);
}

static bool look(struct watch *w, struct err *err)
{
	struct socket_filter filter = {.ports = w->range, .to = w->to_one ? &w->to : NULL};
	struct usage fullest[USAGES_MOST];
	struct dump dump = {0};
	bool ok;

	if (!(w->from_proc ? dump_open_proc : dump_open)(&dump, err))
		return false;
	census_clear(w->census);
	ok = dump_run(&dump, &filter, add_to_census, w->census, &w->sample.torn, err);
	dump_close(&dump);
	census_tell(w->census, &w->sample, fullest);
	return ok;
}

/* Of TCP, whose connections alone are counted here. */
static uint32_t in_use_anywhere(const struct census *c)
{
	struct portset used = {0}, taken = c->reserved;
	uint32_t n = 0;

	portset_join(&taken, &c->listening);
	portset_join(&taken, &c->bound);
	for (uint32_t i = 0; i < c->held_count; i++)
		portset_add(&used, c->held[i].port);
	for (uint32_t port = c->range.lo; port <= c->range.hi; port++)
		n += portset_has(&used, (uint16_t)port) && !portset_has(&taken, (uint16_t)port);
	return n;
}

bool watch_look(struct watch *w, struct err *err)
{
	int64_t begin = clock_spent();
	struct census *c = w->census;

	w->sample = (struct sample){.from_proc = w->from_proc};
	c->reserved = (struct portset){0};
	if (!reserved_read(&c->reserved, err) || !look(w, err))
		return false;
	w->usable = (uint32_t)(w->range.hi - w->range.lo) + 1 - w->sample.reserved -
		    w->sample.listening - w->sample.bound;
	w->count = census_fullest(c, w->rows, w->most);
	w->more = c->taken - w->count;
	w->anywhere = in_use_anywhere(c);
	holders_scan(w->holders);
	holders_tell(w->holders, c, w->rows, w->count);
	w->sample.dump_ns = (uint64_t)(clock_spent() - begin);
	return true;
}

int64_t watch_pause_ns(const struct watch *w)
{
	return (int64_t)w->sample.dump_ns * COST_SHARE;
}

bool watch_follow(struct watch *w, int64_t for_ns, const volatile sig_atomic_t *stop,
		  struct err *err)
{
	int64_t until = clock_now() + for_ns;

	do {
		int64_t pause = watch_pause_ns(w);

		clock_sleep(pause > PAUSE_LEAST_NS ? pause : PAUSE_LEAST_NS);
		if (!*stop && !watch_look(w, err))
			return false;
	} while (!*stop && clock_now() < until);
	return true;
}

bool watch_starves_binds(const struct watch *w)
{
	uint32_t fullest = w->count ? usage_used(&w->rows[0]) : 0;

	return !w->to_one && w->anywhere > fullest && w->anywhere >= w->usable - w->usable / 10;
}
