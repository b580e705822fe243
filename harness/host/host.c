#include "host/host.h"

#include <errno.h>

const struct fact host_facts[] = {
#define FACT(field, name, kind, meaning) {name, FACT_##kind, offsetof(struct host, field), meaning},
#include "words/facts.def"
};
const size_t host_facts_count = sizeof(host_facts) / sizeof(host_facts[0]);

bool host_has_counter(const struct host *host, struct text name)
{
	struct text rest = text_of(host->counters), word;
	bool more;

	if (rest.len == 0)
		return true;
	do {
		more = text_cut(&rest, ' ', &word);
		if (text_eq(word, name))
			return true;
	} while (more);
	return false;
}

/* What io_uring says when it is not available, and what to do. */
static const struct blocked {
	int sys;
	const char *cause, *mend;
} blocks[] = {
	{EPERM, "forbidden here",
	 "In a container, its seccomp profile blocks it (Docker from 25 on): run with "
	 "--security-opt seccomp=unconfined. "
	 "Else set kernel.io_uring_disabled=0."},
	{EACCES, "forbidden here", "A security module forbids it to this user: try as root."},
	{ENOSYS, "not in this kernel",
	 "It needs Linux 6.0 or later. Podman's seccomp profile hides it too: run with "
	 "--security-opt seccomp=unconfined."},
	{ENOMEM, "short of locked memory",
	 "Raise RLIMIT_MEMLOCK: `ulimit -l unlimited`, or LimitMEMLOCK= of systemd."},
	{EMFILE, "short of descriptors",
	 "Raise the hard limit of open files: `ulimit -Hn`, or fewer runs at once."},
	{0, "not available", "`lastport doctor` says what else this machine lacks."},
};

static const struct blocked *block_find(int error)
{
	const struct blocked *b = blocks;

	while (b->sys && b->sys != error)
		b++;
	return b;
}

const char *host_io_uring_cause(int error)
{
	return block_find(error)->cause;
}

const char *host_io_uring_mend(int error)
{
	return block_find(error)->mend;
}
