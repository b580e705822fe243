/* /proc/net/tcp and its like, which stand in for sock_diag: what their lines say, and what tears a dump. */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab_help.h"
#include "suites.h"
#include "sys/endpoint.h"
#include "sys/procnet.h"
#include "tape/tape.h"

/* ---- /proc/net/tcp, as a kernel printed it once (tests/data) ------------- */

struct recorded {
	unsigned states[STATES], aged, inodes, mapped;
	bool broken;
};

static void read_recorded(const char *path, bool datagrams, struct recorded *out)
{
	static char buffer[8192];
	struct text rest = help_file(path, buffer, sizeof(buffer)), line;
	struct socket_seen seen;

	*out = (struct recorded){0};
	CU_ASSERT(text_cut(&rest, '\n', &line) && !procnet_parse(line, datagrams, &seen));
	while (text_cut(&rest, '\n', &line)) {
		out->broken |= !procnet_parse(line, datagrams, &seen);
		out->states[seen.state]++;
		out->aged += seen.gone_ns == INT64_C(0x175b) * 10000000;
		out->inodes += seen.inode > 0;
		out->mapped += address_eq(seen.local, address_ipv4(0x7f000001));
	}
}

/* A listener; six connections from ports 40000 to 40005, three of them closed, and a mapped one,
 * each with its other end; and what IPv6 and UDP had besides. */
static void recorded_lines_are_read_as_they_were(void)
{
	struct recorded r;

	read_recorded("tests/data/proc-tcp", false, &r);
	CU_ASSERT(!r.broken && r.states[STATE_LISTEN] == 1 && r.states[STATE_ESTABLISHED] == 7);
	CU_ASSERT(r.states[STATE_TIME_WAIT] == 3 && r.aged == 3 && r.inodes == 7 && r.mapped == 11);
	read_recorded("tests/data/proc-tcp6", false, &r);
	CU_ASSERT(!r.broken && r.states[STATE_LISTEN] == 1 && r.states[STATE_ESTABLISHED] == 3);
	CU_ASSERT_EQUAL(r.mapped, 1);
	read_recorded("tests/data/proc-udp", true, &r);
	CU_ASSERT(!r.broken && r.states[STATE_ESTABLISHED] == 1 && r.states[STATE_BOUND] == 1);
}

static void what_is_no_socket_is_no_line(void)
{
	static const char *const lines[] = {
		"",
		"   0:",
		"   0: 0100007F:1B58",
		"   0: 0100007F:1B58 00000000:0000 0A 0:1 00:0 0 0",
		"   0: 0100007:1B58 00000000:0000 0A 0:1 00:0 0 0 0 5",
		"   0: 0100007F:1B5 00000000:0000 0A 0:1 00:0 0 0 0 5",
		"   0: 0100007F:1B58 00000000:0000 00 0:1 00:0 0 0 0 5",
		"   0: 0100007F:1B58 00000000:0000 FF 0:1 00:0 0 0 0 5",
		"   0: 0100007G:1B58 00000000:0000 0A 0:1 00:0 0 0 0 5",
	};
	struct socket_seen seen;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		CU_ASSERT(!procnet_parse(text_of(lines[i]), false, &seen));
	CU_ASSERT(procnet_parse(TEXT("1: 0100007F:1B58 00000000:0000 0A 0:1 00:0 0 0 0 5"), false,
				&seen));
	CU_ASSERT(seen.local_port == 7000 && seen.inode == 5 && seen.state == STATE_LISTEN);
}

#define ZEROS "00000000000000000000000000000000"

/* Digits of either case, and those of an address as many as its family has; states up to the last that is
 * listed, NEW_SYN_RECV: what is bound alone is CLOSED there. */
static void a_lines_digits_are_those_that_the_kernel_prints(void)
{
	static const struct {
		const char *line;
		int state; /* 0: it is none */
	} rows[] = {
		{"1: 0100007f:aBcD " ZEROS ":0000 0C 0:1 00:0 0 0 0 5", STATE_BOUND},
		{"1: 0100007F:ABCD " ZEROS ":0000 0C 0:1 00:0 0 0 0 0000000000000005", STATE_BOUND},
		{"1: 0100007F:ABCD " ZEROS ":0000 0C 0:1 00:0 0 0 0 00000000000000005", 0},
		{"1: 0100007F:ABCD " ZEROS ":0000 0C 0:1 00 0 0 0 5", 0},
		{"1: 0100007F:ABCD " ZEROS ":0000 0C 0:1 0G:0 0 0 0 5", 0},
		{"1: 0100007F:ABCD " ZEROS ":0000 0C 0:1 00:G 0 0 0 5", 0},
		{"1: 0100007F:ABCD " ZEROS ":0000 0c 0:1 00:0 0 0 0 5", STATE_BOUND},
		{"1: 0100007F:ABCD " ZEROS ":0000 07 0:1 00:0 0 0 0 5", STATE_BOUND},
		{"1: 0100007F:ABCD " ZEROS ":0000 0B 0:1 00:0 0 0 0 5", STATE_CLOSING},
		{"1: 0100007F:ABCD " ZEROS ":0000 0D 0:1 00:0 0 0 0 5", 0},
		{"1: 0100007F:ABCD 0" ZEROS ":0000 0B 0:1 00:0 0 0 0 5", 0},
		{"1: 000100007F:ABCD " ZEROS ":0000 0B 0:1 00:0 0 0 0 5", 0},
		{"1: 0100007F0100007F:ABCD " ZEROS ":0000 0B 0:1 00:0 0 0 0 5", 0},
		{"1: 0100007F:ABCDE " ZEROS ":0000 0B 0:1 00:0 0 0 0 5", 0},
		{"1: 0100007F:ABC@ " ZEROS ":0000 0B 0:1 00:0 0 0 0 5", 0},
		{"1: 0100007F:ABC` " ZEROS ":0000 0B 0:1 00:0 0 0 0 5", 0},
		{"1: 0100007F:ABC/ " ZEROS ":0000 0B 0:1 00:0 0 0 0 5", 0},
		{"1: 0100007F:ABC: " ZEROS ":0000 0B 0:1 00:0 0 0 0 5", 0},
		{"1: 0100007F:ABCg " ZEROS ":0000 0B 0:1 00:0 0 0 0 5", 0},
		{"1: 0100007F:ABCD " ZEROS ":0000 0B 0:1 00:0 0 0 0 A", 0},
	};
	struct socket_seen seen;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CU_ASSERT_EQUAL(procnet_parse(text_of(rows[i].line), false, &seen),
				rows[i].state != 0);
		CU_ASSERT(rows[i].state == 0 ||
			  (seen.state == rows[i].state && seen.local_port == 0xabcd));
		CU_ASSERT(rows[i].state == 0 || address_eq(seen.local, address_ipv4(0x7f000001)));
	}
}

static void count_seen(void *n, const struct socket_seen *seen)
{
	*(unsigned *)n += seen->local_port == 40000;
}

/* A line that is none is left out, and told; one that has not come whole yet is left for later. */
static void a_broken_line_tears_what_is_read_from_proc(void)
{
	static const char head[] = "  sl  local_address rem_address   st\n",
			  good[] = "1: 0100007F:9C40 0200007F:0050 01 0:1 00:0 0 0 0 5\n",
			  broken[] = "1: 0100007F:9C40 0200007F:0050 01\n", rest[] = "1: 0100";
	static const struct {
		const char *lines[4];
		unsigned seen;
		bool torn;
	} rows[] = {{{head, good, good, rest}, 2, false},
		    {{head, good, broken, good}, 2, true},
		    {{broken, good, "", ""}, 1, true},
		    {{good, "\n", "", ""}, 1, true}};
	const struct procnet_wish wish = {.states = ~0U, .ports = {40000, 40031}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *const *l = rows[i].lines;
		bool torn = false, over = false;
		char text[512];
		unsigned seen = 0;
		size_t len = (size_t)snprintf(text, sizeof(text), "%s%s%s%s", l[0], l[1],
					      l[2] ? l[2] : "", l[3] ? l[3] : "");
		size_t used = procnet_lines(&wish, (struct text){text, len}, count_seen, &seen,
					    &torn, &over);

		CU_ASSERT_EQUAL(used, len - (i == 0 ? sizeof(rest) - 1 : 0));
		CU_ASSERT_EQUAL(seen, rows[i].seen);
		CU_ASSERT_EQUAL(torn, rows[i].torn);
		CU_ASSERT(!over);
	}
}

/* Listeners come first: where they alone are wanted, the first of the others is the end of them. */
static void what_comes_after_the_listeners_is_not_read(void)
{
	static const char listener[] = "1: 00000000:9C40 00000000:0000 0A 0:1 00:0 0 0 0 5\n",
			  other[] = "1: 0100007F:9C40 0200007F:0050 0B 0:1 00:0 0 0 0 5\n";
	const struct procnet_wish wish = {.states = 1U << STATE_LISTEN, .ports = {40000, 40031}};
	bool torn = false, over = false;
	unsigned seen = 0;
	char text[512];
	size_t len = (size_t)snprintf(text, sizeof(text), "%s%s%s%s", listener, listener, other,
				      listener);
	size_t used =
		procnet_lines(&wish, (struct text){text, len}, count_seen, &seen, &torn, &over);

	CU_ASSERT(over && !torn && seen == 2);
	CU_ASSERT_EQUAL(used, len - (sizeof(listener) - 1));
}

/* ---- and as it prints them now ------------------------------------------- */

static void read_with_room(struct help *h, void *context)
{
	static const struct {
		size_t room;
		bool torn;
	} rows[] = {{64, true}, {4096, false}};
	static char buffer[4096];
	const struct procnet_wish wish = {
		.domain = AF_INET, .states = ~0U, .ports = {1, UINT16_MAX}};
	const struct endpoint at = endpoint_any(FAMILY_IPV4, 40000);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)context;
	CU_ASSERT_FATAL(bind(fd, &at.any, at.len) == 0 && listen(fd, 1) == 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool torn = false;
		unsigned seen = 0;

		CU_ASSERT(procnet_read(&wish, buffer, rows[i].room, count_seen, &seen, &torn,
				       &h->err));
		CU_ASSERT(torn == rows[i].torn && seen == !rows[i].torn);
	}
	close(fd);
}

/* A buffer that is too small for a line loses it, and says so. */
static void a_line_that_finds_no_room_tears_a_dump(void)
{
	struct help h;

	if (!help_open(&h, "network: {ports: 32768-32799}"))
		CU_FAIL_FATAL("no lab");
	CU_ASSERT(help_inside(&h, LAB_CLIENT, read_with_room, NULL));
	help_close(&h);
}

static const struct test tests[] = {
	TEST(recorded_lines_are_read_as_they_were),
	TEST(what_is_no_socket_is_no_line),
	TEST(a_lines_digits_are_those_that_the_kernel_prints),
	TEST(a_broken_line_tears_what_is_read_from_proc),
	TEST(what_comes_after_the_listeners_is_not_read),
	TEST_UNLESS(help_no_network, a_line_that_finds_no_room_tears_a_dump),
	TESTS_END,
};

const struct suite suite_procnet = {"procnet", tests};
