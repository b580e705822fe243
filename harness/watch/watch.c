#include "watch/watch.h"

#include <errno.h>
#include <unistd.h>

#include "base/order.h"
#include "sys/clock.h"
#include "sys/sockets.h"
#include "sys/sysctl.h"
#include "watch/why.h"

/* Of a core, looking takes 2 % on average. */
enum {
	COST_SHARE = 50,
	OWNERS_SHARE = 2 * COST_SHARE,
	SOCKETS_MOST = 1 << 18,
	PAUSE_LEAST_NS = 100000000
};

#define SECOND_NS INT64_C(1000000000)
#define DEAR_NS (4 * SECOND_NS) /* between looks, each of which names all processes */

static bool has_timestamps(void)
{
	char text[16];

	return sysctl_read(TEXT("net.ipv4.tcp_timestamps"), text, sizeof(text)) != 0 ||
	       text[0] != '0';
}

static bool tables_open(struct watch *w, struct arena *arena)
{
	const struct host *host = w->wish.host;
	struct waits waits = waits_of(host->tw_reuse, host->tw_reuse_delay, has_timestamps());
	uint32_t most = w->wish.most;

	w->census = ARENA_NEW(arena, struct census);
	w->holders = ARENA_NEW(arena, struct holders);
	w->trend = ARENA_NEW(arena, struct trend);
	w->rows = ARENA_ARRAY(arena, struct look_row, most);
	w->usages = ARENA_ARRAY(arena, struct usage, most);
	w->kin = w->wish.pid ? ARENA_NEW(arena, struct kin) : NULL;
	return census_open(w->census, 0, arena) &&
	       census_open_held(w->census, SOCKETS_MOST, arena) &&
	       holders_open(w->holders, false, arena) &&
	       (!w->kin || kin_open(w->kin, w->wish.pid, arena)) &&
	       trend_open(w->trend, most, &waits, arena);
}

/* Where there are no counters, how many connections there are in all is not known; nor, where there are no
 * totals, how many sockets between two looks. */
bool watch_open(struct watch *out, const struct watch_wish *wish, struct arena *arena,
		struct err *err)
{
	struct err none = {0};

	*out = (struct watch){.wish = *wish, .proc = {-1, -1, -1, -1}};
	if (wish->to)
		out->to = *wish->to;
	if (!tables_open(out, arena))
		return err_sys(err, ENOMEM, "could not reserve memory to count sockets");
	if (!proc_open(&out->proc, &none) && !proc_open_snmp(&out->proc, &none))
		proc_close(&out->proc);
	out->census->range = wish->host->ports;
	out->census->waits = &out->trend->waits;
	out->census->guesses = true;
	out->census->mine_only = wish->pid != 0;
	return true;
}

void watch_close(struct watch *w)
{
	proc_close(&w->proc);
}

/* ---- one look ------------------------------------------------------------ */

static void add_to_census(void *census, const struct socket_seen *seen)
{
	census_add(census, seen);
}

static bool dump(struct watch *w, struct err *err)
{
	struct socket_filter filter = {.ports = w->census->range, .to = w->wish.to ? &w->to : NULL};
	struct sample *s = &w->look.sample;
	struct dump dump = {0};
	bool ok;

	s->from_proc = w->wish.host->sock_diag != 0;
	if (!(s->from_proc ? dump_open_proc : dump_open)(&dump, err))
		return false;
	census_clear(w->census);
	ok = dump_run(&dump, &filter, add_to_census, w->census, &s->torn, err);
	dump_close(&dump);
	return ok;
}

/* Of TCP, whose connections alone are counted here. */
static uint32_t in_use_anywhere(const struct census *c)
{
	struct portset used = {0}, taken = c->reserved;

	portset_join(&taken, &c->listening);
	portset_join(&taken, &c->bound);
	for (uint32_t i = 0; i < c->held_count; i++)
		portset_add(&used, c->held[i].port);
	portset_leave(&used, &taken);
	return portset_count(&used, c->range);
}

static bool is_kin(const void *kin, int32_t pid)
{
	return kin_has(kin, pid);
}

/* Who has which descriptor, the process that is watched first. Of thousands of processes that costs far more
 * than all else, and what is in use for long is in use by the same still: such looks come by themselves, and
 * those between them go by the last. */
static void look_at_owners(struct watch *w)
{
	int64_t begin = clock_spent();

	holders_scan(w->holders);
	if (w->kin)
		kin_look(w->kin);
	w->owners_cost_ns = clock_spent() - begin;
	w->owners_ns = w->look.t_ns;
	w->owners_due_ns = clock_now() + OWNERS_SHARE * w->owners_cost_ns;
}

static void tell_owners(struct watch *w)
{
	struct look *l = &w->look;

	l->owners_ns = w->owners_ns;
	l->owners_cost_ns = w->owners_cost_ns;
	l->owners_partial = w->holders->owners.partial;
	if (!w->kin)
		return;
	holders_mark(w->holders, w->census, is_kin, w->kin);
	l->pid_ended = w->kin->ended;
	l->owners_partial |= w->kin->partial;
}

/* In one pass: the rows to tell of may be a thousand. */
static void tell_mine(struct watch *w)
{
	const struct census *c = w->census;

	for (uint32_t i = 0; w->kin && i < c->taken; i++) {
		const struct census_row *row = &c->rows[c->list[i]];

		if (row->rank > 0)
			w->rows[row->rank - 1].mine = row->mine;
	}
}

static void tell_rows(struct watch *w)
{
	struct census *c = w->census;
	struct look *l = &w->look;

	l->count = l->sample.usage_count;
	l->more = l->sample.more_count;
	holders_tell(w->holders, c, w->usages, l->count);
	for (uint32_t i = 0; i < l->count; i++)
		w->rows[i] = (struct look_row){.usage = w->usages[i]};
	tell_mine(w);
	trend_look(w->trend, c, l->t_ns);
	trend_tell(w->trend, c, w->rows, l->count, l->t_ns);
	l->rateless = w->trend->lost;
	for (uint32_t i = 0; i < l->count; i++) {
		w->rows[i].cause = look_cause(&w->rows[i]);
		w->rows[i].maybe = look_maybe(&w->rows[i]);
	}
	l->rows = w->rows;
}

/* Who binds first is near to having no port, though no destination is as full as that. */
static bool starves_binds(const struct look *l)
{
	return !l->to_one && l->anywhere > l->sample.used_max &&
	       l->anywhere >= l->usable - l->usable / 10;
}

static void tell_whole(struct watch *w)
{
	const struct sample *s = &w->look.sample;
	struct look *l = &w->look;

	census_tell(w->census, &l->sample, w->usages, w->wish.most);
	l->overfull = w->census->held_lost || w->census->full;
	l->sample.torn |= l->overfull;
	l->range = w->census->range;
	l->usable =
		(uint32_t)(l->range.hi - l->range.lo) + 1 - s->reserved - s->listening - s->bound;
	l->anywhere = in_use_anywhere(w->census);
	l->pid = w->wish.pid;
	l->to_one = w->wish.to != NULL;
	if (l->to_one) /* to that destination goes none of them: fewer ports are usable */
		l->sample.states[STATE_BOUND] = 0;
	l->sees_all = geteuid() == 0;
}

/* ---- the namespace's own count ------------------------------------------- */

static void note_opens(void *context, struct text name, uint64_t value)
{
	struct watch *w = context;

	if (text_is(name, "ActiveOpens"))
		w->opened = value;
}

/* A reading a second is kept, the first of it, and the oldest that is not older than COUNTS_KEPT; where
 * they are further apart, the last one. */
static const struct opens_count *count_keep(struct watch *w, int64_t now_ns)
{
	const struct opens_count *oldest = &w->counts[w->newest];
	int64_t last = oldest->at_ns / SECOND_NS;

	if (!oldest->known || last != now_ns / SECOND_NS) {
		w->newest = (w->newest + 1) % COUNTS_KEPT;
		w->counts[w->newest] = (struct opens_count){now_ns, w->opened, true};
	}
	for (int i = 0; i < COUNTS_KEPT; i++) {
		const struct opens_count *c = &w->counts[i];

		if (c->known && now_ns - c->at_ns < COUNTS_KEPT * SECOND_NS &&
		    c->at_ns < oldest->at_ns)
			oldest = c;
	}
	return oldest->known ? oldest : &w->counts[w->newest];
}

/* Over the last seconds, as far as there have been any, from reading to reading: what a look does before
 * that takes seconds where it is the first. */
static void tell_opens(struct watch *w)
{
	const struct opens_count *oldest;
	struct look *l = &w->look;
	struct err none = {0};
	int64_t now_ns = clock_now() - w->first_ns;

	l->opens = -1;
	if (w->proc.snmp < 0 || !proc_counters(&w->proc, note_opens, w, &none))
		return;
	oldest = count_keep(w, now_ns);
	if (now_ns - oldest->at_ns >= SECOND_NS / 2)
		l->opens = (double)(w->opened - oldest->opened) * 1e9 /
			   (double)(now_ns - oldest->at_ns);
}

/* With them, too few looks would come. */
static bool owners_are_dear(const struct watch *w)
{
	return (w->cost_ns + w->owners_cost_ns) * COST_SHARE > DEAR_NS;
}

/* Then they have one half of what there is to spend at most, and the looks have the other. */
int64_t watch_pause_ns(const struct watch *w)
{
	int64_t together = (w->cost_ns + w->owners_cost_ns) * COST_SHARE;

	return owners_are_dear(w) ? sooner(together, w->cost_ns * 2 * COST_SHARE) : together;
}

/* The first has memory that nobody has touched: no other costs as much. A second one comes soon all the same,
 * for one tells no rates; what is owed for it lengthens the pauses after that, each up to twice. */
static int64_t pause_of(struct watch *w)
{
	int64_t own = watch_pause_ns(w), pause = own + sooner(own, w->owed_ns);

	if (w->looks == 1)
		pause = sooner(own, SECOND_NS);
	w->owed_ns += own - pause;
	return later(pause, PAUSE_LEAST_NS);
}

static bool look(struct watch *w, bool at_owners, struct err *err)
{
	int64_t begin = clock_spent(), now = clock_now();
	struct census *c = w->census;

	if (w->looks++ == 0)
		w->first_ns = now;
	w->look = (struct look){.t_ns = now - w->first_ns};
	c->reserved = (struct portset){0};
	if (!reserved_read(&c->reserved, err) || !dump(w, err))
		return false;
	if (at_owners)
		look_at_owners(w);
	tell_owners(w);
	tell_whole(w);
	tell_rows(w);
	w->look.starves_binds = starves_binds(&w->look);
	tell_opens(w);
	w->look.sample.dump_ns = (uint64_t)(clock_spent() - begin);
	w->cost_ns = (int64_t)w->look.sample.dump_ns - (at_owners ? w->owners_cost_ns : 0);
	w->look.next_ns = pause_of(w);
	w->due_ns = clock_now() + w->look.next_ns;
	return true;
}

bool watch_look(struct watch *w, struct err *err)
{
	return look(w, true, err);
}

static void look_at_totals(struct watch *w)
{
	struct totals totals;
	struct err none = {0};

	if (w->proc.sockstat < 0 || !proc_totals(&w->proc, &totals, &none))
		return;
	tell_opens(w);
	w->look.totals =
		(struct look_totals){clock_now() - w->first_ns, totals.inuse, totals.tw, true};
	w->look.next_ns = w->due_ns - clock_now();
}

bool watch_follow(struct watch *w, int64_t for_ns, const volatile sig_atomic_t *stop,
		  struct err *err)
{
	int64_t now = clock_now(), until = now + for_ns;
	bool looked = false;

	for (; !*stop && now < until; now = clock_now()) {
		int64_t wake = w->due_ns < until ? w->due_ns : until;

		if (wake > now)
			clock_sleep(wake - now);
		if (*stop || clock_now() < w->due_ns)
			continue;
		if (!look(w, !owners_are_dear(w) || clock_now() >= w->owners_due_ns, err))
			return false;
		looked = true;
	}
	if (!looked && !*stop)
		look_at_totals(w);
	return true;
}
