#include <errno.h>

#include "judge/rule.h"

/* The most frequent failure before a connection was open, as words. */
static const char *say_most_frequent(const struct evidence *e)
{
	const struct measures *m = e->measures;

	if (m->error_count == 0)
		return "Ports ran out";
	return text_format(e->a, "%s failed %s with %s (%s)", stage_call(m->errors[0].stage),
			   say_number_of(e->a, m->errors[0].count, "time", "times"),
			   errno_name(m->errors[0].error), errno_words(m->errors[0].error))
		.s;
}

/* Asked only where no other rule holds. */
static struct claim no_data(const struct evidence *e)
{
	const struct tally *t = &e->tape->tally;

	if (t->failed == 0 && !e->tape->exhausted)
		return no_claim;
	return (struct claim){.weight = 1,
			      .why = text_format(e->a,
						 "%s, and nothing that was recorded tells why%s.",
						 say_most_frequent(e),
						 e->full ? "" : ": the sockets were never dumped")};
}

static void advise_data(struct finding *f, const struct evidence *e)
{
	if (!e->full)
		advice_add(&f->attempt,
			   TEXT("dump the sockets while it happens (sample.sockets; on a host "
				"`ss -tan`): their states say who holds the ports"));
	if (evidence_errors(e, STAGE_CONNECT, EADDRNOTAVAIL))
		advice_add(&f->attempt, TEXT("let it go on after the first failure (on_failure: "
					     "continue, stop.after): one "
					     "EADDRNOTAVAIL is a want of a port or of an address, "
					     "a second after a look at the "
					     "address tells"));
	advice_add(&f->attempt,
		   TEXT("record the errno and the call it came from, with the source and the "
			"destination: `strace -f -e trace=socket,bind,connect`"));
}

// clang-format off
const struct rule data_rules[] = {
	{
		.cause = CAUSE_NO_DATA,
		.claim = no_data,
		.advise = advise_data,
		.seen = {MEASURE_CONNECTS_FAILED, MEASURE_CONNECTS_OPENED, MEASURE_PORTS_USED_MAX},
		.in_vain = {"changing any setting before it is known which limit was reached"},
	},
	RULES_END,
};
// clang-format on
