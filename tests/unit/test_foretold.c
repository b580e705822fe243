/* What was predicted beside what was observed, and what is said of a difference. */
#include "judge/foretold.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "judge/gate_topic.h"
#include "plan/predict.h"
#include "suites.h"
#include "trial.h"

static const struct report_style plain = {0}, verbose = {.verbose = true};

#define CHURN \
	"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n" \
	"load: {rate: 200/s, total: 320}\n"

static enum outcome outcome(const struct trial *t, enum prediction what)
{
	return t->measures.predictions[what].outcome;
}

static double broken(const struct trial *t)
{
	return t->measures.fixed[MEASURE_PREDICTIONS_BROKEN].n;
}

static void a_run_as_predicted_breaks_nothing(void)
{
	struct trial t;

	trial_open(&t, CHURN);
	trial_dump(&t, 32);
	trial_exhaust(&t, 32);
	trial_judge(&t);
	CU_ASSERT_EQUAL(broken(&t), 0);
	CU_ASSERT_EQUAL(outcome(&t, PREDICTION_EXHAUSTED), OUTCOME_HOLDS);
	CU_ASSERT_EQUAL(outcome(&t, PREDICTION_AFTER), OUTCOME_HOLDS);
	CU_ASSERT_EQUAL(outcome(&t, PREDICTION_AT), OUTCOME_HOLDS);
	CU_ASSERT_EQUAL(outcome(&t, PREDICTION_USED), OUTCOME_HOLDS);
	CU_ASSERT_EQUAL(outcome(&t, PREDICTION_RECOVERED), OUTCOME_UNTRIED);
	CU_ASSERT_EQUAL(outcome(&t, PREDICTION_GATEWAY), OUTCOME_UNTOLD);
	trial_close(&t);
}

/* Never silence: in the summary with its number, in a line among others, and in JSON. */
static void a_broken_prediction_is_a_finding_with_its_number(void)
{
	struct result *r;
	struct text said;
	struct trial t;

	trial_open(&t, CHURN);
	trial_dump(&t, 30);
	trial_exhaust(&t, 30);
	r = trial_result(&t, TEXT("churn"));
	CU_ASSERT_EQUAL(r->runs[0].measures.predictions[PREDICTION_AFTER].outcome, OUTCOME_BROKEN);
	said = trial_summary(r, plain, false, &t.arena);
	CU_ASSERT(text_has(said,
			   "  but        exhausted.after: predicted 32; observed 30, 2 fewer, "
			   "beyond the\n             tolerance (none)\n"));
	CU_ASSERT(text_has(said, "predictions hold"));
	said = trial_summary(r, (struct report_style){.quiet = true}, false, &t.arena);
	CU_ASSERT(text_has(said, "3 predictions broken"));
	CU_ASSERT(text_has(trial_summary(r, verbose, false, &t.arena),
			   "ports.used.max: predicted 32; observed 30, 2 fewer: broken"));
	said = trial_json(r, &t.arena);
	CU_ASSERT(text_has(said, "\"predictions.broken\": 3"));
	CU_ASSERT(text_has(said, "\"outcome\": \"broken\""));
	trial_close(&t);
}

static void what_a_run_did_not_come_to_breaks_nothing(void)
{
	struct trial t;

	trial_open(&t, CHURN);
	t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 20;
	trial_judge(&t);
	CU_ASSERT_EQUAL(outcome(&t, PREDICTION_EXHAUSTED), OUTCOME_BROKEN);
	t.tape.cut_short = true;
	trial_judge(&t);
	CU_ASSERT_EQUAL(outcome(&t, PREDICTION_EXHAUSTED), OUTCOME_UNTRIED);
	CU_ASSERT_EQUAL(broken(&t), 0);
	trial_close(&t);
}

/* How far it fell behind is told; then a time beyond the prediction is the machine's. */
static void a_load_that_fell_behind_comes_late(void)
{
	struct trial t;

	trial_open(&t, CHURN);
	trial_exhaust(&t, 32);
	t.tape.refused_at_ns = 9000000000;
	t.tape.end_ns = 10000000000;
	trial_judge(&t);
	CU_ASSERT_EQUAL(outcome(&t, PREDICTION_AT), OUTCOME_BROKEN);
	t.tape.behind_ns = 8800000000;
	trial_judge(&t);
	CU_ASSERT_EQUAL(outcome(&t, PREDICTION_AT), OUTCOME_UNTRIED);
	CU_ASSERT_EQUAL(outcome(&t, PREDICTION_AFTER), OUTCOME_HOLDS);
	trial_close(&t);
}

/* How many are in flight as the last port is taken is told to some: not of a machine that was late. */
static void what_is_told_closely_is_so_of_a_machine_in_time(void)
{
	struct trial t;
	uint64_t most;

	trial_open(&t, "network: {ports: 40000-40031}\n"
		       "load: {bind: address, mix: {reset: 50%}, rate: 100/s, hold: 200ms, "
		       "duration: 10s}");
	most = t.plan.forecast.after_most;
	trial_exhaust(&t, most);
	trial_judge(&t);
	CU_ASSERT_EQUAL(outcome(&t, PREDICTION_AFTER), OUTCOME_HOLDS);
	t.tape.behind_ns = 30000000;
	trial_judge(&t);
	CU_ASSERT_EQUAL(outcome(&t, PREDICTION_AFTER), OUTCOME_HOLDS);
	trial_exhaust(&t, most + 1);
	trial_judge(&t);
	CU_ASSERT_EQUAL(outcome(&t, PREDICTION_AFTER), OUTCOME_UNTRIED);
	t.tape.behind_ns = 10000000;
	trial_judge(&t);
	CU_ASSERT_EQUAL(outcome(&t, PREDICTION_AFTER), OUTCOME_BROKEN);
	trial_close(&t);
}

/* It began what was due meanwhile together, and may have crowded its ports; if it has not, what was said
 * is so all the same. */
static void a_crowd_that_found_its_ports_is_as_foretold(void)
{
	struct trial t;

	trial_open(&t, "network: {ports: 40000-40031}\n"
		       "load: {rate: 10/s, hold: 1s, end: reset, duration: 10s}");
	t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.reset = 100;
	t.tape.behind_ns = 100000000;
	trial_judge(&t);
	CU_ASSERT_EQUAL(outcome(&t, PREDICTION_EXHAUSTED), OUTCOME_HOLDS);
	trial_exhaust(&t, 32);
	trial_judge(&t);
	CU_ASSERT_EQUAL(outcome(&t, PREDICTION_EXHAUSTED), OUTCOME_UNTRIED);
	t.tape.behind_ns = 10000000;
	trial_judge(&t);
	CU_ASSERT_EQUAL(outcome(&t, PREDICTION_EXHAUSTED), OUTCOME_BROKEN);
	trial_close(&t);
}

/* A leak with 16 descriptors for its sockets, and 32 ports. */
static void descriptors_that_end_first_are_held_against_the_run(void)
{
	static const struct {
		uint64_t opened, refused;
		enum outcome outcome;
	} rows[] = {
		{16, 1, OUTCOME_HOLDS},
		{15, 1, OUTCOME_BROKEN},
		{17, 1, OUTCOME_BROKEN},
		{16, 0, OUTCOME_BROKEN},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;

		trial_open(&t, "network: {ports: 40000-40031}\n"
			       "load: {end: leak, nofile: 19, rate: 100/s, total: 30}");
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.leaked = rows[i].opened;
		if (rows[i].refused)
			trial_fail(&t, STAGE_SOCKET, EMFILE, rows[i].refused);
		trial_judge(&t);
		CU_ASSERT_EQUAL(outcome(&t, PREDICTION_DESCRIPTORS), rows[i].outcome);
		trial_close(&t);
	}
}

/* 32 ports, each for 60 s: no more than 32 connections in the first minute. */
static void more_than_the_ports_sustain_is_told(void)
{
	static const struct {
		uint64_t opened;
		enum outcome outcome;
	} rows[] = {{32, OUTCOME_HOLDS}, {60, OUTCOME_BROKEN}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;

		trial_open(&t, CHURN);
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = rows[i].opened;
		trial_judge(&t);
		CU_ASSERT_EQUAL(outcome(&t, PREDICTION_SUSTAINED), rows[i].outcome);
		trial_close(&t);
	}
}

/* A bound that the ports, or load.total, keep by themselves; and a time that is lost in a machine's own. */
static void what_no_run_can_break_is_not_foretold(void)
{
	static const struct {
		const char *text;
		enum prediction what;
		bool is_told;
	} rows[] = {
		{"load: {rate: 200/s, total: 32}", PREDICTION_SUSTAINED, false},
		{"load: {rate: 200/s, total: 33}", PREDICTION_SUSTAINED, true},
		{"load: {rate: 200/s, total: 50}", PREDICTION_OPEN, false},
		{"load: {rate: 5/s, total: 50, hold: 1s}", PREDICTION_OPEN, true},
		{"load: {rate: 5/s, total: 20}", PREDICTION_OPEN, true}, /* 2 */
		{"load: {rate: 50/s, total: 50, hold: 3s}", PREDICTION_OPEN, false},
		{"load: {rate: 200/s, total: 50, end: leak}", PREDICTION_OPEN, true}, /* 32 */
		{"load: {rate: 200/s, total: 50}", PREDICTION_CLIFF, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[160];
		struct trial t;

		(void)snprintf(text, sizeof(text), "network: {ports: 40000-40031}\n%s\n",
			       rows[i].text);
		trial_open(&t, text);
		trial_exhaust(&t, 32);
		trial_judge(&t);
		CU_ASSERT_EQUAL(outcome(&t, rows[i].what) != OUTCOME_UNTOLD, rows[i].is_told);
		trial_close(&t);
	}
}

/* 33 are not due within the first 0.6 s, and 52 are later on. */
static void of_a_ramp_the_most_is_what_counts(void)
{
	static const struct {
		const char *ramp;
		enum outcome outcome; /* of a run that is refused none */
	} rows[] = {
		{"{to: 100/s, over: 1s}, {to: 0/s, over: 1s}", OUTCOME_BROKEN},
		{"{to: 100/s, over: 4s}", OUTCOME_BROKEN},
		/* 33 at once, for a moment */
		{"{to: 62/s, over: 1s}, {to: 0/s, over: 1s}", OUTCOME_UNTOLD},
		{"{to: 40/s, over: 1s}, {to: 0/s, over: 1s}", OUTCOME_HOLDS},
		{"{to: 40/s, over: 4s}", OUTCOME_HOLDS},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[200];
		struct trial t;

		(void)snprintf(
			text, sizeof(text),
			"network: {ports: 40000-40031}\nload: {ramp: [%s], duration: 5s, end: "
			"reset, hold: 600ms}\n",
			rows[i].ramp);
		trial_open(&t, text);
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.reset = 20;
		trial_judge(&t);
		CU_ASSERT_EQUAL(outcome(&t, PREDICTION_EXHAUSTED), rows[i].outcome);
		CU_ASSERT(plan_rate(&t.plan) > 0);
		trial_close(&t);
	}
}

static void a_recovery_is_waited_for_as_long_as_a_port_lives(void)
{
	static const struct {
		int64_t recovered_ns;
		enum outcome outcome;
	} rows[] = {
		{59900000000, OUTCOME_HOLDS},
		{62500000000, OUTCOME_HOLDS},
		{20000000000, OUTCOME_BROKEN},
		{90000000000, OUTCOME_BROKEN},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;

		trial_open(&t, CHURN);
		trial_exhaust(&t, 32);
		t.tape.recovered_ns = rows[i].recovered_ns;
		trial_judge(&t);
		CU_ASSERT_EQUAL(outcome(&t, PREDICTION_RECOVERED), rows[i].outcome);
		trial_close(&t);
	}
}

/* sample.latency: the port of the last connect that was timed may be the last one, and comes back. */
static void a_connect_that_is_timed_may_have_the_last_port(void)
{
	struct trial t;

	trial_open(&t, CHURN "sample: {latency: 2ms}\n");
	trial_exhaust(&t, 31);
	t.tape.recovered_ns = 2000000;
	trial_judge(&t);
	CU_ASSERT_EQUAL(outcome(&t, PREDICTION_AFTER), OUTCOME_HOLDS);
	CU_ASSERT_EQUAL(outcome(&t, PREDICTION_RECOVERED), OUTCOME_UNTOLD);
	CU_ASSERT_EQUAL(broken(&t), 0);
	trial_close(&t);
}

/* On a machine that was too slow for it: what would come of it was not seen either. */
static void without_exhaustion_its_bounds_are_not_reached(void)
{
	struct trial t;

	trial_open(&t, CHURN);
	trial_dump(&t, 30);
	t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 30;
	trial_judge(&t);
	CU_ASSERT_EQUAL(outcome(&t, PREDICTION_EXHAUSTED), OUTCOME_BROKEN);
	CU_ASSERT_EQUAL(outcome(&t, PREDICTION_USED), OUTCOME_UNTRIED);
	CU_ASSERT_EQUAL(outcome(&t, PREDICTION_SUSTAINED), OUTCOME_UNTRIED);
	CU_ASSERT_EQUAL(broken(&t), 1);
	trial_close(&t);
}

static void a_gateway_that_ends_is_held_to_its_number(void)
{
	static const struct {
		uint64_t opened, timeouts;
		enum outcome outcome;
	} rows[] = {{32, 1, OUTCOME_HOLDS}, {30, 1, OUTCOME_BROKEN}, {40, 0, OUTCOME_BROKEN}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;

		trial_open(&t, "network: {topology: nat, ports: 40000-40999, nat: {ports: "
			       "2000-2031}}\nload: {end: leak, total: 40}\n");
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.leaked = rows[i].opened;
		if (rows[i].timeouts)
			trial_fail(&t, STAGE_CONNECT, ETIMEDOUT, rows[i].timeouts);
		trial_judge(&t);
		CU_ASSERT_EQUAL(outcome(&t, PREDICTION_GATEWAY), rows[i].outcome);
		trial_close(&t);
	}
}

/* Each socket of UDP is open at once, whatever becomes of its request. */
static void a_gateway_that_ends_is_held_to_the_requests_of_udp(void)
{
	static const struct {
		uint64_t done, timeouts;
		enum outcome outcome;
	} rows[] = {{32, 8, OUTCOME_HOLDS}, {30, 10, OUTCOME_BROKEN}, {40, 0, OUTCOME_BROKEN}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;

		trial_open(&t, "network: {topology: nat, ports: 40000-40999, nat: {ports: "
			       "2000-2031}}\nload: {protocol: udp, request: {send: 64B, receive: "
			       "64B}, end: leak, total: 40}\n");
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.leaked = 40;
		t.tape.tally.requests_done = rows[i].done;
		if (rows[i].timeouts)
			trial_fail(&t, STAGE_RECEIVE, ETIMEDOUT, rows[i].timeouts);
		trial_judge(&t);
		CU_ASSERT_EQUAL(outcome(&t, PREDICTION_GATEWAY), rows[i].outcome);
		CU_ASSERT(text_has(
			trial_summary(trial_result(&t, TEXT("udp")), plain, false, &t.arena),
			"requests time out after 32"));
		trial_close(&t);
	}
}

/* Nobody listens: no connection of TCP is opened, and each socket of UDP is. */
static void sockets_of_udp_are_opened_whoever_listens(void)
{
	static const char *const rows[] = {
		"loads: {a: {protocol: udp, total: 20}}\n",
		"loads: {a: {protocol: udp, total: 20}, b: {total: 8, on_failure: continue}}\n",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[200];
		struct trial t;

		snprintf(lines, sizeof(lines), "server: {behaviour: refuse}\n%s", rows[i]);
		trial_open(&t, lines);
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 20;
		trial_judge(&t);
		CU_ASSERT_NOT_EQUAL(outcome(&t, PREDICTION_SUSTAINED), OUTCOME_BROKEN);
		trial_close(&t);
	}
}

/* What hangs until its timeout has a port, and is not opened; what speaks UDP is. */
static void of_those_before_a_refusal_some_are_open(void)
{
	struct trial t;

	trial_open(&t,
		   "network: {ports: 40000-40031}\nserver: {behaviour: drop}\nloads: {a: {rate: "
		   "200/s, total: 90}, b: {protocol: udp, rate: 200/s, total: 90, end: leak}}");
	CU_ASSERT(t.plan.forecast.counted && t.plan.forecast.refused.least > 0);
	CU_ASSERT(t.plan.forecast.after_most >= 32);
	t.tape.tally.leaked = 31;
	trial_exhaust(&t, 31);
	trial_judge(&t);
	CU_ASSERT_EQUAL(outcome(&t, PREDICTION_AFTER), OUTCOME_HOLDS);
	trial_close(&t);
}

/* Of loads that are not there together each has its ports, and no more than the one that has most. */
static void who_comes_after_another_has_ports_as_well(void)
{
	struct trial t;

	trial_open(&t,
		   "network: {ports: 40000-40063}\nloads: {a: {concurrency: 33, duration: 200ms, "
		   "hold: 20ms, protocol: udp}, b: {burst: {size: 4}, total: 8, start: 900ms, "
		   "hold: 70ms, protocol: udp}}");
	trial_dump(&t, 33);
	t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 40;
	trial_judge(&t);
	CU_ASSERT_EQUAL(outcome(&t, PREDICTION_USED), OUTCOME_HOLDS);
	CU_ASSERT(t.measures.predictions[PREDICTION_USED].predicted.most < 60);
	trial_close(&t);
}

/* The first port comes back soon after the refusal: a dump may miss that all were in use. */
static void what_comes_back_soon_need_not_be_seen(void)
{
	struct trial t;

	trial_open(&t,
		   "network: {ports: 40000-40063, sysctl: {net.ipv4.tcp_fin_timeout: 1}}\nserver: "
		   "{behaviour: hold}\nload: {burst: {size: 26, every: 500ms}, total: 89, hold: "
		   "70ms}");
	CU_ASSERT_EQUAL(t.plan.forecast.after, 64);
	trial_dump(&t, 52);
	trial_exhaust(&t, 64);
	trial_judge(&t);
	CU_ASSERT_EQUAL(outcome(&t, PREDICTION_USED), OUTCOME_UNTOLD);
	trial_close(&t);
}

#define RANGE "network: {ports: 40000-40031, servers: 4}\n"
#define TOGETHER(bind) \
	"loads: {a: {rate: 200/s, total: 300, bind: " bind \
	"}, b: {protocol: udp, total: 40, end: leak}}"

/* They are measured of one range, and no more than are usable of it: what is in use of another is not told. */
static void ports_in_use_are_foretold_of_the_range_that_is_measured(void)
{
	static const struct {
		const char *lines;
		enum outcome outcome;
	} rows[] = {{RANGE TOGETHER("none"), OUTCOME_BROKEN},
		    {RANGE TOGETHER("local-port-range 40000-40007"), OUTCOME_UNTOLD},
		    {RANGE "squat: {bind: 5}\n" TOGETHER("none"), OUTCOME_UNTOLD}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;

		trial_open(&t, rows[i].lines);
		trial_dump(&t, 8);
		trial_exhaust(&t, 64);
		trial_judge(&t);
		CU_ASSERT_EQUAL(outcome(&t, PREDICTION_USED), rows[i].outcome);
		trial_close(&t);
	}
}

static void what_cannot_be_told_has_a_reason(void)
{
	struct trial t;

	trial_open(&t, "load: {concurrency: 10, pool: {max_idle: 4}}\n");
	CU_ASSERT(text_has(trial_summary(trial_result(&t, TEXT("pool")), plain, false, &t.arena),
			   "predicted  cannot be told: how many"));
	trial_close(&t);
}

/* 59 s sooner was put down to the timers of TIME_WAIT, which go in steps of 2 s; it was SYN_SENT. */
static void a_recovery_that_came_sooner_has_its_reason(void)
{
	static const struct {
		double seen;
		uint32_t waiting, asking;
		bool told;
	} rows[] = {{0.8e9, 7, 5, true}, {0.8e9, 12, 0, false}, {90e9, 7, 5, false}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct compared *c;
		struct text said;
		struct result *r;
		struct trial t;

		trial_run_out(&t);
		r = trial_result(&t, TEXT("sooner"));
		c = &r->runs[0].measures.predictions[PREDICTION_RECOVERED];
		*c = (struct compared){.predicted = {60e9, 60e9, 63e9},
				       .observed = {true, rows[i].seen},
				       .outcome = OUTCOME_BROKEN};
		r->runs[0].used_states[STATE_TIME_WAIT] = (struct value){true, rows[i].waiting};
		r->runs[0].used_states[STATE_SYN_SENT] = (struct value){true, rows[i].asking};
		said = trial_summary(r, plain, false, &t.arena);
		CU_ASSERT(text_has(said, "  but        recovered.at: predicted 60 s"));
		CU_ASSERT_EQUAL(text_has(said, "came back"), rows[i].told);
		CU_ASSERT_EQUAL(text_has(said, " SYN_SENT\n"), rows[i].told);
		trial_close(&t);
	}
}

static void what_has_no_bound_above_is_told_as_at_least(void)
{
	static const struct {
		struct guess guess;
		const char *said;
	} rows[] = {
		{{1, 1, INFINITY}, "nat.drop was to be at least 1, and is 0."},
		{{3, 3, 3}, "nat.drop was to be 3, and is 0."},
		{{3, 4, 5}, "nat.drop was to be 3 to 5, and is 0."},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct evidence e;
		struct trial t;

		trial_run_out(&t);
		trial_judge(&t);
		t.measures.predictions[PREDICTION_DROPS] =
			(struct compared){.predicted = rows[i].guess,
					  .observed = {true, 0},
					  .outcome = OUTCOME_BROKEN};
		e = evidence_of(&t.plan, &t.tape, &t.measures, &t.arena);
		CU_ASSERT(row_says(i, text_of(gate_topics[TOPIC_FORETOLD].say(&e)), rows[i].said));
		trial_close(&t);
	}
}

static const struct test tests[] = {
	TEST(a_run_as_predicted_breaks_nothing),
	TEST(a_broken_prediction_is_a_finding_with_its_number),
	TEST(what_a_run_did_not_come_to_breaks_nothing),
	TEST(a_load_that_fell_behind_comes_late),
	TEST(what_is_told_closely_is_so_of_a_machine_in_time),
	TEST(a_crowd_that_found_its_ports_is_as_foretold),
	TEST(descriptors_that_end_first_are_held_against_the_run),
	TEST(more_than_the_ports_sustain_is_told),
	TEST(what_no_run_can_break_is_not_foretold),
	TEST(of_a_ramp_the_most_is_what_counts),
	TEST(a_recovery_is_waited_for_as_long_as_a_port_lives),
	TEST(a_connect_that_is_timed_may_have_the_last_port),
	TEST(without_exhaustion_its_bounds_are_not_reached),
	TEST(a_gateway_that_ends_is_held_to_its_number),
	TEST(a_gateway_that_ends_is_held_to_the_requests_of_udp),
	TEST(sockets_of_udp_are_opened_whoever_listens),
	TEST(of_those_before_a_refusal_some_are_open),
	TEST(who_comes_after_another_has_ports_as_well),
	TEST(what_comes_back_soon_need_not_be_seen),
	TEST(ports_in_use_are_foretold_of_the_range_that_is_measured),
	TEST(what_cannot_be_told_has_a_reason),
	TEST(a_recovery_that_came_sooner_has_its_reason),
	TEST(what_has_no_bound_above_is_told_as_at_least),
	TESTS_END,
};

const struct suite suite_foretold = {"foretold", tests};
