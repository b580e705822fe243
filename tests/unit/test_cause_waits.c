/* Those that waited in vain, told beside the want of ports that they made. */
#include <errno.h>
#include <stdio.h>

#include "suites.h"
#include "trial.h"

#define SMALL "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"

struct waits {
	uint64_t waited, wanted, done, late;
	int64_t recovered_ns;
	int state; /* STATE_... that all ports are in */
	enum cause first;
	bool told;
};

/* So many requests had no answer, and so many connects no port. */
static void waits_judge(struct trial *t, const struct waits *w)
{
	trial_open(t, SMALL "load: {concurrency: 20, request: {send: 8B, receive: 8B}, "
			    "timeout: 50ms}");
	trial_exhaust(t, 32);
	trial_fail(t, STAGE_CONNECT, EADDRNOTAVAIL, w->wanted - 1);
	t->tape.tally.errors[STAGE_RECEIVE][ETIMEDOUT] = w->waited;
	t->tape.tally.requests_done = w->done;
	t->tape.recovered_ns = w->recovered_ns;
	trial_dump(t, 32)->states[w->state] = 32;
	t->tape.counters[t->tape.counter_count++] = (struct counter){"OutRsts", 0, w->late};
	trial_judge(t);
}

/* Before the want of ports where they explain more. A FIN that is under way is nobody's orphan. */
static void requests_without_an_answer_are_told_beside_the_ports_they_held(void)
{
	static const struct waits rows[] = {
		{51, 9, 0, 51, 65600000, STATE_FIN_WAIT1, CAUSE_REQUEST_FAILED, true},
		{51, 9, 52, 51, 200000000, STATE_FIN_WAIT1, CAUSE_FIN_WAIT_ORPHANS, false},
		{51, 9, 0, 51, -1, STATE_FIN_WAIT1, CAUSE_REQUEST_FAILED, true},
		{39, 15, 0, 0, 180000000, STATE_ESTABLISHED, CAUSE_REQUEST_FAILED, true},
		{14, 15, 0, 0, 180000000, STATE_ESTABLISHED, CAUSE_LIVE_SATURATION, true},
		{39, 15, 40, 0, 180000000, STATE_ESTABLISHED, CAUSE_LIVE_SATURATION, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;

		waits_judge(&t, &rows[i]);
		f = trial_cause(&t, CAUSE_REQUEST_FAILED);
		CU_ASSERT_EQUAL(f != NULL, rows[i].told);
		CU_ASSERT_EQUAL(t.verdict.causes[0].cause, rows[i].first);
		CU_ASSERT(!f || text_has(f->why, "no answer within 50 ms (load.timeout)"));
		CU_ASSERT(!f || text_has(f->why, "shorter than the answer") == (rows[i].late > 0));
		CU_ASSERT(!f || lines_have(&f->attempt, "wait for longer") == (rows[i].late > 0));
		CU_ASSERT(i > 0 || trial_cause(&t, CAUSE_FIN_WAIT_ORPHANS) == NULL);
		trial_close(&t);
	}
}

/* Whether ports run out or not: that the far end answered later is what decides what to do. */
static void an_answer_that_came_late_is_told_without_a_want_of_ports(void)
{
	static const struct {
		const char *load;
		struct counter counter;
		uint64_t reset;
		int error;
		enum event_kind gone; /* EVENT_LOAD_BEGIN: the server is there */
		const char *why;      /* NULL: it is not told */
	} rows[] = {
		{"{end: close",
		 {"OutRsts", 0, 40},
		 0,
		 ETIMEDOUT,
		 EVENT_LOAD_BEGIN,
		 "recv() failed 40 times with ETIMEDOUT (Connection timed out). The far end does "
		 "answer: 40 segments came for a connection that was closed already, and met a "
		 "RST."},
		{"{end: reset",
		 {"OutRsts", 0, 40},
		 39,
		 ETIMEDOUT,
		 EVENT_LOAD_BEGIN,
		 "answer: 1 segment came"},
		{"{end: reset", {"OutRsts", 0, 40}, 40, ETIMEDOUT, EVENT_LOAD_BEGIN, NULL},
		{"{end: close", {"OutRsts", 0, 40}, 0, ECONNRESET, EVENT_LOAD_BEGIN, NULL},
		{"{end: close", {"OutRsts", 0, 40}, 0, ETIMEDOUT, EVENT_SERVER_DIED, NULL},
		{"{end: close", {"OutRsts", 0, 40}, 0, ETIMEDOUT, EVENT_SERVER_GONE, NULL},
		{"{protocol: udp",
		 {"UdpNoPorts", 0, 31},
		 0,
		 ETIMEDOUT,
		 EVENT_LOAD_BEGIN,
		 "answer: 31 packets came for a socket that was closed already, and met an ICMP."},
		{"{protocol: udp", {"OutRsts", 0, 31}, 0, ETIMEDOUT, EVENT_LOAD_BEGIN, NULL},
		{"{protocol: tcp", {"UdpNoPorts", 0, 31}, 0, ETIMEDOUT, EVENT_LOAD_BEGIN, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		char lines[200];
		struct trial t;

		snprintf(lines, sizeof(lines),
			 SMALL "load: %s, timeout: 100ms, request: {send: 8B, receive: 8B}}",
			 rows[i].load);
		trial_open(&t, lines);
		t.tape.tally.attempted = t.tape.tally.opened = 40;
		t.tape.tally.reset = rows[i].reset;
		t.tape.tally.closed = 40 - rows[i].reset;
		t.tape.tally.requests_failed = t.tape.tally.errors[STAGE_RECEIVE][rows[i].error] =
			40;
		t.tape.counters[t.tape.counter_count++] = rows[i].counter;
		tape_event(&t.tape, (struct event){.kind = rows[i].gone});
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_REQUEST_FAILED);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		if (!text_has(f->why, rows[i].why ? rows[i].why : "failed 40 times"))
			printf("row %zu: " TEXT_FMT "\n", i, TEXT_ARG(f->why));
		CU_ASSERT(!rows[i].why || text_has(f->why, rows[i].why));
		CU_ASSERT_EQUAL(text_has(f->why, "does answer"), rows[i].why != NULL);
		CU_ASSERT_EQUAL(lines_have(&f->attempt, "wait for longer"), rows[i].why != NULL);
		CU_ASSERT_EQUAL(lines_have(&f->attempt, "see whether the answer is late"),
				!rows[i].why && rows[i].error == ETIMEDOUT);
		trial_close(&t);
	}
}

/* A host that vanished: of TCP it is a dead peer; a socket of UDP has none, and waits for an answer. */
static void sockets_of_udp_have_no_peer_that_is_gone(void)
{
	static const struct {
		const char *protocol;
		int error;
		enum cause told, untold;
	} rows[] = {
		{"tcp", EADDRNOTAVAIL, CAUSE_DEAD_PEER_LEAK, CAUSE_REQUEST_FAILED},
		{"udp", EAGAIN, CAUSE_REQUEST_FAILED, CAUSE_DEAD_PEER_LEAK},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[300];
		struct trial t;

		snprintf(lines, sizeof(lines),
			 SMALL "load: {protocol: %s, rate: 50/s, request: {send: 8B, receive: 8B}}",
			 rows[i].protocol);
		trial_open(&t, lines);
		trial_exhaust(&t, 32);
		t.tape.tally.errors[STAGE_CONNECT][EADDRNOTAVAIL] = 0;
		t.tape.tally.errors[STAGE_CONNECT][rows[i].error] = 1;
		trial_fail(&t, STAGE_RECEIVE, ETIMEDOUT, 28);
		trial_dump(&t, 32)->states[STATE_ESTABLISHED] = 32;
		tape_event(&t.tape, (struct event){.kind = EVENT_SERVER_GONE, .t_ns = 100000000});
		trial_judge(&t);
		CU_ASSERT_EQUAL(t.verdict.causes[0].cause, rows[i].told);
		CU_ASSERT_PTR_NULL(trial_cause(&t, rows[i].untold));
		CU_ASSERT(text_has(t.verdict.causes[0].why, "host vanished after 0.1 s"));
		trial_close(&t);
	}
}

/* Connects without an answer fill a gateway as well: that nobody answers is told first. */
static void a_gateway_full_of_connects_that_nobody_answers_is_told_second(void)
{
	static const struct {
		uint64_t opened;
		bool first;
	} rows[] = {{0, true}, {11, true}, {14, true}, {15, false}, {16, false}, {60, false}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *snat;
		struct trial t;

		trial_open(&t, "network: {topology: nat, nat: {ports: 2000-2015}}\n"
			       "load: {rate: 50/s, total: 60, end: leak, timeout: 500ms}");
		t.tape.tally.attempted = t.tape.tally.opened = rows[i].opened;
		trial_fail(&t, STAGE_CONNECT, ETIMEDOUT, 40);
		trial_dump(&t, 0)->parts |= SAMPLE_GATEWAY;
		trial_dump(&t, 27)->parts |= SAMPLE_GATEWAY;
		t.tape.samples[1].gateway = (struct tracked){16, 26, 26, 0, 0};
		trial_judge(&t);
		snat = trial_cause(&t, CAUSE_LINUX_SNAT);
		CU_ASSERT_PTR_NOT_NULL_FATAL(snat);
		CU_ASSERT_EQUAL(t.verdict.causes[0].cause,
				rows[i].first ? CAUSE_TIMED_OUT : CAUSE_LINUX_SNAT);
		CU_ASSERT_EQUAL(text_has(snat->attempt.list[0], "keep-alive"), !rows[i].first);
		trial_close(&t);
	}
}

/* Of UDP a few are refused, and those did not wait. */
static void requests_that_were_refused_did_not_wait(void)
{
	static const struct {
		uint64_t waited, refused;
		const char *why;
	} rows[] = {
		{26, 6,
		 "26 requests had no answer within 0.5 s (load.timeout), and 6 were refused "
		 "(ECONNREFUSED): each"},
		{26, 0, "26 requests had no answer within 0.5 s (load.timeout): each"},
		{0, 6, "and 6 requests were refused (ECONNREFUSED): each"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;

		trial_open(&t, SMALL "load: {protocol: udp, rate: 50/s, request: {send: 8B, "
				     "receive: 8B}, timeout: 500ms}");
		trial_exhaust(&t, 32);
		t.tape.tally.errors[STAGE_RECEIVE][ETIMEDOUT] = rows[i].waited;
		t.tape.tally.errors[STAGE_RECEIVE][ECONNREFUSED] = rows[i].refused;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_REQUEST_FAILED);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(text_has(f->why, rows[i].why));
		CU_ASSERT_EQUAL(text_has(f->why, "so that most wait in vain"),
				rows[i].waited && rows[i].refused);
		trial_close(&t);
	}
}

/* What a gateway drops, for its table is full, is told by that alone. */
static void requests_that_a_gateway_drops_are_told_by_that(void)
{
	for (uint64_t full = 0; full < 2; full++) {
		struct trial t;

		trial_open(&t, "network: {ports: 40000-40031, topology: nat, nat: {limit: 10}}\n"
			       "load: {protocol: udp, rate: 50/s, request: {send: 8B, "
			       "receive: 8B}, timeout: 500ms}");
		trial_exhaust(&t, 32);
		t.tape.tally.errors[STAGE_RECEIVE][ETIMEDOUT] = 22;
		trial_dump(&t, 0)->parts |= SAMPLE_GATEWAY;
		trial_dump(&t, 32)->parts |= SAMPLE_GATEWAY;
		t.tape.samples[1].gateway = (struct tracked){full ? 10 : 9, 0, 0, 0, 0};
		trial_judge(&t);
		CU_ASSERT_EQUAL(trial_cause(&t, CAUSE_REQUEST_FAILED) == NULL, full);
		CU_ASSERT_EQUAL(trial_cause(&t, CAUSE_CONNTRACK_FULL) != NULL, full);
		trial_close(&t);
	}
}

/* Beside a want of ports, what the far end ended of most requests; what was only waited for is told as that. */
static void requests_that_the_far_end_ends_are_told_beside_the_ports(void)
{
	static const struct {
		const char *request;
		uint64_t ended, done;
		const char *says; /* NULL: nothing */
	} rows[] = {
		{"request: {send: 8B, receive: 8B}", 20, 20,
		 "Not all of it is a want of ports: some connections had a port, and what was sent "
		 "on it failed. recv() failed 20 times with ECONNRESET"},
		{"request: {send: 8B, receive: 8B}", 20, 21, NULL},
		{"request: {send: 8B, receive: 8B}", 0, 0, "1 request had no answer within"},
		{"end: shutdown", 20, 0, NULL}, /* nothing was sent */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		char lines[300];
		struct trial t;

		snprintf(lines, sizeof(lines), SMALL "load: {rate: 40/s, %s}", rows[i].request);
		trial_open(&t, lines);
		trial_exhaust(&t, 32);
		t.tape.tally.closed = 32;
		t.tape.tally.requests_done = rows[i].done;
		t.tape.tally.errors[STAGE_RECEIVE][ECONNRESET] = rows[i].ended;
		t.tape.tally.errors[STAGE_RECEIVE][ETIMEDOUT] = 1;
		trial_dump(&t, 32)->states[STATE_TIME_WAIT] = 32;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_REQUEST_FAILED);
		CU_ASSERT_EQUAL(f != NULL, rows[i].says != NULL);
		CU_ASSERT(!f || !rows[i].says || row_says(i, f->why, rows[i].says));
		CU_ASSERT_PTR_NOT_NULL(trial_cause(&t, CAUSE_TIME_WAIT_CHURN));
		trial_close(&t);
	}
}

/* Without a request it is the far end's FIN that was waited for: no request has failed. */
static void a_fin_that_never_comes_is_no_request(void)
{
	for (size_t out_of_ports = 0; out_of_ports < 2; out_of_ports++) {
		const struct finding *f;
		struct trial t;

		trial_open(&t, SMALL "server: {behaviour: hold}\n"
				     "load: {rate: 40/s, end: shutdown}");
		t.tape.tally.opened = 32;
		if (out_of_ports) {
			trial_exhaust(&t, 32);
			trial_dump(&t, 32)->states[STATE_FIN_WAIT2] = 32;
		}
		trial_fail(&t, STAGE_RECEIVE, ETIMEDOUT, 32);
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_REQUEST_FAILED);
		CU_ASSERT_EQUAL(f == NULL, out_of_ports);
		CU_ASSERT(!f || text_has(f->why, "the wait for the far end's FIN failed."));
		CU_ASSERT_EQUAL(t.verdict.causes[0].cause,
				out_of_ports ? CAUSE_FIN_WAIT_ORPHANS : CAUSE_REQUEST_FAILED);
		trial_close(&t);
	}
}

/* … nor has one where the far end resets what nothing was sent on. */
static void what_the_far_end_ends_is_no_request(void)
{
	const struct finding *f;
	struct trial t;

	trial_open(&t, SMALL "server: {behaviour: reset}\nload: {rate: 40/s, end: leak}");
	t.tape.tally.opened = 29;
	trial_fail(&t, STAGE_RECEIVE, ECONNRESET, 29);
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_REQUEST_FAILED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "had its port, and the far end ended it."));
	trial_close(&t);
}

/* Connects that gave up are told with those that wait still, and before what explains fewer failures; those
 * that a gateway dropped are its own. */
static void connects_that_gave_up_are_told_with_those_that_wait(void)
{
	static const struct {
		const char *network;
		uint64_t gave_up;
		enum cause first;
		bool told;
	} rows[] = {
		{SMALL, 31, CAUSE_BLACKHOLE, true},
		{SMALL, 0, CAUSE_TIME_WAIT_CHURN, false},
		{"network: {topology: nat, ports: 40000-40031, nat: {ports: 2000-2015}}\n", 31,
		 CAUSE_LINUX_SNAT, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct sample *s;
		struct trial t;
		char lines[200];

		snprintf(lines, sizeof(lines), "%sload: {rate: 40/s, timeout: 700ms}",
			 rows[i].network);
		trial_open(&t, lines);
		trial_exhaust(&t, 16);
		trial_fail(&t, STAGE_CONNECT, EADDRNOTAVAIL, 8);
		trial_fail(&t, STAGE_CONNECT, ETIMEDOUT, rows[i].gave_up);
		t.tape.tally.closed = 16;
		trial_dump(&t, 0)->parts |= SAMPLE_GATEWAY;
		s = trial_dump(&t, 32);
		s->states[STATE_TIME_WAIT] = 17;
		s->states[STATE_SYN_SENT] = 15;
		if (i == 2) {
			s->parts |= SAMPLE_GATEWAY;
			s->gateway = (struct tracked){16, 40, 40, 0, 0};
		}
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_BLACKHOLE);
		CU_ASSERT_EQUAL(t.verdict.causes[0].cause, rows[i].first);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT_EQUAL(text_has(f->why, "connect() failed 31 times with ETIMEDOUT"),
				rows[i].told);
		CU_ASSERT(text_has(f->why, "15 connects had no answer yet"));
		trial_close(&t);
	}
}

static const struct test tests[] = {
	TEST(a_gateway_full_of_connects_that_nobody_answers_is_told_second),
	TEST(an_answer_that_came_late_is_told_without_a_want_of_ports),
	TEST(sockets_of_udp_have_no_peer_that_is_gone),
	TEST(requests_without_an_answer_are_told_beside_the_ports_they_held),
	TEST(requests_that_were_refused_did_not_wait),
	TEST(requests_that_a_gateway_drops_are_told_by_that),
	TEST(requests_that_the_far_end_ends_are_told_beside_the_ports),
	TEST(a_fin_that_never_comes_is_no_request),
	TEST(what_the_far_end_ends_is_no_request),
	TEST(connects_that_gave_up_are_told_with_those_that_wait),
	TESTS_END,
};

const struct suite suite_cause_waits = {"cause: waits in vain", tests};
