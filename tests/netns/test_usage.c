/* What the sampler says of a destination's ports is what others say of the same namespace: ss of
 * iproute2, /proc, and the kernel itself, which refuses the connect that finds none free. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "drive_help.h"
#include "sense/census.h"
#include "sense/holders.h"
#include "sense/sense.h"
#include "sys/clock.h"
#include "sys/endpoint.h"
#include "sys/procnet.h"

#define SECOND INT64_C(1000000000)

/* ---- /proc/net/tcp, as a kernel printed it once (tests/data) ------------- */

struct recorded {
	unsigned states[STATES], aged, inodes, mapped;
	bool broken;
};

static void read_recorded(const char *path, bool datagrams, struct recorded *out)
{
	static char buffer[8192];
	struct text rest = help_file(path, buffer, sizeof(buffer)), line;
	struct socket_seen seen;

	*out = (struct recorded){0};
	CU_ASSERT(text_cut(&rest, '\n', &line) && !procnet_parse(line, datagrams, &seen));
	while (text_cut(&rest, '\n', &line)) {
		out->broken |= !procnet_parse(line, datagrams, &seen);
		out->states[seen.state]++;
		out->aged += seen.gone_ns == INT64_C(0x175b) * 10000000;
		out->inodes += seen.inode > 0;
		out->mapped += address_eq(seen.local, address_ipv4(0x7f000001));
	}
}

/* A listener; six connections from ports 40000 to 40005, three of them closed, and a mapped one,
 * each with its other end; and what IPv6 and UDP had besides. */
static void recorded_lines_are_read_as_they_were(void)
{
	struct recorded r;

	read_recorded("tests/data/proc-tcp", false, &r);
	CU_ASSERT(!r.broken && r.states[STATE_LISTEN] == 1 && r.states[STATE_ESTABLISHED] == 7);
	CU_ASSERT(r.states[STATE_TIME_WAIT] == 3 && r.aged == 3 && r.inodes == 7 && r.mapped == 11);
	read_recorded("tests/data/proc-tcp6", false, &r);
	CU_ASSERT(!r.broken && r.states[STATE_LISTEN] == 1 && r.states[STATE_ESTABLISHED] == 3);
	CU_ASSERT_EQUAL(r.mapped, 1);
	read_recorded("tests/data/proc-udp", true, &r);
	CU_ASSERT(!r.broken && r.states[STATE_ESTABLISHED] == 1 && r.states[STATE_BOUND] == 1);
}

static void what_is_no_socket_is_no_line(void)
{
	static const char *const lines[] = {
		"",
		"   0:",
		"   0: 0100007F:1B58",
		"   0: 0100007F:1B58 00000000:0000 0A 0:1 00:0 0 0",
		"   0: 0100007:1B58 00000000:0000 0A 0:1 00:0 0 0 0 5",
		"   0: 0100007F:1B5 00000000:0000 0A 0:1 00:0 0 0 0 5",
		"   0: 0100007F:1B58 00000000:0000 00 0:1 00:0 0 0 0 5",
		"   0: 0100007F:1B58 00000000:0000 FF 0:1 00:0 0 0 0 5",
		"   0: 0100007G:1B58 00000000:0000 0A 0:1 00:0 0 0 0 5",
	};
	struct socket_seen seen;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		CU_ASSERT(!procnet_parse(text_of(lines[i]), false, &seen));
	CU_ASSERT(procnet_parse(TEXT("1: 0100007F:1B58 00000000:0000 0A 0:1 00:0 0 0 0 5"), false,
				&seen));
	CU_ASSERT(seen.local_port == 7000 && seen.inode == 5 && seen.state == STATE_LISTEN);
}

/* ---- sockets in every state that stays ----------------------------------- */

/* How many are brought into each state. Those of the second half come into theirs while no packet
 * passes: the first FIN, or SYN, is never answered. */
static const struct {
	int state, n;
	bool needs_silence;
	const char *ss; /* what ss calls it */
} wanted[] = {
	{STATE_ESTABLISHED, 4, false, "ESTAB"},	   {STATE_TIME_WAIT, 5, false, "TIME-WAIT"},
	{STATE_FIN_WAIT2, 2, false, "FIN-WAIT-2"}, {STATE_CLOSE_WAIT, 3, false, "CLOSE-WAIT"},
	{STATE_CLOSING, 2, false, "CLOSING"},	   {STATE_FIN_WAIT1, 2, true, "FIN-WAIT-1"},
	{STATE_LAST_ACK, 1, true, "LAST-ACK"},	   {STATE_SYN_SENT, 2, true, "SYN-SENT"},
};

enum { WANTED = sizeof(wanted) / sizeof(wanted[0]), ALL = 21, BOUND_ALONE = 2, HALF_OPEN = 3 };

struct scene {
	struct help h;
	enum family family;
	int listener, client[ALL], server[ALL], bound[BOUND_ALONE], in_range, half_open[HALF_OPEN];
	uint16_t ports[ALL]; /* that the kernel gave */
	int count;
	bool silent;
	/* By ss: how many in each state, ports towards the service, and the seconds that TIME_WAIT
	 * has left, the least and the most. */
	unsigned seen_by_ss[WANTED], half_open_by_ss;
	struct portset ports_by_ss;
	int next_by_ss, all_by_ss;
};

/* A socket that takes no more packets, and sends its own. Who has no rights is refused where the
 * kernel is short of room for code (bpf_jit_charge_modmem(), kernel/bpf/core.c): this is for the
 * test's own thread. */
static bool be_deaf(int fd)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = {1, &nothing};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}

static const char *no_scene(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool deaf = be_deaf(fd);

	close(fd);
	if (help_no_network())
		return help_no_network();
	return deaf ? NULL : "sockets take no filter (SO_ATTACH_FILTER)";
}

static const char *no_ss(void)
{
	if (no_scene())
		return no_scene();
	return system("ss --version >/dev/null 2>&1") == 0
		       ? NULL
		       : "no program ss (Debian's package iproute2)";
}

static void listen_there(struct help *h, void *listener)
{
	*(int *)listener = help_listen(&h->plan);
}

/* In a thread of its own: the rights that it takes are the thread's. */
static void *silence(void *context)
{
	struct scene *s = context;

	s->silent = lab_enter_admin(&s->h.lab, LAB_SERVER, &s->h.err) &&
		    lab_vanish(&s->h.plan, &s->h.err);
	return NULL;
}

static struct endpoint service_of(const struct scene *s)
{
	return endpoint_make(s->family, s->h.plan.servers.list[0], s->h.plan.service_first);
}

static uint16_t port_of(int fd)
{
	struct endpoint e = {.len = sizeof(e.in6)};

	CU_ASSERT(getsockname(fd, &e.any, &e.len) == 0);
	return ntohs(e.in.sin_port); /* in6 has it at the same place */
}

static void connect_one(struct scene *s, bool may_wait)
{
	struct endpoint there = service_of(s);
	int i = s->count++;

	s->client[i] = socket(family_domain(s->family),
			      SOCK_STREAM | SOCK_CLOEXEC | (may_wait ? 0 : SOCK_NONBLOCK), 0);
	CU_ASSERT(connect(s->client[i], &there.any, there.len) == 0 || errno == EINPROGRESS);
	s->ports[i] = port_of(s->client[i]);
	s->server[i] = may_wait ? accept(s->listener, NULL, NULL) : -1;
}

/* What a socket that is bound alone, or listens, has is nobody's to connect from. */
static void take_ports(struct scene *s)
{
	struct endpoint any = endpoint_any(s->family, 0);

	for (int i = 0; i < BOUND_ALONE; i++) {
		s->bound[i] = socket(family_domain(s->family), SOCK_STREAM | SOCK_CLOEXEC, 0);
		CU_ASSERT(bind(s->bound[i], &any.any, any.len) == 0);
	}
	s->in_range = socket(family_domain(s->family), SOCK_STREAM | SOCK_CLOEXEC, 0);
	CU_ASSERT(listen(s->in_range, 2 * HALF_OPEN) == 0);
}

static void make_all(struct help *h, void *context)
{
	struct scene *s = context;

	(void)h;
	take_ports(s);
	for (int w = 0; w < WANTED; w++)
		for (int i = 0; i < wanted[w].n && wanted[w].state != STATE_SYN_SENT; i++)
			connect_one(s, true);
}

static void be_of_the_server(struct help *h, void *context)
{
	struct scene *s = context;

	(void)h;
	for (int i = 0; i < HALF_OPEN; i++)
		s->half_open[i] = socket(family_domain(s->family),
					 SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Those who would connect to the client never hear its answer. */
static void be_half_open(struct scene *s)
{
	struct endpoint there =
		endpoint_make(s->family, s->h.plan.sources.list[0], port_of(s->in_range));

	for (int i = 0; i < HALF_OPEN; i++) {
		CU_ASSERT(be_deaf(s->half_open[i]));
		CU_ASSERT(connect(s->half_open[i], &there.any, there.len) < 0 &&
			  errno == EINPROGRESS);
	}
}

/* From the client's end of the link: its first sockets are those of wanted[0], and so on. */
static void close_loud(struct scene *s)
{
	for (int w = 0, i = 0; w < WANTED; w++) {
		for (int k = 0; k < wanted[w].n && i < s->count; k++, i++) {
			switch (wanted[w].state) {
			case STATE_TIME_WAIT:
				close(s->client[i]);
				close(s->server[i]);
				s->client[i] = s->server[i] = -1;
				break;
			case STATE_FIN_WAIT2:
				shutdown(s->client[i], SHUT_WR);
				break;
			case STATE_CLOSING: /* both FINs are on their way, and no ACK */
				CU_ASSERT(be_deaf(s->server[i]));
				shutdown(s->client[i], SHUT_WR);
				shutdown(s->server[i], SHUT_WR);
				break;
			case STATE_CLOSE_WAIT:
			case STATE_LAST_ACK:
				close(s->server[i]);
				s->server[i] = -1;
				break;
			default:
				break;
			}
		}
	}
}

static void close_silent(struct help *h, void *context)
{
	struct scene *s = context;

	(void)h;
	for (int w = 0, i = 0; w < WANTED; w++) {
		for (int k = 0; k < wanted[w].n && i < ALL; k++, i++) {
			if (wanted[w].state == STATE_SYN_SENT)
				connect_one(s, false);
			else if (wanted[w].needs_silence)
				shutdown(s->client[i], SHUT_WR);
		}
	}
}

/* "timer:(timewait,54sec,0)", at the end of a line. */
static void read_timer(struct scene *s, const char *line)
{
	const char *timer = strstr(line, "timer:(timewait,");
	int left = timer ? atoi(timer + strlen("timer:(timewait,")) : -1;

	if (left < 0)
		return;
	if (strstr(timer, "min"))
		left *= 60;
	else if (strstr(timer, "ms"))
		left = strchr(timer, '.') ? left : 0;
	s->next_by_ss = left < s->next_by_ss ? left : s->next_by_ss;
	s->all_by_ss = left > s->all_by_ss ? left : s->all_by_ss;
}

static void count_by_ss(struct scene *s, const char *state, const char *line, int port)
{
	s->half_open_by_ss += strcmp(state, "SYN-RECV") == 0;
	for (int w = 0; w < WANTED; w++) {
		if (strcmp(state, wanted[w].ss) != 0)
			continue;
		s->seen_by_ss[w]++;
		portset_add(&s->ports_by_ss, (uint16_t)port);
		read_timer(s, line);
	}
}

/* The client's sockets in the range, from ss in a child of a thread that is there. */
static void ask_ss(struct help *h, void *context)
{
	struct scene *s = context;
	FILE *ss = popen("ss -Htano", "r");
	char line[512], state[32], local[128], peer[128];

	(void)h;
	s->next_by_ss = INT_MAX;
	s->all_by_ss = -1;
	while (ss && fgets(line, sizeof(line), ss)) {
		const char *port;
		int n;

		if (sscanf(line, "%31s %*s %*s %127s %127s", state, local, peer) != 3)
			continue;
		port = strrchr(local, ':');
		n = port ? atoi(port + 1) : 0;
		if (n >= 40000 && n <= 40031)
			count_by_ss(s, state, line, n);
	}
	CU_ASSERT(ss && pclose(ss) == 0);
}

static void scene_open(struct scene *s, enum family family)
{
	memset(s, 0, sizeof(*s));
	s->family = family;
	if (!help_open(&s->h, family == FAMILY_IPV6
				      ? "network: {ports: 40000-40031, family: ipv6, reserved: "
					"[40007], sysctl: {net.ipv4.tcp_tw_reuse: 0}}"
				      : "network: {ports: 40000-40031, reserved: [40007], sysctl: "
					"{net.ipv4.tcp_tw_reuse: 0}}"))
		CU_FAIL_FATAL("no lab");
	CU_ASSERT(help_inside(&s->h, LAB_SERVER, listen_there, &s->listener));
	CU_ASSERT(help_inside(&s->h, LAB_CLIENT, make_all, s));
	CU_ASSERT(help_inside(&s->h, LAB_SERVER, be_of_the_server, s));
	be_half_open(s);
	close_loud(s);
}

static void scene_close(struct scene *s)
{
	for (int i = 0; i < ALL; i++) {
		if (s->client[i] > 0)
			close(s->client[i]);
		if (s->server[i] > 0)
			close(s->server[i]);
	}
	for (int i = 0; i < BOUND_ALONE; i++)
		close(s->bound[i]);
	for (int i = 0; i < HALF_OPEN; i++)
		close(s->half_open[i]);
	close(s->in_range);
	close(s->listener);
	help_close(&s->h);
}

/* ---- looking ------------------------------------------------------------- */

struct look {
	struct census *census;
	struct sample sample;
	struct usage usages[USAGES_MOST];
	struct portmap map;
	bool from_proc, ok;
};

static void add(void *census, const struct socket_seen *seen)
{
	census_add(census, seen);
}

static void look_inside(struct help *h, void *context)
{
	struct socket_filter filter = {.ports = h->plan.watched};
	struct look *l = context;
	struct dump dump;
	bool torn;

	if (!l->census) {
		l->census = ARENA_NEW(&h->arena, struct census);
		CU_ASSERT_FATAL(census_open(l->census, 16, &h->arena) &&
				census_open_held(l->census, 64, &h->arena));
		l->census->range = h->plan.watched;
	}
	census_clear(l->census);
	l->ok = reserved_read(&l->census->reserved, &h->err) &&
		(l->from_proc ? dump_open_proc : dump_open)(&dump, &h->err) &&
		dump_run(&dump, &filter, add, l->census, &torn, &h->err) && !torn;
	dump_close(&dump);
	census_tell(l->census, &l->sample, l->usages);
	census_map(l->census, &l->map);
}

static void look(struct scene *s, struct look *l)
{
	CU_ASSERT_FATAL(help_inside(&s->h, LAB_CLIENT, look_inside, l) && l->ok);
}

static bool is_at_rest(const struct look *l, bool silent)
{
	bool rests = l->sample.states[STATE_SYN_RECV] == HALF_OPEN;

	for (int w = 0; w < WANTED; w++)
		rests &= (wanted[w].needs_silence && !silent) ||
			 l->usages[0].states[wanted[w].state] >= (uint32_t)wanted[w].n;
	return rests;
}

static void await_rest(struct scene *s, struct look *l, bool silent)
{
	for (int i = 0; i < 2000; i++) {
		look(s, l);
		if (is_at_rest(l, silent))
			return;
		clock_sleep(SECOND / 1000);
	}
	CU_FAIL("the sockets never came into their states");
}

static void be_silent(struct scene *s)
{
	pthread_t thread;

	CU_ASSERT_FATAL(pthread_create(&thread, NULL, silence, s) == 0);
	pthread_join(thread, NULL);
	CU_ASSERT_FATAL(s->silent);
	CU_ASSERT(help_inside(&s->h, LAB_CLIENT, close_silent, s));
}

/* ---- what others say ----------------------------------------------------- */

static void figures_equal(struct scene *s, const struct look *l)
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
static void ports_are_those_of_ss(const struct scene *s, const struct look *l)
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

static void map_is_what_the_kernel_gave(const struct scene *s, const struct look *l)
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
		  portset_has(&l->map.taken, port_of(s->in_range)));
}

/* sock_diag has those that are bound alone, which ss of iproute2 6.1 and /proc do not list. */
static void the_samplers_figures_are_those_of_ss(void)
{
	static const enum family families[] = {FAMILY_IPV4, FAMILY_IPV6};

	for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++) {
		struct scene s;
		struct look diag = {0}, proc = {.from_proc = true};

		scene_open(&s, families[f]);
		await_rest(&s, &diag, false);
		be_silent(&s);
		await_rest(&s, &diag, true);
		look(&s, &proc);
		CU_ASSERT(help_inside(&s.h, LAB_CLIENT, ask_ss, &s));
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

static void await_waiting(struct scene *s, struct look *l, uint32_t n, int64_t next_ns)
{
	for (int i = 0; i < 5000; i++) {
		look(s, l);
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
	struct look before = {0}, after = {0};
	struct scene s;

	scene_open(&s, FAMILY_IPV4);
	await_rest(&s, &before, false);
	await_waiting(&s, &before, wanted[1].n, 60 * SECOND - 3 * SECOND / 2);
	for (int i = 0; i < MORE; i++)
		CU_ASSERT(help_inside(&s.h, LAB_CLIENT, be_closed, &s));
	await_waiting(&s, &before, wanted[1].n + MORE, 60 * SECOND);
	CU_ASSERT(help_inside(&s.h, LAB_CLIENT, ask_ss, &s));
	look(&s, &after);
	CU_ASSERT_EQUAL(s.seen_by_ss[1], wanted[1].n + MORE);
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
	struct look l = {0};
	int fds[32], n = 0, fd;

	look_inside(h, &l);
	CU_ASSERT_EQUAL_FATAL(l.sample.usage_count, 1);
	while (n < 32 && (fd = help_connection(s->family, NULL, h->plan.servers.list[0],
					       h->plan.service_first)) >= 0)
		fds[n++] = fd;
	CU_ASSERT_EQUAL(fd, -EADDRNOTAVAIL);
	CU_ASSERT_EQUAL((uint32_t)n, usage_free(&l.usages[0]));
	look_inside(h, &l);
	CU_ASSERT_EQUAL(usage_free(&l.usages[0]), 0);
	while (n > 0)
		close(fds[--n]);
}

static void what_is_free_is_what_the_kernel_gives(void)
{
	static const enum family families[] = {FAMILY_IPV4, FAMILY_IPV6};

	for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++) {
		struct scene s;
		struct look l = {0};

		scene_open(&s, families[f]);
		await_rest(&s, &l, false);
		CU_ASSERT(help_inside(&s.h, LAB_CLIENT, use_what_is_free, &s));
		scene_close(&s);
	}
}

/* ---- owners -------------------------------------------------------------- */

enum { KEPT = 3, CLOSED = 2 };

/* A process that has connections and, asked by a byte, closes some; then it waits for its end. */
static int be_client(struct help *h, int ask, int answer)
{
	char byte = 0;

	for (int i = 0; i < KEPT + CLOSED; i++) {
		int fd = help_connection(h->plan.family, NULL, h->plan.servers.list[0],
					 h->plan.service_first);

		if (fd < 0 || dup2(fd, 100 + i) < 0 || close(fd) < 0)
			return 1;
	}
	if (write(answer, &byte, 1) != 1 || read(ask, &byte, 1) != 1)
		return 1;
	for (int i = KEPT; i < KEPT + CLOSED; i++)
		close(100 + i);
	return write(answer, &byte, 1) != 1 || read(ask, &byte, 1) != 0;
}

struct others {
	struct help h;
	int ask[2], answer[2], listener;
	pid_t pid;
};

static void start_client(struct help *h, void *context)
{
	struct others *o = context;

	fflush(stdout);
	o->pid = fork();
	if (o->pid == 0) {
		prctl(PR_SET_NAME, "evil\x1b[31m");
		close(o->ask[1]);
		_exit(be_client(h, o->ask[0], o->answer[1]));
	}
}

static void holders_look(struct others *o, struct holders *holders, struct look *l)
{
	CU_ASSERT_FATAL(help_inside(&o->h, LAB_CLIENT, look_inside, l) && l->ok);
	holders_scan(holders);
	holders_tell(holders, l->census, l->usages, l->sample.usage_count);
}

static void await_time_wait(struct others *o, struct holders *holders, struct look *l)
{
	for (int i = 0; i < 2000; i++) {
		holders_look(o, holders, l);
		if (l->usages[0].states[STATE_TIME_WAIT] == CLOSED)
			return;
		clock_sleep(SECOND / 1000);
	}
	CU_FAIL("nothing came into TIME_WAIT");
}

/* Seen before it closes, a connection in TIME_WAIT is still of whom it was; else of nobody. */
static void who_holds_a_port_is_named_and_remembered(void)
{
	struct others o = {0};
	struct holders seen, late;
	struct look l = {0};
	char byte = 0;
	int status = -1;

	if (!help_open(&o.h, "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}"))
		CU_FAIL_FATAL("no lab");
	CU_ASSERT_FATAL(pipe2(o.ask, O_CLOEXEC) == 0 && pipe2(o.answer, O_CLOEXEC) == 0);
	CU_ASSERT_FATAL(holders_open(&seen, false, &o.h.arena) &&
			holders_open(&late, false, &o.h.arena));
	CU_ASSERT(help_inside(&o.h, LAB_SERVER, listen_there, &o.listener));
	CU_ASSERT(help_inside(&o.h, LAB_CLIENT, start_client, &o));
	CU_ASSERT_FATAL(o.pid > 0 && read(o.answer[0], &byte, 1) == 1);
	holders_look(&o, &seen, &l);
	CU_ASSERT(l.usages[0].holders_known && l.usages[0].holders[0].sockets == KEPT + CLOSED);
	CU_ASSERT(l.usages[0].holders[0].pid == o.pid);
	CU_ASSERT_STRING_EQUAL(l.usages[0].holders[0].command, "evil\\x1b[31m");
	CU_ASSERT_EQUAL(write(o.ask[1], &byte, 1), 1);
	CU_ASSERT_EQUAL(read(o.answer[0], &byte, 1), 1);
	for (int i = 0; i < KEPT + CLOSED; i++)
		close(accept(o.listener, NULL, NULL));
	await_time_wait(&o, &seen, &l);
	CU_ASSERT_EQUAL(l.usages[0].holders[0].sockets, KEPT + CLOSED);
	await_time_wait(&o, &late, &l);
	CU_ASSERT_EQUAL(l.usages[0].holders[0].sockets, KEPT);
	CU_ASSERT_EQUAL(usage_used(&l.usages[0]), KEPT + CLOSED);
	close(o.ask[1]);
	CU_ASSERT(waitpid(o.pid, &status, 0) == o.pid && status == 0);
	close(o.ask[0]);
	close(o.answer[0]);
	close(o.answer[1]);
	close(o.listener);
	help_close(&o.h);
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
	TEST(recorded_lines_are_read_as_they_were),
	TEST(what_is_no_socket_is_no_line),
	TEST_UNLESS(no_ss, the_samplers_figures_are_those_of_ss),
	TEST_UNLESS(no_ss, time_wait_ends_when_ss_says),
	TEST_UNLESS(no_scene, what_is_free_is_what_the_kernel_gives),
	TEST_UNLESS(help_no_network, who_holds_a_port_is_named_and_remembered),
	TEST_UNLESS(help_no_network, without_sock_diag_a_run_counts_from_proc),
	TEST(dumps_take_no_more_than_two_percent),
	TESTS_END,
};

const struct suite suite_usage = {"usage", tests};
