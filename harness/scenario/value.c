#include "scenario/keys.h"

#include <string.h>

#include "scenario/source.h"

/* One value: words, lines. Those that are a number are in number.c, those of several members in
 * lists.c. */

enum { SLUG_MOST = 63, LINE_MOST = 200 };

struct err *value_refuse(const struct reading *r, const char *path, const struct node *n)
{
	struct err *err = errs_next(r->errs);

	if (n->shape != SHAPE_SCALAR)
		source_err(err, r->source, n->at, "%s cannot be a %s", path,
			   n->shape == SHAPE_LIST ? "list" : "map");
	else if (n->text.len == 0)
		source_err(err, r->source, n->at, "%s cannot be empty", path);
	else
		source_err(err, r->source, n->at, "%s cannot be %s", path, source_quote(n->text).z);
	return err;
}

/* What the kind is, with an example that the key can have. */
static const char *form_of(const struct reading *r, const struct key *key)
{
	const char *form = key->kind->form, *such = strstr(form, " such as "),
		   *second = such ? strstr(such, " or ") : NULL;
	double first, lowest;

	if (!second || !key->kind->number || !key->lowest[0])
		return form;
	such += strlen(" such as ");
	if (!key->kind->number((struct text){such, (size_t)(second - such)}, &first) ||
	    !key->kind->number(text_of(key->lowest), &lowest) || first >= lowest)
		return form;
	return text_format(r->arena, "%.*s%s", (int)(such - form), form, second + strlen(" or ")).s;
}

bool value_hint(const struct reading *r, struct err *err, const struct key *key)
{
	if (key->kind->words)
		return err_hint(err, "Write one of: %s.", choice_list(key->kind->words, r->arena));
	if (key->lowest[0] && strcmp(key->lowest, key->highest) == 0)
		return err_hint(err, "It can only be %s, so far.", key->lowest);
	if (key->lowest[0])
		return err_hint(err, "Write %s, from %s to %s.", form_of(r, key), key->lowest,
				key->highest);
	return err_hint(err, "Write %s.", key->kind->form);
}

bool key_refuse(const struct reading *r, const struct key *key, const struct node *n)
{
	struct err *err = value_refuse(r, key_path(r, key), n);

	if (n->shape == SHAPE_SCALAR && key->fallback[0] &&
	    (text_is(n->text, "null") || text_is(n->text, "~")))
		return err_hint(err, "Its default is %s: write that, or leave the key out.",
				key->fallback);
	return value_hint(r, err, key);
}

static bool read_flag(const struct reading *r, const struct key *key, const struct node *n,
		      void *field)
{
	bool yes = text_is(n->text, "true");

	if (!yes && !text_is(n->text, "false"))
		return key_refuse(r, key, n);
	*(bool *)field = yes;
	return true;
}

/* An enum of choices.def is an int for gcc and clang, and its values are the indices of its
 * words. */
static bool read_choice(const struct reading *r, const struct key *key, const struct node *n,
			void *field)
{
	const struct choice *words = key->kind->words;
	int found = choice_find(words, n->text);
	struct err *err;
	const char *near;

	if (found >= 0) {
		memcpy(field, &found, sizeof(found));
		return true;
	}
	err = value_refuse(r, key_path(r, key), n);
	near = choice_near(words, n->text);
	if (near)
		return err_hint(err, "Did you mean %s?", near);
	return value_hint(r, err, key);
}

bool slug_is(struct text t)
{
	return t.len > 0 && t.len <= SLUG_MOST && t.s[0] != '-' &&
	       text_span(t, "abcdefghijklmnopqrstuvwxyz0123456789-") == t.len;
}

const char *const yaml_words[] = {"on", "off",	"yes",	 "no",	 "y",
				  "n",	"true", "false", "null", NULL};

bool yaml_word_is(struct text t)
{
	for (const char *const *word = yaml_words; *word; word++)
		if (text_is(t, *word))
			return true;
	return false;
}

static bool read_slug(const struct reading *r, const struct key *key, const struct node *n,
		      void *field)
{
	if (!slug_is(n->text))
		return key_refuse(r, key, n);
	*(struct text *)field = n->text;
	return true;
}

/* Escapes such as "\x07" can bring in what the file itself may not hold. */
static bool has_control(struct text t, const char *but)
{
	for (size_t i = 0; i < t.len; i++) {
		unsigned char c = (unsigned char)t.s[i];

		if (c == 0 || c == 0x7f || (c < 0x20 && !strchr(but, c)))
			return true;
	}
	return false;
}

bool line_is(struct text t)
{
	return t.len <= LINE_MOST && !has_control(t, "");
}

static bool read_line(const struct reading *r, const struct key *key, const struct node *n,
		      void *field)
{
	if (!line_is(n->text))
		return key_refuse(r, key, n);
	*(struct text *)field = n->text;
	return true;
}

/* As the kernel has it: dev_valid_name(), net/core/dev.c. */
static bool device_is(struct text t)
{
	enum { DEVICE_MOST = 15 };

	return t.len > 0 && t.len <= DEVICE_MOST &&
	       text_span(t, "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789_.-@") == t.len;
}

static bool read_device(const struct reading *r, const struct key *key, const struct node *n,
			void *field)
{
	if (!device_is(n->text))
		return key_refuse(r, key, n);
	*(struct text *)field = n->text;
	return true;
}

static bool read_address(const struct reading *r, const struct key *key, const struct node *n,
			 void *field)
{
	struct address a = {0, 0};

	if (!text_is(n->text, "any") && !address_read(n->text, &a))
		return key_refuse(r, key, n);
	*(struct address *)field = a;
	return true;
}

static bool read_prose(const struct reading *r, const struct key *key, const struct node *n,
		       void *field)
{
	if (has_control(n->text, "\n\t"))
		return key_refuse(r, key, n);
	*(struct text *)field = n->text;
	return true;
}

static void write_address(struct out *out, const void *field)
{
	const struct address *a = field;
	char z[ADDRESS_PRINTED];

	out_z(out, address_is_any(*a) ? "any" : address_print(z, *a));
}

static void write_flag(struct out *out, const void *field)
{
	out_z(out, *(const bool *)field ? "true" : "false");
}

static void write_text(struct out *out, const void *field)
{
	quote_write(out, *(const struct text *)field);
}

const struct kind kind_FLAG = {.form = "true or false", .read = read_flag, .write = write_flag};

const struct kind kind_SLUG = {.form = "up to 63 of a-z, 0-9 and -, such as connection-per-request",
			       .read = read_slug,
			       .write = write_text};
const struct kind kind_LINE = {.form = "one line of up to 200 bytes, without control characters",
			       .read = read_line,
			       .write = write_text};
const struct kind kind_DEVICE = {.form = "the name of a network interface such as veth0",
				 .read = read_device,
				 .write = write_text};
const struct kind kind_ADDRESS = {.form = "any, or an address such as 127.0.0.2 or ::1",
				  .read = read_address,
				  .write = write_address};
const struct kind kind_PROSE = {
	.form = "text without control characters", .read = read_prose, .write = write_text};

#define CHOICE(name, list) \
	static void write_##list(struct out *out, const void *field) \
	{ \
		out_z(out, list##_words[*(const enum list *)field].word); \
	} \
	_Static_assert(sizeof(enum list) == sizeof(int), "read_choice() writes an int"); \
	const struct kind kind_##name = {.form = "one word", \
					 .read = read_choice, \
					 .write = write_##list, \
					 .words = list##_words}

CHOICE(TOPOLOGY, topology);
CHOICE(FAMILY, family);
CHOICE(LOAD_FAMILY, load_family);
CHOICE(SCOPE, scope);
CHOICE(CHOOSE, choose);
CHOICE(MAPPING, mapping);
CHOICE(PROTOCOL, protocol);
CHOICE(BEHAVIOUR, behaviour);
CHOICE(END, end);
CHOICE(ORDER, order);
CHOICE(ON_FAILURE, on_failure);
CHOICE(WHEN, when);
