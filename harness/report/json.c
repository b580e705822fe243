#include "report/result.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/unit.h"
#include "report/books.h"
#include "report/destinations.h"
#include "report/foretold.h"
#include "report/json.h"
#include "report/latency.h"
#include "report/ports.h"
#include "report/whose.h"
#include "report/words.h"

enum { ESCAPE_MOST = 10 }; /* bytes that out_escaped() makes of one, at most */

json_t *json_text(struct text t)
{
	json_t *json = json_stringn(t.len ? t.s : "", t.len);
	char *buffer;
	struct out out;

	if (json || t.len == 0)
		return json;
	buffer = malloc(ESCAPE_MOST * t.len);
	if (!buffer)
		return NULL;
	out = out_memory(buffer, ESCAPE_MOST * t.len);
	out_escaped(&out, t);
	json = json_stringn(buffer, out.len);
	free(buffer);
	return json;
}

/* Keys are names out of files too; a key may hold no NUL. */
static void put_named(json_t *object, struct text name, json_t *value, bool *ok)
{
	json_t *key = json_text(name);

	if (!key || json_object_set_new(object, json_string_value(key), value) < 0)
		*ok = false;
	json_decref(key);
}

static json_t *json_value(enum measure_kind kind, double n)
{
	switch (kind) {
	case KIND_COUNT:
		return json_integer(
			(json_int_t)fmin(n, 0x1p53)); /* beyond it a double skips numbers */
	case KIND_FLAG:
		return json_boolean(n != 0);
	case KIND_TIME:
		return json_seconds(n);
	case KIND_SHARE:
	case KIND_RATE:
	case KIND_RATIO:
		break;
	}
	return json_real(n);
}

static json_t *json_lines(const struct line_list *lines, bool *ok)
{
	json_t *array = json_array();

	for (size_t i = 0; i < lines->count; i++)
		append(array, json_text(lines->list[i]), ok);
	return array;
}

static json_t *json_errno(int error)
{
	if (error == 0)
		return json_string("ok");
	return errno_find(text_of(errno_name(error))) == error ? json_string(errno_name(error))
							       : json_integer(error);
}

static json_t *json_host(const struct host *host, bool *ok)
{
	json_t *o = json_object();

	for (size_t i = 0; i < host_facts_count; i++) {
		const struct fact *f = &host_facts[i];
		const void *at = (const char *)host + f->offset;

		if (f->kind == FACT_WORD)
			put(o, f->name, json_text(text_of(at)), ok);
		else if (f->kind == FACT_RANGE)
			put(o, f->name, json_range(*(const struct port_range *)at), ok);
		else if (f->kind == FACT_ERRNO)
			put(o, f->name, json_errno(*(const int *)at), ok);
		else if (*(const int64_t *)at >= 0)
			put(o, f->name, json_integer(*(const int64_t *)at), ok);
	}
	return o;
}

static json_t *json_effective(const struct result_run *run, bool *ok)
{
	json_t *o = json_object();

	for (size_t i = 0; i < run->effective_count; i++) {
		const struct result_value *v = &run->effective[i];
		json_t *value = json_object();

		put(value, "value", json_text(v->value), ok);
		if (v->line)
			put(value, "line", json_integer(v->line), ok);
		put_named(o, v->key, value, ok);
	}
	return o;
}

static json_t *json_sysctl(const struct result_run *run, enum setting_where where, bool *ok)
{
	json_t *o = json_object();

	for (size_t i = 0; i < run->setting_count; i++) {
		const struct result_setting *s = &run->settings[i];
		json_t *setting;

		if (s->where != where)
			continue;
		setting = json_object();
		put(setting, "wanted", json_text(s->wanted), ok);
		put(setting, "before", json_text(s->before), ok);
		put(setting, "after", json_text(s->after), ok);
		if (s->line)
			put(setting, "line", json_integer(s->line), ok);
		put_named(o, s->name, setting, ok);
	}
	return o;
}

/* The client's, and those of the namespaces of which anything is on record. */
static void put_settings(json_t *o, const struct result_run *run, bool *ok)
{
	for (enum setting_where where = WHERE_CLIENT; where < WHERES; where++) {
		json_t *settings = json_sysctl(run, where, ok);

		if (where == WHERE_CLIENT || json_object_size(settings) > 0)
			put(o, settings_word(where), settings, ok);
		else
			json_decref(settings);
	}
}

/* Of a family of measures. */
static void put_errors(json_t *o, enum measure family, const struct error_row *rows, size_t count,
		       bool *ok)
{
	for (size_t i = 0; i < count; i++) {
		char name[80];

		snprintf(name, sizeof(name), "%s%s.%s", measure_infos[family].name,
			 stage_name(rows[i].stage), errno_name(rows[i].error));
		put(o, name, json_count(rows[i].count), ok);
	}
}

static void put_counters(json_t *o, const struct measures *m, bool *ok)
{
	for (size_t i = 0; i < m->counter_count; i++) {
		char name[80];

		snprintf(name, sizeof(name), "%s" TEXT_FMT, measure_infos[MEASURE_COUNTER].name,
			 TEXT_ARG(m->counters[i].name));
		put_named(o, text_of(name), json_count(m->counters[i].moved), ok);
	}
}

static json_t *json_measures(const struct measures *m, bool *ok)
{
	json_t *o = json_object();

	for (int i = 0; i < MEASURES; i++) {
		const struct value *v = &m->fixed[i];

		if (i == MEASURE_ERRORS)
			put_errors(o, i, m->errors, m->error_count, ok);
		else if (i == MEASURE_SQUAT_ERRORS)
			put_errors(o, i, m->squat_errors, m->squat_error_count, ok);
		else if (i == MEASURE_SERVER_ERRORS)
			put_errors(o, i, m->server_errors, m->server_error_count, ok);
		else if (i == MEASURE_COUNTER)
			put_counters(o, m, ok);
		else if (v->present && isfinite(v->n))
			put(o, measure_infos[i].name, json_value(measure_infos[i].kind, v->n), ok);
	}
	return o;
}

static json_t *json_named_loads(const struct measures *m, bool *ok)
{
	json_t *array = json_array();

	for (size_t i = 0; i < m->load_count; i++) {
		json_t *o = json_object();

		put(o, "name", json_text(m->loads[i].name), ok);
		put(o, "measures", json_measures(&m->loads[i].measures, ok), ok);
		append(array, o, ok);
	}
	return array;
}

static json_t *json_expect(const struct verdict *verdict, bool *ok)
{
	json_t *array = json_array();

	for (size_t i = 0; i < verdict->expect_count; i++) {
		const struct judged *j = &verdict->expect[i];
		json_t *o = json_object();

		put(o, "text", json_text(j->text), ok);
		put(o, "file", json_text(text_of(j->at.file)), ok);
		put(o, "line", json_integer(j->at.line), ok);
		put(o, "kind", json_string(kind_word(j->kind)), ok);
		if (j->observed.present && isfinite(j->observed.n))
			put(o, "observed", json_value(j->kind, j->observed.n), ok);
		put(o, "pass", json_boolean(j->pass), ok);
		append(array, o, ok);
	}
	return array;
}

static json_t *json_causes(const struct verdict *verdict, bool *ok)
{
	json_t *array = json_array();

	for (size_t i = 0; i < verdict->cause_count; i++) {
		const struct finding *f = &verdict->causes[i];
		json_t *o = json_object();

		put(o, "name", json_string(cause_name(f->cause)), ok);
		put(o, "why", json_text(f->why), ok);
		if (f->seen.count)
			put(o, "seen", json_lines(&f->seen, ok), ok);
		put(o, "try", json_lines(&f->attempt, ok), ok);
		put(o, "wont_help", json_lines(&f->wont_help, ok), ok);
		append(array, o, ok);
	}
	return array;
}

static json_t *json_states(const struct result_run *run, bool *ok)
{
	json_t *o = json_object();

	for (int i = 1; i < STATES; i++)
		if (run->used_states[i].present)
			put(o, state_name(i), json_value(KIND_COUNT, run->used_states[i].n), ok);
	return o;
}

/* What went faster than it does elsewhere: the figures are true of this run alone. */
static json_t *json_accelerated(int64_t time_wait_ns, bool *ok)
{
	json_t *o = json_object();

	put(o, "time_wait", json_seconds((double)time_wait_ns), ok);
	put(o, "instead_of", json_seconds((double)TIME_WAIT_NS), ok);
	put(o, "times", json_real((double)TIME_WAIT_NS / (double)time_wait_ns), ok);
	return o;
}

/* Which run it is, and how it ended. */
static void put_head(json_t *o, const struct result_run *run, bool *ok)
{
	put(o, "scenario", json_text(run->scenario), ok);
	put(o, "case", json_text(run->case_name), ok);
	put(o, "title", json_text(run->title), ok);
	put(o, "file", json_text(run->file), ok);
	put(o, "sha256", json_text(run->sha256), ok);
	put(o, "verdict", json_string(verdict_name(run->word)), ok);
	put(o, "complete", json_boolean(run->complete), ok);
	if (run->error.len)
		put(o, "error", json_text(run->error), ok);
	if (run->hint.len)
		put(o, "hint", json_text(run->hint), ok);
	if (run->interrupted)
		put(o, "interrupted", json_integer(run->interrupted), ok);
	if (run->plan.time_wait_ns)
		put(o, "accelerated", json_accelerated(run->plan.time_wait_ns, ok), ok);
	put(o, "cut_short", json_boolean(run->cut_short), ok);
	if (run->stopped)
		put(o, "stopped", json_true(), ok);
	if (run->aborted)
		put(o, "aborted", json_integer(run->aborted - 1), ok);
	if (run->intended.len)
		put(o, "intended", json_text(run->intended), ok);
	put(o, "lost", json_count(run->lost), ok);
}

static json_t *json_run(const struct result_run *run, bool *ok)
{
	json_t *o = json_object();

	put_head(o, run, ok);
	put(o, "effective", json_effective(run, ok), ok);
	put_settings(o, run, ok);
	if (run->plan.order.len)
		put(o, "plan", ports_json(run, ok), ok);
	put(o, "measures", json_measures(&run->measures, ok), ok);
	if (run->measures.foretold)
		put(o, "predictions", foretold_json(&run->measures, ok), ok);
	if (run->measures.load_count)
		put(o, "loads", json_named_loads(&run->measures, ok), ok);
	if (run->measures.whose_count)
		put(o, "whose", whose_json(&run->measures, ok), ok);
	if (run->latency)
		put(o, "histograms", json_latency(run->latency, ok), ok);
	put(o, "sockets", json_states(run, ok), ok);
	if (run->end.present)
		put(o, "destinations", destinations_json(run, ok), ok);
	if (run->measures.books[BOOK_OPENED].known)
		put(o, "books", books_json(run, ok), ok);
	put(o, "expect", json_expect(&run->verdict, ok), ok);
	put(o, "causes", json_causes(&run->verdict, ok), ok);
	return o;
}

/* JSON's integers are signed here: a seed above them is written in digits. */
static json_t *json_seed(uint64_t seed)
{
	char digits[UNIT_PRINTED];

	return seed > INT64_MAX ? json_string(unit_count(digits, seed))
				: json_integer((json_int_t)seed);
}

static json_t *json_result(const struct result *r, bool *ok)
{
	json_t *o = json_object(), *runs = json_array();

	put(o, "schema", json_integer(1), ok);
	put(o, "lastport", json_text(r->version), ok);
	put(o, "complete", json_boolean(r->complete), ok);
	put(o, "verdict", json_string(verdict_name(r->word)), ok);
	if (r->error.len) {
		put(o, "error", json_text(r->error), ok);
		put(o, "hint", json_text(r->hint), ok);
	}
	put(o, "argv", json_lines(&r->argv, ok), ok);
	put(o, "seed", json_seed(r->seed), ok);
	if (r->host)
		put(o, "host", json_host(r->host, ok), ok);
	for (size_t i = 0; i < r->run_count; i++)
		append(runs, json_run(&r->runs[i], ok), ok);
	put(o, "runs", runs, ok);
	return o;
}

static int to_out(const char *text, size_t len, void *out)
{
	out_text(out, (struct text){text, len});
	return 0;
}

/* 15 digits: what is read back and written again is the same text. */
bool result_write_json(struct out *out, const struct result *r)
{
	bool ok = true;
	json_t *json = json_result(r, &ok);

	if (ok)
		ok = json_dump_callback(json, to_out, out,
					JSON_INDENT(2) | JSON_ENSURE_ASCII |
						JSON_REAL_PRECISION(15)) == 0;
	json_decref(json);
	out_z(out, "\n");
	return ok;
}
