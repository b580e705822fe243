#include "advice_check.h"

#include <CUnit/CUnit.h>
#include <stdio.h>

#include "trial.h"

/* What is recommended wherever the error is met, and is wrong or wrong without a condition: the reports'
 * list, item by item. Its words may stand in advice only where the cause is one of these, or beside that
 * word. */
static const struct {
	int item; /* of the list, from 1 */
	const char *word;
	enum cause may[3];  /* CAUSE_NO_DATA: none more */
	const char *beside; /* NULL: nothing makes it good */
} harmful[] = {
	{1, "tcp_tw_recycle", {0}, NULL}, /* it broke clients behind NAT, and is gone */
	{2, "tcp_fin_timeout", {CAUSE_FIN_WAIT_ORPHANS}, NULL}, /* FIN_WAIT2 is what it is about */
	{3, "tcp_max_tw_buckets", {CAUSE_TW_OVERFLOW}, "leave"},
	{4, "1024-65535", {CAUSE_LINUX_SNAT}, "ip_local_reserved_ports"},
	{4, "1024 65535", {0}, NULL},
	{5, "ulimit", {CAUSE_FD_LIMIT}, NULL}, /* another limit */
	{5, "NOFILE", {CAUSE_FD_LIMIT}, NULL},
	{5, "file-max", {CAUSE_FD_LIMIT}, NULL},
	{6, "tcp_tw_reuse=1", {0}, "side that connects"}, /* not for servers, */
	{6, "tcp_tw_reuse=2", {0}, NULL},		  /* nor between two hosts */
	{7, "SO_REUSEADDR", {CAUSE_FIXED_PORT, CAUSE_SERVER_RESTART, CAUSE_UDP_OVERSHADOW}, NULL},
	{7, "SO_REUSEPORT", {0}, NULL},
	{8, "SO_LINGER", {0}, NULL}, /* a RST loses data */
	{9, "keep-alive off", {0}, NULL},
	{9, "isable keep", {0}, NULL},
	{10, "cale out", {0}, NULL}, /* a gateway's ports are shared by more then */
	{10, "more clients", {0}, NULL},
	{11, "random", {CAUSE_SNAT_INSERT_RACE}, NULL},
	{11, "nf_conntrack_max", {CAUSE_CONNTRACK_FULL}, NULL},
	{12,
	 "restart",
	 {CAUSE_INNOCENT_VICTIM},
	 NULL},				       /* TIME_WAIT outlives it: not what is open */
	{13, "sysctl on the host", {0}, NULL}, /* a namespace has its own */
	{14, "TCP_TIMEWAIT_LEN", {0}, NULL},   /* a kernel of one's own */
	{14, "tcp_tw_timeout", {0}, NULL},     /* no kernel of ours has it */
	{15, "syncookies", {0}, NULL},	       /* bundles that have nothing to do with ports */
	{15, "somaxconn", {0}, NULL},
	{15, "rmem", {0}, NULL},
	{16, "wait 60 s", {0}, NULL}, /* a new namespace is free at once */
	{16, "a minute between", {0}, NULL},
	{17, "retry at once", {0}, NULL},
	{17, "try again at once", {0}, NULL},
	{0,
	 "ip_nonlocal_bind",
	 {0},
	 NULL}, /* not of the list: a client cannot send from what is not there */
	{18, "unusable", {0}, NULL}, /* half of the range is slow, not lost */
	{18, "half as many ports", {0}, NULL},
};

enum { ROWS = sizeof(harmful) / sizeof(harmful[0]) };

bool advice_warns_of(int item)
{
	for (size_t i = 0; i < ROWS; i++)
		if (harmful[i].item == item)
			return true;
	return false;
}

static bool may(size_t i, enum cause cause)
{
	for (int k = 0; k < 3; k++)
		if (harmful[i].may[k] != CAUSE_NO_DATA && harmful[i].may[k] == cause)
			return true;
	return false;
}

static void line_check(enum cause cause, struct text line)
{
	for (size_t i = 0; i < ROWS; i++) {
		bool good = !text_has(line, harmful[i].word) || may(i, cause) ||
			    (harmful[i].beside && text_has(line, harmful[i].beside));

		if (!good)
			printf("%s advises %s: " TEXT_FMT "\n", cause_name(cause), harmful[i].word,
			       TEXT_ARG(line));
		CU_ASSERT(good);
	}
}

void advice_check_lines(enum cause cause, const struct line_list *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		line_check(cause, lines->list[i]);
}

void advice_check(const struct finding *f)
{
	CU_ASSERT(f->why.len > 0);
	CU_ASSERT(f->attempt.count > 0);
	CU_ASSERT(f->wont_help.count > 0);
	advice_check_lines(f->cause, &f->attempt);
}
