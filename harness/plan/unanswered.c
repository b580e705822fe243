#include "plan/unanswered.h"

#include "base/order.h"
#include "plan/life.h"

#define FIRST_NS INT64_C(1000000000)  /* TCP_TIMEOUT_INIT */
#define EACH_MOST_NS (120 * FIRST_NS) /* TCP_RTO_MAX */

/* Years; and what the kernel takes at most for tcp_syn_linear_timeouts. */
enum { DOUBLED_MOST = 30, LINEAR_MOST = 255 };

/* The first time that a SYN would be sent again, and is not. */
static int64_t gives_up_ns(int64_t retries, int64_t linear)
{
	int64_t shortest_ns = ((INT64_C(2) << retries) - 1) * FIRST_NS;
	int64_t each_ns = FIRST_NS, at_ns = FIRST_NS;

	for (int64_t sent = 0; at_ns < shortest_ns && sent < retries + linear; sent++) {
		each_ns = sent < linear ? each_ns : sooner(2 * each_ns, EACH_MOST_NS);
		at_ns += each_ns;
	}
	return at_ns;
}

/* What the kernel will refuse to set is told of all the same. */
static int64_t within(int64_t n, int64_t most)
{
	return sooner(later(n, 0), most);
}

int64_t unanswered_ns(const struct scenario *s, const struct load *l)
{
	const struct setting_list *set = &s->network.sysctl;
	int64_t retries = setting_number(set, "net.ipv4.tcp_syn_retries", 6);
	int64_t linear = setting_number(set, "net.ipv4.tcp_syn_linear_timeouts", 4);

	if (l->protocol == PROTOCOL_UDP)
		return l->timeout;
	retries = l->options.syn_count ? (int64_t)l->options.syn_count : retries;
	return sooner(l->timeout,
		      gives_up_ns(within(retries, DOUBLED_MOST), within(linear, LINEAR_MOST)));
}

bool unanswered_repeats(const struct load *l)
{
	return l->protocol == PROTOCOL_TCP && l->timeout >= FIRST_NS - LIFE_SLACK;
}
