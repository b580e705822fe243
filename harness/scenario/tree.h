/* tree.h - a YAML file as a small tree, in which each value knows where it was written.
 *
 * Input:     UTF-8; one document of maps, lists and scalars. No anchors, aliases, tags or
 *            directives; depth 16 and 20,000 nodes at most (keys count too): bounds on what
 *            hostile text can cost.
 * Output:    the root, NULL if the document is empty. Scalars are text: types come from the
 *            keys.
 * Ownership: nodes and their text are in the arena; libyaml's heap ends with tree_read().
 * Errors:    with place and hint, all in `errs`. The first mistake of syntax ends it; a list or map in
 *            place of a key is left out with its value, and the rest is read.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

enum shape { SHAPE_SCALAR, SHAPE_LIST, SHAPE_MAP };

struct node {
	enum shape shape;
	bool bare; /* a scalar without quotes on one line: text stands in the source as it is here */
	struct mark at;
	struct text text; /* of a scalar */
	struct text key;  /* in a map */
	struct mark key_at;
	struct node *first, *next; /* members of this; the next member of what it is in */
	size_t count;		   /* of members */
};

enum { TREE_DEPTH_MOST = 16, TREE_NODES_MOST = 20000 };

/* False: syntax. */
bool tree_read(struct node **root, const char *file, struct text src, struct arena *a,
	       struct errs *errs);
