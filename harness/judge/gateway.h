/* gateway.h - what a gateway says of what it dropped, in words, for the causes of nat.c.
 *
 * Ownership: texts are in the evidence's arena.
 */
#pragma once

#include "judge/rule.h"

/* Does it say that it dropped packets for want of a port, of a mapping, which is one for all
 * destinations, or of room in its table? */
bool gateway_lacks_ports(const struct evidence *e);
bool gateway_lacks_mappings(const struct evidence *e);
bool gateway_is_full(const struct evidence *e);

/* Are most of the connections that it tracks, or of those that it allows to be open, never closed? Where
 * all are of TCP, which it keeps for days. */
bool gateway_is_leaked_away(const struct evidence *e);

bool gateway_maps_for_all(const struct evidence *e); /* a port of its own is for all destinations */
bool gateway_redirects(const struct evidence *e);    /* and so is what is behind it */
bool gateway_carries_datagrams(const struct evidence *e); /* and nothing else */

/* Not even one destination can have had all of the ports by what is tracked: each has them again. */
bool gateway_has_room(const struct evidence *e);

/* For how long it keeps a port after the last packet; of a connection that was closed. */
int64_t gateway_keeps_ns(const struct evidence *e);

/* "64 ports to one destination (2000-2031 of 2 addresses)" */
const char *say_gateway_ports(const struct evidence *e);

/* How long a connection, or a socket of UDP, has it before that. */
int64_t gateway_open_ns(const struct evidence *e);

/* What goes on for ever for sure, as a sentence; empty where nothing does, for nobody closes. By how long
 * a closed one is tracked; and by how long its mapping is kept. */
const char *say_gateway_rate(const struct evidence *e);
const char *say_mapping_rate(const struct evidence *e);

const char *say_tracked(const struct evidence *e); /* "32 connections" */

/* "SYN", "7 SYNs": what a packet that asks for a port is. */
const char *say_packet(const struct evidence *e);
const char *say_dropped(const struct evidence *e, enum measure count);

/* What a gateway drops makes connects time out, and requests of UDP, whose connect asks nobody. */
struct claim claim_dropped(const struct evidence *e, const char *what);
double weight_dropped(const struct evidence *e); /* how many those are */

/* Of TCP: connects that passed the gateway and had no answer are an eighth or more of what it tracked, or
 * the far end's host is gone and nothing was dropped before. Each keeps a port there while it waits. */
bool gateway_waits_for_answers(const struct evidence *e);
