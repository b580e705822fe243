/* The sampler: what it says of sockets is what the kernel says, and what the test made. */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab_help.h"
#include "sense/census.h"
#include "sense/sense.h"
#include "sys/clock.h"
#include "sys/conntrack.h"
#include "sys/counters.h"
#include "sys/endpoint.h"

#define SECOND INT64_C(1000000000)

/* ---- parsers, on what a kernel said once (tests/data) -------------------- */

static void sum(void *total, struct text name, uint64_t value)
{
	uint64_t *sums = total;

	sums[0]++;
	if (text_is(name, "RtoMax") || text_is(name, "UdpNoPorts") ||
	    text_is(name, "SyncookiesSent"))
		sums[1] = value + 1;
}

static void recorded_counters_are_read_name_by_name(void)
{
	char buffer[8192];
	uint64_t sums[2] = {0};
	struct text file = help_file("tests/data/snmp", buffer, sizeof(buffer));

	CU_ASSERT(counters_parse(file, TEXT("Tcp: "), sum, sums));
	CU_ASSERT(sums[0] == 15 && sums[1] == 120001);
	memset(sums, 0, sizeof(sums));
	CU_ASSERT(counters_parse_udp(file, sum, sums));
	CU_ASSERT(sums[0] == 9 && sums[1] > 0);
	file = help_file("tests/data/netstat", buffer, sizeof(buffer));
	memset(sums, 0, sizeof(sums));
	CU_ASSERT(counters_parse(file, TEXT("TcpExt: "), sum, sums));
	CU_ASSERT(sums[0] > 100 && sums[1] == 1);
	CU_ASSERT(!counters_parse(TEXT("Tcp: A B\nTcp: 1\n"), TEXT("Tcp: "), sum, sums));
	CU_ASSERT(!counters_parse(TEXT("Tcp: A B\n"), TEXT("Tcp: "), sum, sums));
	CU_ASSERT(!counters_parse((struct text){0}, TEXT("Tcp: "), sum, sums));
}

/* Of a gateway with 32 ports that had dropped four SYNs, and had a connection to another port
 * besides. */
static void recorded_looks_at_a_gateway_are_added_up(void)
{
	static char buffer[1024] __attribute__((aligned(8)));
	struct text file = help_file("tests/data/conntrack-cpus", buffer, sizeof(buffer));
	struct conntrack_counts counts = {0};
	struct err err = {0};

	CU_ASSERT_EQUAL(conntrack_parse(buffer, file.len, &counts, &err), CONNTRACK_END);
	CU_ASSERT(counts.insert_failed == 4 && counts.drop == 4 && counts.early_drop == 0);
	CU_ASSERT_EQUAL(counts.entries, 0);
	CU_ASSERT_EQUAL(conntrack_parse(buffer, 100, &counts, &err), CONNTRACK_MORE);
	file = help_file("tests/data/conntrack-entries", buffer, sizeof(buffer));
	counts = (struct conntrack_counts){0};
	CU_ASSERT_EQUAL(conntrack_parse(buffer, file.len, &counts, &err), CONNTRACK_END);
	CU_ASSERT_EQUAL(counts.entries, 33);
	CU_ASSERT_EQUAL(err.kind, ERR_NONE);
	buffer[36 + 16] = -1; /* an errno value where there was an acknowledgement */
	CU_ASSERT_EQUAL(conntrack_parse(buffer, file.len, &counts, &err), CONNTRACK_BROKEN);
	CU_ASSERT_EQUAL(err.kind, ERR_SYS);
}

/* ---- the thread ---------------------------------------------------------- */

struct sampling {
	struct help h;
	struct tape tape;
	struct sense *sense;
	struct pulse pulse;
};

static bool enter_client(const void *lab, struct err *err)
{
	return lab_enter(lab, LAB_CLIENT, err);
}

static void sampling_open(struct sampling *s, const char *lines, int64_t every_ns)
{
	struct sense_wish wish = {.every_ns = every_ns, .sockets_ns = 3600 * SECOND, .pairs = 16};

	memset(s, 0, sizeof(*s));
	if (!help_open(&s->h, lines))
		CU_FAIL_FATAL("no lab");
	wish.enter = enter_client;
	wish.where = &s->h.lab;
	wish.pulse = &s->pulse;
	wish.filter.ports = s->h.plan.scenario->network.ports;
	CU_ASSERT_FATAL(tape_open(&s->tape, 0, 4096, 512, &s->h.arena, &s->h.err));
	if (!sense_start(&s->sense, &wish, &s->tape, &s->h.arena, &s->h.err))
		CU_FAIL_FATAL("no sampler");
	sense_edge(s->sense, 0);
	sense_zero(s->sense, clock_now());
}

static void sampling_close(struct sampling *s)
{
	CU_ASSERT(sense_stop(s->sense, &s->h.err));
	help_close(&s->h);
}

enum { CONNECTIONS = 20, CLOSED = 8, BOUND = 3 };

/* What the test makes in the client's namespace: 12 established, 8 in TIME_WAIT, 3 bound alone,
 * in the range; and some outside of it. */
static void make_sockets(struct help *h, void *fds)
{
	int *fd = fds;
	const enum family family = h->plan.family;
	const int domain = family_domain(family);
	struct endpoint there =
		endpoint_make(family, h->plan.servers.list[0], h->plan.service_first);
	struct endpoint outside = endpoint_any(family, 50000), any = endpoint_any(family, 0);

	for (int i = 0; i < CONNECTIONS; i++) {
		fd[i] = socket(domain, SOCK_STREAM, 0);
		CU_ASSERT_FATAL(connect(fd[i], &there.any, there.len) == 0);
	}
	for (int i = 0; i < BOUND; i++) {
		fd[CONNECTIONS + i] = socket(domain, SOCK_STREAM, 0);
		CU_ASSERT_FATAL(bind(fd[CONNECTIONS + i], &any.any, any.len) == 0);
	}
	fd[CONNECTIONS + BOUND] = socket(domain, SOCK_STREAM, 0);
	CU_ASSERT_FATAL(bind(fd[CONNECTIONS + BOUND], &outside.any, outside.len) == 0);
	CU_ASSERT_FATAL(connect(fd[CONNECTIONS + BOUND], &there.any, there.len) == 0);
}

static void listen_and_close(struct help *h, void *listener)
{
	*(int *)listener = help_listen(&h->plan);
}

static const struct sample *last(const struct tape *t)
{
	return &t->samples[t->sample_count - 1];
}

static void it_sees_what_is_there_by_state(void)
{
	struct sampling s;
	int fd[CONNECTIONS + BOUND + 1], listener = -1, accepted[CONNECTIONS];

	sampling_open(&s, "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}",
		      3600 * SECOND);
	CU_ASSERT_EQUAL(last(&s.tape)->used_max, 0);
	CU_ASSERT(help_inside(&s.h, LAB_SERVER, listen_and_close, &listener));
	CU_ASSERT(help_inside(&s.h, LAB_CLIENT, make_sockets, fd));
	for (int i = 0; i < CONNECTIONS; i++)
		accepted[i] = accept(listener, NULL, NULL);
	for (int i = 0; i < CLOSED; i++)
		close(fd[i]);
	for (int i = 0; i < CLOSED; i++)
		close(accepted[i]);
	sense_edge(s.sense, 5 * SECOND);
	CU_ASSERT(last(&s.tape)->at_rest && last(&s.tape)->edge && !last(&s.tape)->torn);
	CU_ASSERT_EQUAL(last(&s.tape)->states[STATE_ESTABLISHED], CONNECTIONS - CLOSED);
	CU_ASSERT_EQUAL(last(&s.tape)->states[STATE_TIME_WAIT], CLOSED);
	CU_ASSERT_EQUAL(last(&s.tape)->used_max, CONNECTIONS);
	CU_ASSERT_EQUAL(last(&s.tape)->tw, CLOSED);
	CU_ASSERT_EQUAL(last(&s.tape)->inuse,
			CONNECTIONS - CLOSED + 1); /* sockstat counts the one outside too */
	sampling_close(&s);
	for (int i = CLOSED; i < CONNECTIONS + BOUND + 1; i++)
		close(fd[i]);
	for (int i = CLOSED; i < CONNECTIONS; i++)
		close(accepted[i]);
	close(listener);
}

static bool await_samples(const struct sampling *s, size_t n)
{
	for (int i = 0; i < 10000; i++) {
		if (__atomic_load_n(&s->tape.sample_count, __ATOMIC_ACQUIRE) >= n)
			return true;
		clock_sleep(SECOND / 1000);
	}
	return false;
}

static void it_samples_by_itself_and_tells_the_drivers_books(void)
{
	struct sampling s;

	sampling_open(&s, "network: {ports: 40000-40031}", SECOND / 100);
	atomic_store(&s.pulse.opened, 77);
	CU_ASSERT(await_samples(&s, s.tape.sample_count + 5));
	sense_edge(s.sense, 0);
	CU_ASSERT_EQUAL(last(&s.tape)->opened, 77);
	sampling_close(&s);
}

static void an_ask_brings_an_edge_soon(void)
{
	struct sampling s;
	size_t before;

	sampling_open(&s, "network: {ports: 40000-40031}", 3600 * SECOND);
	sense_edge(s.sense, 0); /* and whatever was due before it */
	before = s.tape.sample_count;
	sense_ask(s.sense);
	CU_ASSERT(await_samples(&s, before + 1));
	CU_ASSERT(last(&s.tape)->edge && last(&s.tape)->parts == (SAMPLE_TOTALS | SAMPLE_SOCKETS));
	sampling_close(&s);
}

static void counters_count_from_the_loads_beginning(void)
{
	struct sampling s;
	int fd[CONNECTIONS + BOUND + 1], listener = -1;
	bool found = false;

	sampling_open(&s, "network: {ports: 40000-40031}", 3600 * SECOND);
	CU_ASSERT(help_inside(&s.h, LAB_SERVER, listen_and_close, &listener));
	CU_ASSERT(help_inside(&s.h, LAB_CLIENT, make_sockets, fd));
	sense_edge(s.sense, 0);
	CU_ASSERT(sense_stop(s.sense, &s.h.err));
	for (size_t i = 0; i < s.tape.counter_count; i++) {
		const struct counter *c = &s.tape.counters[i];

		found |= strcmp(c->name, "ActiveOpens") == 0 &&
			 c->last - c->first == CONNECTIONS + 1;
	}
	CU_ASSERT(found);
	CU_ASSERT(s.tape.counter_count > 100);
	for (int i = 0; i < CONNECTIONS + BOUND + 1; i++)
		close(fd[i]);
	close(listener);
	help_close(&s.h);
}

static const struct test tests[] = {
	TEST(recorded_counters_are_read_name_by_name),
	TEST(recorded_looks_at_a_gateway_are_added_up),
	TEST_UNLESS(help_no_network, it_sees_what_is_there_by_state),
	TEST_UNLESS(help_no_network, it_samples_by_itself_and_tells_the_drivers_books),
	TEST_UNLESS(help_no_network, an_ask_brings_an_edge_soon),
	TEST_UNLESS(help_no_network, counters_count_from_the_loads_beginning),
	TESTS_END,
};

const struct suite suite_sense = {"sense", tests};
