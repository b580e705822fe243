/* binders.h - sockets of TCP whose port bind() took, and not connect(): it is theirs towards everybody.
 *
 * No dump says so of a socket that is connected. Who binds one tells it here, from any thread, before
 * it is connected; the sampler reads it while others come. What is told is the socket's cookie, which
 * stays the same in TIME_WAIT, where the port still is nobody else's.
 *
 * Ownership: the table is in the arena, sized once: for a source's port each.
 * Errors:    one that finds no room passes for a connection's. Of several that share one port of one
 *            address (SO_REUSEADDR, SO_REUSEPORT) the last is known.
 * Source:    __inet_hash_connect(), net/ipv4/inet_hashtables.c: a bind bucket with fastreuse or
 *            fastreuseport of 0 or more is passed over, whatever address, family or destination its
 *            sockets have; inet_csk_get_port() sets them, a connect() leaves -1.
 */
#pragma once

#include <stdatomic.h>

#include "base/arena.h"
#include "sys/sockets.h"

struct binder;

struct binders {
	struct binder *rows;
	uint32_t mask; /* rows - 1; rows are a power of two */
};

bool binders_open(struct binders *b, uint64_t most, struct arena *arena); /* false: no room */

void binders_add(struct binders *b, struct address at, uint16_t port, uint64_t cookie);
bool binders_have(const struct binders *b, const struct socket_seen *s);
