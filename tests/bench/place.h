/* place.h - a network of its own for one run, as a scenario's lines ask for it, and who works in
 * it.
 *
 * Ownership: place_close() gives all of it back.
 * Errors:    exits with 1 and says why: a benchmark with a hole in it is none.
 */
#pragma once

#include "drive/drive.h"
#include "sys/endpoint.h"

struct place {
	struct arena arena;
	struct plan plan;
	struct lab lab;
	struct err err;
	struct pulse pulse;
	volatile sig_atomic_t interrupted;
};

void place_begin(void); /* first of all, in a process of one thread */

/* `lines` stand below a scenario's version and name. */
void place_open(struct place *p, const char *lines);

/* With so many workers of a load; 0: as many as pay. */
void place_open_by(struct place *p, const char *lines, uint32_t workers);

/* With one worker of a load. False, and the reason in p->err, where this machine cannot have it;
 * nothing is to be closed. */
bool place_try(struct place *p, const char *lines);
void place_close(struct place *p);

struct endpoint place_server(const struct place *p); /* its first address and port */

/* Lets the driver work; `look` is called in its thread when the load is over. */
void place_drive(struct place *p, struct tape *out, void (*look)(void *, struct worker *),
		 void *context);

/* Has `work` done by a thread in the client's namespace, without rights, with the far end that the
 * scenario asks for. */
void place_visit(struct place *p, bool (*work)(struct place *, void *context), void *context);

_Noreturn void give_up(const struct err *err, const char *what);
