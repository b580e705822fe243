/* fuzz_result.c - any bytes as a result.json: read without harm; what was read is written,
 * told, and reads back the same. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "report/result.h"

enum { ARENA_ROOM = 256 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_result: %s\n", what);
	abort();
}

static struct text write_json(const struct result *r, size_t room, struct arena *a)
{
	struct out out = out_memory(ARENA_ARRAY(a, char, room), room);

	must(result_write_json(&out, r) && out.sys == 0, "what was read cannot be written");
	return out_written(&out);
}

/* No byte that a terminal obeys, whatever the file holds. */
static void tell(const struct result *r, struct report_style style, size_t room,
		 struct arena scratch)
{
	struct out out = out_memory(ARENA_ARRAY(&scratch, char, room), room);
	struct text told;

	result_write_summary(&out, r, style, scratch);
	told = out_written(&out);
	must(told.len > 0, "the summary says nothing");
	while (told.len) {
		size_t len;
		int32_t point = utf8_first(told, &len);

		must(point == '\n' || (point >= 0x20 && !utf8_is_hostile(point)),
		     "the summary holds a control character");
		told = text_skip(told, len);
	}
}

/* The first writing may say less than the file (unknown members); from then on nothing changes. */
static void read_back(const struct result *r, size_t room, struct arena scratch)
{
	struct text first = write_json(r, room, &scratch), second;
	struct err err = {0};
	struct result again;

	must(result_load(&again, "again", first, &scratch, &err), err.what);
	second = write_json(&again, room, &scratch);
	must(text_eq(first, second), "it is written differently the second time");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *exact = malloc(len ? len : 1); /* past its end ASan sees every read */
	size_t room = 64 * len + 65536;	     /* indented, escaped, or told, a byte becomes fewer */
	struct err err = {0};
	struct result result;
	struct arena arena;

	must(exact && arena_open(&arena, ARENA_ROOM), "out of memory");
	if (len)
		memcpy(exact, data, len);
	if (result_load(&result, "result.json", (struct text){exact, len}, &arena, &err)) {
		read_back(&result, room, arena);
		tell(&result, (struct report_style){.verbose = true}, room, arena);
		tell(&result, (struct report_style){.quiet = true}, room, arena);
	} else {
		must(err.kind == ERR_SCENARIO && err.what[0] && err.at.line > 0 && err.at.col > 0,
		     "a refusal has no words or no place");
	}
	arena_close(&arena);
	free(exact);
	return 0;
}
