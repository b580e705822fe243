#include "plan_help.h"

#include <CUnit/CUnit.h>
#include <stdio.h>

struct arena help_arena(void)
{
	struct arena a = {0};

	CU_ASSERT_FATAL(arena_open(&a, 64 << 20));
	return a;
}

const struct scenario *help_scenario(const char *lines, struct arena *arena)
{
	struct scenario_file *file = ARENA_NEW(arena, struct scenario_file);
	struct text source = text_format(arena, "version: 1\nname: test\n%s", lines);
	struct errs *errs = ARENA_NEW(arena, struct errs);

	if (!scenario_read(file, "test.yaml", source, arena, errs)) {
		printf("%s: %s: %s\n", lines, errs->list[0].what, errs->list[0].hint);
		CU_FAIL_FATAL("a test's scenario cannot be read");
	}
	return &file->cases[0];
}

struct host help_host(void)
{
	return (struct host){
		.memory = INT64_C(8) << 30,
		.nofile_soft = 1024,
		.nofile = 20000,
		.ports = {32768, 60999},
		.tw_reuse = 2,
		.tw_reuse_delay = 1000,
		.ehash = 262144,
	};
}

struct plan help_plan(const char *lines, const struct host *host, uint64_t seed,
		      struct arena *arena)
{
	static struct host usual;
	struct err err = {0};
	struct plan p = {0};

	usual = help_host();
	if (!plan_make(&p, help_scenario(lines, arena), host ? host : &usual, seed, arena, &err)) {
		printf("\n%s\n  %s\n", lines, err.what);
		CU_FAIL_FATAL("a test's plan cannot be made");
	}
	return p;
}
