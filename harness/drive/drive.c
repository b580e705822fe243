#include "drive/drive.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>

#include "drive/far.h"
#include "drive/prober.h"
#include "drive/sampler.h"
#include "drive/squat.h"
#include "drive/vanish.h"
#include "drive/worker.h"
#include "lab/timewait.h"
#include "sys/clock.h"
#include "sys/rights.h"

/* Events are few by design: the first of each kind, and edges. Counters: Linux 6.18 has 15 of
 * Tcp and 130 of TcpExt. */
enum { EVENTS_MOST = 4096, COUNTERS_MOST = 512 };

/* How long to wait, once the load is over, for sockets to come to rest: closing takes a round
 * trip, and 40 ms where an acknowledgement is delayed. */
#define SETTLE_NS INT64_C(1000000000)
#define SETTLE_LOOK_NS INT64_C(1000000)

/* A worker's thread, and what it is told. */
struct carrier {
	const struct lab *lab;
	struct worker_wish wish;
	struct tape tape;
	struct arena *arena;
	struct worker *worker;
	pthread_t thread;
	sem_t ready, go;
	int64_t zero_ns;
	bool started, ok, cancelled;
	struct err err;
};

/* All that is going on in a run. */
struct crew {
	const struct plan *plan;
	const struct lab *lab;
	const struct drive_hooks *hooks;
	struct arena *arena;
	struct far *far;
	struct vanish *vanish;
	struct squat *squat;
	struct prober *prober;
	struct company *company;     /* NULL: one load alone */
	struct heirlooms *heirlooms; /* NULL: nobody inherits */
	struct binders *binders;     /* NULL: no port is told of */
	struct tape *tapes;	     /* of each load */
	struct carrier *carriers; /* of each load as many as it has workers, one after the other */
	uint32_t count;
};

/* Rights that an option of the load needs are lent to its rings, and the thread gives them up; one
 * whose sockets are made by system calls has nobody to lend them to. */
static bool load_prepare(struct carrier *c)
{
	bool needs_rights = c->wish.load->needs_rights;
	bool keeps_rights = needs_rights && c->wish.load->load->protocol == PROTOCOL_UDP;

	return (needs_rights ? lab_enter_admin(c->lab, LAB_CLIENT, &c->err)
			     : lab_enter(c->lab, LAB_CLIENT, &c->err)) &&
	       worker_open(&c->worker, &c->wish, c->arena, &c->err) &&
	       (!needs_rights || keeps_rights || rights_drop(&c->err));
}

static void *load_thread(void *context)
{
	struct carrier *carrier = context;

	carrier->ok = load_prepare(carrier);
	sem_post(&carrier->ready);
	while (sem_wait(&carrier->go) < 0)
		;
	if (carrier->ok && !carrier->cancelled)
		carrier->ok = worker_run(carrier->worker, carrier->zero_ns, &carrier->err);
	if (!carrier->ok)
		company_stop(carrier->wish.company, 0);
	if (carrier->ok && !carrier->cancelled && carrier->wish.hooks->look)
		carrier->wish.hooks->look(carrier->wish.hooks->context, carrier->worker);
	return NULL;
}

static bool load_start(struct carrier *carrier, struct err *err)
{
	int e;

	sem_init(&carrier->ready, 0, 0);
	sem_init(&carrier->go, 0, 0);
	e = pthread_create(&carrier->thread, NULL, load_thread, carrier);
	if (e) {
		sem_destroy(&carrier->ready);
		sem_destroy(&carrier->go);
		return err_sys(err, e, "could not start the load's thread");
	}
	carrier->started = true;
	while (sem_wait(&carrier->ready) < 0)
		;
	return true;
}

static bool load_join(struct carrier *carrier, struct err *err)
{
	pthread_join(carrier->thread, NULL);
	sem_destroy(&carrier->ready);
	sem_destroy(&carrier->go);
	if (!carrier->ok && err->kind == ERR_NONE)
		*err = carrier->err;
	return carrier->ok;
}

/* One after the other: they take from one arena. True: all are ready. */
static bool loads_start(struct crew *crew, struct err *err)
{
	bool ok = true;

	for (uint32_t i = 0; ok && i < crew->count; i++)
		ok = load_start(&crew->carriers[i], err) && crew->carriers[i].ok;
	return ok;
}

/* All begin at once, or, if one could not be made ready, none does. */
static bool loads_join(struct crew *crew, int64_t zero_ns, bool cancelled, struct err *err)
{
	bool ok = true;

	for (uint32_t i = 0; i < crew->count; i++) {
		crew->carriers[i].zero_ns = zero_ns;
		crew->carriers[i].cancelled = cancelled;
		if (crew->carriers[i].started)
			sem_post(&crew->carriers[i].go);
	}
	for (uint32_t i = 0; i < crew->count; i++)
		if (crew->carriers[i].started)
			ok = load_join(&crew->carriers[i], err) && ok;
	return ok;
}

static void on_edge(void *sense)
{
	sense_ask(sense);
}

/* Until the far end has had every connection, or until_ns. What it has not accepted may be
 * changed by it later. */
static void await_far_end(const struct crew *crew, int64_t until_ns)
{
	uint64_t opened = prober_stop(crew->prober);

	for (uint32_t i = 0; i < crew->count; i++) {
		const struct carrier *c = &crew->carriers[i];

		if (c->wish.load->load->protocol == PROTOCOL_TCP) /* UDP opens none there */
			opened += c->tape.tally.opened;
	}
	while (crew->plan->far_slots && far_served(crew->far) < opened && clock_now() < until_ns)
		clock_sleep(SETTLE_LOOK_NS);
}

static bool are_complete(const struct crew *crew)
{
	bool complete = true;

	for (uint32_t i = 0; i < crew->count; i++)
		complete &= crew->carriers[i].tape.complete;
	return complete;
}

/* Everybody is ready: an edge, the load, an edge once all is at rest. */
static bool run_loads(struct crew *crew, struct sense *sense, struct err *err)
{
	int64_t zero_ns;
	bool ok;

	sense_edge(sense, 0);
	zero_ns = clock_now();
	sense_zero(sense, zero_ns);
	far_zero(crew->far, zero_ns);
	vanish_zero(crew->vanish, zero_ns);
	squat_zero(crew->squat, zero_ns);
	prober_zero(crew->prober);
	ok = loads_join(crew, zero_ns, false, err);
	prober_stop(crew->prober);
	if (ok && are_complete(crew)) {
		int64_t until_ns;

		squat_await(crew->squat);
		until_ns = clock_now() + SETTLE_NS;
		await_far_end(crew, until_ns);
		sense_edge(sense, until_ns - clock_now());
	} else {
		sense_edge(sense, 0);
	}
	return ok;
}

static bool run_sampled(struct crew *crew, struct tape *samples, struct err *err)
{
	struct sense_wish wish = sampler_wish(crew->plan, crew->lab, crew->hooks, crew->arena);
	struct sense *sense;
	bool ok;

	wish.heirlooms = crew->heirlooms;
	wish.binders = crew->binders;
	if (!sense_start(&sense, &wish, samples, crew->arena, err))
		return false;
	for (uint32_t i = 0; i < crew->count; i++) {
		crew->carriers[i].wish.edge = on_edge;
		crew->carriers[i].wish.context = sense;
	}
	ok = loads_start(crew, err);
	ok = ok ? run_loads(crew, sense, err) : loads_join(crew, 0, true, err) && ok;
	return sense_stop(sense, err) && ok;
}

static bool carrier_open(struct carrier *c, const struct crew *crew, uint32_t load, struct err *err)
{
	const struct plan *p = crew->plan;

	c->lab = crew->lab;
	c->arena = crew->arena;
	c->wish = (struct worker_wish){.plan = p,
				       .load = &p->loads[load],
				       .seat = (uint32_t)(c - crew->carriers),
				       .hooks = crew->hooks,
				       .tape = &c->tape,
				       .company = crew->company,
				       .heirlooms = crew->heirlooms,
				       .binders = crew->binders};
	if (!tape_open(&c->tape, EVENTS_MOST, 0, 0, crew->arena, err) ||
	    !tape_open_accounts(&c->tape, plan_accounts(p), crew->arena, err))
		return false;
	tape_live(&c->tape, -1, crew->hooks->events_fd, crew->hooks->run);
	c->tape.load = scenario_load_name(p->scenario, load);
	return true;
}

/* The workers of a load, from a carrier on. */
static bool load_open(struct carrier *first, const struct crew *crew, uint32_t load,
		      struct err *err)
{
	uint32_t workers = crew->plan->loads[load].workers;
	struct team *team = workers > 1 ? team_open(workers, crew->arena) : NULL;

	if (workers > 1 && !team)
		return err_sys(err, ENOMEM, "could not reserve memory for %u workers", workers);
	if (!tape_open(&crew->tapes[load], (size_t)EVENTS_MOST * workers, 0, 0, crew->arena, err) ||
	    !tape_open_accounts(&crew->tapes[load], plan_accounts(crew->plan), crew->arena, err))
		return false;
	for (uint32_t k = 0; k < workers; k++) {
		if (!carrier_open(&first[k], crew, load, err))
			return false;
		first[k].wish.worker = k;
		first[k].wish.team = team;
	}
	return true;
}

/* Each that is given away has its port for good. */
static bool heirlooms_wanted(struct crew *crew, struct err *err)
{
	const struct plan *p = crew->plan;
	bool any = false;

	for (uint32_t i = 0; i < p->load_count; i++)
		any |= p->loads[i].heirs > 0;
	if (!any)
		return true;
	crew->heirlooms = ARENA_NEW(crew->arena, struct heirlooms);
	return heirlooms_open(crew->heirlooms, p->needs.holding, crew->arena) ||
	       err_sys(err, ENOMEM, "could not reserve memory for what is inherited");
}

/* Of each source's ports, one at a time. */
static bool binders_make(struct crew *crew, struct err *err)
{
	const struct plan *p = crew->plan;
	uint64_t ports = (uint64_t)(p->watched.hi - p->watched.lo) + 1;
	uint64_t sources = (uint64_t)p->sources.count + p->other.sources.count;

	if (!plan_tells_ports(p))
		return true;
	crew->binders = ARENA_NEW(crew->arena, struct binders);
	return binders_open(crew->binders, ports * sources, crew->arena) ||
	       err_sys(err, ENOMEM, "could not reserve memory for the ports that are bound");
}

static bool loads_open(struct crew *crew, struct err *err)
{
	const struct plan *p = crew->plan;
	struct carrier *next;

	crew->count = plan_workers(p);
	crew->tapes = ARENA_ARRAY(crew->arena, struct tape, p->load_count);
	next = crew->carriers = ARENA_ARRAY(crew->arena, struct carrier, crew->count);
	if (p->scenario->loads.count > 0 || crew->count > 1) {
		crew->company = company_open(p, crew->arena);
		if (!crew->company)
			return err_sys(err, ENOMEM, "could not reserve memory for %u workers",
				       crew->count);
	}
	for (uint32_t i = 0; i < p->load_count; next += p->loads[i++].workers)
		if (!load_open(next, crew, i, err))
			return false;
	return true;
}

/* The tape of a load, whose carriers begin here. */
static void join(struct tape *all, const struct carrier *first, uint32_t workers)
{
	for (uint32_t k = 0; k < workers; k++)
		tape_join(all, &first[k].tape);
	all->load = first->tape.load;
}

/* With the tape of each, if they have names. */
static void loads_close(struct crew *crew, struct tape *out)
{
	const struct plan *p = crew->plan;
	const struct carrier *first = crew->carriers;

	for (uint32_t i = 0; i < crew->count; i++)
		worker_close(crew->carriers[i].worker);
	for (uint32_t i = 0; i < p->load_count; first += p->loads[i++].workers) {
		join(&crew->tapes[i], first, p->loads[i].workers);
		tape_merge(out, &crew->tapes[i]);
	}
	if (p->load_count > 1)
		out->opened_before = out->opened_before_any;
	company_close(crew->company);
	if (p->scenario->loads.count == 0)
		return;
	out->loads = crew->tapes;
	out->load_count = p->load_count;
}

/* The tapes of all that writes one. */
static bool tapes_open(struct crew *crew, struct tape *out, struct tape *samples, struct err *err)
{
	const struct plan *p = crew->plan;
	struct arena *a = crew->arena;

	if (!tape_open(out, (size_t)EVENTS_MOST * plan_workers(p), p->samples, COUNTERS_MOST, a,
		       err) ||
	    !tape_open_usages(out, (size_t)USAGES_MOST * p->dumps, a, err) ||
	    !heirlooms_wanted(crew, err) || !binders_make(crew, err) || !loads_open(crew, err) ||
	    !tape_open(samples, 0, p->samples, COUNTERS_MOST, a, err) ||
	    !tape_open_usages(samples, (size_t)USAGES_MOST * p->dumps, a, err) ||
	    !tape_open_accounts(out, plan_accounts(p), a, err) ||
	    !tape_open_accounts(samples, plan_accounts(p), a, err))
		return false;
	tape_live(samples, crew->hooks->samples_fd, -1, crew->hooks->run);
	return true;
}

bool drive_run(struct tape *out, const struct plan *plan, const struct lab *lab,
	       const struct drive_hooks *hooks, struct arena *arena, struct err *err)
{
	struct crew crew = {.plan = plan, .lab = lab, .hooks = hooks, .arena = arena};
	struct far_wish far_wish = {plan, lab, hooks};
	struct timewait *waits = NULL;
	struct tape samples;
	bool ok;

	if (!tapes_open(&crew, out, &samples, err) ||
	    !far_start(&crew.far, &far_wish, arena, err)) {
		company_close(crew.company);
		return false;
	}
	ok = vanish_start(&crew.vanish, &far_wish, arena, err) &&
	     timewait_start(&waits, plan, lab, &hooks->pulse->broken, arena, err) &&
	     squat_open(&crew.squat, plan, lab, hooks, arena, err) &&
	     prober_start(&crew.prober, plan, lab, &hooks->pulse->broken, arena, err) &&
	     run_sampled(&crew, &samples, err);
	loads_close(&crew, out);
	ok = prober_close(crew.prober, out, err) && ok;
	ok = squat_close(crew.squat, out, err) && ok;
	ok = timewait_stop(waits, &out->destroyed, err) && ok;
	ok = vanish_stop(crew.vanish, out, err) && ok;
	ok = far_stop(crew.far, out, err) && ok;
	tape_merge(out, &samples);
	out->complete &= ok;
	if (out->write_error)
		return err_sys(err, out->write_error, "could not write what happened while it ran");
	return ok;
}
