/* The sampler's arithmetic: sockets of a dump, counted. */
#include <string.h>

#include "runner.h"
#include "sense/census.h"

static const struct socket_seen *seen(uint32_t local, uint32_t remote, uint16_t port,
				      uint16_t remote_port, uint8_t state)
{
	static struct socket_seen s;

	s = (struct socket_seen){.local = address_ipv4(local),
				 .remote = address_ipv4(remote),
				 .local_port = port,
				 .remote_port = remote_port,
				 .state = state,
				 .gone_ns = -1};
	return &s;
}

static struct census census_of(uint32_t pairs, struct arena *a)
{
	struct census c;

	if (!arena_open(a, 8 << 20))
		CU_FAIL_FATAL("no memory");
	CU_ASSERT_FATAL(census_open(&c, pairs, a));
	c.range = (struct port_range){40000, 40031};
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

static void reserved_ports_are_counted_as_the_kernel_prints_them(void)
{
	static const struct {
		const char *list;
		uint32_t n;
	} cases[] = {
		{"", 0},	 {"40000", 1},	     {"40000-40003", 4}, {"40000-40003,40010", 5},
		{"1-65535", 32}, {"50000-50010", 0}, {"39990-40001", 2}, {"40030-40040,40000", 3},
		{"40000-", 0},	 {"rubbish", 0},     {"40000,x", 1},	 {"999999", 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct portset set = {0};

		portset_read(&set, text_of(cases[i].list));
		CU_ASSERT_EQUAL(portset_count(&set, (struct port_range){40000, 40031}), cases[i].n);
	}
}

/* Two are reserved, of which one is bound too; three are listened on, of which one is bound by
 * another address; and one that is bound is outside the range. */
static void a_port_that_is_taken_is_counted_once(void)
{
	struct arena a;
	struct census c = census_of(4, &a);
	struct usage usages[USAGES_MOST];
	struct sample sample = {0};
	struct socket_seen s;

	portset_read(&c.reserved, TEXT("40000-40001"));
	for (uint16_t port = 40002; port < 40005; port++)
		census_add(&c, seen(1, 0, port, 0, STATE_LISTEN));
	census_add(&c, seen(1, 0, 40001, 0, STATE_BOUND));
	census_add(&c, seen(1, 0, 40002, 0, STATE_BOUND));
	census_add(&c, seen(1, 0, 40010, 0, STATE_BOUND));
	census_add(&c, seen(1, 0, 50000, 0, STATE_BOUND));
	census_add(&c, seen(1, 2, 40005, 80, STATE_ESTABLISHED));
	census_add(&c, seen(1, 2, 40002, 4711, STATE_ESTABLISHED)); /* accepted */
	s = *seen(3, 2, 40006, 80, STATE_ESTABLISHED);
	s.datagrams = true;
	census_add(&c, &s);
	census_tell(&c, &sample, usages, USAGES_MOST);
	CU_ASSERT(sample.reserved == 2 && sample.listening == 3 && sample.bound == 1);
	CU_ASSERT(sample.states[STATE_BOUND] == 4 && sample.states[STATE_ESTABLISHED] == 3);
	CU_ASSERT(sample.states[STATE_LISTEN] == 0 && sample.used_max == 1);
	CU_ASSERT_EQUAL_FATAL(sample.usage_count, 2);
	CU_ASSERT(usages[1].datagrams && usages[1].usable == 30 && usages[1].remote_port == 0);
	CU_ASSERT(usages[0].remote_port == 80 && usages[0].usable == 26);
	CU_ASSERT_EQUAL(usage_free(&usages[0]), 25);
	arena_close(&a);
}

/* 10 ports that bind() took towards one destination are none of the other's, whatever address or family
 * its sockets have; a reserved one is not missed twice, and one that went back to connect() not at all. */
static void what_bind_took_is_usable_to_its_own_alone(void)
{
	struct arena a;
	struct census c = census_of(4, &a);
	struct usage usages[USAGES_MOST];
	struct sample sample = {0};
	struct binders b;

	CU_ASSERT_FATAL(binders_open(&b, 32, &a) && census_open_ports(&c, 64, &a));
	c.binders = &b;
	portset_read(&c.reserved, TEXT("40009"));
	for (uint16_t i = 0; i < 12; i++) {
		struct socket_seen s = *seen(1, 2, 40000 + i, 80, STATE_TIME_WAIT);

		s.cookie = 7 + i;
		binders_add(&b, i % 2 ? s.local : address_ipv4(0), s.local_port,
			    i < 10 ? s.cookie : 99);
		census_add(&c, &s);
	}
	for (uint16_t i = 12; i < 20; i++)
		census_add(&c, seen(9, 2, 40000 + i, 81, STATE_ESTABLISHED));
	census_tell(&c, &sample, usages, USAGES_MOST);
	CU_ASSERT_EQUAL_FATAL(sample.usage_count, 2);
	CU_ASSERT(usages[0].remote_port == 80 && usages[0].usable == 31);
	CU_ASSERT(usages[0].elsewhere == 0 && usages[1].elsewhere == 9);
	CU_ASSERT(usages[1].usable == 22 && usage_free(&usages[1]) == 14);
	CU_ASSERT(!usages[1].guessed);
	CU_ASSERT_DOUBLE_EQUAL(usage_fill(&usages[1], 32), 8 / 23., 1e-9);
	CU_ASSERT_EQUAL(usage_fill(&usages[1], 9), 1);
	arena_close(&a);
}

/* A load has named 45000 and 39999: they are no use of the range, in TIME_WAIT no port that will come free in
 * it, and where bind() took them nobody's that connect() passes by. A destination with such ones alone is one,
 * too. */
static void ports_outside_of_the_range_are_counted_apart(void)
{
	static const uint16_t outside[] = {45000, 39999};
	struct arena a;
	struct census c = census_of(4, &a);
	struct usage usages[USAGES_MOST];
	struct sample sample = {0};
	struct binders b;

	CU_ASSERT_FATAL(binders_open(&b, 32, &a) && census_open_ports(&c, 64, &a));
	c.binders = &b;
	for (uint16_t i = 0; i < 2; i++) {
		struct socket_seen s = *seen(1, 2 + i, outside[i], 80, STATE_TIME_WAIT);

		s.cookie = 1 + i;
		s.gone_ns = 1000;
		binders_add(&b, s.local, s.local_port, s.cookie);
		census_add(&c, &s);
	}
	for (uint16_t port = 40000; port < 40005; port++)
		census_add(&c, seen(1, 2, port, 80, STATE_ESTABLISHED));
	census_tell(&c, &sample, usages, USAGES_MOST);
	CU_ASSERT_EQUAL_FATAL(sample.usage_count, 2);
	CU_ASSERT(sample.used_max == 5 && sample.states[STATE_TIME_WAIT] == 2);
	CU_ASSERT(usage_used(&usages[0]) == 5 && usage_sockets(&usages[0]) == 6);
	CU_ASSERT(usages[0].outside == 1 && usages[0].lower == 3 && usages[0].usable == 32);
	CU_ASSERT(usage_free(&usages[0]) == 27 && usages[0].all_free_ns == -1);
	CU_ASSERT(usages[1].outside == 1 && usage_used(&usages[1]) == 0);
	CU_ASSERT(usages[1].elsewhere == 0 && usage_free(&usages[1]) == 32);
	CU_ASSERT(sample.more_count == 0 && sample.more_used == 0);
	census_clear(&c);
	CU_ASSERT(c.taken == 0);
	arena_close(&a);
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

/* When connect() may have a port again: at the end of TIME_WAIT, or after the delay of tcp_tw_reuse; what
 * bind() took, at its end. */
static void what_is_reused_is_free_sooner(void)
{
	static const struct {
		int64_t tw_reuse, gone_ms, early_ms, free_ms;
		uint32_t from; /* 127.0.0.1 or another */
		bool stamps, bound;
	} rows[] = {
		{0, 59400, 0, 59400, 1, true, false},
		{1, 59400, 0, 400, 1, true, false},
		{1, 58000, 0, 0, 1, true, false},
		{1, 59400, 0, 59400, 1, false, false}, /* without timestamps nothing is */
		{1, 59400, 0, 59400, 1, true, true},
		{2, 59400, 0, 59400, 1, true, false},
		{2, 59400, 0, 400, 0x7f000001, true, false},
		{0, 59400, 50000, 9400, 1, true, false},
		{1, 59400, 50000, 400, 1, true, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct waits waits = waits_of(rows[i].tw_reuse, -1, rows[i].stamps);
		struct socket_seen s = *seen(rows[i].from, 2, 40000, 80, STATE_TIME_WAIT);
		struct arena a;
		struct census c = census_of(4, &a);
		struct usage usages[USAGES_MOST];
		struct sample sample = {0};

		s.gone_ns = rows[i].gone_ms * 1000000;
		c.waits = &waits;
		c.together = rows[i].bound;
		c.early_ns = rows[i].early_ms * 1000000;
		census_add(&c, &s);
		census_tell(&c, &sample, usages, USAGES_MOST);
		CU_ASSERT_EQUAL(usages[0].next_free_ns, rows[i].free_ms * 1000000);
		CU_ASSERT_EQUAL(usages[0].all_free_ns, rows[i].free_ms * 1000000);
		arena_close(&a);
	}
}

/* Of what is guessed the same is told: here the odd ports, not the even ones. */
static void what_bind_seems_to_have_taken_is_free_at_the_end(void)
{
	for (uint16_t odd = 0; odd < 2; odd++) {
		struct waits waits = waits_of(1, -1, true);
		struct arena a;
		struct census c = census_of(4, &a);
		struct usage usages[USAGES_MOST];
		struct sample sample = {0};

		CU_ASSERT_FATAL(census_open_held(&c, 128, &a));
		c.guesses = true;
		c.waits = &waits;
		for (uint16_t i = 0; i < 3; i++) {
			struct socket_seen s = *seen(1, 2, 40000 + odd + 2 * i, 80,
						     i ? STATE_TIME_WAIT : STATE_ESTABLISHED);

			s.gone_ns = i ? 59400 * INT64_C(1000000) : -1;
			census_add(&c, &s);
		}
		for (int look = 0; look < 2; look++)
			census_tell(&c, &sample, usages, USAGES_MOST);
		CU_ASSERT_EQUAL(usages[0].next_free_ns, (odd ? 59400 : 400) * INT64_C(1000000));
		CU_ASSERT_EQUAL(usages[0].all_free_ns, (odd ? 59400 : 400) * INT64_C(1000000));
		arena_close(&a);
	}
}

/* Nobody tells: towards a destination with ports of both parities while there are more of the first. */
static void what_bind_took_is_guessed_by_the_parity_it_prefers(void)
{
	static const struct {
		uint16_t first, step, count; /* ports of a destination */
		uint16_t shared;	     /* of them, those that another has too */
		uint32_t elsewhere;	     /* to that one */
	} rows[] = {
		{40001, 2, 8, 0, 8},   /* odd alone */
		{40000, 2, 8, 0, 0},   /* even alone: as connect() has them */
		{40000, 1, 20, 0, 10}, /* both, and even ones are left: the odd ones */
		{40001, 1, 31, 0,
		 30}, /* no odd one is left: even ones, too; but for one that is shared */
		{40000, 1, 20, 20, 0}, /* but another destination has them, too */
		{40000, 1, 32, 0, 0},  /* no even one is left */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a;
		struct census c = census_of(4, &a);
		struct usage usages[USAGES_MOST];
		struct sample sample = {0};

		CU_ASSERT_FATAL(census_open_ports(&c, 128, &a));
		c.guesses = true;
		for (uint16_t k = 0; k < rows[i].count; k++)
			census_add(&c, seen(1, 2, rows[i].first + k * rows[i].step, 80,
					    STATE_ESTABLISHED));
		for (uint16_t k = 0; k < rows[i].shared; k++)
			census_add(&c, seen(1, 3, 40000 + k, 80, STATE_ESTABLISHED));
		census_add(&c, seen(1, 4, 40030, 80, STATE_ESTABLISHED));
		census_tell(&c, &sample, usages, USAGES_MOST);
		for (uint32_t k = 0; k < sample.usage_count; k++)
			if (usages[k].remote.low == address_ipv4(4).low) {
				CU_ASSERT_EQUAL(usages[k].elsewhere, rows[i].elsewhere);
				CU_ASSERT_EQUAL(usages[k].guessed, rows[i].elsewhere > 0);
			}
		arena_close(&a);
	}
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
	TEST(reserved_ports_are_counted_as_the_kernel_prints_them),
	TEST(a_port_that_is_taken_is_counted_once),
	TEST(what_bind_took_is_usable_to_its_own_alone),
	TEST(ports_outside_of_the_range_are_counted_apart),
	TEST(a_full_table_of_binders_is_not_walked_whole),
	TEST(what_is_reused_is_free_sooner),
	TEST(what_bind_seems_to_have_taken_is_free_at_the_end),
	TEST(what_bind_took_is_guessed_by_the_parity_it_prefers),
	TEST(a_destination_is_told_by_state_half_and_age),
	TEST(the_fullest_destinations_are_told_and_the_rest_added_up),
	TEST(rest_is_when_nothing_is_between_two_states),
	TESTS_END,
};

const struct suite suite_census = {"census", tests};
