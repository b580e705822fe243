/* rights.h - what the calling thread may do: get the rights to make networks, and give all
 * rights up.
 *
 * Errors:  ERR_HOST, with the likely cause and what mends it.
 * Threads: rights_userns() needs a process of one thread; rights_drop(),
 *          rights_keep_network() and rights_pass_network() are about the calling thread alone.
 * Source:  user_namespaces(7), capabilities(7).
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* Are CAP_SYS_ADMIN and CAP_NET_ADMIN effective? */
bool rights_suffice(void);

/* A user namespace in which this user has all rights over what is made in it, and keeps its own
 * numbers. */
bool rights_userns(struct err *err);

/* Why a user namespace, or a network namespace in it, could not be had: the likely cause and
 * its mend, as a hint. */
const char *rights_mend(int sys);

/* No capabilities, now and after an exec, and root becomes nobody. Not undone by anything. */
bool rights_drop(struct err *err);

/* The same, but that CAP_NET_ADMIN stays: for a thread that goes on to change the network. */
bool rights_keep_network(struct err *err);

/* What the thread starts from here on has CAP_NET_ADMIN too: an ordinary user loses it with an
 * exec, even in a user namespace of its own. */
bool rights_pass_network(struct err *err);

/* RLIMIT_NOFILE, soft up to hard. What cannot be raised stays as it is. */
void rights_raise_nofile(void);
