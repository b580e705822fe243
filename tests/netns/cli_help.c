#include "cli_help.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS = 16 };

struct place place_enter(const char *scenario)
{
	struct place p = {.path = "/tmp/lastport-test-XXXXXX",
			  .back = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	FILE *f;

	CU_ASSERT_FATAL(mkdtemp(p.path) != NULL && chdir(p.path) == 0 && chmod(p.path, 0777) == 0);
	f = fopen("in.yaml", "w");
	CU_ASSERT_FATAL(f != NULL);
	fputs(scenario, f);
	fclose(f);
	return p;
}

void place_leave(struct place *p)
{
	char command[128];

	CU_ASSERT(fchdir(p->back) == 0);
	close(p->back);
	snprintf(command, sizeof(command), "rm -rf %s", p->path);
	CU_ASSERT(system(command) == 0);
}

/* lastport stands beside this program. */
static const char *program(void)
{
	static char path[PATH_MAX];

	if (path[0] == '\0') {
		char self[PATH_MAX] = {0};

		if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
			CU_FAIL_FATAL("no /proc/self/exe");
		snprintf(path, sizeof(path), "%.4000s/lastport", dirname(self));
	}
	return path;
}

void spawn(struct child *c, const char *const *args)
{
	const char *argv[ARGS + 2] = {program()};

	for (int i = 0; i < ARGS && args[i]; i++)
		argv[i + 1] = args[i];
	c->pid = fork();
	if (c->pid)
		return;
	if (!freopen("out", "w", stdout) || !freopen("err", "w", stderr) ||
	    !freopen("/dev/null", "r", stdin))
		_exit(99);
	signal(SIGINT, SIG_DFL); /* nohup and the shells' background have it ignored */
	if (c->prepare)
		c->prepare();
	execv(argv[0], (char *const *)argv);
	_exit(98);
}

int child_status(struct child *c)
{
	int status;

	while (waitpid(c->pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int run_args(void (*prepare)(void), const char *const *args)
{
	struct child c = {.prepare = prepare};

	spawn(&c, args);
	return child_status(&c);
}

const char *held(const char *path)
{
	static char buffer[65536];

	buffer[help_file(path, buffer, sizeof(buffer) - 1).len] = '\0';
	return buffer;
}

json_t *loaded(const char *path)
{
	json_error_t e;
	json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &e);

	if (!root)
		printf("%s: %s\n", path, e.text);
	CU_ASSERT_FATAL(root != NULL);
	return root;
}

json_t *first_run(json_t *root)
{
	return json_array_get(json_object_get(root, "runs"), 0);
}

bool is_true(json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

bool is_word(json_t *object, const char *key, const char *word)
{
	const char *found = json_string_value(json_object_get(object, key));

	return found && strcmp(found, word) == 0;
}
