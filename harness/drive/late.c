#include "drive/late.h"

#include "plan/budget.h"

bool late_open(struct late *late, uint32_t room, struct arena *arena)
{
	*late = (struct late){.row = ARENA_TRY(arena, struct late_item, room)};
	return late->row;
}

static bool is_sooner(const struct late_item *a, const struct late_item *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->came < b->came;
}

static void swap(struct late_item *a, struct late_item *b)
{
	struct late_item item = *a;

	*a = *b;
	*b = item;
}

void late_add(struct late *late, int64_t due_ns, uint32_t i)
{
	uint32_t at = late->count++;

	late->row[at] = (struct late_item){due_ns, late->came++, i};
	for (; at > 0 && is_sooner(&late->row[at], &late->row[(at - 1) / 2]); at = (at - 1) / 2)
		swap(&late->row[at], &late->row[(at - 1) / 2]);
}

static void sink(struct late *late)
{
	uint32_t at = 0;

	while (true) {
		uint32_t next = 2 * at + 1;

		if (next + 1 < late->count && is_sooner(&late->row[next + 1], &late->row[next]))
			next++;
		if (next >= late->count || !is_sooner(&late->row[next], &late->row[at]))
			return;
		swap(&late->row[at], &late->row[next]);
		at = next;
	}
}

bool late_take(struct late *late, int64_t now_ns, uint32_t *i)
{
	if (late->count == 0 || late->row[0].due_ns > now_ns)
		return false;
	*i = late->row[0].i;
	late->row[0] = late->row[--late->count];
	sink(late);
	return true;
}

int64_t late_due(const struct late *late)
{
	return late->count ? late->row[0].due_ns : FOR_EVER;
}
