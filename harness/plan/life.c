#include "plan/life.h"

#include <math.h>

#include "base/order.h"
#include "host/wheel.h"
#include "plan/accept.h"
#include "plan/alone.h"
#include "plan/answer.h"
#include "plan/bind.h"
#include "plan/buckets.h"
#include "plan/datagram.h"
#include "plan/life_wait.h"
#include "plan/speed.h"
#include "plan/unanswered.h"

enum {
	UNREAD_FITS = 32 * 1024
}; /* bytes, in a window that nobody has enlarged (net.ipv4.tcp_rmem) */

enum quiet {
	QUIET_NONE,	 /* reset, or the server has closed first */
	QUIET_TIME_WAIT, /* the client closes first, and the server answers */
	QUIET_FIN_WAIT2, /* the client closes first, and the server never does */
	QUIET_RACE,	 /* both close at once: TIME_WAIT on either side */
	QUIET_FOR_EVER,	 /* nobody closes */
};

/* Who ends the connection, and what that leaves on the client: a row a behaviour, a column an
 * end. A server's reset frees the port, whatever the client does with its socket then
 * (tcp_reset(), net/ipv4/tcp_input.c); and so does a connect that failed, whatever refused
 * it. */
static const enum quiet fates[][ENDS] = {
	// clang-format off
	[BEHAVIOUR_ANSWER] = {
		[END_CLOSE]    = QUIET_TIME_WAIT, [END_RESET]      = QUIET_NONE,
		[END_LEAK]     = QUIET_FOR_EVER,  [END_WAIT]       = QUIET_TIME_WAIT,
		[END_SHUTDOWN] = QUIET_TIME_WAIT, [END_DISCONNECT] = QUIET_NONE,
		[END_INHERIT]  = QUIET_FOR_EVER,
	},
	[BEHAVIOUR_HOLD] = {
		[END_CLOSE]    = QUIET_FIN_WAIT2, [END_RESET]      = QUIET_NONE,
		[END_LEAK]     = QUIET_FOR_EVER,  [END_WAIT]       = QUIET_FIN_WAIT2,
		[END_SHUTDOWN] = QUIET_FIN_WAIT2, [END_DISCONNECT] = QUIET_NONE,
		[END_INHERIT]  = QUIET_FOR_EVER,
	},
	[BEHAVIOUR_CLOSE] = {
		[END_CLOSE]    = QUIET_RACE,      [END_RESET]      = QUIET_NONE,
		[END_LEAK]     = QUIET_FOR_EVER,  [END_WAIT]       = QUIET_NONE,
		[END_SHUTDOWN] = QUIET_RACE,      [END_DISCONNECT] = QUIET_NONE,
		[END_INHERIT]  = QUIET_FOR_EVER,
	},
	[BEHAVIOUR_RESET] = {
		[END_CLOSE]    = QUIET_NONE,      [END_RESET]      = QUIET_NONE,
		[END_LEAK]     = QUIET_NONE,      [END_WAIT]       = QUIET_NONE,
		[END_SHUTDOWN] = QUIET_NONE,      [END_DISCONNECT] = QUIET_NONE,
		[END_INHERIT]  = QUIET_NONE,
	},
	[BEHAVIOUR_ACCEPT_CLOSE] = {
		[END_CLOSE]    = QUIET_RACE,      [END_RESET]      = QUIET_NONE,
		[END_LEAK]     = QUIET_FOR_EVER,  [END_WAIT]       = QUIET_NONE,
		[END_SHUTDOWN] = QUIET_RACE,      [END_DISCONNECT] = QUIET_NONE,
		[END_INHERIT]  = QUIET_FOR_EVER,
	},
	[BEHAVIOUR_NEVER_ACCEPT] = {
		[END_CLOSE]    = QUIET_FIN_WAIT2, [END_RESET]      = QUIET_NONE,
		[END_LEAK]     = QUIET_FOR_EVER,  [END_WAIT]       = QUIET_FIN_WAIT2,
		[END_SHUTDOWN] = QUIET_FIN_WAIT2, [END_DISCONNECT] = QUIET_NONE,
		[END_INHERIT]  = QUIET_FOR_EVER,
	},
	[BEHAVIOUR_IGNORE] = {
		[END_CLOSE]    = QUIET_FIN_WAIT2, [END_RESET]      = QUIET_NONE,
		[END_LEAK]     = QUIET_FOR_EVER,  [END_WAIT]       = QUIET_FIN_WAIT2,
		[END_SHUTDOWN] = QUIET_FIN_WAIT2, [END_DISCONNECT] = QUIET_NONE,
		[END_INHERIT]  = QUIET_FOR_EVER,
	},
	[BEHAVIOUR_LOOP] = {
		[END_CLOSE]    = QUIET_RACE,      [END_RESET]      = QUIET_NONE,
		[END_LEAK]     = QUIET_FOR_EVER,  [END_WAIT]       = QUIET_NONE,
		[END_SHUTDOWN] = QUIET_RACE,      [END_DISCONNECT] = QUIET_NONE,
		[END_INHERIT]  = QUIET_FOR_EVER,
	},
	[BEHAVIOUR_REFUSE] = {
		[END_CLOSE]    = QUIET_NONE,      [END_RESET]      = QUIET_NONE,
		[END_LEAK]     = QUIET_NONE,      [END_WAIT]       = QUIET_NONE,
		[END_SHUTDOWN] = QUIET_NONE,      [END_DISCONNECT] = QUIET_NONE,
		[END_INHERIT]  = QUIET_NONE,
	},
	[BEHAVIOUR_DROP] = {
		[END_CLOSE]    = QUIET_NONE,      [END_RESET]      = QUIET_NONE,
		[END_LEAK]     = QUIET_NONE,      [END_WAIT]       = QUIET_NONE,
		[END_SHUTDOWN] = QUIET_NONE,      [END_DISCONNECT] = QUIET_NONE,
		[END_INHERIT]  = QUIET_NONE,
	},
	// clang-format on
};

void life_look_at(struct scenario *alone, const struct load *asker)
{
	if (!asker || !bind_shares_with(&alone->load, asker))
		alone->load.options.reuseaddr = alone->load.options.reuseport = false;
}

/* Later than a server that closes at once. */
static bool closes_later(const struct scenario *s)
{
	return s->load.hold > LIFE_SLACK && accept_wait_ns(s) == 0;
}

static struct span quiet_span(const struct scenario *s, const struct host *host, enum quiet quiet)
{
	switch (quiet) {
	case QUIET_TIME_WAIT:
		return life_time_wait(s, host);
	case QUIET_FIN_WAIT2:
		return life_fin_wait(s);
	case QUIET_RACE:
		return span_between(0, closes_later(s) ? 0 : life_time_wait(s, host).most);
	case QUIET_FOR_EVER:
		return span_of(FOR_EVER);
	case QUIET_NONE:
		break;
	}
	return span_of(0);
}

/* A connect that takes a port out of TIME_WAIT waits for no timer, but for a far end that may be held up. */
static int64_t late_by(const struct scenario *s, const struct host *host, const struct span *span,
		       enum quiet quiet, enum end end)
{
	if (span->most == 0 && quiet != QUIET_NONE && life_takes_over(s) && end == END_CLOSE)
		return SPEED_STALL_NS;
	if (span->most == 0 || span->most == FOR_EVER)
		return 0;
	if (quiet == QUIET_FIN_WAIT2)
		return life_fin_wait_late_ns(s, host);
	return span->most == s->network.time_wait ? life_wait_late_ns(s, host) : 0;
}

enum end life_end(const struct load *l, enum end end)
{
	return end == END_CLOSE && l->options.linger == 0 ? END_RESET : end;
}

/* After the client's part is done: a far end that is asked for no answer closes no sooner than when its
 * delay for each request is over. The client waits for that where it waits for the close. */
static struct span busy_span(const struct scenario *s)
{
	const struct load *l = &s->load;
	struct span answer = answer_span(s);
	int64_t requests = l->request.per_connection > 1 ? (int64_t)l->request.per_connection : 1;

	if (l->request.send == 0 || l->request.receive > 0 || l->protocol == PROTOCOL_UDP ||
	    !behaviour_does(s->server.behaviour, DOES_SERVE))
		return span_of(0);
	return (struct span){later(answer.least - l->hold, 0),
			     later(answer.most * requests - l->hold, 0),
			     requests > 1 ? later(answer.mean * requests - l->hold, 0)
					  : answer.mean - (int64_t)answer_mean_ns(s, l->hold)};
}

/* Who waits for the far end's close does so after a request that has failed, too: for the answer, behind which
 * that comes, or for another timeout. */
static struct span late_span(const struct scenario *s)
{
	const struct load *l = &s->load;
	struct span answer = answer_span(s);

	if (l->protocol != PROTOCOL_TCP || l->request.receive == 0 || answer_comes(s) ||
	    !behaviour_does(s->server.behaviour, DOES_SERVE))
		return span_of(0);
	return span_between(sooner(later(answer.least - l->timeout, 0), l->timeout),
			    sooner(later(answer.most - l->timeout, 0), l->timeout));
}

/* What nobody has read is answered by a RST when the client closes; but of MPTCP (drive/answer.c). */
static bool leaves_unread(const struct scenario *s, enum end end)
{
	return !s->load.request.read && end == END_CLOSE && !s->load.options.mptcp &&
	       behaviour_does(s->server.behaviour, DOES_SERVE);
}

/* What is sent to a far end that closes whatever it is asked is answered by a RST: it has not read it, or has
 * no socket any more. */
static bool is_met_by_reset(const struct scenario *s)
{
	return s->server.behaviour == BEHAVIOUR_ACCEPT_CLOSE && s->load.request.send > 0 &&
	       !s->load.options.mptcp;
}

/* A connect of UDP asks nobody. */
bool life_opens(const struct scenario *s)
{
	return s->load.protocol == PROTOCOL_UDP || behaviour_does(s->server.behaviour, DOES_LISTEN);
}

/* How long a connection has its port until it is closed. One that never opens has it for as long
 * as its connect goes on; a server's RST ends both. */
static struct span live_time(const struct scenario *s)
{
	int64_t gives_up_ns = unanswered_ns(s, &s->load);

	if (is_met_by_reset(s))
		return span_of(0);
	switch (s->server.behaviour) {
	case BEHAVIOUR_RESET:
	case BEHAVIOUR_REFUSE:
		return span_of(0);
	case BEHAVIOUR_DROP:
		return span_of(gives_up_ns);
	default:
		return datagram_answered(s);
	}
}

struct span life_request(const struct scenario *s)
{
	return s->load.protocol == PROTOCOL_UDP ? datagram_live(s) : live_time(s);
}

/* A socket of UDP has its port until it is closed, and not a moment longer. */
static enum quiet fate_of(const struct scenario *s, enum end end)
{
	if (s->load.protocol == PROTOCOL_UDP)
		return end == END_CLOSE ? QUIET_NONE : QUIET_FOR_EVER;
	if (is_met_by_reset(s))
		return QUIET_NONE;
	return fates[s->server.behaviour][life_end(&s->load, end)];
}

static enum quiet quiet_of(const struct scenario *s, enum end end)
{
	return leaves_unread(s, end) ? QUIET_NONE : fate_of(s, end);
}

bool life_leaves_unread(const struct scenario *s, const struct load *l)
{
	enum behaviour far = s->server.behaviour;

	return l->protocol == PROTOCOL_TCP && behaviour_does(far, DOES_KEEP) &&
	       !behaviour_does(far, DOES_SERVE) && l->request.send > UNREAD_FITS;
}

/* An answer that comes after the close is met by a RST, which ends FIN_WAIT and what would follow it:
 * tcp_timewait_state_process(), net/ipv4/tcp_minisocks.c. Who waits for the far end's close does so for
 * another timeout. */
static void late_answers_limit(struct span *quiet, const struct scenario *s, enum end end)
{
	const struct load *l = &s->load;
	struct span answer = answer_span(s);
	bool waits = end == END_SHUTDOWN || end == END_WAIT;
	int64_t closes = waits ? 2 * l->timeout : l->timeout, left;
	int64_t least = quiet->least;

	if (l->protocol != PROTOCOL_TCP || l->options.mptcp || l->request.receive == 0 ||
	    (life_end(l, end) != END_CLOSE && !waits) ||
	    !behaviour_does(s->server.behaviour, DOES_SERVE) ||
	    answer.most + SPEED_STALL_NS < closes)
		return;
	left = sooner(later(answer.most - closes, 0), life_fin_wait_ns(s));
	quiet->least = 0;
	if (answer.least > closes + SPEED_STALL_NS) /* none comes before its time */
		*quiet = span_between(sooner(least, sooner(answer.least - closes, left)), left);
	else if (left > quiet->most)
		*quiet = span_between(0, left);
}

static void add(struct span *to, struct span more)
{
	to->least += more.least;
	to->most += more.most;
	to->mean += more.mean;
}

/* Does the client wait for an answer no longer than load.timeout, and then close? */
static bool gives_up(const struct scenario *s, enum end end)
{
	return s->load.request.receive > 0 && !s->load.options.mptcp &&
	       (end == END_CLOSE || end == END_RESET || end == END_DISCONNECT);
}

/* A connect may hang at a full backlog, and an answer that comes once the client has given up is met by a RST, as
 * soon as the connection is accepted. */
static void wait_for_accept(struct life *life, const struct scenario *s, enum end end)
{
	int64_t wait = accept_wait_ns(s), timeout = s->load.timeout, open = wait;

	if (gives_up(s, end))
		open = sooner(wait, speed_fills(s, &s->load) ? 2 * timeout : timeout);
	add(&life->live, span_between(0, open));
	if (open == wait)
		return;
	life->quiet.least = sooner(life->quiet.least, timeout);
	if (life->quiet.most > 0)
		life->quiet.most = life->quiet.mean = later(life->quiet.most, wait - open);
}

struct life life_so(const struct scenario *s, const struct budget *b, const struct host *host,
		    enum end end)
{
	enum quiet quiet = quiet_of(s, end);
	struct life life = {life_request(s), quiet_span(s, host, quiet), 0};

	if (end == END_SHUTDOWN && quiet == QUIET_FIN_WAIT2) /* reads until its timeout */
		add(&life.live, span_of(s->load.timeout));
	else if (end == END_WAIT || end == END_SHUTDOWN)
		add(&life.live, late_span(s));
	if (end == END_WAIT || end == END_SHUTDOWN)
		add(&life.live, busy_span(s));
	life.late_ns = late_by(s, host, &life.quiet, quiet, end);
	wait_for_accept(&life, s, end);
	if (life_end(&s->load, end) == END_CLOSE && quiet == QUIET_TIME_WAIT && !life_takes_over(s))
		add(&life.quiet, busy_span(s)); /* in FIN_WAIT2, before it */
	late_answers_limit(&life.quiet, s, end);
	if (life_leaves_unread(s, &s->load) && life.quiet.most < FOR_EVER)
		life.quiet.least = 0;
	buckets_limit(&life.quiet, s, b, host);
	if (life.quiet.most == 0 && !life_takes_over(s))
		life.late_ns = 0;
	return life;
}

/* After its close, were there no connect to take it over. */
static bool any_waits(const struct scenario *s)
{
	for (enum end end = 0; end < ENDS; end++) {
		enum quiet quiet = quiet_of(s, end);

		if (load_ends(&s->load, end) && quiet != QUIET_NONE && quiet != QUIET_FOR_EVER)
			return true;
	}
	return false;
}

bool life_may_wait_reused(const struct plan *p)
{
	struct scenario alone = *p->scenario;

	for (uint32_t i = 0; i < p->load_count; i++) {
		alone.load = *p->loads[i].load;
		if (life_time_wait(&alone, p->host).most < alone.network.time_wait &&
		    (life_takes_over(&alone) ? any_waits(&alone) : p->forecast.quiet_ns > 0))
			return true;
	}
	return false;
}

bool life_races(const struct scenario *s)
{
	for (enum end end = 0; end < ENDS; end++)
		if (load_ends(&s->load, end) && !closes_later(s) && quiet_of(s, end) == QUIET_RACE)
			return true;
	return false;
}

struct span life_fails_ns(const struct scenario *s, const struct life *life)
{
	const struct load *l = &s->load;
	bool ends = l->on_failure.then == ON_FAILURE_STOP, opens = life_opens(s);
	/* A connect alone is tried again. */
	bool fails = opens ? answer_fails(s) : l->on_failure.retry == 0;

	if (ends && l->request.receive > 0 && accept_wait_ns(s) > 0)
		return span_between(l->timeout, FOR_EVER); /* or none does */
	if (!ends || !fails)
		return span_of(FOR_EVER);
	if (l->protocol == PROTOCOL_UDP) /* an ICMP may tell at once that nobody listens */
		return span_between(later(life->live.least, 1), l->timeout + SPEED_STALL_NS);
	return opens ? span_between(l->timeout, l->timeout + SPEED_STALL_NS)
		     : span_between(later(life->live.least, 1), life->live.most + SPEED_STALL_NS);
}

uint64_t life_refused_most(const struct budget *b)
{
	return least(BATCH_MOST, b->usable / 4);
}

int64_t life_sum(int64_t a, int64_t b)
{
	return a == FOR_EVER || b == FOR_EVER ? FOR_EVER : a + b;
}

static struct span wider(struct span a, struct span b)
{
	return (struct span){sooner(a.least, b.least), later(a.most, b.most),
			     later(a.mean, b.mean)};
}

struct life life_of(const struct scenario *s, const struct budget *b, const struct host *host)
{
	struct life all = {{FOR_EVER, 0, 0}, {FOR_EVER, 0, 0}, 0};

	for (enum end end = 0; end < ENDS; end++) {
		struct life one;

		if (!load_ends(&s->load, end))
			continue;
		one = life_so(s, b, host, end);
		all = (struct life){wider(all.live, one.live), wider(all.quiet, one.quiet),
				    later(all.late_ns, one.late_ns)};
	}
	return all;
}

/* Of how long each end has its port. */
static double mean_of(const struct scenario *s, const struct budget *b, const struct host *host,
		      int64_t (*ns_of)(const struct life *))
{
	double mean = 0;

	for (enum end end = 0; end < ENDS; end++) {
		struct life one = life_so(s, b, host, end);
		int64_t ns = ns_of(&one);

		if (load_ends(&s->load, end))
			mean += ns == FOR_EVER ? INFINITY : load_share(&s->load, end) * (double)ns;
	}
	return mean;
}

static int64_t open_of(const struct life *one)
{
	return one->live.mean;
}

static int64_t all_of(const struct life *one)
{
	return life_sum(one->live.mean, one->quiet.mean);
}

static int64_t late_of(const struct life *one)
{
	return life_sum(life_sum(one->live.most, one->quiet.most), one->late_ns);
}

double life_mean(const struct scenario *s, const struct budget *b, const struct host *host)
{
	return mean_of(s, b, host, all_of);
}

double life_mean_open(const struct scenario *s, const struct budget *b, const struct host *host)
{
	return mean_of(s, b, host, open_of);
}

double life_mean_late(const struct scenario *s, const struct budget *b, const struct host *host)
{
	return mean_of(s, b, host, late_of);
}
