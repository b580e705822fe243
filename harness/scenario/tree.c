#include "scenario/tree.h"

#include <assert.h>
#include <string.h>
#include <yaml.h>

#include "base/utf8.h"
#include "scenario/scenario.h"
#include "scenario/source.h"

/* A list or map that is open, and where its next member goes. */
struct level {
	struct node *open;
	struct node **next;
	struct text key; /* of a map: read, and still without a value */
	struct mark key_at;
	bool keyed;
};

/* What is being read: the way from the root down to where it has come. */
struct climb {
	const char *file;
	struct text source;
	struct arena *arena;
	struct errs *errs;
	struct node *root;
	struct level levels[TREE_DEPTH_MOST];
	size_t depth, nodes;
	unsigned documents;
	unsigned left_out; /* values that are still to be passed over, */
	size_t left_depth; /* and how deep in one of them */
};

enum place {
	AT_PROBLEM, /* where libyaml noticed */
	AT_CONTEXT, /* where the thing began */
	AT_ABOVE,   /* the same, and the row is meant only if that is on a line before */
};

struct advice {
	const char *problem; /* the words of libyaml 0.2.5 */
	const char *what;    /* ours; NULL: libyaml's are good enough */
	const char *hint;
	enum place place;
};

/* The first row that fits. */
static const struct advice advices[] = {
	{"found a tab character", "a tab cannot indent", "Indent with spaces: YAML forbids tabs.",
	 AT_PROBLEM},
	{"found unexpected end of stream", "a quote is opened here and never closed",
	 "Close it, with the same kind of quote.", AT_CONTEXT},
	{"found unexpected document indicator", "a quote is opened here and never closed",
	 "Close it, with the same kind of quote.", AT_CONTEXT},
	{"found character that cannot start any token", "a value cannot start with this character",
	 "Put the value in quotes.", AT_PROBLEM},
	{"mapping values are not allowed", "a key cannot stand here",
	 "The line may be indented more than the key above, or a value that contains \": \" may "
	 "lack its quotes.",
	 AT_PROBLEM},
	{"block sequence entries are not allowed", "a list item cannot stand here",
	 "Put each \"- \" on a line of its own, below its key.", AT_PROBLEM},
	{"mapping keys are not allowed", "a key cannot stand here", "Write it as KEY: VALUE.",
	 AT_PROBLEM},
	{"could not find expected ':'", "this key has no \": \" after it",
	 "Write KEY: VALUE, with a space after the colon; a value of several lines needs quotes "
	 "or |.",
	 AT_CONTEXT},
	{"did not find expected '-' indicator", "this line of the list is no item",
	 "Indent this line like the items above, and begin it with \"- \".", AT_PROBLEM},
	{"did not find expected key", "a key is expected here",
	 "Indent it like the keys above; text after a quoted value belongs inside the quotes.",
	 AT_PROBLEM},
	{"did not find expected ',' or ']'", "a \"[\" is opened here and never closed",
	 "Put commas between items, and \"]\" after the last.", AT_ABOVE},
	{"did not find expected ',' or '}'", "a \"{\" is opened here and never closed",
	 "Put commas between entries, and \"}\" after the last.", AT_ABOVE},
	{"did not find expected ',' or", "a comma or a closing bracket is expected here",
	 "Put a value that contains commas, brackets or quotes in quotes as a whole.", AT_PROBLEM},
	{"did not find expected node content", "a value is expected here",
	 "There may be a comma or a bracket too many.", AT_PROBLEM},
	{"found unknown escape character", "there is no such escape",
	 "In single quotes a backslash is just a backslash.", AT_PROBLEM},
	{"did not find expected <document start>", "the file cannot go on here",
	 "A scenario is one map of keys, not indented.", AT_PROBLEM},
	{"found incompatible YAML document", "a scenario cannot have directives",
	 "Remove the line.", AT_PROBLEM},
	{"directive", "a scenario cannot have directives", "Remove the line.", AT_PROBLEM},
	{"", NULL, "Put the value in quotes if YAML should not read it as punctuation.",
	 AT_PROBLEM},
};

static struct mark mark_of(const struct climb *c, yaml_mark_t m)
{
	return (struct mark){c->file, (unsigned)m.line + 1, (unsigned)m.column + 1};
}

static bool refuse(const struct climb *c, yaml_mark_t at, const char *what, const char *hint)
{
	struct err *err = errs_next(c->errs);

	source_err(err, c->source, mark_of(c, at), "%s", what);
	return err_hint(err, "%s", hint);
}

/* libyaml says "cannot start any token" of a tab, and of anything else that it does not like. */
static bool is_tab(const struct climb *c, yaml_mark_t at)
{
	struct text rest = scenario_line(c->source, (unsigned)at.line + 1);
	size_t len;

	for (size_t i = 0; i < at.column && rest.len; i++) {
		utf8_first(rest, &len);
		rest = text_skip(rest, len);
	}
	return rest.len && rest.s[0] == '\t';
}

static bool fits(const struct advice *advice, const yaml_parser_t *parser)
{
	if (advice->place == AT_ABOVE && parser->context_mark.line >= parser->problem_mark.line)
		return false;
	return (parser->problem && strstr(parser->problem, advice->problem)) ||
	       (parser->context && strstr(parser->context, advice->problem)) || !advice->what;
}

static bool syntax_err(const struct climb *c, const yaml_parser_t *parser)
{
	const struct advice *advice = advices;

	if (parser->error == YAML_MEMORY_ERROR)
		return err_set(errs_next(c->errs), ERR_SYS, "out of memory");
	while (!is_tab(c, parser->problem_mark) && !fits(advice, parser))
		advice++;
	return refuse(c, advice->place == AT_PROBLEM ? parser->problem_mark : parser->context_mark,
		      advice->what	? advice->what
		      : parser->problem ? parser->problem
					: "this is not YAML",
		      advice->hint);
}

/* The innermost level; NULL before the root. */
static struct level *top(struct climb *c)
{
	struct level *level = c->depth ? &c->levels[c->depth - 1] : NULL;

	assert(!level || level->open);
	return level;
}

/* A node of its own, hung where the innermost level wants its next member. */
static struct node *hang(struct climb *c, enum shape shape, yaml_mark_t at)
{
	struct node *n = ARENA_NEW(c->arena, struct node);
	struct level *up = top(c);

	n->shape = shape;
	n->at = mark_of(c, at);
	if (!up) {
		c->root = n;
		return n;
	}
	n->key = up->key;
	n->key_at = up->key_at;
	up->keyed = false;
	up->open->count++;
	*up->next = n;
	up->next = &n->next;
	return n;
}

static bool too_deep(const struct climb *c, yaml_mark_t at)
{
	return refuse(c, at, "this is nested too deep", "A scenario is at most 16 levels deep.");
}

static bool open_node(struct climb *c, enum shape shape, yaml_mark_t at)
{
	struct node *n;

	if (c->depth == TREE_DEPTH_MOST)
		return too_deep(c, at);
	n = hang(c, shape, at);
	c->levels[c->depth++] = (struct level){.open = n, .next = &n->first};
	return true;
}

static bool wants_key(struct climb *c)
{
	const struct level *up = top(c);

	return up && up->open->shape == SHAPE_MAP && !up->keyed;
}

static void add_scalar(struct climb *c, const yaml_event_t *event)
{
	struct text borrowed = {(const char *)event->data.scalar.value, event->data.scalar.length};
	struct text text = text_keep(c->arena, borrowed);
	struct node *n;

	if (wants_key(c)) {
		top(c)->key = text;
		top(c)->key_at = mark_of(c, event->start_mark);
		top(c)->keyed = true;
		return;
	}
	n = hang(c, SHAPE_SCALAR, event->start_mark);
	n->text = text;
	n->bare = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
		  event->start_mark.line == event->end_mark.line;
}

static bool has_directives(const yaml_event_t *e)
{
	return e->data.document_start.version_directive ||
	       e->data.document_start.tag_directives.start !=
		       e->data.document_start.tag_directives.end;
}

enum foreign { NATIVE, ANCHOR, TAG, DIRECTIVE, DOCUMENT };

static const struct {
	const char *what, *hint;
} foreign_words[] = {
	[ANCHOR] = {"a scenario cannot have anchors or aliases",
		    "Write the value out, or quote it if it is text."},
	[TAG] = {"a scenario cannot have tags", "Leave it out, or quote the value if it is text."},
	[DIRECTIVE] = {"a scenario cannot have directives", "Remove the line."},
	[DOCUMENT] = {"a scenario cannot have a second document",
		      "Write a file for each scenario."},
};

static enum foreign properties(const yaml_char_t *anchor, const yaml_char_t *tag)
{
	return anchor ? ANCHOR : tag ? TAG : NATIVE;
}

/* What YAML has and a scenario does not. */
static enum foreign foreign(const struct climb *c, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_ALIAS_EVENT:
		return ANCHOR;
	case YAML_SCALAR_EVENT:
		if (e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
		    !e->data.scalar.plain_implicit)
			return TAG;
		return properties(e->data.scalar.anchor, e->data.scalar.tag);
	case YAML_SEQUENCE_START_EVENT:
		return properties(e->data.sequence_start.anchor, e->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return properties(e->data.mapping_start.anchor, e->data.mapping_start.tag);
	case YAML_DOCUMENT_START_EVENT:
		return has_directives(e) ? DIRECTIVE : c->documents ? DOCUMENT : NATIVE;
	default:
		return NATIVE;
	}
}

static bool begins_many(const yaml_event_t *e)
{
	return e->type == YAML_SEQUENCE_START_EVENT || e->type == YAML_MAPPING_START_EVENT;
}

static bool is_node(const yaml_event_t *e)
{
	return e->type == YAML_SCALAR_EVENT || begins_many(e);
}

/* Of a key that is none, and of its value. */
static bool leave_out(struct climb *c, const yaml_event_t *e)
{
	if (begins_many(e) && c->depth + ++c->left_depth > TREE_DEPTH_MOST)
		return too_deep(c, e->start_mark);
	if (e->type == YAML_SEQUENCE_END_EVENT || e->type == YAML_MAPPING_END_EVENT)
		c->left_depth--;
	c->left_out -= c->left_depth == 0;
	return true;
}

static bool take(struct climb *c, const yaml_event_t *e)
{
	enum foreign what = foreign(c, e);

	if (what != NATIVE)
		return refuse(c, e->start_mark, foreign_words[what].what, foreign_words[what].hint);
	if (is_node(e) && ++c->nodes > TREE_NODES_MOST)
		return refuse(c, e->start_mark, "there are too many values",
			      "A scenario has at most 20,000 keys and values.");
	if (c->left_out)
		return leave_out(c, e);
	if (begins_many(e) && wants_key(c)) {
		refuse(c, e->start_mark, "a list or map cannot be a key",
		       "Write it as KEY: VALUE.");
		c->left_out = 2;
		return leave_out(c, e);
	}
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		c->documents++;
		return true;
	case YAML_SCALAR_EVENT:
		add_scalar(c, e);
		return true;
	case YAML_SEQUENCE_START_EVENT:
		return open_node(c, SHAPE_LIST, e->start_mark);
	case YAML_MAPPING_START_EVENT:
		return open_node(c, SHAPE_MAP, e->start_mark);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		c->depth--;
		return true;
	default:
		return true;
	}
}

/* Depth is bounded event by event: libyaml's own document loader takes minutes for a megabyte
 * of "[". */
bool tree_read(struct node **root, const char *file, struct text src, struct arena *a,
	       struct errs *errs)
{
	struct climb c = {.file = file, .source = src, .arena = a, .errs = errs};
	yaml_parser_t parser;
	bool ok = true, ended = false;

	if (!yaml_parser_initialize(&parser))
		return err_set(errs_next(errs), ERR_SYS, "out of memory");
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)(src.len ? src.s : ""),
				     src.len);
	while (ok && !ended) {
		yaml_event_t event;

		if (!yaml_parser_parse(&parser, &event)) {
			ok = syntax_err(&c, &parser);
			break;
		}
		ok = take(&c, &event);
		ended = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	*root = c.root;
	return ok;
}
