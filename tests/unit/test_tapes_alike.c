/* Tapes of real runs of causes that people take for each other: a table of what is not taken for what is printed. */
#include <stdio.h>
#include <string.h>

#include "recorded.h"
#include "stored.h"
#include "suites.h"

static bool is_told(const struct verdict *v, enum cause cause)
{
	for (size_t i = 0; i < v->cause_count; i++)
		if (v->causes[i].cause == cause)
			return true;
	return false;
}

/* Pairs that people take for each other: of the first tape the other's cause is not told at all. */
static const struct {
	const char *tape;
	enum cause never;
} pairs[] = {
	{"ipv6-tentative", CAUSE_FOREIGN_ADDRESS},
	{"ipv6-tentative", CAUSE_IPV6_DISABLED},
	{"bind-foreign-address", CAUSE_TIME_WAIT_CHURN},
	{"link-local-scope.wrong-scope", CAUSE_FOREIGN_ADDRESS},
	{"proxy-loop", CAUSE_LIVE_SATURATION},
	{"innocent-victim.other-protocol", CAUSE_LEAK},
	{"innocent-victim.other-protocol", CAUSE_INNOCENT_VICTIM},
	{"innocent-victim.other-protocol", CAUSE_UDP_SOCKETS},
	{"ipv6-disabled", CAUSE_LIVE_SATURATION},
	{"ipv6-disabled", CAUSE_FOREIGN_ADDRESS},
	{"dial-from-listen-port", CAUSE_LEAK},
	{"fixed-source-port.alive", CAUSE_FOREIGN_ADDRESS},
	{"linux-snat", CAUSE_CONNTRACK_FULL},
	{"linux-snat", CAUSE_BLACKHOLE},
	{"linux-snat", CAUSE_TIMED_OUT},
	{"linux-snat", CAUSE_SNAT_INSERT_RACE},
	{"linux-snat.datagrams", CAUSE_UDP_SOCKETS},
	{"linux-snat.datagrams", CAUSE_SNAT_INSERT_RACE},
	{"linux-snat", CAUSE_CLOUD_NAT},
	{"nat-collapse", CAUSE_LINUX_SNAT},
	{"nat-collapse", CAUSE_CLOUD_NAT},
	{"linux-snat", CAUSE_NAT_COLLAPSE},
	{"gcp-cloud-nat", CAUSE_LINUX_SNAT},
	{"gcp-cloud-nat", CAUSE_CONNTRACK_FULL},
	{"gcp-cloud-nat", CAUSE_TIMED_OUT},
	{"gcp-cloud-nat.datagrams", CAUSE_REQUEST_FAILED},
	{"snat-insert-race", CAUSE_LINUX_SNAT},
	{"snat-insert-race", CAUSE_CONNTRACK_FULL},
	{"snat-insert-race", CAUSE_NAT_COLLAPSE},
	{"snat-insert-race", CAUSE_TIMED_OUT},
	{"request-failed", CAUSE_TIMED_OUT},
	{"request-failed", CAUSE_REFUSED},
	{"gate-missed", CAUSE_TIME_WAIT_CHURN},
	{"route-lost", CAUSE_TIMED_OUT},
	{"route-lost", CAUSE_REFUSED},
	{"route-lost", CAUSE_FOREIGN_ADDRESS},
	{"conntrack-full", CAUSE_SNAT_INSERT_RACE},
	{"conntrack-full", CAUSE_LINUX_SNAT},
	{"conntrack-full", CAUSE_TIMED_OUT},
	{"slow-accept", CAUSE_BLACKHOLE},
	{"server-dies.vanishes", CAUSE_BLACKHOLE},
	{"server-dies.vanishes", CAUSE_LINUX_SNAT},
	{"server-dies.vanishes", CAUSE_REFUSED},
	{"server-dies.vanishes", CAUSE_TIME_WAIT_CHURN},
	{"server-dies", CAUSE_TIMED_OUT},
	{"server-dies", CAUSE_TIME_WAIT_CHURN},
	{"syn-sent-blackhole.refused", CAUSE_BLACKHOLE},
	{"syn-sent-blackhole", CAUSE_TIME_WAIT_CHURN},
	{"syn-sent-blackhole", CAUSE_LIVE_SATURATION},
	{"live-saturation", CAUSE_LEAK},
	{"live-saturation", CAUSE_TIME_WAIT_CHURN},
	{"close-wait-leak", CAUSE_LIVE_SATURATION},
	{"close-wait-leak", CAUSE_LEAK},
	{"dead-peer-leak", CAUSE_LIVE_SATURATION},
	{"fin-wait-orphans", CAUSE_TIME_WAIT_CHURN},
	{"fin-wait-orphans.closing", CAUSE_FIN_WAIT_ORPHANS},
	{"retry-storm", CAUSE_FIN_WAIT_ORPHANS},
	{"server-side-time-wait", CAUSE_TIME_WAIT_CHURN},
	{"connection-per-request", CAUSE_SERVER_TIME_WAIT},
	{"connection-per-request", CAUSE_POOL_IDLE_CAP},
	{"pool-idle-cap", CAUSE_PROXY_NO_KEEPALIVE},
	{"pool-idle-cap", CAUSE_POOL_IDLE_TIMEOUT},
	{"pool-idle-cap.idle-timeout", CAUSE_POOL_IDLE_CAP},
	{"proxy-no-keepalive", CAUSE_POOL_IDLE_CAP},
	{"client-per-request.disposed", CAUSE_CLIENT_PER_REQUEST},
	{"foreign-time-wait", CAUSE_LISTENER_IN_RANGE},
	{"foreign-time-wait.tw-reuse", CAUSE_TW_REUSE_FLOOR},
	{"listener-in-range", CAUSE_WIDENED_RANGE},
	{"listener-in-range", CAUSE_BIND_STARVATION},
	{"hidden-bound-sockets", CAUSE_BIND_STARVATION},
	{"bind-starvation", CAUSE_BOUND_ONLY},
	{"innocent-victim", CAUSE_SINGLE_TUPLE},
	{"single-tuple-funnel", CAUSE_INNOCENT_VICTIM},
	{"self-connect", CAUSE_LIVE_SATURATION},
	{"no-port-one-dest", CAUSE_BIND_FIRST},
	{"bind-before-connect", CAUSE_NO_PORT_ONE_DEST},
	{"tw-bucket-overflow.room-for-all", CAUSE_TW_OVERFLOW},
	{"live-saturation", CAUSE_CONTAINER_RANGE},
	{"body-not-read", CAUSE_CLIENT_PER_REQUEST},
	{"client-per-request", CAUSE_BODY_NOT_READ},
	{"inherited-fd", CAUSE_LEAK},
	{"inherited-fd", CAUSE_LIVE_SATURATION},
	{"udp-overshadow", CAUSE_REQUEST_FAILED},
	{"udp-overshadow", CAUSE_UDP_SOCKETS},
	{"health-probes", CAUSE_BIND_STARVATION},
	{"health-probes", CAUSE_INNOCENT_VICTIM},
	{"reserved-ports", CAUSE_BOUND_ONLY},
	{"reserved-ports", CAUSE_CONTAINER_RANGE},
	{"container-range", CAUSE_RESERVED_PORTS},
	{"fixed-source-port", CAUSE_BIND_FIRST},
	{"fixed-source-port", CAUSE_FOREIGN_ADDRESS},
	{"reserved-source-ports", CAUSE_FIXED_PORT},
	{"widened-range", CAUSE_LISTENER_IN_RANGE},
	{"widened-range", CAUSE_TEST_PORT_PICKING},
	{"test-port-picking", CAUSE_LISTENER_IN_RANGE},
	{"test-port-picking", CAUSE_WIDENED_RANGE},
	{"server-restart", CAUSE_FOREIGN_TIME_WAIT},
	{"server-restart", CAUSE_LISTENER_IN_RANGE},
	{"foreign-time-wait", CAUSE_SERVER_RESTART},
	{"fd-limit", CAUSE_LIVE_SATURATION},
	{"fd-limit", CAUSE_TCP_MEM},
	{"tw-reuse-scope", CAUSE_TIMESTAMPS_OFF},
	{"timestamps-off", CAUSE_TW_REUSE_SCOPE},
	{"timestamps-off", CAUSE_TW_REUSE_FLOOR},
	{"tw-reuse-floor", CAUSE_TW_REUSE_SCOPE},
	{"tw-reuse-floor", CAUSE_TIMESTAMPS_OFF},
	{"wrong-reuse-option", CAUSE_BIND_FIRST},
	{"bind-before-connect", CAUSE_WRONG_REUSE_OPTION},
	{"bind-before-connect", CAUSE_BIND_STARVATION},
	{"no-port-one-dest", CAUSE_WRONG_REUSE_OPTION},
	{"fast-port-reuse", CAUSE_TIMED_OUT},
	{"fast-port-reuse", CAUSE_TIME_WAIT_CHURN},
	{"cliff.no-failure", CAUSE_LIVE_SATURATION},
	{"tw-bucket-overflow", CAUSE_TIME_WAIT_CHURN},
	{"server-dies", CAUSE_BLACKHOLE},
	{"request-failed", CAUSE_LINUX_SNAT},
	{"udp-socket-per-query", CAUSE_BIND_FIRST},
	{"udp-socket-per-query", CAUSE_LIVE_SATURATION},
	{"udp-socket-per-query.bound", CAUSE_BIND_FIRST},
	{"proxy-loop", CAUSE_LEAK},
	{"dead-peer", CAUSE_DEAD_PEER_LEAK},
	{"retry-storm", CAUSE_REFUSED},
	{"retry-storm", CAUSE_LIVE_SATURATION},
	{"self-connect.server-starts", CAUSE_REFUSED},
	{"self-connect", CAUSE_LISTENER_IN_RANGE},
	{"dial-from-listen-port", CAUSE_FIXED_PORT},
	{"connection-per-request.some-leak", CAUSE_CLOSE_WAIT_LEAK},
	{"hidden-bound-sockets", CAUSE_RESERVED_PORTS},
	{"pool-idle-cap.idle-timeout", CAUSE_PROXY_NO_KEEPALIVE},
	{"proxy-no-keepalive", CAUSE_POOL_IDLE_TIMEOUT},
	{"link-local-scope", CAUSE_IPV6_DISABLED},
	{"conntrack-full", CAUSE_CLOUD_NAT},
	{"no-port-one-dest.without", CAUSE_NO_PORT_ONE_DEST},
};

enum { PAIRS = sizeof(pairs) / sizeof(pairs[0]) };

static void what_looks_alike_is_told_apart(void)
{
	for (size_t i = 0; i < PAIRS; i++) {
		struct stored s;

		stored_open(&s, pairs[i].tape);
		if (is_told(&s.verdict, pairs[i].never))
			printf("%s is told as %s too\n", pairs[i].tape, cause_name(pairs[i].never));
		CU_ASSERT(!is_told(&s.verdict, pairs[i].never));
		stored_close(&s);
	}
}

static bool is_of(const char *tape, enum cause cause)
{
	for (size_t i = 0; i < tape_count; i++)
		if (strcmp(tapes[i].tape, tape) == 0)
			return tapes[i].first == cause;
	return false;
}

/* What each is not taken for, of those that it looks like. */
static void each_cause_is_told_from_one_that_looks_like_it(void)
{
	printf("\n%-24s not taken for\n", "tapes of");
	for (int i = 0; i < CAUSES; i++) {
		unsigned n = 0;

		if (why_unmade((enum cause)i))
			continue;
		printf("%-24s", cause_name((enum cause)i));
		for (size_t k = 0; k < PAIRS; k++)
			if (is_of(pairs[k].tape, (enum cause)i))
				printf("%s %s", n++ ? "," : "", cause_name(pairs[k].never));
		printf("\n");
		CU_ASSERT(n > 0);
	}
}

static const struct test tests[] = {
	TEST(what_looks_alike_is_told_apart),
	TEST(each_cause_is_told_from_one_that_looks_like_it),
	TESTS_END,
};

const struct suite suite_tapes_alike = {"tapes: alike", tests};
