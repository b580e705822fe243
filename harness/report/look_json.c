#include <jansson.h>

#include "report/look.h"
#include "tape/usage.h"

static json_t *seconds(int64_t ns)
{
	return json_real((double)ns / 1e9);
}

/* What is not known is not there. */
static void put_trend(json_t *o, const struct look_row *row)
{
	const struct usage *u = &row->usage;

	if (row->opens >= 0) {
		json_object_set_new(o, "opens", json_real(row->opens));
		json_object_set_new(o, "grows", json_real(row->grows));
	}
	if (row->closes >= 0)
		json_object_set_new(o, "closes", json_real(row->closes));
	if (u->all_free_ns >= 0) {
		json_object_set_new(o, "next_free", seconds(u->next_free_ns));
		json_object_set_new(o, "all_free", seconds(u->all_free_ns));
	}
	if (row->full_ns == FULL_NEVER)
		json_object_set_new(o, "full_in", json_null());
	else if (row->full_ns >= 0)
		json_object_set_new(o, "full_in", seconds(row->full_ns));
}

static json_t *row_json(const struct look *l, const struct look_row *row)
{
	const struct usage *u = &row->usage;
	const char *advice = look_advice(row->cause);
	json_t *o = usage_json(u);

	json_object_set_new(o, "fill", json_real(usage_fill(u, u->usable + u->elsewhere)));
	if (l->pid)
		json_object_set_new(o, "own", json_integer(row->mine));
	put_trend(o, row);
	if (row->cause != CAUSE_NO_DATA)
		json_object_set_new(o, "cause", json_string(cause_name(row->cause)));
	if (row->maybe != CAUSE_NO_DATA)
		json_object_set_new(o, "maybe", json_string(cause_name(row->maybe)));
	if (advice)
		json_object_set_new(o, "try", json_string(advice));
	return o;
}

static json_t *rows_json(const struct look *l)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < l->count; i++)
		json_array_append_new(list, row_json(l, &l->rows[i]));
	return list;
}

static json_t *taken_json(const struct sample *s)
{
	return json_pack("{s:I, s:I, s:I}", "reserved", (json_int_t)s->reserved, "listening",
			 (json_int_t)s->listening, "bound", (json_int_t)s->bound);
}

static json_t *states_of(const struct sample *s)
{
	json_t *o = json_object();

	for (int i = 1; i < STATES; i++)
		if (s->states[i])
			json_object_set_new(o, state_name(i),
					    json_integer((json_int_t)s->states[i]));
	return o;
}

static json_t *look_json(const struct look *l)
{
	json_t *o = json_pack("{s:i, s:o, s:o, s:I, s:I}", "schema", 1, "at", seconds(l->t_ns),
			      "ports", json_sprintf("%u-%u", l->range.lo, l->range.hi), "usable",
			      (json_int_t)l->usable, "anywhere", (json_int_t)l->anywhere);

	json_object_set_new(o, "taken", taken_json(&l->sample));
	json_object_set_new(o, "states", states_of(&l->sample));
	if (l->opens >= 0)
		json_object_set_new(o, "opens", json_real(l->opens));
	if (l->pid)
		json_object_set_new(o, "pid", json_integer(l->pid));
	if (l->pid_ended)
		json_object_set_new(o, "pid_ended", json_true());
	if (l->sample.torn)
		json_object_set_new(o, "torn", json_true());
	if (l->overfull)
		json_object_set_new(o, "overfull", json_true());
	if (l->rateless)
		json_object_set_new(o, "rateless", json_integer(l->rateless));
	if (l->sample.from_proc)
		json_object_set_new(o, "from_proc", json_true());
	json_object_set_new(o, "sees_all", json_boolean(l->sees_all));
	if (l->owners_partial)
		json_object_set_new(o, "owners_partial", json_true());
	if (l->owners_ns < l->t_ns)
		json_object_set_new(o, "owners_at", seconds(l->owners_ns));
	json_object_set_new(o, "destinations", rows_json(l));
	json_object_set_new(o, "more", json_integer(l->more));
	json_object_set_new(o, "cost", seconds((int64_t)l->sample.dump_ns));
	json_object_set_new(o, "next_look", seconds(l->next_ns));
	return o;
}

/* Between two looks there is nothing else that is new. */
static json_t *totals_json(const struct look *l)
{
	json_t *o = json_pack("{s:i, s:o, s:o, s:I, s:I}", "schema", 1, "at",
			      seconds(l->totals.t_ns), "looked_at", seconds(l->t_ns), "inuse",
			      (json_int_t)l->totals.inuse, "time_wait", (json_int_t)l->totals.tw);

	if (l->opens >= 0)
		json_object_set_new(o, "opens", json_real(l->opens));
	json_object_set_new(o, "next_look", seconds(l->next_ns));
	return o;
}

static int to_out(const char *text, size_t len, void *out)
{
	out_text(out, (struct text){text, len});
	return 0;
}

bool look_write_json(struct out *out, const struct look *l)
{
	json_t *o = l->totals.known ? totals_json(l) : look_json(l);
	bool ok = o && json_dump_callback(o, to_out, out,
					  JSON_COMPACT | JSON_ENSURE_ASCII |
						  JSON_REAL_PRECISION(6)) == 0;

	json_decref(o);
	out_z(out, "\n");
	return ok;
}
