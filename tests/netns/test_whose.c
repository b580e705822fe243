/* Whose the ports of a destination are, of several loads: by the kernel's table, where each load has ports
 * of its own. */
#include <stdio.h>

#include "book_help.h"
#include "suites.h"

enum { EACH = 1000, LOADS = 3 };

static const uint16_t firsts[LOADS] = {50000, 51000, 52000};

static unsigned seen_of(const struct book_scene *s, int load, bool live)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->count; i++) {
		const struct socket_seen *seen = &s->seen[i];
		bool is_live = seen->state == STATE_ESTABLISHED || seen->state == STATE_CLOSE_WAIT;

		n += seen->local_port >= firsts[load] && seen->local_port < firsts[load] + EACH &&
		     is_live == live;
	}
	return n;
}

static void look_at_the_end(void *context, struct worker *worker)
{
	struct book_scene *s = context;

	(void)worker;
	pthread_mutex_lock(&s->lock);
	book_look_here(s);
	pthread_mutex_unlock(&s->lock);
}

/* The load whose end comes last is looked at last. */
static struct measures run(struct book_scene *s, const char *lines)
{
	struct measures m;

	pthread_mutex_init(&s->lock, NULL);
	drive_open(&s->d, lines);
	drive_looked_at(&s->d, look_at_the_end, s);
	CU_ASSERT_FATAL(s->d.ok && s->d.tape.complete);
	measure(&m, &s->d.tape, &s->d.h.plan, &s->d.h.arena);
	return m;
}

static void done(struct book_scene *s)
{
	pthread_mutex_destroy(&s->lock);
	help_close(&s->d.h);
}

static bool is(struct between n, unsigned truth)
{
	return n.least == truth && n.most == truth;
}

/* Those in TIME_WAIT too, though none was ever seen with its owner. */
static void each_socket_at_the_end_is_its_loads(void)
{
	struct book_scene s = {.count = 0};
	struct measures m =
		run(&s, "loads:\n"
			"  churn: {bind: ports 50000-50999, total: 20, concurrency: 2}\n"
			"  poll: {bind: ports 51000-51999, total: 12, mix: {leak: 40%}}\n"
			"  wait: {bind: ports 52000-52999, total: 9, start: 300ms, end: leak}\n");
	const struct whose_row *row = m.whose;
	unsigned live = 0, closing = 0;

	CU_ASSERT_FATAL(m.whose_count == 1 && m.whose_more == 0);
	for (int i = 0; i < LOADS; i++) {
		CU_ASSERT(is(row->shares[i].live, seen_of(&s, i, true)));
		CU_ASSERT(is(row->shares[i].closing, seen_of(&s, i, false)));
		live += seen_of(&s, i, true);
		closing += seen_of(&s, i, false);
	}
	CU_ASSERT(row->live == live && row->closing == closing && row->time_wait == closing);
	CU_ASSERT_EQUAL(seen_of(&s, 0, false), 20);
	CU_ASSERT_EQUAL(seen_of(&s, 1, true) + seen_of(&s, 1, false), 12);
	CU_ASSERT_EQUAL(seen_of(&s, 2, true), 9);
	done(&s);
}

/* The far end closes what `wait` has, first: it leaves no TIME_WAIT, and the books know it. It comes to those
 * of `quick` after them, when they have long been closed. */
static void who_is_closed_by_the_far_end_has_none_waiting(void)
{
	struct book_scene s = {.count = 0};
	struct measures m = run(&s, "server: {behaviour: close, accept_every: 30ms}\n"
				    "loads:\n"
				    "  quick: {bind: ports 50000-50999, total: 12, start: 60ms}\n"
				    "  wait: {bind: ports 51000-51999, total: 9, end: wait}\n");

	CU_ASSERT_FATAL(m.whose_count == 1);
	CU_ASSERT(is(m.whose[0].shares[0].closing, 12));
	CU_ASSERT(is(m.whose[0].shares[1].closing, 0));
	CU_ASSERT_EQUAL(seen_of(&s, 0, false), 12);
	CU_ASSERT_EQUAL(seen_of(&s, 1, false), 0);
	CU_ASSERT_EQUAL(s.d.tape.tally.closed, 21);
	done(&s);
}

/* The kernel keeps 8 in TIME_WAIT, and nobody knows of whom: the truth lies within what is told. */
static void what_has_ended_leaves_bounds(void)
{
	struct book_scene s = {.count = 0};
	struct measures m = run(&s, "network: {sysctl: {net.ipv4.tcp_max_tw_buckets: 8}}\n"
				    "loads:\n"
				    "  churn: {bind: ports 50000-50999, total: 20}\n"
				    "  late: {bind: ports 51000-51999, total: 6, start: 300ms}\n");
	const struct whose_row *row = m.whose;

	CU_ASSERT_FATAL(m.whose_count == 1);
	CU_ASSERT_EQUAL(row->closing, 8);
	CU_ASSERT_EQUAL(seen_of(&s, 0, false), 8);
	CU_ASSERT(row->shares[0].closing.least == 2 && row->shares[0].closing.most == 8);
	CU_ASSERT(row->shares[1].closing.least == 0 && row->shares[1].closing.most == 6);
	done(&s);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, each_socket_at_the_end_is_its_loads),
	TEST_UNLESS(help_no_network, who_is_closed_by_the_far_end_has_none_waiting),
	TEST_UNLESS(help_no_network, what_has_ended_leaves_bounds),
	TESTS_END,
};

const struct suite suite_whose = {"whose", tests};
