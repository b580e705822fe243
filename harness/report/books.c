#include "report/books.h"

#include "judge/books.h"
#include "report/draft.h"
#include "report/load.h"

static struct out *draft_words(struct out *to, const char *words)
{
	out_z(to, words);
	return to;
}

/* " (2 in flight when the load ended; 1 half closed)" */
static void add_exceptions(struct out *to, const struct book *b)
{
	const char *lead = " (at most ";

	for (int i = 0; i < EXCEPTIONS; i++) {
		if (b->excepted[i] == 0)
			continue;
		out_z(to, lead);
		draft_count(to, b->excepted[i]);
		out_fmt(to, " %s", exception_words((enum exception)i));
		lead = "; ";
	}
	out_z(to, *lead == ';' ? ")" : "");
}

static void add_place(struct out *to, const struct book_row *row)
{
	char text[ADDRESS_PRINTED];

	if (row->port == 0)
		out_z(to, "elsewhere");
	else if (address_is_ipv4(row->to))
		out_fmt(to, "%s:%u", address_print(text, row->to), row->port);
	else
		out_fmt(to, "[%s]:%u", address_print(text, row->to), row->port);
	out_z(to, row->datagrams ? ", udp" : "");
}

/* "; 10.0.0.1:8080: 12 and 9, elsewhere: 0 and 2, 7 other destinations: out by 7" */
static void add_rows(struct out *to, const struct book *b)
{
	for (uint32_t i = 0; i < b->row_count; i++) {
		out_z(to, i ? ", " : "; ");
		add_place(to, &b->rows[i]);
		draft_count(draft_words(to, ": "), b->rows[i].driver);
		draft_count(draft_words(to, " and "), b->rows[i].found);
	}
	if (b->more_count == 0)
		return;
	draft_count(draft_words(to, ", "), b->more_count);
	draft_count(draft_words(to, b->more_count == 1 ? " other destination: out by "
						       : " other destinations: out by "),
		    b->more_apart);
}

/* "; 3 were ended by neither end: somebody else destroys sockets here (`ss -K`)" */
static void add_foreign(struct out *to, const struct book *b)
{
	if (b->foreign == 0)
		return;
	draft_count(draft_words(to, "; "), b->foreign);
	out_fmt(to, " %s ended by neither end: somebody else destroys sockets here (`ss -K`)",
		b->foreign == 1 ? "was" : "were");
}

/* "the books do not balance: 12 open to the driver, 9 open to the kernel (…); of the difference of
 * 3, 1 is explained (…); 10.0.0.1:8080: 12 and 9" */
static void print_book(struct out *out, enum book_kind kind, const struct book *b)
{
	struct draft draft;
	struct out *to = draft_begin(&draft);

	draft_count(draft_words(to, "the books do not balance: "), b->driver);
	draft_count(draft_words(draft_words(draft_words(to, " "), book_left(kind)), ", "),
		    b->found);
	out_fmt(to, " %s", book_right(kind));
	if (b->explained) {
		draft_count(draft_words(to, "; of the difference of "), b->apart);
		draft_count(draft_words(to, ", "), b->explained);
		out_z(to, b->explained == 1 ? " is explained" : " are explained");
		add_exceptions(to, b);
	}
	add_foreign(to, b);
	add_rows(to, b);
	draft_print(&draft, out, "");
}

void block_books(struct out *out, const struct result_run *run)
{
	for (int i = 0; i < BOOKS; i++)
		if (book_missing(&run->measures.books[i]))
			print_book(out, (enum book_kind)i, &run->measures.books[i]);
}

/* "30 closed by the driver, 26 closing to the kernel (…): the books balance, with 4 explained (at most 4 in
 * TIME_WAIT, taken over by a new connection (TWRecycled))" */
static void print_explained(struct out *out, const char *label, enum book_kind kind,
			    const struct book *b)
{
	struct draft draft;
	struct out *to = draft_begin(&draft);

	draft_count(to, b->driver);
	draft_count(draft_words(draft_words(draft_words(to, " "), book_left(kind)), ", "),
		    b->found);
	draft_count(draft_words(draft_words(draft_words(to, " "), book_right(kind)),
				": the books balance, with "),
		    b->explained);
	out_z(to, " explained");
	add_exceptions(to, b);
	add_rows(to, b);
	draft_print(&draft, out, label);
}

/* By then the first have run out by themselves: what else is gone is not told from these. */
static void print_expired(struct out *out, const char *label, const struct result_run *run)
{
	const double life_ns = 60e9;
	const struct value *v = run->measures.fixed;
	struct draft draft;

	if (v[MEASURE_ELAPSED].n < life_ns || v[MEASURE_TIME_WAIT_MAX].n == 0)
		return;
	out_z(draft_begin(&draft),
	      "a run of 60 s or more: a TIME_WAIT that somebody else has destroyed cannot be told "
	      "from one that expired");
	draft_print(&draft, out, label);
}

void block_explained(struct out *out, const struct result_run *run)
{
	const char *label = "  books";

	for (int i = 0; i < BOOKS; i++) {
		const struct book *b = &run->measures.books[i];

		if (b->explained == 0 || book_missing(b))
			continue;
		print_explained(out, label, (enum book_kind)i, b);
		label = "";
	}
	print_expired(out, label, run);
}

static void put_count(json_t *object, const char *key, uint64_t n, bool *ok)
{
	json_int_t most = (json_int_t)count_most;

	if (json_object_set_new(object, key, json_integer(n > count_most ? most : (json_int_t)n)) <
	    0)
		*ok = false;
}

static json_t *exceptions_json(const struct book *b, bool *ok)
{
	json_t *o = json_object();

	for (int i = 0; i < EXCEPTIONS; i++)
		if (b->excepted[i])
			put_count(o, exception_name((enum exception)i), b->excepted[i], ok);
	return o;
}

static json_t *row_json(const struct book_row *row, bool *ok)
{
	char text[ADDRESS_PRINTED];
	json_t *o = json_object();

	if (row->port) {
		if (json_object_set_new(o, "to", json_string(address_print(text, row->to))) < 0)
			*ok = false;
		put_count(o, "port", row->port, ok);
	}
	if (row->datagrams && json_object_set_new(o, "protocol", json_string("udp")) < 0)
		*ok = false;
	put_count(o, "driver", row->driver, ok);
	put_count(o, "found", row->found, ok);
	return o;
}

static void put_rows(json_t *book, const struct book *b, bool *ok)
{
	json_t *rows = json_array(), *more;

	for (uint32_t i = 0; i < b->row_count; i++)
		*ok &= json_array_append_new(rows, row_json(&b->rows[i], ok)) == 0;
	*ok &= json_object_set_new(book, "destinations", rows) == 0;
	if (b->more_count == 0)
		return;
	more = json_object();
	put_count(more, "destinations", b->more_count, ok);
	put_count(more, "apart", b->more_apart, ok);
	*ok &= json_object_set_new(book, "more", more) == 0;
}

/* What there is none of is left out. */
static json_t *book_json(const struct book *b, bool *ok)
{
	json_t *o = json_object(), *exceptions = exceptions_json(b, ok);

	put_count(o, "driver", b->driver, ok);
	put_count(o, "found", b->found, ok);
	put_count(o, "apart", b->apart, ok);
	put_count(o, "explained", b->explained, ok);
	put_count(o, "missing", book_missing(b), ok);
	if (json_object_size(exceptions) == 0)
		json_decref(exceptions);
	else
		*ok &= json_object_set_new(o, "exceptions", exceptions) == 0;
	if (b->foreign)
		put_count(o, "foreign", b->foreign, ok);
	if (b->row_count)
		put_rows(o, b, ok);
	return o;
}

json_t *books_json(const struct result_run *run, bool *ok)
{
	json_t *all = json_object();

	for (int i = 0; i < BOOKS; i++) {
		const struct book *b = &run->measures.books[i];

		if (b->known)
			*ok &= json_object_set_new(all, book_name((enum book_kind)i),
						   book_json(b, ok)) == 0;
	}
	return all;
}

/* ---- and back ------------------------------------------------------------ */

static bool load_exception(const struct node *n, void *out)
{
	struct book *book = out;
	int which = exception_find(text_of(n->key));

	if (which < 0)
		return node_refuse(n, "an exception that results/README.md names");
	return node_count_if(n, count_most, &book->excepted[which]);
}

static bool load_row(const struct node *n, struct book_row *out)
{
	struct node to = node_member(n, "to"), port = node_member(n, "port");
	struct node driver = node_member(n, "driver"), found = node_member(n, "found");
	struct node protocol = node_member(n, "protocol");
	struct text address, word = {0};
	uint64_t number = 0;

	if (!node_object(n) || !node_count_if(&driver, count_most, &out->driver) ||
	    !node_count_if(&found, count_most, &out->found) ||
	    !node_count_if(&port, UINT16_MAX, &number) ||
	    (protocol.json && !node_text(&protocol, &word)))
		return false;
	out->port = (uint16_t)number;
	out->datagrams = protocol.json;
	if (protocol.json && !text_is(word, "udp"))
		return node_refuse(&protocol, "\"udp\"");
	if (number == 0)
		return true;
	return node_text(&to, &address) &&
	       (address_read(address, &out->to) || node_refuse(&to, "an address"));
}

static bool load_rows(const struct node *up, struct book *out)
{
	struct node all = node_member(up, "destinations"), more = node_member(up, "more");
	struct node apart = node_member(&more, "apart");
	size_t count;

	if (!all.json)
		return true;
	if (!node_array(&all, &count))
		return false;
	if (count > BOOK_ROWS)
		return node_refuse(&all, "the few destinations that are out by most");
	for (; out->row_count < count; out->row_count++) {
		struct node n = node_element(&all, out->row_count);

		if (!load_row(&n, &out->rows[out->row_count]))
			return false;
	}
	return !more.json ||
	       (node_object(&more) && member_u32(&more, "destinations", &out->more_count) &&
		node_count_if(&apart, count_most, &out->more_apart));
}

/* What older versions wrote has no `apart`: there it is the difference. */
static bool load_book(const struct node *n, struct book *out)
{
	struct node driver = node_member(n, "driver"), found = node_member(n, "found"),
		    explained = node_member(n, "explained"), apart = node_member(n, "apart"),
		    foreign = node_member(n, "foreign"), exceptions = node_member(n, "exceptions");

	out->known = true;
	if (!node_object(n) || !node_count_if(&driver, count_most, &out->driver) ||
	    !node_count_if(&found, count_most, &out->found) ||
	    !node_count_if(&explained, count_most, &out->explained) ||
	    !node_count_if(&apart, count_most, &out->apart) ||
	    !node_count_if(&foreign, count_most, &out->foreign))
		return false;
	if (!apart.json)
		out->apart = out->driver > out->found ? out->driver - out->found
						      : out->found - out->driver;
	return (!exceptions.json || node_members(&exceptions, load_exception, out)) &&
	       load_rows(n, out);
}

static bool load_kind(const struct node *n, void *out)
{
	struct measures *measures = out;
	int kind = book_find(text_of(n->key));

	if (kind < 0)
		return node_refuse(n, "one of attempted, opened, live, closed");
	return load_book(n, &measures->books[kind]);
}

/* What older versions wrote has none. */
bool books_load(const struct node *up, struct result_run *out)
{
	struct node all = node_member(up, "books");

	return !all.json || node_members(&all, load_kind, &out->measures);
}
