#include "base/arena.h"

#include <stdint.h>
#include <string.h>

#include "suites.h"

static void pieces_are_aligned_and_zeroed(void)
{
	struct arena a, scratch;

	CU_ASSERT_FATAL(arena_open(&a, 1 << 16));
	scratch = a;
	memset(arena_take(&scratch, 4096, 1), 0x55, 4096);
	for (size_t align = 1; align <= 64; align *= 2) {
		char *p = arena_take(&a, 33, align);

		CU_ASSERT_EQUAL((uintptr_t)p % align, 0);
		for (int i = 0; i < 33; i++)
			CU_ASSERT_EQUAL(p[i], 0);
	}
	arena_close(&a);
}

static void a_copy_is_scratch(void)
{
	struct arena a, scratch;
	char *kept, *first, *second;

	CU_ASSERT_FATAL(arena_open(&a, 1 << 16));
	kept = ARENA_ARRAY(&a, char, 10);
	strcpy(kept, "kept");
	scratch = a;
	first = ARENA_ARRAY(&scratch, char, 100);
	memset(first, 'x', 100);
	second = ARENA_ARRAY(&a, char, 100);
	CU_ASSERT_PTR_EQUAL(first, second);
	CU_ASSERT_EQUAL(second[0], 0);
	CU_ASSERT_STRING_EQUAL(kept, "kept");
	arena_close(&a);
}

static void trying_too_much_gives_null(void)
{
	struct arena a;

	CU_ASSERT_FATAL(arena_open(&a, 1 << 12));
	CU_ASSERT_PTR_NULL(arena_try(&a, 1 << 13, 1));
	CU_ASSERT_PTR_NULL(arena_try(&a, SIZE_MAX, 8));
	CU_ASSERT_PTR_NULL(ARENA_TRY(&a, uint64_t, SIZE_MAX / 4));
	CU_ASSERT_PTR_NOT_NULL(arena_try(&a, 1 << 11, 8));
	arena_close(&a);
	arena_close(&a);
}

static void what_is_given_back_is_taken_again(void)
{
	struct arena a;
	char *first, *second;

	CU_ASSERT_FATAL(arena_open(&a, 1 << 16));
	for (int i = 0; i < 100; i++) {
		first = arena_take(&a, 1 << 12, 1);
		memset(first, 'x', 1 << 12);
		arena_give_back(&a, first, 10);
	}
	second = arena_take(&a, 1 << 12, 1);
	CU_ASSERT(second >= first + 10 && second < first + 10 + 64);
	CU_ASSERT(first[9] == 'x' && second[0] == 0 && second[4095] == 0);
	arena_close(&a);
}

static void asking_leaves_room_for_what_is_taken_without(void)
{
	struct arena a;

	CU_ASSERT_FATAL(arena_open(&a, 1 << 16));
	while (arena_try(&a, 1 << 10, 1))
		;
	CU_ASSERT_PTR_NOT_NULL(arena_take(&a, 1 << 11, 1));
	arena_close(&a);
}

static const struct test tests[] = {
	TEST(pieces_are_aligned_and_zeroed),
	TEST(a_copy_is_scratch),
	TEST(trying_too_much_gives_null),
	TEST(what_is_given_back_is_taken_again),
	TEST(asking_leaves_room_for_what_is_taken_without),
	TESTS_END,
};

const struct suite suite_arena = {"arena", tests};
