#include "judge/denied.h"

#include <stdio.h>

#include "plan_help.h"
#include "suites.h"

#define CHURN \
	"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n" \
	"load: {rate: 200/s, total: 320}\n"
#define BEHIND_NAT \
	"network: {topology: nat, nat: {ports: 50000-50063}}\n" \
	"load: {rate: 100/s, hold: 1h, timeout: 1s, "
#define BEHIND_MAPPING \
	"network: {topology: nat, nat: {ports: 50000-50063, mapping: endpoint-independent, " \
	"mapping_time: 1h}}\n" \
	"load: {rate: 100/s, hold: 1h, timeout: 1s, "
#define LATER \
	"network: {ports: 40000-40031, time_wait: 2s}\n" \
	"load: {rate: 50/s, duration: 10s, on_failure: continue}\n"
#define SILENT \
	"server: {behaviour: drop}\n" \
	"load: {protocol: udp, rate: 50/s, duration: 2s, request: {send: 60B, receive: 200B}}\n"
#define AS_LATE(delay) \
	"server: {delay: " delay "}\n" \
	"load: {rate: 50/s, total: 1, timeout: 100ms, request: {send: 64B, receive: 64B}}\n"
#define REFUSING "server: {behaviour: refuse}\nload: {rate: 10/s, total: 5}\n"
#define FITS "network: {ports: 40000-40031}\nload: {rate: 200/s, total: 20}\n"

/* Either side of what is predicted; and what nothing is predicted of. */
static void a_line_is_denied_where_no_outcome_keeps_it(void)
{
	static const struct {
		const char *load, *line;
		bool denied;
	} rows[] = {
		{CHURN, "exhausted == false", true},
		{CHURN, "exhausted == true", false},
		{CHURN, "exhausted != false", false},
		{CHURN, "exhausted.after == 32", false},
		{CHURN, "exhausted.after != 32", true},
		{CHURN, "exhausted.after < 33", false},
		{CHURN, "exhausted.after < 32", true},
		{CHURN, "exhausted.after >= 33", true},
		{CHURN, "exhausted.after in 30..40", false},
		{CHURN, "exhausted.after in 33..40", true},
		{CHURN, "exhausted.at > 160ms", false},
		{CHURN, "exhausted.at < 100ms", true},
		{CHURN, "exhausted.at > 1m", true},
		{CHURN, "connects.failed == 0", true},
		{CHURN, "connects.failed <= 9000", false},
		{CHURN, "predicted.rate >= 200/s", true},
		{CHURN, "predicted.rate >= 30/min", false},
		{CHURN, "recovered.at < 1s", true},
		{CHURN, "recovered.at > 1m", true}, /* it is over after 1.6 s */
		{LATER, "recovered.at > 1s", false},
		/* what a run has so far it may have more of */
		{CHURN, "connects.opened <= 30", false},
		{CHURN, "connects.attempted == 320", false},
		{BEHIND_NAT "total: 64}\n", "connects.failed == 0", false},
		{BEHIND_NAT "total: 65}\n", "connects.failed == 0", true},
		{BEHIND_NAT "total: 65}\n", "exhausted == false", false},
		/* the 65th finds the gateway full */
		{BEHIND_NAT "total: 65}\n", "nat.drop == 0", true},
		{BEHIND_NAT "total: 65}\n", "nat.drop < 1", true},
		{BEHIND_NAT "total: 65}\n", "nat.drop <= 9", false},
		{BEHIND_NAT "total: 65}\n", "nat.unmapped == 0", false},
		{BEHIND_NAT "total: 64}\n", "nat.drop == 0", false},
		{BEHIND_MAPPING "total: 65}\n", "nat.unmapped == 0", true},
		{BEHIND_MAPPING "total: 64}\n", "nat.unmapped == 0", false},
		{"load: {end: leak, nofile: 64, total: 61}\n", "connects.failed == 0", false},
		{"load: {end: leak, nofile: 64, total: 62}\n", "connects.failed == 0", true},
		{FITS, "exhausted == false", false},
		{FITS, "exhausted == true", true},
		{FITS, "connects.failed == 0", false},
		{FITS, "ports.used.max <= 20", false},
		{FITS, "ports.used.max > 20", true},
		{CHURN, "ports.fill.max < 0%", true},
		{CHURN, "ports.fill.max < 100%", true},
		{CHURN, "ports.fill.max == 100%", false},
		{FITS, "ports.fill.max > 50%", false},
		{FITS, "ports.fill.max > 63%", true},
		{CHURN, "recovered == true", true}, /* over after 1.6 s */
		{CHURN, "recovered == false", false},
		{FITS, "recovered == true", true},
		{LATER, "recovered == true", false},
		/* what nobody measures has no value that a line could hold for */
		{FITS, "exhausted.after >= 1", true},
		{FITS, "exhausted.at < 1h", true},
		{FITS, "recovery < 1h", true},
		{FITS, "recovered.at < 1h", true},
		{CHURN, "recovery < 1h", true},
		{LATER, "recovery < 1h", false},
		{SILENT, "requests.failed == 0", true},
		{SILENT, "requests.failed >= 1", false},
		{AS_LATE("340ms"), "requests.failed == 0", false},
		{AS_LATE("360ms"), "requests.failed == 0", true},
		{"server: {delay: 3s, jitter: 50%}\nload: {rate: 10/s, request: {send: 8B, "
		 "receive: 8B}}\n",
		 "requests.failed == 0", false},
		{"server: {delay: 3s, jitter: 10%}\nload: {rate: 10/s, request: {send: 8B, "
		 "receive: 8B}}\n",
		 "requests.failed == 0", true},
		{REFUSING, "connects.failed == 0", true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		const struct host host = help_host();
		char lines[400];
		struct plan p;
		struct err err = {0};
		struct denial_list denied;

		snprintf(lines, sizeof(lines), "%sexpect: [%s]", rows[i].load, rows[i].line);
		CU_ASSERT_FATAL(plan_make(&p, help_scenario(lines, &a), &host, 1, &a, &err));
		denied_find(&denied, &p, &a);
		if (denied.count != rows[i].denied)
			printf("%s: %zu\n", rows[i].line, denied.count);
		CU_ASSERT_EQUAL(denied.count, rows[i].denied);
		arena_close(&a);
	}
}

/* 64 of them were told, and the others passed for lines that may hold. */
static void every_line_is_told(void)
{
	enum { LINES = 70 };
	struct arena a = help_arena();
	struct text lines = TEXT(CHURN "expect: [");
	struct denial_list denied;
	struct plan p;

	for (int i = 0; i < LINES; i++)
		lines = text_format(&a, TEXT_FMT "exhausted.after == %d, ", TEXT_ARG(lines),
				    i + 33);
	p = help_plan(text_format(&a, TEXT_FMT "connects.failed == 0]", TEXT_ARG(lines)).s, NULL, 1,
		      &a);
	denied_find(&denied, &p, &a);
	CU_ASSERT_EQUAL_FATAL(denied.count, LINES + 1);
	CU_ASSERT_PTR_EQUAL(denied.list[LINES].line, &p.scenario->expect.list[LINES]);
	arena_close(&a);
}

static const struct test tests[] = {
	TEST(a_line_is_denied_where_no_outcome_keeps_it),
	TEST(every_line_is_told),
	TESTS_END,
};

const struct suite suite_denied = {"denied", tests};
