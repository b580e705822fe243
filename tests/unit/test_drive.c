/* The driver's pure parts: a connection's life, its pace, and who is asked next. */
#include <errno.h>
#include <string.h>

#include "drive/flow.h"
#include "drive/pace.h"
#include "drive/queue.h"
#include "drive/rotation.h"
#include "runner.h"

#define STEP(op) (UINT32_C(1) << OP_##op)
#define MS INT64_C(1000000)

static const uint32_t plain = STEP(SOCKET) | STEP(CONNECT) | STEP(UNDO) | STEP(CLOSE);

/* Feeds answers to a flow; the operations it goes through, as a string of their initials, stops
 * at an end. */
static void live(const char *expected, uint32_t steps, const int *answers, size_t n, struct flow *f)
{
	char path[2 * OPS] = {0};
	static const char initials[] = {
		[OP_SOCKET] = 's',     [OP_OPTION] = 'o',  [OP_BIND] = 'b',  [OP_LINGER] = 'l',
		[OP_WINDOW] = 'w',     [OP_CONNECT] = 'c', [OP_MEET] = 'm',  [OP_HOLD] = 'h',
		[OP_SEND] = 'S',       [OP_RECEIVE] = 'R', [OP_CHECK] = 'C', [OP_RENEW] = 'N',
		[OP_IDLE] = 'I',       [OP_SHUT] = 'f',	   [OP_AWAIT] = 'a', [OP_INHERIT] = 'i',
		[OP_DISCONNECT] = 'd', [OP_CLEAR] = 'k',   [OP_CLOSE] = 'x', [OP_UNDO] = 'u',
		[OP_FAILED] = 'F',     [OP_DONE] = 'D',
	};

	flow_begin(f, 3);
	path[0] = initials[f->at];
	for (size_t i = 0; i < n && i < sizeof(path) - 2; i++)
		path[i + 1] = initials[flow_answer(f, answers[i], steps)];
	CU_ASSERT_STRING_EQUAL(path, expected);
	CU_ASSERT_EQUAL(f->pair, 3);
}

#define LIVE(expected, steps, f, ...) \
	live(expected, steps, (const int[]){__VA_ARGS__}, \
	     sizeof((const int[]){__VA_ARGS__}) / sizeof(int), f)

static void a_life_passes_over_what_is_not_among_its_steps(void)
{
	struct flow f;

	LIVE("scxD", plain, &f, 0, 0, 0);
	CU_ASSERT(f.opened && f.error == 0);
	LIVE("scD", plain & ~STEP(CLOSE), &f, 0, 0); /* a leak */
	LIVE("soblwcmSRhIfaidkxD", UINT32_MAX, &f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	     0);
	LIVE("scSxD", plain | STEP(SEND) | STEP(RECEIVE) | STEP(HOLD), &f, 0, 0, -EPIPE, 0);
	CU_ASSERT(f.error == EPIPE && f.stage == STAGE_SEND);
}

static void a_failure_is_kept_with_its_stage_and_cleaned_up(void)
{
	struct flow f;

	LIVE("sF", plain, &f, -EMFILE);
	CU_ASSERT(f.error == EMFILE && f.stage == STAGE_SOCKET && !f.opened);
	LIVE("scuF", plain, &f, 0, -EADDRNOTAVAIL, 0);
	CU_ASSERT(f.error == EADDRNOTAVAIL && f.stage == STAGE_CONNECT && !f.opened);
	LIVE("sobuF", UINT32_MAX, &f, 0, 0, -EADDRINUSE, -EIO);
	CU_ASSERT(f.error == EADDRINUSE && f.stage == STAGE_BIND); /* the first error is the one */
	LIVE("scaxD", plain | STEP(AWAIT), &f, 0, 0, -ECONNRESET, 0);
	CU_ASSERT(f.opened && f.error == ECONNRESET && f.stage == STAGE_RECEIVE);
}

static void what_was_cancelled_has_timed_out(void)
{
	struct flow f;

	flow_begin(&f, 0);
	flow_answer(&f, 0, plain);
	f.cancelled = true;
	CU_ASSERT_EQUAL(flow_answer(&f, -ECANCELED, plain), OP_UNDO);
	CU_ASSERT_EQUAL(f.error, ETIMEDOUT);
	flow_begin(&f, 0);
	flow_answer(&f, 0, plain);
	flow_answer(&f, -ECANCELED, plain); /* by somebody else */
	CU_ASSERT_EQUAL(f.error, ECANCELED);
	LIVE("sF", plain, &f, -512); /* ERESTARTSYS: more than eight bits */
	CU_ASSERT_EQUAL(f.error, 512);
}

static void every_life_comes_to_an_end(void)
{
	for (uint32_t steps = 0; steps < 1u << OPS; steps += (1u << OPS) / 5000 | 1) {
		for (unsigned answers = 0; answers < 64; answers++) {
			struct flow f;
			unsigned n = 0;

			flow_begin(&f, 0);
			while (!op_is_end((enum op)f.at) && n < 2 * OPS) {
				flow_answer(&f, answers >> n % 6 & 1 ? -EIO : 0, steps);
				n++;
			}
			CU_ASSERT_FATAL(op_is_end((enum op)f.at));
		}
	}
}

static void an_open_model_is_due_by_the_clock_alone(void)
{
	const struct load load = {.rate = 1000};
	const struct pace p = {.shape = shape_make(&load), .total = 50};

	CU_ASSERT_EQUAL(pace_due(&p, 0, 0, 0), 1);
	CU_ASSERT_EQUAL(pace_due(&p, 0, 1, 1), 0);
	CU_ASSERT_EQUAL(pace_due(&p, 10 * MS, 1, 1), 10);
	CU_ASSERT_EQUAL(pace_due(&p, 1000 * MS, 10, 10), 40); /* never beyond the total */
	CU_ASSERT_EQUAL(pace_due(&p, 1000 * MS, 50, 0), 0);
	CU_ASSERT_EQUAL(pace_next_ns(&p, 3 * MS, 7), 7 * MS);
	CU_ASSERT(pace_is_over(&p, 0, 50) && !pace_is_over(&p, 3600000 * MS, 49));
}

static void a_closed_model_is_due_when_one_ends(void)
{
	const struct pace p = {.concurrency = 8, .duration_ns = 100 * MS};

	CU_ASSERT_EQUAL(pace_due(&p, 0, 0, 0), 8);
	CU_ASSERT_EQUAL(pace_due(&p, 50 * MS, 90, 6), 2);
	CU_ASSERT_EQUAL(pace_due(&p, 50 * MS, 90, 8), 0);
	CU_ASSERT_EQUAL(pace_due(&p, 100 * MS, 90, 0), 0);
	CU_ASSERT(pace_is_over(&p, 100 * MS, 0));
}

static void a_load_that_starts_later_is_due_from_then_on(void)
{
	const struct load load = {.rate = 1000};
	const struct pace open = {
		.shape = shape_make(&load), .duration_ns = 10 * MS, .start_ns = 500 * MS};
	const struct pace closed = {.concurrency = 8, .start_ns = 500 * MS};

	CU_ASSERT_EQUAL(pace_due(&open, 500 * MS - 1, 0, 0), 0);
	CU_ASSERT_EQUAL(pace_due(&open, 500 * MS, 0, 0), 1);
	CU_ASSERT_EQUAL(pace_next_ns(&open, 0, 0), 500 * MS);
	CU_ASSERT_EQUAL(pace_next_ns(&open, 0, 7), 507 * MS);
	CU_ASSERT(!pace_is_over(&open, 510 * MS - 1, 10) && pace_is_over(&open, 510 * MS, 10));
	CU_ASSERT_EQUAL(pace_due(&closed, 499 * MS, 0, 0), 0);
	CU_ASSERT_EQUAL(pace_next_ns(&closed, 0, 0), 500 * MS);
	CU_ASSERT_EQUAL(pace_due(&closed, 500 * MS, 0, 0), 8);
	CU_ASSERT_EQUAL(pace_next_ns(&closed, 501 * MS, 8), 501 * MS);
}

static void pairs_take_turns_and_wait_for_each_other(void)
{
	struct arena a;
	struct rotation r;

	CU_ASSERT_FATAL(arena_open(&a, 1 << 16) && rotation_open(&r, 3, 10, 8, &a));
	for (uint32_t i = 0; i < 7; i++) {
		uint32_t pair = rotation_pick(&r, 0);

		CU_ASSERT_EQUAL(pair, i % 3);
	}
	/* Pair 1 is nearly full and busy: nobody overtakes it. */
	rotation_pair(&r, 1)->holding = 5;
	rotation_pair(&r, 1)->in_flight = 1;
	CU_ASSERT_EQUAL(rotation_pick(&r, 0), NO_PAIR);
	/* But what has no answer after a millisecond has its port: SYN_SENT. */
	CU_ASSERT_EQUAL(rotation_room_ns(&r), MS);
	CU_ASSERT_EQUAL(rotation_pick(&r, MS - 1), NO_PAIR);
	CU_ASSERT_EQUAL(rotation_pick(&r, MS), 1);
	CU_ASSERT_EQUAL(rotation_pick(&r, MS), 2);
	CU_ASSERT_EQUAL(rotation_pick(&r, MS), 0);
	/* Of one that is not asked yet nothing is known, however long that takes. */
	rotation_pair(&r, 1)->preparing = 1;
	CU_ASSERT_EQUAL(rotation_room_ns(&r), INT64_MAX);
	CU_ASSERT_EQUAL(rotation_pick(&r, 1000 * MS), NO_PAIR);
	rotation_pair(&r, 1)->preparing = 0;
	rotation_pair(&r, 1)->in_flight = 0;
	CU_ASSERT_EQUAL(rotation_pick(&r, 0), 1);
	CU_ASSERT_EQUAL(rotation_pick(&r, 0), 2);
	arena_close(&a);
}

static void an_exhausted_pair_leaves_and_comes_back(void)
{
	struct arena a;
	struct rotation r;

	CU_ASSERT_FATAL(arena_open(&a, 1 << 16) && rotation_open(&r, 3, 1000, 8, &a));
	CU_ASSERT_EQUAL(rotation_next_ns(&r), INT64_MAX);
	CU_ASSERT_EQUAL(pair_refused(rotation_pair(&r, 0), 9, 5 * MS, MS), PAIR_SUSPECT);
	rotation_leave(&r, 0);
	CU_ASSERT_EQUAL(rotation_next_ns(&r), 15 * MS); /* ten times its cost */
	CU_ASSERT_EQUAL(rotation_pick(&r, 6 * MS), 1);
	CU_ASSERT_EQUAL(rotation_pick(&r, 6 * MS), 2);
	CU_ASSERT_EQUAL(rotation_pick(&r, 6 * MS), 1);
	CU_ASSERT_EQUAL(rotation_pick(&r, 15 * MS), 0); /* its retry comes first */
	CU_ASSERT_EQUAL(pair_opened(rotation_pair(&r, 0), 10, 20 * MS), 15 * MS);
	rotation_return(&r, 0);
	CU_ASSERT_EQUAL(rotation_pick(&r, 20 * MS), 2);
	CU_ASSERT_EQUAL(rotation_pick(&r, 20 * MS), 0);
	rotation_leave(&r, 2);
	rotation_leave(&r, 1);
	CU_ASSERT_EQUAL(rotation_pick(&r, 20 * MS),
			2); /* both may be asked at once: they never refused */
	rotation_leave(&r, 0);
	CU_ASSERT(rotation_is_empty(&r));
	arena_close(&a);
}

static void a_refusal_is_confirmed_three_times_and_then_asked_for_ever_more_seldom(void)
{
	struct pair p = {0};
	int64_t now = 0, gaps[16];

	for (unsigned i = 0; i < 16; i++) {
		enum pair_state state = pair_refused(&p, (uint64_t)i + 9, now, MS / 100);

		CU_ASSERT_EQUAL(state, i < 3 ? PAIR_SUSPECT : PAIR_EXHAUSTED);
		gaps[i] = p.retry_ns - now;
		now = p.retry_ns;
	}
	CU_ASSERT(gaps[0] == MS / 10 && gaps[1] == MS / 10 &&
		  gaps[2] == MS / 10); /* ten times its cost */
	CU_ASSERT_EQUAL(gaps[3], MS);  /* a hundred times */
	for (unsigned i = 4; i < 12; i++)
		CU_ASSERT_EQUAL(gaps[i], 2 * gaps[i - 1]);
	CU_ASSERT_EQUAL(gaps[15], 500 * MS);
	CU_ASSERT_EQUAL(pair_refused(&p, 99, now, 20 * MS), PAIR_EXHAUSTED);
	CU_ASSERT_EQUAL(p.retry_ns - now, 2000 * MS); /* 1 % of a core is 1 %, however dear it is */
	CU_ASSERT_EQUAL(pair_opened(&p, 100, now + 7), now + 7);
	CU_ASSERT_EQUAL(pair_opened(&p, 101, now + 9), -1);
}

/* Its answer came late, from the far end; it had had its port all the while. */
static void a_connect_that_was_asked_before_a_refusal_is_no_recovery(void)
{
	struct pair p = {0};

	pair_refused(&p, 40, 5 * MS, MS / 100);
	CU_ASSERT_EQUAL(pair_opened(&p, 39, 6 * MS), -1);
	CU_ASSERT_EQUAL(p.state, PAIR_SUSPECT);
	CU_ASSERT_EQUAL(pair_opened(&p, 41, 7 * MS), 2 * MS);
	CU_ASSERT_EQUAL(p.state, PAIR_OPEN);
}

static void a_queue_keeps_its_order_whoever_leaves(void)
{
	struct flow flows[5];
	struct queue q = QUEUE_EMPTY;

	memset(flows, 0x55, sizeof(flows));
	for (uint32_t i = 0; i < 5; i++)
		queue_add(&q, flows, i);
	queue_remove(&q, flows, 2);
	queue_remove(&q, flows, 0);
	queue_remove(&q, flows, 4);
	CU_ASSERT(q.first == 1 && flows[1].next == 3 && q.last == 3 && flows[3].prev == 1 &&
		  q.count == 2);
	queue_remove(&q, flows, 1);
	queue_remove(&q, flows, 3);
	CU_ASSERT(q.first == NO_FLOW && q.last == NO_FLOW && q.count == 0);
}

static const struct test tests[] = {
	TEST(a_life_passes_over_what_is_not_among_its_steps),
	TEST(a_failure_is_kept_with_its_stage_and_cleaned_up),
	TEST(what_was_cancelled_has_timed_out),
	TEST(every_life_comes_to_an_end),
	TEST(an_open_model_is_due_by_the_clock_alone),
	TEST(a_closed_model_is_due_when_one_ends),
	TEST(a_load_that_starts_later_is_due_from_then_on),
	TEST(pairs_take_turns_and_wait_for_each_other),
	TEST(an_exhausted_pair_leaves_and_comes_back),
	TEST(a_refusal_is_confirmed_three_times_and_then_asked_for_ever_more_seldom),
	TEST(a_connect_that_was_asked_before_a_refusal_is_no_recovery),
	TEST(a_queue_keeps_its_order_whoever_leaves),
	TESTS_END,
};

const struct suite suite_drive = {"drive", tests};
