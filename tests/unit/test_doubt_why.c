#include "plan/doubt.h"
#include "plan/outline.h"
#include "plan_help.h"
#include "report/plan.h"
#include "report/result.h"
#include "suites.h"
#include "trial.h"

#define NAT "network: {topology: nat, ports: 40000-40095, nat: {ports: 2000-2015}}\n"
#define FEW "network: {ports: 40000-40031}\n"
#define HALF_SECOND "network: {ports: 40000-40015, time_wait: 500ms}\n"

/* The reasons of what becomes of the ports, each with a scenario that has it, and what its sentence has. */
static const struct {
	enum doubt why;
	const char *lines, *said;
} fates[] = {
	{DOUBT_STOP_TIME,
	 "network: {ports: 40000-40999}\nload: {concurrency: 8, end: leak}\nstop: {time: 100ms}",
	 "unless stop.time (0.1 s) comes before"},
	{DOUBT_TENTATIVE,
	 "network: {family: ipv6, dad: true, ports: 40000-40031}\nload: {rate: 100/s}",
	 "tentative no more"},
	{DOUBT_NO_ADDRESS,
	 "network: {ports: 40000-40031, sysctl: {net.ipv4.ip_nonlocal_bind: 1}}\n"
	 "load: {bind: address 203.0.113.9, rate: 100/s}",
	 "the client lacks the address"},
	{DOUBT_PROXY_LOOP,
	 "network: {topology: loopback, ports: 40000-40031}\nserver: {behaviour: loop}\n"
	 "load: {rate: 10/s, total: 4}",
	 "connections to itself take the client's ports"},
	{DOUBT_SQUAT_NAMED,
	 FEW "squat: {bind: 1}\nload: {bind: port 40001, rate: 10/s, total: 8, end: leak}",
	 "gives to squat or load.ballast"},
	{DOUBT_DESCRIPTORS_FIRST, FEW "load: {nofile: 10, hold: 500ms, rate: 20/s, total: 60}",
	 "descriptors end first, after 7 connections, at 0.35 s"},
	{DOUBT_DESCRIPTORS, FEW "load: {nofile: 10, hold: 300ms, rate: 20/s, total: 60}",
	 "by the clock 6 of 7 sockets are open at once"},
	{DOUBT_BACKLOG, FEW "server: {backlog: 2}\nload: {concurrency: 40, end: leak}",
	 "finds the server's backlog full"},
	{DOUBT_GATEWAY_FIRST,
	 "network: {topology: nat, ports: 40000-40199, time_wait: 100ms, nat: {ports: 2000-2007}}\n"
	 "load: {rate: 246/s, duration: 1300ms, end: leak, on_failure: continue, timeout: 400ms}",
	 "the gateway's ports end first"},
	{DOUBT_GATEWAY_FULL,
	 "network: {topology: nat, ports: 40000-40063, nat: {ports: 2000-2031}}\n"
	 "server: {die: 800ms}\nload: {rate: 1001/s, total: 184, end: leak, timeout: 900ms}",
	 "the gateway is full after 32"},
	{DOUBT_GATEWAY_ENDS,
	 "network: {topology: nat, ports: 40000-40015, nat: {ports: 2000-2007, clients: 2}}\n"
	 "server: {behaviour: accept-close}\nload: {rate: 56/s, pool: {max_idle: 27}}",
	 "how many connections end, and keep the gateway's ports"},
	{DOUBT_GATEWAY_STALL,
	 "network: {topology: nat, ports: 40000-40063, nat: {ports: 2000-2063, limit: 24}}\n"
	 "load: {rate: 1081/s, total: 272, pool: {max_idle: 21}}",
	 "that are late together after a stall"},
	{DOUBT_GATEWAY_WANTED,
	 "network: {topology: nat, ports: 40000-40015, sources: 4, nat: {ports: 2000-2031}}\n"
	 "server: {delay: 200ms}\nload: {concurrency: 75, total: 91, pool: {max_idle: 33}}",
	 "want more than the gateway has, 32 ports"},
	{DOUBT_GATEWAY_POOLS,
	 "network: {topology: nat, ports: 40000-40047, nat: {ports: 2000-2015}}\n"
	 "loads: {a: {rate: 52/s}, b: {rate: 138/s, total: 36, pool: {max_idle: 64}}}",
	 "how many connections the pools open"},
	{DOUBT_GATEWAY_LIMIT,
	 "network: {topology: nat, ports: 40000-40063, nat: {ports: 2000-2007, limit: 4}}\n"
	 "load: {rate: 340/s, total: 86}",
	 "(network.nat.limit), and how many are decides"},
	{DOUBT_GATEWAY_KEEPS, NAT "load: {rate: 274/s}", "if it keeps those of closed ones"},
	{DOUBT_POOL, FEW "load: {concurrency: 20, total: 100, pool: {max_idle: 8}}",
	 "the pool opens from"},
	{DOUBT_POOL_FLUSHED,
	 FEW "server: {delay: 3ms}\nload: {concurrency: 64, total: 200, pool: {max_idle: 64},\n"
	     "  on_failure: {retry: 20, wait: 5ms, flush_pool: true, then: continue}}",
	 "throws the idle connections away"},
	{DOUBT_POOL_ENDS,
	 FEW "server: {vanish: 700ms}\nload: {rate: 1k/s, total: 96, pool: {max_idle: 8}}",
	 "before the pool would end them"},
	{DOUBT_POOL_WANTED, HALF_SECOND "load: {concurrency: 72, total: 72, pool: {max_idle: 15}}",
	 "unless a machine is too slow"},
	{DOUBT_ACCEPTED,
	 "network: {ports: 40000-40095, time_wait: 100ms}\nserver: {accept_every: 5ms}\n"
	 "load: {rate: 271/s}",
	 "how soon the server accepts a connection"},
	{DOUBT_RESTART,
	 "network: {topology: loopback, ports: 40000-40031, services: [30010]}\n"
	 "server: {die: 300ms}\nload: {bind: port 30010, start: 500ms, total: 1}",
	 "the server listens on what the load names until it dies at 0.3 s"},
	{DOUBT_CLOCK, HALF_SECOND "server: {die: 300ms}\nload: {rate: 50/s, duration: 700ms}",
	 "by the clock"},
	{DOUBT_VANISHES,
	 FEW "server: {vanish: 200ms, delay: 50ms}\nload: {concurrency: 8, hold: 80ms}",
	 "the server's host is gone"},
	{DOUBT_DIES,
	 FEW "server: {die: 300ms}\nload: {concurrency: 8, total: 125, end: disconnect}",
	 "the server is dead"},
	{DOUBT_DRAWN,
	 HALF_SECOND "load: {concurrency: 2, hold: 50ms, mix: {reset: 50%, close: 50%}}",
	 "is drawn; at "},
	{DOUBT_MEETS_ITSELF,
	 "network: {topology: loopback, ports: 40000-40031, services: [40010]}\n"
	 "server: {behaviour: refuse}\nload: {concurrency: 32, on_failure: continue}",
	 "a connection that meets itself"},
	{DOUBT_BOTH_CLOSE, FEW "server: {behaviour: accept-close}\nload: {concurrency: 47}",
	 "both ends close at once"},
	{DOUBT_FEW_WAIT,
	 "network: {ports: 40000-40063, services: 2, sysctl: {net.ipv4.tcp_max_tw_buckets: 93}}\n"
	 "server: {delay: 50ms, jitter: 100%}\nload: {rate: 297/s, total: 233}",
	 "can wait at once (tcp_max_tw_buckets), and whether"},
	{DOUBT_FEW_WAIT_LATE,
	 "network: {ports: 40000-40063, sysctl: {net.ipv4.tcp_max_tw_buckets: 41}}\n"
	 "load: {concurrency: 4, total: 192}",
	 "by the clock the ports suffice, since no more than 41"},
	{DOUBT_TOGETHER, HALF_SECOND "loads: {a: {rate: 20/s}, b: {rate: 15/s, hold: 100ms}}",
	 "cannot be told for sure"},
	{DOUBT_PROBED, "network: {ports: 40000-40031}\nsample: {latency: 1s}\nload: {total: 32}",
	 "may have the last one"},
	{DOUBT_MISSED, "network: {ports: 40000-40032}\nload: {total: 33}", "of an odd range"},
	{DOUBT_ANSWERS_LATE,
	 FEW "server: {delay: 1s, jitter: 50%}\n"
	     "load: {end: reset, rate: 25/s, timeout: 4s, request: {send: 8B, receive: 8B}}",
	 "and on average, the ports suffice"},
	{DOUBT_ANSWERS,
	 FEW "server: {delay: 1s, jitter: 50%}\n"
	     "load: {end: reset, rate: 33/s, timeout: 4s, request: {send: 8B, receive: 8B}}",
	 "how long each answer takes, and the machine's speed"},
	{DOUBT_BIND_REPEATS,
	 "network: {ports: 40000-40031, services: 2, sysctl: {net.ipv4.ip_autobind_reuse: 1}}\n"
	 "load: {bind: address, end: leak, total: 100, options: {reuseaddr: true}}",
	 "net.ipv4.ip_autobind_reuse"},
	{DOUBT_UNREAD,
	 FEW "server: {behaviour: ignore}\nload: {rate: 10/s, request: {send: 16MiB}}",
	 "net.ipv4.tcp_orphan_retries"},
	{DOUBT_SOME_KEPT,
	 "network: {ports: 40000-40063, servers: 2}\nserver: {behaviour: accept-close}\n"
	 "load: {concurrency: 25, end: wait, hold: 40ms, duration: 1400ms, mix: {leak: 10%}}",
	 "some never give their port back"},
	{DOUBT_LATE,
	 "network: {ports: 40000-40007}\nload: {rate: 142/s, total: 80, hold: 20ms, end: reset}",
	 "how late the machine is decides"},
	{DOUBT_TIMER_LATE, "network: {ports: 40000-40007, time_wait: 100ms}\nload: {rate: 47/s}",
	 "a timer may be"},
	{DOUBT_BURST,
	 "network: {ports: 40000-40015}\nserver: {delay: 5ms}\n"
	 "load: {burst: {size: 32, every: 100ms}, total: 152, end: reset, request: {send: 64B, "
	 "receive: 64B}}",
	 "unless the first give their ports back"},
	{DOUBT_SLOWED, "network: {ports: 20000-59999, time_wait: 4s}\nload: {rate: 12k/s}",
	 "if all begin on schedule"},
	{DOUBT_HANGS,
	 "network: {ports: 40000-40063}\nserver: {behaviour: never-accept, backlog: 10}\n"
	 "load: {concurrency: 15, end: leak, timeout: 100ms, request: {send: 16B}}",
	 "is too close"},
	{DOUBT_LINGERS,
	 "network: {ports: 40000-40127, servers: 3, sources: 3}\nserver: {behaviour: reset}\n"
	 "load: {concurrency: 28, end: leak}",
	 "clients go on before the server has ended"},
	{DOUBT_SQUAT_LATE,
	 FEW "squat: {bind: 1, start: 200ms}\nload: {concurrency: 8, hold: 700ms, total: 22}",
	 "which ports squat finds free"},
	{DOUBT_SPEED,
	 "network: {ports: 40000-40015}\nload: {burst: {size: 28, every: 500ms}, total: 20, end: "
	 "reset}",
	 "the machine's speed decides"},
};

/* Of what is sustained, of where the half is full, and of a gateway whose client has ports enough. */
static const struct {
	enum doubt rate, half, gateway;
	const char *lines;
} others[] = {
	{DOUBT_NONE, DOUBT_NONE, DOUBT_NONE, FEW "load: {rate: 100/s}"},
	{DOUBT_NONE, DOUBT_POOL, DOUBT_NONE, FEW "load: {rate: 100/s, pool: {max_idle: 4}}"},
	{DOUBT_REUSED, DOUBT_POOL, DOUBT_NONE,
	 FEW "server: {vanish: 700ms}\nload: {rate: 1k/s, total: 96, pool: {max_idle: 8}}"},
	{DOUBT_ACCEPTED, DOUBT_NONE, DOUBT_NONE,
	 FEW "server: {accept_every: 5ms}\nload: {rate: 271/s}"},
	{DOUBT_SQUAT_NAMED, DOUBT_NONE, DOUBT_NONE,
	 FEW "squat: {bind: 1}\nload: {bind: port 40001, rate: 10/s, total: 8, end: leak}"},
	{DOUBT_POOL_LATE, DOUBT_NONE, DOUBT_NONE,
	 "network: {ports: 40000-40015}\nserver: {delay: 20ms}\nload: {concurrency: 15, pool: "
	 "{max_idle: 8}}"},
	{DOUBT_GATEWAY_KEEPS, DOUBT_POOL, DOUBT_GATEWAY_ENDS,
	 "network: {topology: nat, ports: 40000-40031, nat: {ports: 2000-2015}}\n"
	 "server: {delay: 20ms}\nload: {concurrency: 10, pool: {max_idle: 8}}"},
	{DOUBT_NONE, DOUBT_NONE, DOUBT_GATEWAY_RATE,
	 "network: {topology: nat, ports: 40000-40199, nat: {ports: 2000-2099}}\n"
	 "load: {rate: 0.833/s}\nstop: {time: 1h}"},
	{DOUBT_ACKNOWLEDGED, DOUBT_NONE, DOUBT_NONE,
	 "load: {bind: ports 41000-41007, options: {reuseaddr: true}, rate: 20/s}"},
	/* what has no rate is told */
	{DOUBT_NONE, DOUBT_NONE, DOUBT_NONE,
	 "network: {topology: loopback, ports: 40000-40031}\nserver: {behaviour: loop}\n"
	 "load: {rate: 10/s, total: 4}"},
};

/* What plan --json prints. */
static struct text plan_document(const struct plan *p, struct arena *a)
{
	struct out out = out_memory(ARENA_ARRAY(a, char, 1 << 16), 1 << 16);
	const struct planned one = {.scenario = p->scenario, .plan = *p};

	CU_ASSERT(plan_write_json(&out, &one, 1, *a));
	CU_ASSERT_EQUAL(out.sys, 0);
	return out_written(&out);
}

static void hold_reason(enum doubt why, const char *lines, const char *part)
{
	struct result *r, back;
	struct err err = {0};
	struct text said, told;
	struct outline o;
	struct trial t;

	trial_open(&t, lines);
	trial_judge(&t);
	o = outline_of(&t.plan);
	r = trial_result(&t, TEXT("a"));
	said = plan_doubt(&t.plan, &t.arena);
	told = text_format(&t.arena, "\"unknown\": \"%s\"", doubt_name(why));
	if (doubt_of(&t.plan, &o) != why || !text_has(said, part))
		printf("\n%s\n  is %s, not %s: " TEXT_FMT "\n", lines,
		       doubt_name(doubt_of(&t.plan, &o)), doubt_name(why), TEXT_ARG(said));
	CU_ASSERT_EQUAL(doubt_of(&t.plan, &o), why);
	CU_ASSERT(text_has(said, part));
	CU_ASSERT_FALSE(o.known);
	CU_ASSERT(text_has(plan_document(&t.plan, &t.arena), told.s));
	CU_ASSERT(text_has(trial_json(r, &t.arena), told.s));
	CU_ASSERT_FATAL(result_load(&back, "f", trial_json(r, &t.arena), &t.arena, &err));
	CU_ASSERT_EQUAL(back.runs[0].plan.unknown, why);
	CU_ASSERT(text_eq(back.runs[0].plan.doubt, said));
	trial_close(&t);
}

static void each_reason_has_its_scenario_and_its_sentence(void)
{
	for (size_t i = 0; i < sizeof(fates) / sizeof(fates[0]); i++)
		hold_reason(fates[i].why, fates[i].lines, fates[i].said);
}

static void so_have_those_of_rates_the_half_and_a_gateway(void)
{
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(others[i].lines, NULL, 1, &a);
		struct outline o = outline_of(&p);
		enum doubt rate = doubt_rate(&p, &o), half = doubt_half(&p, &o),
			   gateway = doubt_gateway(&p, &o);

		if (rate != others[i].rate || half != others[i].half ||
		    gateway != others[i].gateway)
			printf("\n%s\n  is %s, %s and %s\n", others[i].lines, doubt_name(rate),
			       doubt_name(half), doubt_name(gateway));
		CU_ASSERT_EQUAL(rate, others[i].rate);
		CU_ASSERT_EQUAL(half, others[i].half);
		CU_ASSERT_EQUAL(gateway, others[i].gateway);
		arena_close(&a);
	}
}

static void no_reason_is_without_a_row(void)
{
	bool has[DOUBTS] = {[DOUBT_NONE] = true};

	for (size_t i = 0; i < sizeof(fates) / sizeof(fates[0]); i++)
		has[fates[i].why] = true;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		has[others[i].rate] = has[others[i].half] = has[others[i].gateway] = true;
	for (int why = DOUBT_NONE + 1; why < DOUBTS; why++) {
		if (!has[why])
			printf("no row has %s\n", doubt_name((enum doubt)why));
		CU_ASSERT(has[why]);
		CU_ASSERT_EQUAL(doubt_find(text_of(doubt_name((enum doubt)why))), why);
		CU_ASSERT(doubt_words((enum doubt)why)[0] != '\0');
	}
	CU_ASSERT_EQUAL(doubt_find(TEXT("")), -1);
}

/* Who resets does not wait for the server; the other does. */
static void a_reason_of_one_load_names_it(void)
{
	struct arena a = help_arena();
	struct plan p = help_plan("network: {ports: 40000-40015, time_wait: 500ms}\n"
				  "server: {accept_every: 5ms, behaviour: answer}\n"
				  "loads: {a: {rate: 5/s, end: reset}, b: {rate: 25/s}}",
				  NULL, 1, &a);
	struct outline o = outline_of(&p);

	CU_ASSERT_EQUAL(doubt_of(&p, &o), DOUBT_ACCEPTED);
	CU_ASSERT_PTR_EQUAL(doubt_load(&p, DOUBT_ACCEPTED), &p.loads[1]);
	CU_ASSERT_PTR_NULL(doubt_load(&p, DOUBT_TOGETHER));
	arena_close(&a);
}

static const struct test tests[] = {
	TEST(each_reason_has_its_scenario_and_its_sentence),
	TEST(so_have_those_of_rates_the_half_and_a_gateway),
	TEST(no_reason_is_without_a_row),
	TEST(a_reason_of_one_load_names_it),
	TESTS_END,
};

const struct suite suite_doubt_why = {"plan: doubt, why", tests};
