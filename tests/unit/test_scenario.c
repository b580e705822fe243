#include "scenario/scenario.h"

#include <stdio.h>

#include "same.h"
#include "scenario_help.h"
#include "suites.h"

static const char whole[] =
	"version: 1\n"
	"name: whole\n"
	"title: 'It''s a title: all of it'\n"
	"about: |\n"
	"  First.\n"
	"\n"
	"    Second, further in.\n"
	"refs: [a#1, \"b, c\", é]\n"
	"network:\n"
	"  topology: loopback\n"
	"  ports: 40000-40031\n"
	"  reserved: [40007, 40001-40003, 40004, 40002-40005]\n"
	"  sources: 2\n"
	"  servers: 3\n"
	"  services: 4\n"
	"  sysctl: {net.ipv4.tcp_tw_reuse: 0, net.ipv4.tcp_rmem: 4096 131072 6291456}\n"
	"server: {behaviour: close}\n"
	"load:\n"
	"  rate: 30k/min\n"
	"  total: 10k\n"
	"  duration: 1.5s\n"
	"  hold: 250ms\n"
	"  end: wait\n"
	"  order: fast\n"
	"  timeout: 5s\n"
	"  on_failure: continue\n"
	"sample: {every: 50ms, sockets: 2s}\n"
	"stop: {when: exhausted, after: 1s, time: 1m}\n"
	"expect:\n"
	"  - exhausted.after == 32\n"
	"  - {expr: ports.fill.max < 80%, abort: true, after: 5s}\n"
	"cases:\n"
	"  tuned:\n"
	"    title: tuned\n"
	"    network: {sysctl: {net.ipv4.tcp_tw_reuse: 1, net.ipv4.tcp_timestamps: 1}}\n"
	"    load: {hold: 0s, on_failure: {then: stop}}\n"
	"  bare: {expect: []}\n";

static void every_key_is_read(void)
{
	struct read r;
	const struct scenario *s;

	read_yaml(&r, whole);
	CU_ASSERT_FATAL(r.ok);
	s = &r.file.cases[0];
	CU_ASSERT(text_is(s->top.name, "whole"));
	CU_ASSERT(text_is(s->top.title, "It's a title: all of it"));
	CU_ASSERT(text_is(s->top.about, "First.\n\n  Second, further in.\n"));
	CU_ASSERT_EQUAL(s->top.refs.count, 3);
	CU_ASSERT(text_is(s->top.refs.list[1], "b, c"));
	CU_ASSERT_EQUAL(s->network.topology, TOPOLOGY_LOOPBACK);
	CU_ASSERT(s->network.ports.lo == 40000 && s->network.ports.hi == 40031);
	CU_ASSERT_EQUAL(s->network.services.count, 4);
	CU_ASSERT_EQUAL(s->server.behaviour, BEHAVIOUR_CLOSE);
	CU_ASSERT_EQUAL(s->load.rate, 500);
	CU_ASSERT_EQUAL(s->load.total, 10000);
	CU_ASSERT_EQUAL(s->load.duration, 1500000000);
	CU_ASSERT_EQUAL(s->load.end, END_WAIT);
	CU_ASSERT_EQUAL(s->load.order, ORDER_FAST);
	CU_ASSERT_EQUAL(s->load.on_failure.then, ON_FAILURE_CONTINUE);
	CU_ASSERT_EQUAL(s->stop.when, WHEN_EXHAUSTED);
	CU_ASSERT_EQUAL(s->stop.time, 60000000000);
	read_close(&r);
}

static void each_value_knows_its_place(void)
{
	struct read r;
	const struct scenario *s;

	read_yaml(&r, whole);
	CU_ASSERT_FATAL(r.ok);
	s = &r.file.cases[0];
	CU_ASSERT(s->load.at.hold.line == 22 && s->load.at.hold.col == 9);
	CU_ASSERT_STRING_EQUAL(s->load.at.hold.file, "test.yaml");
	CU_ASSERT_EQUAL(s->load.at.concurrency.line, 0);
	CU_ASSERT(s->network.sysctl.list[0].at.col == 12 &&
		  s->network.sysctl.list[0].value_at.col == 35);
	CU_ASSERT_EQUAL(s->expect.list[1].at.line, 31);
	CU_ASSERT(text_is(scenario_line(r.file.source, 22), "  hold: 250ms"));
	CU_ASSERT_EQUAL(r.file.cases[1].load.at.hold.line, 36);
	CU_ASSERT_EQUAL(r.file.cases[1].load.at.end.line, 23);
	CU_ASSERT_EQUAL(r.file.cases[1].case_at.line, 33);
	read_close(&r);
}

static void reserved_ports_are_sorted_and_merged(void)
{
	struct read r;
	struct port_list ports;

	read_yaml(&r, whole);
	CU_ASSERT_FATAL(r.ok);
	ports = r.file.cases[0].network.reserved;
	CU_ASSERT_EQUAL_FATAL(ports.count, 2);
	CU_ASSERT(ports.list[0].lo == 40001 && ports.list[0].hi == 40005);
	CU_ASSERT(ports.list[1].lo == 40007 && ports.list[1].hi == 40007);
	read_close(&r);
}

static void a_case_merges_maps_and_replaces_lists(void)
{
	struct read r;
	const struct scenario *tuned, *bare;

	read_yaml(&r, whole);
	CU_ASSERT_FATAL(r.ok);
	CU_ASSERT_EQUAL_FATAL(r.file.count, 3);
	tuned = &r.file.cases[1];
	bare = &r.file.cases[2];
	CU_ASSERT(text_is(r.file.cases[0].case_name, "base"));
	CU_ASSERT(text_is(tuned->case_name, "tuned"));
	CU_ASSERT(text_is(tuned->top.title, "tuned"));
	CU_ASSERT_EQUAL(tuned->load.hold, 0);
	CU_ASSERT_EQUAL(tuned->load.on_failure.then, ON_FAILURE_STOP);
	CU_ASSERT_EQUAL(bare->load.on_failure.then, ON_FAILURE_CONTINUE);
	CU_ASSERT_EQUAL(tuned->load.total, 10000);
	CU_ASSERT_EQUAL_FATAL(tuned->network.sysctl.count, 3);
	CU_ASSERT(text_is(tuned->network.sysctl.list[0].value, "1"));
	CU_ASSERT(text_is(tuned->network.sysctl.list[1].value, "4096 131072 6291456"));
	CU_ASSERT(text_is(tuned->network.sysctl.list[2].name, "net.ipv4.tcp_timestamps"));
	CU_ASSERT(text_is(r.file.cases[0].network.sysctl.list[0].value, "0"));
	CU_ASSERT_EQUAL(tuned->expect.count, 2);
	CU_ASSERT_EQUAL(bare->expect.count, 0);
	CU_ASSERT_EQUAL(bare->load.hold, 250000000);
	read_close(&r);
}

/* It was left as the base had it, and no words could take it back. */
static void a_case_takes_back_what_is_mixed(void)
{
	struct read r;

	read_yaml(&r, "version: 1\nname: a\nload: {mix: {leak: 50%}}\n"
		      "cases: {none: {load: {mix: {}}}, more: {load: {mix: {reset: 5%}}},\n"
		      "        all: {load: {mix: {}, end: leak}}}\n");
	CU_ASSERT_FATAL(r.ok);
	CU_ASSERT_EQUAL(load_share(&r.file.cases[0].load, END_LEAK), 0.5);
	CU_ASSERT_EQUAL(load_share(&r.file.cases[1].load, END_LEAK), 0);
	CU_ASSERT_EQUAL(load_share(&r.file.cases[1].load, END_CLOSE), 1);
	CU_ASSERT_EQUAL(load_share(&r.file.cases[2].load, END_LEAK), 0.5);
	CU_ASSERT_EQUAL(load_share(&r.file.cases[2].load, END_RESET), 0.05);
	CU_ASSERT_EQUAL(load_share(&r.file.cases[3].load, END_LEAK), 1);
	arena_close(&r.arena);
}

static void the_source_has_its_sha256(void)
{
	struct read r;

	read_yaml(&r, "version: 1\nname: a\n");
	CU_ASSERT_FATAL(r.ok);
	CU_ASSERT_STRING_EQUAL(r.file.sha256,
			       "57f2a5bea5885d81a137de07853bb7bdc756292b13e74ca252018488150127f8");
	read_close(&r);
}

static void defaults_lie_within_their_bounds(void)
{
	struct read r;

	for (size_t i = 0; i < keys_count; i++) {
		const struct key *key = &keys[i];
		double value, lowest, highest;

		if (!key->kind->number)
			continue;
		CU_ASSERT(key->kind->number(text_of(key->fallback), &value));
		CU_ASSERT(key->kind->number(text_of(key->lowest), &lowest));
		CU_ASSERT(key->kind->number(text_of(key->highest), &highest));
		CU_ASSERT(lowest <= value && value <= highest);
	}
	read_yaml(&r, "version: 1\nname: a\n");
	CU_ASSERT_FATAL(r.ok);
	for (size_t i = 0; i < keys_count; i++) {
		char buffer[200];
		struct out out = out_memory(buffer, sizeof(buffer));
		struct key_view view;

		scenario_key(&r.file.cases[0], i, &view, &out);
		if (view.at.line == 0 && view.fallback[0])
			CU_ASSERT(text_is(out_written(&out), view.fallback));
	}
	read_close(&r);
}

static void check_round_trip(const char *yaml, bool origins)
{
	struct read r, again;

	read_yaml(&r, yaml);
	CU_ASSERT_FATAL(r.ok);
	for (size_t i = 0; i < r.file.count; i++) {
		static char buffer[1 << 16];
		struct out out = out_memory(buffer, sizeof(buffer));

		scenario_write(&out, &r.file.cases[i], origins);
		CU_ASSERT_EQUAL_FATAL(out.sys, 0);
		read_text(&again, out_written(&out));
		CU_ASSERT_FATAL(again.ok);
		CU_ASSERT_PTR_NULL(
			scenario_difference(&r.file.cases[i], &again.file.cases[0], again.arena));
		read_close(&again);
	}
	read_close(&r);
}

static void what_is_written_reads_back(void)
{
	static const char *const rows[] = {
		whole,
		"version: 1\nname: a\n",
		"version: 1\nname: a\nabout: \"x\\n\\n\"\n",
		"version: 1\nname: a\nabout: \" x\\ny\"\n",
		"version: 1\nname: a\nabout: \"x\\ny\"\n",
		"version: 1\nname: a\nabout: \"x\\n \\n\"\n",
		"version: 1\nname: a\nabout: \"x\\n \"\n",
		"version: 1\nname: a\nabout: \"\\n\"\n",
		"version: 1\nname: a\nabout: \"x\\n\\u202ey\\n\"\n",
		"version: 1\nname: a\ntitle: \"\\u202e\\x85\\uFEFF\\U000E0001 \\\\ \\\" \"\n",
		"version: 1\nname: a\nrefs: [\"- a\", \"# b\", \"a: b\", \"a #b\", \"~\", \" x \", "
		"\"true\"]\n",
		"version: 1\nname: a\nnetwork: {family: ipv6, sources: [\"fd00::1\"], servers: "
		"[\"FD77:0:0:1:0::1\", \"2001:db8::\"], services: [65535, 1]}\n",
		"version: 1\nname: a\nnetwork: {sources: 4096, servers: [192.0.2.1]}\n",
		"version: 1\nname: a\nload: {rate: 0.000001/min}\n",
		"version: 1\nname: a\nload: {rate: 7.1234567/s, hold: 1.001us, duration: 0.029s}\n",
		"version: 1\nname: a\nload: {options: {linger: 0s, mark: 4294967295, device: lo, "
		"nodelay: true, keepalive: 5s}}\n",
		"version: 1\nname: a\nload: {options: {linger: none, keepalive: {idle: 2m, count: "
		"3}}}\n",
		"version: 1\nname: a\nload: {bind: address}\ncases: {a: {load: {bind: port "
		"40000}}, "
		"b: {load: {bind: ports 1024-65535}}, c: {load: {bind: local-port-range "
		"32768-60999}}, d: {load: {bind: address-no-port}}, e: {load: {bind: address "
		"10.77.9.9}}, f: {network: {family: ipv6}, load: {bind: \"address fd00::9\"}}}\n",
		"version: 1\nname: a\nload: {rate: 999999.999999/s}\n",
		"version: 1\nname: a\nload: {rate: 7/min, ramp: [{to: 1.5k/s, over: 250ms}, {to: "
		"0/s, over: 1h}]}\n",
		"version: 1\nname: a\nload: {on_failure: {retry: 3, wait: 1.5ms, grow: 2, jitter: "
		"12.5%, then: continue}}\n",
		"version: 1\nname: a\nloads: {b: {}, a: {hold: 5s}}\n",
		"version: 1\nname: a\nloads: {a: {rate: 5/s, options: {keepalive: 5s}, on_failure: "
		"{retry: 3}}, b: {ramp: [{to: 5/s, over: 1s}]}}\nload: {hold: 1s}\n"
		"expect: [a/leaked == 0, b/errors.connect.EPERM == 0, leaked == 0]\n",
		"version: 1\nname: a\nload: {burst: {size: 1k, every: 1.5s}, start: 250ms}\n",
		"version: 1\nname: a\nexpect: [ports.fill.max < 7%, \"recovery in 1us .. 1.5s\", "
		"counter.X==1k]\n",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_round_trip(rows[i], false);
		check_round_trip(rows[i], true);
	}
}

static void origins_name_the_line_or_the_default(void)
{
	static char buffer[1 << 14];
	struct out out = out_memory(buffer, sizeof(buffer) - 1);
	struct read r;

	read_yaml(&r, "version: 1\nname: a\nload:\n  hold: 5s\nexpect: [leaked == 0]\n");
	CU_ASSERT_FATAL(r.ok);
	scenario_write(&out, &r.file.cases[0], true);
	buffer[out.len] = '\0';
	CU_ASSERT_PTR_NOT_NULL(
		strstr(buffer, "\n  hold: 5s                            # test.yaml:4\n"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(buffer, "\n  end: close                          # default\n"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(buffer, "\n  - leaked == 0                       # test.yaml:5\n"));
	read_close(&r);
}

static void a_byte_order_mark_and_crlf_do_no_harm(void)
{
	struct read r;

	read_yaml(&r, "\xef\xbb\xbfversion: 1\r\nname: a\r\nabout: |\r\n  x\r\n  y\r\nload:\r\n  "
		      "hold: 5s\r\n");
	CU_ASSERT_FATAL(r.ok);
	CU_ASSERT(text_is(r.file.cases[0].top.about, "x\ny\n"));
	CU_ASSERT_EQUAL(r.file.cases[0].load.at.hold.line, 7);
	CU_ASSERT(text_is(scenario_line(r.file.source, 1), "version: 1"));
	CU_ASSERT(text_is(scenario_line(r.file.source, 7), "  hold: 5s"));
	CU_ASSERT_EQUAL(scenario_line(r.file.source, 99).len, 0);
	read_close(&r);
}

/* Defaults, the base's load, the case's load, the base's loads.NAME, the case's loads.NAME. */
static void a_load_is_made_of_five_layers(void)
{
	static const struct {
		size_t at, load;
		int64_t hold_s;
		uint64_t total;
		const char *name;
	} rows[] = {
		{0, 0, 2, 7, "a"}, {0, 1, 1, 7, "b"},  {1, 0, 2, 9, "a"},
		{1, 1, 5, 9, "b"}, {2, 0, 2, 70, "a"}, {2, 2, 1, 7, "c"},
	};
	struct read r;

	read_yaml(&r, "version: 1\nname: x\n"
		      "expect: [b/leaked == 0]\n"
		      "loads: {a: {hold: 2s}, b: {}}\n"
		      "load: {hold: 1s, total: 7}\n"
		      "cases:\n"
		      "  all: {load: {total: 9, hold: 5s}}\n"
		      "  one: {loads: {a: {total: 70}, c: {}}, expect: [c/leaked == 0]}\n"
		      "  none: {title: x}\n");
	CU_ASSERT_FATAL(r.ok && r.file.count == 4);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct scenario *s = &r.file.cases[rows[i].at];
		const struct load *load = scenario_load(s, rows[i].load);

		CU_ASSERT_EQUAL(load->hold, rows[i].hold_s * 1000000000);
		CU_ASSERT_EQUAL(load->total, rows[i].total);
		CU_ASSERT(text_is(scenario_load_name(s, rows[i].load), rows[i].name));
	}
	CU_ASSERT_EQUAL(scenario_loads(&r.file.cases[0]), 2);
	CU_ASSERT_EQUAL(scenario_loads(&r.file.cases[2]), 3);
	CU_ASSERT_EQUAL(scenario_loads(&r.file.cases[3]), 2);
	CU_ASSERT_EQUAL(r.file.cases[1].expect.list[0].what.load, 2);
	CU_ASSERT_EQUAL(r.file.cases[2].expect.list[0].what.load, 3);
	read_close(&r);
}

/* Exhaustion ended a load whose policy said that it goes on. */
static void exhaustion_does_not_end_a_load_that_goes_on(void)
{
	static const struct {
		const char *lines;
		enum when when;
		unsigned line;
	} rows[] = {
		{"title: x", WHEN_EXHAUSTED, 0},
		{"load: {on_failure: stop}", WHEN_EXHAUSTED, 0},
		{"load: {on_failure: {retry: 0, then: stop}}", WHEN_EXHAUSTED, 0},
		{"load: {on_failure: continue}", WHEN_NEVER, 3},
		{"load:\n  on_failure: {retry: 3, then: stop}", WHEN_NEVER, 4},
		{"loads:\n  a: {}\n  b: {on_failure: continue}", WHEN_NEVER, 5},
		{"load: {on_failure: continue}\nloads: {a: {on_failure: stop}}", WHEN_EXHAUSTED, 0},
		/* Who says so, or for how long after it, means it. */
		{"load: {on_failure: continue}\nstop: {when: exhausted}", WHEN_EXHAUSTED, 4},
		{"load: {on_failure: continue}\nstop: {after: 1s}", WHEN_EXHAUSTED, 0},
		{"load: {on_failure: continue}\nstop: {after: 0s, time: 9s}", WHEN_NEVER, 3},
		{"stop: {when: never}", WHEN_NEVER, 3},
		{"cases: {b: {load: {on_failure: continue}}}", WHEN_EXHAUSTED, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[300];
		const struct scenario *s;
		struct read r;

		snprintf(text, sizeof(text), "version: 1\nname: x\n%s\n", rows[i].lines);
		read_yaml(&r, text);
		CU_ASSERT_FATAL(r.ok);
		s = &r.file.cases[0];
		if (s->stop.when != rows[i].when || s->stop.at.when.line != rows[i].line)
			printf("%s: %d, line %u\n", rows[i].lines, (int)s->stop.when,
			       s->stop.at.when.line);
		CU_ASSERT_EQUAL(s->stop.when, rows[i].when);
		CU_ASSERT_EQUAL(s->stop.at.when.line, rows[i].line);
		read_close(&r);
	}
}

static void a_case_has_a_policy_of_its_own(void)
{
	struct read r;

	read_yaml(&r, "version: 1\nname: x\nload: {on_failure: continue}\ncases:\n"
		      "  stops: {load: {on_failure: stop}}\n"
		      "  goes: {load: {total: 9}}\n");
	CU_ASSERT_FATAL(r.ok && r.file.count == 3);
	CU_ASSERT_EQUAL(r.file.cases[0].stop.when, WHEN_NEVER);
	CU_ASSERT_EQUAL(r.file.cases[1].stop.when, WHEN_EXHAUSTED);
	CU_ASSERT_EQUAL(r.file.cases[2].stop.when, WHEN_NEVER);
	read_close(&r);
}

static const struct test tests[] = {
	TEST(every_key_is_read),
	TEST(each_value_knows_its_place),
	TEST(reserved_ports_are_sorted_and_merged),
	TEST(a_case_merges_maps_and_replaces_lists),
	TEST(a_case_takes_back_what_is_mixed),
	TEST(the_source_has_its_sha256),
	TEST(defaults_lie_within_their_bounds),
	TEST(what_is_written_reads_back),
	TEST(origins_name_the_line_or_the_default),
	TEST(a_byte_order_mark_and_crlf_do_no_harm),
	TEST(a_load_is_made_of_five_layers),
	TEST(exhaustion_does_not_end_a_load_that_goes_on),
	TEST(a_case_has_a_policy_of_its_own),
	TESTS_END,
};

const struct suite suite_scenario = {"scenario", tests};
