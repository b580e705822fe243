#include "drive/far_state.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/counters.h"
#include "sys/plain.h"

enum { EVENTS_MOST = 4 };

/* A socket of AF_INET6 has connections of IPv4 too: it is for all loads where not all are of IPv4. */
enum family far_family(const struct plan *p)
{
	return plan_is_of_family(p, FAMILY_IPV4) ? FAMILY_IPV4 : FAMILY_IPV6;
}

static bool listeners_open(struct far *far)
{
	const struct plan *p = far->plan;

	if (!far_does(far, DOES_LISTEN) || !plan_speaks(p, PROTOCOL_TCP))
		return true;
	for (uint32_t i = 0; i < p->services; i++) {
		uint16_t port = plan_service(p, i);
		int fd = socket_listen(far_family(p), port, (int)p->backlog,
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
			far_accept(far, (uint16_t)l);
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
		busy = far_do_due(far);
		busy |= far_turn(far);
		busy |= far_post_turn(far);
		if (!busy) {
			rings_wait(far->rings, far->ring_count, far_post_wake(far),
				   far_idle_ns(far));
			hear(far);
		}
	}
}

static void keep_drops(void *drops, struct text name, uint64_t value)
{
	if (text_is(name, "ListenDrops") || text_is(name, "UdpRcvbufErrors"))
		*(uint64_t *)drops += value;
}

/* By the counters of a namespace that is as old as the run: only if there is a run, and the
 * thread is there. Nobody is the worse off where they cannot be read. */
static void tell_drops(struct far *far)
{
	struct proc_door proc;
	uint64_t drops = far_post_dropped(far);

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

	far->failed = !lab_enter(far->lab, LAB_SERVER, &far->err) || !far_loop_open(far) ||
		      !listeners_open(far) || !rings_open(far) || !far_post_open(far);
	if (!far->failed && far->slots) {
		accept_all(far);
		far_turn(far);
	}
	far->good = !far->failed;
	sem_post(&far->ready);
	far_serve(far);
	while (!far->failed && far_post_turn(far)) /* what has come is read, so that it counts */
		;
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
	far->doors = ARENA_TRY(a, struct far_door, p->services);
	far->rings = ARENA_TRY(a, struct ring *, far->slots / p->ring_slots + 1);
	far->slot = ARENA_TRY(a, struct far_slot, far->slots);
	far->spare = ARENA_TRY(a, uint32_t, far->slots);
	if (!far->doors || !far->rings || !far->slot || !far->spare ||
	    !late_open(&far->late, far->slots, a))
		return false;
	for (uint32_t i = 0; i < p->services; i++)
		far->doors[i].fd = -1;
	for (uint32_t i = 0; i < far->slots; i++)
		far->spare[i] = far->slots - 1 - i;
	far->spare_count = far->slots;
	return far_post_reserve(far) && far_loop_reserve(far);
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
	uint64_t served = atomic_load(&far->served), own = atomic_load(&far->opened);

	return served > own ? served - own : 0;
}

bool far_stop(struct far *far, struct tape *out, struct err *err)
{
	atomic_store(&far->ending, true);
	tell(far);
	pthread_join(far->thread, NULL);
	for (uint32_t r = 0; r < far->ring_count; r++)
		ring_close(far->rings[r]);
	far_doors_close(far);
	far_post_close(far);
	close(far->wake);
	sem_destroy(&far->ready);
	if (out) {
		tape_merge(out, &far->tape);
		out->far_opened = far->opened;
		memcpy(out->far_errors, far->errors, sizeof(out->far_errors));
	}
	if (far->err.kind == ERR_NONE)
		return true;
	if (err && err->kind == ERR_NONE)
		*err = far->err;
	return false;
}
