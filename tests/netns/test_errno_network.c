/* The rows of the errno map that need another network than a lab has: a link of no use, an address
 * that is not there yet, a range that is all reserved. Each network is made in the lab's own
 * namespace, and asked whether it is so, before the call in question. */
#include <errno.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

#include "drive_help.h"
#include "sys/clock.h"
#include "sys/endpoint.h"
#include "sys/rtnetlink.h"
#include "sys/sysctl.h"

#define LOOP "network: {topology: loopback, ports: 40000-40031}"
#define LOOP_IPV6 "network: {topology: loopback, ports: 40000-40031, family: ipv6}"

/* A link that nobody uses, and its other end in the same namespace. */
#define SPARE "spare0"
#define OTHER "spare1"

enum { SERVICE = 7000, STATE_BYTES = 65536 };

static struct address address_of(const char *words)
{
	struct address a;

	CU_ASSERT_FATAL(address_read(text_of(words), &a));
	return a;
}

static void set(const char *name, const char *value)
{
	CU_ASSERT_EQUAL(sysctl_write(text_of(name), text_of(value)), 0);
}

/* ---- networks: with the right to change them ----------------------------- */

static void as_it_is(struct help *h)
{
	(void)h;
}

static void all_reserved(struct help *h)
{
	(void)h;
	set("net.ipv4.ip_local_reserved_ports", "40000-40031");
}

static void all_but_one_reserved(struct help *h)
{
	(void)h;
	set("net.ipv4.ip_local_reserved_ports", "40000-40006,40008-40031");
}

/* As in a namespace where nobody ever brought it up. One that was up keeps 127.0.0.1, and connects
 * to it hang (Linux 6.18). */
static void lo_down(struct help *h)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_addr.sa_family = AF_INET};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)h;
	CU_ASSERT(fd >= 0 && ioctl(fd, SIOCSIFADDR, &lo) == 0);
	lo.ifr_flags = 0;
	CU_ASSERT(ioctl(fd, SIOCSIFFLAGS, &lo) == 0);
	close(fd);
}

/* No address of its own, not even a link-local one at the other end: that would do for a source,
 * and a connect would hang. A neighbour that does not answer is given up after 10 ms, not after
 * 3 s. */
static void spare_link(struct help *h, struct rtnetlink *rt)
{
	static const struct {
		const char *name, *value;
	} set_before[] = {
		{"net.ipv6.conf." SPARE ".addr_gen_mode", "1"},
		{"net.ipv6.conf." OTHER ".addr_gen_mode", "1"},
		{"net.ipv6.neigh." SPARE ".mcast_solicit", "1"},
		{"net.ipv6.neigh." SPARE ".retrans_time_ms", "10"},
		{"net.ipv4.neigh." SPARE ".mcast_solicit", "1"},
		{"net.ipv4.neigh." SPARE ".retrans_time_ms", "10"},
	};

	CU_ASSERT_FATAL(rtnetlink_open(rt, &h->err));
	CU_ASSERT_FATAL(rtnetlink_veth(rt, SPARE, OTHER, h->lab.client_ns, &h->err));
	for (size_t i = 0; i < sizeof(set_before) / sizeof(set_before[0]); i++)
		set(set_before[i].name, set_before[i].value);
	CU_ASSERT(rtnetlink_up(rt, SPARE, &h->err) && rtnetlink_up(rt, OTHER, &h->err));
	CU_ASSERT(rtnetlink_await(rt, SPARE, &h->err));
}

static void link_ipv4(struct help *h)
{
	struct address mine = address_of("192.0.2.1");
	const struct address_list all = {.list = &mine, .count = 1};
	struct rtnetlink rt;

	spare_link(h, &rt);
	CU_ASSERT(rtnetlink_addresses(&rt, SPARE, &all, &h->err));
	rtnetlink_close(&rt);
}

static void route_ipv6_without_address(struct help *h)
{
	struct rtnetlink rt;

	spare_link(h, &rt);
	CU_ASSERT(rtnetlink_route(&rt, SPARE, address_of("::"), 0, NULL, &h->err));
	rtnetlink_close(&rt);
}

/* Of an IPv6 address, as the kernel has them in /proc/net/if_inet6: IFA_F_TENTATIVE and others;
 * -1: there is none. */
static int address_flags(const char *bytes)
{
	static char state[STATE_BYTES];
	struct text rest = help_file("/proc/thread-self/net/if_inet6", state, sizeof(state) - 1);
	struct text line;
	unsigned flags;

	state[rest.len] = '\0';
	while (text_cut(&rest, '\n', &line))
		if (strncmp(line.s, bytes, 32) == 0 &&
		    sscanf(line.s + 32, " %*x %*x %*x %x", &flags) == 1)
			return (int)flags;
	return -1;
}

/* 2001:db8::2, which the kernel asks the neighbours about `asks` times before it lets it be used:
 * duplicate address detection, RFC 4862. */
static void address_under_detection(struct help *h, const char *asks)
{
	struct rtnetlink rt;
	struct in6_ifreq mine = {.ifr6_prefixlen = 64};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	spare_link(h, &rt);
	rtnetlink_close(&rt);
	set("net.ipv6.conf." SPARE ".accept_dad", "1");
	set("net.ipv6.conf." SPARE ".router_solicitation_delay", "0");
	set("net.ipv6.conf." SPARE ".dad_transmits", asks);
	address_bytes(address_of("2001:db8::2"), mine.ifr6_addr.s6_addr);
	mine.ifr6_ifindex = (int)if_nametoindex(SPARE);
	CU_ASSERT(fd >= 0 && ioctl(fd, SIOCSIFADDR, &mine) == 0);
	close(fd);
}

enum { IS_TENTATIVE = 0x40 }; /* IFA_F_TENTATIVE, include/uapi/linux/if_addr.h */

static void address_tentative(struct help *h)
{
	int flags;

	address_under_detection(h, "100000");
	flags = address_flags("20010db8000000000000000000000002");
	CU_ASSERT(flags >= 0 && flags & IS_TENTATIVE);
}

static void address_permanent(struct help *h)
{
	address_under_detection(h, "1");
	for (int tries = 0; tries < 5000; tries++) {
		int flags = address_flags("20010db8000000000000000000000002");

		CU_ASSERT_FATAL(flags >= 0);
		if (!(flags & IS_TENTATIVE))
			return;
		clock_sleep(2000000);
	}
	CU_FAIL("the address stays tentative");
}

/* ---- the call in question ------------------------------------------------ */

enum call { BIND, CONNECT };

static const struct row {
	const char *what, *network;
	void (*change)(struct help *h);
	enum call call;
	const char *address;
	uint16_t port;
	const char *device; /* SO_BINDTODEVICE; NULL: none */
	int error;
	bool uses_up; /* it is for want of a port */
} rows[] = {
	{"all reserved, connect", LOOP, all_reserved, CONNECT, "127.0.0.1", SERVICE, NULL,
	 EADDRNOTAVAIL, true},
	{"all reserved, bind", LOOP, all_reserved, BIND, "127.0.0.1", 0, NULL, EADDRINUSE, true},
	{"one is left, connect", LOOP, all_but_one_reserved, CONNECT, "127.0.0.1", SERVICE, NULL,
	 ECONNREFUSED, false},
	{"one is left, bind", LOOP, all_but_one_reserved, BIND, "127.0.0.1", 0, NULL, 0, false},
	{"lo down, IPv4", LOOP, lo_down, CONNECT, "127.0.0.1", SERVICE, NULL, ENETUNREACH, false},
	{"lo down, IPv6", LOOP_IPV6, lo_down, CONNECT, "::1", SERVICE, NULL, EADDRNOTAVAIL, false},
	{"multicast without a route", LOOP, as_it_is, CONNECT, "224.0.0.1", SERVICE, NULL,
	 ENETUNREACH, false},
	{"another device", LOOP, link_ipv4, CONNECT, "127.0.0.1", SERVICE, SPARE, EHOSTUNREACH,
	 false},
	{"a route without an address", LOOP_IPV6, route_ipv6_without_address, CONNECT,
	 "2001:db8::1", SERVICE, NULL, EHOSTUNREACH, false},
	{"a tentative address", LOOP_IPV6, address_tentative, BIND, "2001:db8::2", 0, NULL,
	 EADDRNOTAVAIL, false},
	{"the same when nobody has it", LOOP_IPV6, address_permanent, BIND, "2001:db8::2", 0, NULL,
	 0, false},
};

static void change_network(struct help *h, void *context)
{
	((const struct row *)context)->change(h);
}

static int called(int fd, const struct row *row)
{
	struct address a = address_of(row->address);
	struct endpoint e =
		endpoint_make(address_is_ipv4(a) ? FAMILY_IPV4 : FAMILY_IPV6, a, row->port);
	int e_or_0 = row->call == BIND ? bind(fd, &e.any, e.len) : connect(fd, &e.any, e.len);

	return e_or_0 < 0 ? errno : 0;
}

static void try_row(struct help *h, void *context)
{
	const struct timeval most = {.tv_sec = 5}; /* a connect that hangs is EINPROGRESS then */
	const struct row *row = context;
	bool is_ipv6 = strchr(row->address, ':');
	int fd = socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), error;

	(void)h;
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most)), 0);
	if (row->device)
		CU_ASSERT_EQUAL(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, row->device,
					   (socklen_t)strlen(row->device)),
				0);
	error = called(fd, row);
	CU_ASSERT_EQUAL(error, row->error);
	if (error != row->error)
		printf("%s: %s\n", row->what, error ? errno_name(error) : "no error");
	close(fd);
}

/* The same by a load: a bind that goes well is followed by a connect, which is refused, as one is
 * that has a port. */
static void drive_row(struct drive *d, const struct row *row)
{
	struct plan *p = &d->h.plan;
	bool bound = row->call == BIND && !row->error;
	int error = bound ? ECONNREFUSED : row->error;
	enum stage stage = row->call == BIND && row->error ? STAGE_BIND : STAGE_CONNECT;

	*(row->call == BIND ? p->sources.list : p->servers.list) = address_of(row->address);
	drive_plan(d);
	CU_ASSERT_EQUAL(d->tape.tally.failed, 1);
	CU_ASSERT_EQUAL(d->tape.tally.errors[stage][error], 1);
	CU_ASSERT_EQUAL(d->tape.exhausted, row->uses_up);
	if (d->tape.tally.errors[stage][error] != 1 || d->tape.exhausted != row->uses_up)
		printf("a load: %s\n", row->what);
}

static void each_call_says_what_the_network_is(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct row row = rows[i];
		char lines[300];
		struct drive d;

		snprintf(lines, sizeof(lines),
			 "%s\nserver: {behaviour: refuse}\n"
			 "load: {total: 1, concurrency: 1, bind: %s, options: {device: %s}}",
			 row.network, row.call == BIND ? "address" : "none",
			 row.device ? row.device : "any");
		drive_open(&d, lines);
		CU_ASSERT(help_inside_admin(&d.h, LAB_CLIENT, change_network, &row));
		CU_ASSERT(help_inside(&d.h, LAB_CLIENT, try_row, &row));
		drive_row(&d, &row);
		help_close(&d.h);
	}
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, each_call_says_what_the_network_is),
	TESTS_END,
};

const struct suite suite_errno_network = {"errno_network", tests};
