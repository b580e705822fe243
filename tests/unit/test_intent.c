/* What is to be done, as a number: the same for the same seed, and for nothing else. */
#include "plan/intent.h"

#include <stdio.h>
#include <string.h>

#include "plan_help.h"
#include "suites.h"

#define MIXED \
	"network: {ports: 40000-40031, servers: 3, choose: seed}\n" \
	"load: {burst: {size: 7, every: 20ms}, total: 300, mix: {reset: 20%, leak: 5%}, " \
	"request: {send: 100B, receive: 1KiB}, on_failure: {retry: 3, wait: 10ms, jitter: 30%}}\n"

static uint64_t intent_of_lines(const char *lines, uint64_t seed)
{
	struct arena a = help_arena();
	struct plan p = help_plan(lines, NULL, seed, &a);
	uint64_t sum = intent_sum(&p, a);

	arena_close(&a);
	return sum;
}

static void one_seed_intends_one_thing(void)
{
	CU_ASSERT_EQUAL(intent_of_lines(MIXED, 1), intent_of_lines(MIXED, 1));
	CU_ASSERT_NOT_EQUAL(intent_of_lines(MIXED, 1), intent_of_lines(MIXED, 2));
}

/* A row a fact: each is another intent than that of all rows before it. */
static const char *const intents[] = {
	MIXED,
	"network: {ports: 40000-40031, servers: 3}\nload: {total: 300}",
	"network: {ports: 40000-40031, servers: 2}\nload: {total: 300}",
	"network: {ports: 40000-40031, servers: 2, choose: seed}\nload: {total: 300}",
	"load: {total: 300}",
	"load: {total: 301}",
	"load: {total: 300, concurrency: 2}",
	"load: {total: 300, rate: 100/s}",
	"load: {total: 300, rate: 101/s}",
	"load: {total: 300, rate: 100/s, start: 1ms}",
	"load: {rate: 100/s, duration: 100ms}",
	"load: {rate: 100/s, duration: 110ms}",
	"load: {total: 300, burst: {size: 3, every: 10ms}}",
	"load: {total: 300, burst: {size: 3, every: 11ms}}",
	"load: {total: 300, burst: {size: 4, every: 10ms}}",
	"load: {total: 300, ramp: [{to: 100/s, over: 1s}]}",
	"load: {total: 300, ramp: [{to: 100/s, over: 2s}]}",
	"load: {total: 300, end: reset}",
	"load: {total: 300, mix: {reset: 5%}}",
	"load: {total: 300, mix: {reset: 6%}}",
	"load: {total: 300, mix: {leak: 5%}}",
	"load: {total: 300, request: {send: 100B}}",
	"load: {total: 300, request: {send: 100B, receive: 1B}}",
	"load: {total: 300, on_failure: {retry: 1}}",
	"load: {total: 300, on_failure: {retry: 2}}",
	"load: {total: 300, on_failure: {retry: 2, wait: 20ms}}",
	"load: {total: 300, on_failure: {retry: 2, grow: 2}}",
	"load: {total: 300, on_failure: {retry: 2, jitter: 10%}}",
	"load: {total: 300, on_failure: {then: continue}}",
	"load: {total: 300, concurrency: 2, request: {send: 8B}, pool: {max_idle: 1}, "
	"on_failure: {then: continue, flush_pool: true}}",
	"load: {total: 300, protocol: udp}",
	"load: {total: 300, protocol: udp, connected: false, request: {send: 8B}}",
	"load: {total: 300, bind: address}",
	"load: {total: 300, bind: ports 2000-2300}",
	"load: {total: 300, bind: ports 2000-2301}",
	"load: {total: 300, bind: ports 2001-2301}",
	"load: {total: 300, hold: 1ms}",
	"load: {total: 300, options: {linger: 0s}}",
	"load: {total: 300, request: {send: 8B, receive: 8B, per_connection: 2}}",
	"load: {total: 300, concurrency: 1, request: {send: 8B, receive: 8B, pause: 1ms, "
	"per_connection: 2}}",
	"load: {total: 300, concurrency: 2, request: {send: 8B}, pool: {max_idle: 1}}",
	"load: {total: 300, concurrency: 2, request: {send: 8B}, pool: {max_idle: 1, "
	"idle_timeout: 1s}}",
	"load: {total: 300, request: {send: 100B, receive: 1B, read: false}}",
	"load: {total: 150}\nloads: {a: {}, b: {}}",
	"load: {total: 300, family: ipv6}",
	"network: {family: ipv6}\nload: {total: 300}",
	"load: {total: 300, bind: address 10.77.0.1}",
	"load: {total: 300, bind: address 203.0.113.7}",
	"network: {family: ipv6, servers: [\"fe80::2\"]}\nload: {total: 300, scope: veth0}",
	"network: {family: ipv6, servers: [\"fe80::2\"]}\nload: {total: 300, scope: lo}",
	"load: {total: 300, order: fast}",
	"load: {total: 300, ballast: 10%}",
	"load: {total: 300, nofile: 20}",
	"load: {total: 300, nofile: 21}",
	"load: {total: 300, timeout: 3s}",
	"load: {total: 300, options: {reuseaddr: true}}",
	"load: {total: 300, options: {reuseport: true}}",
	"load: {total: 300, options: {user_timeout: 1s}}",
	"load: {total: 300, options: {nodelay: true}}",
	"load: {total: 300, options: {mark: 7}}",
	"network: {family: ipv6}\nload: {total: 300, options: {v6only: true}}",
	"load: {total: 300, options: {device: lo}}",
	"load: {total: 300, options: {mptcp: true}}",
	"load: {total: 300, options: {syn_count: 2}}",
	"load: {total: 300, options: {keepalive: {idle: 5s}}}",
	"load: {total: 300, options: {keepalive: {idle: 5s, interval: 2s}}}",
	"load: {total: 300, options: {keepalive: {idle: 5s, count: 2}}}",
};

static void whatever_is_to_be_done_otherwise_is_another_intent(void)
{
	enum { ROWS = sizeof(intents) / sizeof(intents[0]) };
	uint64_t sums[ROWS];

	for (size_t i = 0; i < ROWS; i++) {
		sums[i] = intent_of_lines(intents[i], 1);
		for (size_t k = 0; k < i; k++)
			CU_ASSERT_NOT_EQUAL(sums[i], sums[k]);
	}
}

static bool has_a_row(const struct key_view *key)
{
	char first[64], later[64];

	snprintf(first, sizeof(first), "{%s:", key->key);
	snprintf(later, sizeof(later), " %s:", key->key);
	for (size_t i = 0; i < sizeof(intents) / sizeof(intents[0]); i++)
		if (strstr(intents[i], first) || strstr(intents[i], later))
			return true;
	return false;
}

static void every_key_of_a_load_is_told(void)
{
	for (size_t i = 0; i < scenario_keys(); i++) {
		struct key_view key;

		scenario_key_about(i, &key);
		if (strncmp(key.section, "load", 4) == 0 && !has_a_row(&key))
			CU_FAIL(key.key);
	}
}

/* What the clock would decide, in a run, is decided here by the scenario alone. */
static void a_load_without_a_count_is_told_up_to_one(void)
{
	static const struct {
		const char *lines;
		uint64_t n;
	} rows[] = {
		{"load: {total: 77}", 77},
		{"load: {total: 77777}", INTENT_MOST},
		{"load: {concurrency: 5, duration: 1s}", INTENT_MOST},
		{"load: {end: leak}", INTENT_MOST},
		{"load: {rate: 100/s, duration: 500ms}", 50},
		{"load: {rate: 100/s, duration: 500ms, total: 20}", 20},
		{"load: {rate: 100/s}\nstop: {time: 2s}", 200},
		{"load: {rate: 100/s, start: 1s}\nstop: {time: 2s}", 100},
		{"load: {burst: {size: 10, every: 1s}, duration: 3s}", 30},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(rows[i].lines, NULL, 1, &a);

		CU_ASSERT_EQUAL(intent_count(&p, &p.loads[0]), rows[i].n);
		arena_close(&a);
	}
}

static const struct test tests[] = {
	TEST(one_seed_intends_one_thing),
	TEST(whatever_is_to_be_done_otherwise_is_another_intent),
	TEST(every_key_of_a_load_is_told),
	TEST(a_load_without_a_count_is_told_up_to_one),
	TESTS_END,
};

const struct suite suite_intent = {"intent", tests};
