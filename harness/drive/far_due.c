#include "drive/far_state.h"

#include <unistd.h>

#include "base/draw.h"
#include "base/order.h"

/* Bounds a lost wake-up. */
enum { WAIT_NS = 200000000 };

int64_t far_delay_ns(struct far *far)
{
	const struct plan *p = far->plan;
	double jitter = p->scenario->server.jitter, at = 0.5;

	if (jitter > 0)
		at = draw_share(p->seed, plan_far_stream(p), far->delayed++);
	return (int64_t)((double)p->scenario->server.delay * (1 + jitter * (2 * at - 1)));
}

static bool answer_late(struct far *far)
{
	bool any = false;
	uint32_t i;

	while (late_take(&far->late, far->now_ns, &i)) {
		far_answer(far, i);
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
		far_accept(far, (uint16_t)l);
		any = true;
	}
	return any;
}

void far_doors_close(struct far *far)
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
	far_doors_close(far);
	far_post_shut(far);
	far->late.count = 0;
	for (uint32_t i = 0; i < far->slots; i++) {
		enum far_at at = (enum far_at)far->slot[i].at;
		unsigned slot;

		had += at != FAR_FREE && at != FAR_ACCEPT;
		if (at == FAR_DELAY || at == FAR_KEPT)
			far_close(far, i);
		else if (at != FAR_FREE && at != FAR_CLOSE)
			ring_cancel(far_ring(far, i, &slot), i + UINT64_C(1));
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

bool far_do_due(struct far *far)
{
	bool any = far->now_ns >= death_ns(far);

	if (any && submit_all(far)) /* or it dies a turn later */
		die(far);
	any |= answer_late(far);
	any |= far_post_late(far);
	return accept_slowly(far) || any;
}

/* How long nothing is to be done but what answers bring. */
int64_t far_idle_ns(const struct far *far)
{
	int64_t due_ns = sooner(far->now_ns + WAIT_NS, sooner(death_ns(far), far_post_due(far)));

	due_ns = sooner(due_ns, late_due(&far->late));
	if (far->plan->scenario->server.accept_every)
		for (uint32_t l = 0; l < far->plan->services; l++)
			due_ns = sooner(due_ns, far->doors[l].open_ns);
	return due_ns > far->now_ns ? due_ns - far->now_ns : 0;
}
