/* procnet.h - sockets as /proc/net/tcp, tcp6, udp and udp6 list them: for where sock_diag is
 * missing. sys/sockets.h is the door to both.
 *
 * Differences: no cookies; times to 10 ms; sockets of TCP that are bound alone are not listed; all
 *              sockets are printed and read, whatever the range (twice the cost of sock_diag, or
 *              more); and it cannot be told that sockets moved meanwhile, so that a dump of more
 *              than one read is torn for sure only where a line is broken.
 * Units:       ports in host order; states as in tape/tape.h.
 * Source:      get_tcp4_sock(), get_timewait4_sock(), net/ipv4/tcp_ipv4.c; tcp6_seq_show(),
 *              net/ipv6/tcp_ipv6.c; proc(5). Listeners come first: tcp_seek_last_pos().
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "sys/sockets.h"

/* One line; false: it is none of a socket, such as the head. */
bool procnet_parse(struct text line, bool datagrams, struct socket_seen *out);

/* The sockets of one file, in these states (bit i: state i), with a local port in the range, and
 * connected to there, if it says where. */
struct procnet_wish {
	int domain;
	bool datagrams;
	unsigned states;
	struct port_range ports;
	const struct remote *to;
};

/* The parser behind procnet_read(): what is wanted of the whole lines at the front of the text, and how
 * much of it these are. *over: only listeners are wanted, and there are no more. */
size_t procnet_lines(const struct procnet_wish *wish, struct text text,
		     void (*each)(void *, const struct socket_seen *), void *context, bool *torn,
		     bool *over);

bool procnet_read(const struct procnet_wish *wish, char *buffer, size_t room,
		  void (*each)(void *, const struct socket_seen *), void *context, bool *torn,
		  struct err *err);
