#include <errno.h>
#include <math.h>

#include "judge/evidence.h"
#include "judge/late.h"
#include "judge/outlook.h"
#include "judge/say.h"
#include "plan/bind.h"
#include "plan/unanswered.h"

const char *say_holders(const struct evidence *e)
{
	const struct holders h = evidence_holders(e);
	const struct {
		uint64_t n;
		const char *words;
	} parts[] = {
		{h.leaked, "never closed"},
		{h.inherited, "kept by a child"},
		{h.live, "open"},
		{h.time_wait, "in TIME_WAIT"},
		{h.fin_wait, "in FIN_WAIT"},
		{h.unanswered, "in SYN_SENT"},
	};
	struct text list = {0};
	int kinds = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].n == 0)
			continue;
		list = text_format(e->a, TEXT_FMT "%s%s %s", TEXT_ARG(list), kinds ? ", " : "",
				   say_count(e->a, parts[i].n), parts[i].words);
		kinds++;
	}
	if (kinds < 2)
		return "";
	return text_format(e->a, "of %s in use " TEXT_FMT,
			   say_number_of(e->a, h.own, "port", "ports"), TEXT_ARG(list))
		.s;
}

const char *say_towards(const struct evidence *e)
{
	const struct plan *p = e->plan;
	const char *to = "to one destination";

	if (p->destinations == 1 && e->load->load->protocol == PROTOCOL_UDP)
		to = "towards all destinations";
	else if (p->destinations > 1 && p->budget.spaces < p->budget.pairs)
		to = "to all destinations together";
	else if (p->destinations > 1)
		to = text_format(
			     e->a, "to each of %s",
			     say_number_of(e->a, p->destinations, "destination", "destinations"))
			     .s;
	if (p->sources.count > 1)
		to = text_format(e->a, "%s, from each of %s", to,
				 say_number_of(e->a, p->sources.count, "address", "addresses"))
			     .s;
	return to;
}

const char *say_ports(const struct evidence *e)
{
	return text_format(e->a, "%s%s",
			   say_number_of(e->a, e->plan->budget.usable, "port", "ports"),
			   e->ports_of)
		.s;
}

const char *say_ports_left(const struct evidence *e)
{
	return text_format(e->a, "%s%s", say_number_of(e->a, bound_left(e), "port", "ports"),
			   e->ports_of)
		.s;
}

/* A second, until the first was refused: what came after that is what was left to be had. */
static double opened_rate(const struct evidence *e)
{
	const struct value *at = &e->measures->fixed[MEASURE_EXHAUSTED_AT];
	bool ran_out = at->present && at->n > 0;

	return ran_out ? (double)e->tape->opened_before * 1e9 / at->n
		       : evidence_measured(e, MEASURE_CONNECTS_RATE);
}

static const char *say_opened(const struct evidence *e)
{
	const struct value *seen = &e->measures->fixed[MEASURE_CONNECTS_RATE],
			   *at = &e->measures->fixed[MEASURE_EXHAUSTED_AT];
	uint32_t several = e->plan->load_count;
	bool ran_out = at->present && at->n > 0;

	if (!seen->present && !ran_out)
		return "";
	return text_format(e->a, "; %s opened %s%s",
			   say_either(several, "this load", "these loads"),
			   say_rate(e->a, opened_rate(e)),
			   ran_out ? " until the first was refused" : "")
		.s;
}

/* That ports ran out though no more is asked for than they carry. */
static const char *say_why_so(const struct evidence *e, double asked, double most)
{
	const struct forecast *f = &e->plan->forecast;
	double life_ns = (double)f->port_life_ns;

	if (asked * (life_ns + (double)f->late_ns) <= most * life_ns)
		return ", no more than that, but unevenly";
	return text_format(e->a, ", no more than that, but a timer may be %s late",
			   say_time(e->a, f->late_ns))
		.s;
}

/* Of ports of the range: less what loads ask for that name others. */
static double asked_here(const struct evidence *e, uint32_t *loads)
{
	double asked = plan_rate(e->plan);

	*loads = e->plan->load_count;
	for (uint32_t i = 0; asked > 0 && i < e->plan->load_count; i++) {
		if (!evidence_is_outside(e->plan, i))
			continue;
		asked -= shape_asks(&e->plan->loads[i].shape);
		*loads -= 1;
	}
	return asked;
}

bool evidence_outruns(const struct evidence *e, uint64_t ports)
{
	uint32_t several;
	double asked = asked_here(e, &several), rate = asked > 0 ? asked : opened_rate(e);
	int64_t life_ns = outlook_life_ns(e->plan, OUTLOOK_HERE, *e->a);

	return rate * (double)life_ns / 1e9 > (double)ports * e->plan->budget.spaces;
}

const char *say_demand(const struct evidence *e, double most)
{
	uint32_t several;
	double asked = asked_here(e, &several);
	bool fits = e->tape->exhausted && e->kept == 0 && asked <= most && isfinite(most);

	if (asked <= 0)
		return say_opened(e);
	return text_format(e->a, "; %s for %s%s",
			   say_either(several, "this load asks", "these loads ask"),
			   say_rate(e->a, asked), fits ? say_why_so(e, asked, most) : "")
		.s;
}

const char *say_failed(const struct evidence *e, uint64_t n, enum stage stage, int error)
{
	return text_format(e->a, "%s failed %s with %s (%s).", stage_call(stage),
			   say_number_of(e->a, n, "time", "times"), errno_name(error),
			   failure_words(stage, error))
		.s;
}

const char *say_failures(const struct evidence *e, enum stage stage, int error)
{
	return say_failed(e, evidence_errors(e, stage, error), stage, error);
}

const char *say_since(const struct evidence *e, enum measure when, const char *what)
{
	const struct value *at = &e->measures->fixed[when];

	if (!at->present)
		return "";
	return text_format(e->a, " any more: %s after %s, and %s opened", what,
			   say_time(e->a, (int64_t)at->n),
			   say_number_of(e->a, e->tape->tally.opened, "connection was",
					 "connections were"))
		.s;
}

const char *say_gone(const struct evidence *e)
{
	const struct value *at = &e->measures->fixed[MEASURE_SERVER_GONE];

	if (!at->present)
		return "";
	return text_format(e->a, " The server's host vanished after %s.",
			   say_time(e->a, (int64_t)at->n))
		.s;
}

const char *say_accepts(const struct evidence *e)
{
	int64_t every_ns = e->plan->scenario->server.accept_every;
	double asked = plan_rate(e->plan), accepted = every_ns ? 1e9 / (double)every_ns : INFINITY;

	if (asked <= accepted || e->plan->destinations > 1 || plan_speaks(e->plan, PROTOCOL_UDP))
		return "";
	return text_format(e->a,
			   " The far end accepts %s, of %s: the others wait for it, each with its "
			   "port.",
			   say_rate(e->a, accepted), say_rate(e->a, asked))
		.s;
}

const char *say_drops(const struct evidence *e)
{
	uint64_t n = (uint64_t)e->measures->fixed[MEASURE_SERVER_DROPPED].n;

	if (n == 0)
		return "";
	return text_format(e->a,
			   " The server's backlog was full: %s it dropped what it was to answer "
			   "(ListenDrops).",
			   say_number_of(e->a, n, "time", "times"))
		.s;
}

const char *say_lag(const struct evidence *e)
{
	const struct value *behind = &e->measures->fixed[MEASURE_CONNECTS_BEHIND];

	if (!late_is_lighter(e->measures))
		return "";
	return text_format(e->a,
			   " This machine fell %sbehind the load: what is open stays open for "
			   "longer, and so more are at once than the load asks for. That is "
			   "lastport's own doing here.",
			   behind->present
				   ? text_format(e->a, "%s ", say_time(e->a, (int64_t)behind->n)).s
				   : "")
		.s;
}

static uint64_t timeouts_of(const struct tally *t)
{
	return t->errors[STAGE_CONNECT][ETIMEDOUT] + t->errors[STAGE_SEND][ETIMEDOUT] +
	       t->errors[STAGE_RECEIVE][ETIMEDOUT];
}

/* Has it waited in vain, or did none? */
static bool lost_patience(const struct evidence *e, uint32_t load)
{
	return timeouts_of(&e->tape->tally) == 0 ||
	       timeouts_of(evidence_tally(e->plan, e->tape, load)) > 0;
}

const char *say_patience(const struct evidence *e)
{
	int64_t shortest = INT64_MAX, longest = 0;

	for (uint32_t i = 0; i < e->plan->load_count; i++) {
		const struct load *l = e->plan->loads[i].load;
		int64_t timeout = l->timeout;

		if (!lost_patience(e, i))
			continue;
		if (evidence_tally(e->plan, e->tape, i)->errors[STAGE_RECEIVE][ETIMEDOUT] == 0)
			timeout = unanswered_ns(e->plan->scenario, l);
		shortest = timeout < shortest ? timeout : shortest;
		longest = timeout > longest ? timeout : longest;
	}
	if (longest == 0) /* the books of each are not to be had */
		return say_time(e->a, e->load->load->timeout);
	if (shortest == longest)
		return say_time(e->a, longest);
	return text_format(e->a, "%s to %s", say_time(e->a, shortest), say_time(e->a, longest)).s;
}

static bool is_named(const struct evidence *e)
{
	return e->plan->load_count > 1 || e->ports_of[0];
}

/* " web closed 41", ", cron 20" */
static struct text add_owner(struct text told, const struct evidence *e, struct text load,
			     const struct deed *deed, uint64_t n)
{
	bool is_first = told.len == 0;

	return text_format(e->a, TEXT_FMT "%s" TEXT_FMT "%s%s %s%s", TEXT_ARG(told),
			   is_first ? " " : ", ", TEXT_ARG(load), is_first ? " " : "",
			   is_first ? deed->did : "", say_count(e->a, n),
			   is_first ? (n == 1 ? deed->one : deed->what) : "");
}

const char *say_owners(const struct evidence *e, const struct deed *deed)
{
	enum { NAMED_MOST = 4 };
	struct text told = {"", 0};
	uint64_t named = 0, more = 0;

	for (size_t i = 0; is_named(e) && i < e->tape->load_count; i++) {
		uint64_t n = deed->of(e, i, deed);

		if (n > 0 && named++ < NAMED_MOST)
			told = add_owner(told, e, e->tape->loads[i].load, deed, n);
		else
			more += n;
	}
	if (more > 0)
		told = add_owner(told, e, TEXT("others"), deed, more);
	return named == 0 ? "" : text_format(e->a, TEXT_FMT ".", TEXT_ARG(told)).s;
}

/* Of ports of the range. */
static uint64_t closed_by(const struct evidence *e, size_t i, const struct deed *d)
{
	(void)d;
	return evidence_is_outside(e->plan, i) ? 0 : e->tape->loads[i].tally.closed;
}

static uint64_t leaked_by(const struct evidence *e, size_t i, const struct deed *d)
{
	(void)d;
	return e->tape->loads[i].tally.leaked;
}

static uint64_t inherited_by(const struct evidence *e, size_t i, const struct deed *d)
{
	(void)d;
	return e->tape->loads[i].tally.inherited;
}

/* Those that it keeps are told by themselves. */
static uint64_t open_by(const struct evidence *e, size_t i, const struct deed *d)
{
	const struct tape *load = &e->tape->loads[i];
	uint64_t kept = load->tally.leaked + load->tally.inherited;

	(void)d;
	return kept < load->open_peak && !evidence_is_outside(e->plan, i) ? load->open_peak : 0;
}

static uint64_t unanswered_by(const struct evidence *e, size_t i, const struct deed *d)
{
	const struct tally *t = &e->tape->loads[i].tally;

	(void)d;
	return t->errors[STAGE_CONNECT][ETIMEDOUT] + t->in_flight;
}

static uint64_t bound_by(const struct evidence *e, size_t i, const struct deed *d)
{
	(void)d;
	return bind_takes_port(e->plan->loads[i].bind) && !evidence_is_outside(e->plan, i)
		       ? e->tape->loads[i].tally.opened
		       : 0;
}

static uint64_t failed_by(const struct evidence *e, size_t i, const struct deed *d)
{
	return e->tape->loads[i].tally.errors[d->stage][d->error];
}

const struct deed deed_closed = {.did = "closed", .one = "", .what = "", .of = closed_by},
		  deed_leaked = {.did = "never closed", .one = "", .what = "", .of = leaked_by},
		  deed_inherited = {.did = "handed on", .one = "", .what = "", .of = inherited_by},
		  deed_open = {.did = "had up to",
			       .one = " open at once",
			       .what = " open at once",
			       .of = open_by},
		  deed_unanswered = {.did = "had no answer",
				     .one = " time",
				     .what = " times",
				     .of = unanswered_by},
		  deed_bound = {.did = "opened",
				.one = " with bind()",
				.what = " with bind()",
				.of = bound_by};

const char *say_failing(const struct evidence *e, enum stage stage, int error)
{
	const struct deed failed = {
		.did = "failed", .what = " times", .of = failed_by, .stage = stage, .error = error};

	return say_owners(e, &failed);
}
