/* Connects that are timed one at a time: what they take of the ports, and in which half of the
 * range they are said to have found one. The halves are made by holding all ports of one parity. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "drive_help.h"
#include "suites.h"

#define RANGE "network: {ports: 40000-40031}\n"
// clang-format off
#define EVEN "40000,40002,40004,40006,40008,40010,40012,40014,40016,40018,40020,40022,40024,40026,40028,40030"
#define ODD "40001,40003,40005,40007,40009,40011,40013,40015,40017,40019,40021,40023,40025,40027,40029,40031"
// clang-format on
#define TIMED "sample: {latency: 1ms}\n"
#define BRIEF "concurrency: 1, hold: 50ms, total: 1, end: reset"

static struct drive *run(const char *lines)
{
	static struct drive d;

	drive_lines(&d, lines);
	CU_ASSERT_FATAL(d.tape.latency != NULL);
	return &d;
}

static void each_is_a_connection_of_the_clients_and_leaves_nothing(void)
{
	struct drive *d =
		run(RANGE TIMED "load: {total: 10, concurrency: 2, hold: 20ms, end: leak}");
	const struct sample *end = last_dump(&d->tape);
	uint64_t timed = d->tape.latency->all.count;

	CU_ASSERT(timed > 0);
	CU_ASSERT_EQUAL(counter_moved(&d->tape, "ActiveOpens"), 10 + timed);
	CU_ASSERT_EQUAL(counter_moved(&d->tape, "OutRsts"), timed);
	CU_ASSERT_EQUAL(end->used_max, 10);
	CU_ASSERT_EQUAL(end->states[STATE_TIME_WAIT], 0);
	CU_ASSERT_EQUAL(d->tape.tally.attempted, 10); /* it is none of the load's */
	help_close(&d->h);
}

/* connect() tries the low bound's parity first, bind() the other. */
static void the_half_is_that_of_the_port_it_got(void)
{
	static const struct {
		const char *lines;
		enum half half;
	} cases[] = {
		{RANGE TIMED "squat: {ports: [" ODD "]}\nload: {" BRIEF "}", HALF_LOWER},
		{RANGE TIMED "squat: {ports: [" EVEN "]}\nload: {" BRIEF "}", HALF_UPPER},
		{RANGE TIMED "squat: {ports: [" EVEN "]}\nload: {bind: address, " BRIEF "}",
		 HALF_LOWER},
		{RANGE TIMED "squat: {ports: [" ODD "]}\nload: {bind: address, " BRIEF "}",
		 HALF_UPPER},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct drive *d = run(cases[i].lines);
		const struct latency *l = d->tape.latency;

		CU_ASSERT(l->all.count > 0);
		CU_ASSERT_EQUAL(l->halves[cases[i].half].count, l->all.count);
		CU_ASSERT_EQUAL(l->halves[!cases[i].half].count, 0);
		help_close(&d->h);
	}
}

/* With one pass over all ports there is no half but that of the fill: 16 of 32 are held. */
static void in_one_pass_the_half_is_that_of_the_fill(void)
{
	struct drive *d = run(RANGE TIMED "squat: {ports: [40000-40015]}\n"
					  "load: {bind: local-port-range 40000-40031, " BRIEF "}");
	const struct latency *l = d->tape.latency;

	CU_ASSERT(l->halves[HALF_UPPER].count > 0);
	CU_ASSERT_EQUAL(l->halves[HALF_LOWER].count, 0);
	CU_ASSERT_EQUAL(l->fills[10].count + l->fills[11].count, l->all.count);
	help_close(&d->h);
}

static void one_that_finds_no_port_is_counted_apart(void)
{
	struct drive *d = run(RANGE TIMED "squat: {ports: [40000-40031]}\n"
					  "load: {total: 1, concurrency: 1}");
	const struct latency *l = d->tape.latency;

	CU_ASSERT(l->refused.count > 0);
	CU_ASSERT_EQUAL(l->all.count, 0);
	help_close(&d->h);
}

/* Where nothing listens there is nothing to time, and it is no failure of the load's. */
static void one_that_fails_otherwise_is_not_timed(void)
{
	struct drive *d = run(RANGE TIMED "server: {behaviour: refuse}\n"
					  "load: {total: 3, concurrency: 1, on_failure: continue}");

	CU_ASSERT_EQUAL(d->tape.latency->all.count + d->tape.latency->refused.count, 0);
	CU_ASSERT_EQUAL(d->tape.tally.failed, 3);
	help_close(&d->h);
}

/* A connect that nobody answers is under way when the load ends. */
static void one_that_waits_is_given_up_at_the_end(void)
{
	struct drive *d = run(RANGE TIMED "server: {behaviour: drop}\n"
					  "load: {total: 1, concurrency: 1, timeout: 50ms}");

	CU_ASSERT_EQUAL(d->tape.latency->all.count, 0);
	CU_ASSERT(d->tape.tally.failed == 1);
	help_close(&d->h);
}

/* In place of the first descriptor of sockstat, which is the prober's, one that cannot be read. */
static bool hide_sockstat(void)
{
	for (int fd = 3; fd < 1024; fd++) {
		char path[32], target[64] = {0};

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (readlink(path, target, sizeof(target) - 1) > 0 &&
		    strstr(target, "/net/sockstat") && !strstr(target, "sockstat6")) {
			int root = open("/", O_RDONLY | O_CLOEXEC);
			bool hidden = dup3(root, fd, O_CLOEXEC) == fd;

			close(root);
			return hidden;
		}
	}
	return false;
}

static void how_full_it_is_that_cannot_be_read_ends_the_run(void)
{
	static struct drive d;

	drive_open(&d, RANGE "sample: {latency: 1ms, every: 1m, sockets: 1h}\n"
			     "load: {total: 1, concurrency: 1, hold: 1m, end: reset}");
	drive_start(&d);
	CU_ASSERT(drive_await(&d.pulse.opened, 1));
	CU_ASSERT(hide_sockstat());
	drive_end(&d, 0);
	CU_ASSERT(!d.ok && !d.tape.complete && atomic_load(&d.pulse.broken));
	CU_ASSERT(strstr(d.h.err.what, "counters") != NULL && d.h.err.sys == EISDIR);
	CU_ASSERT(d.tape.latency != NULL);
	help_close(&d.h);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, each_is_a_connection_of_the_clients_and_leaves_nothing),
	TEST_UNLESS(help_no_network, the_half_is_that_of_the_port_it_got),
	TEST_UNLESS(help_no_network, in_one_pass_the_half_is_that_of_the_fill),
	TEST_UNLESS(help_no_network, one_that_finds_no_port_is_counted_apart),
	TEST_UNLESS(help_no_network, one_that_fails_otherwise_is_not_timed),
	TEST_UNLESS(help_no_network, one_that_waits_is_given_up_at_the_end),
	TEST_UNLESS(help_no_network, how_full_it_is_that_cannot_be_read_ends_the_run),
	TESTS_END,
};

const struct suite suite_prober = {"prober", tests};
