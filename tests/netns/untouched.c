#include "untouched.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/out.h"
#include "lab_help.h"

enum { ROOM = 1 << 20, FILE_ROOM = 64 << 10 };

struct machine {
	char text[ROOM];
	struct out out; /* lines "name=value", into text */
	ino_t namespace;
	unsigned descriptors;
};

static struct machine before, after, *filling; /* ftw() has no context */

/* What moves by itself. */
static bool is_restless(const char *path)
{
	return strstr(path, "nf_conntrack_count") || strstr(path, "/random/");
}

static void add_file(const char *path)
{
	static char value[FILE_ROOM];
	struct text rest = help_file(path, value, sizeof(value)), line;
	bool more = rest.len > 0;

	while (more) {
		more = text_cut(&rest, '\n', &line);
		out_fmt(&filling->out, "%s=", path);
		out_text(&filling->out, line);
		out_z(&filling->out, "\n");
	}
}

static int add_sysctl(const char *path, const struct stat *st, int type)
{
	(void)st;
	if (type == FTW_F && !is_restless(path))
		add_file(path);
	return 0;
}

/* The names of links alone: their counters move. */
static void add_links(void)
{
	static char buffer[FILE_ROOM];
	struct text rest = help_file("/proc/net/dev", buffer, sizeof(buffer)), line, name;

	while (text_cut(&rest, '\n', &line)) {
		if (!text_cut(&line, ':', &name))
			continue;
		out_z(&filling->out, "link=");
		out_text(&filling->out, text_trim(name));
		out_z(&filling->out, "\n");
	}
}

static void look(struct machine *m)
{
	m->out = out_memory(m->text, sizeof(m->text));
	m->namespace = help_namespace();
	m->descriptors = help_descriptors();
	filling = m;
	ftw("/proc/sys/net", add_sysctl, 16);
	add_file("/proc/net/route");
	add_links();
	CU_ASSERT_EQUAL(m->out.sys, 0);
}

void machine_remember(void)
{
	look(&before);
}

static void tell_difference(void)
{
	struct text a = out_written(&before.out), b = out_written(&after.out), x, y;
	bool more = true;

	while (more) {
		more = text_cut(&a, '\n', &x);
		more = text_cut(&b, '\n', &y) && more;
		if (text_eq(x, y))
			continue;
		printf("before: " TEXT_FMT "\nafter:  " TEXT_FMT "\n", TEXT_ARG(x), TEXT_ARG(y));
		return;
	}
}

void machine_compare(void)
{
	look(&after);
	CU_ASSERT_EQUAL(after.namespace, before.namespace);
	CU_ASSERT_EQUAL(after.descriptors, before.descriptors);
	CU_ASSERT(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD); /* no process left */
	if (text_eq(out_written(&before.out), out_written(&after.out)))
		return;
	tell_difference();
	CU_FAIL("the machine is not as before");
}
