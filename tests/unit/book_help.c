#include "book_help.h"

#include <string.h>

#include "runner.h"

void book_counter(struct trial *t, const char *name, uint64_t n)
{
	struct counter *c = &t->tape.counters[t->tape.counter_count++];

	strncpy(c->name, name, sizeof(c->name) - 1);
	c->last = n;
}

/* 32 opened, of which 20 are closed and in TIME_WAIT, and 12 open. */
void book_balanced(struct trial *t, const char *lines)
{
	struct sample *s;

	trial_open(t, lines);
	t->tape.tally = (struct tally){
		.attempted = 33, .opened = 32, .failed = 1, .open = 12, .closed = 20};
	book_counter(t, "ActiveOpens", 32);
	s = trial_dump(t, 32);
	s->t_ns = t->tape.end_ns + 1;
	s->states[STATE_TIME_WAIT] = 20;
	s->states[STATE_ESTABLISHED] = 12;
}

struct sample *book_dump(struct trial *t)
{
	return &t->tape.samples[0];
}

uint64_t book_lacks(struct trial *t, enum book_kind kind)
{
	trial_judge(t);
	CU_ASSERT(t->measures.books[kind].known);
	CU_ASSERT_EQUAL(t->measures.fixed[MEASURE_RECONCILED].n,
			book_missing(&t->measures.books[kind]) == 0);
	return book_missing(&t->measures.books[kind]);
}

const struct book *book_of(struct trial *t, enum book_kind kind)
{
	trial_judge(t);
	return &t->measures.books[kind];
}
