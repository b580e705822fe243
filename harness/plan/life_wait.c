#include "plan/life_wait.h"

#include "base/order.h"
#include "host/wheel.h"
#include "plan/bind.h"
#include "plan/speed.h"

#define SECOND INT64_C(1000000000)

bool life_has_timestamps(const struct scenario *s)
{
	static const char name[] = "net.ipv4.tcp_timestamps";

	return setting_number(&s->network.sysctl, name, 1) != 0 &&
	       setting_number(&s->server.sysctl, name, 1) != 0;
}

bool life_outlasts_resets(const struct scenario *s)
{
	return setting_number(&s->network.sysctl, "net.ipv4.tcp_rfc1337", 1) != 0;
}

/* What is not set is as a new namespace has it, whatever the host's is. */
static struct waits waits_with(const struct scenario *s, bool timestamps)
{
	const struct setting_list *set = &s->network.sysctl;

	return waits_of(setting_number(set, "net.ipv4.tcp_tw_reuse", 2),
			setting_number(set, "net.ipv4.tcp_tw_reuse_delay", 1000), timestamps);
}

struct waits life_waits(const struct scenario *s)
{
	return waits_with(s, life_has_timestamps(s));
}

bool life_wants_reuse(const struct scenario *s)
{
	const struct waits w = waits_with(s, true);

	return w.all || (w.loopback && s->network.topology == TOPOLOGY_LOOPBACK);
}

/* A connect from a port that its sockets share takes over what waits there, in TIME_WAIT or FIN_WAIT2,
 * whatever tcp_tw_reuse is: tcp_twsk_unique(). But what is in FIN_WAIT1 waits for the far end's ACK. */
bool life_takes_over(const struct scenario *s)
{
	return s->load.protocol == PROTOCOL_TCP && bind_shares_port(&s->load) &&
	       life_has_timestamps(s);
}

/* TIME_WAIT lasts network.time_wait, unless connect() may take the port sooner:
 * tcp_twsk_unique(), net/ipv4/tcp_ipv4.c. Before tcp_tw_reuse_delay (Linux 6.14) the kernel
 * compared whole seconds. */
struct span life_time_wait(const struct scenario *s, const struct host *host)
{
	const struct waits waits = life_waits(s);
	int64_t lasts_ns = s->network.time_wait,
		reused_ns = waits_ns(&waits, s->network.topology == TOPOLOGY_LOOPBACK);

	if (life_takes_over(s))
		return span_of(0);
	if (bind_takes_port(s->load.bind.way))
		return span_of(lasts_ns);
	if (reused_ns >= lasts_ns)
		return span_of(lasts_ns);
	return span_between(host->tw_reuse_delay < 0 ? 0 : reused_ns, reused_ns);
}

/* The kernel's timers of FIN_WAIT2, one after the other; `first_ns` is 0 where one is enough. */
struct fin_wait {
	int64_t first_ns, last_ns;
};

/* As it is set, and no less than three and a half times what a segment is waited for: tcp_fin_time(),
 * include/net/tcp.h; tcp_time_wait(), net/ipv4/tcp_minisocks.c. What is more than TIME_WAIT is waited for
 * twice, by the socket and then by what it leaves: __tcp_close(), net/ipv4/tcp.c;
 * tcp_keepalive_timer(), net/ipv4/tcp_timer.c. With 62 s ports came back after 4 s (Linux 6.18). */
static struct fin_wait fin_wait_of(const struct scenario *s)
{
	const struct setting_list *set = &s->network.sysctl;
	int64_t least_ns = setting_number(set, "net.ipv4.tcp_rto_min_us", 200000) * 3500;
	int64_t ns = later(setting_number(set, "net.ipv4.tcp_fin_timeout", 60) * SECOND, least_ns);

	if (ns <= TIME_WAIT_NS)
		return (struct fin_wait){0, ns};
	return (struct fin_wait){ns - TIME_WAIT_NS, later(ns - TIME_WAIT_NS, least_ns)};
}

int64_t life_fin_wait_ns(const struct scenario *s)
{
	struct fin_wait wait = fin_wait_of(s);

	return wait.first_ns + wait.last_ns;
}

int64_t life_fin_wait_late_ns(const struct scenario *s, const struct host *host)
{
	struct fin_wait wait = fin_wait_of(s);

	return (wait.first_ns ? wheel_late_ns(host, wait.first_ns) : 0) +
	       (life_takes_over(s) ? 0 : wheel_late_ns(host, wait.last_ns));
}

/* As a socket; and then, for the rest, as what it leaves, which may be taken over. */
struct span life_fin_wait(const struct scenario *s)
{
	struct fin_wait wait = fin_wait_of(s);
	int64_t ns = wait.first_ns + (life_takes_over(s) ? 0 : wait.last_ns);

	return span_of(ns);
}

int64_t life_wait_late_ns(const struct scenario *s, const struct host *host)
{
	return s->network.time_wait < TIME_WAIT_NS ? SPEED_STALL_NS
						   : wheel_late_ns(host, TIME_WAIT_NS);
}
