#include "drive/far.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "drive/wire.h"
#include "sys/clock.h"
#include "sys/plain.h"
#include "sys/ring.h"
#include "sys/sockets.h"

/* WAIT_NS bounds a lost wake-up. */
enum {
	ANSWERS = 256,
	WAIT_NS = 200000000,
	PIECE_BYTES = 65536,
	NO_SLOT = UINT32_MAX,
	EVENTS_MOST = 4
};

enum far_at {
	FAR_FREE,
	FAR_ACCEPT,
	FAR_HEAD,  /* reads the head of a request */
	FAR_BODY,  /* … and the rest of it */
	FAR_DELAY, /* waits before it answers */
	FAR_SEND,
	FAR_KEPT, /* nothing will be asked of it any more, nor is it closed */
	FAR_CLOSE,
};

struct far_slot {
	int64_t due_ns; /* FAR_DELAY: when its answer is sent */
	uint32_t next;	/* FAR_DELAY: the slot behind it */
	uint32_t left;	/* bytes of head, rest or answer that have not passed yet */
	uint32_t answer_bytes;
	uint16_t listener;
	uint8_t at; /* enum far_at */
	bool more;  /* another request follows this one */
	unsigned char head[WIRE_HEAD_BYTES];
};

/* A listener's accepts. */
struct far_door {
	int fd;
	uint32_t wanting; /* accepts that it lacks, since no slot was free */
	int64_t open_ns;  /* slow accept: when the next one is asked for; FOR_EVER: one is asked */
};

struct far {
	const struct plan *plan;
	const struct lab *lab;
	struct pulse *pulse;
	struct tape tape;
	struct arena *arena;
	enum behaviour behaviour;
	pthread_t thread;
	sem_t ready;
	int wake; /* eventfd: look at what others have told */
	_Atomic bool ending;
	_Atomic int64_t zero_ns; /* when the load began; 0: it has not */
	struct err err;

	struct far_door *doors;
	struct ring **rings;
	uint32_t ring_count, slots;
	struct far_slot
		*slot; /* slot i is slot i % ring_slots of ring i / ring_slots; its tag is i + 1 */
	uint32_t *spare, spare_count;
	uint32_t wanting_all;
	uint32_t late_first, late_last; /* slots whose answer waits, in order of their time */
	int64_t now_ns;			/* read once a turn */
	bool good;			/* it began well; written before `ready` */
	bool failed;
	bool dead;		   /* as server.die wants it */
	_Atomic uint64_t served;   /* see far_served() */
	char scratch[PIECE_BYTES]; /* what is received goes here, unread */
	char zeroes[PIECE_BYTES];  /* what is sent; never written */
};

static bool does(const struct far *far, enum does what)
{
	return behaviour_does(far->behaviour, what);
}

static struct ring *ring_of(const struct far *far, uint32_t i, unsigned *slot)
{
	*slot = i % far->plan->ring_slots;
	return far->rings[i / far->plan->ring_slots];
}

static void count_served(struct far *far)
{
	atomic_fetch_add_explicit(&far->served, 1, memory_order_relaxed);
}

/* ---- a slot's life ------------------------------------------------------- */

static void accept_next(struct far *far, uint16_t listener)
{
	struct ring *ring;
	unsigned slot;
	uint32_t i;

	if (far->dead)
		return;
	if (far->spare_count == 0) {
		far->doors[listener].wanting++;
		far->wanting_all++;
		return;
	}
	i = far->spare[--far->spare_count];
	ring = ring_of(far, i, &slot);
	far->slot[i] = (struct far_slot){.listener = listener, .at = FAR_ACCEPT};
	ring_accept(ring, far->doors[listener].fd, slot, i + UINT64_C(1));
}

static void close_next(struct far *far, uint32_t i)
{
	unsigned slot;
	struct ring *ring = ring_of(far, i, &slot);

	far->slot[i].at = FAR_CLOSE;
	ring_shut(ring, slot, false, i + UINT64_C(1));
}

static uint32_t piece(uint32_t left)
{
	return left < PIECE_BYTES ? left : PIECE_BYTES;
}

/* A head goes to its slot: exactly that much is read, so that no byte of what follows is. */
static void head_next(struct far *far, uint32_t i)
{
	struct far_slot *s = &far->slot[i];
	unsigned slot;
	struct ring *ring = ring_of(far, i, &slot);

	s->at = FAR_HEAD;
	ring_receive(ring, slot, s->head + WIRE_HEAD_BYTES - s->left, s->left, i + UINT64_C(1));
}

static void body_next(struct far *far, uint32_t i)
{
	struct far_slot *s = &far->slot[i];
	unsigned slot;
	struct ring *ring = ring_of(far, i, &slot);

	s->at = FAR_BODY;
	ring_receive(ring, slot, far->scratch, piece(s->left), i + UINT64_C(1));
}

/* In pieces, of which the kernel takes what has room: who never reads is waited for by nobody
 * else. */
static void send_next(struct far *far, uint32_t i)
{
	struct far_slot *s = &far->slot[i];
	unsigned slot;
	struct ring *ring = ring_of(far, i, &slot);

	s->at = FAR_SEND;
	ring_send(ring, slot, far->zeroes, piece(s->left), i + UINT64_C(1));
}

static void request_next(struct far *far, uint32_t i)
{
	far->slot[i].left = WIRE_HEAD_BYTES;
	head_next(far, i);
}

static void answer_end(struct far *far, uint32_t i)
{
	if (does(far, DOES_END) && !far->slot[i].more)
		close_next(far, i);
	else
		request_next(far, i);
}

static void answer_begin(struct far *far, uint32_t i)
{
	far->slot[i].left = far->slot[i].answer_bytes;
	if (far->slot[i].left)
		send_next(far, i);
	else
		answer_end(far, i);
}

static void request_end(struct far *far, uint32_t i)
{
	struct far_slot *s = &far->slot[i];
	int64_t delay_ns = far->plan->scenario->server.delay;

	if (delay_ns == 0) {
		answer_begin(far, i);
		return;
	}
	s->at = FAR_DELAY;
	s->due_ns = far->now_ns + delay_ns;
	s->next = NO_SLOT;
	if (far->late_first == NO_SLOT)
		far->late_first = i;
	else
		far->slot[far->late_last].next = i;
	far->late_last = i;
}

static void head_end(struct far *far, uint32_t i)
{
	struct far_slot *s = &far->slot[i];
	struct wire_head head = wire_read(s->head);

	s->answer_bytes = head.receive_bytes;
	s->more = head.more;
	s->left = head.send_bytes - WIRE_HEAD_BYTES;
	if (s->left)
		body_next(far, i);
	else
		request_end(far, i);
}

/* What passes in pieces: the next of them, and what comes after the last. */
static const struct {
	void (*next)(struct far *, uint32_t), (*end)(struct far *, uint32_t);
} transfers[] = {
	[FAR_HEAD] = {head_next, head_end},
	[FAR_BODY] = {body_next, request_end},
	[FAR_SEND] = {send_next, answer_end},
};

/* A connection that is gone has nothing to be kept. */
static void on_transfer(struct far *far, uint32_t i, int result)
{
	struct far_slot *s = &far->slot[i];
	bool again = result == -EINTR || result == -EAGAIN;

	if (result > 0)
		s->left -= (uint32_t)result;
	if (result == 0 && does(far, DOES_KEEP))
		s->at = FAR_KEPT;
	else if (result <= 0 && !again)
		close_next(far, i);
	else if (s->left)
		transfers[s->at].next(far, i);
	else
		transfers[s->at].end(far, i);
}

static void release(struct far *far, uint32_t i)
{
	far->slot[i].at = FAR_FREE;
	far->spare[far->spare_count++] = i;
	for (uint32_t l = 0; far->wanting_all && far->spare_count && l < far->plan->services; l++) {
		if (far->doors[l].wanting == 0)
			continue;
		far->doors[l].wanting--;
		far->wanting_all--;
		accept_next(far, (uint16_t)l);
	}
}

/* What a behaviour does first with what it has accepted. */
static void serve(struct far *far, uint32_t i)
{
	if (!does(far, DOES_END))
		count_served(far);
	if (far->behaviour == BEHAVIOUR_IGNORE)
		far->slot[i].at = FAR_KEPT;
	else if (!does(far, DOES_SERVE) || (does(far, DOES_END) && !far->plan->asks))
		close_next(far, i);
	else
		request_next(far, i);
}

/* A connection that died before it was accepted is no trouble; anything else that an accept
 * says is. */
static void on_accept(struct far *far, uint32_t i, int result)
{
	int64_t every_ns = far->plan->scenario->server.accept_every;
	uint16_t listener = far->slot[i].listener;

	if (result < 0 && result != -ECONNABORTED && result != -EINTR && result != -EAGAIN &&
	    result != -EPROTO) {
		err_sys(&far->err, -result, "the far end could not accept a connection");
		far->failed = true;
		return;
	}
	if (result < 0)
		release(far, i);
	else
		serve(far, i);
	if (every_ns)
		far->doors[listener].open_ns = far->now_ns + every_ns;
	else
		accept_next(far, listener);
}

/* Whatever a dead server was at, its descriptor is closed. */
static void on_death(struct far *far, uint32_t i, int result)
{
	if (far->slot[i].at == FAR_ACCEPT && result < 0)
		release(far, i);
	else
		close_next(far, i);
}

static void on_answer(struct far *far, uint32_t i, int result)
{
	switch ((enum far_at)far->slot[i].at) {
	case FAR_CLOSE:
		if (does(far, DOES_END))
			count_served(far);
		release(far, i);
		break;
	case FAR_ACCEPT:
		(far->dead ? on_death : on_accept)(far, i, result);
		break;
	case FAR_HEAD:
	case FAR_BODY:
	case FAR_SEND:
		(far->dead ? on_death : on_transfer)(far, i, result);
		break;
	case FAR_FREE:
	case FAR_DELAY:
	case FAR_KEPT:
		break;
	}
}

static bool far_turn(struct far *far)
{
	struct ring_answer answers[ANSWERS];
	bool any = false;

	for (uint32_t r = 0; r < far->ring_count && !far->failed; r++) {
		unsigned n;

		if (!ring_submit(far->rings[r], &far->err))
			far->failed = true;
		n = ring_reap(far->rings[r], answers, ANSWERS);
		for (unsigned k = 0; k < n; k++)
			on_answer(far, (uint32_t)(answers[k].tag - 1), answers[k].result);
		any |= n > 0;
	}
	return any;
}

/* ---- what is due by the clock -------------------------------------------- */

static bool answer_late(struct far *far)
{
	bool any = false;

	while (far->late_first != NO_SLOT && far->slot[far->late_first].due_ns <= far->now_ns) {
		uint32_t i = far->late_first;

		far->late_first = far->slot[i].next;
		answer_begin(far, i);
		any = true;
	}
	return any;
}

static bool accept_slowly(struct far *far)
{
	bool any = false;

	if (far->plan->scenario->server.accept_every == 0)
		return false;
	for (uint32_t l = 0; l < far->plan->services; l++) {
		if (far->doors[l].open_ns > far->now_ns)
			continue;
		far->doors[l].open_ns = FOR_EVER;
		accept_next(far, (uint16_t)l);
		any = true;
	}
	return any;
}

static void doors_close(struct far *far)
{
	for (uint32_t l = 0; l < far->plan->services; l++) {
		if (far->doors[l].fd >= 0)
			close(far->doors[l].fd);
		far->doors[l].fd = -1;
	}
}

/* What is queued names its listener by a number, which somebody else may get once that is closed.
 * False: there is something left. */
static bool submit_all(struct far *far)
{
	bool all = true;

	for (uint32_t r = 0; r < far->ring_count; r++) {
		if (!ring_submit(far->rings[r], &far->err))
			far->failed = true;
		all &= ring_queued(far->rings[r]) == 0;
	}
	return all;
}

/* What the kernel does for a process that dies: all its descriptors are closed, listeners as
 * well. An operation that waits holds its socket, and is cancelled first. */
static void die(struct far *far)
{
	uint64_t had = 0;

	far->dead = true;
	atomic_store(&far->served, INT64_MAX); /* nobody is to wait for more */
	doors_close(far);
	far->late_first = NO_SLOT;
	for (uint32_t i = 0; i < far->slots; i++) {
		enum far_at at = (enum far_at)far->slot[i].at;
		unsigned slot;

		had += at != FAR_FREE && at != FAR_ACCEPT;
		if (at == FAR_DELAY || at == FAR_KEPT)
			close_next(far, i);
		else if (at != FAR_FREE && at != FAR_CLOSE)
			ring_cancel(ring_of(far, i, &slot), i + UINT64_C(1));
	}
	tape_event(&far->tape, (struct event){.t_ns = far->now_ns - atomic_load(&far->zero_ns),
					      .value = (int64_t)had,
					      .dest = NOWHERE,
					      .kind = EVENT_SERVER_DIED});
}

static int64_t death_ns(const struct far *far)
{
	int64_t zero_ns = atomic_load(&far->zero_ns), die_ns = far->plan->scenario->server.die;

	return die_ns == 0 || zero_ns == 0 || far->dead ? FOR_EVER : zero_ns + die_ns;
}

static bool do_due(struct far *far)
{
	bool any = far->now_ns >= death_ns(far);

	if (any && submit_all(far)) /* or it dies a turn later */
		die(far);
	any |= answer_late(far);
	return accept_slowly(far) || any;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* How long nothing is to be done but what answers bring. */
static int64_t idle_ns(const struct far *far)
{
	int64_t due_ns = sooner(far->now_ns + WAIT_NS, death_ns(far));

	if (far->late_first != NO_SLOT)
		due_ns = sooner(due_ns, far->slot[far->late_first].due_ns);
	if (far->plan->scenario->server.accept_every)
		for (uint32_t l = 0; l < far->plan->services; l++)
			due_ns = sooner(due_ns, far->doors[l].open_ns);
	return due_ns > far->now_ns ? due_ns - far->now_ns : 0;
}

/* ---- the thread ---------------------------------------------------------- */

static bool listeners_open(struct far *far)
{
	const struct plan *p = far->plan;

	if (!does(far, DOES_LISTEN) || !plan_speaks(p, PROTOCOL_TCP))
		return true;
	for (uint32_t i = 0; i < p->services; i++) {
		uint16_t port = plan_service(p, i);
		int fd = socket_listen(p->family, port, (int)p->backlog,
				       far->behaviour == BEHAVIOUR_RESET);

		if (fd < 0)
			return err_sys(&far->err, -fd, "the far end could not listen on port %u",
				       port);
		far->doors[i].fd = fd;
	}
	return true;
}

static bool rings_open(struct far *far)
{
	const struct plan *p = far->plan;

	for (uint32_t left = far->slots; left;) {
		uint32_t slots = left < p->ring_slots ? left : p->ring_slots;

		if (!ring_open(&far->rings[far->ring_count], slots, far->arena, &far->err))
			return false;
		far->ring_count++;
		left -= slots;
	}
	return true;
}

static void accept_all(struct far *far)
{
	for (uint32_t k = 0; k < far->plan->far_accepts; k++)
		for (uint32_t l = 0; l < far->plan->services; l++) {
			far->doors[l].open_ns = FOR_EVER;
			accept_next(far, (uint16_t)l);
		}
}

/* Somebody has told something: what, is read where it is needed. */
static void hear(const struct far *far)
{
	uint64_t times;

	while (read(far->wake, &times, sizeof(times)) < 0 && errno == EINTR)
		;
}

static void far_serve(struct far *far)
{
	while (!far->failed && !atomic_load(&far->ending)) {
		bool busy;

		far->now_ns = clock_now();
		busy = do_due(far);
		busy |= far_turn(far);
		if (!busy) {
			rings_wait(far->rings, far->ring_count, far->wake, idle_ns(far));
			hear(far);
		}
	}
}

static void keep_drops(void *drops, struct text name, uint64_t value)
{
	if (text_is(name, "ListenDrops"))
		*(uint64_t *)drops = value;
}

/* By the counters of a namespace that is as old as the run: only if there is a run, and the
 * thread is there. Nobody is the worse off where they cannot be read. */
static void tell_drops(struct far *far)
{
	struct proc_door proc;
	uint64_t drops = 0;

	if (proc_open(&proc, NULL))
		proc_counters(&proc, keep_drops, &drops, NULL);
	proc_close(&proc);
	if (drops)
		tape_event(&far->tape,
			   (struct event){.t_ns = clock_now() - atomic_load(&far->zero_ns),
					  .value = (int64_t)drops,
					  .dest = NOWHERE,
					  .kind = EVENT_SERVER_DROPPED});
}

static void *far_thread(void *context)
{
	struct far *far = context;

	far->failed = !lab_enter(far->lab, LAB_SERVER, &far->err) || !listeners_open(far) ||
		      !rings_open(far);
	if (!far->failed && far->slots) {
		accept_all(far);
		far_turn(far);
	}
	far->good = !far->failed;
	sem_post(&far->ready);
	far_serve(far);
	if (far->good && atomic_load(&far->zero_ns))
		tell_drops(far);
	if (far->failed)
		atomic_store(&far->pulse->broken, true);
	return NULL;
}

/* ---- from outside -------------------------------------------------------- */

static bool far_reserve(struct far *far)
{
	const struct plan *p = far->plan;
	struct arena *a = far->arena;

	far->slots = p->far_slots;
	far->late_first = NO_SLOT;
	far->doors = ARENA_TRY(a, struct far_door, p->services);
	far->rings = ARENA_TRY(a, struct ring *, far->slots / p->ring_slots + 1);
	far->slot = ARENA_TRY(a, struct far_slot, far->slots);
	far->spare = ARENA_TRY(a, uint32_t, far->slots);
	if (!far->doors || !far->rings || !far->slot || !far->spare)
		return false;
	for (uint32_t i = 0; i < p->services; i++)
		far->doors[i].fd = -1;
	for (uint32_t i = 0; i < far->slots; i++)
		far->spare[i] = far->slots - 1 - i;
	far->spare_count = far->slots;
	return true;
}

bool far_start(struct far **out, const struct far_wish *wish, struct arena *arena, struct err *err)
{
	struct far *far = ARENA_NEW(arena, struct far);
	int e;

	far->plan = wish->plan;
	far->lab = wish->lab;
	far->pulse = wish->hooks->pulse;
	far->arena = arena;
	far->behaviour = far->plan->scenario->server.behaviour;
	if (!tape_open(&far->tape, EVENTS_MOST, 0, 0, arena, err))
		return false;
	tape_live(&far->tape, -1, wish->hooks->events_fd, wish->hooks->run);
	if (!far_reserve(far))
		return err_sys(err, ENOMEM, "could not reserve memory for the far end");
	far->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (far->wake < 0)
		return err_sys(err, errno, "could not start the far end");
	sem_init(&far->ready, 0, 0);
	e = pthread_create(&far->thread, NULL, far_thread, far);
	if (e) {
		close(far->wake);
		sem_destroy(&far->ready);
		return err_sys(err, e, "could not start the far end's thread");
	}
	while (sem_wait(&far->ready) < 0)
		;
	*out = far;
	return far->good || far_stop(far, NULL, err);
}

static void tell(const struct far *far)
{
	const uint64_t one = 1;

	while (write(far->wake, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void far_zero(struct far *far, int64_t now_ns)
{
	atomic_store(&far->zero_ns, now_ns);
	tell(far);
}

uint64_t far_served(const struct far *far)
{
	return atomic_load_explicit(&far->served, memory_order_relaxed);
}

bool far_stop(struct far *far, struct tape *out, struct err *err)
{
	atomic_store(&far->ending, true);
	tell(far);
	pthread_join(far->thread, NULL);
	for (uint32_t r = 0; r < far->ring_count; r++)
		ring_close(far->rings[r]);
	doors_close(far);
	close(far->wake);
	sem_destroy(&far->ready);
	if (out)
		tape_merge(out, &far->tape);
	if (far->err.kind == ERR_NONE)
		return true;
	if (err && err->kind == ERR_NONE)
		*err = far->err;
	return false;
}
