/* arena.h - memory that is taken piece by piece and given back at once.
 *
 * Ownership: results go into a `struct arena *`; a `struct arena` passed by value is scratch,
 *            gone on return. One arena a command, and one a run: threads never share one.
 * Units:     bytes.
 * Errors:    arena_take() never fails: the address space is reserved at the start
 *            (MAP_NORESERVE), far beyond what bounded input can ask for, and running out of it
 *            stops the program. What is sized by a user's numbers asks arena_try(), which
 *            returns NULL.
 *
 * Sanitized builds leave 16 poisoned bytes after each piece, or ASan would not see a write past
 * its end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct arena {
	char *at, *end;
};

bool arena_open(struct arena *a,
		size_t bytes);	   /* false, and errno, if the address space cannot be had */
void arena_close(struct arena *a); /* all that was taken from it is gone; twice does no harm */

void *arena_take(struct arena *a, size_t bytes, size_t align); /* zeroed */
void *arena_try(struct arena *a, size_t bytes, size_t align);  /* zeroed, or NULL */
void *arena_try_many(struct arena *a, size_t n, size_t bytes,
		     size_t align); /* n × bytes may overflow: NULL */

/* The piece that was taken last needs only its first bytes. */
void arena_give_back(struct arena *a, void *piece, size_t bytes);

#define ARENA_NEW(a, type) ((type *)arena_take((a), sizeof(type), _Alignof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_take((a), sizeof(type) * (n), _Alignof(type)))
#define ARENA_TRY(a, type, n) ((type *)arena_try_many((a), (n), sizeof(type), _Alignof(type)))
