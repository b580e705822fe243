/* waiting.h - TCP sockets in TIME_WAIT: which there are, how long each has still, and their end.
 *
 * All of it is about the namespace the calling thread was in when the door was opened. An
 * orphan in FIN_WAIT2 is a timewait socket for the kernel too; here it is none.
 *
 * Units:     ports in host order; nanoseconds on sys/clock.h, to the millisecond.
 * Ownership: the door is closed by waiting_close(); twice does no harm.
 * Errors:    ERR_SYS; ERR_HOST where the kernel was built without CONFIG_INET_DIAG_DESTROY.
 * Source:    inet_twsk_diag_fill(), net/ipv4/inet_diag.c; tcp_abort(), net/ipv4/tcp.c. To
 *            destroy takes CAP_NET_ADMIN. 2 us a socket were measured, Linux 6.18.
 */
#pragma once

#include <linux/inet_diag.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct waiting {
	int64_t until_ns; /* when the kernel itself would end it */
	uint16_t local_port, remote_port;
	uint8_t domain;		    /* AF_INET or AF_INET6 */
	struct inet_diag_sockid id; /* the kernel's name of it: no other socket has its cookie */
};

struct waiting_door {
	void *netlink;
	char *buffer;
	int domain; /* AF_INET; AF_INET6, which has the mapped ones too; AF_UNSPEC: both */
};

bool waiting_open(struct waiting_door *out, int domain, struct err *);
void waiting_close(struct waiting_door *d);

/* Can this kernel do it at all? */
bool waiting_possible(struct waiting_door *d, struct err *);

/* Calls `each` for every one there is. */
bool waiting_list(struct waiting_door *d, void (*each)(void *, const struct waiting *),
		  void *context, struct err *);

/* Ends them; *destroyed are those that were still there. */
bool waiting_destroy(struct waiting_door *d, const struct waiting *list, size_t count,
		     size_t *destroyed, struct err *);

/* What a receive has: rows of a dump, or answers to requests. */
struct waiting_answers {
	void (*each)(void *, const struct waiting *); /* NULL: no dump is under way */
	void *context;
	int64_t now_ns; /* of the receive */
	bool ended;	/* the dump, or the answer that was asked for */
	int error;	/* the last one: 0, or an errno value */
	size_t errors;
};

/* The parser behind them: the messages of one receive. Whatever the bytes are, it reads nothing
 * beyond `len`. */
void waiting_parse(char *buffer, size_t len, struct waiting_answers *answers);
