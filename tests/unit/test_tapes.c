/* Tapes of real runs, each of a known cause (scripts/record-tapes.sh): judged anew, the right one
 * is told first. A table of what was told for what is printed. */
#include <stdio.h>
#include <string.h>

#include "advice_check.h"
#include "stored.h"
#include "suites.h"

/* What the tape is of, and what is told of it first. A class that is the same on a tape as another
 * is told as that one. */
static const struct {
	const char *tape;
	enum cause first;
} tapes[] = {
	{"connection-per-request", CAUSE_TIME_WAIT_CHURN},
	{"connection-per-request.wrong-fix", CAUSE_TIME_WAIT_CHURN},
	{"load-generator", CAUSE_TIME_WAIT_CHURN},
	{"innocent-victim.other-protocol", CAUSE_TIME_WAIT_CHURN},
	{"client-per-request.disposed", CAUSE_TIME_WAIT_CHURN},
	{"fin-wait-orphans.closing", CAUSE_TIME_WAIT_CHURN},
	{"tw-reuse-scope.reuse-off", CAUSE_TIME_WAIT_CHURN},
	{"tw-bucket-overflow.room-for-all", CAUSE_TIME_WAIT_CHURN},
	{"pool-idle-cap", CAUSE_POOL_IDLE_CAP},
	{"pool-idle-cap.idle-timeout", CAUSE_POOL_IDLE_TIMEOUT},
	{"proxy-no-keepalive", CAUSE_PROXY_NO_KEEPALIVE},
	{"retry-storm", CAUSE_RETRY_STORM},
	{"tw-reuse-scope", CAUSE_TW_REUSE_SCOPE},
	{"tw-reuse-loopback.two-hosts", CAUSE_TW_REUSE_SCOPE},
	{"timestamps-off", CAUSE_TIMESTAMPS_OFF},
	{"tw-reuse-floor", CAUSE_TW_REUSE_FLOOR},
	{"fin-wait-orphans", CAUSE_FIN_WAIT_ORPHANS},
	{"connection-per-request.some-leak", CAUSE_LEAK},
	{"close-wait-leak", CAUSE_CLOSE_WAIT_LEAK},
	{"client-per-request", CAUSE_CLIENT_PER_REQUEST},
	{"body-not-read", CAUSE_BODY_NOT_READ},
	{"dead-peer", CAUSE_LEAK}, /* all were open, and forgotten, before the host vanished */
	{"dead-peer-leak", CAUSE_DEAD_PEER_LEAK},
	{"inherited-fd", CAUSE_INHERITED_FD},
	{"live-saturation", CAUSE_LIVE_SATURATION},
	{"retry-storm.pool-flushed",
	 CAUSE_LIVE_SATURATION}, /* 64 clients, 32 ports: it makes it worse */
	{"syn-sent-blackhole", CAUSE_BLACKHOLE},
	{"slow-accept.ports", CAUSE_BLACKHOLE},
	{"udp-socket-per-query", CAUSE_UDP_SOCKETS},
	{"udp-socket-per-query.bound", CAUSE_UDP_SOCKETS},
	{"udp-overshadow", CAUSE_UDP_OVERSHADOW},
	{"innocent-victim", CAUSE_INNOCENT_VICTIM},
	{"single-tuple-funnel", CAUSE_SINGLE_TUPLE},
	{"bind-before-connect", CAUSE_BIND_FIRST},
	{"wrong-reuse-option", CAUSE_WRONG_REUSE_OPTION},
	{"wrong-reuse-option.reuseport", CAUSE_WRONG_REUSE_OPTION},
	{"wrong-reuse-option.autobind-reuse", CAUSE_WRONG_REUSE_OPTION},
	{"no-port-one-dest", CAUSE_NO_PORT_ONE_DEST},
	{"no-port-one-dest.without", CAUSE_LEAK},
	{"hidden-bound-sockets", CAUSE_BOUND_ONLY},
	{"bind-starvation", CAUSE_BIND_STARVATION},
	{"bind-starvation.connect-starves-bind", CAUSE_BIND_STARVATION},
	{"health-probes", CAUSE_HEALTH_PROBES},
	{"reserved-ports", CAUSE_RESERVED_PORTS},
	{"container-range", CAUSE_CONTAINER_RANGE},
	{"fixed-source-port", CAUSE_FIXED_PORT},
	{"fixed-source-port.alive", CAUSE_FIXED_PORT},
	{"dial-from-listen-port", CAUSE_DIAL_FROM_LISTEN},
	{"reserved-source-ports", CAUSE_RESERVED_SOURCE},
	{"listener-in-range", CAUSE_LISTENER_IN_RANGE},
	{"listener-in-range.reuseaddr", CAUSE_LISTENER_IN_RANGE},
	{"widened-range", CAUSE_WIDENED_RANGE},
	{"test-port-picking", CAUSE_TEST_PORT_PICKING},
	{"foreign-time-wait", CAUSE_FOREIGN_TIME_WAIT},
	{"foreign-time-wait.tw-reuse", CAUSE_FOREIGN_TIME_WAIT},
	{"server-restart", CAUSE_SERVER_RESTART},
	{"linux-snat", CAUSE_LINUX_SNAT},
	{"linux-snat.more-clients", CAUSE_LINUX_SNAT},
	{"linux-snat.datagrams", CAUSE_LINUX_SNAT},
	{"nat-collapse", CAUSE_NAT_COLLAPSE},
	{"gcp-cloud-nat", CAUSE_CLOUD_NAT},
	{"gcp-cloud-nat.datagrams", CAUSE_CLOUD_NAT},
	{"conntrack-full", CAUSE_CONNTRACK_FULL},
	{"snat-insert-race", CAUSE_SNAT_INSERT_RACE},
	{"slow-accept", CAUSE_TIMED_OUT},
	{"server-dies.vanishes", CAUSE_TIMED_OUT},
	{"server-dies", CAUSE_REFUSED},
	{"request-failed", CAUSE_REQUEST_FAILED},
	{"gate-missed", CAUSE_GATE_MISSED},
	{"syn-sent-blackhole.refused", CAUSE_REFUSED},
	{"ipv6-disabled", CAUSE_IPV6_DISABLED},
	{"ipv6-tentative", CAUSE_IPV6_TENTATIVE},
	{"bind-foreign-address", CAUSE_FOREIGN_ADDRESS},
	{"fd-limit", CAUSE_FD_LIMIT},
	{"link-local-scope", CAUSE_LINK_LOCAL},
	{"link-local-scope.wrong-scope", CAUSE_LINK_LOCAL},
	{"proxy-loop", CAUSE_PROXY_LOOP},
	{"proxy-loop.own-host", CAUSE_PROXY_LOOP},
	{"self-connect", CAUSE_SELF_CONNECT},
	{"self-connect.server-starts", CAUSE_SELF_CONNECT},
	{"tw-bucket-overflow", CAUSE_TW_OVERFLOW},
	{"server-side-time-wait", CAUSE_SERVER_TIME_WAIT},
	{"fast-port-reuse", CAUSE_FAST_PORT_REUSE},
	{"cliff", CAUSE_LEAK},
	{"cliff.no-failure", CAUSE_LATENCY_CLIFF},
};

enum { TAPES = sizeof(tapes) / sizeof(tapes[0]) };

/* Causes of which there is no tape, and why: test_cause_alike.c and test_gate.c have those written by
 * hand. */
static const struct {
	enum cause cause;
	const char *why;
} unmade[] = {
	{CAUSE_NO_DATA, "what nobody recorded is on no tape"},
	{CAUSE_TCP_MEM,
	 "net.ipv4.tcp_mem and tcp_max_orphans are the whole machine's: a namespace has no "
	 "such file (ENOENT)"},
};

static bool is_recorded(enum cause cause)
{
	for (size_t i = 0; i < sizeof(tapes) / sizeof(tapes[0]); i++)
		if (tapes[i].first == cause)
			return true;
	return false;
}

static const char *why_unmade(enum cause cause)
{
	for (size_t i = 0; i < sizeof(unmade) / sizeof(unmade[0]); i++)
		if (unmade[i].cause == cause)
			return unmade[i].why;
	return NULL;
}

/* Of each there is one or the other. */
static void each_cause_has_a_tape_or_a_reason_why_not(void)
{
	printf("\n");
	for (int i = 0; i < CAUSES; i++) {
		const char *why = why_unmade((enum cause)i);
		bool has_one = is_recorded((enum cause)i) != (why != NULL);

		if (why || !has_one)
			printf("%-24s no tape: %s\n", cause_name((enum cause)i), why ? why : "?");
		CU_ASSERT(has_one);
	}
}

/* How often each cause was told first (columns) of tapes of each (rows); the last column: none. */
static void table_print(unsigned told[CAUSES][CAUSES + 1])
{
	unsigned right = 0, all = 0;

	printf("\n%-24s %s\n", "tapes of", "told first");
	for (int of = 0; of < CAUSES; of++) {
		bool has = false;

		for (int as = 0; as <= CAUSES; as++) {
			if (told[of][as] == 0)
				continue;
			printf("%-24s %2u %s%s\n", has ? "" : cause_name((enum cause)of),
			       told[of][as], as < CAUSES ? cause_name((enum cause)as) : "nothing",
			       as == of ? "" : "  <--");
			has = true;
			all += told[of][as];
			right += as == of ? told[of][as] : 0;
		}
	}
	printf("%u of %u as they are\n", right, all);
}

static void the_right_cause_is_told_first(void)
{
	static unsigned told[CAUSES][CAUSES + 1];

	memset(told, 0, sizeof(told));
	for (size_t i = 0; i < TAPES; i++) {
		struct stored s;
		int first;

		stored_open(&s, tapes[i].tape);
		first = s.verdict.cause_count ? (int)s.verdict.causes[0].cause : CAUSES;
		told[tapes[i].first][first]++;
		if (first != (int)tapes[i].first)
			printf("%s is told as %s\n", tapes[i].tape,
			       first < CAUSES ? cause_name((enum cause)first) : "nothing");
		CU_ASSERT_EQUAL(first, (int)tapes[i].first);
		stored_close(&s);
	}
	table_print(told);
}

static void advice_of_real_runs_does_no_harm(void)
{
	for (size_t i = 0; i < TAPES; i++) {
		struct stored s;

		stored_open(&s, tapes[i].tape);
		for (size_t c = 0; c < s.verdict.cause_count; c++) {
			advice_check(&s.verdict.causes[c]);
			CU_ASSERT(s.verdict.causes[c].seen.count > 0);
		}
		stored_close(&s);
	}
}

static bool is_told(const struct verdict *v, enum cause cause)
{
	for (size_t i = 0; i < v->cause_count; i++)
		if (v->causes[i].cause == cause)
			return true;
	return false;
}

/* Behind the first: what makes it worse, or came before it. */
static void what_else_holds_is_told_too(void)
{
	static const struct {
		const char *tape;
		enum cause too;
	} rows[] = {
		{"retry-storm.pool-flushed", CAUSE_RETRY_STORM},
		{"cliff", CAUSE_LATENCY_CLIFF},
		{"no-port-one-dest", CAUSE_LEAK},
		{"innocent-victim", CAUSE_TIME_WAIT_CHURN},
		{"hidden-bound-sockets", CAUSE_LEAK},
		{"tw-reuse-scope", CAUSE_TIME_WAIT_CHURN},
		{"dead-peer-leak", CAUSE_BLACKHOLE},
		{"connection-per-request.some-leak", CAUSE_TIME_WAIT_CHURN},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stored s;

		stored_open(&s, rows[i].tape);
		CU_ASSERT(is_told(&s.verdict, rows[i].too));
		stored_close(&s);
	}
}

/* Pairs that people take for each other: of the first tape the other's cause is not told at all. */
static void what_looks_alike_is_told_apart(void)
{
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
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct stored s;

		stored_open(&s, pairs[i].tape);
		if (is_told(&s.verdict, pairs[i].never))
			printf("%s is told as %s too\n", pairs[i].tape, cause_name(pairs[i].never));
		CU_ASSERT(!is_told(&s.verdict, pairs[i].never));
		stored_close(&s);
	}
}

static const struct test tests[] = {
	TEST(each_cause_has_a_tape_or_a_reason_why_not),
	TEST(the_right_cause_is_told_first),
	TEST(advice_of_real_runs_does_no_harm),
	TEST(what_else_holds_is_told_too),
	TEST(what_looks_alike_is_told_apart),
	TESTS_END,
};

const struct suite suite_tapes = {"tapes", tests};
