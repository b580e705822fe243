#include "sys/facts.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/doctor.h"
#include "lab_help.h"
#include "suites.h"

static void a_host_is_read(void)
{
	struct host h;
	struct err err = {0};

	CU_ASSERT_FATAL(host_read(&h, &err));
	CU_ASSERT(h.kernel[0] && h.machine[0]);
	CU_ASSERT(h.cpus >= 1);
	CU_ASSERT(h.memory > 0);
	CU_ASSERT(h.nofile >= h.nofile_soft);
	CU_ASSERT(h.ports.lo > 0 && h.ports.lo <= h.ports.hi);
	CU_ASSERT(h.tw_reuse >= 0 && h.tw_reuse <= 2);
	CU_ASSERT(h.ehash > 0);
	CU_ASSERT(h.hz >= 100 && h.hz <= 1000);
	CU_ASSERT_EQUAL(h.sock_diag, 0);
	CU_ASSERT_TRUE(host_has_counter(&h, TEXT("ActiveOpens")));
	CU_ASSERT_TRUE(host_has_counter(&h, TEXT("TCPTimeWaitOverflow")));
	CU_ASSERT_FALSE(host_has_counter(&h, TEXT("NoSuchThing")));
}

static ino_t user_namespace(void)
{
	struct stat s;

	return stat("/proc/thread-self/ns/user", &s) == 0 ? s.st_ino : 0;
}

static void reading_a_host_leaves_nothing_behind(void)
{
	unsigned descriptors = help_descriptors();
	ino_t network = help_namespace(), user = user_namespace();
	struct host h;
	struct err err = {0};

	CU_ASSERT(host_read(&h, &err));
	CU_ASSERT_EQUAL(help_descriptors(), descriptors);
	CU_ASSERT_EQUAL(help_namespace(), network);
	CU_ASSERT_EQUAL(user_namespace(), user);
	CU_ASSERT_EQUAL(waitpid(-1, NULL, WNOHANG), -1);
	CU_ASSERT_EQUAL(errno, ECHILD);
}

static struct text told(const struct host *h, char *buffer, size_t room, bool *runs)
{
	struct out out = out_memory(buffer, room);

	*runs = doctor_tell(&out, h);
	CU_ASSERT(out_flush(&out));
	return out_written(&out);
}

static bool says(struct text t, const char *words)
{
	return memmem(t.s, t.len, words, strlen(words)) != NULL;
}

static void the_doctor_names_every_fact(void)
{
	const struct host h = {.kernel = "6.1.0", .memory = -1};
	char buffer[16384];
	bool runs;
	struct text t = told(&h, buffer, sizeof(buffer), &runs);

	CU_ASSERT_TRUE(runs);
	CU_ASSERT_TRUE(says(t, "lastport can run here."));
	CU_ASSERT_FALSE(says(t, "no    "));
	for (size_t i = 0; i < host_facts_count; i++)
		CU_ASSERT_TRUE(says(t, host_facts[i].name));
}

static void the_doctor_tells_what_is_needed_from_what_helps(void)
{
	static const struct {
		size_t offset;
		int sys;
		bool runs;
		const char *words;
	} rows[] = {
		{offsetof(struct host, io_uring), EPERM, false, "seccomp"},
		{offsetof(struct host, netns), EPERM, false, "as root"},
		{offsetof(struct host, sock_diag), ENOENT, true, "inet_diag"},
		{offsetof(struct host, private_hash), ENOENT, true, "timings"},
		{offsetof(struct host, ring_bind), EINVAL, true, "slower"},
		{offsetof(struct host, port_window), ENOPROTOOPT, true, "ENOPROTOOPT"},
		{offsetof(struct host, mptcp), EPROTONOSUPPORT, true, "load.options.mptcp"},
	};
	char buffer[16384];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct host h = {0};
		struct text t;
		bool runs;

		memcpy((char *)&h + rows[i].offset, &rows[i].sys, sizeof(rows[i].sys));
		t = told(&h, buffer, sizeof(buffer), &runs);
		CU_ASSERT_EQUAL(runs, rows[i].runs);
		CU_ASSERT_TRUE(says(t, "no    "));
		CU_ASSERT_TRUE(says(t, rows[i].words));
		CU_ASSERT_EQUAL(says(t, "cannot run here"), !rows[i].runs);
	}
}

static const struct test tests[] = {
	TEST(a_host_is_read),
	TEST(reading_a_host_leaves_nothing_behind),
	TEST(the_doctor_names_every_fact),
	TEST(the_doctor_tells_what_is_needed_from_what_helps),
	TESTS_END,
};

const struct suite suite_facts = {"facts", tests};
