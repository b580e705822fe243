/* out.h - buffered output, to a descriptor or into memory.
 *
 * Ownership: borrows the descriptor or the buffer; closes neither.
 * Errors:    the first failed write is kept in `sys`; what comes after it is dropped. Memory
 *            that is full drops the rest and says so with ENOSPC. out_flush() tells.
 * Safety:    out_escaped() is the only way for words of a file, a server or a child to reach a
 *            terminal: control bytes, C1, bidirectional marks and broken UTF-8 come out as \xNN
 *            or \u{NNNN}.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct out {
	int fd;	 /* -1: memory only */
	int sys; /* errno of the first failed write; 0: none */
	size_t len, room;
	char *buffer;
	bool colour; /* out_paint() paints */
};

enum paint { PAINT_NONE, PAINT_GOOD, PAINT_BAD, PAINT_DIM, PAINT_BOLD };

struct out out_to(int fd, char *buffer, size_t room);
struct out out_memory(char *buffer, size_t room);

void out_text(struct out *out, struct text t);
void out_z(struct out *out, const char *z);
void out_fmt(struct out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void out_escaped(struct out *out, struct text t);
void out_pad(struct out *out, size_t blanks);
void out_paint(struct out *out, enum paint paint, const char *z);
bool out_flush(struct out *out); /* false: something was lost; see sys */

struct text out_written(const struct out *out); /* of an out_memory() */
