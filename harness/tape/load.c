#include "tape/tape.h"

#include <jansson.h>
#include <string.h>

#include "tape/usage.h"

/* The shortest lines that are records: a tape is sized by the text it comes from, whatever the
 * text is. */
static const size_t event_least =
	sizeof("{\"run\":0,\"t_ns\":0,\"event\":\"failed\",\"value\":0}") - 1;
static const size_t sample_least =
	sizeof("{\"run\":0,\"t_ns\":0,\"attempted\":0,\"opened\":0,\"failed\":0,\"open\":0}") - 1;
static const size_t usage_least =
	sizeof("{\"from\":\"::\",\"protocol\":\"tcp\",\"usable\":0,\"lower\":0,\"states\":{}}") - 1;

struct lines {
	const char *file;
	struct text rest;
	unsigned number; /* of the line that was taken last, from 1 */
	bool torn;	 /* it has no end */
};

static bool next_line(struct lines *l, struct text *line)
{
	if (l->rest.len == 0)
		return false;
	l->torn = !text_cut(&l->rest, '\n', line);
	if (l->torn)
		l->rest = (struct text){0};
	l->number++;
	return true;
}

static bool refuse(const struct lines *l, struct text line, const json_error_t *e, struct err *err)
{
	struct mark at = {l->file, l->number,
			  e->line == 1 && e->column > 0 ? (unsigned)e->column : 1};

	err_set(err, ERR_SCENARIO, "this line is no record: %s", e->text);
	return err_at(err, at, line);
}

static bool wrong(json_error_t *e, const char *what)
{
	*e = (json_error_t){.line = 0};
	strncpy(e->text, what, sizeof(e->text) - 1);
	return false;
}

static bool read_u64(json_t *from, const char *key, uint64_t *out, json_error_t *e)
{
	json_t *n = json_object_get(from, key);

	if (!json_is_integer(n) || json_integer_value(n) < 0) {
		*e = (json_error_t){.line = 0};
		snprintf(e->text, sizeof(e->text), "%s must be a whole number", key);
		return false;
	}
	*out = (uint64_t)json_integer_value(n);
	return true;
}

static struct text json_text(const json_t *string)
{
	return (struct text){json_string_value(string), json_string_length(string)};
}

/* errno is written by name; one that has no name, by number. */
static int read_errno(const json_t *word)
{
	json_int_t n = json_integer_value(word);

	if (json_is_string(word))
		return errno_find(json_text(word));
	return n > 0 && n < ERRNOS ? (int)n : 0;
}

static bool read_failure(json_t *line, struct event *out, json_error_t *e)
{
	json_t *stage = json_object_get(line, "stage");
	int found = stage_find(json_text(stage));

	if (!stage && !json_object_get(line, "errno"))
		return true;
	out->error = read_errno(json_object_get(line, "errno"));
	if (found < 0 || out->error == 0)
		return wrong(e, "stage and errno must be a stage and an errno name");
	out->stage = (enum stage)found;
	return true;
}

static bool read_event(json_t *line, unsigned *run, struct event *out, json_error_t *e)
{
	json_int_t at, value, dest = NOWHERE;
	uint64_t index;
	const char *name;
	int kind;

	*out = (struct event){.dest = NOWHERE};
	if (!read_u64(line, "run", &index, e) ||
	    json_unpack_ex(line, e, 0, "{s:I, s:s, s:I, s?I}", "t_ns", &at, "event", &name, "value",
			   &value, "dest", &dest) < 0)
		return false;
	kind = event_find(text_of(name));
	if (kind < 0)
		return wrong(e, "there is no event of this name");
	if (dest < 0 || dest > NOWHERE || index > UINT32_MAX)
		return wrong(e, "run or dest is out of bounds");
	*run = (unsigned)index;
	out->t_ns = at;
	out->value = value;
	out->dest = (uint32_t)dest;
	out->kind = (enum event_kind)kind;
	return read_failure(line, out, e);
}

static bool read_u32(json_t *from, const char *key, uint32_t *out, json_error_t *e)
{
	uint64_t n;

	if (!read_u64(from, key, &n, e))
		return false;
	*out = (uint32_t)n;
	return n <= UINT32_MAX || wrong(e, "a count is out of bounds");
}

static bool read_states(json_t *states, uint64_t out[STATES], json_error_t *e)
{
	const char *name;
	json_t *n;

	if (!json_is_object(states))
		return wrong(e, "states must be an object");
	json_object_foreach(states, name, n)
	{
		int state = state_find(text_of(name));

		if (state == 0)
			return wrong(e, "there is no state of this name");
		if (!read_u64(states, name, &out[state], e))
			return false;
	}
	return true;
}

/* Absent where there is none, and in what older versions wrote. */
static bool read_datagrams(json_t *from, struct datagrams *out, json_error_t *e)
{
	json_t *d = json_object_get(from, "datagrams");

	return !d || (read_states(json_object_get(d, "states"), out->states, e) &&
		      read_u64(d, "used_max", &out->used_max, e) &&
		      read_u64(d, "others_max", &out->others_max, e));
}

static bool read_usage(json_t *from, struct usage *out, json_error_t *e)
{
	const char *what = usage_of_json(from, out);
	uint64_t next, all;

	if (what)
		return wrong(e, what);
	if (!json_object_get(from, "next_free_ns"))
		return true;
	if (!read_u64(from, "next_free_ns", &next, e) || !read_u64(from, "all_free_ns", &all, e))
		return false;
	out->next_free_ns = (int64_t)next;
	out->all_free_ns = (int64_t)all;
	return true;
}

/* Absent in what older versions wrote. */
static bool read_usages(json_t *from, struct sample *out, struct usage *usages, json_error_t *e)
{
	json_t *list = json_object_get(from, "destinations"), *more = json_object_get(from, "more"),
	       *taken = json_object_get(from, "taken");

	if (json_array_size(list) > USAGES_MOST)
		return wrong(e, "there are more destinations than a line has");
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!read_usage(json_array_get(list, i), &usages[out->usage_count++], e))
			return false;
	return (!more || (read_u32(more, "destinations", &out->more_count, e) &&
			  read_u64(more, "used", &out->more_used, e))) &&
	       (!taken || (read_u32(taken, "reserved", &out->reserved, e) &&
			   read_u32(taken, "listening", &out->listening, e) &&
			   read_u32(taken, "bound", &out->bound, e)));
}

static bool read_sockets(json_t *from, struct sample *out, struct usage *usages, json_error_t *e)
{
	json_t *states;
	int torn, at_rest, from_proc = 0;

	if (json_unpack_ex(from, e, 0, "{s:o, s:b, s:b, s?b}", "states", &states, "torn", &torn,
			   "at_rest", &at_rest, "from_proc", &from_proc) < 0)
		return false;
	out->from_proc = from_proc;
	out->torn = torn;
	out->at_rest = at_rest;
	out->parts |= SAMPLE_SOCKETS;
	if (json_object_get(from, "overshadowed") &&
	    !read_u64(from, "overshadowed", &out->overshadowed, e))
		return false;
	return read_states(states, out->states, e) &&
	       read_u64(from, "used_max", &out->used_max, e) &&
	       read_u64(from, "dump_ns", &out->dump_ns, e) &&
	       read_datagrams(from, &out->datagrams, e) && read_usages(from, out, usages, e);
}

static bool read_totals(json_t *from, struct sample *out, json_error_t *e)
{
	out->parts |= SAMPLE_TOTALS;
	return read_u64(from, "inuse", &out->inuse, e) && read_u64(from, "tw", &out->tw, e);
}

static bool read_gateway(json_t *from, struct sample *out, json_error_t *e)
{
	struct tracked *t = &out->gateway;

	out->parts |= SAMPLE_GATEWAY;
	return read_u64(from, "entries", &t->entries, e) &&
	       read_u64(from, "insert_failed", &t->insert_failed, e) &&
	       read_u64(from, "drop", &t->drop, e) &&
	       read_u64(from, "early_drop", &t->early_drop, e) &&
	       (!json_object_get(from, "unmapped") || read_u64(from, "unmapped", &t->unmapped, e));
}

static bool read_sample(json_t *line, unsigned *run, struct sample *out, struct usage *usages,
			json_error_t *e)
{
	json_t *totals = json_object_get(line, "totals"),
	       *sockets = json_object_get(line, "sockets"),
	       *gateway = json_object_get(line, "gateway");
	json_int_t at;
	uint64_t index;
	int edge = 0;

	*out = (struct sample){0};
	if (!read_u64(line, "run", &index, e) ||
	    json_unpack_ex(line, e, 0, "{s:I, s?b}", "t_ns", &at, "edge", &edge) < 0 ||
	    !read_u64(line, "attempted", &out->attempted, e) ||
	    !read_u64(line, "opened", &out->opened, e) ||
	    !read_u64(line, "failed", &out->failed, e) || !read_u64(line, "open", &out->open, e))
		return false;
	if (index > UINT32_MAX)
		return wrong(e, "run is out of bounds");
	*run = (unsigned)index;
	out->t_ns = at;
	out->edge = edge;
	return (!totals || read_totals(totals, out, e)) &&
	       (!sockets || read_sockets(sockets, out, usages, e)) &&
	       (!gateway || read_gateway(gateway, out, e));
}

/* Every line that lastport wrote begins with its run: another's need not be taken apart. */
static bool is_of_another(struct text line, unsigned run)
{
	struct text rest = text_skip(line, strlen("{\"run\":"));
	size_t digits = 0;
	uint64_t of = 0;

	while (digits < rest.len && digits < 9 && rest.s[digits] >= '0' && rest.s[digits] <= '9')
		of = of * 10 + (uint64_t)(rest.s[digits++] - '0');
	return text_starts(line, TEXT("{\"run\":")) && digits > 0 && rest.len > digits &&
	       rest.s[digits] == ',' && rest.s[rest.len - 1] == '}' && of != run;
}

static bool load_events(struct tape *out, struct lines *l, unsigned run, struct err *err)
{
	struct text text;

	while (next_line(l, &text)) {
		json_error_t e;
		json_t *line;
		struct event event;
		unsigned of;
		bool ok;

		if (is_of_another(text, run))
			continue;
		line = json_loadb(text.s, text.len, JSON_REJECT_DUPLICATES, &e);
		ok = line && read_event(line, &of, &event, &e);
		json_decref(line);
		if (ok && of == run)
			tape_event(out, event);
		else if (!ok && !l->torn)
			return refuse(l, text, &e, err);
	}
	return true;
}

static bool load_samples(struct tape *out, struct lines *l, unsigned run, struct err *err)
{
	struct text text;

	while (next_line(l, &text)) {
		json_error_t e;
		json_t *line;
		struct usage usages[USAGES_MOST];
		struct sample sample;
		unsigned of;
		bool ok;

		if (is_of_another(text, run))
			continue;
		line = json_loadb(text.s, text.len, JSON_REJECT_DUPLICATES, &e);
		ok = line && read_sample(line, &of, &sample, usages, &e);
		json_decref(line);
		if (ok && of == run) {
			tape_dump(out, sample, usages);
			if (sample.open > out->open_peak)
				out->open_peak = sample.open;
		} else if (!ok && !l->torn)
			return refuse(l, text, &e, err);
	}
	return true;
}

/* What the driver noted on its tape, as far as its events tell. */
static void follow(struct tape *t, const struct event *e)
{
	switch (e->kind) {
	case EVENT_REFUSED: /* noted only where it was for want of a port */
		t->exhausted = true;
		if (t->refused_at_ns < 0) {
			t->refused_at_ns = e->t_ns;
			t->opened_before = e->value > 0 ? (uint64_t)e->value : 0;
		}
		break;
	case EVENT_RECOVERED:
		if (t->recovered_ns < 0 && t->refused_at_ns >= 0 && e->t_ns >= t->refused_at_ns)
			t->recovered_ns = e->t_ns - t->refused_at_ns;
		break;
	case EVENT_ABORTED:
		t->aborted = e->value >= 0 && e->value <= INT32_MAX ? (int)e->value : 0;
		break;
	case EVENT_INTERRUPTED:
		t->interrupted = e->value > 0 && e->value <= INT32_MAX ? (int)e->value : 1;
		break;
	case EVENT_CUT_SHORT:
		t->cut_short = true;
		break;
	case EVENT_LOAD_END:
		t->end_ns = e->t_ns;
		t->complete = !t->interrupted && !t->cut_short;
		break;
	default:
		break;
	}
}

bool tape_load(struct tape *out, struct text samples, struct text events, unsigned run,
	       struct arena *a, struct err *err)
{
	struct lines sample_lines = {.file = "samples.jsonl", .rest = samples};
	struct lines event_lines = {.file = "events.jsonl", .rest = events};

	if (!tape_open(out, events.len / event_least + 1, samples.len / sample_least + 1, 0, a,
		       err) ||
	    !tape_open_usages(out, samples.len / usage_least + 1, a, err) ||
	    !load_samples(out, &sample_lines, run, err) ||
	    !load_events(out, &event_lines, run, err))
		return false;
	for (size_t i = 0; i < out->event_count; i++)
		follow(out, &out->events[i]);
	if (out->interrupted || out->cut_short || out->aborted >= 0)
		out->complete = false;
	return true;
}
