/* load.scope: what the kernel says of link-local addresses that are named with their link, with another
 * or with none; and of a socket that is connected to one. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "drive/work.h"
#include "drive_help.h"

#define LOCAL "network: {family: ipv6, ports: 40000-40031, servers: [\"fe80::2\"]}\n"
#define ONE "load: {concurrency: 1, total: 3, end: leak, on_failure: continue, "

/* By a plain socket, in the same namespace. */
struct beside {
	const char *link;
	bool binds;
	int error;
};

static int called(int fd, const struct endpoint *own, const struct endpoint *to, bool binds)
{
	if (binds && bind(fd, &own->any, own->len) < 0)
		return errno;
	return connect(fd, &to->any, to->len) < 0 ? errno : 0;
}

static void call_beside(void *context, struct worker *w)
{
	struct beside *b = context;
	struct endpoint own = endpoint_make(FAMILY_IPV6, w->plan->sources.list[0], 0),
			to = endpoint_make(FAMILY_IPV6, w->plan->servers.list[0],
					   w->plan->service_first);
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	own.in6.sin6_scope_id = to.in6.sin6_scope_id = b->link ? if_nametoindex(b->link) : 0;
	b->error = called(fd, &own, &to, b->binds);
	close(fd);
}

static void each_scope_is_answered_as_the_kernel_does(void)
{
	static const struct {
		const char *keys, *link;
		bool binds;
		enum stage stage;
		int error;
	} rows[] = {
		{"scope: none", NULL, false, STAGE_CONNECT, EINVAL},
		{"scope: none, bind: address", NULL, true, STAGE_BIND, EINVAL},
		{"scope: lo", "lo", false, STAGE_CONNECT, ENETUNREACH},
		{"scope: lo, bind: address", "lo", true, STAGE_BIND, EADDRNOTAVAIL},
		{"scope: veth0", "veth0", false, STAGE_CONNECT, 0},
		{"scope: veth0, bind: address", "veth0", true, STAGE_CONNECT, 0},
		{"scope: veth0, bind: address-no-port", "veth0", true, STAGE_CONNECT, 0},
		{"scope: veth0, bind: address fe80::9", "veth0", false, STAGE_BIND, EADDRNOTAVAIL},
		{"scope: veth0, bind: any", "veth0", false, STAGE_CONNECT, 0},
	};

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		size_t k = i / 2;
		bool foreign = strstr(rows[k].keys, "fe80::9");
		struct beside b = {.link = rows[k].link, .binds = rows[k].binds};
		char lines[300];
		struct drive d;

		snprintf(lines, sizeof(lines), LOCAL ONE "%s}", rows[k].keys);
		drive_open(&d, lines);
		d.h.plan.loads[0].classic_sockets = i % 2;
		drive_looked_at(&d, call_beside, &b);
		CU_ASSERT(foreign || b.error == rows[k].error);
		CU_ASSERT_EQUAL(d.tape.tally.opened, rows[k].error ? 0 : 3);
		CU_ASSERT_EQUAL(d.tape.tally.failed, rows[k].error ? 3 : 0);
		CU_ASSERT_EQUAL(d.tape.tally.errors[rows[k].stage][rows[k].error],
				rows[k].error ? 3 : 0);
		CU_ASSERT(!d.tape.exhausted);
		if (!foreign && b.error != rows[k].error)
			printf("%s: %s\n", rows[k].keys, b.error ? errno_name(b.error) : "fine");
		help_close(&d.h);
	}
}

/* What a connected socket says of its peer: the interface is part of it. */
static void see_peer(void *context, struct worker *w)
{
	struct endpoint *seen = context; /* the peer, and itself */
	int fd = ring_lend(w->rings[0], 0);

	seen[0].len = seen[1].len = sizeof(seen[0].in6);
	CU_ASSERT(getpeername(fd, &seen[0].any, &seen[0].len) == 0);
	CU_ASSERT(getsockname(fd, &seen[1].any, &seen[1].len) == 0);
	CU_ASSERT_EQUAL(seen[0].in6.sin6_scope_id, if_nametoindex("veth0"));
	CU_ASSERT_EQUAL(seen[1].in6.sin6_scope_id, if_nametoindex("veth0"));
	close(fd);
}

static struct address address_in(const struct endpoint *e)
{
	return address_of_bytes(e->in6.sin6_addr.s6_addr);
}

static void a_scoped_socket_is_between_link_local_addresses(void)
{
	struct endpoint seen[2];
	struct drive d;

	memset(seen, 0, sizeof(seen));
	drive_open(&d, LOCAL ONE "scope: veth0}");
	drive_looked_at(&d, see_peer, seen);
	CU_ASSERT(address_eq(address_in(&seen[0]), d.h.plan.servers.list[0]));
	CU_ASSERT(address_eq(address_in(&seen[1]), d.h.plan.sources.list[0]));
	CU_ASSERT(address_is_link_local(address_in(&seen[1])));
	help_close(&d.h);
}

/* A connect that is timed names the link of both ends, as the load's do. */
static void a_timed_connect_is_scoped_too(void)
{
	static const char *const binds[] = {"none", "address"};

	for (size_t i = 0; i < sizeof(binds) / sizeof(binds[0]); i++) {
		char lines[300];
		struct drive d;

		snprintf(lines, sizeof(lines),
			 LOCAL "sample: {latency: 1ms}\nload: {rate: 100/s, total: 20, end: reset, "
			       "scope: veth0, bind: %s}",
			 binds[i]);
		drive_lines(&d, lines);
		CU_ASSERT_FATAL(d.tape.latency != NULL);
		CU_ASSERT(d.tape.latency->all.count > 0);
		help_close(&d.h);
	}
}

/* Addresses of either end, listed or not, and what the far end does. */
static void all_that_is_said_of_addresses_holds_of_these(void)
{
	static const struct {
		const char *lines;
		uint64_t opened;
	} rows[] = {
		{"network: {family: ipv6, ports: 40000-40007, servers: [\"fe80::2\", "
		 "\"fe80::3\"]}\nload: {scope: veth0, concurrency: 1, end: leak, total: 40}",
		 16},
		{"network: {family: ipv6, ports: 40000-40007, servers: [\"fe80::2\"], sources: "
		 "2}\nload: {scope: veth0, concurrency: 1, end: leak, total: 40}",
		 16},
		{"network: {family: ipv6, ports: 40000-40007, servers: [\"fe80::2\"], sources: "
		 "[\"fe80::a\", \"fe80::b\"]}\n"
		 "load: {scope: veth0, concurrency: 1, end: leak, total: 40}",
		 16},
		{"network: {family: ipv6, ports: 40000-40007, servers: [\"fe80::2\"]}\n"
		 "server: {behaviour: drop}\n"
		 "load: {scope: veth0, total: 3, timeout: 100ms, on_failure: continue}",
		 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct drive d;

		drive_lines(&d, rows[i].lines);
		CU_ASSERT_EQUAL(d.tape.tally.opened, rows[i].opened);
		CU_ASSERT_EQUAL(d.tape.exhausted, rows[i].opened > 0);
		CU_ASSERT(rows[i].opened || d.tape.tally.errors[STAGE_CONNECT][ETIMEDOUT] == 3);
		help_close(&d.h);
	}
}

/* What else is bound or connected to a link-local address names the link, whatever the load does. */
static void others_name_the_link_too(void)
{
	static const struct {
		const char *lines;
		uint32_t squat_held;
		uint64_t far_opened;
	} rows[] = {
		{"squat: {family: ipv6, address: \"fe80::77:0:0:1\", ports: [40001]}\n"
		 "load: {scope: veth0, concurrency: 1, total: 1}",
		 1, 0},
		{"server: {behaviour: loop, sysctl: {net.ipv4.ip_local_port_range: 50000 50007}}\n"
		 "load: {scope: veth0, concurrency: 1, total: 1, end: wait}",
		 0, 8},
	};

	for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		char lines[400];
		struct drive d;

		snprintf(lines, sizeof(lines), LOCAL "%s", rows[k].lines);
		drive_lines(&d, lines);
		CU_ASSERT(d.ok);
		CU_ASSERT_EQUAL(d.tape.tally.opened, 1);
		CU_ASSERT_EQUAL(d.tape.squat_held, rows[k].squat_held);
		CU_ASSERT_EQUAL(d.tape.far_opened, rows[k].far_opened);
		help_close(&d.h);
	}
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, each_scope_is_answered_as_the_kernel_does),
	TEST_UNLESS(help_no_lending, a_scoped_socket_is_between_link_local_addresses),
	TEST_UNLESS(help_no_network, a_timed_connect_is_scoped_too),
	TEST_UNLESS(help_no_network, all_that_is_said_of_addresses_holds_of_these),
	TEST_UNLESS(help_no_network, others_name_the_link_too),
	TESTS_END,
};

const struct suite suite_scope = {"scope", tests};
