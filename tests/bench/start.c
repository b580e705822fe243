#include "start.h"

#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "place.h"
#include "sys/clock.h"

extern char **environ;

/* What is measured: it stands beside the benchmark. */
#define PROGRAM "lastport"

enum { NAME_MOST = PATH_MAX + 16 };

struct desk {
	char program[NAME_MOST];
	char place[64], scenario[80], results[80];
};

static void desk_make(struct desk *d, const char *lines)
{
	struct err err = {0};
	ssize_t len = readlink("/proc/self/exe", d->program, PATH_MAX);
	char *name = len > 0 ? memrchr(d->program, '/', (size_t)len) : NULL;
	FILE *f;

	strcpy(d->place, "/tmp/lastport-bench-XXXXXX");
	if (!name || !mkdtemp(d->place))
		give_up(&err, "a directory for a run");
	strcpy(name + 1, PROGRAM);
	snprintf(d->scenario, sizeof(d->scenario), "%s/start.yaml", d->place);
	snprintf(d->results, sizeof(d->results), "%s/results", d->place);
	f = fopen(d->scenario, "we");
	if (!f || fprintf(f, "version: 1\nname: start\n%s\n", lines) < 0 || fclose(f) != 0)
		give_up(&err, d->scenario);
}

/* What it says goes nowhere; its wait status. posix_spawn(3) writes to none of the words. */
static int run_to_its_end(const char *const words[])
{
	posix_spawn_file_actions_t actions;
	pid_t child;
	int status, e;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	e = posix_spawn(&child, words[0], &actions, NULL, (char *const *)words, environ);
	posix_spawn_file_actions_destroy(&actions);
	return e == 0 && waitpid(child, &status, 0) == child ? status : -1;
}

static void desk_clear(struct desk *d)
{
	const char *const words[] = {"/bin/rm", "-rf", d->place, NULL};

	run_to_its_end(words);
}

struct cost run_start(const char *lines)
{
	struct desk d = {0};
	const char *const words[] = {d.program, "run", "-q", "-o", d.results, d.scenario, NULL};
	struct err err = {0};
	int64_t begin;
	struct cost cost;
	int status;

	desk_make(&d, lines);
	begin = clock_now();
	status = run_to_its_end(words);
	cost = (struct cost){.start_ms = (double)(clock_now() - begin) / 1e6};
	desk_clear(&d);
	if (status != 0) {
		err_set(&err, ERR_SYS, "it ended with wait status %d", status);
		give_up(&err, d.program);
	}
	return cost;
}
