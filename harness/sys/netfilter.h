/* netfilter.h - a door to the kernel's packet filter and its connection tracking: netlink, of which each
 * user has messages of its own.
 *
 * It is about the namespace that the calling thread was in when the door was opened.
 *
 * Ownership: a door is closed by netfilter_close(); twice does no harm.
 * Errors:    ERR_SYS, which says `what` could not be done.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct mnl_socket;

struct mnl_socket *netfilter_open(const char *what, struct err *err); /* NULL: it could not */
void netfilter_close(void **netlink);
