#include "report/load.h"

#include <errno.h>
#include <stdlib.h>

static bool load_errno(const struct node *n, int *out)
{
	struct text word = {json_string_value(n->json), json_string_length(n->json)};
	json_int_t number = json_integer_value(n->json);

	if (json_is_string(n->json) && text_is(word, "ok")) {
		*out = 0;
		return true;
	}
	*out = json_is_string(n->json) ? errno_find(word) : number < ERRNOS ? (int)number : 0;
	return *out > 0 || node_refuse(n, "ok, or the name of an errno value");
}

static bool load_word(const struct node *n, char out[HOST_WORD])
{
	struct text word;
	struct out to = out_memory(out, HOST_WORD - 1);

	if (!node_text(n, &word))
		return false;
	out_text(&to, word);
	return true;
}

/* A fact that is not there was not known to whoever wrote the file. */
static bool load_fact(const struct node *n, const struct fact *f, void *at)
{
	uint64_t count;

	switch (f->kind) {
	case FACT_COUNT:
	case FACT_SIZE:
		*(int64_t *)at = -1;
		if (!n->json)
			return true;
		if (!node_count_if(n, INT64_MAX, &count))
			return false;
		*(int64_t *)at = (int64_t)count;
		return true;
	case FACT_ERRNO:
		*(int *)at = ENODATA;
		return !n->json || load_errno(n, at);
	case FACT_WORD:
		return !n->json || load_word(n, at);
	case FACT_RANGE:
		return !n->json || node_range(n, at);
	}
	return true;
}

static bool load_host(const struct node *up, const struct host **out)
{
	struct node n = node_member(up, "host");
	struct host *host;

	if (!n.json)
		return true;
	if (!node_object(&n))
		return false;
	*out = host = ARENA_NEW(up->of->a, struct host);
	for (size_t i = 0; i < host_facts_count; i++) {
		struct node fact = node_member(&n, host_facts[i].name);

		if (!load_fact(&fact, &host_facts[i], (char *)host + host_facts[i].offset))
			return false;
	}
	return true;
}

/* A seed too large for JSON's signed integers is a text of digits. */
static bool load_seed(const struct node *up, uint64_t *out)
{
	struct node n = node_member(up, "seed");
	struct text digits;
	char *end;

	if (!json_is_string(n.json))
		return node_count_if(&n, INT64_MAX, out);
	if (!node_text(&n, &digits))
		return false;
	errno = 0;
	*out = strtoull(digits.s, &end, 10);
	return (errno == 0 && end == digits.s + digits.len && *out > INT64_MAX) ||
	       node_refuse(&n, "a number");
}

bool load_verdict(const struct node *up, enum verdict_word *out)
{
	struct node n = node_member(up, "verdict");
	struct text word;
	int found;

	if (!node_text(&n, &word))
		return false;
	found = verdict_find(word);
	if (found < 0)
		return node_refuse(&n, "pass, fail, skip, error or incomplete");
	*out = (enum verdict_word)found;
	return true;
}

static bool load_runs(const struct node *up, struct result *out)
{
	struct node all = node_member(up, "runs");
	size_t count;

	if (!node_array(&all, &count))
		return false;
	out->runs = ARENA_ARRAY(up->of->a, struct result_run, count);
	for (; out->run_count < count; out->run_count++) {
		struct node n = node_element(&all, out->run_count);

		if (!load_run(&n, &out->runs[out->run_count]))
			return false;
	}
	return true;
}

static bool load_document(const struct node *n, struct result *out)
{
	struct node schema = node_member(n, "schema");
	struct node error = node_member(n, "error"), hint = node_member(n, "hint");
	uint64_t version = 0;

	if (!node_object(n) || !node_count_if(&schema, INT64_MAX, &version))
		return false;
	if (version != 1)
		return node_refuse(&schema, "1: this lastport reads no other");
	return member_text(n, "lastport", &out->version) &&
	       member_flag(n, "complete", &out->complete) && load_verdict(n, &out->word) &&
	       node_text_if(&error, &out->error) && node_text_if(&hint, &out->hint) &&
	       member_lines(n, "argv", &out->argv) && load_seed(n, &out->seed) &&
	       load_host(n, &out->host) && load_runs(n, out);
}

/* jansson takes 100 bytes and more for each value of a few: how many there are is told before
 * it begins. */
static bool is_bounded(struct text src)
{
	size_t values = 0;

	for (size_t i = 0; i < src.len; i++)
		values += src.s[i] == ',' || src.s[i] == '[' || src.s[i] == '{';
	return src.len <= RESULT_SIZE_MOST && values <= RESULT_VALUES_MOST;
}

static bool refuse(const struct document *of, struct mark at, const char *what)
{
	err_set(of->err, ERR_SCENARIO, "%s", what);
	return err_at(of->err, at, scenario_line(of->source, at.line));
}

static bool refuse_json(const struct document *of, const json_error_t *e)
{
	struct mark at = {of->file, 1, 1};

	if (e->line > 0)
		at.line = (unsigned)e->line;
	if (e->column > 0)
		at.col = (unsigned)e->column;
	return refuse(of, at, text_format(of->a, "this is no JSON: %s", e->text).s);
}

bool result_load(struct result *out, const char *file, struct text src, struct arena *a,
		 struct err *err)
{
	struct document of = {.file = file, .source = src, .a = a, .err = err};
	struct node root = {.of = &of};
	json_error_t e;
	bool ok;

	*out = (struct result){0};
	if (!is_bounded(src))
		return refuse(&of, (struct mark){file, 1, 1}, "this is too large for a result");
	root.json = json_loadb(src.len ? src.s : "", src.len,
			       JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &e);
	if (!root.json)
		return refuse_json(&of, &e);
	ok = load_document(&root, out);
	json_decref(root.json);
	return ok;
}
