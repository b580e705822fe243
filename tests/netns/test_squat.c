/* Ports that are no load: what the kernel lets connections have beside them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "drive/drive.h"
#include "drive_help.h"
#include "lab_help.h"
#include "sys/clock.h"
#include "sys/plain.h"

struct squatted {
	struct help h;
	struct tape tape;
	struct pulse pulse;
	volatile sig_atomic_t interrupted;
	struct endpoint probe; /* that nobody else can be bound to while the load is there */
	int refused;	       /* errno of who tried */
	unsigned taken[2]; /* ports of the range that are: of even distance from its first, odd */
	void (*look)(void *context, struct worker *worker);
	bool ok;
};

static int try_bind(const struct endpoint *at)
{
	struct socket_wish wish = {
		.family = at->any.sa_family == AF_INET ? FAMILY_IPV4 : FAMILY_IPV6, .source = at};
	enum stage stage;
	int fd = socket_make(&wish, &stage);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? -fd : 0;
}

static void try_in_vain(void *context, struct worker *worker)
{
	struct squatted *s = context;

	(void)worker;
	s->refused = try_bind(&s->probe);
}

static void drive_squatted(struct squatted *s, const char *lines)
{
	struct drive_hooks hooks = {
		&s->interrupted, &s->pulse, -1, -1, 0, s->look ? s->look : try_in_vain, s};

	if (!help_open(&s->h, lines)) {
		printf("%s: %s\n", lines, s->h.err.what);
		CU_FAIL_FATAL("no lab");
	}
	s->ok = drive_run(&s->tape, &s->h.plan, &s->h.lab, &hooks, &s->h.arena, &s->h.err);
}

static uint64_t bound_of(const struct tape *t)
{
	uint64_t most = 0;

	for (size_t i = 0; i < t->sample_count; i++)
		if (t->samples[i].states[STATE_BOUND] > most)
			most = t->samples[i].states[STATE_BOUND];
	return most;
}

/* Facts of the kernel, a row each: 32 ports, and what is left of them. */
static void a_port_that_anybody_has_bound_is_none_to_connect_from(void)
{
	static const struct {
		const char *lines;
		uint64_t opened, bound;
		enum stage stage;
		int error;
	} rows[] = {
		{"squat: {bind: 20}", 12, 20, STAGE_CONNECT, EADDRNOTAVAIL},
		{"squat: {listen: [40010-40019]}", 22, 0, STAGE_CONNECT, EADDRNOTAVAIL},
		{"squat: {unbound: 10}", 22, 0, STAGE_CONNECT, EADDRNOTAVAIL},
		{"squat: {unbound: 10}\nload: {bind: address, end: leak, total: 100}", 22, 0,
		 STAGE_BIND, EADDRINUSE},
		{"squat: {listen: [40010-40019, 50000]}", 22, 0, STAGE_CONNECT, EADDRNOTAVAIL},
		{"squat: {ports: [40010-40019], address: 127.0.0.9}", 22, 10, STAGE_CONNECT,
		 EADDRNOTAVAIL},
		{"squat: {listen: [40001], ports: [40002], bind: 4}", 26, 5, STAGE_CONNECT,
		 EADDRNOTAVAIL},
		/* Of whatever family. */
		{"squat: {bind: 16, family: ipv6, address: \"::1\"}", 16, 16, STAGE_CONNECT,
		 EADDRNOTAVAIL},
		{"network: {ports: 40000-40031, family: ipv6}\nsquat: {bind: 16}", 16, 16,
		 STAGE_CONNECT, EADDRNOTAVAIL},
		/* bind() passes over only what is on its own address, or on all. */
		{"squat: {bind: 20}\nload: {bind: address, end: leak, total: 100}", 12, 20,
		 STAGE_BIND, EADDRINUSE},
		{"squat: {bind: 20, address: 127.0.0.9}\nload: {bind: address, end: leak, total: "
		 "100}",
		 32, 20, STAGE_BIND, EADDRINUSE},
		/* One to all addresses passes over what is on any. */
		{"squat: {bind: 20, address: 127.0.0.9}\nload: {bind: any, end: leak, total: 100}",
		 12, 20, STAGE_BIND, EADDRINUSE},
		{"squat: {bind: 20, family: ipv6}\nload: {bind: any, end: leak, total: 100}", 12,
		 20, STAGE_BIND, EADDRINUSE},
		{"squat: {bind: 20, family: ipv6, address: \"::1\"}\nload: {bind: any, end: leak, "
		 "total: 100}",
		 32, 20, STAGE_BIND, EADDRINUSE},
		{"network: {ports: 40000-40031, family: ipv6}\nsquat: {bind: 20, address: "
		 "127.0.0.9}\nload: {bind: any, end: leak, total: 100}",
		 12, 20, STAGE_BIND, EADDRINUSE},
		{"network: {ports: 40000-40031, family: ipv6}\nsquat: {bind: 20, address: "
		 "127.0.0.9}\nload: {bind: any, end: leak, total: 100, options: {v6only: true}}",
		 32, 20, STAGE_BIND, EADDRINUSE},
		{"network: {ports: 40000-40031, family: mapped}\nsquat: {bind: 20, family: ipv6, "
		 "address: \"::1\"}\nload: {bind: any, end: leak, total: 100}",
		 12, 20, STAGE_BIND, EADDRINUSE},
		{"load: {bind: any, ballast: 50%, end: leak, total: 100}", 16, 16, STAGE_BIND,
		 EADDRINUSE},
		{"squat: {listen: [45000]}\nload: {bind: ports 45000-45003, end: leak, total: 100}",
		 3, 0, STAGE_BIND, EADDRINUSE},
		/* Of UDP too: an unbound socket wants a port that nobody has on any address. */
		{"squat: {protocol: udp, bind: 20}\nload: {protocol: udp, end: leak, total: 100}",
		 12, 20, STAGE_CONNECT, EAGAIN},
		{"squat: {protocol: udp, bind: 20, address: 127.0.0.9}\nload: {protocol: udp, end: "
		 "leak, total: 100}",
		 12, 20, STAGE_CONNECT, EAGAIN},
		{"squat: {protocol: udp, ports: [40000-40003], address: 127.0.0.9}\nload: "
		 "{protocol: udp, bind: address, end: leak, total: 100}",
		 32, 4, STAGE_BIND, EADDRINUSE},
		{"squat: {protocol: udp, bind: 20}\nload: {protocol: udp, bind: address, end: "
		 "leak, total: 100}",
		 12, 20, STAGE_BIND, EADDRINUSE},
		{"squat: {protocol: udp, bind: 20, family: ipv6, address: \"::1\"}\nload: "
		 "{protocol: udp, end: leak, total: 100}",
		 32, 20, STAGE_CONNECT, EAGAIN},
		{"squat: {protocol: udp}\nload: {protocol: udp, ballast: 50%, end: leak, total: "
		 "100}",
		 16, 16, STAGE_CONNECT, EAGAIN},
		{"squat: {protocol: udp, bind: 4}\nload: {protocol: udp, ballast: 50%, end: leak, "
		 "total: 100}",
		 16, 16, STAGE_CONNECT, EAGAIN},
		/* Reserved ports are nobody's anyway. */
		{"network: {ports: 40000-40031, reserved: [40000-40027]}", 4, 0, STAGE_CONNECT,
		 EADDRNOTAVAIL},
		{"network: {ports: 40000-40031, reserved: [39000-40010, 40011-40031]}", 0, 0,
		 STAGE_CONNECT, EADDRNOTAVAIL},
		{"network: {ports: 40000-40031, reserved: [40000-40031]}\nload: {bind: address, "
		 "end: leak, total: 100}",
		 0, 0, STAGE_BIND, EADDRINUSE},
		{"network: {ports: 40000-40031, reserved: [40010-40019]}\nsquat: {listen: "
		 "[40015-40024]}",
		 17, 0, STAGE_CONNECT, EADDRNOTAVAIL},
		/* Ballast, with what is squatted already. */
		{"load: {ballast: 95%, end: leak, total: 100}", 2, 30, STAGE_CONNECT,
		 EADDRNOTAVAIL},
		{"load: {ballast: 50%, end: leak, total: 100}\nsquat: {bind: 10}", 16, 16,
		 STAGE_CONNECT, EADDRNOTAVAIL},
		{"load: {ballast: 50%, end: leak, total: 100}\nnetwork: {ports: 40000-40031, "
		 "services: 2, reserved: [40000-40003]}",
		 28, 14, STAGE_CONNECT, EADDRNOTAVAIL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[300];
		struct squatted s = {.interrupted = 0};

		snprintf(lines, sizeof(lines), "%s%s\n%s",
			 strstr(rows[i].lines, "network:") ? "" : "network: {ports: 40000-40031}\n",
			 rows[i].lines,
			 strstr(rows[i].lines, "load:") ? "" : "load: {end: leak, total: 100}");
		drive_squatted(&s, lines);
		if (s.tape.opened_before != rows[i].opened || bound_of(&s.tape) != rows[i].bound)
			printf("%s: %llu, %llu\n", lines, (unsigned long long)s.tape.opened_before,
			       (unsigned long long)bound_of(&s.tape));
		CU_ASSERT(s.ok && s.tape.exhausted);
		CU_ASSERT_EQUAL(s.tape.opened_before, rows[i].opened);
		CU_ASSERT_EQUAL(s.tape.opened_before, s.h.plan.forecast.after);
		CU_ASSERT_EQUAL(bound_of(&s.tape), rows[i].bound);
		CU_ASSERT(s.tape.tally.errors[rows[i].stage][rows[i].error] >= 1);
		help_close(&s.h);
	}
}

/* The squat's start is when the load is over, which on a busy machine takes longer than a guess. */
static void drive_before_squat(struct squatted *s, const char *load, const char *squat)
{
	for (int start_ms = 50;; start_ms *= 4) {
		char lines[300];

		*s = (struct squatted){.interrupted = 0};
		snprintf(lines, sizeof(lines), "%s\nsquat: {%s, start: %dms}", load, squat,
			 start_ms);
		drive_squatted(s, lines);
		if (s->tape.end_ns < start_ms * INT64_C(1000000) || start_ms > 10000)
			return;
		help_close(&s->h);
	}
}

#define ALL_32 "network: {ports: 40000-40031}\nload: {end: leak, total: 32}"

/* A service that starts late: all 32 ports are taken by then, or 31 of them. */
static void a_service_that_starts_late_may_find_its_port_taken(void)
{
	static const struct {
		const char *squat, *load;
		uint64_t held, refused;
		enum stage stage;
		uint32_t listening; /* of the range, by the socket table */
	} rows[] = {
		{"listen: [40010]", ALL_32, 0, 1, STAGE_BIND, 0},
		{"listen: [40010-40013, 30010]", ALL_32, 1, 4, STAGE_BIND, 0},
		{"ports: [40010]", ALL_32, 0, 1, STAGE_BIND, 0},
		{"bind: 3", ALL_32, 0, 3, STAGE_BIND, 0},
		{"unbound: 3", ALL_32, 0, 3, STAGE_LISTEN, 0},
		/* Somebody else's address, and a port that nobody may have but by name. */
		{"listen: [40010], address: 127.0.0.9", ALL_32, 1, 0, STAGE_BIND, 1},
		{"listen: [40010]",
		 "network: {ports: 40000-40031, reserved: [40010]}\n"
		 "load: {end: leak, total: 31}",
		 1, 0, STAGE_BIND, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct squatted s;
		const struct sample *last;

		drive_before_squat(&s, rows[i].load, rows[i].squat);
		CU_ASSERT(s.ok && s.tape.complete && !s.tape.exhausted);
		if (s.tape.squat_held != rows[i].held || s.tape.squat_refused != rows[i].refused)
			printf("%s: %llu, %llu\n", rows[i].squat,
			       (unsigned long long)s.tape.squat_held,
			       (unsigned long long)s.tape.squat_refused);
		CU_ASSERT_EQUAL(s.tape.squat_held, rows[i].held);
		CU_ASSERT_EQUAL(s.tape.squat_refused, rows[i].refused);
		CU_ASSERT_EQUAL(s.tape.squat_errors[rows[i].stage][EADDRINUSE], rows[i].refused);
		CU_ASSERT_EQUAL(s.tape.tally.errors[rows[i].stage][EADDRINUSE], 0);
		CU_ASSERT_EQUAL(s.tape.tally.failed, 0);
		last = last_dump(&s.tape);
		CU_ASSERT_EQUAL(last->listening, rows[i].listening);
		help_close(&s.h);
	}
}

/* What comes first has the port, whoever it is. */
static void what_a_late_service_has_is_none_to_connect_from(void)
{
	struct squatted s = {.interrupted = 0};

	drive_squatted(&s, "network: {ports: 40000-40031}\nload: {end: leak, start: 2s, total: "
			   "40}\nsquat: {listen: [40010, 40011], start: 10ms}");
	CU_ASSERT(s.ok && s.tape.exhausted);
	CU_ASSERT_EQUAL(s.tape.squat_held, 2);
	CU_ASSERT_EQUAL(s.tape.opened_before, 30);
	CU_ASSERT_FALSE(s.h.plan.forecast.known);
	help_close(&s.h);
}

/* Ports that an ordinary user may not have elsewhere. */
static void a_low_port_is_squatted_like_any_other(void)
{
	static const char *const rows[] = {
		"squat: {listen: [80, 40010]}\nload: {total: 3}",
		"squat: {ports: [443]}\nload: {total: 3}",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct squatted s = {.interrupted = 0};

		drive_squatted(&s, rows[i]);
		CU_ASSERT(s.ok && s.tape.complete);
		CU_ASSERT_STRING_EQUAL(s.h.err.what, "");
		help_close(&s.h);
	}
}

static void bind_again(struct help *h, void *context)
{
	struct squatted *s = context;

	(void)h;
	s->refused = try_bind(&s->probe);
}

/* Nobody can bind what is squatted, until the load is over; then anybody can. */
static void what_is_squatted_is_held_until_the_end(void)
{
	static const char *const rows[] = {
		"squat: {listen: [40010]}\nload: {total: 3}",
		"squat: {ports: [40010]}\nload: {total: 3}",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct squatted s = {
			.probe = endpoint_make(FAMILY_IPV4, address_ipv4(0x0a4d0001), 40010)};

		drive_squatted(&s, rows[i]);
		CU_ASSERT(s.ok);
		CU_ASSERT_EQUAL(s.refused, EADDRINUSE);
		for (int tries = 0; tries < 5000 && s.refused; tries++) {
			CU_ASSERT(help_inside(&s.h, LAB_CLIENT, bind_again, &s));
			clock_sleep(1000000); /* a ring gives its sockets back in its own time */
		}
		CU_ASSERT_EQUAL(s.refused, 0);
		help_close(&s.h);
	}
}

/* The far end's own port: only the kernel knows. More ports than there are, and an address that is
 * nobody's, are told by the plan. */
static void what_cannot_be_had_is_an_error_at_its_line(void)
{
	struct squatted s = {.interrupted = 0};

	drive_squatted(&s, "network: {topology: loopback}\nsquat: {listen: [7000]}");
	CU_ASSERT(!s.ok);
	CU_ASSERT_EQUAL(s.h.err.kind, ERR_SCENARIO);
	CU_ASSERT_STRING_EQUAL(s.h.err.what,
			       "squat.listen cannot have port 7000: Address already in use");
	CU_ASSERT_EQUAL(s.h.err.at.line, 4);
	CU_ASSERT_EQUAL(s.tape.tally.attempted, 0);
	help_close(&s.h);
}

/* More sockets than one table may have, and none of them a descriptor of the process. */
static void ballast_of_the_default_range_takes_more_than_one_table(void)
{
	struct squatted s = {.interrupted = 0};

	drive_squatted(&s, "load: {ballast: 99%, end: leak, total: 400}");
	CU_ASSERT(s.ok && s.tape.exhausted);
	CU_ASSERT_EQUAL(s.tape.opened_before, 283);
	CU_ASSERT_EQUAL(bound_of(&s.tape), 27949);
	help_close(&s.h);
}

/* As bind(address, 0) has them: the half of the range that connect() leaves. */
static void look_at_ports(struct help *h, void *context)
{
	struct squatted *s = context;
	struct port_range range = h->plan.scenario->network.ports;

	for (uint32_t port = range.lo; port <= range.hi; port++) {
		struct endpoint at =
			endpoint_make(FAMILY_IPV4, address_ipv4(0x0a4d0001), (uint16_t)port);

		s->taken[(port - range.lo) % 2] += try_bind(&at) == EADDRINUSE;
	}
}

static void look_by_the_way(void *context, struct worker *worker)
{
	struct squatted *s = context;

	(void)worker;
	look_at_ports(&s->h, s);
}

static void squatted_ports_are_of_the_half_that_connect_leaves(void)
{
	static const struct {
		const char *lines;
		unsigned even, odd;
	} rows[] = {
		{"squat: {bind: 12}\nload: {end: reset, total: 3}", 0, 12},
		{"squat: {bind: 20}\nload: {end: reset, total: 3}", 4, 16},
		{"squat: {bind: 20, ports: [40001]}\nload: {end: reset, total: 3}", 5, 16},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[200];
		struct squatted s = {.look = look_by_the_way};

		snprintf(lines, sizeof(lines), "network: {ports: 40000-40031}\n%s", rows[i].lines);
		drive_squatted(&s, lines);
		CU_ASSERT(s.ok);
		CU_ASSERT_EQUAL(s.taken[0], rows[i].even);
		CU_ASSERT_EQUAL(s.taken[1], rows[i].odd);
		help_close(&s.h);
	}
}

/* Chosen by the kernel they took it half a minute, and stop.time did not end it. */
static void tens_of_thousands_are_bound_before_stop_time_is_over(void)
{
	struct squatted s = {.interrupted = 0};

	drive_squatted(&s, "squat: {bind: 28100}\nload: {end: leak, total: 200}\n"
			   "stop: {time: 15s}");
	CU_ASSERT(s.ok && s.tape.exhausted);
	CU_ASSERT_EQUAL(s.tape.opened_before, 132);
	CU_ASSERT_EQUAL(bound_of(&s.tape), 28100);
	help_close(&s.h);
}

static void stop_time_does_not_wait_for_squatted_ports(void)
{
	static const char *const rows[] = {
		"squat: {bind: 28100}\nstop: {time: 10ms}",
		"squat: {ports: [1024-65535]}\nstop: {time: 10ms}",
		"load: {ballast: 99%}\nstop: {time: 10ms}",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct squatted s = {.interrupted = 0};

		drive_squatted(&s, rows[i]);
		CU_ASSERT(!s.ok);
		CU_ASSERT_EQUAL(s.h.err.kind, ERR_SCENARIO);
		CU_ASSERT_PTR_NOT_NULL(strstr(s.h.err.what, "ports were held when stop.time was"));
		CU_ASSERT_EQUAL(s.h.err.at.line, 4);
		CU_ASSERT_EQUAL(s.tape.tally.attempted, 0);
		help_close(&s.h);
	}
}

static void who_is_interrupted_holds_no_more_ports(void)
{
	static const char *const rows[] = {
		"squat: {bind: 28100}",
		"squat: {listen: [40000-40999], ports: [41000-41999]}",
		"load: {ballast: 99%}",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct squatted s = {.interrupted = SIGINT};

		drive_squatted(&s, rows[i]);
		CU_ASSERT(s.ok && !s.tape.complete);
		CU_ASSERT_EQUAL(s.tape.interrupted, SIGINT);
		CU_ASSERT_EQUAL(s.tape.tally.attempted, 0);
		CU_ASSERT_EQUAL(bound_of(&s.tape), 0);
		help_close(&s.h);
	}
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, a_port_that_anybody_has_bound_is_none_to_connect_from),
	TEST_UNLESS(help_no_network, a_service_that_starts_late_may_find_its_port_taken),
	TEST_UNLESS(help_no_network, what_a_late_service_has_is_none_to_connect_from),
	TEST_UNLESS(help_no_network, a_low_port_is_squatted_like_any_other),
	TEST_UNLESS(help_no_network, what_is_squatted_is_held_until_the_end),
	TEST_UNLESS(help_no_network, what_cannot_be_had_is_an_error_at_its_line),
	TEST_UNLESS(help_no_network, who_is_interrupted_holds_no_more_ports),
	TEST_UNLESS(help_no_network, squatted_ports_are_of_the_half_that_connect_leaves),
	TEST_UNLESS(help_no_network, tens_of_thousands_are_bound_before_stop_time_is_over),
	TEST_UNLESS(help_no_network, stop_time_does_not_wait_for_squatted_ports),
	TEST_UNLESS(help_no_network, ballast_of_the_default_range_takes_more_than_one_table),
	TESTS_END,
};

const struct suite suite_squat = {"squat", tests};
