#include "scene.h"

#include <errno.h>
#include <limits.h>
#include <linux/filter.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/endpoint.h"

#define SECOND INT64_C(1000000000)

const struct wanted wanted[WANTED] = {
	{STATE_ESTABLISHED, 4, false, "ESTAB"},	   {STATE_TIME_WAIT, 5, false, "TIME-WAIT"},
	{STATE_FIN_WAIT2, 2, false, "FIN-WAIT-2"}, {STATE_CLOSE_WAIT, 3, false, "CLOSE-WAIT"},
	{STATE_CLOSING, 2, false, "CLOSING"},	   {STATE_FIN_WAIT1, 2, true, "FIN-WAIT-1"},
	{STATE_LAST_ACK, 1, true, "LAST-ACK"},	   {STATE_SYN_SENT, 2, true, "SYN-SENT"},
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

const char *scene_cannot(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool deaf = be_deaf(fd);

	close(fd);
	if (help_no_network())
		return help_no_network();
	return deaf ? NULL : "sockets take no filter (SO_ATTACH_FILTER)";
}

const char *scene_has_no_ss(void)
{
	if (scene_cannot())
		return scene_cannot();
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

uint16_t scene_port(int fd)
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
	s->ports[i] = scene_port(s->client[i]);
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
		endpoint_make(s->family, s->h.plan.sources.list[0], scene_port(s->in_range));

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
void scene_ask_ss(struct help *h, void *context)
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

void scene_open(struct scene *s, enum family family)
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

void scene_close(struct scene *s)
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

static void add(void *census, const struct socket_seen *seen)
{
	census_add(census, seen);
}

void scene_look_inside(struct help *h, void *context)
{
	struct socket_filter filter = {.ports = h->plan.watched};
	struct scene_look *l = context;
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
	census_tell(l->census, &l->sample, l->usages, USAGES_MOST);
	census_map(l->census, &l->map);
}

void scene_look(struct scene *s, struct scene_look *l)
{
	CU_ASSERT_FATAL(help_inside(&s->h, LAB_CLIENT, scene_look_inside, l) && l->ok);
}

static bool is_at_rest(const struct scene_look *l, bool silent)
{
	bool rests = l->sample.states[STATE_SYN_RECV] == HALF_OPEN;

	for (int w = 0; w < WANTED; w++)
		rests &= (wanted[w].needs_silence && !silent) ||
			 l->usages[0].states[wanted[w].state] >= (uint32_t)wanted[w].n;
	return rests;
}

void scene_await(struct scene *s, struct scene_look *l, bool silent)
{
	for (int i = 0; i < 2000; i++) {
		scene_look(s, l);
		if (is_at_rest(l, silent))
			return;
		clock_sleep(SECOND / 1000);
	}
	CU_FAIL("the sockets never came into their states");
}

void scene_be_silent(struct scene *s)
{
	pthread_t thread;

	CU_ASSERT_FATAL(pthread_create(&thread, NULL, silence, s) == 0);
	pthread_join(thread, NULL);
	CU_ASSERT_FATAL(s->silent);
	CU_ASSERT(help_inside(&s->h, LAB_CLIENT, close_silent, s));
}
