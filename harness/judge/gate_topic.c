#include "judge/gate_topic.h"

#include <math.h>

#include "judge/books.h"
#include "judge/gateway.h"
#include "judge/say.h"

/* "Each has its port for 2 s, so that 10/s want 20 at once." */
static const char *say_wanted(const struct evidence *e)
{
	double rate = plan_rate(e->plan);
	int64_t life = live_time(e->plan) + (e->tape->tally.closed ? quiet_time(e->plan) : 0);

	if (rate <= 0 || e->tape->tally.leaked || e->plan->load_count > 1)
		return "";
	return text_format(e->a, " Each has its port for %s, so that %s want %s at once.",
			   say_time(e->a, life), say_rate(e->a, rate),
			   say_number_of(e->a, (uint64_t)(rate * (double)life / 1e9 + 0.999),
					 "port", "ports"))
		.s;
}

static const char *say_refusal(const struct evidence *e)
{
	const struct measures *m = e->measures;
	const struct value *at = &m->fixed[MEASURE_EXHAUSTED_AT];
	const char *opened =
		say_number_of(e->a, e->tape->tally.opened, "connection", "connections");

	if (at->present)
		return text_format(e->a,
				   "Of %s that were opened %s were before the first want of a "
				   "port, at %s; there %s %s %s.",
				   opened, say_count(e->a, e->tape->opened_before),
				   say_time(e->a, (int64_t)at->n),
				   say_either(e->plan->budget.usable, "is", "are"), say_ports(e),
				   say_towards(e))
			.s;
	return text_format(
		       e->a,
		       "%s opened, and at most %s of %s %s in use at once %s: no connect lacked "
		       "one.%s",
		       opened,
		       say_count(e->a, (uint64_t)evidence_measured(e, MEASURE_PORTS_USED_MAX)),
		       say_ports(e), say_either(e->plan->budget.usable, "was", "were"),
		       say_towards(e), say_wanted(e))
		.s;
}

static const char *say_sockets(const struct evidence *e)
{
	struct holders h = evidence_holders(e);
	const char *kinds = say_holders(e);

	if (!e->full)
		return "The sockets were never dumped (sample.sockets).";
	if (kinds[0])
		return text_format(e->a, "In the fullest dump %s; there %s %s %s.%s", kinds,
				   say_either(e->plan->budget.usable, "is", "are"), say_ports(e),
				   say_towards(e), say_lag(e))
			.s;
	return text_format(e->a, "In the fullest dump %s in use; there %s %s %s.%s",
			   say_number_of(e->a, h.own, "port was", "ports were"),
			   say_either(e->plan->budget.usable, "is", "are"), say_ports(e),
			   say_towards(e), say_lag(e))
		.s;
}

static const char *say_pace(const struct evidence *e)
{
	const struct tally *t = &e->tape->tally;
	const char *late = "", *failed = "";

	if (t->late > 0)
		late = text_format(
			       e->a, "; %s due and not begun when it ended",
			       say_number_of(e->a, t->late, "connection was", "connections were"))
			       .s;
	if (t->failed > 0)
		failed = text_format(e->a, "; %s failed", say_count(e->a, t->failed)).s;
	return text_format(e->a, "%s opened in %s, %s%s%s%s.",
			   say_number_of(e->a, t->opened, "connection was", "connections were"),
			   say_time(e->a, (int64_t)evidence_measured(e, MEASURE_ELAPSED)),
			   say_rate(e->a, evidence_measured(e, MEASURE_CONNECTS_RATE)),
			   plan_rate(e->plan) > 0 ? say_demand(e, INFINITY) : "", late, failed)
		.s;
}

static const char *say_latency(const struct evidence *e)
{
	double timed = evidence_measured(e, MEASURE_LATENCY_COUNT);

	return text_format(e->a,
			   "Of %s that were timed half took no more than %s, 99 %% no more than "
			   "%s, and "
			   "the longest %s.",
			   say_number_of(e->a, (uint64_t)timed, "connect", "connects"),
			   say_time(e->a, (int64_t)evidence_measured(e, MEASURE_LATENCY_P50)),
			   say_time(e->a, (int64_t)evidence_measured(e, MEASURE_LATENCY_P99)),
			   say_time(e->a, (int64_t)evidence_measured(e, MEASURE_LATENCY_MAX)))
		.s;
}

static const char *say_requests(const struct evidence *e)
{
	const struct tally *t = &e->tape->tally;

	return text_format(e->a, "%s done and %s failed, over %s; %s found one that had served.",
			   say_number_of(e->a, t->requests_done, "request was", "requests were"),
			   say_count(e->a, t->requests_failed),
			   say_number_of(e->a, t->opened, "connection", "connections"),
			   say_count(e->a, t->requests_reused))
		.s;
}

static const char *say_ends(const struct evidence *e)
{
	const struct tally *t = &e->tape->tally;

	return text_format(
		       e->a,
		       "Of %s begun %s opened and %s failed; of those opened %s were closed, %s "
		       "reset, %s never closed, %s lost, and %s open at the end.",
		       say_number_of(e->a, t->attempted, "connection", "connections"),
		       say_count(e->a, t->opened), say_count(e->a, t->failed),
		       say_count(e->a, t->closed), say_count(e->a, t->reset),
		       say_count(e->a, t->leaked + t->inherited), say_count(e->a, t->lost),
		       say_count(e->a, t->open))
		.s;
}

static const char *say_books(const struct evidence *e)
{
	struct text all = {0};

	for (int i = 0; i < BOOKS; i++) {
		const struct book *b = &e->measures->books[i];

		if (book_missing(b) > 0)
			all = text_format(e->a, TEXT_FMT "%s%s: %s; %s: %s; %s are unexplained.",
					  TEXT_ARG(all), all.len ? " " : "",
					  book_left((enum book_kind)i), say_count(e->a, b->driver),
					  book_right((enum book_kind)i), say_count(e->a, b->found),
					  say_count(e->a, book_missing(b)));
	}
	return all.len ? all.s : say_ends(e);
}

/* "32", "at least 1", "30 to 32" */
static const char *say_guess(const struct evidence *e, enum measure_kind kind,
			     const struct guess *g)
{
	const char *least = say_measure(e->a, kind, g->least);

	if (g->least == g->most)
		return least;
	return isinf(g->most)
		       ? text_format(e->a, "at least %s", least).s
		       : text_format(e->a, "%s to %s", least, say_measure(e->a, kind, g->most)).s;
}

static const char *say_foretold(const struct evidence *e)
{
	struct text all = {0};

	for (int i = 0; i < PREDICTIONS; i++) {
		const struct compared *c = &e->measures->predictions[i];
		const struct prediction_info *p = &prediction_infos[i];

		if (c->outcome == OUTCOME_BROKEN)
			all = text_format(e->a, TEXT_FMT "%s%s was to be %s, and is %s.",
					  TEXT_ARG(all), all.len ? " " : "", p->name,
					  say_guess(e, p->kind, &c->predicted),
					  say_measure(e->a, p->kind, c->observed.n));
	}
	return all.len ? all.s : "All that was predicted of it holds.";
}

static const char *say_arithmetic(const struct evidence *e)
{
	const struct forecast *f = &e->plan->forecast;

	if (f->port_life_ns == FOR_EVER)
		return text_format(e->a, "There %s %s %s, and a port is never given back.",
				   say_either(e->plan->budget.usable, "is", "are"), say_ports(e),
				   say_towards(e))
			.s;
	return text_format(e->a, "There %s %s %s, and each is taken for up to %s by a connection.",
			   say_either(e->plan->budget.usable, "is", "are"), say_ports(e),
			   say_towards(e), say_time(e->a, f->life_most_ns))
		.s;
}

static const char *say_gateway(const struct evidence *e)
{
	const char *unmapped = "";

	if (gateway_maps_for_all(e))
		unmapped = text_format(e->a, ", and %s without a mapping",
				       say_dropped(e, MEASURE_NAT_UNMAPPED))
				   .s;
	return text_format(
		       e->a,
		       "The gateway has %s, tracked up to %s at once, and dropped %s "
		       "(insert_failed "
		       "%s)%s.",
		       say_gateway_ports(e), say_tracked(e), say_dropped(e, MEASURE_NAT_DROP),
		       say_count(e->a, (uint64_t)evidence_measured(e, MEASURE_NAT_INSERT_FAILED)),
		       unmapped)
		.s;
}

/* ", its process died after 0.3 s", if it did. */
static const char *say_moment(const struct evidence *e, enum measure when, const char *what)
{
	const struct value *at = &e->measures->fixed[when];

	if (!at->present)
		return "";
	return text_format(e->a, ", %s after %s", what, say_time(e->a, (int64_t)at->n)).s;
}

/* What there is to say of the far end, each by its measure. */
static const char *say_server(const struct evidence *e)
{
	uint64_t opened = (uint64_t)evidence_measured(e, MEASURE_SERVER_OPENED);
	const char *died = say_moment(e, MEASURE_SERVER_DIED, "its process died"),
		   *gone = say_moment(e, MEASURE_SERVER_GONE, "its host vanished"), *own = "";

	if (e->measures->fixed[MEASURE_SERVER_OPENED].present)
		own = text_format(e->a, ", it opened %s to itself",
				  say_number_of(e->a, opened, "connection", "connections"))
			      .s;
	return text_format(e->a, "Of the far end: its backlog dropped %s%s%s%s; the client had %s.",
			   say_count(e->a, (uint64_t)evidence_measured(e, MEASURE_SERVER_DROPPED)),
			   own, died, gone,
			   say_number_of(e->a, e->tape->tally.opened, "connection", "connections"))
		.s;
}

static const char *say_squat(const struct evidence *e)
{
	uint32_t wanted = e->plan->squat.sockets;

	if (wanted == 0)
		return "The scenario has no squat.";
	return text_format(
		       e->a,
		       "Of %s of squat %s; %s refused after the load had begun "
		       "(squat.start).",
		       say_number_of(e->a, wanted, "socket", "sockets"),
		       say_number_of(e->a, e->tape->squat_held, "has its port", "have their ports"),
		       say_number_of(e->a, e->tape->squat_refused, "was", "were"))
		.s;
}

const struct gate_topic gate_topics[TOPICS] = {
	[TOPIC_ENDS] = {say_ends, true,
			"hold the line against what the load is told to do: `lastport show` prints "
			"it with every default"},
	[TOPIC_REFUSAL] = {say_refusal, true,
			   "ask for more within the life of a port (load.total, load.rate, "
			   "load.hold), or give the client fewer ports (network.ports); if it is "
			   "right that they suffice, expect that"},
	[TOPIC_SOCKETS] = {say_sockets, true,
			   "for fewer at once: shorter holds, a pool with a limit, a lower "
			   "concurrency; for more, the reverse, and sample.sockets more often, "
			   "since what comes and goes between two dumps is not seen"},
	[TOPIC_PACE] =
		{say_pace, false,
		 "see whether the machine kept up (connects.late, connects.behind), and what "
		 "else it had to do; then ask for another rate, or more at once"},
	[TOPIC_LATENCY] = {say_latency, false,
			   "compare latency.lower_half.p50 with the upper half's: past half full a "
			   "connect walks over the range; what the longest alone took may be the "
			   "machine's"},
	[TOPIC_REQUESTS] =
		{say_requests, true,
		 "look at errors.send and errors.receive of the run, and at the far end; "
		 "for more reuse, a pool as large as the requests at once"},
	[TOPIC_BOOKS] =
		{say_books, false,
		 "see runs[].books in result.json: which destinations are out, by how much, "
		 "and what the kernel explains of it"},
	[TOPIC_FORETOLD] = {say_foretold, false,
			    "`lastport report -v` has each prediction beside what was observed"},
	[TOPIC_ARITHMETIC] = {say_arithmetic, false,
			      "`lastport plan` writes the arithmetic out: change ports, "
			      "destinations or the life of a port until it comes to that"},
	[TOPIC_GATEWAY] = {say_gateway, true,
			   "hold it against network.nat.ports and network.nat.limit, and what the "
			   "gateway tracks of ended connections, for up to 120 s"},
	[TOPIC_SERVER] = {say_server, true,
			  "hold the line against what the far end is told to do (server), and when "
			  "the load ends"},
	[TOPIC_SQUAT] = {say_squat, true,
			 "see who has those ports when squat wants them: `ss -tanp`; what the load "
			 "has at squat.start it does not give back"},
};

/* Where a measure of the topic has no figure; NULL: nothing of the run makes it. */
static const char *const no_data[TOPICS] = {
	[TOPIC_LATENCY] = "no connect that was timed came to that",
	[TOPIC_REQUESTS] = "no request was done",
	[TOPIC_SOCKETS] = "no dump of the sockets tells it",
	[TOPIC_GATEWAY] = "the gateway was not looked at",
	[TOPIC_ARITHMETIC] = "the arithmetic does not come to a figure",
	[TOPIC_SQUAT] = "nothing squats, or nothing after the load has begun (squat.start)",
};

const char *gate_why_no_data(const struct evidence *e, enum measure what)
{
	enum measure_topic topic = measure_infos[what].topic;

	if (topic == TOPIC_REFUSAL)
		return e->tape->exhausted ? "no port came back before the load ended"
					  : "the ports did not run out";
	return no_data[topic] ? no_data[topic] : "nothing of the run makes it";
}
