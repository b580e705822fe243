#include <stdio.h>

#include "plan/predict.h"
#include "plan_help.h"
#include "suites.h"

#define BEHIND "network: {topology: nat, nat: {ports: 40000-40063}}\n"
#define CONE \
	"network: {topology: nat, servers: 4, nat: {ports: 40000-40063, mapping: " \
	"endpoint-independent, mapping_time: 1s}}\n"

/* A SYN that the full gateway drops is sent again a second later, by when a port may have come back. */
static const struct {
	const char *lines;
	uint64_t least, full; /* 0: it is not full for sure */
	uint64_t after;	      /* 0: more than those pass, until the end */
	bool times_out;
	bool known; /* that the client has ports enough */
} rows[] = {
	{BEHIND "load: {rate: 70/s, duration: 6s, hold: 1s, timeout: 4s}", 64, 64, 0, false, true},
	{BEHIND "load: {rate: 70/s, duration: 6s, hold: 10s, timeout: 4s}", 64, 64, 64, true, true},
	{BEHIND "load: {rate: 70/s, duration: 6s, hold: 4s, timeout: 4s}", 64, 64, 0, false, true},
	{BEHIND "load: {rate: 70/s, duration: 6s, hold: 4s, timeout: 500ms}", 64, 64, 64, true,
	 true},
	{BEHIND "load: {rate: 70/s, duration: 6s, hold: 4s, timeout: 500ms, on_failure: continue}",
	 64, 64, 0, true, true},
	{BEHIND "load: {rate: 70/s, total: 80, hold: 4s, timeout: 500ms, on_failure: continue}", 64,
	 64, 64, true, true},
	{BEHIND "load: {rate: 60/s, duration: 6s, hold: 1s, timeout: 4s}", 0, 0, 0, false, true},
	{BEHIND "load: {rate: 70/s, total: 64, hold: 1s}", 0, 0, 0, false, true},
	{BEHIND "load: {concurrency: 70, total: 90, hold: 5s, timeout: 200ms, on_failure: "
		"continue}",
	 64, 64, 64, true, true},
	{BEHIND "load: {concurrency: 70, total: 900, hold: 5s, timeout: 200ms, on_failure: "
		"continue}",
	 64, 64, 0, true, true},
	/* a pool opens one for each request that is under way at once, and keeps it */
	{BEHIND "server: {delay: 100ms}\nload: {concurrency: 70, duration: 3s, timeout: 500ms, "
		"request: {send: 8B, receive: 8B}, pool: {max_idle: 70}, on_failure: continue}",
	 64, 64, 64, true, true},
	{BEHIND "server: {delay: 100ms}\nload: {concurrency: 70, duration: 3s, timeout: 500ms, "
		"request: {send: 8B, receive: 8B}, pool: {max_idle: 8}, on_failure: continue}",
	 64, 64, 0, true, false},
	{BEHIND "server: {delay: 100ms}\nload: {concurrency: 60, duration: 3s, timeout: 500ms, "
		"request: {send: 8B, receive: 8B}, pool: {max_idle: 60}, on_failure: continue}",
	 0, 0, 0, false, true},
	/* 256 have one if each port of the client's is had four times, and that is not so */
	{CONE "load: {rate: 200/s, duration: 4s, hold: 1s, timeout: 500ms}", 64, 128, 0, true,
	 true},
	{CONE "load: {rate: 200/s, duration: 4s, end: leak, bind: address, timeout: 100ms}", 64, 64,
	 64, true, true},
};

static void a_syn_that_is_sent_again_may_find_a_port(void)
{
	const struct host host = help_host();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(rows[i].lines, &host, 1, &a);
		const struct forecast *f = &p.forecast;

		if (f->full_after != rows[i].full || f->times_out_after != rows[i].after ||
		    f->times_out != rows[i].times_out || f->known != rows[i].known)
			printf("%s: full %d, times out %d, after %d, known %d\n", rows[i].lines,
			       (int)f->full_after, f->times_out, (int)f->times_out_after, f->known);
		CU_ASSERT_EQUAL(f->full_least, rows[i].least);
		CU_ASSERT_EQUAL(f->full_after, rows[i].full);
		CU_ASSERT_EQUAL(f->times_out, rows[i].times_out);
		CU_ASSERT_EQUAL(f->times_out_after, rows[i].after);
		CU_ASSERT_EQUAL(f->known, rows[i].known);
		CU_ASSERT_FALSE(f->exhausts);
		arena_close(&a);
	}
}

/* What it has no port for it drops, and no more are open than it has ports. */
static void what_is_foretold_of_a_full_gateway_can_be_broken(void)
{
	const struct host host = help_host();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(rows[i].lines, &host, 1, &a);
		bool is_cone = nat_maps_for_all(&p.scenario->network.nat);
		struct foretold said[PREDICTIONS];

		predict(said, &p, 1e9);
		CU_ASSERT_EQUAL(said[PREDICTION_DROPS].told, rows[i].full > 0 && !is_cone);
		CU_ASSERT_EQUAL(said[PREDICTION_UNMAPPED].told, rows[i].full > 0 && is_cone);
		CU_ASSERT_EQUAL(said[PREDICTION_GATEWAY].told, rows[i].after > 0);
		CU_ASSERT(said[PREDICTION_OPEN].value.most <= p.nat.carriage.at_once);
		arena_close(&a);
	}
}

static const struct test tests[] = {
	TEST(a_syn_that_is_sent_again_may_find_a_port),
	TEST(what_is_foretold_of_a_full_gateway_can_be_broken),
	TESTS_END,
};

const struct suite suite_plan_gateway = {"plan: gateway", tests};
