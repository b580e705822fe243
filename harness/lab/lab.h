/* lab.h - a private network for one run: namespaces that nobody else sees and that die with us.
 *
 *     veth:      client namespace  10.77.0.1…  ===veth===  10.77.128.1…  server namespace
 *                of IPv6: fd77::1… and fd77:0:0:1::1…
 *     nat:       the same, with a gateway's namespace between them: lab/gateway.h
 *     loopback:  one namespace, 127.0.0.1… to 127.0.0.1…, or ::1 to ::1
 *
 * Namespaces are anonymous and held by descriptors, never given a name: SIGKILL at any moment
 * leaves nothing behind. They are made from an intermediate one, in which
 * tcp_child_ehash_entries gives them a socket hash of their own.
 *
 * Ownership: lab_close() closes the descriptors; the kernel frees a namespace with its last
 *            descriptor, thread or socket.
 * Errors:    a missing right is ERR_HOST; a sysctl that the kernel refuses, ERR_SCENARIO at
 *            the scenario's line.
 * Threads:   lab_build() works in a thread of its own: the caller stays where it is, whatever
 *            fails; several may build at once. lab_enter() is for a thread that stays inside:
 *            it gives up all capabilities, for good, and root becomes nobody.
 */
#pragma once

#include "plan/plan.h"

enum lab_role { LAB_CLIENT, LAB_SERVER, LAB_GATEWAY };

/* A sysctl of a namespace, as it was found and as it is. Of what lastport sets by itself only
 * the client's are there. */
struct lab_setting {
	struct text name, wanted, before, after;
	enum lab_role role;
	struct mark at; /* line 0: lastport's own wish */
};

struct lab {
	int client_ns, server_ns; /* on loopback two descriptors of one namespace */
	int gateway_ns;		  /* topology nat; else -1 */
	struct lab_setting *settings;
	size_t setting_count;
	bool private_hash;
};

/* Once, before the process has a second thread: a user namespace, if this process lacks the
 * rights to make networks. */
bool lab_rights(const struct host *host, struct err *);

bool lab_build(struct lab *out, const struct plan *plan, struct arena *, struct err *);
void lab_close(struct lab *lab); /* twice does no harm */

/* Of which domain the loads' sockets are: AF_INET, AF_INET6, or AF_UNSPEC of both. */
int lab_domain(const struct plan *plan);

/* Moves the calling thread into the namespace with all its rights: on its way to another. */
bool lab_visit(const struct lab *lab, enum lab_role role, struct err *);

/* Moves the calling thread into the namespace and drops its privileges. */
bool lab_enter(const struct lab *lab, enum lab_role role, struct err *);

/* The same for a thread that changes the network while the load runs: CAP_NET_ADMIN stays, and
 * nothing else. */
bool lab_enter_admin(const struct lab *lab, enum lab_role role, struct err *);

/* server.vanish: from here on no packet passes the server's end of the network, and nothing is
 * said. The calling thread has entered the server's namespace with lab_enter_admin(). */
bool lab_vanish(const struct plan *plan, struct err *);
