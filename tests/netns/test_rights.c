#include "sys/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab_help.h"
#include "suites.h"
#include "sys/netns.h"
#include "sys/sysctl.h"

#define NOTHING "0000000000000000"

static bool status_is(const char *name, const char *value)
{
	char buffer[8192];

	return text_is(help_status(name, buffer, sizeof(buffer)), value);
}

static uint64_t caps_now(void)
{
	char buffer[8192];
	struct text hex = help_status("CapEff", buffer, sizeof(buffer));
	uint64_t caps = 0;

	sscanf(hex.s ? hex.s : "", "%" SCNx64, &caps);
	return caps;
}

struct findings {
	uint64_t caps; /* CapEff */
	bool effective, permitted, bounding, no_new_privs, root;
	int sysctl, unshare, home_ns, home;
};

static void look_around(struct help *h, void *context)
{
	struct findings *f = context;

	(void)h;
	f->caps = caps_now();
	f->effective = !status_is("CapEff", NOTHING);
	f->permitted = !status_is("CapPrm", NOTHING);
	f->bounding = !status_is("CapBnd", NOTHING);
	f->no_new_privs = status_is("NoNewPrivs", "1");
	f->root = geteuid() == 0;
	f->sysctl = sysctl_write(TEXT("net.ipv4.tcp_tw_reuse"), TEXT("1"));
	f->unshare = unshare(CLONE_NEWNET) < 0 ? errno : 0;
	f->home = netns_enter(f->home_ns, NULL) ? 0 : EPERM;
}

static void a_thread_in_the_lab_has_no_rights(void)
{
	struct findings f = {.home_ns = netns_open(NULL)};
	struct help h;

	CU_ASSERT_FATAL(help_open(&h, "network: {ports: 40000-40031}"));
	CU_ASSERT(help_inside(&h, LAB_CLIENT, look_around, &f));
	CU_ASSERT_FALSE(f.effective);
	CU_ASSERT_FALSE(f.permitted);
	CU_ASSERT_FALSE(f.bounding);
	CU_ASSERT_TRUE(f.no_new_privs);
	CU_ASSERT_FALSE(f.root);
	CU_ASSERT_EQUAL(f.sysctl, EACCES);
	CU_ASSERT_EQUAL(f.unshare, EPERM);
	CU_ASSERT_EQUAL(f.home, EPERM);
	close(f.home_ns);
	help_close(&h);
}

/* Enters by itself, so not through help_inside(). */
static void *enter_as_admin(void *context)
{
	struct help *h = ((void **)context)[0];
	struct findings *f = ((void **)context)[1];

	if (lab_enter_admin(&h->lab, LAB_CLIENT, &h->err))
		look_around(h, f);
	return NULL;
}

static void a_thread_that_changes_the_network_keeps_cap_net_admin_alone(void)
{
	struct findings f = {.home_ns = netns_open(NULL)};
	struct help h;
	void *context[] = {&h, &f};
	pthread_t thread;

	CU_ASSERT_FATAL(help_open(&h, "network: {ports: 40000-40031}"));
	CU_ASSERT_FATAL(pthread_create(&thread, NULL, enter_as_admin, context) == 0);
	pthread_join(thread, NULL);
	CU_ASSERT_EQUAL(f.caps, UINT64_C(1) << CAP_NET_ADMIN);
	CU_ASSERT_FALSE(f.bounding);
	CU_ASSERT_TRUE(f.no_new_privs);
	CU_ASSERT_FALSE(f.root);
	CU_ASSERT_EQUAL(f.unshare, EPERM);
	CU_ASSERT_EQUAL(f.home, EPERM);
	CU_ASSERT_TRUE(rights_suffice());
	close(f.home_ns);
	help_close(&h);
}

static void the_thread_that_asked_keeps_its_rights(void)
{
	char before[8192], after[8192];
	struct text effective = help_status("CapEff", before, sizeof(before));
	struct findings f = {.home_ns = -1};
	uid_t user = geteuid();
	struct help h;

	CU_ASSERT_FATAL(help_open(&h, "network: {ports: 40000-40031}"));
	CU_ASSERT(help_inside(&h, LAB_SERVER, look_around, &f));
	CU_ASSERT(text_eq(help_status("CapEff", after, sizeof(after)), effective));
	CU_ASSERT_EQUAL(geteuid(), user);
	CU_ASSERT_TRUE(rights_suffice());
	help_close(&h);
}

/* An exec gives root all that its bounding set has: there must be nothing in it. */
static void exec_grep(struct help *h, void *context)
{
	int status = -1;
	pid_t child = fork();

	(void)h;
	if (child == 0) {
		execl("/bin/grep", "grep", "-q", "^CapEff:.*[^0:\t ]", "/proc/self/status",
		      (char *)NULL);
		_exit(2);
	}
	if (child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status))
		*(int *)context = WEXITSTATUS(status);
}

static void an_exec_gives_no_rights_back(void)
{
	int found = -1;
	struct help h;

	CU_ASSERT_FATAL(help_open(&h, "network: {ports: 40000-40031}"));
	CU_ASSERT(help_inside(&h, LAB_CLIENT, exec_grep, &found));
	CU_ASSERT_EQUAL(found, 1); /* no such line */
	help_close(&h);
}

/* As an ordinary user, in a child: 0, or the number of the first step that failed. */
static void look_for_capabilities(struct help *h, void *found)
{
	static const char *const sets[] = {"CapEff", "CapPrm", "CapInh", "CapAmb"};
	char buffer[4096];

	(void)h;
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		*(bool *)found |=
			!text_is(help_status(sets[i], buffer, sizeof(buffer)), "0000000000000000");
}

static int build_as_nobody(void)
{
	bool found = false;
	struct host host = *help_host();
	struct help h;
	struct err err = {0};

	if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
		return 1;
	prctl(PR_SET_DUMPABLE,
	      1); /* a process that changed its user may not write its own uid_map */
	host.needs_userns = !rights_suffice();
	if (!host.needs_userns)
		return 2;
	if (!lab_rights(&host, &err)) {
		printf("%s\n", err.what);
		return 3;
	}
	if (geteuid() != 65534 || getegid() != 65534 || !rights_suffice())
		return 4;
	if (!help_open(&h, "network: {ports: 40000-40031, sources: 2, sysctl: "
			   "{net.ipv4.tcp_tw_reuse: 0}}")) {
		printf("%s\n", h.err.what);
		return 5;
	}
	if (help_cross(&h, 0) || help_cross(&h, &h.plan.sources.list[1]))
		return 6;
	/* An ordinary user keeps its number inside: no change of user takes the capabilities
	 * away. */
	if (!help_inside(&h, LAB_CLIENT, look_for_capabilities, &found) || found)
		return 7;
	help_close(&h);
	return 0;
}

static const char *not_root(void)
{
	return geteuid() == 0 ? help_no_userns() : "needs root, to become another user";
}

static void an_ordinary_user_builds_a_lab_and_connects(void)
{
	CU_ASSERT_EQUAL(help_child(build_as_nobody), 0);
}

static int raise_nofile(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 1;
	limit.rlim_cur = limit.rlim_max / 2;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 2;
	rights_raise_nofile();
	return getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur != limit.rlim_max;
}

static void descriptors_are_raised_to_the_hard_limit(void)
{
	CU_ASSERT_EQUAL(help_child(raise_nofile), 0);
}

static void every_refusal_has_a_mend(void)
{
	CU_ASSERT(rights_mend(EPERM)[0] != '\0');
	CU_ASSERT_PTR_NOT_NULL(strstr(rights_mend(ENOSPC), "max_user_namespaces"));
}

static const struct test tests[] = {
	TEST(every_refusal_has_a_mend),
	TEST(descriptors_are_raised_to_the_hard_limit),
	TEST_UNLESS(help_no_network, a_thread_in_the_lab_has_no_rights),
	TEST_UNLESS(help_no_network, a_thread_that_changes_the_network_keeps_cap_net_admin_alone),
	TEST_UNLESS(help_no_network, the_thread_that_asked_keeps_its_rights),
	TEST_UNLESS(help_no_network, an_exec_gives_no_rights_back),
	TEST_UNLESS(not_root, an_ordinary_user_builds_a_lab_and_connects),
	TESTS_END,
};

const struct suite suite_rights = {"rights", tests};
