#include "advice_check.h"

#include <CUnit/CUnit.h>
#include <stdio.h>

#include "trial.h"

/* Words that may stand in advice only where the cause is one of these, or beside that word. */
static const struct {
	const char *word;
	enum cause may[3];  /* CAUSE_NO_DATA: none more */
	const char *beside; /* NULL: nothing makes it good */
} harmful[] = {
	{"tcp_tw_recycle", {0}, NULL},	 /* it broke clients behind NAT, and is gone */
	{"TCP_TIMEWAIT_LEN", {0}, NULL}, /* a kernel of one's own */
	{"tcp_tw_timeout", {0}, NULL},	 /* no kernel of ours has it */
	{"syncookies", {0}, NULL},	 /* bundles that have nothing to do with ports */
	{"somaxconn", {0}, NULL},
	{"rmem", {0}, NULL},
	{"SO_LINGER", {0}, NULL}, /* a RST loses data */
	{"SO_REUSEPORT", {0}, NULL},
	{"restart", {0}, NULL}, /* TIME_WAIT outlives it */
	{"keep-alive off", {0}, NULL},
	{"isable keep", {0}, NULL},
	{"cale out", {0}, NULL}, /* a gateway's ports are shared by more then */
	{"at once: retry", {0}, NULL},
	{"tcp_fin_timeout", {CAUSE_FIN_WAIT_ORPHANS}, NULL}, /* FIN_WAIT2 is what it is about */
	{"tcp_max_tw_buckets", {CAUSE_TW_OVERFLOW}, "leave"},
	{"SO_REUSEADDR", {CAUSE_FIXED_PORT, CAUSE_SERVER_RESTART, CAUSE_UDP_OVERSHADOW}, NULL},
	{"nf_conntrack_max", {CAUSE_CONNTRACK_FULL}, NULL},
	{"random", {CAUSE_SNAT_INSERT_RACE}, NULL},
	{"ulimit", {CAUSE_FD_LIMIT}, NULL}, /* another limit */
	{"NOFILE", {CAUSE_FD_LIMIT}, NULL},
	{"file-max", {CAUSE_FD_LIMIT}, NULL},
	{"1024-65535", {CAUSE_LINUX_SNAT}, "ip_local_reserved_ports"},
	{"tcp_tw_reuse=1", {0}, "side that connects"},
};

static bool may(size_t i, enum cause cause)
{
	for (int k = 0; k < 3; k++)
		if (harmful[i].may[k] != CAUSE_NO_DATA && harmful[i].may[k] == cause)
			return true;
	return false;
}

static void line_check(enum cause cause, struct text line)
{
	for (size_t i = 0; i < sizeof(harmful) / sizeof(harmful[0]); i++) {
		bool good = !text_has(line, harmful[i].word) || may(i, cause) ||
			    (harmful[i].beside && text_has(line, harmful[i].beside));

		if (!good)
			printf("%s advises %s: " TEXT_FMT "\n", cause_name(cause), harmful[i].word,
			       TEXT_ARG(line));
		CU_ASSERT(good);
	}
}

void advice_check(const struct finding *f)
{
	CU_ASSERT(f->why.len > 0);
	CU_ASSERT(f->attempt.count > 0);
	CU_ASSERT(f->wont_help.count > 0);
	for (size_t i = 0; i < f->attempt.count; i++)
		line_check(f->cause, f->attempt.list[i]);
}
