#include "drive/drive.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>

#include "drive/far.h"
#include "drive/squat.h"
#include "drive/vanish.h"
#include "drive/worker.h"
#include "lab/timewait.h"
#include "sys/clock.h"
#include "sys/endpoint.h"
#include "sys/rights.h"

/* Events are few by design: the first of each kind, and edges. Counters: Linux 6.18 has 15 of
 * Tcp and 130 of TcpExt. */
enum { EVENTS_MOST = 4096, COUNTERS_MOST = 512 };

/* How long to wait, once the load is over, for sockets to come to rest: closing takes a round
 * trip, and 40 ms where an acknowledgement is delayed. */
#define SETTLE_NS INT64_C(1000000000)
#define SETTLE_LOOK_NS INT64_C(1000000)

/* The load's thread, and what it is told. */
struct carrier {
	const struct plan *plan;
	const struct lab *lab;
	struct worker_wish wish;
	struct arena *arena;
	struct far *far;
	struct vanish *vanish;
	struct worker *worker;
	pthread_t thread;
	sem_t ready, go;
	int64_t zero_ns;
	bool ok, cancelled;
	struct err err;
};

/* Rights that an option of the load needs are lent to its rings; the thread gives them up. */
static bool load_prepare(struct carrier *c)
{
	bool needs_rights = c->wish.load->needs_rights;

	return (needs_rights ? lab_enter_admin(c->lab, LAB_CLIENT, &c->err)
			     : lab_enter(c->lab, LAB_CLIENT, &c->err)) &&
	       worker_open(&c->worker, &c->wish, c->arena, &c->err) &&
	       (!needs_rights || rights_drop(&c->err));
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
	if (carrier->ok && carrier->wish.hooks->look)
		carrier->wish.hooks->look(carrier->wish.hooks->context, carrier->worker);
	return NULL;
}

static bool load_start(struct carrier *carrier, struct err *err)
{
	int e;

	sem_init(&carrier->ready, 0, 0);
	sem_init(&carrier->go, 0, 0);
	e = pthread_create(&carrier->thread, NULL, load_thread, carrier);
	if (e)
		return err_sys(err, e, "could not start the load's thread");
	while (sem_wait(&carrier->ready) < 0)
		;
	return true;
}

static bool load_join(struct carrier *carrier, int64_t zero_ns, bool cancelled, struct err *err)
{
	carrier->zero_ns = zero_ns;
	carrier->cancelled = cancelled;
	sem_post(&carrier->go);
	pthread_join(carrier->thread, NULL);
	sem_destroy(&carrier->ready);
	sem_destroy(&carrier->go);
	if (!carrier->ok && err->kind == ERR_NONE)
		*err = carrier->err;
	return carrier->ok;
}

static void on_edge(void *sense)
{
	sense_ask(sense);
}

/* Until the far end has had every connection, or until_ns. What it has not accepted may be
 * changed by it later. */
static void await_far_end(const struct carrier *carrier, int64_t until_ns)
{
	uint64_t opened = carrier->wish.tape->tally.opened;

	while (carrier->plan->far_slots && far_served(carrier->far) < opened &&
	       clock_now() < until_ns)
		clock_sleep(SETTLE_LOOK_NS);
}

/* Everybody is ready: an edge, the load, an edge once all is at rest. */
static bool run_load(struct carrier *carrier, struct sense *sense, struct err *err)
{
	int64_t zero_ns;
	bool ok;

	sense_edge(sense, 0);
	zero_ns = clock_now();
	sense_zero(sense, zero_ns);
	far_zero(carrier->far, zero_ns);
	vanish_zero(carrier->vanish, zero_ns);
	ok = load_join(carrier, zero_ns, false, err);
	if (ok && carrier->wish.tape->complete) {
		int64_t until_ns = clock_now() + SETTLE_NS;

		await_far_end(carrier, until_ns);
		sense_edge(sense, until_ns - clock_now());
	} else {
		sense_edge(sense, 0);
	}
	return ok;
}

static bool enter_client(const void *lab, struct err *err)
{
	return lab_enter(lab, LAB_CLIENT, err);
}

/* What is squatted may be of another family than the load. */
static int domain_of(const struct plan *p)
{
	bool other = p->squat.sockets && p->squat.family != p->family;

	return other ? AF_UNSPEC : family_domain(p->family);
}

/* With the right to ask the gateway, where it has been on its way. */
static bool enter_client_admin(const void *lab, struct err *err)
{
	return lab_enter_admin(lab, LAB_CLIENT, err);
}

static bool visit_gateway(const void *lab, struct err *err)
{
	return lab_visit(lab, LAB_GATEWAY, err);
}

static bool run_sampled(struct carrier *carrier, struct tape *samples, struct err *err)
{
	const struct scenario *s = carrier->plan->scenario;
	bool has_gateway = s->network.topology == TOPOLOGY_NAT;
	struct sense_wish wish = {
		.enter = has_gateway ? enter_client_admin : enter_client,
		.gateway = has_gateway ? visit_gateway : NULL,
		.where = carrier->lab,
		.filter = {carrier->plan->watched, domain_of(carrier->plan),
			   (unsigned)plan_speaks(carrier->plan, PROTOCOL_TCP) << PROTOCOL_TCP |
				   (unsigned)plan_speaks(carrier->plan, PROTOCOL_UDP)
					   << PROTOCOL_UDP},
		.pairs = carrier->plan->budget.pairs,
		.every_ns = s->sample.every,
		.sockets_ns = s->sample.sockets,
		.pulse = carrier->wish.hooks->pulse,
		.half_closed_rests = behaviour_does(s->server.behaviour, DOES_KEEP),
	};
	struct sense *sense;
	bool ok;

	if (!sense_start(&sense, &wish, samples, carrier->arena, err))
		return false;
	carrier->wish.edge = on_edge;
	carrier->wish.context = sense;
	ok = load_start(carrier, err);
	if (ok && carrier->ok)
		ok = run_load(carrier, sense, err);
	else if (ok)
		ok = load_join(carrier, 0, true, err);
	return sense_stop(sense, err) && ok;
}

bool drive_run(struct tape *out, const struct plan *plan, const struct lab *lab,
	       const struct drive_hooks *hooks, struct arena *arena, struct err *err)
{
	struct tape events, samples;
	struct carrier carrier = {.plan = plan,
				  .lab = lab,
				  .arena = arena,
				  .wish = {plan, &plan->loads[0], hooks, &events, NULL, NULL}};
	struct far_wish far_wish = {plan, lab, hooks};
	struct timewait *waits = NULL;
	struct squat *squat = NULL;
	bool ok;

	if (!tape_open(out, EVENTS_MOST, plan->samples, COUNTERS_MOST, arena, err) ||
	    !tape_open(&events, EVENTS_MOST, 0, 0, arena, err) ||
	    !tape_open(&samples, 0, plan->samples, COUNTERS_MOST, arena, err))
		return false;
	tape_live(&events, -1, hooks->events_fd, hooks->run);
	tape_live(&samples, hooks->samples_fd, -1, hooks->run);
	if (!far_start(&carrier.far, &far_wish, arena, err))
		return false;
	ok = vanish_start(&carrier.vanish, &far_wish, arena, err) &&
	     timewait_start(&waits, plan, lab, &hooks->pulse->broken, arena, err) &&
	     squat_open(&squat, plan, lab, arena, err) && run_sampled(&carrier, &samples, err);
	worker_close(carrier.worker);
	squat_close(squat);
	ok = timewait_stop(waits, &out->destroyed, err) && ok;
	tape_merge(out, &events);
	ok = vanish_stop(carrier.vanish, out, err) && ok;
	ok = far_stop(carrier.far, out, err) && ok;
	tape_merge(out, &samples);
	out->complete &= ok;
	if (out->write_error)
		return err_sys(err, out->write_error, "could not write what happened while it ran");
	return ok;
}
