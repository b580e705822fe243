#include "report/node.h"

#include <math.h>
#include <string.h>

#include "base/unit.h"

struct node node_member(const struct node *up, const char *key)
{
	return (struct node){
		.of = up->of, .up = up, .key = key, .json = json_object_get(up->json, key)};
}

struct node node_element(const struct node *up, size_t index)
{
	return (struct node){
		.of = up->of, .up = up, .index = index, .json = json_array_get(up->json, index)};
}

/* The source is JSON: jansson has read it. So these need not look for mistakes, but only for
 * ends. */

static struct text skip_blanks(struct text t)
{
	while (t.len && strchr(" \t\r\n", t.s[0]))
		t = text_skip(t, 1);
	return t;
}

static struct text skip_string(struct text t)
{
	for (t = text_skip(t, 1); t.len && t.s[0] != '"'; t = text_skip(t, 1))
		if (t.s[0] == '\\')
			t = text_skip(t, 1);
	return text_skip(t, 1);
}

static struct text skip_value(struct text t)
{
	size_t depth = 0;

	while (t.len) {
		char c = t.s[0];

		if (depth == 0 && strchr(",]} \t\r\n", c))
			break;
		depth += c == '{' || c == '[';
		depth -= c == '}' || c == ']';
		t = c == '"' ? skip_string(t) : text_skip(t, 1);
		if (depth == 0 && (c == '}' || c == ']'))
			break;
	}
	return t;
}

/* The source from the value of `n` on; from the value that it should be in, if it is not there. */
static struct text find(const struct node *n)
{
	struct text whole, t;

	if (!n->up)
		return skip_blanks(n->of->source);
	whole = find(n->up);
	t = skip_blanks(text_skip(whole, 1));
	for (size_t i = 0; n->json && t.len && t.s[0] != '}' && t.s[0] != ']'; i++) {
		struct text key = t;

		if (n->key) {
			t = skip_blanks(skip_string(t));
			key.len -= t.len;
			key = text_trim(key);
			t = skip_blanks(text_skip(t, 1)); /* the colon */
		}
		if (n->key ? key.len >= 2 && text_is((struct text){key.s + 1, key.len - 2}, n->key)
			   : i == n->index)
			return t;
		t = skip_blanks(skip_value(t));
		if (t.len && t.s[0] == ',')
			t = skip_blanks(text_skip(t, 1));
	}
	return whole;
}

static struct mark place(const struct node *n)
{
	struct mark at = {n->of->file, 1, 1};
	size_t len = n->of->source.len - find(n).len;

	for (size_t i = 0; i < len; i++) {
		at.col += ((unsigned char)n->of->source.s[i] & 0xc0) !=
			  0x80; /* UTF-8: a code point */
		if (n->of->source.s[i] == '\n') {
			at.line++;
			at.col = 1;
		}
	}
	return at;
}

static struct text path(const struct node *n)
{
	struct text up;

	if (!n->up)
		return (struct text){0};
	up = path(n->up);
	if (!n->key)
		return text_format(n->of->a, TEXT_FMT "[%zu]", TEXT_ARG(up), n->index);
	return text_format(n->of->a, TEXT_FMT "%s%s", TEXT_ARG(up), up.len ? "." : "", n->key);
}

bool node_refuse(const struct node *n, const char *must_be)
{
	struct mark at = place(n);
	struct text who = path(n);

	if (who.len == 0)
		who = TEXT("a result");
	err_set(n->of->err, ERR_SCENARIO, TEXT_FMT " must be %s", TEXT_ARG(who), must_be);
	return err_at(n->of->err, at, scenario_line(n->of->source, at.line));
}

bool node_text_if(const struct node *n, struct text *out)
{
	if (!n->json)
		return true;
	return node_text(n, out);
}

bool node_text(const struct node *n, struct text *out)
{
	if (!json_is_string(n->json))
		return node_refuse(n, "a text");
	*out = text_keep(n->of->a,
			 (struct text){json_string_value(n->json), json_string_length(n->json)});
	return true;
}

bool node_flag(const struct node *n, bool *out)
{
	if (!json_is_boolean(n->json))
		return node_refuse(n, "true or false");
	*out = json_is_true(n->json);
	return true;
}

bool node_count_if(const struct node *n, uint64_t most, uint64_t *out)
{
	json_int_t value = json_integer_value(n->json);

	if (!n->json)
		return true;
	if (!json_is_integer(n->json) || value < 0 || (uint64_t)value > most)
		return node_refuse(n, text_format(n->of->a, "a whole number from 0 to %llu",
						  (unsigned long long)most)
					      .s);
	*out = (uint64_t)value;
	return true;
}

bool node_number(const struct node *n, double most, double *out)
{
	double value = json_number_value(n->json);

	if (!json_is_number(n->json) || !(value >= 0) || value > most)
		return node_refuse(n, text_format(n->of->a, "a number from 0 to %.0f", most).s);
	*out = value;
	return true;
}

static bool read_port(struct text t, uint16_t *out)
{
	uint64_t n;

	if (!unit_read_count(t, &n) || n > UINT16_MAX)
		return false;
	*out = (uint16_t)n;
	return true;
}

bool node_range(const struct node *n, struct port_range *out)
{
	struct text lo, hi;

	if (!node_text(n, &hi))
		return false;
	if (!text_cut(&hi, '-', &lo) || !read_port(lo, &out->lo) || !read_port(hi, &out->hi) ||
	    out->lo > out->hi)
		return node_refuse(n, "a range of ports such as 32768-60999");
	return true;
}

bool node_object(const struct node *n)
{
	return json_is_object(n->json) || node_refuse(n, "an object");
}

bool node_array(const struct node *n, size_t *count)
{
	*count = json_array_size(n->json);
	return json_is_array(n->json) || node_refuse(n, "a list");
}

bool node_members(const struct node *all, bool (*load)(const struct node *n, void *out), void *out)
{
	const char *key;
	json_t *value;

	if (!node_object(all))
		return false;
	json_object_foreach(all->json, key, value)
	{
		struct node n = node_member(all, key);

		if (!load(&n, out))
			return false;
	}
	return true;
}

bool member_lines(const struct node *up, const char *key, struct line_list *out)
{
	struct node n = node_member(up, key);
	size_t count;

	if (!node_array(&n, &count))
		return false;
	out->list = ARENA_ARRAY(up->of->a, struct text, count);
	for (; out->count < count; out->count++) {
		struct node line = node_element(&n, out->count);

		if (!node_text(&line, &out->list[out->count]))
			return false;
	}
	return true;
}

bool member_text(const struct node *up, const char *key, struct text *out)
{
	struct node n = node_member(up, key);

	return node_text(&n, out);
}

bool member_flag(const struct node *up, const char *key, bool *out)
{
	struct node n = node_member(up, key);

	return node_flag(&n, out);
}

bool member_u32(const struct node *up, const char *key, uint32_t *out)
{
	struct node n = node_member(up, key);
	uint64_t value = 0;

	if (!node_count_if(&n, UINT32_MAX, &value))
		return false;
	*out = (uint32_t)value;
	return true;
}
