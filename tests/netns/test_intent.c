/* What is intended of each connection, by the scenario and its seed, is what the kernel has of it:
 * the port that a connection names tells its number. */
#include "plan/intent.h"

#include <stdio.h>
#include <string.h>

#include "drive_help.h"
#include "suites.h"

enum { LOW = 40000, CONNECTIONS = 300 };

/* What the client's namespace has of a port: a state of net/tcp_states.h, or 0 for nothing, and where
 * it leads to. */
struct trace {
	unsigned state, to_port;
	char to[64];
};

struct traces {
	struct trace of[CONNECTIONS];
};

/* Addresses stand in the table as they do in memory, their number in the processor's order. */
static void read_traces(void *context, struct worker *worker)
{
	struct traces *all = context;
	FILE *table = fopen("/proc/thread-self/net/tcp", "re");
	unsigned from, state, port;
	uint32_t to;
	char line[512];

	(void)worker;
	while (table && fgets(line, sizeof(line), table))
		if (sscanf(line, " %*u: %*x:%x %x:%x %x", &from, &to, &port, &state) == 4 &&
		    from >= LOW && from < LOW + CONNECTIONS) {
			struct trace *t = &all->of[from - LOW];
			const unsigned char *byte = (const unsigned char *)&to;

			t->state = state;
			t->to_port = port;
			snprintf(t->to, sizeof(t->to), "%u.%u.%u.%u", byte[0], byte[1], byte[2],
				 byte[3]);
		}
	if (table)
		fclose(table);
}

/* Is it what this end leaves behind, once the load is over? What the client closed first may wait for
 * the server's FIN still. */
static bool is_left_by(unsigned state, enum end end)
{
	switch (end) {
	case END_LEAK:
	case END_INHERIT:
		return state == STATE_ESTABLISHED;
	case END_CLOSE:
	case END_SHUTDOWN:
		return state == STATE_TIME_WAIT || state == STATE_FIN_WAIT1 ||
		       state == STATE_FIN_WAIT2;
	default:
		return state == 0;
	}
}

static bool goes_to(const struct trace *t, const struct plan *p, uint64_t pair)
{
	struct address to = plan_server(p, (uint32_t)pair);
	char printed[ADDRESS_PRINTED];

	return strcmp(t->to, address_print(printed, to)) == 0 &&
	       t->to_port == plan_service(p, (uint32_t)pair);
}

static void follow(const char *lines, uint64_t seed, struct traces *all)
{
	struct drive d;
	unsigned wrong_end = 0, wrong_place = 0;

	memset(all, 0, sizeof(*all));
	drive_open(&d, lines);
	d.h.plan.seed = seed;
	drive_looked_at(&d, read_traces, all);
	CU_ASSERT(d.ok && d.tape.complete);
	CU_ASSERT_EQUAL(d.tape.tally.opened, CONNECTIONS);
	for (uint64_t i = 0; i < CONNECTIONS; i++) {
		const struct plan *p = &d.h.plan;
		const struct load_plan *lp = &p->loads[0];

		wrong_end += !is_left_by(all->of[i].state, plan_end(p, lp, i));
		wrong_place += all->of[i].state && !goes_to(&all->of[i], p, intent_pair(p, lp, i));
	}
	CU_ASSERT_EQUAL(wrong_end, 0);
	CU_ASSERT_EQUAL(wrong_place, 0);
	help_close(&d.h);
}

/* Seven are under way at once, and overtake each other. */
#define MIXED(choose) \
	"network: {ports: 50000-50999, servers: 3, services: 2, choose: " choose \
	", sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n" \
	"load: {bind: ports 40000-40299, concurrency: 7, total: 300, " \
	"mix: {leak: 20%, reset: 20%, shutdown: 10%, inherit: 10%}}"

static void each_connection_is_what_was_intended_of_it(void)
{
	static const char *const lines[] = {MIXED("turn"), MIXED("seed")};
	struct traces one, again, other;

	for (size_t i = 0; i < 2; i++) {
		unsigned same = 0;

		follow(lines[i], 1, &one);
		follow(lines[i], 1, &again);
		follow(lines[i], 2, &other);
		for (size_t k = 0; k < CONNECTIONS; k++) {
			CU_ASSERT_EQUAL(one.of[k].state == 0, again.of[k].state == 0);
			CU_ASSERT_STRING_EQUAL(one.of[k].to, again.of[k].to);
			same += (one.of[k].state == 0) == (other.of[k].state == 0);
		}
		CU_ASSERT(same < CONNECTIONS); /* by chance it is 58 % of them */
	}
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, each_connection_is_what_was_intended_of_it),
	TESTS_END,
};

const struct suite suite_intent = {"intent", tests};
