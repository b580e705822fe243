#include "slot.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* None takes longer than a few seconds, sanitized on a busy machine a few times that. */
#define LONGEST_S 60

static _Noreturn void give_up(const char *what)
{
	fprintf(stderr, "hunt: could not make %s: %s\n", what, strerror(errno));
	exit(2);
}

const char *slot_file(const struct slot *s, const char *name)
{
	static char file[PATH_MAX];

	snprintf(file, sizeof(file), "%s/%s", s->folder, name);
	return file;
}

static void make_folder(const char *folder)
{
	if (mkdir(folder, 0777) < 0 && errno != EEXIST)
		give_up(folder);
}

static int drop(const char *file, const struct stat *stat, int kind, struct FTW *where)
{
	(void)stat, (void)kind, (void)where;
	return remove(file);
}

void slot_begin(struct slot *s, const struct options *o, uint64_t seed)
{
	*s = (struct slot){.seed = seed};
	make_folder(o->place);
	snprintf(s->folder, sizeof(s->folder), "%s/%llu", o->place, (unsigned long long)seed);
	nftw(s->folder, drop, 8, FTW_DEPTH | FTW_PHYS); /* of an earlier hunt */
	make_folder(s->folder);
}

void slot_write(const struct slot *s, const char *name, const struct sketch *sketch)
{
	char buffer[4096], file[64];
	struct out out;
	int fd;

	snprintf(file, sizeof(file), "%s.yaml", name);
	fd = open(slot_file(s, file), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	out = out_to(fd, buffer, sizeof(buffer));
	invent(&out, sketch);
	if (fd < 0 || !out_flush(&out) || close(fd) < 0)
		give_up(slot_file(s, file));
}

static void redirect(const struct slot *s, const char *name, int to, int flags)
{
	int fd = open(slot_file(s, name), O_WRONLY | O_CREAT | flags, 0666);

	if (fd < 0 || dup2(fd, to) < 0)
		_exit(127);
	close(fd);
}

static _Noreturn void become(const struct slot *s, const struct options *o, const char *command,
			     const char *name)
{
	char scenario[PATH_MAX], results[PATH_MAX], file[64], output[PATH_MAX + 16], seed[32];
	bool runs = strcmp(command, "run") == 0;

	snprintf(file, sizeof(file), "%s.yaml", name);
	snprintf(scenario, sizeof(scenario), "%s", slot_file(s, file));
	snprintf(results, sizeof(results), "%s", slot_file(s, "results"));
	snprintf(output, sizeof(output), "--output=%s", results);
	snprintf(seed, sizeof(seed), "--seed=%llu", (unsigned long long)s->seed);
	snprintf(file, sizeof(file), "%s-%s.json", name, command);
	redirect(s, file, STDOUT_FILENO, O_TRUNC);
	redirect(s, "stderr", STDERR_FILENO, O_TRUNC);
	alarm(LONGEST_S); /* outlives the exec */
	execl(o->program, o->program, command, "--json", scenario, seed, runs ? output : NULL,
	      NULL);
	_exit(127);
}

void slot_start(struct slot *s, const struct options *o, const char *command, const char *name)
{
	fflush(NULL);
	s->pid = fork();
	if (s->pid < 0)
		give_up("a process");
	if (s->pid == 0)
		become(s, o, command, name);
}

int slot_wait(struct slot *s)
{
	int status;

	while (waitpid(s->pid, &status, 0) < 0)
		if (errno != EINTR)
			give_up("sure that it has ended");
	s->pid = 0;
	return status;
}

void slot_end(struct slot *s, bool keep)
{
	if (!keep && nftw(s->folder, drop, 8, FTW_DEPTH | FTW_PHYS) < 0)
		give_up("room for the next case");
}
