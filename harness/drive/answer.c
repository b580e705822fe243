#include "drive/work.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plan/bind.h"
#include "sense/heirlooms.h"
#include "sys/plain.h"

/* Of what every destination can do many times over, the first tell enough. */
enum { NOTED_MOST = 256 };

void work_note(struct worker *w, enum event_kind kind, const struct flow *f, int64_t value)
{
	struct event e = {.t_ns = w->now_ns, .value = value, .dest = NOWHERE, .kind = kind};

	if (w->noted[kind]++ >= NOTED_MOST)
		return;
	if (f) {
		e.dest = f->pair % w->plan->destinations;
		e.stage = (enum stage)f->stage;
		e.error = f->error;
	}
	tape_event(w->tape, e);
}

uint64_t work_opened(const struct worker *w)
{
	return team_opened(w->wish.team) - w->shared.opened + w->tape->tally.opened;
}

void work_count_error(struct worker *w, const struct flow *f)
{
	int error = f->error < ERRNOS ? f->error : 0;

	if (++w->tape->tally.errors[f->stage][error] == 1 &&
	    team_is_first(w->wish.team, EVENT_FAILED, (enum stage)f->stage, error))
		work_note(w, EVENT_FAILED, f, (int64_t)work_opened(w));
}

static void count_before(struct tape *t, const struct flow *f)
{
	t->opened_before++;
	t->opened_before_any += f->early;
}

/* Of its destination. */
static struct account *account_of(const struct worker *w, const struct flow *f)
{
	return &w->tape->accounts[w->account_first + f->pair % w->plan->destinations];
}

static void on_open(struct worker *w, struct flow *f)
{
	struct pair *p = work_pair(w, f);
	struct tape *t = w->tape;
	uint64_t open;
	int64_t out_ns;

	t->tally.opened++;
	if (t->accounts)
		account_of(w, f)->opened++;
	open = t->tally.opened - t->tally.closed - t->tally.reset - t->tally.lost;
	if (w->now_ns < w->far_keeps_ns && open > t->open_peak)
		t->open_peak = open;
	if (w->refused_seq == 0 || f->seq < w->refused_seq)
		count_before(t, f);
	p->in_flight--;
	p->holding++;
	p->open++;
	if (w->own_ports && w->now_ns < w->far_keeps_ns && p->open > t->used_peak)
		t->used_peak = p->open;
	if (w->load->window && !p->windowed && p->holding >= w->load->window_at) {
		p->windowed = true;
		work_note(w, EVENT_WINDOW_ON, f, p->holding);
	}
	out_ns = pair_opened(p, f->seq, w->now_ns);
	if (out_ns < 0)
		return;
	rotation_return(&w->rotation, work_space(w, f));
	work_note(w, EVENT_RECOVERED, f, out_ns);
	if (t->recovered_ns < 0)
		t->recovered_ns = w->now_ns - t->refused_at_ns;
}

/* What the request came to: a connection that could not be had is on_failure()'s. */
static void on_request(struct worker *w, struct flow *f)
{
	struct tally *t = &w->tape->tally;

	t->requests_failed += w->load->requests && f->error;
	t->requests_done += w->load->requests && !f->error;
	t->requests_reused += w->load->requests && !f->error && f->served;
	f->served += !f->error;
	if (f->error && w->load->load->on_failure.flush_pool)
		pool_flush(w);
	if (f->error && w->load->load->on_failure.then == ON_FAILURE_STOP)
		work_end(w, f);
}

/* By a RST, from either end: the far end's, or the client's own, which close sends by its options
 * or because there is something in the socket that nobody has read. A socket of MPTCP sends a FIN all
 * the same: its own queue has the bytes, and the one of TCP below is empty (Linux 6.18). */
static bool is_reset(const struct worker *w, const struct flow *f)
{
	const struct load *l = w->load->load;
	bool unread = !l->request.read && f->served && !l->options.mptcp;

	if (work_is_datagram(w))
		return false;
	/* Where both FINs have passed the socket is none of TCP's any more: close sends nothing. */
	bool by_linger = w->load->closes_with_rst && (f->end != END_SHUTDOWN || f->error);

	return f->end == END_RESET || f->end == END_DISCONNECT || by_linger || unread ||
	       flow_was_reset(f);
}

static bool is_lost(const struct worker *w, const struct flow *f)
{
	return f->lost && !work_is_datagram(w);
}

void work_lose(struct worker *w, const struct flow *f)
{
	*(f->lost ? &w->tape->tally.lost : &w->tape->tally.reset) += 1;
	if (w->tape->accounts)
		account_of(w, f)->ended++;
	work_pair(w, f)->holding--;
	work_pair(w, f)->open--;
}

/* What is forgotten is none of the leaked if the connection is no more. */
void work_forget(struct worker *w, const struct flow *f)
{
	if (is_lost(w, f) || (flow_was_reset(f) && !work_is_datagram(w)))
		work_lose(w, f);
	else
		w->tape->tally.leaked++;
}

/* A port is free again at once after a RST, where the far end closed first, and where the kernel has
 * given the connection up; else TIME_WAIT holds it, or whoever has inherited the connection. */
static void on_close(struct worker *w, const struct flow *f)
{
	bool reset = is_reset(w, f), nothing_left = reset || work_is_datagram(w);
	bool far_first = f->error ? f->error == ENODATA : f->end == END_WAIT;
	struct tally *t = &w->tape->tally;

	if (is_lost(w, f)) {
		work_lose(w, f);
		return;
	}
	*(f->inherited ? &t->inherited : reset ? &t->reset : &t->closed) += 1;
	work_pair(w, f)->open--;
	if (w->tape->accounts && !f->inherited) {
		*(nothing_left ? &account_of(w, f)->ended : &account_of(w, f)->closed) += 1;
		account_of(w, f)->far_first += far_first && !nothing_left;
	}
	if (!f->inherited && (reset || far_first || work_is_datagram(w)))
		work_pair(w, f)->holding--;
}

/* The sampler is told whose the socket is from now on. */
static void note_heirloom(struct worker *w, int fd, int its)
{
	struct stat st;

	if (w->wish.heirlooms && fstat(fd, &st) == 0)
		heirlooms_add(w->wish.heirlooms, (uint32_t)st.st_ino,
			      w->heirs[w->heir_now].child.pid, its);
}

/* A descriptor of this process has come for the socket: 0 once the heir has its own, or -errno.
 * An heir that is full makes room for the next. */
static int hand_over(struct worker *w, int fd)
{
	int e = EMFILE, its = -1;

	if (fd < 0)
		return fd;
	while (w->heir_now < w->heir_count &&
	       (e = heir_give(&w->heirs[w->heir_now], fd, &its)) == EMFILE)
		w->heir_now++;
	if (e == 0)
		note_heirloom(w, fd, its);
	close(fd);
	return -e;
}

/* A descriptor of this process has come for the socket, to be looked at; 0, or -errno. */
static int look_at_peer(struct worker *w, const struct flow *f, int fd)
{
	uint16_t port;

	if (fd < 0)
		return fd;
	port = socket_meets_itself(fd, w->load->load->connected ? NULL : work_server(w, f));
	close(fd);
	if (port) {
		w->tape->tally.self_connects++;
		work_note(w, EVENT_SELF_CONNECT, f, port);
	}
	return 0;
}

/* A RST in answer to the SYN is ECONNREFUSED: this one came to a connection that was established
 * (tcp_reset(), net/ipv4/tcp_input.c), before anybody had looked at it. */
static int reset_at_once(struct flow *f)
{
	f->error = ECONNRESET;
	f->stage = STAGE_RECEIVE;
	return 0;
}

/* What an answer means to the life: the error that a disconnect has left is none of it, and
 * the end of the stream is one where an answer was to come. */
static int meaning_of(struct worker *w, struct flow *f, int result)
{
	switch ((enum op)f->at) {
	case OP_CHECK: /* open, and nobody has said anything: that is as it should be */
		return result == -EAGAIN ? 0
		       : result > 0	 ? -EPROTO
		       : result < 0	 ? result
					 : -ENODATA;
	case OP_SHUT: /* of one that is no more: what is received next says why */
		return result == -ENOTCONN ? 0 : result;
	case OP_CONNECT:
		return result == -ECONNRESET ? reset_at_once(f) : result;
	case OP_RECEIVE:
		return result == 0 ? -ENODATA : result;
	case OP_MEET:
		return look_at_peer(w, f, result);
	case OP_INHERIT:
		result = hand_over(w, result);
		f->inherited = result == 0;
		return result;
	case OP_DISCONNECT: /* a classic socket is prepared as it is made */
		f->blank = result >= 0 && !w->load->classic_sockets;
		return result;
	case OP_CLEAR:
		return 0;
	default:
		return result;
	}
}

/* Is there more to come of what the flow is at? */
static bool goes_on(const struct worker *w, struct flow *f, int result)
{
	const struct load *l = w->load->load;

	if (result < 0)
		return false;
	switch ((enum op)f->at) {
	case OP_OPTION:
		return ++f->option < w->load->option_count;
	case OP_SEND:
		f->moved += (uint32_t)result;
		return f->moved < l->request.send;
	case OP_RECEIVE:
		f->moved += (uint32_t)result;
		return result > 0 && l->request.read && f->moved < l->request.receive;
	default:
		return false;
	}
}

/* A socket that is used again has its options still (tcp_disconnect(), net/ipv4/tcp.c), and one that is
 * bound to a device cannot be again without CAP_NET_RAW (sock_bindtoindex_locked(), net/core/sock.c). */
static uint32_t steps_of(const struct worker *w, const struct flow *f)
{
	const uint32_t option = UINT32_C(1) << OP_OPTION;
	const uint32_t window = UINT32_C(1) << OP_WINDOW;
	const uint32_t prepared =
		option | window | UINT32_C(1) << OP_BIND | UINT32_C(1) << OP_LINGER;
	uint32_t steps = work_steps(w, f);

	if (w->load->classic_sockets)
		return steps & ~prepared;
	if (f->prepared)
		steps &= ~option;
	return work_pair(w, f)->windowed ? steps : steps & ~window;
}

/* The operation is not at its end: it is asked for again. */
static bool asks_again(struct worker *w, uint32_t i, int result)
{
	struct flow *f = &w->flows[i];
	void (*ask)(struct worker *, uint32_t);

	if (f->at == OP_AWAIT && result > 0)
		ask = work_receive;
	else if (f->at == OP_RECEIVE && mail_is_stray(w, i, result))
		ask = mail_receive;
	else if (goes_on(w, f, result))
		ask = work_ask;
	else
		return false;
	f->cancelled = false; /* it was not, in the end */
	ask(w, i);
	return true;
}

/* What the operation that is over has brought. `erred`: an error was counted before it. */
static void on_answer(struct worker *w, struct flow *f, enum op was, bool erred)
{
	if (op_is_opening(was) && !op_is_opening((enum op)f->at)) {
		queue_remove(&w->opening, w->flows, (uint32_t)(f - w->flows));
		if (f->opened)
			on_open(w, f);
		else
			work_fail(w, f);
	}
	if (f->opened && f->error && !erred && was != OP_CHECK)
		work_count_error(w, f);
	if (f->opened && op_is_request(was) && !op_is_request((enum op)f->at))
		on_request(w, f);
	if (was == OP_CLOSE || was == OP_CLEAR || was == OP_RENEW)
		on_close(w, f);
}

void work_answer(struct worker *w, uint32_t i, int result)
{
	struct flow *f = &w->flows[i];
	enum op was = (enum op)f->at;
	bool erred = f->error;

	if (asks_again(w, i, result))
		return;
	if (was == OP_BIND && result == -EADDRINUSE && work_rename(w, i)) {
		work_ask(w, i);
		return;
	}
	if (was == OP_AWAIT || was == OP_SEND || was == OP_RECEIVE)
		queue_remove(&w->awaiting, w->flows, i);
	f->moved = 0;
	flow_answer(f, meaning_of(w, f, result), steps_of(w, f));
	on_answer(w, f, was, erred);
	if (was == OP_RENEW)
		work_open(w, i, f->pair, f->index);
	else
		work_ask(w, i);
}

void work_try(struct worker *w, uint32_t i, bool has_socket)
{
	struct flow *f = &w->flows[i];
	struct pair *p = work_pair(w, f);

	f->end = (uint8_t)plan_end(w->plan, w->load, f->index);
	f->due_ns = w->now_ns + w->timeout_ns;
	queue_add(&w->opening, w->flows, i);
	p->in_flight++;
	p->preparing++;
	if (w->named)
		work_name(w, i);
	w->tape->tally.attempted++;
	if (has_socket)
		work_answer(w, i, 0);
	else
		work_ask(w, i);
}

void work_open(struct worker *w, uint32_t i, uint32_t pair, uint64_t index)
{
	struct flow *f = &w->flows[i];
	bool has_socket = f->blank;

	flow_begin(f, pair);
	f->index = index;
	f->busy = true;
	f->prepared = has_socket;
	work_try(w, i, has_socket);
}

void work_over(struct worker *w, struct flow *f)
{
	struct pauses *p = &w->pauses;

	f->busy = false;
	if (p->room == 0) {
		w->under_way--;
		return;
	}
	p->due_ns[(p->first + p->count++) % p->room] = w->now_ns + w->load->load->request.pause;
}

void work_drop(struct worker *w, uint32_t i)
{
	pool_remove(&w->pool, w->flows, i);
	w->ending++;
	work_answer(w, i, 0);
}

void pool_flush(struct worker *w)
{
	while (w->pool.idle.count)
		work_drop(w, w->pool.idle.first);
}
