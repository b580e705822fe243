/* errors.h - how a struct err is told, and what status it makes.
 *
 * Output: stderr: FILE:LINE:COL, what, the source line, a caret, the hint. Words of a file are
 *         escaped.
 */
#pragma once

#include "base/err.h"
#include "base/out.h"

void errors_write(struct out *out, const struct errs *errs); /* to memory, for tests and results */
int errors_print(const struct errs *errs); /* to stderr; returns errors_status() */
int error_print(const struct err *err);
int error_status(const struct err *err);    /* of its kind; 0 if it is not set */
int errors_status(const struct errs *errs); /* the highest; 0 of an empty list */
