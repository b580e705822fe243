#include "report/json.h"
#include "report/latency.h"
#include "report/load.h"

/* The histograms of a run by their names; those of the fills follow, in order. */
static const struct {
	const char *name;
	size_t offset;
} parts[] = {
	{"latency", offsetof(struct latency, all)},
	{"latency.lower_half", offsetof(struct latency, halves[HALF_LOWER])},
	{"latency.upper_half", offsetof(struct latency, halves[HALF_UPPER])},
	{"latency.refused", offsetof(struct latency, refused)},
};

enum { PARTS = sizeof(parts) / sizeof(parts[0]) };

static const struct histogram *part_of(const struct latency *l, size_t i)
{
	return (const void *)((const char *)l + parts[i].offset);
}

/* Buckets in use alone: [the least value that it counts, how many]. */
static json_t *json_histogram(const struct histogram *h, bool *ok)
{
	json_t *o = json_object(), *buckets = json_array();

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		if (h->buckets[i])
			append(buckets,
			       json_pack("[I, I]", (json_int_t)histogram_floor(i),
					 (json_int_t)h->buckets[i]),
			       ok);
	put(o, "unit", json_string("ns"), ok);
	put(o, "max", json_integer((json_int_t)h->max), ok);
	put(o, "buckets", buckets, ok);
	return o;
}

static json_t *json_fill(const struct histogram *h, int i, bool *ok)
{
	static const struct {
		const char *name;
		double share;
	} shares[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"max", 1}};
	json_t *o = json_object();

	put(o, "fill", json_real((double)(i + 1) / FILLS), ok);
	put(o, "count", json_integer((json_int_t)h->count), ok);
	for (size_t k = 0; k < sizeof(shares) / sizeof(shares[0]); k++)
		put(o, shares[k].name, json_real((double)histogram_at(h, shares[k].share) / 1e9),
		    ok);
	put(o, "histogram", json_histogram(h, ok), ok);
	return o;
}

json_t *json_latency(const struct latency *l, bool *ok)
{
	json_t *o = json_object(), *fills = json_array();

	for (size_t i = 0; i < PARTS; i++)
		if (part_of(l, i)->count)
			put(o, parts[i].name, json_histogram(part_of(l, i), ok), ok);
	for (int i = 0; i < FILLS; i++)
		if (l->fills[i].count)
			append(fills, json_fill(&l->fills[i], i, ok), ok);
	put(o, "latency.by_fill", fills, ok);
	return o;
}

/* ---- and back ------------------------------------------------------------ */

static bool load_bucket(const struct node *n, struct histogram *out)
{
	struct node low = node_element(n, 0), many = node_element(n, 1);
	uint64_t floor = 0, count = 0;
	size_t members;
	unsigned at = 0;

	if (!node_array(n, &members))
		return false;
	if (members != 2 || !node_count_if(&low, count_most, &floor) ||
	    !node_count_if(&many, count_most, &count) || !histogram_find(floor, &at))
		return node_refuse(n, "a bucket and how many values it counts");
	out->buckets[at] += count;
	out->count += count;
	return true;
}

static bool load_histogram(const struct node *n, struct histogram *out)
{
	struct node all = node_member(n, "buckets"), max = node_member(n, "max");
	size_t count;

	if (!node_object(n) || !node_count_if(&max, count_most, &out->max) ||
	    !node_array(&all, &count))
		return false;
	if (count > HISTOGRAM_BUCKETS)
		return node_refuse(&all, "no more buckets than there are");
	for (size_t i = 0; i < count; i++) {
		struct node bucket = node_element(&all, i);

		if (!load_bucket(&bucket, out))
			return false;
	}
	return true;
}

static bool load_fill(const struct node *n, struct latency *out)
{
	struct node fill = node_member(n, "fill"), histogram = node_member(n, "histogram");
	double share;

	if (!node_object(n) || !node_number(&fill, 1, &share))
		return false;
	if (share * FILLS < 0.5)
		return node_refuse(&fill, "a twentieth or more");
	return load_histogram(&histogram, &out->fills[(int)(share * FILLS + 0.5) - 1]);
}

static bool load_fills(const struct node *up, struct latency *out)
{
	struct node all = node_member(up, "latency.by_fill");
	size_t count;

	if (!node_array(&all, &count))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct node n = node_element(&all, i);

		if (!load_fill(&n, out))
			return false;
	}
	return true;
}

bool load_latency(const struct node *up, struct result_run *out)
{
	struct node all = node_member(up, "histograms");
	struct latency *l;

	if (!all.json)
		return true;
	if (!node_object(&all))
		return false;
	out->latency = l = ARENA_NEW(up->of->a, struct latency);
	for (size_t i = 0; i < PARTS; i++) {
		struct node n = node_member(&all, parts[i].name);

		if (n.json && !load_histogram(&n, (void *)((char *)l + parts[i].offset)))
			return false;
	}
	return load_fills(&all, l);
}
