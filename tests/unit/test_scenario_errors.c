#include <stdio.h>
#include <stdlib.h>

#include "cmd/errors.h"
#include "mistake.h"
#include "scenario_help.h"
#include "suites.h"

static void syntax_is_told_with_a_hint(void)
{
	static const struct mistake rows[] = {
		{"", 1, 1, "the file is empty", "version: 1"},
		{"# only words\n", 1, 1, "the file is empty", "version: 1"},
		{HEAD "load:\n\trate: 5/s\n", 4, 1, "tab", "spaces"},
		{HEAD "load:\n  \trate: 5/s\n", 4, 3, "tab", "spaces"},
		{HEAD "title: \"a\nload: {}\n", 3, 8, "never closed", "Close it"},
		{HEAD "title: 'a\n", 3, 8, "never closed", "Close it"},
		{HEAD "title: @a\n", 3, 8, "cannot start", "quotes"},
		{HEAD "title: a: b\n", 3, 9, "a key cannot stand here", "quotes"},
		{HEAD "load:\n  hold: 5s\n   rate: 5/s\n", 5, 8, "a key cannot stand here",
		 "indented"},
		{HEAD "load\nstop: {}\n", 3, 1, "no \": \"", "KEY: VALUE"},
		{HEAD "refs: [a, b\nload: {}\n", 3, 7, "\"[\" is opened here", "\"]\""},
		{HEAD "load: {rate: 5/s\nstop: {}\n", 3, 7, "\"{\" is opened here", "\"}\""},
		{HEAD "refs: [a, \"b\" c]\n", 3, 15,
		 "a comma or a closing bracket is expected here", "quotes"},
		{HEAD "title: \"a\\qb\"\n", 3, 10, "no such escape", "single quotes"},
		{HEAD "title: \"a\" b\n", 3, 12, "a key is expected here", "inside the quotes"},
		{HEAD "expect:\n  - leaked == 0\n  x: 1\n", 5, 3, "no item", "- "},
		{"%YAML 1.1\n---\n" HEAD, 1, 1, "directives", ""},
		{HEAD "---\n" HEAD, 3, 1, "second document", ""},
		{HEAD "title: &a x\n", 3, 8, "anchors", "Write the value out"},
		{HEAD "title: *a\n", 3, 8, "aliases", "Write the value out"},
		{HEAD "title: !!str x\n", 3, 8, "tags", ""},
		{HEAD "title: ! x\n", 3, 8, "tags", ""},
		{HEAD "load: !x {}\n", 3, 7, "tags", ""},
		{HEAD "? [a]\n: b\n", 3, 3, "cannot be a key", "KEY: VALUE"},
		{HEAD "title: \x01\n", 3, 8, "control character", "UTF-8"},
		{HEAD "title: a\xff\n", 3, 9, "not UTF-8", "UTF-8"},
		{HEAD "title: a\xc0\xaf\n", 3, 9, "not UTF-8", "UTF-8"},
		{HEAD "title: é\xed\xa0\x80\n", 3, 9, "not UTF-8", "UTF-8"},
	};
	static const char nul[] = HEAD "title: a\0b\n";
	struct read r;

	CHECK(rows);
	read_text(&r, (struct text){nul, sizeof(nul) - 1});
	CU_ASSERT(!r.ok && r.errs.list[0].at.line == 3 && r.errs.list[0].at.col == 9);
	CU_ASSERT_PTR_NOT_NULL(strstr(r.errs.list[0].what, "NUL"));
	read_close(&r);
}

static void strange_keys_are_told_where_they_belong(void)
{
	static const struct mistake rows[] = {
		{HEAD "nework: {}\n", 3, 1, "no key \"nework\"", "Did you mean network?"},
		{HEAD "rate: 5/s\n", 3, 1, "no key \"rate\"", "It belongs under load:."},
		{HEAD "load: {topology: veth}\n", 3, 8, "\"load.topology\"",
		 "It belongs under network:."},
		{HEAD "load: {expect: []}\n", 3, 8, "\"load.expect\"", "at the top"},
		{HEAD "load: {name: b}\n", 3, 8, "\"load.name\"", "at the top"},
		{HEAD "load: {ordr: fast}\n", 3, 8, "\"load.ordr\"", "Did you mean load.order?"},
		{HEAD "topolgy: veth\n", 3, 1, "\"topolgy\"", "Did you mean network.topology?"},
		{HEAD "server: {zzzzzzzz: 1}\n", 3, 10, "\"server.zzzzzzzz\"", "behaviour"},
		{HEAD "zzzzzzzz: 1\n", 3, 1, "\"zzzzzzzz\"", "The keys here are name"},
		{HEAD "load: {hold: 1s, rate: 1/s, hold: 2s}\n", 3, 29, "\"hold\" is here twice",
		 "line 3"},
		{HEAD "title: a\ntitle: b\n", 4, 1, "\"title\" is here twice", "line 3"},
		{HEAD "expect: [{expr: leaked == 0, abrt: true}]\n", 3, 30, "\"abrt\"",
		 "expr, abort and after"},
		{"name: a\n", 1, 1, "version is missing", "version: 1"},
		{"version: 1\n", 1, 1, "name is missing", "Add a name"},
		{"version: 2\nname: a\nnovel: x\n", 1, 10, "version cannot be \"2\"",
		 "It can only be 1"},
		{"- version\n", 1, 1, "a scenario cannot be a list", "version: 1"},
		{"words\n", 1, 1, "a scenario cannot be \"words\"", "version: 1"},
	};

	CHECK(rows);
}

static void values_are_held_to_kind_and_bounds(void)
{
	static const struct mistake rows[] = {
		{HEAD "load: {hold: 5 days}\n", 3, 14, "load.hold cannot be \"5 days\"",
		 "Write a time such as 250ms or 2s, from 0s to 1h."},
		{HEAD "load: {hold: 5}\n", 3, 14, "load.hold cannot be \"5\"", "a time such as"},
		{HEAD "load: {hold: 2h}\n", 3, 14, "load.hold cannot be \"2h\"", "to 1h"},
		{HEAD "load: {hold: -1s}\n", 3, 14, "load.hold cannot be \"-1s\"", "from 0s"},
		{HEAD "load:\n  hold:\n", 4, 8, "load.hold cannot be empty", "a time"},
		{HEAD "load: {hold: [5s]}\n", 3, 14, "load.hold cannot be a list", "Write a time"},
		{HEAD "load: {hold: {a: 1}}\n", 3, 14, "load.hold cannot be a map", "Write a time"},
		{HEAD "load: {rate: 500}\n", 3, 14, "load.rate cannot be \"500\"",
		 "Write a rate such as 200/s"},
		{HEAD "load: {rate: 2M/s}\n", 3, 14, "load.rate cannot be", "to 1M/s"},
		{HEAD "load: {total: 1.5}\n", 3, 15, "load.total cannot be \"1.5\"",
		 "whole number"},
		{HEAD "load: {total: 0x10}\n", 3, 15, "load.total cannot be", "whole number"},
		{HEAD "load: {order: [fast]}\n", 3, 15, "load.order cannot be a list",
		 "kernel, fast"},
		{HEAD "network: {sources: 0}\n", 3, 20, "network.sources cannot be \"0\"",
		 "from 1 to 4096"},
		{HEAD "load: {end: clse}\n", 3, 13, "load.end cannot be \"clse\"",
		 "Did you mean close?"},
		{HEAD "load: {end: politely}\n", 3, 13, "load.end cannot be",
		 "close, reset, leak, wait"},
		{HEAD "network: {ports: 1000}\n", 3, 18, "network.ports cannot be",
		 "such as 40000-40031"},
		{HEAD "network: {ports: 5-1}\n", 3, 18, "network.ports cannot be",
		 "such as 40000-40031"},
		{HEAD "network: {ports: 0-10}\n", 3, 18, "network.ports cannot be",
		 "from 1 to 65535"},
		{HEAD "network: {ports: 1-65536}\n", 3, 18, "network.ports cannot be",
		 "from 1 to 65535"},
		{HEAD "network: {reserved: 5}\n", 3, 21, "network.reserved cannot be \"5\"",
		 "a list of ports"},
		{HEAD "network: {reserved: [5, x]}\n", 3, 25, "network.reserved cannot be \"x\"",
		 "a list of ports"},
		{HEAD "network: {reserved: [[5]]}\n", 3, 22, "network.reserved cannot be a list",
		 "a list of ports"},
		{HEAD "network: {sysctl: [a]}\n", 3, 19, "network.sysctl cannot be a list",
		 "a map such as"},
		{HEAD "network: {sysctl: {kernel.x: 1}}\n", 3, 20, "cannot set \"kernel.x\"",
		 "network sysctl"},
		{HEAD "network: {sysctl: {net.ipv4..x: 1}}\n", 3, 20, "cannot set \"net.ipv4..x\"",
		 "network sysctl"},
		{HEAD "network: {sysctl: {net.: 1}}\n", 3, 20, "cannot set \"net.\"",
		 "network sysctl"},
		{HEAD "network: {sysctl: {net/ipv4: 1}}\n", 3, 20, "cannot set \"net/ipv4\"",
		 "network sysctl"},
		{HEAD "network: {sysctl: {net.a: \"\"}}\n", 3, 27, "net.a cannot be empty",
		 "1 to 64 bytes"},
		{HEAD "network: {sysctl: {net.a: \"1\\n2\"}}\n", 3, 27, "net.a cannot be",
		 "one line"},
		{HEAD "network: {sysctl: {net.ipv4.ip_local_port_range: 1 2}}\n", 3, 20,
		 "cannot set", "Write it as network.ports."},
		{HEAD "network: {sysctl: {net.ipv4.ip_local_reserved_ports: 1}}\n", 3, 20,
		 "cannot set", "Write it as network.reserved."},
		{"version: 1\nname: Big Name\n", 2, 7, "name cannot be \"Big Name\"", "a-z"},
		{"version: 1\nname: -a\n", 2, 7, "name cannot be", "a-z"},
		{HEAD "title: \"a\\nb\"\n", 3, 8, "title cannot be", "one line"},
		{HEAD "about: \"a\\0b\"\n", 3, 8, "about cannot be", "control"},
		{HEAD "refs: [\"\"]\n", 3, 8, "refs[] cannot be empty", "one line"},
		{HEAD "load: {ramp: 5/s}\n", 3, 14, "load.ramp cannot be \"5/s\"", "to: 1k/s"},
		{HEAD "load: {ramp: [5/s]}\n", 3, 15, "a step of a ramp cannot be", "over: 10s"},
		{HEAD "load: {ramp: [{to: 5/s}]}\n", 3, 15, "has no over", "over: 10s"},
		{HEAD "load: {ramp: [{over: 5s}]}\n", 3, 15, "has no to", "to: 1k/s"},
		{HEAD "load: {ramp: [{to: 2M/s, over: 5s}]}\n", 3, 20, "to cannot be", "1M/s"},
		{HEAD "load: {ramp: [{to: 5/s, over: 2h}]}\n", 3, 31, "over cannot be", "1h"},
		{HEAD "load: {rate: 5/s, ramp: [{to: 0/s, over: 0s}]}\n", 3, 25, "never leaves 0/s",
		 "a higher rate"},
		{HEAD "load: {ramp: [{to: 5/s, in: 2s}]}\n", 3, 25, "there is no key \"in\"",
		 "to and over"},
		{HEAD "load: {burst: 5}\n", 3, 15, "load.burst cannot be \"5\"", "size, every"},
		{HEAD "load: {burst: {every: 0s}}\n", 3, 23, "load.burst.every cannot be", "1ms"},
		{HEAD "load: []\n", 3, 7, "load cannot be a list",
		 "below it, indented: protocol, family, connected, rate, ramp"},
		{HEAD "load:\n", 3, 6, "load cannot be empty", "below it"},
	};

	CHECK(rows);
}

static void sections_within_sections_are_held_to_the_same(void)
{
	static const struct mistake rows[] = {
		{HEAD "load: {on_failure: {than: stop}}\n", 3, 21,
		 "there is no key \"load.on_failure.than\"", "Did you mean load.on_failure.then?"},
		{HEAD "load: {on_failur: stop}\n", 3, 8, "there is no key \"load.on_failur\"",
		 "Did you mean load.on_failure?"},
		{HEAD "sample: {sockets: 5}\n", 3, 19, "sample.sockets",
		 "Write a time such as 2s, from 1s to 1h."},
		{HEAD "load: {on_failure: stopp}\n", 3, 20, "load.on_failure cannot be \"stopp\"",
		 "Did you mean stop?"},
		{HEAD "load: {on_failure: {then: [stop]}}\n", 3, 27,
		 "load.on_failure cannot be a list", "stop, continue"},
		{HEAD "load: {on_failure: [stop]}\n", 3, 20, "load.on_failure cannot be a list",
		 "indented: then"},
		{HEAD "load: {then: stop}\n", 3, 8, "there is no key \"load.then\"",
		 "It belongs under load.on_failure:."},
		{HEAD "on_failure: stop\n", 3, 1, "there is no key \"on_failure\"",
		 "It belongs under load:."},
		{HEAD "load.on_failure: stop\n", 3, 1, "there is no key \"load.on_failure\"", ""},
	};

	CHECK(rows);
}

static void expectations_are_told_at_the_word(void)
{
	static const struct mistake rows[] = {
		{HEAD "expect: leaked == 0\n", 3, 9, "expect cannot be", "Write a list"},
		{HEAD "expect: [exhausted.aftr == 32]\n", 3, 10, "no measure \"exhausted.aftr\"",
		 "Did you mean exhausted.after?"},
		{HEAD "expect: [\"leked == 0\"]\n", 3, 10, "no measure \"leked\"",
		 "Did you mean leaked?"},
		{HEAD "expect: [zzzzzzzz == 1]\n", 3, 10, "no measure", "lastport help measures"},
		{HEAD "expect: [errors.connect.EWHAT == 1]\n", 3, 10, "no measure",
		 "EADDRNOTAVAIL"},
		{HEAD "expect: [== 1]\n", 3, 10, "begins with a measure", "MEASURE OP VALUE"},
		{HEAD "expect: [leaked = 1]\n", 3, 17, "a comparison is expected here", "=="},
		{HEAD "expect: [leaked]\n", 3, 16, "a comparison is expected here", "=="},
		{HEAD "expect: [leaked ==]\n", 3, 19, "compared with nothing", "whole number"},
		{HEAD "expect: [leaked == 1.5]\n", 3, 20, "\"1.5\"", "whole number"},
		{HEAD "expect: [leaked == 1s]\n", 3, 20, "\"1s\"", "whole number"},
		{HEAD "expect: [ports.fill.max < 80 %]\n", 3, 27, "\"80 %\"", "80% or 0.8"},
		{HEAD "expect: [recovery < 5]\n", 3, 21, "\"5\"", "a time"},
		{HEAD "expect: [connects.rate > 5]\n", 3, 26, "\"5\"", "a rate"},
		{HEAD "expect: [exhausted == yes]\n", 3, 23, "\"yes\"", "true"},
		{HEAD "expect: [exhausted < true]\n", 3, 22, "\"true\"", "== true or == false"},
		{HEAD "expect: [leaked in 5]\n", 3, 20, "\"5\"", "in 30..34"},
		{HEAD "expect: [leaked in 5..4]\n", 3, 20, "\"5..4\"", "the lower end first"},
		{HEAD "expect: [exhausted in true..true]\n", 3, 23, "\"true..true\"", "in 30..34"},
		{HEAD "expect: [[leaked == 0]]\n", 3, 10, "cannot be a list", "MEASURE OP VALUE"},
		{HEAD "expect: [{abort: true}]\n", 3, 10, "has no expr", "expr:"},
		{HEAD "expect: [{expr: leaked == 0, abort: yes}]\n", 3, 37,
		 "abort cannot be \"yes\"", "true or false"},
		{HEAD "expect: [{expr: leaked == 0, abort: true, after: 5}]\n", 3, 50,
		 "after cannot be \"5\"", "a time"},
		{HEAD "expect: [{expr: leaked == 0, after: 5s}]\n", 3, 30, "without abort",
		 "Add abort: true"},
	};

	CHECK(rows);
}

static void cases_are_held_to_the_same(void)
{
	static const struct mistake rows[] = {
		{HEAD "cases: []\n", 3, 8, "cases cannot be a list", "below it"},
		{HEAD "cases: {base: {}}\n", 3, 9, "cannot be called \"base\"", "another name"},
		{HEAD "cases: {A b: {}}\n", 3, 9, "cannot be called \"A b\"", "a-z"},
		{HEAD "cases: {b: []}\n", 3, 12, "a case cannot be a list", "below it"},
		{HEAD "cases: {b: {version: 1}}\n", 3, 13, "no \"version\" of its own",
		 "top of the file"},
		{HEAD "cases: {b: {name: x}}\n", 3, 13, "no \"name\" of its own",
		 "top of the file"},
		{HEAD "cases: {b: {cases: {}}}\n", 3, 13, "no \"cases\" of its own",
		 "top of the file"},
		{HEAD "cases: {b: {load: {hold: 5}}}\n", 3, 26, "load.hold cannot be \"5\"",
		 "a time"},
		{HEAD "cases: {b: {}, b: {}}\n", 3, 16, "\"b\" is here twice", "line 3"},
	};

	CHECK(rows);
}

static void loads_are_held_to_the_same(void)
{
	static const struct mistake rows[] = {
		{HEAD "loads: 5\n", 3, 8, "loads cannot be \"5\"", "names below it"},
		{HEAD "loads: {a: 5}\n", 3, 12, "loads.a cannot be \"5\"", "indented"},
		{HEAD "loads: {A: {}}\n", 3, 9, "a load cannot be called \"A\"", "victim"},
		{HEAD "loads: {a: {hold: 9x}}\n", 3, 19, "loads.a.hold cannot be \"9x\"", "2s"},
		{HEAD "loads: {a: {totl: 9}}\n", 3, 13, "there is no key \"loads.a.totl\"",
		 "loads.a.total"},
		{HEAD "loads: {a: {on_failure: {retri: 9}}}\n", 3, 26,
		 "there is no key \"loads.a.on_failure.retri\"", "loads.a.on_failure.retry"},
		{HEAD "loads: {a: {}, a: {}}\n", 3, 16, "is here twice", "line 3"},
		{HEAD "loades: {a: {}}\n", 3, 1, "there is no key", "Did you mean loads?"},
		{HEAD "loads: {a: {rate: 5/s, concurrency: 5}}\n", 3, 37, "exclude each other", ""},
		/* What all have of `load` is told once. */
		{HEAD "load: {rate: 5/s, concurrency: 5}\nloads: {a: {}, b: {hold: 1s}}\n", 3, 32,
		 "exclude each other", ""},
		/* A case's own mistake, and the base's once. */
		{HEAD "loads: {a: {rate: 5/s}}\ncases: {b: {loads: {a: {concurrency: 5}}}}\n", 4,
		 38, "exclude each other", ""},
		{HEAD "loads: {a: {rate: 5/s, concurrency: 5}}\ncases: {b: {load: {hold: 1s}}, c: "
		      "{}}\n",
		 3, 37, "exclude each other", ""},
		{HEAD "loads: {a: {hold: 9x}}\ncases: {b: {load: {hold: 1s}}}\n", 3, 19,
		 "loads.a.hold", ""},
		{HEAD "expect: [b/leaked == 0]\nloads: {a: {}}\n", 3, 10, "there is no load \"b\"",
		 "The loads are a."},
		{HEAD "expect: [b/leaked == 0]\n", 3, 10, "there is no load \"b\"", "no loads"},
		{HEAD "expect: [a/time_wait.max == 0]\nloads: {a: {}}\n", 3, 12,
		 "is not told of one load", "whole run"},
		{HEAD "expect: [a/leeked == 0]\nloads: {a: {}}\n", 3, 12, "there is no measure",
		 "leaked"},
	};

	CHECK(rows);
}

static void all_mistakes_are_told_in_the_order_of_the_file(void)
{
	struct read r;

	read_yaml(&r, "version: 1\n"
		      "load: {hold: 5, hold: 6}\n"
		      "cases: {b: {load: {rate: 5}}}\n"
		      "stop: {whn: never}\n");
	CU_ASSERT(!r.ok);
	CU_ASSERT_EQUAL_FATAL(r.errs.count, 6);
	CU_ASSERT_EQUAL(r.errs.list[0].at.line, 1); /* the name is missing */
	CU_ASSERT_EQUAL(r.errs.list[1].at.line, 2);
	CU_ASSERT_EQUAL(r.errs.list[4].at.line, 3);
	CU_ASSERT_EQUAL(r.errs.list[5].at.line, 4);
	read_close(&r);
}

static void more_mistakes_than_fit_are_counted(void)
{
	static char yaml[1000] = HEAD;
	struct read r;

	for (char c = 'a'; c <= 't'; c++)
		snprintf(yaml + strlen(yaml), sizeof(yaml) - strlen(yaml), "zzzzzzzzz%c: 1\n", c);
	read_yaml(&r, yaml);
	CU_ASSERT(!r.ok);
	CU_ASSERT_EQUAL(r.errs.count, 16);
	CU_ASSERT_EQUAL(r.errs.more, 4);
	read_close(&r);
}

static const struct test tests[] = {
	TEST(syntax_is_told_with_a_hint),
	TEST(strange_keys_are_told_where_they_belong),
	TEST(values_are_held_to_kind_and_bounds),
	TEST(sections_within_sections_are_held_to_the_same),
	TEST(expectations_are_told_at_the_word),
	TEST(cases_are_held_to_the_same),
	TEST(loads_are_held_to_the_same),
	TEST(all_mistakes_are_told_in_the_order_of_the_file),
	TEST(more_mistakes_than_fit_are_counted),
	TESTS_END,
};

const struct suite suite_scenario_errors = {"scenario errors", tests};
