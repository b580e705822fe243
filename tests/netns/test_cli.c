/* The program as users have it: exit statuses, and what it says of what it cannot do. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli_help.h"
#include "sys/nft.h"

enum { NOBODY = 65534 };

static const char long_run[] = "version: 1\nname: long\nnetwork: {ports: 40000-40999}\n"
			       "load: {rate: 2k/s, hold: 5ms, end: reset}\nstop: {time: 60s}\n";
static const char short_run[] =
	"version: 1\nname: short\nnetwork: {ports: 40000-40031}\nload: {end: leak}\n"
	"expect: [exhausted.after == 32]\n";
static const char failing_run[] =
	"version: 1\nname: failing\nnetwork: {ports: 40000-40031}\nload: {end: leak}\n"
	"expect: [exhausted == false]\n";

static const char nat_run[] = "version: 1\nname: gateway\n"
			      "network: {topology: nat, nat: {ports: 2000-2031}}\n"
			      "load: {concurrency: 8, end: leak, timeout: 1s}\n"
			      "expect: [connects.opened == 32]\n";

/* ---- statuses ------------------------------------------------------------ */

static void the_status_says_how_it_went(void)
{
	static const struct {
		const char *scenario;
		int status;
	} cases[] = {
		{short_run, 0},
		{failing_run, 1},
		{"version: 1\nname: x\nload: {totl: 3}\n", 2},
		{"version: 1\nname: x\nnetwork: {sysctl: {net.ipv4.tcp_syn_retries: 200}}\n", 2},
		{"version: 1\nname: x\nnetwork: {sysctl: {net.ipv4.no_such_thing: 1}}\n", 2},
		{"version: 1\nname: x\nload: {total: 1000, rate: 10/s}\nstop: {time: 100ms}\n", 4},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct place p = place_enter(cases[i].scenario);

		CU_ASSERT_EQUAL(RUN("run", "-o", "here", "in.yaml"), cases[i].status);
		place_leave(&p);
	}
}

static void a_refused_sysctl_is_told_at_its_line(void)
{
	struct place p = place_enter(
		"version: 1\nname: x\nnetwork:\n  sysctl:\n    net.ipv4.tcp_syn_retries: 200\n");

	CU_ASSERT_EQUAL(RUN("run", "-o", "here", "in.yaml"), 2);
	CU_ASSERT(strncmp(held("err"), "lastport: in.yaml:5:", 20) == 0);
	place_leave(&p);
}

static void json_is_one_document_whatever_happens(void)
{
	static const char *const scenarios[] = {short_run, failing_run, long_run};

	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		struct place p = place_enter(scenarios[i]);
		json_t *root, *kept;

		if (i == 2) { /* a time limit, and nothing else to end it, at whatever pace */
			FILE *f = fopen("in.yaml", "a");

			fputs("cases: {brief: {stop: {time: 50ms}, expect: [connects.late >= "
			      "0]}}\n",
			      f);
			fclose(f);
			RUN("run", "--json", "--case", "brief", "-o", "here", "in.yaml");
		} else {
			RUN("run", "--json", "-o", "here", "in.yaml");
		}
		root = loaded("out");
		kept = loaded("here/result.json");
		CU_ASSERT(json_equal(root, kept));
		CU_ASSERT(is_true(root, "complete"));
		CU_ASSERT(is_true(json_object_get(first_run(root), "measures"), "reconciled"));
		json_decref(root);
		json_decref(kept);
		place_leave(&p);
	}
}

static void json_says_why_nothing_was_started(void)
{
	static const char *const args[][6] = {
		{"run", "--json", "nowhere.yaml"},
		{"run", "--json", "--case", "other", "in.yaml"},
		{"run", "--json", "-o", "in.yaml", "in.yaml"},
		{"run", "--json", "in.yaml", "wrong.yaml"},
	};

	for (size_t i = 0; i < sizeof(args) / sizeof(args[0]); i++) {
		struct place p = place_enter(short_run);
		FILE *f = fopen("wrong.yaml", "w");
		json_t *root;

		fputs("version: 1\nname: x\nload: {totl: 3}\n", f);
		fclose(f);
		CU_ASSERT_EQUAL(run_args(NULL, args[i]), 2);
		root = loaded("out");
		CU_ASSERT(is_word(root, "verdict", "error") && !is_true(root, "complete"));
		CU_ASSERT(json_is_string(json_object_get(root, "error")));
		json_decref(root);
		place_leave(&p);
	}
}

static void a_directory_with_results_is_not_written_over(void)
{
	struct place p = place_enter(short_run);

	CU_ASSERT_EQUAL(RUN("run", "-o", "a/b/c", "in.yaml"), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(held("out"), "\nresults: a/b/c\n"));
	CU_ASSERT_EQUAL(RUN("run", "-o", "a/b/c", "in.yaml"), 2);
	CU_ASSERT_PTR_NULL(strstr(held("out"), "results: "));
	CU_ASSERT_EQUAL(RUN("run", "in.yaml"), 0); /* results/runs/STAMP-short */
	CU_ASSERT_EQUAL(RUN("run", "in.yaml"), 0); /* another one, in the same second or not */
	CU_ASSERT_PTR_NOT_NULL(strstr(held("out"), "\nresults: results/runs/"));
	place_leave(&p);
}

static void every_line_of_the_samples_and_events_is_an_object(void)
{
	static const char *const files[] = {"here/samples.jsonl", "here/events.jsonl"};
	struct place p = place_enter(short_run);

	CU_ASSERT_EQUAL(RUN("run", "-o", "here", "in.yaml"), 0);
	for (size_t i = 0; i < 2; i++) {
		char line[4096];
		FILE *f = fopen(files[i], "r");
		unsigned lines = 0;

		CU_ASSERT_FATAL(f != NULL);
		for (; fgets(line, sizeof(line), f); lines++) {
			json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

			CU_ASSERT(json_is_object(object) &&
				  json_is_integer(json_object_get(object, "t_ns")));
			json_decref(object);
		}
		CU_ASSERT(lines >= 2);
		fclose(f);
	}
	place_leave(&p);
}

static void cases_run_side_by_side_without_meeting(void)
{
	struct place p = place_enter(
		"version: 1\nname: many\nnetwork: {ports: 40000-40031}\nload: {end: leak}\n"
		"expect: [exhausted.after == 32, established.max == 32]\n"
		"cases: {a: {}, b: {}, c: {}, d: {}, e: {}, f: {}, g: {}}\n");

	CU_ASSERT_EQUAL(RUN("run", "-j", "8", "-o", "here", "in.yaml"), 0);
	place_leave(&p);
}

/* Each run has rings of its own, whose memory counts against RLIMIT_MEMLOCK. */
static void many_cases_at_once_find_room(void)
{
	struct place p = place_enter(
		"version: 1\nname: many\nnetwork: {ports: 40000-40031}\n"
		"load: {end: leak, total: 8}\nexpect: [connects.opened == 8]\ncases:\n");
	FILE *f = fopen("in.yaml", "a");

	for (int i = 0; i < 63; i++)
		fprintf(f, "  c%d: {}\n", i);
	fclose(f);
	CU_ASSERT_EQUAL(RUN("run", "-j", "64", "-o", "here", "in.yaml"), 0);
	place_leave(&p);
}

/* How many are begun, and how late, is for the clock to say; what is to be done is not. */
static void one_seed_has_one_intent_however_the_run_goes(void)
{
	static const char *const seeds[] = {"--seed=1", "--seed=1", "--seed=2"};
	char intents[3][32] = {""};
	struct place p = place_enter(
		"version: 1\nname: mixed\nnetwork: {ports: 40000-40007, servers: 3, choose: seed}\n"
		"load: {duration: 100ms, concurrency: 4, mix: {leak: 10%, reset: 50%}, "
		"on_failure: {retry: 2, wait: 1ms, jitter: 50%, then: continue}}\n"
		"loads: {steady: {}, bursts: {concurrency: 0, burst: {size: 5, every: 7ms}}}\n"
		"stop: {when: never}\nexpect: [connects.late >= 0]\n");

	for (size_t i = 0; i < 3; i++) {
		json_t *root;

		CU_ASSERT_EQUAL(RUN("run", seeds[i], "-o", "here", "in.yaml"), 0);
		root = loaded("here/result.json");
		snprintf(intents[i], sizeof(intents[i]), "%s",
			 json_string_value(json_object_get(first_run(root), "intended")));
		json_decref(root);
		CU_ASSERT(system("rm -r here") == 0);
	}
	CU_ASSERT_STRING_EQUAL(intents[0], intents[1]);
	CU_ASSERT_STRING_NOT_EQUAL(intents[0], intents[2]);
	place_leave(&p);
}

/* ---- what this machine cannot run ---------------------------------------- */

/* Every io_uring_setup answers with the errno, as a container's profile does. */
static void forbid_io_uring(uint32_t error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(97);
}

static void like_docker(void)
{
	forbid_io_uring(EPERM);
}

static void like_podman(void)
{
	forbid_io_uring(ENOSYS);
}

static void like_an_old_kernel(void)
{
	forbid_io_uring(ENOMEM);
}

static void blocked_io_uring_is_status_3_with_cause_and_mend(void)
{
	static const struct {
		void (*prepare)(void);
		const char *word;
	} cases[] = {
		{like_docker, "seccomp"},
		{like_podman, "Podman"},
		{like_an_old_kernel, "RLIMIT_MEMLOCK"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct place p = place_enter(short_run);
		json_t *root;

		CU_ASSERT_EQUAL(
			run_args(cases[i].prepare,
				 (const char *const[]){"run", "-o", "here", "in.yaml", NULL}),
			3);
		CU_ASSERT(strstr(held("err"), "io_uring") && strstr(held("err"), cases[i].word));
		root = loaded("here/result.json");
		CU_ASSERT(is_word(first_run(root), "verdict", "skip"));
		json_decref(root);
		CU_ASSERT_EQUAL(
			run_args(cases[i].prepare, (const char *const[]){"run", "--exit-on-skip=77",
									 "in.yaml", NULL}),
			77);
		place_leave(&p);
	}
}

static void few_descriptors(void)
{
	const struct rlimit few = {300, 300};

	if (setrlimit(RLIMIT_NOFILE, &few))
		_exit(95);
}

static void few_descriptors_are_told_with_both_numbers(void)
{
	struct place p = place_enter("version: 1\nname: wide\nload: {end: leak, order: fast}\n");

	CU_ASSERT_EQUAL(run_args(few_descriptors, (const char *const[]){"run", "in.yaml", NULL}),
			3);
	CU_ASSERT(strstr(held("err"), "descriptors, and") &&
		  strstr(held("err"), "RLIMIT_NOFILE is 300"));
	place_leave(&p);
}

/* Each of its rings, listeners and counters is one of them. */
static void many_workers_have_no_more_descriptors_than_were_planned(void)
{
	struct place p = place_enter("version: 1\nname: wide\nnetwork: {services: 64}\n"
				     "load: {concurrency: 128, total: 640}\n");

	CU_ASSERT_EQUAL(run_args(few_descriptors,
				 (const char *const[]){"run", "--workers", "64", "in.yaml", NULL}),
			0);
	CU_ASSERT_STRING_EQUAL(held("err"), "");
	place_leave(&p);
}

/* ---- who runs it --------------------------------------------------------- */

static const char *not_root(void)
{
	return getuid() ? "not root: cannot become an ordinary user" : help_no_userns();
}

static void as_nobody(void)
{
	if (setgid(NOBODY) || setuid(NOBODY))
		_exit(96);
}

static void an_ordinary_user_gets_the_same(void)
{
	const char *const runs[] = {short_run, nat_run};

	for (size_t i = 0; i < (help_no_gateway() ? 1 : 2); i++) {
		struct place p = place_enter(runs[i]);
		json_t *root;

		CU_ASSERT_EQUAL(run_args(as_nobody, (const char *const[]){"run", "-o", "here",
									  "in.yaml", NULL}),
				0);
		root = loaded("here/result.json");
		CU_ASSERT(is_true(root, "complete"));
		json_decref(root);
		place_leave(&p);
	}
}

/* In a mount namespace of the child's own. */
static void hide_nft(void)
{
	const char *path = nft_find();

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("/dev/null", path, NULL, MS_BIND, NULL))
		_exit(94);
}

static const char *no_nft_to_hide(void)
{
	return getuid() ? "not root: cannot hide nft" : help_no_gateway();
}

static void a_missing_nft_is_status_3_and_names_its_package(void)
{
	struct place p = place_enter(nat_run);

	CU_ASSERT_EQUAL(run_args(hide_nft, (const char *const[]){"run", "in.yaml", NULL}), 3);
	CU_ASSERT(strstr(held("err"), "program nft") && strstr(held("err"), "package nftables"));
	CU_ASSERT_EQUAL(run_args(hide_nft, (const char *const[]){"doctor", NULL}), 0);
	CU_ASSERT(strstr(held("out"), "no    nft") && strstr(held("out"), "package nftables"));
	place_leave(&p);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, the_status_says_how_it_went),
	TEST_UNLESS(help_no_network, a_refused_sysctl_is_told_at_its_line),
	TEST_UNLESS(help_no_network, json_is_one_document_whatever_happens),
	TEST_UNLESS(help_no_network, json_says_why_nothing_was_started),
	TEST_UNLESS(help_no_network, a_directory_with_results_is_not_written_over),
	TEST_UNLESS(help_no_network, every_line_of_the_samples_and_events_is_an_object),
	TEST_UNLESS(help_no_network, cases_run_side_by_side_without_meeting),
	TEST_UNLESS(help_no_network, one_seed_has_one_intent_however_the_run_goes),
	TEST(blocked_io_uring_is_status_3_with_cause_and_mend),
	TEST_UNLESS(help_no_network, many_cases_at_once_find_room),
	TEST_UNLESS(help_no_network, few_descriptors_are_told_with_both_numbers),
	TEST_UNLESS(help_no_network, many_workers_have_no_more_descriptors_than_were_planned),
	TEST_UNLESS(not_root, an_ordinary_user_gets_the_same),
	TEST_UNLESS(no_nft_to_hide, a_missing_nft_is_status_3_and_names_its_package),
	TESTS_END,
};

const struct suite suite_cli = {"cli", tests};
