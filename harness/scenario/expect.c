#include "scenario/expect.h"

#include <string.h>

#include "base/unit.h"
#include "base/utf8.h"
#include "scenario/loads.h"
#include "scenario/source.h"

/* A line under way: where its text stands, and what is left of it. */
struct line {
	const struct reading *r;
	const struct node *node;
	struct text rest;
};

static const char form[] =
	"Write MEASURE OP VALUE, such as connects.failed == 0 or ports.fill.max < 80%.";

/* Longest first: "<=" is not "<". */
static const struct {
	const char *word;
	enum compare compare;
} operators[] = {
	{"==", COMPARE_EQ}, {"!=", COMPARE_NE}, {"<=", COMPARE_LE},  {">=", COMPARE_GE},
	{"<", COMPARE_LT},  {">", COMPARE_GT},	{"in ", COMPARE_IN},
};

static const char *const forms[] = {
	[KIND_COUNT] = "Write a whole number such as 32 or 10k.",
	[KIND_SHARE] = "Write a share such as 80% or 0.8.",
	[KIND_TIME] = "Write a time such as 250ms or 2s.",
	[KIND_RATE] = "Write a rate such as 200/s or 30k/min.",
	[KIND_RATIO] = "Write how many times, such as 10 or 1.5.",
	[KIND_FLAG] = "Write == true or == false.",
};

/* The place of a word of the line; its beginning, where quotes or several lines keep the
 * columns from adding up. */
static struct mark place(const struct line *l, struct text word)
{
	struct mark at = l->node->at;
	size_t len;

	if (!l->node->bare)
		return at;
	for (struct text t = l->node->text; t.len && t.s < word.s; t = text_skip(t, len)) {
		utf8_first(t, &len);
		at.col++;
	}
	return at;
}

static struct text skip_blanks(struct text t)
{
	while (t.len && t.s[0] == ' ')
		t = text_skip(t, 1);
	return t;
}

static const char *load_list(const struct reading *r)
{
	const char *list = "";

	for (size_t i = 0; i < r->loads->count; i++)
		list = text_format(r->arena, "%s%s" TEXT_FMT, list, i ? ", " : "",
				   TEXT_ARG(r->loads->list[i].name))
			       .s;
	return list;
}

/* "victim/" before a measure. */
static bool read_load(struct line *l, unsigned *load)
{
	struct text rest = l->rest, name;
	struct err *err;

	*load = 0;
	name.s = rest.s;
	name.len = text_span(rest,
			     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");
	if (name.len == rest.len || rest.s[name.len] != '/')
		return true;
	l->rest = text_skip(rest, name.len + 1);
	*load = load_find(l->r->loads, name);
	if (*load)
		return true;
	err = errs_next(l->r->errs);
	source_err(err, l->r->source, place(l, name), "there is no load %s", source_quote(name).z);
	if (l->r->loads->count == 0)
		return err_hint(err, "This scenario has no loads: leave it out.");
	return err_hint(err, "The loads are %s.", load_list(l->r));
}

static bool refuse_whole(const struct line *l, struct text word)
{
	struct err *err = errs_next(l->r->errs);

	source_err(err, l->r->source, place(l, word), "%s is not told of one load",
		   source_quote(word).z);
	return err_hint(err, "It is of the whole run: write it without the load's name.");
}

static bool read_measure(struct line *l, struct expectation *e)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._";
	struct text word, near;
	struct err *err;
	unsigned load;

	if (!read_load(l, &load))
		return false;
	word = (struct text){l->rest.s, text_span(l->rest, letters)};
	l->rest = skip_blanks(text_skip(l->rest, word.len));
	if (word.len && measure_find(word, &e->what)) {
		e->what.load = load;
		return load == 0 || measure_is_of_load(e->what.measure) || refuse_whole(l, word);
	}
	err = errs_next(l->r->errs);
	if (!word.len) {
		source_err(err, l->r->source, place(l, word),
			   "a line of expect begins with a measure");
		return err_hint(err, "%s", form);
	}
	source_err(err, l->r->source, place(l, word), "there is no measure %s",
		   source_quote(word).z);
	if (!err) /* the list is full: no need to look for what was meant */
		return false;
	near = measure_near(word, l->r->arena);
	if (near.len)
		return err_hint(err, "Did you mean " TEXT_FMT "?", TEXT_ARG(near));
	if (text_starts(word, TEXT("errors.")))
		return err_hint(
			err,
			"Write errors.STAGE.ERRNO, such as errors.connect.EADDRNOTAVAIL; `lastport "
			"help measures` lists the stages.");
	return err_hint(err, "`lastport help measures` lists them.");
}

static bool read_operator(struct line *l, struct expectation *e)
{
	struct err *err;

	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		struct text word = text_of(operators[i].word);

		if (text_starts(l->rest, word)) {
			e->compare = operators[i].compare;
			l->rest = skip_blanks(text_skip(l->rest, word.len));
			return true;
		}
	}
	err = errs_next(l->r->errs);
	source_err(err, l->r->source, place(l, l->rest), "a comparison is expected here");
	return err_hint(err, "Write one of == != < <= > >=, or: in A..B.");
}

static bool value_of(struct text t, enum measure_kind kind, double *out)
{
	uint64_t n;
	int64_t ns;
	double share;

	switch (kind) {
	case KIND_COUNT:
		if (!unit_read_count(t, &n))
			return false;
		*out = (double)n;
		return true;
	case KIND_TIME:
		if (!unit_read_time(t, &ns))
			return false;
		*out = (double)ns;
		return true;
	case KIND_SHARE:
		if (!unit_read_share(t, &share) || share > 1) /* "50" is no share: 50 % is meant */
			return false;
		*out = share;
		return true;
	case KIND_RATIO:
		return unit_read_share(t, out);
	case KIND_RATE:
		return unit_read_rate(t, out);
	case KIND_FLAG:
		*out = text_is(t, "true");
		return *out != 0 || text_is(t, "false");
	}
	return false;
}

/* "32", or "30..34" behind `in`. */
static bool values_of(struct text t, enum measure_kind kind, struct expectation *e)
{
	struct text low = {t.s, 0};

	if (e->compare != COMPARE_IN) {
		bool ok = value_of(t, kind, &e->low);

		e->high = e->low;
		return ok && (kind != KIND_FLAG || e->compare <= COMPARE_NE);
	}
	while (low.len < t.len && !text_starts(text_skip(t, low.len), TEXT("..")))
		low.len++;
	return kind != KIND_FLAG && value_of(text_trim(low), kind, &e->low) &&
	       value_of(text_trim(text_skip(t, low.len + 2)), kind, &e->high) && e->low <= e->high;
}

static bool read_values(struct line *l, struct expectation *e)
{
	const struct measure_info *info = &measure_infos[e->what.measure];
	struct err *err;

	if (values_of(l->rest, info->kind, e))
		return true;
	err = errs_next(l->r->errs);
	if (l->rest.len)
		source_err(err, l->r->source, place(l, l->rest), "%s cannot be compared with %s",
			   info->name, source_quote(l->rest).z);
	else
		source_err(err, l->r->source, place(l, l->rest), "%s is compared with nothing",
			   info->name);
	if (e->compare == COMPARE_IN)
		return err_hint(err, "Write a range, the lower end first, such as in 30..34.");
	return err_hint(err, "%s", forms[info->kind]);
}

static bool read_expr(const struct reading *r, const struct node *n, struct expectation *e)
{
	struct line l = {r, n, skip_blanks(n->text)};

	if (n->shape != SHAPE_SCALAR || !line_is(n->text))
		return err_hint(value_refuse(r, "a line of expect", n), "%s", form);
	e->text = text_trim(n->text);
	e->at = n->at;
	l.rest.len = (size_t)(e->text.s + e->text.len - l.rest.s);
	return read_measure(&l, e) && read_operator(&l, e) && read_values(&l, e);
}

static bool read_abort(const struct reading *r, const struct node *n, struct expectation *e)
{
	e->abort = text_is(n->text, "true");
	if (n->shape == SHAPE_SCALAR && (e->abort || text_is(n->text, "false")))
		return true;
	return err_hint(value_refuse(r, "abort", n), "Write true or false.");
}

static bool read_after(const struct reading *r, const struct node *n, struct expectation *e)
{
	if (n->shape == SHAPE_SCALAR && unit_read_time(n->text, &e->after_ns))
		return true;
	return err_hint(value_refuse(r, "after", n), "%s", forms[KIND_TIME]);
}

static const struct {
	const char *name;
	bool (*read)(const struct reading *r, const struct node *n, struct expectation *e);
} members[] = {{"expr", read_expr}, {"abort", read_abort}, {"after", read_after}};

static bool read_member(const struct reading *r, const struct node *n, struct expectation *e)
{
	struct err *err;

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (text_is(n->key, members[i].name))
			return members[i].read(r, n, e);
	err = errs_next(r->errs);
	source_err(err, r->source, n->key_at, "there is no key %s in a line of expect",
		   source_quote(n->key).z);
	return err_hint(err, "Its keys are expr, abort and after.");
}

static bool refuse_long(const struct reading *r, struct mark at, const char *what, const char *hint)
{
	struct err *err = errs_next(r->errs);

	source_err(err, r->source, at, "%s", what);
	return err_hint(err, "%s", hint);
}

/* {expr: …, abort: true, after: 5s} */
static bool read_long(const struct reading *r, const struct node *map, struct expectation *e)
{
	bool ok = true;
	const struct node *after = NULL;

	for (const struct node *n = map->first; n; n = n->next) {
		ok = read_member(r, n, e) && ok;
		if (text_is(n->key, "after"))
			after = n;
	}
	if (!ok)
		return false;
	if (!e->text.s)
		return refuse_long(r, map->at, "this line of expect has no expr",
				   "Write {expr: connects.failed == 0, abort: true}.");
	if (e->abort && !measure_infos[e->what.measure].live)
		return refuse_long(r, e->at, "abort cannot watch what is known only afterwards",
				   "While a load runs, most of connects.*, errors.*, exhausted and "
				   "leaked are known.");
	if (after && !e->abort)
		return refuse_long(r, after->key_at, "after means nothing without abort: true",
				   "Add abort: true, or leave it out.");
	return true;
}

bool expect_read(const struct reading *r, const struct node *list, struct expectation_list *out)
{
	struct expectation_list read = {ARENA_ARRAY(r->arena, struct expectation, list->count), 0};
	bool ok = true;

	if (list->shape != SHAPE_LIST)
		return err_hint(value_refuse(r, "expect", list),
				"Write a list, such as [connects.failed == 0].");
	for (const struct node *n = list->first; n; n = n->next) {
		struct expectation *e = &read.list[read.count++];

		ok = (n->shape == SHAPE_MAP ? read_long(r, n, e) : read_expr(r, n, e)) && ok;
	}
	if (ok)
		*out = read;
	return ok;
}

void expect_write(struct out *out, const struct expectation *e)
{
	char z[UNIT_PRINTED];

	if (!e->abort) {
		quote_write(out, e->text);
		return;
	}
	out_z(out, "{expr: ");
	quote_write(out, e->text);
	out_fmt(out, ", abort: true, after: %s}", unit_time(z, e->after_ns));
}

bool expectation_holds(const struct expectation *e, double observed)
{
	switch (e->compare) {
	case COMPARE_EQ:
		return observed == e->low;
	case COMPARE_NE:
		return observed != e->low;
	case COMPARE_LT:
		return observed < e->low;
	case COMPARE_LE:
		return observed <= e->low;
	case COMPARE_GT:
		return observed > e->low;
	case COMPARE_GE:
		return observed >= e->low;
	case COMPARE_IN:
		return observed >= e->low && observed <= e->high;
	}
	return false;
}
