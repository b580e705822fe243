#include "spans.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

bool packet_is(const struct packet *p, enum sign sign)
{
	bool syn = p->flags & TH_SYN, fin = p->flags & TH_FIN;

	switch (sign) {
	case SYN:
		return p->sent && syn;
	case FIN:
		return p->sent && fin;
	case RST:
		return p->sent && p->flags & TH_RST;
	case FAR_FIN:
		return !p->sent && fin;
	case REQUEST:
		return p->sent && p->bytes > 0;
	case ANSWER:
		return !p->sent && p->bytes > 0;
	}
	return false;
}

void spans_add(struct spans *s, int64_t ns)
{
	if (s->count < SPANS_MOST)
		s->list[s->count++] = ns;
}

const struct packet *packet_last(const struct packets *all, enum sign sign)
{
	const struct packet *found = NULL;

	for (size_t i = 0; i < all->count; i++)
		if (packet_is(&all->list[i], sign))
			found = &all->list[i];
	CU_ASSERT_PTR_NOT_NULL_FATAL(found);
	return found;
}

const struct packet *packet_next(const struct packets *all, size_t i, enum sign sign,
				 bool same_port)
{
	uint16_t port = all->list[i].port;

	while (++i < all->count)
		if (packet_is(&all->list[i], sign) && (!same_port || all->list[i].port == port))
			return &all->list[i];
	return NULL;
}

void spans_collect(struct spans *s, const struct packets *all, enum sign from, enum sign to,
		   enum between between)
{
	if (between == LAST_TO_LAST) {
		spans_add(s, packet_last(all, to)->t_ns - packet_last(all, from)->t_ns);
		return;
	}
	for (size_t i = 0; i < all->count; i++) {
		const struct packet *end;

		if (!packet_is(&all->list[i], from))
			continue;
		if (between == FIRST_TO_LAST) {
			spans_add(s, packet_last(all, to)->t_ns - all->list[i].t_ns);
			return;
		}
		end = packet_next(all, i, to, between == SAME_PORT);
		if (end)
			spans_add(s, end->t_ns - all->list[i].t_ns);
	}
}

static int by_length(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

void spans_sort(struct spans *s)
{
	qsort(s->list, s->count, sizeof(s->list[0]), by_length);
}

bool spans_are(struct spans *s, int64_t ns, bool exact)
{
	int64_t shortest, middle;

	if (s->count == 0)
		return false;
	spans_sort(s);
	shortest = s->list[0];
	middle = s->list[s->count / 2];
	return (exact ? shortest >= SLEWED(ns) : middle >= ns * 9 / 10) && shortest <= ns * 3 / 2;
}
