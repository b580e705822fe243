#include "score.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void found(struct trouble *f, enum word word, const char *format, ...)
{
	va_list list;

	printf("seed %llu: %s", (unsigned long long)f->slot->seed,
	       word == WORD_LIKELY ? "likely: " : "");
	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	printf(" (%s)\n", f->slot->folder);
	fflush(stdout);
	*(word == WORD_SURE ? &f->sure : &f->likely) += 1;
}

/* What differs by a number alone is one reason: each is written N. */
void score_reason(struct score *t, const char *why, const char *of)
{
	char text[512];
	size_t n = 0;

	n = (size_t)snprintf(text, sizeof(text), "%s: ", why);
	for (; *of && n + 1 < sizeof(text); of++) {
		bool is_number = isdigit((unsigned char)*of);

		if (is_number && n && text[n - 1] == 'N')
			continue;
		text[n] = *of;
		if (is_number)
			text[n] = 'N';
		n++;
	}
	text[n] = '\0';
	json_object_set_new(
		t->reasons, text,
		json_integer(1 + json_integer_value(json_object_get(t->reasons, text))));
}

void score_case(struct score *t, const struct trouble *f)
{
	*(f->sure ? &t->failed : &t->passed) += 1;
}

struct reason {
	const char *why;
	json_int_t count;
};

static int by_count(const void *a, const void *b)
{
	const struct reason *x = a, *y = b;

	return (x->count < y->count) - (x->count > y->count);
}

static void reasons_told(json_t *reasons)
{
	size_t count = json_object_size(reasons), n = 0;
	struct reason *list = calloc(count + 1, sizeof(*list));
	const char *why;
	json_t *times;

	json_object_foreach(reasons, why, times) list[n++] =
		(struct reason){why, json_integer_value(times)};
	qsort(list, count, sizeof(*list), by_count);
	for (size_t i = 0; i < count; i++)
		printf("%6lld  %s\n", (long long)list[i].count, list[i].why);
	free(list);
}

void score_told(struct score *t)
{
	static const char *const words[WORDS] = {"for sure", "likely"};

	reasons_told(t->reasons);
	json_decref(t->reasons);
	for (int i = 0; i < WORDS && t->runs; i++) {
		const uint64_t *n = t->predictions[i];

		printf("predictions, %s: %llu hold, %llu broken, %llu not reached, %llu cannot be "
		       "told\n",
		       words[i], (unsigned long long)n[FATE_HELD],
		       (unsigned long long)n[FATE_BROKEN], (unsigned long long)n[FATE_NOT_REACHED],
		       (unsigned long long)n[FATE_NOT_TOLD]);
	}
	printf("hunt: %llu passed, %llu failed, %llu skipped\n", (unsigned long long)t->passed,
	       (unsigned long long)t->failed, (unsigned long long)t->skipped);
}
