/* sockets.h - what the kernel says of its sockets one by one: dumps over sock_diag.
 *
 * All of it is about the namespace the calling thread was in when the door was opened.
 *
 * Units:     ports in host order; states as in tape/tape.h.
 * Ownership: a door is closed by its _close; twice does no harm.
 * Errors:    ERR_SYS; the door is as good as before. A dump that sockets moved under
 *            (NLM_F_DUMP_INTR), or of which the kernel had no room for a part (ENOBUFS), is `torn`,
 *            no error.
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

/* Where sockets are connected to. */
struct remote {
	struct address address;
	uint16_t port; /* 0: any */
};

/* The kernel leaves all others out. */
struct socket_filter {
	struct port_range ports; /* of the local end */
	int domain;		 /* AF_INET or AF_INET6; AF_UNSPEC: both */
	unsigned protocols;	 /* bit i: enum protocol i; 0: TCP alone */
	/* NULL: anywhere. Who listens, or is bound alone, is let through all the same. */
	const struct remote *to;
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
	uint32_t sequence; /* of what was asked for last */
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

/* DUMP_BUSY: the kernel is at another dump for this door, one that was given up. */
enum dump_part { DUMP_MORE, DUMP_END, DUMP_BROKEN, DUMP_BUSY };

/* What was asked for. Messages with another number, or for another door, are no answer to it; 0:
 * with any. */
struct dump_ask {
	uint32_t sequence, port_id;
	bool datagrams;
};

/* The parser behind dump_run(): the messages of one receive. Whatever the bytes are, it reads
 * nothing beyond `len`. */
enum dump_part dump_parse(char *buffer, size_t len, const struct dump_ask *ask,
			  void (*each)(void *, const struct socket_seen *), void *context,
			  bool *torn, struct err *err);

/* Adds the ports of net.ipv4.ip_local_reserved_ports to the set. */
bool reserved_read(struct portset *reserved, struct err *);
