#include "sys/kin.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROCESSES_MOST = 1 << 15, STAT_ROOM = 1024 };

bool kin_open(struct kin *k, int32_t pid, struct arena *arena)
{
	*k = (struct kin){.all = ARENA_TRY(arena, struct kinsman, PROCESSES_MOST),
			  .known = ARENA_TRY(arena, struct kinsman, PROCESSES_MOST),
			  .pid = pid};
	return k->all && k->known;
}

/* A name has whatever it likes in it, ") R 1" too: it ends with the last bracket. */
bool kin_parse(const char *line, struct kinsman *out)
{
	const char *rest = strrchr(line, ')');
	char *end;
	long pid = strtol(line, &end, 10);

	*out = (struct kinsman){.pid = (int32_t)pid};
	return rest && end != line && *end == ' ' && pid > 0 && pid <= INT32_MAX &&
	       sscanf(rest,
		      ") %*c %" SCNd32 " %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
		      "%*d %*d %*d %" SCNu64,
		      &out->parent, &out->began) == 2;
}

static bool read_one(const char *pid, struct kinsman *out)
{
	char path[64], line[STAT_ROOM];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (n <= 0)
		return false;
	line[n] = '\0';
	return kin_parse(line, out);
}

static void read_all(struct kin *k)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	k->count = 0;
	k->partial |= !proc;
	while (proc && (entry = readdir(proc))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		if (k->count == PROCESSES_MOST) {
			k->partial = true;
			break;
		}
		k->count += read_one(entry->d_name, &k->all[k->count]);
	}
	if (proc)
		closedir(proc);
}

static bool is_known(const struct kin *k, const struct kinsman *one)
{
	for (uint32_t i = 0; i < k->known_count; i++)
		if (k->known[i].pid == one->pid && k->known[i].began == one->began)
			return true;
	return false;
}

static bool parent_is_one(const struct kin *k, const struct kinsman *one)
{
	for (uint32_t i = 0; i < k->count; i++)
		if (k->all[i].pid == one->parent)
			return k->all[i].is_one;
	return false;
}

static bool is_there(const struct kin *k, const struct kinsman *one)
{
	for (uint32_t i = 0; i < k->count; i++)
		if (k->all[i].pid == one->pid && k->all[i].began == one->began)
			return true;
	return false;
}

/* A free one, or that of who has ended, and was learnt of first; NULL: there is neither. */
static struct kinsman *next_place(struct kin *k)
{
	for (uint32_t i = 0; i < PROCESSES_MOST; i++) {
		struct kinsman *place = &k->known[k->learnt++ % PROCESSES_MOST];

		if (!is_there(k, place))
			return place;
	}
	return NULL;
}

/* Those that have ended, too: what they had in TIME_WAIT is theirs still. */
static void learn(struct kin *k)
{
	for (uint32_t i = 0; i < k->count; i++) {
		struct kinsman *place;

		if (!k->all[i].is_one || is_known(k, &k->all[i]))
			continue;
		place = next_place(k);
		if (!place)
			continue;
		*place = k->all[i];
		k->known_count += k->known_count < PROCESSES_MOST;
	}
}

/* The first look takes whoever has the pid; later ones, that very process. */
void kin_look(struct kin *k)
{
	bool first = k->known_count == 0 && !k->ended, more = true;
	bool there = false;

	read_all(k);
	for (uint32_t i = 0; i < k->count; i++) {
		struct kinsman *one = &k->all[i];

		one->is_one = (first && one->pid == k->pid) || is_known(k, one);
		there |= one->is_one && one->pid == k->pid;
	}
	k->ended |= !there;
	while (more) {
		more = false;
		for (uint32_t i = 0; i < k->count; i++)
			if (!k->all[i].is_one && parent_is_one(k, &k->all[i]))
				more = k->all[i].is_one = true;
	}
	learn(k);
}

bool kin_has(const struct kin *k, int32_t pid)
{
	for (uint32_t i = 0; i < k->count; i++)
		if (k->all[i].pid == pid)
			return k->all[i].is_one;
	for (uint32_t i = 0; i < k->known_count; i++)
		if (k->known[i].pid == pid)
			return true;
	return false;
}
