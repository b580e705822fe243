/* What to try, and what not: of no use, harmful, or set already. */
#include <errno.h>
#include <stdio.h>

#include "advice_check.h"
#include "judge/cause.h"
#include "judge/rule.h"
#include "suites.h"
#include "trial.h"

#define SMALL "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"

/* A run whose TIME_WAIT was shortened: what to change is about hosts where it is not. */
static void advice_is_reckoned_with_the_kernels_own_time(void)
{
	static const struct {
		const char *lines, *given, *not_given;
	} rows[] = {
		{"network: {ports: 40000-40031, time_wait: 6s}\nload: {rate: 200/s}",
		 "64,512 ports, 2,016 times as many, 1,075/s (enough)", "5.33/s"},
		{"network: {ports: 40000-40031, time_wait: 500ms}\nload: {rate: 20/s}",
		 "tcp_tw_reuse=1: a connect may take a port that was 1 s in TIME_WAIT, 32/s "
		 "(enough)",
		 "64/s"},
		{"network: {ports: 40000-40031, time_wait: 500ms, sysctl: {net.ipv4.tcp_tw_reuse: "
		 "1}}\nload: {rate: 100/s}",
		 "adds 32 ports, 32/s", "64/s"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;
		const struct finding *f;

		trial_churned(&t, rows[i].lines);
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(lines_have(&f->attempt, rows[i].given));
		CU_ASSERT(!lines_have(&f->attempt, rows[i].not_given));
		trial_close(&t);
	}
}

/* The kernel's range is not asked there. */
static void a_range_of_ones_own_is_not_widened_by_the_sysctl(void)
{
	static const struct {
		const char *bind, *given;
	} rows[] = {
		{"ports 45000-45031", "more ports to name than 45000-45031"},
		{"local-port-range 40000-40031", "a wider IP_LOCAL_PORT_RANGE than 40000-40031"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[120];
		struct trial t;
		const struct finding *f;

		snprintf(lines, sizeof(lines), "network: {ports: 40000-40999}\nload: {bind: %s}",
			 rows[i].bind);
		trial_churned(&t, lines);
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(lines_have(&f->attempt, rows[i].given));
		CU_ASSERT(!lines_have(&f->attempt, "widen net.ipv4"));
		trial_close(&t);
	}
}

static void what_is_set_already_is_no_advice(void)
{
	static const struct {
		const char *lines, *given, *not_given;
	} rows[] = {
		{"network: {ports: 40000-40063, sysctl: {net.ipv4.tcp_tw_reuse: 1, "
		 "net.ipv4.tcp_timestamps: 0}}\nload: {rate: 1k/s}",
		 "net.ipv4.tcp_timestamps=1: tcp_tw_reuse is set, and does nothing without "
		 "timestamps; with them a connect may take a port that was 1 s in TIME_WAIT, 64/s",
		 "tcp_tw_reuse=1"},
		{"network: {ports: 40000-40063, topology: loopback, sysctl: "
		 "{net.ipv4.tcp_timestamps: 0}}",
		 "tcp_tw_reuse is set", "tcp_tw_reuse=1"},
		{"network: {ports: 40000-40063, sysctl: {net.ipv4.tcp_timestamps: 0}}",
		 "tcp_tw_reuse=1", "is set"},
		{"network: {ports: 40000-40063, sysctl: {net.ipv4.tcp_tw_reuse: 1}}", "keep",
		 "tcp_t"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;
		const struct finding *f;

		trial_open(&t, rows[i].lines);
		trial_exhaust(&t, 64);
		t.tape.tally.closed = 64;
		trial_dump(&t, 64)->states[STATE_TIME_WAIT] = 64;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(lines_have(&f->attempt, rows[i].given));
		CU_ASSERT(!lines_have(&f->attempt, rows[i].not_given));
		CU_ASSERT_EQUAL(lines_have(&f->wont_help, "tcp_tw_reuse=2"), i == 2);
		trial_close(&t);
	}
}

/* connect() chooses none of them: neither a destination nor tcp_tw_reuse adds any. */
static void what_only_connect_could_have_is_no_advice_for_bound_ports(void)
{
	static const char *const no[] = {"tcp_tw_reuse", "further destination", "adds as many"};
	const struct finding *f;
	struct trial t;

	trial_churned(&t, SMALL "load: {rate: 200/s, bind: address}");
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		CU_ASSERT(!lines_have(&f->attempt, no[i]));
	trial_close(&t);
}

static void a_wide_range_is_not_to_be_widened(void)
{
	struct trial t;
	const struct finding *f;

	trial_open(&t, "network: {ports: 1024-65535}");
	trial_exhaust(&t, 64512);
	t.tape.tally.closed = 64512;
	trial_dump(&t, 64512)->states[STATE_TIME_WAIT] = 64512;
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(!lines_have(&f->attempt, "widen"));
	trial_close(&t);
}

/* A trial in which nearly all goes wrong. */
static void check_advice(const char *lines, uint64_t unanswered)
{
	static const int errors[][2] = {
		{STAGE_SOCKET, EMFILE},	       {STAGE_SOCKET, ENFILE},
		{STAGE_SOCKET, ENOBUFS},       {STAGE_CONNECT, ECONNREFUSED},
		{STAGE_CONNECT, ETIMEDOUT},    {STAGE_BIND, EADDRNOTAVAIL},
		{STAGE_CONNECT, EADDRNOTAVAIL}};
	struct trial t;
	struct sample *s;

	trial_open(&t, lines);
	trial_exhaust(&t, 40);
	t.tape.tally.leaked = 10;
	t.tape.tally.inherited = 8;
	t.tape.tally.self_connects = 1;
	t.tape.tally.closed = 30;
	trial_dump(&t, 0)->parts |= SAMPLE_GATEWAY;
	s = trial_dump(&t, 32);
	s->parts |= SAMPLE_GATEWAY;
	s->gateway = (struct tracked){.entries = 32, .insert_failed = 5, .drop = 5};
	s->states[STATE_ESTABLISHED] = 28;
	s->states[STATE_TIME_WAIT] = 10;
	s->states[STATE_FIN_WAIT2] = 10;
	s->states[STATE_SYN_SENT] = unanswered;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		trial_fail(&t, (enum stage)errors[i][0], errors[i][1], 1);
	trial_judge(&t);
	CU_ASSERT(t.verdict.cause_count >= 8);
	for (size_t c = 0; c < t.verdict.cause_count; c++)
		advice_check(&t.verdict.causes[c]);
	trial_close(&t);
}

static void harmful_advice_is_never_given(void)
{
	check_advice("network: {ports: 40000-40031}\nload: {hold: 1s}", 0);
	check_advice("network: {ports: 40000-40031}\nload: {hold: 1s}", 12);
	check_advice("network: {ports: 40000-40063}\nload: {hold: 1s}\n"
		     "squat: {bind: 8, listen: [40000-40007]}",
		     0);
	check_advice("network: {ports: 40000-40031, topology: nat, nat: {ports: 2000-2031, limit: "
		     "32}}\nload: {hold: 1s}",
		     0);
	check_advice("network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 1, "
		     "net.ipv4.tcp_timestamps: 0}}\nload: {bind: ports 40000-40031}",
		     0);
	check_advice("network: {ports: 40000-40031, time_wait: 500ms, reserved: [40000-40015]}\n"
		     "load: {bind: address, options: {reuseaddr: true}, rate: 100/s}",
		     0);
}

/* Whatever the figures are: of every row, and there is one for each word. */
static void each_cause_has_a_rule_whose_words_do_no_harm(void)
{
	for (int i = 0; i < CAUSES; i++) {
		const struct rule *r = rule_find((enum cause)i);
		struct text attempt[ADVICE_MOST], in_vain[ADVICE_MOST];
		struct finding f = {.cause = (enum cause)i,
				    .why = TEXT("why"),
				    .attempt = {attempt, 0},
				    .wont_help = {in_vain, 0}};

		CU_ASSERT_PTR_NOT_NULL_FATAL(r);
		advice_add_all(&f.attempt, r->attempt);
		advice_add_all(&f.wont_help, r->in_vain);
		if (r->advise && f.attempt.count == 0)
			advice_add(&f.attempt, TEXT("what the figures say"));
		CU_ASSERT(r->seen[0] != MEASURE_CONNECTS_ATTEMPTED);
		advice_check(&f);
	}
}

/* What the figures add to it, whatever they are: of every row, with runs of many kinds before it. */
/* Of two loads: the first is refused, and the other has kept what there was. */
static void loads_put(struct trial *t)
{
	struct tape *loads = ARENA_ARRAY(&t->arena, struct tape, 2);

	loads[0] = (struct tape){.load = TEXT("a"), .exhausted = true};
	loads[1] = (struct tape){.load = TEXT("b"), .refused_at_ns = -1};
	loads[0].tally.errors[STAGE_CONNECT][EADDRNOTAVAIL] = loads[0].tally.failed = 1;
	loads[1].tally.opened = loads[1].tally.leaked = 32;
	t->tape.loads = loads;
	t->tape.load_count = 2;
}

static void what_a_cause_adds_to_its_words_does_no_harm(void)
{
	static const char *const runs[] = {
		SMALL "load: {rate: 200/s, hold: 1s}",
		SMALL "load: {rate: 200/s, mix: {leak: 50%}}",
		"load: {concurrency: 8}",
		"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 1, "
		"net.ipv4.tcp_timestamps: 0}}\nload: {rate: 200/s}",
		"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 2}}\nload: {rate: "
		"200/s}",
		"network: {ports: 40000-40031, topology: loopback}\nload: {bind: address}",
		"network: {ports: 40000-40031, sources: 2, servers: 3}\nload: {bind: ports "
		"45000-45031}",
		"network: {ports: 40000-40031, topology: nat, nat: {ports: 2000-2031, limit: 10}}\n"
		"load: {rate: 200/s}",
		"network: {ports: 40000-40031, reserved: [40000-40015]}\n"
		"load: {protocol: udp, rate: 200/s, request: {send: 8B}}",
		"network: {ports: 40000-40031}\nload: {concurrency: 10, pool: {max_idle: 2}, "
		"request: "
		"{send: 8B}, on_failure: {retry: 3}}",
		SMALL "loads: {a: {rate: 200/s}, b: {rate: 200/s, end: leak}}",
	};

	for (size_t k = 0; k < sizeof(runs) / sizeof(runs[0]); k++) {
		struct trial t;
		struct evidence e;

		trial_open(&t, runs[k]);
		trial_exhaust(&t, 32);
		t.tape.tally.leaked = t.tape.tally.closed = 16;
		if (t.plan.load_count == 2)
			loads_put(&t);
		trial_fail(&t, STAGE_SOCKET, EMFILE, 1);
		trial_fail(&t, STAGE_SOCKET, ENFILE, 1);
		trial_dump(&t, 32)->states[STATE_TIME_WAIT] = 16;
		trial_judge(&t);
		e = evidence_of(&t.plan, &t.tape, &t.measures, &t.arena);
		for (int i = 0; i < CAUSES; i++) {
			const struct rule *r = rule_find((enum cause)i);
			struct text attempt[ADVICE_MOST], in_vain[ADVICE_MOST];
			struct finding f = {.cause = (enum cause)i,
					    .attempt = {attempt, 0},
					    .wont_help = {in_vain, 0}};

			if (r && r->advise)
				r->advise(&f, &e);
			advice_check_lines(f.cause, &f.attempt);
		}
		trial_close(&t);
	}
}

static void the_list_of_wrong_advice_is_looked_for_item_by_item(void)
{
	for (int item = 1; item <= ADVICE_ITEMS; item++)
		CU_ASSERT(advice_warns_of(item));
	CU_ASSERT(!advice_warns_of(ADVICE_ITEMS + 1));
	/* bounds of one parity would have connect() and bind() begin in the same half */
	CU_ASSERT_NOT_EQUAL(advice_widest.lo % 2, advice_widest.hi % 2);
}

/* What is recommended wherever this error is met, each with the cause where it is warned of. */
static void what_is_wrongly_recommended_is_warned_of(void)
{
	static const struct {
		const char *advice;
		enum cause cause;
	} wrong[] = {
		{"tcp_tw_recycle", CAUSE_TIME_WAIT_CHURN},
		{"tcp_fin_timeout", CAUSE_TIME_WAIT_CHURN},
		{"tcp_max_tw_buckets", CAUSE_TIME_WAIT_CHURN},
		{"tcp_max_tw_buckets", CAUSE_TW_OVERFLOW},
		{"ulimit", CAUSE_TIME_WAIT_CHURN},
		{"tcp_tw_reuse on a server", CAUSE_SERVER_TIME_WAIT},
		{"neither is asked without timestamps", CAUSE_TIMESTAMPS_OFF},
		{"the setting on the server", CAUSE_TW_REUSE_SCOPE},
		{"SO_REUSEADDR, SO_REUSEPORT", CAUSE_BIND_FIRST},
		{"SO_REUSEADDR", CAUSE_UDP_SOCKETS},
		{"SO_LINGER", CAUSE_TIME_WAIT_CHURN},
		{"keep-alive off", CAUSE_POOL_IDLE_CAP},
		{"more clients", CAUSE_LINUX_SNAT},
		{"fully-random", CAUSE_LINUX_SNAT},
		{"nf_conntrack_max", CAUSE_LINUX_SNAT},
		{"restarting the client", CAUSE_TIME_WAIT_CHURN},
		{"the sysctl on the host", CAUSE_CONTAINER_RANGE},
		{"TCP_TIMEWAIT_LEN", CAUSE_TIME_WAIT_CHURN},
		{"tcp_syncookies", CAUSE_TIME_WAIT_CHURN},
		{"waiting a minute", CAUSE_SERVER_RESTART},
		{"more tries", CAUSE_RETRY_STORM},
		{"only half can be used", CAUSE_LATENCY_CLIFF},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct text lines[ADVICE_MOST];
		struct line_list in_vain = {lines, 0};

		advice_add_all(&in_vain, rule_find(wrong[i].cause)->in_vain);
		if (!lines_have(&in_vain, wrong[i].advice))
			CU_FAIL(wrong[i].advice);
	}
}

/* 64 at once want 64 ports; 64 every 8 s are 8/s, which with a port for 2 s each want 16. */
static void a_burst_is_to_be_spread_where_its_rate_fits(void)
{
	static const struct {
		const char *load;
		const char *given; /* NULL: it is no advice */
	} rows[] = {
		{"burst: {size: 64, every: 8s}, hold: 2s, end: reset",
		 "spread the burst: 64 connections every 8 s are 8/s, which evenly, with a port "
		 "for "
		 "2 s each, want 16 ports at once (enough)"},
		{"burst: {size: 64, every: 4500ms}, hold: 2s, end: reset", "want 29 ports at once"},
		/* 32 of 32: a close may be late */
		{"burst: {size: 64, every: 4s}, hold: 2s, end: reset", NULL},
		{"burst: {size: 64, every: 3s}, hold: 2s, end: reset", NULL},
		{"rate: 8/s, hold: 2s, end: reset", NULL},
		/* closed, each has its port for 60 s more; and for ever, if nobody closes it */
		{"burst: {size: 64, every: 16s}, hold: 2s", NULL},
		{"burst: {size: 64, every: 16s}, hold: 2s, end: inherit", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		char lines[200];
		struct trial t;

		snprintf(lines, sizeof(lines), SMALL "load: {%s}", rows[i].load);
		trial_open(&t, lines);
		trial_exhaust(&t, 32);
		t.tape.tally.open = 32;
		trial_dump(&t, 32)->states[STATE_ESTABLISHED] = 32;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_LIVE_SATURATION);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT_EQUAL(lines_have(&f->attempt, "spread the burst"), rows[i].given != NULL);
		CU_ASSERT(!rows[i].given || lines_have(&f->attempt, rows[i].given));
		trial_close(&t);
	}
}

/* Those that wait count with those that are open: a port for 60 s more, and 2.05 s if its timer is late. */
static void a_burst_that_waits_is_spread_over_the_whole_of_it(void)
{
	static const char *const every[] = {"130s", "120s"};

	for (size_t i = 0; i < 2; i++) {
		const struct finding *f;
		char lines[200];
		struct trial t;

		snprintf(lines, sizeof(lines), SMALL "load: {burst: {size: 64, every: %s}}",
			 every[i]);
		trial_churned(&t, lines);
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT_EQUAL(lines_have(&f->attempt, "with a port for 62 s each, want 31 ports"),
				i == 0);
		trial_close(&t);
	}
}

static const struct test tests[] = {
	TEST(advice_is_reckoned_with_the_kernels_own_time),
	TEST(a_range_of_ones_own_is_not_widened_by_the_sysctl),
	TEST(what_is_set_already_is_no_advice),
	TEST(what_only_connect_could_have_is_no_advice_for_bound_ports),
	TEST(a_burst_is_to_be_spread_where_its_rate_fits),
	TEST(a_burst_that_waits_is_spread_over_the_whole_of_it),
	TEST(a_wide_range_is_not_to_be_widened),
	TEST(harmful_advice_is_never_given),
	TEST(each_cause_has_a_rule_whose_words_do_no_harm),
	TEST(what_a_cause_adds_to_its_words_does_no_harm),
	TEST(the_list_of_wrong_advice_is_looked_for_item_by_item),
	TEST(what_is_wrongly_recommended_is_warned_of),
	TESTS_END,
};

const struct suite suite_advice = {"cause: advice", tests};
