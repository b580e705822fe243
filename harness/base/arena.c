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

/* Behind the end, which every copy of an arena shares, stands its mapping, and how far it was ever
 * used: what lies beyond is zero as the kernel gave it, and is not touched before it is needed. */
struct mapping {
	char *start;
	size_t bytes;
	char *high;
};

static struct mapping *mapping_of(const struct arena *a)
{
	return (struct mapping *)(void *)a->end;
}

bool arena_open(struct arena *a, size_t bytes)
{
	size_t usable = (bytes + 63) & ~(size_t)63;
	size_t whole = usable + sizeof(struct mapping);
	char *p = mmap(NULL, whole, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return false;
	*a = (struct arena){p, p + usable};
	*mapping_of(a) = (struct mapping){p, whole, p};
	return true;
}

void arena_close(struct arena *a)
{
	struct mapping m;

	if (!a->end)
		return;
	m = *mapping_of(a);
	unpoison(m.start,
		 (size_t)(m.high - m.start)); /* of what was never used nothing is poisoned */
	munmap(m.start, m.bytes);
	*a = (struct arena){0};
}

/* NULL if less than `spare` bytes would be left. */
static void *grab(struct arena *a, size_t bytes, size_t align, size_t spare)
{
	struct mapping *m = mapping_of(a);
	size_t room = (size_t)(a->end - a->at);
	size_t skip = -(uintptr_t)a->at & (align - 1);
	char *p = a->at + skip;

	if (skip > room || bytes > room - skip || gap + spare > room - skip - bytes)
		return NULL;
	a->at = p + bytes + gap;
	unpoison(p, bytes);
	poison(p + bytes, gap);
	if (p < m->high)
		memset(p, 0, p + bytes < m->high ? bytes : (size_t)(m->high - p));
	if (a->at > m->high)
		m->high = a->at;
	return p;
}

/* A sixteenth is kept for what is taken without asking. */
void *arena_try(struct arena *a, size_t bytes, size_t align)
{
	return grab(a, bytes, align, mapping_of(a)->bytes / 16);
}

void *arena_take(struct arena *a, size_t bytes, size_t align)
{
	void *p = grab(a, bytes, align, 0);

	if (!p)
		abort(); /* a bug: bounded input cannot use up what was reserved */
	return p;
}

void *arena_try_many(struct arena *a, size_t n, size_t bytes, size_t align)
{
	size_t whole;

	return __builtin_mul_overflow(n, bytes, &whole) ? NULL : arena_try(a, whole, align);
}

void arena_give_back(struct arena *a, void *piece, size_t bytes)
{
	char *end = (char *)piece + bytes;

	poison(end, (size_t)(a->at - end));
	a->at = end + gap;
}
