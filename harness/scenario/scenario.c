#include "scenario/scenario.h"

#include <sha256.h>
#include <string.h>

#include "scenario/expect.h"
#include "scenario/keys.h"
#include "scenario/loads.h"
#include "scenario/names.h"
#include "scenario/rules.h"
#include "scenario/source.h"
#include "scenario/tree.h"

/* From the tree to the cases. A case starts as a copy of the base, and its keys are read over
 * that: so its maps are merged, its lists replace, and what is wrong in the base is said once. */

static const char *const file_only[] = {"version", "name", "cases", NULL}; /* not for a case */

static bool is_one_of(const char *const *words, struct text word)
{
	for (; *words; words++)
		if (text_is(word, *words))
			return true;
	return false;
}

static const struct node *member(const struct node *map, const char *key)
{
	for (const struct node *n = map->first; n; n = n->next)
		if (text_is(n->key, key))
			return n;
	return NULL;
}

/* A map is due; `members` says of what. */
static bool not_map(const struct reading *r, const struct node *n, const char *path,
		    const char *members)
{
	return err_hint(value_refuse(r, path, n), "Write below it, indented: %s.", members);
}

static bool read_member(const struct reading *r, const char *section, const struct node *n,
			struct scenario *s);

bool section_read(const struct reading *r, const struct section *section, const struct node *map,
		  struct scenario *s)
{
	bool ok = true;

	if (map->shape == SHAPE_SCALAR && section->word)
		return key_read(r, key_find(section->path, text_of(section->word)), map, s);
	if (map->shape != SHAPE_MAP)
		return not_map(r, map, section_path(r, section->path),
			       names_list(section->path, r->arena));
	for (const struct node *n = map->first; n; n = n->next)
		ok = read_member(r, section->path, n, s) && ok;
	return ok;
}

/* A key of the section, or a section within it. */
static bool read_member(const struct reading *r, const char *section, const struct node *n,
			struct scenario *s)
{
	const struct key *key = key_find(section, n->key);
	const struct section *inner = key ? NULL : section_find(section, n->key);

	if (key)
		return key_read(r, key, n, s);
	return inner ? section_read(r, inner, n, s) : names_unknown(r, section, n);
}

/* What is read after the others: loads begin as `load` has it, and lines of expect name them. */
static const char *const last_of_all[] = {"loads", "expect", NULL};

static bool read_last(const struct reading *r, const struct node *base, const struct node *map,
		      struct scenario *s)
{
	const struct node *loads = member(map, "loads"), *expect = member(map, "expect");
	struct reading named = *r;
	bool as_base = base && !loads && !member(map, "load");
	bool ok = as_base || loads_read(r, base, loads, s);

	named.loads = &s->loads;
	return (!expect || expect_read(&named, expect, &s->expect)) && ok;
}

static bool refuse_case(const struct reading *r, const struct node *n, const char *what,
			const char *hint)
{
	struct err *err = errs_next(r->errs);

	source_err(err, r->source, n->key_at, what, source_quote(n->key).z);
	return err_hint(err, "%s", hint);
}

static bool read_case(const struct reading *r, const struct node *map,
		      const struct node *base_loads, struct scenario *s)
{
	bool ok = true;

	if (text_is(map->key, "base"))
		return refuse_case(
			r, map, "a case cannot be called %s",
			"That is the case of the keys outside `cases`: choose another name.");
	if (!slug_is(map->key))
		return refuse_case(r, map, "a case cannot be called %s",
				   "Write up to 63 of a-z, 0-9 and -, such as wrong-fix.");
	if (yaml_word_is(map->key))
		return refuse_case(r, map, "a case cannot be called %s",
				   "Other readers of YAML take that for true, false or nothing: "
				   "choose another name.");
	s->case_name = map->key;
	s->case_at = map->key_at;
	if (map->shape != SHAPE_MAP)
		return not_map(r, map, "a case", "title, network, load, expect and others");
	for (const struct node *n = map->first; n; n = n->next) {
		if (is_one_of(file_only, n->key))
			ok = refuse_case(r, n, "a case has no %s of its own",
					 "It belongs at the top of the file: leave it out here.");
		else if (!is_one_of(last_of_all, n->key))
			ok = read_member(r, "", n, s) && ok;
	}
	return read_last(r, base_loads, map, s) && ok;
}

static bool read_cases(const struct reading *r, const struct node *root, struct scenario_file *out,
		       bool base_ok)
{
	const struct node *cases = member(root, "cases"), *loads = member(root, "loads");
	const struct scenario *base = &out->cases[0];

	if (cases->shape != SHAPE_MAP)
		return not_map(r, cases, "cases", "names, and below each what differs");
	if (cases->count >= SCENARIO_CASES_MOST) {
		struct err *err = errs_next(r->errs);

		source_err(err, r->source, cases->at, "there are %zu cases", cases->count);
		return err_hint(err, "A file has at most %d, and the base.",
				SCENARIO_CASES_MOST - 1);
	}
	for (const struct node *n = cases->first; n; n = n->next) {
		struct scenario *s = &out->cases[out->count++];

		*s = *base;
		if (read_case(r, n, loads, s) && base_ok)
			rules_check(r, s, base);
	}
	return true;
}

/* Of another version nothing can be said: so its error stands alone. */
static bool is_ours(const struct reading *r, const struct node *root)
{
	const struct node *version = member(root, "version");
	const struct key *key = key_find("", TEXT("version"));
	uint64_t number;

	if (!version || (version->shape == SHAPE_SCALAR && text_is(version->text, "1")))
		return true;
	return key->kind->read(r, key, version, &number);
}

static bool has_head(const struct reading *r, const struct node *root)
{
	static const char *const needed[][2] = {
		{"version", "Begin the file with version: 1."},
		{"name", "Add a name, such as name: connection-per-request."},
	};
	bool ok = true;

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		struct err *err;

		if (member(root, needed[i][0]))
			continue;
		err = errs_next(r->errs);
		source_err(err, r->source, root->at, "%s is missing", needed[i][0]);
		ok = err_hint(err, "%s", needed[i][1]);
	}
	return ok;
}

static bool read_base(const struct reading *r, const struct node *root, struct scenario *s)
{
	bool ok = has_head(r, root);

	for (const struct node *n = root->first; n; n = n->next)
		if (!text_is(n->key, "cases") && !is_one_of(last_of_all, n->key))
			ok = read_member(r, "", n, s) && ok;
	ok = read_last(r, NULL, root, s) && ok;
	if (ok)
		rules_check(r, s, NULL);
	return ok;
}

/* Where it was written that the load goes on after a failure; line 0: it does not. */
static struct mark goes_on_at(const struct load *l)
{
	if (l->on_failure.then == ON_FAILURE_CONTINUE)
		return l->on_failure.at.then;
	return l->on_failure.retry > 0 ? l->on_failure.at.retry : (struct mark){0};
}

/* Who says that a load goes on, or for how long after exhaustion, has said what exhaustion is to
 * do. */
static void imply_stop(struct scenario *s)
{
	if (s->stop.at.when.line || s->stop.after > 0)
		return;
	for (size_t i = 0; i < scenario_loads(s) && !s->stop.at.when.line; i++)
		s->stop.at.when = goes_on_at(scenario_load(s, i));
	if (s->stop.at.when.line)
		s->stop.when = WHEN_NEVER;
}

static void read_root(const struct reading *r, const struct node *root, struct scenario_file *out)
{
	const struct node *cases = root->shape == SHAPE_MAP ? member(root, "cases") : NULL;
	size_t room = cases && cases->count < SCENARIO_CASES_MOST ? cases->count + 1 : 1;
	bool ok;

	if (root->shape != SHAPE_MAP) {
		err_hint(value_refuse(r, "a scenario", root), "Begin the file with version: 1.");
		return;
	}
	if (!is_ours(r, root))
		return;
	ok = names_twice(r, root, *r->arena);
	out->cases = ARENA_ARRAY(r->arena, struct scenario, room);
	out->count = 1;
	out->cases[0] = (struct scenario){
		.file = out->file, .source = out->source, .case_name = TEXT("base")};
	keys_default(&out->cases[0], r->arena);
	ok = read_base(r, root, &out->cases[0]) && ok;
	if (cases)
		read_cases(r, root, out, ok);
	for (size_t i = 0; i < out->count; i++)
		imply_stop(&out->cases[i]);
}

/* In the order of the file: cases, rules and missing keys are looked for after the rest. */
static void sort(struct err *list, unsigned count)
{
	for (unsigned i = 1; i < count; i++) {
		struct err err = list[i];
		unsigned to = i;

		while (to > 0 && (list[to - 1].at.line > err.at.line ||
				  (list[to - 1].at.line == err.at.line &&
				   list[to - 1].at.col > err.at.col))) {
			list[to] = list[to - 1];
			to--;
		}
		list[to] = err;
	}
}

static bool is_text(const char *file, struct text src, struct err *err)
{
	if (src.len <= SCENARIO_SIZE_MOST)
		return source_check(file, src, err);
	err_set(err, ERR_SCENARIO, "%s is longer than 1 MiB", file);
	return err_hint(err, "A scenario is a page or two: is this the right file?");
}

/* Syntax: a tree; or NULL, and an err. */
static const struct node *read_tree(const char *file, struct text src, struct arena *a,
				    struct errs *errs)
{
	struct err err = {0};
	struct node *tree = NULL;

	if (!is_text(file, src, &err)) {
		errs_add(errs, &err);
		return NULL;
	}
	if (!tree_read(&tree, file, src, a, errs))
		return NULL;
	if (!tree) {
		source_err(&err, src, (struct mark){file, 1, 1}, "the file is empty");
		err_hint(&err, "Begin it with version: 1.");
		errs_add(errs, &err);
	}
	return tree;
}

bool scenario_read(struct scenario_file *out, const char *file, struct text src, struct arena *a,
		   struct errs *errs)
{
	static const struct text byte_order_mark = TEXT("\xef\xbb\xbf");
	struct text text =
		text_skip(src, text_starts(src, byte_order_mark) ? byte_order_mark.len : 0);
	struct reading r = {.source = text, .arena = a, .errs = errs};
	unsigned before = errs->count, more = errs->more;
	const struct node *root;

	*out = (struct scenario_file){.file = file, .source = text};
	SHA256Data((const uint8_t *)(src.len ? src.s : ""), src.len, out->sha256);
	root = read_tree(file, text, a, errs);
	if (!root)
		return false;
	read_root(&r, root, out);
	sort(errs->list + before, errs->count - before);
	return errs->count == before && errs->more == more;
}

enum family load_family(const struct scenario *s, const struct load *l)
{
	static const enum family families[] = {
		[LOAD_FAMILY_IPV4] = FAMILY_IPV4,
		[LOAD_FAMILY_IPV6] = FAMILY_IPV6,
		[LOAD_FAMILY_MAPPED] = FAMILY_MAPPED,
	};

	return l->family == LOAD_FAMILY_NETWORK ? s->network.family : families[l->family];
}

size_t scenario_loads(const struct scenario *s)
{
	return s->loads.count ? s->loads.count : 1;
}

const struct load *scenario_load(const struct scenario *s, size_t i)
{
	return s->loads.count ? &s->loads.list[i].load : &s->load;
}

struct text scenario_load_name(const struct scenario *s, size_t i)
{
	return s->loads.count ? s->loads.list[i].name : (struct text){0};
}
