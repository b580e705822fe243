/* counters.h - what /proc says of all of a namespace's sockets together: totals of sockstat, and the
 * counters of snmp and netstat.
 *
 * All of it is about the namespace the calling thread was in when the door was opened.
 *
 * Ownership: a door is closed by its _close; twice does no harm.
 * Errors:    ERR_SYS.
 * Cost:      totals 2 us, counters 60: reads on kept descriptors.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

struct totals {
	uint64_t inuse, tw; /* of both families; tw counts orphaned FIN_WAIT2 sockets too */
	uint64_t udp;
};

struct proc_door {
	int sockstat, snmp, netstat; /* -1: not asked for */
	int sockstat6;		     /* -1: this kernel has no IPv6 */
};

bool proc_open(struct proc_door *out, struct err *);

/* One descriptor alone: it has no totals, and of the counters those of Tcp and Udp. */
bool proc_open_snmp(struct proc_door *out, struct err *);
void proc_close(struct proc_door *p);
bool proc_totals(const struct proc_door *p, struct totals *out, struct err *);

/* Calls `each` for every counter of the Tcp, Udp and TcpExt lines; those of Udp have it before their
 * names, for some of them are Tcp's too. Names are borrowed for the call. */
bool proc_counters(const struct proc_door *p,
		   void (*each)(void *, struct text name, uint64_t value), void *context,
		   struct err *);

/* The parser behind proc_counters(): pairs of lines, "Tcp: NAME …" and "Tcp: VALUE …". False if
 * they do not match. */
bool counters_parse(struct text file, struct text line,
		    void (*each)(void *, struct text name, uint64_t value), void *context);

/* The same for the lines of Udp, in the same file as those of Tcp: UdpInDatagrams, … */
bool counters_parse_udp(struct text file, void (*each)(void *, struct text name, uint64_t value),
			void *context);
