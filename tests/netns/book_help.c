#include "book_help.h"

#include <string.h>

#include "sys/clock.h"

void book_see(void *context, const struct socket_seen *seen)
{
	struct book_scene *s = context;

	if (seen->state == STATE_LISTEN || s->count == SEEN_MOST)
		return;
	s->states[seen->state]++;
	s->seen[s->count++] = *seen;
}

static void look_there(struct help *h, void *context)
{
	struct socket_filter filter = {.ports = h->plan.watched};
	struct book_scene *s = context;
	struct dump dump;
	bool torn = false;

	s->count = 0;
	memset(s->states, 0, sizeof(s->states));
	s->ok = dump_open(&dump, &h->err) &&
		dump_run(&dump, &filter, book_see, s, &torn, &h->err) && !torn;
	dump_close(&dump);
}

void book_look(struct book_scene *s)
{
	CU_ASSERT_FATAL(help_inside(&s->d.h, LAB_CLIENT, look_there, s) && s->ok);
}

void book_look_here(struct book_scene *s)
{
	look_there(&s->d.h, s);
	CU_ASSERT(s->ok);
}

void book_await(struct book_scene *s, int state, unsigned n)
{
	for (int i = 0; i < 5000; i++) {
		book_look(s);
		if (s->states[state] == n)
			return;
		clock_sleep(1000000);
	}
	printf("%u %s, not %u\n", s->states[state], state_name(state), n);
	CU_FAIL("the sockets never came into that state");
}

const struct book *books_now(struct book_scene *s)
{
	static struct measures m;

	measure(&m, &s->d.tape, &s->d.h.plan, &s->d.h.arena);
	return m.books;
}
