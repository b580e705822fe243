/* Ports that bind() took, beside connects: the kernel itself says when none is left, by the connect that
 * fails, and so says the sampler, before it does. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drive_help.h"
#include "judge/judge.h"
#include "scene.h"
#include "suites.h"
#include "sys/clock.h"
#include "sys/plain.h"

enum { PORTS = 32, SERVERS = 2, SOCKETS_MOST = 2 * PORTS };

/* What one half-filled range looks like to who connects towards the second server. */
struct contest {
	unsigned to_first, to_second; /* sockets that bind first, towards each server */
	bool closed;		      /* they are in TIME_WAIT */
	bool told;		      /* which these are: else it is guessed */
};

struct scene2 {
	struct contest of;
	struct binders binders;
	struct scene_look look;
	int fds[SOCKETS_MOST], listener;
	int count;
	uint32_t opened; /* connects that found a port */
	int error;	 /* of the one that did not */
	bool all_told;	 /* each look's `free` said whether the next would */
};

static void listen_there(struct help *h, void *listener)
{
	*(int *)listener = help_listen(&h->plan);
}

static void bind_first(struct help *h, struct scene2 *s, unsigned server)
{
	const struct plan *p = &h->plan;
	struct socket_name name;
	int fd = help_connection(p->family, &p->sources.list[0], p->servers.list[server],
				 p->service_first);

	CU_ASSERT_FATAL(fd >= 0 && s->count < SOCKETS_MOST && socket_named(fd, &name));
	binders_add(&s->binders, name.address, name.port, name.cookie);
	s->fds[s->count++] = fd;
}

static const struct usage *row_to(const struct scene_look *l, struct address server)
{
	for (uint32_t i = 0; i < l->sample.usage_count; i++)
		if (address_eq(l->usages[i].remote, server))
			return &l->usages[i];
	return NULL;
}

static void look(struct help *h, struct scene2 *s)
{
	scene_look_inside(h, &s->look);
	CU_ASSERT_FATAL(s->look.ok);
}

static void await_time_wait(struct help *h, struct scene2 *s)
{
	unsigned n = s->of.to_first + s->of.to_second;

	for (int i = 0; i < s->count; i++)
		close(s->fds[i]);
	s->count = 0;
	for (unsigned i = 0; i < n; i++)
		close(accept(s->listener, NULL, NULL));
	for (int i = 0; i < 5000; i++) {
		look(h, s);
		if (s->look.sample.states[STATE_TIME_WAIT] == n)
			return;
		clock_sleep(1000000);
	}
	CU_FAIL("not all came into TIME_WAIT");
}

static void connect_to_the_end(struct help *h, void *context)
{
	struct scene2 *s = context;
	const struct plan *p = &h->plan;
	struct address server = p->servers.list[1];

	look(h, s); /* makes the census */
	s->look.census->binders = s->of.told ? &s->binders : NULL;
	s->look.census->guesses = !s->of.told;
	for (unsigned i = 0; i < s->of.to_first + s->of.to_second; i++)
		bind_first(h, s, i >= s->of.to_first);
	if (s->of.closed)
		await_time_wait(h, s);
	look(h, s);
	s->all_told = true;
	for (;;) {
		const struct usage *u;
		int fd = help_connection(p->family, NULL, server, p->service_first);

		s->error = fd < 0 ? -fd : 0;
		if (s->opened > 0 || s->of.to_second > 0)
			s->all_told &= (usage_free(row_to(&s->look, server)) > 0) == (fd >= 0);
		if (fd < 0)
			return;
		CU_ASSERT_FATAL(s->count < SOCKETS_MOST);
		s->fds[s->count++] = fd;
		s->opened++;
		look(h, s);
		u = row_to(&s->look, server);
		CU_ASSERT_FATAL(u != NULL);
		CU_ASSERT_EQUAL(u->elsewhere, s->of.to_first);
		CU_ASSERT_EQUAL(u->usable, PORTS - s->of.to_first);
		CU_ASSERT_EQUAL(u->guessed, !s->of.told && s->of.to_first > 0);
	}
}

static void hold_contest(struct contest of)
{
	struct scene2 s = {.of = of, .listener = -1};
	struct help h;

	if (!help_open(&h, "network: {ports: 40000-40031, servers: 2, sysctl: "
			   "{net.ipv4.tcp_tw_reuse: 0}}"))
		CU_FAIL_FATAL("no lab");
	CU_ASSERT_FATAL(binders_open(&s.binders, PORTS, &h.arena));
	CU_ASSERT(help_inside(&h, LAB_SERVER, listen_there, &s.listener));
	CU_ASSERT(help_inside(&h, LAB_CLIENT, connect_to_the_end, &s));
	CU_ASSERT_EQUAL(s.error, EADDRNOTAVAIL);
	CU_ASSERT_EQUAL(s.opened, PORTS - of.to_first - of.to_second);
	CU_ASSERT(s.all_told);
	CU_ASSERT_EQUAL(usage_free(&s.look.usages[0]), 0);
	for (int i = 0; i < s.count; i++)
		close(s.fds[i]);
	close(s.listener);
	help_close(&h);
}

static void a_connect_fails_when_none_is_said_to_be_free(void)
{
	static const struct contest contests[] = {
		{.to_first = 20, .told = true},
		{.to_first = 12, .to_second = 8, .told = true},
		{.to_first = 20, .closed = true, .told = true},
		{.to_first = 0, .told = true},
	};

	for (size_t i = 0; i < sizeof(contests) / sizeof(contests[0]); i++)
		hold_contest(contests[i]);
}

/* Whose they are the kernel does not say; their parity does, and that nobody shares them. */
static void what_nobody_tells_is_guessed_by_parity(void)
{
	static const struct contest contests[] = {
		{.to_first = 10},
		{.to_first = 20},
		{.to_first = 20, .closed = true},
		{.to_first = 0},
	};

	for (size_t i = 0; i < sizeof(contests) / sizeof(contests[0]); i++)
		hold_contest(contests[i]);
}

/* ---- a run with loads of both kinds -------------------------------------- */

static double whole(const struct measures *m, enum measure what)
{
	return m->fixed[what].present ? m->fixed[what].n : -1;
}

/* 20 of the 64 ports are bound towards each server, so that 44 are left towards the other: those 20 of
 * its own, and 24 to connect from. */
static void a_run_knows_which_of_its_sockets_are_bound(void)
{
	static const char lines[] = "network: {ports: 40000-40063, servers: 2}\n"
				    "loads:\n"
				    "  a: {bind: address, end: leak, total: 40, rate: 1k/s}\n"
				    "  b: {start: 1s, end: leak, rate: 500/s, total: 100}\n";
	const struct sample *s;
	struct measures m;
	struct drive d;

	drive_lines(&d, lines);
	CU_ASSERT_FATAL(d.ok);
	CU_ASSERT_EQUAL(d.tape.loads[0].tally.opened, 40);
	CU_ASSERT_EQUAL(d.tape.loads[1].tally.opened, 48);
	s = last_dump(&d.tape);
	CU_ASSERT_FATAL(s && s->usage_count == 2);
	for (uint32_t i = 0; i < s->usage_count; i++) {
		const struct usage *u = &sample_usages(&d.tape, s)[i];

		CU_ASSERT(u->usable == 44 && u->elsewhere == 20 && !u->guessed);
		CU_ASSERT(usage_used(u) == 44 && usage_free(u) == 0);
	}
	measure(&m, &d.tape, &d.h.plan, &d.h.arena);
	CU_ASSERT_EQUAL(whole(&m, MEASURE_PORTS_FILL_MAX), 1);
	CU_ASSERT_EQUAL(whole(&m, MEASURE_PORTS_USABLE), 44);
	CU_ASSERT_EQUAL(atomic_load(&d.pulse.fill_max), 1);
	help_close(&d.h);
}

/* UDP, which bind() takes nothing from, has more of its ports than either destination of its own: who stops
 * a run by its fill is told of those all the same. */
static void a_fuller_source_of_datagrams_hides_no_destination(void)
{
	static const char lines[] = "network: {ports: 40000-40063, servers: 2}\n"
				    "loads:\n"
				    "  u: {protocol: udp, end: leak, total: 60, rate: 1k/s}\n"
				    "  a: {bind: address, end: leak, total: 40, rate: 1k/s}\n"
				    "  b: {start: 1s, end: leak, rate: 500/s, total: 30}\n";
	const struct sample *s;
	struct drive d;

	drive_lines(&d, lines);
	CU_ASSERT_FATAL(d.ok);
	s = last_dump(&d.tape);
	CU_ASSERT_FATAL(s && s->usage_count == 3);
	CU_ASSERT(sample_usages(&d.tape, s)[0].datagrams);
	CU_ASSERT_DOUBLE_EQUAL(atomic_load(&d.pulse.fill_max), (20 + 15) / 44., 1e-9);
	help_close(&d.h);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, a_connect_fails_when_none_is_said_to_be_free),
	TEST_UNLESS(help_no_network, what_nobody_tells_is_guessed_by_parity),
	TEST_UNLESS(help_no_network, a_run_knows_which_of_its_sockets_are_bound),
	TEST_UNLESS(help_no_network, a_fuller_source_of_datagrams_hides_no_destination),
	TESTS_END,
};

const struct suite suite_binders = {"binders", tests};
