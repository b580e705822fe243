#include "tape_help.h"

#include "runner.h"

struct tape tape_new(struct arena *a)
{
	struct tape t;
	struct err err = {0};

	CU_ASSERT_FATAL(tape_open(&t, ROOM, ROOM, ROOM, a, &err));
	CU_ASSERT_FATAL(tape_open_usages(&t, ROOM, a, &err));
	return t;
}
