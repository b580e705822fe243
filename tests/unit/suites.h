/* suites.h - the unit tests' suites, a line each.
 *
 * tests/unit/test_NAME.c defines `const struct suite suite_NAME`; a line with its NAME here has
 * main.c run it.
 */
#pragma once

#include "runner.h"

// clang-format off
#define SUITES(SUITE) \
	SUITE(text) \
	SUITE(worker) \
	SUITE(worker_requests) \
	SUITE(worker_failures) \
	SUITE(worker_pace) \
	SUITE(drive) \
	SUITE(pool) \
	SUITE(late) \
	SUITE(wheel) \
	SUITE(census) \
	SUITE(usable) \
	SUITE(look) \
	SUITE(trend) \
	SUITE(schedule) \
	SUITE(lost) \
	SUITE(arena) \
	SUITE(out) \
	SUITE(units) \
	SUITE(unit_pattern) \
	SUITE(address) \
	SUITE(draw) \
	SUITE(histogram) \
	SUITE(words) \
	SUITE(scenario) \
	SUITE(scenario_errors) \
	SUITE(scenario_rules) \
	SUITE(expect) \
	SUITE(hostile) \
	SUITE(options) \
	SUITE(errors) \
	SUITE(budget) \
	SUITE(bind) \
	SUITE(forecast) \
	SUITE(lasts) \
	SUITE(shape) \
	SUITE(outline) \
	SUITE(together) \
	SUITE(use) \
	SUITE(fill) \
	SUITE(split) \
	SUITE(foretold) \
	SUITE(retry) \
	SUITE(plan_pool) \
	SUITE(doubt) \
	SUITE(doubt_why) \
	SUITE(plan_gateway) \
	SUITE(clock) \
	SUITE(denied) \
	SUITE(gate) \
	SUITE(cause_starve) \
	SUITE(part) \
	SUITE(intent) \
	SUITE(plan) \
	SUITE(plan_life) \
	SUITE(plan_needs) \
	SUITE(plan_refused) \
	SUITE(tape) \
	SUITE(tape_lines) \
	SUITE(measure) \
	SUITE(books) \
	SUITE(books_excepted) \
	SUITE(whose) \
	SUITE(judge) \
	SUITE(cause) \
	SUITE(cause_words) \
	SUITE(cause_alike) \
	SUITE(cause_gateway) \
	SUITE(cause_named) \
	SUITE(cause_start) \
	SUITE(cause_knob) \
	SUITE(cause_live) \
	SUITE(cause_waits) \
	SUITE(cause_signature) \
	SUITE(cause_bound) \
	SUITE(cause_mixed) \
	SUITE(cause_leak) \
	SUITE(cause_edges) \
	SUITE(cause_share) \
	SUITE(cause_several) \
	SUITE(cause_second) \
	SUITE(cause_limits) \
	SUITE(advice) \
	SUITE(tapes) \
	SUITE(tapes_alike) \
	SUITE(result) \
	SUITE(result_books) \
	SUITE(result_errors) \
	SUITE(summary) \
	SUITE(summary_marks) \
	SUITE(summary_gateway) \
	SUITE(summary_ends) \
	SUITE(chart) \
	SUITE(bench) \
	/* the end */
// clang-format on

#define SUITE(name) extern const struct suite suite_##name;
SUITES(SUITE)
#undef SUITE
