#include "sys/kin.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/clock.h"

/* PLACES: twice as many, a power of two. */
enum { PROCESSES_MOST = 1 << 15, PLACES = 1 << 16, STAT_ROOM = 1024 };

/* Who has ended may have connections that go on by themselves, for the minute of FIN_WAIT2
 * (net.ipv4.tcp_fin_timeout), and those are in TIME_WAIT for another. */
#define REMEMBERED_NS (120 * INT64_C(1000000000))

bool kin_open(struct kin *k, int32_t pid, struct arena *arena)
{
	*k = (struct kin){.all = ARENA_TRY(arena, struct kinsman, PROCESSES_MOST),
			  .known = ARENA_TRY(arena, struct kinsman, PROCESSES_MOST),
			  .all_places = ARENA_TRY(arena, uint32_t, PLACES),
			  .known_places = ARENA_TRY(arena, uint32_t, PLACES),
			  .pid = pid};
	return k->all && k->known && k->all_places && k->known_places;
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

/* ---- by pid -------------------------------------------------------------- */

/* Multiplicative hashing (Knuth, 6.4). */
static uint32_t place_of(int32_t pid)
{
	return (uint32_t)pid * UINT32_C(0x9e3779b1) >> 16;
}

/* places[]: an index of the list and 1; 0: free. Some have a pid that another had. */
static void places_fill(uint32_t *places, const struct kinsman *list, uint32_t count)
{
	memset(places, 0, sizeof(*places) * PLACES);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = place_of(list[i].pid);

		while (places[at])
			at = (at + 1) % PLACES;
		places[at] = i + 1;
	}
}

/* The process that has the pid, or had; began: that very one, 0: any. NULL: there is none. */
static struct kinsman *find(const uint32_t *places, struct kinsman *list, int32_t pid,
			    uint64_t began)
{
	for (uint32_t at = place_of(pid); places[at]; at = (at + 1) % PLACES) {
		struct kinsman *one = &list[places[at] - 1];

		if (one->pid == pid && (began == 0 || one->began == began))
			return one;
	}
	return NULL;
}

/* ---- a look -------------------------------------------------------------- */

/* A process is one, if its parent is, or its parent's parent: up to one of whom it is known. */
static bool descends(struct kin *k, struct kinsman *one)
{
	struct kinsman *at = one, *parent;
	bool is_one;

	for (uint32_t i = 0; !at->is_told && i < k->count; i++) {
		parent = find(k->all_places, k->all, at->parent, 0);
		if (!parent)
			break;
		at = parent;
	}
	is_one = at->is_one;
	for (at = one; at && !at->is_told; at = find(k->all_places, k->all, at->parent, 0)) {
		at->is_told = true;
		at->is_one = is_one;
	}
	return is_one;
}

/* Those that have ended, too: what they had in TIME_WAIT is theirs still. After that they are forgotten. */
static void forget(struct kin *k, int64_t now_ns)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < k->known_count; i++)
		if (now_ns - k->known[i].seen_ns <= REMEMBERED_NS)
			k->known[kept++] = k->known[i];
	k->known_count = kept;
	places_fill(k->known_places, k->known, kept);
}

static struct kinsman seen_at(const struct kinsman *one, int64_t now_ns)
{
	struct kinsman seen = *one;

	seen.seen_ns = now_ns;
	return seen;
}

static void learn(struct kin *k, int64_t now_ns)
{
	uint32_t known = k->known_count;

	for (uint32_t i = 0; i < k->count; i++) {
		struct kinsman *one = &k->all[i], *there = one->is_one
								   ? find(k->known_places, k->known,
									  one->pid, one->began)
								   : NULL;

		if (there)
			there->seen_ns = now_ns;
		else if (one->is_one && known < PROCESSES_MOST)
			k->known[known++] = seen_at(one, now_ns);
		else
			k->partial |= one->is_one;
	}
	k->known_count = known;
	forget(k, now_ns);
}

/* The first look takes whoever has the pid; later ones, that very process. */
void kin_look(struct kin *k)
{
	bool first = k->known_count == 0 && !k->ended, there = false;

	k->partial = false;
	read_all(k);
	places_fill(k->all_places, k->all, k->count);
	for (uint32_t i = 0; i < k->count; i++) {
		struct kinsman *one = &k->all[i];

		one->is_one = (first && one->pid == k->pid) ||
			      find(k->known_places, k->known, one->pid, one->began);
		one->is_told = one->is_one;
		there |= one->is_one && one->pid == k->pid;
	}
	k->ended |= !there;
	for (uint32_t i = 0; i < k->count; i++)
		descends(k, &k->all[i]);
	learn(k, clock_now());
}

bool kin_has(const struct kin *k, int32_t pid)
{
	const struct kinsman *one = find(k->all_places, k->all, pid, 0);

	return one ? one->is_one : find(k->known_places, k->known, pid, 0) != NULL;
}
