/* What of the range a dump says a connection can have, and when it comes free: what is in the way of it
 * somebody has reserved, listens on, or bound. */
#include "census_help.h"

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

/* A socket of UDP that is bound alone is somebody's, unless the load's own never connect. */
static void a_bound_socket_of_udp_is_the_loads_where_that_never_connects(void)
{
	for (int unconnected = 0; unconnected < 2; unconnected++) {
		struct arena a;
		struct census c = census_of(4, &a);
		struct usage usages[USAGES_MOST];
		struct sample sample = {0};

		c.unconnected = unconnected;
		for (uint16_t port = 40000; port < 40003; port++) {
			struct socket_seen s = *seen(1, 2, port, 80, STATE_ESTABLISHED);

			s.datagrams = true;
			s.state = port == 40002 ? STATE_BOUND : STATE_ESTABLISHED;
			census_add(&c, &s);
		}
		census_tell(&c, &sample, usages, USAGES_MOST);
		CU_ASSERT_EQUAL_FATAL(sample.usage_count, 1);
		CU_ASSERT_EQUAL(usage_used(&usages[0]), unconnected ? 3 : 2);
		CU_ASSERT_EQUAL(usages[0].usable, unconnected ? 32 : 31);
		arena_close(&a);
	}
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

static const struct test tests[] = {
	TEST(reserved_ports_are_counted_as_the_kernel_prints_them),
	TEST(a_port_that_is_taken_is_counted_once),
	TEST(a_bound_socket_of_udp_is_the_loads_where_that_never_connects),
	TEST(what_bind_took_is_usable_to_its_own_alone),
	TEST(ports_outside_of_the_range_are_counted_apart),
	TEST(what_is_reused_is_free_sooner),
	TEST(what_bind_seems_to_have_taken_is_free_at_the_end),
	TEST(what_bind_took_is_guessed_by_the_parity_it_prefers),
	TESTS_END,
};

const struct suite suite_usable = {"usable", tests};
