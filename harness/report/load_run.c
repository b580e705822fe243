#include "report/load.h"

#include <math.h>

#include "report/books.h"
#include "report/destinations.h"
#include "report/foretold.h"
#include "report/latency.h"
#include "report/ports.h"
#include "report/whose.h"
#include "report/words.h"

bool load_seconds(const struct node *n, double *ns)
{
	double s;

	if (!node_number(n, seconds_most, &s))
		return false;
	*ns = round(s * 1e9);
	return true;
}

static bool load_value(const struct node *n, enum measure_kind kind, struct value *out)
{
	uint64_t count = 0;
	bool flag = false;

	switch (kind) {
	case KIND_COUNT:
		out->present = node_count_if(n, count_most, &count);
		out->n = (double)count;
		break;
	case KIND_FLAG:
		out->present = node_flag(n, &flag);
		out->n = flag;
		break;
	case KIND_TIME:
		out->present = load_seconds(n, &out->n);
		break;
	case KIND_SHARE:
	case KIND_RATE:
	case KIND_RATIO:
		out->present = node_number(n, rate_most, &out->n);
		break;
	}
	return out->present;
}

static bool load_value_of_key(const struct node *n, void *out)
{
	struct result_run *run = out;
	struct result_value *v = &run->effective[run->effective_count++];

	v->key = text_keep(n->of->a, text_of(n->key));
	return node_object(n) && member_text(n, "value", &v->value) &&
	       member_u32(n, "line", &v->line);
}

static bool load_effective(const struct node *up, struct result_run *out)
{
	struct node all = node_member(up, "effective");

	out->effective = ARENA_ARRAY(up->of->a, struct result_value, json_object_size(all.json));
	return node_members(&all, load_value_of_key, out);
}

/* Whose namespace it is of, is the caller's to say. */
static bool load_setting(const struct node *n, void *out)
{
	struct result_run *run = out;
	struct result_setting *s = &run->settings[run->setting_count++];

	s->name = text_keep(n->of->a, text_of(n->key));
	return node_object(n) && member_text(n, "wanted", &s->wanted) &&
	       member_text(n, "before", &s->before) && member_text(n, "after", &s->after) &&
	       member_u32(n, "line", &s->line);
}

static bool load_namespace(const struct node *all, enum setting_where where, struct result_run *out)
{
	size_t first = out->setting_count;
	bool ok = node_members(all, load_setting, out);

	for (size_t i = first; i < out->setting_count; i++)
		out->settings[i].where = where;
	return ok;
}

/* The client's are always there, those of other namespaces if there are any. */
static bool load_sysctl(const struct node *up, struct result_run *out)
{
	struct node all[WHERES];
	size_t room = 0;
	bool ok = true;

	for (enum setting_where where = WHERE_CLIENT; where < WHERES; where++) {
		all[where] = node_member(up, settings_word(where));
		room += json_object_size(all[where].json);
	}
	out->settings = ARENA_ARRAY(up->of->a, struct result_setting, room);
	for (enum setting_where where = WHERE_CLIENT; where < WHERES && ok; where++)
		if (where == WHERE_CLIENT || all[where].json)
			ok = load_namespace(&all[where], where, out);
	return ok;
}

static bool load_accelerated(const struct node *up, struct result_run *out)
{
	struct node n = node_member(up, "accelerated"), lasts = node_member(&n, "time_wait");
	double ns = 0;

	if (!n.json)
		return true;
	if (!node_object(&n) || !load_seconds(&lasts, &ns))
		return false;
	out->plan.time_wait_ns = (int64_t)ns;
	return true;
}

static bool load_measure(const struct node *n, void *to)
{
	struct measures *out = to;
	struct measure_ref ref;
	struct value v;

	if (!measure_find(text_of(n->key), &ref))
		return node_refuse(n, "a measure that lastport knows");
	if (!load_value(n, measure_infos[ref.measure].kind, &v))
		return false;
	if (ref.measure == MEASURE_ERRORS)
		out->errors[out->error_count++] =
			(struct error_row){ref.stage, ref.error, (uint64_t)v.n};
	else if (ref.measure == MEASURE_SQUAT_ERRORS)
		out->squat_errors[out->squat_error_count++] =
			(struct error_row){ref.stage, ref.error, (uint64_t)v.n};
	else if (ref.measure == MEASURE_SERVER_ERRORS)
		out->server_errors[out->server_error_count++] =
			(struct error_row){ref.stage, ref.error, (uint64_t)v.n};
	else if (ref.measure == MEASURE_COUNTER)
		out->counters[out->counter_count++] =
			(struct counter_row){text_keep(n->of->a, ref.counter), (uint64_t)v.n};
	else
		out->fixed[ref.measure] = v;
	return true;
}

static bool load_measures(const struct node *up, struct measures *out)
{
	struct node all = node_member(up, "measures");
	size_t most = json_object_size(all.json);
	bool ok;

	out->errors = ARENA_ARRAY(up->of->a, struct error_row, most);
	out->squat_errors = ARENA_ARRAY(up->of->a, struct error_row, most);
	out->server_errors = ARENA_ARRAY(up->of->a, struct error_row, most);
	out->counters = ARENA_ARRAY(up->of->a, struct counter_row, most);
	ok = node_members(&all, load_measure, out);
	out->counters_known = out->counter_count > 0;
	return ok;
}

/* Where the run had named loads. */
static bool load_loads(const struct node *up, struct measures *out)
{
	struct node all = node_member(up, "loads");
	size_t count;

	if (!all.json)
		return true;
	if (!node_array(&all, &count))
		return false;
	out->loads = ARENA_ARRAY(up->of->a, struct load_measures, count);
	for (size_t i = 0; i < count; i++) {
		struct node n = node_element(&all, i);

		if (!node_object(&n) || !member_text(&n, "name", &out->loads[i].name) ||
		    !load_measures(&n, &out->loads[i].measures))
			return false;
		out->load_count++;
	}
	return true;
}

static bool load_state(const struct node *n, void *out)
{
	struct result_run *run = out;
	int state = state_find(text_of(n->key));

	if (state == 0)
		return node_refuse(n, "a count of a TCP state");
	return load_value(n, KIND_COUNT, &run->used_states[state]);
}

static bool load_judged(const struct node *n, struct judged *out)
{
	struct node word = node_member(n, "kind"), observed = node_member(n, "observed");
	struct text kind, file;
	int found;

	if (!node_object(n) || !member_text(n, "text", &out->text) ||
	    !member_text(n, "file", &file) || !member_u32(n, "line", &out->at.line) ||
	    !node_text(&word, &kind) || !member_flag(n, "pass", &out->pass))
		return false;
	found = kind_find(kind);
	if (found < 0)
		return node_refuse(&word, "count, share, time, rate or flag");
	out->at.file = text_z(n->of->a, file);
	out->kind = (enum measure_kind)found;
	return !observed.json || load_value(&observed, out->kind, &out->observed);
}

static bool load_expect(const struct node *up, struct verdict *out)
{
	struct node all = node_member(up, "expect");
	size_t count;

	if (!node_array(&all, &count))
		return false;
	out->expect = ARENA_ARRAY(up->of->a, struct judged, count);
	for (; out->expect_count < count; out->expect_count++) {
		struct node n = node_element(&all, out->expect_count);

		if (!load_judged(&n, &out->expect[out->expect_count]))
			return false;
	}
	return true;
}

/* The index of a line of `expect`, which is there. */
static bool load_aborted(const struct node *up, struct result_run *out)
{
	struct node n = node_member(up, "aborted");
	uint64_t index = 0;

	if (!n.json)
		return true;
	if (!node_count_if(&n, INT32_MAX, &index))
		return false;
	if (index >= out->verdict.expect_count)
		return node_refuse(&n, "the index of a line of expect");
	out->aborted = (unsigned)index + 1;
	return true;
}

/* Results of before have none. */
static bool load_seen(const struct node *n, struct finding *out)
{
	return !node_member(n, "seen").json || member_lines(n, "seen", &out->seen);
}

static bool load_cause(const struct node *n, struct finding *out)
{
	struct node name = node_member(n, "name");
	struct text word;

	if (!node_object(n) || !node_text(&name, &word))
		return false;
	for (int i = 0; i < CAUSES; i++) {
		if (!text_is(word, cause_name((enum cause)i)))
			continue;
		out->cause = (enum cause)i;
		return member_text(n, "why", &out->why) && load_seen(n, out) &&
		       member_lines(n, "try", &out->attempt) &&
		       member_lines(n, "wont_help", &out->wont_help);
	}
	return node_refuse(&name, "a cause that lastport knows");
}

static bool load_causes(const struct node *up, struct verdict *out)
{
	struct node all = node_member(up, "causes");
	size_t count;

	if (!node_array(&all, &count))
		return false;
	out->causes = ARENA_ARRAY(up->of->a, struct finding, count);
	for (; out->cause_count < count; out->cause_count++) {
		struct node n = node_element(&all, out->cause_count);

		if (!load_cause(&n, &out->causes[out->cause_count]))
			return false;
	}
	return true;
}

bool load_run(const struct node *n, struct result_run *out)
{
	struct node error = node_member(n, "error"), hint = node_member(n, "hint");
	struct node intended = node_member(n, "intended"), stopped = node_member(n, "stopped");
	struct node lost = node_member(n, "lost"), interrupted = node_member(n, "interrupted");
	struct node sockets = node_member(n, "sockets");
	uint64_t signal = 0;
	bool ok = node_object(n) && member_text(n, "scenario", &out->scenario) &&
		  member_text(n, "case", &out->case_name) && member_text(n, "title", &out->title) &&
		  member_text(n, "file", &out->file) && member_text(n, "sha256", &out->sha256) &&
		  load_verdict(n, &out->word) && member_flag(n, "complete", &out->complete) &&
		  node_text_if(&error, &out->error) && node_text_if(&hint, &out->hint) &&
		  node_count_if(&interrupted, INT32_MAX, &signal) &&
		  member_flag(n, "cut_short", &out->cut_short) &&
		  (!stopped.json || node_flag(&stopped, &out->stopped)) &&
		  node_text_if(&intended, &out->intended) &&
		  node_count_if(&lost, count_most, &out->lost) && load_effective(n, out) &&
		  load_sysctl(n, out) && ports_load(n, out) && load_accelerated(n, out) &&
		  load_measures(n, &out->measures) && load_loads(n, &out->measures) &&
		  whose_load(n, &out->measures) && load_latency(n, out) &&
		  foretold_load(n, &out->measures) && node_members(&sockets, load_state, out) &&
		  destinations_load(n, out) && books_load(n, out) &&
		  load_expect(n, &out->verdict) && load_aborted(n, out) &&
		  load_causes(n, &out->verdict);

	out->interrupted = (int)signal;
	out->verdict.word = out->word;
	return ok;
}
