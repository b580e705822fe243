/* Settings of a lab, read back from the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/lab.h"
#include "lab_help.h"
#include "suites.h"
#include "sys/sysctl.h"

static struct lab_setting *recorded(struct lab *lab, const char *name)
{
	struct lab_setting *found = NULL;

	for (size_t i = 0; i < lab->setting_count; i++) {
		if (!text_is(lab->settings[i].name, name))
			continue;
		CU_ASSERT_PTR_NULL(found); /* once */
		found = &lab->settings[i];
	}
	return found;
}

struct reading {
	const char *name;
	char value[256];
	int sys;
};

static void read_setting(struct help *h, void *context)
{
	struct reading *r = context;

	(void)h;
	r->sys = sysctl_read(text_of(r->name), r->value, sizeof(r->value));
}

static void check_setting(struct help *h, enum lab_role role, const char *name, const char *value)
{
	struct reading r = {.name = name};

	CU_ASSERT(help_inside(h, role, read_setting, &r));
	CU_ASSERT_EQUAL(r.sys, 0);
	CU_ASSERT_STRING_EQUAL(r.value, value);
}

static void settings_are_set_and_read_back_and_recorded(void)
{
	struct lab_setting *s;
	struct help h;

	CU_ASSERT_FATAL(help_open(&h, "network:\n"
				      "  ports: 40000-40031\n"
				      "  reserved: [40005, 40010-40019]\n"
				      "  sysctl:\n"
				      "    net.ipv4.tcp_tw_reuse: 0\n"
				      "    net.ipv4.conf.veth0.rp_filter: 2\n"
				      "    net.ipv4.tcp_rmem: 4096 131072  6291456\n"));
	check_setting(&h, LAB_CLIENT, "net.ipv4.ip_local_port_range", "40000\t40031");
	check_setting(&h, LAB_CLIENT, "net.ipv4.ip_local_reserved_ports", "40005,40010-40019");
	check_setting(&h, LAB_CLIENT, "net.ipv4.tcp_tw_reuse", "0");
	check_setting(&h, LAB_CLIENT, "net/ipv4/conf/veth0/rp_filter", "2");
	check_setting(&h, LAB_SERVER, "net.ipv4.tcp_tw_reuse",
		      "2"); /* the scenario's are the client's alone */
	s = recorded(&h.lab, "net.ipv4.tcp_tw_reuse");
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT(text_is(s->wanted, "0") && text_is(s->before, "2") && text_is(s->after, "0"));
	CU_ASSERT_EQUAL(s->at.line, 7);
	s = recorded(&h.lab, "net.ipv4.tcp_rmem");
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT(text_is(s->after, "4096\t131072\t6291456"));
	s = recorded(&h.lab, "net.ipv4.ip_local_port_range");
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_EQUAL(s->at.line, 4);
	CU_ASSERT_PTR_NOT_NULL(recorded(&h.lab, "net.ipv4.ip_local_reserved_ports"));
	help_close(&h);
}

static void each_namespace_has_settings_of_its_own(void)
{
	static const char linger[] = "net.netfilter.nf_conntrack_tcp_timeout_time_wait";
	struct lab_setting *s;
	struct help h;

	CU_ASSERT_FATAL(
		help_open(&h, "network:\n"
			      "  topology: nat\n"
			      "  sysctl: {net.ipv4.tcp_fin_timeout: 5}\n"
			      "  nat: {sysctl: {net.netfilter.nf_conntrack_tcp_timeout_time_wait: "
			      "3}}\n"
			      "server: {sysctl: {net.ipv4.tcp_timestamps: 0}}\n"));
	check_setting(&h, LAB_CLIENT, "net.ipv4.tcp_timestamps", "1");
	check_setting(&h, LAB_SERVER, "net.ipv4.tcp_timestamps", "0");
	check_setting(&h, LAB_GATEWAY, "net.ipv4.tcp_timestamps", "1");
	check_setting(&h, LAB_CLIENT, linger, "120");
	check_setting(&h, LAB_SERVER, linger, "120");
	check_setting(&h, LAB_GATEWAY, linger, "3");
	check_setting(&h, LAB_CLIENT, "net.ipv4.tcp_fin_timeout", "5");
	check_setting(&h, LAB_SERVER, "net.ipv4.tcp_fin_timeout", "60");
	s = recorded(&h.lab, linger);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT(s->role == LAB_GATEWAY && text_is(s->before, "120") && text_is(s->after, "3"));
	CU_ASSERT_EQUAL(s->at.line, 6);
	s = recorded(&h.lab, "net.ipv4.tcp_timestamps");
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT(s->role == LAB_SERVER && text_is(s->after, "0"));
	help_close(&h);
}

static void what_another_namespace_refuses_is_an_error_at_its_line(void)
{
	static const struct {
		const char *lines;
		unsigned line, col;
		const char *what;
	} rows[] = {
		{"server: {sysctl: {net.ipv4.tcp_fin_timeout: x}}\n", 3, 45,
		 "the kernel refuses net.ipv4.tcp_fin_timeout = x: Invalid argument"},
		{"network:\n  topology: nat\n  nat:\n    sysctl: {net.netfilter.nf_conntrack_max: "
		 "10}\n",
		 6, 14, "cannot set net.netfilter.nf_conntrack_max: it can only be read here"},
		{"server: {sysctl: {net.ipv4.tcp_available_congestion_control: reno}}\n", 3, 19,
		 "cannot set net.ipv4.tcp_available_congestion_control: it can only be read here"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct help h;

		CU_ASSERT_FALSE(help_open(&h, rows[i].lines));
		CU_ASSERT_EQUAL(h.err.kind, ERR_SCENARIO);
		CU_ASSERT_EQUAL(h.err.at.line, rows[i].line);
		CU_ASSERT_EQUAL(h.err.at.col, rows[i].col);
		CU_ASSERT_STRING_EQUAL(h.err.what, rows[i].what);
		help_close(&h);
	}
}

static void what_the_kernel_refuses_is_an_error_at_its_line(void)
{
	static const struct {
		const char *line;
		unsigned col;
		const char *what;
	} rows[] = {
		{"net.ipv4.tcp_syn_retries: 200", 31,
		 "the kernel refuses net.ipv4.tcp_syn_retries = 200: Invalid argument"},
		{"net.ipv4.tcp_no_such: 1", 5,
		 "cannot set net.ipv4.tcp_no_such: this namespace has no such sysctl"},
		{"net.ipv4.tcp_mem: 1", 5,
		 "cannot set net.ipv4.tcp_mem: this namespace has no such sysctl"},
		{"net.ipv4.tcp_rmem: 4096 131072", 24,
		 "net.ipv4.tcp_rmem was set to 4096 131072, but is 4096"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[200];
		struct help h;

		snprintf(lines, sizeof(lines), "network:\n  sysctl:\n    %s\n", rows[i].line);
		CU_ASSERT_FALSE(help_open(&h, lines));
		CU_ASSERT_EQUAL(h.err.kind, ERR_SCENARIO);
		CU_ASSERT_EQUAL(h.err.at.line, 5);
		CU_ASSERT_EQUAL(h.err.at.col, rows[i].col);
		CU_ASSERT(text_is(text_trim(h.err.source), rows[i].line));
		CU_ASSERT_EQUAL(strncmp(h.err.what, rows[i].what, strlen(rows[i].what)), 0);
		if (strncmp(h.err.what, rows[i].what, strlen(rows[i].what)) != 0)
			printf("\n%s\n", h.err.what);
		CU_ASSERT(h.err.hint[0] != '\0');
		CU_ASSERT_EQUAL(h.lab.client_ns, -1);
		help_close(&h);
	}
}

static void a_name_outside_of_net_is_never_written(void)
{
	static const struct {
		const char *name;
		int sys;
	} rows[] = {
		{"kernel.panic", EPERM},
		{"vm.swappiness", EPERM},
		{"network.x", EPERM},
		{"net", EPERM},
		{"", EINVAL},
		{"net.", EINVAL},
		{"net..ipv4.tcp_tw_reuse", EINVAL},
		{".net.ipv4", EINVAL},
		{"/net/ipv4/tcp_tw_reuse", EINVAL},
		{"net/../kernel/panic", EINVAL},
		{"net/./ipv4/tcp_tw_reuse", EINVAL},
		{"net.//.kernel.panic", EINVAL}, /* where dots part, a slash is a dot */
		{"net.ipv4.tcp_no_such", ENOENT},
		{"net.ipv4", EISDIR},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char value[8];

		CU_ASSERT_EQUAL(sysctl_write(text_of(rows[i].name), TEXT("")), rows[i].sys);
		CU_ASSERT_NOT_EQUAL(sysctl_read(text_of(rows[i].name), value, sizeof(value)), 0);
		CU_ASSERT_STRING_EQUAL(value, "");
	}
	CU_ASSERT_EQUAL(sysctl_write((struct text){"net.ipv4\0x", 10}, TEXT("")), EINVAL);
}

static int64_t number_inside(struct help *h, enum lab_role role, const char *name)
{
	struct reading r = {.name = name};

	CU_ASSERT(help_inside(h, role, read_setting, &r));
	return r.sys ? -1 : strtoll(r.value, NULL, 10);
}

static void the_hash_is_private_and_the_limits_are_not_scaled_with_it(void)
{
	int64_t buckets = help_host()->ehash / 2;
	struct help h;

	CU_ASSERT_FATAL(help_open(&h, "network: {ports: 40000-40031}"));
	CU_ASSERT_TRUE(h.lab.private_hash);
	CU_ASSERT_EQUAL(number_inside(&h, LAB_CLIENT, "net.ipv4.tcp_ehash_entries"),
			h.plan.hash_entries);
	CU_ASSERT_EQUAL(number_inside(&h, LAB_SERVER, "net.ipv4.tcp_ehash_entries"),
			h.plan.hash_entries);
	CU_ASSERT_EQUAL(number_inside(&h, LAB_CLIENT, "net.ipv4.tcp_max_tw_buckets"), buckets);
	CU_ASSERT_EQUAL(number_inside(&h, LAB_SERVER, "net.ipv4.tcp_max_tw_buckets"), buckets);
	CU_ASSERT(number_inside(&h, LAB_CLIENT, "net.ipv4.tcp_max_syn_backlog") >= 128);
	CU_ASSERT(number_inside(&h, LAB_SERVER, "net.ipv4.tcp_max_syn_backlog") >= h.plan.backlog);
	CU_ASSERT(number_inside(&h, LAB_SERVER, "net.core.somaxconn") >= h.plan.backlog);
	help_close(&h);
}

static void the_scenario_wins_over_our_own_wishes(void)
{
	struct lab_setting *s;
	struct help h;

	CU_ASSERT_FATAL(help_open(
		&h, "network: {topology: loopback, sysctl: {net.ipv4.tcp_max_tw_buckets: 5, "
		    "net.core.somaxconn: 7}}"));
	check_setting(&h, LAB_CLIENT, "net.ipv4.tcp_max_tw_buckets", "5");
	check_setting(&h, LAB_CLIENT, "net.core.somaxconn", "7");
	s = recorded(&h.lab, "net.ipv4.tcp_max_tw_buckets");
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT(text_is(s->after, "5"));
	CU_ASSERT_EQUAL(s->at.line, 3);
	help_close(&h);
}

static void count_ipv6(struct help *h, void *context)
{
	char buffer[512];

	(void)h;
	*(size_t *)context +=
		help_file("/proc/thread-self/net/if_inet6", buffer, sizeof(buffer)).len;
}

static void there_is_no_ipv6_to_wait_for(void)
{
	size_t addresses = 0;
	struct help h;

	CU_ASSERT_FATAL(help_open(&h, "network: {topology: veth}"));
	CU_ASSERT(help_inside(&h, LAB_CLIENT, count_ipv6, &addresses));
	CU_ASSERT(help_inside(&h, LAB_SERVER, count_ipv6, &addresses));
	CU_ASSERT_EQUAL(addresses, 0);
	help_close(&h);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, settings_are_set_and_read_back_and_recorded),
	TEST_UNLESS(help_no_gateway, each_namespace_has_settings_of_its_own),
	TEST_UNLESS(help_no_gateway, what_another_namespace_refuses_is_an_error_at_its_line),
	TEST_UNLESS(help_no_network, what_the_kernel_refuses_is_an_error_at_its_line),
	TEST(a_name_outside_of_net_is_never_written),
	TEST_UNLESS(help_no_hash, the_hash_is_private_and_the_limits_are_not_scaled_with_it),
	TEST_UNLESS(help_no_network, the_scenario_wins_over_our_own_wishes),
	TEST_UNLESS(help_no_network, there_is_no_ipv6_to_wait_for),
	TESTS_END,
};

const struct suite suite_lab_settings = {"lab: settings", tests};
