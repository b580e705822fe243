/* What a scenario asks of a socket is what the kernel says of it: options read back from live
 * sockets of the driver with getsockopt(). */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drive/drive.h"
#include "look_help.h"
#include "sys/plain.h"

static const char all_options[] =
	"load:\n  total: 1\n  end: leak\n  options:\n    reuseaddr: true\n    reuseport: true\n"
	"    linger: 1s\n    keepalive: {idle: 11s, interval: 3s, count: 4}\n"
	"    user_timeout: 1500ms\n    nodelay: true\n    syn_count: 2\n    device: veth0\n";

static const struct {
	int level, name, set, unset;
} numbers[] = {
	{SOL_SOCKET, SO_REUSEADDR, 1, 0},	  {SOL_SOCKET, SO_REUSEPORT, 1, 0},
	{SOL_SOCKET, SO_KEEPALIVE, 1, 0},	  {IPPROTO_TCP, TCP_KEEPIDLE, 11, 7200},
	{IPPROTO_TCP, TCP_KEEPINTVL, 3, 75},	  {IPPROTO_TCP, TCP_KEEPCNT, 4, 9},
	{IPPROTO_TCP, TCP_USER_TIMEOUT, 1500, 0}, {IPPROTO_TCP, TCP_NODELAY, 1, 0},
	{IPPROTO_TCP, TCP_SYNCNT, 2, 6},	  {IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 0, 0},
};

static void check_numbers(int fd, bool set)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		int is = look_number(fd, numbers[i].level, numbers[i].name),
		    wanted = set ? numbers[i].set : numbers[i].unset;

		if (is != wanted)
			printf("level %d, option %d: %d, not %d\n", numbers[i].level,
			       numbers[i].name, is, wanted);
		CU_ASSERT_EQUAL(is, wanted);
	}
}

static void check_others(int fd, const struct linger *linger_wanted, const char *device_wanted)
{
	struct linger linger = {0};
	char device[16] = {0};
	socklen_t len = sizeof(linger), device_len = sizeof(device);

	CU_ASSERT_EQUAL(getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &len), 0);
	CU_ASSERT_EQUAL(linger.l_onoff, linger_wanted->l_onoff);
	CU_ASSERT_EQUAL(linger.l_linger, linger_wanted->l_linger);
	CU_ASSERT_EQUAL(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, &device_len), 0);
	CU_ASSERT_STRING_EQUAL(device, device_wanted);
}

static void each_option_is_what_getsockopt_says(void)
{
	for (int classic = 0; classic < 2; classic++) {
		struct look l;

		look_open(&l, all_options);
		l.h.plan.loads[0].classic_sockets = classic;
		look_drive(&l);
		CU_ASSERT_FATAL(l.fd >= 0);
		check_numbers(l.fd, true);
		check_others(l.fd, &(struct linger){1, 1}, "veth0");
		look_close(&l);
	}
}

static void a_socket_without_options_is_as_the_kernel_makes_it(void)
{
	struct look l;

	look_open(&l, "load: {total: 1, end: leak}");
	look_drive(&l);
	CU_ASSERT_FATAL(l.fd >= 0);
	check_numbers(l.fd, false);
	check_others(l.fd, &(struct linger){0, 0}, "");
	CU_ASSERT_EQUAL(look_number(l.fd, SOL_SOCKET, SO_MARK), 0);
	look_close(&l);
}

/* The load's thread has no capability: the right is the ring's, for this option alone. */
static void a_mark_is_set_by_a_load_without_rights(void)
{
	struct look l;

	look_open(&l, "load: {total: 1, end: leak, options: {mark: 4242, nodelay: true}}");
	look_drive(&l);
	CU_ASSERT_FATAL(l.fd >= 0);
	CU_ASSERT_EQUAL(look_number(l.fd, SOL_SOCKET, SO_MARK), 4242);
	CU_ASSERT_EQUAL(look_number(l.fd, IPPROTO_TCP, TCP_NODELAY), 1);
	look_close(&l);
}

/* Of UDP too, whose sockets are made by system calls. */
static void an_option_of_udp_is_what_getsockopt_says(void)
{
	static const struct {
		int name, set;
	} rows[] = {{SO_REUSEADDR, 1}, {SO_REUSEPORT, 1}, {SO_MARK, 4242}, {SO_PROTOCOL, 17}};
	char device[16] = {0};
	socklen_t len = sizeof(device);
	struct look l;

	look_open(&l, "load: {protocol: udp, total: 1, end: leak, options: {reuseaddr: true, "
		      "reuseport: true, mark: 4242, device: veth0}}");
	look_drive(&l);
	CU_ASSERT_FATAL(l.fd >= 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CU_ASSERT_EQUAL(look_number(l.fd, SOL_SOCKET, rows[i].name), rows[i].set);
	CU_ASSERT_EQUAL(getsockopt(l.fd, SOL_SOCKET, SO_BINDTODEVICE, device, &len), 0);
	CU_ASSERT_STRING_EQUAL(device, "veth0");
	look_close(&l);
	look_open(&l, "load: {protocol: udp, total: 1, end: leak}");
	look_drive(&l);
	CU_ASSERT_FATAL(l.fd >= 0);
	for (size_t i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(look_number(l.fd, SOL_SOCKET, rows[i].name), 0);
	look_close(&l);
}

static void a_socket_of_ipv6_alone_says_so(void)
{
	for (int on = 0; on < 2; on++) {
		char lines[120];
		struct look l;

		snprintf(lines, sizeof(lines),
			 "network: {family: ipv6}\nload: {total: 1, end: leak, options: {v6only: "
			 "%s}}",
			 on ? "true" : "false");
		look_open(&l, lines);
		look_drive(&l);
		CU_ASSERT_FATAL(l.fd >= 0);
		CU_ASSERT_EQUAL(look_number(l.fd, IPPROTO_IPV6, IPV6_V6ONLY), on);
		CU_ASSERT_EQUAL(l.tape.tally.opened, 1);
		look_close(&l);
	}
}

static const char *no_mark(void)
{
	return look_none()		? look_none()
	       : help_host()->ring_bind ? "io_uring cannot bind, so that sockets are classic"
					: NULL;
}

static void linger_of_zero_makes_every_close_a_reset(void)
{
	struct look l;

	look_open(&l, "network: {ports: 40000-40031}\n"
		      "load: {total: 320, concurrency: 4, options: {linger: 0s}}");
	look_drive(&l);
	CU_ASSERT(!l.tape.exhausted);
	CU_ASSERT_EQUAL(l.tape.tally.reset, 320);
	CU_ASSERT_EQUAL(l.tape.tally.closed, 0);
	CU_ASSERT_EQUAL(last_dump(&l.tape)->states[STATE_TIME_WAIT], 0);
	look_close(&l);
}

/* The kernel refuses an interface that is not there, and what is sent by lo never arrives. */
static void a_device_is_the_kernels_to_refuse(void)
{
	static const struct {
		const char *device;
		enum stage stage;
		int error;
	} rows[] = {
		{"nowhere0", STAGE_OPTION, ENODEV},
		{"lo", STAGE_CONNECT, ETIMEDOUT},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[100];
		struct look l;

		snprintf(lines, sizeof(lines),
			 "load: {total: 1, timeout: 50ms, options: {device: %s}}", rows[i].device);
		look_open(&l, lines);
		look_drive(&l);
		CU_ASSERT_EQUAL(l.tape.tally.errors[rows[i].stage][rows[i].error], 1);
		CU_ASSERT(!l.tape.exhausted);
		look_close(&l);
	}
}

static const struct test tests[] = {
	TEST_UNLESS(look_none, each_option_is_what_getsockopt_says),
	TEST_UNLESS(look_none, a_socket_without_options_is_as_the_kernel_makes_it),
	TEST_UNLESS(look_none, an_option_of_udp_is_what_getsockopt_says),
	TEST_UNLESS(look_none, a_socket_of_ipv6_alone_says_so),
	TEST_UNLESS(no_mark, a_mark_is_set_by_a_load_without_rights),
	TEST_UNLESS(help_no_network, linger_of_zero_makes_every_close_a_reset),
	TEST_UNLESS(help_no_network, a_device_is_the_kernels_to_refuse),
	TESTS_END,
};

const struct suite suite_sockets = {"sockets", tests};
