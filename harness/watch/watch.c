#include "watch/watch.h"

#include <errno.h>

#include "sense/census.h"
#include "sys/clock.h"
#include "sys/sockets.h"

static void add_to_census(void *census, const struct socket_seen *seen)
{
	census_add(census, seen);
}

static bool look(struct census *c, struct watch *out, struct err *err)
{
	struct socket_filter filter = {.ports = c->range};
	struct usage fullest[USAGES_MOST];
	int64_t begin = clock_now();
	struct dump dump;
	bool ok;

	if (!dump_open(&dump, err))
		return false;
	ok = dump_run(&dump, &filter, add_to_census, c, &out->sample.torn, err);
	dump_close(&dump);
	out->sample.dump_ns = (uint64_t)(clock_now() - begin);
	census_tell(c, &out->sample, fullest);
	return ok;
}

bool watch_once(struct watch *out, const struct host *host, uint32_t most, struct arena *arena,
		struct err *err)
{
	struct census *c = ARENA_NEW(arena, struct census);

	*out = (struct watch){.range = host->ports};
	if (!census_open(c, 0, arena))
		return err_sys(err, ENOMEM, "could not reserve memory to count sockets");
	c->range = host->ports;
	if (!reserved_read(&c->reserved, err) || !look(c, out, err))
		return false;
	out->usable = (uint32_t)(c->range.hi - c->range.lo) + 1 - out->sample.reserved -
		      out->sample.listening - out->sample.bound;
	out->rows = ARENA_ARRAY(arena, struct usage, most);
	out->count = census_fullest(c, out->rows, most);
	out->more = c->taken - (uint32_t)out->count;
	return true;
}
