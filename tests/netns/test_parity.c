/* Which ports are taken first: connect() has those of the parity of the first one of the range, bind() of
 * port 0 the others; and a range may be of one port. By the kernel's own table. */
#include <stdio.h>

#include "drive_help.h"
#include "suites.h"

/* Ports that connections of the client have, by the last bit of their numbers. */
static void count_parity(struct help *h, void *context)
{
	unsigned *n = context, port, state;
	FILE *table = fopen("/proc/thread-self/net/tcp", "re");
	char line[512];

	(void)h;
	while (table && fgets(line, sizeof(line), table))
		if (sscanf(line, " %*u: %*x:%x %*x:%*x %x", &port, &state) == 2 &&
		    state == STATE_ESTABLISHED)
			n[port & 1]++;
	if (table)
		fclose(table);
}

static void look(void *context, struct worker *worker)
{
	(void)worker;
	count_parity(NULL, context);
}

static void connect_takes_the_one_half_first_and_bind_the_other(void)
{
	static const struct {
		const char *ports, *bind;
		unsigned total, even, odd;
	} rows[] = {
		{"40000-40031", "none", 16, 16, 0},
		{"40000-40031", "address", 16, 0, 16},
		{"40000-40031", "none", 20, 16, 4},
		{"40000-40031", "address", 20, 4, 16},
		{"40001-40032", "none", 16, 0, 16},
		{"40001-40032", "address", 16, 16, 0},
		{"40000-40031", "none", 32, 16, 16},
		{"40000-40031", "address", 32, 16, 16},
		{"40007-40007", "none", 1, 0, 1},
		{"40007-40007", "address", 1, 0, 1},
		{"40000-40031", "address-no-port", 16, 16, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned n[2] = {0};
		char lines[256];
		struct drive d;

		snprintf(lines, sizeof(lines),
			 "network: {ports: %s}\nload: {bind: %s, concurrency: 1, end: leak, total: "
			 "%u}",
			 rows[i].ports, rows[i].bind, rows[i].total);
		drive_open(&d, lines);
		drive_looked_at(&d, look, n);
		CU_ASSERT(d.ok && d.tape.complete && !d.tape.exhausted);
		if (n[0] != rows[i].even || n[1] != rows[i].odd)
			printf("%s: %u even, %u odd\n", lines, n[0], n[1]);
		CU_ASSERT(n[0] == rows[i].even && n[1] == rows[i].odd);
		help_close(&d.h);
	}
}

static void a_range_of_one_port_has_one_connection(void)
{
	static const char *const binds[] = {"none", "address"};

	for (size_t i = 0; i < sizeof(binds) / sizeof(binds[0]); i++) {
		unsigned n[2] = {0};
		char lines[256];
		struct drive d;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40007-40007}\nload: {bind: %s, concurrency: 1, end: "
			 "leak}",
			 binds[i]);
		drive_open(&d, lines);
		drive_looked_at(&d, look, n);
		CU_ASSERT(d.ok && d.tape.exhausted);
		CU_ASSERT_EQUAL(d.tape.opened_before, 1);
		CU_ASSERT(n[0] == 0 && n[1] == 1);
		help_close(&d.h);
	}
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, connect_takes_the_one_half_first_and_bind_the_other),
	TEST_UNLESS(help_no_network, a_range_of_one_port_has_one_connection),
	TESTS_END,
};

const struct suite suite_parity = {"parity", tests};
