#include "watch/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sense/census.h"
#include "sys/clock.h"
#include "sys/sockets.h"
#include "sys/sysctl.h"

enum { LIST_MOST = 1 << 16 }; /* the kernel prints the list whole, longer than a page */

static bool read_port(struct text *list, uint32_t *port)
{
	size_t digits = 0;

	*port = 0;
	while (digits < list->len && digits < 6 && list->s[digits] >= '0' && list->s[digits] <= '9')
		*port = *port * 10 + (uint32_t)(list->s[digits++] - '0');
	*list = text_skip(*list, digits);
	return digits > 0 && *port <= UINT16_MAX;
}

uint32_t watch_reserved(struct text list, struct port_range range)
{
	uint32_t first, last, n = 0;

	while (read_port(&list, &first)) {
		last = first;
		if (text_starts(list, TEXT("-"))) {
			list = text_skip(list, 1);
			if (!read_port(&list, &last))
				break;
		}
		if (first < range.lo)
			first = range.lo;
		if (last > range.hi)
			last = range.hi;
		n += last >= first ? last - first + 1 : 0;
		list = text_skip(list, 1); /* the comma */
	}
	return n;
}

static void add_to_census(void *census, const struct socket_seen *seen)
{
	census_add(census, seen);
}

static int fullest_first(const void *a, const void *b)
{
	const struct watch_row *x = a, *y = b;

	if (x->used != y->used)
		return x->used < y->used ? 1 : -1;
	if (!address_eq(x->remote, y->remote))
		return address_order(x->remote, y->remote);
	return (int)x->remote_port - (int)y->remote_port;
}

static void rows_take(struct watch *out, const struct census *c, struct arena *arena)
{
	out->rows = ARENA_ARRAY(arena, struct watch_row, c->taken);
	for (uint32_t i = 0; i <= c->mask; i++) {
		const struct census_row *r = &c->rows[i];

		if (r->used && r->remote_port)
			out->rows[out->count++] =
				(struct watch_row){r->local, r->remote, r->remote_port, r->used};
	}
	if (out->count > 1)
		qsort(out->rows, out->count, sizeof(*out->rows), fullest_first);
}

static bool look(struct census *c, struct port_range ports, struct sample *sample, struct err *err)
{
	struct socket_filter filter = {.ports = ports};
	int64_t begin = clock_now();
	struct dump dump;
	bool ok;

	if (!dump_open(&dump, err))
		return false;
	ok = dump_run(&dump, &filter, add_to_census, c, &sample->torn, err);
	dump_close(&dump);
	sample->parts = SAMPLE_SOCKETS;
	sample->dump_ns = (uint64_t)(clock_now() - begin);
	sample->torn |= c->full;
	sample->used_max = c->used_max;
	memcpy(sample->states, c->states, sizeof(sample->states));
	return ok;
}

bool watch_once(struct watch *out, const struct host *host, struct arena *arena, struct err *err)
{
	static const char reserved[] = "net.ipv4.ip_local_reserved_ports";
	char *list = ARENA_ARRAY(arena, char, LIST_MOST);
	struct census census;
	int sys;

	*out = (struct watch){.range = host->ports};
	sys = sysctl_read(text_of(reserved), list, LIST_MOST);
	if (sys)
		return err_sys(err, sys, "could not read %s", reserved);
	out->usable = (uint32_t)(host->ports.hi - host->ports.lo + 1);
	out->usable -= watch_reserved(text_of(list), host->ports);
	if (!census_open(&census, 0, arena))
		return err_sys(err, ENOMEM, "could not reserve memory to count sockets");
	if (!look(&census, host->ports, &out->sample, err))
		return false;
	rows_take(out, &census, arena);
	return true;
}
