/* node.h - a value of a JSON document, and the way to it: what a reader asks, and where it
 * points when it refuses.
 *
 * Ownership: borrows jansson's tree, the source it was read from, and the nodes above.
 * Errors:    the getters return false and set ERR_SCENARIO with the path, file, line and column
 *            of the value. What is not there leaves *out alone, and is an error only where the
 *            getter's name does not end in _if.
 * Units:     seconds in the document, nanoseconds in *out.
 */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "base/text.h"
#include "host/host.h"
#include "scenario/scenario.h"

struct document {
	const char *file;
	struct text source;
	struct arena *a;
	struct err *err;
};

struct node {
	const struct document *of;
	const struct node *up; /* NULL: the whole */
	const char *key;       /* a member's; NULL: an element */
	size_t index;
	json_t *json; /* NULL: there is none */
};

struct node node_member(const struct node *up, const char *key);
struct node node_element(const struct node *up, size_t index);

/* Always false: "runs[2].seed must be …". */
bool node_refuse(const struct node *n, const char *must_be);

bool node_text_if(const struct node *n, struct text *out); /* copied into the arena */
bool node_text(const struct node *n, struct text *out);
bool node_flag(const struct node *n, bool *out);
bool node_count_if(const struct node *n, uint64_t most, uint64_t *out);
bool node_number(const struct node *n, double most, double *out); /* finite, from 0 */
bool node_range(const struct node *n, struct port_range *out);	  /* "32768-60999" */
bool node_object(const struct node *n);
bool node_array(const struct node *n, size_t *count);

/* Each member of an object goes to `load`, until one is refused. */
bool node_members(const struct node *all, bool (*load)(const struct node *n, void *out), void *out);

/* The member of an object, which must be there; a number that is not there is 0. */
bool member_text(const struct node *up, const char *key, struct text *out);
bool member_flag(const struct node *up, const char *key, bool *out);
bool member_u32(const struct node *up, const char *key, uint32_t *out);
bool member_lines(const struct node *up, const char *key, struct line_list *out);
