#include "tape/tape.h"

#include <string.h>

#include "tape/lines.h"

static const char *const state_names[STATES] = {
	[STATE_ESTABLISHED] = "ESTABLISHED",
	[STATE_SYN_SENT] = "SYN_SENT",
	[STATE_SYN_RECV] = "SYN_RECV",
	[STATE_FIN_WAIT1] = "FIN_WAIT1",
	[STATE_FIN_WAIT2] = "FIN_WAIT2",
	[STATE_TIME_WAIT] = "TIME_WAIT",
	[STATE_CLOSE] = "CLOSE",
	[STATE_CLOSE_WAIT] = "CLOSE_WAIT",
	[STATE_LAST_ACK] = "LAST_ACK",
	[STATE_LISTEN] = "LISTEN",
	[STATE_CLOSING] = "CLOSING",
	[STATE_BOUND] = "BOUND",
};

const char *state_name(int state)
{
	return state_names[state];
}

int state_find(struct text name)
{
	for (int i = 1; i < STATES; i++)
		if (text_is(name, state_names[i]))
			return i;
	return 0;
}

bool tape_open(struct tape *out, size_t events, size_t samples, size_t counters, struct arena *a,
	       struct err *err)
{
	*out = (struct tape){
		.event_room = events,
		.sample_room = samples,
		.counter_room = counters,
		.refused_at_ns = -1,
		.recovered_ns = -1,
		.aborted = -1,
		.samples_fd = -1,
		.events_fd = -1,
	};
	out->events = ARENA_TRY(a, struct event, events);
	out->samples = ARENA_TRY(a, struct sample, samples);
	out->counters = ARENA_TRY(a, struct counter, counters);
	if (out->events && out->samples && out->counters)
		return true;
	err_set(err, ERR_HOST, "no memory for a tape of %zu events and %zu samples", events,
		samples);
	return err_hint(err, "Sample less often (sample.every), or shorten the run (stop.time).");
}

bool tape_open_usages(struct tape *tape, size_t usages, struct arena *a, struct err *err)
{
	tape->usages = ARENA_TRY(a, struct usage, usages);
	tape->fullest_map = ARENA_TRY(a, struct portmap, 1);
	tape->last_map = ARENA_TRY(a, struct portmap, 1);
	if (!tape->usages || !tape->fullest_map || !tape->last_map)
		return err_set(err, ERR_HOST, "no memory for what %zu dumps tell of destinations",
			       usages / USAGES_MOST);
	tape->usage_room = usages;
	return true;
}

uint32_t usage_sockets(const struct usage *u)
{
	uint64_t n = 0;

	for (int i = 1; i < STATES; i++)
		n += u->states[i];
	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n; /* a tape can come from outside */
}

uint32_t usage_used(const struct usage *u)
{
	uint32_t sockets = usage_sockets(u);

	return sockets > u->outside ? sockets - u->outside : 0;
}

uint32_t usage_free(const struct usage *u)
{
	uint32_t used = usage_used(u);

	return used < u->usable ? u->usable - used : 0;
}

double usage_fill(const struct usage *u, uint32_t usable)
{
	uint32_t left = usable > u->elsewhere ? usable - u->elsewhere : 0;

	return left ? (double)usage_used(u) / left : 1;
}

const struct usage *sample_usages(const struct tape *tape, const struct sample *sample)
{
	return tape->usages + sample->usage_first;
}

void tape_live(struct tape *tape, int samples_fd, int events_fd, unsigned run)
{
	tape->samples_fd = samples_fd;
	tape->events_fd = events_fd;
	tape->run = run;
}

/* Nothing follows a line that could not be written: it may be torn, and only a last line may be. */
static bool is_live(const struct tape *tape, int fd)
{
	return fd >= 0 && tape->write_error == 0;
}

void tape_event(struct tape *tape, struct event event)
{
	if (tape->event_count < tape->event_room)
		tape->events[tape->event_count++] = event;
	else
		tape->lost++;
	if (is_live(tape, tape->events_fd))
		tape->write_error =
			line_write(tape->events_fd, line_of_event(&event, tape->run, tape->load));
}

void tape_sample(struct tape *tape, struct sample sample)
{
	sample.usage_count = 0;
	tape_dump(tape, sample, NULL);
}

/* Those that find no room are counted as more; the fullest are the last to find none. */
static void keep_usages(struct tape *tape, struct sample *sample, const struct usage *usages)
{
	size_t free = tape->usage_room - tape->usage_count;
	uint32_t n = sample->usage_count < free ? sample->usage_count : (uint32_t)free;

	for (uint32_t i = n; i < sample->usage_count; i++) {
		sample->more_count++;
		sample->more_used += usage_used(&usages[i]);
	}
	sample->usage_first = (uint32_t)tape->usage_count;
	sample->usage_count = n;
	for (uint32_t i = 0; i < n; i++)
		tape->usages[tape->usage_count++] = usages[i];
}

void tape_dump(struct tape *tape, struct sample sample, const struct usage *usages)
{
	if (tape->sample_count < tape->sample_room) {
		keep_usages(tape, &sample, usages);
		tape->samples[tape->sample_count++] = sample;
	} else {
		tape->lost++;
	}
	if (is_live(tape, tape->samples_fd))
		tape->write_error =
			line_write(tape->samples_fd, line_of_sample(&sample, usages, tape->run));
}

void tape_map(struct tape *tape, const struct portmap *map)
{
	if (!tape->last_map || !map->known)
		return;
	*tape->last_map = *map;
	if (!tape->fullest_map->known || map->used_max > tape->fullest_map->used_max)
		*tape->fullest_map = *map;
}

static void merge_maps(struct tape *into, const struct tape *more)
{
	if (!more->last_map)
		return;
	tape_map(into, more->fullest_map);
	tape_map(into, more->last_map);
}

/* How many of `more` find room; the rest is lost. */
static size_t fitting(struct tape *into, size_t count, size_t room, size_t more)
{
	size_t free = room - count;

	if (more <= free)
		return more;
	into->lost += more - free;
	return free;
}

/* Both rows are in order of time. From the back, so that nothing is moved twice; of two at one
 * time, into's is first. */
static void merge_events(struct tape *into, const struct tape *more)
{
	size_t n = fitting(into, into->event_count, into->event_room, more->event_count);
	size_t old = into->event_count, at = old + n;

	into->event_count = at;
	while (n > 0)
		if (old > 0 && into->events[old - 1].t_ns > more->events[n - 1].t_ns)
			into->events[--at] = into->events[--old];
		else
			into->events[--at] = more->events[--n];
}

/* Where the usages of `more` are in `into`. Samples whose usages find no room do without. */
static uint32_t merge_usages(struct tape *into, const struct tape *more)
{
	uint32_t first = (uint32_t)into->usage_count;
	size_t free = into->usage_room - into->usage_count;

	for (size_t i = 0; i < more->usage_count && i < free; i++)
		into->usages[into->usage_count++] = more->usages[i];
	return first;
}

static struct sample moved_sample(const struct tape *into, const struct tape *more,
				  const struct sample *from, uint32_t first)
{
	struct sample s = *from;

	s.usage_first += first;
	if ((uint64_t)s.usage_first + s.usage_count <= into->usage_count)
		return s;
	for (uint32_t i = 0; i < s.usage_count; i++)
		s.more_used += usage_used(&sample_usages(more, from)[i]);
	s.more_count += s.usage_count;
	s.usage_first = s.usage_count = 0;
	return s;
}

static void merge_samples(struct tape *into, const struct tape *more)
{
	uint32_t first = merge_usages(into, more);
	size_t n = fitting(into, into->sample_count, into->sample_room, more->sample_count);
	size_t old = into->sample_count, at = old + n;

	into->sample_count = at;
	while (n > 0)
		if (old > 0 && into->samples[old - 1].t_ns > more->samples[n - 1].t_ns)
			into->samples[--at] = into->samples[--old];
		else
			into->samples[--at] = moved_sample(into, more, &more->samples[--n], first);
}

/* A counter that both have was read in two namespaces: both moves count. */
static void merge_counters(struct tape *into, const struct tape *more)
{
	for (size_t i = 0; i < more->counter_count; i++) {
		const struct counter *from = &more->counters[i];
		size_t k = 0;

		while (k < into->counter_count && strcmp(into->counters[k].name, from->name) != 0)
			k++;
		if (k < into->counter_count) {
			into->counters[k].first += from->first;
			into->counters[k].last += from->last;
		} else if (k < into->counter_room) {
			into->counters[into->counter_count++] = *from;
		} else {
			into->lost++;
		}
	}
}

static void merge_tally(struct tally *into, const struct tally *more)
{
	into->attempted += more->attempted;
	into->opened += more->opened;
	into->failed += more->failed;
	into->in_flight += more->in_flight;
	into->open += more->open;
	into->closed += more->closed;
	into->reset += more->reset;
	into->leaked += more->leaked;
	into->inherited += more->inherited;
	into->lost += more->lost;
	into->held_back += more->held_back;
	into->self_connects += more->self_connects;
	into->requests_done += more->requests_done;
	into->requests_failed += more->requests_failed;
	into->requests_reused += more->requests_reused;
	into->late += more->late;
	into->retries += more->retries;
	into->gave_up += more->gave_up;
	into->stopped += more->stopped;
	for (int stage = 0; stage < STAGES; stage++)
		for (int error = 0; error < ERRNOS; error++)
			into->errors[stage][error] += more->errors[stage][error];
}

static bool has_load(const struct tape *tape)
{
	return tape->complete || tape->end_ns > tape->begin_ns || tape->tally.attempted > 0;
}

/* Of two times of which -1 is none, the earlier. */
static int64_t earlier(int64_t a, int64_t b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* When a destination took a connection again, since the load began; -1: none did. */
static int64_t returned_ns(const struct tape *t)
{
	return t->recovered_ns < 0 ? -1 : t->refused_at_ns + t->recovered_ns;
}

/* The first want of a port of both, and from then on the first return. */
static void merge_refusal(struct tape *into, const struct tape *more)
{
	int64_t first = earlier(into->refused_at_ns, more->refused_at_ns),
		returned = earlier(returned_ns(into), returned_ns(more));

	if (first != into->refused_at_ns)
		into->opened_before = more->opened_before;
	into->refused_at_ns = first;
	into->recovered_ns = returned < 0 ? -1 : returned - first;
	into->exhausted = into->exhausted || more->exhausted;
}

static void merge_latency(struct tape *into, const struct tape *more)
{
	if (!into->latency)
		into->latency = more->latency;
	else if (more->latency)
		latency_merge(into->latency, more->latency);
}

static void merge_findings(struct tape *into, const struct tape *more)
{
	if (has_load(more) && (!has_load(into) || more->begin_ns < into->begin_ns))
		into->begin_ns = more->begin_ns;
	if (has_load(into) && has_load(more))
		into->complete = into->complete && more->complete;
	else
		into->complete = into->complete || more->complete;
	merge_refusal(into, more);
	into->opened_before_any += more->opened_before_any;
	if (more->behind_ns > into->behind_ns)
		into->behind_ns = more->behind_ns;
	if (more->open_peak > into->open_peak)
		into->open_peak = more->open_peak;
	if (more->used_peak > into->used_peak)
		into->used_peak = more->used_peak;
	into->cut_short = into->cut_short || more->cut_short;
	if (more->end_ns > into->end_ns)
		into->end_ns = more->end_ns;
	if (into->interrupted == 0)
		into->interrupted = more->interrupted;
	if (into->aborted < 0)
		into->aborted = more->aborted;
	if (into->write_error == 0)
		into->write_error = more->write_error;
	into->lost += more->lost;
}

void tape_merge(struct tape *into, const struct tape *more)
{
	merge_findings(into, more); /* before the tally, which tells who has a load */
	merge_tally(&into->tally, &more->tally);
	merge_events(into, more);
	merge_samples(into, more);
	merge_maps(into, more);
	merge_counters(into, more);
	merge_latency(into, more);
	tape_merge_accounts(into, more);
}

void tape_join(struct tape *into, const struct tape *more)
{
	uint64_t before = into->opened_before + more->opened_before;

	tape_merge(into, more);
	into->opened_before = before;
}

void tape_copy_books(struct tape *into, const struct tape *from)
{
	*into = *from;
	into->event_count = into->sample_count = into->counter_count = into->usage_count = 0;
}

bool tally_balances(const struct tally *t)
{
	return t->attempted == t->opened + t->failed + t->in_flight &&
	       t->opened == t->open + t->closed + t->reset + t->leaked + t->inherited + t->lost;
}

const struct sample *tape_fullest(const struct tape *tape)
{
	const struct sample *best = NULL;

	for (size_t i = 0; i < tape->sample_count; i++) {
		const struct sample *s = &tape->samples[i];

		if (s->parts & SAMPLE_SOCKETS && (!best || s->used_max > best->used_max))
			best = s;
	}
	return best;
}

static uint64_t sockets_of(const struct sample *s)
{
	uint64_t n = 0;

	for (int i = 1; i < STATES; i++)
		n += s->states[i];
	return n;
}

const struct sample *tape_peak(const struct tape *tape)
{
	const struct sample *full = tape_fullest(tape), *best = full;
	bool refused = tape->exhausted && tape->refused_at_ns >= 0;

	for (size_t i = 0; i < tape->sample_count; i++) {
		const struct sample *s = &tape->samples[i];

		if (!(s->parts & SAMPLE_SOCKETS) || (refused && s->used_max < full->used_max))
			continue;
		if (refused && s->t_ns >= tape->refused_at_ns)
			return s;
		if (sockets_of(s) > sockets_of(best))
			best = s;
	}
	return best;
}

const struct sample *tape_last_dump(const struct tape *tape)
{
	for (size_t i = tape->sample_count; i-- > 0;)
		if (tape->samples[i].parts & SAMPLE_SOCKETS)
			return &tape->samples[i];
	return NULL;
}
