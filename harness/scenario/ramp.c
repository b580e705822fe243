#include "scenario/keys.h"

#include "base/unit.h"
#include "scenario/source.h"

/* The steps of a ramp: [{to: 1k/s, over: 10s}]. */

static bool read_to(const struct key *key, struct text t, struct ramp_step *out)
{
	double lowest, highest;

	return unit_read_rate(t, &out->to) && unit_read_rate(text_of(key->lowest), &lowest) &&
	       unit_read_rate(text_of(key->highest), &highest) && out->to >= lowest &&
	       out->to <= highest;
}

static bool read_over(const struct key *key, struct text t, struct ramp_step *out)
{
	(void)key;
	return unit_read_time(t, &out->over) && out->over >= 0 && out->over <= RAMP_OVER_MOST;
}

static const struct {
	const char *name, *hint;
	bool (*read)(const struct key *key, struct text t, struct ramp_step *out);
} members[] = {
	{"to", "Write a rate such as 200/s, from 0/s to 1M/s.", read_to},
	{"over", "Write a time such as 250ms or 2s, from 0s to 1h.", read_over},
};

enum { MEMBERS = sizeof(members) / sizeof(members[0]) };

static bool read_member(const struct reading *r, const struct key *key, const struct node *n,
			struct ramp_step *out, unsigned *found)
{
	struct err *err;

	for (unsigned i = 0; i < MEMBERS; i++) {
		if (!text_is(n->key, members[i].name))
			continue;
		*found |= 1U << i;
		if (n->shape == SHAPE_SCALAR && members[i].read(key, n->text, out))
			return true;
		return err_hint(value_refuse(r, members[i].name, n), "%s", members[i].hint);
	}
	err = errs_next(r->errs);
	source_err(err, r->source, n->key_at, "there is no key %s in a step of a ramp",
		   source_quote(n->key).z);
	return err_hint(err, "Its keys are to and over.");
}

static bool read_step(const struct reading *r, const struct key *key, const struct node *n,
		      struct ramp_step *out)
{
	unsigned found = 0;
	bool ok = true;
	struct err *err;

	if (n->shape != SHAPE_MAP)
		return err_hint(value_refuse(r, "a step of a ramp", n),
				"Write {to: 1k/s, over: 10s}.");
	for (const struct node *m = n->first; m; m = m->next)
		ok = read_member(r, key, m, out, &found) && ok;
	if (!ok || found == (1U << MEMBERS) - 1)
		return ok;
	err = errs_next(r->errs);
	source_err(err, r->source, n->at, "this step of a ramp has no %s",
		   found & 1 ? "over" : "to");
	return err_hint(err, "Write {to: 1k/s, over: 10s}.");
}

static bool read_ramp(const struct reading *r, const struct key *key, const struct node *n,
		      void *field)
{
	struct ramp ramp = {ARENA_ARRAY(r->arena, struct ramp_step, n->count), 0};
	bool ok = true;

	if (n->count > SCENARIO_RAMP_MOST) {
		struct err *err = errs_next(r->errs);

		source_err(err, r->source, n->at, "a ramp has %zu steps", n->count);
		return err_hint(err, "It has at most %d.", SCENARIO_RAMP_MOST);
	}
	for (const struct node *item = n->first; item; item = item->next)
		ok = read_step(r, key, item, &ramp.list[ramp.count++]) && ok;
	if (ok)
		*(struct ramp *)field = ramp;
	return ok;
}

static void write_ramp(struct out *out, const void *field)
{
	const struct ramp *ramp = field;
	char to[UNIT_PRINTED], over[UNIT_PRINTED];

	out_z(out, "[");
	for (size_t i = 0; i < ramp->count; i++)
		out_fmt(out, "%s{to: %s, over: %s}", i ? ", " : "", unit_rate(to, ramp->list[i].to),
			unit_time(over, ramp->list[i].over));
	out_z(out, "]");
}

const struct kind kind_RAMP = {.shape = SHAPE_LIST,
			       .form = "a list of steps such as [{to: 1k/s, over: 10s}]",
			       .read = read_ramp,
			       .write = write_ramp,
			       .units = unit_rates};
