#include "report/books.h"

#include "base/unit.h"
#include "judge/books.h"
#include "report/load.h"
#include "report/page.h"

enum { LABEL = 13, LINE_MOST = 512 };

/* "the books do not balance: 12 open to the driver, 9 open to the kernel (…); 1 of 3 explained" */
static void print_book(struct out *out, enum book_kind kind, const struct book *b)
{
	char buffer[LINE_MOST], n[UNIT_PRINTED];
	struct out to = out_memory(buffer, sizeof(buffer));
	uint64_t apart = b->driver > b->found ? b->driver - b->found : b->found - b->driver;

	out_fmt(&to, "the books do not balance: %s %s, ", unit_count_pretty(n, b->driver),
		book_left(kind));
	out_fmt(&to, "%s %s", unit_count_pretty(n, b->found), book_right(kind));
	if (b->explained) {
		out_fmt(&to, "; of the difference of %s, ", unit_count_pretty(n, apart));
		out_fmt(&to, "%s is explained", unit_count_pretty(n, b->explained));
	}
	page_paragraph(out, "", PAINT_NONE, LABEL, out_written(&to));
}

void block_books(struct out *out, const struct result_run *run)
{
	for (int i = 0; i < BOOKS; i++)
		if (book_missing(&run->measures.books[i]))
			print_book(out, (enum book_kind)i, &run->measures.books[i]);
}

static void put_count(json_t *object, const char *key, uint64_t n, bool *ok)
{
	json_int_t most = (json_int_t)count_most;

	if (json_object_set_new(object, key, json_integer(n > count_most ? most : (json_int_t)n)) <
	    0)
		*ok = false;
}

json_t *books_json(const struct result_run *run, bool *ok)
{
	json_t *all = json_object();

	for (int i = 0; i < BOOKS; i++) {
		const struct book *b = &run->measures.books[i];
		json_t *o;

		if (!b->known)
			continue;
		o = json_object();
		put_count(o, "driver", b->driver, ok);
		put_count(o, "found", b->found, ok);
		put_count(o, "explained", b->explained, ok);
		put_count(o, "missing", book_missing(b), ok);
		if (json_object_set_new(all, book_name((enum book_kind)i), o) < 0)
			*ok = false;
	}
	return all;
}

static bool load_book(const struct node *n, struct book *out)
{
	struct node driver = node_member(n, "driver"), found = node_member(n, "found"),
		    explained = node_member(n, "explained");

	out->known = true;
	return node_object(n) && node_count_if(&driver, count_most, &out->driver) &&
	       node_count_if(&found, count_most, &out->found) &&
	       node_count_if(&explained, count_most, &out->explained);
}

/* What older versions wrote has none. */
bool books_load(const struct node *up, struct result_run *out)
{
	struct node all = node_member(up, "books");
	const char *key;
	json_t *value;

	if (!all.json)
		return true;
	if (!node_object(&all))
		return false;
	json_object_foreach(all.json, key, value)
	{
		struct node n = node_member(&all, key);
		int kind = book_find(text_of(key));

		if (kind < 0)
			return node_refuse(&n, "one of attempted, opened, live, closed");
		if (!load_book(&n, &out->measures.books[kind]))
			return false;
	}
	return true;
}
