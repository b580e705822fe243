/* fuzz_scenario.c - any bytes as a scenario file: read without harm, and what was read is
 * written, and reads back. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/same.h"
#include "cmd/errors.h"
#include "scenario/scenario.h"

enum { ARENA_ROOM = 256 << 20, TOLD_ROOM = 64 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds, const char *what, const char *detail)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_scenario: %s: %s\n", what, detail ? detail : "");
	abort();
}

/* Errors must be tellable, whatever the file holds: with a line in it, and no byte that a
 * terminal obeys. */
static void tell(const struct errs *errs, struct arena scratch)
{
	struct out out = out_memory(ARENA_ARRAY(&scratch, char, TOLD_ROOM), TOLD_ROOM);
	struct text told;

	errors_write(&out, errs);
	told = out_written(&out);
	must(told.len > 0 && out.sys == 0, "an error says nothing", NULL);
	for (size_t i = 0; i < told.len; i++)
		must(told.s[i] == '\n' || (unsigned char)told.s[i] >= 0x20,
		     "an error holds a control byte", NULL);
}

static void read_back(const struct scenario *s, bool origins, struct arena scratch)
{
	size_t room = 2 * same_room(s); /* with the origins */
	struct out out = out_memory(ARENA_ARRAY(&scratch, char, room), room);
	struct scenario_file again;
	struct errs errs = {0};

	scenario_write(&out, s, origins);
	must(out.sys == 0, "it cannot be written", NULL);
	if (out.len > SCENARIO_SIZE_MOST) /* defaults and quotes can outgrow the bound on a file */
		return;
	must(scenario_read(&again, "again", out_written(&out), &scratch, &errs),
	     "what was written is refused", errs.list[0].what);
	must(again.count == 1, "it reads back as several cases", NULL);
	must(!scenario_difference(s, &again.cases[0], scratch), "it reads back differently",
	     scenario_difference(s, &again.cases[0], scratch));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *exact = malloc(len ? len : 1); /* past its end ASan sees every read */
	struct scenario_file file;
	struct errs errs = {0};
	struct arena arena;

	must(exact && arena_open(&arena, ARENA_ROOM), "out of memory", NULL);
	memcpy(exact, data, len);
	if (scenario_read(&file, "fuzz.yaml", (struct text){exact, len}, &arena, &errs)) {
		for (size_t i = 0; i < file.count && i < 4; i++) {
			read_back(&file.cases[i], false, arena);
			read_back(&file.cases[i], true, arena);
		}
	} else {
		must(errs.count > 0, "it is refused without a reason", NULL);
		tell(&errs, arena);
	}
	arena_close(&arena);
	free(exact);
	return 0;
}
