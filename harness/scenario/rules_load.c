/* Rules: what a load asks of itself: how it begins, asks, fails and ends. */
#include "scenario/rule.h"

static bool both_models(const struct scenario *s)
{
	return s->load.rate > 0 && s->load.concurrency > 0;
}

static bool ramp_of_none(const struct scenario *s)
{
	return s->load.ramp.count > 0 && s->load.concurrency > 0;
}

static bool bursts_on_a_rate(const struct scenario *s)
{
	return s->load.burst.size > 0 && s->load.rate > 0;
}

static bool bursts_on_a_ramp(const struct scenario *s)
{
	return s->load.burst.size > 0 && s->load.ramp.count > 0;
}

static bool bursts_of_none(const struct scenario *s)
{
	return s->load.burst.size > 0 && s->load.concurrency > 0;
}

/* A rate that no time is spent at begins nothing; the last step's goes on. */
static bool never_rises(const struct scenario *s)
{
	const struct ramp *ramp = &s->load.ramp;
	double rate = s->load.rate;

	for (size_t i = 0; i < ramp->count; i++) {
		const struct ramp_step *step = &ramp->list[i];

		if (step->over > 0 && (rate > 0 || step->to > 0))
			return false;
		rate = step->to;
	}
	return ramp->count > 0 && rate == 0;
}

static bool starts_too_late(const struct scenario *s)
{
	return s->load.start >= s->stop.time;
}

static bool is_cut_off(const struct scenario *s)
{
	return s->load.start < s->stop.time && s->load.duration <= s->stop.time &&
	       s->load.start + s->load.duration > s->stop.time;
}

/* A key that is about retries, and says more than its default, where nothing is said of those: with
 * `retry: 0` they are taken back. */
static bool without_retry(const struct scenario *s, bool says_more)
{
	return s->load.on_failure.retry == 0 && s->load.on_failure.at.retry.line == 0 && says_more;
}

static bool pauses_in_vain(const struct scenario *s)
{
	return without_retry(s, s->load.on_failure.wait != 100000000);
}

static bool grows_in_vain(const struct scenario *s)
{
	return without_retry(s, s->load.on_failure.grow > 1);
}

static bool jitters_in_vain(const struct scenario *s)
{
	return without_retry(s, s->load.on_failure.jitter > 0);
}

static bool bursts_of_nothing(const struct scenario *s)
{
	const struct load *l = &s->load;

	return l->burst.size == 0 && l->burst.every != 1000000000 &&
	       !is_taken_back(s, l->burst.at.every, l->burst.at.size);
}

/* {close: 50%, reset: 50%} beside end: close names them all; {leak: 5%} beside leak, nothing. */
static bool mixes_its_own_end(const struct scenario *s)
{
	const struct load *l = &s->load;

	for (int end = 0; end < ENDS; end++)
		if (end != (int)l->end && l->mix.share[end] > 0)
			return false;
	return l->mix.share[l->end] > 0;
}

static bool goes_on_in_vain(const struct scenario *s)
{
	return s->stop.when == WHEN_NEVER && s->stop.after > 0 &&
	       !is_taken_back(s, s->stop.at.after, s->stop.at.when);
}

static bool flushes_nothing(const struct scenario *s)
{
	return s->load.on_failure.flush_pool && !load_is_pooled(&s->load);
}

static bool stops_too_late(const struct scenario *s)
{
	return s->stop.after > s->stop.time;
}

static bool loads_too_long(const struct scenario *s)
{
	return s->load.duration > s->stop.time;
}

static bool resets_and_lingers(const struct scenario *s)
{
	return load_ends(&s->load, END_RESET) && s->load.options.linger > 0;
}

static bool probes_without_idle(const struct scenario *s)
{
	return s->load.options.keepalive.idle == 0 &&
	       (s->load.options.keepalive.interval > 0 || s->load.options.keepalive.count > 0);
}

static bool v6only_of_ipv4(const struct scenario *s)
{
	return s->load.options.v6only && load_family(s, &s->load) != FAMILY_IPV6;
}

/* An end that leaves no connection to keep, or no socket of the client's. */
static bool keeps_no_connection(const struct scenario *s)
{
	const struct load *l = &s->load;

	return load_is_pooled(l) && (load_ends(l, END_LEAK) || load_ends(l, END_INHERIT) ||
				     load_ends(l, END_DISCONNECT));
}

static bool times_out_no_pool(const struct scenario *s)
{
	return s->load.pool.idle_timeout && !load_is_pooled(&s->load);
}

static bool pools_for_one(const struct scenario *s)
{
	return s->load.pool.max_idle && s->load.request.per_connection == 1;
}

/* The protocol between client and far end: a head of 8 bytes says what is to come. */
static bool has_no_head(const struct scenario *s)
{
	const struct request *r = &s->load.request;

	return r->send < 8 && (r->send > 0 || r->receive > 0);
}

static bool leaves_nothing_unread(const struct scenario *s)
{
	return !s->load.request.read && s->load.request.receive == 0;
}

static bool keeps_unread(const struct scenario *s)
{
	return !s->load.request.read && load_is_pooled(&s->load);
}

static bool reads_what_it_leaves(const struct scenario *s)
{
	return !s->load.request.read &&
	       (load_ends(&s->load, END_WAIT) || load_ends(&s->load, END_SHUTDOWN));
}

static bool pauses_an_open_model(const struct scenario *s)
{
	return s->load.request.pause &&
	       (s->load.rate > 0 || s->load.ramp.count > 0 || s->load.burst.size > 0);
}

static bool leaves_no_descriptor(const struct scenario *s)
{
	return s->load.nofile > 0 && s->load.nofile <= STDIO;
}

static bool marks_by_a_process(const struct scenario *s)
{
	return s->load.nofile > 0 && s->load.options.mark > 0 && s->load.protocol == PROTOCOL_TCP;
}

static const struct rule rules[] = {
	{both_models,
	 {AT(load, rate), AT(load, concurrency)},
	 "load.rate and load.concurrency exclude each other",
	 "Keep one. (Clients that pause between requests are concurrency with request.pause.) A "
	 "case undoes the base's with rate: 0/s or concurrency: 0."},
	{ramp_of_none,
	 {AT(load, ramp), AT(load, concurrency)},
	 "load.ramp and load.concurrency exclude each other",
	 "A ramp changes a rate: keep one. A case undoes the base's with ramp: [] or concurrency: "
	 "0."},
	{bursts_on_a_rate,
	 {offsetof(struct scenario, load.burst.at.size), AT(load, rate)},
	 "load.burst and load.rate exclude each other",
	 "Both say when connections begin: keep one, or write two loads."},
	{bursts_on_a_ramp,
	 {offsetof(struct scenario, load.burst.at.size), AT(load, ramp)},
	 "load.burst and load.ramp exclude each other",
	 "Both say when connections begin: keep one, or write two loads."},
	{bursts_of_none,
	 {offsetof(struct scenario, load.burst.at.size), AT(load, concurrency)},
	 "load.burst and load.concurrency exclude each other",
	 "A burst begins whatever is open already, and concurrency limits just that: keep one."},
	{never_rises,
	 {AT(load, ramp), AT(load, rate)},
	 "load.ramp never leaves 0/s",
	 "Nothing would begin: add a step to a higher rate, such as {to: 1k/s, over: 10s}."},
	{starts_too_late,
	 {AT(load, start), AT(stop, time)},
	 "load.start is not before stop.time",
	 "The run is over by then: raise stop.time, or lower the start."},
	{is_cut_off,
	 {AT(load, start), AT(load, duration)},
	 "load.start and load.duration go beyond stop.time",
	 "No run takes longer than stop.time: raise it, or shorten the load."},
	{pauses_in_vain,
	 {offsetof(struct scenario, load.on_failure.at.wait),
	  offsetof(struct scenario, load.on_failure.at.retry)},
	 "load.on_failure.wait means nothing without retry",
	 "Say how often a failed connection is tried again, such as retry: 3, or leave it out."},
	{bursts_of_nothing,
	 {offsetof(struct scenario, load.burst.at.every),
	  offsetof(struct scenario, load.burst.at.size)},
	 "load.burst.every means nothing without size",
	 "Say how many connections a burst has, such as size: 100, or leave it out."},
	{mixes_its_own_end,
	 {AT(load, mix), AT(load, end)},
	 "load.mix names no other end than load.end",
	 "All connections end that way already: leave load.mix out, or name another end."},
	{goes_on_in_vain,
	 {AT(stop, after), AT(stop, when)},
	 "stop.after means nothing with stop.when: never",
	 "The run does not stop at exhaustion then: leave one of them out."},
	{grows_in_vain,
	 {offsetof(struct scenario, load.on_failure.at.grow),
	  offsetof(struct scenario, load.on_failure.at.retry)},
	 "load.on_failure.grow means nothing without retry",
	 "Say how often a failed connection is tried again, such as retry: 3, or leave it out."},
	{jitters_in_vain,
	 {offsetof(struct scenario, load.on_failure.at.jitter),
	  offsetof(struct scenario, load.on_failure.at.retry)},
	 "load.on_failure.jitter means nothing without retry",
	 "Say how often a failed connection is tried again, such as retry: 3, or leave it out."},
	{flushes_nothing,
	 {offsetof(struct scenario, load.on_failure.at.flush_pool),
	  offsetof(struct scenario, load.on_failure.at.flush_pool)},
	 "load.on_failure.flush_pool needs a pool",
	 "Without one there is nothing to flush: leave it out."},
	{stops_too_late,
	 {AT(stop, after), AT(stop, time)},
	 "stop.after is longer than stop.time",
	 "No run takes longer than stop.time: raise it, or shorten stop.after."},
	{loads_too_long,
	 {AT(load, duration), AT(stop, time)},
	 "load.duration is longer than stop.time",
	 "No run takes longer than stop.time (default: 30s): raise it, such as stop: {time: 5m}, "
	 "or shorten load.duration."},
	{resets_and_lingers,
	 {AT(load, end), AT(load.options, linger), AT(load, mix)},
	 "load.options.linger and load.end: reset exclude each other",
	 "end: reset sets SO_LINGER itself, to 0 s: leave one of them out."},
	{probes_without_idle,
	 {AT(load.options.keepalive, interval), AT(load.options.keepalive, count)},
	 "load.options.keepalive has no idle",
	 "Without it keep-alive is off: add idle, such as idle: 5s."},
	{v6only_of_ipv4,
	 {AT(load.options, v6only), AT(network, family), AT(load, family)},
	 "load.options.v6only is for family: ipv6",
	 "An IPv4 socket has no such option, and a mapped one could not connect with it."},
	{keeps_no_connection,
	 {AT(load, end), AT(load.pool, max_idle), AT(load, mix)},
	 "a pool cannot keep connections that end by leak, inherit or disconnect",
	 "Leave out load.pool and load.request.per_connection, or use another load.end."},
	{times_out_no_pool,
	 {AT(load.pool, idle_timeout), AT(load.pool, idle_timeout)},
	 "load.pool.idle_timeout needs a pool",
	 "Set load.pool.max_idle, or load.request.per_connection to more than 1."},
	{pools_for_one,
	 {AT(load.pool, max_idle), AT(load.request, per_connection)},
	 "load.pool.max_idle needs connections that serve more than one request",
	 "Leave out load.pool.max_idle, or set load.request.per_connection to 0 or more than 1."},
	{has_no_head,
	 {AT(load.request, send), AT(load.request, receive)},
	 "load.request.send is less than 8B",
	 "A request has a head of 8 bytes, which tells the far end how long its answer is to be."},
	{leaves_nothing_unread,
	 {AT(load.request, read), AT(load.request, receive)},
	 "load.request.read: false needs an answer",
	 "Set load.request.receive, and load.request.send to 8B or more."},
	{keeps_unread,
	 {AT(load.request, read), AT(load.pool, max_idle)},
	 "a connection with an unread answer cannot go back to a pool",
	 "Leave out load.pool and load.request.per_connection, or read: false."},
	{reads_what_it_leaves,
	 {AT(load.request, read), AT(load, end), AT(load, mix)},
	 "load.end: wait and shutdown read what comes until the far end closes",
	 "With load.request.read: false use end: close, reset, leak, disconnect or inherit."},
	{leaves_no_descriptor,
	 {AT(load, nofile), AT(load, nofile)},
	 "load.nofile leaves no descriptor for a socket",
	 "Three are taken by stdin, stdout and stderr: use 4 or more, or 0 for no limit."},
	{marks_by_a_process,
	 {AT(load, nofile), AT(load.options, mark)},
	 "load.options.mark and load.nofile exclude each other",
	 "With nofile the sockets are made by a process that has no right to set a mark: leave one "
	 "of them out."},
	{pauses_an_open_model,
	 {AT(load.request, pause), AT(load, rate)},
	 "load.request.pause needs load.concurrency",
	 "A rate, a ramp or a burst begins requests on schedule, whatever came of those before: "
	 "leave one of them out."},
};

const struct rules rules_of_load = RULES(rules);
