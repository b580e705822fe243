#include "judge/books.h"

static uint64_t moved(const struct measures *m, const char *counter)
{
	for (size_t i = 0; i < m->counter_count; i++)
		if (text_is(m->counters[i].name, counter))
			return m->counters[i].moved;
	return 0;
}

uint64_t book_missing(const struct book *book)
{
	uint64_t apart = book->driver > book->found ? book->driver - book->found
						    : book->found - book->driver;

	return book->known && apart > book->explained ? apart - book->explained : 0;
}

/* The dump after the load, of sockets that all had come to rest; NULL: there is none. */
static const struct sample *rest_of(const struct tape *tape)
{
	const struct sample *s = tape_last_dump(tape);

	return s && tape->complete && s->at_rest && !s->torn && s->t_ns >= tape->end_ns ? s : NULL;
}

/* A connection can be open that was in flight when the load ended; one that has sent its FIN and
 * waits for the far end's is still open to the driver; and a socket of UDP need not be connected. */
static struct book compare_live(const struct tape *tape, const struct plan *plan,
				const struct measures *m, const struct sample *s)
{
	const struct tally *t = &tape->tally;
	uint64_t resets = moved(m, "EstabResets"); /* the driver's own are among them */
	uint64_t unconnected = plan_speaks(plan, PROTOCOL_UDP) ? s->states[STATE_BOUND] : 0;

	return (struct book){
		.known = true,
		.driver = t->open + t->leaked + t->inherited,
		.found = s->states[STATE_ESTABLISHED] + s->states[STATE_CLOSE_WAIT],
		.explained = (resets > t->reset ? resets - t->reset : 0) + t->in_flight +
			     s->states[STATE_FIN_WAIT2] + unconnected,
	};
}

static bool ends_by_wait(const struct load *load)
{
	return load->end == END_WAIT || load->mix.share[END_WAIT] > 0;
}

/* Then each that it closes is in TIME_WAIT, or on its way there. */
static bool client_closes_first(const struct plan *plan)
{
	const struct scenario *s = plan->scenario;
	enum behaviour b = s->server.behaviour;
	bool first = behaviour_does(b, DOES_LISTEN) && !behaviour_does(b, DOES_END) &&
		     !s->server.die && !s->server.vanish && !s->server.delay;

	for (uint32_t i = 0; i < plan->load_count; i++)
		first &= !ends_by_wait(plan->loads[i].load);
	return first;
}

/* None of those closed was left so long that the kernel has ended it. */
static bool is_early(const struct tape *tape, const struct plan *plan, const struct sample *s)
{
	int64_t fin_s = setting_number(&plan->scenario->network.sysctl, "net.ipv4.tcp_fin_timeout",
				       TIME_WAIT_NS / 1000000000);
	int64_t life_ns = fin_s * 1000000000 < TIME_WAIT_NS ? fin_s * 1000000000 : TIME_WAIT_NS;

	return s->t_ns - tape->begin_ns < life_ns;
}

static struct book compare_closed(const struct tape *tape, const struct plan *plan,
				  const struct measures *m, const struct sample *s)
{
	const uint64_t *states = s->states;
	struct book book = {
		.known = !plan_speaks(plan, PROTOCOL_UDP),
		.driver = tape->tally.closed,
		.found = states[STATE_TIME_WAIT] + states[STATE_FIN_WAIT1] +
			 states[STATE_FIN_WAIT2] + states[STATE_CLOSING] + states[STATE_LAST_ACK],
	};

	if (book.found > book.driver) {
		book.explained = tape->tally.open; /* of which some have sent their FIN */
		return book;
	}
	book.known &= client_closes_first(plan) && is_early(tape, plan, s) && m->counters_known;
	book.explained = moved(m, "TWRecycled") + moved(m, "TCPTimeWaitOverflow") + tape->destroyed;
	return book;
}

void books_compare(struct book books[BOOKS], const struct tape *tape, const struct plan *plan,
		   const struct measures *m)
{
	const struct tally *t = &tape->tally;
	const struct sample *rest = rest_of(tape);

	books[BOOK_ATTEMPTED] =
		(struct book){true, t->attempted, t->opened + t->failed + t->in_flight, 0};
	books[BOOK_OPENED] = (struct book){
		true, t->opened, t->open + t->closed + t->reset + t->leaked + t->inherited, 0};
	if (!rest)
		return;
	books[BOOK_LIVE] = compare_live(tape, plan, m, rest);
	books[BOOK_CLOSED] = compare_closed(tape, plan, m, rest);
}
