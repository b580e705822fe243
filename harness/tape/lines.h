/* lines.h - a record of the tape as a line of JSON.
 *
 * Ownership: line_of_…() makes a line on jansson's heap, NULL if there is none left;
 *            line_write() ends it.
 * Errors:    an errno value, 0 for none: the caller is in the middle of a run and goes on.
 * Source:    results/README.md documents every field.
 */
#pragma once

#include "tape/tape.h"

struct json_t *line_of_event(const struct event *e, unsigned run, struct text load);

/* With its usage_count usages. */
struct json_t *line_of_sample(const struct sample *s, const struct usage *usages, unsigned run);

/* The line and its end in one write(2), to a file opened with O_APPEND. */
int line_write(int fd, struct json_t *line);
