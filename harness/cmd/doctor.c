#include "cmd/doctor.h"

#include <inttypes.h>

#include "base/unit.h"
#include "cmd/command.h"
#include "host/host.h"
#include "sys/facts.h"
#include "sys/rights.h"

enum { NAME_COL = 28 };

/* What can be lacking. Without those that are not needed lastport runs too, and `words` is what
 * becomes of it. */
static const struct lack {
	const char *name;
	bool needed;
	const char *words;
	const char *(*mend)(int sys); /* in place of words */
} lacks[] = {
	{"netns", true, NULL, rights_mend},
	{"userns", false, "Then only root can run lastport.", NULL},
	{"private_hash", false,
	 "Then timings suffer from other namespaces: one table has everybody's sockets.", NULL},
	{"io_uring", true, NULL, host_io_uring_mend},
	{"io_uring.socket", false, "Then sockets are made by system calls, which is slower.", NULL},
	{"io_uring.setsockopt", false,
	 "Then sockets with options are made by system calls, which is slower.", NULL},
	{"io_uring.bind", false,
	 "Then sockets with an address are made by system calls, which is slower.", NULL},
	{"ip_local_port_range.socket", false, "Then `order: fast` is as slow as `order: kernel`.",
	 NULL},
	{"mptcp", false, "Then `load.options.mptcp` cannot run.", NULL},
	{"sock_diag", false,
	 "Then sockets are counted from /proc/net/tcp, and `network.time_wait` cannot run: load "
	 "inet_diag and tcp_diag.",
	 NULL},
	{"nat", false,
	 "Then `topology: nat` cannot run: load nf_tables, nft_chain_nat, nf_conntrack_netlink.",
	 NULL},
	{"nft", false, "Then `topology: nat` cannot run: install Debian's package nftables.", NULL},
};

static const struct lack *lack_find(const char *name)
{
	for (size_t i = 0; i < sizeof(lacks) / sizeof(lacks[0]); i++)
		if (text_is(text_of(name), lacks[i].name))
			return &lacks[i];
	return NULL;
}

static void name_write(struct out *out, const char *name)
{
	size_t len = text_of(name).len;

	out_z(out, name);
	out_pad(out, len < NAME_COL ? NAME_COL - len : 1);
}

/* False: it is missing, and needed. */
static bool capability_tell(struct out *out, const struct fact *fact, int sys)
{
	const struct lack *lack = lack_find(fact->name);

	out_paint(out, sys ? PAINT_BAD : PAINT_GOOD, sys ? "no    " : "ok    ");
	name_write(out, fact->name);
	if (sys == 0) {
		out_fmt(out, "%s\n", fact->meaning);
		return true;
	}
	out_fmt(out, "%s: %s\n", errno_name(sys), errno_words(sys));
	if (!lack)
		return true;
	out_pad(out, 6 + NAME_COL);
	out_fmt(out, "%s\n", lack->mend ? lack->mend(sys) : lack->words);
	return !lack->needed;
}

static void fact_tell(struct out *out, const struct fact *fact, const void *value)
{
	const struct port_range *range = value;
	const int64_t *count = value;
	char size[UNIT_PRINTED];

	out_pad(out, 6);
	name_write(out, fact->name);
	if (fact->kind == FACT_WORD)
		out_escaped(out, text_of(value));
	else if (fact->kind == FACT_RANGE)
		out_fmt(out, "%u-%u", range->lo, range->hi);
	else if (*count < 0)
		out_z(out, "unknown");
	else if (fact->kind == FACT_SIZE)
		out_z(out, unit_size_pretty(size, (uint64_t)*count));
	else
		out_fmt(out, "%" PRId64, *count);
	out_fmt(out, "  (%s)\n", fact->meaning);
}

static const void *fact_value(const struct host *host, const struct fact *fact)
{
	return (const char *)host + fact->offset;
}

bool doctor_tell(struct out *out, const struct host *host)
{
	bool runs = true;

	for (size_t i = 0; i < host_facts_count; i++) {
		const struct fact *fact = &host_facts[i];

		if (fact->kind == FACT_ERRNO)
			runs = capability_tell(out, fact, *(const int *)fact_value(host, fact)) &&
			       runs;
	}
	out_z(out, "\n");
	for (size_t i = 0; i < host_facts_count; i++)
		if (host_facts[i].kind != FACT_ERRNO)
			fact_tell(out, &host_facts[i], fact_value(host, &host_facts[i]));
	out_z(out, runs ? "\nlastport can run here.\n"
			: "\nlastport cannot run here: see what says no.\n");
	return runs;
}

static int run(struct command_call *call, struct err *err)
{
	struct host *host = ARENA_NEW(call->arena, struct host);

	if (!host_read(host, err))
		return 0;
	return doctor_tell(call->out, host) ? STATUS_OK : STATUS_HOST;
}

const struct command command_doctor = {
	.name = "doctor",
	.arguments = "",
	.summary = "check what this machine can run, and how to mend what it cannot",
	.details = "Tries everything for real: namespaces in a child process, io_uring on a socket "
		   "of\n"
		   "its own. Nothing is left behind. Exit status 3: scenarios cannot run here.\n",
	.run = run,
};
