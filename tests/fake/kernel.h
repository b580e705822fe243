/* kernel.h - stands in for harness/sys when the unit tests are linked: a kernel in memory that
 * has ports and a clock.
 *
 * A connect takes one of `ports` of its destination, or is refused; a close gives it back at
 * once, or after `quiet_ns`, as TIME_WAIT does. Time goes on only when somebody waits or
 * submits. File-scope state: a test's kernel is one for the process, and fake_boot() makes it
 * new.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sys/ring.h"

enum { FAKE_DESTINATIONS = 64, FAKE_DYING = 1 << 17, FAKE_HEIRS = 16 };

struct fake_kernel {
	/* What the test sets. */
	uint32_t ports;	      /* of each destination */
	int64_t quiet_ns;     /* how long a closed connection keeps its port; INT64_MAX: for ever */
	int64_t submit_ns;    /* what a submit costs */
	int64_t operation_ns; /* … and each operation in it */
	int64_t scan_ns;      /* … and each connect or bind besides */
	int socket_error;     /* every socket fails with it; 0: none */
	uint64_t sockets_fine; /* … after so many */
	bool black_hole;       /* connects are never answered */
	bool far_closes;    /* a receive is answered with 0: the far end has closed; else never */
	int receive_error;  /* … or with this errno */
	uint64_t meetings;  /* so many of the first connections meet themselves */
	int address_error;  /* what a UDP connect says */
	int submit_error;   /* submits fail with it; 0: none */
	bool answers;	    /* requests are answered; else never */
	uint64_t strays;    /* so many answers are to another datagram */
	bool drops_idle;    /* the far end has closed what is idle */
	uint64_t resets;    /* EstabResets, once there was a connect */
	uint64_t gone;	    /* so many of the next that are looked at are no more: */
	int gone_error;	    /* they say this errno */
	unsigned piece;	    /* most bytes that a send or a receive takes; 0: all */
	int send_error;	    /* sends fail with it; 0: none */
	int install_error;  /* no descriptor is to be had for an heir; 0: none */
	int maker_error;    /* makers are no more; 0: they are */
	uint32_t heir_room; /* descriptors of an heir */
	uint64_t interrupt_at; /* *interrupt becomes 2 at this connect; 0: never */
	volatile int *interrupt;
	uint64_t break_at; /* *broken becomes true at this connect; 0: never */
	_Atomic bool *broken;

	/* What came of it. */
	int64_t now_ns;
	unsigned batch;	    /* most operations that a submit had */
	int64_t slowest_ns; /* and the most that one cost */
	uint64_t looks;	    /* socket_meets_itself() */
	uint64_t waits;	    /* rings_wait() */
	uint64_t sockets, connects, refused, windows, lingers, binds, cancels, classic, options,
		rights_kept, shutdowns, disconnects, sends, requests, mores;
	uint64_t made; /* descriptors that makers have */
	uint32_t heirs, gifts[FAKE_HEIRS];
	uint32_t in_use[FAKE_DESTINATIONS];
	unsigned rings_open;
};

extern struct fake_kernel fake;

void fake_boot(uint32_t ports);
