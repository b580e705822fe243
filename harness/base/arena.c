#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define POISON 1
#elif defined(__has_feature) /* clang 14 does not define __SANITIZE_ADDRESS__ */
#if __has_feature(address_sanitizer)
#define POISON 1
#endif
#endif

#ifdef POISON
#include <sanitizer/asan_interface.h>
static const size_t gap = 16;
#define poison(p, n) __asan_poison_memory_region((p), (n))
#define unpoison(p, n) __asan_unpoison_memory_region((p), (n))
#else
static const size_t gap = 0;
#define poison(p, n) ((void)(p), (void)(n))
#define unpoison(p, n) ((void)(p), (void)(n))
#endif

/* Behind the end, which every copy of an arena shares, stands where its mapping starts and how
 * long it is. */
struct mapping {
	char *start;
	size_t bytes;
};

bool arena_open(struct arena *a, size_t bytes)
{
	size_t usable = (bytes + 63) & ~(size_t)63;
	size_t whole = usable + sizeof(struct mapping);
	char *p = mmap(NULL, whole, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return false;
	*a = (struct arena){p, p + usable};
	*(struct mapping *)(void *)a->end = (struct mapping){p, whole};
	return true;
}

void arena_close(struct arena *a)
{
	struct mapping m;

	if (!a->end)
		return;
	m = *(struct mapping *)(void *)a->end;
	unpoison(m.start, m.bytes);
	munmap(m.start, m.bytes);
	*a = (struct arena){0};
}

void *arena_try(struct arena *a, size_t bytes, size_t align)
{
	size_t room = (size_t)(a->end - a->at);
	size_t skip = -(uintptr_t)a->at & (align - 1);
	char *p;

	if (skip > room || bytes > room - skip || gap > room - skip - bytes)
		return NULL;
	p = a->at + skip;
	a->at = p + bytes + gap;
	unpoison(p, bytes);
	poison(p + bytes, gap);
	return memset(p, 0, bytes);
}

void *arena_take(struct arena *a, size_t bytes, size_t align)
{
	void *p = arena_try(a, bytes, align);

	if (!p)
		abort(); /* a bug: bounded input cannot use up what was reserved */
	return p;
}

void *arena_try_many(struct arena *a, size_t n, size_t bytes, size_t align)
{
	size_t whole;

	return __builtin_mul_overflow(n, bytes, &whole) ? NULL : arena_try(a, whole, align);
}
