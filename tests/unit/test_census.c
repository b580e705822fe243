/* The sampler's arithmetic: sockets of a dump, counted. */
#include <string.h>

#include "runner.h"
#include "sense/census.h"

static const struct socket_seen *seen(uint32_t local, uint32_t remote, uint16_t port,
				      uint16_t remote_port, uint8_t state)
{
	static struct socket_seen s;

	s = (struct socket_seen){
		address_ipv4(local), address_ipv4(remote), port, remote_port, state, false};
	return &s;
}

static struct census census_of(uint32_t pairs, struct arena *a)
{
	struct census c;

	if (!arena_open(a, 8 << 20))
		CU_FAIL_FATAL("no memory");
	CU_ASSERT_FATAL(census_open(&c, pairs, a));
	return c;
}

static void sockets_are_counted_by_state_and_pair(void)
{
	struct arena a;
	struct census c = census_of(4, &a);

	for (uint16_t port = 40000; port < 40032; port++) {
		census_add(&c, seen(1, 2, port, 80, STATE_ESTABLISHED));
		if (port % 2)
			census_add(&c, seen(1, 2, port, 81, STATE_TIME_WAIT));
	}
	census_add(&c, seen(9, 2, 40000, 80, STATE_ESTABLISHED));
	CU_ASSERT_EQUAL(c.states[STATE_ESTABLISHED], 33);
	CU_ASSERT_EQUAL(c.states[STATE_TIME_WAIT], 16);
	CU_ASSERT_EQUAL(c.used_max, 32);
	CU_ASSERT_EQUAL(c.taken, 3);
	census_clear(&c);
	CU_ASSERT(c.used_max == 0 && c.states[STATE_ESTABLISHED] == 0 && c.taken == 0);
	census_add(&c, seen(1, 2, 40000, 80, STATE_SYN_SENT));
	CU_ASSERT_EQUAL(c.used_max, 1);
	arena_close(&a);
}

/* A port of UDP is one towards everybody, and none of TCP. */
static void datagrams_are_counted_by_source(void)
{
	struct arena a;
	struct census c = census_of(4, &a);

	for (uint16_t port = 40000; port < 40032; port++) {
		struct socket_seen s = *seen(1, port, port, 80, STATE_ESTABLISHED);

		census_add(&c, &s);
		s.datagrams = true;
		census_add(&c, &s);
		s.local = address_ipv4(2 + port % 2);
		census_add(&c, &s);
	}
	CU_ASSERT_EQUAL(c.states[STATE_ESTABLISHED], 96);
	CU_ASSERT_EQUAL(c.used_max, 32);
	CU_ASSERT_EQUAL(c.taken, 32 + 3);
	arena_close(&a);
}

/* What bind() took is in use towards all destinations, whichever it is connected to. */
static void bound_ports_are_counted_by_source(void)
{
	struct arena a;
	struct census c = census_of(4, &a);

	c.together = true;
	for (uint16_t port = 40000; port < 40032; port++)
		census_add(&c, seen(1, 2 + port % 3, port, 80, STATE_TIME_WAIT));
	census_add(&c, seen(9, 2, 40000, 80, STATE_ESTABLISHED));
	CU_ASSERT_EQUAL(c.states[STATE_TIME_WAIT], 32);
	CU_ASSERT_EQUAL(c.used_max, 32);
	CU_ASSERT_EQUAL(c.taken, 2);
	census_clear(&c);
	CU_ASSERT(c.together);
	arena_close(&a);
}

static void more_pairs_than_fit_are_told(void)
{
	struct arena a;
	struct census c = census_of(4, &a);

	for (uint32_t remote = 0; remote < 1000; remote++)
		census_add(&c, seen(1, remote, 40000, 80, STATE_ESTABLISHED));
	CU_ASSERT(c.full);
	CU_ASSERT_EQUAL(c.states[STATE_ESTABLISHED], 1000); /* the states are right all the same */
	arena_close(&a);
	c = census_of(1000, &a);
	for (uint32_t remote = 0; remote < 1000; remote++)
		census_add(&c, seen(1, remote, 40000, 80, STATE_ESTABLISHED));
	CU_ASSERT(!c.full && c.taken == 1000);
	arena_close(&a);
}

static void an_unknown_state_is_not_lost(void)
{
	struct arena a;
	struct census c = census_of(4, &a);

	census_add(&c, seen(1, 2, 40000, 80, 200));
	CU_ASSERT_EQUAL(c.states[STATE_CLOSE], 1);
	arena_close(&a);
}

static void rest_is_when_nothing_is_between_two_states(void)
{
	static const struct {
		uint8_t state;
		bool rests, rests_if_half_closed;
	} cases[] = {
		{STATE_ESTABLISHED, true, true}, {STATE_TIME_WAIT, true, true},
		{STATE_CLOSE_WAIT, true, true},	 {STATE_SYN_SENT, false, false},
		{STATE_FIN_WAIT1, false, false}, {STATE_FIN_WAIT2, false, true},
		{STATE_CLOSING, false, false},	 {STATE_LAST_ACK, false, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena a;
		struct census c = census_of(4, &a);

		census_add(&c, seen(1, 2, 40000, 80, cases[i].state));
		CU_ASSERT_EQUAL(census_at_rest(&c, false), cases[i].rests);
		CU_ASSERT_EQUAL(census_at_rest(&c, true), cases[i].rests_if_half_closed);
		arena_close(&a);
	}
}

static const struct test tests[] = {
	TEST(sockets_are_counted_by_state_and_pair),
	TEST(datagrams_are_counted_by_source),
	TEST(bound_ports_are_counted_by_source),
	TEST(more_pairs_than_fit_are_told),
	TEST(an_unknown_state_is_not_lost),
	TEST(rest_is_when_nothing_is_between_two_states),
	TESTS_END,
};

const struct suite suite_census = {"census", tests};
