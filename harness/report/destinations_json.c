#include "report/destinations.h"
#include "report/json.h"

#include <math.h>

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

static json_t *json_dump(const struct result_dump *d, bool *ok)
{
	json_t *o = json_object();

	if (d->at_ns >= 0)
		put(o, "at", json_real((double)d->at_ns / 1e9), ok);
	put(o, "torn", json_boolean(d->torn), ok);
	put(o, "reserved", json_integer(d->reserved), ok);
	put(o, "listening", json_integer(d->listening), ok);
	put(o, "bound", json_integer(d->bound), ok);
	put(o, "list", json_usages(d, ok), ok);
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

static const double seconds_most = 9e6;

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

static bool load_dump(const struct node *up, const char *key, struct result_dump *out)
{
	struct node n = node_member(up, key), list = node_member(&n, "list");
	size_t count;

	if (!node_object(&n) || !load_ns(&n, "at", &out->at_ns) ||
	    !member_flag(&n, "torn", &out->torn) || !member_u32(&n, "reserved", &out->reserved) ||
	    !member_u32(&n, "listening", &out->listening) ||
	    !member_u32(&n, "bound", &out->bound) || !node_array(&list, &count) ||
	    !load_more(&n, out))
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
