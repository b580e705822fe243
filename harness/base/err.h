/* err.h - what went wrong with lastport's own work, and where.
 *
 * A connect that the kernel refuses is no err: it is an event on the tape.
 *
 * Ownership: fixed buffers, so that reporting cannot fail; `at.file` and `source` are borrowed
 *            from whoever read the file, and live as long as the command's arena.
 * Errors:    the first error wins: setters keep an err that is already set. Setters return
 *            false, so that the line which fails is whole: `return err_sys(err, errno, "…");`
 * Wording:   `what` is short, lower case, without a full stop; `hint` is a sentence that says
 *            what to do.
 */
#pragma once

#include <stdbool.h>

#include "base/text.h"

enum err_kind {
	ERR_NONE,
	ERR_USAGE,    /* the command line: exit status 2 */
	ERR_SCENARIO, /* a user's file: exit status 2 */
	ERR_HOST,     /* this machine cannot run it: exit status 3 */
	ERR_SYS,      /* lastport or the system failed: exit status 4 */
};

struct mark {
	const char *file;
	unsigned line, col; /* from 1; line 0: about no place in a file */
};

struct err {
	enum err_kind kind;
	int sys;	    /* an errno value; 0 if none */
	struct mark at;	    /* line 0: about no file */
	struct text source; /* that line of the file, borrowed; empty if none */
	char what[200], hint[400];
};

enum { ERRS_MOST = 16 };

/* What reads a user's file collects its mistakes here. */
struct errs {
	struct err list[ERRS_MOST];
	unsigned count, more; /* more: how many did not fit */
};

bool err_set(struct err *err, enum err_kind kind, const char *what, ...)
	__attribute__((format(printf, 3, 4)));

/* ERR_SYS, with the words for an errno value behind `what`. */
bool err_sys(struct err *err, int sys, const char *what, ...) __attribute__((format(printf, 3, 4)));

/* Give the err that was set last its hint, or its place: call them right after err_set(). */
bool err_hint(struct err *err, const char *hint, ...) __attribute__((format(printf, 2, 3)));
bool err_at(struct err *err, struct mark at, struct text source);

/* A new, empty err of the list; NULL once the list is full (the setters take NULL, and count
 * nothing). */
struct err *errs_next(struct errs *errs);
void errs_add(struct errs *errs, const struct err *err);
