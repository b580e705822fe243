/* Heirs: children that keep what they have inherited (load.end: inherit). */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child_find.h"
#include "drive_help.h"
#include "sys/clock.h"
#include "sys/heir.h"
#include "sys/sockets.h"

/* How many sockets a process has, by its own table of descriptors. */
static unsigned sockets_of(pid_t pid)
{
	char path[64], link[64];
	unsigned n = 0;
	DIR *all;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	all = opendir(path);
	for (struct dirent *e; all && (e = readdir(all));) {
		ssize_t len = readlinkat(dirfd(all), e->d_name, link, sizeof(link));

		n += len > 7 && memcmp(link, "socket:", 7) == 0;
	}
	if (all)
		closedir(all);
	return n;
}

static bool has_capabilities(pid_t pid)
{
	char path[64], buffer[8192];
	struct text status;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = help_file(path, buffer, sizeof(buffer) - 1);
	buffer[status.len] = '\0';
	return !strstr(buffer, "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n");
}

/* Has a process a ring in its memory? */
static bool maps_a_ring(pid_t pid)
{
	char path[64], line[512];
	bool any = false;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	CU_ASSERT_PTR_NOT_NULL(maps);
	while (maps && fgets(line, sizeof(line), maps))
		any |= strstr(line, "[io_uring]") != NULL;
	if (maps)
		fclose(maps);
	return any;
}

/* ss -tnp would name the heir, and the far end has seen no FIN. */
static void what_a_child_has_inherited_stays_open_on_both_ends(void)
{
	struct drive d;
	pid_t heir;

	drive_open(&d, "network: {ports: 40000-40031}\n"
		       "load: {end: inherit, rate: 1k/s, on_failure: continue}\n"
		       "stop: {when: never, time: 1m}");
	drive_start(&d);
	CU_ASSERT(drive_await(&d.pulse.failed, 1)); /* no port is left */
	heir = child_find("lastport-heir");
	CU_ASSERT_FATAL(heir > 0);
	CU_ASSERT_EQUAL(sockets_of(heir), 32 + 1); /* and the one it is given them through */
	CU_ASSERT_FALSE(maps_a_ring(heir));	   /* of the far end, say */
	CU_ASSERT_EQUAL(sockets_in(&d, LAB_CLIENT, STATE_ESTABLISHED), 32);
	CU_ASSERT_EQUAL(sockets_in(&d, LAB_SERVER, STATE_ESTABLISHED), 32);
	drive_end(&d, SIGTERM);
	CU_ASSERT_EQUAL(d.tape.tally.inherited, 32);
	CU_ASSERT_EQUAL(d.tape.opened_before, 32);
	CU_ASSERT_EQUAL(counter_moved(&d.tape, "OutRsts"), 0);
	CU_ASSERT_EQUAL(child_find("lastport-heir"), 0);
	help_close(&d.h);
}

/* ---- who holds what ------------------------------------------------------- */

enum { GIVEN = 12, KEPT = 8, CONNECTIONS = GIVEN + KEPT };

/* The truth, while all live: connections by the kernel's table, and the heir's descriptors of those. */
struct truth {
	uint32_t inodes[CONNECTIONS + 1];
	unsigned lookers, connections, descriptors;
	pid_t heir;
	int lowest, highest;
	sem_t asked, told;
	pthread_mutex_t lock;
};

static void add_connection(void *context, const struct socket_seen *seen)
{
	struct truth *t = context;

	if (seen->state == STATE_ESTABLISHED && t->connections <= CONNECTIONS)
		t->inodes[t->connections++] = seen->inode;
}

static bool is_connection(const struct truth *t, int directory, const char *name)
{
	unsigned inode;
	char link[64];
	ssize_t len = readlinkat(directory, name, link, sizeof(link) - 1);

	link[len > 0 ? len : 0] = '\0';
	if (sscanf(link, "socket:[%u]", &inode) != 1)
		return false;
	for (unsigned i = 0; i < t->connections; i++)
		if (t->inodes[i] == inode)
			return true;
	return false;
}

/* In a thread with the test's rights: those of the load's may not look into others. */
static void *look_at_descriptors(void *truth)
{
	struct truth *t = truth;
	char path[64];
	DIR *all;

	while (sem_wait(&t->asked) < 0)
		;
	t->heir = child_find("lastport-heir");
	t->lowest = 1 << 20;
	t->highest = -1;
	snprintf(path, sizeof(path), "/proc/%d/fd", t->heir);
	all = opendir(path);
	for (struct dirent *e; all && (e = readdir(all));) {
		int fd = atoi(e->d_name);

		if (!is_connection(t, dirfd(all), e->d_name))
			continue;
		t->descriptors++;
		t->lowest = fd < t->lowest ? fd : t->lowest;
		t->highest = fd > t->highest ? fd : t->highest;
	}
	if (all)
		closedir(all);
	sem_post(&t->told);
	return NULL;
}

/* In the thread of each of the two loads: when the last looks, all is there. */
static void look_for_truth(void *context, struct worker *worker)
{
	const struct socket_filter filter = {.ports = {40000, 40031}};
	struct truth *t = context;
	struct err err = {0};
	struct dump dump;
	bool torn;

	(void)worker;
	pthread_mutex_lock(&t->lock);
	t->connections = 0;
	CU_ASSERT(dump_open(&dump, &err) &&
		  dump_run(&dump, &filter, add_connection, t, &torn, &err));
	dump_close(&dump);
	if (++t->lookers == 2) {
		sem_post(&t->asked);
		while (sem_wait(&t->told) < 0)
			;
	}
	pthread_mutex_unlock(&t->lock);
}

static const struct holder *holder_of(const struct usage *u, bool is_load)
{
	for (int i = 0; i < HOLDERS_MOST; i++)
		if (u->holders[i].sockets && (u->holders[i].pid == 0) == is_load)
			return &u->holders[i];
	return NULL;
}

/* In -v and in result.json: not as the load's own. */
static void a_child_that_has_inherited_is_named_apart(void)
{
	const struct holder *heir, *load;
	const struct usage *u;
	struct truth t = {.lock = PTHREAD_MUTEX_INITIALIZER};
	pthread_t looks;
	struct drive d;

	CU_ASSERT_FATAL(sem_init(&t.asked, 0, 0) == 0 && sem_init(&t.told, 0, 0) == 0);
	CU_ASSERT_FATAL(pthread_create(&looks, NULL, look_at_descriptors, &t) == 0);
	drive_open(&d, "network: {ports: 40000-40031}\n"
		       "loads: {given: {end: inherit, total: 12}, kept: {end: leak, total: 8}}");
	drive_looked_at(&d, look_for_truth, &t);
	sem_post(&t.asked); /* whatever came of it */
	pthread_join(looks, NULL);
	CU_ASSERT_FATAL(d.ok && last_dump(&d.tape)->usage_count == 1);
	u = sample_usages(&d.tape, last_dump(&d.tape));
	heir = holder_of(u, false);
	load = holder_of(u, true);
	CU_ASSERT_FATAL(heir && load);
	CU_ASSERT(t.connections == CONNECTIONS && t.descriptors == GIVEN && t.heir > 0);
	CU_ASSERT(heir->pid == t.heir && heir->sockets == GIVEN);
	CU_ASSERT(heir->fd_lowest == t.lowest && heir->fd_highest == t.highest);
	CU_ASSERT_STRING_EQUAL(heir->command, "lastport-heir");
	CU_ASSERT(load->sockets == KEPT && load->fd_lowest < 0);
	help_close(&d.h);
}

static const char *no_mark(void)
{
	return help_no_network()	? help_no_network()
	       : help_no_lending()	? help_no_lending()
	       : help_host()->ring_bind ? "io_uring cannot bind, so that sockets are classic"
					: NULL;
}

/* The right to mark is its load's, as long as that is made ready. */
static void the_heir_of_a_load_with_rights_has_none(void)
{
	struct drive d;
	pid_t heir;

	drive_open(&d, "network: {ports: 40000-40031}\n"
		       "load: {end: inherit, total: 4, hold: 1m, options: {mark: 4242}}\n"
		       "stop: {time: 1m}");
	drive_start(&d);
	CU_ASSERT(drive_await(&d.pulse.opened, 1));
	heir = child_find("lastport-heir");
	CU_ASSERT_FATAL(heir > 0);
	CU_ASSERT_FALSE(has_capabilities(heir));
	drive_end(&d, SIGTERM);
	help_close(&d.h);
}

/* In a child that is killed: it tells the heir's number through a pipe. */
static void heir_of_one_that_dies(int out)
{
	struct heir heir;
	struct err err = {0};
	int its;

	if (heir_start(&heir, &err) && heir_give(&heir, STDIN_FILENO, &its) == 0 &&
	    write(out, &heir.child.pid, sizeof(heir.child.pid)) > 0)
		pause();
	_exit(1);
}

static void an_heir_does_not_outlive_who_is_killed(void)
{
	int ends[2];
	pid_t child, heir = 0;

	CU_ASSERT_FATAL(pipe(ends) == 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1); /* so that the heir's end is told here */
	child = fork();
	if (child == 0)
		heir_of_one_that_dies(ends[1]);
	CU_ASSERT_FATAL(read(ends[0], &heir, sizeof(heir)) == sizeof(heir));
	CU_ASSERT_EQUAL(kill(heir, 0), 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	for (int i = 0; i < 5000 && waitpid(heir, NULL, WNOHANG) == 0; i++)
		clock_sleep(1000000);
	CU_ASSERT(kill(heir, 0) < 0 && errno == ESRCH);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	close(ends[0]);
	close(ends[1]);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, what_a_child_has_inherited_stays_open_on_both_ends),
	TEST_UNLESS(help_no_network, a_child_that_has_inherited_is_named_apart),
	TEST_UNLESS(no_mark, the_heir_of_a_load_with_rights_has_none),
	TEST(an_heir_does_not_outlive_who_is_killed),
	TESTS_END,
};

const struct suite suite_heir = {"heir", tests};
