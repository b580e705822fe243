#include "sys/counters.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { PROC_ROOM = 32 * 1024 };

/* Through the thread: /proc/net is the first thread's, which may be in another namespace. */
static int open_net(const char *name, struct err *err)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/thread-self/net/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err_sys(err, errno, "could not open %s", path);
	return fd;
}

bool proc_open(struct proc_door *out, struct err *err)
{
	*out = (struct proc_door){-1, -1, -1, -1};
	out->sockstat6 = open_net("sockstat6", NULL);
	out->sockstat = open_net("sockstat", err);
	out->snmp = open_net("snmp", err);
	out->netstat = open_net("netstat", err);
	if (out->sockstat >= 0 && out->snmp >= 0 && out->netstat >= 0)
		return true;
	proc_close(out);
	return false;
}

bool proc_open_snmp(struct proc_door *out, struct err *err)
{
	*out = (struct proc_door){-1, -1, -1, -1};
	out->snmp = open_net("snmp", err);
	return out->snmp >= 0;
}

void proc_close(struct proc_door *p)
{
	int *const doors[] = {&p->sockstat, &p->snmp, &p->netstat, &p->sockstat6};

	for (size_t i = 0; i < sizeof(doors) / sizeof(doors[0]); i++) {
		if (*doors[i] >= 0)
			close(*doors[i]);
		*doors[i] = -1;
	}
}

/* pread on a kept descriptor is 2 us, opening anew 10 (Linux 6.18): the file is made afresh at
 * offset 0. */
static bool read_all(int fd, char *buffer, size_t room, struct text *out, struct err *err)
{
	size_t len = 0;
	ssize_t n;

	while (len < room && (n = pread(fd, buffer + len, room - len, (off_t)len)) != 0) {
		if (n < 0)
			return err_sys(err, errno, "could not read the kernel's counters");
		len += (size_t)n;
	}
	*out = (struct text){buffer, len};
	return true;
}

static uint64_t number_after(struct text line, const char *word)
{
	struct text part;
	bool found = false, more;

	do {
		more = text_cut(&line, ' ', &part);
		if (found) {
			uint64_t n = 0;

			for (size_t i = 0; i < part.len && part.s[i] >= '0' && part.s[i] <= '9';
			     i++)
				n = n * 10 + (uint64_t)(part.s[i] - '0');
			return n;
		}
		found = text_is(part, word);
	} while (more);
	return 0;
}

/* The figure behind a word, of the line of a sockstat file that begins so; 0 if there is none. */
static uint64_t figure_of(struct text file, struct text begin, const char *word)
{
	struct text line;

	while (text_cut(&file, '\n', &line))
		if (text_starts(line, begin))
			return number_after(line, word);
	return 0;
}

bool proc_totals(const struct proc_door *p, struct totals *out, struct err *err)
{
	char buffer[1024];
	struct text file;

	*out = (struct totals){0};
	if (!read_all(p->sockstat, buffer, sizeof(buffer), &file, err))
		return false;
	out->inuse = figure_of(file, TEXT("TCP: "), "inuse");
	out->tw = figure_of(file, TEXT("TCP: "), "tw");
	out->udp = figure_of(file, TEXT("UDP: "), "inuse");
	if (p->sockstat6 < 0)
		return true;
	if (!read_all(p->sockstat6, buffer, sizeof(buffer), &file, err))
		return false;
	out->inuse += figure_of(file, TEXT("TCP6: "), "inuse");
	out->udp += figure_of(file, TEXT("UDP6: "), "inuse");
	return true;
}

bool counters_parse(struct text file, struct text line,
		    void (*each)(void *, struct text name, uint64_t value), void *context)
{
	struct text names = {0}, values = {0}, row, name, value;
	bool more_names, more_values;

	while (text_cut(&file, '\n', &row)) {
		if (!text_starts(row, line))
			continue;
		if (names.len) {
			values = text_skip(row, line.len);
			break;
		}
		names = text_skip(row, line.len);
	}
	if (names.len == 0 || values.len == 0)
		return false;
	do {
		uint64_t n = 0;

		more_names = text_cut(&names, ' ', &name);
		more_values = text_cut(&values, ' ', &value);
		for (size_t i = 0; i < value.len && value.s[i] >= '0' && value.s[i] <= '9'; i++)
			n = n * 10 + (uint64_t)(value.s[i] - '0');
		each(context, name, n);
	} while (more_names && more_values);
	return more_names == more_values;
}

/* Who is told, under the name with its protocol. */
struct named {
	void (*each)(void *, struct text name, uint64_t value);
	void *context;
};

static void tell_udp(void *context, struct text name, uint64_t value)
{
	const struct named *named = context;
	char full[64];

	snprintf(full, sizeof(full), "Udp" TEXT_FMT, TEXT_ARG(name));
	named->each(named->context, text_of(full), value);
}

bool counters_parse_udp(struct text file, void (*each)(void *, struct text name, uint64_t value),
			void *context)
{
	struct named named = {each, context};

	return counters_parse(file, TEXT("Udp: "), tell_udp, &named);
}

bool proc_counters(const struct proc_door *p,
		   void (*each)(void *, struct text name, uint64_t value), void *context,
		   struct err *err)
{
	char buffer[PROC_ROOM];
	struct text file;

	if (!read_all(p->snmp, buffer, sizeof(buffer), &file, err))
		return false;
	if (!counters_parse(file, TEXT("Tcp: "), each, context) ||
	    !counters_parse_udp(file, each, context))
		return err_set(err, ERR_SYS, "the kernel's snmp counters do not match their names");
	if (p->netstat < 0)
		return true;
	if (!read_all(p->netstat, buffer, sizeof(buffer), &file, err))
		return false;
	if (!counters_parse(file, TEXT("TcpExt: "), each, context))
		return err_set(err, ERR_SYS,
			       "the kernel's netstat counters do not match their names");
	return true;
}
