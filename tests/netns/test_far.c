/* The far end on the real kernel, with a client made by hand: what it answers, and in which
 * states it leaves the sockets of both ends. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "far_help.h"
#include "suites.h"
#include "sys/clock.h"

/* ---- requests ------------------------------------------------------------ */

static void a_request_is_answered_with_as_much_as_it_asks_for(void)
{
	static const struct wire_head heads[] = {
		{8, 1, false},	    {8, 0, false},     {100, 1000, false},	{9, 9, true},
		{200000, 5, false}, {8, 70000, false}, {100000, 100000, false},
	};
	struct stage_of_far f = {.asks = true};
	int fd;

	far_stage_open(&f, SMALL "server: {behaviour: answer}");
	fd = client(&f);
	CU_ASSERT_FATAL(fd >= 0);
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		ask(fd, heads[i]);
		CU_ASSERT_EQUAL(take(fd, heads[i].receive_bytes), heads[i].receive_bytes);
		CU_ASSERT(is_quiet(fd));
	}
	far_stage_close(&f);
}

/* The second stands behind the first in the stream; a head may come in two pieces. */
static void requests_sent_at_once_are_answered_one_by_one(void)
{
	struct stage_of_far f = {.asks = true};
	unsigned char two[16];
	int fd;

	far_stage_open(&f, SMALL "server: {behaviour: answer}");
	fd = client(&f);
	CU_ASSERT_FATAL(fd >= 0);
	wire_write(two, (struct wire_head){8, 3, true});
	wire_write(two + 8, (struct wire_head){8, 4, false});
	CU_ASSERT_EQUAL(send(fd, two, 5, MSG_NOSIGNAL), 5);
	CU_ASSERT(is_quiet(fd));
	CU_ASSERT_EQUAL(send(fd, two + 5, 11, MSG_NOSIGNAL), 11);
	CU_ASSERT_EQUAL(take(fd, 7), 7);
	far_stage_close(&f);
}

/* 64 MB are more than the buffers of both ends take. */
static void a_client_that_does_not_read_stalls_no_other(void)
{
	const uint32_t large = 64 << 20;
	struct stage_of_far f = {.asks = true};

	far_stage_open(&f, SMALL "server: {behaviour: answer}");
	clients(&f, 4);
	ask(f.fds[0], (struct wire_head){8, large, false});
	for (int i = 1; i < 4; i++) {
		ask(f.fds[i], (struct wire_head){8, 100, false});
		CU_ASSERT_EQUAL(take(f.fds[i], 100), 100);
	}
	CU_ASSERT_EQUAL(take(f.fds[0], large), large);
	far_stage_close(&f);
}

static void an_answer_comes_no_sooner_than_the_delay(void)
{
	struct stage_of_far f = {.asks = true};
	int64_t begin_ns;

	far_stage_open(&f, SMALL "server: {behaviour: answer, delay: 50ms}");
	clients(&f, 3);
	begin_ns = clock_now();
	for (int i = 0; i < 3; i++)
		ask(f.fds[i], (struct wire_head){8, 10, false});
	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(take(f.fds[i], 10), 10);
	CU_ASSERT(clock_now() - begin_ns >= 50 * MILLISECOND);
	far_stage_close(&f);
}

static void a_server_that_closes_first_answers_before(void)
{
	struct stage_of_far f = {.asks = true};

	far_stage_open(&f, SMALL "server: {behaviour: close}");
	clients(&f, 1);
	ask(f.fds[0], (struct wire_head){8, 10, true});
	CU_ASSERT_EQUAL(take(f.fds[0], 10), 10);
	CU_ASSERT_EQUAL(far_sockets(&f, LAB_CLIENT, STATE_ESTABLISHED), 1);
	ask(f.fds[0], (struct wire_head){8, 10, false}); /* no other follows */
	CU_ASSERT_EQUAL(take(f.fds[0], 1000), 10);
	CU_ASSERT(come_to(&f, LAB_CLIENT, STATE_CLOSE_WAIT, 1));
	CU_ASSERT(come_to(&f, LAB_SERVER, STATE_FIN_WAIT2, 1));
	clients_close(&f);
	CU_ASSERT(come_to(&f, LAB_SERVER, STATE_TIME_WAIT, 1));
	CU_ASSERT_EQUAL(far_sockets(&f, LAB_CLIENT, STATE_TIME_WAIT), 0);
	far_stage_close(&f);
}

/* ---- behaviours ---------------------------------------------------------- */

/* Before and after the client closes: the states of its sockets, and of the far end's. 0: it has
 * none. */
static void each_behaviour_leaves_both_ends_in_their_states(void)
{
	static const struct {
		const char *lines;
		int client, server, client_closed, server_closed;
	} cases[] = {
		{"answer", STATE_ESTABLISHED, STATE_ESTABLISHED, STATE_TIME_WAIT, 0},
		{"hold", STATE_ESTABLISHED, STATE_ESTABLISHED, STATE_FIN_WAIT2, STATE_CLOSE_WAIT},
		{"ignore", STATE_ESTABLISHED, STATE_ESTABLISHED, STATE_FIN_WAIT2, STATE_CLOSE_WAIT},
		{"never-accept", STATE_ESTABLISHED, STATE_ESTABLISHED, STATE_FIN_WAIT2,
		 STATE_CLOSE_WAIT},
		{"close", STATE_CLOSE_WAIT, STATE_FIN_WAIT2, 0, STATE_TIME_WAIT},
		{"accept-close", STATE_CLOSE_WAIT, STATE_FIN_WAIT2, 0, STATE_TIME_WAIT},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stage_of_far f = {0};
		char lines[200];

		snprintf(lines, sizeof(lines), SMALL "server: {behaviour: %s}", cases[i].lines);
		far_stage_open(&f, lines);
		clients(&f, CLIENTS);
		CU_ASSERT(come_to(&f, LAB_CLIENT, cases[i].client, CLIENTS));
		CU_ASSERT(come_to(&f, LAB_SERVER, cases[i].server, CLIENTS));
		clients_close(&f);
		CU_ASSERT(come_to(&f, LAB_CLIENT, cases[i].client_closed,
				  cases[i].client_closed ? CLIENTS : 0));
		CU_ASSERT(come_to(&f, LAB_SERVER, cases[i].server_closed,
				  cases[i].server_closed ? CLIENTS : 0));
		far_stage_close(&f);
	}
}

/* What a client sent to one that reads nothing stays there; one that closes without reading
 * answers it with a RST. */
static void a_request_to_a_server_that_does_not_read_is_lost(void)
{
	static const struct {
		const char *behaviour;
		enum lab_role role;
		int state;
		unsigned n;
	} cases[] = {
		{"ignore", LAB_SERVER, STATE_ESTABLISHED, CLIENTS},
		{"never-accept", LAB_SERVER, STATE_ESTABLISHED, CLIENTS},
		{"accept-close", LAB_CLIENT, STATE_CLOSE_WAIT, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stage_of_far f = {.asks = true};
		char lines[200];

		snprintf(lines, sizeof(lines), SMALL "server: {behaviour: %s}", cases[i].behaviour);
		far_stage_open(&f, lines);
		clients(&f, CLIENTS);
		for (int k = 0; k < CLIENTS; k++)
			ask(f.fds[k], (struct wire_head){8, 10, false});
		CU_ASSERT(come_to(&f, cases[i].role, cases[i].state, cases[i].n));
		far_stage_close(&f);
	}
}

static void a_server_that_resets_frees_the_port(void)
{
	struct stage_of_far f = {0};

	far_stage_open(&f, SMALL "server: {behaviour: reset}");
	for (int i = 0; i < 100; i++) { /* three times the range */
		int fd = client(&f);

		CU_ASSERT(fd >= 0 || fd == -ECONNRESET);
		if (fd >= 0) {
			CU_ASSERT_EQUAL(take(fd, 1), 0);
			close(f.fds[--f.opened]);
		}
	}
	CU_ASSERT_EQUAL(far_sockets(&f, LAB_CLIENT, STATE_TIME_WAIT), 0);
	CU_ASSERT(counter(&f, LAB_SERVER, "OutRsts") >= 100);
	far_stage_close(&f);
}

static void a_port_where_nothing_listens_refuses(void)
{
	struct stage_of_far f = {0};

	far_stage_open(&f, SMALL "server: {behaviour: refuse}");
	for (int i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(client(&f), -ECONNREFUSED);
	CU_ASSERT_EQUAL(far_sockets(&f, LAB_CLIENT, STATE_TIME_WAIT), 0);
	CU_ASSERT_EQUAL(counter(&f, LAB_SERVER, "OutRsts"), 100);
	far_stage_close(&f);
}

/* Neither a RST nor an ICMP message comes, which would end the connect. */
static void a_syn_that_vanishes_is_answered_by_nobody(void)
{
	static const char *const families[] = {"ipv4", "ipv6", "mapped"};

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		struct stage_of_far f = {0};
		char lines[200];

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031, family: %s}\nserver: {behaviour: drop}",
			 families[i]);
		far_stage_open(&f, lines);
		clients_try(&f, CLIENTS);
		clock_sleep(50 * MILLISECOND);
		CU_ASSERT_EQUAL(far_sockets(&f, LAB_CLIENT, STATE_SYN_SENT), CLIENTS);
		CU_ASSERT_EQUAL(counter(&f, LAB_SERVER, "InSegs"), 0);
		CU_ASSERT_EQUAL(counter(&f, LAB_SERVER, "OutRsts"), 0);
		CU_ASSERT_EQUAL(counter(&f, LAB_CLIENT, "InSegs"), 0);
		far_stage_close(&f);
	}
}

/* ---- the backlog --------------------------------------------------------- */

/* The kernel's queue takes one more than listen() was told (sk_acceptq_is_full(),
 * include/net/sock.h). */
static void a_backlog_of_n_takes_one_more_and_drops_the_rest(void)
{
	struct stage_of_far f = {0};

	far_stage_open(&f, SMALL "server: {behaviour: never-accept, backlog: 4}");
	clients_try(&f, 5);
	CU_ASSERT(come_to(&f, LAB_SERVER, STATE_ESTABLISHED, 5));
	CU_ASSERT_EQUAL(counter(&f, LAB_SERVER, "ListenOverflows"), 0);
	clients_try(&f, 10);
	CU_ASSERT(come_to(&f, LAB_CLIENT, STATE_SYN_SENT, 10));
	CU_ASSERT_EQUAL(far_sockets(&f, LAB_CLIENT, STATE_ESTABLISHED), 5);
	CU_ASSERT(counter(&f, LAB_SERVER, "ListenOverflows") >= 10);
	CU_ASSERT(counter(&f, LAB_SERVER, "ListenDrops") >= 10);
	far_stage_close(&f);
}

static void a_slow_accept_fills_the_backlog(void)
{
	struct stage_of_far f = {0};

	far_stage_open(&f, SMALL "server: {behaviour: answer, backlog: 4, accept_every: 1h}");
	clients(&f, 1); /* is accepted at once: then an hour goes by */
	CU_ASSERT(has_served(&f, 1));
	clients_try(&f, 5);
	CU_ASSERT(come_to(&f, LAB_SERVER, STATE_ESTABLISHED, 6));
	clients_try(&f, 10);
	CU_ASSERT(come_to(&f, LAB_CLIENT, STATE_SYN_SENT, 10));
	CU_ASSERT_EQUAL(far_served(f.far), 1);
	CU_ASSERT(counter(&f, LAB_SERVER, "ListenDrops") >= 10);
	far_stage_close(&f);
}

static void a_slow_accept_takes_one_at_a_time(void)
{
	struct stage_of_far f = {0};
	int64_t begin_ns;

	far_stage_open(&f, SMALL "server: {behaviour: answer, accept_every: 10ms}");
	begin_ns = clock_now();
	clients(&f, 10);
	CU_ASSERT(has_served(&f, 10));
	CU_ASSERT(clock_now() - begin_ns >= 9 * 10 * MILLISECOND);
	far_stage_close(&f);
}

/* ---- death --------------------------------------------------------------- */

/* Until a connect is refused. One that came before may have been reset in the backlog. */
static bool died(struct stage_of_far *f)
{
	for (int i = 0; i < PATIENCE_MS; i++) {
		int fd = client(f);

		if (fd == -ECONNREFUSED)
			return true;
		if (fd >= 0)
			close(f->fds[--f->opened]);
		clock_sleep(MILLISECOND);
	}
	return false;
}

static void a_server_that_dies_closes_what_it_had_and_refuses(void)
{
	static const struct {
		const char *behaviour;
		int state; /* of the client's sockets then; 0: they are gone by a RST */
	} cases[] = {
		{"answer", STATE_CLOSE_WAIT},
		{"hold", STATE_CLOSE_WAIT},
		{"ignore", STATE_CLOSE_WAIT},
		{"never-accept", 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stage_of_far f = {0};
		char lines[200];

		snprintf(lines, sizeof(lines), SMALL "server: {behaviour: %s, die: 1ms}",
			 cases[i].behaviour);
		far_stage_open(&f, lines);
		clients(&f, 10);
		CU_ASSERT(come_to(&f, LAB_SERVER, STATE_ESTABLISHED, 10));
		/* One in the backlog would be reset. */
		CU_ASSERT(cases[i].state == 0 || has_served(&f, 10));
		far_zero(f.far, clock_now());
		CU_ASSERT(died(&f));
		CU_ASSERT(come_to(&f, LAB_CLIENT, STATE_ESTABLISHED, 0));
		CU_ASSERT_EQUAL(far_sockets(&f, LAB_CLIENT, STATE_CLOSE_WAIT),
				cases[i].state ? 10 : 0);
		far_stage_close(&f);
	}
}

/* Descriptors that wait for something are closed as well: a request's rest, room to send. */
static void a_server_dies_in_the_middle_of_requests(void)
{
	struct stage_of_far f = {.asks = true};
	unsigned char head[WIRE_HEAD_BYTES];

	far_stage_open(&f, SMALL "server: {die: 1ms}");
	clients(&f, 3);
	wire_write(head, (struct wire_head){1000, 10, false});
	CU_ASSERT_EQUAL(send(f.fds[0], head, 4, MSG_NOSIGNAL), 4);
	CU_ASSERT_EQUAL(send(f.fds[1], head, 8, MSG_NOSIGNAL), 8);
	ask(f.fds[2], (struct wire_head){8, 64 << 20, false});
	CU_ASSERT(has_served(&f, 3));
	far_zero(f.far, clock_now());
	CU_ASSERT(died(&f));
	CU_ASSERT(take(f.fds[2], 64 << 20) < 64 << 20);
	CU_ASSERT(come_to(&f, LAB_SERVER, STATE_ESTABLISHED, 0));
	far_stage_close(&f);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, a_request_is_answered_with_as_much_as_it_asks_for),
	TEST_UNLESS(help_no_network, requests_sent_at_once_are_answered_one_by_one),
	TEST_UNLESS(help_no_network, a_client_that_does_not_read_stalls_no_other),
	TEST_UNLESS(help_no_network, an_answer_comes_no_sooner_than_the_delay),
	TEST_UNLESS(help_no_network, a_server_that_closes_first_answers_before),
	TEST_UNLESS(help_no_network, each_behaviour_leaves_both_ends_in_their_states),
	TEST_UNLESS(help_no_network, a_request_to_a_server_that_does_not_read_is_lost),
	TEST_UNLESS(help_no_network, a_server_that_resets_frees_the_port),
	TEST_UNLESS(help_no_network, a_port_where_nothing_listens_refuses),
	TEST_UNLESS(help_no_network, a_syn_that_vanishes_is_answered_by_nobody),
	TEST_UNLESS(help_no_network, a_backlog_of_n_takes_one_more_and_drops_the_rest),
	TEST_UNLESS(help_no_network, a_slow_accept_fills_the_backlog),
	TEST_UNLESS(help_no_network, a_slow_accept_takes_one_at_a_time),
	TEST_UNLESS(help_no_network, a_server_that_dies_closes_what_it_had_and_refuses),
	TEST_UNLESS(help_no_network, a_server_dies_in_the_middle_of_requests),
	TESTS_END,
};

const struct suite suite_far = {"far end", tests};
