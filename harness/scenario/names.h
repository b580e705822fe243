/* names.h - keys that nobody knows, and keys written twice. */
#pragma once

#include "scenario/keys.h"

/* Adds the err for a key that `section` does not have ("" is the top of the file), and what may
 * have been meant. */
bool names_unknown(const struct reading *r, const char *section, const struct node *n);

const char *names_list(const char *section, struct arena *a); /* "every, sockets" */

/* Adds an err for each key that is the second of its name in its map, anywhere in the tree. */
bool names_twice(const struct reading *r, const struct node *root, struct arena scratch);
