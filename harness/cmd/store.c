#include "cmd/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A place that cannot be is the user's to change; that there is no room, or an error of the disk, is
 * not. */
static bool bad_place(struct err *err, int sys, const char *what, const char *path)
{
	static const int theirs[] = {EACCES,  EPERM, EROFS,	   ENOENT,
				     ENOTDIR, ELOOP, ENAMETOOLONG, EEXIST};

	for (size_t i = 0; i < sizeof(theirs) / sizeof(theirs[0]); i++)
		if (sys == theirs[i])
			return err_set(err, ERR_USAGE, "%s %.120s: %s", what, path, strerror(sys));
	return err_sys(err, sys, "%s %.120s", what, path);
}

/* Every directory on the way; what exists is fine. */
static bool make_path(char *path, struct err *err)
{
	for (char *slash = path + 1; slash; slash++) {
		slash = strchr(slash, '/');
		if (slash)
			*slash = '\0';
		if (mkdir(path, 0777) < 0 && errno != EEXIST) {
			bad_place(err, errno, "could not make the directory", path);
			return err_hint(err, "Say where results may go: -o DIR.");
		}
		if (!slash)
			break;
		*slash = '/';
	}
	return true;
}

/* results/runs/20261122T101530Z-leak, or …-leak-2 if that one is taken. Wall time is a label,
 * nothing more. */
static char *path_of_now(struct text name, struct arena *arena, struct err *err)
{
	char runs[] = "results/runs", stamp[32];
	time_t now = time(NULL);
	struct tm utc;

	if (!make_path(runs, err))
		return NULL;
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
	for (unsigned n = 1; n < 10000; n++) {
		struct text path =
			text_format(arena, n == 1 ? "%s/%s-" TEXT_FMT : "%s/%s-" TEXT_FMT "-%u",
				    runs, stamp, TEXT_ARG(name), n);

		if (mkdir(path.s, 0777) == 0)
			return text_z(arena, path);
		if (errno != EEXIST)
			break;
	}
	bad_place(err, errno, "could not make a directory in", runs);
	err_hint(err, "Say where results may go: -o DIR.");
	return NULL;
}

static int open_lines(const struct store *s, const char *name, struct err *err)
{
	int fd = openat(s->directory, name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC,
			0666);

	if (fd < 0 && errno == EEXIST) {
		err_set(err, ERR_USAGE, "%.120s holds a %s already", s->path, name);
		err_hint(err, "Name another directory, or remove that one.");
	} else if (fd < 0) {
		bad_place(err, errno, "could not make files in", s->path);
		err_hint(err, "Say where results may go: -o DIR.");
	}
	return fd;
}

bool store_open(struct store *out, const char *wanted, struct text name, struct arena *arena,
		struct err *err)
{
	char *path = wanted ? text_z(arena, text_of(wanted)) : path_of_now(name, arena, err);

	*out = (struct store){path, -1, -1, -1};
	if (wanted && strcmp(wanted, "-") == 0) { /* elsewhere it is stdout */
		err_set(err, ERR_USAGE, "results go into a directory, and - is none");
		return err_hint(err, "--json prints the result; or write ./- for a directory of "
				     "that name.");
	}
	if (!path || (wanted && !make_path(path, err)))
		return false;
	out->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (out->directory < 0 && errno == ENOTDIR) {
		err_set(err, ERR_USAGE, "%.120s is no directory", path);
		return err_hint(err, "Say where results may go: -o DIR.");
	}
	if (out->directory < 0)
		return bad_place(err, errno, "could not open the directory", path);
	if (faccessat(out->directory, "result.json", F_OK, 0) == 0) {
		store_close(out);
		err_set(err, ERR_USAGE, "%.120s holds results already", path);
		return err_hint(err, "Name another directory, or remove that one.");
	}
	out->samples = open_lines(out, "samples.jsonl", err);
	if (out->samples >= 0)
		out->events = open_lines(out, "events.jsonl", err);
	if (out->events >= 0)
		return true;
	store_close(out);
	return false;
}

static bool write_whole(int fd, const struct result *r)
{
	char buffer[16384];
	struct out out = out_to(fd, buffer, sizeof(buffer));

	if (!result_write_json(&out, r))
		errno = ENOMEM;
	else if (!out_flush(&out))
		errno = out.sys;
	else
		return fsync(fd) == 0;
	return false;
}

bool store_result(const struct store *s, const struct result *r, struct err *err)
{
	static const char part[] = "result.json.part";
	int fd = openat(s->directory, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	bool ok;

	if (fd < 0)
		return err_sys(err, errno, "could not make %.120s/%s", s->path, part);
	ok = write_whole(fd, r);
	if (!ok)
		err_sys(err, errno, "could not write %.120s/result.json", s->path);
	close(fd);
	if (!ok) {
		unlinkat(s->directory, part, 0);
		return false;
	}
	if (renameat(s->directory, part, s->directory, "result.json") < 0 ||
	    fsync(s->directory) < 0)
		return err_sys(err, errno, "could not put %.120s/result.json in its place",
			       s->path);
	return true;
}

void store_close(struct store *s)
{
	int *const doors[] = {&s->directory, &s->samples, &s->events};

	for (size_t i = 0; i < sizeof(doors) / sizeof(doors[0]); i++) {
		if (*doors[i] >= 0)
			close(*doors[i]);
		*doors[i] = -1;
	}
}
