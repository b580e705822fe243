#include "drive/work.h"

#include <errno.h>

#include "drive/breach.h"
#include "drive/wire.h"
#include "plan/bind.h"
#include "sys/plain.h"

enum { SEND_MOST = 65536 }; /* of a request, at once */

/* What a socket is bound to, from this source. */
static struct endpoint source_of(const struct worker *w, uint32_t i)
{
	const struct load_plan *lp = w->load;

	return lp->bind == BIND_ANY ? endpoint_any(lp->family, 0)
				    : endpoint_make(lp->family, lp->sources.list[i], 0);
}

static bool addresses_open(struct worker *w, uint32_t link, struct arena *arena)
{
	const struct plan *p = w->plan;

	w->sources = ARENA_TRY(arena, struct endpoint, p->sources.count);
	w->servers = ARENA_TRY(arena, struct endpoint, p->destinations);
	if (!w->sources || !w->servers)
		return false;
	for (uint32_t i = 0; i < p->sources.count; i++)
		w->sources[i] = source_of(w, i);
	for (uint32_t i = 0; i < p->destinations; i++)
		w->servers[i] = endpoint_make(w->load->family, plan_destination(p, w->load, i),
					      plan_service(p, i));
	for (uint32_t i = 0; i < p->sources.count; i++)
		endpoint_scope(&w->sources[i], link);
	for (uint32_t i = 0; i < p->destinations; i++)
		endpoint_scope(&w->servers[i], link);
	return true;
}

/* One space of ports for each pair, or for several of them. */
static bool spaces_open(struct worker *w, struct arena *arena)
{
	const struct budget *b = &w->load->budget;
	uint32_t spaces = split_spaces(&w->split);

	w->share = b->pairs / b->spaces;
	w->turns = ARENA_TRY(arena, uint32_t, spaces);
	w->walks = ARENA_TRY(arena, uint32_t, spaces);
	if (bind_names_port(w->load->bind) &&
	    !(w->named = ARENA_TRY(arena, struct endpoint, w->flow_room)))
		return false;
	return w->turns && w->walks &&
	       rotation_open(&w->rotation, spaces, b->usable, w->load->batch, arena);
}

static bool rings_open(struct worker *w, struct arena *arena, struct err *err)
{
	const struct plan *p = w->plan;
	uint32_t left = w->slots;

	w->ring_count = 0;
	w->rings = ARENA_ARRAY(arena, struct ring *, (left + p->ring_slots - 1) / p->ring_slots);
	while (left) {
		uint32_t slots = left < p->ring_slots ? left : p->ring_slots;

		if (!ring_open(&w->rings[w->ring_count], slots, arena, err))
			return false;
		w->ring_count++;
		if (w->load->needs_rights && !ring_keep_rights(w->rings[w->ring_count - 1], err))
			return false;
		left -= slots;
	}
	return true;
}

/* The beginning of a request has its head, and as much of the zeroes as a send takes at once. */
static bool requests_open(struct worker *w, struct arena *arena)
{
	const struct load *l = w->load->load;
	bool pauses = l->request.pause && w->load->concurrency;

	w->request_bytes = (uint32_t)(l->request.send < SEND_MOST ? l->request.send : SEND_MOST);
	w->pauses.room = pauses ? (uint32_t)w->pace.concurrency : 0;
	w->pauses.due_ns = ARENA_TRY(arena, int64_t, w->pauses.room);
	for (int more = 0; more < 2; more++) {
		struct wire_head head = {(uint32_t)l->request.send, (uint32_t)l->request.receive,
					 more};

		w->request[more] = ARENA_TRY(arena, unsigned char, w->request_bytes);
		if (!w->request[more])
			return false;
		if (w->request_bytes)
			wire_write(w->request[more], head);
	}
	return w->pauses.due_ns && mails_open(w, arena) &&
	       pool_open(&w->pool, w->plan->sources.count * w->plan->destinations, w->flow_room,
			 w->load->idle_most, arena);
}

/* Before the rings, which are no heir's business. */
static bool heirs_start(struct worker *w, struct arena *arena, struct err *err)
{
	w->heirs = ARENA_ARRAY(arena, struct heir, w->load->heirs);
	while (w->heir_count < w->load->heirs) {
		if (!heir_start(&w->heirs[w->heir_count], err))
			return false;
		w->heir_count++;
	}
	return true;
}

/* As the heirs. */
static bool maker_open(struct worker *w, struct arena *arena, struct err *err)
{
	uint64_t nofile = w->load->load->nofile;
	int *numbers = nofile ? ARENA_TRY(arena, int, w->slots) : NULL;

	if (nofile == 0)
		return true;
	if (!numbers)
		return err_sys(err, ENOMEM, "could not reserve memory for %u descriptors",
			       w->slots);
	if (!maker_start(&w->maker, (uint32_t)nofile, err))
		return false;
	w->numbers = numbers;
	return true;
}

/* What the plan has said once and for all. */
static void terms_set(struct worker *w)
{
	const struct plan *p = w->plan;
	const struct load_plan *lp = w->load;
	const struct load *load = lp->load;
	struct port_range range = p->scenario->network.ports;

	w->split = split_of(lp, w->wish.worker);
	w->slots = split_slots(lp, w->wish.worker);
	w->pace = (struct pace){lp->shape, split_count(&w->split, lp->concurrency), load->total,
				load->duration, load->start};
	work_begin_costs(w);
	w->next = split_index(&w->split, 0);
	w->account_first = plan_account(p, lp, 0);
	w->hold_ns = load->hold;
	w->timeout_ns = load->timeout;
	w->stop_ns = FOR_EVER;
	if (!behaviour_does(p->scenario->server.behaviour, DOES_END))
		w->far_keeps_ns = p->scenario->server.die ? p->scenario->server.die : FOR_EVER;
	w->own_ports = !bind_overshadows(load) && !bind_may_repeat(p->scenario, load);
	w->window = range.lo | (uint32_t)range.hi << 16;
	w->watches_run = breach_possible(&p->scenario->expect, 0);
	w->watches_load = breach_possible(&p->scenario->expect, (unsigned)(lp - p->loads) + 1);
}

/* Memory that nobody has touched is none: of what is reserved only what is in use counts. */
static bool flows_open(struct worker *w, struct arena *arena)
{
	uint32_t room = split_flows(w->load, w->wish.worker);

	w->opening = w->holding = w->awaiting = QUEUE_EMPTY;
	w->flows = ARENA_TRY(arena, struct flow, room);
	w->spare = ARENA_TRY(arena, uint32_t, room);
	w->flow_room = w->spare_count = room;
	return w->flows && w->spare && heap_open(&w->retrying, room, arena);
}

bool worker_open(struct worker **out, const struct worker_wish *wish, struct arena *arena,
		 struct err *err)
{
	struct worker *w = ARENA_NEW(arena, struct worker);
	uint32_t link;

	*out = w;
	w->wish = *wish;
	w->plan = wish->plan;
	w->load = wish->load;
	w->tape = wish->tape;
	w->proc = (struct proc_door){-1, -1, -1, -1};
	terms_set(w);
	if (!link_find(&link, load_link(w->load->load), err))
		return false;
	if (!flows_open(w, arena) || !addresses_open(w, link, arena) || !spaces_open(w, arena))
		return err_sys(err, ENOMEM, "could not reserve memory for %u connections",
			       w->slots);
	if (!requests_open(w, arena))
		return err_sys(err, ENOMEM, "could not reserve memory for requests");
	return proc_open_snmp(&w->proc, err) && heirs_start(w, arena, err) &&
	       maker_open(w, arena, err) && rings_open(w, arena, err);
}

void worker_close(struct worker *w)
{
	if (!w)
		return;
	for (uint32_t r = 0; r < w->ring_count; r++)
		ring_close(w->rings[r]);
	w->ring_count = 0;
	proc_close(&w->proc);
	for (uint32_t h = 0; h < w->heir_count; h++)
		heir_stop(&w->heirs[h]);
	w->heir_count = 0;
	if (w->numbers)
		maker_stop(&w->maker);
	w->numbers = NULL;
}
