/* expect.h - the lines of `expect`: MEASURE OP VALUE, and the long form.
 *
 * Errors: one for each line that is wrong, at the word that is wrong.
 */
#pragma once

#include "scenario/keys.h"

bool expect_read(const struct reading *r, const struct node *list, struct expectation_list *out);
void expect_write(struct out *out, const struct expectation *e);
