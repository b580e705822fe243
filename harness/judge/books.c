#include "judge/books.h"

#include "judge/evidence.h"
#include "plan/life.h"

static uint64_t moved(const struct measures *m, const char *counter)
{
	for (size_t i = 0; i < m->counter_count; i++)
		if (text_is(m->counters[i].name, counter))
			return m->counters[i].moved;
	return 0;
}

uint64_t book_missing(const struct book *book)
{
	return book->known && book->apart > book->explained ? book->apart - book->explained : 0;
}

static uint64_t apart(uint64_t a, uint64_t b)
{
	return less(a, b) + less(b, a);
}

/* The dump after the load, of sockets that all had come to rest; NULL: there is none. */
static const struct sample *rest_of(const struct tape *tape)
{
	const struct sample *s = tape_last_dump(tape);

	return s && tape->complete && s->at_rest && !s->torn && s->t_ns >= tape->end_ns ? s : NULL;
}

/* ---- destination by destination ------------------------------------------ */

static bool has_accounts(const struct tape *tape)
{
	return tape->accounts && tape->accounts_found;
}

/* What the kernel has too many and too few of. */
struct gap {
	uint64_t over, under;
};

static void open_of(const struct account *a, uint64_t *driver, uint64_t *found)
{
	*driver = less(a->opened, a->closed + a->ended);
	*found = a->live;
}

static void closed_of(const struct account *a, uint64_t *driver, uint64_t *found)
{
	*driver = a->closed;
	*found = a->closing;
}

/* Into its place among those that are out by most, of which the last falls out. */
static void keep_row(struct book *book, struct book_row row)
{
	uint32_t at = book->row_count;
	struct book_row *rows = book->rows;

	for (; at > 0 &&
	       apart(rows[at - 1].driver, rows[at - 1].found) < apart(row.driver, row.found);
	     at--)
		if (at < BOOK_ROWS)
			rows[at] = rows[at - 1];
	if (at < BOOK_ROWS)
		rows[at] = row;
	book->row_count += book->row_count < BOOK_ROWS;
}

static struct book_row row_of(const struct plan *plan, uint32_t i, uint64_t driver, uint64_t found)
{
	struct account_place at;

	if (i >= plan_accounts(plan))
		return (struct book_row){.driver = driver, .found = found};
	at = plan_account_place(plan, i);
	return (struct book_row){at.address, at.port, at.datagrams, driver, found};
}

static struct gap compare_accounts(struct book *book, const struct tape *tape,
				   const struct plan *plan,
				   void (*sides)(const struct account *, uint64_t *, uint64_t *))
{
	struct gap gap = {0};
	uint32_t out = 0;

	for (uint32_t i = 0; i < tape->account_count; i++) {
		uint64_t driver, found;

		sides(&tape->accounts[i], &driver, &found);
		if (driver == found)
			continue;
		out++;
		gap.over += less(found, driver);
		gap.under += less(driver, found);
		keep_row(book, row_of(plan, i, driver, found));
	}
	book->more_count = out - book->row_count;
	book->more_apart = gap.over + gap.under;
	for (uint32_t i = 0; i < book->row_count; i++)
		book->more_apart -= apart(book->rows[i].driver, book->rows[i].found);
	return gap;
}

/* The totals, which are counted apart from the accounts and can be out where those are not; and the
 * accounts, which a tape that was read from a file does not keep. */
static struct gap compare_all(struct book *book, const struct tape *tape, const struct plan *plan,
			      void (*sides)(const struct account *, uint64_t *, uint64_t *))
{
	struct gap all = {less(book->found, book->driver), less(book->driver, book->found)}, each;

	if (!has_accounts(tape))
		return all;
	each = compare_accounts(book, tape, plan, sides);
	return (struct gap){most(all.over, each.over), most(all.under, each.under)};
}

/* What is too much, and too little, is explained by exceptions of its own kind. */
static void explain(struct book *book, struct gap gap, uint64_t over, uint64_t under)
{
	book->apart = gap.over + gap.under;
	book->explained = least(gap.over, over) + least(gap.under, under);
}

/* ---- what is open -------------------------------------------------------- */

/* Does the scenario have anybody who may answer any open connection with a RST? A far end that ends
 * connections itself or dies, or a gateway that has forgotten a mapping. */
static bool may_be_reset(const struct plan *plan)
{
	const struct scenario *s = plan->scenario;

	return behaviour_does(s->server.behaviour, DOES_END) || s->server.die ||
	       plan->nat.outside.count;
}

static bool may_end_by(const struct load *load, enum end end)
{
	return load->end == end || load->mix.share[end] > 0;
}

/* Connections that ended without a FIN, less those that the driver, and its prober, know of. On
 * loopback the other ends are counted too. Of what somebody else may reset the least: a RST after the FIN
 * moves no EstabResets, nor need the far end's half of it. */
static uint64_t ended_otherwise(const struct tape *tape, const struct plan *plan,
				const struct measures *m)
{
	uint64_t own = tape->tally.reset + tape->tally.lost;
	bool any = may_be_reset(plan),
	     both = plan->scenario->network.topology == TOPOLOGY_LOOPBACK && !any;

	for (uint32_t i = 0; any && i < plan->load_count; i++) {
		const struct tally *t = evidence_tally(plan, tape, i);

		if (may_end_by(plan->loads[i].load, END_SHUTDOWN))
			own = less(own, t->reset + t->lost);
	}
	own += tape->latency ? tape->latency->all.count : 0;
	return less(moved(m, "EstabResets"), both ? 2 * own : own);
}

/* By a backlog that was full, so that what the client takes for open is answered with a RST: at most so
 * many, as each was dropped there once. */
static uint64_t forgotten(const struct measures *m)
{
	return (uint64_t)m->fixed[MEASURE_SERVER_DROPPED].n;
}

/* Given up for want of an answer, or forgotten. */
static uint64_t unanswered(const struct measures *m)
{
	return moved(m, "TCPAbortOnTimeout") + forgotten(m);
}

/* On loopback what a far end opens to itself has the client's ports: of several chains, one after the
 * other, no more at once than there are. */
static uint64_t looped(const struct tape *tape, const struct plan *plan)
{
	bool shared = plan->scenario->network.topology == TOPOLOGY_LOOPBACK;

	return shared ? least(tape->far_opened, plan->budget.capacity) : 0;
}

/* Those that have sent their FIN, whatever the kernel has of them since. */
static uint64_t closing(const struct sample *s)
{
	return s->states[STATE_TIME_WAIT] + s->states[STATE_FIN_WAIT1] +
	       s->states[STATE_FIN_WAIT2] + s->states[STATE_CLOSING] + s->states[STATE_LAST_ACK];
}

/* Of UDP a close leaves nothing: where its loads are counted in, the accounts alone tell. */
static bool closed_by(const struct tape *tape, const struct plan *plan, uint64_t *closed)
{
	*closed = tape->tally.closed;
	if (!plan_speaks(plan, PROTOCOL_UDP))
		return true;
	*closed = 0;
	for (uint32_t i = 0; has_accounts(tape) && i < tape->account_count; i++)
		*closed += tape->accounts[i].closed;
	return has_accounts(tape) && plan_speaks(plan, PROTOCOL_TCP);
}

/* Those of them that are open to the driver: it waits for the far end's FIN, or is about to learn of
 * it. Of those it has closed, the ones whose TIME_WAIT we have ended are not among them any more. */
static uint64_t half_closed(const struct tape *tape, const struct sample *s, uint64_t closed)
{
	uint64_t sure = s->states[STATE_FIN_WAIT2],
		 more = less(closing(s), less(closed, tape->destroyed));

	return least(tape->tally.open, more > sure ? more : sure);
}

/* And those that no counter tells of: the far end's FIN came first, or its RST when they had sent theirs. */
static uint64_t ended_half_closed(const struct tape *tape, const struct plan *plan)
{
	const struct scenario *s = plan->scenario;
	uint64_t n = 0;

	if (!behaviour_does(s->server.behaviour, DOES_END) && !s->server.die)
		return 0;
	for (uint32_t i = 0; i < plan->load_count; i++)
		if (may_end_by(plan->loads[i].load, END_SHUTDOWN))
			n += tape->load_count ? tape->loads[i].tally.open : tape->tally.open;
	return n;
}

/* Then each that it closes is in TIME_WAIT, or on its way there. */
static bool client_closes_first(const struct plan *plan)
{
	const struct scenario *s = plan->scenario;
	enum behaviour b = s->server.behaviour;
	bool first = behaviour_does(b, DOES_LISTEN) && !behaviour_does(b, DOES_END) &&
		     !s->server.die && !s->server.vanish && !s->server.delay;

	for (uint32_t i = 0; i < plan->load_count; i++)
		first &= !may_end_by(plan->loads[i].load, END_WAIT);
	return first;
}

/* None of those closed was left so long that the kernel has ended it. */
static bool is_early(const struct tape *tape, const struct plan *plan, const struct sample *s)
{
	int64_t fin_ns = life_fin_wait_ns(plan->scenario);

	return s->t_ns - tape->begin_ns < (fin_ns < TIME_WAIT_NS ? fin_ns : TIME_WAIT_NS);
}

/* What the kernel has put into TIME_WAIT, or let wait for a FIN without a socket. */
static uint64_t put_to_wait(const struct measures *m)
{
	return moved(m, "TW") + moved(m, "TWKilled");
}

/* Does anybody leave unread what was sent to him? His close is a RST then (RFC 2525, 2.17). */
static bool leaves_unread(const struct plan *plan)
{
	bool unread = !behaviour_does(plan->scenario->server.behaviour, DOES_SERVE);

	for (uint32_t i = 0; i < plan->load_count; i++)
		unread |= !plan->loads[i].load->request.read;
	return unread && plan_has_requests(plan);
}

/* Those whose FIN nobody has acknowledged in time, or that a far end has answered with a RST which had
 * forgotten them: they never came to TIME_WAIT. Those that wait for an acknowledgement still are none. */
static uint64_t unheard(const struct tape *tape, const struct measures *m, const struct sample *s,
			uint64_t closed)
{
	uint64_t waiting = less(closing(s), s->tw + half_closed(tape, s, closed));

	return least(less(closed, put_to_wait(m) + moved(m, "TCPTimeWaitOverflow") + waiting),
		     unanswered(m));
}

/* Does each that was closed show, in TIME_WAIT or in a counter? */
static bool tells_closed(const struct tape *tape, const struct plan *plan, const struct measures *m,
			 const struct sample *s)
{
	return client_closes_first(plan) && is_early(tape, plan, s) && m->counters_known;
}

/* Of those that went unanswered, those that had sent their FIN: these explain none of what was open. */
static uint64_t unheard_closed(const struct tape *tape, const struct plan *plan,
			       const struct measures *m, const struct sample *s)
{
	uint64_t closed;

	if (!closed_by(tape, plan, &closed) || !tells_closed(tape, plan, m, s) ||
	    leaves_unread(plan))
		return 0;
	return unheard(tape, m, s, closed);
}

/* Does what is open ever wait for an acknowledgement, for want of which the kernel gives it up? Of a
 * request, of a FIN, or of keepalive's probe; who is idle never learns that his peer is gone. */
static bool may_time_out(const struct plan *plan)
{
	bool waits = plan_has_requests(plan);

	for (uint32_t i = 0; i < plan->load_count; i++)
		waits |= plan->loads[i].load->options.keepalive.idle > 0 ||
			 may_end_by(plan->loads[i].load, END_SHUTDOWN);
	return waits;
}

/* Of those that ended otherwise: who is reset, or is given up for want of an answer. What is left was
 * ended by neither end (SOCK_DESTROY). */
static uint64_t resets_of_others(const struct tape *tape, const struct plan *plan,
				 const struct measures *m, const struct sample *s)
{
	uint64_t all = ended_otherwise(tape, plan, m);

	if (may_be_reset(plan))
		return all;
	if (!may_time_out(plan))
		return least(all, forgotten(m));
	return least(all, unanswered(m) - unheard_closed(tape, plan, m, s));
}

/* A connection can be open that was in flight when the load ended; one that has sent its FIN and
 * waits for the far end's is still open to the driver; and a socket of UDP need not be connected. */
static struct book compare_live(const struct tape *tape, const struct plan *plan,
				const struct measures *m, const struct sample *s)
{
	const struct tally *t = &tape->tally;
	bool datagrams = plan_speaks(plan, PROTOCOL_UDP);
	uint64_t closed, ended = ended_half_closed(tape, plan);
	struct book book = {
		.known = true,
		.driver = t->open + t->leaked + t->inherited,
		.found = s->states[STATE_ESTABLISHED] + s->states[STATE_CLOSE_WAIT],
		.excepted = {[EXCEPTION_RESET] = resets_of_others(tape, plan, m, s),
			     [EXCEPTION_IN_FLIGHT] = t->in_flight,
			     [EXCEPTION_LOOPED] = looped(tape, plan),
			     [EXCEPTION_UNCONNECTED] = datagrams ? s->states[STATE_BOUND] : 0},
	};
	struct gap gap = compare_all(&book, tape, plan, open_of);

	closed_by(tape, plan, &closed);
	book.excepted[EXCEPTION_HALF_CLOSED] = least(t->open, half_closed(tape, s, closed) + ended);
	explain(&book, gap, t->in_flight + book.excepted[EXCEPTION_LOOPED],
		book.excepted[EXCEPTION_RESET] + book.excepted[EXCEPTION_HALF_CLOSED] +
			book.excepted[EXCEPTION_UNCONNECTED]);
	book.foreign = least(book_missing(&book),
			     ended_otherwise(tape, plan, m) - book.excepted[EXCEPTION_RESET]);
	return book;
}

/* ---- what is closed ------------------------------------------------------ */

/* What was put into TIME_WAIT and is gone, though neither a new connection has taken it over nor we have
 * destroyed it, which no counter tells. How many are there is the kernel's own count, not the dump's: what
 * a dump has missed would else explain itself. */
static uint64_t vanished(const struct tape *tape, const struct measures *m, const struct sample *s)
{
	return less(put_to_wait(m), s->tw + moved(m, "TWRecycled") + tape->destroyed);
}

/* Of them, those that a RST may have killed (tcp_timewait_state_process(), net/ipv4/tcp_minisocks.c).
 * Where net.ipv4.tcp_rfc1337 keeps TIME_WAIT from that, only FIN_WAIT2 is: by the RST of an end that had
 * something unread, as the answer to a request that was given up. */
static uint64_t killed(const struct tape *tape, const struct plan *plan, uint64_t vanished)
{
	if (!life_outlasts_resets(plan->scenario) || leaves_unread(plan))
		return vanished;
	return least(vanished, tape->tally.requests_failed);
}

static struct book compare_closed(const struct tape *tape, const struct plan *plan,
				  const struct measures *m, const struct sample *s)
{
	uint64_t gone = vanished(tape, m, s);
	struct book book = {
		.found = closing(s),
		/* Some of those that are open have sent their FIN. */
		.excepted = {[EXCEPTION_HALF_CLOSED] = tape->tally.open,
			     [EXCEPTION_LOOPED] = looped(tape, plan),
			     [EXCEPTION_RECYCLED] = moved(m, "TWRecycled"),
			     [EXCEPTION_OVERFLOW] = moved(m, "TCPTimeWaitOverflow"),
			     [EXCEPTION_DESTROYED] = tape->destroyed,
			     [EXCEPTION_KILLED] = killed(tape, plan, gone)},
	};
	struct gap gap;

	book.known = closed_by(tape, plan, &book.driver);
	book.excepted[EXCEPTION_UNHEARD] = unheard(tape, m, s, book.driver);
	gap = compare_all(&book, tape, plan, closed_of);
	if (!tells_closed(tape, plan, m, s)) {
		book.known &= gap.over > 0; /* what is too much is so in any case */
		gap.under = 0;
	}
	explain(&book, gap, book.excepted[EXCEPTION_HALF_CLOSED] + book.excepted[EXCEPTION_LOOPED],
		book.excepted[EXCEPTION_RECYCLED] + book.excepted[EXCEPTION_OVERFLOW] +
			book.excepted[EXCEPTION_DESTROYED] + book.excepted[EXCEPTION_KILLED] +
			book.excepted[EXCEPTION_UNHEARD]);
	if (gap.under)
		book.foreign = least(book_missing(&book), gone - book.excepted[EXCEPTION_KILLED]);
	return book;
}

/* ---- all of them --------------------------------------------------------- */

/* The driver's own: nothing explains a difference. */
static struct book compare_own(uint64_t left, uint64_t right)
{
	return (struct book){
		.known = true, .driver = left, .found = right, .apart = apart(left, right)};
}

void books_compare(struct book books[BOOKS], const struct tape *tape, const struct plan *plan,
		   const struct measures *m)
{
	const struct tally *t = &tape->tally;
	const struct sample *rest = rest_of(tape);

	books[BOOK_ATTEMPTED] = compare_own(t->attempted, t->opened + t->failed + t->in_flight);
	books[BOOK_OPENED] = compare_own(t->opened, t->open + t->closed + t->reset + t->leaked +
							    t->inherited + t->lost);
	if (!rest)
		return;
	books[BOOK_LIVE] = compare_live(tape, plan, m, rest);
	books[BOOK_CLOSED] = compare_closed(tape, plan, m, rest);
}
