#include "tape/tape.h"

/* When a destination took a connection again, since the load began; -1: none did. */
static int64_t returned_ns(const struct tape *t)
{
	return t->recovered_ns < 0 ? -1 : t->refused_at_ns + t->recovered_ns;
}

void tape_join(struct tape *into, const struct tape *more)
{
	uint64_t before = into->opened_before + more->opened_before;
	int64_t returned = returned_ns(into), other = returned_ns(more);

	if (returned < 0 || (other >= 0 && other < returned))
		returned = other;
	tape_merge(into, more);
	into->opened_before = before;
	into->recovered_ns = returned < 0 ? -1 : returned - into->refused_at_ns;
}
