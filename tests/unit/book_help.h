/* book_help.h - a trial whose books balance, to be put out of balance.
 *
 * Ownership: everything is the trial's, as tests/unit/trial.h has it.
 */
#pragma once

#include "judge/books.h"
#include "trial.h"

/* Opened, and 32 connections of which 20 are closed and in TIME_WAIT, and 12 open. */
void book_balanced(struct trial *t, const char *lines);

/* A counter of the client's that has moved by so much. */
void book_counter(struct trial *t, const char *name, uint64_t n);

struct sample *book_dump(struct trial *t); /* the one that all is at rest in */

/* The book, of what there is by now. */
const struct book *book_of(struct trial *t, enum book_kind kind);

/* How much of it is not explained; it is to be known, and `reconciled` to say the same. */
uint64_t book_lacks(struct trial *t, enum book_kind kind);
