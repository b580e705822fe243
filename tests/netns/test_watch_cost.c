/* How often it looks at somebody else's load: by what a look has cost. */
#include "lab_help.h"
#include "suites.h"
#include "sys/clock.h"
#include "watch/watch.h"

/* What the first look cost more than its pause was long is made up for, bit by bit. */
static void owe(struct watch *w, struct err *err)
{
	const int64_t owed = INT64_C(3600000000000);

	w->looks = 1;
	w->owed_ns = owed;
	CU_ASSERT_FATAL(watch_look(w, err));
	CU_ASSERT_EQUAL(w->owed_ns, owed - watch_pause_ns(w));
	CU_ASSERT(w->look.next_ns >= 2 * watch_pause_ns(w));
	w->looks = 0;
	w->owed_ns = 0;
	CU_ASSERT_FATAL(watch_look(w, err));
	CU_ASSERT(w->look.next_ns <= 1000000000);
	CU_ASSERT(w->owed_ns >= watch_pause_ns(w) - 1000000000);
}

/* 2 % of a core: of both together, or where that leaves more than 4 s between looks, and owners are most of it,
 * a half of it for each. */
static void share(const struct watch *look)
{
	struct watch w = *look;

	w.cost_ns = 3000000;
	w.owners_cost_ns = 1000000;
	CU_ASSERT_EQUAL(watch_pause_ns(&w), 50 * 4000000);
	w.owners_cost_ns = 3000000;
	CU_ASSERT_EQUAL(watch_pause_ns(&w), 50 * 6000000);
	w.owners_cost_ns = 77000000;
	CU_ASSERT_EQUAL(watch_pause_ns(&w), INT64_C(4000000000));
	w.owners_cost_ns = 77000001;
	CU_ASSERT_EQUAL(watch_pause_ns(&w), 100 * 3000000);
	w.cost_ns = 100000000;
	CU_ASSERT_EQUAL(watch_pause_ns(&w), 50 * (w.cost_ns + w.owners_cost_ns));
}

/* While owners cost too much to be looked at, the sockets are: and it is said of when those are that are
 * named. */
static void be_dear(struct watch *w, struct err *err)
{
	static const volatile sig_atomic_t going_on = 0;
	uint32_t scans = w->holders->looks;
	uint64_t looks = w->looks;

	w->due_ns = clock_now();
	w->owners_cost_ns = 1000000000;
	w->owners_due_ns = clock_now() + 3600 * INT64_C(1000000000);
	CU_ASSERT(watch_follow(w, 1, &going_on, err));
	CU_ASSERT(w->looks == looks + 1 && w->holders->looks == scans);
	CU_ASSERT(w->look.owners_ns == w->owners_ns && w->owners_ns < w->look.t_ns);
	CU_ASSERT_EQUAL(w->cost_ns, (int64_t)w->look.sample.dump_ns);
	w->due_ns = w->owners_due_ns = clock_now();
	CU_ASSERT(watch_follow(w, 1, &going_on, err));
	CU_ASSERT(w->looks == looks + 2 && w->holders->looks == scans + 1);
	CU_ASSERT_EQUAL(w->look.owners_ns, w->look.t_ns);
	w->due_ns = clock_now();
	w->cost_ns = w->owners_cost_ns = 0;
	w->owners_due_ns = clock_now() + 3600 * INT64_C(1000000000);
	CU_ASSERT(watch_follow(w, 1, &going_on, err));
	CU_ASSERT(w->holders->looks == scans + 2);
	CU_ASSERT(w->owners_due_ns >= w->first_ns + w->look.t_ns + 100 * w->owners_cost_ns);
}

/* Far more often than what is shown: who has a connection for less than that is seen to have it. */
static void follow_there(struct help *h, void *context)
{
	static const volatile sig_atomic_t going_on = 0, stopped = SIGINT;
	const struct watch_wish wish = {.host = help_host(), .most = 10};
	struct watch w;
	uint32_t first;

	(void)context;
	CU_ASSERT_FATAL(watch_open(&w, &wish, &h->arena, &h->err) && watch_look(&w, &h->err));
	first = w.holders->looks;
	CU_ASSERT(watch_follow(&w, 1000000000 + 400 * (w.cost_ns + w.owners_cost_ns), &going_on,
			       &h->err));
	CU_ASSERT(w.holders->looks >= first + 3);
	CU_ASSERT(!w.look.totals.known);
	first = w.holders->looks;
	CU_ASSERT(watch_follow(&w, 1000000000, &stopped, &h->err));
	CU_ASSERT(w.holders->looks == first && !w.look.totals.known);
	w.due_ns += 3600 * INT64_C(1000000000); /* as if one had cost a minute */
	CU_ASSERT(watch_follow(&w, 1000000, &going_on, &h->err));
	CU_ASSERT(w.holders->looks == first && w.look.totals.known);
	CU_ASSERT(w.look.totals.t_ns > w.look.t_ns && w.look.next_ns > 3590 * INT64_C(1000000000));
	owe(&w, &h->err);
	share(&w);
	be_dear(&w, &h->err);
	watch_close(&w);
}

static void it_looks_more_often_than_it_shows(void)
{
	struct help h;

	if (!help_open(&h, "network: {ports: 40000-40031}"))
		CU_FAIL_FATAL("no lab");
	CU_ASSERT(help_inside(&h, LAB_CLIENT, follow_there, NULL));
	help_close(&h);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, it_looks_more_often_than_it_shows),
	TESTS_END,
};

const struct suite suite_watch_cost = {"watch_cost", tests};
