/* scenario_help.h - a scenario from a string, for tests. */
#pragma once

#include <CUnit/CUnit.h>
#include <string.h>

#include "scenario/scenario.h"

struct read {
	bool ok;
	struct scenario_file file;
	struct errs errs;
	struct arena arena;
};

/* What is not written is 0x55, so that nothing leans on zeroes. End it with read_close(). */
static inline void read_text(struct read *r, struct text src)
{
	memset(r, 0x55, sizeof(*r));
	r->errs = (struct errs){0};
	CU_ASSERT_FATAL(arena_open(&r->arena, 256 << 20));
	memset(arena_take(&(struct arena){r->arena.at, r->arena.end}, 1 << 16, 1), 0x55, 1 << 16);
	r->ok = scenario_read(&r->file, "test.yaml", src, &r->arena, &r->errs);
}

static inline void read_yaml(struct read *r, const char *yaml)
{
	read_text(r, text_of(yaml));
}

static inline void read_close(struct read *r)
{
	arena_close(&r->arena);
}
