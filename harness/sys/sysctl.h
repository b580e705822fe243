/* sysctl.h - settings of the network namespace that the calling thread is in.
 *
 * Input:  names as sysctl(8) takes them: "net.ipv4.tcp_tw_reuse"; a link whose name has a dot
 *         is written "net.ipv4.conf.eth0/1.rp_filter" or "net/ipv4/conf/eth0.1/rp_filter".
 * Errors: an errno value; 0: done. EPERM for a name outside "net.": what belongs to the whole
 *         machine is never written, or read. EINVAL for what is no name.
 * Source: /proc/sys/net shows each thread its own namespace (net/sysctl_net.c).
 */
#pragma once

#include <stddef.h>

#include "base/text.h"

int sysctl_write(struct text name, struct text value);

/* Less the blanks around it; `out` ends in NUL. ENOBUFS if it does not fit. */
int sysctl_read(struct text name, char *out, size_t room);
