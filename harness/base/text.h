/* text.h - borrowed text: a pointer and a length, by value.
 *
 * Ownership: struct text never owns. What must outlive its source goes through text_keep().
 * Units:     lengths are bytes. Text need not be UTF-8, nor end in NUL, and may hold NULs.
 * Errors:    none; an arena without room stops the program (base/arena.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

struct text {
	const char *s;
	size_t len;
};

#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})
#define TEXT_FMT "%.*s"
#define TEXT_ARG(t) (int)(t).len, (t).s

struct text text_of(const char *z); /* borrows z; NULL is empty */
bool text_eq(struct text a, struct text b);
bool text_is(struct text a, const char *z);
bool text_starts(struct text t, struct text prefix);
struct text text_trim(struct text t);		/* less blanks, tabs and line ends at both sides */
struct text text_skip(struct text t, size_t n); /* less its first n bytes */
size_t text_span(struct text t,
		 const char *letters); /* how many bytes at its front are among these */

/* Takes the part before `at` off the front of *rest, and `at` with it. False, and all of *rest,
 * where there is none. */
bool text_cut(struct text *rest, char at, struct text *head);

struct text text_keep(struct arena *a, struct text t);
char *text_z(struct arena *a, struct text t); /* a copy that ends in NUL */
struct text text_format(struct arena *a, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The number of insertions, deletions, replacements and swaps of neighbours between two words,
 * or `most` if it is that or more: for "did you mean". Words over 63 bytes are as far apart as
 * can be. */
unsigned text_distance(struct text a, struct text b, unsigned most);

/* What distance still is a slip of the fingers in a word of this length. */
unsigned text_slip(struct text word);
