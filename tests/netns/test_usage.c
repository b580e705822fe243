/* What the sampler says of a destination's ports is what others say of the same namespace: ss of
 * iproute2, /proc, and the kernel itself, which refuses the connect that finds none free. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drive_help.h"
#include "scene.h"
#include "sense/sense.h"
#include "sys/clock.h"

#define SECOND INT64_C(1000000000)

/* ---- what others say ----------------------------------------------------- */

static void figures_equal(struct scene *s, const struct scene_look *l)
{
	const struct usage *u = &l->usages[0];

	CU_ASSERT_EQUAL_FATAL(l->sample.usage_count, 1);
	CU_ASSERT(address_eq(u->remote, s->h.plan.servers.list[0]));
	CU_ASSERT(address_eq(u->local, s->h.plan.sources.list[0]));
	CU_ASSERT(u->remote_port == s->h.plan.service_first && !u->datagrams);
	CU_ASSERT_EQUAL(usage_used(u), ALL);
	for (int w = 0; w < WANTED; w++) {
		CU_ASSERT_EQUAL(u->states[wanted[w].state], (uint32_t)wanted[w].n);
		CU_ASSERT_EQUAL(u->states[wanted[w].state], s->seen_by_ss[w]);
	}
	CU_ASSERT_EQUAL(l->sample.states[STATE_SYN_RECV], HALF_OPEN); /* of a port that listens */
	CU_ASSERT_EQUAL(s->half_open_by_ss, HALF_OPEN);
	CU_ASSERT(l->sample.reserved == 1 && l->sample.listening == 1);
}

/* Which ports are in use, and how many of the first half. */
static void ports_are_those_of_ss(const struct scene *s, const struct scene_look *l)
{
	uint32_t lower = 0;

	CU_ASSERT_EQUAL(portset_count(&s->ports_by_ss, l->map.range), ALL);
	for (uint32_t port = l->map.range.lo; port <= l->map.range.hi; port++) {
		bool used = portset_has(&s->ports_by_ss, (uint16_t)port);

		CU_ASSERT_EQUAL(portset_has(&l->map.used, (uint16_t)port), used);
		lower += used && port % 2 == 0;
	}
	CU_ASSERT_EQUAL(l->usages[0].lower, lower);
}

static void map_is_what_the_kernel_gave(const struct scene *s, const struct scene_look *l)
{
	uint32_t lower = 0;

	CU_ASSERT(l->map.known);
	CU_ASSERT_EQUAL(portset_count(&l->map.used, l->map.range), ALL);
	for (int i = 0; i < ALL; i++) {
		CU_ASSERT(portset_has(&l->map.used, s->ports[i]));
		lower += s->ports[i] % 2 == 0;
	}
	CU_ASSERT_EQUAL(l->usages[0].lower, lower);
	CU_ASSERT(portset_has(&l->map.taken, 40007) &&
		  portset_has(&l->map.taken, scene_port(s->in_range)));
}

/* Of either family, and of sockets of IPv6 that speak IPv4. sock_diag has those that are bound alone, which
 * ss of iproute2 6.1 and /proc do not list: what bind() gave them is the truth there. */
static void the_samplers_figures_are_those_of_ss(void)
{
	static const enum family families[] = {FAMILY_IPV4, FAMILY_IPV6, FAMILY_MAPPED};

	for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++) {
		struct scene s;
		struct scene_look diag = {0}, proc = {.from_proc = true};

		scene_open(&s, families[f]);
		scene_await(&s, &diag, false);
		scene_be_silent(&s);
		scene_await(&s, &diag, true);
		scene_look(&s, &proc);
		CU_ASSERT(help_inside(&s.h, LAB_CLIENT, scene_ask_ss, &s));
		figures_equal(&s, &diag);
		figures_equal(&s, &proc);
		map_is_what_the_kernel_gave(&s, &diag);
		map_is_what_the_kernel_gave(&s, &proc);
		ports_are_those_of_ss(&s, &diag);
		ports_are_those_of_ss(&s, &proc);
		CU_ASSERT(diag.sample.bound == BOUND_ALONE && proc.sample.bound == 0);
		CU_ASSERT_EQUAL(diag.usages[0].usable, 32 - 1 - 1 - BOUND_ALONE);
		CU_ASSERT_EQUAL(proc.usages[0].usable, 32 - 1 - 1);
		CU_ASSERT(memcmp(diag.usages[0].states, proc.usages[0].states,
				 sizeof(diag.usages[0].states)) == 0);
		scene_close(&s);
	}
}

/* One more connection, which the client closes first. */
static void be_closed(struct help *h, void *context)
{
	struct scene *s = context;
	int fd = help_connection(s->family, NULL, h->plan.servers.list[0], h->plan.service_first);
	int accepted = accept(s->listener, NULL, NULL);

	CU_ASSERT(fd >= 0 && accepted >= 0);
	close(fd);
	close(accepted);
}

static void await_waiting(struct scene *s, struct scene_look *l, uint32_t n, int64_t next_ns)
{
	for (int i = 0; i < 5000; i++) {
		scene_look(s, l);
		if (l->usages[0].states[STATE_TIME_WAIT] == n &&
		    l->usages[0].next_free_ns < next_ns)
			return;
		clock_sleep(SECOND / 1000);
	}
	CU_FAIL("TIME_WAIT is not what was waited for");
}

/* Between two looks, ss says when the first port comes free, and when all of them; some have waited
 * for longer than others. */
static void time_wait_ends_when_ss_says(void)
{
	enum { MORE = 3 };
	struct scene_look before = {0}, after = {0};
	struct scene s;

	scene_open(&s, FAMILY_IPV4);
	scene_await(&s, &before, false);
	await_waiting(&s, &before, wanted[1].n, 60 * SECOND - 3 * SECOND / 2);
	for (int i = 0; i < MORE; i++)
		CU_ASSERT(help_inside(&s.h, LAB_CLIENT, be_closed, &s));
	await_waiting(&s, &before, wanted[1].n + MORE, 60 * SECOND);
	CU_ASSERT(help_inside(&s.h, LAB_CLIENT, scene_ask_ss, &s));
	scene_look(&s, &after);
	CU_ASSERT_EQUAL(s.seen_by_ss[1], (unsigned)(wanted[1].n + MORE));
	CU_ASSERT(s.all_by_ss > s.next_by_ss);
	CU_ASSERT(before.usages[0].next_free_ns / SECOND >= s.next_by_ss);
	CU_ASSERT(before.usages[0].all_free_ns / SECOND >= s.all_by_ss);
	CU_ASSERT(after.usages[0].next_free_ns / SECOND <= s.next_by_ss);
	CU_ASSERT(after.usages[0].all_free_ns / SECOND <= s.all_by_ss);
	CU_ASSERT(after.usages[0].all_free_ns - after.usages[0].next_free_ns >= SECOND);
	scene_close(&s);
}

/* As many connects as are told to be free succeed, and the next is refused. */
static void use_what_is_free(struct help *h, void *context)
{
	struct scene *s = context;
	struct scene_look l = {0};
	int fds[32], n = 0, fd;

	scene_look_inside(h, &l);
	CU_ASSERT_EQUAL_FATAL(l.sample.usage_count, 1);
	while (n < 32 && (fd = help_connection(s->family, NULL, h->plan.servers.list[0],
					       h->plan.service_first)) >= 0)
		fds[n++] = fd;
	CU_ASSERT_EQUAL(fd, -EADDRNOTAVAIL);
	CU_ASSERT_EQUAL((uint32_t)n, usage_free(&l.usages[0]));
	scene_look_inside(h, &l);
	CU_ASSERT_EQUAL(usage_free(&l.usages[0]), 0);
	while (n > 0)
		close(fds[--n]);
}

static void what_is_free_is_what_the_kernel_gives(void)
{
	static const enum family families[] = {FAMILY_IPV4, FAMILY_IPV6};

	for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++) {
		struct scene s;
		struct scene_look l = {0};

		scene_open(&s, families[f]);
		scene_await(&s, &l, false);
		CU_ASSERT(help_inside(&s.h, LAB_CLIENT, use_what_is_free, &s));
		scene_close(&s);
	}
}

/* ---- the sampler's own ways ---------------------------------------------- */

/* A host without sock_diag runs what others do, and counts the same. */
static void without_sock_diag_a_run_counts_from_proc(void)
{
	struct host host = *help_host();
	const struct sample *dump;
	struct drive d;

	host.sock_diag = ENOENT;
	drive_open(&d, "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
		       "load: {total: 20}");
	d.h.plan.host = &host;
	drive_plan(&d);
	dump = tape_last_dump(&d.tape);
	CU_ASSERT_FATAL(d.ok && dump && dump->usage_count == 1);
	CU_ASSERT(dump->from_proc && dump->at_rest && !dump->torn);
	CU_ASSERT_EQUAL(sample_usages(&d.tape, dump)->states[STATE_TIME_WAIT], 20);
	CU_ASSERT(d.tape.last_map->known &&
		  portset_count(&d.tape.last_map->used, d.tape.last_map->range) == 20);
	help_close(&d.h);
}

/* However often they are wished for, which is more often than one takes: after each, 49 times as
 * long without one. */
static void dumps_take_no_more_than_two_percent(void)
{
	enum { DUMPS = 8 };
	struct sense_wish wish = {.every_ns = SECOND / 10000, .sockets_ns = 1, .pairs = 16};
	const struct sample *before = NULL;
	struct sense *sense;
	struct tape tape;
	struct help h;
	uint32_t n = 0;

	if (!help_plan(&h, "network: {ports: 40000-40031}"))
		CU_FAIL_FATAL("no plan");
	wish.filter.ports = h.plan.watched;
	CU_ASSERT_FATAL(tape_open(&tape, 0, 1 << 16, 512, &h.arena, &h.err));
	CU_ASSERT_FATAL(sense_start(&sense, &wish, &tape, &h.arena, &h.err));
	sense_zero(sense, clock_now());
	for (int i = 0; i < 30000 && n < DUMPS; i++) {
		n = 0;
		clock_sleep(SECOND / 1000);
		for (size_t k = 0; k < __atomic_load_n(&tape.sample_count, __ATOMIC_ACQUIRE); k++)
			n += tape.samples[k].parts & SAMPLE_SOCKETS && tape.samples[k].t_ns > 0;
	}
	CU_ASSERT(sense_stop(sense, &h.err));
	for (size_t k = 0; k < tape.sample_count; k++) {
		const struct sample *s = &tape.samples[k];

		if (!(s->parts & SAMPLE_SOCKETS) || s->t_ns <= 0)
			continue;
		CU_ASSERT(!before || s->t_ns - before->t_ns >= 50 * (int64_t)before->dump_ns);
		before = s;
	}
	CU_ASSERT(n >= DUMPS && tape.lost == 0);
	help_close(&h);
}

static const struct test tests[] = {
	TEST_UNLESS(scene_has_no_ss, the_samplers_figures_are_those_of_ss),
	TEST_UNLESS(scene_has_no_ss, time_wait_ends_when_ss_says),
	TEST_UNLESS(scene_cannot, what_is_free_is_what_the_kernel_gives),
	TEST_UNLESS(help_no_network, without_sock_diag_a_run_counts_from_proc),
	TEST(dumps_take_no_more_than_two_percent),
	TESTS_END,
};

const struct suite suite_usage = {"usage", tests};
