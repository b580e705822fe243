/* source.h - the lines of a file, as libyaml counts them.
 *
 * Units: lines and columns from 1; a column is a code point.
 */
#pragma once

#include "base/err.h"

/* The place of a byte of the source. */
struct mark source_mark(const char *file, struct text source, size_t offset);

/* Refuses what is no text: NULs, control characters, broken UTF-8. */
bool source_check(const char *file, struct text source, struct err *err);

/* An err of the user's file, with its place and line: err_hint() may follow. NULL costs nothing. */
bool source_err(struct err *err, struct text source, struct mark at, const char *what, ...)
	__attribute__((format(printf, 4, 5)));

/* Words of a file for a message: quoted, and cut where they are long. */
struct quoted {
	char z[64];
};
struct quoted source_quote(struct text words);
