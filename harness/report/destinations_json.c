#include "report/destinations.h"
#include "report/json.h"

#include <math.h>
#include <stdlib.h>

#include "report/load.h"
#include "tape/usage.h"

static json_t *json_usages(const struct result_dump *d, bool *ok)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < d->count; i++) {
		const struct usage *u = &d->usages[i];
		json_t *o = usage_json(u);

		if (u->all_free_ns >= 0) {
			put(o, "next_free", json_real((double)u->next_free_ns / 1e9), ok);
			put(o, "all_free", json_real((double)u->all_free_ns / 1e9), ok);
		}
		if (json_array_append_new(array, o) < 0)
			*ok = false;
	}
	return array;
}

/* Four ports a hexadecimal digit, the lowest port in its highest bit. */
static int digit_of(const struct portset *s, struct port_range range, uint32_t first)
{
	int digit = 0;

	for (uint32_t i = 0; i < 4; i++)
		digit = digit << 1 |
			(first + i <= range.hi && portset_has(s, (uint16_t)(first + i)));
	return digit;
}

/* "f{7058}": a digit that is there more than four times in a row, and how often. */
static json_t *json_ports(const struct portset *s, struct port_range range, bool *ok)
{
	enum { ROOM = (UINT16_MAX + 1) / 4 + 1 };
	char *buffer = malloc(ROOM);
	struct out to = out_memory(buffer, buffer ? ROOM : 0);
	json_t *json;

	for (uint32_t port = range.lo; port <= range.hi;) {
		int digit = digit_of(s, range, port);
		unsigned times = 0;

		for (; port <= range.hi && digit_of(s, range, port) == digit; port += 4)
			times++;
		if (times > 4)
			out_fmt(&to, "%x{%u}", digit, times);
		for (; times > 0 && times <= 4; times--)
			out_fmt(&to, "%x", digit);
	}
	json = buffer ? json_stringn(buffer, to.len) : NULL;
	free(buffer);
	*ok &= json != NULL;
	return json;
}

static json_t *json_map(const struct portmap *m, bool *ok)
{
	json_t *o = json_object();

	put(o, "ports", json_sprintf("%u-%u", m->range.lo, m->range.hi), ok);
	put(o, "used", json_ports(&m->used, m->range, ok), ok);
	put(o, "taken", json_ports(&m->taken, m->range, ok), ok);
	return o;
}

static json_t *json_dump(const struct result_dump *d, bool *ok)
{
	json_t *o = json_object();

	if (d->at_ns >= 0)
		put(o, "at", json_real((double)d->at_ns / 1e9), ok);
	put(o, "torn", json_boolean(d->torn), ok);
	if (d->from_proc)
		put(o, "from_proc", json_true(), ok);
	put(o, "reserved", json_integer(d->reserved), ok);
	put(o, "listening", json_integer(d->listening), ok);
	put(o, "bound", json_integer(d->bound), ok);
	put(o, "list", json_usages(d, ok), ok);
	if (d->map)
		put(o, "map", json_map(d->map, ok), ok);
	if (d->more_count)
		put(o, "more",
		    json_pack("{s:I, s:I}", "destinations", (json_int_t)d->more_count, "used",
			      (json_int_t)fmin((double)d->more_used, 0x1p53)),
		    ok);
	return o;
}

json_t *destinations_json(const struct result_run *run, bool *ok)
{
	json_t *o;

	if (!run->end.present)
		return NULL;
	o = json_object();
	put(o, "fullest", json_dump(&run->fullest, ok), ok);
	put(o, "end", json_dump(&run->end, ok), ok);
	return o;
}

/* ---- and back ------------------------------------------------------------ */

/* -1 where it is not there. */
static bool load_ns(const struct node *up, const char *key, int64_t *ns)
{
	struct node n = node_member(up, key);
	double s;

	*ns = -1;
	if (!n.json)
		return true;
	if (!node_number(&n, seconds_most, &s))
		return false;
	*ns = (int64_t)round(s * 1e9);
	return true;
}

static bool load_usage(const struct node *n, struct usage *out)
{
	const char *must;

	if (!node_object(n))
		return false;
	must = usage_of_json(n->json, out);
	if (must)
		return node_refuse(n, "a destination whose fields are what results/README.md says");
	if (!load_ns(n, "next_free", &out->next_free_ns) ||
	    !load_ns(n, "all_free", &out->all_free_ns))
		return false;
	if (out->next_free_ns < 0 || out->all_free_ns < 0)
		out->next_free_ns = out->all_free_ns = -1;
	return true;
}

static bool load_more(const struct node *up, struct result_dump *out)
{
	struct node more = node_member(up, "more"), used = node_member(&more, "used");

	return !more.json ||
	       (node_object(&more) && member_u32(&more, "destinations", &out->more_count) &&
		node_count_if(&used, count_most, &out->more_used));
}

static int digit_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "{7058}" behind a digit; 1 where there is none, and 0 where it is not whole. */
static unsigned read_times(struct text *t)
{
	unsigned n = 0;
	size_t digits;

	if (!text_starts(*t, TEXT("{")))
		return 1;
	*t = text_skip(*t, 1);
	digits = text_span(*t, "0123456789");
	for (size_t i = 0; i < digits && n <= UINT16_MAX; i++)
		n = n * 10 + (unsigned)(t->s[i] - '0');
	*t = text_skip(*t, digits);
	if (!text_starts(*t, TEXT("}")))
		return 0;
	*t = text_skip(*t, 1);
	return n;
}

static bool load_ports(const struct node *up, const char *key, struct port_range range,
		       struct portset *out)
{
	struct node n = node_member(up, key);
	uint32_t port = range.lo;
	struct text t;

	if (!node_text(&n, &t))
		return false;
	while (t.len) {
		int digit = digit_value(t.s[0]);
		unsigned times;

		t = text_skip(t, 1);
		times = read_times(&t);
		if (digit < 0 || times == 0 || port + 4 * (times - 1) > range.hi)
			break;
		for (; times > 0; times--, port += 4)
			for (uint32_t i = 0; i < 4 && port + i <= range.hi; i++)
				if (digit >> (3 - i) & 1)
					portset_add(out, (uint16_t)(port + i));
	}
	return (t.len == 0 && port > range.hi) ||
	       node_refuse(&n, "a hexadecimal digit for each four ports");
}

static bool load_map(const struct node *up, struct result_dump *out)
{
	struct node n = node_member(up, "map"), ports = node_member(&n, "ports");
	struct portmap *m;

	if (!n.json)
		return true;
	m = ARENA_NEW(up->of->a, struct portmap);
	m->known = true;
	out->map = m;
	return node_object(&n) && node_range(&ports, &m->range) &&
	       load_ports(&n, "used", m->range, &m->used) &&
	       load_ports(&n, "taken", m->range, &m->taken);
}

static bool load_dump(const struct node *up, const char *key, struct result_dump *out)
{
	struct node n = node_member(up, key), list = node_member(&n, "list");
	struct node from_proc = node_member(&n, "from_proc");
	size_t count;

	if (!node_object(&n) || (from_proc.json && !node_flag(&from_proc, &out->from_proc)) ||
	    !load_ns(&n, "at", &out->at_ns) || !member_flag(&n, "torn", &out->torn) ||
	    !member_u32(&n, "reserved", &out->reserved) ||
	    !member_u32(&n, "listening", &out->listening) ||
	    !member_u32(&n, "bound", &out->bound) || !node_array(&list, &count) ||
	    !load_more(&n, out) || !load_map(&n, out))
		return false;
	out->present = true;
	out->usages = ARENA_ARRAY(up->of->a, struct usage, count);
	for (; out->count < count; out->count++) {
		struct node one = node_element(&list, out->count);

		if (!load_usage(&one, &out->usages[out->count]))
			return false;
	}
	return true;
}

bool destinations_load(const struct node *up, struct result_run *out)
{
	struct node all = node_member(up, "destinations");

	return !all.json || (node_object(&all) && load_dump(&all, "fullest", &out->fullest) &&
			     load_dump(&all, "end", &out->end));
}
