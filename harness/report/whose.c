#include "report/whose.h"

#include "report/draft.h"
#include "report/json.h"
#include "report/load.h"

enum { ROWS_TOLD = 3 };

/* ---- to a reader --------------------------------------------------------- */

static void add_place(struct out *to, const struct whose_row *row)
{
	const char *format = address_is_ipv4(row->to) ? "%s:%u%s" : "[%s]:%u%s";
	char text[ADDRESS_PRINTED];

	out_fmt(to, format, address_print(text, row->to), row->port, row->datagrams ? ", udp" : "");
}

/* "20", "at most 20", "12 to 20" */
static void add_between(struct out *to, struct between n)
{
	if (n.least == 0 && n.most > 0) {
		out_z(to, "at most ");
	} else if (n.least < n.most) {
		draft_count(to, n.least);
		out_z(to, " to ");
	}
	draft_count(to, n.most);
}

/* ": 20 of churn, 8 of poll"; of whom there can be none is not named. What is more than all of them can
 * have is no load's. */
static void add_shares(struct out *to, const struct measures *m, const struct whose_row *row,
		       bool closing)
{
	uint64_t rest = closing ? row->closing : row->live;
	const char *lead = ": ";

	for (size_t i = 0; i < m->load_count; i++) {
		const struct whose_share *s = &row->shares[i];
		struct between n = closing ? s->closing : s->live;

		if (n.most == 0)
			continue;
		out_z(to, lead);
		add_between(to, n);
		out_z(to, " of ");
		out_text(to, m->loads[i].name);
		lead = ", ";
		rest = n.most < rest ? rest - n.most : 0;
	}
	if (rest == 0)
		return;
	out_z(to, lead);
	draft_count(to, rest);
	out_z(to, " of no load");
}

static void print_row(struct out *out, const struct measures *m, const struct whose_row *row,
		      const char *label)
{
	bool waits = row->closing && row->closing == row->time_wait;
	struct draft d;
	struct out *to = draft_begin(&d);

	out_z(to, "to ");
	add_place(to, row);
	out_z(to, " at the end ");
	if (row->closing) {
		draft_count(to, row->closing);
		out_z(to, waits ? " TIME_WAIT" : " closing");
		add_shares(to, m, row, true);
	}
	if (row->live) {
		out_z(to, row->closing ? "; " : "");
		draft_count(to, row->live);
		out_z(to, " open");
		add_shares(to, m, row, false);
	}
	draft_print(&d, out, label);
}

void block_whose(struct out *out, const struct result_run *run, bool all)
{
	const struct measures *m = &run->measures;
	size_t told = all || m->whose_count < ROWS_TOLD ? m->whose_count : ROWS_TOLD;
	uint64_t more = m->whose_count - told + m->whose_more;
	struct draft d;
	struct out *to = draft_begin(&d);

	for (size_t i = 0; i < told; i++)
		print_row(out, m, &m->whose[i], i ? "" : "  whose");
	if (more == 0)
		return;
	out_z(to, "and ");
	draft_count(to, more);
	out_z(to, more == 1 ? " other destination" : " other destinations");
	draft_print(&d, out, "");
}

/* ---- in result.json ------------------------------------------------------ */

static void put_between(json_t *o, const char *least, const char *most, struct between n, bool *ok)
{
	put(o, least, json_count(n.least), ok);
	put(o, most, json_count(n.most), ok);
}

static json_t *shares_json(const struct measures *m, const struct whose_row *row, bool *ok)
{
	json_t *array = json_array();

	for (size_t i = 0; i < m->load_count; i++) {
		const struct whose_share *s = &row->shares[i];
		json_t *o = json_object();

		put(o, "load", json_text(m->loads[i].name), ok);
		put_between(o, "live_least", "live_most", s->live, ok);
		put_between(o, "closing_least", "closing_most", s->closing, ok);
		append(array, o, ok);
	}
	return array;
}

static json_t *row_json(const struct measures *m, const struct whose_row *row, bool *ok)
{
	char text[ADDRESS_PRINTED];
	json_t *o = json_object();

	put(o, "to", json_string(address_print(text, row->to)), ok);
	put(o, "port", json_integer(row->port), ok);
	put(o, "protocol",
	    json_string(protocol_words[row->datagrams ? PROTOCOL_UDP : PROTOCOL_TCP].word), ok);
	put(o, "live", json_count(row->live), ok);
	put(o, "closing", json_count(row->closing), ok);
	put(o, "time_wait", json_count(row->time_wait), ok);
	put(o, "loads", shares_json(m, row, ok), ok);
	return o;
}

json_t *whose_json(const struct measures *m, bool *ok)
{
	json_t *o = json_object(), *list = json_array();

	for (size_t i = 0; i < m->whose_count; i++)
		append(list, row_json(m, &m->whose[i], ok), ok);
	put(o, "list", list, ok);
	if (m->whose_more)
		put(o, "more", json_integer(m->whose_more), ok);
	return o;
}

/* ---- and back ------------------------------------------------------------ */

static bool load_between(const struct node *up, const char *least, const char *most,
			 struct between *out)
{
	struct node from = node_member(up, least), to = node_member(up, most);

	if (!node_count_if(&from, count_most, &out->least) ||
	    !node_count_if(&to, count_most, &out->most))
		return false;
	return out->least <= out->most || node_refuse(&to, "no less than the least");
}

static bool load_shares(const struct node *up, size_t loads, struct whose_row *out)
{
	struct node all = node_member(up, "loads");
	size_t count;

	if (!node_array(&all, &count))
		return false;
	if (count != loads)
		return node_refuse(&all, "an element for each of the run's loads");
	out->shares = ARENA_ARRAY(up->of->a, struct whose_share, count);
	for (size_t i = 0; i < count; i++) {
		struct node n = node_element(&all, i);

		if (!node_object(&n) ||
		    !load_between(&n, "live_least", "live_most", &out->shares[i].live) ||
		    !load_between(&n, "closing_least", "closing_most", &out->shares[i].closing))
			return false;
	}
	return true;
}

static bool load_row(const struct node *n, size_t loads, struct whose_row *out)
{
	struct node to = node_member(n, "to"), port = node_member(n, "port");
	struct node protocol = node_member(n, "protocol"), live = node_member(n, "live");
	struct node closing = node_member(n, "closing"), waits = node_member(n, "time_wait");
	struct text address, word = {0};
	uint64_t number = 0;
	int which;

	if (!node_object(n) || !node_text(&to, &address) || !node_text(&protocol, &word) ||
	    !node_count_if(&port, UINT16_MAX, &number) ||
	    !node_count_if(&live, count_most, &out->live) ||
	    !node_count_if(&closing, count_most, &out->closing) ||
	    !node_count_if(&waits, count_most, &out->time_wait) || !load_shares(n, loads, out))
		return false;
	out->port = (uint16_t)number;
	which = choice_find(protocol_words, word);
	if (which < 0)
		return node_refuse(&protocol, "tcp or udp");
	out->datagrams = which == PROTOCOL_UDP;
	return address_read(address, &out->to) || node_refuse(&to, "an address");
}

bool whose_load(const struct node *up, struct measures *out)
{
	struct node whose = node_member(up, "whose"), list = node_member(&whose, "list");
	size_t count;

	if (!whose.json)
		return true;
	if (!node_object(&whose) || !node_array(&list, &count))
		return false;
	if (count > WHOSE_ROWS)
		return node_refuse(&list, "the few destinations with most sockets");
	out->whose = ARENA_ARRAY(up->of->a, struct whose_row, count);
	for (; out->whose_count < count; out->whose_count++) {
		struct node n = node_element(&list, out->whose_count);

		if (!load_row(&n, out->load_count, &out->whose[out->whose_count]))
			return false;
	}
	return !node_member(&whose, "more").json || member_u32(&whose, "more", &out->whose_more);
}
