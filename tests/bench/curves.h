/* curves.h - how what a fill takes grows with the range, the destinations and the connections that
 * are held, in the kernel's order and in lastport's fast one; and what a dump of the sockets costs.
 *
 * Output: a table on stdout, and in `directory` curves.json and a picture a figure, curve-*.svg.
 *         A point is bounded by time: what takes longer is told as "more than".
 * Errors: false where a file could not be written, and stderr says which; others as place.h.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

bool curves_run(const char *directory, json_t *machine, bool full); /* full: a million too */
