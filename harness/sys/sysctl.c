#include "sys/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_MOST = 256 };

/* The first separator of a name says how it is written: after a '.', the two stand for each
 * other. */
static bool path_of(struct text name, char path[PATH_MOST])
{
	static const char root[] = "/proc/sys/";
	bool dotted = false, found = false;
	size_t at = sizeof(root) - 1;

	if (name.len == 0 || name.len >= PATH_MOST - sizeof(root))
		return false;
	memcpy(path, root, at);
	for (size_t i = 0; i < name.len; i++) {
		char c = name.s[i];

		if (c == '\0')
			return false;
		if (!found && (c == '.' || c == '/')) {
			found = true;
			dotted = c == '.';
		}
		if (dotted && (c == '.' || c == '/'))
			c = c == '.' ? '/' : '.';
		path[at++] = c;
	}
	path[at] = '\0';
	return true;
}

/* No part of it is empty, "." or "..": it stays where it seems to be. */
static bool stays_inside(struct text path)
{
	struct text part;
	bool more;

	do {
		more = text_cut(&path, '/', &part);
		if (part.len == 0 || text_is(part, ".") || text_is(part, ".."))
			return false;
	} while (more);
	return true;
}

static int sysctl_open(struct text name, int flags)
{
	char path[PATH_MOST];
	struct text inside;
	int fd;

	if (!path_of(name, path))
		return -EINVAL;
	inside = text_skip(text_of(path), strlen("/proc/sys/"));
	if (!stays_inside(inside))
		return -EINVAL;
	if (!text_starts(inside, TEXT("net/")))
		return -EPERM;
	fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

int sysctl_write(struct text name, struct text value)
{
	int fd = sysctl_open(name, O_WRONLY);
	ssize_t n;
	int sys = 0;

	if (fd < 0)
		return -fd;
	n = write(fd, value.s, value.len);
	if (n < 0)
		sys = errno;
	else if ((size_t)n != value.len)
		sys = EINVAL; /* a part was taken: the rest is no number */
	close(fd);
	return sys;
}

int sysctl_read(struct text name, char *out, size_t room)
{
	int fd = sysctl_open(name, O_RDONLY);
	struct text value;
	ssize_t n;
	int sys = 0;

	out[0] = '\0';
	if (fd < 0)
		return -fd;
	n = read(fd, out, room);
	if (n < 0)
		sys = errno;
	else if ((size_t)n == room)
		sys = ENOBUFS;
	close(fd);
	value.s = out;
	value.len = sys ? 0 : (size_t)n;
	value = text_trim(value);
	memmove(out, value.s, value.len);
	out[value.len] = '\0';
	return sys;
}
