#include "mistake.h"

#include <stdio.h>

#include "cmd/errors.h"
#include "scenario_help.h"

void mistake_check(const struct mistake *m)
{
	struct read r;
	bool as_told;

	read_yaml(&r, m->yaml);
	as_told = !r.ok && r.errs.count == 1 && r.errs.list[0].at.line == m->line &&
		  r.errs.list[0].at.col == m->col && strstr(r.errs.list[0].what, m->what) &&
		  strstr(r.errs.list[0].hint, m->hint);
	if (!as_told) {
		printf("\nthis scenario gives other errors than its row says:\n%s\n", m->yaml);
		fflush(stdout);
		errors_print(&r.errs);
	}
	CU_ASSERT(as_told);
	read_close(&r);
}

void mistake_none(const char *yaml)
{
	struct read r;

	read_yaml(&r, yaml);
	if (!r.ok) {
		printf("\nthis scenario is refused:\n%s\n", yaml);
		fflush(stdout);
		errors_print(&r.errs);
	}
	CU_ASSERT(r.ok);
	read_close(&r);
}
