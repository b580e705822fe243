/* far_state.h - the far end's state, and what its files know of each other: far.c has the thread and
 * what others call, far_slot.c serves connections, far_loop.c connects them to the far end itself,
 * far_datagram.c answers datagrams, far_due.c does what is due by the clock. Nobody else includes it.
 */
#pragma once

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "drive/far.h"
#include "drive/late.h"
#include "drive/wire.h"
#include "sys/ring.h"

enum { PIECE_BYTES = 65536, NO_SLOT = UINT32_MAX };

enum far_at {
	FAR_FREE,
	FAR_ACCEPT,
	FAR_HEAD,  /* reads the head of a request */
	FAR_BODY,  /* … and the rest of it */
	FAR_DELAY, /* waits before it answers */
	FAR_SEND,
	FAR_SOCKET,  /* loop: takes a socket for an upstream */
	FAR_CONNECT, /* … connects it to its own listener */
	FAR_RELAY,   /* … waits until either end is closed */
	FAR_KEPT,    /* nothing will be asked of it any more, nor is it closed */
	FAR_CLOSE,
};

struct far_slot {
	uint32_t left; /* bytes of head, rest or answer that have not passed yet */
	union {
		uint32_t answer_bytes;
		/* loop: the other half of what is passed on; NO_SLOT: there is none */
		uint32_t peer;
	};
	uint16_t listener;
	uint8_t at;    /* enum far_at */
	bool more;     /* another request follows this one */
	bool upstream; /* loop: it has been opened, and not accepted */
	unsigned char head[WIRE_HEAD_BYTES];
};

/* A listener's accepts. */
struct far_door {
	int fd;
	uint32_t wanting; /* accepts that it lacks, since no slot was free */
	int64_t open_ns;  /* slow accept: when the next one is asked for; FOR_EVER: one is asked */
};

struct post;

struct far {
	const struct plan *plan;
	const struct lab *lab;
	struct pulse *pulse;
	struct tape tape;
	struct arena *arena;
	enum behaviour behaviour;
	pthread_t thread;
	sem_t ready;
	int wake; /* eventfd: look at what others have told */
	_Atomic bool ending;
	_Atomic int64_t zero_ns; /* when the load began; 0: it has not */
	struct err err;

	struct far_door *doors;
	struct ring **rings;
	uint32_t ring_count, slots;
	/* slot i is slot i % ring_slots of ring i / ring_slots; its tag is i + 1 */
	struct far_slot *slot;
	uint32_t *spare, spare_count;
	uint32_t wanting_all;
	struct late late; /* slots whose answer waits */
	uint64_t delayed; /* answers that have waited: each draws its delay */
	int64_t now_ns;	  /* read once a turn */
	bool good;	  /* it began well; written before `ready` */
	bool failed;
	bool dead;			 /* as server.die wants it */
	struct post *post;		 /* of UDP; NULL: nothing is sent to it */
	struct endpoint *upstreams;	 /* loop: of each listener, how it is connected to */
	_Atomic uint64_t opened;	 /* … what it has opened to itself, */
	uint64_t errors[STAGES][ERRNOS]; /* and what it could not have */
	_Atomic uint64_t served;	 /* see far_served() */
	char scratch[PIECE_BYTES];	 /* what is received goes here, unread */
	char zeroes[PIECE_BYTES];	 /* what is sent; never written */
};

enum family far_family(const struct plan *p); /* of its sockets */

static inline bool far_does(const struct far *far, enum does what)
{
	return behaviour_does(far->behaviour, what);
}

static inline struct ring *far_ring(const struct far *far, uint32_t i, unsigned *slot)
{
	*slot = i % far->plan->ring_slots;
	return far->rings[i / far->plan->ring_slots];
}

/* Asks for the next connection of a listener, once there is a slot for it. */
void far_accept(struct far *far, uint16_t listener);
void far_close(struct far *far, uint32_t i);
void far_answer(struct far *far, uint32_t i); /* the request is read, and its delay is over */
void far_wait(struct far *far, uint32_t i);   /* server.delay begins; far_answer() ends it */

int64_t far_delay_ns(struct far *far); /* of the next answer, as the seed draws it */

/* A proxy that is its own upstream: memory; in the server's namespace, its link; a connection is
 * accepted; an answer to what it is at. */
bool far_loop_reserve(struct far *far);
bool far_loop_open(struct far *far);
void far_loop(struct far *far, uint32_t i);
void far_loop_answer(struct far *far, uint32_t i, int result);

/* Takes what the rings have to say; false: nothing. */
bool far_turn(struct far *far);

/* Of UDP, which has no connections: memory; sockets; what came; what is due, and when; what found no
 * room to wait. */
bool far_post_reserve(struct far *far);
bool far_post_open(struct far *far);
bool far_post_turn(struct far *far);
bool far_post_late(struct far *far);
int64_t far_post_due(const struct far *far);
uint64_t far_post_dropped(const struct far *far);
int far_post_wake(const struct far *far); /* readable once something came, or was told */
void far_post_shut(struct far *far);	  /* no socket has the ports any more */
void far_post_close(struct far *far);

/* Does what is due at far->now_ns; false: nothing was. */
bool far_do_due(struct far *far);
int64_t far_idle_ns(const struct far *far); /* until something will be */
void far_doors_close(struct far *far);
