/* sides.h - who took whose ports: loads that bind() before they connect, and loads that leave the port to
 * connect().
 *
 * Input:  the evidence of a run, by load.
 * Units:  ports, and refusals for want of one.
 * Errors: none. Of a load that ended its connections itself, ports are a lower bound.
 */
#pragma once

#include "judge/evidence.h"

/* Ports that loads with their own bind(), or without one, have taken; and what the others of them
 * were refused. */
struct sides {
	uint64_t bound, plain;		       /* had at once, at least */
	uint64_t asked;			       /* of the former those that the kernel chose */
	uint64_t bound_refused, plain_refused; /* for want of a port */
};

struct sides sides_of(const struct evidence *e);

/* The load whose bind() to port 0 was refused most; NULL: none was. */
const struct load_plan *sides_refused(const struct evidence *e);

/* What there is for bind(), of each address where it names one; and what of it others have. */
uint64_t sides_ports(const struct evidence *e);
uint64_t sides_others(const struct evidence *e, const struct sides *s);

/* Who of them starves? Where both do, who was refused more. */
bool sides_bind_starves(const struct evidence *e, const struct sides *s);
bool sides_connect_starves(const struct evidence *e, const struct sides *s);
