/* page.h - text for people: filled lines with a hanging indent, no wider than a terminal.
 *
 * Units:  columns of a terminal, from 0.
 * Safety: all text goes through out_escaped().
 */
#pragma once

#include "base/out.h"

enum { PAGE_WIDTH = 79 };

/* `lead` at the start of a line, and the words of `t` at `indent`, there and on the lines after
 * it. A line is broken where the next word does not fit, but not between a number and its unit. */
void page_paragraph(struct out *out, const char *lead, enum paint paint, unsigned indent,
		    struct text t);

/* Escaped, and blanks up to `wide` columns. */
void page_cell(struct out *out, struct text t, unsigned wide);

/* How much of a text of whole lines, from its start, a terminal of so many rows and columns shows at once:
 * whole lines. Where it is too narrow for one, that takes several rows; colours take no room. */
size_t page_fit(struct text t, unsigned rows, unsigned columns);

/* How wide out_escaped() makes a text. */
unsigned page_width(struct text t);
