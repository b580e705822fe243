/* bind.h - what load.bind makes of the ports: which a connection can have, who chooses, and what
 * they are shared by.
 *
 * connect() chooses a port for one destination, bind() for all of them: so what bind() takes is
 * counted for each source address, and what connect() takes, for each pair. A socket of UDP has its
 * port for all destinations, whoever takes it.
 *
 * Errors: none; pure.
 * Source: __inet_hash_connect(), net/ipv4/inet_hashtables.c; inet_csk_get_port(),
 *         net/ipv4/inet_connection_sock.c.
 */
#pragma once

#include "plan/budget.h"

/* Is it bind() that takes the port, and not connect()? */
bool bind_takes_port(enum bind_way way);

/* Does bind() leave the choice of the port to the kernel? */
bool bind_asks_port(enum bind_way way);

/* Does the program choose the port, and not the kernel? */
bool bind_names_port(enum bind_way way);

/* May several sockets of the load be bound to one port? Then it is connect() that refuses, and
 * only where that very connection exists. */
bool bind_shares_port(const struct load *load);

/* May a socket of the one have a port that one of the other has? Both must have said so. */
bool bind_shares_with(const struct load *a, const struct load *b);

/* Sockets of UDP that share ports may have the very addresses and ports of each other, so that
 * nothing bounds how many there are: bind() and connect() give them ports that are taken
 * (udp_lib_lport_inuse(), net/ipv4/udp.c). */
bool bind_overshadows(const struct load *load);

/* May bind() hand out a port that is in use, by chance? inet_csk_find_open_port(). */
bool bind_may_repeat(const struct scenario *s, const struct load *load);

/* The ports that connections of the load can have, reserved ones included. */
struct port_range bind_ports(const struct load *load, struct port_range all);

struct budget bind_budget(const struct scenario *s, const struct load *load, uint32_t sources,
			  uint32_t destinations);
