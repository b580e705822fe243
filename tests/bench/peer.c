#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "place.h"
#include "sys/clock.h"
#include "sys/counters.h"

/* No run of a peer is longer. */
#define LONGEST_NS (INT64_C(30) * 1000000000)

/* The plainest there is; create_connection() would ask for addresses each time. */
#define LOOP \
	"import socket,sys\n" \
	"to=(sys.argv[1],int(sys.argv[2]))\n" \
	"for _ in range(int(sys.argv[3])):\n" \
	" s=socket.socket();s.connect(to);s.close()\n"
#define HOLD \
	"import socket,sys\n" \
	"to=(sys.argv[1],int(sys.argv[2]));held=[]\n" \
	"for _ in range(int(sys.argv[3])):\n" \
	" s=socket.socket();s.connect(to);held.append(s)\n"

// clang-format off
const struct peer peers[PEERS] = {
	[PEER_WRK] = {"wrk", "wrk",
		{"-t1", "-c64", "-d2s", "-H", "Connection: close", PEER_URL},
		{"-t1", "-c64", "-d1s", PEER_URL},
		{"Socket errors"}},
	[PEER_AB] = {"ab", "ab",
		{"-q", "-c", "64", "-n", PEER_COUNT, PEER_URL},
		{"-q", "-k", "-c", "64", "-n", PEER_COUNT, PEER_URL},
		{"apr_", "assign"}},
	[PEER_HEY] = {"hey", "hey",
		{"-disable-keepalive", "-c", "64", "-n", PEER_COUNT, PEER_URL},
		{"-c", "64", "-n", PEER_COUNT, PEER_URL},
		{"assign"}},
	[PEER_HTTPERF] = {"httperf", "httperf",
		{"--server", PEER_HOST, "--port", PEER_PORT, "--num-conns", PEER_COUNT},
		{"--server", PEER_HOST, "--port", PEER_PORT, "--wsess=64,2,1", "--rate", "64"},
		{"error 99", "addrunavail"}},
	[PEER_SOCKMANY] = {"sockmany", "stress-ng",
		{"--sockmany", "1", "--sockmany-ops", PEER_COUNT, "--temp-path", "/tmp"},
		{"--sockmany", "1", "-t", "1", "--temp-path", "/tmp"},
		{"assign", "completed"}},
	[PEER_PYTHON] = {"python", "/usr/bin/python3",
		{"-I", "-S", "-c", LOOP, PEER_HOST, PEER_PORT, PEER_COUNT},
		{"-I", "-S", "-c", HOLD, PEER_HOST, PEER_PORT, PEER_COUNT},
		{"assign"}},
};
// clang-format on

bool peer_is_there(const struct peer *peer)
{
	const char *path = getenv("PATH");
	char file[4096];

	if (peer->program[0] == '/')
		return access(peer->program, X_OK) == 0;
	while (path && *path) {
		int len = (int)strcspn(path, ":");

		snprintf(file, sizeof(file), "%.*s/%s", len, path, peer->program);
		if (access(file, X_OK) == 0)
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

/* ---- its words ----------------------------------------------------------- */

struct words {
	char host[64], port[16], count[16], url[128];
	char *list[PEER_WORDS + 2];
};

static void words_know(struct words *w, const struct place *p, uint32_t count)
{
	unsigned port = plan_service(&p->plan, 0);

	address_print(w->host, plan_server(&p->plan, 0));
	snprintf(w->port, sizeof(w->port), "%u", port);
	snprintf(w->count, sizeof(w->count), "%u", count);
	snprintf(w->url, sizeof(w->url), "http://%s:%u/", w->host, port);
}

static char *word_of(struct words *w, const char *word)
{
	const struct {
		const char *name;
		char *value;
	} known[] = {{PEER_HOST, w->host},
		     {PEER_PORT, w->port},
		     {PEER_COUNT, w->count},
		     {PEER_URL, w->url}};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(word, known[i].name) == 0)
			return known[i].value;
	return (char *)(uintptr_t)word; /* exec changes none of them */
}

static void words_fill(struct words *w, const struct peer_wish *wish)
{
	size_t n = 0;

	w->list[n++] = (char *)(uintptr_t)wish->peer->program;
	for (size_t i = 0; i < PEER_WORDS && wish->words[i]; i++)
		w->list[n++] = word_of(w, wish->words[i]);
	w->list[n] = NULL;
}

/* ---- its run ------------------------------------------------------------- */

struct stay {
	const struct peer_wish *wish;
	struct words words;
	struct peer_took took;
};

static void keep_opens(void *opens, struct text name, uint64_t value)
{
	if (text_is(name, "ActiveOpens"))
		*(uint64_t *)opens = value;
}

static bool opens_so_far(uint64_t *out, struct err *err)
{
	struct proc_door proc;
	bool ok = proc_open(&proc, err) && proc_counters(&proc, keep_opens, out, err);

	proc_close(&proc);
	return ok;
}

static bool spawn(const struct stay *s, pid_t *child, int output, struct err *err)
{
	posix_spawn_file_actions_t actions;
	int e;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	e = posix_spawnp(child, s->words.list[0], &actions, NULL, s->words.list, environ);
	posix_spawn_file_actions_destroy(&actions);
	return e == 0 || err_sys(err, e, "could not start %s", s->words.list[0]);
}

/* Reads until it has ended, and ends it when it takes too long. */
static void listen_to(struct stay *s, int input, pid_t child)
{
	int64_t until = clock_now() + LONGEST_NS;
	char rest[PEER_SAID];
	size_t len = 0;

	for (;;) {
		struct pollfd ready = {.fd = input, .events = POLLIN};
		bool keeps = s->wish->said && len < PEER_SAID;
		ssize_t n;

		poll(&ready, 1, 1000);
		if (clock_now() > until) /* also of one that never stops talking */
			kill(child, SIGKILL);
		if (!ready.revents)
			continue;
		n = read(input, keeps ? s->wish->said + len : rest,
			 keeps ? PEER_SAID - len : sizeof(rest));
		if (n <= 0)
			break;
		len += keeps ? (size_t)n : 0;
	}
	s->took.said = (struct text){s->wish->said, len};
}

static void count_cost(struct stay *s, int64_t took_ns, const struct rusage *u)
{
	double cpu_us = (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1e6 +
			(double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec);
	struct cost *cost = &s->took.cost;

	cost->seconds = (double)took_ns / 1e9;
	if (s->took.opens == 0)
		return;
	cost->cpu_us = cpu_us / (double)s->took.opens;
	cost->rate = (double)s->took.opens / cost->seconds;
}

static bool stay(struct place *p, void *context)
{
	struct stay *s = context;
	struct rusage usage;
	int64_t begin = clock_now();
	int ends[2], status;
	pid_t child;
	bool ok;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(&p->err, errno, "no pipe");
	ok = spawn(s, &child, ends[1], &p->err);
	close(ends[1]);
	if (ok) {
		listen_to(s, ends[0], child);
		ok = wait4(child, &status, 0, &usage) == child;
	}
	close(ends[0]);
	if (!ok || !opens_so_far(&s->took.opens, &p->err))
		return false;
	s->took.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	count_cost(s, clock_now() - begin, &usage);
	return true;
}

struct peer_took peer_run(const struct peer_wish *wish)
{
	struct stay s = {.wish = wish};
	struct web *web = NULL;
	struct place p;

	if (!peer_is_there(wish->peer))
		return (struct peer_took){.cost.missing = true};
	place_open(&p, wish->lines);
	words_know(&s.words, &p, wish->count);
	words_fill(&s.words, wish);
	if (wish->web &&
	    !web_start(&web, &p.lab, plan_service(&p.plan, 0), wish->web, &p.arena, &p.err))
		give_up(&p.err, "the web server");
	place_visit(&p, stay, &s);
	if (web)
		web_stop(web);
	place_close(&p);
	return s.took;
}
