/* worker.h - the load: a thread that carries connections through their lives, over as many rings as
 * their descriptors need. A load has one, or several that share its destinations (plan/split.h).
 *
 * The loop asks the ring, feeds its answers to flows (flow.h), and writes the tape; when a
 * connection is due is the pace's business, whether its pair may be asked is the pair's. No
 * memory is taken after worker_open().
 *
 * Ownership: borrows plan, tape and hooks; worker_close() gives back the rings, and with them
 *            every socket.
 * Errors:    ERR_HOST where rings cannot be had; ERR_SYS where the kernel fails a ring. The
 *            tape has all until then.
 * Threads:   open and run in the thread that entered the lab; close when it is done, from any.
 */
#pragma once

#include "drive/company.h"
#include "drive/drive.h"
#include "drive/team.h"

struct worker;

struct worker_wish {
	const struct plan *plan;
	const struct load_plan *load; /* one of the plan's */
	uint32_t worker;	      /* which of its workers */
	struct team *team;	      /* of those; NULL: it is alone */
	uint32_t seat;		      /* of all of the run's workers: its own in the company */
	const struct drive_hooks *hooks;
	struct tape *tape;
	struct company *company;     /* of the workers of the run; NULL: it is alone */
	struct heirlooms *heirlooms; /* where it tells what it gives away; NULL: nobody asks */
	struct binders *binders;     /* where it tells which ports bind() took; NULL: nobody asks */
	void (*edge)(void *); /* at the first failure, the first want of a port, and when all that
			    will be begun is open */
	void *context;
};

bool worker_open(struct worker **out, const struct worker_wish *wish, struct arena *, struct err *);

/* Runs the load to its end; zero_ns is its beginning on sys/clock.h. */
bool worker_run(struct worker *w, int64_t zero_ns, struct err *);

void worker_close(struct worker *w); /* NULL does no harm */
