/* Loads that want nothing of each other's ports: what is said of one is not said of the other. */
#include "plan/part.h"

#include <errno.h>
#include <math.h>

#include "judge/outlook.h"
#include "plan/predict.h"
#include "suites.h"
#include "trial.h"

#define SMALL "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
#define FAMILIES \
	SMALL "loads: {four: {rate: 200/s, total: 20}, six: {family: ipv6, rate: 1/s, hold: 2s, " \
	      "end: reset, " \
	      "total: 20}}\n"

enum { LOADS_MOST = 4 };

static void each_has_a_life_a_rate_and_a_name_of_its_own(void)
{
	static const struct {
		const char *loads;
		uint32_t count;
		struct {
			const char *name;
			int64_t life_ns;
			double rate;
		} parts[PARTS_MOST];
	} rows[] = {
		{"{a: {}, b: {}}", 1, {{"all", 60000000000, 32 / 60.}}},
		{"{a: {}, b: {family: ipv6, hold: 2s, end: reset}}",
		 2,
		 {{"IPv4", 60000000000, 32 / 60.}, {"IPv6", 2000000000, 16}}},
		{"{a: {end: leak}, b: {protocol: udp, hold: 4s}}",
		 2,
		 {{"TCP", FOR_EVER, 0}, {"UDP", 4000000000, 8}}},
		{"{a: {family: ipv6}, b: {}, c: {protocol: udp, end: leak}}",
		 3,
		 {{"TCP over IPv4", 60000000000, 32 / 60.},
		  {"TCP over IPv6", 60000000000, 32 / 60.},
		  {"UDP", FOR_EVER, 0}}},
		{"{a: {pool: {max_idle: 2}}, b: {protocol: udp, end: close}}",
		 2,
		 {{"TCP", 60000000000, NAN}, {"UDP", 0, INFINITY}}},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan p =
			help_plan(text_format(&a, SMALL "loads: %s", rows[i].loads).s, NULL, 1, &a);
		struct load_plan loads[LOADS_MOST];
		struct part parts[PARTS_MOST];

		CU_ASSERT_EQUAL_FATAL(parts_of(parts, &p), rows[i].count);
		for (uint32_t k = 0; k < rows[i].count; k++) {
			double rate = rows[i].parts[k].rate;
			struct plan part;

			part_of(&part, &p, parts[k], loads);
			CU_ASSERT_STRING_EQUAL(part_name(parts[k], &p), rows[i].parts[k].name);
			CU_ASSERT_EQUAL(part.forecast.port_life_ns, rows[i].parts[k].life_ns);
			CU_ASSERT(isnan(rate)	? isnan(part.forecast.rate)
				  : isinf(rate) ? isinf(part.forecast.rate)
						: fabs(part.forecast.rate - rate) < 1e-9);
		}
		arena_close(&a);
	}
}

/* 200/s of IPv4 have its ports used up in 0.16 s; 1/s of IPv6 goes on for ever. */
static void how_long_the_ports_last_is_told_of_each(void)
{
	const struct result *r;
	struct text told;
	struct trial t;

	trial_open(&t, FAMILIES);
	t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 21;
	t.tape.end_ns = 100000000;
	r = trial_result(&t, TEXT("both"));
	CU_ASSERT_EQUAL_FATAL(r->runs[0].plan.part_count, 2);
	CU_ASSERT_EQUAL(r->runs[0].plan.parts[0].lasts_ns, 160000000);
	CU_ASSERT_EQUAL(r->runs[0].plan.parts[1].lasts_ns, 0);
	CU_ASSERT_EQUAL(r->runs[0].plan.lasts_ns, 0);
	told = trial_summary(r, (struct report_style){0}, false, &t.arena);
	CU_ASSERT(text_has(told, "but        at 200/s the ports of IPv4 last 0.16 s; this run took "
				 "0.1 s"));
	CU_ASSERT(text_has(told, "sustainable: 0.533/s of"));
	CU_ASSERT(text_has(told, "IPv4, 16/s"));
	CU_ASSERT(!text_has(told, "ports of IPv6 last"));
	trial_close(&t);
}

/* A rate that cannot be told was null, which is any rate: it is not there. */
static void a_rate_that_cannot_be_told_is_absent_and_any_rate_null(void)
{
	struct result back = {0};
	struct err err = {0};
	struct text json, told;
	struct trial t;

	trial_open(&t, SMALL "loads: {a: {pool: {max_idle: 2}}, b: {protocol: udp, end: close}}");
	json = trial_json(trial_result(&t, TEXT("both")), &t.arena);
	CU_ASSERT(text_has(json, "\"sustained\": null"));
	CU_ASSERT_FATAL(result_load(&back, "result.json", json, &t.arena, &err));
	CU_ASSERT_EQUAL_FATAL(back.runs[0].plan.part_count, 2);
	CU_ASSERT(text_is(back.runs[0].plan.parts[0].name, "TCP"));
	CU_ASSERT(isnan(back.runs[0].plan.parts[0].sustained));
	CU_ASSERT(isinf(back.runs[0].plan.parts[1].sustained));
	told = trial_summary(&back, (struct report_style){0}, false, &t.arena);
	CU_ASSERT(text_has(told, "rate that cannot be told of TCP"));
	CU_ASSERT(text_has(told, "rate of UDP"));
	trial_close(&t);
}

/* 33 sockets of UDP and 20 of TCP: the refusal is UDP's, after its 32, and what TCP had by then. */
static void the_refusal_of_one_part_is_predicted_beside_the_others(void)
{
	struct foretold said[PREDICTIONS];
	struct arena a = help_arena();
	struct plan p = help_plan(
		SMALL "loads: {tcp: {rate: 10/s, total: 20}, udp: {protocol: udp, end: leak, "
		      "rate: 100/s, total: 40, start: 1s}}",
		NULL, 1, &a);

	predict(said, &p, 0);
	CU_ASSERT(said[PREDICTION_EXHAUSTED].told && said[PREDICTION_EXHAUSTED].value.least == 1);
	CU_ASSERT_FATAL(said[PREDICTION_AFTER].told && said[PREDICTION_AT].told);
	CU_ASSERT_EQUAL(said[PREDICTION_AFTER].value.least, 32);
	CU_ASSERT_EQUAL(said[PREDICTION_AFTER].value.likely, 32 + 14); /* TCP has 14 by 1.32 s */
	CU_ASSERT_EQUAL(said[PREDICTION_AFTER].value.most, 52);
	CU_ASSERT_EQUAL(said[PREDICTION_AT].value.likely, 1320000000);
	CU_ASSERT_EQUAL(said[PREDICTION_USED].value.most, 32);
	CU_ASSERT(!said[PREDICTION_RECOVERED].told);
	arena_close(&a);
}

static void what_is_opened_of_all_is_what_each_sustains(void)
{
	struct foretold said[PREDICTIONS];
	struct arena a = help_arena();
	struct plan p =
		help_plan(SMALL "loads: {four: {rate: 200/s}, six: {family: ipv6, rate: 200/s}}",
			  NULL, 1, &a);

	predict(said, &p, 1e9);
	CU_ASSERT_FATAL(said[PREDICTION_SUSTAINED].told);
	CU_ASSERT_EQUAL(said[PREDICTION_SUSTAINED].value.likely, 64);
	CU_ASSERT_EQUAL(said[PREDICTION_USED].value.likely, 32);
	/* both run out at once: a refusal of either is the first */
	CU_ASSERT(said[PREDICTION_EXHAUSTED].told && said[PREDICTION_AFTER].told);
	CU_ASSERT_EQUAL(said[PREDICTION_AFTER].value.least, 32);
	CU_ASSERT_EQUAL(said[PREDICTION_AFTER].value.likely, 64);
	arena_close(&a);
}

static const struct test tests[] = {
	TEST(each_has_a_life_a_rate_and_a_name_of_its_own),
	TEST(how_long_the_ports_last_is_told_of_each),
	TEST(a_rate_that_cannot_be_told_is_absent_and_any_rate_null),
	TEST(the_refusal_of_one_part_is_predicted_beside_the_others),
	TEST(what_is_opened_of_all_is_what_each_sustains),
	TESTS_END,
};

const struct suite suite_part = {"part", tests};
