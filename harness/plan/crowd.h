/* crowd.h - how many connections a run has at most, of whatever kind: what descriptors and memory are
 * reckoned by.
 */
#pragma once

#include <stdint.h>

/* Connections of one run, at most. */
struct crowd {
	uint64_t begun;	    /* in all */
	uint64_t under_way; /* at once, until they are open */
	uint64_t open;	    /* at once, the client having a descriptor */
	uint64_t busy; /* of them, those that are to end: the others are leaked, and forgotten */
	uint64_t idle; /* at once, between two requests */
	uint64_t inherited; /* of them another process has a descriptor */
	uint64_t waiting;   /* at once, to be tried again */
	uint64_t holding;   /* a port, open or not */
	uint64_t beside;    /* at once, of the server's ports alone, both ends there */
	uint64_t buffered;  /* bytes of requests and responses that lie in the kernel */
};
