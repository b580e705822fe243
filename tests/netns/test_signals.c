/* The program as it is interrupted or killed: what it has saved, and what it leaves behind. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli_help.h"
#include "sys/clock.h"

static const char long_run[] = "version: 1\nname: long\nnetwork: {ports: 40000-40999}\n"
			       "load: {rate: 2k/s, hold: 5ms, end: reset}\nstop: {time: 60s}\n";
static const char short_run[] =
	"version: 1\nname: short\nnetwork: {ports: 40000-40031}\nload: {end: leak}\n"
	"expect: [exhausted.after == 32]\n";
/* Datagrams and their answers; from sockets that never connect; and sockets that say nothing. */
static const char udp_run[] =
	"version: 1\nname: datagrams\nnetwork: {ports: 40000-40999, servers: 3}\n"
	"load: {protocol: udp, rate: 2k/s, request: {send: 64B, receive: 512B}}\n"
	"loads: {asks: {}, alone: {connected: false}, idle: {hold: 5ms, request: {send: 0B, "
	"receive: 0B}}}\nstop: {time: 60s}\n";
static const char nat_run[] = "version: 1\nname: gateway\n"
			      "network: {topology: nat, nat: {ports: 2000-2031}}\n"
			      "load: {concurrency: 8, end: leak, timeout: 1s}\n"
			      "expect: [connects.opened == 32]\n";

/* Waits until the load has begun, by the events it leaves. */
static bool has_begun(const char *dir)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/events.jsonl", dir);
	for (int i = 0; i < 10000; i++) {
		if (strstr(held(path), "load-begin"))
			return true;
		clock_sleep(1000000);
	}
	return false;
}

/* What was written is there, line by line; the last may be torn where nobody was asked. */
static void check_lines(const char *path, bool may_be_torn)
{
	FILE *f = fopen(path, "r");
	unsigned lines = 0, bad = 0;
	bool last_is_bad = false;
	char line[8192];

	CU_ASSERT_FATAL(f != NULL);
	for (; fgets(line, sizeof(line), f); lines++) {
		json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

		last_is_bad = !json_is_object(object);
		bad += last_is_bad;
		json_decref(object);
	}
	fclose(f);
	CU_ASSERT_EQUAL(bad, may_be_torn && last_is_bad ? 1 : 0);
	CU_ASSERT(lines > 0);
}

/* timeout(1) sends it to the child, and then to the whole group. */
static void a_signal_sent_twice_is_one_wish(void)
{
	for (int i = 0; i < 10; i++) {
		struct place p = place_enter(long_run);
		struct child c = {0};
		json_t *root;

		spawn(&c, (const char *const[]){"run", "-o", "here", "in.yaml", NULL});
		CU_ASSERT(has_begun("here"));
		kill(c.pid, SIGTERM);
		clock_sleep(i * 100000);
		kill(c.pid, SIGTERM);
		CU_ASSERT_EQUAL(child_status(&c), 128 + SIGTERM);
		root = loaded("here/result.json");
		CU_ASSERT(is_true(json_object_get(first_run(root), "measures"), "reconciled"));
		json_decref(root);
		place_leave(&p);
	}
}

static void signal_and_look(const char *scenario, int signal)
{
	struct place p = place_enter(scenario);
	struct child c = {0};
	json_t *root;

	spawn(&c, (const char *const[]){"run", "-o", "here", "in.yaml", NULL});
	CU_ASSERT(has_begun("here"));
	kill(c.pid, signal);
	CU_ASSERT_EQUAL(child_status(&c), 128 + signal);
	root = loaded("here/result.json");
	CU_ASSERT(!is_true(root, "complete"));
	CU_ASSERT(is_word(first_run(root), "verdict", "incomplete"));
	CU_ASSERT(is_true(json_object_get(first_run(root), "measures"), "reconciled"));
	CU_ASSERT(strstr(held("here/events.jsonl"), "\"interrupted\"") != NULL);
	check_lines("here/events.jsonl", false);
	check_lines("here/samples.jsonl", false);
	json_decref(root);
	place_leave(&p);
}

static void a_signal_saves_the_results_and_kills(void)
{
	static const int signals[] = {SIGINT, SIGTERM};

	for (size_t i = 0; i < 2; i++) {
		signal_and_look(long_run, signals[i]);
		signal_and_look(udp_run, signals[i]);
	}
}

/* Nobody is asked: what was written until then is there, and no result calls itself whole. */
static void what_is_killed_has_written_what_it_saw(void)
{
	static const char *const runs[] = {long_run, udp_run};

	for (size_t i = 0; i < 2; i++) {
		struct place p = place_enter(runs[i]);
		struct child c = {0};

		spawn(&c, (const char *const[]){"run", "-o", "here", "in.yaml", NULL});
		CU_ASSERT(has_begun("here"));
		kill(c.pid, SIGKILL);
		CU_ASSERT_EQUAL(child_status(&c), 128 + SIGKILL);
		check_lines("here/events.jsonl", true);
		check_lines("here/samples.jsonl", true);
		if (access("here/result.json", F_OK) == 0) {
			json_t *root = loaded("here/result.json");

			CU_ASSERT(!is_true(root, "complete"));
			json_decref(root);
		}
		place_leave(&p);
	}
}

/* The network namespaces of a process: those its threads are in, and those it holds by
 * descriptor. */
struct spaces {
	ino_t list[64];
	unsigned count;
};

static void note_space(struct spaces *s, const char *path)
{
	struct stat st, own;

	if (stat(path, &st) < 0 || stat("/proc/self/ns/net", &own) < 0 || st.st_dev != own.st_dev ||
	    st.st_ino == own.st_ino || s->count == sizeof(s->list) / sizeof(s->list[0]))
		return;
	s->list[s->count++] = st.st_ino;
}

static void note_spaces(struct spaces *s, pid_t pid, const char *directory, const char *below)
{
	char path[400];
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, directory);
	d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d));) {
		snprintf(path, sizeof(path), "/proc/%d/%s/%s%s", (int)pid, directory, e->d_name,
			 below);
		if (e->d_name[0] != '.')
			note_space(s, path);
	}
	if (d)
		closedir(d);
}

/* Is any process in one of them? Nothing else could hold them: they have no name. */
static bool is_any_inhabited(const struct spaces *s)
{
	DIR *proc = opendir("/proc");
	bool any = false;

	for (struct dirent *e; proc && !any && (e = readdir(proc));) {
		char path[300];
		struct stat st;

		snprintf(path, sizeof(path), "/proc/%s/ns/net", e->d_name);
		if (e->d_name[0] < '0' || e->d_name[0] > '9' || stat(path, &st) < 0)
			continue;
		for (unsigned i = 0; i < s->count; i++)
			any |= s->list[i] == st.st_ino;
	}
	if (proc)
		closedir(proc);
	return any;
}

/* Stopped first, so that what it holds at that moment can be noted; then killed. */
static void kill_and_look(struct child *c, struct spaces *all)
{
	struct spaces mine = {0};
	int status = 0;

	kill(c->pid, SIGSTOP);
	while (waitpid(c->pid, &status, WUNTRACED) < 0 && errno == EINTR)
		;
	note_spaces(&mine, c->pid, "task", "/ns/net");
	note_spaces(&mine, c->pid, "fd", "");
	if (WIFSTOPPED(status)) { /* else it had ended, and its number may be somebody else's */
		kill(c->pid, SIGKILL);
		child_status(c);
	}
	for (int wait = 0; wait < 5000 && is_any_inhabited(&mine); wait++)
		clock_sleep(1000000);
	CU_ASSERT(!is_any_inhabited(&mine));
	all->count += mine.count;
}

/* Until it has a network, which on a busy machine takes longer than any guess. */
static void await_network(const struct child *c)
{
	struct spaces s = {0};

	for (int i = 0; i < 10000 && s.count == 0; i++) {
		clock_sleep(1000000);
		note_spaces(&s, c->pid, "fd", "");
	}
}

static void killed_at_any_moment_it_leaves_nothing(void)
{
	struct spaces all = {0};

	static const char *const runs[] = {short_run, long_run, udp_run, nat_run};

	srandom(1);
	for (int i = 0; i < 48; i++) {
		struct place p = place_enter(runs[i % (help_no_gateway() ? 3 : 4)]);
		struct child c = {0};

		spawn(&c, (const char *const[]){"run", "-j", "2", "-o", "here", "in.yaml", NULL});
		if (i & 8)
			await_network(&c);
		clock_sleep(random() % 40 *
			    1000000); /* any moment: a time is what is to be random here */
		kill_and_look(&c, &all);
		if (access("here/result.json", F_OK) == 0) {
			json_t *root = loaded("here/result.json");

			CU_ASSERT(is_true(root, "complete") == is_word(root, "verdict", "pass"));
			json_decref(root);
		}
		place_leave(&p);
	}
	CU_ASSERT(all.count > 0); /* some were killed with a network */
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, a_signal_saves_the_results_and_kills),
	TEST_UNLESS(help_no_network, what_is_killed_has_written_what_it_saw),
	TEST_UNLESS(help_no_network, a_signal_sent_twice_is_one_wish),
	TEST_UNLESS(help_no_network, killed_at_any_moment_it_leaves_nothing),
	TESTS_END,
};

const struct suite suite_signals = {"signals", tests};
