#include "base/portset.h"

void portset_add_range(struct portset *s, struct port_range range)
{
	for (uint32_t port = range.lo; port <= range.hi; port++)
		portset_add(s, (uint16_t)port);
}

void portset_join(struct portset *s, const struct portset *other)
{
	for (int i = 0; i < PORTSET_WORDS; i++)
		s->words[i] |= other->words[i];
}

void portset_leave(struct portset *s, const struct portset *other)
{
	for (int i = 0; i < PORTSET_WORDS; i++)
		s->words[i] &= ~other->words[i];
}

uint32_t portset_count(const struct portset *s, struct port_range range)
{
	uint32_t n = 0;

	for (uint32_t port = range.lo; port <= range.hi; port++)
		n += portset_has(s, (uint16_t)port);
	return n;
}

static bool read_port(struct text *list, uint16_t *port)
{
	uint32_t n = 0;
	size_t digits = 0;

	while (digits < list->len && digits < 6 && list->s[digits] >= '0' && list->s[digits] <= '9')
		n = n * 10 + (uint32_t)(list->s[digits++] - '0');
	*list = text_skip(*list, digits);
	*port = (uint16_t)n;
	return digits > 0 && n <= UINT16_MAX;
}

void portset_read(struct portset *s, struct text list)
{
	struct port_range range;

	while (read_port(&list, &range.lo)) {
		range.hi = range.lo;
		if (text_starts(list, TEXT("-"))) {
			list = text_skip(list, 1);
			if (!read_port(&list, &range.hi))
				break;
		}
		portset_add_range(s, range);
		list = text_skip(list, 1); /* the comma */
	}
}
