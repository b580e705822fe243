#include "cmd/library.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_MOST = 1024 };

static bool ends_in(const char *word, const char *end)
{
	size_t len = strlen(word), tail = strlen(end);

	return len >= tail && strcmp(word + len - tail, end) == 0;
}

static bool go_up(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash)
		*slash = '\0';
	return slash;
}

/* Where `make` and `make install` leave the library, seen from this executable: wherever both
 * were moved to. */
static const struct place {
	const char *below; /* the executable's directory ends so; */
	unsigned up;	   /* so many levels above that directory … */
	const char *path;  /* … the library is here */
} places[] = {
	{"/build/[!/]*", 2, "scenarios"},
	{"/bin", 1, "share/lastport/scenarios"},
};

static const char *beside(const struct place *p, const char *directory, struct arena *a)
{
	char path[PATH_MAX + 2] = "*";

	snprintf(path + 1, sizeof(path) - 1, "%s", p->below);
	if (fnmatch(path, directory, 0))
		return NULL;
	snprintf(path, sizeof(path), "%s", directory);
	for (unsigned i = 0; i < p->up; i++)
		if (!go_up(path))
			return NULL;
	return text_format(a, "%s/%s", path, p->path).s;
}

static bool is_directory(const char *path)
{
	struct stat st;

	return path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* One, and not all of them after each other: what an old installation has must not stand in for
 * what a checkout lacks. */
static const char *directory(struct arena *a)
{
	const char *own = getenv("LASTPORT_SCENARIOS");
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (own && own[0])
		return own;
	path[len > 0 ? len : 0] = '\0';
	if (!go_up(path))
		return LIBRARY;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const char *near = beside(&places[i], path, a);

		if (is_directory(near))
			return near;
	}
	return LIBRARY;
}

static bool is_name(const char *word)
{
	return !strchr(word, '/') && !ends_in(word, ".yaml") && !ends_in(word, ".yml");
}

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct text *)a)->s, ((const struct text *)b)->s);
}

struct library_list library_names(struct arena *a)
{
	struct library_list list = {.directory = directory(a)};
	DIR *dir = opendir(list.directory);
	struct dirent *entry;

	if (!dir)
		return list;
	list.names = ARENA_ARRAY(a, struct text, NAMES_MOST);
	while (list.count < NAMES_MOST && (entry = readdir(dir))) {
		char *name = text_z(a, text_of(entry->d_name));

		if (name[0] == '.' || !ends_in(name, ".yaml"))
			continue;
		name[strlen(name) - strlen(".yaml")] = '\0';
		list.names[list.count++] = text_of(name);
	}
	closedir(dir);
	qsort(list.names, list.count, sizeof(list.names[0]), by_text);
	return list;
}

/* What is missing between a directory and what is in it. */
static const char *slash_of(const char *directory)
{
	return ends_in(directory, "/") ? "" : "/";
}

/* Whole words of a name, at its front or its end: `starvation` of bind-starvation. */
static bool is_part(struct text word, struct text name)
{
	const char *end = name.s + name.len;

	if (word.len == 0 || word.len >= name.len)
		return false;
	return (text_starts(name, word) && name.s[word.len] == '-') ||
	       (end[-1 - (ptrdiff_t)word.len] == '-' &&
		text_eq(word, (struct text){end - word.len, word.len}));
}

/* The only name that the word is a part of, or the one that is spelled nearly so; else empty. As with
 * options a part will not do for the whole: a name of a later version could end in it as well. */
static struct text nearest(struct text word, struct arena *a)
{
	struct library_list list = library_names(a);
	struct text near = {0}, whole = {0};
	unsigned best = text_slip(word) + 1, parts = 0;

	for (size_t i = 0; i < list.count; i++) {
		unsigned d = text_distance(word, list.names[i], best);

		if (is_part(word, list.names[i]) && parts++ == 0)
			whole = list.names[i];
		if (d < best) {
			best = d;
			near = list.names[i];
		}
	}
	return parts == 1 ? whole : near;
}

static bool not_found(const char *name, struct arena *a, struct err *err)
{
	struct text near = nearest(text_of(name), a);

	err_set(err, ERR_USAGE, "there is no scenario \"%s\" in the library", name);
	if (is_directory(name))
		return err_hint(err, "For the scenarios in the directory, write %s%s*.yaml.", name,
				slash_of(name));
	if (access(name, F_OK) == 0)
		return err_hint(err,
				"The name of a scenario's file ends in .yaml; to use this one "
				"anyway, write ./%s.",
				name);
	if (access(text_format(a, "%s.yaml", name).s, F_OK) == 0)
		return err_hint(err, "For the file, write %s.yaml.", name);
	if (near.len)
		return err_hint(err, "Did you mean " TEXT_FMT "?", TEXT_ARG(near));
	return err_hint(err, "`lastport list` shows what there is; a file's name ends in .yaml or "
			     "has a slash in it.");
}

static const char *path_of(struct text name, struct arena *a)
{
	return text_format(a, "%s/" TEXT_FMT ".yaml", directory(a), TEXT_ARG(name)).s;
}

/* The path of a word; NULL and an err if it is a name that the library does not have. */
static const char *find(const char *word, struct arena *a, struct err *err)
{
	const char *path = word;

	if (is_name(word))
		path = path_of(text_of(word), a);
	if (path == word || access(path, F_OK) == 0)
		return path;
	not_found(word, a, err);
	return NULL;
}

static bool read_all(int fd, const char *path, struct text *out, struct arena *a, struct err *err)
{
	char *buffer = arena_take(a, SCENARIO_SIZE_MOST + 1, 1);
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, buffer + len, SCENARIO_SIZE_MOST + 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "could not read %s", path);
		len += (size_t)n;
	} while (n != 0 && len <= SCENARIO_SIZE_MOST);
	arena_give_back(a, buffer, len);
	*out = (struct text){buffer, len};
	return true;
}

/* A pipe is waited for, as `cat` would: for its writer, where it has a name, and for what that writes. */
static bool read_pipe(int fd, const char *path, struct text *out, struct arena *a, struct err *err)
{
	struct pollfd any = {.fd = fd, .events = POLLIN};

	while (poll(&any, 1, -1) < 0)
		if (errno != EINTR)
			return err_sys(err, errno, "could not wait for %s", path);
	if (fcntl(fd, F_SETFL, O_RDONLY) < 0)
		return err_sys(err, errno, "could not read %s", path);
	return read_all(fd, path, out, a, err);
}

/* A device could keep us waiting, or never end: so only a file or a pipe will do. */
static bool read_open(int fd, const char *path, struct text *out, struct arena *a, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "could not read %s", path);
	if (S_ISREG(st.st_mode))
		return read_all(fd, path, out, a, err);
	if (S_ISFIFO(st.st_mode))
		return read_pipe(fd, path, out, a, err);
	err_set(err, ERR_USAGE,
		S_ISDIR(st.st_mode) ? "%s is a directory" : "%s is neither a file nor a pipe",
		path);
	if (S_ISDIR(st.st_mode))
		return err_hint(err, "For the scenarios in it, write %s%s*.yaml.", path,
				slash_of(path));
	return err_hint(err, "Name a scenario file, or - to read one from stdin.");
}

/* leak/second-destination, as summaries have it: a case of the library's. */
static bool hint_missing(const char *path, struct arena *a, struct err *err)
{
	const char *slash = strrchr(path, '/');
	struct text name = {path, slash ? (size_t)(slash - path) : 0};
	const char *file = text_format(a, "%s/" TEXT_FMT ".yaml", directory(a), TEXT_ARG(name)).s;

	if (name.len && !memchr(path, '/', name.len) && access(file, F_OK) == 0)
		return err_hint(err, "For the case of that scenario, write " TEXT_FMT " --case=%s.",
				TEXT_ARG(name), slash + 1);
	return err_hint(err, "`lastport list` names the scenarios of the library.");
}

static bool slurp(const char *path, struct text *out, struct arena *a, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int sys = errno;
	bool ok;

	if (fd < 0) {
		err_set(err, ERR_USAGE, "could not read %s: %s", path, strerror(sys));
		return sys == ENOENT || sys == ENOTDIR ? hint_missing(path, a, err)
						       : err_hint(err, "Check its permissions.");
	}
	ok = read_open(fd, path, out, a, err);
	close(fd);
	return ok;
}

static bool load(const char *word, const char **file, struct text *text, struct arena *a,
		 struct err *err)
{
	if (strcmp(word, "-") == 0) {
		*file = "stdin";
		return read_all(STDIN_FILENO, *file, text, a, err);
	}
	*file = find(word, a, err);
	return *file && slurp(*file, text, a, err);
}

bool library_load(struct scenario_file *out, const char *word, struct arena *a, struct errs *errs)
{
	struct err err = {0};
	struct text text = {0};
	const char *file;

	if (load(word, &file, &text, a, &err))
		return scenario_read(out, file, text, a, errs);
	errs_add(errs, &err);
	return false;
}

/* "base, second-destination", as far as they fit a line. */
static struct text cases_of(const struct scenario_file *file, char *room, size_t size)
{
	struct out list = out_memory(room, size);

	for (size_t i = 0; i < file->count; i++) {
		struct text name = file->cases[i].case_name;

		if (list.len + name.len + strlen(", …") + 2 > size) {
			out_z(&list, ", …");
			break;
		}
		out_z(&list, i ? ", " : "");
		out_text(&list, name);
	}
	return out_written(&list);
}

const struct scenario *library_case(const struct scenario_file *file, const char *name,
				    struct err *err)
{
	struct text word = text_of(name), near = {0};
	unsigned best = text_slip(word) + 1;
	char room[160];

	for (size_t i = 0; i < file->count; i++) {
		unsigned d = text_distance(word, file->cases[i].case_name, best);

		if (text_eq(file->cases[i].case_name, word))
			return &file->cases[i];
		if (d < best) {
			best = d;
			near = file->cases[i].case_name;
		}
	}
	err_set(err, ERR_USAGE, "%s has no case \"%s\"", file->file, name);
	if (near.len)
		err_hint(err, "Did you mean " TEXT_FMT "?", TEXT_ARG(near));
	else
		err_hint(err, "Its cases are " TEXT_FMT ".",
			 TEXT_ARG(cases_of(file, room, sizeof(room))));
	return NULL;
}
