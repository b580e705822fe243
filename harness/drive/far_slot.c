#include "drive/far_state.h"

#include <errno.h>

enum { ANSWERS = 256 };

static void count_served(struct far *far)
{
	atomic_fetch_add(&far->served, 1); /* after far->opened: see far_served() */
}

void far_accept(struct far *far, uint16_t listener)
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
	ring = far_ring(far, i, &slot);
	far->slot[i] = (struct far_slot){.listener = listener, .at = FAR_ACCEPT};
	ring_accept(ring, far->doors[listener].fd, slot, i + UINT64_C(1));
}

void far_close(struct far *far, uint32_t i)
{
	unsigned slot;
	struct ring *ring = far_ring(far, i, &slot);

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
	struct ring *ring = far_ring(far, i, &slot);

	s->at = FAR_HEAD;
	ring_receive(ring, slot, s->head + WIRE_HEAD_BYTES - s->left, s->left, i + UINT64_C(1));
}

static void body_next(struct far *far, uint32_t i)
{
	struct far_slot *s = &far->slot[i];
	unsigned slot;
	struct ring *ring = far_ring(far, i, &slot);

	s->at = FAR_BODY;
	ring_receive(ring, slot, far->scratch, piece(s->left), i + UINT64_C(1));
}

/* In pieces, of which the kernel takes what has room: who never reads is waited for by nobody
 * else. */
static void send_next(struct far *far, uint32_t i)
{
	struct far_slot *s = &far->slot[i];
	unsigned slot;
	struct ring *ring = far_ring(far, i, &slot);

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
	if (far_does(far, DOES_END) && !far->slot[i].more)
		far_close(far, i);
	else
		request_next(far, i);
}

void far_answer(struct far *far, uint32_t i)
{
	if (far->behaviour == BEHAVIOUR_LOOP) {
		far_close(far, i);
		return;
	}
	far->slot[i].left = far->slot[i].answer_bytes;
	if (far->slot[i].left)
		send_next(far, i);
	else
		answer_end(far, i);
}

void far_wait(struct far *far, uint32_t i)
{
	if (far->plan->scenario->server.delay == 0) {
		far_answer(far, i);
		return;
	}
	far->slot[i].at = FAR_DELAY;
	late_add(&far->late, far->now_ns + far_delay_ns(far), i);
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
		far_wait(far, i);
}

/* What passes in pieces: the next of them, and what comes after the last. */
static const struct {
	void (*next)(struct far *, uint32_t), (*end)(struct far *, uint32_t);
} transfers[] = {
	[FAR_HEAD] = {head_next, head_end},
	[FAR_BODY] = {body_next, far_wait},
	[FAR_SEND] = {send_next, answer_end},
};

/* A connection that is gone has nothing to be kept. */
static void on_transfer(struct far *far, uint32_t i, int result)
{
	struct far_slot *s = &far->slot[i];
	bool again = result == -EINTR || result == -EAGAIN;

	if (result > 0)
		s->left -= (uint32_t)result;
	if (result == 0 && far_does(far, DOES_KEEP))
		s->at = FAR_KEPT;
	else if (result <= 0 && !again)
		far_close(far, i);
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
		far_accept(far, (uint16_t)l);
	}
}

/* What a behaviour does first with what it has accepted. */
static void serve(struct far *far, uint32_t i)
{
	if (!far_does(far, DOES_END))
		count_served(far);
	if (far->behaviour == BEHAVIOUR_LOOP)
		far_loop(far, i);
	else if (far->behaviour == BEHAVIOUR_IGNORE)
		far->slot[i].at = FAR_KEPT;
	else if (!far_does(far, DOES_SERVE) || (far_does(far, DOES_END) && !far->plan->asks))
		far_close(far, i);
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
		far_accept(far, listener);
}

/* Whatever a dead server was at, its descriptor is closed. */
static void on_death(struct far *far, uint32_t i, int result)
{
	if (far->slot[i].at == FAR_ACCEPT && result < 0)
		release(far, i);
	else
		far_close(far, i);
}

static void on_answer(struct far *far, uint32_t i, int result)
{
	switch ((enum far_at)far->slot[i].at) {
	case FAR_CLOSE:
		if (far_does(far, DOES_END) && !far->slot[i].upstream)
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
	case FAR_SOCKET:
	case FAR_CONNECT:
	case FAR_RELAY:
		(far->dead ? on_death : far_loop_answer)(far, i, result);
		break;
	case FAR_FREE:
	case FAR_DELAY:
	case FAR_KEPT:
		break;
	}
}

bool far_turn(struct far *far)
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
