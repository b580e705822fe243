/* late.h - answers of the far end that wait, the next due on top; of those that are due at the same
 * time whoever came first.
 *
 * Units:  nanoseconds of the far end's clock.
 * Errors: none. There is room for as many as it was opened for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

struct late_item {
	int64_t due_ns;
	uint64_t came; /* its place among all that came */
	uint32_t i;    /* whose answer it is */
};

struct late {
	struct late_item *row;
	uint32_t count;
	uint64_t came;
};

bool late_open(struct late *late, uint32_t room, struct arena *arena); /* false: no memory */
void late_add(struct late *late, int64_t due_ns, uint32_t i);
bool late_take(struct late *late, int64_t now_ns, uint32_t *i); /* false: none is due */
int64_t late_due(const struct late *late);			/* FOR_EVER: none waits */
