/* The sampler's arithmetic: sockets of a dump, counted. */
#include "census_help.h"

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
	CU_ASSERT_EQUAL(c.datagrams.states[STATE_ESTABLISHED], 64);
	CU_ASSERT_EQUAL(c.datagrams.used_max, 32);
	CU_ASSERT_EQUAL(c.datagrams.others_max, 1);
	census_clear(&c);
	CU_ASSERT(c.datagrams.states[STATE_ESTABLISHED] == 0 && c.datagrams.used_max == 0);
	CU_ASSERT_EQUAL(c.datagrams.others_max, 0);
	arena_close(&a);
}

/* 40 sockets in 8 ports, towards two servers: 16 have addresses and ports of their own. */
static void sockets_that_share_a_port_overshadow_each_other(void)
{
	struct arena a;
	struct census c = census_of(4, &a);
	struct tuples t;

	CU_ASSERT_FATAL(tuples_open(&t, 80, &a));
	c.tuples = &t;
	for (int round = 0; round < 2; round++) {
		for (uint16_t i = 0; i < 40; i++) {
			struct socket_seen s =
				*seen(1, 2 + i % 2, 40000 + i / 2 % 8, 80, STATE_ESTABLISHED);

			s.datagrams = true;
			census_add(&c, &s);
		}
		CU_ASSERT_EQUAL(c.overshadowed, 24);
		CU_ASSERT_EQUAL(c.used_max, 8);
		CU_ASSERT_EQUAL(c.states[STATE_ESTABLISHED], 40);
		CU_ASSERT(!t.full);
		census_clear(&c);
		CU_ASSERT_EQUAL(c.overshadowed, 0);
	}
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

/* Of a dump with more sockets than find room it is not known who holds them; of the next it is. */
static void sockets_that_find_no_room_are_told_of_their_dump(void)
{
	struct arena a;
	struct census c = census_of(4, &a);

	CU_ASSERT_FATAL(census_open_ports(&c, 1, &a));
	for (uint32_t i = 0; i <= c.held_room; i++) {
		CU_ASSERT(!c.held_lost);
		census_add(&c, seen(1, 2, (uint16_t)(20000 + i), 80, STATE_ESTABLISHED));
	}
	CU_ASSERT(c.held_lost && c.held_count == c.held_room);
	census_clear(&c);
	CU_ASSERT(!c.held_lost && c.held_count == 0);
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

/* Of sockets that come when the table is as good as full, some find no room near their place, and pass for
 * a connection's; those that did are known. */
static void a_full_table_of_binders_is_not_walked_whole(void)
{
	enum { ROWS = 4096 };
	uint32_t known = 0;
	struct arena a;
	struct binders b;

	CU_ASSERT_FATAL(arena_open(&a, 1 << 20) && binders_open(&b, ROWS / 2, &a));
	CU_ASSERT_EQUAL_FATAL(b.mask + 1, ROWS);
	for (uint16_t i = 0; i < ROWS; i++)
		binders_add(&b, address_ipv4(1), 20000 + i, 1 + i);
	for (uint16_t i = 0; i < ROWS; i++) {
		struct socket_seen s = *seen(1, 2, 20000 + i, 80, STATE_ESTABLISHED);

		s.cookie = 1 + i;
		known += binders_have(&b, &s);
		CU_ASSERT(i >= ROWS / 2 || binders_have(&b, &s)); /* as many as it is for */
	}
	CU_ASSERT(known < ROWS);
	arena_close(&a);
}

/* Connect takes the parity of the low end first; TIME_WAIT ends one after the other. */
static void a_destination_is_told_by_state_half_and_age(void)
{
	struct arena a;
	struct census c = census_of(4, &a);
	struct usage usages[USAGES_MOST];
	struct sample sample = {0};

	c.range = (struct port_range){40001, 40032};
	for (uint16_t i = 0; i < 20; i++) {
		struct socket_seen s = *seen(1, 2, i < 16 ? 40001 + 2 * i : 39970 + 2 * i, 80,
					     i < 12 ? STATE_TIME_WAIT : STATE_ESTABLISHED);

		s.gone_ns = i < 12 ? 1000 + i : -1;
		census_add(&c, &s);
	}
	census_tell(&c, &sample, usages, USAGES_MOST);
	CU_ASSERT_EQUAL_FATAL(sample.usage_count, 1);
	CU_ASSERT(usages[0].states[STATE_TIME_WAIT] == 12 &&
		  usages[0].states[STATE_ESTABLISHED] == 8);
	CU_ASSERT_EQUAL(usages[0].lower, 16);
	CU_ASSERT(usages[0].next_free_ns == 1000 && usages[0].all_free_ns == 1011);
	CU_ASSERT(usage_used(&usages[0]) == 20 && usage_free(&usages[0]) == 12);
	arena_close(&a);
}

static void the_fullest_destinations_are_told_and_the_rest_added_up(void)
{
	struct arena a;
	struct census c = census_of(64, &a);
	struct usage usages[USAGES_MOST];
	struct sample sample = {0};

	for (uint32_t to = 1; to <= 12; to++)
		for (uint16_t i = 0; i < to; i++)
			census_add(&c, seen(1, to, 40000 + i, 80, STATE_ESTABLISHED));
	census_add(&c, seen(1, 5, 40000, 79, STATE_ESTABLISHED));
	census_tell(&c, &sample, usages, USAGES_MOST);
	CU_ASSERT_EQUAL(sample.usage_count, USAGES_MOST);
	for (uint32_t i = 0; i < USAGES_MOST; i++)
		CU_ASSERT(usage_used(&usages[i]) == 12 - i &&
			  address_eq(usages[i].remote, address_ipv4(12 - i)));
	CU_ASSERT_EQUAL(sample.more_count, 13 - USAGES_MOST);
	CU_ASSERT_EQUAL(sample.more_used, 1 + 2 + 3 + 4 + 1);
	arena_close(&a);
}

static const struct test tests[] = {
	TEST(sockets_are_counted_by_state_and_pair),
	TEST(datagrams_are_counted_by_source),
	TEST(sockets_that_share_a_port_overshadow_each_other),
	TEST(bound_ports_are_counted_by_source),
	TEST(more_pairs_than_fit_are_told),
	TEST(sockets_that_find_no_room_are_told_of_their_dump),
	TEST(an_unknown_state_is_not_lost),
	TEST(a_full_table_of_binders_is_not_walked_whole),
	TEST(a_destination_is_told_by_state_half_and_age),
	TEST(the_fullest_destinations_are_told_and_the_rest_added_up),
	TEST(rest_is_when_nothing_is_between_two_states),
	TESTS_END,
};

const struct suite suite_census = {"census", tests};
