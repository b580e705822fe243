#include "cmd/command.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/options.h"
#include "report/svg.h"

enum { LINES_MOST = 16 << 20 }; /* of a .jsonl file, as many bytes from its end are read */

struct report_options {
	bool json, svg, quiet;
	unsigned verbose;
	int color;
};

static const struct opt opts[] = {
	OPT(struct report_options, json, 0, "json",
	    .help = "print the document instead of the summary"),
	OPT(struct report_options, svg, 0, "svg",
	    .help = "print a picture: how long connects took, by how full the range was"),
	OPTS_SUMMARY(struct report_options),
	OPTS_END,
};

static bool read_all(int fd, const char *path, size_t size, struct text *out, struct arena *a,
		     struct err *err)
{
	char *buffer = arena_take(a, size, 1);
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, buffer + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "could not read %s", path);
		len += (size_t)n;
	} while (n != 0 && len < size);
	*out = (struct text){buffer, len};
	return true;
}

/* Never waits: a file may be a FIFO or a terminal. */
static int open_any(const char *path, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd >= 0 && fstat(fd, st) < 0)
		st->st_mode = 0;
	return fd;
}

static const char *path_in(const char *directory, const char *name, struct arena *a)
{
	const char *slash = directory[strlen(directory) - 1] == '/' ? "" : "/";

	return text_format(a, "%s%s%s", directory, slash, name).s;
}

/* A directory of results stands for the result.json in it; *directory is NULL if it is none. */
static int open_result(const char **path, const char **directory, struct stat *st, struct arena *a)
{
	int fd = open_any(*path, st);

	*directory = NULL;
	if (fd < 0 || !S_ISDIR(st->st_mode))
		return fd;
	close(fd);
	*directory = *path;
	*path = path_in(*directory, "result.json", a);
	return open_any(*path, st);
}

static bool slurp(const char **path, const char **directory, struct text *out, struct arena *a,
		  struct err *err)
{
	struct stat st = {0};
	int fd = open_result(path, directory, &st, a), sys = errno;
	bool ok = false;

	if (fd < 0) {
		err_set(err, ERR_USAGE, "could not read %s: %s", *path, strerror(sys));
		return err_hint(
			err, "Name a directory that `lastport run` has written, or a result.json.");
	}
	if (!S_ISREG(st.st_mode))
		err_set(err, ERR_USAGE, "%s is no regular file", *path);
	else if (st.st_size > RESULT_SIZE_MOST)
		err_set(err, ERR_USAGE, "%s is too large for a result", *path);
	else
		ok = read_all(fd, *path, (size_t)st.st_size, out, a, err);
	close(fd);
	return ok;
}

/* The end of a file of lines, from a whole line on. What cannot be read is empty: it was never
 * written, or is none of lastport's. */
static struct text read_lines(const char *directory, const char *name, struct arena *a)
{
	const char *path = path_in(directory, name, a);
	struct stat st = {0};
	struct text lines = {0}, first;
	struct err err = {0};
	int fd = open_any(path, &st);
	off_t skipped = st.st_size > LINES_MOST ? st.st_size - LINES_MOST : 0;

	if (fd < 0)
		return lines;
	if (!S_ISREG(st.st_mode) || lseek(fd, skipped, SEEK_SET) < 0 ||
	    !read_all(fd, path, (size_t)(st.st_size - skipped), &lines, a, &err) ||
	    (skipped && !text_cut(&lines, '\n', &first)))
		lines.len = 0;
	close(fd);
	return lines;
}

static int draw(struct command_call *call, const struct result *result, const char *path,
		struct err *err)
{
	if (result_write_svg(call->out, result, *call->arena))
		return STATUS_OK;
	err_set(err, ERR_USAGE, "%s has nothing to draw: no connect was timed", path);
	err_hint(err, "Add sample: {latency: 20ms}: one is then timed every 20 ms.");
	return STATUS_USAGE;
}

/* What stands beside a result is none. */
static void hint_lines(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	if (strcmp(name, "samples.jsonl") == 0 || strcmp(name, "events.jsonl") == 0)
		err_hint(err, "Name the directory that it is in, or the result.json there.");
}

static int report_run(struct command_call *call, struct err *err)
{
	const struct report_options *o = call->options;
	const char *path = call->arguments[0], *directory;
	struct result result;
	struct text source = {0};

	if (!slurp(&path, &directory, &source, call->arena, err))
		return STATUS_USAGE;
	if (!result_load(&result, path, source, call->arena, err)) {
		hint_lines(path, err);
		return STATUS_USAGE;
	}
	if (o->svg)
		return draw(call, &result, path, err);
	if (o->json && !result_write_json(call->out, &result)) {
		err_sys(err, ENOMEM, "could not write the result");
		return STATUS_TROUBLE;
	}
	if (o->json)
		return STATUS_OK;
	if (directory && !result.complete)
		result_recall(&result, read_lines(directory, "samples.jsonl", call->arena),
			      read_lines(directory, "events.jsonl", call->arena), call->arena);
	call->out->colour = use_colour(o->color);
	result_write_summary(call->out, &result,
			     (struct report_style){.quiet = o->quiet, .verbose = o->verbose > 0},
			     *call->arena);
	return STATUS_OK;
}

const struct command command_report = {
	.name = "report",
	.arguments = "RUN",
	.summary = "print the summary of an earlier run again, from its results",
	.details = "Nothing is run or judged anew: what is printed is what was found then. The "
		   "exit status\n"
		   "is 0 whatever the verdict, and 2 if the file is no result.\n",
	.least = 1,
	.most = 1,
	.opts = opts,
	.options_bytes = sizeof(struct report_options),
	.run = report_run,
};
