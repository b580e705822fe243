/* Addresses of either family as one value. */
#include "base/address.h"

#include <stdio.h>
#include <string.h>

#include "runner.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static struct address address(const char *z)
{
	struct address a = {1, 1};

	if (!address_read(text_of(z), &a))
		CU_FAIL_FATAL("a test's address cannot be read");
	return a;
}

static void both_families_are_read_and_printed(void)
{
	static const char *const rows[][2] = {
		{"10.77.0.1", "10.77.0.1"},
		{"255.255.255.255", "255.255.255.255"},
		{"fd77::1", "fd77::1"},
		{"FD77:0:0:1:0::1", "fd77:0:0:1::1"},
		{"::1", "::1"},
		{"::", "::"},
		{"::ffff:10.0.0.1", "10.0.0.1"}, /* one address, whatever it is written as */
		{"0.0.0.0", "0.0.0.0"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char z[ADDRESS_PRINTED];

		CU_ASSERT_STRING_EQUAL(address_print(z, address(rows[i][0])), rows[i][1]);
	}
}

static void what_is_no_address_is_told(void)
{
	static const char *const rows[] = {
		"",
		"1",
		"10.77.0",
		"10.77.0.256",
		"10.77.0.1 ",
		"fe80::1%1",
		":::1",
		"fd77::1/64",
		"host",
		"010.0.0.1",
		"1:2:3:4:5:6:7:8:9",
		"::ffff:10.0.0.1000000000000000000000000000000000000000",
	};
	struct address a;

	for (size_t i = 0; i < COUNT(rows); i++)
		CU_ASSERT(!address_read(text_of(rows[i]), &a));
	CU_ASSERT(!address_read((struct text){"::1\0", 4}, &a));
}

static void a_mapped_address_is_the_ipv4_one(void)
{
	CU_ASSERT(address_eq(address("::ffff:127.0.0.1"), address_ipv4(0x7f000001)));
	CU_ASSERT(address_is_ipv4(address("10.0.0.1")) && !address_is_ipv4(address("::1")));
	CU_ASSERT(!address_is_ipv4(address("::127.0.0.1")));
	CU_ASSERT(address_is_any(address("0.0.0.0")) && address_is_any(address("::")));
	CU_ASSERT(!address_is_any(address("::1")) && !address_is_any(address("0.0.0.1")));
}

static void addresses_follow_each_other(void)
{
	static const struct {
		const char *from;
		uint32_t n;
		const char *to;
	} rows[] = {
		{"10.77.0.1", 0, "10.77.0.1"},
		{"10.77.0.1", 255, "10.77.1.0"},
		{"fd77::ffff", 1, "fd77::1:0"},
		{"fd77::ffff:ffff:ffff:ffff", 1, "fd77:0:0:1::"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct address a = address_after(address(rows[i].from), rows[i].n);

		CU_ASSERT(address_eq(a, address(rows[i].to)));
		CU_ASSERT_EQUAL(address_order(address(rows[i].from), a), rows[i].n ? -1 : 0);
		CU_ASSERT_EQUAL(address_order(a, address(rows[i].from)), rows[i].n ? 1 : 0);
	}
}

static void bytes_are_in_network_order(void)
{
	static const uint8_t there[16] = {0xfd, 0x77, [7] = 1, [15] = 2};
	uint8_t bytes[16];

	address_bytes(address("fd77:0:0:1::2"), bytes);
	CU_ASSERT(memcmp(bytes, there, sizeof(there)) == 0);
	CU_ASSERT(address_eq(address_of_bytes(bytes), address("fd77:0:0:1::2")));
	address_bytes(address("10.77.0.1"), bytes);
	CU_ASSERT(memcmp(bytes + 10, "\xff\xff\x0a\x4d\x00\x01", 6) == 0);
}

static void an_address_may_have_a_port(void)
{
	static const struct {
		const char *text, *address;
		uint16_t port;
	} rows[] = {
		{"10.77.0.1", "10.77.0.1", 0},
		{"10.77.0.1:443", "10.77.0.1", 443},
		{"fd77::1", "fd77::1", 0},
		{"[fd77::1]", "fd77::1", 0},
		{"[fd77::1]:65535", "fd77::1", 65535},
		{"::ffff:10.0.0.1", "10.0.0.1", 0},
	};
	static const char *const wrong[] = {
		"",
		":443",
		"10.77.0.1:",
		"10.77.0.1:0",
		"10.77.0.1:65536",
		"10.0.0:1",
		"10.0.0.1:x",
		"10.0.0.1:1:2",
		"[fd77::1",
		"[fd77::1]443",
		"[]:443",
		"[10.77.0.1]:1",
		"[fd77::1]:",
		"[fd77::1]:99999",
		"10.77.0.1:+80",
		"10.77.0.1: 80",
	};
	char z[ADDRESS_PRINTED];
	struct address a;
	uint16_t port;

	for (size_t i = 0; i < COUNT(rows); i++) {
		CU_ASSERT(address_port_read(text_of(rows[i].text), &a, &port));
		CU_ASSERT_STRING_EQUAL(address_print(z, a), rows[i].address);
		CU_ASSERT_EQUAL(port, rows[i].port);
	}
	a = address_ipv4(7);
	port = 9;
	for (size_t i = 0; i < COUNT(wrong); i++)
		CU_ASSERT(!address_port_read(text_of(wrong[i]), &a, &port));
	CU_ASSERT(a.low == address_ipv4(7).low && port == 9);
}

static const struct test tests[] = {
	TEST(both_families_are_read_and_printed),
	TEST(what_is_no_address_is_told),
	TEST(a_mapped_address_is_the_ipv4_one),
	TEST(addresses_follow_each_other),
	TEST(bytes_are_in_network_order),
	TEST(an_address_may_have_a_port),
	TESTS_END,
};

const struct suite suite_address = {"address", tests};
