#include "scenario/keys.h"

#include <stdlib.h>

#include "base/unit_table.h"
#include "scenario/places.h"

/* Ranges of ports, lists of them, and how a load binds. */

/* A port is a name, not a quantity: 40000, and not 40k. */
static bool read_port(struct text t, const struct key *key, uint16_t *port)
{
	uint64_t n, lowest = 0, highest = 0;

	unit_read(text_of(key->lowest), unit_ones, &lowest);
	unit_read(text_of(key->highest), unit_ones, &highest);
	if (!unit_read(t, unit_ones, &n) || n < lowest || n > highest)
		return false;
	*port = (uint16_t)n;
	return true;
}

/* Without zeros that say nothing, so that a pattern can tell which end is lower. */
static bool read_range_end(struct text t, const struct key *key, uint16_t *port)
{
	return text_span(t, "0123456789") == t.len && !text_starts(t, TEXT("0")) &&
	       read_port(t, key, port);
}

/* "40000-40031" */
static bool range_of(struct text t, const struct key *key, struct port_range *range)
{
	struct text lo;

	return text_cut(&t, '-', &lo) && read_range_end(lo, key, &range->lo) &&
	       read_range_end(t, key, &range->hi) && range->lo <= range->hi;
}

static bool refuse(const struct reading *r, const struct key *key, const struct node *n)
{
	return key_refuse(r, key, n);
}

static bool read_range(const struct reading *r, const struct key *key, const struct node *n,
		       void *field)
{
	struct port_range range;

	/* "1000" might be meant as a number of ports: so a range has two ends, here. */
	if (!range_of(n->text, key, &range))
		return refuse(r, key, n);
	*(struct port_range *)field = range;
	return true;
}

static int by_port(const void *a, const void *b)
{
	const struct port_range *x = a, *y = b;

	return x->lo != y->lo ? x->lo - y->lo : x->hi - y->hi;
}

/* Sorted, and what touches or overlaps made one: so that the sizes add up. */
static void tidy(struct port_list *ports)
{
	size_t kept = 0;

	if (ports->count)
		qsort(ports->list, ports->count, sizeof(ports->list[0]), by_port);
	for (size_t i = 0; i < ports->count; i++) {
		struct port_range next = ports->list[i],
				  *last = kept ? &ports->list[kept - 1] : NULL;

		if (last && next.lo <= last->hi + 1)
			last->hi = next.hi > last->hi ? next.hi : last->hi;
		else
			ports->list[kept++] = next;
	}
	ports->count = kept;
}

static bool read_ports(const struct reading *r, const struct key *key, const struct node *n,
		       void *field)
{
	struct port_list ports = {ARENA_ARRAY(r->arena, struct port_range, n->count), 0};
	bool ok = true;

	for (const struct node *item = n->first; item; item = item->next) {
		struct port_range range;

		if (item->shape == SHAPE_SCALAR && read_port(item->text, key, &range.lo))
			range.hi = range.lo;
		else if (item->shape != SHAPE_SCALAR || !range_of(item->text, key, &range))
			ok = refuse(r, key, item);
		if (ok)
			ports.list[ports.count++] = range;
	}
	if (!ok)
		return false;
	tidy(&ports);
	*(struct port_list *)field = ports;
	return true;
}

static void write_range(struct out *out, const void *field)
{
	const struct port_range *range = field;

	out_fmt(out, "%u-%u", range->lo, range->hi);
}

static void write_ports(struct out *out, const void *field)
{
	const struct port_list *ports = field;

	out_z(out, "[");
	for (size_t i = 0; i < ports->count; i++) {
		out_z(out, i ? ", " : "");
		if (ports->list[i].lo == ports->list[i].hi)
			out_fmt(out, "%u", ports->list[i].lo);
		else
			write_range(out, &ports->list[i]);
	}
	out_z(out, "]");
}

const struct kind kind_RANGE = {.form = "a range such as 40000-40031, the lower end first",
				.read = read_range,
				.write = write_range};
const struct kind kind_PORTS = {.shape = SHAPE_LIST,
				.form = "a list of ports and ranges such as [40005, 40010-40015]",
				.read = read_ports,
				.write = write_ports};

/* ---- load.bind: a word, and behind some of them a port, a range or an address ---- */

/* "40000", or "40000-40031" */
static bool bind_ports(struct text t, const struct key *key, enum bind_way way,
		       struct port_range *out)
{
	if (way != BIND_PORT)
		return range_of(t, key, out);
	if (!read_port(t, key, &out->lo))
		return false;
	out->hi = out->lo;
	return true;
}

/* The way whose first word it is, or -1. */
static int way_find(struct text word)
{
	for (int i = 0; bind_words[i].word; i++) {
		struct text rest = text_of(bind_words[i].word), first;

		text_cut(&rest, ' ', &first);
		if (text_eq(first, word))
			return i;
	}
	return -1;
}

static bool takes_ports(enum bind_way way)
{
	return way == BIND_PORT || way == BIND_PORTS || way == BIND_LOCAL_PORT_RANGE;
}

/* What stands behind the word, if anything does. */
static bool bind_rest(struct text t, bool more, const struct key *key, struct bind *bind)
{
	if (more && bind->way == BIND_ADDRESS)
		return address_read(t, &bind->address) && !address_is_any(bind->address);
	return more == takes_ports(bind->way) &&
	       (!more || bind_ports(t, key, bind->way, &bind->ports));
}

static bool read_bind(const struct reading *r, const struct key *key, const struct node *n,
		      void *field)
{
	struct text rest = n->text, word;
	bool more = text_cut(&rest, ' ', &word);
	int found = way_find(word);
	struct bind bind = {.way = found < 0 ? BIND_NONE : (enum bind_way)found};
	const char *hint = NULL;

	if (found < 0 || !bind_rest(text_trim(rest), more, key, &bind))
		return refuse(r, key, n);
	hint = places_nobodys(bind.address);
	if (more && bind.way == BIND_ADDRESS && hint)
		return err_hint(value_refuse(r, key_path(r, key), n), "%s", hint);
	*(struct bind *)field = bind;
	return true;
}

static void write_bind(struct out *out, const void *field)
{
	const struct bind *bind = field;
	struct text rest = text_of(bind_words[bind->way].word), word;
	char z[ADDRESS_PRINTED];

	text_cut(&rest, ' ', &word);
	out_text(out, word);
	if (bind->way == BIND_PORT)
		out_fmt(out, " %u", bind->ports.lo);
	else if (takes_ports(bind->way))
		out_fmt(out, " %u-%u", bind->ports.lo, bind->ports.hi);
	else if (!address_is_any(bind->address))
		out_fmt(out, " %s", address_print(z, bind->address));
}

const struct kind kind_BIND = {.form = "one of these words, some with a port, a range or an "
				       "address behind it",
			       .read = read_bind,
			       .write = write_bind,
			       .words = bind_words};
