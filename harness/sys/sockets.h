/* sockets.h - what the kernel says of its sockets one by one: dumps over sock_diag.
 *
 * All of it is about the namespace the calling thread was in when the door was opened.
 *
 * Units:     ports in host order; states as in tape/tape.h.
 * Ownership: a door is closed by its _close; twice does no harm.
 * Errors:    ERR_SYS. A dump that sockets moved under (NLM_F_DUMP_INTR) is `torn`, no error.
 * Source:    net/ipv4/inet_diag.c, udp_diag.c; include/uapi/linux/inet_diag.h. Bound-only sockets are
 *            listed since Linux 6.8.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/err.h"
#include "base/portset.h"
#include "host/host.h"
#include "words/words.h"

struct socket_filter {
	struct port_range ports; /* of the local end; the kernel leaves all others out */
	int domain;		 /* AF_INET or AF_INET6; AF_UNSPEC: both */
	unsigned protocols;	 /* bit i: enum protocol i; 0: TCP alone */
};

struct socket_seen {
	struct address local, remote;
	uint16_t local_port, remote_port;
	uint8_t state;	 /* STATE_…; a connected one of UDP is ESTABLISHED */
	bool datagrams;	 /* of UDP: it has its port towards everybody */
	int64_t gone_ns; /* STATE_TIME_WAIT: until it ends; else -1 */
	uint64_t cookie; /* of the socket, for as long as it is, TIME_WAIT included; 0: unknown */
	uint32_t inode;	 /* 0: no process has a descriptor of it */
};

struct dump {
	void *netlink; /* NULL: sockets are read from /proc */
	char *buffer;
};

bool dump_open(struct dump *out, struct err *);

/* The same of /proc/net/tcp, tcp6, udp and udp6, for where there is no sock_diag: see
 * sys/procnet.h for what is missing then. */
bool dump_open_proc(struct dump *out, struct err *);
void dump_close(struct dump *d);

/* Calls `each` for every socket that the filter lets through. A mapped socket is one of
 * AF_INET6. Those of TCP that listen, or are bound alone, come first, of both domains whatever
 * the filter says: they take a port of either. */
bool dump_run(struct dump *d, const struct socket_filter *filter,
	      void (*each)(void *, const struct socket_seen *), void *context, bool *torn,
	      struct err *);

enum dump_part { DUMP_MORE, DUMP_END, DUMP_BROKEN };

/* The parser behind dump_run(): the messages of one receive. Whatever the bytes are, it reads
 * nothing beyond `len`. */
enum dump_part dump_parse(char *buffer, size_t len, bool datagrams,
			  void (*each)(void *, const struct socket_seen *), void *context,
			  bool *torn, struct err *err);

/* Adds the ports of net.ipv4.ip_local_reserved_ports to the set. */
bool reserved_read(struct portset *reserved, struct err *);
