/* books.h - where the books do not balance, to a reader, and all of them in result.json.
 *
 * Errors: as report/node.h has them; want of memory clears *ok.
 */
#pragma once

#include "report/node.h"
#include "report/result.h"

void block_books(struct out *out, const struct result_run *run); /* a line each that is out */
void block_explained(struct out *out,
		     const struct result_run *run); /* those that balance by exceptions, for -v */

struct json_t *books_json(const struct result_run *run, bool *ok);
bool books_load(const struct node *up, struct result_run *out);
