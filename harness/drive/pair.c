#include "drive/pair.h"

/* An exhausted pair costs at most 1 % of a core, and its recovery is noticed within half a
 * second. */
enum { CONFIRMATIONS = 3, CONFIRM_SHARE = 10, PROBE_SHARE = 100 };
#define RETRY_NS_LEAST INT64_C(1000000)
#define RETRY_NS_MOST INT64_C(500000000)

static int64_t at_least(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* A connect is refused for want of a port inside its submit; one that has no answer after this
 * time has its port, and waits for the far end. */
#define SURE_NS INT64_C(1000000)

/* When no connect of this pair can be refused any more for want of a port: of those that are not asked
 * yet, whoever asks will say. */
static int64_t sure_ns(const struct pair *p)
{
	if (p->preparing)
		return INT64_MAX;
	return p->in_flight ? p->asked_ns + SURE_NS : 0;
}

int64_t pair_room_ns(const struct pair *p, uint32_t usable, uint32_t batch)
{
	return (uint64_t)p->holding + p->in_flight + batch <= usable ? 0 : sure_ns(p);
}

int64_t pair_retry_ns(const struct pair *p)
{
	return at_least(p->retry_ns, sure_ns(p));
}

enum pair_state pair_refused(struct pair *p, uint64_t seq, int64_t now_ns, int64_t cost_ns)
{
	if (p->state == PAIR_OPEN) {
		p->refused_ns = now_ns;
		p->refused_seq = seq;
		p->refusals = 0;
		p->state = PAIR_SUSPECT;
	}
	if (p->refusals <= CONFIRMATIONS)
		p->refusals++;
	if (p->refusals <= CONFIRMATIONS) {
		p->wait_ns = cost_ns * CONFIRM_SHARE;
	} else if (p->state == PAIR_SUSPECT) {
		p->state = PAIR_EXHAUSTED;
		p->wait_ns = at_least(cost_ns * PROBE_SHARE, RETRY_NS_LEAST);
	} else {
		p->wait_ns = at_least(cost_ns * PROBE_SHARE, p->wait_ns * 2);
	}
	/* Were one refusal so dear that 1 % of a core means more than half a second, dear wins. */
	if (p->wait_ns > RETRY_NS_MOST)
		p->wait_ns = at_least(RETRY_NS_MOST, cost_ns * PROBE_SHARE);
	p->retry_ns = now_ns + p->wait_ns;
	return p->state;
}

int64_t pair_opened(struct pair *p, uint64_t seq, int64_t now_ns)
{
	int64_t out_ns = p->state == PAIR_OPEN ? -1 : now_ns - p->refused_ns;

	if (p->state != PAIR_OPEN && seq < p->refused_seq)
		return -1;
	p->state = PAIR_OPEN;
	p->refusals = 0;
	return out_ns;
}
