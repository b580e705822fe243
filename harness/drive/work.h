/* work.h - the worker's state, and what its files know of each other: worker_open.c makes it ready,
 * worker.c turns the loop, begin.c says what is begun and finish.c when all is over, ask.c asks the
 * ring, make.c the kernel, mail.c for datagrams, answer.c takes the answers and keeps the books,
 * failure.c those of what could not be had, lost.c those of what is no more. Nobody else includes it.
 */
#pragma once

#include <assert.h>

#include "drive/heap.h"
#include "drive/pace.h"
#include "drive/pool.h"
#include "drive/queue.h"
#include "drive/rotation.h"
#include "drive/worker.h"
#include "plan/split.h"
#include "sys/counters.h"
#include "sys/heir.h"
#include "sys/maker.h"
#include "sys/ring.h"

/* Clients that wait before their next request, the first to go on first: a circle. */
struct pauses {
	int64_t *due_ns;
	uint32_t first, count, room;
};

struct mail;
struct socket_wish;

struct worker {
	struct worker_wish wish;
	const struct plan *plan;
	const struct load_plan *load; /* which of the plan's this worker carries, or shares */
	struct split split;	      /* its share */
	uint32_t slots;		      /* descriptors */
	struct tape *tape;
	struct pace pace;
	int64_t hold_ns, timeout_ns, zero_ns;
	int64_t now_ns; /* since the load began; read once a turn, and after each submit */

	struct ring **rings;
	uint32_t ring_count, ring_turn; /* ring_turn: which is looked at next */
	/* A flow's tag is its index + 1. Its slot s is slot s % ring_slots of ring s / ring_slots: what is
	 * leaked keeps that, and its flow goes on with a fresh one. */
	struct flow *flows;
	uint32_t flow_room;  /* how many there are */
	uint32_t flow_fresh; /* from here on they have not been used: their memory is not touched */
	uint32_t slot_fresh; /* the same of slots: each of those flows has one of them coming */
	uint32_t *spare;     /* flows that have been used and are free, a stack */
	uint32_t spare_used;
	uint32_t spare_count;			 /* of those, and of the fresh */
	struct queue opening, holding, awaiting; /* awaiting: what the far end is to say or take */
	struct heap retrying;			 /* they have failed, and wait to be tried again */
	struct pool pool;
	struct pauses pauses;
	uint64_t ending; /* connections without a request that are being ended */

	uint32_t account_first; /* the books of its destinations begin here */
	struct heir *heirs;	/* who inherits: the load's, filled one after the other */
	uint32_t heir_count, heir_now;

	struct maker maker; /* load.nofile: whose descriptors the sockets are */
	int *numbers; /* of each slot the descriptor there, 0: none; NULL: there is no maker */

	struct rotation rotation; /* of its own spaces: pair i is in space i / share */
	uint32_t drawn;		  /* where the seed chooses: of all pairs in the rotation */
	uint32_t share, *turns;	  /* pairs of a space, and how many connections each space had */
	uint32_t *walks;	  /* a space: how many ports it has named */
	struct endpoint *named; /* a flow: what it is bound to, where the program names the port */
	struct endpoint *sources, *servers;

	uint64_t started;     /* what the pace has had: attempted and held back */
	uint64_t next;	      /* the number of the request after those: plan/split.h */
	uint64_t under_way;   /* flows whose life has not ended */
	uint64_t asked;	      /* connects so far: the sequence of the next */
	uint64_t refused_seq; /* of the first connect refused for want of a port; 0: none yet */
	/* Of one operation in the last submit that had any, on average: a connect, or a bind() that takes
	 * a port; and any other. */
	int64_t scan_ns, plain_ns;
	int64_t submit_ns;    /* of all of it: a refusal in it cost no more */
	int64_t far_keeps_ns; /* so long the far end ends no connection: what is open is ESTABLISHED */
	uint32_t window;      /* the value of IP_LOCAL_PORT_RANGE: lo | hi << 16 */
	bool own_ports;	      /* towards a destination no two connections have the same */
	bool begun;	      /* load.start has come */
	bool stopping;	      /* nothing new is begun */
	bool over;	      /* nothing is asked any more */
	bool peaked;	      /* all that will be begun is open, or has failed */
	bool watches_run;     /* a line of `expect` about all loads may end the run */
	bool watches_load;    /* one about this load */
	int64_t stop_ns;      /* when to begin stopping; FOR_EVER: never */
	struct err *err;      /* where a ring that fails is told */
	bool failed;
	struct proc_door proc;	/* of the namespace that it is in */
	uint64_t resets_before; /* EstabResets, before the load began */
	struct {
		uint64_t attempted, opened, failed, open;
	} told; /* what the pulse has of this worker */
	struct {
		uint64_t opened, ended;
	} shared;		/* what its team has */
	uint32_t noted[EVENTS]; /* events so far, by kind */
	/* The beginning of a request that another will follow, and of one that is the last of its
	 * connection. */
	unsigned char *request[2];
	struct mail *mails;	/* of UDP: a flow's datagram */
	uint32_t queries;	/* the number of the last */
	uint32_t request_bytes; /* of that beginning; what follows are zeroes too */
	char scratch[65536];	/* what is received goes here, unread */
};

/* The ring that carries flow i, and the flow's slot there. */
static inline struct ring *work_ring(const struct worker *w, uint32_t i, unsigned *slot)
{
	uint32_t s = w->flows[i].slot;

	assert(s != NO_FLOW); /* what was leaked has taken its slot along */
	*slot = s % w->plan->ring_slots;
	return w->rings[s / w->plan->ring_slots];
}

/* A flow that is free; there must be one. */
static inline uint32_t work_take(struct worker *w)
{
	w->spare_count--;
	if (w->spare_used)
		return w->spare[--w->spare_used];
	w->flows[w->flow_fresh] = (struct flow){.at = OP_FAILED, .slot = w->slot_fresh++};
	return w->flow_fresh++;
}

/* The operations that a flow's life has. */
static inline uint32_t work_steps(const struct worker *w, const struct flow *f)
{
	return w->load->steps[f->end];
}

/* Pair i is source i / destinations, destination i % destinations. */
static inline uint32_t work_space(const struct worker *w, const struct flow *f)
{
	return split_own(&w->split, f->pair / w->share);
}

static inline struct pair *work_pair(const struct worker *w, const struct flow *f)
{
	return rotation_pair(&w->rotation, work_space(w, f));
}

/* The address that a flow's socket is bound to; NULL: none. */
static inline const struct endpoint *work_source(const struct worker *w, const struct flow *f)
{
	return w->load->bind_source ? &w->sources[f->pair / w->plan->destinations] : NULL;
}

/* The same with its port, where the program names one. */
static inline const struct endpoint *work_bound(const struct worker *w, uint32_t i)
{
	return w->named ? &w->named[i] : work_source(w, &w->flows[i]);
}

static inline const struct endpoint *work_server(const struct worker *w, const struct flow *f)
{
	return &w->servers[f->pair % w->plan->destinations];
}

static inline bool work_is_datagram(const struct worker *w)
{
	return w->load->load->protocol == PROTOCOL_UDP;
}

/* Requests of UDP: one datagram, and one for an answer. What comes may be the late answer to a
 * socket that had the same port before: it is a stray, and the next is waited for. */
bool mails_open(struct worker *w, struct arena *arena);
const struct msghdr *mail_write(struct worker *w, uint32_t i);
void mail_send(struct worker *w, uint32_t i);
void mail_receive(struct worker *w, uint32_t i);
bool mail_is_stray(const struct worker *w, uint32_t i, int result);

/* *fd: a socket as wished for, by system calls, or -errno and *stage. One of the process of load.nofile,
 * where there is one; false: that is no more, and w->err says so. work_let_go() closes its descriptor
 * there. */
bool work_make(struct worker *w, uint32_t i, const struct socket_wish *wish, int *fd,
	       enum stage *stage);
void work_let_go(struct worker *w, uint32_t i);

/* Asks for the operation that flow i is at; an end of its life asks nothing. A full batch is
 * submitted. */
void work_ask(struct worker *w, uint32_t i);
void work_receive(struct worker *w, uint32_t i); /* once more: what came was not the end */
void work_submit(struct worker *w, struct ring *ring);
void work_begin_costs(struct worker *w); /* before anything is known of them */

/* Where the program names the ports: the next one, from the flow's source, for flow i. */
void work_name(struct worker *w, uint32_t i);

/* The one after it, since that is taken; false: all of them are, or the kernel names them. */
bool work_rename(struct worker *w, uint32_t i);
/* A connect, a request's first or one more; its flow may have a socket that another used. */
void work_try(struct worker *w, uint32_t i, bool has_socket);

/* A connection's life begins in the flow, the index-th request being at it. */
void work_open(struct worker *w, uint32_t i, uint32_t pair, uint64_t index);

/* The flow's request is over; its client pauses, or is free for the next. */
void work_over(struct worker *w, struct flow *f);

/* An idle connection ends as load.end says; all of them do. */
void work_drop(struct worker *w, uint32_t i);
void pool_flush(struct worker *w);

/* Takes the answer to the operation that flow i is at, keeps the books, and asks for the next. */
void work_answer(struct worker *w, uint32_t i, int result);

/* An error is counted; the first of its stage and errno is an event. */
void work_count_error(struct worker *w, const struct flow *f);

/* The flow's connection could not be had. */
void work_fail(struct worker *w, struct flow *f);

/* Begins what is due; false: nothing was. */
bool work_begin_due(struct worker *w);

/* Is there one to begin, now or later, without waiting for another to end? And when? */
bool work_may_begin(const struct worker *w);
int64_t work_next_begin(const struct worker *w);
int64_t work_retry_due(const struct worker *w); /* FOR_EVER: nothing is to be tried again */

/* How many connections one turn may begin, and how many answers it may take of a ring. */
uint64_t work_turn_most(const struct worker *w);

/* Sets `over` once it is. */
void work_look_for_end(struct worker *w);
void work_close_books(struct worker *w);

/* So many requests have been begun, or will never be. */
static inline void work_pass(struct worker *w, uint64_t count)
{
	w->started += count;
	w->next = split_index(&w->split, w->started);
}

/* Of `count` requests from the next on, by their numbers, those that are this worker's. */
static inline uint64_t work_of(const struct worker *w, uint64_t count)
{
	return split_count(&w->split, w->next + count) - w->started;
}

/* Connections that the load has opened so far. */
uint64_t work_opened(const struct worker *w);

/* A connection that was open is no more, and not by the driver: lost, or reset by the far end. What is
 * forgotten is leaked, if it is there. */
void work_lose(struct worker *w, const struct flow *f);
void work_forget(struct worker *w, const struct flow *f);

/* Before the load, and when it is over: counts those of its connections that are no more. */
void work_watch_resets(struct worker *w);
void work_find_lost(struct worker *w);

/* Puts an event on the tape, unless there are enough of its kind; f NULL: about no connection. */
void work_note(struct worker *w, enum event_kind kind, const struct flow *f, int64_t value);

/* Nothing new is begun from here on; what was due by now and not begun is counted. */
void work_stop(struct worker *w);

/* What the flow's connection came to ends the load. */
void work_end(struct worker *w, const struct flow *f);
