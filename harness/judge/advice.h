/* advice.h - what to change about a cause, in order of effect, and what people try that will
 * not help.
 *
 * Ownership: texts are in the evidence's arena.
 * Wording:   sentences without a full stop; each names its knob, and what it brings as a number
 *            where arithmetic has one. What a wrong fix is wrong about stands beside it.
 */
#pragma once

#include "judge/evidence.h"

enum { ADVICE_MOST = 8 };

/* What does not fit is left out. */
void advice_add(struct line_list *lines, struct text line);
void advice_add_all(struct line_list *lines, const char *const list[ADVICE_MOST]);
__attribute__((format(printf, 3, 4))) void advice_add_fmt(struct line_list *lines, struct arena *a,
							  const char *format, ...);

/* More ports, more pairs of addresses, TIME_WAIT made use of sooner; `life_ns` is what a
 * connection takes of a port, and so the rate they bring, 0: none is told. */
void advice_widen(struct line_list *lines, const struct evidence *e, int64_t life_ns);
void advice_tuples(struct line_list *lines, const struct evidence *e, int64_t life_ns);
void advice_reuse(struct line_list *lines, const struct evidence *e);

/* What a burst wants at once, and its rate, evenly, does not: with a port for the whole of a connection's life,
 * what follows its close included. */
void advice_spread(struct line_list *lines, const struct evidence *e);

#define ADVICE_ONE_SOCKET \
	"use one socket for many destinations: with sendto() a socket of UDP needs no connect(), " \
	"and one port does"

/* ", 1,075/s (enough)" behind a number of ports of a gateway, where a rate is what the ports are for. */
const char *advice_gateway_rate(const struct evidence *e, uint64_t ports, int64_t life_ns);

static const struct port_range advice_widest = {1024, 65535},
			       kernel_range = {32768, 60999}; /* what a namespace begins with */
