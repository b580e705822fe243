/* Addresses that the client does not have, or does not have yet, on the real kernel. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "drive_help.h"
#include "plan/choose.h"
#include "sense/census.h"
#include "sys/endpoint.h"

/* The errno is that of a range that is full, and the range is empty. */
static void without_ipv6_an_address_is_the_trouble(void)
{
	static const char *const networks[] = {
		"topology: loopback, sysctl: {net.ipv6.conf.all.disable_ipv6: 1}",
		"topology: loopback, sysctl: {net.ipv6.conf.lo.disable_ipv6: 1}",
	};

	for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
		static const char *const protocols[] = {"tcp", "udp"};

		for (size_t k = 0; k < 2; k++) {
			char lines[256];
			struct drive d;

			snprintf(lines, sizeof(lines),
				 "network: {family: ipv6, ports: 40000-40031, %s}\n"
				 "load: {protocol: %s, total: 5, on_failure: continue}",
				 networks[i], protocols[k]);
			drive_lines(&d, lines);
			CU_ASSERT(d.ok && !d.tape.exhausted);
			CU_ASSERT_EQUAL(d.tape.tally.opened, 0);
			CU_ASSERT_EQUAL(d.tape.tally.errors[STAGE_CONNECT][EADDRNOTAVAIL], 5);
			CU_ASSERT_EQUAL(last_dump(&d.tape)->used_max, 0);
			help_close(&d.h);
		}
	}
}

/* The plan is bent once the lab is built: the source is nobody's. */
static void a_foreign_source_is_refused_at_bind(void)
{
	static const char *const families[] = {"ipv4", "ipv6", "mapped"};

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		char lines[160];
		struct drive d;

		snprintf(lines, sizeof(lines),
			 "network: {family: %s, ports: 40000-40031, sources: 2}\n"
			 "load: {total: 4, concurrency: 1, on_failure: continue}",
			 families[i]);
		drive_open(&d, lines);
		d.h.plan.sources.list[1].low += 99;
		drive_plan(&d);
		CU_ASSERT(!d.tape.exhausted);
		CU_ASSERT_EQUAL(d.tape.tally.opened, 2);
		CU_ASSERT_EQUAL(d.tape.tally.errors[STAGE_BIND][EADDRNOTAVAIL], 2);
		help_close(&d.h);
	}
}

/* Sockets of the last dump that have another local address. */
static uint64_t not_from(const struct tape *t, struct address a)
{
	const struct sample *last = last_dump(t);
	const struct usage *u = sample_usages(t, last);
	uint64_t n = 0;

	for (uint32_t i = 0; i < last->usage_count; i++)
		n += address_eq(u[i].local, a) ? 0 : usage_used(&u[i]);
	return n;
}

/* What the client has is bound, whichever of its networks it is of; what it lacks never is, though it
 * were the server's. */
static void an_address_by_name_is_bound_or_refused(void)
{
	static const struct {
		const char *network, *load, *address;
		uint64_t opened;
	} rows[] = {
		{"sources: [192.0.2.1]", "", "192.0.2.1", 5}, {"", "", "10.77.0.1", 5},
		{"family: ipv6", "", "fd77::1", 5},	      {"", "", "192.0.2.1", 0},
		{"", "protocol: udp, ", "192.0.2.1", 0},      {"", "", "10.77.128.1", 0},
		{"family: mapped", "", "10.77.0.2", 0},	      {"family: ipv6", "", "fd77::2", 0},
		{"topology: loopback", "", "192.0.2.1", 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct address a = {0, 0};
		char lines[320];
		struct drive d;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031, %s}\n"
			 "load: {%sbind: address %s, total: 5, end: leak, on_failure: continue}",
			 rows[i].network, rows[i].load, rows[i].address);
		address_read(text_of(rows[i].address), &a);
		drive_lines(&d, lines);
		CU_ASSERT(d.ok && !d.tape.exhausted);
		CU_ASSERT_EQUAL(d.tape.tally.opened, rows[i].opened);
		CU_ASSERT_EQUAL(d.tape.tally.errors[STAGE_BIND][EADDRNOTAVAIL], 5 - rows[i].opened);
		CU_ASSERT_EQUAL(last_dump(&d.tape)->used_max, rows[i].opened);
		CU_ASSERT_EQUAL(not_from(&d.tape, a), 0);
		CU_ASSERT_EQUAL(plan_binds_nowhere(&d.h.plan), rows[i].opened == 0);
		help_close(&d.h);
	}
}

/* fd77::1, as the kernel has it at the end of a load: IFA_F_TENTATIVE, or not. */
static void look_tentative(void *context, struct worker *w)
{
	static char state[4096];
	struct text rest = help_file("/proc/thread-self/net/if_inet6", state, sizeof(state) - 1);
	struct text line;
	unsigned flags;

	(void)w;
	state[rest.len] = '\0';
	while (text_cut(&rest, '\n', &line))
		if (strncmp(line.s, "fd770000000000000000000000000001", 32) == 0 &&
		    sscanf(line.s + 32, " %*x %*x %*x %x", &flags) == 1)
			*(int *)context = flags & 0x40 ? 1 : 0;
}

/* While it asks for ever nothing can be bound to it; who tries until it is there, or asks nobody, has
 * all. */
static void a_tentative_address_is_refused_until_it_is_none(void)
{
#define ASKS(times) "dad: true, sysctl: {net.ipv6.conf.veth0.dad_transmits: " times "}"
	static const struct {
		const char *network, *failure;
		uint64_t opened, refused_least;
		int tentative;
	} rows[] = {
		{ASKS("100000"), "continue", 0, 5, 1},
		{ASKS("1"), "{retry: 100, wait: 100ms, then: continue}", 5, 1, 0},
		{"dad: false", "continue", 5, 0, 0},
	};
#undef ASKS

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[320];
		struct drive d;
		int tentative = -1;
		uint64_t refused;

		snprintf(lines, sizeof(lines),
			 "network: {family: ipv6, ports: 40000-40031, %s}\n"
			 "load: {bind: address, concurrency: 1, total: 5, end: leak, on_failure: "
			 "%s}",
			 rows[i].network, rows[i].failure);
		drive_open(&d, lines);
		drive_looked_at(&d, look_tentative, &tentative);
		refused = d.tape.tally.errors[STAGE_BIND][EADDRNOTAVAIL];
		CU_ASSERT(d.ok && !d.tape.exhausted);
		CU_ASSERT_EQUAL(d.tape.tally.opened, rows[i].opened);
		CU_ASSERT_EQUAL(refused, d.tape.tally.failed);
		CU_ASSERT(refused >= rows[i].refused_least);
		CU_ASSERT(refused == rows[i].refused_least || rows[i].refused_least == 1);
		CU_ASSERT_EQUAL(tentative, rows[i].tentative);
		CU_ASSERT_EQUAL(last_dump(&d.tape)->used_max, rows[i].opened);
		help_close(&d.h);
	}
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, without_ipv6_an_address_is_the_trouble),
	TEST_UNLESS(help_no_network, a_foreign_source_is_refused_at_bind),
	TEST_UNLESS(help_no_network, an_address_by_name_is_bound_or_refused),
	TEST_UNLESS(help_no_network, a_tentative_address_is_refused_until_it_is_none),
	TESTS_END,
};

const struct suite suite_addresses = {"addresses", tests};
