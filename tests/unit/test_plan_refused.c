/* What cannot be, or not on this host, is refused with the reason. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "plan/doubt.h"
#include "plan/plan.h"
#include "plan/predict.h"
#include "plan_help.h"
#include "suites.h"

struct refusal {
	const char *lines;
	enum err_kind kind;
	unsigned line; /* 0: about no file */
	const char *what;
};

static void refusals_check(const struct refusal *rows, size_t count, const struct host *host)
{
	struct arena a = help_arena();

	for (size_t i = 0; i < count; i++) {
		const struct refusal *r = &rows[i];
		struct err err = {0};
		struct plan p;

		CU_ASSERT_FALSE(plan_make(&p, help_scenario(r->lines, &a), host, 1, &a, &err));
		if (err.kind != r->kind || err.at.line != r->line || strcmp(err.what, r->what) != 0)
			printf("\n%s\n  %u: %s\n", r->lines, err.at.line, err.what);
		CU_ASSERT_EQUAL(err.kind, r->kind);
		CU_ASSERT_EQUAL(err.at.line, r->line);
		CU_ASSERT_STRING_EQUAL(err.what, r->what);
		CU_ASSERT(err.hint[0] != '\0');
	}
	arena_close(&a);
}

static void what_cannot_be_is_refused_at_its_line(void)
{
	static const struct refusal rows[] = {
		{"network:\n  ports: 1-65535", ERR_SCENARIO, 4,
		 "the client\'s range 1-65535 leaves no port for the 1 that servers listen on"},
		{"network:\n  ports: 20-65500\n  services: 40", ERR_SCENARIO, 5,
		 "the client\'s range 20-65500 leaves no port for the 40 that servers listen on"},
		{"network:\n  sources: [10.77.128.3]\n  servers: 4", ERR_SCENARIO, 4,
		 "10.77.128.3 is one of network.sources and of network.servers"},
		{"expect:\n  - exhausted == true\n  - counter.NoSuchThing == 0", ERR_SCENARIO, 5,
		 "this kernel has no counter NoSuchThing"},
		{"network: {sources: 2}\nloads: {a: {}, b: {bind: address}}\n"
		 "squat:\n  address: 10.77.0.1\n  bind: 2",
		 ERR_SCENARIO, 6, "squat.address is one of several sources that are bound"},
		{"network: {topology: loopback}\nload: {bind: address 127.0.0.5}", ERR_SCENARIO, 4,
		 "load.bind cannot name 127.0.0.5: the client has it, and network.sources do not"},
	};
	struct host host = help_host();

	strcpy(host.counters, "ActiveOpens TCPTimeouts");
	refusals_check(rows, sizeof(rows) / sizeof(rows[0]), &host);
}

static void a_host_without_io_uring_is_told_why_and_what_to_do(void)
{
	static const struct {
		int error;
		const char *mend;
	} rows[] = {
		{EPERM, "seccomp"},
		{ENOSYS, "Podman"},
		{ENOMEM, "RLIMIT_MEMLOCK"},
		{EINVAL, "doctor"},
	};
	struct arena a = help_arena();
	struct host host = help_host();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = {0};
		struct plan p;

		host.io_uring = rows[i].error;
		CU_ASSERT_FALSE(
			plan_make(&p, help_scenario("load: {total: 1}", &a), &host, 1, &a, &err));
		CU_ASSERT_EQUAL(err.kind, ERR_HOST);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.hint, rows[i].mend));
	}
	arena_close(&a);
}

static void a_host_with_too_little_is_told_both_numbers(void)
{
	static const struct refusal memory[] = {
		{"network: {sources: 10}\nload: {end: leak}", ERR_HOST, 0,
		 "282320 connections take about 2258 MB of memory, and 100 MB are free"},
	};
	static const struct refusal files[] = {
		{"load: {total: 1}", ERR_HOST, 0, "RLIMIT_NOFILE is 255, and lastport needs 256"},
	};
	struct host host = help_host();

	host.memory = 100 * 1000 * 1000;
	refusals_check(memory, 1, &host);
	host.nofile = 255;
	refusals_check(files, 1, &host);
}

static const struct test tests[] = {
	TEST(what_cannot_be_is_refused_at_its_line),
	TEST(a_host_without_io_uring_is_told_why_and_what_to_do),
	TEST(a_host_with_too_little_is_told_both_numbers),
	TESTS_END,
};

const struct suite suite_plan_refused = {"plan: refused", tests};
