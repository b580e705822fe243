/* suites.h - the suites on the real kernel, a line each.
 *
 * tests/netns/test_NAME.c defines `const struct suite suite_NAME`; a line with its NAME here has
 * main.c run it.
 */
#pragma once

#include "../unit/runner.h"

// clang-format off
#define SUITES(SUITE) \
	SUITE(lab) \
	SUITE(lab_settings) \
	SUITE(nat) \
	SUITE(nat_mapping) \
	SUITE(nat_kept) \
	SUITE(foreseen) \
	SUITE(nat_udp) \
	SUITE(published) \
	SUITE(rights) \
	SUITE(facts) \
	SUITE(dump) \
	SUITE(sense) \
	SUITE(usage) \
	SUITE(procnet) \
	SUITE(owners) \
	SUITE(binders) \
	SUITE(far) \
	SUITE(drive) \
	SUITE(drive_server) \
	SUITE(life) \
	SUITE(intent) \
	SUITE(heir) \
	SUITE(reuse) \
	SUITE(parity) \
	SUITE(family) \
	SUITE(addresses) \
	SUITE(udp) \
	SUITE(datagram) \
	SUITE(timewait) \
	SUITE(times) \
	SUITE(shape) \
	SUITE(loads) \
	SUITE(workers) \
	SUITE(sockets) \
	SUITE(binds) \
	SUITE(multipath) \
	SUITE(descriptors) \
	SUITE(scope) \
	SUITE(loop) \
	SUITE(late) \
	SUITE(squat) \
	SUITE(prober) \
	SUITE(self) \
	SUITE(books) \
	SUITE(books_apart) \
	SUITE(whose) \
	SUITE(errno) \
	SUITE(errno_network) \
	SUITE(errno_load) \
	SUITE(watch) \
	SUITE(watch_pace) \
	SUITE(watch_cost) \
	SUITE(cli) \
	SUITE(signals) \
	SUITE(library) \
	/* the end */
// clang-format on

#define SUITE(name) extern const struct suite suite_##name;
SUITES(SUITE)
#undef SUITE
