#include "plan/budget.h"

#include "suites.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static struct port_list ports(struct port_range *list, size_t count)
{
	return (struct port_list){list, count};
}

static void a_port_carries_one_connection_to_each_destination(void)
{
	const struct port_list none = {0};
	struct budget b = budget_make((struct port_range){32768, 60999}, &none, 1);

	CU_ASSERT_EQUAL(b.usable, 28232);
	CU_ASSERT_EQUAL(b.capacity, 28232);
	CU_ASSERT_FALSE(b.may_lose_one);
	b = budget_make((struct port_range){1, 65535}, &none, 3);
	CU_ASSERT_EQUAL(b.usable, 65535);
	CU_ASSERT_EQUAL(b.capacity, 3 * 65535);
	b = budget_make((struct port_range){32768, 60999}, &none, 1U << 28);
	CU_ASSERT_EQUAL(b.capacity, UINT64_C(28232) << 28);
}

static void a_gateway_carries_its_ports_to_each_destination_or_its_limit(void)
{
	static const struct {
		struct nat nat;
		uint32_t destinations, each;
		uint64_t ports, at_once, least;
		bool apart;
	} rows[] = {
		{{.ports = {2000, 2031}, .addresses = 1}, 1, 32, 32, 32, 32, false},
		{{.ports = {2000, 2031}, .addresses = 2}, 3, 64, 192, 192, 192, true},
		{{.ports = {2000, 2127}, .addresses = 1}, 1, 128, 128, 128, 128, false},
		{{.ports = {2000, 2128}, .addresses = 1}, 1, 129, 129, 129, 64, false},
		{{.ports = {2000, 2128}, .addresses = 1, .limit = 10}, 1, 129, 129, 10, 10, false},
		{{.ports = {2000, 2031}, .addresses = 1, .limit = 40}, 1, 32, 32, 32, 32, false},
		{{.ports = {1, 65535}, .addresses = 256},
		 1 << 18,
		 256 * 65535,
		 65535LL << 26,
		 65535LL << 26,
		 65535LL << 25,
		 false},
		{{.ports = {2000, 2031}, .addresses = 2, .mapping = MAPPING_INDEPENDENT},
		 3,
		 64,
		 64,
		 64,
		 64,
		 true},
		{{.ports = {2000, 2031}, .addresses = 2, .mapping = MAPPING_INDEPENDENT},
		 3,
		 64,
		 64,
		 192,
		 64,
		 false},
		{{.ports = {2000, 2031},
		  .addresses = 1,
		  .mapping = MAPPING_INDEPENDENT,
		  .limit = 40},
		 3,
		 32,
		 32,
		 40,
		 32,
		 false},
		{{.ports = {2000, 2031},
		  .addresses = 1,
		  .mapping = MAPPING_INDEPENDENT,
		  .limit = 20},
		 3,
		 32,
		 32,
		 20,
		 20,
		 false},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct carriage c = carriage_make(&rows[i].nat, rows[i].destinations,
						  &(struct origin){100, 1, rows[i].apart});

		CU_ASSERT_EQUAL(c.each, rows[i].each);
		CU_ASSERT_EQUAL(c.at_once, rows[i].at_once);
		CU_ASSERT_EQUAL(c.ports, rows[i].ports);
		CU_ASSERT_EQUAL(c.least, rows[i].least);
	}
}

static void an_odd_range_of_more_than_one_port_may_lose_one(void)
{
	const struct port_list none = {0};

	CU_ASSERT_FALSE(budget_make((struct port_range){40000, 40000}, &none, 1).may_lose_one);
	CU_ASSERT_FALSE(budget_make((struct port_range){40000, 40001}, &none, 1).may_lose_one);
	CU_ASSERT_TRUE(budget_make((struct port_range){40000, 40002}, &none, 1).may_lose_one);
}

static void reserved_ports_count_where_they_lie_in_the_range(void)
{
	struct port_range list[] = {{1, 39999}, {40002, 40003}, {40009, 40020}};
	struct port_range all[] = {{1, 65535}};
	const struct port_list some = ports(list, COUNT(list)), every = ports(all, COUNT(all));
	struct port_range range = {40000, 40009};

	CU_ASSERT_EQUAL(ports_within(&some, range), 3);
	CU_ASSERT_EQUAL(budget_make(range, &some, 2).usable, 7);
	CU_ASSERT_EQUAL(budget_make(range, &some, 2).capacity, 14);
	CU_ASSERT_EQUAL(ports_within(&every, (struct port_range){1, 65535}), 65535);
	CU_ASSERT_EQUAL(budget_make(range, &every, 1).capacity, 0);
}

static void reserving_ports_does_not_make_a_range_odd(void)
{
	struct port_range list[] = {{40001, 40001}};
	const struct port_list one = ports(list, COUNT(list));

	CU_ASSERT_FALSE(budget_make((struct port_range){40000, 40009}, &one, 1).may_lose_one);
}

static void a_range_that_is_none_has_a_budget_of_nothing(void)
{
	const struct port_list none = {0};

	CU_ASSERT_EQUAL(budget_make((struct port_range){2, 1}, &none, 1).capacity, 0);
}

static void a_sysctl_counts_as_the_scenario_sets_it(void)
{
	struct setting list[] = {
		{.name = TEXT("net.ipv4.tcp_tw_reuse"), .value = TEXT("1")},
		{.name = TEXT("net.ipv4.tcp_rmem"), .value = TEXT("4096 131072 6291456")},
		{.name = TEXT("net.ipv4.tcp_notsent_lowat"), .value = TEXT("-1")},
		{.name = TEXT("net.ipv4.tcp_fin_timeout"), .value = TEXT("0x10")},
		{.name = TEXT("net.ipv4.tcp_syn_retries"), .value = TEXT("010")},
	};
	const struct setting_list set = {list, COUNT(list)};

	CU_ASSERT_EQUAL(setting_number(&set, "net.ipv4.tcp_tw_reuse", 2), 1);
	CU_ASSERT_EQUAL(setting_number(&set, "net.ipv4.tcp_timestamps", 7), 7);
	CU_ASSERT_EQUAL(setting_number(&set, "net.ipv4.tcp_rmem", 7), 7);
	CU_ASSERT_EQUAL(setting_number(&set, "net.ipv4.tcp_notsent_lowat", 7), -1);
	CU_ASSERT_EQUAL(setting_number(&set, "net.ipv4.tcp_fin_timeout", 7), 16);
	CU_ASSERT_EQUAL(setting_number(&set, "net.ipv4.tcp_syn_retries", 7), 8);
}

static const struct test tests[] = {
	TEST(a_port_carries_one_connection_to_each_destination),
	TEST(a_gateway_carries_its_ports_to_each_destination_or_its_limit),
	TEST(an_odd_range_of_more_than_one_port_may_lose_one),
	TEST(reserved_ports_count_where_they_lie_in_the_range),
	TEST(reserving_ports_does_not_make_a_range_odd),
	TEST(a_range_that_is_none_has_a_budget_of_nothing),
	TEST(a_sysctl_counts_as_the_scenario_sets_it),
	TESTS_END,
};

const struct suite suite_budget = {"budget", tests};
