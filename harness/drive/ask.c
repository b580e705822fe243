#include "drive/work.h"

#include <errno.h>

#include "base/order.h"
#include "drive/wire.h"
#include "plan/bind.h"
#include "plan/retry.h"
#include "sense/binders.h"
#include "sys/clock.h"
#include "sys/plain.h"

/* A larger batch shares its system call among more operations, and all of it waits for the slowest. */
enum { PLAIN_NS_MOST = 10000 };
#define BATCH_NS INT64_C(400000)

/* What options point to must outlive the ask. */
static const struct linger linger_0s = {.l_onoff = 1};
static const struct option reset_on_close = {
	.level = SOL_SOCKET, .name = SO_LINGER, .value = &linger_0s, .len = sizeof(linger_0s)};

/* What a submit has cost, by those in it that take a port, which may scan the range for it, and the rest. */
static void note_cost(struct worker *w, unsigned n, unsigned scans)
{
	int64_t rest_ns = (n - scans) * sooner(w->plain_ns, PLAIN_NS_MOST);

	if (scans == 0)
		w->plain_ns = w->submit_ns / n;
	else
		w->scan_ns = later(w->submit_ns - rest_ns, 0) / scans;
}

void work_submit(struct worker *w, struct ring *ring)
{
	unsigned n = ring_queued(ring), scans = ring_scans(ring);
	int64_t begin = clock_now();

	if (!ring_submit(ring, w->err))
		w->failed = true;
	w->now_ns = clock_now() - w->zero_ns;
	if (n) {
		w->submit_ns = w->now_ns + w->zero_ns - begin;
		note_cost(w, n, scans);
	}
}

void work_begin_costs(struct worker *w)
{
	w->plain_ns = w->scan_ns = BATCH_NS / w->load->batch;
}

/* As many as fit into BATCH_NS by what the last ones cost, so that what comes behind a connect that scans
 * the range waits for few; but no fewer than the plan's. */
static bool is_full(const struct worker *w, const struct ring *ring)
{
	unsigned n = ring_queued(ring), scans = ring_scans(ring);

	return n >= BATCH_MOST ||
	       (n >= w->load->batch && scans * w->scan_ns + (n - scans) * w->plain_ns >= BATCH_NS);
}

static uint32_t ports_named(const struct worker *w)
{
	return w->load->ports.hi - w->load->ports.lo + 1U;
}

static void name(struct worker *w, uint32_t i, uint32_t n)
{
	w->named[i] = *work_source(w, &w->flows[i]);
	endpoint_port(&w->named[i], (uint16_t)(w->load->ports.lo + n % ports_named(w)));
}

void work_name(struct worker *w, uint32_t i)
{
	struct flow *f = &w->flows[i];

	f->named = w->walks[f->pair / w->share]++;
	name(w, i, f->named);
}

bool work_rename(struct worker *w, uint32_t i)
{
	struct flow *f = &w->flows[i];

	if (!w->named || ++f->renamed >= ports_named(w))
		return false;
	name(w, i, f->named + f->renamed);
	return true;
}

/* An open model never slows: what is asked for late is late, and by how much is on the tape. */
static void note_delay(struct worker *w, const struct flow *f)
{
	int64_t behind_ns;

	if (!pace_is_open(&w->pace) || f->tries > 0)
		return;
	behind_ns = w->now_ns - pace_next_ns(&w->pace, w->now_ns, f->index);
	if (behind_ns > w->tape->behind_ns)
		w->tape->behind_ns = behind_ns;
}

/* Who is asked first, where bind() takes the port, is told there. */
static void count_ask(struct worker *w, struct flow *f)
{
	if (f->seq == 0) {
		work_pair(w, f)->preparing--;
		f->seq = ++w->asked;
		f->early = !company_was_refused(w->wish.company);
	}
	work_pair(w, f)->asked_ns = w->now_ns;
}

/* The sampler is told that this one's port is its own towards everybody. */
static void note_binder(const struct worker *w, int fd)
{
	struct socket_name name;

	if (w->load->tells_ports && w->wish.binders && socket_named(fd, &name))
		binders_add(w->wish.binders, name.address, name.port, name.cookie);
}

/* For kernels whose rings can neither set options nor bind: all of it by system calls, now. So are
 * sockets that are to be descriptors of a process (load.nofile); and those of UDP, to their connect:
 * a ring takes its EAGAIN for a socket that is not ready, and asks again for 56 ms before it tells
 * (Linux 6.18); and those that the sampler is told of. */
static void ask_classic(struct worker *w, uint32_t i)
{
	struct flow *f = &w->flows[i];
	bool connects = work_is_datagram(w) && w->load->load->connected;
	struct socket_wish wish = {
		.family = w->load->family,
		.protocol = w->load->load->protocol,
		.multipath = w->load->load->options.mptcp,
		.destination = connects ? work_server(w, f) : NULL,
		.options = w->load->options,
		.option_count = w->load->option_count,
		.source = work_bound(w, i),
		.reset_on_close = f->end == END_RESET,
		.window = work_pair(w, f)->windowed ? w->window : 0,
	};
	enum stage stage;
	unsigned slot;
	struct ring *ring = work_ring(w, i, &slot);
	int64_t begin = clock_now();
	int fd, result;

	if (work_is_datagram(w))
		note_delay(w, f);
	f->sent = work_is_datagram(w) && !connects;
	if (f->sent)
		wish.first = mail_write(w, i);
	if (bind_takes_port(w->load->bind) || work_is_datagram(w))
		count_ask(w, f);
	do
		if (!work_make(w, i, &wish, &fd, &stage)) {
			w->failed = true; /* the flow stays at it: nothing has been refused */
			return;
		}
	while (fd == -EADDRINUSE && stage == STAGE_BIND && work_rename(w, i));
	if (work_is_datagram(w)) /* no submit will tell what it cost */
		w->submit_ns = w->scan_ns = clock_now() - begin;
	if (fd >= 0)
		note_binder(w, fd);
	result = fd < 0 ? fd : ring_adopt(ring, slot, fd);
	if (result < 0) {
		f->error = (uint16_t)-result;
		f->stage = (uint8_t)(fd < 0 ? stage : STAGE_SOCKET);
	}
	work_answer(w, i, result);
}

static void ask_socket(struct worker *w, uint32_t i)
{
	unsigned slot;
	struct ring *ring = work_ring(w, i, &slot);

	if (w->load->classic_sockets)
		ask_classic(w, i);
	else
		ring_socket(ring, slot, family_domain(w->load->family),
			    w->load->load->options.mptcp, i + UINT64_C(1));
}

static void set_option(struct worker *w, uint32_t i, const struct option *option)
{
	unsigned slot;
	struct ring *ring = work_ring(w, i, &slot);

	ring_option(ring, slot, option, i + UINT64_C(1));
}

static void ask_option(struct worker *w, uint32_t i)
{
	set_option(w, i, &w->load->options[w->flows[i].option]);
}

static void ask_linger(struct worker *w, uint32_t i)
{
	set_option(w, i, &reset_on_close);
}

static void ask_window(struct worker *w, uint32_t i)
{
	const struct option window = {.level = IPPROTO_IP,
				      .name = IP_LOCAL_PORT_RANGE,
				      .value = &w->window,
				      .len = sizeof(w->window)};

	set_option(w, i, &window);
}

static void ask_bind(struct worker *w, uint32_t i)
{
	unsigned slot;
	struct ring *ring = work_ring(w, i, &slot);

	if (bind_takes_port(w->load->bind))
		count_ask(w, &w->flows[i]);
	ring_bind(ring, slot, work_bound(w, i), i + UINT64_C(1));
}

static void ask_connect(struct worker *w, uint32_t i)
{
	unsigned slot;
	struct ring *ring = work_ring(w, i, &slot);

	if (work_is_datagram(w)) { /* it is, already */
		work_answer(w, i, 0);
		return;
	}
	note_delay(w, &w->flows[i]);
	count_ask(w, &w->flows[i]);
	ring_connect(ring, slot, work_server(w, &w->flows[i]), i + UINT64_C(1));
}

static void ask_check(struct worker *w, uint32_t i)
{
	unsigned slot;
	struct ring *ring = work_ring(w, i, &slot);

	ring_peek(ring, slot, false, i + UINT64_C(1));
}

/* All of a request, and of an answer, may take load.timeout. */
static void await(struct worker *w, uint32_t i)
{
	if (w->flows[i].moved)
		return;
	w->flows[i].due_ns = w->now_ns + w->timeout_ns;
	queue_add(&w->awaiting, w->flows, i);
}

/* Of a socket that is not connected, the first is on its way: it took the port. */
static void ask_datagram(struct worker *w, uint32_t i)
{
	struct flow *f = &w->flows[i];
	bool sent = f->sent;

	f->sent = false;
	if (sent)
		work_answer(w, i, (int)w->load->load->request.send);
	else
		mail_send(w, i);
}

static void ask_send(struct worker *w, uint32_t i)
{
	const struct load *l = w->load->load;
	const struct flow *f = &w->flows[i];
	bool more = f->served + 1 < w->load->serves_most;
	uint32_t left = (uint32_t)l->request.send - f->moved;
	/* Behind its head there is nothing but zeroes, wherever in the request. */
	uint32_t from = f->moved < w->request_bytes ? f->moved : WIRE_HEAD_BYTES;
	uint32_t most = w->request_bytes - from;
	unsigned slot;
	struct ring *ring = work_ring(w, i, &slot);

	await(w, i);
	if (work_is_datagram(w)) {
		ask_datagram(w, i);
		return;
	}
	ring_send(ring, slot, w->request[more] + from, left < most ? left : most, i + UINT64_C(1));
}

static void ask_receive(struct worker *w, uint32_t i)
{
	uint32_t left = (uint32_t)w->load->load->request.receive - w->flows[i].moved;
	unsigned slot;
	struct ring *ring = work_ring(w, i, &slot);

	await(w, i);
	if (!w->load->load->request.read)
		ring_peek(ring, slot, true, i + UINT64_C(1));
	else if (work_is_datagram(w))
		mail_receive(w, i);
	else
		ring_receive(ring, slot, w->scratch,
			     left < sizeof(w->scratch) ? left : (unsigned)sizeof(w->scratch),
			     i + UINT64_C(1));
}

/* May the connection serve another request? */
static bool may_stay(const struct worker *w, const struct flow *f)
{
	return f->served < w->load->serves_most && pool_has_room(&w->pool, f->pair);
}

static void ask_idle(struct worker *w, uint32_t i)
{
	int64_t timeout_ns = w->load->load->pool.idle_timeout;
	struct flow *f = &w->flows[i];

	if (!may_stay(w, f)) {
		work_answer(w, i, 0);
		return;
	}
	work_over(w, f);
	f->due_ns = timeout_ns ? w->now_ns + timeout_ns : FOR_EVER;
	pool_put(&w->pool, w->flows, i);
}

static void ask_hold(struct worker *w, uint32_t i)
{
	w->flows[i].due_ns = w->now_ns + w->hold_ns;
	queue_add(&w->holding, w->flows, i);
}

void work_receive(struct worker *w, uint32_t i)
{
	unsigned slot;
	struct ring *ring = work_ring(w, i, &slot);

	ring_receive(ring, slot, w->scratch, sizeof(w->scratch), i + UINT64_C(1));
}

static void ask_await(struct worker *w, uint32_t i)
{
	w->flows[i].due_ns = w->now_ns + w->timeout_ns;
	queue_add(&w->awaiting, w->flows, i);
	work_receive(w, i);
}

static void ask_close(struct worker *w, uint32_t i)
{
	unsigned slot;
	struct ring *ring = work_ring(w, i, &slot);

	work_let_go(w, i);
	ring_shut(ring, slot, w->load->load->options.linger > 0, i + UINT64_C(1));
}

/* It keeps its place among the flows, as a client that waits keeps its own. */
static void wait_again(struct worker *w, uint32_t i)
{
	struct flow *f = &w->flows[i];

	f->due_ns = w->now_ns + retry_wait_of(w->plan, w->load, f->index, f->tries);
	f->tries++;
	heap_add(&w->retrying, w->flows, i);
}

/* What is leaked keeps its slot, and nobody asks it for anything any more: the flow has another, if
 * there is one more than those that have none yet will need. */
static void leave(struct worker *w, uint32_t i)
{
	bool any = w->slots - w->slot_fresh > w->flow_room - w->flow_fresh;

	work_forget(w, &w->flows[i]);
	w->flows[i].slot = any ? w->slot_fresh++ : NO_FLOW;
}

/* The end of a life. */
static void end(struct worker *w, uint32_t i)
{
	struct flow *f = &w->flows[i];

	if (f->again) {
		wait_again(w, i);
		return;
	}
	if (f->busy)
		work_over(w, f);
	else
		w->ending--;
	if (f->opened && f->end == END_LEAK)
		leave(w, i);
	if (f->slot == NO_FLOW)
		return;
	w->spare[w->spare_used++] = i;
	w->spare_count++;
}

/* An operation asks the worker, or its ring without more ado. */
static const struct {
	void (*worker)(struct worker *, uint32_t);
	void (*ring)(struct ring *, unsigned slot, uint64_t tag);
} asks[OPS] = {
	[OP_SOCKET] = {.worker = ask_socket},
	[OP_OPTION] = {.worker = ask_option},
	[OP_BIND] = {.worker = ask_bind},
	[OP_LINGER] = {.worker = ask_linger},
	[OP_WINDOW] = {.worker = ask_window},
	[OP_CONNECT] = {.worker = ask_connect},
	[OP_MEET] = {.ring = ring_install}, /* for this process to look at */
	[OP_CHECK] = {.worker = ask_check},
	[OP_RENEW] = {.worker = ask_close},
	[OP_SEND] = {.worker = ask_send},
	[OP_RECEIVE] = {.worker = ask_receive},
	[OP_HOLD] = {.worker = ask_hold},
	[OP_IDLE] = {.worker = ask_idle},
	[OP_SHUT] = {.ring = ring_shutdown},
	[OP_AWAIT] = {.worker = ask_await},
	[OP_INHERIT] = {.ring = ring_install}, /* for another process */
	[OP_DISCONNECT] = {.ring = ring_disconnect},
	[OP_CLEAR] = {.ring = ring_clear},
	[OP_CLOSE] = {.worker = ask_close},
	[OP_UNDO] = {.worker = ask_close},
	[OP_FAILED] = {.worker = end},
	[OP_DONE] = {.worker = end},
};

void work_ask(struct worker *w, uint32_t i)
{
	unsigned slot;
	struct ring *ring = work_ring(w, i, &slot);
	enum op op = w->flows[i].at;

	if (asks[op].ring)
		asks[op].ring(ring, slot, i + UINT64_C(1));
	else
		asks[op].worker(w, i);
	if (is_full(w, ring))
		work_submit(w, ring);
}
