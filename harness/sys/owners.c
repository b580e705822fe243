#include "sys/owners.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROCESSES_MOST = 4096, TABLE = 2 * OWNERS_MOST };

struct owned {
	uint32_t inode; /* 0: a free row */
	uint32_t process;
	int32_t fd;
};

bool owners_open(struct owners *o, struct arena *arena)
{
	*o = (struct owners){.processes = ARENA_TRY(arena, struct owner, PROCESSES_MOST),
			     .table = ARENA_TRY(arena, struct owned, TABLE),
			     .list = ARENA_TRY(arena, uint32_t, OWNERS_MOST)};
	return o->processes && o->table && o->list;
}

static struct owned *place_of(const struct owners *o, uint32_t inode)
{
	uint32_t at = inode * UINT32_C(0x9e3779b1) >> 15; /* Knuth, 6.4 */

	while (o->table[at].inode && o->table[at].inode != inode)
		at = (at + 1) % TABLE;
	return &o->table[at];
}

static void keep(struct owners *o, uint32_t inode, uint32_t process, int32_t fd)
{
	struct owned *row = place_of(o, inode);

	if (row->inode)
		return;
	if (o->taken == OWNERS_MOST) {
		o->partial = true;
		return;
	}
	o->list[o->taken++] = (uint32_t)(row - o->table);
	*row = (struct owned){inode, process, fd};
}

/* The inode of "socket:[1234]"; 0: it is something else. */
static uint32_t inode_of(int directory, const char *name)
{
	static const char lead[] = "socket:[";
	char target[64];
	ssize_t n = readlinkat(directory, name, target, sizeof(target) - 1);

	if (n < (ssize_t)sizeof(lead))
		return 0;
	target[n] = '\0';
	return strncmp(target, lead, sizeof(lead) - 1) == 0
		       ? (uint32_t)strtoul(target + sizeof(lead) - 1, NULL, 10)
		       : 0;
}

static void name_process(struct owner *p)
{
	char path[32];
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/comm", p->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, p->command, sizeof(p->command) - 1);
	close(fd);
	while (n > 0 && p->command[n - 1] == '\n')
		n--;
	p->command[n > 0 ? n : 0] = '\0';
}

/* A process without sockets is none that anybody asks for. */
static void look_into(struct owners *o, int32_t pid)
{
	struct owner *p = &o->processes[o->count];
	bool has_any = false;
	struct dirent *entry;
	char path[32];
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	fds = opendir(path);
	if (!fds)
		return;
	while ((entry = readdir(fds)) && o->looks < OWNERS_LOOKS) {
		uint32_t inode = entry->d_name[0] == '.' ? 0 : inode_of(dirfd(fds), entry->d_name);

		o->looks++;
		if (inode)
			keep(o, inode, o->count, (int32_t)strtol(entry->d_name, NULL, 10));
		has_any |= inode;
	}
	closedir(fds);
	if (!has_any)
		return;
	*p = (struct owner){.pid = pid};
	name_process(p);
	o->count++;
}

void owners_clear(struct owners *o)
{
	for (uint32_t i = 0; i < o->taken; i++)
		o->table[o->list[i]].inode = 0;
	o->count = o->looks = o->taken = 0;
	o->partial = false;
}

static bool has_room(struct owners *o)
{
	o->partial |= o->count == PROCESSES_MOST || o->looks >= OWNERS_LOOKS;
	return !o->partial;
}

void owners_scan(struct owners *o)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int32_t own = getpid();

	owners_clear(o);
	o->partial = !proc;
	while (proc && (entry = readdir(proc))) {
		long pid = strtol(entry->d_name, NULL, 10);

		if (pid <= 0 || pid == own)
			continue;
		if (!has_room(o))
			break;
		look_into(o, (int32_t)pid);
	}
	if (proc)
		closedir(proc);
}

void owners_note(struct owners *o, int32_t pid, uint32_t inode, int32_t fd)
{
	uint32_t at = 0;

	while (at < o->count && o->processes[at].pid != pid)
		at++;
	if (at == o->count) {
		if (!has_room(o))
			return;
		o->processes[o->count++] = (struct owner){.pid = pid};
		name_process(&o->processes[at]);
	}
	keep(o, inode, at, fd);
}

const struct owner *owners_find(const struct owners *o, uint32_t inode, int32_t *fd)
{
	const struct owned *row = inode ? place_of(o, inode) : NULL;

	if (!row || !row->inode)
		return NULL;
	*fd = row->fd;
	return &o->processes[row->process];
}
