/* A proxy that is its own upstream. Each connection that it accepts has it open another to the same
 * listener, which it accepts in turn: the chain grows by one port and two descriptors each time, until
 * one of them is not to be had. Then that connection is closed, as a proxy does that has no upstream
 * for it; who is at its other end, the proxy itself, closes what it passes on to that one, and so
 * back to the client. What comes on any of them is dropped: it would go round for ever. */
#include "drive/far_state.h"

#include <errno.h>

#include "sys/plain.h"

bool far_loop_reserve(struct far *far)
{
	const struct plan *p = far->plan;
	struct address own = p->servers.list[0];
	enum family family = far_family(p);

	if (far->behaviour != BEHAVIOUR_LOOP)
		return true;
	far->upstreams = ARENA_TRY(far->arena, struct endpoint, p->services);
	for (uint32_t l = 0; far->upstreams && l < p->services; l++)
		far->upstreams[l] = endpoint_make(family, own, plan_service(p, l));
	return far->upstreams;
}

bool far_loop_open(struct far *far)
{
	const struct plan *p = far->plan;
	const char *name = address_link(p->scenario, p->servers.list[0]);
	uint32_t link;

	if (far->behaviour != BEHAVIOUR_LOOP)
		return true;
	if (!link_find(&link, name, &far->err))
		return false;
	for (uint32_t l = 0; l < p->services; l++)
		endpoint_scope(&far->upstreams[l], link);
	return true;
}

static void relay(struct far *far, uint32_t i)
{
	unsigned slot;
	struct ring *ring = far_ring(far, i, &slot);

	far->slot[i].at = FAR_RELAY;
	ring_receive(ring, slot, far->scratch, sizeof(far->scratch), i + UINT64_C(1));
}

/* Where the plan has no room for more, the chain stands as it is, until its client is gone or has
 * something to be passed on. */
void far_loop(struct far *far, uint32_t i)
{
	struct ring *ring;
	unsigned slot;
	uint32_t k;

	far->slot[i].at = FAR_KEPT;
	far->slot[i].peer = NO_SLOT;
	if (far->spare_count == 0) {
		relay(far, i);
		return;
	}
	k = far->spare[--far->spare_count];
	far->slot[k] = (struct far_slot){
		.listener = far->slot[i].listener, .at = FAR_SOCKET, .peer = i, .upstream = true};
	far->slot[i].peer = k;
	ring = far_ring(far, k, &slot);
	ring_socket(ring, slot, far->upstreams[0].any.sa_family, false, k + UINT64_C(1));
}

/* Neither half is the other's any more; returns it, or NO_SLOT. */
static uint32_t part(struct far *far, uint32_t i)
{
	uint32_t peer = far->slot[i].peer;

	far->slot[i].peer = NO_SLOT;
	if (peer != NO_SLOT)
		far->slot[peer].peer = NO_SLOT;
	return peer;
}

static void on_refused(struct far *far, uint32_t i, enum stage stage, int error)
{
	uint32_t peer = part(far, i);

	far->errors[stage][error < ERRNOS ? error : 0]++;
	far_close(far, i);
	if (peer != NO_SLOT)
		far_wait(far, peer);
}

static void on_socket(struct far *far, uint32_t i, int result)
{
	unsigned slot;
	struct ring *ring = far_ring(far, i, &slot);

	if (result < 0) {
		on_refused(far, i, STAGE_SOCKET, -result);
		return;
	}
	far->slot[i].at = FAR_CONNECT;
	ring_connect(ring, slot, &far->upstreams[far->slot[i].listener], i + UINT64_C(1));
}

static void on_connect(struct far *far, uint32_t i, int result)
{
	if (result < 0) {
		on_refused(far, i, STAGE_CONNECT, -result);
		return;
	}
	atomic_fetch_add(&far->opened, 1);
	relay(far, far->slot[i].peer);
	relay(far, i);
}

/* Who is closed by its client, or by the next of the chain, has the other half closed; which may have
 * received something before it heard of it. */
static void on_relay(struct far *far, uint32_t i, int result)
{
	bool goes_on = result > 0 || result == -EINTR || result == -EAGAIN;
	uint32_t peer;
	unsigned slot;

	if (goes_on && far->slot[i].peer != NO_SLOT) {
		relay(far, i);
		return;
	}
	peer = part(far, i);
	far_close(far, i);
	if (peer != NO_SLOT)
		ring_cancel(far_ring(far, peer, &slot), peer + UINT64_C(1));
}

void far_loop_answer(struct far *far, uint32_t i, int result)
{
	switch ((enum far_at)far->slot[i].at) {
	case FAR_SOCKET:
		on_socket(far, i, result);
		break;
	case FAR_CONNECT:
		on_connect(far, i, result);
		break;
	default:
		on_relay(far, i, result);
		break;
	}
}
