/* message.h - is a whole netlink message at the front of what is left of a receive?
 *
 * mnl_nlmsg_ok() of libmnl 1.0.4 takes the length for an int: one with the sign bit set passes for
 * short, and what comes next is looked for gigabytes away. Found by the fuzzer of socket dumps.
 */
#pragma once

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

static inline bool message_is_whole(const struct nlmsghdr *m, int left)
{
	return mnl_nlmsg_ok(m, left) && m->nlmsg_len <= (uint32_t)left;
}
