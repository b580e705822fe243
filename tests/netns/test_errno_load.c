/* The errno map as lastport tells it: a load a row, with the stage and the errno of all that failed in
 * it; and, while its sockets still live, the same call by a plain socket beside it, which the kernel
 * answers as the map says. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "calls.h"
#include "drive_help.h"
#include "sys/clock.h"

/* ---- what the language cannot say: the plan is bent once the lab is built ------ */

/* network.servers and services are what a far end has: no host has port 0, 0.0.0.0 or the broadcast
 * address, and what is nobody's has no far end. ENETUNREACH itself is to be had without: by load.scope,
 * and by a bind to another's address with ip_nonlocal_bind. */

static struct address address_of(const char *words)
{
	struct address a;

	CU_ASSERT_FATAL(address_read(text_of(words), &a));
	return a;
}

static void to_port_0(struct plan *p)
{
	p->service_ports[0] = 0;
}

static void to_address_0(struct plan *p)
{
	p->servers.list[0] = address_of("0.0.0.0");
}

static void to_nowhere(struct plan *p)
{
	p->servers.list[0] = address_of("192.0.2.1");
}

static void to_all(struct plan *p)
{
	p->servers.list[0] = address_of("255.255.255.255");
}

static void to_the_world(struct plan *p)
{
	p->servers.list[0] = address_of("8.8.8.8");
}

/* ---- the map ------------------------------------------------------------------- */

#define LOOP "network: {topology: loopback, ports: 40000-40031, "
#define REUSE_0 "sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
#define NET LOOP REUSE_0
#define NO_IPV6 LOOP "family: ipv6, sysctl: {net.ipv6.conf.all.disable_ipv6: 1}}\n"
#define LOCAL "network: {family: ipv6, ports: 40000-40031, servers: [\"fe80::2\"]}\n"
#define ONE "concurrency: 1, "
/* Reads the server's FIN before it closes: who comes next finds it in TIME_WAIT. */
#define WAITS ONE "end: shutdown, "
#define FIXED_PORT "bind: port 40010"
#define REUSE "options: {reuseaddr: true}"
/* Once the load is done: those that fail are squat's, and none of the load's. */
#define LATE ", start: 500ms}"
#define UDP "protocol: udp, end: leak, total: 40, "

static const struct row {
	const char *what, *lines;
	void (*bend)(struct plan *p);
	uint64_t opened, failed;
	enum stage stage; /* of all that failed */
	int error;
	bool exhausted;
	void (*call)(struct calls *c); /* by a plain socket: it fails as they did */
} rows[] = {
	{"used up for this destination", NET "load: {" ONE "end: leak}", NULL, 32, 1, STAGE_CONNECT,
	 EADDRNOTAVAIL, true, call_tcp_connect},
	{"in TIME_WAIT, too", NET "load: {" WAITS "total: 40}", NULL, 32, 1, STAGE_CONNECT,
	 EADDRNOTAVAIL, true, call_tcp_connect},
	{"another destination", LOOP "servers: 2, " REUSE_0 "load: {" ONE "end: leak, total: 64}",
	 NULL, 64, 0, STAGE_CONNECT, 0, false, call_tcp_connect_elsewhere},
	{"bind-held ports are nobody's",
	 NET "squat: {bind: 32, address: 127.0.0.2}\nload: {" ONE "total: 1}", NULL, 0, 1,
	 STAGE_CONNECT, EADDRNOTAVAIL, true, call_tcp_connect},
	{"this very connection", NET "load: {" ONE FIXED_PORT ", " REUSE ", end: leak, total: 2}",
	 NULL, 1, 1, STAGE_CONNECT, EADDRNOTAVAIL, false, call_tcp_fixed_reuse},
	{"a port that is bound", NET "load: {" ONE FIXED_PORT ", end: leak, total: 2}", NULL, 1, 1,
	 STAGE_BIND, EADDRINUSE, true, call_tcp_fixed},
	{"again during TIME_WAIT", NET "load: {" WAITS FIXED_PORT ", " REUSE ", total: 3}", NULL, 3,
	 0, STAGE_CONNECT, 0, false, call_tcp_fixed_reuse},
	{"the same without SO_REUSEADDR", NET "load: {" WAITS FIXED_PORT ", total: 3}", NULL, 1, 1,
	 STAGE_BIND, EADDRINUSE, true, call_tcp_fixed},
	{"the same without timestamps",
	 LOOP "sysctl: {net.ipv4.tcp_tw_reuse: 0, net.ipv4.tcp_timestamps: 0}}\n"
	      "load: {" WAITS FIXED_PORT ", " REUSE ", total: 3}",
	 NULL, 1, 1, STAGE_CONNECT, EADDRNOTAVAIL, false, call_tcp_fixed_reuse},
	{"on that address, in total",
	 LOOP "services: 2, " REUSE_0 "load: {" ONE "bind: address, end: leak}", NULL, 32, 1,
	 STAGE_BIND, EADDRINUSE, true, call_tcp_bind},
	{"on all addresses", LOOP "services: 2, " REUSE_0 "load: {" ONE "bind: any, end: leak}",
	 NULL, 32, 1, STAGE_BIND, EADDRINUSE, true, call_tcp_bind_any},
	{"on another address",
	 NET "squat: {bind: 32, address: 127.0.0.9}\n"
	     "load: {" ONE "bind: address, end: leak, total: 20}",
	 NULL, 20, 0, STAGE_BIND, 0, false, call_tcp_bind},
	{"TIME_WAIT and bind", NET "load: {" WAITS "bind: address, total: 40}", NULL, 32, 1,
	 STAGE_BIND, EADDRINUSE, true, call_tcp_bind},
	{"IPv4's and both families",
	 LOOP "family: ipv6}\nsquat: {bind: 32, family: ipv4}\n"
	      "load: {" ONE "bind: any, total: 1}",
	 NULL, 0, 1, STAGE_BIND, EADDRINUSE, true, call_tcp_bind_both},
	{"IPv4's and IPv6 alone",
	 LOOP "family: ipv6}\nsquat: {bind: 31, family: ipv4}\n"
	      "load: {" ONE "bind: any, options: {v6only: true}, total: 1}",
	 NULL, 1, 0, STAGE_BIND, 0, false, call_tcp_bind_ipv6_only},
	{"a listener without a port", NET "load: {end: leak, total: 32}\nsquat: {unbound: 3" LATE,
	 NULL, 32, 3, STAGE_LISTEN, EADDRINUSE, false, call_tcp_listen},
	{"TIME_WAIT and listen", NET "load: {" WAITS "total: 32}\nsquat: {unbound: 3" LATE, NULL,
	 32, 3, STAGE_LISTEN, EADDRINUSE, false, call_tcp_listen},
	{"a service's port is a client's",
	 NET "load: {end: leak, total: 32}\nsquat: {listen: [40010]" LATE, NULL, 32, 1, STAGE_BIND,
	 EADDRINUSE, false, call_service_any},
	{"on its address",
	 NET "load: {end: leak, total: 32}\nsquat: {listen: [40010], address: 127.0.0.1" LATE, NULL,
	 32, 1, STAGE_BIND, EADDRINUSE, false, call_service_own},
	{"on another",
	 NET "load: {end: leak, total: 32}\nsquat: {listen: [40011], address: 127.0.0.5" LATE, NULL,
	 32, 0, STAGE_BIND, 0, false, call_service_other},
	{"a foreign TIME_WAIT",
	 NET "load: {" WAITS FIXED_PORT ", total: 1}\nsquat: {listen: [40010]" LATE, NULL, 1, 1,
	 STAGE_BIND, EADDRINUSE, false, call_service_any},
	{"UDP, whatever the destination", LOOP "servers: 50, " REUSE_0 "load: {" UDP ONE "}", NULL,
	 32, 1, STAGE_CONNECT, EAGAIN, true, call_udp_connect},
	{"UDP, unbound",
	 LOOP "servers: 50, " REUSE_0 "load: {" UDP ONE "connected: false, request: {send: 8B}}",
	 NULL, 32, 1, STAGE_SEND, EAGAIN, true, call_udp_send},
	{"UDP bind", LOOP "servers: 50, " REUSE_0 "load: {" UDP ONE "bind: any}", NULL, 32, 1,
	 STAGE_BIND, EADDRINUSE, true, call_udp_bind},
	{"UDP beside a full TCP",
	 NET "loads: {tcp: {" ONE "end: leak}, udp: {protocol: udp, end: leak, start: 200ms, rate: "
	     "1k/s, total: 10}}\n"
	     "stop: {when: never}",
	 NULL, 42, 1, STAGE_CONNECT, EADDRNOTAVAIL, true, NULL},
	{"TCP beside a full UDP",
	 NET "loads: {tcp: {end: leak, start: 200ms, rate: 1k/s, total: 10}, udp: {" UDP ONE "}}\n"
	     "stop: {when: never}",
	 NULL, 42, 1, STAGE_CONNECT, EAGAIN, true, NULL},
	{"no IPv6, connect", NO_IPV6 "load: {" ONE "total: 1}", NULL, 0, 1, STAGE_CONNECT,
	 EADDRNOTAVAIL, false, call_ipv6_connect},
	{"no IPv6, bind", NO_IPV6 "load: {" ONE "bind: address, total: 1}", NULL, 0, 1, STAGE_BIND,
	 EADDRNOTAVAIL, false, call_ipv6_bind},
	{"not this host's", NET "load: {" ONE "bind: address 192.0.2.1, total: 1}", NULL, 0, 1,
	 STAGE_BIND, EADDRNOTAVAIL, false, call_foreign_bind},
	{"the same with ip_nonlocal_bind",
	 LOOP "sysctl: {net.ipv4.ip_nonlocal_bind: 1}}\n"
	      "load: {" ONE "bind: address 192.0.2.1, total: 1}",
	 NULL, 0, 1, STAGE_CONNECT, ENETUNREACH, false, call_foreign_connect},
	{"no scope, connect", LOCAL "load: {" ONE "total: 1}", NULL, 0, 1, STAGE_CONNECT, EINVAL,
	 false, call_link_local_connect},
	{"no scope, bind", LOCAL "load: {" ONE "bind: address, total: 1}", NULL, 0, 1, STAGE_BIND,
	 EINVAL, false, call_link_local_bind},
	{"another's scope", LOCAL "load: {" ONE "bind: address, scope: lo, total: 1}", NULL, 0, 1,
	 STAGE_BIND, EADDRNOTAVAIL, false, call_scoped_bind},
	{"no route for that scope", LOCAL "load: {" ONE "scope: lo, total: 1}", NULL, 0, 1,
	 STAGE_CONNECT, ENETUNREACH, false, call_scoped_connect},
	{"no descriptor", NET "load: {" ONE "nofile: 4, end: leak, total: 2}", NULL, 1, 1,
	 STAGE_SOCKET, EMFILE, false, NULL},
	{"nobody listens",
	 NET "server: {behaviour: refuse}\nload: {" ONE "total: 2000, on_failure: continue}", NULL,
	 0, 2000, STAGE_CONNECT, ECONNREFUSED, false, call_refused},
	{"port 0", NET "server: {behaviour: refuse}\nload: {" ONE "total: 1}", to_port_0, 0, 1,
	 STAGE_CONNECT, ECONNREFUSED, false, call_port_0},
	{"address 0 is this host", NET "load: {" ONE "end: leak, total: 5}", to_address_0, 5, 0,
	 STAGE_CONNECT, 0, false, call_address_0},
	{"no route", NET "load: {" ONE "total: 1}", to_nowhere, 0, 1, STAGE_CONNECT, ENETUNREACH,
	 false, call_no_route},
	{"broadcast", NET "load: {" ONE "total: 1}", to_all, 0, 1, STAGE_CONNECT, ENETUNREACH,
	 false, call_broadcast},
	{"from loopback to elsewhere", NET "load: {" ONE "bind: address, total: 1}", to_the_world,
	 0, 1, STAGE_CONNECT, ENETUNREACH, false, call_from_loopback},
	{"no such device", NET "load: {" ONE "total: 1, options: {device: nowhere0}}", NULL, 0, 1,
	 STAGE_OPTION, ENODEV, false, NULL},
	{"no answer",
	 "network: {ports: 40000-40031}\nserver: {behaviour: drop}\n"
	 "load: {total: 5, timeout: 100ms, on_failure: continue}",
	 NULL, 0, 5, STAGE_CONNECT, ETIMEDOUT, false, NULL},
	{"no route's device",
	 "network: {ports: 40000-40031}\nload: {total: 5, timeout: 100ms, on_failure: continue, "
	 "options: {device: lo}}",
	 NULL, 0, 5, STAGE_CONNECT, ETIMEDOUT, false, NULL},
};

/* ---- a load a row -------------------------------------------------------------- */

static const char *const calls_of[STAGES] = {[STAGE_BIND] = "bind",
					     [STAGE_CONNECT] = "connect",
					     [STAGE_SEND] = "sendto",
					     [STAGE_LISTEN] = "listen"};

struct beside {
	struct drive d;
	const struct row *row;
	struct calls calls;
};

/* In the namespace of the client, at the end of the load. */
static void call_beside(void *context, struct worker *w)
{
	struct beside *b = context;

	(void)w;
	if (b->row->call)
		b->row->call(&b->calls);
	calls_end(&b->calls);
}

static bool is_as_said(const struct row *row, const struct tape *t)
{
	const struct tally *b = &t->tally;
	uint64_t errors = 0;

	for (int stage = 0; stage < STAGES; stage++)
		for (int e = 0; e < ERRNOS; e++)
			errors += b->errors[stage][e] + t->squat_errors[stage][e];
	return b->opened == row->opened && b->failed + t->squat_refused == row->failed &&
	       errors == row->failed &&
	       b->errors[row->stage][row->error] + t->squat_errors[row->stage][row->error] ==
		       row->failed &&
	       t->exhausted == row->exhausted;
}

static void print_errors(const struct row *row, const struct tape *t)
{
	printf("%s: %llu opened, %llu failed%s", row->what, (unsigned long long)t->tally.opened,
	       (unsigned long long)t->tally.failed, t->exhausted ? ", exhausted" : "");
	for (int stage = 0; stage < STAGES; stage++)
		for (int e = 0; e < ERRNOS; e++)
			if (t->tally.errors[stage][e])
				printf(", %llu %s %s",
				       (unsigned long long)t->tally.errors[stage][e],
				       stage_name((enum stage)stage), errno_name(e));
	printf("\n");
}

static void each_load_is_told_what_the_map_says(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct beside b = {.row = row};
		struct drive *d = &b.d;
		bool same;

		drive_open(d, row->lines);
		if (row->bend)
			row->bend(&d->h.plan);
		drive_looked_at(d, call_beside, &b);
		CU_ASSERT(d->ok);
		same = is_as_said(row, &d->tape);
		CU_ASSERT(same);
		if (!same)
			print_errors(row, &d->tape);
		if (row->call && row->error) {
			CU_ASSERT_FATAL(b.calls.call != NULL);
			CU_ASSERT_STRING_EQUAL(b.calls.call, calls_of[row->stage]);
		}
		if (row->call)
			CU_ASSERT_EQUAL(b.calls.error, row->error);
		help_close(&d->h);
	}
}

/* ---- no address, and no port of UDP ---------------------------------------------- */

/* EAGAIN of whoever asks UDP for an address is for want of a port, and tells nothing of the address. */
static void what_lacks_an_address_is_not_exhausted_while_udp_is_full(void)
{
	static const char *const sixes[] = {
		"{family: ipv6, start: 300ms, rate: 50/s, total: 10, on_failure: continue}",
		"{family: ipv6, protocol: udp, start: 300ms, rate: 50/s, total: 10, on_failure: "
		"continue}",
	};

	for (size_t i = 0; i < sizeof(sixes) / sizeof(sixes[0]); i++) {
		char lines[512];
		struct drive d;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031, sysctl: {net.ipv6.conf.all.disable_ipv6: "
			 "1}}\n"
			 "stop: {when: never}\n"
			 "loads:\n"
			 "  dns: {protocol: udp, concurrency: 1, end: leak, total: 40, on_failure: "
			 "continue}\n"
			 "  six: %s\n",
			 sixes[i]);
		drive_lines(&d, lines);
		CU_ASSERT(d.ok && d.tape.load_count == 2);
		CU_ASSERT(d.tape.loads[0].exhausted && !d.tape.loads[1].exhausted);
		CU_ASSERT_EQUAL(d.tape.loads[1].tally.failed, 10);
		CU_ASSERT_EQUAL(
			d.tape.loads[1].tally.errors[STAGE_CONNECT][i ? EAGAIN : EADDRNOTAVAIL],
			10);
		help_close(&d.h);
	}
}

/* ---- descriptors ----------------------------------------------------------------- */

/* In a child, whose limit is its own, and lowered once all that the run itself needs is open. A
 * socket of UDP is made by a system call; those of a ring's table are no descriptors. */
static int load_without_descriptors(void)
{
	struct drive d;
	struct rlimit few;

	drive_open(&d, "network: {ports: 40000-40031}\n"
		       "load: {protocol: udp, rate: 200/s, duration: 10s, on_failure: continue}\n"
		       "stop: {when: never}");
	drive_start(&d);
	if (!drive_await(&d.pulse.opened, 1) || getrlimit(RLIMIT_NOFILE, &few) < 0)
		return 100;
	few.rlim_cur = 3;
	if (setrlimit(RLIMIT_NOFILE, &few) < 0 || !drive_await(&d.pulse.failed, 3))
		return 101;
	drive_end(&d, SIGTERM);
	if (d.tape.exhausted || d.tape.tally.failed != d.tape.tally.errors[STAGE_SOCKET][EMFILE])
		return 102;
	return EMFILE;
}

static void a_socket_too_many_is_emfile_at_its_stage(void)
{
	CU_ASSERT_EQUAL(help_child(load_without_descriptors), EMFILE);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, each_load_is_told_what_the_map_says),
	TEST_UNLESS(help_no_network, what_lacks_an_address_is_not_exhausted_while_udp_is_full),
	TEST_UNLESS(help_no_network, a_socket_too_many_is_emfile_at_its_stage),
	TESTS_END,
};

const struct suite suite_errno_load = {"errno_load", tests};
