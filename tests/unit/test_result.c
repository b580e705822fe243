#include "report/result.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "suites.h"
#include "trial.h"

/* ESC, BEL, CR, NUL, DEL, C1, turned writing, broken UTF-8, and what other formats obey. */
#define NASTY \
	"\033]0;x\a \r\n\t\0 \x7f \xc2\x9b \xe2\x80\xae \xff\xc3( <script> ]]> ::error:: %0A " \
	"\"\\ \xe2\x80\xa8"

#define AWKWARD_NS 250000001 /* as seconds and back by multiplication alone, it is another number */

static const char *const churn =
	"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
	"load: {rate: 200/s, total: 320}\n"
	"expect: [exhausted.after == 32, exhausted.at < 1s, time_wait.end == 0, "
	"recovered == false, ports.fill.max <= 80%, connects.rate <= 1k/s]";

static void trial_churn(struct trial *t)
{
	trial_open(t, churn);
	trial_exhaust(t, 32);
	trial_fail(t, STAGE_CONNECT, ETIMEDOUT, 2);
	t->tape.tally.closed = 32;
	trial_dump(t, 32)->states[STATE_TIME_WAIT] = 32;
	t->tape.counters[t->tape.counter_count++] = (struct counter){"ActiveOpens", 1, 33};
	t->tape.counters[t->tape.counter_count++] = (struct counter){"TCPTimeWaitOverflow", 1, 1};
}

static struct text written_again(struct text json, struct arena *a)
{
	struct result r;
	struct err err = {0};

	if (!result_load(&r, "result.json", json, a, &err)) {
		printf("%u:%u: %s\n", err.at.line, err.at.col, err.what);
		CU_FAIL_FATAL("a result that was written does not load");
	}
	return trial_json(&r, a);
}

static void what_is_written_loads_and_is_written_the_same(void)
{
	static const struct text words[] = {{"leak", 4},
					    {NASTY, sizeof(NASTY) - 1},
					    {NULL, 0},
					    {"\xc3\xbc \xf0\x9f\x98\x80", 7}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct text json, again;
		struct result *r;
		struct trial t;

		trial_churn(&t);
		r = trial_result(&t, words[i]);
		if (i == 1) {
			r->seed = UINT64_MAX;
			r->runs[0].error = r->runs[0].hint = words[i];
			r->runs[0].interrupted = 15;
			r->runs[0].lost = 3;
			r->runs[0].aborted = 1;
			r->runs[0].stopped = true;
			r->runs[0].plan.tw_buckets = 7;
			r->runs[0].plan.time_wait_ns = 6000000000;
		}
		if (i == 2)
			r->host = NULL;
		json = trial_json(r, &t.arena);
		again = written_again(json, &t.arena);
		CU_ASSERT(text_eq(json, again));
		trial_close(&t);
	}
}

static void a_loaded_result_has_what_was_written(void)
{
	struct result *r, back;
	struct err err = {0};
	struct trial t;

	trial_churn(&t);
	t.tape.refused_at_ns = AWKWARD_NS;
	t.tape.aborted = 2;
	t.tape.tally.stopped = 1;
	t.tape.squat_errors[STAGE_LISTEN][EADDRINUSE] = 3;
	t.tape.far_errors[STAGE_CONNECT][EADDRNOTAVAIL] = 2;
	r = trial_result(&t, TEXT("leak"));
	CU_ASSERT_FATAL(result_load(&back, "f", trial_json(r, &t.arena), &t.arena, &err));
	CU_ASSERT(back.runs[0].stopped);
	CU_ASSERT_EQUAL_FATAL(back.run_count, 1);
	for (int i = 0; i < MEASURES; i++) {
		const struct value *x = &r->runs[0].measures.fixed[i],
				   *y = &back.runs[0].measures.fixed[i];

		CU_ASSERT_EQUAL(x->present, y->present);
		CU_ASSERT(!x->present || (x->n - y->n) * (x->n - y->n) <= 1e-20 * x->n * x->n);
	}
	CU_ASSERT(back.runs[0].measures.fixed[MEASURE_EXHAUSTED_AT].n == AWKWARD_NS);
	CU_ASSERT_EQUAL(back.runs[0].plan.usable, 32);
	CU_ASSERT_EQUAL(back.runs[0].plan.port_life_ns, 60000000000);
	CU_ASSERT_EQUAL(back.runs[0].plan.rate, 200);
	CU_ASSERT_EQUAL(back.runs[0].plan.lasts_ns, 160000000);
	CU_ASSERT_EQUAL(back.runs[0].plan.tw_buckets, 0);
	CU_ASSERT(back.runs[0].plan.rate_sure > 0 &&
		  back.runs[0].plan.rate_sure <
			  back.runs[0].measures.fixed[MEASURE_PREDICTED_RATE].n);
	CU_ASSERT_EQUAL(back.runs[0].aborted, 3);
	CU_ASSERT_EQUAL(back.runs[0].verdict.expect_count, 6);
	CU_ASSERT_EQUAL(back.runs[0].verdict.cause_count, 2);
	CU_ASSERT_EQUAL(back.runs[0].measures.error_count, 2);
	CU_ASSERT_EQUAL_FATAL(back.runs[0].measures.squat_error_count, 1);
	CU_ASSERT_EQUAL(back.runs[0].measures.squat_errors[0].stage, STAGE_LISTEN);
	CU_ASSERT_EQUAL(back.runs[0].measures.squat_errors[0].count, 3);
	CU_ASSERT_EQUAL_FATAL(back.runs[0].measures.server_error_count, 1);
	CU_ASSERT_EQUAL(back.runs[0].measures.server_errors[0].stage, STAGE_CONNECT);
	CU_ASSERT_EQUAL(back.runs[0].measures.server_errors[0].count, 2);
	CU_ASSERT_EQUAL(back.runs[0].settings[0].line, 7);
	CU_ASSERT_EQUAL(back.runs[0].used_states[STATE_TIME_WAIT].n, 32);
	CU_ASSERT_EQUAL(back.host->nofile, 20000);
	CU_ASSERT_EQUAL(back.host->ports.lo, 32768);
	CU_ASSERT(text_is(back.runs[0].effective[0].key, "version"));
	trial_close(&t);
}

/* Which of both its gateway did, and the span of its forecast. */
static void a_loaded_result_has_its_gateway(void)
{
	struct result *r, back;
	struct err err = {0};
	struct trial t;

	trial_open(&t, "network: {topology: nat, ports: 40000-40999, services: 2, nat: {ports: "
		       "2000-2031, mapping: endpoint-independent}}\nload: {end: leak}");
	trial_judge(&t);
	r = trial_result(&t, TEXT("nat"));
	CU_ASSERT_FATAL(result_load(&back, "f", trial_json(r, &t.arena), &t.arena, &err));
	CU_ASSERT_EQUAL(back.runs[0].plan.gateway.mapping, MAPPING_INDEPENDENT);
	CU_ASSERT(!back.runs[0].plan.gateway.redirect);
	CU_ASSERT_EQUAL(back.runs[0].plan.gateway.times_out_least, 32);
	CU_ASSERT_EQUAL(back.runs[0].plan.gateway.times_out_after, 64);
	r->runs[0].plan.gateway.mapping = MAPPING_DEPENDENT;
	r->runs[0].plan.gateway.redirect = true;
	CU_ASSERT_FATAL(result_load(&back, "f", trial_json(r, &t.arena), &t.arena, &err));
	CU_ASSERT_EQUAL(back.runs[0].plan.gateway.mapping, MAPPING_DEPENDENT);
	CU_ASSERT(back.runs[0].plan.gateway.redirect);
	trial_close(&t);
}

static void a_loaded_result_has_its_destinations(void)
{
	static const struct usage usages[] = {
		{.local = {0, UINT64_C(0xffff0a4d0001)},
		 .remote = {0, UINT64_C(0xffff0a4d8001)},
		 .remote_port = 7000,
		 .usable = 28,
		 .states = {[STATE_TIME_WAIT] = 20, [STATE_SYN_SENT] = 4},
		 .lower = 14,
		 .next_free_ns = 120000000,
		 .all_free_ns = 59000000000,
		 .holders_known = true,
		 .holders = {{0, "this load", 20, -1, -1}, {4711, "a\\x1bb", 1, 7, 12}},
		 .held_by_others = 2},
		{.local = {UINT64_C(0xfd77000000000000), 1},
		 .datagrams = true,
		 .usable = 32,
		 .next_free_ns = -1,
		 .all_free_ns = -1},
	};
	struct portmap map = {.known = true, .used_max = 99, .range = {40001, 40999}};
	struct result *r, back;
	struct err err = {0};
	struct trial t;

	portset_read(&map.used, TEXT("40001,40003,40007-40500,40999"));
	portset_read(&map.taken, TEXT("40002"));
	trial_churn(&t);
	trial_usages(&t,
		     (struct sample){.t_ns = 7000000000,
				     .used_max = 99,
				     .torn = true,
				     .usage_count = 2,
				     .more_count = 3,
				     .more_used = 4,
				     .reserved = 1,
				     .listening = 2,
				     .bound = 1},
		     usages);
	tape_map(&t.tape, &map);
	r = trial_result(&t, TEXT("leak"));
	CU_ASSERT_FATAL(result_load(&back, "f", trial_json(r, &t.arena), &t.arena, &err));
	CU_ASSERT_FATAL(back.runs[0].end.present && back.runs[0].end.count == 2);
	CU_ASSERT(back.runs[0].fullest.torn && back.runs[0].fullest.at_ns == 7000000000);
	CU_ASSERT(back.runs[0].end.more_count == 3 && back.runs[0].end.more_used == 4);
	CU_ASSERT(back.runs[0].end.reserved == 1 && back.runs[0].end.listening == 2 &&
		  back.runs[0].end.bound == 1);
	CU_ASSERT(memcmp(back.runs[0].end.usages, usages, sizeof(usages)) == 0);
	CU_ASSERT_FATAL(back.runs[0].fullest.map && back.runs[0].end.map);
	CU_ASSERT(memcmp(&back.runs[0].end.map->used, &map.used, sizeof(map.used)) == 0 &&
		  memcmp(&back.runs[0].end.map->taken, &map.taken, sizeof(map.taken)) == 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(trial_json(r, &t.arena).s, "\"used\": \"a3f{123}"));
	CU_ASSERT(
		text_eq(trial_json(r, &t.arena), written_again(trial_json(r, &t.arena), &t.arena)));
	trial_close(&t);
}

static void a_result_says_how_much_it_was_accelerated(void)
{
	struct result *r, back;
	struct err err = {0};
	struct trial t;

	trial_churn(&t);
	r = trial_result(&t, TEXT("leak"));
	CU_ASSERT_PTR_NULL(strstr(trial_json(r, &t.arena).s, "accelerated"));
	r->runs[0].plan.time_wait_ns = 6000000000;
	CU_ASSERT_FATAL(result_load(&back, "f", trial_json(r, &t.arena), &t.arena, &err));
	CU_ASSERT_EQUAL(back.runs[0].plan.time_wait_ns, 6000000000);
	CU_ASSERT_PTR_NOT_NULL(strstr(trial_json(r, &t.arena).s, "\"times\": 10.0"));
	trial_close(&t);
}

static void the_document_has_its_documented_shape(void)
{
	static const char *const parts[] = {
		"\"schema\": 1,\n",
		"\"complete\": true,\n",
		"\"verdict\": \"fail\",\n",
		"\"ip_local_port_range\": \"32768-60999\"",
		"\"io_uring\": \"ok\"",
		"\"network.ports\": {\n          \"value\": "
		"\"40000-40031\",\n          \"line\": 3\n        "
		"}",
		"\"load.hold\": {\n          \"value\": \"0s\"\n   "
		"     }", /* a default has no line */
		"\"port_life\": 60.0,\n",
		"\"rate\": 200.0,\n",
		"\"lasts\": 0.16,\n",
		"\"sustained_sure\": 0.5157",
		"\"exhausted\": true,\n",
		"\"exhausted.after\": 32,\n",
		"\"exhausted.at\": 0.16,\n",
		"\"ports.fill.max\": 1.0,\n",
		"\"predicted.rate\": 0.533333333333333,\n",
		"\"errors.connect.EADDRNOTAVAIL\": 1,\n",
		"\"counter.ActiveOpens\": 32\n",
		"\"kind\": \"time\",\n          \"observed\": "
		"0.16,\n          \"pass\": true\n",
		"\"name\": \"connection-per-request\",\n",
		"\"wont_help\": [\n",
		"\"TIME_WAIT\": 32\n",
	};
	static const char *const absent[] = {
		"\"recovery\"",	      "TCPTimeWaitOverflow", "\"error\"",     "\"interrupted\"",
		"time_wait.max\": 0", "\"aborted\"",	     "\"tw_buckets\""};
	struct text json;
	struct trial t;

	trial_churn(&t);
	json = trial_json(trial_result(&t, TEXT("leak")), &t.arena);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!text_has(json, parts[i]))
			printf("%s is not there\n", parts[i]);
		CU_ASSERT(text_has(json, parts[i]));
	}
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		CU_ASSERT(!text_has(json, absent[i]));
	trial_close(&t);
}

static void the_document_is_plain_ascii(void)
{
	static const struct text words[] = {{NASTY, sizeof(NASTY) - 1},
					    {"\xc3\xbc \xf0\x9f\x98\x80 \x7f", 8}};

	for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++) {
		struct text json;
		struct trial t;

		trial_churn(&t);
		json = trial_json(trial_result(&t, words[w]), &t.arena);
		for (size_t i = 0; i < json.len; i++)
			CU_ASSERT_FATAL(json.s[i] == '\n' ||
					(json.s[i] >= 0x20 && json.s[i] <= 0x7f));
		trial_close(&t);
	}
}

static void the_worst_word_wins(void)
{
	static const struct {
		enum verdict_word words[3];
		enum verdict_word worst;
	} rows[] = {
		{{VERDICT_PASS, VERDICT_PASS, VERDICT_PASS}, VERDICT_PASS},
		{{VERDICT_PASS, VERDICT_SKIP, VERDICT_PASS}, VERDICT_SKIP},
		{{VERDICT_SKIP, VERDICT_PASS, VERDICT_FAIL}, VERDICT_FAIL},
		{{VERDICT_INCOMPLETE, VERDICT_FAIL, VERDICT_PASS}, VERDICT_INCOMPLETE},
		{{VERDICT_INCOMPLETE, VERDICT_ERROR, VERDICT_FAIL}, VERDICT_ERROR},
	};
	struct result none = {0};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct result_run runs[3] = {{.word = rows[i].words[0]},
					     {.word = rows[i].words[1]},
					     {.word = rows[i].words[2]}};
		struct result r = {.runs = runs, .run_count = 3};

		CU_ASSERT_EQUAL(result_word(&r), rows[i].worst);
	}
	CU_ASSERT_EQUAL(result_word(&none), VERDICT_INCOMPLETE);
}

#define SAMPLE_AT(run, t, opened, open) \
	"{\"run\":" run ",\"t_ns\":" t ",\"attempted\":" opened ",\"opened\":" opened \
	",\"failed\":0,\"open\":" open "}\n"
#define EVENT_OF(run, t, name, value) \
	"{\"run\":" run ",\"t_ns\":" t ",\"event\":\"" name "\",\"value\":" value "}\n"

#define ENDLESS "killed, still running, or without room on its disk"
#define SILENT "not started, or without room on its disk for a word of it"

/* A killed run leaves a result of runs that were not started, and two files of lines. */
static void a_killed_run_is_told_from_its_lines(void)
{
	static const struct {
		const char *samples, *events, *told, *hint;
	} rows[] = {
		{"", "", SILENT, ""},
		{SAMPLE_AT("2", "7", "9", "9"), EVENT_OF("2", "7", "load-begin", "0"), SILENT, ""},
		{SAMPLE_AT("1", "100000000", "10", "10")
			 SAMPLE_AT("1", "1380000000", "1139", "120"),
		 EVENT_OF("1", "0", "load-begin", "0"),
		 ENDLESS "; the last sample, at 1.38 s: 1,139 opened, 120 open", ""},
		{SAMPLE_AT("1", "1380000000", "139", "120") "{\"run\":1,\"t_", "",
		 ENDLESS "; the last sample, at 1.38 s: 139 opened, 120 open", ""},
		{"", EVENT_OF("1", "0", "load-begin", "0"), ENDLESS "; there is no sample of it",
		 ""},
		{SAMPLE_AT("1", "1380000000", "139", "120"),
		 EVENT_OF("1", "500000000", "refused", "1")
			 EVENT_OF("1", "1600000000", "load-end", "320"),
		 ENDLESS "; its load had ended, at 1.6 s: 320 opened; exhausted "
			 "after 1 connection, at 0.5 s",
		 ""},
		{SAMPLE_AT("1", "7", "1", "1") "\xff\033[2J\n" SAMPLE_AT("1", "8", "2", "2"), "",
		 ENDLESS "; what it did cannot be told",
		 "Look at line 2 of samples.jsonl: it is no record."},
		{SAMPLE_AT("1", "1380000000", "139", "120"),
		 EVENT_OF("1", "0", "load-begin", "0") "rubbish\n" EVENT_OF("1", "9", "refused",
									    "1"),
		 ENDLESS "; the last sample, at 1.38 s: 139 opened, 120 open",
		 "Look at line 2 of events.jsonl: it is no record."},
		{"", "\n\n", ENDLESS "; what it did cannot be told",
		 "Look at line 1 of events.jsonl: it is no record."},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct result_run runs[2] = {
			{.word = VERDICT_SKIP, .error = TEXT("no rights here")},
			{.word = VERDICT_INCOMPLETE, .error = TEXT(RESULT_NOT_STARTED)}};
		struct result r = {.runs = runs, .run_count = 2};
		struct arena a = help_arena();

		result_recall(&r, text_of(rows[i].samples), text_of(rows[i].events), &a);
		if (!text_is(runs[1].error, rows[i].told))
			printf("row %zu: " TEXT_FMT "\n", i, TEXT_ARG(runs[1].error));
		CU_ASSERT(text_is(runs[0].error, "no rights here"));
		CU_ASSERT(text_is(runs[1].error, rows[i].told));
		CU_ASSERT(text_is(runs[1].hint, rows[i].hint));
		arena_close(&a);
	}
}

static void a_run_that_has_a_result_is_not_recalled(void)
{
	struct result_run runs[2] = {
		{.word = VERDICT_INCOMPLETE, .error = TEXT("interrupted")},
		{.word = VERDICT_INCOMPLETE, .error = TEXT(RESULT_NOT_STARTED)}};
	struct result r = {.runs = runs, .run_count = 2};
	struct arena a = help_arena();

	result_recall(&r, TEXT(SAMPLE_AT("0", "7", "1", "1")), TEXT(""), &a);
	CU_ASSERT(text_is(runs[0].error, "interrupted"));
	CU_ASSERT(text_is(runs[1].error, RESULT_NOT_STARTED)); /* it has been written since */
	runs[0].error = TEXT(RESULT_NOT_STARTED);
	r.complete = true;
	result_recall(&r, TEXT(SAMPLE_AT("0", "7", "1", "1")), TEXT(""), &a);
	CU_ASSERT(text_is(runs[0].error, RESULT_NOT_STARTED));
	arena_close(&a);
}

static const struct test tests[] = {
	TEST(what_is_written_loads_and_is_written_the_same),
	TEST(a_loaded_result_has_what_was_written),
	TEST(a_loaded_result_has_its_gateway),
	TEST(a_loaded_result_has_its_destinations),
	TEST(a_result_says_how_much_it_was_accelerated),
	TEST(the_document_has_its_documented_shape),
	TEST(the_document_is_plain_ascii),
	TEST(the_worst_word_wins),
	TEST(a_killed_run_is_told_from_its_lines),
	TEST(a_run_that_has_a_result_is_not_recalled),
	TESTS_END,
};

const struct suite suite_result = {"result", tests};
