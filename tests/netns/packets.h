/* packets.h - what passes the client's link, as the kernel saw it: each packet of TCP and UDP over
 * IPv4, with the kernel's own time stamp.
 *
 * A test of a time reads it here: not from lastport's clock, nor from its own. What waits for the
 * processor makes a time longer and never shorter: so of several the shortest is nearest to what the
 * scenario says, and none of them is shorter.
 *
 * Units:  nanoseconds; ports in host order.
 * Errors: whatever fails, fails the test, as does a packet that found no room.
 * Source: packet(7); PACKET_RX_RING, Documentation/networking/packet_mmap.rst: its stamps are taken
 *         as the packet is queued, those of recvmsg() only once somebody has asked for them.
 */
#pragma once

#include "drive_help.h"

enum { PACKETS_MOST = 4096 };

struct packet {
	int64_t t_ns;	    /* the kernel's CLOCK_REALTIME */
	uint16_t port, far; /* the client's, and the server's */
	uint16_t bytes;	    /* of payload */
	uint8_t protocol;   /* IPPROTO_TCP, IPPROTO_UDP */
	uint8_t flags;	    /* of TCP: TH_SYN and others */
	bool sent;	    /* by the client */
};

struct packets {
	int fd;
	void *ring;
	size_t count;
	struct packet list[PACKETS_MOST];
};

void packets_open(struct packets *p, struct help *h); /* from here on, on veth0 of the client */
void packets_read(struct packets *p);		      /* all until now; once */
void packets_close(struct packets *p);

/* Those of the load, from its begin to its end. */
void packets_of(struct packets *p, struct drive *d);
