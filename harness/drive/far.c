#include "drive/far.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "sys/plain.h"
#include "sys/ring.h"

/* WAIT_NS bounds a lost wake-up. */
enum { ANSWERS = 256, WAIT_NS = 200000000 };

enum far_at { FAR_FREE, FAR_ACCEPT, FAR_RECEIVE, FAR_CLOSE };

struct far_slot {
	uint16_t listener;
	uint8_t at; /* enum far_at */
};

struct far {
	const struct plan *plan;
	const struct lab *lab;
	struct pulse *pulse;
	struct arena *arena;
	enum behaviour behaviour;
	pthread_t thread;
	sem_t ready;
	int wake; /* eventfd: written once, to end */
	struct err err;

	int *listeners;
	struct ring **rings;
	uint32_t ring_count, slots;
	struct far_slot
		*slot; /* slot i is slot i % ring_slots of ring i / ring_slots; its tag is i + 1 */
	uint32_t *spare, spare_count;
	uint32_t *wanting; /* a listener: accepts that it lacks, since no slot was free */
	uint32_t wanting_all;
	bool good; /* it began well; written before `ready` */
	bool failed;
	_Atomic uint64_t served; /* see far_served() */
	char scratch[4096];	 /* what is received goes here, unread */
};

static struct ring *ring_of(const struct far *far, uint32_t i, unsigned *slot)
{
	*slot = i % far->plan->ring_slots;
	return far->rings[i / far->plan->ring_slots];
}

/* ---- a slot's life ------------------------------------------------------- */

static void accept_next(struct far *far, uint16_t listener)
{
	struct ring *ring;
	unsigned slot;
	uint32_t i;

	if (far->spare_count == 0) {
		far->wanting[listener]++;
		far->wanting_all++;
		return;
	}
	i = far->spare[--far->spare_count];
	ring = ring_of(far, i, &slot);
	far->slot[i] = (struct far_slot){listener, FAR_ACCEPT};
	ring_accept(ring, far->listeners[listener], slot, i + UINT64_C(1));
}

static void receive_next(struct far *far, uint32_t i)
{
	unsigned slot;
	struct ring *ring = ring_of(far, i, &slot);

	far->slot[i].at = FAR_RECEIVE;
	ring_receive(ring, slot, far->scratch, sizeof(far->scratch), i + UINT64_C(1));
}

static void close_next(struct far *far, uint32_t i)
{
	unsigned slot;
	struct ring *ring = ring_of(far, i, &slot);

	far->slot[i].at = FAR_CLOSE;
	ring_shut(ring, slot, i + UINT64_C(1));
}

static void release(struct far *far, uint32_t i)
{
	far->slot[i].at = FAR_FREE;
	far->spare[far->spare_count++] = i;
	for (uint32_t l = 0; far->wanting_all && far->spare_count && l < far->plan->services; l++) {
		if (far->wanting[l] == 0)
			continue;
		far->wanting[l]--;
		far->wanting_all--;
		accept_next(far, (uint16_t)l);
	}
}

/* A connection that died before it was accepted is no trouble; anything else that an accept
 * says is. */
static void on_accept(struct far *far, uint32_t i, int result)
{
	uint16_t listener = far->slot[i].listener;

	if (result < 0 && result != -ECONNABORTED && result != -EINTR && result != -EAGAIN &&
	    result != -EPROTO) {
		err_sys(&far->err, -result, "the far end could not accept a connection");
		far->failed = true;
		return;
	}
	if (result < 0) {
		release(far, i);
	} else if (far->behaviour == BEHAVIOUR_ANSWER) {
		atomic_fetch_add_explicit(&far->served, 1, memory_order_relaxed);
		receive_next(far, i);
	} else {
		close_next(far, i);
	}
	accept_next(far, listener);
}

static void on_answer(struct far *far, uint32_t i, int result)
{
	switch ((enum far_at)far->slot[i].at) {
	case FAR_ACCEPT:
		on_accept(far, i, result);
		break;
	case FAR_RECEIVE:
		if (result > 0)
			receive_next(far, i);
		else
			close_next(far, i);
		break;
	case FAR_CLOSE:
		if (far->behaviour != BEHAVIOUR_ANSWER)
			atomic_fetch_add_explicit(&far->served, 1, memory_order_relaxed);
		release(far, i);
		break;
	case FAR_FREE:
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

/* ---- the thread ---------------------------------------------------------- */

static bool listeners_open(struct far *far)
{
	const struct plan *p = far->plan;

	for (uint32_t i = 0; i < p->services; i++)
		far->listeners[i] = -1;
	for (uint32_t i = 0; i < p->services; i++) {
		uint16_t port = (uint16_t)(p->service_first + i);
		int fd = socket_listen(p->family, port, (int)p->backlog,
				       far->behaviour == BEHAVIOUR_RESET);

		if (fd < 0)
			return err_sys(&far->err, -fd, "the far end could not listen on port %u",
				       port);
		far->listeners[i] = fd;
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
		for (uint32_t l = 0; l < far->plan->services; l++)
			accept_next(far, (uint16_t)l);
}

static void far_serve(struct far *far)
{
	struct pollfd wake = {.fd = far->wake, .events = POLLIN};

	while (!far->failed && poll(&wake, 1, 0) == 0)
		if (!far_turn(far))
			rings_wait(far->rings, far->ring_count, far->wake, WAIT_NS);
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
	far->listeners = ARENA_TRY(a, int, p->services);
	far->wanting = ARENA_TRY(a, uint32_t, p->services);
	far->rings = ARENA_TRY(a, struct ring *, far->slots / p->ring_slots + 1);
	far->slot = ARENA_TRY(a, struct far_slot, far->slots);
	far->spare = ARENA_TRY(a, uint32_t, far->slots);
	if (!far->listeners || !far->wanting || !far->rings || !far->slot || !far->spare)
		return false;
	for (uint32_t i = 0; i < far->slots; i++)
		far->spare[i] = far->slots - 1 - i;
	far->spare_count = far->slots;
	return true;
}

bool far_start(struct far **out, const struct plan *plan, const struct lab *lab,
	       struct pulse *pulse, struct arena *arena, struct err *err)
{
	struct far *far = ARENA_NEW(arena, struct far);
	int e;

	far->plan = plan;
	far->lab = lab;
	far->pulse = pulse;
	far->arena = arena;
	far->behaviour = plan->scenario->server.behaviour;
	if (!far_reserve(far))
		return err_sys(err, ENOMEM, "could not reserve memory for the far end");
	far->wake = eventfd(0, EFD_CLOEXEC);
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
	return far->good || far_stop(far, err);
}

uint64_t far_served(const struct far *far)
{
	return atomic_load_explicit(&far->served, memory_order_relaxed);
}

bool far_stop(struct far *far, struct err *err)
{
	const uint64_t one = 1;

	while (write(far->wake, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	pthread_join(far->thread, NULL);
	for (uint32_t r = 0; r < far->ring_count; r++)
		ring_close(far->rings[r]);
	for (uint32_t i = 0; i < far->plan->services; i++)
		if (far->listeners[i] > 0)
			close(far->listeners[i]);
	close(far->wake);
	sem_destroy(&far->ready);
	if (far->err.kind == ERR_NONE)
		return true;
	if (err && err->kind == ERR_NONE)
		*err = far->err;
	return false;
}
