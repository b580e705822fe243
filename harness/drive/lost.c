/* Of the connections that the driver has for open, those that are no more: the kernel has given them
 * up, somebody else has destroyed them, or the far end has reset them, while nobody was looking.
 *
 * Of what is leaked the driver has kept nothing: whoever compares it with the kernel goes by EstabResets.
 *
 * Each is asked by a look at what it has received, which takes nothing. That is 0.3 us of each, so
 * nobody is asked where the kernel says that no connection has ended so: EstabResets has not moved
 * (tcp_set_state(), net/ipv4/tcp.c). */
#include "drive/work.h"

#include <errno.h>

/* Of a look's tag, which is that of its flow besides: flows may be at an operation of their own. */
#define LOOK (UINT64_C(1) << 32)

enum { LOOKS_AT_ONCE = 64, WAIT_NS = 1000000, WAITS_MOST = 1000 };

static void keep_resets(void *resets, struct text name, uint64_t value)
{
	if (text_is(name, "EstabResets"))
		*(uint64_t *)resets = value;
}

static uint64_t resets_now(struct worker *w)
{
	uint64_t resets = 0;

	w->failed |= !proc_counters(&w->proc, keep_resets, &resets, w->err);
	return resets;
}

void work_watch_resets(struct worker *w)
{
	w->resets_before = resets_now(w);
}

static bool is_held(const struct flow *f)
{
	return f->opened && !f->gone && !op_is_end((enum op)f->at);
}

/* One that is gone is counted as what it came to, and not as open. */
static void take(struct worker *w, const struct ring_answer *a)
{
	struct flow *f = &w->flows[(uint32_t)a->tag - 1];
	bool reset = a->result == -ECONNRESET || a->result == -EPIPE;

	if (!is_held(f) || (!reset && !error_is_loss(-a->result)))
		return;
	f->gone = true;
	f->lost = !reset;
	work_lose(w, f);
}

/* How many of the answers were to looks. */
static uint64_t take_all(struct worker *w, struct ring *ring)
{
	struct ring_answer answers[LOOKS_AT_ONCE];
	uint64_t looks = 0;
	unsigned n;

	work_submit(w, ring);
	while (!w->failed && (n = ring_reap(ring, answers, LOOKS_AT_ONCE)) > 0)
		for (unsigned i = 0; i < n; i++) {
			take(w, &answers[i]);
			looks += (answers[i].tag & LOOK) != 0;
		}
	return looks;
}

static uint64_t look_at_all(struct worker *w)
{
	uint64_t left = 0;

	for (uint32_t i = 0; i < w->flow_fresh && !w->failed; i++) {
		struct ring *ring;
		unsigned slot;

		if (!is_held(&w->flows[i]))
			continue;
		ring = work_ring(w, i, &slot);
		ring_peek(ring, slot, false, LOOK | (i + 1));
		left++;
		if (ring_queued(ring) >= LOOKS_AT_ONCE)
			left -= take_all(w, ring);
	}
	return left;
}

void work_find_lost(struct worker *w)
{
	uint64_t left;

	if (work_is_datagram(w) || w->failed || resets_now(w) == w->resets_before)
		return;
	left = look_at_all(w);
	for (int waits = 0; !w->failed && waits < WAITS_MOST; waits++) {
		for (uint32_t k = 0; k < w->ring_count; k++)
			left -= take_all(w, w->rings[k]);
		if (left == 0)
			return;
		rings_wait(w->rings, w->ring_count, -1, WAIT_NS);
	}
}
