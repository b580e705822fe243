#include "scenario/places.h"

#include <stdlib.h>
#include <string.h>

#include "base/unit.h"
#include "base/unit_table.h"
#include "scenario/source.h"

/* Addresses and listening ports: a count, which leaves the choice to the plan, or a list of
 * them. */

static bool refuse_count(const struct reading *r, const struct key *key, const struct node *n)
{
	struct err *err;

	if (n->shape == SHAPE_SCALAR)
		return key_refuse(r, key, n);
	err = errs_next(r->errs);
	source_err(err, r->source, n->at, "%s cannot be a list of %zu", key_path(r, key), n->count);
	return err_hint(err, "A list has %s to %s.", key->lowest, key->highest);
}

/* How many: a bare number, or the members of the list. */
static bool read_count(const struct reading *r, const struct key *key, const struct node *n,
		       uint64_t *count)
{
	uint64_t lowest = 0, highest = 0, found = n->count;

	unit_read_count(text_of(key->lowest), &lowest);
	unit_read_count(text_of(key->highest), &highest);
	if ((n->shape == SHAPE_SCALAR && !unit_read_count(n->text, &found)) || found < lowest ||
	    found > highest)
		return refuse_count(r, key, n);
	*count = found;
	return true;
}

static bool refuse(const struct reading *r, const struct key *key, const struct node *item,
		   const char *hint)
{
	return err_hint(value_refuse(r, key_path(r, key), item), "%s", hint);
}

/* ---- addresses ----------------------------------------------------------- */

static bool is_multicast(struct address a)
{
	return address_is_ipv4(a) ? (a.low >> 28 & 15) == 14 : a.high >> 56 == 0xff;
}

static bool is_broadcast(struct address a)
{
	return address_eq(a, address_ipv4(UINT32_MAX));
}

static bool is_loopback(struct address a)
{
	return address_is_ipv4(a) ? (a.low >> 24 & 255) == 127 : a.high == 0 && a.low == 1;
}

/* What no connection of a lab can come from or go to. */
static const struct {
	bool (*is)(struct address a);
	const char *hint;
} nobodys[] = {
	{address_is_any, "That stands for every address of a host: write one of them."},
	{is_multicast, "That is a multicast group: write the address of a host."},
	{is_broadcast, "That is the broadcast address: write the address of a host."},
};

const char *places_nobodys(struct address a)
{
	for (size_t i = 0; i < sizeof(nobodys) / sizeof(nobodys[0]); i++)
		if (nobodys[i].is(a))
			return nobodys[i].hint;
	return NULL;
}

static bool read_address(const struct reading *r, const struct key *key, const struct node *item,
			 struct address *out)
{
	const char *hint;

	if (item->shape != SHAPE_SCALAR || !address_read(item->text, out))
		return refuse(r, key, item,
			      "Write an address such as 10.77.0.1 or \"fd77::1\", without a "
			      "prefix, a port or a name.");
	hint = places_nobodys(*out);
	return !hint || refuse(r, key, item, hint);
}

static int by_address(const void *a, const void *b)
{
	const struct address_item *x = a, *y = b;
	int order = address_order(x->address, y->address);

	if (order)
		return order;
	return x->at.line != y->at.line ? (x->at.line < y->at.line ? -1 : 1)
					: (x->at.col > y->at.col) - (x->at.col < y->at.col);
}

/* Where an address of the list is written once more; line 0: none is. */
static struct mark twice(const struct address_item *list, size_t count, struct arena scratch)
{
	struct address_item *sorted = ARENA_ARRAY(&scratch, struct address_item, count);

	memcpy(sorted, list, sizeof(*list) * count);
	qsort(sorted, count, sizeof(*sorted), by_address);
	for (size_t i = 1; i < count; i++)
		if (address_eq(sorted[i - 1].address, sorted[i].address))
			return sorted[i].at;
	return (struct mark){0};
}

static bool refuse_twice(const struct reading *r, const struct key *key, struct mark at)
{
	struct err *err = errs_next(r->errs);

	source_err(err, r->source, at, "%s names this one twice", key_path(r, key));
	return err_hint(err, "Leave it out here.");
}

static bool read_addresses(const struct reading *r, const struct key *key, const struct node *n,
			   void *field)
{
	struct address_wish places = {0};
	struct mark again = {0};
	size_t i = 0;
	bool ok = true;

	if (!read_count(r, key, n, &places.count))
		return false;
	if (n->shape == SHAPE_LIST) {
		places.list = ARENA_ARRAY(r->arena, struct address_item, n->count);
		for (const struct node *item = n->first; item; item = item->next, i++) {
			places.list[i].at = item->at;
			ok = read_address(r, key, item, &places.list[i].address) && ok;
		}
		again = ok ? twice(places.list, n->count, *r->arena) : again;
		if (again.line)
			ok = refuse_twice(r, key, again);
	}
	if (ok)
		*(struct address_wish *)field = places;
	return ok;
}

static void write_addresses(struct out *out, const void *field)
{
	const struct address_wish *places = field;
	char z[UNIT_PRINTED], address[ADDRESS_PRINTED];

	if (!places->list) {
		out_z(out, unit_count(z, places->count));
		return;
	}
	for (uint64_t i = 0; i < places->count; i++) {
		out_z(out, i ? ", " : "[");
		quote_write(out, text_of(address_print(address, places->list[i].address)));
	}
	out_z(out, "]");
}

/* ---- services ------------------------------------------------------------ */

static bool is_listed(const struct service_wish *services, uint64_t count, uint16_t port)
{
	for (uint64_t i = 0; i < count; i++)
		if (services->list[i].port == port)
			return true;
	return false;
}

static bool read_service(const struct reading *r, const struct key *key, const struct node *item,
			 uint16_t *port)
{
	uint64_t n;

	if (item->shape != SHAPE_SCALAR || !unit_read(item->text, unit_ones, &n) || n == 0 ||
	    n > UINT16_MAX)
		return refuse(r, key, item, "Write a port, from 1 to 65535.");
	*port = (uint16_t)n;
	return true;
}

static bool read_list(const struct reading *r, const struct key *key, const struct node *n,
		      struct service_wish *out)
{
	uint64_t i = 0;
	bool ok = true;

	out->list = ARENA_ARRAY(r->arena, struct service_item, n->count);
	for (const struct node *item = n->first; item; item = item->next, i++) {
		struct service_item *s = &out->list[i];

		s->at = item->at;
		if (!read_service(r, key, item, &s->port))
			ok = false;
		else if (is_listed(out, i, s->port))
			ok = refuse_twice(r, key, item->at);
	}
	return ok;
}

static bool read_services(const struct reading *r, const struct key *key, const struct node *n,
			  void *field)
{
	struct service_wish services = {0};

	if (!read_count(r, key, n, &services.count))
		return false;
	if (n->shape == SHAPE_LIST && !read_list(r, key, n, &services))
		return false;
	*(struct service_wish *)field = services;
	return true;
}

static void write_services(struct out *out, const void *field)
{
	const struct service_wish *services = field;
	char z[UNIT_PRINTED];

	if (!services->list) {
		out_z(out, unit_count(z, services->count));
		return;
	}
	for (uint64_t i = 0; i < services->count; i++)
		out_fmt(out, "%s%u", i ? ", " : "[", services->list[i].port);
	out_z(out, "]");
}

const struct kind kind_ADDRESSES = {.list_too = true,
				    .form = "a number of addresses such as 2, or a list of them",
				    .read = read_addresses,
				    .write = write_addresses};
const struct kind kind_SERVICES = {.list_too = true,
				   .form = "a number of ports such as 2, or a list of them",
				   .read = read_services,
				   .write = write_services};

/* ---- what they must be of ------------------------------------------------ */

static bool is_of_family(struct address a, const struct scenario *s)
{
	return address_is_ipv4(a) == (s->network.family != FAMILY_IPV6);
}

static bool is_of_topology(struct address a, const struct scenario *s)
{
	return is_loopback(a) == (s->network.topology == TOPOLOGY_LOOPBACK);
}

/* The keys that demand it: a word of a choice, whose values are an int each (value.c). */
static const struct demand {
	bool (*meets)(struct address a, const struct scenario *s);
	size_t key, at; /* offsets of its value and its mark */
	const struct choice *words;
	const char *what, *hint;
} demands[] = {
	{is_of_family, offsetof(struct scenario, network.family),
	 offsetof(struct scenario, network.at.family), family_words,
	 "%s is not an address of network.family: %s",
	 "Write addresses of that family, or change network.family."},
	{is_of_topology, offsetof(struct scenario, network.topology),
	 offsetof(struct scenario, network.at.topology), topology_words,
	 "%s cannot be used with network.topology: %s",
	 "topology: loopback has 127.0.0.0/8 and ::1, the others have all addresses but these."},
};

static int demanded(const struct demand *d, const struct scenario *s)
{
	int value;

	memcpy(&value, (const char *)s + d->key, sizeof(value));
	return value;
}

static struct mark later(struct mark a, struct mark b)
{
	bool is_later = a.line != b.line ? a.line > b.line : a.col > b.col;

	return is_later ? a : b;
}

static void refuse_place(const struct reading *r, const struct scenario *s, const struct demand *d,
			 const struct address_item *item)
{
	struct mark at = *(const struct mark *)(const void *)((const char *)s + d->at);
	struct err *err = errs_next(r->errs);
	char z[ADDRESS_PRINTED];

	source_err(err, r->source, later(item->at, at), d->what, address_print(z, item->address),
		   d->words[demanded(d, s)].word);
	err_hint(err, "%s", d->hint);
}

static void demand_check(const struct reading *r, const struct scenario *s, const struct demand *d,
			 const struct address_wish *wish)
{
	for (uint64_t i = 0; wish->list && i < wish->count; i++)
		if (!d->meets(wish->list[i].address, s))
			refuse_place(r, s, d, &wish->list[i]);
}

/* The item of the list that has the address; NULL: none. */
static const struct address_item *item_find(const struct address_wish *wish, struct address a)
{
	for (uint64_t i = 0; wish->list && i < wish->count; i++)
		if (address_eq(wish->list[i].address, a))
			return &wish->list[i];
	return NULL;
}

/* Two hosts cannot have one address: packets to it would never leave. What the plan chooses beside a
 * list, it looks at itself. */
static void ends_check(const struct reading *r, const struct scenario *s)
{
	const struct address_wish *servers = &s->network.servers;
	char z[ADDRESS_PRINTED];

	for (uint64_t i = 0; servers->list && i < servers->count; i++) {
		const struct address_item *mine = &servers->list[i],
					  *other = item_find(&s->network.sources, mine->address);
		struct err *err;

		if (!other)
			continue;
		err = errs_next(r->errs);
		source_err(err, r->source, later(mine->at, other->at),
			   "%s is one of network.sources and of network.servers",
			   address_print(z, mine->address));
		err_hint(err, "Client and server are two hosts: give each addresses of its own.");
		return;
	}
}

static bool is_same_place(const struct scenario *s, const struct scenario *base)
{
	return base && base->network.topology == s->network.topology &&
	       base->network.sources.list == s->network.sources.list &&
	       base->network.servers.list == s->network.servers.list;
}

void places_check(const struct reading *r, const struct scenario *s, const struct scenario *base)
{
	static const size_t wishes[] = {offsetof(struct scenario, network.sources),
					offsetof(struct scenario, network.servers)};

	for (size_t i = 0; i < 2 * sizeof(wishes) / sizeof(wishes[0]); i++) {
		const struct demand *d = &demands[i / 2];
		const void *here = (const char *)s + wishes[i % 2];
		const void *there = base ? (const char *)base + wishes[i % 2] : NULL;

		if (!base || demanded(d, s) != demanded(d, base) ||
		    ((const struct address_wish *)here)->list !=
			    ((const struct address_wish *)there)->list)
			demand_check(r, s, d, here);
	}
	if (s->network.topology != TOPOLOGY_LOOPBACK && !is_same_place(s, base))
		ends_check(r, s);
}
